"""The rules that samples are judged by, and the comparisons of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner import judge
from runner.judge import calibration_file, expectations, expectations_file, pairing
from runner.matrix import sets
from runner.model import Cell, Comparison, Sample
from runner.results import store
from runner.util import folders
from runner.util import folders as resources


@dataclass(frozen=True, slots=True)
class Rules:
    """What samples are judged by."""

    set_name: str | None = None
    baseline: str | None = None
    alpha: float = 0.05
    floor: float = 0.05
    max_rounds: int | None = None

    def as_planned(self, record: store.RunRecord) -> Rules:
        """These rules with the set and the looks that a run was planned with, where they do not say otherwise."""
        listed = record.set_name in sets.load().sets
        return replace(
            self,
            set_name=self.set_name or (record.set_name if listed else None),
            max_rounds=self.max_rounds or record.max_rounds,
        )

    def settings(self, samples: Sequence[Sample]) -> judge.JudgeSettings:
        """The judge's settings; as many looks as a run up to ``max_rounds`` takes, else one look at all there is."""
        rounds = max((sample.round + 1 for sample in samples), default=1)
        return judge.JudgeSettings(
            alpha=self.alpha,
            floor=self.floor,
            max_rounds=max(self.max_rounds or 0, rounds),
            sequential=self.max_rounds is not None,
            noise=calibration_file.noise_for(samples, folders.state_dir()),
        )


def comparisons(
    samples: Sequence[Sample], rules: Rules, expected: Sequence[expectations.Expectation] | None = None
) -> list[Comparison]:
    """Every cell against its baseline; ``expected``: the expectations, where they are not those of this repository."""
    if expected is None:
        expected = expectations_file.load(resources.matrix_dir() / "expectations.toml")
    loaded = sets.load()
    prefer = sets.named_set(loaded, rules.set_name).prefer
    cells = list(dict.fromkeys(sample.cell for sample in samples))
    pairs = judge.pairs(cells, prefer, baseline=rules.baseline)
    pairs += [pair for pair in _beside_native(cells) if pair not in pairs]
    return judge.judge(samples, pairs, expected, rules.settings(samples))


def _beside_native(cells: Sequence[Cell]) -> list[judge.Pair]:
    """Every cell with Keras against the same without, whatever else it is compared with."""
    return [judge.Pair(pairing.twin(c), c, "keras") for c in cells if c.keras is not None and pairing.twin(c) in cells]
