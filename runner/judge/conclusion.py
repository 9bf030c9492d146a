"""How a run ends: which cells need more rounds, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from runner.judge.settings import JudgeSettings
from runner.judge.verdicts import STATUS
from runner.model import Comparison, Sample, Skip, Status, Verdict

RoundPlan = dict[tuple[str, str], int]
"""(cell id, probe) -> how many more rounds it should take."""


FUTILE = 4
"""A comparison that would need this many times the rounds that are left is given up: a run should end."""


def more_rounds(samples: Sequence[Sample], comparisons: Sequence[Comparison], settings: JudgeSettings) -> RoundPlan:
    """Which cells should be measured again, and how many more rounds.

    They are both sides of every timing that is still undecided.

    Empty when all is decided, hopeless (see ``FUTILE``) or measured to ``max_rounds``. Undecided is
    ``inconclusive`` with an estimate of the rounds it needs; a flaw that more rounds do not fix comes without one.
    """
    taken = Counter((sample.cell.id, sample.probe) for sample in samples)
    plan: RoundPlan = {}
    for comparison in comparisons:
        needed = comparison.evidence.rounds_needed
        if comparison.verdict != Verdict.INCONCLUSIVE or needed is None:
            continue
        sides = ((comparison.baseline, comparison.probe), (comparison.candidate, comparison.probe))
        least = min(taken[side] for side in sides)
        if needed > FUTILE * (settings.max_rounds - least):
            continue
        look = next((look for look in settings.looks if look > least), 0)
        for side in sides:
            if look > taken[side]:
                plan[side] = max(plan.get(side, 0), look - taken[side])
    return plan


def exit_code_of_figures(samples: Sequence[Sample], comparisons: Sequence[Comparison]) -> int:
    """``exit_code`` where nothing was run: 4 where no comparison has a figure."""
    if not any(comparison.evidence.n or comparison.verdict != Verdict.INCONCLUSIVE for comparison in comparisons):
        return 4
    return exit_code(samples, comparisons)


def with_unread(code: int, unread: Sequence[str]) -> int:
    """The exit code where some result files could not be used.

    What they hold was asked for and is not there: 3, where nothing worse happened.
    """
    return code or 3 if unread else code


def exit_code(samples: Sequence[Sample], comparisons: Sequence[Comparison], skips: Iterable[Skip] = ()) -> int:
    """The exit code of a run: 0, 1, 3 or 4.

    0 all measured and nothing regressed, 1 regressed or broke, 3 something not measured, 4 nothing measured.

    A failure that expectations.toml lists counts as measured; one that is listed and gone counts as 1, until the
    file is brought up to date. Timings that were to be compared and could not be count as not measured.
    """
    if not any(sample.status == Status.OK for sample in samples):
        return 4
    if any(c.gates and c.verdict in (Verdict.REGRESSED, Verdict.BROKEN, Verdict.FIXED) for c in comparisons):
        return 1
    excused = {(c.candidate, c.probe) for c in comparisons if c.metric == STATUS and c.verdict == Verdict.EXPECTED}
    failed = any(s.status != Status.OK and (s.cell.id, s.probe) not in excused for s in samples)
    apart = any(c.gates and c.verdict == Verdict.NOT_COMPARABLE for c in comparisons)
    asked_for = any(skip.status != Status.SKIPPED for skip in skips)  # an exclude of the set was not asked for
    return 3 if failed or apart or asked_for else 0
