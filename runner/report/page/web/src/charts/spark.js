/** Sparklines. `runner/report/page/spark.py` makes the same paths: both pass one list of cases. */
import { svg } from "../dom.js";
import { isFigure } from "./scale.js";

const [WIDTH, HEIGHT, PAD] = [80, 18, 2];
/** Longer series keep the least and the largest figure of each of that many pieces. */
const PIECES = 20;

/**
 * Returns the paths of a sparkline, each possibly empty: the curve, the last point, the change points.
 *
 * @param {(number | null)[]} values the oldest first
 * @param {number[]} changes places in `values`
 * @returns {{ line: string, last: string, changes: string }}
 */
export function sparkPaths(values, changes) {
  const figures = values.filter(isFigure);
  const [low, high] = [Math.min(...figures), Math.max(...figures)];
  const half = high / 2 - low / 2;
  const x = (/** @type {number} */ place) =>
    tenth(values.length > 1 ? PAD + (place / (values.length - 1)) * (WIDTH - 2 * PAD) : WIDTH / 2);
  const y = (/** @type {number} */ figure) =>
    tenth(half > 0 ? HEIGHT - PAD - ((figure / 2 - low / 2) / half) * (HEIGHT - 2 * PAD) : HEIGHT / 2);
  let line = "";
  let last = "";
  let pen = "M";
  for (const place of kept(values)) {
    const figure = values[place];
    if (isFigure(figure)) {
      last = `M${x(place)} ${y(figure)}h0`;
      line += `${pen}${x(place)} ${y(figure)}`;
    }
    pen = isFigure(figure) ? "L" : "M";
  }
  const inside = changes.filter((place) => Number.isInteger(place) && place >= 0 && place < values.length);
  const marks = figures.length ? inside.map((place) => `M${x(place)} 0V${HEIGHT}`).join("") : "";
  return { line, last, changes: marks };
}

/**
 * Returns a small picture of a series for a row of a table, which has the figures as text.
 *
 * @param {{ values: (number | null)[], changes?: number[] }} options
 * @returns {SVGSVGElement}
 */
export function spark({ values, changes = [] }) {
  const paths = sparkPaths(values ?? [], changes ?? []);
  const path = (/** @type {string} */ d, /** @type {string} */ kind) => (d ? svg("path", { class: kind, d }) : null);
  return svg(
    "svg",
    { class: "spark", width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    path(paths.changes, "spark-changes"),
    path(paths.line, "spark-line"),
    path(paths.last, "spark-last"),
  );
}

/**
 * Returns the places that are drawn: all of a short series, of a long one the extremes of its pieces.
 *
 * @param {(number | null)[]} values
 * @returns {number[]}
 */
function kept(values) {
  const all = values.map((_, place) => place);
  if (all.length <= 2 * PIECES) return all;
  /** @type {Set<number>} */
  const chosen = new Set();
  for (let piece = 0; piece < PIECES; piece += 1) {
    const [from, to] = [piece, piece + 1].map((part) => Math.floor((part * all.length) / PIECES));
    const inside = all.slice(from, to).filter((place) => isFigure(values[place]));
    if (!inside.length)
      chosen.add(from ?? 0); // a gap stays a gap
    else {
      chosen.add(inside.reduce((best, place) => (Number(values[place]) < Number(values[best]) ? place : best)));
      chosen.add(inside.reduce((best, place) => (Number(values[place]) > Number(values[best]) ? place : best)));
    }
  }
  const filled = all.filter((place) => isFigure(values[place]));
  const end = filled[filled.length - 1];
  if (end !== undefined) chosen.add(end);
  return [...chosen].sort((a, b) => a - b);
}

/**
 * Returns a place with at most one decimal, rounded the same way in both languages.
 *
 * @param {number} place
 * @returns {string}
 */
function tenth(place) {
  const tenths = Math.floor(place * 10 + 0.5);
  return tenths % 10 ? `${Math.floor(tenths / 10)}.${tenths % 10}` : String(tenths / 10);
}
