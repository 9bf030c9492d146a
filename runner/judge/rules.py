"""The rules that samples are judged by, and the comparisons of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner import judge
from runner.judge import calibration_file, expectations, expectations_file, pairing
from runner.matrix import configuration, sets
from runner.model import Cell, Comparison, Sample, Verdict
from runner.results import store
from runner.util import folders


@dataclass(frozen=True, slots=True)
class Rules:
    """What samples are judged by."""

    set_name: str | None = None
    baseline: str | None = None
    alpha: float = 0.05
    floor: float = 0.05
    max_rounds: int | None = None
    against: bool = False
    """Whether builds that are not released are compared with releases, and nothing else is compared."""

    def as_planned(self, record: store.RunRecord) -> Rules:
        """These rules with the set and the looks that a run was planned with.

        What these rules give stays.
        """
        listed = record.set_name in configuration.matrix().sets
        return replace(
            self,
            set_name=self.set_name or (record.set_name if listed else None),
            max_rounds=self.max_rounds or record.max_rounds,
            against=self.against or bool(record.against and not self.baseline),
        )

    def settings(self, samples: Sequence[Sample]) -> judge.JudgeSettings:
        """The judge's settings.

        As many looks as a run up to ``max_rounds`` takes, else one look at all there is.
        """
        noise = calibration_file.noise_for(samples, folders.state_dir())
        given = {"alpha": self.alpha, "floor": self.floor, "noise": noise}
        return judge.JudgeSettings.after(rounds(samples), self.max_rounds, **given)


def rounds(samples: Sequence[Sample]) -> int:
    """How many rounds the samples are from."""
    return max((sample.round + 1 for sample in samples), default=1)


def update(run: Path, file: Path, bad: store.Bad) -> expectations_file.Update:
    """The text of an expectations file as the results in a folder make it.

    Result files that cannot be used go to ``bad``. Raises UsageError.
    """
    samples, known = store.load([run], bad=bad), expectations_file.load(file)
    judged = comparisons(samples, Rules().as_planned(store.load_records([run], bad)), known)
    text = file.read_text(encoding="utf-8") if file.exists() else f"schema = {expectations.SCHEMA}\n"
    seen = expectations_file.observed(samples, judged)
    if file.resolve() != expectations_file.shipped().resolve():
        seen = expectations_file.without(seen, expectations_file.load(expectations_file.shipped()))
    return expectations_file.updated(text, known, seen)


def comparisons(
    samples: Sequence[Sample], rules: Rules, expected: Sequence[expectations.Expectation] | None = None
) -> list[Comparison]:
    """Every cell against its baseline.

    ``expected``: the expectations, where they are not those of the user and of this program.
    """
    if expected is None:
        expected = expectations_file.known()
    pairs = compared(list(dict.fromkeys(sample.cell for sample in samples)), rules)
    judged = judge.judge(samples, pairs, expected, rules.settings(samples))
    # what is wrong in a release by itself is not about the build that is compared with it
    worse = (Verdict.REGRESSED, Verdict.BROKEN, Verdict.FIXED)
    return [one for one in judged if one.baseline or one.verdict not in worse] if rules.against else judged


def compared(cells: Sequence[Cell], rules: Rules) -> list[judge.Pair]:
    """The pairs of cells that a run judges.

    Raises UsageError for an unknown set or baseline.
    """
    prefer = sets.named_set(configuration.matrix(), rules.set_name).prefer
    pairs = judge.pairs(cells, prefer, baseline=rules.baseline)
    if rules.against:
        return [pair for pair in pairs if pairing.with_release(pair)]
    return list(dict.fromkeys([*pairs, *_with_root(pairs), *_beside_native(cells)]))


def _with_root(pairs: Sequence[judge.Pair]) -> list[judge.Pair]:
    """Every cell against the baselines further up that have another framework.

    The two differ in the framework alone.

    A cell whose own baseline is the faulty one is compared with a sound one as well.
    """
    above = {pair.candidate.id: pair.baseline for pair in pairs}
    found = []
    for pair in pairs:
        root = pair.baseline
        while root.id in above:
            root = above[root.id]
        if pairing.difference(root, pair.candidate) == "framework":
            found.append(judge.Pair(root, pair.candidate, "framework"))
    return found


def _beside_native(cells: Sequence[Cell]) -> list[judge.Pair]:
    """Every cell with Keras against its twin without Keras.

    Whatever else the cell is compared with.
    """
    there = set(cells)
    return [judge.Pair(pairing.twin(c), c, "keras") for c in cells if c.keras is not None and pairing.twin(c) in there]
