import { svg } from "../dom.js";
import { value } from "../format.js";
import * as frame from "./frame.js";
import { isFigure, linear, usable } from "./scale.js";

/**
 * @typedef {object} Bars
 * @property {string} label
 * @property {string} [unit]
 * @property {boolean} [percent]
 * @property {string} [better]
 * @property {string | null} [baseline] the name of the item that the others are compared with
 * @property {{ name: string, value: number | null, low?: number | null, high?: number | null, role: frame.Role,
 *   mark?: string }[]} items `mark` is the symbol of the verdict
 */

const HEIGHT = 20;

/**
 * Returns bars with whiskers from the least to the largest run, and a line across at the baseline.
 *
 * @param {Bars} options
 * @returns {HTMLElement}
 */
export function bars(options) {
  const { label, percent = false } = options;
  const unit = frame.unitOf(options.unit);
  const items = options.items ?? [];
  const write = (/** @type {number | null | undefined} */ given) =>
    isFigure(given) ? value(given, unit, { percent }) : frame.NO_FIGURE;
  const table = {
    caption: `${frame.isolated(label)}, cell by cell`,
    head: ["cell", "value", "least", "largest", "mark"],
    rows: items.map((item) => [
      frame.named(item.name),
      write(item.value),
      isFigure(item.low) ? write(item.low) : "",
      isFigure(item.high) ? write(item.high) : "",
      frame.cleaned(item.mark),
    ]),
  };
  if (!usable(items.map((item) => item.value)).length) return frame.empty("bars", label, table);
  const base = items.find((item) => item.name === options.baseline);
  const count = items.length === 1 ? "1 cell" : `${items.length} cells`;
  const against =
    base && isFigure(base.value) ? `; the baseline ${frame.isolated(base.name)} has ${write(base.value)}` : "";
  const summary = `${frame.isolated(label)} of ${count}${against}.`;
  const whiskers = items.some(hasRange);
  return frame.figure({
    kind: "bars",
    heading: label,
    note: [
      whiskers ? "Whiskers reach from the least to the largest run." : "",
      against ? "The dashed line is the baseline." : "",
    ]
      .filter(Boolean)
      .join(" "),
    drawing: frame.picture(summary, (width) => draw(width, items, base?.value ?? null, options, write)),
    table,
  });
}

/**
 * @param {Bars["items"][number]} item
 * @returns {boolean} whether its runs differ
 */
function hasRange({ low, high }) {
  return isFigure(low) && isFigure(high) && low < high;
}

/**
 * @param {number} width
 * @param {Bars["items"]} items
 * @param {number | null} base
 * @param {Bars} options
 * @param {(given: number | null | undefined) => string} write
 * @returns {frame.Drawn}
 */
function draw(width, items, base, { label, better }, write) {
  const layout = frame.rowLayout(
    items.map((item) => item.name),
    width,
    HEIGHT,
  );
  const texts = items.map((item) =>
    [write(item.value), frame.cleaned(item.mark).slice(0, 12)].filter(Boolean).join(" "),
  );
  const ends = frame.rightTexts(texts, width);
  const [top, left, right] = [4, layout.left, layout.right - ends.room - 12];
  const bottom = top + items.length * layout.step;
  const reach = usable(items.flatMap((item) => [item.value, item.low, item.high]));
  const scale = linear(Math.min(0, ...reach), Math.max(0, ...reach), left, right, Math.floor((right - left) / 80));
  const box = {
    top,
    bottom,
    left,
    right: layout.right,
    label: frame.joined(frame.cleaned(label), frame.direction(better)),
  };
  /** @type {frame.Child[]} */
  const children = [frame.axis(scale, write, box)];
  /** @type {frame.Child[]} */
  const names = []; // on top of the baseline's line
  items.forEach((item, place) => {
    const y = top + place * layout.step;
    const middle = y + layout.head + HEIGHT / 2;
    if (isFigure(item.value)) children.push(bar(item, item.value, scale, middle, write));
    names.push(frame.rowName(layout, item.name, y, HEIGHT));
    names.push(ends.at(place, middle + 4, isFigure(item.value) ? "value" : "soft"));
  });
  if (isFigure(base)) {
    const d = `M${frame.round(scale.at(base))} ${top}V${bottom}`;
    children.push(svg("path", { class: "baseline", d }, svg("title", null, `baseline ${write(base)}`)));
  }
  return { height: bottom + frame.AXIS_HEIGHT, children: [...children, ...names] };
}

/**
 * @param {Bars["items"][number]} item
 * @param {number} figure
 * @param {import("./scale.js").Scale} scale
 * @param {number} middle
 * @param {(given: number | null | undefined) => string} write
 */
function bar(item, figure, scale, middle, write) {
  const [from, to] = [scale.at(0), scale.at(figure)].sort((a, b) => a - b);
  const x = frame.round(from ?? 0);
  const range = hasRange(item) ? ` (${write(item.low)} to ${write(item.high)})` : "";
  const title = svg("title", null, `${frame.isolated(item.name)}: ${write(figure)}${range}`);
  const size = { x, y: middle - 7, width: Math.max(1, frame.round((to ?? 0) - (from ?? 0))), height: 14 };
  return [
    svg("rect", { class: `bar bar-${frame.roleOf(item.role)}`, ...size }, title),
    range ? whisker(scale.at(Number(item.low)), scale.at(Number(item.high)), middle) : null,
  ];
}

/**
 * Returns a line from `from` to `to` with ends.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} middle
 * @returns {SVGElement}
 */
export function whisker(from, to, middle) {
  const ends = [from, to].map((x) => `M${frame.round(x)} ${middle - 4}v8`).join("");
  return svg("path", { class: "whisker", d: `M${frame.round(from)} ${middle}H${frame.round(to)}${ends}` });
}
