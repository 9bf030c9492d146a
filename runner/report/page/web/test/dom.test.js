import "./page.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { h, svg } from "../src/dom.js";

test("text is never read as markup", () => {
  const hostile = "<img src=x onerror=alert(1)>";
  const made = h("p", { title: hostile }, hostile, h("b", null, 1), [null, undefined, false, true, ["a", 0]]);
  assert.equal(made.querySelector("img"), null);
  assert.equal(made.textContent, `${hostile}1a0`);
  assert.equal(made.getAttribute("title"), hostile);
});

test("an attribute that is null, undefined or false is left out, and true makes it empty", () => {
  const made = h("input", { disabled: true, required: false, id: null, name: undefined, size: 0 });
  assert.equal(made.getAttribute("disabled"), "");
  assert.equal(made.getAttribute("size"), "0");
  assert.deepEqual(
    ["required", "id", "name"].map((name) => made.hasAttribute(name)),
    [false, false, false],
  );
});

test("a key that begins with on is a listener, and never an attribute", () => {
  let clicks = 0;
  const made = h("button", { onclick: () => (clicks += 1) });
  made.dispatchEvent(new window.Event("click"));
  assert.equal(clicks, 1);
  assert.equal(made.hasAttribute("onclick"), false);
  assert.throws(() => h("button", { onclick: "alert(1)" }), TypeError);
});

test("style attributes are refused", () => {
  assert.throws(() => h("p", { style: "color: red" }), /forbidden/);
});

test("svg makes elements of SVG", () => {
  const made = svg("svg", { viewBox: "0 0 1 1" }, svg("title", null, "<b>"));
  assert.equal(made.namespaceURI, "http://www.w3.org/2000/svg");
  assert.equal(made.getAttribute("viewBox"), "0 0 1 1");
  assert.equal(made.firstChild.textContent, "<b>");
});
