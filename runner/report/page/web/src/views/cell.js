/** One cell: its verdict, what differs, what ran, what else is installed, what it printed, and what to run next. */
import { CHANGED, comparisons, metric, rank } from "../data.js";
import { h } from "../dom.js";
import { to } from "../state.js";
import { change, chance, command, copied, counted, interval, marked, measured, table } from "./parts.js";
import { past } from "./past.js";

/**
 * @typedef {import("./parts.js").Context} Context
 * @typedef {import("../data.js").Cell} Cell
 * @typedef {import("../dom.js").Child} Child
 */

const MOST_ROWS = 400;

/** So many findings are shown at once, as on the first screen. */
const FIRST = 6;

/**
 * @param {Context} context
 * @param {number} place
 * @returns {Child[]}
 */
export function cell(context, place) {
  const shown = /** @type {Cell} */ (context.data.cells[place]);
  return [
    h("h2", { tabindex: "-1" }, shown.name),
    h("p", { class: "soft" }, h("code", { tabindex: "0" }, shown.id), " · ", marked(shown.mark)),
    shown.skips.map((reason) => h("p", { class: "worse" }, `Not measured: ${reason}`)),
    shown.started ? null : h("p", null, "No process of this combination left a result."),
    shown.stale ? h("p", { class: "undecided" }, `Its newest result is ${shown.stale} days older than the newest here.`)
      : null,
    concerning(place),
    h("h3", null, "Commands"),
    shown.commands.map(([what, line]) => command(line, what)),
    failures(context, shown),
    differences(context, place),
    past(context, place),
    ran(context, shown),
    packages(context, place),
  ];
}

/** @param {number} place @returns {Child} */
function concerning(place) {
  const found = [...document.querySelectorAll("#answer ul.findings > li")].filter((item) =>
    /** @type {HTMLElement} */ (item).dataset["c"]?.split(" ").includes(String(place)));
  if (!found.length) return null;
  const copies = found.map((item) => {
    const copy = /** @type {HTMLElement} */ (item.cloneNode(true));
    copy.hidden = false;
    copy.querySelectorAll(".to").forEach((part) => part.remove());
    for (const line of copy.querySelectorAll(".next")) {
      const code = line.querySelector("code");
      if (code) line.querySelector(".copy")?.replaceWith(copied(code));
    }
    return copy;
  });
  const more = copies.splice(FIRST);
  return [
    h("h3", null, "Findings about it"),
    h("ul", { class: "findings" }, ...copies),
    more.length ? h("details", { class: "more" }, h("summary", null, counted(more.length, "more finding")),
      h("ul", { class: "findings" }, ...more)) : null,
  ];
}

/** @param {Context} context @param {Cell} shown @returns {Child} */
function failures(context, shown) {
  if (!shown.failures?.length) return null;
  /** @type {Map<string, { first: import("../data.js").Failure, count: number }>} */
  const alike = new Map();
  for (const failure of shown.failures) {
    const key = JSON.stringify([failure[0], failure[2], failure[3], failure[4]]);
    const known = alike.get(key);
    if (known) known.count += 1;
    else alike.set(key, { first: failure, count: 1 });
  }
  const parts = [...alike.values()].map(({ first: [probe, round, status, reason, log, exit], count }, at) => {
    const times = count > 1 ? `${count} processes, the first in round ${round}` : `round ${round}`;
    const code = exit ? `, exit code ${exit}` : "";
    const text = context.data.logs[log];
    return [
      h("p", null, h("b", null, `${probe}: ${status}`), ` (${times}${code}) ${reason}`),
      text === undefined ? h("p", { class: "soft" }, "It printed nothing.")
        : h("details", { open: at === 0 },
          h("summary", null, `What it printed (${counted(text.split("\n").length, "line")})`),
          h("pre", { tabindex: "0", dir: "auto" }, text)),
    ];
  });
  return [h("h3", null, "What failed"), parts];
}

/** @param {Context} context @param {number} place @returns {Child} */
function differences(context, place) {
  const { data, state } = context;
  const found = Object.entries(data.probes).flatMap(([name, probe]) =>
    comparisons(probe, place).filter((one) => one.metric >= 0 && one.baseline >= 0)
      .map((one) => ({ name, probe, one })));
  if (!found.length) return null;
  const wanted = found.filter(({ one }) => state.all || CHANGED.includes(one.mark));
  wanted.sort((a, b) => rank(a.one.mark) - rank(b.one.mark));
  const rows = wanted.slice(0, MOST_ROWS).map(({ name, probe, one }) => {
    const of = metric(probe, one.metric);
    const href = to(state, { figure: `${name}:${of.name}`, of: data.cells[place]?.id ?? "" });
    return [
      h("a", { href }, `${of.label} (${name})`),
      marked(one.mark),
      change(probe, one),
      interval(probe, one),
      measured(probe, one.metric, place),
      measured(probe, one.metric, one.baseline),
      data.cells[one.baseline]?.name ?? "",
      chance(one.adjusted ?? one.p),
    ];
  });
  const hidden = found.length - wanted.length;
  return [
    h("h3", null, state.all ? "All comparisons" : "What differs from its baselines"),
    rows.length ? table("Comparisons of this combination",
      ["figure", "verdict", "change", "interval", "here", "baseline has", "baseline", "p"], rows, new Set([2, 4, 5, 7]))
      : h("p", null, "No figure was judged different."),
    wanted.length > MOST_ROWS ? h("p", { class: "hint" }, `${wanted.length - MOST_ROWS} more.`) : null,
    hidden ? h("p", { class: "hint" }, `${hidden} more figures do not differ or are not decided. `,
      h("a", { href: to(state, { cell: data.cells[place]?.id ?? "", all: true }), "data-all": true }, "Show them"))
      : null,
  ];
}

/** @param {Context} context @param {Cell} shown @returns {Child} */
function ran(context, shown) {
  if (!shown.started) return null;
  const facts = context.data.facts[shown.facts ?? -1] ?? {};
  const days = [...new Set(shown.started.map((time) => time.replace("T", " ").replace(/:\d\d\+00:00$/, " UTC")))];
  const listed = [
    ["measured", days.join(" to ")], ["in", shown.executor ?? ""], ["lock", shown.lock ?? ""],
    ...Object.entries(facts),
    ...Object.entries(shown.settings ?? {}).map(([probe, text]) => [`settings of ${probe}`, text]),
  ];
  return [
    h("h3", null, "What ran"),
    h("dl", { class: "facts many" }, ...listed.filter(([, text]) => text).flatMap(([word, text]) =>
      [h("dt", null, word), h("dd", { dir: "auto" }, text)])),
    shown.notes?.length ? h("ul", null, ...shown.notes.map((note) => h("li", { dir: "auto" }, note))) : null,
  ];
}

/** @param {Context} context @param {number} place @returns {Child} */
function packages(context, place) {
  const { data } = context;
  const mine = data.packages[data.cells[place]?.packages ?? -1];
  if (!mine) return null;
  const baselines = new Set(Object.values(data.probes).flatMap((probe) =>
    probe.pairs.filter((pair) => pair.candidate === place && pair.baseline >= 0).map((pair) => pair.baseline)));
  const parts = [...baselines].map((other) => {
    const theirs = data.packages[data.cells[other]?.packages ?? -1];
    const name = data.cells[other]?.name ?? "";
    if (!theirs) return null;
    const names = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].sort();
    const differ = names.filter((one) => mine[one] !== theirs[one]);
    if (!differ.length) return h("p", null, `The same packages as ${name}.`);
    return h("details", { open: differ.length <= 12 },
      h("summary", null, `Different from ${name}: ${counted(differ.length, "package")}`),
      table(`Packages that differ from ${name}`, ["package", "here", "there"],
        differ.map((one) => [one, mine[one] ?? "none", theirs[one] ?? "none"])));
  });
  return [
    h("h3", null, "Packages"),
    parts,
    h("details", null, h("summary", null, `All ${counted(Object.keys(mine).length, "package")}`),
      table("All packages", ["package", "version"], Object.entries(mine).map(([name, version]) => [name, version]))),
  ];
}

