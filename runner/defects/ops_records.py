"""Turns records of the ``ops`` probe into wrong cases.

Sources: the cell's float64 reference and checks, agreement among cells where there is no reference, agreement of
types, and repeated processes. Pure.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from runner.defects import ops_script
from runner.defects.cases import Case, Run
from runner.defects.cells import version_key

PASSED = {"symbolic": "s", "dynamic": "d", "gradient": "g", "graph": "t", "arguments": "a"}
NARROW = {"int64": "int32", "uint64": "int32", "uint32": "int32", "float64": "float32", "complex128": "complex64"}
"""The types that JAX uses for 64-bit ones by default, and PyTorch for unsigned ones: documented, so not a defect."""

REFUSAL = re.compile(
    r"support|not implemented|not available|when using the \w+ backend|expected (of )?one of", re.IGNORECASE
)
"""A message that says that something was left out on purpose."""

MUST_BE_ACCEPTED = "expected [0.0]"
"""How an observation of ``refused(...)`` ends where the call is right."""

TRACED = re.compile(r"^(Tracer|Concretization|NonConcrete|UnexpectedTracer)\w*Error")
"""An exception of JAX that every traced call raises, with or without a gradient."""

LOOSE = 1e-3
"""Relative difference below which sketches of two cells agree: beyond rounding of float32, short of any real change."""


@dataclass(frozen=True, slots=True)
class WrongCase:
    """One case and one kind: the cells (indices) where it is wrong, and where right."""

    case: str
    op: str
    kind: str
    bad: frozenset[int]
    good: frozenset[int]
    observed: Mapping[int, str] = field(default_factory=dict)
    parties: str = ""
    """Where backends disagree: which ones agree with each other, ``jax | tensorflow, torch``."""
    sides: tuple[str, ...] = ()
    """Where backends disagree: what each party gave, in the newest release in which they do."""


def wrong_cases(runs: Sequence[Sequence[Run]]) -> list[WrongCase]:
    """All wrong cases.

    ``runs`` holds the runs of each cell; a wrong case names cells by their place in it.
    """
    firsts = [of_cell[0] for of_cell in runs]
    return [*_judged(firsts), *_compared(firsts), *_typed(firsts), *_repeated(runs)]


def _judged(runs: Sequence[Run]) -> list[WrongCase]:
    """The cases that the cells' own references and checks find wrong."""
    bad: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for i, run in enumerate(runs):
        for ident, case in run.cases.items():
            if not (case.right or case.silent):
                check = ident.partition("#")[2]
                if case.status == "raises" and ident.startswith("dtype_of(") and TRACED.match(case.note):
                    continue  # the probe traced what cannot be traced, to save time
                if check == "gradient" and case.status == "raises" and TRACED.match(case.note):
                    check = "jit"
                bad[ident, case.status + (check and "#" + check)][i] = _observed(case)
    found = []
    tried = _by_call(runs)
    for (ident, kind), observed in bad.items():
        compared = not kind.startswith(("raises", "crashes"))
        good = frozenset(i for i, run in enumerate(runs) if i not in observed and _holds(run, ident, compared=compared))
        wrong = WrongCase(ident, ops_script.operation(ident), kind, frozenset(observed), good, observed)
        if not kind.startswith("raises") or _blameworthy(wrong, runs):
            wrong = _told(replace(wrong, kind=_refined(wrong)))
            if wrong.kind == "raises#dtype" and not _other_types(wrong, tried):
                wrong = replace(wrong, kind="raises")
            if wrong.kind.startswith("accepts") and not wrong.good:
                continue  # nothing has ever refused it
            if wrong.kind != "refuses" or _accepted_elsewhere(wrong, runs):
                found.append(wrong)
    return found


def _by_call(runs: Sequence[Run]) -> dict[tuple[int, str], dict[str, bool]]:
    """The calls that are tried for several types.

    By cell and call: whether each type is right.
    """
    found: dict[tuple[int, str], dict[str, bool]] = defaultdict(dict)
    for i, run in enumerate(runs):
        for ident, case in run.cases.items():
            if "dtype_of(" in ident:
                found[i, ident.partition(", '")[0]][ident] = case.right
    return found


def _other_types(wrong: WrongCase, tried: Mapping[tuple[int, str], Mapping[str, bool]]) -> bool:
    """Whether the same call is right for another type in a bad cell.

    True also where it was tried for no other type.
    """
    call = wrong.case.partition(", '")[0]
    others = [right for i in wrong.bad for ident, right in tried.get((i, call), {}).items() if ident != wrong.case]
    return not others or any(others)


def _accepted_elsewhere(wrong: WrongCase, runs: Sequence[Run]) -> bool:
    """Whether another release accepts on a backend what this one refuses there.

    What a backend has always refused, with a message that says that it is not supported, is its limit.
    """
    return bool({runs[i].cell.framework for i in wrong.bad} & {runs[i].cell.framework for i in wrong.good})


def _refined(wrong: WrongCase) -> str:
    """The kind, more exact where the case or the message allows it."""
    if wrong.case.startswith("missing_in_config("):
        return "configuration" if wrong.kind == "wrong" else wrong.kind
    if wrong.case.startswith("refused(") and wrong.kind == "wrong":
        if all(text.endswith(MUST_BE_ACCEPTED) for text in wrong.observed.values()):
            return "raises"
        return "accepts#symbolic" if "symbol(" in wrong.case else "accepts"
    if re.search(r"dtype_of\(|kind_of\(ops", wrong.case) and wrong.kind == "raises":
        return "raises#dtype"
    if wrong.kind == "wrong" and re.match(r"dtype_of\(.* == promised_dtype_of\(|kind_of\(.* == kind_of\(", wrong.case):
        return "dtype#symbolic"
    if wrong.kind == "wrong" and wrong.case.startswith("fits(promised_shape("):
        return "shape#symbolic"
    if re.search(r"standardize_dtype\(.*\.dtype\) == ", wrong.case) and wrong.kind == "wrong":
        return "dtype"
    if wrong.case.startswith("promised_dtype_of(") and wrong.kind in ("dtype", "wrong"):
        return "dtype#symbolic"
    if wrong.kind == "raises" and all(REFUSAL.search(text) for text in wrong.observed.values()):
        return "refuses"
    return wrong.kind


def _told(wrong: WrongCase) -> WrongCase:
    """The case, with words in place of a truth value where its own says what it tried."""
    if wrong.case.startswith("refused(") and wrong.kind.startswith(("accepts", "raises")):
        call = wrong.case.removeprefix("refused(lambda: ").partition(" | ")[0].removesuffix(")")
        words = "raises no error" if wrong.kind.startswith("accepts") else "raises an error"
        return replace(wrong, observed=dict.fromkeys(wrong.observed, f"{call} {words}"))
    if re.search(r" == (promised_dtype_of|kind_of)\(", wrong.case) and wrong.kind == "dtype#symbolic":
        return replace(wrong, observed=dict.fromkeys(wrong.observed, "the symbolic call promises another type"))
    return wrong


def _holds(run: Run, ident: str, *, compared: bool) -> bool:
    """Whether the case, or the further check in ``ident``, passed in that run.

    ``compared``: a reference must have agreed. A result that was compared with nothing bounds no wrong value.
    """
    body, _, check = ident.partition("#")
    case = run.cases.get(body)
    if case is None:
        return False
    if not check:
        return case.status == "ok" if compared else case.right
    return ident not in run.cases and PASSED.get(check, check) in case.passed


def _blameworthy(wrong: WrongCase, runs: Sequence[Run]) -> bool:
    """Whether an exception is a defect rather than a limit that everybody shares.

    Somewhere the same call must work. Where every backend of a Keras version refuses alike with a ValueError, that
    version did not offer it.
    """
    if not wrong.good:
        return False
    refused = {i for i in wrong.bad if wrong.observed[i].startswith("ValueError")}
    if refused != wrong.bad:
        return True
    frameworks = {run.cell.framework for run in runs}
    by_keras: dict[str | None, set[str]] = defaultdict(set)
    for i in wrong.bad:
        by_keras[runs[i].cell.keras].add(runs[i].cell.framework)
    return len(frameworks) == 1 or any(len(found) < len(frameworks) for found in by_keras.values())


def _observed(case: Case) -> str:
    """What the cell gave and what was expected, in words."""
    if case.status in ("raises", "crashes"):
        return case.note
    if case.status in ("shape", "dtype"):
        return f"{case.types}; {case.note}"
    values = ", ".join(map(str, case.sketch[1:])) if isinstance(case.sketch, list) else str(case.sketch)
    figure = f"{case.figure:.3g}" if isinstance(case.figure, float) else case.figure
    error = f" ({figure} units)" if case.status == "inaccurate" and case.figure is not None else ""
    return f"got [{values}]{error}; {case.note}"


@dataclass(frozen=True, slots=True)
class _Result:
    """What a cell computed where there is no reference."""

    shapes: Sequence[str]
    sketch: Sequence[float | str]

    @property
    def values(self) -> list[float | str]:
        """The first values, without the norm before them."""
        return list(self.sketch[1:])


def _compared(runs: Sequence[Run]) -> list[WrongCase]:
    """Cases without a reference in which backends disagree, or that changed."""
    seen: dict[str, dict[int, _Result]] = defaultdict(dict)
    for i, run in enumerate(runs):
        for ident, case in run.cases.items():
            if case.status == "seen" and isinstance(case.sketch, list):
                seen[ident][i] = _Result(re.findall(r"\[.*?\]", case.types), case.sketch)
    found = []
    for ident, results in seen.items():
        clusters = _clusters(results)
        if len(clusters) > 1:
            texts = {i: str(result.values) for i, result in results.items()}
            of = {i: number for number, cluster in enumerate(clusters) for i in cluster}
            found.append(_disagreement(ident, "disagree", of, texts, runs) or _change(ident, of, texts, runs))
    return found


def _disagreement(
    ident: str, kind: str, party: Mapping[int, int | str], texts: Mapping[int, str], runs: Sequence[Run]
) -> WrongCase | None:
    """The case in the releases in which the cells do not agree; None: they always do.

    ``party``: cells of one party agree. All cells of such a release are listed: which ones are right is not known.
    """
    by_keras: dict[str | None, list[int]] = defaultdict(list)
    for i in party:
        by_keras[runs[i].cell.keras].append(i)
    apart = {keras: cells for keras, cells in by_keras.items() if len({party[i] for i in cells}) > 1}
    if not apart:
        return None
    newest = apart[max(apart, key=version_key)]
    members: dict[int | str, list[int]] = defaultdict(list)
    for i in newest:
        members[party[i]].append(i)
    names = {", ".join(sorted({_side(runs[i]) for i in cells})): texts[cells[0]] for cells in members.values()}
    together = [
        i
        for keras, cells in by_keras.items()
        if keras not in apart and len({runs[i].cell.framework for i in cells}) > 1
        for i in cells
    ]
    sides = tuple(f"{name}: {names[name]}" for name in sorted(names))
    return WrongCase(
        ident,
        ops_script.operation(ident),
        kind,
        frozenset(i for cells in apart.values() for i in cells),
        frozenset(together),
        {i: texts[i] for cells in apart.values() for i in cells},
        " | ".join(sorted(names)),
        sides,
    )


def _change(ident: str, party: Mapping[int, int], texts: Mapping[int, str], runs: Sequence[Run]) -> WrongCase:
    """The case in the releases before the newest result, which every backend shares."""
    last = max(party, key=lambda i: version_key(runs[i].cell.keras))
    good = frozenset(i for i in party if party[i] == party[last])
    observed = {i: f"was {texts[i]}, is {texts[last]}" for i in party if i not in good}
    return WrongCase(ident, ops_script.operation(ident), "changed", frozenset(observed), good, observed)


def _side(run: Run) -> str:
    """What a party is called: its framework, with its variant."""
    return run.cell.framework + (f" ({run.cell.variant})" if run.cell.variant else "")


def _clusters(results: Mapping[int, _Result]) -> list[list[int]]:
    clusters: list[list[int]] = []
    for i, value in results.items():
        for cluster in clusters:
            if _alike(results[cluster[0]], value):
                cluster.append(i)
                break
        else:
            clusters.append([i])
    return clusters


def _alike(a: _Result, b: _Result) -> bool:
    """Whether shapes are equal, and sketches within ``LOOSE`` of the largest number."""
    if a.shapes != b.shapes or len(a.sketch) != len(b.sketch):
        return False
    size = max((abs(v) for v in (*a.sketch, *b.sketch) if isinstance(v, float)), default=0.0)
    return all(
        x == y or (isinstance(x, float) and isinstance(y, float) and math.isclose(x, y, abs_tol=LOOSE * size))
        for x, y in zip(a.sketch, b.sketch, strict=True)
    )


def _typed(runs: Sequence[Run]) -> list[WrongCase]:
    """Right values whose type differs from that of most backends of that release.

    Left out where the symbolic call, which is what Keras promises, shows already which of them is wrong.
    """
    found = []
    idents = {ident for run in runs for ident, case in run.cases.items() if case.right and case.types}
    for ident in sorted(idents):
        by_keras: dict[str | None, dict[int, str]] = defaultdict(dict)
        for i, run in enumerate(runs):
            case = run.cases.get(ident)
            if case is not None and case.right and "python[" not in case.types:
                by_keras[run.cell.keras][i] = _types(case.types)
        party: dict[int, str] = {}
        for types in by_keras.values():
            votes = Counter((runs[i].cell.framework, t) for i, t in types.items())
            count = Counter(t for _, t in votes)
            usual, most = count.most_common(1)[0]
            if most < 2 or list(count.values()).count(most) > 1:
                continue
            if any(_broken_promise(runs[i], ident) for i, t in types.items() if t != usual):
                continue
            party.update(types)
        texts = {i: runs[i].cases[ident].types for i in party}
        if wrong := _disagreement(ident, "disagree#dtype", party, texts, runs):
            found.append(wrong)
    return found


def _broken_promise(run: Run, ident: str) -> bool:
    checks = (run.cases.get(f"{ident}#{check}") for check in ("symbolic", "dynamic"))
    return any(case is not None and case.status == "dtype" for case in checks)


@cache
def _types(text: str) -> str:
    names = re.findall(r"(\w+)\[", text)
    return " ".join(NARROW.get(name, name) for name in names)


def _repeated(runs: Sequence[Sequence[Run]]) -> list[WrongCase]:
    """Cases whose result is not the same in every process of a cell."""
    unequal: dict[str, dict[int, str]] = defaultdict(dict)
    for i, (first, *others) in enumerate(runs):
        for other in others:
            for ident, case in first.cases.items():
                again = other.cases.get(ident)
                if again is not None and (again.status, again.sketch) != (case.status, case.sketch):
                    unequal[ident][i] = f"{case.status} {case.sketch}, then {again.status} {again.sketch}"
    repeated = {i for i, of_cell in enumerate(runs) if len(of_cell) > 1}
    return [
        WrongCase(
            case=ident,
            op=ops_script.operation(ident),
            kind="nondeterministic",
            bad=frozenset(observed),
            good=frozenset(repeated - observed.keys()),
            observed=observed,
        )
        for ident, observed in unequal.items()
    ]
