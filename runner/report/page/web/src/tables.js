/** The tables of figures: sorted by a click on a heading, filtered, and with links from figures to their evidence. */
import { marksOf } from "./data.js";
import { h } from "./dom.js";
import { to } from "./state.js";

/**
 * @typedef {import("./data.js").Data} Data
 * @typedef {import("./state.js").State} State
 * @typedef {{ cell: number, differs: boolean, marks: Set<string>, element: HTMLTableRowElement, at: number }} Line
 * @typedef {{ probe: string, element: HTMLTableElement, body: HTMLTableSectionElement, lines: Line[],
 *   heads: HTMLTableCellElement[], section: HTMLElement, rest: HTMLElement, more: HTMLButtonElement,
 *   order: string }} Table
 */

const COLLATOR = new Intl.Collator("en", { numeric: true });

/**
 * Takes over the tables of the page: their headings become buttons.
 *
 * @param {(probe: string, column: number) => void} sort
 * @param {() => void} all shows the rows in which nothing differs
 * @returns {Table[]}
 */
export function taken(sort, all) {
  return [...document.querySelectorAll("table.figures")].map((found) => {
    const element = /** @type {HTMLTableElement} */ (found);
    const probe = element.dataset["probe"] ?? "";
    const heads = [...element.tHead?.rows[0]?.cells ?? []];
    heads.forEach((head, column) => {
      head.replaceChildren(h("button", { type: "button", onclick: () => sort(probe, column) }, head.textContent));
    });
    const body = /** @type {HTMLTableSectionElement} */ (element.tBodies[0]);
    const lines = [...body.rows].map((row, at) => ({
      cell: Number(row.dataset["c"]),
      differs: row.dataset["d"] !== undefined,
      marks: new Set([...row.cells].map((cell) => cell.classList.item(cell.classList.length - 1) ?? "")),
      element: row,
      at,
    }));
    const section = /** @type {HTMLElement} */ (element.closest("section"));
    const rest = /** @type {HTMLElement} */ (section.querySelector(".rest"));
    const more = h("button", { type: "button", onclick: all }, "Show them");
    rest.append(h("span", null), " ", more);
    return { probe, element, body, lines, heads, section, rest, more, order: "" };
  });
}

/**
 * Shows the rows that the filters keep, in the order that is asked for.
 *
 * @param {Table} table
 * @param {State} state
 * @param {Set<number>} kept cells
 * @param {Data} data
 */
export function shown(table, state, kept, data) {
  table.section.hidden = Boolean(state.probe) && state.probe !== table.probe;
  let hidden = 0;
  for (const line of table.lines) {
    const wanted = kept.has(line.cell) && (!state.verdict || has(table, line, state.verdict, data));
    const quiet = wanted && !state.all && !state.verdict && !line.differs;
    hidden += Number(quiet);
    line.element.hidden = !wanted || quiet;
    if (!line.element.hidden) linked(table, line, state, data);
  }
  noted(table, hidden);
  sorted(table, state);
}

/**
 * Whether a row, or a figure of its cell that the table does not show, has a mark.
 *
 * @param {Table} table
 * @param {Line} line
 * @param {string} mark
 * @param {Data} data
 */
function has(table, line, mark, data) {
  const probe = data.probes[table.probe];
  return line.marks.has(mark) || Boolean(probe && marksOf(probe, line.cell).has(mark));
}

/**
 * Says which rows are not shown.
 *
 * @param {Table} table
 * @param {number} hidden rows in which nothing differs
 */
function noted(table, hidden) {
  const none = table.lines.every((line) => line.element.hidden);
  table.rest.hidden = !hidden && !none;
  table.more.hidden = !hidden;
  const text = !hidden ? "The filters leave no row." : hidden === 1 ? "1 row in which nothing differs is hidden."
    : `${hidden} rows in which nothing differs are hidden.`;
  /** @type {HTMLElement} */ (table.rest.firstChild).textContent = text;
}

/**
 * Makes the figures of a row links to their evidence.
 *
 * @param {Table} table
 * @param {Line} line
 * @param {State} state
 * @param {Data} data
 */
function linked(table, line, state, data) {
  if (line.element.dataset["linked"]) return;
  line.element.dataset["linked"] = "1";
  const cell = data.cells[line.cell];
  [...line.element.cells].forEach((field, column) => {
    const metric = table.heads[column]?.dataset["metric"];
    if (!metric || !cell || !field.classList.contains("n") || field.textContent === "·") return;
    const href = to(state, { figure: `${table.probe}:${metric}`, of: cell.id });
    field.replaceChildren(h("a", { href }, ...field.childNodes));
  });
}

/**
 * @param {Table} table
 * @param {State} state
 */
function sorted(table, state) {
  const [column, down] = state.sort.get(table.probe) ?? [-1, false];
  const order = `${column} ${down}`;
  if (order === table.order) return;
  table.order = order;
  table.heads.forEach((head, at) => {
    if (at === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
  const keyed = table.lines.map((line) => ({ line, key: key(line.element, column) }));
  keyed.sort((a, b) => {
    if (column < 0 || a.key === null || b.key === null) {
      return Number(a.key === null) - Number(b.key === null) || a.line.at - b.line.at;
    }
    const found = typeof a.key === "number" && typeof b.key === "number"
      ? a.key - b.key : COLLATOR.compare(String(a.key), String(b.key));
    return (down ? -found : found) || a.line.at - b.line.at;
  });
  table.body.append(...keyed.map(({ line }) => line.element));
}

/**
 * What a row is sorted by in a column; rows without a figure come last.
 *
 * @param {HTMLTableRowElement} row
 * @param {number} column
 * @returns {number | string | null}
 */
function key(row, column) {
  const field = row.cells[column];
  if (column < 0) return 0;
  if (!field || field.classList.contains("status")) return null;
  if (field.dataset["v"] !== undefined) return Number(field.dataset["v"]);
  const text = (field.textContent ?? "").trim();
  return text === "·" ? null : text;
}
