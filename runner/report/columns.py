"""Which metrics become columns, and what they are called.

A metric is named ``mode.figure``. What is known about a figure is its label, how a sentence puts a ratio of it and
which cause it belongs to (slower steps and fewer images per second are one cause). Unknown figures get a label made
of their name, so a new probe needs no change here.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.matrix import probes, scripts
from runner.model import Kind, Metric


@dataclass(frozen=True, slots=True)
class Known:
    """What a known figure is called."""

    pattern: str
    """Matches the whole of the part of the metric's name after the mode."""
    label: str
    cause: str
    """Figures of one cause that moved together are one finding."""
    takes: str = "has {times} the {label} of {other}"
    """How a sentence puts a ratio: ``takes {times} as long per step as {other}``."""
    percent: bool = False


KNOWN = (
    Known(r"(test_)?accuracy", "test accuracy", "accuracy", percent=True),
    Known(r"(max|largest)_(backward_)?error|(error_)?max(_u)?", "largest error", "numerics"),
    Known(r"rms_(backward_)?error|(error_)?rms(_u)?", "RMS error", "numerics"),
    Known(r"outcome|shape", "", "outcome"),
    Known(r"loss_per_step", "loss per step", "trajectory"),
    Known(r"(median_)?step(_wall)?_s", "step time", "step", "takes {times} as long per step as {other}"),
    Known(r"(images|samples|examples|items|sequences|steps)_per_s", "", "step"),
    Known(r"(time_to_)?first_step_s", "first step", "start", "takes {times} as long to its first step as {other}"),
    Known(r"(total_)?(train(ing)?|fit)_s", "training time", "step", "takes {times} as long to train as {other}"),
    Known(r"peak_(rss|gpu|memory)(_bytes)?", "", "memory"),
    Known(r"import_s", "import time", "import", "takes {times} as long to import as {other}"),
    Known(r"(\w+_)?cpu_s", "", "cpu"),
    Known(r"(test_)?loss", "test loss", "accuracy"),
    Known(r"val(idation)?_accuracy\w*", "", "accuracy", percent=True),
    Known(r"loss_per_epoch", "loss per epoch", "accuracy"),
    Known(r"digest|\w+_digest|bits", "", "numerics"),
    Known(r"(time|wall)(_s)?|seconds", "time", "step", "takes {times} as long as {other}"),
)
"""In order of importance: a finding about several figures of one cause is named after the first."""

_COLUMNS = {
    "mnist": (
        "free.test_accuracy",
        "free.step_s",
        "free.first_step_s",
        "free.images_per_s",
        "peak_rss_bytes",
        "import_s",
    ),
    "conv2d": (
        "issue_20804.error_max",
        "*.error_max",
        "*.error_rms",
        "*.outcome",
        "*.time_s",
        "peak_rss_bytes",
        "import_s",
    ),
    "ops": (
        "cases.ok",
        "cases.wrong",
        "cases.inaccurate",
        "cases.nan",
        "cases.shape",
        "cases.dtype",
        "cases.raises",
        "cases.unsupported",
    ),
    "reading": ("cases.ok", "cases.wrong", "cases.raises", "cases.crashes", "cases.inaccurate", "writers.not_run"),
    "suite": ("cases.ok", "cases.failed", "cases.raised", "cases.skipped", "files.not_imported", "suite.time_s"),
    "training": ("cases.ok", "cases.wrong", "cases.nan", "cases.raises", "cases.unsupported"),
}
"""Columns of a probe, most important first, where a report has them. ``*.figure`` is that figure in all modes."""

_PROMISES = ("cases.ok", "cases.wrong", "cases.raises", "cases.crashes", "cases.unsupported", "cases.not_run")
"""Columns of a probe that tries promises."""

MOST = 6
"""Columns of a probe that the rules do not name; more would not be read."""


@dataclass(frozen=True, slots=True)
class Pick:
    """What becomes a column: one metric, or one figure of several modes together."""

    names: tuple[str, ...]
    label: str


@functools.lru_cache(maxsize=4096)
def known(name: str) -> Known | None:
    """What is known about a metric of this name.

    Nothing about what a user's script prints: its accuracy may be one of training, or in percent.
    """
    if mode(name) == scripts.PRINTED:
        return None
    figure = _figure(name)
    return next((k for k in KNOWN if re.fullmatch(k.pattern, figure)), None)


@functools.lru_cache(maxsize=4096)
def label(name: str) -> str:
    """What people call the metric, without its mode.

    >>> label("free.test_accuracy"), label("free.images_per_s"), label("peak_rss_bytes"), label("fit_cpu_s")
    ('test accuracy', 'images/s', 'peak memory', 'fit CPU time')
    """
    found = known(name)
    if found and found.label:
        return found.label
    text = re.sub(r"_(u|bytes)$", "", _figure(name)).replace("_per_s", "/s")
    text = re.sub(r"_s$", " time", text).replace("_", " ").replace("peak rss", "peak memory")
    return re.sub(r"\b(rss|cpu|gpu|rms|rng)\b", lambda m: m.group().upper(), text) or name


def mode(name: str) -> str:
    """The part of the name before the figure, or an empty string."""
    return name.rpartition(".")[0].replace("_", " ")


def percent(name: str) -> bool:
    """Whether the figure is a fraction that is shown in percent."""
    found = known(name)
    return bool(found and found.percent)


def cause(name: str) -> str:
    """What a metric's change is put down to.

    Findings of one cause are one finding, in whatever mode. An unknown figure is a separate cause.
    """
    found = known(name)
    return found.cause if found else name


def choose(probe: str, metrics: Iterable[Metric], bad: Mapping[str, Collection[str]] | None = None) -> tuple[Pick, ...]:
    """The columns of a probe's table, most important first.

    ``bad`` are the metrics with a verdict that a reader must see, and the cells that have it: up to three figures of
    them become columns as well, unless a figure of the same cause is there already that is bad in the same cells.
    """
    bad = bad or {}
    metas = {m.name: m for m in metrics}
    entries = _PROMISES if probe in probes.activities() else _COLUMNS.get(probe, ())
    named = [names for entry in entries if (names := _matching(entry, metas))]
    chosen = named or _by_rank((n for n, m in metas.items() if _worth(m)), metas)[:MOST]
    shown = {name for names in chosen for name in names}
    covered: dict[str, set[str]] = {}
    for name in shown & bad.keys():
        covered.setdefault(cause(name), set()).update(bad[name])
    extra = (n for n in bad if n in metas and n not in shown and not set(bad[n]) <= covered.get(cause(n), set()))
    return _labelled([*chosen, *_by_rank(extra, metas)[:3]])


def _matching(entry: str, metas: Mapping[str, Metric]) -> tuple[str, ...]:
    if not entry.startswith("*."):
        return (entry,) if entry in metas else ()
    found = tuple(name for name in metas if mode(name) and _figure(name) == entry[2:])
    judged = tuple(name for name in found if metas[name].kind is not Kind.INFO)
    return judged or found  # the sum of several times is judged, its parts are not


def _by_rank(names: Iterable[str], metas: dict[str, Metric]) -> list[tuple[str, ...]]:
    """The names, most important first.

    The modes of one figure are together where there are too many to stand alone.
    """
    order = {name: place for place, name in enumerate(metas)}
    ordered = sorted(names, key=lambda name: (_rank(metas[name]), order[name]))
    if len(ordered) <= MOST:
        return [(name,) for name in ordered]
    figures: dict[str, list[str]] = {}
    for name in ordered:
        figures.setdefault(_figure(name), []).append(name)
    return [tuple(group) for group in figures.values()]


def _labelled(chosen: Sequence[tuple[str, ...]]) -> tuple[Pick, ...]:
    """With labels; where two are equal, with the mode."""
    labels = Counter(label(names[0]) for names in chosen)
    picks = []
    for names in chosen:
        text = label(names[0])
        if labels[text] > 1 and len(names) == 1 and mode(names[0]):
            text = f"{mode(names[0])} {text}"
        picks.append(Pick(names, text))
    return tuple(picks)


def _figure(name: str) -> str:
    return name.rpartition(".")[2]


def _worth(metric: Metric) -> bool:
    """Whether a figure is shown in every report.

    Lists and digests mean something only where they differ.
    """
    return not isinstance(metric.value, list) and not (metric.kind is Kind.EXACT and isinstance(metric.value, str))


def _rank(metric: Metric) -> tuple[int, int]:
    """The rank of a metric as a column.

    Judged before shown, numerics and accuracy before speed, known figures before others.
    """
    kinds = [Kind.ERROR, Kind.SEEDED, Kind.TIMING, Kind.EXACT, Kind.TRAJECTORY, Kind.INFO]
    found = known(metric.name)
    return (kinds.index(metric.kind), KNOWN.index(found) if found else len(KNOWN))
