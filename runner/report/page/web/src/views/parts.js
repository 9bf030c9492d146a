/** Parts that several views share. */
import { figures, meaning, metric, values } from "../data.js";
import { h } from "../dom.js";
import { points, significant, times, value } from "../format.js";

/**
 * @typedef {import("../data.js").Data} Data
 * @typedef {import("../data.js").Comparison} Comparison
 * @typedef {import("../data.js").Metric} Metric
 * @typedef {import("../state.js").State} State
 * @typedef {{ data: Data, state: State, places: Map<string, number> }} Context
 */

/**
 * A command with a button that copies it.
 *
 * @param {string} line
 * @param {string} [what] it is for
 */
export function command(line, what) {
  const code = h("code", { tabindex: "0" }, line);
  return h("div", { class: "command" }, what ? h("span", { class: "soft" }, `${what}:`) : null, code, copied(code));
}

/**
 * A button that copies the text of an element; where that is not allowed, it selects it.
 *
 * @param {Element} of
 */
export function copied(of) {
  const text = of.textContent ?? "";
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy: ${text}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(of);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return button;
}

/**
 * A symbol with its meaning.
 *
 * @param {string} mark
 * @param {string} [word] in place of the meaning
 */
export function marked(mark, word) {
  const [symbol, text] = meaning(mark);
  return h("span", { class: mark }, h("b", null, symbol), ` ${word ?? text}`);
}

/**
 * A link to a web address; other addresses stay text.
 *
 * @param {string} address
 */
export function link(address) {
  if (!/^https?:\/\//.test(address)) return address;
  return h("a", { href: address, rel: "noopener noreferrer" }, address);
}

/**
 * A table that can be scrolled on a narrow screen.
 *
 * @param {string} caption
 * @param {(string | Node)[]} heads
 * @param {(string | Node | null)[][]} rows the first field of each is its heading
 * @param {Set<number>} [numeric] columns
 */
export function table(caption, heads, rows, numeric = new Set()) {
  const side = (/** @type {number} */ at) => (numeric.has(at) ? "n" : null);
  return h("div", { class: "scroll", role: "region", "aria-label": caption },
    h("table", null,
      h("caption", { class: "unseen" }, caption),
      h("thead", null, h("tr", null, ...heads.map((text, at) => h("th", { scope: "col", class: side(at) }, text)))),
      h("tbody", null, ...rows.map((fields) => h("tr", null, ...fields.map((text, at) =>
        at ? h("td", { class: side(at) }, text) : h("th", { scope: "row" }, text)))))));
}

/**
 * A figure for people.
 *
 * @param {Metric} of
 * @param {import("../data.js").Value | undefined} found
 */
export function figure(of, found) {
  if (found === undefined || found === null) return "·";
  return value(found, of.unit, { percent: of.percent });
}

/**
 * The mean of what the baseline measured, which turns relative changes into points; null for other figures.
 *
 * @param {import("../data.js").Probe} probe
 * @param {Comparison} of
 */
function centre(probe, of) {
  if (!metric(probe, of.metric).percent) return null;
  return mean(figures(probe, of.metric, of.baseline));
}

/** @param {number[]} of */
function mean(of) {
  return of.length ? of.reduce((sum, one) => sum + one, 0) / of.length : null;
}

/**
 * The interval of a comparison in words.
 *
 * @param {import("../data.js").Probe} probe
 * @param {Comparison} of
 */
export function interval(probe, of) {
  if (of.low === null || of.high === null || of.class) return "";
  const at = centre(probe, of);
  if (at !== null) return `${points(of.low * at)} to ${points(of.high * at)}`;
  return `${times(of.low)} to ${times(of.high)}`;
}

/**
 * A number of things: `1 case`, `2 cases`.
 *
 * @param {number} number
 * @param {string} word
 */
export function counted(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/**
 * A probability in words.
 *
 * @param {number | null} of
 */
export function chance(of) {
  if (of === null) return "";
  return of < 5e-4 ? "< 0.001" : significant(of, 2);
}

/**
 * The figure of a comparison: its change, or the name of its class.
 *
 * @param {import("../data.js").Probe} probe
 * @param {Comparison} of
 */
export function change(probe, of) {
  if (of.class) return of.class;
  const at = centre(probe, of);
  const mine = at === null ? null : mean(figures(probe, of.metric, of.candidate));
  if (at !== null && mine !== null) return points(mine - at);
  return of.effect === null ? "" : times(of.effect);
}

/**
 * What all processes of a cell gave for a metric, in few words.
 *
 * @param {import("../data.js").Probe} probe
 * @param {number} place
 * @param {number} cell
 */
export function measured(probe, place, cell) {
  const of = metric(probe, place);
  const found = values(probe, place, cell).filter((one) => one !== null);
  const distinct = [...new Set(found)];
  if (!distinct.length) return probe.curves[place]?.[cell] ? `${probe.curves[place][cell][0]} steps` : "·";
  if (distinct.length === 1) return figure(of, distinct[0]);
  const numbers = /** @type {number[]} */ (distinct.filter((one) => typeof one === "number"));
  if (numbers.length < distinct.length) return `${distinct.length} different`;
  return `${figure(of, Math.min(...numbers))} to ${figure(of, Math.max(...numbers))}`;
}
