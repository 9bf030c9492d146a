"""Reports which ways of seeding make models train alike: the probe ``parity``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from runner.model import Cell, Sample, Status
from runner.report import numbers
from runner.report.data import Report
from runner.report.words import Words, both

PROBE = "parity"

HEADING = "Seeding: do Sequential, Functional and subclassed models train alike?"


class Remedy(msgspec.Struct, frozen=True):
    """The result of one way of seeding: a word, and the largest relative difference.

    The word is ``equal``, ``rounding`` or ``differs``; the difference is that of two losses.
    """

    verdict: str = ""
    difference: float | str = 0.0


class Shuffle(msgspec.Struct, frozen=True):
    """The shuffle of ``fit``: its generators, and whether the next ``fit`` continues."""

    follows: list[str] = []
    continues: bool = False


class Parity(msgspec.Struct, frozen=True):
    """The details of a sample of ``parity``.

    ``verdicts``: a sentence per remedy, which begins with its label.
    """

    remedies: dict[str, Remedy]
    verdicts: dict[str, str]
    shuffle: Shuffle


def seeding(report: Report) -> tuple[str, ...]:
    """One sentence per remedy, and one about the shuffle; empty without ``parity``."""
    seen = _seen(report)
    if not seen:
        return ()
    words = Words(report)
    first = next(iter(seen.values()))
    remedies = [name for name in first.remedies if all(name in parity.remedies for parity in seen.values())]
    return (*(_remedy(name, seen, words) for name in remedies), *_shuffle(seen, words))


@dataclass(frozen=True, slots=True)
class RemedyTable:
    """The result of every way of seeding in every cell."""

    cells: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """A remedy; for each cell what it gave, ``equal``, ``rounding``, ``differs`` or nothing, and by how much."""


def table(report: Report) -> RemedyTable | None:
    """The remedies as a table; None without ``parity``."""
    seen = _seen(report)
    if not seen:
        return None
    words = Words(report)
    remedies = dict.fromkeys(name for parity in seen.values() for name in parity.remedies)
    rows = []
    for name in remedies:
        told = next(p.verdicts.get(name, name) for p in seen.values() if name in p.remedies)
        fields = tuple(_field(parity.remedies.get(name)) for parity in seen.values())
        rows.append((numbers.plain(told.partition(":")[0]), fields))
    return RemedyTable(tuple(words.name(cell) for cell in seen), tuple(rows))


def _field(remedy: Remedy | None) -> tuple[str, str]:
    if remedy is None:
        return "", ""
    apart = remedy.difference if isinstance(remedy.difference, str) else f"{100 * remedy.difference:.2g} % apart"
    return numbers.plain(remedy.verdict), numbers.plain(apart) if remedy.verdict == "differs" else ""


def _seen(report: Report) -> dict[Cell, Parity]:
    """The details of the first process of every cell."""
    seen: dict[Cell, Parity] = {}
    for sample in report.samples:
        if (parity := _parity(sample)) is not None:
            seen.setdefault(sample.cell, parity)
    return seen


def _parity(sample: Sample) -> Parity | None:
    """The details; None where the sample is of another probe, failed or malformed."""
    if sample.probe != PROBE or sample.status is not Status.OK:
        return None
    try:
        parity: Parity = msgspec.convert(sample.details, type=Parity)
    except msgspec.ValidationError:
        return None
    return parity


def _remedy(name: str, seen: Mapping[Cell, Parity], words: Words) -> str:
    label = numbers.plain(next(iter(seen.values())).verdicts.get(name, name).partition(":")[0])
    failed = {cell: p.remedies[name] for cell, p in seen.items() if p.remedies[name].verdict == "differs"}
    if not failed:
        return f"{label}: works everywhere" if len(seen) > 1 else f"{label}: works"
    most = max(float(remedy.difference) for remedy in failed.values())
    apart = f"the losses are up to {100 * most:.2g} % apart"
    if len(failed) == len(seen):
        return f"{label}: works nowhere, {apart}" if len(seen) > 1 else f"{label}: does not work, {apart}"
    works = [cell for cell in seen if cell not in failed]
    return f"{label}: works on {_where(works, seen, words)}; not on {_where(failed, seen, words)}, {apart}"


def _shuffle(seen: Mapping[Cell, Parity], words: Words) -> list[str]:
    alike: dict[str, list[Cell]] = {}
    for cell, parity in seen.items():
        follows = parity.shuffle.follows
        drawn = f"follows the generator of {both(follows)}" if follows else "follows no generator that can be seeded"
        goes = "goes on in the next fit" if parity.shuffle.continues else "starts over in every fit"
        alike.setdefault(numbers.plain(f"{drawn} and {goes}"), []).append(cell)
    return [f"fit's shuffle on {_where(cells, seen, words)}: {text}" for text, cells in alike.items()]


def _where(some: Iterable[Cell], seen: Iterable[Cell], words: Words) -> str:
    """Cells in words: a framework's name where all of its cells are among them."""
    chosen = set(some)
    whole = [
        framework
        for framework in dict.fromkeys(cell.framework for cell in seen)
        if all(cell in chosen for cell in seen if cell.framework == framework)
    ]
    rest = [cell for cell in chosen if cell.framework not in whole]
    return both([*whole, *([words.names(rest)] if rest else [])])
