import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as format from "../src/format.js";

// the table that tests/unit/report/test_number_cases.py gives to runner/report/numbers.py
const CASES = JSON.parse(
  readFileSync(new URL("../../../../../tests/unit/report/number_cases.json", import.meta.url), "utf-8"),
);
const SPECIAL = { nan: NaN, inf: Infinity, "-inf": -Infinity };

/** JSON has no NaN and no infinity: an object with the key `float` stands for them. */
const decoded = (given) => (given?.float ? SPECIAL[given.float] : given);

/** Calls a function as Python does: its options are the last argument of `value`. */
function called(name, given, options) {
  const all = given.map(decoded);
  return name === "value" ? format.value(all[0], all[1] ?? "", options) : format[name](...all);
}

test("the table has cases of every function", () => {
  assert.ok(CASES.length > 100);
  assert.deepEqual(new Set(CASES.map(([name]) => name)), new Set(Object.keys(format)));
});

for (const [name, given, options, shown] of CASES) {
  test(`${name}(${JSON.stringify(given)}, ${JSON.stringify(options)}) is ${JSON.stringify(shown)}`, () => {
    assert.equal(called(name, given, options), shown);
  });
}

test("a value that is undefined is none", () => assert.equal(format.value(undefined), "none"));
