"""Turns a bug report into pins that are available here; names guesses and gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from runner.environments import index as releases
from runner.errors import CellError, UsageError
from runner.matrix import compat, frameworks
from runner.repro.bugreport import BugReport
from runner.repro.pins import KERAS_DEFAULT, Wanted
from runner.util import versions

_KEPT = ("keras", "numpy", "scipy", "jaxlib", "ml-dtypes", "h5py", "optree", "protobuf", "tensorflow-probability",
         "torchvision", "torchaudio", "pandas", "scikit-learn", "optax", "flax", "keras-hub", "keras-cv")  # fmt: skip
"""What is pinned next to the framework. The rest of a user's environment hardly bears on a framework's bug, and each
further pin is one that may not be there for this platform."""
_PLATFORM = "linux-x86_64"


def _published(package: str, python: str) -> tuple[str, ...]:
    return releases.published(package, python, prereleases=True)


def _uploaded(package: str, version: str, python: str) -> str:
    return releases.uploaded(package, (version,), python).get(version, "")


@dataclass(frozen=True, slots=True)
class Index:
    """What is asked of the package index; functions so that tests bring their own."""

    published: Callable[[str, str], tuple[str, ...]] = _published
    """(package, Python) -> releases, oldest first. Raises UsageError for an unknown package."""
    yanked: Callable[[str, str, str], str] = releases.yanked
    """(package, version, Python) -> why it was yanked, or empty."""
    newest: releases.Newest = releases.newest
    uploaded: Callable[[str, str, str], str] = _uploaded
    """(package, version, Python) -> the day of its upload, or empty."""


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What will be run, and how it came about: three lists of lines for the user."""

    wanted: Wanted
    read: tuple[str, ...]
    guessed: tuple[str, ...]
    missing: tuple[str, ...]
    """What is not available, with what is taken in its place."""


class _Notes:
    def __init__(self) -> None:
        self.read: list[str] = []
        self.guessed: list[str] = []
        self.missing: list[str] = []


def reconstruct(
    report: BugReport, as_of: dt.date | None = None, platform: str = _PLATFORM, index: Index | None = None
) -> Reconstruction:
    """The environment nearest to the report's that is available on ``platform``.

    ``as_of`` outranks the report's date. Raises UsageError where the report names neither a framework nor Keras.
    """
    index = index or Index()
    notes = _Notes()
    known = {fact.name: fact.value for fact in report.pins}
    backends = _frameworks(report, notes)
    if not backends and "keras" not in known:
        raise UsageError("the report names no release of a framework or of Keras; say which with --pin")
    date = as_of or _date(report, notes)
    moment = releases.end_of(date) if date else ""
    _platform(report, platform, notes)
    if not backends:
        backends = [KERAS_DEFAULT]
        notes.guessed.append(f"no backend is named: {KERAS_DEFAULT}, Keras's default")
    python = _python(report, backends[0], known, notes)
    pins: dict[str, str | None] = {}
    for name in (*backends, *(name for name in _KEPT if name in known)):
        if name not in known:
            pins[name] = index.newest(name, python, moment)
            notes.guessed.append(f"{name} {pins[name]}: the newest as of {date or facts_date()}")
            continue
        line = next(fact.line for fact in report.pins if fact.name == name)
        pins[name] = _release(name, known[name], python, line, notes, index)
    date = date if as_of else _not_before(date, pins, known, python, notes, index)
    if "keras" not in known:
        notes.guessed.append("no Keras is named: the framework runs without it")
    dropped = [name for name in known if name not in pins and name not in frameworks.chosen_by_a_pin()]
    if dropped:
        named = ", ".join(sorted(dropped)[:8]) + (", ..." if len(dropped) > 8 else "")
        notes.guessed.append(f"{len(dropped)} other packages come as the index had them: {named}")
    notes.missing += [f"contradiction: {text}" for text in report.contradictions if text.partition(":")[0] in pins]
    if report.gpu:
        notes.missing.append("it ran on a GPU; here it runs on the CPU unless --device cuda is given")
    kept = {name: version for name, version in pins.items() if version}
    return Reconstruction(Wanted(kept, (), date, python), tuple(notes.read), tuple(notes.guessed), tuple(notes.missing))


def facts_date() -> dt.date:
    """Up to when the index was looked at where nobody says."""
    return compat.load_latest().date


def lines(found: Reconstruction) -> list[str]:
    """Lines for the user: what was read, guessed, and is not available."""
    out: list[str] = []
    for title, texts in (("read", found.read), ("guessed", found.guessed), ("not available", found.missing)):
        out += [f"{title}: {text}" for text in texts]
    return out


def packages_only(found: Reconstruction) -> Reconstruction:
    """The report's other packages only, for cells that ``--cells`` chose.

    Framework, Keras and Python are those of the cells, whose releases may be newer than the
    report: its date is not used.
    """
    axes = {*frameworks.chosen_by_a_pin(), "keras"}
    kept = {name: version for name, version in found.wanted.pins.items() if name not in axes}
    told = [text for text in found.read if text.partition(" ")[0] in kept]
    left = ", ".join(f"{name} {version}" for name, version in found.wanted.pins.items() if name in axes)
    note = f"--cells chooses the cells: the report's {left}, Python and date are not used; --as-of gives a date"
    missing = tuple(text for text in found.missing if text.partition(" ")[0] in kept)
    return Reconstruction(Wanted(kept), tuple(told), (note,), missing)


def _date(report: BugReport, notes: _Notes) -> dt.date | None:
    """The report's day. A month without a day means its last day, but not after today."""
    if report.date is None:
        notes.guessed.append(
            "no date is given: what the report does not pin is as of latest.toml; --as-of gives a date"
        )
        return None
    text = report.date.value
    if len(text) == len("2025-01-23"):
        notes.read.append(f"date {text} ({report.date.line})")
        return dt.date.fromisoformat(text)
    year, month = map(int, text.split("-"))
    last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
    date = min(last, dt.datetime.now(dt.UTC).date())
    notes.guessed.append(f"date {date}: the report names no day, the last of the month is taken ({report.date.line})")
    return date


def _not_before(
    date: dt.date | None, pins: dict[str, str | None], known: dict[str, str], python: str, notes: _Notes, index: Index
) -> dt.date | None:
    """The first day on which all that the report names was published.

    An issue is often edited after it was opened.
    """
    if date is None:
        return None
    for name in (name for name in (*frameworks.chosen_by_a_pin(), "keras", "numpy") if name in known):
        version = pins.get(name)
        day = index.uploaded(name, version, python) if version else ""
        if day and dt.date.fromisoformat(day) > date:
            notes.missing.append(f"date {date}: {name} {version} was published on {day} only: that day in its place")
            date = dt.date.fromisoformat(day)
    return date


def _frameworks(report: BugReport, notes: _Notes) -> list[str]:
    """The backend where the report names it, else every framework it names."""
    there = [name for name in frameworks.chosen_by_a_pin() if report.version(name)]
    if report.backend is None:
        return there
    notes.read.append(f"backend {report.backend.value} ({report.backend.line})")
    return [report.backend.value]


def _platform(report: BugReport, platform: str, notes: _Notes) -> None:
    if report.platform is None:
        notes.guessed.append(f"no platform is named: {platform}")
    elif report.platform.value == platform:
        notes.read.append(f"platform {platform} ({report.platform.line})")
    else:
        notes.missing.append(f"platform {report.platform.value} ({report.platform.line}): {platform} in its place")


def _python(report: BugReport, framework: str, known: dict[str, str], notes: _Notes) -> str:
    facts = compat.load()
    rows = [facts.row(framework, versions.public(known[framework]))] if framework in known else []
    if "keras" in known and versions.release(versions.public(known["keras"])) >= (3,):
        rows.append(facts.row("keras", versions.public(known["keras"])))
    floor = max((row.python[0] for row in rows), key=versions.release, default="3.9")
    ceiling = min((row.python[1] for row in rows), key=versions.release, default=facts.python.preferred)
    if versions.release(ceiling) < versions.release(floor):
        ceiling = floor
    if report.python is None:
        chosen = sorted((floor, ceiling, facts.python.preferred), key=versions.release)[1]
        notes.guessed.append(f"no Python is named: {chosen}")
        return chosen
    told = report.python.value
    chosen = sorted((floor, ceiling, told), key=versions.release)[1]
    if chosen not in facts.bases and told not in facts.bases:
        chosen = min(facts.bases, key=lambda base: abs(versions.release(base)[1] - versions.release(chosen)[1]))
    if chosen == told:
        notes.read.append(f"Python {told} ({report.python.line})")
    else:
        notes.missing.append(f"Python {told} ({report.python.line}): {chosen} in its place")
    return chosen


def _release(name: str, told: str, python: str, line: str, notes: _Notes, index: Index) -> str | None:
    """The release itself, or the nearest available one; None for an unknown package."""
    version = versions.public(told)
    try:
        there = index.published(name, python)
    except (UsageError, CellError) as error:
        notes.missing.append(f"{name} {told} ({line}): {error}")
        return None
    exact = next((one for one in there if versions.order(one) == versions.order(version)), "")
    if exact:
        why = index.yanked(name, exact, python)
        if not why:
            notes.read.append(f"{name} {told} ({line})")
            return exact
        there = tuple(one for one in there if one != exact)
        reason = f"was yanked ({why})"
    else:
        reason = f"has no wheel for Python {python} here, or was never released"
    in_place = releases.nearest(version, [one for one in there if not versions.is_prerelease(one)])
    notes.missing.append(f"{name} {told} ({line}) {reason}: {in_place or 'nothing'} in its place")
    return in_place or None
