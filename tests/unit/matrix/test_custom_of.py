"""The packages in which a cell was measured are found again by the id of its environment."""

from __future__ import annotations

from runner.matrix import plan, selection
from runner.model import Cell, Custom

CELL = Cell("torch", "2.13.0", "3.15.1", "3.11", "cpu")


def test_an_environment_of_a_set_is_found_by_its_id() -> None:
    chosen = selection.choose("keras-history", (CELL.id,))
    environment = plan.environment_of(CELL, "linux-x86_64", chosen.definition.custom)
    found = selection.custom_of(CELL, environment.id)
    assert found is not None
    assert found == environment.custom
    assert any(pin.startswith("numpy==") for pin in found.pins)


def test_the_cells_own_environment_and_an_unknown_one_have_nothing_in_addition() -> None:
    assert selection.custom_of(CELL, plan.environment_of(CELL, "linux-x86_64").id) is None
    unknown = plan.environment_of(CELL, "linux-x86_64", Custom(("no-such-package==1.0",)))
    assert selection.custom_of(CELL, unknown.id) is None
