"""Makes samples of what other tools measured: cells, probes, rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runner.model import Comparison, Sample, Status, Verdict
from runner.results.lines import NamedCell
from runner.results.tools.process import Measured, Process, grouped


@dataclass(frozen=True, slots=True)
class Given:
    """One file of a tool, and the cell that it is about."""

    cell: str
    measured: Measured
    digest: str
    """Of the file's content."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One process of one probe in one cell."""

    cell: str
    probe: str
    process: Process
    key: str
    merged: str


def samples(files: Sequence[Given]) -> list[Sample]:
    """Make a sample of each process.

    Benchmarks are probes, and files of one name are one cell. Where all files have one name and their tool compares
    the benchmarks of a file with one another, the benchmarks are the cells.

    Rounds follow from the order of the processes, which is that of their start times where all have one, else that of
    the files. Successive processes of one cell are of one round, whether they are one or many, since a slow spell of
    the host can affect all of them. A new round begins with a cell that the round has already.
    """
    runs = list(_runs(files))
    cells: dict[str, NamedCell] = {}
    found = []
    for probe in dict.fromkeys(run.probe for run in runs):
        found += [
            Sample(
                cell=cells.setdefault(run.cell, NamedCell(run.cell, "", None, "", "")),
                environment_id="",
                probe=probe,
                settings={},
                round=number,
                seed=0,
                executor="",
                status=Status.CRASHED if run.process.failure else Status.OK,
                reason=run.process.failure,
                metrics=run.process.metrics,
                fingerprint=run.process.fingerprint,
                started=run.process.started,
                notes=(run.merged,) if run.merged else (),
                key=run.key,
            )
            for number, run in _rounds([run for run in runs if run.probe == probe])
        ]
    order = {name: place for place, name in enumerate(dict.fromkeys(run.cell for run in runs))}
    return sorted(found, key=lambda sample: order[sample.cell.id])


def _runs(files: Sequence[Given]) -> Iterator[_Run]:
    apart = len({file.cell for file in files}) == 1 and all(file.measured.alternatives for file in files)
    for file in files:
        for place, process in enumerate(file.measured.processes):
            key = f"{file.digest}:{place}"
            cell, probe = (process.benchmark, "") if apart else (file.cell, process.benchmark)
            yield _Run(cell, probe, process, key, file.measured.merged if process.repeats > 1 else "")


def _rounds(runs: Sequence[_Run]) -> Iterator[tuple[int, _Run]]:
    """The runs of one probe in their order, each with its round."""
    if all(run.process.started for run in runs):
        runs = sorted(runs, key=lambda run: datetime.fromisoformat(run.process.started).timestamp())
    number, there, last = 0, set[str](), ""
    for run in runs:
        if run.cell != last and run.cell in there:
            number, there = number + 1, set()
        there.add(run.cell)
        last = run.cell
        yield number, run


def described(files: Sequence[Given]) -> list[str]:
    """A line about each cell: the tool, its benchmarks, and their samples."""
    return [
        f"{cell}: {_described([file.measured for file in files if file.cell == cell])}"
        for cell in dict.fromkeys(file.cell for file in files)
    ]


def _described(measured: Sequence[Measured]) -> str:
    tools = " and ".join(dict.fromkeys(one.tool for one in measured))
    processes = [process for one in measured for process in one.processes]
    counts = [len(some) for some in grouped(processes).values()]
    if not counts:
        return f"{tools}, no benchmark"
    least, most = min(counts), max(counts)
    each = f"{least} sample{'' if most == 1 else 's'}" if least == most else f"{least} to {most} samples"
    text = f"{tools}, {len(counts)} benchmark{'' if len(counts) == 1 else 's'}, {each} each"
    merged = {one.merged for one in measured if any(process.repeats > 1 for process in one.processes)}
    return f"{text}: {'; '.join(sorted(merged))}" if most == 1 and merged else text


def explained(comparisons: Sequence[Comparison], judged: Sequence[Sample]) -> list[Comparison]:
    """The comparisons, with the reason why one round does not decide."""
    sides: dict[tuple[str, str], list[Sample]] = {}
    for sample in judged:
        sides.setdefault((sample.cell.id, sample.probe), []).append(sample)
    return [_explained(one, sides) for one in comparisons]


def _explained(one: Comparison, sides: Mapping[tuple[str, str], Sequence[Sample]]) -> Comparison:
    if one.verdict != Verdict.INCONCLUSIVE or one.evidence.n != 1 or one.evidence.effect is None:
        return one
    both = [sides[cell, one.probe] for cell in (one.baseline, one.candidate)]
    if any(len({sample.round for sample in side}) > 1 for side in both):
        return one
    if max(map(len, both)) > 1:
        why = "the processes did not take turns, so they are one round"
    else:
        why = "; ".join(["one sample each", *dict.fromkeys(note for side in both for note in side[0].notes)])
    return replace(one, reason=f"{one.evidence.effect:+.1%}: {why}")
