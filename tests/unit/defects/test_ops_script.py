"""The script of a case, line by line, for each check and framework."""

from __future__ import annotations

import pytest

from runner.defects import ops_script

HEAD = [
    '"""headline"""',
    "",
    "import os",
    "",
    'os.environ["KERAS_BACKEND"] = "torch"',
    "",
    "import keras",
    "import numpy as np",
    "from keras import ops",
    "",
]
PLAIN = "ops.f(x, y) | x=array(1); y=array(2)"
TENSORS = ["x = ops.convert_to_tensor(array(1))", "y = ops.convert_to_tensor(array(2))"]
F = ["def f(x, y):", "    return ops.f(x, y)", "", ""]
SUMMED = [
    "def f(x, y):",
    "    found = ops.f(x, y)",
    "    found = found if isinstance(found, (list, tuple)) else [found]",
    "    return sum(ops.sum(part) for part in found)",
    "",
    "",
]
SYMBOLS = [
    "_x = array(1)",
    "x = keras.KerasTensor(_x.shape, dtype=str(_x.dtype))",
    "_y = array(2)",
    "y = keras.KerasTensor(_y.shape, dtype=str(_y.dtype))",
]


def body(check: str, framework: str = "torch", ident: str = PLAIN) -> list[str]:
    """The lines after the imports."""
    lines = ops_script.script(ident + check, framework, "", "headline", "").splitlines()
    assert lines[:10] == [line.replace("torch", framework) for line in HEAD]
    return lines[10:]


@pytest.mark.parametrize(
    ("check", "framework", "lines"),
    [
        ("", "torch", [*TENSORS, "print(ops.f(x, y))"]),
        ("#arguments", "torch", [*TENSORS, "print(ops.f(x, y))"]),
        ("#symbolic", "torch", [*SYMBOLS, "print(ops.f(x, y))"]),
        (
            "#dynamic",
            "torch",
            [
                SYMBOLS[0],
                "x = keras.KerasTensor((None, *_x.shape[1:]), dtype=str(_x.dtype))",
                *SYMBOLS[2:],
                "print(ops.f(x, y))",
            ],
        ),
        (
            "#graph",
            "tensorflow",
            [
                *TENSORS,
                "import tensorflow as tf",
                *F,
                "print('eager', f(x, y))",
                "print('graph', tf.function(f)(x, y))",
            ],
        ),
        ("#graph", "jax", [*TENSORS, "import jax", *F, "print(jax.jit(f)(x, y))"]),
        (
            "#gradient",
            "torch",
            [
                *TENSORS,
                *SUMMED,
                "inputs = [t for t in (x, y,) if t.is_floating_point()]",
                "for t in inputs:",
                "    t.requires_grad_(True)",
                "f(x, y).backward()",
                "for t in inputs:",
                "    print(t.grad)",
            ],
        ),
        (
            "#gradient",
            "tensorflow",
            [
                *TENSORS,
                "import tensorflow as tf",
                *SUMMED,
                "with tf.GradientTape() as tape:",
                "    tape.watch([x, y])",
                "    loss = f(x, y)",
                "print(tape.gradient(loss, [x, y]))",
            ],
        ),
        ("#gradient", "jax", [*TENSORS, "import jax", *SUMMED, "print(jax.grad(f)(x, y))"]),
    ],
)
def test_each_check_has_its_own_body(check: str, framework: str, lines: list[str]) -> None:
    assert [line for line in body(check, framework) if line] == [line for line in lines if line]


def test_floating_inputs_are_cast_to_the_types_of_the_case() -> None:
    assert body("", ident="ops.f(x) | x=array(1) | float16")[:3] == [
        "x = ops.convert_to_tensor(array(1))",
        "if 'float' in keras.backend.standardize_dtype(x.dtype):",
        "    x = ops.cast(x, 'float16')",
    ]
    assert body("#symbolic", ident="ops.f(x) | x=array(1) | float16")[:2] == [
        "_x = array(1)",
        "x = keras.KerasTensor(_x.shape, dtype='float16' if _x.dtype.kind == 'f' else str(_x.dtype))",
    ]


def test_what_was_expected_is_printed_last() -> None:
    text = ops_script.script("ops.eye(3)", "jax", "", "headline", "expected '1'")
    assert text.splitlines()[-1] == """print("expected '1'")"""
    assert text.endswith("\n")


def test_modules_that_the_case_names_are_imported() -> None:
    text = ops_script.script("layers.Dense(optimizers.schedules.X(random.normal(2)))", "jax", "", "h", "")
    assert "from keras import ops, layers, optimizers, random\n" in text
    assert "from keras.optimizers import schedules\n" in text
    assert "schedules import" not in ops_script.script("ops.f()", "jax", "", "h", "")


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
