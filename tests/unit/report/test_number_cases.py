"""The table of cases that the Python and the JavaScript writer of numbers share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.report import numbers

CASES = json.loads(Path(__file__).with_name("number_cases.json").read_text("utf-8"))


def _decoded(given: Any) -> Any:
    """JSON has no NaN and no infinity: an object with the key ``float`` stands for them."""
    return float(given["float"]) if isinstance(given, dict) else given


@pytest.mark.parametrize(("name", "given", "options", "shown"), CASES)
def test_a_number_is_shown_as_in_the_page(name: str, given: list[Any], options: dict[str, bool], shown: str) -> None:
    assert getattr(numbers, name)(*map(_decoded, given), **options) == shown


def test_the_table_has_cases() -> None:
    assert len(CASES) > 100
