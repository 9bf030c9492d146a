"""Prints the error rates of seed-dependent figures, and the promises.

    python bench/judge/seeded_rates.py bench/judge/learning.npz

Exits with 1 where a promise is broken. The seeds of the two cells with the most runs are drawn into two halves. Each
half in turn is the one that the priors of ``runner.judge.seed_noise`` are compared with, while rates are counted on the
other one, so that every seed is checked by a prior that it had no part in. Other cells have no part in any prior.

A drop is made by subtracting it from recorded accuracies. Every draw is judged as a run of ``quick`` is, with as many
figures. All draws are reproducible.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runner.judge import JudgeSettings, Pair, judge, seed_noise
from runner.model import Better, Comparison, Kind, Metric, Sample, Status, Verdict
from runner.results.lines import NamedCell

Floats = NDArray[np.float64]
SEED = 20240517
PROBE = "mnist"
TESTS = 2000
ACCURACY, LOSS = "free.test_accuracy", "free.test_loss"
FIGURES = {ACCURACY: Better.HIGHER, LOSS: Better.LOWER}
CONTROLLED = {"controlled.test_accuracy": Better.HIGHER, "controlled.test_loss": Better.LOWER}
QUICK = {**FIGURES, **CONTROLLED}
"""What a run of ``quick`` judges. Free runs stand in for the controlled part, so that as many figures are judged."""
ALARMS = (Verdict.REGRESSED, Verdict.IMPROVED)
ONE_LOOK = JudgeSettings(sequential=False)
LOOKS = JudgeSettings(max_rounds=20)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seen: str
    promised: str = ""
    kept: bool | None = None
    """None: nothing was promised."""


Runs = dict[str, Floats]
"""Metric -> the figures of successive seeds of one cell."""

Halves = tuple[tuple[Runs, ...], ...]
"""Each half of the seeds, as the runs of every cell."""


class Recording:
    """The recorded runs, sorted by cell, data and fault."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as file:
            self._arrays = {name: file[name] for name in (*FIGURES, *CONTROLLED, "cell", "data", "fault", "seed")}

    def runs(self, cell: str, figures: Mapping[str, Better], data: str = "real", fault: str = "") -> Runs:
        """The runs of a cell that have these figures, by seed."""
        a = self._arrays
        mine = (a["cell"] == cell) & (a["data"] == data) & (a["fault"] == fault)
        for name in figures:
            mine &= np.isfinite(a[name])
        order = np.argsort(a["seed"][mine], kind="stable")
        return {name: a[name][mine][order] for name in figures} | {"seed": a["seed"][mine][order].astype(float)}

    def cells(self, figures: Mapping[str, Better], data: str = "real", fault: str = "") -> list[str]:
        """The cells that have such runs, those with the most first."""
        counts = {
            str(cell): len(self.runs(str(cell), figures, data, fault)["seed"]) for cell in set(self._arrays["cell"])
        }
        return sorted((cell for cell, count in counts.items() if count), key=lambda cell: (-counts[cell], cell))

    @property
    def faults(self) -> list[str]:
        """The names of the faults."""
        return sorted({str(fault) for fault in self._arrays["fault"]} - {""})


def halves(runs: Runs, draw: np.random.Generator) -> tuple[Runs, Runs]:
    """The runs, drawn into two halves."""
    order = draw.permutation(len(runs["seed"]))
    middle = len(order) // 2
    return tuple({name: values[part] for name, values in runs.items()} for part in (order[:middle], order[middle:]))  # type: ignore[return-value]


def fitted(cells: Sequence[Runs], name: str) -> float:
    """The standard deviation between seeds, pooled over cells.

    It is a multiple of that of counting.
    """
    means = [runs[name].mean() for runs in cells]
    counted = [seed_noise.binomial(m, TESTS) if "accuracy" in name else np.sqrt(m / TESTS) for m in means]
    return float(np.sqrt(np.mean([(runs[name].std(ddof=1) / c) ** 2 for runs, c in zip(cells, counted, strict=True)])))


def judged(
    cells: Mapping[str, Runs], settings: JudgeSettings, figures: Mapping[str, Better] = QUICK
) -> list[Comparison]:
    """Judge every cell against the first."""
    named = {name: NamedCell(name, "", None, "", "") for name in cells}
    samples = []
    for cell, runs in cells.items():
        series = {name: runs[name if name in runs else name.replace("controlled", "free")] for name in figures}
        for number in range(len(series[next(iter(figures))])):
            metrics = tuple(Metric(n, float(series[n][number]), Kind.SEEDED, better) for n, better in figures.items())
            sample = Sample(named[cell], "", PROBE, {}, number, number, "host", Status.OK, "", metrics)
            samples.append(replace(sample, settings={"test_samples": TESTS}))
    first, *others = named.values()
    found = judge(samples, [Pair(first, other, "cell") for other in others], (), settings)
    return [c for c in found if c.baseline and c.metric in figures]


def drawn(held: Halves, cells: int, n: int, draw: np.random.Generator) -> dict[str, Runs]:
    """Some cells of n runs each from one half, each from one recorded cell.

    No run is used twice while there are others.
    """
    pool = held[int(draw.integers(len(held)))]
    free = [list(draw.permutation(len(runs["seed"]))) for runs in pool]
    made = {}
    for i in range(cells):
        able = [k for k, rest in enumerate(free) if len(rest) >= n]
        k = int(draw.choice(able)) if able else int(draw.integers(len(pool)))
        rows = [free[k].pop() for _ in range(n)] if able else draw.choice(len(pool[k]["seed"]), n, replace=False)
        made[f"c{i}"] = {name: values[rows] for name, values in pool[k].items()}
    return made


def dropped(runs: Runs, points: float) -> Runs:
    """The runs with a lower accuracy. The loss stays."""
    return {**runs, ACCURACY: runs[ACCURACY] - points / 100}


def rate(hits: Sequence[bool]) -> float:
    """The part that is true."""
    return sum(hits) / max(1, len(hits))


def rows(recording: Recording, draws: int) -> Iterator[Row]:
    """Everything that is promised, measured."""
    draw = np.random.default_rng(SEED)
    main = [recording.runs(cell, FIGURES) for cell in recording.cells(FIGURES)[:2]]
    held: Halves = tuple(zip(*(halves(runs, draw) for runs in main), strict=True))
    yield from priors(recording, held)
    yield from alarms(held, draws, draw)
    yield from power(held, draws, draw)
    yield from equal(held, draws, draw)
    yield from other_cells(recording, main, draw)
    yield from controlled(recording)
    yield from faults(recording, main)


def priors(recording: Recording, held: Halves) -> Iterator[Row]:
    """The spread between seeds as a multiple of that of counting.

    That of the halves is what the priors are fitted to.
    """
    for name in FIGURES:
        prior = seed_noise.PRIORS[PROBE, name].factor
        found = [fitted(half, name) for half in held]
        kept = 0.9 <= prior / max(found) <= prior / min(found) <= 1.3
        yield Row(f"{name}: spread of either half", ", ".join(f"{f:.2f}" for f in found), f"prior {prior:g}", kept)
    for figures in (FIGURES, CONTROLLED):
        for data in ("real", "synthetic"):
            for name in figures:
                cells = [recording.runs(cell, figures, data) for cell in recording.cells(figures, data)]
                cells = [runs for runs in cells if len(runs["seed"]) >= 4]
                if cells:
                    prior = seed_noise.PRIORS[PROBE, name].factor
                    count = sum(len(runs["seed"]) for runs in cells)
                    yield Row(
                        f"  {name}, {data} digits, {count} runs", f"{fitted(cells, name):.2f}", f"prior {prior:g}"
                    )


def alarms(held: Halves, draws: int, draw: np.random.Generator) -> Iterator[Row]:
    """Unchanged cells, alone, over looks and in matrices."""
    for n in (1, 3, 8):
        for cells in (2, 4):
            found = [c for _ in range(draws // n) for c in judged(drawn(held, cells, n, draw), ONE_LOOK)]
            hits = [c.verdict in ALARMS for c in found if c.metric in FIGURES]
            what = f"{cells} unchanged cells, {n} seed{'s' * (n > 1)}: alarms per comparison ({len(hits):,})"
            yield Row(what, f"{rate(hits):.2%}", "at most 0.5 %", rate(hits) <= 0.005)
    over = []
    for _ in range(draws // 8):
        pair = drawn(held, 2, min(20, *(len(runs["seed"]) for half in held for runs in half)), draw)
        seen = [
            judged({c: {k: v[:n] for k, v in runs.items()} for c, runs in pair.items()}, LOOKS) for n in range(1, 21)
        ]
        over += [any(found[i].verdict in ALARMS for found in seen) for i in range(len(seen[0]))]
    yield Row(
        f"judged after every round up to 20: alarms per comparison ({len(over):,})",
        f"{rate(over):.2%}",
        "at most 0.5 %",
        rate(over) <= 0.005,
    )
    only = {ACCURACY: Better.HIGHER}
    any_alarm = [
        any(c.verdict in ALARMS for c in judged(drawn(held, 51, 1, draw), ONE_LOOK, only)) for _ in range(draws // 8)
    ]
    yield Row(
        "matrix of 50 comparisons, 1 seed: any alarm", f"{rate(any_alarm):.1%}", "at most 5 %", rate(any_alarm) <= 0.05
    )


def power(held: Halves, draws: int, draw: np.random.Generator) -> Iterator[Row]:
    """A lower accuracy in one of two cells, of four, and of 51."""
    for points, n, promised in ((3, 1, 0.9), (5, 1, 0.99), (1.5, 3, 0.9), (1, 8, 0.9)):
        for cells, settings, asked in (
            (2, ONE_LOOK, None),
            (4, ONE_LOOK, promised),
            (4, LOOKS, None),
            (51, ONE_LOOK, None),
        ):
            found = []
            for _ in range(draws // (16 if cells > 4 else 2)):
                made = drawn(held, cells, n, draw)
                made["c1"] = dropped(made["c1"], points)
                found += [
                    c.verdict == Verdict.REGRESSED
                    for c in judged(made, settings)
                    if c.candidate == "c1" and c.metric == ACCURACY
                ]
            how = ", in looks" if settings.sequential else ""
            what = f"{points:g} points lower in one of {cells} cells, {n} seed{'s' * (n > 1)}{how}: found"
            yield Row(
                what,
                f"{rate(found):.1%}",
                f"at least {asked:.0%}" if asked else "",
                rate(found) >= asked if asked else None,
            )


def equal(held: Halves, draws: int, draw: np.random.Generator) -> Iterator[Row]:
    """What is called the same."""
    for n in (1, 3, 8, 12, 15):
        made = [drawn(held, 4, n, draw) for _ in range(draws // 16)]
        seen = [c.verdict == Verdict.SAME for cells in made for c in judged(cells, ONE_LOOK) if c.metric == ACCURACY]
        lower = [
            c.verdict == Verdict.SAME
            for cells in made
            for c in judged({**cells, "c1": dropped(cells["c1"], 1)}, ONE_LOOK)
            if c.metric == ACCURACY and c.candidate == "c1"
        ]
        yield Row(f"{n} seed{'s' * (n > 1)}: unchanged cells called same", f"{rate(seen):.0%}")
        yield Row("  1 point lower called same", f"{rate(lower):.1%}", "at most 0.5 %", rate(lower) <= 0.005)


def other_cells(recording: Recording, held: Sequence[Runs], draw: np.random.Generator) -> Iterator[Row]:
    """Cells that no prior was fitted to, against the two that were recorded most."""
    for cell in recording.cells(FIGURES)[2:]:
        other = recording.runs(cell, FIGURES)
        found = []
        for runs in held:
            for i in range(len(other["seed"])):
                for j in draw.permutation(len(runs["seed"]))[:12]:
                    made = {"a": {k: v[[j]] for k, v in runs.items()}, "b": {k: v[[i]] for k, v in other.items()}}
                    found += [c.verdict in ALARMS for c in judged(made, ONE_LOOK, FIGURES)]
        yield Row(
            f"{cell}, 1 seed: alarms ({len(found):,})", f"{rate(found):.2%}", "at most 0.5 %", rate(found) <= 0.005
        )


def controlled(recording: Recording) -> Iterator[Row]:
    """The controlled part of all cells with the same seed."""
    for data in ("real", "synthetic"):
        cells = {cell: recording.runs(cell, CONTROLLED, data) for cell in recording.cells(CONTROLLED, data)}
        found = []
        for seed in sorted({float(s) for runs in cells.values() for s in runs["seed"]}):
            one = {
                c: {k: v[runs["seed"] == seed] for k, v in runs.items()}
                for c, runs in cells.items()
                if seed in runs["seed"]
            }
            for first in one if len(one) > 1 else ():
                found += [c.verdict in ALARMS for c in judged({first: one[first], **one}, ONE_LOOK, CONTROLLED)]
        if found:
            yield Row(
                f"controlled, {data} digits, 1 seed: alarms ({len(found):,})",
                f"{rate(found):.2%}",
                "at most 0.5 %",
                rate(found) <= 0.005,
            )


def faults(recording: Recording, held: Sequence[Runs]) -> Iterator[Row]:
    """Networks broken on purpose, against all healthy runs, one seed each."""
    for fault in recording.faults:
        for cell in recording.cells(FIGURES, fault=fault):
            broken = recording.runs(cell, FIGURES, fault=fault)
            found: dict[str, list[bool]] = {}
            for runs in held:
                for i in range(len(broken["seed"])):
                    for j in range(len(runs["seed"])):
                        made = {"a": {k: v[[j]] for k, v in runs.items()}, "b": {k: v[[i]] for k, v in broken.items()}}
                        for c in judged(made, ONE_LOOK, FIGURES):
                            found.setdefault(c.metric, []).append(c.verdict == Verdict.REGRESSED)
            for metric, hits in found.items():
                yield Row(f"{fault}, 1 seed: found by {metric}", f"{rate(hits):.0%}")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("recording", type=Path, help="a recording that learning.py packed")
    parser.add_argument("--draws", type=int, default=2000)
    args = parser.parse_args()
    recording = Recording(args.recording)
    for cell in recording.cells(FIGURES):
        runs = recording.runs(cell, FIGURES)
        a, b = runs[ACCURACY], runs[LOSS]
        spread = f"accuracy {a.mean():.2%} with a spread of {100 * a.std(ddof=1):.2f} points, loss {b.mean():.3f} with {b.std(ddof=1):.4f}"  # noqa: E501
        print(f"{cell}: {len(a)} seeds, {spread}")
    broken = 0
    marks = {None: "", True: "kept", False: "BROKEN"}
    for row in rows(recording, args.draws):
        print(f"{row.what:78} {row.seen:>10}  {row.promised:16} {marks[row.kept]}", flush=True)
        broken += row.kept is False
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
