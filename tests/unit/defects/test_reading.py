"""Files that another cell cannot use: who wrote them, who reads them, and what was promised."""

from __future__ import annotations

from typing import Any

from runner.defects import reading
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

OLD, NEW = "3.5.0", "3.8.0"


def record(status: str, note: str = "") -> list[Any]:
    return [status, None, "", "", note, ""]


def cell(framework: str, keras: str) -> Cell:
    return Cell(framework, "1.0", keras, "3.11", "cpu")


CELLS = [cell(framework, keras) for framework in ("torch", "jax") for keras in (OLD, NEW)]


def found(bad: dict[tuple[str, str], list[Any]], files: tuple[str, ...] = ("a.keras",)) -> list[Defect]:
    """``bad``: (writer's framework-keras, reader's) -> record; all others are right."""
    samples = []
    for reader in CELLS:
        cases = {
            f"read(writer={writer.id!r}, file={file!r})": bad.get((name(writer), name(reader)), record("ok"))
            for writer in CELLS
            for file in files
        }
        samples.append(Sample(reader, "e", "reading", {}, 0, 0, "host", Status.OK, "", details={"cases": cases}))
    return reading.defects(samples)


def name(one: Cell) -> str:
    return f"{one.framework}-{one.keras}"


def test_where_all_is_read_there_is_no_defect() -> None:
    assert found({}) == []


def test_a_file_of_an_older_release_must_be_read() -> None:
    backends = ("torch", "jax")
    pairs = [(f"{writer}-{OLD}", f"{reader}-{NEW}") for writer in backends for reader in backends]
    bad = dict.fromkeys(pairs, record("raises", "ValueError: no"))
    (defect,) = found(bad, ("a.keras", "b.keras"))
    assert defect.title == (
        "reading: a.keras, b.keras, written by all cells with keras 3.5.0: cannot be loaded"
        " - all cells with keras 3.8.0"
    )
    assert defect.observed == "ValueError: no"
    assert len(defect.cases) == 2


def test_a_newer_file_was_never_promised_to_be_read() -> None:
    assert found({(f"torch-{NEW}", f"torch-{OLD}"): record("raises", "ValueError: no")}) == []


def test_a_file_that_its_own_writer_cannot_read_is_not_told_again() -> None:
    same = record("raises", "ValueError: no")
    assert found({(f"torch-{NEW}", f"torch-{NEW}"): same, (f"jax-{NEW}", f"torch-{NEW}"): same}) == []


def test_other_numbers_on_another_backend_are_graver_than_a_refusal() -> None:
    (defect,) = found({(f"torch-{NEW}", f"jax-{NEW}"): record("wrong", "expected 1, got 2")})
    assert defect.kind == "loads and computes something else"
    assert defect.severity == 8
    assert defect.cells == (CELLS[3].id,)
