"""Which ways of seeding make Sequential, Functional and subclassed models agree, and where: the probe ``parity``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.model import Cell, Sample, Status
from runner.report import numbers
from runner.report.data import Report
from runner.report.words import Words, both

HEADING = "Seeding: do Sequential, Functional and subclassed models train alike?"


def seeding(report: Report) -> tuple[str, ...]:
    """One sentence per remedy and one about the shuffle; empty where ``parity`` was not measured."""
    seen: dict[Cell, Mapping[str, Any]] = {}
    for sample in report.samples:
        if _usable(sample):
            seen.setdefault(sample.cell, sample.details)
    if not seen:
        return ()
    words = Words(report)
    first = next(iter(seen.values()))
    remedies = [name for name in first["remedies"] if all(name in details["remedies"] for details in seen.values())]
    return (*(_remedy(name, seen, words) for name in remedies), *_shuffle(seen, words))


def _usable(sample: Sample) -> bool:
    details = sample.details
    return (
        sample.probe == "parity"
        and sample.status is Status.OK
        and all(isinstance(details.get(key), dict) for key in ("remedies", "verdicts", "shuffle"))
    )


def _remedy(name: str, seen: Mapping[Cell, Mapping[str, Any]], words: Words) -> str:
    label = numbers.plain(str(next(iter(seen.values()))["verdicts"].get(name, name)).partition(":")[0])
    failed = {cell: d["remedies"][name] for cell, d in seen.items() if d["remedies"][name].get("verdict") == "differs"}
    if not failed:
        return f"{label}: works everywhere" if len(seen) > 1 else f"{label}: works"
    most = max(float(result.get("difference", 0)) for result in failed.values())
    apart = f"the losses are up to {100 * most:.2g} % apart"
    if len(failed) == len(seen):
        return f"{label}: works nowhere, {apart}" if len(seen) > 1 else f"{label}: does not work, {apart}"
    works = [cell for cell in seen if cell not in failed]
    return f"{label}: works on {_where(works, seen, words)}; not on {_where(failed, seen, words)}, {apart}"


def _shuffle(seen: Mapping[Cell, Mapping[str, Any]], words: Words) -> list[str]:
    alike: dict[str, list[Cell]] = {}
    for cell, details in seen.items():
        follows = [str(name) for name in details["shuffle"].get("follows", ())]
        drawn = f"follows the generator of {both(follows)}" if follows else "follows no generator that can be seeded"
        goes = "goes on in the next fit" if details["shuffle"].get("continues") else "starts over in every fit"
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
