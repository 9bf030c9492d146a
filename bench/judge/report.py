"""Prints the judge's error rates and power on recorded noise, and the promises.

    python bench/judge/report.py bench/judge/*.csv

Exits with 1 where a promise is broken. False alarms are counted on the recordings as they are. Power and savings
depend on how noisy a machine is: 20 rounds do not show 10 % where a cell differs from itself by more (with normal
noise, no test can keep both 0.5 % and 97 % above an A/A noise of 5 %). Power is promised up to an A/A noise,
as `runner calibrate` measures it, of 3.5 %, savings up to 2.5 %. Noisier recordings are shrunk to that first, which
keeps their tails, spells and drift.

noise-loaded.csv was recorded while up to twenty other processes used the same two CPUs. noise-alone.csv was recorded
on a reserved CPU (`chrt -f 1 python bench/judge/record.py --one-thread ...`) while the other CPU was busy.
noise-quiet.csv was recorded on two idle CPUs. noise-busy.csv was recorded while ten other processes used two CPUs. It
checks the test of few rounds, which had been designed before (one constant, ``moderated.TAILS``, was changed later).
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import simulate as sim

from runner.judge import JudgeSettings, ranks
from runner.judge.timing import judge_timings
from runner.model import Verdict

ROUNDS = 20
FIXED = JudgeSettings(sequential=False, max_rounds=ROUNDS)
LOOKS = JudgeSettings(max_rounds=ROUNDS)
ALARMS = (Verdict.REGRESSED, Verdict.IMPROVED)
SEED = 20240517
FOR_POWER, FOR_SAVINGS = 0.035, 0.025
"""The A/A noise up to which power and savings are promised."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seen: str
    promised: str
    kept: bool | None
    """None: nothing was promised."""


def rows(recordings: list[sim.Recording], draws: int) -> Iterator[Row]:
    """Everything that is promised, measured."""
    draw = np.random.default_rng(SEED)
    yield from false_alarms(recordings, draws, draw)
    yield from drift(recordings, draw)
    yield from power([quieted(recording, FOR_POWER) for recording in recordings], draws, draw)
    yield from early([quieted(recording, FOR_POWER) for recording in recordings], draws, draw)
    yield from all_looks(recordings, draws, draw)
    yield from savings([quieted(recording, FOR_SAVINGS) for recording in recordings], draw)
    yield from speed(draw)


@functools.cache
def _noise(ratios: tuple[float, ...]) -> float:
    draw = np.random.default_rng(SEED)
    d = draw.choice(np.abs(ratios), (2000, ROUNDS)) * draw.choice([-1.0, 1.0], (2000, ROUNDS))
    return float(np.expm1(np.quantile(np.abs(ranks.signed_rank(d, np.zeros(2000), 0.5).shift), 0.99)))


def noise(recording: sim.Recording) -> float:
    """What 99 of 100 comparisons of the workload with itself stay below, relative."""
    return _noise(tuple(np.diff(recording.logs).tolist()))


def quieted(recording: sim.Recording, most: float) -> sim.Recording:
    """The recording, shrunk to an A/A noise of ``most`` where it has more."""
    loud = noise(recording)
    return recording if loud <= most else sim.scaled(recording, float(np.log1p(most) / np.log1p(loud)))


def share(hits: list[bool]) -> float:
    """The part that is true."""
    return sum(hits) / max(1, len(hits))


def mixed(recordings: list[sim.Recording], draws: int, draw: np.random.Generator) -> Iterator[sim.Floats]:
    """Windows of all recordings in turn."""
    for i in range(draws):
        yield sim.window(recordings[i % len(recordings)], ROUNDS, draw)


def false_alarms(recordings: list[sim.Recording], draws: int, draw: np.random.Generator) -> Iterator[Row]:
    """A/A, interleaved."""
    windows = list(mixed(recordings, draws, draw))
    alone = share([judge_timings([sim.paired(d)], FIXED)[0].verdict in ALARMS for d in windows])
    yield Row("A/A, interleaved, one comparison: false alarms", f"{alone:.2%}", "at most 0.5 %", alone <= 0.005)
    looks = share([sim.sequential(d, LOOKS).verdict in ALARMS for d in windows])
    yield Row("  the same with all looks", f"{looks:.2%}", "at most 0.5 %", looks <= 0.005)
    matrices = [[sim.paired(d) for d in mixed(recordings, 50, draw)] for _ in range(draws // 4)]
    any_alarm = share([any(j.verdict in ALARMS for j in judge_timings(m, FIXED)) for m in matrices])
    yield Row("A/A, matrix of 50 comparisons: any false alarm", f"{any_alarm:.1%}", "at most 5 %", any_alarm <= 0.05)
    plain = share([naive(d) for d in windows])
    yield Row("  for comparison: t-test at 5 %, any effect", f"{plain:.1%}", "", None)


def naive(d: sim.Floats) -> bool:
    """A paired t-test without floor or correction, as benchmark tools use it."""
    return bool(abs(d.mean()) > 2.093 * d.std(ddof=1) / np.sqrt(len(d)))


def all_looks(recordings: list[sim.Recording], draws: int, draw: np.random.Generator) -> Iterator[Row]:
    """A/A over all looks together, in runs of one recording.

    No comparison stops after a decision.
    """
    for m, runs in ((6, draws // 27), (50, draws // 130)):
        ends = {one.name: np.array([alarms(one, m, draw) for _ in range(runs)]) for one in recordings}
        ever = np.array([end.any(axis=2) for end in ends.values()])
        alone = {name: float(end[:, :, : len(LOOKS.early_looks)].any(axis=2).mean()) for name, end in ends.items()}
        name, most = max(alone.items(), key=lambda item: item[1])
        yield Row(
            f"A/A, all looks, {m} of one figure: false alarms",
            f"{ever.mean():.2%}",
            "at most 0.5 %",
            bool(ever.mean() <= 0.005),
        )
        yield Row("  at the looks after 3, 5 and 8 rounds", f"{np.mean(list(alone.values())):.3%}", "", None)
        yield Row(f"  most: {name}", f"{most:.2%}", "at most 0.5 %", most <= 0.005)
        run = ever.any(axis=2)
        yield Row("  any false alarm in a run", f"{run.mean():.1%}", "at most 5 %", bool(run.mean() <= 0.05))


def alarms(recording: sim.Recording, m: int, draw: np.random.Generator) -> list[list[bool]]:
    """For m comparisons of a run, whether each look raised an alarm."""
    windows = [sim.window(recording, ROUNDS, draw) for _ in range(m)]
    looks = [judge_timings([sim.paired(d[:look]) for d in windows], LOOKS) for look in LOOKS.looks]
    return [[judged.verdict in ALARMS for judged in one] for one in zip(*looks, strict=True)]


@dataclasses.dataclass(frozen=True)
class Large:
    """A large change of one comparison.

    It is the first of m of one figure; the others did not change.
    """

    change: float
    rounds: int
    m: int
    promised: float | None = None
    calibrated: bool = False
    one_baseline: bool = False
    """Whether all have one baseline, in rounds of m + 1 processes, instead of one each, next to the candidate."""

    @property
    def what(self) -> str:
        """The case in words."""
        among = f"one of {self.m}" if self.m > 1 else "alone, calibrated" if self.calibrated else "alone"
        return f"+{self.change:.0%} within {self.rounds} rounds, {among}{', one baseline' * self.one_baseline}"

    def found(self, recording: sim.Recording, draw: np.random.Generator) -> bool:
        """Whether a look of this many rounds or fewer finds it."""
        if self.one_baseline:
            run = list(sim.round_robin(recording, self.m, self.rounds, draw))
        else:
            run = [sim.window(recording, self.rounds, draw) for _ in range(self.m)]
        run[0] = run[0] + np.log1p(self.change)
        settings = LOOKS
        if self.calibrated:
            settings = dataclasses.replace(LOOKS, noise={"c/p/t": noise(recording)})
        for look in (look for look in LOOKS.looks if look <= self.rounds):
            made = [dataclasses.replace(sim.paired(d[:look]), figure=("p", "t"), cells=("c",)) for d in run]
            if judge_timings(made, settings)[0].verdict == Verdict.REGRESSED:
                return True
        return False


LARGE = (
    Large(1.0, 3, 50, 0.99),
    Large(1.0, 3, 6, 0.99),
    Large(1.0, 3, 6, one_baseline=True),
    Large(1.0, 5, 6, one_baseline=True),
    Large(1.0, 3, 1, calibrated=True),
    Large(1.0, 5, 1),
    Large(1.0, 8, 1),
    Large(0.5, 5, 50, 0.97),
    Large(0.5, 5, 6, 0.97),
    Large(0.5, 5, 6, one_baseline=True),
    Large(0.5, 8, 6, one_baseline=True),
    Large(0.5, 5, 1, calibrated=True),
    Large(0.5, 8, 1),
)


def early(recordings: list[sim.Recording], draws: int, draw: np.random.Generator) -> Iterator[Row]:
    """Changes that a few rounds show."""
    for case in LARGE:
        times = draws // (6 if case.promised is None else 2) // len(recordings)
        found = {one.name: share([case.found(one, draw) for _ in range(times)]) for one in recordings}
        mean, (name, least) = np.mean(list(found.values())), min(found.items(), key=lambda item: item[1])
        asked = "" if case.promised is None else f"at least {case.promised:.1%}"
        yield Row(case.what, f"{mean:.1%}", asked, None if case.promised is None else bool(mean >= case.promised))
        yield Row(f"  least: {name}", f"{least:.1%}", "", None)


def drift(recordings: list[sim.Recording], draw: np.random.Generator) -> Iterator[Row]:
    """Processes that were not interleaved, or not on one host."""
    found = [
        sim.timings(sim.blocks(recording, ROUNDS, draw, slope), FIXED)[0].verdict
        for recording in recordings
        for slope in (0.0, 0.002, 0.01, 0.05)
        for _ in range(25)
    ]
    alarms, undecided = share([v in ALARMS for v in found]), share([v == Verdict.INCONCLUSIVE for v in found])
    kept = alarms <= 0.01 and alarms + undecided == 1.0
    yield Row("blocks on a drifting host: alarms", f"{alarms:.1%}", "at most 1 %, rest undecided", kept)
    apart = []
    for recording in recordings:
        for _ in range(25):
            one = sim.blocks(recording, ROUNDS, draw)
            moved = [dataclasses.replace(s, fingerprint={"host": s.cell.id}) for s in one]
            apart.append(sim.timings(moved, FIXED)[0].verdict == Verdict.NOT_COMPARABLE)
    yield Row("different hosts: not comparable", f"{share(apart):.0%}", "always", all(apart))


def power(recordings: list[sim.Recording], draws: int, draw: np.random.Generator) -> Iterator[Row]:
    """A slowdown put into real windows."""
    for change, promised in ((0.10, 0.97), (0.20, 0.995)):
        windows = [d + np.log1p(change) for d in mixed(recordings, draws, draw)]
        fixed = [judge_timings([sim.paired(d)], FIXED)[0].verdict for d in windows]
        ends = [sim.sequential(d, LOOKS) for d in windows]
        for name, verdicts in (("20 rounds", fixed), ("all looks", [end.verdict for end in ends])):
            found = share([v == Verdict.REGRESSED for v in verdicts])
            yield Row(f"+{change:.0%} found, {name}", f"{found:.1%}", f"at least {promised:.1%}", found >= promised)
            wrong = sum(v == Verdict.SAME for v in verdicts)
            yield Row(f"  called same, {name}", f"{wrong} of {draws}", "never", wrong == 0)
        yield Row("  processes a side, all looks", f"{np.mean([end.rounds for end in ends]):.1f}", "at most 20", True)
        plain = share([judge_timings([sim.paired(d)], SIGNED_RANK)[0].verdict == Verdict.REGRESSED for d in windows])
        yield Row("  for comparison: signed rank at 5 % with the floor", f"{plain:.1%}", "", None)


SIGNED_RANK = JudgeSettings(sequential=False, max_rounds=ROUNDS, per_comparison=0.05)


def savings(recordings: list[sim.Recording], draw: np.random.Generator) -> Iterator[Row]:
    """Matrices of 50 candidates, of which two changed."""
    spent, wrong, found = [], [], []
    for i in range(20):
        recording = recordings[i % len(recordings)]
        cost = sim.matrix(recording, {3: 0.1, 30: 0.2}, 50, LOOKS, draw)
        spent.append(cost.processes / (51 * ROUNDS))
        verdicts = {int(name[1:]): verdict for name, verdict in cost.verdicts.items()}
        wrong.append(any(verdict in ALARMS for c, verdict in verdicts.items() if c not in (3, 30)))
        found += [verdicts[c] == Verdict.REGRESSED for c in (3, 30)]
    saved = 1 - float(np.mean(spent))
    yield Row("processes saved by looking, 48 of 50 unchanged", f"{saved:.0%}", "at least 40 %", saved >= 0.4)
    yield Row("  matrices with any false alarm", f"{share(wrong):.0%}", "at most 5 %", share(wrong) <= 0.05)
    yield Row("  changes found", f"{share(found):.0%}", "", None)


def speed(draw: np.random.Generator) -> Iterator[Row]:
    """10,000 comparisons of 20 samples, from samples to verdicts."""
    names = [f"m{i}" for i in range(100)]
    samples = [
        sim.sample(f"c{cell}", r, dict(zip(names, np.exp(draw.normal(0, 0.03, 100)).tolist(), strict=True)))
        for r in range(ROUNDS)
        for cell in range(101)
    ]
    seconds, cpu = time.perf_counter(), time.process_time()
    found = sim.timings(samples, FIXED)
    seconds, cpu = time.perf_counter() - seconds, time.process_time() - cpu
    shown = f"{seconds:.1f} s ({cpu:.1f} s CPU)"
    yield Row(f"judging {len(found):,} comparisons of 20 samples", shown, "at most 3 s", cpu <= 3.0)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("noise", type=Path, nargs="+", help="recordings of record.py")
    parser.add_argument("--draws", type=int, default=4000)
    args = parser.parse_args()
    recordings = [recording for path in args.noise for recording in sim.recordings(path)]
    for recording in recordings:
        spread = np.std(np.diff(recording.logs)) / np.sqrt(2)
        print(
            f"{recording.name}: {len(recording.logs)} processes, spread {spread:.1%}, A/A noise {noise(recording):.1%}"
        )
    broken = 0
    mark: Callable[[bool | None], str] = {None: "", True: "kept", False: "BROKEN"}.__getitem__
    for row in rows(recordings, args.draws):
        print(f"{row.what:52} {row.seen:>20}  {row.promised:28} {mark(row.kept)}", flush=True)
        broken += row.kept is False
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
