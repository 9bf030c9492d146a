"""Writes the page docs/findings.md, for ``runner defects --page``.

Text outside the two marks is written by people and stays as it is.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runner.defects import Defect, cells, known
from runner.defects.known import Known
from runner.model import Cell, Sample
from runner.report import defects, numbers

BEGIN = "<!-- runner defects: begin -->"
END = "<!-- runner defects: end -->"

_SECTIONS = (
    (9, "Wrong training, and processes that die"),
    (8, "Wrong values and gradients"),
    (7, "Wrong figures, shapes and promises"),
    (5, "Exceptions, and graphs that differ"),
    (4, "Inaccurate, or backends disagree"),
    (2, "Types, symbolic shapes and refusals"),
    (0, "Symbolic types, and changes that are not defects"),
)
"""The least severity of a section, and its heading."""

_ISSUE = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/(\d+)")
_HELD = ("numpy", "scipy", "ml-dtypes", "h5py", "pandas", "optree")


_WIDTH = 120
"""Characters of a line of prose."""

_LONGEST = 160
"""Characters of what a cell gave."""

Verdicts = Mapping[str, Sequence[str]]
"""A defect's key -> ``confirmed``, ``not confirmed`` or ``could not be run``, and why."""


def page(
    old: str,
    found: Sequence[Defect],
    samples: Sequence[Sample],
    listed: Sequence[Known],
    verdicts: Verdicts | None = None,
) -> str:
    """The page with what the results show between its marks.

    Without marks, a whole new page. ``verdicts``: a defect that was not confirmed stands in a section for those.
    """
    made = "\n".join([BEGIN, "", *_content(found, samples, listed, verdicts or {}), "", END])
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return f"# What the sweeps found\n\n```sh\nrunner defects RESULTS\n```\n\n{made}\n"
    return f"{before}{made}{after}"


def _content(
    found: Sequence[Defect], samples: Sequence[Sample], listed: Sequence[Known], verdicts: Verdicts
) -> Iterator[str]:
    doubtful = [defect for defect in found if verdicts.get(defect.key, ("",))[0] == "not confirmed"]
    rest = [defect for defect in found if defect not in doubtful]
    yield from _head(found, samples)
    if verdicts:
        counts = Counter(verdicts[defect.key][0] if defect.key in verdicts else "could not be run" for defect in found)
        yield "Scripts of the lines, run in the newest bad and the nearest good cell:"
        yield f"{', '.join(f'{count} {name}' for name, count in sorted(counts.items()))}."
        yield ""
    for least, heading in _SECTIONS:
        mine = [defect for defect in rest if defect.severity >= least]
        rest = [defect for defect in rest if defect.severity < least]
        if mine:
            yield f"## {heading}"
            yield ""
            yield from (_entry(defect, listed) for defect in mine)
            yield ""
    if doubtful:
        yield "## Not confirmed by their scripts"
        yield ""
        for defect in doubtful:
            yield f"{_entry(defect, listed)} Not confirmed: {_text(verdicts[defect.key][-1])}."
        yield ""


def _head(found: Sequence[Defect], samples: Sequence[Sample]) -> Iterator[str]:
    """Date, versions, packages and variants behind the lists."""
    days = sorted({sample.started[:10] for sample in samples if sample.started})
    ran = {sample.cell for sample in samples}
    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else "".join(days) or "an unknown day"
    processes = f"{len(samples)} processes of {', '.join(sorted({sample.probe for sample in samples}))}"
    yield f"{len(found)} findings of {len(ran)} cells, measured on {span}:"
    yield from textwrap.wrap(f"{processes}.", _WIDTH)
    yield ""
    yield "| framework | Keras | Python | packages |"
    yield "|---|---|---|---|"
    for (framework, version, variant), members in sorted(_lines(ran).items()):
        releases = sorted({cell.keras or "native" for cell in members}, key=cells.version_key)
        pythons = sorted({cell.python for cell in members}, key=cells.version_key)
        named = f"{framework} {version}" + (f", variant {variant}" if variant else "")
        yield f"| {named} | {', '.join(releases)} | {', '.join(pythons)} | {_packages(members, samples)} |"
    yield ""


def _lines(ran: Iterable[Cell]) -> dict[tuple[str, str, str], list[Cell]]:
    found: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in ran:
        found[cell.framework, cell.version, cell.variant].append(cell)
    return found


def _packages(members: Sequence[Cell], samples: Sequence[Sample]) -> str:
    """``numpy 2.0.2, scipy 1.15.3/1.17.1``: the versions in those cells."""
    wanted = set(members)
    found: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.cell in wanted:
            for name in _HELD:
                if name in sample.packages:
                    found[name].add(sample.packages[name])
    return ", ".join(
        f"{name} {'/'.join(sorted(found[name], key=cells.version_key))}" for name in _HELD if name in found
    )


def _entry(defect: Defect, listed: Sequence[Known]) -> str:
    """One line: names, what is wrong, where, bounds, the simplest case, the address."""
    name, _, what = defect.title.removesuffix(f" - {defect.where}").rpartition(": ")
    if not name:
        name, what = defect.op, defect.kind
    where = defect.where.removeprefix("all ") if defect.where != "all cells" else "all cells"
    bounds = [text for text in defects.bounds(defect) if not text.startswith("first bad")]
    first = f"- `{_code(name)}`: {_text(what)}."
    if ": " in defect.op and defect.kind == "is not so":
        first = f"- Not so: `{_code(name)}`."
    parts = [first, f"Bad: {_text('; '.join([where, *bounds]))}."]
    if defect.axis and not {"framework", "keras", "version"} & set(defect.axis.split(", ")):
        parts.append(f"Follows {_text(defect.axis)}.")
    if defect.sides:
        parts.append(f"{_text('; '.join(defect.sides))}.")
    if ": " in defect.op and defect.observed:
        parts.append(f"Seen: {_text(_short(defect.observed))}.")
    if defect.cases and ": " not in defect.op:
        more = f" and {len(defect.cases) - 1} more" if len(defect.cases) > 1 else ""
        parts.append(f"`{_code(defect.cases[0])}`{more}.")
    if defect.also:
        parts.append(f"Also {_text('; '.join(defect.also))}.")
    if defect.untried:
        parts.append(f"Not tried: {_text('; '.join(defect.untried))}.")
    addresses = [a for a in known.issues(listed, defect.op, defect.kind, defect.cells) if a]
    links = [f"[#{m[1]}]({a})" if (m := _ISSUE.fullmatch(a)) else f"<{a}>" for a in addresses]
    parts.append(f"{', '.join(links)}." if links else "No issue found.")
    return " ".join(parts)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _code(text: str) -> str:
    return numbers.plain(text).replace("`", "'")


def _text(text: str) -> str:
    """Text in which nothing is markup."""
    return re.sub(r"([\\`*<>|\[\]])", r"\\\1", numbers.plain(text))
