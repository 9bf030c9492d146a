/** One figure of one cell: every comparison of it, what the verdict rests on, drawn. */
import { CHANGED, comparisons, metrics } from "../data.js";
import { h } from "../dom.js";
import { value } from "../format.js";
import { to } from "../state.js";
import { bound, ofFigure } from "./charts.js";
import { change, chance, counted, figure as shown, interval, link, marked, measured, table } from "./parts.js";
import { chart } from "./past.js";

/**
 * @typedef {import("./parts.js").Context} Context
 * @typedef {import("../data.js").Comparison} Comparison
 * @typedef {import("../data.js").Metric} Metric
 * @typedef {import("../data.js").Probe} Probe
 * @typedef {import("../dom.js").Child} Child
 */

/**
 * @param {Context} context
 * @param {string} key `probe:metric`
 * @param {number} cell
 * @returns {Child[] | null} null where the report has no such figure
 */
export function figure(context, key, cell) {
  const { data, state } = context;
  const [name, metricName] = split(key, Object.keys(data.probes));
  const probe = data.probes[name];
  const of = probe && metrics(probe).find((one) => one.name === metricName);
  const owner = data.cells[cell];
  if (!probe || !of || !owner) return null;
  const compared = comparisons(probe, cell, of.place);
  const around = data.cells.map((_, place) => place).filter((place) => probe.runs[place]);
  const again = chart(probe, of.place, cell);
  return [
    h("h2", { tabindex: "-1" }, `${of.label} of `, h("a", { href: to(state, { cell: owner.id }) }, owner.name),
      ` (${name})`),
    h("p", null, `${measured(probe, of.place, cell)}. `, explained(of)),
    compared.length ? verdicts(context, probe, of, compared) : h("p", null, "It was compared with nothing."),
    h("div", { class: "charts wide" }, ofFigure(data, probe, of, cell, around), again),
    others(context, name, probe, of, cell),
  ];
}

/**
 * Takes `probe:metric` apart; both may contain a colon.
 *
 * @param {string} key
 * @param {string[]} probes
 * @returns {[string, string]}
 */
function split(key, probes) {
  const probe = probes.filter((name) => key.startsWith(`${name}:`)).sort((a, b) => b.length - a.length)[0] ?? "";
  return [probe, key.slice(probe.length + 1)];
}

/** @param {Metric} of @returns {Child} */
function explained(of) {
  if (of.kind === "error") {
    return `Errors up to ${shown({ ...of, unit: "u" }, bound(of.terms))} count as rounding for sums of `
      + `${of.terms ?? "?"} products; u is 2⁻²⁴ of the sum of their absolute values.`;
  }
  if (of.better === "lower") return "Lower is better.";
  return of.better === "higher" ? "Higher is better." : "";
}

/** @param {Context} context @param {Probe} probe @param {Metric} of @param {Comparison[]} compared @returns {Child} */
function verdicts(context, probe, of, compared) {
  const { data } = context;
  const rows = compared.map((one) => [
    one.baseline < 0 ? "the exact value" : h("a", {
      href: to(context.state, { cell: data.cells[one.baseline]?.id ?? "" }),
    }, data.cells[one.baseline]?.name ?? ""),
    marked(one.mark),
    change(probe, one),
    interval(probe, one),
    one.baseline < 0 ? "" : measured(probe, of.place, one.baseline),
    one.floor === null ? "" : `±${value(one.floor, "", { percent: true })}`,
    chance(one.p),
    chance(one.adjusted),
    one.n ? String(one.n) : "",
    h("span", { class: "why", dir: "auto" }, reason(one), one.issue ? [" ", link(one.issue)] : null),
  ]);
  return table("What it was compared with",
    ["against", "verdict", "change", "interval", "baseline has", "floor", "p", "adjusted p", "n", "because"], rows,
    new Set([2, 4, 5, 6, 7, 8]));
}

/** @param {Comparison} one */
function reason(one) {
  const needed = one.needed && !one.reason ? `about ${one.needed} more runs would decide it` : "";
  const steps = one.steps !== null ? `${one.steps} steps agree` : "";
  return [one.reason, steps, needed].filter(Boolean).join("; ");
}

/**
 * The other figures of the cell in this probe.
 *
 * @param {Context} context
 * @param {string} name
 * @param {Probe} probe
 * @param {Metric} of
 * @param {number} cell
 * @returns {Child}
 */
function others(context, name, probe, of, cell) {
  const { data, state } = context;
  const found = metrics(probe).filter((one) => one.place !== of.place && (probe.values[one.place]?.[cell] !== undefined
    || probe.curves[one.place]?.[cell])).map((one) => ({ one, compared: comparisons(probe, cell, one.place)[0] }));
  const rows = found.map(({ one, compared }) => [
    h("a", { href: to(state, { figure: `${name}:${one.name}`, of: data.cells[cell]?.id ?? "" }) }, one.label),
    compared ? marked(compared.mark) : "",
    compared ? change(probe, compared) : "",
    measured(probe, one.place, cell),
  ]);
  const differ = found.filter(({ compared }) => compared && CHANGED.includes(compared.mark)).length;
  return h("details", null,
    h("summary", null, `${counted(rows.length, "other figure")} of this combination in ${name}, ${differ} different`),
    table("Other figures", ["figure", "verdict", "change", "here"], rows, new Set([2, 3])));
}

