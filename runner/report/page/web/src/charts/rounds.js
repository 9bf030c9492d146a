import { svg } from "../dom.js";
import { times, value } from "../format.js";
import * as frame from "./frame.js";
import { isFigure, logarithmic, usable } from "./scale.js";

/**
 * @typedef {object} Rounds
 * @property {string} label the metric
 * @property {string} [unit]
 * @property {boolean} [percent]
 * @property {string} [better]
 * @property {{ round: number, baseline: number | null, candidate: number | null }[]} rounds
 * @property {{ baseline: string, candidate: string }} names
 * @property {number | null} [effect] the relative change; 0.31 is ×1.31
 * @property {number | null} [low] the interval of `effect`
 * @property {number | null} [high]
 * @property {number | null} [floor] smaller changes do not count; 0.05 is a factor of 1.05 either way
 */

/**
 * Returns paired rounds as dots of their ratio, with the interval as a band and the floor as a zone.
 *
 * @param {Rounds} options
 * @returns {HTMLElement}
 */
export function rounds(options) {
  const { label, percent = false, floor } = options;
  const unit = frame.unitOf(options.unit);
  const pairs = (options.rounds ?? []).map((pair) => ({ ...pair, ratio: ratioOf(pair.baseline, pair.candidate) }));
  const figure = (/** @type {number | null} */ given) =>
    isFigure(given) ? value(given, unit, { percent }) : frame.NO_FIGURE;
  const [candidate, baseline] = [frame.isolated(options.names?.candidate), frame.isolated(options.names?.baseline)];
  const table = {
    caption: `${frame.isolated(label)}: ${candidate} against ${baseline}, round by round`,
    head: ["round", baseline, candidate, "ratio"],
    rows: pairs.map((pair) => [
      String(pair.round),
      figure(pair.baseline),
      figure(pair.candidate),
      pair.ratio ? times(pair.ratio - 1) : frame.NO_FIGURE,
    ]),
  };
  const drawn = pairs.filter((pair) => pair.ratio);
  if (!drawn.length) return frame.empty("rounds", label, table);
  const interval = between(options.low, options.high);
  const found = [
    isFigure(options.effect) ? `ratio ${times(options.effect)}` : "",
    interval ? `interval ${times(interval[0] - 1)} to ${times(interval[1] - 1)}` : "",
    isFigure(floor) && floor < 10
      ? `the floor is ±${value(floor, "", { percent: true }).replace(/\.?0+ %/, "\u00a0%")}`
      : "",
  ]
    .filter(Boolean)
    .join(", ");
  const count = `${drawn.length} paired ${drawn.length === 1 ? "round" : "rounds"}`;
  const said = [count, found].filter(Boolean).join("; ");
  const summary = `${frame.isolated(label)} of ${candidate} against ${baseline}: ${said}.`;
  return frame.figure({
    kind: "rounds",
    heading: `${frame.isolated(label)} against ${baseline}`,
    note: `${summary} A dot is the ratio of one round.`,
    drawing: frame.picture(summary, (width) => draw(width, drawn, interval, options, figure)),
    table,
  });
}

/**
 * @param {number | null} baseline
 * @param {number | null} candidate
 * @returns {number | null} the ratio, where it has a logarithm
 */
function ratioOf(baseline, candidate) {
  if (!isFigure(baseline) || !isFigure(candidate)) return null;
  const ratio = candidate / baseline;
  return Number.isFinite(ratio) && ratio > 0 ? ratio : null;
}

/**
 * @param {number | null | undefined} low
 * @param {number | null | undefined} high
 * @returns {[number, number] | null} as ratios
 */
function between(low, high) {
  return isFigure(low) && isFigure(high) && low > -1 && high >= low ? [1 + low, 1 + high] : null;
}

/**
 * @param {number} width
 * @param {{ round: number, baseline: number | null, candidate: number | null, ratio: number | null }[]} pairs
 * @param {[number, number] | null} interval
 * @param {Rounds} options
 * @param {(given: number | null) => string} figure
 * @returns {frame.Drawn}
 */
function draw(width, pairs, interval, { floor, better, effect }, figure) {
  const step = pairs.length <= 12 ? 16 : Math.max(4, 200 / pairs.length);
  const [top, left, right] = [6, 34, width - 10];
  const bottom = top + pairs.length * step + 8;
  const zone = isFigure(floor) && floor > 0 ? [1 / (1 + floor), 1 + floor] : [];
  const middle = isFigure(effect) && effect > -1 ? [1 + effect] : [];
  const reach = usable([1, ...zone, ...middle, ...(interval ?? []), ...pairs.map((pair) => pair.ratio)], true);
  const [low, high] = [Math.min(...reach), Math.max(...reach)];
  const room = (high / low) ** 0.04;
  const scale = logarithmic(low / room, high * room, left, right, Math.floor(width / 90));
  const box = { top, bottom, left, right };
  const label = frame.joined("ratio, logarithmic", frame.direction(better));
  /** @type {frame.Child[]} */
  const children = [
    zone.length ? band("floor", scale, zone, box, "within the floor") : null,
    interval ? band("interval", scale, interval, box, "interval of the ratio") : null,
    frame.axis(scale, (tick) => `×${frame.tickText(tick)}`, { ...box, label }),
    svg("path", { class: "one", d: `M${frame.round(scale.at(1))} ${top}V${bottom}` }),
    middle.map((at) => svg("path", { class: "effect", d: `M${frame.round(scale.at(at))} ${top}V${bottom}` })),
  ];
  const every = Math.ceil(14 / step);
  pairs.forEach((given, place) => {
    const y = top + 4 + (place + 0.5) * step;
    const ratio = /** @type {number} */ (given.ratio);
    const both = `${figure(given.candidate)} against ${figure(given.baseline)}`;
    const title = `round ${given.round}: ${both}, ${times(ratio - 1)}`;
    if (place % every === 0)
      children.push(frame.textAt(given.round, left - 8, y + 4, { anchor: "end", class: "tick" }));
    children.push(frame.mark("candidate", scale.at(ratio), y, title, step < 8 ? 3 : 4.5));
  });
  return { height: bottom + frame.AXIS_HEIGHT, children };
}

/**
 * @param {string} kind
 * @param {import("./scale.js").Scale} scale
 * @param {number[]} ends
 * @param {{ top: number, bottom: number }} box
 * @param {string} title
 */
function band(kind, scale, ends, { top, bottom }, title) {
  const [from, to] = ends.map((end) => scale.at(end));
  const x = frame.round(from ?? 0);
  const width = Math.max(1, frame.round((to ?? 0) - (from ?? 0)));
  return svg("rect", { class: kind, x, y: top, width, height: bottom - top }, svg("title", null, title));
}
