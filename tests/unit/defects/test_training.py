"""Scenarios of the training probe: what they are about, and which wrong figures are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from runner.defects import training
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

OK = ["ok", 0.5, "abcd1234", "", "", ""]


def wrong(*sketch: Any, note: str = "a note") -> list[Any]:
    return ["wrong", 1e5, list(sketch), "", note, ""]


def raises(message: str) -> list[Any]:
    return ["raises", None, "", "", message, ""]


def sample(keras: str, cases: dict[str, Any], framework: str = "torch", **details: Any) -> Sample:
    cell = Cell(framework, "1.0", keras, "3.11", "cpu")
    return Sample(cell, "e", "training", {}, 0, 0, "host", Status.OK, "", details={"cases": cases, **details})


def found(*by_cell: dict[str, Any]) -> list[Defect]:
    """The defects of releases of Keras with these records, the oldest first."""
    releases = ("3.5.0", "3.8.0", "3.9.2", "3.10.0")
    return training.defects(sample(keras, cases) for keras, cases in zip(releases, by_cell, strict=False))


@pytest.mark.parametrize(
    ("scenario", "about"),
    [
        ("batch.train", "train_on_batch"),
        ("batch.train_repeated", "train_on_batch"),
        ("batch.test", "test_on_batch"),
        ("fit.steps_per_execution_2", "steps_per_execution"),
        ("partial.outputs", "several outputs"),
        ("outputs.lists", "several outputs"),
        ("partial.fit", "a partial last batch"),
        ("fit.accumulation", "gradient accumulation"),
        ("update.accumulation_adam", "gradient accumulation"),
        ("fit.ema", "EMA"),
        ("fit.ema_overwrite", "EMA"),
        ("fit.mask", "masks"),
        ("fit.time_steps", "masks"),
        ("fit.weight_decay", "weight decay"),
        ("update.weight_decay_excluded", "weight decay"),
        ("update.clipvalue", "clipping"),
        ("update.global_clipnorm", "clipping"),
        ("sparse.clipnorm", "clipping of sparse gradients"),
        ("sparse.global_clipnorm", "clipping of sparse gradients"),
        ("sparse.Adam", "Adam with sparse gradients"),
        ("fit.batch_normalization_masked", "BatchNormalization"),
        ("fit.class_weight", "class weights"),
        ("fit.sample_weight", "sample weights"),
        ("fit.validation_weight", "sample weights"),
        ("fit.reduction_weighted_mean", "sample weights"),
        ("fit.activity_regularizer", "activity_regularizer"),
        ("fit.regularizers", "regularizers"),
        ("fit.loss_scale_dynamic", "loss scaling"),
        ("mixed.float16", "mixed_float16"),
        ("optimizer.Adam_2", "Adam"),
        ("fit.Lion", "Lion"),
        ("evaluate.weighted", "evaluate"),
        ("data.generator", "data as generator"),
        ("fit.basic", "fit.basic"),
        ("optimizer.Adam", "optimizer.Adam"),
    ],
)
def test_a_scenario_is_about_one_subject(scenario: str, about: str) -> None:
    assert training.subject(scenario) == about


@pytest.mark.parametrize(
    ("record", "kind", "severity"),
    [
        (wrong(1.0), "wrong weights", 9),
        (["nan", None, [0.0, "nan"], "", "x", ""], "not a number weights", 9),
        (raises("TypeError: x"), "raises", 7),
    ],
)
def test_every_outcome_has_words_and_a_severity(record: list[Any], kind: str, severity: int) -> None:
    (one,) = found({"fit.ema(weights)": OK}, {"fit.ema(weights)": record})
    assert (one.kind, one.severity, one.last_good, one.first_bad) == (kind, severity, "3.5.0", "3.8.0")


@pytest.mark.parametrize("status", ["ok", "unsupported", "odd"])
def test_other_outcomes_are_no_defect(status: str) -> None:
    assert found({"fit.ema(weights)": OK}, {"fit.ema(weights)": [status, None, "", "", "", ""]}) == []


def test_a_cell_is_good_where_a_figure_is_right_and_none_is_wrong() -> None:
    lacking = ["unsupported", None, "", "", "", ""]
    (one,) = found({"fit.ema(loss)": lacking}, {"fit.ema(loss)": wrong(1.0)}, {"fit.ema(loss)": OK, "fit.ema(n)": OK})
    assert one.good == ("torch-1.0_keras-3.9.2_py3.11_cpu",)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (wrong(100.0, 1.0), wrong(100.09, 1.09), True),
        (wrong(100.0, 1.0), wrong(100.0, 1.2), False),
        (wrong(-5.0), wrong(-5.004), True),
        (wrong("nan"), wrong("nan"), True),
        (wrong("nan"), wrong(1.0), False),
        (wrong(1.0), wrong(1.0, 1.0), False),
        (["wrong", None, "", "", "x", ""], ["wrong", None, "", "", "y", ""], True),
        (["wrong", None, "a", "", "x", ""], ["wrong", None, [1.0], "", "x", ""], False),
        (wrong(1.0), ["nan", None, [1.0], "", "x", ""], False),
        (raises("E: a 1 at 0xff of 'x'"), raises("E: a 23 at 0xaa of 'y'"), True),
        (raises("E: a"), raises("E: b"), False),
        (raises("E: " + "x" * 77 + "a"), raises("E: " + "x" * 77 + "b"), True),
    ],
)
def test_two_cells_share_a_defect_where_their_wrong_figures_are_the_same(
    a: list[Any], b: list[Any], same: bool
) -> None:
    assert len(found({"fit.ema(loss)": a}, {"fit.ema(loss)": b})) == (1 if same else 2)


def test_other_figures_wrong_are_another_defect() -> None:
    one = {"fit.ema(loss)": wrong(1.0), "fit.ema(mae)": OK}
    other = {"fit.ema(loss)": wrong(1.0), "fit.ema(mae)": wrong(1.0)}
    assert len(found(one, other)) == 2


def test_the_gravest_figure_gives_the_kind_and_the_last_and_first_two_are_shown() -> None:
    figures = {"a": wrong(1.0, note="1"), "b": raises("2"), "c": wrong(1.0, note="3"), "weights": wrong(1.0, note="4")}
    (one,) = found({f"fit.ema({name})": record for name, record in figures.items()})
    assert one.kind == "wrong a, b, c, weights"
    assert one.observed == "weights: 4; a: 1; b: 2"
    (one,) = found({"fit.ema(a)": wrong(1.0, note="1")})
    assert (one.observed, one.kind, one.severity) == ("a: 1", "wrong a as reported", training.REPORTED)


def test_running_figures_are_named_once() -> None:
    (one,) = found({"fit.ema(loss)": wrong(1.0), "fit.ema(running.loss)": wrong(1.0)})
    assert one.kind == "wrong loss as reported"


def test_what_the_plainest_scenario_explains_is_left_out() -> None:
    def says(basic: Any, other: Any) -> dict[str, Any]:
        return {"fit.basic(weights)": basic, "fit.ema(weights)": other}

    assert [one.cases for one in found(says(wrong(1.0), wrong(2.0)))] == [("fit.basic",)]
    explained = found(says(wrong(1.0), wrong(2.0)), says(wrong(1.0), OK))
    assert [one.cases for one in explained] == [("fit.basic",)]
    more = found(says(wrong(1.0), wrong(2.0)), says(OK, wrong(2.0)))
    assert sorted(one.cases for one in more) == [("fit.basic",), ("fit.ema",)]
    assert len(found(says(wrong(1.0), raises("E: x")))) == 2, "another kind is not explained"


def test_many_scenarios_are_listed_by_three_and_a_count() -> None:
    names = [f"optimizer.Adam_{n}" for n in range(5)]
    (one,) = found({f"{name}(weights)": wrong(1.0) for name in names})
    assert one.op == "training: Adam (optimizer.Adam_0, optimizer.Adam_1, optimizer.Adam_2 and 2 more)"
    (one,) = found({f"{name}(weights)": wrong(1.0) for name in names[:3]})
    assert one.op == "training: Adam (optimizer.Adam_0, optimizer.Adam_1, optimizer.Adam_2)"
    (one,) = found({"fit.layer_loss(loss)": wrong(1.0)})
    assert one.op == "training: fit.layer_loss"


def scripted(*scripts: Any) -> Sequence[Defect]:
    """The defects of one wrong scenario in releases that left these scripts, the oldest first."""
    cases = {"fit.ema(weights)": wrong(1.0)}
    return training.defects(
        sample(keras, cases, scripts=script) for keras, script in zip(("3.5.0", "3.8.0"), scripts, strict=True)
    )


def test_the_script_is_the_newest_cells_or_that_of_any_other() -> None:
    old, new = {"fit.ema": "print('old')\n"}, {"fit.ema": "print('new')\n"}
    assert scripted(old, new)[0].script == "# Seen with torch 1.0, keras 3.8.0, Python 3.11, cpu.\nprint('new')\n"
    assert scripted(old, {})[0].script == "# Seen with torch 1.0, keras 3.5.0, Python 3.11, cpu.\nprint('old')\n"
    assert scripted("x", None)[0].script == ""


def test_the_scenario_with_the_shortest_script_comes_first() -> None:
    cases = {f"optimizer.Adam_{n}(weights)": wrong(1.0, note=str(n)) for n in (1, 2, 3)}
    scripts = {"optimizer.Adam_1": "long script", "optimizer.Adam_2": "short"}
    (one,) = training.defects([sample("3.8.0", cases, scripts=scripts)])
    assert one.cases == ("optimizer.Adam_2", "optimizer.Adam_1", "optimizer.Adam_3")
    assert one.script.endswith("\nshort")
    assert one.observed == "weights: 2"


def test_only_names_of_scenario_and_figure_are_read() -> None:
    assert found({"fit.ema": wrong(1.0), "fit ema(loss)": wrong(1.0), "fit.ema(loss) x": wrong(1.0)}) == []


def test_samples_of_other_probes_are_passed_over() -> None:
    one = sample("3.8.0", {"fit.ema(weights)": wrong(1.0)})
    object.__setattr__(one, "probe", "ops")
    assert training.defects([one]) == []
