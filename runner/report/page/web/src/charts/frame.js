/** What every chart has: a figure with a heading, a drawing that follows the width, a note, and a table of the same. */
import { h, svg } from "../dom.js";
import { plain, shorten, significant } from "../format.js";

/**
 * @typedef {import("../dom.js").Child} Child
 * @typedef {"candidate" | "baseline" | "other"} Role
 * @typedef {{ name: unknown }} Head a column; its name is text
 * @typedef {{ caption: string, head: string[], rows: Cell[][] }} Table
 * @typedef {string | { text: string, name?: boolean }} Cell `name`: a name from outside, possibly from right to left
 * @typedef {{ height: number, children: Child[] }} Drawn
 */

/** What is shown in the place of a figure that is missing, NaN or infinite. */
export const NO_FIGURE = "no figure";

/** The width of a drawing before it is measured, in CSS pixels. */
export const FIRST_WIDTH = 640;

const FONT = "12px system-ui, sans-serif";
const ROW_SPACE = 16;

/**
 * Returns a figure around a drawing.
 *
 * @param {object} parts
 * @param {string} parts.kind the name of the chart, for its class
 * @param {unknown} parts.heading
 * @param {string} [parts.note] sentences below the drawing
 * @param {Child} parts.drawing
 * @param {Table} parts.table
 * @param {Child} [parts.legend]
 * @returns {HTMLElement}
 */
export function figure({ kind, heading, note, drawing, table, legend }) {
  return h(
    "figure",
    { class: `chart chart-${kind}` },
    h("figcaption", null, isolated(heading) || "figure"),
    legend,
    drawing,
    note ? h("p", { class: "chart-note" }, note) : null,
    details(table),
  );
}

/**
 * Returns the figure of a chart that has nothing to draw; its table still lists what was given.
 *
 * @param {string} kind
 * @param {unknown} heading
 * @param {Table} table
 * @returns {HTMLElement}
 */
export function empty(kind, heading, table) {
  const drawing = h("p", { class: "chart-empty" }, NO_FIGURE);
  return figure({ kind, heading, drawing, table });
}

/**
 * Returns an SVG picture that is drawn again for every width it gets.
 *
 * @param {string} summary one sentence for those who do not see it
 * @param {(width: number) => Drawn} draw
 * @returns {HTMLElement}
 */
export function picture(summary, draw) {
  const holder = h("div", { class: "chart-drawing" });
  let drawnFor = 0;
  const paint = (/** @type {number} */ width) => {
    if (Math.abs(width - drawnFor) < 1) return;
    drawnFor = width;
    const { height, children } = draw(width);
    const size = { viewBox: `0 0 ${width} ${height}`, width, height };
    holder.replaceChildren(svg("svg", { ...size, role: "img", "aria-label": summary }, ...children));
  };
  paint(FIRST_WIDTH);
  onWidth(holder, (width) => paint(Math.max(240, Math.floor(width))));
  return holder;
}

/**
 * Calls back with the width of an element, at most once a frame, for as long as the element lives.
 *
 * @param {HTMLElement} element
 * @param {(width: number) => void} then
 */
export function onWidth(element, then) {
  if (typeof ResizeObserver === "undefined") return;
  let frame = 0;
  let width = 0;
  new ResizeObserver((entries) => {
    width = entries[entries.length - 1]?.contentRect.width ?? 0;
    if (frame || width < 1) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      if (width >= 1) then(width);
    });
  }).observe(element);
}

/**
 * Returns a table that opens: the figures of the chart for screen readers, and for copying.
 *
 * @param {Table} table
 * @returns {HTMLElement}
 */
function details({ caption, head, rows }) {
  const line = (/** @type {Cell[]} */ cells) =>
    h(
      "tr",
      null,
      cells.map((cell, place) => (place ? h("td", null, shown(cell)) : h("th", { scope: "row" }, shown(cell)))),
    );
  const top = h(
    "thead",
    null,
    h(
      "tr",
      null,
      head.map((name) => h("th", { scope: "col" }, h("bdi", null, plain(name) || "no name"))),
    ),
  );
  const label = plain(caption) || "figures";
  return h(
    "details",
    { class: "chart-table" },
    h("summary", null, "Table"),
    h(
      "div",
      { class: "chart-scroll", role: "group", tabindex: 0, "aria-label": label },
      h("table", null, h("caption", null, label), top, h("tbody", null, rows.map(line))),
    ),
  );
}

/** @param {Cell} cell */
function shown(cell) {
  if (typeof cell === "string") return cell;
  return cell.name ? h("bdi", null, plain(cell.text)) : cell.text;
}

/**
 * Returns a name from outside for the cell of a table.
 *
 * @param {unknown} text
 * @returns {Cell}
 */
export function named(text) {
  return { text: cleaned(text), name: true };
}

/**
 * Returns a text from outside without characters that change its surroundings.
 *
 * @param {unknown} text
 * @returns {string}
 */
export function cleaned(text) {
  return text === null || text === undefined ? "" : plain(String(text));
}

/**
 * Returns a unit from outside, short enough for an axis.
 *
 * @param {unknown} unit
 * @returns {string}
 */
export function unitOf(unit) {
  return shorten(cleaned(unit), 16);
}

/**
 * Returns a plain number for an axis, with an exponent where it would be long.
 *
 * @param {number} tick
 * @returns {string}
 */
export function tickText(tick) {
  const size = Math.abs(tick);
  return size && (size < 1e-3 || size >= 1e5) ? significant(tick, 1) : String(Number(tick.toPrecision(6)));
}

/**
 * Returns a text from outside for the middle of a sentence: one from right to left leaves the sentence alone.
 *
 * @param {unknown} text
 * @returns {string}
 */
export function isolated(text) {
  const kept = cleaned(text);
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(kept) ? `\u2068${kept}\u2069` : kept;
}

/** @type {CanvasRenderingContext2D | null | undefined} */
let pen;

/**
 * Returns the width of a text in a drawing, in CSS pixels.
 *
 * @param {string} text
 * @returns {number}
 */
export function widthOf(text) {
  if (pen === undefined) {
    pen = typeof ResizeObserver === "undefined" ? null : document.createElement("canvas").getContext("2d");
    if (pen) pen.font = FONT;
  }
  return pen ? pen.measureText(text).width : [...text].length * 7;
}

/**
 * Returns the text, cut in its middle where it is wider than `room`: names of cells differ at both ends.
 *
 * @param {string} text
 * @param {number} room
 * @returns {string}
 */
export function fitted(text, room) {
  const letters = [...text].slice(0, 400);
  if (letters.length === [...text].length && widthOf(text) <= room) return text;
  let [least, most] = [0, letters.length];
  const cut = (/** @type {number} */ kept) => {
    const end = letters.slice(letters.length - Math.floor(kept / 2));
    return `${letters.slice(0, Math.ceil(kept / 2)).join("")}…${end.join("")}`;
  };
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (widthOf(cut(middle)) <= room) least = middle;
    else most = middle - 1;
  }
  return cut(least);
}

/**
 * Returns a text of a drawing. Its whole is in the title where it had to be cut.
 *
 * @param {unknown} content
 * @param {number} x
 * @param {number} y its base line
 * @param {{ room?: number, anchor?: "start" | "middle" | "end", class?: string }} [options]
 * @returns {SVGElement}
 */
export function textAt(content, x, y, options = {}) {
  const whole = cleaned(content);
  const part = options.room === undefined ? whole : fitted(whole, options.room);
  const attributes = { x: round(x), y: round(y), "text-anchor": options.anchor ?? "start", class: options.class };
  return svg("text", attributes, part, part === whole ? null : svg("title", null, whole));
}

/**
 * Returns a mark of a shape that belongs to its role, with a title for pointers.
 *
 * Candidates are discs, baselines squares, others diamonds; what is bad is a cross.
 *
 * @param {Role | "bad"} role
 * @param {number} x
 * @param {number} y
 * @param {string} [title]
 * @param {number} [size] half its width
 * @returns {SVGElement}
 */
export function mark(role, x, y, title, size = 4.5) {
  const [left, above] = [round(x - size), round(y - size)];
  const shapes = {
    candidate: `M${left} ${round(y)}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0z`,
    baseline: `M${left} ${above}h${2 * size}v${2 * size}h${-2 * size}z`,
    other: `M${round(x)} ${above}l${size} ${size}l${-size} ${size}l${-size} ${-size}z`,
    bad: `M${left} ${above}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`,
  };
  return svg("path", { class: `mark mark-${role}`, d: shapes[role] }, title ? svg("title", null, title) : null);
}

/**
 * Returns the role, or `other` for anything else.
 *
 * @param {unknown} role
 * @returns {Role}
 */
export function roleOf(role) {
  return role === "candidate" || role === "baseline" ? role : "other";
}

/**
 * Returns a horizontal axis below a drawing: a line across for every tick, its text, and the axis's label.
 *
 * @param {import("./scale.js").Scale} scale
 * @param {(tick: number) => string} written
 * @param {{ top: number, bottom: number, left: number, right: number, label: string }} box
 * @returns {Child[]}
 */
export function axis(scale, written, { top, bottom, left, right, label }) {
  const parts = [];
  let free = -Infinity;
  for (const tick of scale.ticks) {
    const x = scale.at(tick);
    const words = fitted(cleaned(written(tick)), 110);
    const half = widthOf(words) / 2;
    parts.push(svg("path", { class: "grid", d: `M${round(x)} ${round(top)}V${round(bottom)}` }));
    const middle = Math.min(Math.max(x, left + half), right - half);
    if (middle - half < free) continue;
    free = middle + half + 8;
    parts.push(textAt(words, middle, bottom + 16, { anchor: "middle", class: "tick" }));
  }
  parts.push(textAt(label, (left + right) / 2, bottom + 34, { anchor: "middle", class: "label", room: right - left }));
  return parts;
}

/** The height of an axis with its label. */
export const AXIS_HEIGHT = 42;

/**
 * Returns where the rows of a chart are: names to the left of wide drawings, above the marks of narrow ones.
 *
 * @param {unknown[]} names
 * @param {number} width
 * @param {number} height of a row's marks
 * @returns {{ left: number, right: number, above: boolean, room: number, step: number, head: number }}
 */
export function rowLayout(names, width, height) {
  const longest = Math.min(320, Math.max(0, ...names.map((name) => widthOf(cleaned(name).slice(0, 200)))));
  const above = width < 560 || longest > width * 0.4;
  const left = above ? 8 : Math.ceil(longest) + 18;
  const head = above ? ROW_SPACE : 0;
  return { left, right: width - 8, above, room: above ? width - 16 : left - 12, step: height + head + 4, head };
}

/**
 * Returns the name of a row, where `rowLayout` has it.
 *
 * @param {ReturnType<typeof rowLayout>} layout
 * @param {unknown} name
 * @param {number} top the top of the row
 * @param {number} height of its marks
 * @returns {SVGElement}
 */
export function rowName(layout, name, top, height) {
  const words = cleaned(name) || "no name";
  if (layout.above) return textAt(words, 4, top + 12, { room: layout.room, class: "name" });
  return textAt(words, layout.left - 10, top + height / 2 + 4, { room: layout.room, anchor: "end", class: "name" });
}

/**
 * Returns a figure at the right end of a row, and the room that such figures take.
 *
 * @param {string[]} texts
 * @param {number} width of the drawing
 * @returns {{ room: number, at: (place: number, y: number, kind: string) => SVGElement }}
 */
export function rightTexts(texts, width) {
  const room = Math.min(width * 0.35, Math.max(0, ...texts.map((words) => widthOf(words.slice(0, 200)))) + 1);
  const at = (/** @type {number} */ place, /** @type {number} */ y, /** @type {string} */ kind) =>
    textAt(texts[place], width - 8, y, { room, anchor: "end", class: kind });
  return { room, at };
}

/**
 * Returns a place in a drawing with at most one decimal.
 *
 * @param {number} place
 * @returns {number}
 */
export function round(place) {
  return Math.round(place * 10) / 10;
}

/**
 * Returns which side of an axis is good, in words, or an empty text.
 *
 * @param {unknown} better
 * @returns {string}
 */
export function direction(better) {
  return better === "lower" ? "← better · worse →" : better === "higher" ? "← worse · better →" : "";
}

/**
 * Returns the texts that are not empty, with a dot between them.
 *
 * @param {...string} texts
 * @returns {string}
 */
export function joined(...texts) {
  return texts.filter(Boolean).join(" · ");
}
