"""Promises that do not hold: each told once, with the cells that show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.defects import activities
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

OK = ["ok", None, "", "", "", ""]
RELEASES = ("3.5.0", "3.8.0", "3.9.2", "3.10.0")


def record(status: str, note: str = "") -> list[Any]:
    return [status, None, "", "", note, ""]


def sample(keras: str, cases: dict[str, Any], framework: str = "torch", probe: str = "model") -> Sample:
    cell = Cell(framework, "1.0", keras, "3.11", "cpu")
    details = {"cases": cases, "promises": {"a()": "a holds", "b()": "b holds"}, "scripts": {"a()": "a()\n"}}
    return Sample(cell, "e", probe, {}, 0, 0, "host", Status.OK, "", details=details)


def found(*by_cell: dict[str, Any]) -> list[Defect]:
    return activities.defects(sample(keras, cases) for keras, cases in zip(RELEASES, by_cell, strict=False))


def test_a_broken_promise_names_promise_cells_and_bounds() -> None:
    bad = {"a()": record("wrong", "expected 1, got 2")}
    (defect,) = found({"a()": OK}, bad, bad, {"a()": OK})
    assert defect.title == "model: a holds: is not so - all cells with keras 3.8.0 - 3.9.2"
    assert (defect.last_good, defect.first_bad, defect.first_good) == ("3.5.0", "3.8.0", "3.10.0")
    assert defect.observed == "expected 1, got 2"
    assert defect.script == "# Seen with torch 1.0, keras 3.9.2, Python 3.11, cpu.\na()\n"
    assert defect.op == "model: a"


def test_cases_that_fail_alike_in_the_same_cells_are_one_defect() -> None:
    bad = {"a()": record("raises", "TypeError: no 'x' at 1"), "b()": record("raises", "TypeError: no 'y' at 2")}
    (defect,) = found(bad, {"a()": OK, "b()": OK})
    assert defect.cases == ("a()", "b()")
    assert defect.title.startswith("model: a holds and 1 more: raises")


def test_cases_that_fail_with_other_messages_are_two() -> None:
    bad = {"a()": record("raises", "TypeError: no"), "b()": record("raises", "ValueError: no")}
    assert len(found(bad, {"a()": OK, "b()": OK})) == 2


def test_what_raises_everywhere_may_be_asked_wrongly() -> None:
    assert found({"a()": record("raises", "TypeError: no")}, {"a()": record("raises", "TypeError: no")}) == []
    assert len(found({"a()": record("wrong", "expected 1, got 2")})) == 1


def test_what_a_release_lacks_bounds_nothing() -> None:
    (defect,) = found({"a()": record("unsupported", "no a")}, {"a()": record("wrong", "x")}, {"a()": OK})
    assert defect.last_good is None
    assert defect.good == ("torch-1.0_keras-3.9.2_py3.11_cpu",)


def test_other_probes_are_left_alone() -> None:
    assert activities.defects([sample("3.5.0", {"a()": record("wrong", "x")}, probe="mnist")]) == []


def draws(*values: float) -> list[Any]:
    return ["seen", None, [1.0, *values], "", "", ""]


def test_draws_that_change_are_a_finding_of_their_own_kind_and_not_grave() -> None:
    old, new = {"a()": draws(1.0, 2.0), "b()": draws(3.0)}, {"a()": draws(5.0, 2.0), "b()": draws(4.0)}
    (defect,) = found(old, old, new, new)
    assert (defect.kind, defect.severity, defect.cases) == ("draws changed", 1, ("a()", "b()"))
    assert defect.title == "model: a holds and 1 more: draws changed - all cells with keras 3.5.0 - 3.8.0"
    assert defect.observed == "was [1.0, 2.0], is [5.0, 2.0]"
    assert found(old, old) == []


def test_draws_of_two_backends_are_not_compared() -> None:
    samples = [sample("3.5.0", {"a()": draws(1.0)}), sample("3.8.0", {"a()": draws(2.0)}, "jax")]
    assert activities.defects(samples) == []


def test_draws_follow_the_framework_too() -> None:
    samples = [
        replace(one, cell=replace(one.cell, version=version))
        for version, value in (("1.0", 1.0), ("2.0", 2.0))
        for one in [sample("3.5.0", {"a()": draws(value)})]
    ]
    (defect,) = activities.defects(samples)
    assert (defect.axis, defect.first_bad) == ("version", "1.0")


def test_a_case_left_out_by_the_budget_is_named() -> None:
    bad = {"a()": record("wrong", "expected 1, got 2")}
    (defect,) = found(bad, {}, {"a()": OK})
    assert defect.untried == ("torch 3.8.0",)


def test_what_is_accepted_without_a_word_is_no_wrong_result() -> None:
    bad = {"a()": record("wrong", "Dense('x'): accepted without a word, gave <Dense>")}
    (defect,) = found(bad, {"a()": OK})
    assert (defect.kind, defect.severity, defect.signatures) == ("is accepted without a word", 3, ("accepts Dense",))


def test_the_class_and_the_figure_say_what_causes_share() -> None:
    case = {"b()": record("wrong", "iterations: expected 2, got 0")}
    one = replace(sample("3.5.0", case), details={"cases": case, "promises": {"b()": "LossScaleOptimizer counts"}})
    (defect,) = activities.defects([one])
    assert defect.signatures == ("LossScaleOptimizer iterations", "about LossScaleOptimizer")
    of_every_layer = replace(one, details={"cases": case, "promises": {"b()": "compute_output_shape counts"}})
    assert not activities.defects([of_every_layer])[0].signatures
    refused = {"b()": record("wrong", "evaluate: refused by AttributeError: 'Sequential' object has no attribute 'x'")}
    (other,) = found(refused, {"b()": OK})
    assert other.signatures == ("AttributeError: object has no attribute x",)
    assert other.kind == "is refused by an unrelated error"


def test_a_retracted_promise_is_not_told_from_stored_results() -> None:
    broken = record("wrong", "not so: a warning names it, got []")
    assert found({"b()": broken}, {"b()": OK})
    for name, framework in activities.RETRACTED:
        of_all = found({f"{name}()": broken}, {f"{name}()": OK})
        assert bool(of_all) == (framework == "tensorflow"), "these cells are of torch"
