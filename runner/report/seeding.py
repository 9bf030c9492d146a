"""Reports which ways of seeding make models train alike: the probe ``parity``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    seen: dict[Cell, Parity] = {}
    for sample in report.samples:
        if (parity := _parity(sample)) is not None:
            seen.setdefault(sample.cell, parity)
    if not seen:
        return ()
    words = Words(report)
    first = next(iter(seen.values()))
    remedies = [name for name in first.remedies if all(name in parity.remedies for parity in seen.values())]
    return (*(_remedy(name, seen, words) for name in remedies), *_shuffle(seen, words))


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
