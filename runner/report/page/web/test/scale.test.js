import assert from "node:assert/strict";
import { test } from "node:test";
import { linear, logarithmic, mean, steps, usable } from "../src/charts/scale.js";

test("ticks are round, inside, and at most as many as asked for", () => {
  for (const [low, high] of [
    [0, 1],
    [0.93, 0.99],
    [-5, 5],
    [1e-12, 3e-12],
    [0, 1.7e308],
    [123456, 123457],
  ]) {
    const found = steps(low, high, 5);
    assert.ok(found.length >= 1 && found.length <= 6, `${low} to ${high}: ${found}`);
    for (const tick of found) assert.ok(tick >= low - Math.abs(low) * 1e-9 && tick <= high * (1 + 1e-9));
  }
  assert.deepEqual(steps(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});

test("a logarithmic axis has ticks over any range", () => {
  assert.deepEqual(logarithmic(0.9, 100, 0, 1, 6).ticks.slice(0, 3), [1, 3, 10]);
  for (const [low, high] of [
    [0.95, 1.4],
    [1, 3.9],
    [0.1, 1e9],
    [1e-300, 1e300],
    [0.3, 40],
  ]) {
    const { ticks } = logarithmic(low, high, 0, 100, 6);
    assert.ok(ticks.length >= 1 && ticks.length <= 8, `${low} to ${high}: ${ticks}`);
    assert.ok(ticks.every((tick) => tick > 0));
  }
});

test("places grow with the figures, and equal bounds are widened", () => {
  for (const scale of [linear(1, 3, 10, 110), logarithmic(1, 3, 10, 110)]) {
    assert.deepEqual([scale.at(1), scale.at(3)].map(Math.round), [10, 110]);
    assert.ok(scale.at(2) > 10 && scale.at(2) < 110);
  }
  for (const scale of [linear(2, 2, 0, 100), logarithmic(2, 2, 0, 100), linear(0, 0, 0, 100)]) {
    assert.ok(Math.abs(scale.at(scale === undefined ? 0 : (scale.low + scale.high) / 2) - 50) < 5);
  }
});

test("only finite numbers are figures", () => {
  assert.deepEqual(usable([1, NaN, null, "2", Infinity, -3]), [1, -3]);
  assert.deepEqual(usable([1, 0, -3], true), [1]);
  assert.equal(mean([]), null);
  assert.equal(mean([1e308, 1e308]), 1e308);
});
