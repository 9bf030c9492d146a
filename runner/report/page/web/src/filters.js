/** The bar of filters: one choice per axis in which the cells differ, probe, verdict, and "only what differs". */
import { MARKS, meaning } from "./data.js";
import { h } from "./dom.js";
import { shorten } from "./format.js";
import { AXES, start } from "./state.js";

/**
 * @typedef {import("./data.js").Data} Data
 * @typedef {import("./data.js").Cell} Cell
 * @typedef {import("./state.js").State} State
 */

const WORDS = { version: "release", keras: "Keras", python: "Python" };

/**
 * The value of a cell on an axis, as the filter names it.
 *
 * @param {Cell} cell
 * @param {string} axis
 */
function value(cell, axis) {
  const found = cell.axes[axis];
  if (axis === "version") return `${cell.axes["framework"]} ${found}`;
  if (axis === "keras") return found ?? "native";
  return found || "plain";
}

/**
 * The state without the values that this report does not have: a filter that nobody sees would leave nothing.
 *
 * @param {State} state
 * @param {Data} data
 * @returns {State}
 */
export function known(state, data) {
  const kept = { ...state };
  for (const axis of AXES) if (!data.cells.some((cell) => value(cell, axis) === state[axis])) kept[axis] = "";
  if (!Object.hasOwn(data.probes, state.probe)) kept.probe = "";
  if (!marks(data).includes(state.verdict)) kept.verdict = "";
  return kept;
}

/**
 * The marks of the report's cells and comparisons, the worst first.
 *
 * @param {Data} data
 * @returns {string[]}
 */
function marks(data) {
  const found = new Set(data.cells.map((cell) => cell.mark));
  for (const probe of Object.values(data.probes)) {
    for (const pair of probe.pairs) for (const row of pair.rows) found.add(String(row[1]));
  }
  return Object.keys(MARKS).filter((mark) => mark !== "none" && found.has(mark));
}

/**
 * Whether the filters keep a cell. The verdict is not looked at.
 *
 * @param {Cell} cell
 * @param {State} state
 */
export function keeps(cell, state) {
  return AXES.every((axis) => !state[axis] || value(cell, axis) === state[axis]);
}

/**
 * Whether a filter is set.
 *
 * @param {State} state
 */
export function isFiltered(state) {
  return Boolean(AXES.some((axis) => state[axis]) || state.probe || state.verdict);
}

/**
 * Fills the form, and opens it where the screen is wide or a filter is set.
 *
 * @param {HTMLFormElement} form
 * @param {Data} data
 * @param {(change: Partial<State>) => void} change
 * @returns {(state: State, shown: number) => void} brings the form up to date
 */
export function filled(form, data, change) {
  /** @type {Map<string, HTMLSelectElement>} */
  const selects = new Map();
  /** @type {(name: string, word: string, options: [string, string][]) => void} */
  const add = (name, word, options) => {
    if (options.length < 2) return;
    const select = h("select", { name }, h("option", { value: "" }, "any"));
    for (const [key, text] of options) select.append(h("option", { value: key }, shorten(text, 60)));
    select.addEventListener("change", () => change({ [name]: select.value }));
    selects.set(name, select);
    form.append(h("label", null, word, select));
  };
  for (const axis of AXES) {
    const found = [...new Set(data.cells.map((cell) => value(cell, axis)))];
    if (axis !== "framework") found.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    add(axis, WORDS[/** @type {keyof typeof WORDS} */ (axis)] ?? axis, found.map((key) => [key, key]));
  }
  add("probe", "probe", Object.keys(data.probes).map((key) => [key, key]));
  add("verdict", "verdict", marks(data).map((mark) => [mark, meaning(mark).join(" ")]));
  const only = h("input", { type: "checkbox" });
  only.addEventListener("change", () => change({ all: !only.checked }));
  const count = h("output", null);
  const clear = h("button", { type: "button" }, "Clear");
  clear.addEventListener("click", () => change({ ...start() }));
  form.append(h("label", { class: "check" }, only, "only what differs"), clear, count);
  form.addEventListener("submit", (event) => event.preventDefault());
  const box = /** @type {HTMLDetailsElement} */ (form.closest("details"));
  const summary = /** @type {HTMLElement} */ (box.firstElementChild);
  const wide = matchMedia("(min-width: 48rem)");
  const fit = () => { box.open = wide.matches || box.open; };
  wide.addEventListener("change", fit);
  box.hidden = false;
  fit();
  return (state, shown) => {
    if (isFiltered(state)) box.open = true;
    summary.textContent = `Filters · ${shown} of ${data.cells.length} combinations`;
    for (const [name, select] of selects) {
      select.value = String(state[/** @type {keyof State} */ (name)]);
    }
    only.checked = !state.all;
    count.textContent = `${shown} of ${data.cells.length} combinations`;
  };
}
