"""Defects as findings of a report, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from runner.defects import Defect, cells, known, ops
from runner.defects.known import Known
from runner.judge import expectations_file
from runner.matrix import probes
from runner.model import Cell, Sample
from runner.report import Finding, Severity, keys
from runner.report.data import Bisection
from runner.util import jsontext, versions

_GRAVE = 6
"""The least severity at which results are wrong or missing; below it are precision, types and refused calls."""


def findings(found: Sequence[Defect], samples: Sequence[Sample], *, against: bool = False) -> tuple[Finding, ...]:
    """Defects as findings of a report.

    ``against``: a build is compared with a release, so that what the build brought is a regression, listed or not.
    """
    listed = reported() if found else ()
    by_id = {sample.cell.id: sample.cell for sample in samples}
    return tuple(_finding(defect, listed, by_id, against=against) for defect in found)


def reported() -> tuple[Known, ...]:
    """The defects that the expectations files of the user and of this program list."""
    paths = dict.fromkeys((expectations_file.default(), expectations_file.shipped()))
    return tuple(one for path in paths for one in known.load(path))


def dumps(found: Sequence[Defect]) -> str:
    """The defects as a JSON list, with their scripts."""
    return jsontext.dumps([asdict(defect) for defect in found])


def evidence(defect: Defect) -> Iterator[str]:
    """The lines below a title: axis, versions, packages, result and more."""
    axis = f"follows {defect.axis}" if defect.axis else "in everything that was tried"
    yield "; ".join([axis, *bounds(defect)])
    if defect.untried:
        yield f"not tried, so no bound: {'; '.join(defect.untried)}"
    if defect.packages and not any(text.startswith("keras ") for text in defect.packages):
        yield f"packages: {', '.join(defect.packages)}"
    if defect.sides:
        yield from defect.sides
    elif defect.observed:
        yield defect.observed
    if defect.also:
        yield f"also: {'; '.join(defect.also)}"


def brief(defect: Defect) -> str:
    """What is wrong in one line, without the cells.

    A promise that does not hold is written as ``saving, not so: a file keeps its weights``.
    """
    text = defect.title.removesuffix(f" - {defect.where}")
    probe, colon, promise = text.removesuffix(": is not so").partition(": ")
    return f"{probe}, not so: {promise}" if colon and text.endswith(": is not so") else text


def headline(defect: Defect) -> str:
    """What is wrong in one line, with the cells."""
    return brief(defect) + (f" - {defect.where}" if defect.title.endswith(f" - {defect.where}") else "")


def bounds(defect: Defect) -> Iterator[str]:
    """The versions around a defect; for each framework where they differ."""
    found = cells.plain(defect.bounds)
    if len({(line.last_good, line.first_good) for line in found}) < 2:
        named = (("last good", defect.last_good), ("first bad", defect.first_bad), (right(defect), defect.first_good))
        yield from (f"{words} {version}" for words, version in named if version)
        return
    for words, attribute in (("last good", "last_good"), ("first bad", "first_bad"), (right(defect), "first_good")):
        by_version: dict[str, list[str]] = {}
        for line in found:
            if version := getattr(line, attribute):
                by_version.setdefault(version, []).append(line.name)
        shown = [f"{version} ({', '.join(dict.fromkeys(names))})" for version, names in by_version.items()]
        if shown:
            yield f"{words} {', '.join(shown)}"


def right(defect: Defect) -> str:
    """What is known from the first good version on.

    An exception can be gone without a reference that says that the result is right; backends can agree.
    """
    if defect.sides:
        return "agree from"
    return "runs from" if defect.kind.startswith(("raises", "refuses", "kills")) else "first good"


def right_since(defect: Defect, word: str) -> str:
    """The first good version in words.

    A release follows ``word``; a build of the user's is named as one, since the defect is that of the release.
    """
    version = defect.first_good or ""
    if not versions.is_local(version):
        return f"{word} {version}"
    return f"{_IN_BUILD[right(defect)]} in your build {version}"


_IN_BUILD = {"first good": "fixed", "runs from": "runs", "agree from": "the backends agree"}


def _finding(defect: Defect, listed: Sequence[Known], by_id: Mapping[str, Cell], *, against: bool) -> Finding:
    """The defect as a finding.

    A grave defect that a release brought, that the newest release has and that is not listed, is a regression.
    """
    addresses = known.issues(listed, defect.op, defect.kind, defect.cells)
    news = defect.last_good and not defect.first_good and defect.severity >= _GRAVE
    severity = Severity.EXPECTED if addresses else Severity.DEFECT
    severity = Severity.REGRESSED if news and (against or not addresses) else severity
    probe = defect.op.partition(": ")[0] if ": " in defect.op else ops.PROBE
    simplest = min(defect.cases, key=lambda case: (len(case), case), default=defect.op)
    bad = [by_id[cell] for cell in defect.cells if cell in by_id]
    return Finding(
        severity,
        _told(defect),
        defect.cells,
        "".join(addresses[:1]),
        weight=float(defect.severity),
        key=keys.key("defect", probe, defect.kind, simplest, *sorted({cell.framework for cell in bad})),
        probes=(probe,),
        release=_release(defect, bad),
        bisection=_bisection(defect, probe, simplest, by_id) if severity is Severity.REGRESSED else None,
    )


def _bisection(defect: Defect, probe: str, case: str, by_id: Mapping[str, Cell]) -> Bisection | None:
    """The search between the oldest bad cell of a defect and the nearest good one.

    None where it follows no release, or where one case of the probe cannot be tested alone.
    """
    axis = next((axis for axis in defect.axis.split(", ") if axis in keys.RELEASES), "")
    if not axis or probe not in (ops.PROBE, *probes.activities()):
        return None
    good = [by_id[cell] for cell in defect.good if cell in by_id]
    for bad in (by_id[cell] for cell in defect.cells if cell in by_id):
        if getattr(bad, axis) != defect.first_bad:
            continue
        older = [cell for cell in good if replace(cell, **{axis: getattr(bad, axis)}) == bad]
        older = [cell for cell in older if cells.version_key(getattr(cell, axis)) < cells.version_key(defect.first_bad)]
        if older:
            nearest = max((getattr(cell, axis) for cell in older), key=cells.version_key)
            package = "keras" if axis == "keras" else bad.framework
            return Bisection(package, nearest, getattr(bad, axis), bad, probe, case.partition("#")[0])
    return None


def _release(defect: Defect, bad: Sequence[Cell]) -> str:
    """The release that brought a defect, where it follows the releases of one axis."""
    axis = next((axis for axis in defect.axis.split(", ") if axis in keys.RELEASES), "")
    first = [cell for cell in bad if axis and getattr(cell, axis) == defect.first_bad]
    return keys.release(axis, first[0]) if defect.last_good and first else ""


def _told(defect: Defect) -> str:
    """The defect with the versions between which it came and went."""
    if defect.sentence:
        return defect.sentence
    parts = [headline(defect)]
    if defect.last_good:
        parts.append(f"last good {defect.last_good}")
    if defect.first_good:
        parts.append(right_since(defect, "first good"))
    return "; ".join(parts)
