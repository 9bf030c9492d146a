"""Makes settings of the probe ``script`` from ``runner matrix --script``. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.errors import UsageError
from runner.model import Better, Kind, ProbeSpec, Scalar

PROBE = "script"
"""The name of the probe that runs a user's script."""

PRINTED = "printed"
"""The mode of the metrics that a script prints: ``printed.accuracy``."""

_KINDS = (Kind.TIMING, Kind.SEEDED, Kind.EXACT)
_WORDS = re.compile(rf"(.*?)((?:\s+(?:{'|'.join([Better.LOWER, Better.HIGHER, *_KINDS])}))*)\s*", re.DOTALL)

_KNOWN: tuple[tuple[re.Pattern[str], Kind, Better], ...] = tuple(
    (re.compile(rf"(?:^|_)(?:{words})(?:_|$)"), kind, better)
    for words, kind, better in (
        (r"per_(?:s|sec|second)|throughput|fps", Kind.TIMING, Better.HIGHER),
        (r"acc|accuracy|auc|precision|recall|f1|score|iou|dice|bleu", Kind.SEEDED, Better.HIGHER),
        (r"loss|error|mse|mae|rmse|perplexity", Kind.SEEDED, Better.LOWER),
        (r"time|latency|duration|seconds|sec|s|ms|us|ns|memory|rss|bytes", Kind.TIMING, Better.LOWER),
    )
)
"""What figures usually are, by a word of their names. The first that fits counts."""


Settings = Mapping[str, Scalar | list[Scalar]]


def settings(path: Path, metrics: Sequence[str], *, network: bool = False) -> Settings:
    """The settings of the probe for a script and its ``--metric`` options.

    Raises UsageError for a metric that is wrong, and for two with one name.
    """
    parsed = [metric(text) for text in metrics]
    names = Counter(name for name, _ in parsed)
    if twice := next((name for name, count in names.items() if count > 1), ""):
        raise UsageError(f"--metric: two are called {twice!r}; name one of them, as in (?P<other>[\\d.]+)")
    return {
        "script": path.name,
        "metrics": [text for _, text in parsed],
        "names": [name for name, _ in parsed],
        **({"network": True} if network else {}),
    }


def network(probe: ProbeSpec) -> bool:
    """Whether a process of the probe may reach the network.

    That of a script may where the user allows it.
    """
    return probe.name == PROBE and probe.settings.get("network") is True


def metric(text: str) -> tuple[str, str]:
    """The name of a figure, and its pattern, kind and direction for the probe.

    ``text`` is a regular expression, followed by ``lower`` or ``higher`` and by a kind where its name does not imply
    them. Raises UsageError.

    >>> metric("accuracy=([0-9.]+)")
    ('accuracy', 'accuracy=([0-9.]+) seeded higher')
    >>> metric("step time: ([0-9.]+) ms lower")
    ('step_time', 'step time: ([0-9.]+) ms timing lower')
    """
    found = _WORDS.fullmatch(text)
    pattern, words = (found[1], found[2].split()) if found else (text, [])
    name = _name(text, pattern)
    kinds = [Kind(word) for word in words if word in _KINDS]
    ways = [Better(word) for word in words if word not in _KINDS]
    if len(kinds) > 1 or len(ways) > 1:
        raise UsageError(f"--metric {text!r} says two things of one figure: {' and '.join(words)}")
    usual = next(((kind, better) for known, kind, better in _KNOWN if known.search(name.lower())), None)
    kind = kinds[0] if kinds else usual[0] if usual else Kind.TIMING
    if kind == Kind.EXACT:
        if ways:
            raise UsageError(f"--metric {text!r}: an exact figure is equal or not, neither lower nor higher is better")
        return name, f"{pattern} {kind} {Better.NEITHER}"
    if not ways and usual is None:
        raise UsageError(f"--metric {text!r}: add `lower` or `higher`, which is better, or `exact`")
    return name, f"{pattern} {kind} {ways[0] if ways or usual is None else usual[1]}"


def metric_pattern(pattern: str, text: str = "") -> re.Pattern[str]:
    """The regular expression of a figure.

    ``text``: the whole option, where it has more.

    Raises UsageError for one that is malformed or captures nothing.
    """
    try:
        made = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--metric {text or pattern!r} is not a regular expression: {error}") from None
    if not made.groups:
        advice = "put parentheses around the figure, as acc=([\\d.]+)"
        raise UsageError(f"--metric {text or pattern!r} captures nothing: {advice}")
    return made


def _name(text: str, pattern: str) -> str:
    """The name of the pattern's group, or else the words before it."""
    groups = metric_pattern(pattern, text)
    if len(groups.groupindex) > 1:
        raise UsageError(f"--metric {text!r} names several figures: give one --metric for each")
    before = re.sub(r"\\.|\[[^]]*\]", " ", pattern[: pattern.index("(")])
    name = next(iter(groups.groupindex), "") or re.sub(r"\W+", "_", before).strip("_")
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise UsageError(f"--metric {text!r} has no name: name its group, as in (?P<accuracy>[\\d.]+)")
    return name
