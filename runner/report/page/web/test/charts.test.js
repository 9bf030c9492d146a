import "./page.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { bars } from "../src/charts/bars.js";
import { curves } from "../src/charts/curves.js";
import { history } from "../src/charts/history.js";
import { ratio } from "../src/charts/ratio.js";
import { rounds } from "../src/charts/rounds.js";
import { seeds } from "../src/charts/seeds.js";
import { strip } from "../src/charts/strip.js";

const HOSTILE = `\u202e<img src=x onerror=alert(1)>\u0000${"long-name-".repeat(50)}`;
const names = { candidate: "torch 2.15.0", baseline: "torch 2.2.2" };
const all = { rounds, curves, seeds, strip, bars, ratio, history };

const count = (made, selector) => made.querySelectorAll(selector).length;
const texts = (made, selector) => [...made.querySelectorAll(selector)].map((element) => element.textContent);
const cells = (made) => [...made.querySelectorAll("tbody tr")].map((row) => texts(row, "th, td"));
const summary = (made) => made.querySelector("[role=img]").getAttribute("aria-label");

/** Asserts what every chart has: a heading, a picture with a sentence, and a real table. */
function assertComplete(made) {
  assert.equal(made.localName, "figure");
  assert.equal(count(made, "figcaption"), 1);
  assert.match(summary(made), /\.$/);
  const heads = [...made.querySelectorAll("thead th")];
  assert.ok(heads.length > 1 && heads.every((head) => head.getAttribute("scope") === "col"));
  const rows = [...made.querySelectorAll("tbody tr")];
  assert.ok(rows.length > 0);
  for (const row of rows) {
    assert.equal(row.children.length, heads.length);
    assert.equal(row.firstChild.getAttribute("scope"), "row");
  }
  assert.equal(count(made, "[style], [onclick], [onerror], img, script"), 0);
}

/** Asserts that every number of every path is finite, so that a browser draws it. */
function assertDrawable(made) {
  for (const element of made.querySelectorAll("svg *")) {
    for (const { name, value } of element.attributes) assert.doesNotMatch(value, /NaN|Infinity|undefined/, name);
  }
}

const pairs = [
  { round: 1, baseline: 1, candidate: 1.3 },
  { round: 2, baseline: 1, candidate: 1.4 },
  { round: 3, baseline: null, candidate: 1.2 },
  { round: 4, baseline: 0, candidate: 1 },
];

test("rounds: a dot for every pair, the interval, the floor, and a line at one", () => {
  const options = { label: "time of fit", unit: "s", better: "lower", rounds: pairs, names };
  const made = rounds({ ...options, effect: 0.35, low: 0.3, high: 0.4, floor: 0.05 });
  assertComplete(made);
  assertDrawable(made);
  assert.equal(count(made, ".mark"), 2);
  assert.deepEqual(
    [".interval", ".floor", ".one", ".effect"].map((part) => count(made, part)),
    [1, 1, 1, 1],
  );
  assert.match(summary(made), /2 paired rounds; ratio ×1\.35, interval ×1\.30 to ×1\.40, the floor is ±5\u00a0%\./);
  assert.deepEqual(cells(made)[0], ["1", "1.00 s", "1.30 s", "×1.30"]);
  assert.deepEqual(cells(made)[2], ["3", "no figure", "1.20 s", "no figure"]);
  assert.ok(texts(made, ".label")[0].endsWith("← better · worse →"));
});

test("rounds: without an interval there is no band", () => {
  const made = rounds({ label: "time", rounds: pairs, names, effect: 0.3, low: null, high: Infinity });
  assertDrawable(made);
  assert.deepEqual([count(made, ".interval"), count(made, ".floor"), count(made, ".mark")], [0, 0, 2]);
});

test("rounds: the floor reaches as far down as up, as the judge has it", () => {
  const made = rounds({ label: "time", rounds: [{ round: 1, baseline: 1, candidate: 1 }], names, floor: 0.05 });
  const [floor, one] = [made.querySelector(".floor"), made.querySelector(".one")];
  const [x, width] = [Number(floor.getAttribute("x")), Number(floor.getAttribute("width"))];
  assert.ok(Math.abs(x + width / 2 - Number(/M([\d.]+)/.exec(one.getAttribute("d"))[1])) < 0.2);
});

test("seeds: a dot per seed and a mean per cell", () => {
  const values = [0.98, 0.97, NaN].map((value, seed) => ({ seed, value }));
  const groups = [
    { name: "torch", values, role: "candidate" },
    { name: "jax", values: [{ seed: 0, value: 0.9 }], role: "baseline" },
    { name: "none", values: [], role: "other" },
  ];
  const made = seeds({ label: "accuracy", percent: true, better: "higher", groups, effect: 0.083, spread: 0.01 });
  assertComplete(made);
  assertDrawable(made);
  assert.deepEqual([count(made, ".mark"), count(made, ".mean"), count(made, ".floor")], [3, 2, 1]);
  assert.match(made.querySelector(".chart-note").textContent, /differ by \+8\.3 %.*between seeds: 1\.00 pts/);
  assert.deepEqual(cells(made)[2], ["torch", "2", "no figure", "97.50 %"]);
});

test("seeds: dots in the same place do not cover each other", () => {
  const values = [1, 2, 3].map((seed) => ({ seed, value: 0.5 }));
  const made = seeds({ label: "accuracy", groups: [{ name: "a", values, role: "candidate" }] });
  const paths = [...made.querySelectorAll(".mark")].map((mark) => mark.getAttribute("d"));
  assert.equal(new Set(paths).size, 3);
});

test("strip: points beyond the bound are crosses, and a row without a bound has none", () => {
  const point = (name, value, role = "other") => ({ name, value, role });
  const made = strip({
    label: "backward error",
    unit: "u",
    rows: [
      { name: "4x7", bound: 8, terms: 28672, points: [point("torch", 1450, "candidate"), point("jax", 0.24)] },
      { name: "1x1", bound: null, terms: null, points: [point("torch", 900, "candidate"), point("jax", 0)] },
    ],
  });
  assertComplete(made);
  assertDrawable(made);
  assert.deepEqual([count(made, ".mark"), count(made, ".mark-bad"), count(made, ".bound")], [4, 1, 1]);
  assert.match(summary(made), /4 errors in 2 rows, 1 beyond the bound/);
  assert.deepEqual(cells(made)[0], ["4x7", "28,672", "torch", "1,450 u", "8.00 u", "beyond the bound"]);
  assert.equal(cells(made)[2][5], "not judged");
});

test("bars: a bar per figure, whiskers where there is a range, one line for the baseline", () => {
  const made = bars({
    label: "peak memory",
    unit: "B",
    baseline: "b",
    items: [
      { name: "a", value: 9e8, low: 8e8, high: 1e9, role: "candidate", mark: "✗" },
      { name: "b", value: 6e8, role: "baseline" },
      { name: "c", value: null, role: "other" },
    ],
  });
  assertComplete(made);
  assertDrawable(made);
  assert.deepEqual(
    [".bar", ".whisker", ".baseline"].map((part) => count(made, part)),
    [2, 1, 1],
  );
  assert.deepEqual(texts(made, ".value, text.soft"), ["900 MB ✗", "600 MB", "no figure"]);
});

test("ratio: a dot for every ratio, and its interval", () => {
  const items = [
    { name: "a", ratio: 1.31, low: 1.2, high: 1.4 },
    { name: "b", ratio: 0.5, low: null, high: null },
    { name: "c", ratio: 0, low: 0, high: 1 },
  ];
  const made = ratio({ label: "Keras against native", items });
  assertComplete(made);
  assertDrawable(made);
  assert.deepEqual(
    [".mark", ".whisker", ".one"].map((part) => count(made, part)),
    [2, 1, 1],
  );
  assert.deepEqual(cells(made), [
    ["a", "×1.31", "×1.20", "×1.40"],
    ["b", "×0.50", "", ""],
    ["c", "no figure", "", "×1.00"],
  ]);
});

const curve = (name, role, values) => ({ name, role, values });

test("curves: a button per emphasised curve and one for all others, in the order candidate, baseline", () => {
  const series = ["a", "b", "c"].map((name) => curve(name, "other", [1, 2]));
  const made = curves({
    label: "loss",
    xLabel: "step",
    yLabel: "loss",
    series: [curve("mine", "candidate", [1, 2]), curve("theirs", "baseline", [1, 2]), ...series],
    partsAt: 1,
  });
  assertComplete(made);
  assert.deepEqual(texts(made, ".chart-legend button"), ["mine", "theirs", "3 others"]);
  assert.match(summary(made), /5 curves of 2 steps; they diverge at step 1\./);
  assert.deepEqual(texts(made, "thead th").slice(0, 3), ["step", "mine", "theirs"]);
  const button = made.querySelector(".chart-legend button");
  button.dispatchEvent(new window.Event("click"));
  assert.equal(button.getAttribute("aria-pressed"), "false");
});

test("curves: two baselines have other dashes, and two candidates too", () => {
  const two = (role) => [1, 2].map((name) => curve(`${role} ${name}`, role, [1, 2]));
  const series = [...two("baseline"), ...two("candidate")];
  const made = curves({ label: "loss", xLabel: "step", yLabel: "loss", series });
  const lines = [...made.querySelectorAll(".chart-legend path")].map((path) => path.getAttribute("stroke-dasharray"));
  assert.equal(new Set(lines).size, 4);
  assert.deepEqual(texts(made, ".chart-legend button")[0], "candidate 1");
});

test("curves: the table has at most 60 rows, evenly spaced, with the last one", () => {
  const values = Array.from({ length: 187 }, (_, place) => (place === 186 ? NaN : 1 / (place + 1)));
  const made = curves({ label: "loss", xLabel: "step", yLabel: "loss", series: [curve("a", "candidate", values)] });
  const rows = cells(made);
  assert.ok(rows.length <= 60 && rows.length > 30);
  assert.equal(rows[rows.length - 1][0], "185");
  assert.match(made.querySelector("caption").textContent, /47 of 187 steps, evenly spaced/);
  const gaps = new Set(rows.slice(1).map((row, place) => Number(row[0]) - Number(rows[place][0])));
  assert.equal(gaps.size, 1);
});

test("curves: epochs count from one", () => {
  const made = curves({ label: "loss", xLabel: "epoch", yLabel: "loss", series: [curve("a", "candidate", [2, 1])] });
  assert.deepEqual(cells(made), [
    ["1", "2.00000"],
    ["2", "1.00000"],
  ]);
});

test("history: dates are put in order, and changes and breaks move with them", () => {
  const made = history({
    label: "time",
    unit: "s",
    over: "date",
    better: "lower",
    points: [
      { x: "2026-11-02", value: 2, low: 1.9, high: 2.1, mark: "✗" },
      { x: "2026-11-01", value: 1 },
    ],
    changes: [
      { index: 0, text: "+100 %" },
      { index: 9, text: "nowhere" },
    ],
    breaks: [{ index: 1, text: "another machine" }],
  });
  assertComplete(made);
  assert.deepEqual(cells(made), [
    ["2026-11-01", "1.00 s", "", "", "", "another machine"],
    ["2026-11-02", "2.00 s", "1.90 s", "2.10 s", "✗", "+100 %"],
  ]);
  assert.match(made.querySelector(".chart-note").textContent, /Lower is better/);
});

test("history: over releases, and where a date cannot be read, the order of the list stays", () => {
  const points = [
    { x: "3.10.0", value: 1 },
    { x: "3.9.0", value: 2 },
  ];
  for (const over of ["release", "date"]) {
    const made = history({
      label: "time",
      over,
      points: over === "date" ? [...points, { x: "soon", value: 1 }] : points,
    });
    assert.deepEqual(
      cells(made)
        .slice(0, 2)
        .map((row) => row[0]),
      ["3.10.0", "3.9.0"],
    );
  }
});

for (const [name, chart] of Object.entries(all)) {
  test(`${name}: nothing to draw is "no figure", not an error`, () => {
    for (const options of [
      {},
      { label: null, names: {}, rounds: [], series: [], groups: [], rows: [], items: [], points: [] },
      {
        rounds: [{ round: 1, baseline: NaN, candidate: Infinity }],
        series: [{ name: null, values: [NaN, null, "x"], role: "candidate" }],
        groups: [{ name: undefined, values: [{ seed: null, value: null }] }],
        rows: [{ name: 1, bound: NaN, points: [{ name: null, value: Infinity }] }],
        items: [{ name: "x", value: NaN, ratio: -1 }],
        points: [{ x: null, value: NaN }],
      },
    ]) {
      const made = chart(options);
      assert.ok(texts(made, ".chart-empty").includes("no figure"));
      assert.equal(count(made, "[role=img]"), 0);
    }
  });

  test(`${name}: hostile names and figures do nothing`, () => {
    const figures = [1e308, -1e308, 5e-324, 0, -0, NaN, Infinity, null, undefined, "7", {}, 1];
    const made = chart({
      label: HOSTILE,
      unit: HOSTILE,
      xLabel: HOSTILE,
      yLabel: HOSTILE,
      note: HOSTILE,
      better: HOSTILE,
      baseline: HOSTILE,
      names: { candidate: HOSTILE, baseline: HOSTILE },
      rounds: figures.map((value, round) => ({ round, baseline: 1, candidate: value })),
      series: [
        { name: HOSTILE, values: figures, role: HOSTILE },
        { name: HOSTILE, values: [1], role: "baseline" },
      ],
      groups: [{ name: HOSTILE, role: HOSTILE, values: figures.map((value) => ({ seed: HOSTILE, value })) }],
      rows: [
        { name: HOSTILE, bound: 5e-324, terms: Infinity, points: figures.map((value) => ({ name: HOSTILE, value })) },
      ],
      items: figures.map((value) => ({ name: HOSTILE, value, ratio: value, low: value, high: value, mark: HOSTILE })),
      points: figures.map((value) => ({ x: HOSTILE, value, low: value, high: value, mark: HOSTILE })),
      changes: [
        { index: 0, text: HOSTILE },
        { index: NaN, text: null },
      ],
      breaks: [{ index: -1, text: HOSTILE }],
      effect: 1e308,
      low: -5,
      high: Infinity,
      floor: 1e300,
      spread: 1e308,
    });
    assertComplete(made);
    assertDrawable(made);
    // eslint-disable-next-line no-control-regex
    assert.equal(/[\u202a-\u202e\u0000]/.exec(made.textContent), null);
  });
}

test("bars: a range of one run has no whisker", () => {
  const made = bars({ label: "memory", items: [{ name: "a", value: 1, low: 1, high: 1, role: "candidate" }] });
  assert.equal(count(made, ".whisker"), 0);
  assert.doesNotMatch(made.textContent, /Whiskers/);
});

test("a name from right to left leaves the sentence around it alone", () => {
  const made = bars({ label: "memory", baseline: "שלום", items: [{ name: "שלום", value: 1, role: "baseline" }] });
  assert.match(summary(made), /the baseline \u2068שלום\u2069 has/);
  assert.equal(texts(made, "tbody bdi")[0], "שלום");
});
