"""Numbers that several probes compare with, and how they write arrays down."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probe.conv2d import convolution
from runner.probe.diagnose import reference
from runner.probe.kit import numerics
from runner.probe.ops import compare as ops
from runner.probe.training import compare as training


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_unit_roundoff_is_half_of_numpys_epsilon(dtype):
    assert numerics.UNIT_ROUNDOFF[dtype] == np.finfo(dtype).eps / 2


def test_the_probes_share_one_table():
    for table in (ops.UNIT, training.UNITS):
        assert {name: table[name] for name in table if name != "float64"} == {
            "float16": 2.0**-11,
            "bfloat16": 2.0**-8,
            "float32": 2.0**-24,
        }
    assert (ops.UNIT["float64"], training.UNITS["float64"]) == (2.0**-50, 2.0**-52)
    assert reference.U == convolution.UNIT_ROUNDOFF == 2.0**-24


def test_a_sketch_is_the_norm_and_at_most_eight_values_from_first_to_last():
    assert numerics.sketch(np.array([3.0, 4.0])) == [5.0, 3.0, 4.0]
    assert numerics.sketch(np.arange(15.0)) == [31.85906, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]
    assert numerics.sketch(np.zeros(0)) == [0.0]


def test_what_is_not_finite_has_its_name_and_no_part_in_the_norm():
    assert numerics.sketch(np.array([np.nan, 3.0, -np.inf, 4.0])) == [5.0, "nan", 3.0, "-inf", 4.0]


def test_a_number_keeps_seven_digits():
    assert numerics.rounded(1.23456789) == 1.234568
    assert numerics.rounded(np.float32("inf")) == "inf"
