/** The map of a sweep: functions down, releases of Keras across, one spot per function and cell. */
import { h } from "../dom.js";
import { to } from "../state.js";
import { counted, link, table } from "./parts.js";

/**
 * @typedef {import("./parts.js").Context} Context
 * @typedef {import("../data.js").Sweep} Sweep
 * @typedef {import("../data.js").Defect} Defect
 * @typedef {import("../data.js").Cell} Cell
 * @typedef {import("../dom.js").Child} Child
 */

/** Defects from this severity on make results wrong or missing (see `runner/report/defects.py`). */
const GRAVE = 6;

/**
 * How grave what a function has in a cell is: the largest severity of its defects there, 0 for none.
 *
 * @param {Sweep} sweep
 * @param {number} name
 * @param {number} at place of the cell in the sweep
 */
function severity(sweep, name, at) {
  const found = sweep.defects.filter((one) => one.functions.includes(name) && one.bad.includes(at));
  return Math.max(0, ...found.map((one) => one.severity));
}

/**
 * Draws a map. Functions without a defect are left out, unless `all` is on.
 *
 * @param {Context} context
 * @param {string} probe
 * @param {Set<number>} kept cells
 * @param {(change: Partial<import("../state.js").State>) => void} change
 * @returns {Child[]}
 */
export function map(context, probe, kept, change) {
  const { data, state } = context;
  const sweep = /** @type {Sweep} */ (data.sweeps[probe]);
  const columns = sweep.cells.map((cell, at) => ({ cell: /** @type {Cell} */ (data.cells[cell]), place: cell, at }))
    .filter(({ place }) => kept.has(place));
  const touched = new Set(sweep.defects.flatMap((one) => one.functions));
  const wanted = sweep.names.map((name, place) => ({ name, place })).filter(({ name, place }) =>
    (state.all || touched.has(place)) && name.toLowerCase().includes(state.name.toLowerCase()));
  const search = h("input", { type: "search", value: state.name, "aria-label": `Functions of ${probe} by name` });
  search.addEventListener("change", () => change({ name: search.value }));
  const rows = wanted.map(({ name, place }) => h("tr", null,
    h("th", { scope: "row" }, h("a", { href: to(state, { function: `${probe}:${name}` }) }, name)),
    columns.map(({ cell, at }) => h("td", null, spot(context, probe, sweep, place, at, cell)))));
  return [
    h("p", null, h("label", null, "Find a function ", search), " ",
      h("output", null, `${wanted.length} of ${counted(sweep.names.length, "function")}`,
        `, ${counted(sweep.defects.length, "defect")}`)),
    wanted.length && columns.length ? grid(probe, columns.map(({ cell }) => cell), rows)
      : h("p", null, "No function has a defect here."),
    h("p", { class: "soft legend" },
      h("span", null, h("b", null, "✗ 3"), " three cases give wrong results or errors"), " ",
      h("span", null, h("b", null, "! 3"), " three cases differ in precision, types or refusals"), " ",
      h("span", null, h("b", null, "✓"), " right"), " ", h("span", null, h("b", null, "·"), " not run")),
  ];
}

/**
 * The table of a map: frameworks over their releases of Keras.
 *
 * @param {string} probe
 * @param {Cell[]} cells
 * @param {HTMLElement[]} rows
 */
function grid(probe, cells, rows) {
  /** @type {[string, number][]} */
  const groups = [];
  for (const cell of cells) {
    const last = groups.at(-1);
    if (last && last[0] === framework(cell)) last[1] += 1;
    else groups.push([framework(cell), 1]);
  }
  const over = groups.map(([name, span]) => h("th", { scope: "colgroup", colspan: span }, name));
  return h("div", { class: "scroll tall", role: "region", "aria-label": `${probe} map` },
    h("table", { class: "mapped" },
      h("caption", { class: "unseen" }, `${probe}: functions and releases of Keras`),
      h("thead", null,
        h("tr", null, h("td", { rowspan: "2" }), over),
        h("tr", null, cells.map((cell) => h("th", { scope: "col" }, release(cell))))),
      h("tbody", null, rows)));
}

/** @param {Cell} cell */
function framework(cell) {
  const more = [cell.axes["device"], cell.axes["variant"]].filter((part) => part && part !== "cpu");
  return [`${cell.axes["framework"]} ${cell.axes["version"]}`, ...more].join(" ");
}

/** @param {Cell} cell */
function release(cell) {
  return cell.axes["keras"] ?? "native";
}

/**
 * @param {Context} context
 * @param {string} probe
 * @param {Sweep} sweep
 * @param {number} name
 * @param {number} at
 * @param {Cell} cell
 */
function spot(context, probe, sweep, name, at, cell) {
  const wrong = sweep.wrong[name]?.[at] ?? 0;
  const right = sweep.right[name]?.[at] ?? 0;
  const found = severity(sweep, name, at);
  if (!wrong && !right && !found) return h("span", { class: "spot none", title: "not run" }, "·");
  if (!found) return h("span", { class: "spot good", title: `${counted(right, "case")} right` }, "✓");
  const [style, symbol, word] = found >= GRAVE ? ["bad", "✗", "wrong"] : ["mild", "!", "differs"];
  return h("a", {
    class: `spot ${style}`,
    href: to(context.state, { function: `${probe}:${sweep.names[name]}` }),
    "aria-label": `${sweep.names[name]} with ${cell.name}: ${word}, ${wrong} of ${counted(wrong + right, "case")}`,
  }, `${symbol} ${wrong || ""}`.trim());
}

/**
 * One function: its defects, with cases, values and scripts, and how many cases are right in which cell.
 *
 * @param {Context} context
 * @param {string} key `probe:function`
 * @returns {Child[] | null}
 */
export function named(context, key) {
  const { data } = context;
  const probe = Object.keys(data.sweeps).find((name) => key.startsWith(`${name}:`));
  const sweep = data.sweeps[probe ?? ""];
  const place = sweep?.names.indexOf(key.slice((probe ?? "").length + 1)) ?? -1;
  if (!sweep || place < 0) return null;
  const found = sweep.defects.filter((one) => one.functions.includes(place));
  const rows = sweep.cells.map((cell, at) => [
    h("a", { href: to(context.state, { cell: data.cells[cell]?.id ?? "" }) }, data.cells[cell]?.name ?? ""),
    String(sweep.right[place]?.[at] ?? 0),
    String(sweep.wrong[place]?.[at] ?? 0),
    [...new Set(found.filter((one) => one.bad.includes(at)).map((one) => one.kind))].join(", "),
  ]);
  return [
    h("h2", { tabindex: "-1" }, sweep.names[place], h("span", { class: "soft" }, ` (${probe})`)),
    found.length ? found.map((one) => defect(one, found.length === 1)) : h("p", null, "No defect."),
    h("h3", null, "In every combination"),
    table("Cases of the function", ["combination", "right", "wrong", "defect"], rows, new Set([1, 2])),
  ];
}

/** @param {Defect} one @param {boolean} open whether its script is shown at once @returns {Child} */
function defect(one, open) {
  return h("article", null,
    h("h3", { dir: "auto" }, one.title),
    h("dl", { class: "facts" },
      one.bounds.flatMap(([words, version]) => [h("dt", null, words), h("dd", null, version)]),
      h("dt", null, "follows"), h("dd", null, one.follows || "nothing: every combination that says anything shows it"),
      one.packages.length ? [h("dt", null, "packages"), h("dd", null, one.packages.join(", "))] : null,
      one.known === null ? null : [h("dt", null, "known"), h("dd", null, one.known ? link(one.known) : "not reported")],
      h("dt", null, "result"), h("dd", { dir: "auto" }, one.observed || "none")),
    h("details", null, h("summary", null, counted(one.cases.length + one.more, "case")),
      h("ul", null, one.cases.map((text) => h("li", null, h("code", { tabindex: "0" }, text)))),
      one.more ? h("p", { class: "hint" }, `${one.more} more.`) : null),
    one.script ? h("details", { open }, h("summary", null, "A script that shows it"),
      h("pre", { tabindex: "0" }, one.script)) : null);
}
