"""Which cells of a run are compared."""

from __future__ import annotations

from runner.judge import rules
from runner.model import Better, Cell, Kind, Metric, Sample, Status, Verdict

TF = Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
LATER = Cell("torch", "2.15.0", "3.15.1", "3.11", "cpu")
ACCURACY = "free.test_accuracy"


def compared(*cells: Cell, accuracy: dict[Cell, float] | None = None) -> dict[tuple[str, str], tuple[str, Verdict]]:
    """The axis and the accuracy's verdict by baseline and candidate."""
    samples = [
        Sample(
            cell, cell.id, "mnist", {}, seed, seed, "docker", Status.OK, "",
            (Metric(ACCURACY, (accuracy or {}).get(cell, 0.99) + 0.0005 * (seed % 3), Kind.SEEDED, Better.HIGHER),),
            fingerprint={"host": "h"},
        )
        for cell in cells
        for seed in range(8)
    ]  # fmt: skip
    found = rules.comparisons(samples, rules.Rules(set_name="quick"), expected=())
    assert len(found) == len({(c.baseline, c.candidate, c.metric) for c in found})
    return {(c.baseline, c.candidate): (c.axis, c.verdict) for c in found if c.metric == ACCURACY}


def test_a_release_is_compared_with_its_neighbour_and_with_the_other_framework_too() -> None:
    """torch 2.2.2 is the baseline of 2.15.0 and may be the faulty one."""
    found = compared(TF, OLD, NEW, accuracy={OLD: 0.88})
    assert found == {
        (TF.id, OLD.id): ("framework", Verdict.REGRESSED),
        (OLD.id, NEW.id): ("version", Verdict.IMPROVED),
        (TF.id, NEW.id): ("framework", Verdict.SAME),
    }


def test_the_baseline_of_a_baseline_must_differ_in_the_framework_alone() -> None:
    assert compared(TF, NEW, LATER).keys() == {(TF.id, NEW.id), (NEW.id, LATER.id)}


def test_a_pair_is_judged_once() -> None:
    assert compared(TF, NEW).keys() == {(TF.id, NEW.id)}
