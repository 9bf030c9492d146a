"""A defect as an issue for its project."""

from __future__ import annotations

from typing import Any

from runner.defects import cells
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status
from runner.report import upstream

SAMPLES = [
    Sample(
        Cell("torch", "2.13.0", keras, "3.11", "cpu"), "e", "ops", {}, 0, 0, "host", Status.OK, "",
        packages={"keras": keras, "numpy": "2.0.2"},
    )
    for keras in ("3.5.0", "3.8.0", "3.9.2")
]  # fmt: skip


def defect(**more: Any) -> Defect:
    fields: dict[str, Any] = {
        "op": "ops.f, layers.F", "kind": "wrong value", "pattern": "axis=1", "cases": ("ops.f(x)",),
        "observed": "got [1.0] (1e+06 units); expected [2.0]", "script": "print(1)\n", **more,
    }  # fmt: skip
    return cells.defect("ops.f", fields["kind"], 8, [1], [0, 2], SAMPLES, **fields)


def test_an_issue_has_title_versions_script_results_and_bounds() -> None:
    lines = upstream.issue(defect(also=("raises in a graph",)), SAMPLES, ["https://example.org/1", ""]).splitlines()
    assert lines[0] == "# keras.ops.f (and 1 more) returns a wrong value with axis=1 on torch"
    assert "**Versions:** torch 2.13.0, keras 3.8.0, Python 3.11, cpu, numpy 2.0.2" in lines
    assert lines[lines.index("```python") + 1] == "print(1)"
    assert "**Expected:** [2.0]" in lines
    assert "**Found:** [1.0]" in lines
    assert "| torch | 3.5.0 | 3.8.0 | 3.8.0 | 3.9.2 |" in lines
    assert "**The same cause, as it seems:** raises in a graph" in lines
    assert lines[-1] == "**Cause:** see https://example.org/1"


def test_what_is_not_known_is_not_claimed() -> None:
    text = upstream.issue(defect(kind="raises", observed="TypeError: no", pattern=""), SAMPLES, [])
    assert "**Expected:** no exception\n" in text
    assert "**Found:** `TypeError: no`\n" in text
    assert text.endswith("**Cause:** not known\n")
    text = upstream.issue(defect(kind="backends disagree", sides=("jax: [1.0]", "torch: [2.0]")), SAMPLES, [])
    assert "**Expected:**" not in text
    assert "**Found:** jax: [1.0]; torch: [2.0]\n" in text


def test_a_training_says_which_figure_is_wrong() -> None:
    text = upstream.issue(defect(observed="loss: the figure[0] is 2 instead of 1"), SAMPLES, [])
    assert "**Expected:** 1\n" in text
    assert "**Found:** loss: the figure[0] is 2\n" in text


def test_a_promise_is_its_own_title() -> None:
    promise = "evaluate gives the same once loaded: compile(loss=Huber(delta=0.3)) and 2 more"
    found = cells.defect(
        f"saving: {promise}", "is not so", 7, [1], [0, 2], SAMPLES, op="saving: compile_survives", kind="is not so",
        pattern="", cases=("a()",), observed="o", script="s",
    )  # fmt: skip
    start = "evaluate gives the same once loaded: compile(loss=Huber(delta=0.3)): does not hold on torch, Keras 3.8.0"
    assert upstream.title(found) == start
    long = cells.defect(
        "model: " + "long " * 40, "raises", 6, [1], [0, 2], SAMPLES, op="model: long", kind="raises",
        pattern="", cases=("a()",), observed="o", script="s",
    )  # fmt: skip
    assert len(upstream.title(long)) == 110
    assert upstream.title(long).endswith("...: raises on torch, Keras 3.8.0")
