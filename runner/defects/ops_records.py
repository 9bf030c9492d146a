"""Records of the ``ops`` probe -> findings: one case, one way of being wrong, the cells that are and that are not.

Three sources: what a cell's own float64 reference and checks say, agreement among cells where there is no reference,
and agreement of types. Pure.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.defects import ops_script
from runner.defects.cells import version_key
from runner.model import Sample

PASSED = {"symbolic": "s", "dynamic": "d", "gradient": "g", "graph": "t", "arguments": "a"}
NARROW = {"int64": "int32", "uint64": "int32", "uint32": "int32", "float64": "float32", "complex128": "complex64"}
"""What JAX makes of 64-bit types unless told otherwise, and PyTorch of unsigned ones: documented, so no difference."""

REFUSAL = re.compile(
    r"support|not implemented|not available|when using the \w+ backend|expected (of )?one of", re.IGNORECASE
)
"""A message that says that something was left out on purpose."""

LOOSE = 1e-3
"""Relative difference below which sketches of two cells agree: beyond rounding of float32, short of any real change."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One case and one kind: the cells (indices) in which it is bad, and in which it is good."""

    case: str
    op: str
    kind: str
    bad: frozenset[int]
    good: frozenset[int]
    observed: Mapping[int, str] = field(default_factory=dict)


def findings(runs: Sequence[Sequence[Sample]]) -> list[Finding]:
    """All findings. ``runs`` holds the samples of each cell; findings name cells by their place in it."""
    firsts = [samples[0] for samples in runs]
    return [*_judged(firsts), *_compared(firsts), *_typed(firsts), *_repeated(runs)]


def _judged(samples: Sequence[Sample]) -> list[Finding]:
    """What the cells' own references and checks say."""
    bad: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for i, sample in enumerate(samples):
        for ident, record in sample.details["cases"].items():
            if record[0] not in ("ok", "seen", "unsupported", "unspecified"):
                check = ident.partition("#")[2]
                bad[ident, record[0] + (check and "#" + check)][i] = _observed(record)
    found = []
    for (ident, kind), observed in bad.items():
        good = frozenset(i for i, s in enumerate(samples) if i not in observed and _holds(s, ident))
        finding = Finding(ident, ops_script.operation(ident), kind, frozenset(observed), good, observed)
        if not kind.startswith("raises") or _blameworthy(finding, samples):
            found.append(replace(finding, kind=_refined(finding)))
    return found


def _refined(finding: Finding) -> str:
    """The kind, told more exactly where the case or the message allows it."""
    if finding.case.startswith("missing_in_config("):
        return "configuration" if finding.kind == "wrong" else finding.kind
    if "dtype_of(" in finding.case and finding.kind == "raises":
        return "raises#dtype"
    if finding.kind == "raises" and all(REFUSAL.search(text) for text in finding.observed.values()):
        return "refuses"
    return finding.kind


def _holds(sample: Sample, ident: str) -> bool:
    body, _, check = ident.partition("#")
    record = sample.details["cases"].get(ident if not check else body)
    if record is None:
        return False
    if not check:
        return record[0] in ("ok", "seen")
    return ident not in sample.details["cases"] and PASSED[check] in record[5]


def _blameworthy(finding: Finding, samples: Sequence[Sample]) -> bool:
    """Whether an exception is a defect rather than a limit that everybody shares.

    Somewhere the same call must work. Where every backend of a Keras version refuses alike with a ValueError, that
    version did not offer it.
    """
    if not finding.good:
        return False
    refused = {i for i in finding.bad if finding.observed[i].startswith("ValueError")}
    if refused != finding.bad:
        return True
    frameworks = {s.cell.framework for s in samples}
    by_keras: dict[str | None, set[str]] = defaultdict(set)
    for i in finding.bad:
        by_keras[samples[i].cell.keras].add(samples[i].cell.framework)
    return len(frameworks) == 1 or any(len(found) < len(frameworks) for found in by_keras.values())


def _observed(record: Sequence[Any]) -> str:
    status, figure, sketch, types, note, _ = record
    if status in ("raises", "crashes"):
        return str(note)
    if status in ("shape", "dtype"):
        return f"{types}; {note}"
    values = ", ".join(map(str, sketch[1:])) if isinstance(sketch, list) else str(sketch)
    error = "" if figure is None else f" ({figure:.3g} units)"
    return f"got [{values}]{error}; {note}"


def _compared(samples: Sequence[Sample]) -> list[Finding]:
    """Cases without a reference: the cells that differ from most backends, or versions from later ones."""
    seen: dict[str, dict[int, Any]] = defaultdict(dict)
    order = {k: i for i, k in enumerate(sorted({s.cell.keras for s in samples}, key=version_key))}
    for i, sample in enumerate(samples):
        for ident, record in sample.details["cases"].items():
            if record[0] == "seen" and isinstance(record[2], list):
                seen[ident][i] = (record[3], record[2])
    found = []
    for ident, results in seen.items():
        clusters = _clusters(results)
        if len(clusters) < 2:
            continue
        clusters.sort(
            key=lambda c: (*_weight(c, samples), max(order[samples[i].cell.keras] for i in c), -min(c)), reverse=True
        )
        best = clusters[0]
        rest = frozenset(i for c in clusters[1:] for i in c)
        frameworks = {samples[i].cell.framework for i in results}
        alone = all({samples[i].cell.framework for i in c} == frameworks for c in clusters)
        kind = "changed" if alone and len(frameworks) > 1 else "differs"
        texts = {i: f"got {results[i][1][1:]}; most others {results[min(best)][1][1:]}" for i in rest}
        found.append(Finding(ident, ops_script.operation(ident), kind, rest, frozenset(best), texts))
    return found


def _clusters(results: Mapping[int, Any]) -> list[list[int]]:
    clusters: list[list[int]] = []
    for i, value in results.items():
        for cluster in clusters:
            if _alike(results[cluster[0]], value):
                cluster.append(i)
                break
        else:
            clusters.append([i])
    return clusters


def _alike(a: tuple[str, list[Any]], b: tuple[str, list[Any]]) -> bool:
    if re.findall(r"\[.*?\]", a[0]) != re.findall(r"\[.*?\]", b[0]) or len(a[1]) != len(b[1]):
        return False
    size = max((abs(v) for v in (*a[1], *b[1]) if isinstance(v, int | float)), default=0.0)
    return all(
        x == y
        or (isinstance(x, int | float) and isinstance(y, int | float) and math.isclose(x, y, abs_tol=LOOSE * size))
        for x, y in zip(a[1], b[1], strict=True)
    )


def _weight(cluster: Iterable[int], samples: Sequence[Sample]) -> tuple[int, int]:
    frameworks = Counter(samples[i].cell.framework for i in cluster)
    return len(frameworks), sum(frameworks.values())


def _typed(samples: Sequence[Sample]) -> list[Finding]:
    """Right values of another type than on most backends of the same Keras version."""
    found = []
    idents = {k for s in samples for k, r in s.details["cases"].items() if r[0] in ("ok", "seen") and r[3]}
    for ident in sorted(idents):
        odd: dict[int, str] = {}
        fine: set[int] = set()
        by_keras: dict[str | None, dict[int, str]] = defaultdict(dict)
        for i, sample in enumerate(samples):
            record = sample.details["cases"].get(ident)
            if record is not None and record[0] in ("ok", "seen") and "python[" not in record[3]:
                by_keras[sample.cell.keras][i] = _types(record[3])
        for types in by_keras.values():
            votes = Counter((samples[i].cell.framework, t) for i, t in types.items())
            count = Counter(t for _, t in votes)
            usual, most = count.most_common(1)[0]
            if most < 2 or list(count.values()).count(most) > 1:
                continue
            for i, types_found in types.items():
                if types_found == usual:
                    fine.add(i)
                else:
                    odd[i] = f"{types_found}, on most backends {usual}"
        if odd:
            found.append(Finding(ident, ops_script.operation(ident), "dtype", frozenset(odd), frozenset(fine), odd))
    return found


def _types(text: str) -> str:
    names = re.findall(r"(\w+)\[", text)
    return " ".join(NARROW.get(name, name) for name in names)


def _repeated(runs: Sequence[Sequence[Sample]]) -> list[Finding]:
    """Cases whose result is not the same in every process of a cell."""
    unequal: dict[str, dict[int, str]] = defaultdict(dict)
    for i, samples in enumerate(runs):
        for other in samples[1:]:
            for ident, record in samples[0].details["cases"].items():
                again = other.details["cases"].get(ident)
                if again is not None and (again[0], again[2]) != (record[0], record[2]):
                    unequal[ident][i] = f"{record[0]} {record[2]}, then {again[0]} {again[2]}"
    every = range(len(runs))
    return [
        Finding(
            k,
            ops_script.operation(k),
            "nondeterministic",
            frozenset(v),
            frozenset(i for i in every if i not in v and len(runs[i]) > 1),
            v,
        )
        for k, v in unequal.items()
    ]
