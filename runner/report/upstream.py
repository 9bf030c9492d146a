"""Writes a defect as an issue for its project, in Markdown. Nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runner.defects import Defect, cells
from runner.model import Sample

_VERBS = {
    "wrong value": "returns a wrong value",
    "NaN or infinity": "returns NaN or infinity where a number is right, or the reverse",
    "wrong gradient": "has a wrong gradient",
    "gradient is NaN or infinite": "has a gradient that is NaN or infinite",
    "wrong shape": "returns a wrong shape",
    "wrong dtype": "returns a wrong dtype",
    "inaccurate": "is less accurate than its dtype allows",
    "kills the process": "kills the process",
    "changes its argument": "changes its argument in place",
    "symbolic shape is wrong": "promises a wrong shape for symbolic inputs",
    "symbolic dtype is wrong": "promises a wrong dtype for symbolic inputs",
    "configuration leaves out arguments": "leaves out arguments in get_config()",
    "is not so": "does not hold",
    "backends disagree": "gives other results on other backends",
}
"""Kind -> what a title says."""

_SHOWN = ("keras", "numpy", "ml-dtypes", "scipy")
"""Packages that a maintainer asks for, next to the framework."""

_LONGEST = 110


def issue(defect: Defect, samples: Sequence[Sample], addresses: Sequence[str]) -> str:
    """The issue: title, versions, script, expected, found, releases, cause."""
    return "\n".join(_lines(defect, samples, addresses)) + "\n"


def title(defect: Defect) -> str:
    """What a maintainer reads in a list of issues."""
    frameworks = sorted({line.framework for line in defect.bounds})
    if ": " in defect.op and not defect.op.startswith("training: "):
        return _promise(defect, frameworks)
    names = re.sub(r"\b(?=(ops|layers|losses|metrics|optimizers|activations|random)\.)", "keras.", defect.op)
    listed = names.split(", ")
    more = f" (and {len(listed) - 1} more)" if len(listed) > 1 else ""
    verb = _VERBS.get(defect.kind, defect.kind)
    pattern = f" with {defect.pattern}" if defect.pattern else ""
    where = f" on {', '.join(frameworks)}" if "framework" in defect.axis or len(frameworks) == 1 else ""
    texts = [f"{listed[0]}{more} {verb}{pattern}{where}", f"{listed[0]} {verb}{pattern}{where}"]
    return next((text for text in texts if len(text) <= _LONGEST), f"{listed[0]} {verb}{where}")


def _promise(defect: Defect, frameworks: Sequence[str]) -> str:
    """The title of a promise that does not hold."""
    promise = re.sub(r" and \d+ more$", "", defect.title.partition(f": {defect.kind}")[0].partition(": ")[2])
    where = f" on {', '.join(frameworks)}" if len(frameworks) == 1 else ""
    releases = sorted({line.last_bad for line in defect.bounds if line.last_bad}, key=cells.version_key)
    what = _VERBS.get(defect.kind, defect.kind)
    end = f": {what}{where}, Keras {releases[-1]}" if releases else f": {what}{where}"
    room = _LONGEST - len(end)
    return (promise if len(promise) <= room else promise[: room - 3] + "...") + end


def _lines(defect: Defect, samples: Sequence[Sample], addresses: Sequence[str]) -> Iterator[str]:
    shown = _shown(defect, samples)
    yield f"# {title(defect)}"
    yield ""
    if shown is not None:
        packages = [f"{name} {shown.packages[name]}" for name in _SHOWN[1:] if name in shown.packages]
        yield f"**Versions:** {', '.join([cells.versions(shown.cell), *packages])}"
        yield ""
    yield "**Script**"
    yield ""
    yield "```python"
    yield defect.script.rstrip("\n")
    yield "```"
    yield ""
    expected, found = _told(defect)
    if expected:
        yield f"**Expected:** {expected}"
        yield ""
    yield f"**Found:** {found}"
    yield ""
    yield "**Releases**"
    yield ""
    yield "| backend | last good | first bad | last bad | first good |"
    yield "|---|---|---|---|---|"
    for line in defect.bounds:
        versions = (line.last_good, line.first_bad, line.last_bad, line.first_good)
        yield f"| {line.name} | {' | '.join(version or 'none' for version in versions)} |"
    yield ""
    if defect.untried:
        yield f"Not tried, so that they bound nothing: {'; '.join(defect.untried)}."
        yield ""
    if defect.also:
        yield f"**The same cause, as it seems:** {'; '.join(defect.also)}"
        yield ""
    if defect.packages:
        yield f"**Packages that differ between the nearest bad and good cell:** {', '.join(defect.packages)}"
        yield ""
    known = [address for address in addresses if address]
    yield f"**Cause:** {'see ' + ', '.join(known) if known else 'not known'}"


def _shown(defect: Defect, samples: Sequence[Sample]) -> Sample | None:
    """The sample of the newest bad cell."""
    bad = [sample for sample in samples if sample.cell.id in set(defect.cells)]
    return bad[cells.newest(range(len(bad)), bad)] if bad else None


def _told(defect: Defect) -> tuple[str, str]:
    """(what was expected, what was found); the first is empty where not known."""
    if defect.sides:
        return "", "; ".join(defect.sides)
    if split := re.fullmatch(r"(?:got )?(.*?)(?: \([^()]* units\))?; (?:expected|actual:) (.*)", defect.observed):
        return split[2], split[1]
    if split := re.fullmatch(r"(.*) (?:is|was) (.*) instead of (.*)", defect.observed):
        return split[3], f"{split[1]} is {split[2]}"
    if defect.kind.startswith("raises"):
        return "no exception", f"`{defect.observed}`"
    return "", defect.observed
