"""What of a message and of types is the same for one cause."""

from __future__ import annotations

import pytest

from runner.defects import signatures


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "TypeError: f requires arrays, got <class 'list'> at 0.",
            "TypeError: g requires arrays, got <class 'int'> at 1.",
        ),
        ("ValueError: no slice. Received: `slice(None, 2)`", "ValueError: no slice. Received: `None`"),
        ("E: attr 'T' of bool is not allowed: float, half", "E: attr 'T' of uint8 is not allowed: float, int8"),
        ("TypeError: ('pred must not be a Python bool', True)", "TypeError: ('pred must not be a Python bool', True)"),
    ],
)
def test_what_varies_is_left_out(one: str, other: str) -> None:
    assert signatures.message(one, ["ops.f"]) == signatures.message(other, ["ops.g"]) != ""


def test_another_message_is_another_signature() -> None:
    assert signatures.message("TypeError: cannot add a list") != signatures.message("TypeError: cannot add a tuple")
    assert signatures.message("ValueError: cannot add a list") != signatures.message("TypeError: cannot add a list")


def test_an_exception_without_a_text_says_nothing() -> None:
    assert signatures.message("InvalidArgumentError: ") == ""


def test_equal_types_are_no_promise() -> None:
    assert signatures.promise("float32[3]; actual: float32[4]") == ""
