"""The axes of the matrix: one definition, which ids, tables and sentences are made from."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from runner.judge.pairing import difference
from runner.matrix import sets
from runner.model import AXES, Cell

FULL = Cell("torch", "2.2.2", "3.8.0", "3.11", "mps", "fallback")
BARE = Cell("torch", "2.2.2", None, "3.11", "cpu")


def test_every_field_of_a_cell_is_an_axis() -> None:
    assert {axis.name for axis in AXES} == {entry.name for entry in fields(Cell)}


@pytest.mark.parametrize("cell", [FULL, BARE, replace(FULL, variant=""), replace(BARE, variant="no-onednn")])
def test_an_id_is_read_back(cell: Cell) -> None:
    assert sets.parse_cell(cell.id) == cell


@pytest.mark.parametrize(
    ("axis", "sentence", "table"),
    [
        ("version", "torch 2.2.2", "2.2.2"),
        ("keras", "keras 3.8.0", "keras 3.8.0"),
        ("python", "Python 3.11", "py3.11"),
        ("framework", "torch 2.2.2", "torch"),
        ("device", "mps", "mps"),
        ("variant", "fallback", "fallback"),
    ],
)
def test_the_words_of_a_value(axis: str, sentence: str, table: str) -> None:
    (found,) = (one for one in AXES if one.name == axis)
    assert (found.in_sentence(FULL), found.in_table(FULL)) == (sentence, table)


def test_the_words_of_a_cell_without_keras_and_variant() -> None:
    found = {axis.name: (axis.in_id(BARE), axis.in_sentence(BARE), axis.in_table(BARE)) for axis in AXES if axis.unset}
    assert found == {
        "keras": ("_native", "native torch", "native"),
        "variant": ("", "the plain cell", "plain"),
    }


@pytest.mark.parametrize("axis", [axis.name for axis in AXES])
def test_two_cells_can_be_compared_along_each_axis(axis: str) -> None:
    other = replace(FULL, **{axis: "3.9"})
    assert difference(FULL, other) == axis
