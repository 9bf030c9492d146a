"""The JSON that the program prints."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.util import jsontext
from runner.util.plain import HOSTILE

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def strict(text: str) -> Any:
    """Read JSON as other languages do, which have no NaN."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


@given(ANYTHING)
def test_any_data_is_json_and_plain_text(data: Any) -> None:
    text = jsontext.dumps(data)
    assert text.isascii()
    assert HOSTILE.search(text) is None
    assert strict(text) == jsontext.finite(data)
    msgspec.json.decode(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null(value: float) -> None:
    assert strict(jsontext.dumps({"a": [value, 1.5]})) == {"a": [None, 1.5]}


def test_escapes_keep_the_data() -> None:
    assert strict(jsontext.dumps("\x1b]0;x\x07\x7f\u202e")) == "\x1b]0;x\x07\x7f\u202e"
    assert jsontext.dumps("\ud800") == '"\\ufffd"'
    assert jsontext.escaped('{"a": "\x7f\x9b\u2028"}') == '{"a": "\\u007f\\u009b\\u2028"}'


def test_what_json_does_not_know_is_its_text() -> None:
    assert strict(jsontext.dumps({1: Path("a"), "b": (1, 2)})) == {"1": "a", "b": [1, 2]}
