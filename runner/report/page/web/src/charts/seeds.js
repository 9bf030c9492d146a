import { svg } from "../dom.js";
import { change, points, value } from "../format.js";
import * as frame from "./frame.js";
import { isFigure, linear, mean, usable } from "./scale.js";

/**
 * @typedef {object} Seeds
 * @property {string} label
 * @property {string} [unit]
 * @property {boolean} [percent]
 * @property {string} [better]
 * @property {{ name: string, values: { seed: number | string, value: number | null }[], role: frame.Role }[]} groups
 * @property {number | null} [effect] the relative change of the candidate
 * @property {number | null} [low]
 * @property {number | null} [high]
 * @property {number | null} [spread] standard deviation between seeds, in the unit of the values
 */

const HEIGHT = 26;

/**
 * Returns one row per cell with a dot per seed and a mark at the mean.
 *
 * @param {Seeds} options
 * @returns {HTMLElement}
 */
export function seeds(options) {
  const { label, percent = false } = options;
  const unit = frame.unitOf(options.unit);
  const write = (/** @type {number | null} */ given) =>
    isFigure(given) ? value(given, unit, { percent }) : frame.NO_FIGURE;
  const groups = (options.groups ?? []).map((group) => {
    const values = group.values ?? [];
    const figures = usable(values.map((item) => item.value));
    return { ...group, role: frame.roleOf(group.role), values, mean: mean(figures), figures };
  });
  const table = {
    caption: `${frame.isolated(label)}: every seed of every cell`,
    head: ["cell", "seed", "value", "mean of the cell"],
    rows: groups.flatMap((group) =>
      group.values.map((item) => [
        frame.named(group.name),
        frame.cleaned(item.seed),
        write(item.value),
        write(group.mean),
      ]),
    ),
  };
  if (!groups.some((group) => group.figures.length)) return frame.empty("seeds", label, table);
  const summary = `${frame.isolated(label)}: ${groups
    .slice(0, 4)
    .map((group) => `${frame.isolated(group.name)} ${write(group.mean)} (${count(group.figures.length)})`)
    .join("; ")}${groups.length > 4 ? `; and ${groups.length - 4} more` : ""}.`;
  return frame.figure({
    kind: "seeds",
    heading: label,
    note: sentences(options, groups.length > 0),
    drawing: frame.picture(summary, (width) => draw(width, groups, options, write)),
    table,
  });
}

/** @param {number} seen */
function count(seen) {
  return seen === 1 ? "1 seed" : `${seen} seeds`;
}

/**
 * @param {Seeds} options
 * @param {boolean} marks
 */
function sentences({ effect, low, high, spread, unit, percent = false }, marks) {
  const found = isFigure(effect) ? `The means differ by ${change(effect)}` : "";
  const interval = found && isFigure(low) && isFigure(high) ? ` (${change(low)} to ${change(high)})` : "";
  const size = isFigure(spread) ? (percent ? points(spread).replace("+", "") : value(spread, frame.unitOf(unit))) : "";
  return [
    marks ? "A dot is one seed, the line is the mean." : "",
    found ? `${found}${interval}.` : "",
    size ? `Standard deviation between seeds: ${size}; shaded around the baseline's mean.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/**
 * @param {number} width
 * @param {(Seeds["groups"][number] & { mean: number | null, figures: number[] })[]} groups
 * @param {Seeds} options
 * @param {(given: number | null) => string} write
 * @returns {frame.Drawn}
 */
function draw(width, groups, { label, better, spread }, write) {
  const layout = frame.rowLayout(
    groups.map((group) => group.name),
    width,
    HEIGHT,
  );
  const ends = frame.rightTexts(
    groups.map((group) => write(group.mean)),
    width,
  );
  const [top, left, right] = [4, layout.left + 6, layout.right - ends.room - 12];
  const bottom = top + groups.length * layout.step;
  const figures = groups.flatMap((group) => group.figures);
  const centre = groups.find((group) => group.role === "baseline")?.mean;
  const around = isFigure(centre) && isFigure(spread) && spread > 0 ? usable([centre - spread, centre + spread]) : [];
  const [low, high] = [Math.min(...figures, ...around), Math.max(...figures, ...around)];
  const scale = linear(low, high, left, right, Math.floor((right - left) / 80));
  const box = {
    top,
    bottom,
    left: layout.left,
    right: layout.right,
    label: frame.joined(frame.cleaned(label), frame.direction(better)),
  };
  /** @type {frame.Child[]} */
  const children = [];
  if (around.length === 2) {
    const [from, to] = /** @type {[number, number]} */ (around.map(scale.at));
    children.push(
      svg(
        "rect",
        {
          class: "floor",
          x: frame.round(from),
          y: top,
          width: Math.max(1, frame.round(to - from)),
          height: bottom - top,
        },
        svg("title", null, "standard deviation between seeds"),
      ),
    );
  }
  children.push(frame.axis(scale, ticks(scale, write), box));
  groups.forEach((group, place) => {
    const y = top + place * layout.step;
    const middle = y + layout.head + HEIGHT / 2;
    children.push(frame.rowName(layout, group.name, y, HEIGHT));
    if (group.mean === null) {
      children.push(ends.at(place, middle + 4, "soft"));
      return;
    }
    const x = frame.round(scale.at(group.mean));
    const line = `M${x} ${frame.round(middle - 11)}V${frame.round(middle + 11)}`;
    children.push(
      svg("path", { class: `mean mean-${group.role}`, d: line }, svg("title", null, `mean ${write(group.mean)}`)),
    );
    children.push(dots(group, scale, middle, write));
    children.push(ends.at(place, middle + 4, "value"));
  });
  return { height: bottom + frame.AXIS_HEIGHT, children };
}

/**
 * Returns the dots of one row; those that would cover each other are moved up and down.
 *
 * @param {{ role: frame.Role, values: { seed: number | string, value: number | null }[] }} group
 * @param {import("./scale.js").Scale} scale
 * @param {number} middle
 * @param {(given: number | null) => string} write
 */
function dots(group, scale, middle, write) {
  const sorted = group.values.filter((item) => isFigure(item.value)).sort((a, b) => Number(a.value) - Number(b.value));
  /** @type {number[]} */
  const ends = [-Infinity, -Infinity, -Infinity];
  return sorted.map((item) => {
    const x = scale.at(Number(item.value));
    const free = ends.findIndex((end) => x - end >= 8);
    const lane = free >= 0 ? free : ends.indexOf(Math.min(...ends));
    ends[lane] = x;
    const title = `seed ${frame.cleaned(item.seed)}: ${write(item.value)}`;
    return frame.mark(group.role, x, middle + ([0, -7, 7][lane] ?? 0), title, 4);
  });
}

/**
 * Returns how ticks are written: with enough digits that no two look the same.
 *
 * @param {import("./scale.js").Scale} scale
 * @param {(given: number | null) => string} write
 * @returns {(tick: number) => string}
 */
function ticks(scale, write) {
  const texts = scale.ticks.map(write);
  return new Set(texts).size === texts.length ? write : (tick) => String(tick);
}
