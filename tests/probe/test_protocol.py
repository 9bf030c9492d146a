from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from runner.probe import protocol


@pytest.fixture
def report():
    return protocol.Report()


@pytest.fixture
def parsed(raw_request):
    raw_request["cell"]["python"] = "3.11"
    return lambda **changes: protocol.Request({**raw_request, **changes})


# --- requests ---------------------------------------------------------------------------------------------------------


def test_a_request_gives_the_cells_axes(parsed):
    request = parsed(seed=7)
    assert (request.framework, request.version, request.keras, request.device) == ("torch", "2.2.2", "3.11.3", "cpu")
    assert request.seed == 7


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, "schema 2"),
        ({"schema": None}, "schema None"),
        ({"probe": 3}, "'probe'"),
        ({"cell": []}, "'cell'"),
        ({"seed": "0"}, "'seed'"),
        ({"seed": True}, "'seed'"),
        ({"settings": []}, "'settings'"),
        ({"cell": {"framework": "theano"}}, "'theano', not one of tensorflow"),
        ({"cell": {"framework": "jax", "version": "1", "keras": None, "python": "3.8", "device": "tpu"}}, "'tpu'"),
        ({"cell": {"framework": "jax", "keras": None, "python": "3.8", "device": "cpu"}}, "lacks 'version'"),
    ],
)
def test_a_request_that_is_none_says_what_is_wrong(parsed, change, words):
    with pytest.raises(protocol.BadOutputError, match=words):
        parsed(**change)


def test_settings_go_over_defaults(parsed):
    defaults = {"epochs": 3, "samples": None, "rate": 0.5}
    settings = parsed(settings={"epochs": 1, "samples": 9, "rate": 1}).settings_with(defaults)
    assert settings == {"epochs": 1, "samples": 9, "rate": 1}
    assert defaults == {"epochs": 3, "samples": None, "rate": 0.5}


@pytest.mark.parametrize("settings", [{"epoch": 1}, {"epochs": "1"}, {"epochs": True}, {"epochs": 1.5}, {"flag": 1}])
def test_a_setting_that_does_not_fit_is_refused(parsed, settings):
    with pytest.raises(protocol.BadOutputError, match=next(iter(settings))):
        parsed(settings=settings).settings_with({"epochs": 3, "flag": False})


# --- reports ----------------------------------------------------------------------------------------------------------


def test_numpy_values_become_plain_json(report):
    report.metric("a", np.float32(0.5), "error", better="lower", unit="u", terms=np.int64(9))
    report.metric("b", np.arange(3.0), "trajectory")
    report.detail("c", {"shape": (1, np.int32(2)), "seen": {3, 1}})
    assert [metric["value"] for metric in report.metrics] == [0.5, [0.0, 1.0, 2.0]]
    assert report.metrics[0]["terms"] == 9
    assert report.details == {"c": {"shape": [1, 2], "seen": [1, 3]}}
    json.dumps([report.metrics, report.details], allow_nan=False)


def test_a_truth_value_is_yes_or_no(report):
    report.metric("a", True, "exact")
    report.metric("b", np.bool_(False), "exact")
    assert [metric["value"] for metric in report.metrics] == ["yes", "no"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_number_that_json_lacks_is_none_and_told_in_the_details(report, value):
    report.metric("loss", value, "seeded")
    assert report.metrics[0]["value"] is None
    assert report.details["nonfinite"] == {"loss": {"value": str(float(value)), "index": None}}


def test_a_trajectory_ends_before_its_first_nan(report):
    report.metric("loss", [3.0, 2.0, math.nan, 1.0], "trajectory")
    assert report.metrics[0]["value"] == [3.0, 2.0]
    assert report.details["nonfinite"]["loss"] == {"value": "nan", "index": 2}


def test_details_name_their_nans(report):
    report.detail("x", {"a": [math.nan, 1.0], "b": math.inf})
    assert report.details["x"] == {"a": ["nan", 1.0], "b": "inf"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("a", 1, "speed"), ValueError),
        (("a", 1, "timing", "up"), ValueError),
        (("a", {"x": 1}, "info"), TypeError),
        (("a", object(), "info"), TypeError),
        (("a", ["x"], "trajectory"), TypeError),
        (("a", [None], "trajectory"), TypeError),
        (("a", [[1.0]], "trajectory"), TypeError),
    ],
)
def test_a_metric_that_makes_no_sense_fails_in_the_probe(report, arguments, error):
    with pytest.raises(error):
        report.metric(*arguments)
    assert report.metrics == []


def test_a_metric_is_reported_once(report):
    report.metric("a", 1, "exact")
    with pytest.raises(ValueError, match="twice"):
        report.metric("a", 1, "exact")


def test_only_nothing_measured_is_not_ok(report):
    with pytest.raises(protocol.BadOutputError):
        report.check()
    report.metric("a", None, "seeded")
    with pytest.raises(protocol.BadOutputError):
        report.check()
    report.metric("b", 0, "exact")
    report.check()


def test_kinds_and_directions_are_those_of_the_model():
    from runner.model import Better, Kind

    assert set(protocol.KINDS) == set(Kind)
    assert set(protocol.BETTER) == set(Better)


def test_every_status_is_one_of_the_models():
    from runner.model import Status

    raised = [error.status for error in protocol.ProbeError.__subclasses__()]
    assert len(raised) > 2
    assert set(raised) < set(Status)


# --- exceptions -------------------------------------------------------------------------------------------------------


class OutOfMemoryError(RuntimeError):
    """Named as torch's is."""


class XlaRuntimeError(RuntimeError):
    """Named as JAX's is."""


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ImportError("cannot import name 'x' from 'y'"), "import-failed", "cannot import name 'x' from 'y'"),
        (ModuleNotFoundError("No module named 'scipy'", name="scipy"), "import-failed", "No module named 'scipy'"),
        (ModuleNotFoundError("No module named 'probe.x'", name="probe.x"), "crashed", "ModuleNotFoundError: No module"),
        (NotImplementedError("no fit here"), "unsupported", "no fit here"),
        (NotImplementedError(), "unsupported", "NotImplementedError"),
        (OutOfMemoryError("CUDA out of memory. Tried"), "oom", "CUDA out of memory. Tried"),
        (XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory"), "oom", "RESOURCE_EXHAUSTED: Out of memory"),
        (XlaRuntimeError("INTERNAL: wrong"), "crashed", "XlaRuntimeError: INTERNAL: wrong"),
        (AttributeError("module 'jax' has no attribute 'spmd_mode'"), "crashed", "AttributeError: module 'jax' has"),
        (KeyError("loss"), "crashed", "KeyError: 'loss'"),
        (protocol.UnavailableError("no GPU here"), "unavailable", "no GPU here"),
    ],
)
def test_exceptions_become_statuses(error, status, reason):
    found, line = protocol.status_of(error, "probe")
    assert found == status
    assert line.startswith(reason)


def test_a_reason_is_one_short_line():
    line = protocol.one_line(ValueError("\n\n  first \t words \nsecond"))
    assert line == "first words"
    line = protocol.one_line(
        ValueError("{{function_node __wrapped__Conv2D_device_/job:localhost}} only NHWC [Op:Conv2D]")
    )
    assert line == "only NHWC [Op:Conv2D]"
    assert len(protocol.one_line(ValueError("so long " * 100))) == protocol.REASON_CHARS


# --- result files -----------------------------------------------------------------------------------------------------


def test_a_result_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    protocol.write_result(str(path), {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        protocol.write_result(str(path), {"a": [1] * 100000, "b": math.nan})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [left.name for left in tmp_path.iterdir()] == ["result.json"]


def test_the_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    replaced = []

    def watch(source, target):
        replaced.append((json.loads(Path(source).read_text()), Path(target).exists()))

    monkeypatch.setattr(os, "replace", watch)
    protocol.write_result(str(path), {"a": 1})
    assert replaced == [({"a": 1}, False)]
