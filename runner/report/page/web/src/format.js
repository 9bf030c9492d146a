/**
 * Writes numbers for people, by the rules of `runner/report/numbers.py`: both pass one table of cases.
 *
 * One rule differs. JSON does not separate 5 from 5.0, so a whole number without a unit is a count here, up to 2^53.
 */

/** @typedef {Record<string, readonly (readonly [number, string])[]>} Scales largest unit that leaves a digit: first */
/** @type {Scales} */
const SI = {
  s: [
    [1, "s"],
    [1e-3, "ms"],
    [1e-6, "µs"],
    [1e-9, "ns"],
  ],
  B: [
    [1e12, "TB"],
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
    [1, "B"],
  ],
};
/** Units of whole numbers that are counts. */
const COUNTED = ["", "cases"];
/** @type {Record<string, string>} */
const SPELLINGS = { bytes: "B", byte: "B", seconds: "s", second: "s", ratio: "", fraction: "" };
const DIGEST = /^(sha256:)?[0-9a-f]{16,}$/;
/** Escape sequences of terminals, by ECMA-48. */
const SEQUENCE = new RegExp(
  String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]` +
    String.raw`|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f\n]*(?:\x07|\x1b\\|\x9c)` +
    String.raw`|\x1b[ -/]*[0-~]`,
  "g",
);

/**
 * Returns a figure with its unit: `12.3 ms`, `812 MB`, `98.41 %`.
 *
 * @param {unknown} figure
 * @param {string} [unit]
 * @param {{percent?: boolean, exact?: boolean}} [options] `exact` keeps nine digits
 * @returns {string}
 */
export function value(figure, unit = "", options = {}) {
  if (figure === null || figure === undefined) return "none";
  if (typeof figure === "boolean") return figure ? "yes" : "no";
  if (Array.isArray(figure)) {
    return figure.length ? `${value(figure[figure.length - 1], unit, options)} (last of ${figure.length})` : "empty";
  }
  if (typeof figure === "number") return number(figure, spelt(unit), options);
  const text = plain(String(figure));
  return DIGEST.test(text) ? text.replace(/^sha256:/, "").slice(0, 8) : text;
}

/** @param {string} unit */
function spelt(unit) {
  return Object.hasOwn(SPELLINGS, unit) ? /** @type {string} */ (SPELLINGS[unit]) : unit;
}

/**
 * @param {number} figure
 * @param {string} unit
 * @param {{percent?: boolean, exact?: boolean}} options
 */
function number(figure, unit, { percent = false, exact = false }) {
  if (!Number.isFinite(figure)) return Number.isNaN(figure) ? "NaN" : figure > 0 ? "∞" : "−∞";
  if (percent) return `${minus(fixed(100 * figure, 2))} %`;
  if (Object.hasOwn(SI, unit)) return scaled(figure, /** @type {Scales[string]} */ (SI[unit]));
  if (Number.isSafeInteger(figure) && COUNTED.includes(unit)) {
    return minus(`${grouped(fixed(figure, 0))} ${unit}`.trimEnd());
  }
  if (exact) return minus(`${general(figure, 9)} ${unit}`.trimEnd());
  return `${significant(figure)} ${unit}`.trimEnd();
}

/**
 * Returns a plain decimal with that many significant digits; with an exponent only where it would be long.
 *
 * @param {number} figure
 * @param {number} [digits]
 * @returns {string}
 */
export function significant(figure, digits = 3) {
  if (figure === 0) return "0";
  const text = exponential(figure, digits - 1);
  const [mantissa, power] = /** @type {[string, string]} */ (text.split("e"));
  const exponent = Number(power);
  if (exponent < -4 || exponent > 4) return minus(`${mantissa}e${exponent}`);
  return minus(grouped(fixed(Number(text), Math.max(0, digits - 1 - exponent))));
}

/**
 * @param {number} figure
 * @param {Scales[string]} scales
 */
function scaled(figure, scales) {
  const base = scales.find(([size]) => size === 1)?.[1] ?? "";
  if (figure === 0) return `0 ${base}`;
  const rounded = threeDigits(figure); // rounded first: 999.9 ms is 1.00 s
  const [size, name] = /** @type {readonly [number, string]} */ (
    scales.find(([least]) => Math.abs(rounded) >= least * (1 - 1e-9)) ?? scales[scales.length - 1]
  );
  if (name === "B") return `${minus(fixed(figure, 0))} B`;
  return `${significant(threeDigits(rounded / size))} ${name}`;
}

/**
 * The figure with three digits; the largest ones, which would be infinite, as they are.
 *
 * @param {number} figure
 */
function threeDigits(figure) {
  const rounded = Number(exponential(figure, 2));
  return Number.isFinite(rounded) ? rounded : figure;
}

/**
 * Returns a ratio of two figures: `×1.31` for an effect of 0.31. Empty where it is not finite.
 *
 * @param {number} effect
 * @returns {string}
 */
export function times(effect) {
  if (!Number.isFinite(effect)) return "";
  const found = 1 + effect;
  return `×${found >= 0.095 && found < 9.995 ? fixed(found, 2) : significant(found, found > 1 ? 3 : 2)}`;
}

/**
 * Returns a relative change with its sign: `+31 %`, `−1.2 %`, `×42`. Empty where it is not finite.
 *
 * @param {number} effect
 * @returns {string}
 */
export function change(effect) {
  if (!Number.isFinite(effect)) return "";
  if (effect >= 9) return `×${significant(1 + effect, 2)}`;
  const percent = 100 * effect;
  return `${minus(signed(percent, Math.abs(percent) >= 9.95 ? 0 : 1))} %`;
}

/**
 * Returns a difference of two fractions in percentage points: `−10.10 pts`.
 *
 * @param {number} difference
 * @returns {string}
 */
export function points(difference) {
  return `${minus(signed(100 * difference, 2))} pts`;
}

/**
 * Returns one line without control and formatting characters.
 *
 * @param {string} text
 * @returns {string}
 */
export function plain(text) {
  const shown = text.replace(SEQUENCE, "").replace(/\p{C}/gu, " ");
  return shown.replace(/\s+/g, " ").trim();
}

/**
 * Returns the text, cut at that many characters with an ellipsis.
 *
 * @param {string} text
 * @param {number} length
 * @returns {string}
 */
export function shorten(text, length) {
  const characters = [...text];
  return characters.length <= length
    ? text
    : `${characters
        .slice(0, Math.max(0, length - 1))
        .join("")
        .trimEnd()}…`;
}

/** @param {string} text */
function minus(text) {
  return text.startsWith("-") ? `−${text.slice(1)}` : text;
}

/** @param {string} text */
function grouped(text) {
  const [whole, fraction] = text.split(".");
  const commas = /** @type {string} */ (whole).replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? commas : `${commas}.${fraction}`;
}

/**
 * @param {number} figure
 * @param {number} digits
 */
function signed(figure, digits) {
  const text = fixed(figure, digits);
  return text.startsWith("-") ? text : `+${text}`;
}

/**
 * `toFixed`, but halves go to the even digit, as in Python, and large figures have no exponent.
 *
 * @param {number} figure
 * @param {number} digits
 */
function fixed(figure, digits) {
  const size = Math.abs(figure);
  const sign = figure < 0 || Object.is(figure, -0) ? "-" : "";
  if (size === Infinity) return `${sign}∞`;
  if (size >= 1e21) return `${sign}${BigInt(size)}${digits ? `.${"0".repeat(digits)}` : ""}`;
  return sign + even(size.toFixed(digits), size.toFixed(100), digits);
}

/**
 * `toExponential`, but halves go to the even digit, as in Python.
 *
 * @param {number} figure
 * @param {number} digits
 */
function exponential(figure, digits) {
  const size = Math.abs(figure);
  const [mantissa, power] = /** @type {[string, string]} */ (size.toExponential(digits).split("e"));
  const [exactly, exactPower] = /** @type {[string, string]} */ (size.toExponential(100).split("e"));
  const chosen = power === exactPower ? even(mantissa, exactly, digits) : mantissa;
  return `${figure < 0 ? "-" : ""}${chosen}e${power}`;
}

/**
 * Returns `up`, or the digits of `exactly` where it is halfway between them and its last kept digit is even.
 *
 * @param {string} up
 * @param {string} exactly a decimal with 100 digits after the point: all that a half has
 * @param {number} digits
 */
function even(up, exactly, digits) {
  const point = exactly.indexOf(".");
  if (!/^50*$/.test(exactly.slice(point + 1 + digits))) return up;
  const down = exactly.slice(0, digits ? point + 1 + digits : point);
  return Number(down[down.length - 1]) % 2 === 0 ? down : up;
}

/**
 * Python's format `g`.
 *
 * @param {number} figure
 * @param {number} digits
 */
function general(figure, digits) {
  if (figure === 0) return "0";
  const [mantissa, power] = /** @type {[string, string]} */ (exponential(figure, digits - 1).split("e"));
  const exponent = Number(power);
  const short = (/** @type {string} */ text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < digits) return short(fixed(Number(`${mantissa}e${power}`), digits - 1 - exponent));
  return `${short(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
