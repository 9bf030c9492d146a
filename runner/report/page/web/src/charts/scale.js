/** Axes: from figures to places in a drawing, and the figures to write next to them. */

/**
 * @typedef {object} Scale
 * @property {(figure: number) => number} at the place of a figure
 * @property {number[]} ticks
 * @property {number} low
 * @property {number} high
 */

/** The bounds of a logarithmic axis: the quotient of two such figures is finite. */
const [LEAST, MOST] = [1e-150, 1e150];

/**
 * @param {number} figure
 * @param {number} low
 * @param {number} high
 */
function within(figure, low, high) {
  return Math.min(Math.max(figure, low), high) || low;
}

/**
 * Returns the finite numbers of a list; with `positive` those above zero.
 *
 * @param {Iterable<unknown>} figures
 * @param {boolean} [positive]
 * @returns {number[]}
 */
export function usable(figures, positive = false) {
  const kept = [];
  for (const figure of figures) if (isFigure(figure) && (!positive || figure > 0)) kept.push(figure);
  return kept;
}

/**
 * @param {unknown} figure
 * @returns {figure is number}
 */
export function isFigure(figure) {
  return typeof figure === "number" && Number.isFinite(figure);
}

/**
 * Returns the arithmetic mean, or null of an empty list.
 *
 * @param {number[]} figures
 * @returns {number | null}
 */
export function mean(figures) {
  if (!figures.length) return null;
  return figures.reduce((sum, figure) => sum + figure / figures.length, 0);
}

/**
 * Returns an axis with equal steps. Equal bounds are widened.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} from the place of `low`
 * @param {number} to the place of `high`
 * @param {number} [most] as many ticks at most
 * @returns {Scale}
 */
export function linear(low, high, from, to, most = 6) {
  if (!(high > low)) {
    const room = Math.abs(low) * 0.01 || 0.5;
    [low, high] = [low - room, high + room];
  }
  const half = high / 2 - low / 2; // halves: the difference of two large figures is infinite
  const at = (/** @type {number} */ figure) => from + ((figure / 2 - low / 2) / half) * (to - from);
  return { at, ticks: steps(low, high, most), low, high };
}

/**
 * Returns a logarithmic axis. Bounds are above zero; equal ones are widened.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} from
 * @param {number} to
 * @param {number} [most]
 * @returns {Scale}
 */
export function logarithmic(low, high, from, to, most = 6) {
  [low, high] = [within(low, LEAST, MOST), within(high, LEAST, MOST)];
  if (!(high > low)) [low, high] = [low / 1.2, low * 1.2];
  const start = Math.log10(low);
  const length = Math.log10(high) - start;
  const at = (/** @type {number} */ figure) =>
    from + ((Math.log10(within(figure, low, high)) - start) / length) * (to - from);
  return { at, ticks: logTicks(low, high, most), low, high };
}

/**
 * Returns round figures from `low` to `high`, in equal steps of 1, 2 or 5 times a power of ten.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
export function steps(low, high, most) {
  const wanted = high / Math.max(1, most) - low / Math.max(1, most);
  const power = Math.floor(Math.log10(wanted));
  const size = [1, 2, 5, 10].map((factor) => decimal(factor, power)).find((step) => step >= wanted * 0.999) ?? wanted;
  const first = Math.ceil(low / size - 1e-9);
  const last = Math.floor(high / size + 1e-9);
  if (!(last - first < 100) || !(size > 0)) return [];
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * size).toPrecision(12)));
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
function logTicks(low, high, most) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  if (high / low < 4) return steps(low, high, most).filter((tick) => tick > 0);
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const found = [];
    for (let power = first; power <= last; power += 1) {
      for (const factor of factors) found.push(decimal(factor, power));
    }
    const shown = found.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
    if (shown.length <= most && shown.length > 1) return shown;
  }
  const every = Math.ceil((last - first + 1) / Math.max(2, most));
  const powers = Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, index) => first + index * every);
  return powers.map((power) => decimal(1, power)).filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/**
 * Returns the number that is written `factor`e`power`: 2e-4 without the error of a power.
 *
 * @param {number} factor
 * @param {number} power
 */
function decimal(factor, power) {
  return Number(`${factor}e${power}`);
}
