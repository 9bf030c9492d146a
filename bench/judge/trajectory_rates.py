"""Counts false alarms of trajectories of healthy cells, and the faults found.

    python bench/judge/trajectory_rates.py [bench/judge/learning.npz]

A pair is two healthy cells with the same data and seed, or a healthy and a broken one. ``before`` is the
rule that took every step beyond the bound for a regression. See learning.py for the recording.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from runner.judge import trajectory
from runner.model import Verdict

HERE = Path(__file__).parent
SEEDS = (3, 5, 8)
"""How many seeds of a pair of cells are judged together."""
BEFORE = 1e-3
"""``LATE_FROM`` of the rule before."""


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded process."""

    cell: str
    data: str
    fault: str
    seed: int
    losses: tuple[float, ...]
    fresh: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes with the same data and seed."""

    one: Row
    other: Row

    @property
    def cells(self) -> tuple[str, str, str]:
        """What the seeds of one pair of cells have in common."""
        return self.one.data, self.one.cell, self.other.cell

    @property
    def backends(self) -> str:
        """The two frameworks."""
        return " - ".join(sorted(row.cell.partition("-")[0] for row in (self.one, self.other)))

    @property
    def long(self) -> trajectory.Distance:
        """The distance of the long trajectories."""
        return trajectory.distance(self.one.losses, self.other.losses)

    @property
    def before(self) -> bool:
        """Whether the rule before raised an alarm."""
        steps = enumerate(zip(self.one.losses, self.other.losses, strict=False))
        early = len(self.one.losses) != len(self.other.losses)
        return early or any(abs(a - b) > _before(step) * max(abs(a), abs(b)) for step, (a, b) in steps)

    @property
    def starts(self) -> list[trajectory.Distance]:
        """The distance of each fresh start."""
        return [trajectory.distance(*start) for start in zip(self.one.fresh, self.other.fresh, strict=True)]

    def seed(self, *, fresh: bool) -> trajectory.Seed:
        """What the judge is given."""
        starts = list(zip(self.one.fresh, self.other.fresh, strict=True)) if fresh else []
        return trajectory.Seed([self.one.losses], [self.other.losses], starts)


def main(file: Path) -> int:
    """Print the tables, the last one for docs/verdicts.md.

    Returns 1 where a promise is broken.
    """
    rows = read(file)
    healthy = {(row.data, row.cell, row.seed): row for row in rows if not row.fault}
    pairs = [
        Pair(one, other)
        for one, other in combinations(healthy.values(), 2)
        if (one.data, one.seed) == (other.data, other.seed)
    ]
    broken = [
        Pair(one, row)
        for row in rows
        for one in healthy.values()
        if row.fault and (one.data, one.seed) == (row.data, row.seed)
    ]
    for line in (*_healthy(pairs), "", *_seeds(pairs), "", *_faults(broken), "", *_limits(pairs, broken), ""):
        print(line)
    rows_of_table = list(_promises(pairs, broken))
    print("| | seen | promised |\n|---|---|---|")
    for what, seen, promised, _ in rows_of_table:
        print(f"| {what} | {seen} | {promised} |")
    return int(not all(kept for *_, kept in rows_of_table))


def read(file: Path) -> list[Row]:
    """The controlled trainings of a recording, each once."""
    with np.load(file) as arrays:
        table: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    found: dict[tuple[str, str, str, int], Row] = {}
    for i, steps in enumerate(table["controlled.fresh_steps"]):
        if not steps or np.isnan(table["controlled.loss_per_step"][i][0]):
            continue
        losses, fresh = (_finite(table[f"controlled.{name}"][i]) for name in ("loss_per_step", "fresh_losses"))
        starts = tuple(fresh[at : at + steps] for at in range(0, len(fresh), steps))
        name = (str(table["cell"][i]), str(table["data"][i]), str(table["fault"][i]), int(table["seed"][i]))
        found.setdefault(name, Row(*name, losses, starts))
    return list(found.values())


def _finite(losses: Any) -> tuple[float, ...]:
    end = np.flatnonzero(np.isnan(losses))
    return tuple(losses[: end[0] if len(end) else None].astype(float).tolist())


def _healthy(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "healthy cells, one seed"
    yield _line("data", "backends", "pairs", "bits differ", "before", "now", "no starts", "undecided", "fresh starts")
    groups: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.one.data, pair.backends].append(pair)
    for (data, backends), group in [*sorted(groups.items()), (("all", ""), list(pairs))]:
        with_starts = [_judged([pair], fresh=True) for pair in group]
        without = [_judged([pair], fresh=False) for pair in group]
        starts = [one for pair in group for one in pair.starts]
        yield _line(
            data,
            backends,
            len(group),
            sum(pair.one.losses != pair.other.losses for pair in group),
            sum(pair.before for pair in group),
            with_starts.count(Verdict.REGRESSED),
            without.count(Verdict.REGRESSED),
            without.count(Verdict.INCONCLUSIVE),
            f"{sum(one.diverged for one in starts)} of {len(starts)}",
        )


def _seeds(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "healthy cells, several seeds together: every run of neighbouring seeds"
    yield _line("seeds", "", "groups", "", "before", "now", "no starts", "undecided", "")
    for seeds in SEEDS:
        runs = _runs(pairs, seeds)
        with_starts, without = ([_judged(run, fresh=fresh) for run in runs] for fresh in (True, False))
        yield _line(
            seeds,
            "",
            len(runs),
            "",
            sum(any(pair.before for pair in run) for run in runs),
            with_starts.count(Verdict.REGRESSED),
            without.count(Verdict.REGRESSED),
            without.count(Verdict.INCONCLUSIVE),
            "",
        )


def _faults(broken: Sequence[Pair]) -> Iterator[str]:
    yield "broken cells against every healthy one, one seed"
    yield _line("fault", "", "pairs", "", "before", "now", "no starts", "undecided", "fewest starts")
    for fault in sorted({pair.other.fault for pair in broken}):
        group = [pair for pair in broken if pair.other.fault == fault]
        without = [_judged([pair], fresh=False) for pair in group]
        yield _line(
            fault,
            "",
            len(group),
            "",
            sum(pair.before for pair in group),
            [_judged([pair], fresh=True) for pair in group].count(Verdict.REGRESSED),
            without.count(Verdict.REGRESSED),
            without.count(Verdict.INCONCLUSIVE),
            f"{min(sum(one.diverged for one in pair.starts) for pair in group)} of {len(group[0].starts)}",
        )


def _promises(pairs: Sequence[Pair], broken: Sequence[Pair]) -> Iterator[tuple[str, str, str, bool]]:
    """What is looked at, what was seen, what is promised, and whether that holds."""
    few = "at most 0.5 %"
    alarms = sum(_judged([pair], fresh=True) is Verdict.REGRESSED for pair in pairs)
    yield "two healthy cells, one seed: false alarms", f"{alarms} of {len(pairs)}", few, alarms <= 0.005 * len(pairs)
    yield "the same by the rule before", f"{sum(pair.before for pair in pairs)} of {len(pairs)}", "", True
    without = [_judged([pair], fresh=False) for pair in pairs]
    alarms, open_ = without.count(Verdict.REGRESSED), without.count(Verdict.INCONCLUSIVE)
    seen = f"{alarms} of {len(pairs)}; {open_}"
    yield "without fresh starts: false alarms; undecided", seen, few, alarms <= 0.005 * len(pairs)
    for seeds in SEEDS:
        runs = _runs(pairs, seeds)
        alarms = sum(_judged(run, fresh=fresh) is Verdict.REGRESSED for run in runs for fresh in (True, False))
        what = f"{seeds} seeds together, with and without fresh starts: false alarms"
        yield what, f"{alarms} of {2 * len(runs)}", few, alarms <= 0.01 * len(runs)
    starts = [one.diverged for pair in pairs for one in pair.starts]
    yield "fresh starts of healthy cells that diverge", f"{sum(starts)} of {len(starts)}", "", True
    kinks, many, worst = _kinks(pairs)
    what = "long trajectories of healthy cells that diverge; of the worst pair of cells"
    yield (
        what,
        f"{kinks} of {many}; {100 * worst:.0f} %",
        f"at most {100 * trajectory.KINK_RATE:.0f} %",
        worst <= trajectory.KINK_RATE,
    )
    for fault in sorted({pair.other.fault for pair in broken}):
        group = [pair for pair in broken if pair.other.fault == fault]
        found = sum(_judged([pair], fresh=True) is Verdict.REGRESSED for pair in group)
        fewest = min(sum(one.diverged for one in pair.starts) for pair in group)
        seen = f"{found} of {len(group)}; {fewest} of {len(group[0].starts)}"
        yield f"`{fault}` found, one seed; fewest fresh starts that diverge", seen, "all", found == len(group)


def _runs(pairs: Sequence[Pair], seeds: int) -> list[list[Pair]]:
    """Every run of so many neighbouring seeds of one pair of cells."""
    groups: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: pair.one.seed):
        groups[pair.cells].append(pair)
    return [group[i : i + seeds] for group in groups.values() for i in range(len(group) - seeds + 1)]


def _kinks(pairs: Sequence[Pair]) -> tuple[int, int, float]:
    """Pairs whose long trajectories diverge, of those whose bits differ.

    And the largest share of a pair of cells.
    """
    by_cells: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for pair in pairs:
        if pair.one.losses != pair.other.losses:
            by_cells[pair.cells].append(pair.long.diverged)
    found = [diverged for many in by_cells.values() for diverged in many]
    worst = max((sum(many) / len(many) for many in by_cells.values() if len(many) >= SEEDS[-1]), default=0.0)
    return sum(found), len(found), worst


def _limits(pairs: Sequence[Pair], broken: Sequence[Pair]) -> Iterator[str]:
    diverged = [pair.long for pair in pairs if pair.long.diverged]
    yield "long trajectories of healthy cells that diverge"
    for low, high in pairwise((0, 10, 20, 50, 1000)):
        if some := [one for one in diverged if low <= one.steps < high]:
            relative, bounds = max(one.relative for one in some), max(_bounds(one) for one in some)
            yield f"  {len(some)} at step {low} to {high - 1}: by {relative:.2g}, {bounds:.3g} bounds, at most"
    agree = [one.relative for pair in pairs for one in pair.starts if not one.diverged]
    yield f"fresh starts of healthy cells agree to {max(agree, default=0):.2g}"
    for fault in sorted({pair.other.fault for pair in broken}):
        first = [one for pair in broken if pair.other.fault == fault for one in pair.starts if one.diverged]
        steps, relatives = [one.steps for one in first], [one.relative for one in first]
        if first:
            shown = f"at step {min(steps)} to {max(steps)}, by {min(relatives):.2g} to {max(relatives):.2g}"
            yield f"  {fault}: {len(first)} fresh starts diverge, {shown}"


def _before(step: int) -> float:
    return min(trajectory.bound(step), BEFORE * trajectory.LATE ** (step - 20))


def _bounds(one: trajectory.Distance) -> float:
    return one.relative / trajectory.bound(one.steps)


def _judged(pairs: Sequence[Pair], *, fresh: bool) -> Verdict:
    return trajectory.judge_trajectories([pair.seed(fresh=fresh) for pair in pairs])[0]


def _line(data: object, backends: object, *figures: object) -> str:
    return f"{data!s:18}{backends!s:26}" + "".join(f" {figure!s:>12}" for figure in figures)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "learning.npz"))
