"""Pins -> cells with environments of their own.

A framework and Keras become axes of the cell, everything else stays a pin of its environment. Two frameworks make two
cells: a user's environment that holds several is taken apart, because only one of them is Keras's backend.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.environments import index, wheels
from runner.errors import UsageError, suggest
from runner.matrix import compat, frameworks, sets
from runner.matrix.plan import Target
from runner.matrix.selection import matching
from runner.model import Cell, Custom
from runner.util import versions

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?:==(?P<version>[0-9][A-Za-z0-9.+!]*)|(?:==|@)(?P<night>nightly(?:-[0-9-]+)?))?"
)
_WITH = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9._,-]+\])?(?:(?:==|>=|<=|<|>|~=|!=)[A-Za-z0-9.*+!,<>=~]+)?"
)


KERAS_DEFAULT = "tensorflow"
"""The backend that Keras uses where none is named."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user asks for. A pin is by project; None means the newest release."""

    pins: Mapping[str, str | None]
    extra: tuple[str, ...] = ()
    as_of: dt.date | None = None
    python: str | None = None
    device: str = "cpu"


def parse(texts: Sequence[str], nightly: sets.Nightly = index.nightly) -> dict[str, str | None]:
    """``torch==2.2.2`` or ``torch`` -> {"torch": "2.2.2"}.

    ``keras@nightly`` is the newest nightly build, ``keras@nightly-2026-10-12`` that day's. Raises UsageError.
    """
    pins: dict[str, str | None] = {}
    for text in texts:
        found = _PIN.fullmatch(text.strip())
        if not found:
            raise UsageError(f"--pin {text!r}: it looks like torch==2.2.2")
        name = frameworks.named(found["name"])
        version = nightly(name, found["night"]) if found["night"] else found["version"]
        if pins.get(name, version) != version:
            raise UsageError(f"--pin {text!r}: {name} is pinned twice")
        pins[name] = version
    return pins


def packages(texts: Sequence[str]) -> tuple[str, ...]:
    """Checks requirement lines of ``--with``. Raises UsageError.

    Options, addresses and paths are refused.
    """
    for text in texts:
        if not _WITH.fullmatch(text):
            raise UsageError(f"--with {text!r}: it looks like scipy or scipy==1.10.1")
    return tuple(texts)


def date(text: str) -> dt.date:
    """``2025-01-02``. Raises UsageError."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text!r}: it looks like 2025-01-02") from None


def python(text: str | None) -> str | None:
    """Check ``--python``.

    Raises UsageError for one that is older than all that are supported.
    """
    known = sorted(compat.load().bases, key=versions.release)
    if text is None or (sets.is_python(text) and versions.release(text) >= versions.release(known[0])):
        return text
    raise UsageError(f"--python {text!r}: there are {', '.join(known)}")


def targets(wanted: Wanted, newest: index.Newest = index.newest) -> tuple[Target, ...]:
    """One cell per framework that is pinned.

    Raises UsageError where no framework is pinned, BuildError for an unknown release.
    """
    as_of = index.end_of(wanted.as_of) if wanted.as_of else ""
    known = frameworks.chosen_by_a_pin()
    pinned = [name for name in known if name in wanted.pins]
    notes: list[str] = []
    if not pinned:
        if "keras" not in wanted.pins:
            near = "".join(dict.fromkeys(suggest(name, known) for name in wanted.pins))
            raise UsageError(
                f"no framework is pinned{near}: add --pin for one of {', '.join(known)}, or choose --cells"
            )
        pinned = [KERAS_DEFAULT]
        notes.append(f"no backend is named: {KERAS_DEFAULT} is assumed, Keras's default")
    if len(pinned) > 1:
        notes.append(f"{' and '.join(pinned)}: each gets its own environment, as the backend of Keras")
    return tuple(_target(framework, wanted, as_of, tuple(notes), newest) for framework in pinned)


def cell(text: str, nightly: sets.Nightly = index.nightly) -> Cell:
    """The cell of an id, which may name nightly builds. Raises UsageError."""
    return sets.parse_cell(sets.exact_id(text, nightly))


def on_cell(cell: Cell, wanted: Wanted) -> Target:
    """A cell of the matrix with the user's packages on top.

    Pins of the cell's own axes move them. Raises UsageError for a pin of another framework.
    """
    others = [name for name in wanted.pins if name in frameworks.chosen_by_a_pin() and name != cell.framework]
    if others:
        raise UsageError(f"--pin {others[0]} does not go with {cell.id}, which runs {cell.framework}")
    version = wanted.pins.get(cell.framework) or cell.version
    keras = wanted.pins.get("keras") or cell.keras
    moved = Cell(cell.framework, version, keras, wanted.python or cell.python, cell.device, cell.variant)
    sets.check(moved)
    as_of = index.end_of(wanted.as_of) if wanted.as_of else ""
    return Target(moved, _custom(moved, wanted, as_of))


def _target(framework: str, wanted: Wanted, as_of: str, notes: tuple[str, ...], newest: index.Newest) -> Target:
    facts = compat.load()
    python = wanted.python or facts.python.preferred
    version = _kept_or_public(framework, wanted.pins.get(framework) or newest(framework, python, as_of))
    keras = wanted.pins.get("keras")
    if "keras" in wanted.pins and not keras:
        keras = newest("keras", python, as_of)
    if not wanted.python:
        python = facts.python_for(framework, version)
        if keras:
            oldest, newest_python = facts.row("keras", keras).python
            python = sorted((oldest, newest_python, python), key=versions.release)[1]
    cell = Cell(framework, version, keras, python, wanted.device)
    sets.check(cell)
    return Target(cell, _custom(cell, wanted, as_of), notes)


def _kept_or_public(framework: str, version: str) -> str:
    """The version as it is for a wheel of this machine, else its public part."""
    own = wheels.find(frameworks.distribution(framework), version)
    return version if own else versions.public(version)


def _custom(cell: Cell, wanted: Wanted, as_of: str) -> Custom | None:
    pins = [
        f"{name}=={version}" if version else name
        for name, version in wanted.pins.items()
        if name not in (*frameworks.chosen_by_a_pin(), "keras", cell.framework)
    ]
    lines = (*sorted(pins), *sorted(wanted.extra))
    return Custom(lines, as_of) if lines or as_of else None


def chosen(patterns: Sequence[str], wanted: Wanted) -> tuple[Target, ...]:
    """The cells of ``--cells`` with the pins, or those made from the pins alone.

    Raises UsageError.
    """
    if patterns:
        return tuple(dict.fromkeys(on_cell(cell, wanted) for cell in matching(patterns, index.nightly)))
    return targets(wanted)
