from __future__ import annotations

import warnings

import pytest

from runner.probe import protocol
from runner.probe.kit import mps

WARNING = (
    "The operator '%s' is not currently supported on the MPS backend and will fall back to run on the CPU. This may "
    "have performance implications. (Triggered internally at /Users/x/pytorch/aten/src/ATen/mps/MPSFallback.mm:14.)"
)
ERROR = (
    "The operator '%s' is not currently implemented for the MPS device. If you want this op to be added in priority "
    "during the prototype phase of this feature, please comment on an issue. As a temporary fix, you can set the "
    "environment variable `PYTORCH_ENABLE_MPS_FALLBACK=1` to use the CPU as a fallback for this op."
)


class Torch:
    """As much of torch as the listing asks for: it warns once unless told to warn always."""

    def __init__(self):
        self.always = False
        self.warned = False

    def is_warn_always_enabled(self):
        return self.always

    def set_warn_always(self, always):
        self.always = always

    def run(self, operator):
        if self.always or not self.warned:
            warnings.warn(WARNING % operator, UserWarning, stacklevel=2)
        self.warned = True


class Backend:
    name, device = "torch", "mps"

    def __init__(self):
        self.lib = Torch()


def test_operators_are_read_from_warnings_and_errors():
    texts = [WARNING % "aten::sgn.out", ERROR % "aten::unique_dim", WARNING % "aten::sgn.out", "another warning"]
    assert mps.operators(texts) == ["aten::sgn.out", "aten::unique_dim"]


def test_operators_of_a_text_broken_over_lines():
    assert mps.operators([(WARNING % "aten::nonzero").replace(" on ", " \non ")]) == ["aten::nonzero"]


def test_a_listing_names_every_operator_and_resets_the_switch():
    report, backend = protocol.Report(), Backend()
    with mps.listing(backend, report):
        backend.lib.run("aten::b")
        backend.lib.run("aten::a")
    with mps.listing(backend, report):
        backend.lib.run("aten::c")
    assert report.details["mps_fallback"] == ["aten::a", "aten::b", "aten::c"]
    assert backend.lib.always is False


def test_a_listing_keeps_what_it_saw_when_the_block_raises():
    report, backend = protocol.Report(), Backend()

    def fall_back_and_raise():
        with mps.listing(backend, report):
            backend.lib.run("aten::a")
            raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        fall_back_and_raise()
    assert report.details["mps_fallback"] == ["aten::a"]


def test_nothing_is_listed_elsewhere():
    report, backend = protocol.Report(), Backend()
    backend.device = "cpu"
    with mps.listing(backend, report):
        assert backend.lib.always is False
    assert report.details == {}
