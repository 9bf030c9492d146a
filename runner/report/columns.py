"""Which metrics become columns, and what they are called.

A metric is named ``mode.figure``. What is known about a figure is its label, how a sentence puts a change of it and
which cause it belongs to (slower steps and fewer images per second are one cause). Unknown figures get a label made
of their name, so a new probe needs no change here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from runner.model import Kind, Metric


@dataclass(frozen=True, slots=True)
class Known:
    """What a known figure is called."""

    pattern: str
    """Matches the whole of the part of the metric's name after the mode."""
    label: str
    cause: str
    """Figures of one cause that moved together are one finding."""
    more: str = ""
    """How a sentence puts a higher figure: ``slower per step``."""
    less: str = ""
    percent: bool = False


KNOWN = (
    Known(r"(test_)?accuracy", "test accuracy", "accuracy", "more accurate", "less accurate", percent=True),
    Known(r"(max|largest)_(backward_)?error|(error_)?max(_u)?", "largest error", "numerics"),
    Known(r"rms_(backward_)?error|(error_)?rms(_u)?", "RMS error", "numerics"),
    Known(r"loss_per_step", "loss per step", "trajectory"),
    Known(r"(median_)?step(_wall)?_s", "step time", "step", "slower per step", "faster per step"),
    Known(r"(images|samples|examples|items|sequences|steps)_per_s", "", "step", "higher in", "lower in"),
    Known(r"(time_to_)?first_step_s", "first step", "start", "slower to its first step", "faster to its first step"),
    Known(r"(total_)?(train(ing)?|fit)_s", "training time", "step", "slower to train", "faster to train"),
    Known(r"peak_(rss|gpu|memory)(_bytes)?", "", "memory", "larger in", "smaller in"),
    Known(r"import_s", "import time", "import", "slower to import", "faster to import"),
    Known(r"(\w+_)?cpu_s", "", "cpu", "heavier in", "lighter in"),
    Known(r"(test_)?loss", "test loss", "accuracy"),
    Known(r"val(idation)?_accuracy\w*", "", "accuracy", percent=True),
    Known(r"loss_per_epoch", "loss per epoch", "accuracy"),
    Known(r"digest|\w+_digest|bits", "", "numerics"),
    Known(r"(time|wall)(_s)?|seconds", "time", "step", "slower", "faster"),
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
}
"""Columns of a probe, most important first, where a report has them."""

MOST = 6
"""Columns of a probe that the rules do not name; more would not be read."""


def known(name: str) -> Known | None:
    """What is known about a metric of this name."""
    figure = _figure(name)
    return next((k for k in KNOWN if re.fullmatch(k.pattern, figure)), None)


def label(name: str) -> str:
    """What people call the metric, without its mode.

    >>> label("free.test_accuracy"), label("free.images_per_s"), label("peak_rss_bytes"), label("fit_cpu_s")
    ('test accuracy', 'images/s', 'peak RSS', 'fit CPU time')
    """
    found = known(name)
    if found and found.label:
        return found.label
    text = re.sub(r"_(u|bytes)$", "", _figure(name)).replace("_per_s", "/s")
    text = re.sub(r"_s$", " time", text).replace("_", " ")
    return re.sub(r"\b(rss|cpu|gpu|rms|rng)\b", lambda m: m.group().upper(), text) or name


def mode(name: str) -> str:
    """The part of the name before the figure, or an empty string."""
    return name.rpartition(".")[0].replace("_", " ")


def percent(name: str) -> bool:
    """Whether the figure is a fraction that is shown in percent."""
    found = known(name)
    return bool(found and found.percent)


def cause(name: str) -> str:
    """Findings of one cause are one finding, in whatever mode; an unknown figure is a cause of its own."""
    found = known(name)
    return found.cause if found else name


def choose(probe: str, metrics: Iterable[Metric], moved: Collection[str] = ()) -> tuple[str, ...]:
    """Names of the metrics that become columns of a probe's table, most important first.

    ``moved`` are those of which a verdict is more than ``same``: up to three of them that nothing else in the table
    stands for become columns as well.
    """
    metas = {m.name: m for m in metrics}
    chosen = [name for name in _COLUMNS.get(probe, ()) if name in metas]
    if not chosen:
        chosen = sorted((n for n, m in metas.items() if _worth(m)), key=lambda n: _rank(metas[n]))[:MOST]
    covered = {(mode(n), cause(n)) for n in chosen}
    extra = [n for n in moved if n in metas and (mode(n), cause(n)) not in covered]
    return (*chosen, *sorted(extra, key=lambda n: _rank(metas[n]))[:3])


def _figure(name: str) -> str:
    return name.rpartition(".")[2]


def _worth(metric: Metric) -> bool:
    """Whether a figure is read without being asked for: lists and digests say something only where they differ."""
    return not isinstance(metric.value, list) and not (metric.kind is Kind.EXACT and isinstance(metric.value, str))


def _rank(metric: Metric) -> tuple[int, int]:
    """Judged before shown, numerics and accuracy before speed, known figures before others."""
    kinds = [Kind.ERROR, Kind.SEEDED, Kind.TIMING, Kind.EXACT, Kind.TRAJECTORY, Kind.INFO]
    found = known(metric.name)
    return (kinds.index(metric.kind), KNOWN.index(found) if found else len(KNOWN))
