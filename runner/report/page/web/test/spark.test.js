import "./page.js";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { spark, sparkPaths } from "../src/charts/spark.js";

// the cases that tests/unit/report/test_spark.py gives to runner/report/page/spark.py
const CASES = JSON.parse(
  readFileSync(new URL("../../../../../tests/unit/report/spark_cases.json", import.meta.url), "utf-8"),
);

test("there are cases", () => assert.ok(CASES.length > 10));

for (const [number, { values, changes, line, last, changesPath }] of CASES.entries()) {
  test(`case ${number}: the same paths as in Python`, () => {
    assert.deepEqual(sparkPaths(values, changes), { line, last, changes: changesPath });
  });
}

test("the picture has one path for the line, the last point and the changes", () => {
  const made = spark({ values: [1, 2, 3], changes: [1] });
  assert.deepEqual(
    [...made.querySelectorAll("path")].map((path) => path.getAttribute("class")),
    ["spark-changes", "spark-line", "spark-last"],
  );
});

test("a series without figures is an empty picture", () => {
  assert.equal(spark({ values: [null, NaN] }).querySelectorAll("path").length, 0);
});
