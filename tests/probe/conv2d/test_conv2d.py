"""The conv2d probe over a framework made of NumPy, which can be told to go wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from runner.probe import conv2d, protocol
from runner.probe.conv2d import convolution


class Framework:
    """A backend without Keras whose convolution is the truth, rounded to float32, and then spoilt by ``spoil``."""

    name, keras, device, import_s, lib = "torch", None, "cpu", 0.5, None

    def __init__(self, spoil):
        self.spoil = spoil
        self.calls = 0

    def block(self, value):
        return value

    def convolution(self, _backend, x, w, geometry):
        value, _ = convolution.truth(x, w, geometry, *convolution.sample(geometry, 1 << 60))
        output = value.astype("float32").reshape(geometry.output)

        def compute():
            self.calls += 1
            return self.spoil(output.copy(), geometry, self.calls)

        return compute, lambda value: value


@pytest.fixture
def measured(monkeypatch, raw_request):
    """Runs the probe's small cases over ``spoil`` and returns the report."""

    def run(spoil, **settings):
        framework = Framework(spoil)
        monkeypatch.setattr(conv2d.backends, "load", lambda _request: framework)
        monkeypatch.setattr(convolution.networks, "of", lambda _name: framework)
        monkeypatch.setattr(conv2d, "WARM_REPEATS", 1)
        names = ("same_3x3_64", "same_stride_2_odd", "channels_first")
        small = {name: conv2d.SMALL[name] for name in names}
        monkeypatch.setattr(conv2d, "SMALL", small)
        monkeypatch.setitem(conv2d.SETS, "small", small)
        raw_request["cell"].update(keras=None, python="3.11")
        report = protocol.Report()
        conv2d.run(protocol.Request({**raw_request, "probe": "conv2d", "settings": settings}), report)
        json.dumps([report.metrics, report.details], allow_nan=False)
        return report

    return run


def figures(report):
    return {metric["name"]: metric["value"] for metric in report.metrics}


def test_an_exact_framework_has_errors_of_at_most_one_unit(measured):
    report = measured(lambda output, _geometry, _call: output)
    found = figures(report)
    for case in conv2d.SETS["small"]:
        assert found[case + ".outcome"] == "ok"
        assert 0 < found[case + ".error_rms"] < found[case + ".error_max"] <= 1
        assert found[case + ".repeatable"] == "yes"
        assert len(found[case + ".digest"]) == 64
    terms = {metric["name"]: metric["terms"] for metric in report.metrics}
    assert terms["same_3x3_64.error_max"] == 3 * 3 * 64
    assert found["same_stride_2_odd.shape"] == "2x5x5x16"


def test_one_wrong_output_is_found_and_named(measured):
    def spoil(output, geometry, call):
        output[1, 3, 2, 5] += 1
        return output

    report = measured(spoil)
    assert figures(report)["same_stride_2_odd.error_max"] > 1e4
    assert report.details["cases"]["same_stride_2_odd"]["worst"]["position"] == [1, 3, 2, 5]


def test_the_small_cases_are_timed_as_one(measured):
    report = measured(lambda output, _geometry, _call: output)
    timings = [metric["name"] for metric in report.metrics if metric["kind"] == "timing"]
    assert timings == ["import_s", "peak_rss_bytes", "small.time_s"]
    found = figures(report)
    assert found["small.time_s"] == pytest.approx(sum(found[case + ".time_s"] for case in conv2d.SMALL))


def test_a_case_that_fails_leaves_no_sum_to_compare(measured):
    def spoil(output, geometry, _call):
        if geometry.strides == (2, 2):
            raise ValueError("negative dimension")
        return output

    assert "small.time_s" not in figures(measured(spoil))


def test_a_wrong_shape_is_data_and_no_crash(measured):
    def spoil(output, geometry, call):
        return output[:, :-1] if geometry.strides == (2, 2) else output

    report = measured(spoil)
    found = figures(report)
    assert found["same_stride_2_odd.outcome"] == "wrong shape"
    assert found["same_stride_2_odd.shape"] == "2x4x5x16"
    assert "same_stride_2_odd.error_max" not in found
    assert report.details["cases"]["same_stride_2_odd"]["expected_shape"] == [2, 5, 5, 16]
    assert found["same_3x3_64.outcome"] == "ok"


def test_a_cell_that_disagrees_with_itself_says_so(measured):
    def spoil(output, geometry, call):
        output[0, 0, 0, 0] += call * 1e-3
        return output

    assert figures(measured(spoil))["same_3x3_64.repeatable"] == "no"


def test_a_nan_is_an_outcome(measured):
    def spoil(output, geometry, call):
        output[0, 0, 0, 0] = np.nan
        return output

    report = measured(spoil)
    assert figures(report)["same_3x3_64.outcome"] == "not finite"
    assert figures(report)["same_3x3_64.error_max"] is None
    assert report.details["nonfinite"]["same_3x3_64.error_max"]["value"] == "nan"


def test_one_case_that_is_refused_or_raises_leaves_the_others(measured):
    def spoil(output, geometry, call):
        if geometry.layout == "channels_first":
            raise RuntimeError("Conv2D only supports NHWC on the CPU")
        if geometry.strides == (2, 2):
            raise ValueError("negative dimension")
        return output

    report = measured(spoil)
    found = figures(report)
    assert found["channels_first.outcome"] == "unsupported"
    assert found["same_stride_2_odd.outcome"] == "raised"
    assert found["same_3x3_64.outcome"] == "ok"
    assert report.details["cases"]["same_stride_2_odd"]["error"] == "ValueError"


def test_where_every_case_raises_the_probe_does(measured):
    def spoil(output, geometry, call):
        raise RuntimeError("Numpy is not available")

    with pytest.raises(RuntimeError, match="Numpy is not available"):
        measured(spoil)


def test_an_unknown_set_of_cases_is_refused(measured):
    with pytest.raises(protocol.BadOutputError, match="'huge'"):
        measured(lambda output, _geometry, _call: output, cases="huge")


def test_the_full_set_has_the_case_of_the_report():
    geometry = conv2d.SETS["full"]["issue_20804"]
    assert geometry.output == (1, 256, 256, 1024)
    assert geometry.terms == 28672
    positions, channels = convolution.sample(geometry)
    assert 1000 < len(positions) * len(channels) < 10000


def test_inputs_depend_on_the_case_alone():
    assert len({conv2d.case_seed(case) for case in conv2d.SETS["full"]}) == len(conv2d.SETS["full"])
    # other seeds would make the results of two versions of this program incomparable
    assert conv2d.case_seed("issue_20804") == 2658409490
    assert conv2d.case_seed("same_3x3_64") == 1635760003
