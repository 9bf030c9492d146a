"""The script of a case: plain Keras that ends with 1 where the defect is there."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from runner.defects import plain
from runner.defects.cases import Case

PRELUDE = """
def helper(x):
    return inner(x)


def inner(x):
    return x


def unused():
    return 1
"""
X = "x = ops.convert_to_tensor(np.array([1, 2], 'float32'))"
WIDE = ".replace('64', '32'))"
RAISES = Case("raises", None, "", "TypeError", "TypeError: x")


def body(ident: str, record: Case = RAISES, framework: str = "torch") -> list[str]:
    """The lines after the imports."""
    text = plain.script(ident, framework, PRELUDE, "headline", record)
    compile(text, "script", "exec")
    lines = text.splitlines()
    assert lines[:5] == ['"""headline"""', "", "import os", "", f'os.environ["KERAS_BACKEND"] = "{framework}"']
    start = next(place for place, line in enumerate(lines) if line.startswith("from keras import"))
    return [line for line in lines[start + 1 :] if line]


def test_inputs_are_numbers_and_an_exception_is_left_to_python() -> None:
    assert body("ops.f(x) | x=array([1, 2])") == [X, "print(ops.f(x))"]
    assert body("ops.f(x) | x=array([1, 2]) | float16")[:2] == [X, "x = ops.cast(x, 'float16')"]


def test_helpers_that_cannot_be_written_plainly_come_along_with_what_they_need() -> None:
    text = plain.script("helper(x) | x=array([1, 2])", "jax", PRELUDE, "h", RAISES)
    assert "def helper" in text
    assert "def inner" in text
    assert "def unused" not in text


def test_a_value_is_compared_with_half_the_difference_that_was_seen() -> None:
    lines = body("ops.f(x) | x=array([1, 2])", Case("wrong", 1e5, [3.0, 1.0, 2.5], "float32[2]", "expected [1.0, 2.0]"))
    assert lines[1:4] == [
        "found = ops.f(x)",
        "values = np.ravel(ops.convert_to_numpy(found))",
        "expected = np.array([1.0, 2.0])",
    ]
    assert "if not np.allclose(values, expected, rtol=0, atol=0.25, equal_nan=True):" in lines
    assert lines[-1] == "    raise SystemExit('defect: not what was expected')"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (Case("wrong", 1e5, [1.0, 1.0], "float32[1]", "expected [1.0]"), False),
        (Case("wrong", 1e5, [1.0, 1.0], "float32[1]", "expected [2.0]"), True),
        (Case("nan", None, [0.0, "nan"], "float32[1]", "expected ['inf']"), True),
        (Case("wrong", None, [1.0, 1.0, 0.0, 5.0], "int32[1] int32[2]", "expected [0.0, 6.0]"), True),
        (Case("wrong", None, "text", "float32[1]", "expected [1.0]"), False),
        (Case("shape", None, [1.0], "float32[2]", "expected [3]"), True),
        (RAISES, True),
    ],
)
def test_a_record_tells_where_its_kept_values_show_what_is_wrong(record: Case, told: bool) -> None:
    assert plain.tells(record) is told
    assert (plain.UNDECIDED in plain.script("ops.f(x) | x=array(1)", "torch", "", "h", record)) is not told


def test_of_several_results_the_wrong_one_is_compared() -> None:
    record = Case("wrong", None, [1.0, 1.0, 0.0, 5.0], "int32[1] int32[2]", "expected [0.0, 6.0]")
    assert "values = np.ravel(ops.convert_to_numpy(found[1]))" in body("ops.f(x) | x=array(1)", record)


def test_a_layer_gets_its_weights_as_a_person_gives_them() -> None:
    lines = body("apply(layers.Dense(2), x, weights=[x]) | x=array([[1, 2]])")
    assert lines[1:] == [
        "layer = layers.Dense(2)",
        "layer(keras.KerasTensor((1, 2)))  # makes its weights",
        "for variable, value in zip(layer.weights, [x]):",
        "    variable.assign(ops.cast(value, variable.dtype))",
        "print(layer(x))",
    ]


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("metric_of(metrics.Mean(), (x,), (x, x))", "print(metric.result())"),
        ("steps_of(optimizers.SGD(0.1), x, [x, x])", "    optimizer.apply([gradient], [variable])"),
        ("loss_of(losses.Huber(), x, x, sample_weight=x)", "print(losses.Huber()(x, x, sample_weight=x))"),
        (
            "dtype_of(ops.abs, 'int8')",
            "print(keras.backend.standardize_dtype(ops.abs(ops.ones((2, 2), 'int8')).dtype)" + WIDE,
        ),
        (
            "promised_dtype_of(ops.abs, 'int8')",
            "print(keras.backend.standardize_dtype(ops.abs(keras.KerasTensor((2, 2), 'int8')).dtype)" + WIDE,
        ),
        ("missing_in_config(layers.Dense, units=3)", "config = layers.Dense(units=3).get_config()"),
    ],
)  # fmt: skip
def test_helpers_are_written_out(expression: str, line: str) -> None:
    assert line in body(f"{expression} | x=array([1, 2])")


def test_a_symbolic_call_is_compared_with_the_call_itself() -> None:
    shape = Case("shape", None, "", "float32[2]", "actual: float32[3]")
    lines = body("ops.f(x) | x=array([1, 2])#dynamic", shape)
    assert "promised = f(keras.KerasTensor((None,)))" in lines
    assert any(line.startswith("if len(a.shape) != len(b.shape)") for line in lines)
    dtype = Case("dtype", None, "", "float32[2]", "actual: float16[2]")
    assert "promised = f(keras.KerasTensor((2,)))" in body("ops.f(x) | x=array([1, 2])#symbolic", dtype)


@pytest.mark.parametrize(("framework", "call"), [("tensorflow", "tf.function(f)(x)"), ("jax", "jax.jit(f)(x)")])
def test_a_graph_is_compared_with_eager(framework: str, call: str) -> None:
    ident = "ops.f(x) | x=array([1, 2])#graph"
    assert f"eager, graph = f(x), {call}" in body(ident, Case("wrong", None, "", "", ""), framework)
    assert f"print({call})" in body(ident, RAISES, framework)


@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax"])
@pytest.mark.parametrize(
    "note", ["at element 1: expected 2.0, got 3.0", "along a direction: expected 2.0, got 3.0", "odd"]
)
def test_a_gradient_is_compared_as_the_probe_does(framework: str, note: str) -> None:
    lines = body("ops.f(x) | x=array([1, 2])#gradient", Case("wrong", 0.2, [1.0], "x", note), framework)
    assert lines[-1] == plain.UNDECIDED if note == "odd" else lines[-1].startswith("    raise SystemExit('defect: ")


def test_an_argument_must_stay_as_it_was() -> None:
    lines = body(
        "ops.f(x) | x=array([1, 2])#arguments", Case("wrong", None, "", "", "the argument x is changed in place")
    )
    assert lines[-1] == "    raise SystemExit('defect: x was changed')"


@pytest.mark.parametrize(("off", "defect"), [(1.0, True), (0.0, False)])
def test_a_script_ends_with_a_message_where_the_defect_is(
    monkeypatch: pytest.MonkeyPatch, off: float, defect: bool
) -> None:
    ops = SimpleNamespace(convert_to_tensor=np.asarray, convert_to_numpy=np.asarray, f=lambda x: x + off)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(ops=ops))
    record = Case("wrong", 1e5, [3.0, 2.0, 3.0], "float32[2]", "expected [1.0, 2.0]")
    text = plain.script("ops.f(x) | x=array([1, 2])", "torch", "", "h", record)
    with pytest.raises(SystemExit, match="defect") if defect else nullcontext():
        exec(compile(text, "script", "exec"), {})  # noqa: S102 - the script under test


def test_a_graph_of_tensorflow_is_tried_with_an_open_axis_too() -> None:
    text = body("ops.f(x) | x=array([1, 2])#graph", Case("shape", None, "", "", ""), "tensorflow")
    assert "graph = tf.function(f, input_signature=open_axis)(x)" in text
    assert sum("another shape" in line for line in text) == 2


def test_a_function_is_not_called_as_an_input_is() -> None:
    text = body("ops.g(f) | f=array([1, 2])#symbolic", Case("dtype", None, "", "int32[2]", "actual: float32[2]"))
    assert "def call(f):" in text
    assert "actual = call(f)" in text


def test_one_symbolic_result_in_place_of_several_is_another_form() -> None:
    record = Case("shape", None, "", "float32[None]", "actual: int32[2] int32[2]")
    assert any(
        "isinstance(promised, (list, tuple)) !=" in line for line in body("ops.f(x) | x=array([1, 2])#symbolic", record)
    )
