import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const asset = (name) => readFileSync(new URL(`../../assets/${name}`, import.meta.url));
const installed = (name) => readFileSync(new URL(`../node_modules/uplot/${name}`, import.meta.url));

test("uPlot is shipped unchanged, with its licence", () => {
  assert.deepEqual(asset("uPlot.iife.min.js"), installed("dist/uPlot.iife.min.js"));
  assert.deepEqual(asset("uPlot.min.css"), installed("dist/uPlot.min.css"));
  assert.deepEqual(asset("LICENSE-uPlot.txt"), installed("LICENSE"));
  assert.equal(JSON.parse(installed("package.json")).version, "1.6.32");
});

test("a script cannot end its element early, and a style sheet loads nothing", () => {
  for (const name of ["page.js", "uPlot.iife.min.js"]) assert.doesNotMatch(asset(name).toString(), /<\/script|<!--/i);
  for (const name of ["charts.css", "uPlot.min.css"])
    assert.doesNotMatch(asset(name).toString(), /<\/style|url\(|@import/i);
});

test("the lock file has no address of a registry", () => {
  const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf-8");
  assert.ok(lock.includes('"integrity"'));
  assert.ok(!lock.includes('"resolved"'));
});

/** The colours of a variable of charts.css in the light and the dark page. */
const colours = [
  ...asset("charts.css")
    .toString()
    .matchAll(/--(c\d): light-dark\((#\w{6}), (#\w{6})\)/g),
];

/** Contrast by WCAG 2. */
function contrast(one, other) {
  const light = (colour) => {
    const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
  return high / low;
}

test("every colour of a chart is seen on its page: contrast of 4.5 or more", () => {
  assert.equal(colours.length, 8);
  for (const [, name, light, dark] of colours) {
    assert.ok(contrast(light, "#ffffff") >= 4.5, `${name} on white`);
    assert.ok(contrast(dark, "#14171c") >= 4.5, `${name} on dark`);
  }
});
