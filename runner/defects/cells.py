"""Describes the cells that show a defect, and finds the axis that it follows."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, NamedTuple

from runner.defects.defect import Bounds, Defect
from runner.matrix import frameworks
from runner.model import AXES, Cell, Sample
from runner.util import versions as release

SUSPECTS = sorted((axis for axis in AXES if axis.name != "framework"), key=lambda axis: axis.suspicion)
"""The axes that can separate the bad cells of one framework from its good ones, the likeliest first."""


class Parted(NamedTuple):
    """The cells that show something, those that do not, and all that were run."""

    bad: Sequence[Cell]
    good: Sequence[Cell]
    ran: Sequence[Cell]


def parted(bad: Iterable[int], good: Iterable[int], samples: Sequence[Sample]) -> Parted:
    """The cells of the samples at those places, in their order."""
    return Parted(
        bad=[samples[i].cell for i in sorted(bad)],
        good=[samples[i].cell for i in sorted(good)],
        ran=[sample.cell for sample in samples],
    )


def described(bad: Sequence[Cell], good: Sequence[Cell], ran: Sequence[Cell]) -> tuple[str, list[str]]:
    """The bad cells in words, and the axes that separate them from the good ones.

    ``ran``: all cells of the run; some show neither.
    """
    axes: list[str] = []
    frameworks = sorted({c.framework for c in bad})
    others = {c.framework for c in good} - set(frameworks)
    library = _library(bad, good)
    if library:
        return f"cells whose kernels are {library}'s", ["kernel library"]
    if others:
        axes.append("framework")
    parts = {}
    for framework in frameworks:
        mine, fine, all_ = ([c for c in cells if c.framework == framework] for cells in (bad, good, ran))
        parts[framework], more = _part(mine, fine, all_)
        axes += [axis for axis in more if axis not in axes]
    if len(set(parts.values())) == 1:
        names = "all" if set(frameworks) == {c.framework for c in ran} else "all " + " and ".join(frameworks)
        return f"{names} cells{next(iter(parts.values()))}", axes
    return "; ".join(f"{framework} cells{text}" for framework, text in parts.items()), axes


def defect(
    subject: str,
    words: str,
    severity: int,
    bad: Iterable[int],
    good: Iterable[int],
    samples: Sequence[Sample],
    **fields: Any,
) -> Defect:
    """Make a defect and derive its place, axes, versions and packages from its cells.

    ``subject``: what the title begins with; ``words``: its kind, in the title's words; ``bad`` and ``good``: places
    in ``samples``, which are all that ran; ``fields``: the other fields.
    """
    bad, good = sorted(bad), sorted(good)
    cells = parted(bad, good, samples)
    place, axes = described(*cells)
    axis = "version" if "version" in axes and "keras" not in axes else "keras"
    around = lines(cells.bad, cells.good, axis)
    last_good, first_bad, first_good = bounds(cells.bad, cells.good, axes)
    differing = packages(bad, good, samples)
    follows = unlike_packages(bad, good, samples, axes)
    if follows and _follow(cells, axes):
        axes = [*follows, *axes]
    return Defect(
        severity=severity,
        title=f"{subject}: {words} - {place}",
        where=place,
        axis=", ".join(axes),
        cells=tuple(cell.id for cell in cells.bad),
        good=tuple(cell.id for cell in cells.good),
        last_good=last_good,
        first_bad=first_bad,
        first_good=first_good,
        packages=(differing or follows) + _named(str(fields.get("observed", "")), bad, samples),
        bounds=around,
        **fields,
    )


def _part(bad: Sequence[Cell], good: Sequence[Cell], ran: Sequence[Cell]) -> tuple[str, list[str]]:
    """The words and the axes that separate the bad cells of one framework.

    For example `` with keras 3.0.5 - 3.8.0``. A variant is an axis: cells of one variant are described
    against cells of that variant alone, and a variant is named where it makes a difference.
    """
    variants = sorted({c.variant for c in bad})
    first = variants[0]
    mine, fine, all_ = ([c for c in cells if c.variant == first] for cells in (bad, good, ran))
    text, axis = _ranged(mine, fine, all_)
    axes = [axis] if axis else []
    if first:  # no plain cell is bad
        text = f" with variant {first}{text}"
        if any(replace(c, variant="") in good for c in mine):
            axes.append("variant")
    spared = sorted({c.variant for c in good if c.variant != first and replace(c, variant=first) in mine})
    if spared and not first:
        text += f" (not with variant {', '.join(spared)})"
        axes.append("variant")
    alone = [c for c in bad if c.variant != first and replace(c, variant=first) not in mine]
    for variant in sorted({c.variant for c in alone}):
        text += f", and {', '.join(c.keras or 'native' for c in alone if c.variant == variant)} with variant {variant}"
        axes.append("variant")
    return text, list(dict.fromkeys(axes))


def _ranged(bad: Sequence[Cell], good: Sequence[Cell], ran: Sequence[Cell]) -> tuple[str, str]:
    """The words and the axis that separate the bad cells of one framework and variant.

    Where no cell of it is good, but some show neither, there are words and no axis.
    """
    rest = good or [c for c in ran if c not in bad]
    for axis in SUSPECTS:
        mine, other = {getattr(c, axis.name) for c in bad}, {getattr(c, axis.name) for c in rest}
        if other and not mine & other:
            return f" with {axis.label or axis.name} {_ranges(mine, other)}", axis.name if good else ""
    return (f" ({', '.join(c.id for c in bad)})" if good else ""), ""


def _follow(cells: Parted, axes: Sequence[str]) -> bool:
    """Whether a package explains the defect as well as the axes do, or better.

    No axis parts the cells, or all cells of several frameworks are bad and none of the others.
    """
    bad = {c.framework for c in cells.bad}
    return not axes or (
        list(axes) == ["framework"] and len(bad) > 1 and not any(c.framework in bad for c in cells.good)
    )


IMPORTED = ("numpy", "ml-dtypes", "h5py", "optree", "scipy", "pandas", "pillow", "protobuf")
"""What Keras itself imports, so that a release of it can change what Keras does."""


def unlike_packages(
    bad: Sequence[int], good: Sequence[int], samples: Sequence[Sample], axes: Sequence[str]
) -> tuple[str, ...]:
    """The packages with other versions in all bad cells than in all good ones.

    For example ``numpy 2.0.2 -> 2.4.6``.

    Empty where a version of Keras, of the framework or of Python separates the cells already.
    """
    if not good or set(axes) - {"framework"}:
        return ()
    found = []
    for name in IMPORTED:
        mine, other = ({samples[i].packages.get(name, "") for i in side} for side in (bad, good))
        if "" not in mine | other and not mine & other:
            older, newer = sorted((mine, other), key=lambda side: min(map(version_key, side)))
            found.append(f"{name} {_joined(older)} -> {_joined(newer)}")
    return tuple(found)


def _named(message: str, bad: Sequence[int], samples: Sequence[Sample]) -> tuple[str, ...]:
    """The package that a message names.

    Keras separates the cells, but it is the package that made the old release fail.
    """
    if not bad or not re.search(r"\bNumPy \d|\bnp\.\w+` was removed", message):
        return ()
    version = samples[newest(bad, samples)].packages.get("numpy", "")
    return (f"numpy {version}, which the message names",) if version else ()


def _joined(found: Iterable[str]) -> str:
    return "/".join(sorted(found, key=version_key))


def _ranges(bad: set[str | None], good: set[str | None]) -> str:
    """``3.0.5 - 3.8.0, 3.12.4``: runs of bad versions among all that were run."""
    runs: list[list[str]] = [[]]
    for value in sorted(bad | good, key=lambda v: (version_key(v), v or "")):
        if value in bad:
            runs[-1].append(value or "native")
        elif runs[-1]:
            runs.append([])
    return ", ".join(r[0] if len(r) == 1 else f"{r[0]} - {r[-1]}" for r in runs if r)


def _library(bad: Sequence[Cell], good: Sequence[Cell]) -> str:
    """The kernel library that all bad cells and no good ones have, or empty.

    Empty also where the framework separates them as well.
    """
    mine, rest = {kernels(c) for c in bad}, {kernels(c) for c in good}
    if len(mine) != 1 or mine & rest or not rest or all(c.variant for c in bad):
        return ""
    crossed = len({c.framework for c in bad}) > 1 or {c.framework for c in bad} & {c.framework for c in good}
    variants = any(c.variant == "no-onednn" for c in (*bad, *good))
    return next(iter(mine)) if crossed and variants else ""


def kernels(cell: Cell) -> str:
    """The kernel library of a cell; the framework's name where none is known."""
    known = frameworks.of(cell.framework).kernels
    return known.get(cell.variant) or known.get("default", cell.framework)


def lines(bad: Sequence[Cell], good: Sequence[Cell], axis: str) -> tuple[Bounds, ...]:
    """The bounds on each line of cells that is bad somewhere.

    The cells of a line differ in the version of ``axis`` alone, and perhaps in Python, which an old release may need.
    """
    by_line: dict[tuple[str, ...], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, cells in enumerate((bad, good)):
        for cell in cells:
            other = cell.version if axis == "keras" else cell.keras
            key = (cell.framework, cell.variant, cell.device, other or "")
            by_line[key][side].append(getattr(cell, axis) or "")
    found = []
    for (framework, variant, *_), (mine, rest) in sorted(by_line.items()):
        if mine:
            first, last = min(mine, key=version_key), max(mine, key=version_key)
            before = [v for v in rest if version_key(v) < version_key(first)]
            after = [v for v in rest if version_key(v) > version_key(last)]
            found.append(
                Bounds(
                    framework,
                    variant,
                    max(before, key=version_key) if before else None,
                    first or None,
                    last or None,
                    min(after, key=version_key) if after else None,
                )
            )
    return tuple(dict.fromkeys(found))


def bounds(bad: Sequence[Cell], good: Sequence[Cell], axes: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    """(last good, first bad, first good after it) on the version axis of a defect.

    The first good version is one from which every line that says anything is right.
    """
    axis = next((a for a in axes if a in ("keras", "version")), "keras")
    found = plain(lines(bad, good, axis))
    if not found:
        return None, None, None
    first = min((line.first_bad for line in found), key=version_key)
    last = max((line.last_bad for line in found), key=version_key)
    before = [v for line in found if (v := line.last_good) and version_key(v) < version_key(first)]
    after = [v for line in found if (v := line.first_good)]
    right = max(after, key=version_key) if after else None
    if right and version_key(right) <= version_key(last):  # still bad on another line
        right = None
    return (max(before, key=version_key) if before else None), first, right


def plain(found: Sequence[Bounds]) -> Sequence[Bounds]:
    """The lines of plain cells; those of variants only where there are no others."""
    return [line for line in found if not line.variant] or found


def packages(bad: Iterable[int], good: Iterable[int], samples: Sequence[Sample]) -> tuple[str, ...]:
    """Packages that differ between the nearest bad and good cell, the older first."""
    fine = tuple(good)
    pairs = [
        (_unlike(samples[i].cell, samples[j].cell), i, j)
        for i in bad
        for j in fine
        if samples[i].cell.framework == samples[j].cell.framework
    ]
    if not pairs:
        return ()
    _, i, j = min(pairs)
    before, after = (samples[k].packages for k in sorted((i, j), key=lambda k: _age(samples[k].cell)))
    return tuple(
        f"{name} {before.get(name, 'absent')} -> {after.get(name, 'absent')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _unlike(a: Cell, b: Cell) -> tuple[int, int]:
    count = sum(getattr(a, axis.name) != getattr(b, axis.name) for axis in SUSPECTS)
    distance = [abs(x - y) for x, y in zip_longest(_numbers(a.keras), _numbers(b.keras), fillvalue=0)]
    return count, sum(step * 100 ** (3 - place) for place, step in enumerate(distance[:3]))


def _numbers(version: str | None) -> tuple[int, ...]:
    return release.release(version) if version else ()


def newest(cells: Iterable[int], samples: Sequence[Sample]) -> int:
    """The place of the cell with the newest Keras, then the newest framework."""
    return max(cells, key=lambda i: _age(samples[i].cell))


def _age(cell: Cell) -> tuple[release.Key, release.Key]:
    return version_key(cell.keras), version_key(cell.version)


def versions(cell: Cell) -> str:
    """``torch 2.13.0, keras 3.8.0, Python 3.11, cpu``."""
    keras = f"keras {cell.keras}" if cell.keras else "without Keras"
    return f"{cell.framework} {cell.version}, {keras}, Python {cell.python}, {cell.device}"


def version_key(version: str | None) -> release.Key:
    """Orders versions by PEP 440; no version first."""
    return release.order(version or "")


def briefly(found: Iterable[Cell]) -> tuple[str, ...]:
    """Cells in short, one text per framework and variant: ``jax 3.8.0, 3.9.2``."""
    releases: dict[str, list[str]] = defaultdict(list)
    for cell in found:
        name = cell.framework + (f" with variant {cell.variant}" if cell.variant else "")
        releases[name].append(cell.keras or "native")
    return tuple(f"{name} {', '.join(sorted(set(of), key=version_key))}" for name, of in sorted(releases.items()))


def measuring(sample: Sample) -> str:
    """A script that measures the sample's cell again, with its probe and settings."""
    settings = [f"{sample.probe}.{name}={json.dumps(value)}" for name, value in sample.settings.items()]
    words = ["-m", "runner", "matrix", "--only", sample.cell.id, "--probe", sample.probe, "--fresh"]
    words += [word for setting in settings for word in ("--setting", setting)]
    quoted = ", ".join(repr(word) for word in words)
    return (
        f'"""Measures {sample.cell.id} with the probe {sample.probe} once more."""\n\n'
        f"import subprocess\nimport sys\n\nsubprocess.run([sys.executable, {quoted}], check=False)\n"
    )
