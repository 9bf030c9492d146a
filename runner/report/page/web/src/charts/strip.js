import { svg } from "../dom.js";
import { value } from "../format.js";
import * as frame from "./frame.js";
import { isFigure, logarithmic, usable } from "./scale.js";

/**
 * @typedef {object} Strip
 * @property {string} label
 * @property {string} [unit]
 * @property {{ name: string, bound: number | null, terms?: number | null,
 *   points: { name: string, value: number | null, role: frame.Role }[] }[]} rows one per kernel geometry;
 *   `bound` is the largest error that rounding explains, in the unit of the values; `terms` are those of its sums
 */

const HEIGHT = 22;

/**
 * Returns backward errors on a logarithmic axis, with the bound of rounding drawn in every row.
 *
 * @param {Strip} options
 * @returns {HTMLElement}
 */
export function strip(options) {
  const { label } = options;
  const unit = frame.unitOf(options.unit);
  const rows = (options.rows ?? []).map((row) => ({ ...row, points: row.points ?? [] }));
  const write = (/** @type {number | null} */ given) => (isFigure(given) ? value(given, unit) : frame.NO_FIGURE);
  const all = rows.flatMap((row) => row.points.map((point) => ({ ...point, beyond: beyond(point.value, row.bound) })));
  const table = {
    caption: `${frame.isolated(label)} against the bound of rounding`,
    head: ["geometry", "terms", "cell", "error", "bound", "verdict"],
    rows: rows.flatMap((row) =>
      row.points.map((point) => [
        frame.named(row.name),
        isFigure(row.terms) ? value(row.terms) : "",
        frame.named(point.name),
        write(point.value),
        isFigure(row.bound) ? write(row.bound) : "none",
        verdict(point.value, row.bound),
      ]),
    ),
  };
  if (!usable(all.map((point) => point.value)).length) return frame.empty("strip", label, table);
  const bad = all.filter((point) => point.beyond).length;
  const errors = all.length === 1 ? "1 error" : `${all.length} errors`;
  const count = `${errors} in ${rows.length === 1 ? "1 row" : `${rows.length} rows`}`;
  const summary = `${frame.isolated(label)}: ${count}, ${bad || "none"} beyond the bound of rounding.`;
  return frame.figure({
    kind: "strip",
    heading: label,
    note: `${summary} The thick line is the bound; a cross is beyond it.`,
    drawing: frame.picture(summary, (width) => draw(width, rows, options, write)),
    table,
  });
}

/**
 * @param {number | null} error
 * @param {number | null} bound
 */
function beyond(error, bound) {
  return isFigure(error) && isFigure(bound) && error > bound;
}

/**
 * @param {number | null} error
 * @param {number | null} bound
 */
function verdict(error, bound) {
  if (!isFigure(error) || !isFigure(bound)) return "not judged";
  return error > bound ? "beyond the bound" : "within the bound";
}

/**
 * @param {number} width
 * @param {Strip["rows"]} rows
 * @param {Strip} options
 * @param {(given: number | null) => string} write
 * @returns {frame.Drawn}
 */
function draw(width, rows, { label, unit }, write) {
  const names = rows.map((row) =>
    frame.joined(frame.cleaned(row.name), isFigure(row.terms) ? `K = ${value(row.terms)}` : ""),
  );
  const layout = frame.rowLayout(names, width, HEIGHT);
  const [top, left, right] = [4, layout.left + 8, layout.right - 8];
  const bottom = top + rows.length * layout.step;
  const reach = usable(
    rows.flatMap((row) => [row.bound, ...row.points.map((point) => point.value)]),
    true,
  );
  const [low, high] = reach.length ? [Math.min(...reach), Math.max(...reach)] : [0.1, 10];
  const room = Math.max(1.05, (high / low) ** 0.03);
  const scale = logarithmic(low / room, high * room, left, right, Math.floor((right - left) / 60));
  /** @type {frame.Child[]} */
  const children = [
    frame.axis(scale, frame.tickText, {
      top,
      bottom,
      left: layout.left,
      right: layout.right,
      label: frame.joined(
        unit ? `${frame.cleaned(label)} in ${frame.unitOf(unit)}` : frame.cleaned(label),
        "logarithmic",
      ),
    }),
  ];
  rows.forEach((row, place) => {
    const y = top + place * layout.step;
    const middle = y + layout.head + HEIGHT / 2;
    children.push(frame.rowName(layout, names[place], y, HEIGHT));
    if (isFigure(row.bound) && row.bound > 0) {
      const d = `M${frame.round(scale.at(row.bound))} ${frame.round(middle - 9)}v18`;
      children.push(svg("path", { class: "bound", d }, svg("title", null, `bound of rounding: ${write(row.bound)}`)));
    }
    for (const point of ordered(row)) {
      const zero = point.value <= 0; // has no logarithm: at the left end
      const x = zero ? left : scale.at(point.value);
      const bad = beyond(point.value, row.bound);
      const title = `${frame.isolated(point.name)}: ${write(point.value)}${bad ? ", beyond the bound" : ""}`;
      children.push(frame.mark(bad ? "bad" : frame.roleOf(point.role), x, middle, title, 4));
    }
  });
  return { height: bottom + frame.AXIS_HEIGHT, children };
}

/**
 * Returns the points with a figure; those of the candidate last, so that they are on top.
 *
 * @param {Strip["rows"][number]} row
 * @returns {{ name: string, value: number, role: frame.Role }[]}
 */
function ordered(row) {
  const rank = { other: 0, baseline: 1, candidate: 2 };
  const kept = row.points.flatMap((point) => (isFigure(point.value) ? [{ ...point, value: point.value }] : []));
  return kept.sort((a, b) => rank[frame.roleOf(a.role)] - rank[frame.roleOf(b.role)]);
}
