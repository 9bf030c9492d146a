"""The inputs of the sweep's cases as plain NumPy, a few of them as numbers.

A case writes its inputs with the functions of ``probe/ops/prelude.py``. A script for people shows what they give. The
functions are repeated here, as the payload is never imported; ``tests/unit/defects/test_inputs.py`` compares the two.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

MOST_NUMBERS = 24
"""An array with more numbers is written as the call that makes it."""

LARGEST = 1_000_000
"""An array with more numbers is not made: a cell may write anything."""


class NotPlainError(Exception):
    """A text that is not an input as the sweep writes them."""


def _normal(*shape: int, seed: int = 0, loc: float = 0.0, scale: float = 1.0) -> np.ndarray[Any, Any]:
    x = np.random.RandomState(seed + 7919 * len(shape)).standard_normal(shape)
    return np.asarray(loc + scale * np.where(np.abs(x) < 0.01, x + 0.05, x)).astype("float32")


def _uniform(*shape: int, seed: int = 0, low: float = 0.0, high: float = 1.0) -> np.ndarray[Any, Any]:
    return np.asarray(np.random.RandomState(seed + 104729).uniform(low, high, shape)).astype("float32")


def _integers(*shape: int, seed: int = 0, low: int = 0, high: int = 10, dtype: str = "int32") -> np.ndarray[Any, Any]:
    return np.asarray(np.random.RandomState(seed + 1299709).randint(low, high, shape)).astype(dtype)


def _bools(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    x = np.random.RandomState(seed + 15485863).uniform(0, 1, shape) < 0.5
    x[..., 0] = True
    return np.asarray(x)


def _steps(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray[Any, Any]:
    return np.linspace(low, high, int(np.prod(shape))).reshape(shape).astype("float32")


def _symmetric_positive(n: int, seed: int = 0) -> np.ndarray[Any, Any]:
    x = np.random.RandomState(seed + 31).standard_normal((n, n))
    return np.asarray(x @ x.T / n + np.eye(n)).astype("float32")


def _well_conditioned(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    x = np.random.RandomState(seed + 57).standard_normal(shape)
    return np.asarray(x + 3.0 * np.eye(shape[-1])).astype("float32")


def _array(values: Any, dtype: str = "float32") -> np.ndarray[Any, Any]:
    return np.array(values, dtype=dtype)


MADE: Mapping[str, Callable[..., Any]] = {
    "normal": _normal,
    "uniform": _uniform,
    "integers": _integers,
    "bools": _bools,
    "steps": _steps,
    "symmetric_positive": _symmetric_positive,
    "well_conditioned": _well_conditioned,
    "array": _array,
    "np.array": np.array,
    "np.round": np.round,
    "np.ones": np.ones,
    "np.zeros": np.zeros,
    "np.full": np.full,
    "np.arange": np.arange,
    "np.eye": np.eye,
    "np.abs": np.abs,
}
_NUMBERS = {"np.inf": np.inf, "np.nan": np.nan, "np.pi": np.pi, "np.e": np.e}
_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


def value(text: str) -> np.ndarray[Any, Any]:
    """The array that an input's text means. Raises NotPlainError for any other text."""
    try:
        found = np.asarray(_value(ast.parse(text, mode="eval").body))
    except (SyntaxError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise NotPlainError(text) from error
    if found.dtype.kind not in "biufc":
        raise NotPlainError(text)
    return found


def _value(node: ast.AST) -> Any:
    match node:
        case ast.Constant(value=found) if isinstance(found, int | float | bool | str):
            return found
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items] if isinstance(node, ast.List) else tuple(map(_value, items))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left), _value(right))
        case ast.Attribute():
            return _NUMBERS[ast.unparse(node)]
        case ast.Call(func=func, args=args, keywords=keywords):
            made = MADE[ast.unparse(func)]
            given = [_value(arg) for arg in args]
            _check_size(given)
            return made(*given, **{str(k.arg): _value(k.value) for k in keywords})
    raise NotPlainError(ast.dump(node))


def _check_size(given: list[Any]) -> None:
    size = 1
    for part in given:
        for number in part if isinstance(part, tuple) else (part,):
            size *= max(1, abs(number)) if isinstance(number, int) else 1
    if size > LARGEST:
        raise NotPlainError(given)


def written(text: str) -> str:
    """An input as plain NumPy. Raises NotPlainError.

    >>> written("array([1, 2], 'int32')"), written("np.zeros((2, 2), 'float32')")
    ("np.array([1, 2], 'int32')", "np.zeros((2, 2), 'float32')")
    """
    found = value(text)
    if not any(
        name in text for name in ("normal", "uniform", "integers", "bools", "steps", "array(", "symmetric", "well_")
    ):
        return text
    if found.size > MOST_NUMBERS:
        return _called(text)
    return literal(found)


def literal(found: np.ndarray[Any, Any]) -> str:
    """An array as an expression, with the digits that its type holds."""
    numbers = ", ".join(_number(number) for number in found.ravel().tolist())
    numbers = numbers if found.ndim else _number(found.item())
    flat = (
        f"np.array([{numbers}], {str(found.dtype)!r})" if found.ndim else f"np.array({numbers}, {str(found.dtype)!r})"
    )
    return flat if found.ndim < 2 else f"{flat}.reshape{found.shape}"


def _number(number: float | bool) -> str:
    if isinstance(number, bool | int):
        return str(number)
    if isinstance(number, complex):
        return repr(number)
    return f"{number:.9g}" if np.isfinite(number) else {"inf": "np.inf", "-inf": "-np.inf"}.get(str(number), "np.nan")


_CALLS = {
    "normal": "(lambda x: np.where(abs(x) < 0.01, x + 0.05, x))"  # nothing near zero, where signs are rounding
    "(np.random.RandomState({seed} + 7919 * {rank}).standard_normal({shape})).astype('float32')",
    "uniform": "np.random.RandomState({seed} + 104729).uniform({low}, {high}, {shape}).astype('float32')",
    "integers": "np.random.RandomState({seed} + 1299709).randint({low}, {high}, {shape}).astype({dtype!r})",
}


def _called(text: str) -> str:
    """A large array as the call of NumPy that makes it, where one line does."""
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        options = {"seed": 0, "low": 0, "high": 10 if node.func.id == "integers" else 1, "dtype": "int32"}
        options.update({str(k.arg): _value(k.value) for k in node.keywords})
        shape = tuple(_value(arg) for arg in node.args)
        written_ = _CALLS[node.func.id].format(shape=shape, rank=len(shape), **options)
        if not set(options) - {"seed", "low", "high", "dtype"}:
            return written_
    return literal(value(text))
