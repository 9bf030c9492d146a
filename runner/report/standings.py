"""What ``runner defects`` prints: the newest release first, a line each.

A reader has one evening and hundreds of lines: those that are right again are counted, the evidence of one is asked for
by its number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from runner.defects import Defect, cells, known
from runner.defects.known import Known
from runner.model import Cell, Sample
from runner.report import defects, numbers

SHOWN = 10
"""Lines of a section, without ``--all``."""

_LONGEST = 150
"""Characters of a line."""


class Standing(IntEnum):
    """How a defect stands in the newest cells, in the order of a list."""

    NEW = 0
    LOST = 1
    ALWAYS = 2
    PAST = 3


_HEADINGS = {
    Standing.NEW: "New in the newest release",
    Standing.LOST: "Right in an older release, wrong in the newest",
    Standing.ALWAYS: "Wrong in every release that was tried, or from the first that has it",
    Standing.PAST: "Right again in the newest release",
}


def newest(ran: Iterable[Cell]) -> set[str]:
    """The ids of the cells with the newest framework and Keras on each line of cells."""
    lines: dict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in ran:
        lines[cell.framework, cell.device, cell.variant].append(cell)

    def age(cell: Cell) -> tuple[object, ...]:
        return cells.version_key(cell.version), cells.version_key(cell.keras or "")

    last = {key: max(map(age, line)) for key, line in lines.items()}
    return {cell.id for key, line in lines.items() for cell in line if age(cell) == last[key]}


def standing(defect: Defect, latest: set[str]) -> Standing:
    """How the defect stands in the cells ``latest``."""
    bad = set(defect.cells)
    if not bad & latest:
        return Standing.PAST
    if not defect.last_good:
        return Standing.ALWAYS
    return Standing.NEW if bad <= latest else Standing.LOST


def ordered(found: Sequence[Defect], samples: Sequence[Sample]) -> list[Defect]:
    """The defects as they are numbered: by standing, then the gravest first."""
    latest = newest({sample.cell for sample in samples})
    return sorted(found, key=lambda defect: (standing(defect, latest), -defect.severity))


def lines(
    found: Sequence[Defect], samples: Sequence[Sample], listed: Sequence[Known], *, whole: bool, command: str
) -> Iterator[str]:
    """The lines of the list.

    ``found``: from ``ordered``; ``command``: what is typed to get this list.
    """
    ran = {sample.cell for sample in samples}
    latest = newest(ran)
    sections: dict[Standing, list[tuple[int, Defect]]] = defaultdict(list)
    for number, defect in enumerate(found, 1):
        sections[standing(defect, latest)].append((number, defect))
    past = len(sections[Standing.PAST])
    yield from _head(ran, samples)
    older = f": {len(found) - past} in the newest release, {past} right again" if len(ran) > len(latest) else ""
    yield f"{len(found)} defect{'' if len(found) == 1 else 's'}{older}"
    frameworks = {cell.framework for cell in ran}
    hidden = False
    for place, heading in _HEADINGS.items():
        mine = sections[place]
        if not mine or (place is Standing.PAST and not whole):
            continue
        yield ""
        yield f"{heading} ({len(mine)})" if len(ran) > len(latest) else "The gravest first"
        for number, defect in mine if whole else mine[:SHOWN]:
            yield _line(number, defect, place, frameworks, listed)
        if not whole and len(mine) > SHOWN:
            hidden = True
            yield f"      and {len(mine) - SHOWN} more"
    if found:
        yield ""
        yield f"Next: {command} --show 1     evidence and script of one"
        yield f"      {command} --report 1   as an issue for its project"
        if not whole and (hidden or past):
            yield f"      {command} --all        every line, also what is right again"


def shown(defect: Defect, listed: Sequence[Known]) -> Iterator[str]:
    """One defect with its evidence and its script."""
    yield numbers.plain(defects.headline(defect))
    yield from (f"  {numbers.plain(line)}" for line in defects.evidence(defect))
    for address in known.issues(listed, defect.op, defect.kind, defect.cells):
        yield f"  known: {address or 'not reported'}"
    yield ""
    yield from (numbers.plain(line, indent=True) for line in defect.script.splitlines())


def _head(ran: set[Cell], samples: Sequence[Sample]) -> Iterator[str]:
    """What was tried: releases, frameworks, devices, and how often."""
    keras = sorted({cell.keras for cell in ran if cell.keras}, key=cells.version_key)
    used = sorted({f"{cell.framework} {cell.version}" for cell in ran})
    devices = sorted({cell.device for cell in ran})
    processes: dict[tuple[str, str], int] = defaultdict(int)
    for sample in samples:
        processes[sample.cell.id, sample.probe] += 1
    most = max(processes.values(), default=0)
    releases = f"Keras {_span(keras)} on " if keras else ""
    shown_ = ", ".join(used[:4]) + (f" and {len(used) - 4} more" if len(used) > 4 else "")
    times = "once" if most == 1 else f"up to {most} times"
    count = f"{len(ran)} cell{'' if len(ran) == 1 else 's'}"
    yield f"{releases}{shown_}; {', '.join(devices)}; {count}, each probe {times}"


def _span(releases: Sequence[str]) -> str:
    """``3.0.5 - 3.15.1 (8 releases)``."""
    return releases[0] if len(releases) == 1 else f"{releases[0]} - {releases[-1]} ({len(releases)} releases)"


def _line(number: int, defect: Defect, place: Standing, frameworks: set[str], listed: Sequence[Known]) -> str:
    """``  3  ops.f: wrong value; right until 3.8.0 (torch) #123``."""
    what = numbers.plain(defects.brief(defect))
    mine = sorted({line.framework for line in defect.bounds})
    end = {
        Standing.NEW: f"; right in {defect.last_good}",
        Standing.LOST: f"; right until {defect.last_good}",
        Standing.ALWAYS: f"; from {defect.first_bad}" if defect.first_bad else "",
        Standing.PAST: f"; {defects.right_since(defect, defects.right(defect))}" if defect.first_good else "",
    }[place]
    end += f" ({', '.join(mine)})" if mine and set(mine) != frameworks else ""
    addresses = known.issues(listed, defect.op, defect.kind, defect.cells)
    end += "".join(f" #{address.rpartition('/')[2]}" for address in addresses[:1] if address)
    room = _LONGEST - len(end) - 6
    return f"{number:4}  {what if len(what) <= room else what[: room - 3] + '...'}{end}"
