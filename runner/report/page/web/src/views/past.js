/** What earlier runs measured: of a cell, and of one figure of it. */
import { h } from "../dom.js";
import { history } from "../charts/history.js";
import { metric } from "../data.js";
import { marked, table } from "./parts.js";

/**
 * @typedef {import("./parts.js").Context} Context
 * @typedef {import("../dom.js").Child} Child
 */

/**
 * The earlier runs of a cell, with a chart for each headline figure.
 *
 * @param {Context} context
 * @param {number} place
 * @returns {Child}
 */
export function past(context, place) {
  const { data } = context;
  const runs = data.cells[place]?.past ?? [];
  const charts = Object.values(data.probes).flatMap((probe) =>
    Object.keys(probe.past ?? {}).filter((key) => metric(probe, Number(key)).headline)
      .map((key) => chart(probe, Number(key), place)));
  if (!runs.length && !charts.some(Boolean)) return null;
  return [
    h("h3", null, "Its history"),
    h("div", { class: "charts" }, charts),
    runs.length ? h("details", null, h("summary", null, `${runs.length} earlier runs`),
      table("Earlier runs", ["run", "verdict", ""], runs.map((run) => [run.when, marked(run.mark), run.text]))) : null,
  ];
}

/**
 * The history of one figure of a cell; null without one.
 *
 * @param {import("../data.js").Probe} probe
 * @param {number} place of the metric
 * @param {number} cell
 * @returns {HTMLElement | null}
 */
export function chart(probe, place, cell) {
  const found = probe.past?.[place]?.[cell];
  if (!found || found.points.length < 2) return null;
  const of = metric(probe, place);
  const drawn = history({
    label: `${of.label} over time`,
    unit: of.unit,
    better: of.better,
    percent: of.percent,
    over: "date",
    points: found.points.map(([when, , value, low, high]) => ({ x: when, value, low, high, mark: "" })),
    changes: found.changes.map(([index, text]) => ({ index, text })),
  });
  drawn.append(...found.breaks.map((text) => h("p", { class: "hint" }, text)));
  return drawn;
}
