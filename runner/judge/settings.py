"""What a judgement is made with: error rates, the floor, and when a sequential run looks at its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.errors import UsageError

LOOK_FRACTIONS = (0.3, 0.5, 0.7, 1.0)
"""When a sequential run looks, as fractions of the most rounds it may take: after 6, 10, 14 and 20 of 20 rounds.

The first is the smallest at which the exact test can show equivalence with its share of alpha (2**-6 of 0.05),
the third the smallest at which it can show a difference among 50 comparisons (2 * 2**-14 of 0.05 / 50).
"""

SPENDING_POWER = 3.0
"""Exponent of the alpha spending function alpha * t**rho for differences. Kim & DeMets, Biometrika 74 (1987) 149:
rho = 3 comes close to O'Brien & Fleming's boundary, which keeps almost all of alpha for the last look."""

SAME_SPENDING_POWER = 0.85
"""The same for equivalence. Below one, it is spent early: most pairs are unchanged and should stop at once."""


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Error rates, floor and looks. Raises UsageError where a figure makes no sense."""

    alpha: float = 0.05
    """Chance of any false alarm among all timing comparisons of a run (Holm); of a false ``same`` in one of them."""
    per_comparison: float = 0.0025
    """Chance of a false alarm in one comparison, however few are made (it must stay below 0.5 %)."""
    floor: float = 0.05
    """The smallest relative change that counts; below it, a change is ``same`` however sure it is."""
    max_rounds: int = 20
    sequential: bool = True
    """Whether the rounds came in several looks. False: one look at all there is, with all of alpha."""
    noise: Mapping[str, float] = field(default_factory=dict)
    """``cell/probe/metric`` -> its A/A noise (see ``runner.judge.calibration``); a larger one replaces the floor."""

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha must lie between 0 and 1, not {self.alpha}")
        if not 0 < self.per_comparison <= self.alpha:
            object.__setattr__(self, "per_comparison", self.alpha)
        if not 0 <= self.floor < 1:
            raise UsageError(f"the floor must be at least 0 and below 1, not {self.floor}")
        if self.max_rounds < 1:
            raise UsageError(f"at least one round is needed, not {self.max_rounds}")

    @property
    def looks(self) -> tuple[int, ...]:
        """Rounds taken at each look, ascending; the last is ``max_rounds``.

        >>> JudgeSettings(max_rounds=20).looks
        (6, 10, 14, 20)
        >>> JudgeSettings(max_rounds=5).looks
        (5,)
        """
        if not self.sequential or self.max_rounds <= 6:
            return (self.max_rounds,)
        return tuple(sorted({max(6, round(f * self.max_rounds)) for f in LOOK_FRACTIONS}))

    def spent(self, power: float) -> tuple[float, ...]:
        """Share of alpha for each look; the shares sum to one.

        Each share is the nominal level of its look, so the total error is at most alpha by the union bound,
        for any test statistic, also an exact and discrete one.
        """
        total = [(n / self.max_rounds) ** power for n in self.looks]
        return tuple(b - a for a, b in zip([0.0, *total], total, strict=False))
