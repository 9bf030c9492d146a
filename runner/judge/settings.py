"""The settings of the judge: error rates, the floor, and the looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.errors import UsageError

LOOK_FRACTIONS = (0.4, 0.55, 0.75, 1.0)
"""The looks of the exact tests, as fractions of the most rounds a run may take: after 8, 11, 15 and 20 of 20 rounds.

Chosen by simulation: fewest rounds for unchanged pairs at 2 to 6 % of noise. Earlier ones save nothing, as an exact
test of few rounds shows equivalence only where every single one lies within the floor; at the third, a difference
can be shown among 50 comparisons (2 * 2**-15 is below its share of 0.05 / 50).
"""

FIRST_LOOK = 8

EARLY_LOOKS = (3, 5, 8)
"""The looks for large changes, by a test that borrows the noise of other comparisons (``runner.judge.moderated``)."""

EARLY_SHARES = (0.04, 0.03, 0.01)
"""Shares of alpha for these looks; the last look has what is left of their sum. The exact tests have the rest. Chosen
by simulation: more finds hardly more doublings after three rounds, and the exact tests of +10 % would notice."""

SPENDING_POWER = 5.0
"""Exponent of the alpha spending function alpha * t**rho for differences (Kim & DeMets, Biometrika 74 (1987) 149).
Even steeper than rho = 3, which comes close to O'Brien & Fleming's boundary: an exact test of 6 or 10 rounds cannot
reach such small levels anyway, so that what it would spend there is kept for the last two looks."""

SAME_SPENDING_POWER = 1.5
"""The same for equivalence: spent almost evenly, so that most pairs, which are unchanged, can stop at the first look,
but a little later, since a change of 10 % must never pass for none (simulated: 5 in 100,000 at 6 % of noise)."""


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Error rates, floor and looks. Raises UsageError where a figure makes no sense."""

    alpha: float = 0.05
    """Chance of any false alarm among all timing comparisons of a run (Holm); of a false ``same`` in one of them."""
    per_comparison: float = 0.005
    """Chance of a false alarm in one comparison, however few are made (0.5 % is promised)."""
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

    @classmethod
    def after(cls, rounds: int, max_rounds: int | None, **given: Any) -> JudgeSettings:
        """The settings for measurements of so many rounds.

        In looks up to ``max_rounds``, else in one look.

        ``given``: other fields.
        """
        return cls(max_rounds=max(rounds, max_rounds or 0), sequential=max_rounds is not None, **given)

    @property
    def looks(self) -> tuple[int, ...]:
        """Rounds taken at each look, ascending; the last is ``max_rounds``.

        >>> JudgeSettings(max_rounds=20).looks
        (3, 5, 8, 11, 15, 20)
        >>> JudgeSettings(max_rounds=5).looks
        (3, 5)
        >>> JudgeSettings(max_rounds=2).looks
        (2,)
        """
        return tuple(sorted({*self.early_looks, *self.exact_looks}))

    @property
    def exact_looks(self) -> tuple[int, ...]:
        """The looks of the exact tests, ascending; the last is ``max_rounds``."""
        if not self.sequential or self.max_rounds <= FIRST_LOOK:
            return (self.max_rounds,)
        return tuple(sorted({max(FIRST_LOOK, round(f * self.max_rounds)) for f in LOOK_FRACTIONS}))

    @property
    def early_looks(self) -> tuple[int, ...]:
        """The looks at which large changes can be found, ascending.

        A run in one look has one, at its end, where that is early.
        """
        first, last = EARLY_LOOKS[0], EARLY_LOOKS[-1]
        at_end = {self.max_rounds} if first <= self.max_rounds <= last else set()
        if not self.sequential:
            return tuple(at_end)
        return tuple(sorted({n for n in EARLY_LOOKS if n < self.max_rounds} | at_end))

    @property
    def early_shares(self) -> tuple[float, ...]:
        """Share of alpha for each of the early looks."""
        count = len(self.early_looks)
        return (*EARLY_SHARES[: count - 1], sum(EARLY_SHARES[count - 1 :])) if count else ()

    @property
    def exact_shares(self) -> tuple[float, ...]:
        """Share of alpha for a difference at each exact look.

        With those of the early looks they sum to one.
        """
        left = 1 - sum(self.early_shares)
        return tuple(left * share for share in self.spent(SPENDING_POWER))

    def spent(self, power: float) -> tuple[float, ...]:
        """Shares of the exact looks, which sum to one.

        Each share is the nominal level of its look, so the total error is at most alpha by the union bound,
        for any test statistic, also an exact and discrete one.
        """
        total = [(n / self.max_rounds) ** power for n in self.exact_looks]
        return tuple(b - a for a, b in zip([0.0, *total], total, strict=False))
