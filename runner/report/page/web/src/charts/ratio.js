import { svg } from "../dom.js";
import { times } from "../format.js";
import { whisker } from "./bars.js";
import * as frame from "./frame.js";
import { isFigure, logarithmic, usable } from "./scale.js";

/**
 * @typedef {object} Ratio
 * @property {string} label
 * @property {string} [axis] what the ratio is of
 * @property {string} [better]
 * @property {{ name: string, ratio: number | null, low?: number | null, high?: number | null }[]} items
 */

const HEIGHT = 20;

/**
 * Returns ratios, as of Keras against native, as dots with their intervals and a line at ×1.
 *
 * @param {Ratio} options
 * @returns {HTMLElement}
 */
export function ratio(options) {
  const { label } = options;
  const items = options.items ?? [];
  const write = (/** @type {number | null | undefined} */ given) =>
    positive(given) ? times(given - 1) : frame.NO_FIGURE;
  const table = {
    caption: frame.isolated(label),
    head: ["cell", "ratio", "lowest", "highest"],
    rows: items.map((item) => [
      frame.named(item.name),
      write(item.ratio),
      positive(item.low) ? write(item.low) : "",
      positive(item.high) ? write(item.high) : "",
    ]),
  };
  const found = usable(
    items.map((item) => item.ratio),
    true,
  );
  if (!found.length) return frame.empty("ratio", label, table);
  const range = found.length > 1 ? `${write(Math.min(...found))} to ${write(Math.max(...found))}` : write(found[0]);
  const summary = `${frame.isolated(label)}: ${range} in ${found.length === 1 ? "1 cell" : `${found.length} cells`}.`;
  return frame.figure({
    kind: "ratio",
    heading: label,
    note: summary,
    drawing: frame.picture(summary, (width) => draw(width, options, write)),
    table,
  });
}

/**
 * @param {number | null | undefined} given
 * @returns {given is number}
 */
function positive(given) {
  return isFigure(given) && given > 0;
}

/**
 * @param {number} width
 * @param {Ratio} options
 * @param {(given: number | null | undefined) => string} write
 * @returns {frame.Drawn}
 */
function draw(width, { items, axis, better }, write) {
  const layout = frame.rowLayout(
    items.map((item) => item.name),
    width,
    HEIGHT,
  );
  const texts = items.map((item) => write(item.ratio));
  const ends = frame.rightTexts(texts, width);
  const [top, left, right] = [4, layout.left + 6, layout.right - ends.room - 14];
  const bottom = top + items.length * layout.step;
  const reach = usable([1, ...items.flatMap((item) => [item.ratio, item.low, item.high])], true);
  const [low, high] = [Math.min(...reach), Math.max(...reach)];
  const room = Math.max(1.02, (high / low) ** 0.04);
  const scale = logarithmic(low / room, high * room, left, right, Math.floor((right - left) / 60));
  const label = frame.joined(frame.cleaned(axis) || "ratio, logarithmic", frame.direction(better));
  /** @type {frame.Child[]} */
  const children = [
    frame.axis(scale, (tick) => `×${frame.tickText(tick)}`, {
      top,
      bottom,
      left: layout.left,
      right: layout.right,
      label,
    }),
    svg("path", { class: "one", d: `M${frame.round(scale.at(1))} ${top}V${bottom}` }),
  ];
  items.forEach((item, place) => {
    const y = top + place * layout.step;
    const middle = y + layout.head + HEIGHT / 2;
    children.push(frame.rowName(layout, item.name, y, HEIGHT));
    if (positive(item.ratio)) {
      const interval = positive(item.low) && positive(item.high) && item.low <= item.high;
      if (interval) children.push(whisker(scale.at(Number(item.low)), scale.at(Number(item.high)), middle));
      const range = interval ? ` (${write(item.low)} to ${write(item.high)})` : "";
      const title = `${frame.isolated(item.name)}: ${write(item.ratio)}${range}`;
      children.push(frame.mark("candidate", scale.at(item.ratio), middle, title));
    }
    children.push(ends.at(place, middle + 4, positive(item.ratio) ? "value" : "soft"));
  });
  return { height: bottom + frame.AXIS_HEIGHT, children };
}
