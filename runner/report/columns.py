"""Which metrics become columns, and what they are called.

A metric is named ``mode.figure``. What is known about a figure is its label, how a sentence puts a change of it and
which cause it belongs to (slower steps and fewer images per second are one cause). Unknown figures get a label made
of their name, so a new probe needs no change here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runner.model import Better, Kind, Metric


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
    Known(r"(test_|final_)?acc(uracy)?", "test accuracy", "accuracy", "more accurate", "less accurate", percent=True),
    Known(r"(median_)?step(_wall)?(_time)?(_s)?", "step time", "step", "slower per step", "faster per step"),
    Known(
        r"(time_to_)?first_step(_time)?(_s)?",
        "first step",
        "start",
        "slower to its first step",
        "faster to its first step",
    ),
    Known(
        r"(images|samples|examples|items)_per_s(ec|econd)?",
        "images/s",
        "step",
        "higher in throughput",
        "lower in throughput",
    ),
    Known(
        r"(peak_rss|rss_peak|peak_memory|max_rss)(_bytes)?",
        "peak RSS",
        "memory",
        "larger in peak memory",
        "smaller in peak memory",
    ),
    Known(r"import(_time|_wall)?(_s)?", "import time", "import", "slower to import", "faster to import"),
    Known(r"(max|largest)_(backward_)?error(_u)?", "largest error", "numerics"),
    Known(r"rms_(backward_)?error(_u)?|error_rms(_u)?", "RMS error", "numerics"),
    Known(r"error_max(_u)?", "largest error", "numerics"),
    Known(r"(test_)?loss", "test loss", "accuracy"),
    Known(r"val(idation)?_acc(uracy)?.*", "validation accuracy", "accuracy", percent=True),
    Known(r"train(ing)?_acc(uracy)?.*", "training accuracy", "accuracy", percent=True),
    Known(r"loss_per_step", "loss per step", "trajectory"),
    Known(r"(loss_per_epoch|epoch_loss(es)?)", "loss per epoch", "accuracy"),
    Known(
        r"step_cpu(_time)?(_s)?|cpu_step(_s)?",
        "step CPU time",
        "step",
        "heavier per step in CPU time",
        "lighter per step in CPU time",
    ),
    Known(r"cpu(_time)?(_s)?", "CPU time", "cpu", "heavier in CPU time", "lighter in CPU time"),
    Known(r"(total_)?(train(ing)?|fit)(_time)?(_s)?", "training time", "step", "slower to train", "faster to train"),
    Known(r"(digest|.*_digest|bits|.*_bits)", "bit pattern", "numerics"),
    Known(r"time(_s)?|wall(_time)?(_s)?|seconds", "time", "step", "slower", "faster"),
)

_COLUMNS = {
    "mnist": (
        "*.test_accuracy|*.accuracy",
        "free.step_s|*.step_s|*.step_time*|*.median_step*",
        "free.*first_step*|*.*first_step*",
        "*.images_per_s*",
        "peak_rss*|*.peak_rss*",
        "import_s|*.import_s|*.import_time*",
    ),
}
"""Columns of a probe in order of importance; the first pattern of an entry that a report has is taken."""

MOST = 6
"""Columns of a probe that the rules do not name; more would not be read."""


def known(name: str) -> Known | None:
    """What is known about a metric of this name."""
    figure = name.rsplit(".", 1)[-1]
    return next((k for k in KNOWN if re.fullmatch(k.pattern, figure)), None)


def label(name: str) -> str:
    """What people call the metric, without its mode.

    >>> label("free.test_accuracy"), label("window.odd_thing_s")
    ('test accuracy', 'odd thing')
    """
    found = known(name)
    if found:
        return found.label
    figure = name.rsplit(".", 1)[-1]
    figure = re.sub(r"_(s|u|bytes)$", "", figure)
    return figure.replace("_per_s", "/s").replace("_", " ") or name


def mode(name: str) -> str:
    """The part of the name before the figure, or an empty string."""
    return name.rpartition(".")[0].replace("_", " ")


def percent(name: str) -> bool:
    """Whether the figure is a fraction that is shown in percent."""
    found = known(name)
    return bool(found and found.percent)


def cause(name: str) -> str:
    """Findings of one cause are one finding; an unknown figure is a cause of its own."""
    found = known(name)
    return f"{mode(name)}:{found.cause}" if found else name


def choose(probe: str, metrics: Iterable[Metric], moved: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Names of the metrics that become columns of a probe's table, most important first.

    ``moved`` are those with a bad verdict: they are always among the columns, whatever the rules say.
    """
    metas = {m.name: m for m in metrics}
    chosen = [name for entry in _COLUMNS.get(probe, ()) if (name := _first(entry, metas))]
    if not chosen:
        chosen = sorted((n for n, m in metas.items() if _worth(m)), key=lambda n: _rank(metas[n]))[:MOST]
    extra = sorted(
        (n for n in moved if n in metas and n not in chosen and _scalar(metas[n])), key=lambda n: _rank(metas[n])
    )
    covered = {cause(n) for n in chosen}
    return (*chosen, *[n for n in extra if cause(n) not in covered][:3])


def _first(entry: str, metas: dict[str, Metric]) -> str | None:
    """The first metric, in the probe's own order, that the earliest possible pattern of the entry matches."""
    for pattern in entry.split("|"):
        expression = re.compile(re.escape(pattern).replace(r"\*", ".*"))
        for name, metric in metas.items():
            if expression.fullmatch(name) and _scalar(metric):
                return name
    return None


def _scalar(metric: Metric) -> bool:
    return metric.kind is not Kind.TRAJECTORY and not isinstance(metric.value, list)


def _worth(metric: Metric) -> bool:
    """Whether a figure is read at all without being asked for: a digest says something only where it differs."""
    return _scalar(metric) and not (metric.kind is Kind.EXACT and isinstance(metric.value, str))


def _rank(metric: Metric) -> tuple[int, int, str]:
    """Judged before shown, numerics and accuracy before speed, figures with a known name before others."""
    kinds = [Kind.ERROR, Kind.SEEDED, Kind.TIMING, Kind.EXACT, Kind.TRAJECTORY, Kind.INFO]
    figure = metric.name.rsplit(".", 1)[-1]
    place = next((i for i, k in enumerate(KNOWN) if re.fullmatch(k.pattern, figure)), len(KNOWN))
    undirected = metric.better is Better.NEITHER and metric.kind is Kind.INFO
    return (kinds.index(metric.kind) + 10 * undirected, place, "")
