"""The references of optimizers against figures that were worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probe.ops.reference import optimizers


@pytest.mark.parametrize(
    ("gradients", "weight"),
    [
        # mu = 0.468, 0.48528; m = 0.05; v = 0.00025. Numerator 0.48528 m / (1 - 0.468 * 0.48528) + 0.5, root 0.5
        ([0.5], 0.8937212409),
        # m = 0.9 * 0.05 - 0.025 = 0.02; v = 0.999 * 0.00025 + 0.0000625 = 0.00031225; mu of the third step 0.5018688.
        # Numerator 0.5018688 m / (1 - 0.22711104 * 0.5018688) - 0.25 (1 - 0.48528) / (1 - 0.22711104) = -0.1551636112
        ([0.5, -0.25], 0.9329807570),
    ],
)
def test_nadam_moves_a_weight_as_by_hand(gradients: list[float], weight: float) -> None:
    moved = optimizers.nadam(np.array([1.0]), [np.array([g]) for g in gradients], 0.1)
    np.testing.assert_allclose(moved, [weight], rtol=1e-9)
