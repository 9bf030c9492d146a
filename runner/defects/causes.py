"""Joins defects that share a cause, so that each cause is one line.

Two defects share a cause where the same cells show them and one of these holds: a message, types or arguments are the
same (``Defect.signatures``); they are further checks of one case; one function calls the other; their names are the
same but for the spelling (``losses.Tversky``, ``losses.tversky``). A case that is wrong in one way in some releases,
and in another way in the next ones, is one story with phases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from runner.defects import cells
from runner.defects.defect import Defect
from runner.defects.related import Role, family, role_of
from runner.defects.sides import Side, contradict, names
from runner.model import Cell, Sample

SHOWN_NAMES = 6
"""Of more functions in a title the first are named and the rest are counted."""

SHOWN_ALSO = 4
"""Of more other sides of a cause the first are listed and the rest are counted."""


@dataclass(slots=True)
class _Cause:
    head: Side
    others: list[tuple[Role, Side]] = field(default_factory=list)


def joined(found: Iterable[Defect], samples: Sequence[Sample]) -> list[Defect]:
    """The defects, one per cause. ``samples``: all that ran, with their cells."""
    by_id: dict[str, Sample] = {}
    for sample in samples:
        by_id.setdefault(sample.cell.id, sample)
    causes: list[_Cause] = []
    told = [Side(one, frozenset(one.cells), frozenset(one.good)) for one in found]
    for one in sorted(told, key=_order):
        for cause in causes:
            roles = [role_of(member, one, by_id) for member in (cause.head, *(other for _, other in cause.others))]
            if roles[0] is not None:
                _join(cause, roles[0], one)
                break
            if any(role in _FURTHER for role in roles) and not contradict(cause.head, one):
                _join(cause, Role.ALIKE, one)
                break
        else:
            causes.append(_Cause(one))
    return [_defect(cause, by_id) for cause in causes]


def _order(told: Side) -> tuple[object, ...]:
    """The gravest first, then the one in more cells, then a direct call."""
    defect = told.defect
    direct = any(defect.cases and defect.cases[0].startswith(name) for name in told.names)
    return -defect.severity, -len(told.bad), not direct, defect.op, defect.cases


_FURTHER = (Role.CHECK, Role.ALIKE, Role.CALLER)
"""How a defect can belong to a cause through another member than its head."""


def _join(cause: _Cause, role: Role, one: Side) -> None:
    if role is Role.CALLEE:  # the function that is wrong by itself is the head
        cause.others.insert(0, (Role.CALLER, cause.head))
        cause.head = one
    else:
        cause.others.append((role, one))


def _defect(cause: _Cause, by_id: Mapping[str, Sample]) -> Defect:
    """The head, with what else has its cause."""
    head = cause.head.defect
    if not cause.others:
        return head
    listed = list(dict.fromkeys(names(head)))
    also: list[str] = []
    phases = [one for role, one in cause.others if role is Role.PHASE]
    for role, one in cause.others:
        defect = one.defect
        apart = "" if _bounded(defect) == _bounded(head) else f" - {defect.where}{_right(defect)}"
        if role is Role.PHASE:
            continue
        if role is Role.CHECK or ": " in defect.op or ": " in head.op:
            subject = _subject(defect)
            subject = "" if subject == _subject(head) else f"{subject}: "
            what = f"{defect.kind} with {defect.pattern}" if defect.pattern else defect.kind
            also.append(f"{subject}{what}{apart}")
        else:
            listed += [name for name in names(defect) if name not in listed]
            if apart or family(defect.kind) != family(head.kind):
                also.append(f"{defect.op}: {defect.kind}{apart}")
    made = replace(
        head,
        cases=tuple(dict.fromkeys([*head.cases, *(c for _, one in cause.others for c in one.defect.cases)])),
        also=_some(list(dict.fromkeys(also))),
    )
    if ": " not in head.op:
        made = replace(made, op=", ".join(listed))
        shown = ", ".join(listed[:SHOWN_NAMES]) + (
            f" and {len(listed) - SHOWN_NAMES} more" if len(listed) > SHOWN_NAMES else ""
        )
        made = replace(made, title=shown + made.title[len(head.op) :])
    return _story([cause.head, *phases], made, by_id) if phases else made


def _some(also: Sequence[str]) -> tuple[str, ...]:
    """The first of many."""
    return (*also[:SHOWN_ALSO], *([f"{len(also) - SHOWN_ALSO} more"] if len(also) > SHOWN_ALSO else ()))


def _subject(defect: Defect) -> str:
    """What the title says something about: functions, or a promise."""
    return defect.title.partition(f": {defect.kind}")[0] if ": " in defect.op else defect.op


def _story(phases: Sequence[Side], made: Defect, by_id: Mapping[str, Sample]) -> Defect:
    """The defect with all its phases in its title, and the bounds of the whole."""
    ordered = sorted(phases, key=lambda one: min(cells.version_key(by_id[c].cell.keras) for c in one.bad))
    bad = frozenset().union(*(one.bad for one in phases))
    good = frozenset.intersection(*(one.good for one in phases)) - bad
    samples = list(by_id.values())
    at = {sample.cell.id: place for place, sample in enumerate(samples)}
    stages = [(kind, list(same)) for kind, same in groupby(ordered, key=lambda one: one.defect.kind)]
    words = ", then ".join(
        kind + (_span({c for one in same for c in one.bad}, by_id) if len(stages) > 1 else "") for kind, same in stages
    )
    subject = made.title.partition(f": {phases[0].defect.kind}")[0]
    return cells.defect(
        subject,
        words,
        made.severity,
        (at[c] for c in bad if c in at),
        (at[c] for c in good if c in at),
        samples,
        op=made.op,
        kind=made.kind,
        pattern=made.pattern,
        cases=made.cases,
        observed=made.observed,
        script=made.script,
        also=made.also,
        signatures=made.signatures,
        untried=made.untried,
    )


def _span(bad: Iterable[str], by_id: Mapping[str, Sample]) -> str:
    """`` with keras 3.0.5 - 3.5.0``: the releases of one phase."""
    found: list[Cell] = [by_id[cell].cell for cell in bad if cell in by_id]
    releases = sorted({cell.keras or "native" for cell in found}, key=cells.version_key)
    return f" with keras {releases[0]}" + (f" - {releases[-1]}" if len(releases) > 1 else "")


def _bounded(defect: Defect) -> tuple[object, ...]:
    return defect.where, defect.bounds


def _right(defect: Defect) -> str:
    return f"; right from {defect.first_good}" if defect.first_good else ""
