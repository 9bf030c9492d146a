"""The sweep's inputs as plain NumPy give the numbers of the payload's own functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runner.defects import inputs
from runner.matrix.probes import SOURCE

PRELUDE: dict[str, Any] = {}
exec((SOURCE / "ops" / "prelude.py").read_text("utf-8"), PRELUDE)  # noqa: S102 - the payload is never imported

TEXTS = [
    "normal(2, 3)",
    "normal(3, 4, seed=11, loc=-3, scale=2.0)",
    "1000 * normal(3, 4)",
    "uniform(4, 5, low=0.05, high=0.95, seed=1)",
    "np.round(uniform(2, 6, 5, 3, high=255))",
    "integers(6, low=-20, high=20, dtype='int64')",
    "integers(3, 4)",
    "bools(3, 4, 5)",
    "steps(3, 4, low=-1.0)",
    "symmetric_positive(4, seed=2)",
    "well_conditioned(2, 3, 3)",
    "array([[np.nan, np.inf], [-np.inf, 1e-6]])",
    "array([0, 1, 2], 'int32')",
    "array(2.5)",
    "normal(40, 50)",
    "uniform(40, 50, high=3.0)",
    "integers(40, 50, high=7)",
    "np.zeros((2, 3), 'float32')",
    "np.full((2, 2), 3.0, 'float32')",
]


@pytest.mark.parametrize("text", TEXTS)
def test_an_input_is_written_as_the_numbers_that_the_payload_makes(text: str) -> None:
    expected = eval(text, dict(PRELUDE))  # noqa: S307
    found = eval(inputs.written(text), {"np": np})  # noqa: S307
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(inputs.value(text), expected)


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "open('x')", "(1).__class__", "normal(10**9, 10**9)", "x", "'text'", "np.load('x')", ")"],
)
def test_a_text_that_is_no_input_is_refused(text: str) -> None:
    with pytest.raises(inputs.NotPlainError):
        inputs.value(text)
