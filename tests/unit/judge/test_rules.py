"""Which cells of a run are compared."""

from __future__ import annotations

from runner.judge import rules
from runner.model import Better, Cell, Kind, Metric, Sample, Status, Verdict
from runner.results import store

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


class TestAgainst:
    """A build next to a release: the two are compared, and nothing else is."""

    OWN = Cell("torch", "2.15.0", "3.16.0+g1a2b3c4", "3.11", "cpu")
    OTHER = Cell("jax", "0.10.2", "3.16.0+g1a2b3c4", "3.11", "cpu")
    JAX = Cell("jax", "0.10.2", "3.15.1", "3.11", "cpu")

    @staticmethod
    def samples(*cells: Cell, error: float = 1.0) -> list[Sample]:
        metric = Metric("small.error_max", error, Kind.ERROR, Better.LOWER, "u", terms=64)
        return [Sample(cell, cell.id, "conv2d", {}, 0, 0, "docker", Status.OK, "", (metric,)) for cell in cells]

    def pairs(self, *, against: bool) -> set[tuple[str, str]]:
        made = self.samples(LATER, self.OWN, self.JAX, self.OTHER)
        found = rules.comparisons(made, rules.Rules(set_name="quick", against=against), expected=())
        return {(one.baseline, one.candidate) for one in found if one.baseline}

    def test_frameworks_are_not_compared(self) -> None:
        wanted = {(LATER.id, self.OWN.id), (self.JAX.id, self.OTHER.id)}
        assert self.pairs(against=True) == wanted
        assert self.pairs(against=False) > wanted

    def test_what_is_wrong_in_the_release_by_itself_does_not_end_the_run_with_1(self) -> None:
        wrong = self.samples(LATER, self.OWN, error=1e9)
        whole = rules.comparisons(wrong, rules.Rules(set_name="quick"), expected=())
        assert (LATER.id, Verdict.BROKEN) in {(one.candidate, one.verdict) for one in whole}
        found = rules.comparisons(wrong, rules.Rules(set_name="quick", against=True), expected=())
        assert Verdict.BROKEN not in {one.verdict for one in found if one.candidate == LATER.id}

    def test_a_report_from_files_follows_the_record_unless_a_baseline_is_named(self) -> None:
        record = store.RunRecord("quick", against="3.15.1")
        assert rules.Rules().as_planned(record).against
        assert not rules.Rules(baseline=LATER.id).as_planned(record).against
        assert not rules.Rules().as_planned(store.RunRecord("quick")).against
