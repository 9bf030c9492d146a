/** Curves on a canvas by uPlot: colours of the page, zoom by drag and by buttons, drawn again for every width. */
import { h } from "../dom.js";
import { onWidth, widthOf } from "./frame.js";

/**
 * @typedef {import("uplot")} Plot
 * @typedef {import("uplot").Options} Options
 * @typedef {import("uplot").AlignedData} Data
 * @typedef {Record<string, string>} Colours by the name of the page's variable
 * @typedef {(plot: Plot, colours: Colours) => void} Painter
 */

const NAMES = ["ink", "soft", "rule", "page", "bad", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"];
const FONT = "12px system-ui, sans-serif";
const HEIGHT = 260;
const HINT = "Drag to zoom, double click to see all.";

/** Makes the charts that are on the page again; those that were removed are forgotten. @type {Set<() => boolean>} */
const live = new Set();
let listening = false;

/** Draws every canvas again, with the colours that the page has now: for a switch between light and dark. */
export function repaint() {
  for (const again of live) if (!again()) live.delete(again);
}

function listen() {
  if (listening || typeof matchMedia === "undefined") return;
  listening = true;
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

/**
 * @typedef {object} Drawing
 * @property {HTMLElement} element the canvas and the buttons
 * @property {(change: (plot: Plot) => void) => void} change changes the plot now, and again when it is made again
 */

/**
 * Returns a drawing by uPlot, which is made when its width is known.
 *
 * @param {object} parts
 * @param {string} parts.summary one sentence for those who do not see it
 * @param {Data} parts.data
 * @param {(colours: Colours) => Pick<Options, "series" | "axes" | "scales" | "bands" | "tzDate">} parts.options
 * @param {Painter} [parts.paint] paints on top of the curves
 * @param {(plot: Plot) => string} parts.read the text for the place of the pointer
 * @param {number | null} [parts.focus] buttons zoom around it
 * @returns {Drawing}
 */
export function plotted({ summary, data, options, paint, read, focus }) {
  const canvas = h("div", { class: "chart-canvas", role: "img", "aria-label": summary });
  const readout = h("p", { class: "chart-readout" }, HINT);
  /** @type {Plot | undefined} */
  let plot;
  const buttons = tools(() => plot, data, focus ?? null);
  /** @type {((plot: Plot) => void)[]} */
  const changes = [];
  const make = (/** @type {number} */ width) => {
    const Made = /** @type {{ uPlot?: typeof import("uplot") }} */ (/** @type {unknown} */ (globalThis)).uPlot;
    if (!Made) return;
    const zoom = plot && { ...plot.scales["x"] };
    plot?.destroy();
    const colours = coloursOf(canvas);
    const given = options(colours);
    plot = new Made(
      {
        width,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false, dist: 4 } },
        ...given,
        axes: (given.axes ?? []).map((axis) => ({ ...look(colours), ...axis })),
        hooks: {
          draw: paint ? [(drawn) => paint(drawn, colours)] : [],
          setCursor: [(moved) => (readout.textContent = read(moved) || HINT)],
        },
      },
      data,
      canvas,
    );
    for (const change of changes) change(plot);
    if (zoom && isRange(zoom)) plot.setScale("x", zoom);
    listen();
    live.add(again);
  };
  const again = () => {
    if (!canvas.isConnected) return false;
    if (plot) make(plot.width);
    return true;
  };
  onWidth(canvas, (width) => {
    if (plot && live.has(again)) plot.setSize({ width: Math.floor(width), height: HEIGHT });
    else make(Math.floor(width));
  });
  return {
    element: h("div", { class: "chart-drawing" }, canvas, h("div", { class: "chart-below" }, buttons, readout)),
    change(change) {
      changes.push(change);
      if (plot) change(plot);
    },
  };
}

/**
 * @param {{ min?: number | null, max?: number | null }} range
 * @returns {range is { min: number, max: number }}
 */
function isRange(range) {
  return typeof range.min === "number" && typeof range.max === "number";
}

/**
 * Returns the colours of the page as a canvas can use them: the browser resolves `light-dark()` only in a property.
 *
 * @param {HTMLElement} place
 * @returns {Colours}
 */
function coloursOf(place) {
  const probe = h("span", { hidden: true });
  place.append(probe);
  const found = NAMES.map((name) => {
    probe.style.setProperty("color", `var(--${name})`);
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found);
}

/**
 * Returns what all axes share.
 *
 * @param {Colours} colours
 * @returns {import("uplot").Axis}
 */
function look(colours) {
  const line = { stroke: colours["rule"] ?? "", width: 1 };
  return {
    stroke: colours["soft"] ?? "",
    font: FONT,
    labelFont: FONT,
    labelSize: 20,
    labelGap: 0,
    gap: 4,
    grid: line,
    ticks: line,
  };
}

/**
 * Returns the width that an upright axis needs for its texts.
 *
 * @param {Plot} _plot
 * @param {(string | null)[] | null} texts
 * @returns {number}
 */
export function axisSize(_plot, texts) {
  return Math.ceil(Math.max(24, ...(texts ?? []).map((text) => widthOf(text ?? "")))) + 18;
}

/**
 * Returns buttons that do what dragging does, for the keyboard and for touch.
 *
 * @param {() => Plot | undefined} current
 * @param {Data} data
 * @param {number | null} focus
 */
function tools(current, data, focus) {
  const xs = data[0];
  const [first, last] = [Number(xs[0] ?? 0), Number(xs[xs.length - 1] ?? 0)];
  const to = (/** @type {(min: number, max: number) => [number, number]} */ next) => () => {
    const plot = current();
    const range = plot?.scales["x"];
    if (!plot || !range || !isRange(range)) return;
    const [min, max] = next(range.min, range.max);
    const length = Math.min(max - min, last - first);
    if (!(length > 0)) return;
    const start = Math.min(Math.max(min, first), last - length);
    plot.setScale("x", { min: start, max: start + length });
  };
  const scaled = (/** @type {number} */ factor) =>
    to((min, max) => {
      const seen = focus !== null && focus >= min && focus <= max;
      const centre = seen ? focus : (min + max) / 2;
      return [centre - ((max - min) * factor) / 2, centre + ((max - min) * factor) / 2];
    });
  const moved = (/** @type {number} */ part) => to((min, max) => [min + part * (max - min), max + part * (max - min)]);
  const button = (/** @type {string} */ sign, /** @type {string} */ name, /** @type {() => void} */ onclick) =>
    h("button", { type: "button", "aria-label": name, title: name, onclick }, sign);
  return h(
    "div",
    { class: "chart-tools", role: "group", "aria-label": "Zoom" },
    button("+", "Zoom in", scaled(0.5)),
    button("−", "Zoom out", scaled(2)),
    button("←", "Move to the left", moved(-0.5)),
    button("→", "Move to the right", moved(0.5)),
    button(
      "Reset",
      "Reset the zoom",
      to(() => [first, last]),
    ),
  );
}

/**
 * The text, cut so that it is at most that wide.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} width in pixels of the canvas
 */
function shortened(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let kept = text;
  while (kept && ctx.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

/**
 * Paints an upright line with a text at its top.
 *
 * @param {Plot} plot
 * @param {number} x in the axis's figures
 * @param {{ colour: string, halo: string, text: string, dash?: number[], row?: number }} look `row`: texts below each
 *   other; `halo` is the colour around the text
 */
export function paintLine(plot, x, { colour, halo, text: label, dash = [], row = 0 }) {
  const { ctx, bbox } = plot;
  const at = plot.valToPos(x, "x", true);
  if (!(at >= bbox.left - 1 && at <= bbox.left + bbox.width + 1)) return;
  const scale = devicePixelRatio || 1;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 1.5 * scale;
  ctx.setLineDash(dash.map((part) => part * scale));
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `${12 * scale}px system-ui, sans-serif`;
  const right = bbox.left + bbox.width - at;
  const fits = ctx.measureText(label).width + 6 * scale <= right;
  const text = shortened(ctx, label, Math.max(right, at - bbox.left) - 6 * scale);
  ctx.textAlign = fits ? "left" : "right";
  ctx.textBaseline = "top";
  ctx.setLineDash([]);
  ctx.lineWidth = 4 * scale;
  ctx.strokeStyle = halo;
  ctx.strokeText(text, at + (fits ? 5 : -5) * scale, bbox.top + (3 + row * 15) * scale);
  ctx.fillText(text, at + (fits ? 5 : -5) * scale, bbox.top + (3 + row * 15) * scale);
  ctx.restore();
}
