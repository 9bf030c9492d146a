import { value } from "../format.js";
import * as frame from "./frame.js";
import { axisSize, paintLine, plotted } from "./plot.js";
import { isFigure } from "./scale.js";

/**
 * @typedef {object} Past
 * @property {string} label
 * @property {string} [unit]
 * @property {boolean} [percent]
 * @property {string} [better]
 * @property {{ x: string, value: number | null, low?: number | null, high?: number | null, mark?: string }[]} points
 *   `x` is a date by ISO 8601 or a release, `mark` the symbol of a verdict
 * @property {"date" | "release"} over
 * @property {{ index: number, text: string }[]} [changes] `index` is the first point after the change
 * @property {{ index: number, text: string }[]} [breaks] `index` is the first point that another machine measured
 */

const DAY = 86400;

/**
 * Returns a figure over dates or releases, with its change points and the breaks between machines.
 *
 * @param {Past} options
 * @returns {HTMLElement}
 */
export function history(options) {
  const { label, percent = false, better } = options;
  const unit = frame.unitOf(options.unit);
  const write = (/** @type {number | null | undefined} */ given) =>
    isFigure(given) ? value(given, unit, { percent }) : frame.NO_FIGURE;
  const { points, changes, breaks, xs, dates } = ordered(options);
  const table = {
    caption: frame.isolated(label),
    head: [dates ? "date" : "release", "value", "lowest", "highest", "mark", "change"],
    rows: points.map((point, place) => [
      frame.named(point.x),
      write(point.value),
      isFigure(point.low) ? write(point.low) : "",
      isFigure(point.high) ? write(point.high) : "",
      frame.cleaned(point.mark),
      [...changes, ...breaks]
        .filter((item) => item.index === place)
        .map((item) => frame.cleaned(item.text))
        .join("; "),
    ]),
  };
  if (!points.some((point) => isFigure(point.value))) return frame.empty("history", label, table);
  const count = points.length === 1 ? "1 point" : `${points.length} points`;
  const found = changes.map((item) => frame.isolated(item.text)).join("; ");
  const summary = `${frame.isolated(label)}: ${count}${found ? `; changes: ${found}` : ""}.`;
  const sides = better === "lower" ? "Lower is better." : better === "higher" ? "Higher is better." : "";
  const lists = columns(points, xs, breaks);
  const drawing = plotted({
    summary,
    data: lists.data,
    options: (colours) => ({
      tzDate: (seconds) => new Date(seconds * 1000 + new Date(seconds * 1000).getTimezoneOffset() * 60000), // UTC
      scales: {
        x: { time: dates, range: (_, low, high) => widened(low, high, dates) },
        y: { range: (_, low, high) => headroom(low, high) },
      },
      axes: [
        dates ? { values: (_, ticks) => ticks.map(dayOf), space: 90, size: 30 } : releases(points),
        { size: axisSize, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : write(tick))) },
      ],
      series: [
        {},
        { stroke: colours["c1"] ?? "", width: 2, points: { show: true, size: 6, fill: colours["c1"] ?? "" } },
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
      ],
      bands: [{ series: [3, 2], fill: faded(colours["c1"] ?? "") }],
    }),
    paint: (plot, colours) => {
      breaks.forEach((item) => {
        const x = between(xs, item.index);
        const text = frame.cleaned(item.text);
        if (x !== null)
          paintLine(plot, x, { colour: colours["soft"] ?? "", halo: colours["page"] ?? "", text, dash: [2, 3] });
      });
      changes.forEach((item, place) => {
        const x = between(xs, item.index);
        const text = frame.cleaned(item.text);
        if (x !== null)
          paintLine(plot, x, { colour: colours["bad"] ?? "", halo: colours["page"] ?? "", text, row: 1 + (place % 2) });
      });
      symbols(plot, points, xs, colours);
    },
    read: (plot) => {
      const point = points[lists.places[plot.cursor.idx ?? -1] ?? -1];
      return point ? frame.joined(frame.cleaned(point.x), write(point.value), frame.cleaned(point.mark)) : "";
    },
  });
  return frame.figure({
    kind: "history",
    heading: label,
    drawing: drawing.element,
    note: sides,
    table,
  });
}

/**
 * Returns the points in the order of their dates, or of the list where they are releases or a date cannot be read.
 *
 * @param {Past} options
 */
function ordered({ points = [], changes = [], breaks = [], over }) {
  const times = points.map((point) => Date.parse(point.x) / 1000);
  const dates = over === "date" && times.every(isFigure);
  const places = points.map((_, place) => place);
  if (dates) places.sort((a, b) => Number(times[a]) - Number(times[b]) || a - b);
  const moved = (/** @type {{ index: number, text: string }[]} */ items) =>
    items.map((item) => ({ ...item, index: places.indexOf(item.index) })).filter((item) => item.index >= 0);
  return {
    points: places.flatMap((place) => points[place] ?? []),
    xs: places.map((place, position) => (dates ? Number(times[place]) : position)),
    changes: moved(changes),
    breaks: moved(breaks),
    dates,
  };
}

/**
 * Returns what uPlot reads, with a gap before every break, and the point of each column.
 *
 * @param {Past["points"]} points
 * @param {number[]} xs
 * @param {{ index: number }[]} breaks
 * @returns {{ data: import("./plot.js").Data, places: number[] }}
 */
function columns(points, xs, breaks) {
  const gaps = new Set(breaks.map((item) => item.index));
  /** @type {number[]} */
  const x = [];
  /** @type {number[]} */
  const places = [];
  /** @type {[(number | null)[], (number | null)[], (number | null)[]]} */
  const [values, lows, highs] = [[], [], []];
  points.forEach((point, place) => {
    const gap = gaps.has(place) ? between(xs, place) : null;
    if (gap !== null && place > 0) {
      x.push(gap);
      places.push(place);
      for (const list of [values, lows, highs]) list.push(null);
    }
    x.push(Number(xs[place]));
    places.push(place);
    values.push(isFigure(point.value) ? point.value : null);
    const range = isFigure(point.value) && isFigure(point.low) && isFigure(point.high) && point.low <= point.high;
    lows.push(range ? Number(point.low) : null);
    highs.push(range ? Number(point.high) : null);
  });
  return { data: [x, values, lows, highs], places };
}

/**
 * Returns the place between a point and the one before it.
 *
 * @param {number[]} xs
 * @param {number} index
 * @returns {number | null}
 */
function between(xs, index) {
  const here = xs[index];
  if (here === undefined) return null;
  return (here + (xs[index - 1] ?? here)) / 2;
}

/**
 * @param {number} low
 * @param {number} high
 * @param {boolean} dates
 * @returns {[number, number]}
 */
function widened(low, high, dates) {
  const room = high > low ? (high - low) * 0.02 : dates ? DAY : 0.5;
  return [low - room, high + room];
}

/**
 * Returns the bounds of the upright axis, with room for texts at the top.
 *
 * @param {number | null} low
 * @param {number | null} high
 * @returns {[number, number]}
 */
function headroom(low, high) {
  if (!isFigure(low) || !isFigure(high)) return [0, 1];
  const length = high - low || Math.abs(high) * 0.01 || 1;
  return [low - length * 0.08, high + length * 0.4];
}

/** @param {number} seconds */
function dayOf(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isFinite(date.getTime()) ? date.toISOString().slice(0, 10) : "";
}

/**
 * Returns an axis with the names of releases.
 *
 * @param {Past["points"]} points
 * @returns {import("uplot").Axis}
 */
function releases(points) {
  const names = points.map((point) => frame.fitted(frame.cleaned(point.x), 90));
  const space = Math.max(40, ...names.map(frame.widthOf)) + 12;
  const incrs = [1, 2, 5, 10, 20, 50, 100, 200, 500];
  return { incrs, space, size: 30, values: (_, ticks) => ticks.map((tick) => names[tick] ?? "") };
}

/** @param {string} colour */
function faded(colour) {
  const numbers = colour.match(/[\d.]+/g)?.slice(0, 3) ?? [];
  return numbers.length === 3 && colour.startsWith("rgb") ? `rgba(${numbers.join(",")},0.18)` : "transparent";
}

/**
 * Paints the symbols of verdicts above their points.
 *
 * @param {import("./plot.js").Plot} plot
 * @param {Past["points"]} points
 * @param {number[]} xs
 * @param {import("./plot.js").Colours} colours
 */
function symbols(plot, points, xs, colours) {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio || 1;
  ctx.save();
  ctx.font = `bold ${12 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  ctx.fillStyle = colours["ink"] ?? "";
  points.forEach((point, place) => {
    const symbol = frame.cleaned(point.mark).slice(0, 4);
    if (!symbol || !isFigure(point.value)) return;
    const x = plot.valToPos(Number(xs[place]), "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.fillText(symbol, x, plot.valToPos(point.value, "y", true) - 6 * scale);
  });
  ctx.restore();
}
