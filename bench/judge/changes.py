"""Prints how often change points are reported and found on recorded noise.

    python bench/judge/changes.py bench/judge/*.csv bench/judge/apart/*.csv

Exits with 1 where a promise is broken. The constants of ``runner.judge.changes`` were chosen on the recordings in
``TUNED``. noise-spaced.csv was recorded afterwards, to check them: one process of each workload every six seconds
(`record.py --pause 4`), on two CPUs that one to eleven other processes used. Its rows are kept apart in the table.

Unchanged series are drawn in three ways. *In turn*: successive processes, so that the host's slow spells and its drift
are in the series; they are real steps of the host, which no program can distinguish from those of a release. *Every
4th*: the same with three others in between, as a run of four cells measures. *Nights*: processes in a random order, as
runs that lie far apart meet the host in any state. Nothing is promised for every 4th: such a series is half of a
recording, so that few are independent, and one spell of the host that fills half of it counts many times.

Steps are added to recordings that are shrunk until a point varies by ``NOISE`` (standard deviation, with all spells and
drift, which keep their shape): a step that a recording's own spells exceed cannot be found.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import simulate as sim

from runner.judge import changes as judge

SEED = 20261129
TUNED = frozenset({"noise-alone", "noise-busy", "noise-loaded", "noise-quiet"})
NOISE = 0.015
"""Standard deviation of a point, relative, up to which finding +10 % is promised."""
NEAR = 2
"""A step is found where a change point is reported within so many points of it."""

Draw = Callable[[sim.Recording, int, np.random.Generator], sim.Floats]


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seen: str
    promised: str = ""
    kept: bool | None = None
    """None: nothing was promised."""


def in_turn(recording: sim.Recording, n: int, draw: np.random.Generator) -> sim.Floats:
    """The logarithms of n successive processes.

    Series that are longer than the recording are made of pieces of 50.
    """
    logs = recording.logs
    if n > len(logs):
        pieces = [in_turn(recording, 50, draw) for _ in range(-(-n // 50))]
        return np.concatenate(pieces)[:n]
    start = int(draw.integers(0, len(logs) - n + 1))
    return logs[start : start + n]


def every_4th(recording: sim.Recording, n: int, draw: np.random.Generator) -> sim.Floats:
    """Every fourth of 4 n - 3 successive processes."""
    return in_turn(recording, 4 * n - 3, draw)[::4]


def nights(recording: sim.Recording, n: int, draw: np.random.Generator) -> sim.Floats:
    """Processes in a random order, with replacement where there are too few."""
    return draw.choice(recording.logs, n, replace=n > len(recording.logs))


def calm(recording: sim.Recording, noise: float = NOISE) -> sim.Recording:
    """The recording, shrunk to this standard deviation where it has more."""
    return sim.scaled(recording, min(1.0, noise / float(recording.logs.std())))


def found(logs: sim.Floats) -> list[int]:
    """The change points of a series."""
    return [change.index for change in judge.changes(np.exp(logs).tolist())]


def alarms(recordings: Sequence[sim.Recording], how: Draw, n: int, draws: int, seed: int = SEED) -> float:
    """The share of unchanged series with any change point."""
    draw = np.random.default_rng(seed)
    return float(np.mean([bool(found(how(recordings[i % len(recordings)], n, draw))) for i in range(draws)]))


def finds(
    recordings: Sequence[sim.Recording],
    how: Draw,
    n: int,
    steps: Sequence[tuple[float, float]],
    draws: int,
    seed: int = SEED,
) -> tuple[float, float]:
    """The share of series in which all steps are found, and those without any other.

    ``steps``: where (as a fraction of the series) and how large (relative).
    """
    draw = np.random.default_rng(seed)
    whole, alone = 0, 0
    places = [round(where * n) for where, _ in steps]
    for i in range(draws):
        logs = how(recordings[i % len(recordings)], n, draw).copy()
        for place, (_, size) in zip(places, steps, strict=True):
            logs[place:] += np.log1p(size)
        seen = found(logs)
        hit = all(any(abs(at - place) <= NEAR for at in seen) for place in places)
        whole += hit
        alone += hit and len(seen) == len(places)
    return whole / draws, alone / draws


def covered(recordings: Sequence[sim.Recording], how: Draw, draws: int, seed: int = SEED) -> float:
    """The share of intervals that contain the step of +10 % (20 + 20 points)."""
    draw = np.random.default_rng(seed)
    hits = []
    for i in range(draws):
        logs = how(recordings[i % len(recordings)], 40, draw) + np.log1p(0.1) * (np.arange(40) >= 20)
        hits += [one.low <= 0.1 <= one.high for one in judge.changes(np.exp(logs).tolist()) if abs(one.index - 20) <= 2]
    return float(np.mean(hits)) if hits else 0.0


WAYS: dict[str, Draw] = {"in turn": in_turn, "every 4th": every_4th, "nights": nights}
MIDDLE = 0.5


def rows(tuned: Sequence[sim.Recording], apart: Sequence[sim.Recording], draws: int) -> Iterator[Row]:
    """Everything that is promised, measured."""
    for name, recordings in (("", tuned), ("kept apart: ", apart)):
        if not recordings:
            continue
        for way, how in WAYS.items():
            seen = alarms(recordings, how, 40, draws)
            what = f"{name}unchanged, 40 points, {way}: any change point"
            if how is every_4th:
                yield Row(what, f"{seen:.2%}")
            else:
                yield Row(what, f"{seen:.2%}", "at most 1 %", seen <= 0.01)
        for n in (8, 10, 20, 100, 400):
            seen = [alarms(recordings, how, n, draws // (8 if n > 100 else 2)) for how in (in_turn, nights)]
            yield Row(f"{name}unchanged, {n} points, in turn; nights", "; ".join(f"{one:.2%}" for one in seen))
        quiet = [calm(recording) for recording in recordings]
        for way, how in (("in turn", in_turn), ("nights", nights)):
            seen, alone = finds(quiet, how, 40, [(MIDDLE, 0.1)], draws)
            yield Row(
                f"{name}+10 % in the middle of 20 + 20, {way}: found within two points; and nothing else",
                f"{seen:.1%}; {alone:.1%}",
                "at least 95 %",
                seen >= 0.95,
            )
        yield from more(name, recordings, draws // 3)
    yield speed()


def more(name: str, recordings: Sequence[sim.Recording], draws: int) -> Iterator[Row]:
    """What is measured and not promised."""
    quiet = [calm(recording) for recording in recordings]
    for n in (8, 10, 100, 400):
        few = draws // (4 if n > 100 else 1)
        seen = [finds(quiet, how, n, [(MIDDLE, 0.1)], few)[0] for how in (in_turn, nights)]
        yield Row(f"{name}+10 % in the middle of {n} points, in turn; nights", "; ".join(f"{s:.0%}" for s in seen))
    for size in (0.05, 0.06, 0.2):
        seen = [finds(quiet, how, 40, [(MIDDLE, size)], draws)[0] for how in (in_turn, nights)]
        yield Row(f"{name}{size:+.0%} in the middle of 20 + 20, in turn; nights", "; ".join(f"{s:.0%}" for s in seen))
    for size, noise in ((0.1, 0.02), (0.1, 0.03), (0.2, 0.03), (0.2, 0.04), (0.5, 0.1)):
        loud = [calm(recording, noise) for recording in recordings]
        seen = [finds(loud, how, 40, [(MIDDLE, size)], draws)[0] for how in (in_turn, nights)]
        yield Row(
            f"{name}{size:+.0%}, noise {noise:.1%}, 20 + 20, in turn; nights", "; ".join(f"{s:.0%}" for s in seen)
        )
    for text, steps, n in (
        ("+10 % and +10 %, 20 points each", [(1 / 3, 0.1), (2 / 3, 0.1)], 60),
        ("+10 % and back, 20 points each", [(1 / 3, 0.1), (2 / 3, 1 / 1.1 - 1)], 60),
    ):
        seen = [finds(quiet, how, n, steps, draws)[0] for how in (in_turn, nights)]
        yield Row(f"{name}{text}: both found, in turn; nights", "; ".join(f"{s:.0%}" for s in seen))
    yield Row(f"{name}intervals of +10 % that contain it (99 %)", f"{covered(quiet, in_turn, draws):.1%}")


def speed() -> Row:
    """The CPU time of 400 points with a step, and of 1,000 series of 40."""
    draw = np.random.default_rng(SEED)
    long = np.exp(draw.standard_normal(400) * 0.03 + 0.1 * (np.arange(400) >= 200)).tolist()
    judge.changes(long)
    began = time.process_time()
    for _ in range(10):
        judge.changes(long)
    one = (time.process_time() - began) / 10
    began = time.process_time()
    for _ in range(200):
        found(draw.standard_normal(40) * 0.03)
    many = (time.process_time() - began) * 5
    text = f"{1000 * one:.0f} ms; {many:.1f} s"
    return Row("CPU time of 400 points; of 1,000 series of 40 points", text, "at most 50 ms; -", one <= 0.05)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--draws", type=int, default=2400)
    args = parser.parse_args()
    made = {path: sim.recordings(path) for path in sorted(args.files)}
    tuned = [one for path, several in made.items() if path.stem in TUNED for one in several]
    apart = [one for path, several in made.items() if path.stem not in TUNED for one in several]
    broken = 0
    print(f"noise of a point where steps are added: {NOISE:.1%}")
    for row in rows(tuned, apart, args.draws):
        broken += row.kept is False
        mark = {None: "", True: "kept", False: "BROKEN"}[row.kept]
        print(f"{row.what:88} {row.seen:>18}  {row.promised:14} {mark}".rstrip(), flush=True)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
