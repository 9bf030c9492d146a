/** Draws the lines of a trend: one chart each, when it comes into view. */
import { history } from "./charts/history.js";
import { unpacked } from "./data.js";
import { h } from "./dom.js";
import { drawnWhenSeen } from "./lazy.js";

/**
 * @typedef {{ label: string, unit: string, better: string, percent: boolean, over: "date" | "release",
 *   points: [x: string, value: number | null, low: number | null, high: number | null][],
 *   changes: [index: number, text: string][] }} Line
 */

/** @param {Line} line */
function chart(line) {
  return history({
    label: line.label,
    unit: line.unit,
    better: line.better,
    percent: line.percent,
    over: line.over,
    points: line.points.map(([x, value, low, high]) => ({ x, value, low, high, mark: "" })),
    changes: line.changes.map(([index, text]) => ({ index, text })),
  });
}

/** @param {{ lines: Line[] }} data */
function started(data) {
  const lazy = drawnWhenSeen();
  for (const found of document.querySelectorAll("section.line")) {
    const line = data.lines[Number(/** @type {HTMLElement} */ (found).dataset["line"])];
    const box = found.querySelector(".drawing");
    if (line && box) lazy(box, () => [chart(line)]);
  }
  document.documentElement.dataset["ready"] = "1";
}

/** @param {unknown} error */
function failed(error) {
  const text = error instanceof Error ? error.message : String(error);
  document.querySelector("header")?.append(h("p", { class: "worse" }, `The page's own data cannot be read (${text}).`));
}

unpacked(document.getElementById("data")?.textContent ?? "").then(started).catch(failed);
