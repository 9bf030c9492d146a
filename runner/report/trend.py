"""A figure over dates or releases, with its change points. Pure data.

``over_date`` makes a line of every series of a history, ``over_release`` of all cells that differ in one release alone.
``trend_text`` draws them on a terminal and writes them as JSON; the HTML page draws the same ``Trend``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from runner.errors import UsageError, suggest
from runner.history import entry, words
from runner.history.data import Point, Series
from runner.model import AXIS, CONDITIONS, ID_ORDER, Axis, Better, Cell, Kind, Sample
from runner.report import columns, numbers
from runner.util import versions

DATE, RELEASE = "date", "release"

FEWEST = 5
"""Change points need so many points (see ``judge.changes``)."""

LONGEST = 400
"""Of more points the newest so many are searched."""

_FLOOR = 0.05
_FLOOR_SEEDED = 0.01
"""The smallest change of an accuracy or a loss that counts: seeds differ by less than timings do."""
_FLOOR_ERRORS = 0.2
"""Figures in percent are compared by their errors (1 - value): the smallest change of those that counts."""
_LEAST_ERROR = 1e-4
_PARTS = (AXIS["version"], AXIS["keras"])
"""The axes of releases, the first one first."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One point of a line."""

    label: str
    """A release (``3.11.3``) or a date (``2026-11-12``)."""
    value: float
    low: float | None
    """The least of the processes or runs, where there are several."""
    high: float | None
    n: int
    """How many processes it rests on."""
    cell: str
    run: str
    """The run's id; empty for a release, which may rest on several."""
    when: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Move:
    """A change point."""

    index: int
    """The first point of the new level."""
    label: str
    before: float
    after: float
    """The levels: medians of the points from the change before to the next one."""
    effect: float
    """Relative change; of a figure in percent, the difference of the two fractions (``points``)."""
    low: float
    high: float
    """Its interval (99 %)."""
    p: float
    points: bool
    meaning: str
    """``worse``, ``better``, or empty where neither is."""
    text: str
    """``since keras 3.12.0: +31 % (+25 % to +38 %); 3.10 ms → 4.06 ms, worse``"""


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a cell over dates, or cells over the releases of one axis."""

    title: str
    probe: str
    metric: str
    label: str
    """What people call the metric."""
    unit: str
    percent: bool
    better: str
    kind: str
    """The kind of the metric (see ``model.Kind``)."""
    axis: str
    """``date``, or the axis whose releases are its points: ``version`` (the framework's) or ``keras``."""
    host: str
    spots: tuple[Spot, ...]
    moves: tuple[Move, ...]
    breaks: tuple[str, ...]
    """Where the series breaks and why, and what was left out."""

    @property
    def counted(self) -> bool:
        """Whether the figure is a count, which has no noise."""
        if self.kind not in (Kind.EXACT, Kind.INFO):
            return False
        return all(abs(spot.value) < 2**53 and float(spot.value).is_integer() for spot in self.spots)

    def figure(self, value: float) -> str:
        """A figure as people read it."""
        if self.counted and float(value).is_integer():
            return numbers.value(int(value)) + (f" {self.unit}" if self.unit else "")
        return numbers.value(value, self.unit, percent=self.percent)


@dataclass(frozen=True, slots=True)
class Trend:
    """What ``runner trend`` shows."""

    metric: str
    """The metric as the user named it."""
    over: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def trend(metric: str, over: str, series: Sequence[Series]) -> Trend:
    """The trend of some series, over dates or releases.

    ``metric``: as the user named it. Raises UsageError where no two cells differ in one release alone.
    """
    if over == DATE:
        return Trend(metric, over, over_date(series))
    made = over_release(series)
    if not made:
        raise UsageError(
            f"{numbers.plain(metric)}: no two cells differ in one release alone; "
            "name results of more releases, or use --over date with a history"
        )
    return Trend(metric, over, made)


def first_changed(trend: Trend) -> tuple[Line, ...]:
    """The lines, those that change first, and else in their order."""
    return tuple(sorted(trend.lines, key=lambda line: not line.moves))


def answer(trend: Trend) -> str:
    """How many lines change: ``1 of 12 lines changes its level``."""
    moving = sum(bool(line.moves) for line in trend.lines)
    many = len(trend.lines)
    counted = f"{many} line" if many == 1 else f"{many} lines"
    if not moving:
        return f"{counted}, no change of level found"
    return f"{moving} of {counted} {'changes its' if moving == 1 else 'change their'} level"


def moves(series: Series) -> tuple[Move, ...]:
    """The change points of one series over dates, as ``runner trend`` shows them."""
    return next((line.moves for line in over_date([series])), ())


def resolve(text: str, known: Iterable[tuple[str, str]], probe: str | None = None) -> tuple[tuple[str, str], ...]:
    """The metrics that a text names, as probe and name.

    ``step time`` and ``free step time`` (the labels of a report), ``free.step_s``, ``mnist:free.step_s``. Raises
    UsageError, with the nearest known words.

    >>> resolve("step time", [("mnist", "free.step_s"), ("mnist", "peak_rss_bytes")])
    (('mnist', 'free.step_s'),)
    """
    every = list(dict.fromkeys(known))
    if not every:
        raise UsageError("there is not a single figure; `runner history add DIR` adds a run's")
    probes = {one for one, _ in every}
    if probe is not None and probe not in probes:
        raise UsageError(f"--probe {probe!r}: no figure of that probe{suggest(probe, probes)}")
    every = [one for one in every if probe is None or one[0] == probe]
    names: dict[str, list[tuple[str, str]]] = {}
    for one in every:
        for name in _names(*one):
            names.setdefault(_plain(name), []).append(one)
    found = names.get(_plain(text), [])
    if not found:
        hint = suggest(_plain(text), names) or f"; there are: {', '.join(sorted({columns.label(n) for _, n in every}))}"
        raise UsageError(f"no metric {numbers.plain(text)!r}{hint}")
    exact = [one for one in found if text in (one[1], f"{one[0]}:{one[1]}")]
    return tuple(sorted(set(exact or found)))


def _names(probe: str, name: str) -> set[str]:
    label, mode = columns.label(name), columns.mode(name)
    short = {name, label, *([f"{mode} {label}"] if mode else [])}
    return short | {f"{probe}:{one}" for one in short} | {f"{probe} {one}" for one in short}


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def measured(samples: Iterable[Sample]) -> tuple[Series, ...]:
    """The figures of result files as series of one point, without a history."""
    found = []
    for (cell, probe), several in sorted(entry.grouped(samples).items()):
        when = min((sample.started for sample in several), default="")
        for one in entry.figures(several):
            metric = one.metric
            point = Point("", when, cell, one.value, one.low, one.high, one.n, "")
            named = (cell, probe, metric.name, metric.unit, metric.better.value, words.place(one.fingerprint))
            found.append(Series(*named, (point,), (), (), metric.kind.value, one.scope.hex()))
    return tuple(found)


def over_date(series: Iterable[Series]) -> tuple[Line, ...]:
    """A line for every series, its points in the order of time.

    Of a cell with several series (other hosts, other probes) each is a line, the one with the newest point first.
    """
    every = sorted(series, key=lambda one: (one.probe, one.metric, one.cell))
    newest: dict[tuple[str, str, str], list[Series]] = {}
    for one in every:
        newest.setdefault((one.probe, one.metric, one.cell), []).append(one)
    return tuple(
        _dated(one)
        for several in newest.values()
        for one in sorted(several, key=lambda each: each.points[-1].when, reverse=True)
        if one.points
    )


def _dated(series: Series) -> Line:
    spots = [
        Spot(_date(p.when), p.value, *_spread(p.value, p.low, p.high), p.n, p.cell, p.run, p.when, p.verdict)
        for p in series.points
    ]
    line = _line(series, numbers.plain(series.cell), DATE, spots)
    now = spots[-1].when
    return _judged(replace(line, breaks=tuple(series.breaks)), [words.since(spot.when, now) for spot in spots])


def over_release(series: Iterable[Series]) -> tuple[Line, ...]:
    """A line for all cells that differ in one release: the framework's, or Keras's.

    Of the hosts that measured such cells, the one with most releases; which others were left out is one of the breaks.
    All runs of a release on that host are one point.
    """
    groups: dict[tuple[str, str, int, str], dict[str, list[tuple[Cell, Series]]]] = {}
    for one in series:
        cell = _cell(one.cell)
        if cell is None or not one.points:
            continue
        for place, axis in enumerate(_PARTS):
            if not cell.values[axis.name]:
                continue
            fixed = "\0".join(f"{each.name}={cell.values[each.name] or ''}" for each in ID_ORDER if each is not axis)
            scopes = groups.setdefault((one.probe, one.metric, place, fixed), {})
            scopes.setdefault(one.scope, []).append((cell, one))
    made = [_released(_PARTS[key[2]], scopes) for key, scopes in sorted(groups.items())]
    return tuple(line for line in made if line is not None)


def _released(axis: Axis, scopes: dict[str, list[tuple[Cell, Series]]]) -> Line | None:
    kept = max(scopes.values(), key=lambda found: (len({cell for cell, _ in found}), found[0][1].points[-1].when))
    by_cell: dict[Cell, list[Series]] = {}
    for cell, one in kept:
        by_cell.setdefault(cell, []).append(one)
    ordered = sorted(by_cell, key=lambda cell: versions.order(cell.values[axis.name]))
    if len(ordered) < 2:
        return None
    spots = [_merged(str(cell.values[axis.name]), by_cell[cell]) for cell in ordered]
    first = ordered[0]
    line = _line(kept[0][1], _without(first, axis), axis.name, spots)
    left = {str(cell.values[axis.name]) for found in scopes.values() for cell, _ in found} - {s.label for s in spots}
    breaks = []
    if left:
        named = ", ".join(sorted(left, key=versions.order))
        breaks.append(f"measured on another host or with other settings, so left out: {numbers.plain(named)}")
    name = "keras" if axis.name == "keras" else first.framework
    return _judged(replace(line, breaks=tuple(breaks)), [f"since {name} {spot.label}" for spot in spots])


def _merged(label: str, several: Sequence[Series]) -> Spot:
    points = [point for one in several for point in one.points]
    newest = max(points, key=lambda point: point.when)
    low = min(point.value if point.low is None else point.low for point in points)
    high = max(point.value if point.high is None else point.high for point in points)
    value = entry.median([point.value for point in points])
    n = sum(point.n for point in points)
    return Spot(label, value, *_spread(value, low, high), n, newest.cell, "", newest.when, newest.verdict)


def _without(cell: Cell, axis: Axis) -> str:
    """A line's title: what all of its cells share."""
    more = ", ".join(each.in_table(cell) for each in CONDITIONS if cell.values[each.name])
    if axis.name == "keras":
        return numbers.plain(f"{cell.framework} {cell.version} over the releases of keras ({more})")
    keras = f"with keras {cell.keras}" if cell.keras else "without Keras"
    return numbers.plain(f"{cell.framework} {keras} over its releases ({more})")


def _line(series: Series, title: str, axis: str, spots: Sequence[Spot]) -> Line:
    name = series.metric
    label = f"{columns.mode(name)} {columns.label(name)}".strip()
    known = (series.probe, name, label, series.unit, columns.percent(name))
    kinds = (series.better, series.kind)
    line = Line(title, *known, *kinds, axis, numbers.plain(series.host), tuple(spots), (), ())
    return replace(line, percent=line.percent and all(0 <= spot.value <= 1 for spot in spots))


def floor(kind: str, *, percent: bool) -> float:
    """The smallest relative change that counts, for a metric of this kind."""
    if percent:
        return _FLOOR_ERRORS
    return _FLOOR_SEEDED if kind == Kind.SEEDED else _FLOOR


def _judged(line: Line, since: Sequence[str]) -> Line:
    """The line with its change points; ``since`` names its points in words."""
    moves = _steps(line, since) if line.counted else _levels(line, since)
    return replace(line, moves=tuple(moves))


def _steps(line: Line, since: Sequence[str]) -> Iterator[Move]:
    """Every change of a figure without noise (a count, for example) is one."""
    for index in range(1, len(line.spots)):
        before, after = line.spots[index - 1].value, line.spots[index].value
        if before != after:
            effect = (after - before) / abs(before) if before else math.copysign(math.inf, after - before)
            text = f"{since[index]}: {line.figure(before)} → {line.figure(after)}"
            ends = (effect, effect, effect, 0.0)
            yield Move(index, line.spots[index].label, before, after, *ends, False, *_worded(line, effect, text))


def _levels(line: Line, since: Sequence[str]) -> Iterator[Move]:
    from runner.judge import changes

    values = [spot.value for spot in line.spots]
    compared = [max(_LEAST_ERROR, 1 - value) for value in values] if line.percent else values
    least = floor(line.kind, percent=line.percent)
    # no level can differ from another by more than the figures do
    flat = not compared or (min(compared) > 0 and max(compared) <= min(compared) * (1 + least))
    found = () if flat else changes.changes(compared, floor=least)
    edges = [0, *(change.index for change in found), len(values)]
    levels = [entry.median(values[a:b]) for a, b in pairwise(edges)] if values else []
    for change, (before, after) in zip(found, pairwise(levels), strict=True):
        ends = [change.effect, change.low, change.high]
        if line.percent:  # an error of 3 % that is halved: the figure rises by 1.5 points
            wrong = max(_LEAST_ERROR, 1 - before)
            ends = [after - before, *sorted(-wrong * end for end in ends[1:])]
        shown = [_points(end) if line.percent else numbers.change(end) for end in ends]
        if min(compared) <= 0:  # no ratio says how much: compared by differences, relative to their median size
            size = entry.median([abs(value) for value in compared[-LONGEST:]]) or 1.0
            shown = [_difference(line, size * end) for end in ends]
            ends = [size * end / abs(before) if before else math.copysign(math.inf, end) for end in ends]
        text = f"{since[change.index]}: {shown[0]} ({shown[1]} to {shown[2]})"
        text += f"; {line.figure(before)} → {line.figure(after)}"
        meaning = _worded(line, ends[0], text)
        label = line.spots[change.index].label
        yield Move(change.index, label, before, after, ends[0], ends[1], ends[2], change.p, line.percent, *meaning)


def _worded(line: Line, effect: float, text: str) -> tuple[str, str]:
    """Whether the change is worse or better, and the text with that word."""
    if line.better == Better.NEITHER:
        return "", text
    meaning = "worse" if (effect > 0) != (line.better == Better.HIGHER) else "better"
    return meaning, f"{text}, {meaning}"


def _difference(line: Line, value: float) -> str:
    return f"{'+' if value > 0 else ''}{line.figure(value)}"


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.1f} points".replace("-", "−")


def _spread(value: float, low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """The two ends, where they say more than the figure."""
    return (None, None) if low is None or high is None or low == high == value else (low, high)


def _date(when: str) -> str:
    return when[:10] if words.moment(when) else "?"


_ID = re.compile(
    r"(?P<framework>[^_]+?)-(?P<version>[^_]+)_(?:keras-(?P<keras>[^_]+)|native)_py(?P<python>[^_]+)"
    r"_(?P<device>[^_+]+)(?:\+(?P<variant>.+))?"
)


def _cell(ident: str) -> Cell | None:
    """The cell of an id (see ``model.Cell.id``), or None for a name that is not one.

    >>> _cell("torch-2.2.2_keras-3.8.0_py3.11_cpu+no-onednn").variant
    'no-onednn'
    """
    found = _ID.fullmatch(ident)
    if found is None:
        return None
    parts = found.groupdict()
    parts["variant"] = parts["variant"] or ""
    cell = Cell(**parts)
    return cell if cell.id == ident else None
