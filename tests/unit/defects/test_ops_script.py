"""What the id of a case is about."""

from __future__ import annotations

import pytest

from runner.defects import ops_script


@pytest.mark.parametrize(
    ("ident", "name"),
    [
        ("ops.nn.relu(x)", "ops.nn.relu"),
        ("apply(layers.Dense(3), ops.exp(x))", "layers.Dense"),
        ("ops.max(backend.floatx())", "ops.max"),
        ("backend.floatx()", "backend.floatx"),
        ("schedules.X(1)", "schedules.X"),
        ("array(1)", "array"),
    ],
)
def test_a_case_is_about_its_first_public_name_and_a_layer_before_an_array_function(ident: str, name: str) -> None:
    assert ops_script.operation(ident) == name
