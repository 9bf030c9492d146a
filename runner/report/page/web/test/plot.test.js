/** What uPlot is given, with a replacement for it: how it draws is tested in a browser. */
import "./page.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { curves } from "../src/charts/curves.js";
import { history } from "../src/charts/history.js";
import { paintLine, repaint } from "../src/charts/plot.js";

/** Every plot that was made. */
const made = [];

class Plot {
  constructor(options, data, place) {
    Object.assign(this, { options, data, place, scales: { x: { min: data[0][0], max: data[0].at(-1) } }, shown: {} });
    made.push(this);
  }
  destroy() {
    this.destroyed = true;
  }
  setScale(name, range) {
    Object.assign(this.scales[name], range);
  }
  setSeries(place, { show }) {
    this.shown[place] = show;
  }
  setSize(size) {
    Object.assign(this.options, size);
  }
}

/** The callbacks that wait for the width of an element. */
const waiting = [];
let scheme = () => {};

beforeEach(() => {
  made.length = waiting.length = 0;
  Object.assign(globalThis, {
    uPlot: Plot,
    ResizeObserver: class {
      constructor(then) {
        this.then = then;
      }
      observe() {
        waiting.push(this.then);
      }
    },
    requestAnimationFrame: (then) => {
      then();
      return 0;
    },
    getComputedStyle: () => ({ color: "rgb(1, 2, 3)" }),
    matchMedia: () => ({ addEventListener: (_, then) => (scheme = then) }),
  });
});

const resize = (width) => waiting.forEach((then) => then([{ contentRect: { width } }]));

const options = {
  label: "loss",
  xLabel: "step",
  yLabel: "loss",
  series: [
    { name: "a", role: "candidate", values: [1, NaN, 3] },
    { name: "b", role: "baseline", values: [1] },
    { name: "c", role: "other", values: [0, -1, Infinity] },
    { name: "d", role: "other", values: [5, 6, 7] },
  ],
};

/** Puts a chart on the page and gives it a width. */
function shown(chart) {
  document.body.replaceChildren(chart);
  resize(500);
  return made[0];
}

test("a canvas is made when its width is known, once", () => {
  document.body.replaceChildren(curves(options));
  assert.equal(made.length, 0);
  resize(0);
  assert.equal(made.length, 0);
  resize(500.7);
  resize(700.2);
  assert.equal(made.length, 1);
  assert.equal(made[0].options.width, 700);
});

test("series are as long as the longest, without what is not a figure; the dashed baseline is on top", () => {
  const { data, options: given } = shown(curves(options));
  assert.deepEqual(data, [
    [0, 1, 2],
    [0, -1, null],
    [5, 6, 7],
    [1, null, 3],
    [1, null, null],
  ]);
  assert.deepEqual(
    given.series.slice(1).map((series) => series.width),
    [1, 1, 2.5, 2.5],
  );
  assert.deepEqual(
    given.series.slice(1).map((series) => series.dash.length > 0),
    [false, false, false, true],
  );
});

test("a logarithmic axis leaves out zero and less", () => {
  const { data, options: given } = shown(curves({ ...options, log: true }));
  assert.equal(given.scales.y.distr, 3);
  assert.deepEqual(data[1], [null, null, null]);
});

test("the legend hides one curve, or all others, also after the colours have changed", () => {
  const chart = curves(options);
  const plot = shown(chart);
  const buttons = [...chart.querySelectorAll(".chart-legend button")];
  buttons.at(-1).dispatchEvent(new window.Event("click"));
  assert.deepEqual(plot.shown, { 1: false, 2: false });
  scheme();
  assert.equal(made.length, 2);
  assert.ok(plot.destroyed);
  assert.deepEqual(made[1].shown, { 1: false, 2: false });
});

test("buttons zoom, move and reset, within the data; new colours keep the view", () => {
  const values = Array.from({ length: 101 }, (_, place) => place);
  const chart = curves({ ...options, series: [{ name: "a", role: "candidate", values }], partsAt: 20 });
  const plot = shown(chart);
  const press = (name) => chart.querySelector(`[aria-label="${name}"]`).dispatchEvent(new window.Event("click"));
  press("Zoom in");
  assert.deepEqual(plot.scales.x, { min: 0, max: 50 });
  press("Zoom in");
  assert.deepEqual(plot.scales.x, { min: 7.5, max: 32.5 });
  press("Move to the left");
  assert.deepEqual(plot.scales.x, { min: 0, max: 25 });
  press("Move to the right");
  assert.deepEqual(plot.scales.x, { min: 12.5, max: 37.5 });
  repaint();
  assert.deepEqual(made[1].scales.x, { min: 12.5, max: 37.5 });
  press("Reset the zoom");
  assert.deepEqual(made[1].scales.x, { min: 0, max: 100 });
});

test("a chart that was removed is not drawn again", () => {
  shown(curves(options));
  document.body.replaceChildren();
  repaint();
  assert.equal(made.length, 1);
});

test("history: a break is a gap in the line, and the band needs both ends", () => {
  const points = [
    { x: "2026-11-01", value: 1, low: 0.9, high: 1.1 },
    { x: "2026-11-03", value: 2, low: null, high: 3 },
  ];
  const { data, options: given } = shown(
    history({ label: "t", over: "date", points, breaks: [{ index: 1, text: "" }] }),
  );
  const [one, two] = points.map((point) => Date.parse(point.x) / 1000);
  assert.deepEqual(data, [
    [one, (one + two) / 2, two],
    [1, null, 2],
    [0.9, null, null],
    [1.1, null, null],
  ]);
  assert.deepEqual(given.axes[0].values(null, [one]), ["2026-11-01"]);
});

test("history: releases are written on the axis by their names", () => {
  const points = ["3.9.0", "3.10.0"].map((x) => ({ x, value: 1 }));
  const { options: given } = shown(history({ label: "t", over: "release", points }));
  assert.deepEqual(given.axes[0].values(null, [0, 1, 2]), ["3.9.0", "3.10.0", ""]);
});

/** Paints a line with a text, where a letter is 6 wide; where the text is and what is left of it. */
function painted(text, at) {
  const found = {};
  const ctx = new Proxy({}, {
    get: (_, name) => {
      if (name === "measureText") return (some) => ({ width: 6 * [...some].length });
      return (...given) => { if (name === "fillText") [found.text, found.x] = given; };
    },
    set: (_, name, value) => { found[name] = value; return true; },
  });
  const bbox = { left: 50, top: 0, width: 300, height: 100 };
  globalThis.devicePixelRatio = 1;
  paintLine({ ctx, bbox, valToPos: () => at }, 0, { colour: "red", halo: "white", text });
  const width = 6 * [...found.text].length;
  const left = found.textAlign === "left" ? found.x : found.x - width;
  return { ...found, inside: left >= bbox.left && left + width <= bbox.left + bbox.width };
}

test("the text of a line stays inside the chart, on the side with room", () => {
  for (const at of [50, 60, 150, 200, 250, 340, 350]) {
    for (const length of [1, 10, 20, 30, 200]) {
      const text = painted("x".repeat(length), at);
      assert.ok(text.inside, `${length} letters at ${at}: ${text.text} at ${text.x}`);
    }
  }
  assert.equal(painted("short", 300).text, "short");
  assert.match(painted("x".repeat(40), 200).text, /^x{20,}…$/);
});
