"""Decides whether two defects share a cause, and how.

Pure comparisons of what is known of both: cells, cases, signatures, names, kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum

from runner.defects import calls, cells, promises, signatures, together
from runner.defects.sides import ACCEPTS, TRACED, Side, contradict
from runner.model import Sample

VALUES = ("wrong value", "NaN or infinity", "inaccurate", "wrong gradient", "gradient is NaN or infinite")

RAISING = ("raises", "refuses", "kills")


class Role(Enum):
    """How a defect belongs to a cause."""

    CHECK = "another check of the same case"
    CALLER = "it calls the function that is wrong"
    CALLEE = "it is called by the function that is wrong"
    ALIKE = "the same signature"
    PHASE = "the same case in other releases"


def role_of(head: Side, one: Side, by_id: Mapping[str, Sample]) -> Role | None:
    """How ``one`` belongs to the cause of ``head``, or None."""
    a, b = head.defect, one.defect
    if b.kind.startswith(("changed", "draws")) or a.kind.startswith(("changed", "draws")):
        return None
    if (head.names & one.names and _adjoining(head, one, by_id)) or together.one_promise(head, one):
        return Role.PHASE
    if any(rule(head, one) for rule in (_loosely, together.one_change, promises.alike, _fixed_as_one, _types_apart)):
        return Role.ALIKE
    shown = _same(head, one) or _part(head, one, by_id) or _types_within(head, one)
    if shown and head.names & one.names and _one_case(head, one):
        return Role.CHECK
    if not _same(head, one):
        return None
    if any(rule(x, y) for rule in (_named_by_promise, _promised) for x, y in ((head, one), (one, head))):
        return Role.ALIKE
    if family(a.kind) != family(b.kind):
        return Role.ALIKE if _one_argument(head, one) or _one_exception(head, one) else None
    passed_on = family(a.kind) not in ("raises", ACCEPTS[0]) or (
        a.kind == b.kind and set(a.signatures) & set(b.signatures)
    )
    if passed_on and any(name in calls.called(other) for name in head.names for other in one.names):
        return Role.CALLER
    if passed_on and any(name in calls.called(other) for name in one.names for other in head.names):
        return Role.CALLEE
    alike = {_spelled(name) for name in head.names} & {_spelled(name) for name in one.names}
    if alike and not _other_classes(head, one):
        return Role.ALIKE
    if any(rule(head, one) for rule in (_alike, _named_by_argument, _one_call, _one_wrong_argument, _one_sight)):
        return Role.ALIKE
    return None


def _other_classes(head: Side, one: Side) -> bool:
    """Whether two cases of one promise are about classes that have nothing in common."""
    if ": " not in head.defect.op or ": " not in one.defect.op:
        return False
    sides = [set(_CLASS.findall(" ".join(side.defect.cases))) for side in (head, one)]
    return bool(sides[0] and sides[1]) and not sides[0] & sides[1]


_CLASS = re.compile(r"\b[A-Z]\w*[a-z]\w*(?=\()")
"""A class that a case makes."""


def _alike(head: Side, one: Side) -> bool:
    """Whether a message, types or arguments are the same, and say enough.

    Arrays that do not fit together have many causes, and so has a message in functions of two modules.
    """
    common = {text for text in set(head.defect.signatures) & set(one.defect.signatures) if not signatures.weak(text)}
    if not common:
        return False
    if _words(head) & _words(one):
        return True
    modules = [{name.partition(".")[0] for name in side.names} for side in (head, one)]
    promises = any(": " in side.defect.op for side in (head, one))  # a message in whatever people do
    return (promises or bool(modules[0] & modules[1])) and any(
        not (_VAGUE.search(text) or signatures.GENERAL.search(text)) for text in common
    )


def _loosely(head: Side, one: Side) -> bool:
    """Whether two promises about one thing were broken and fixed together.

    One thing can be what ``fit`` sees.

    Where both were tried they have equal bounds, and these have a release on one side that is right.
    """
    common = set(head.defect.signatures) & set(one.defect.signatures)
    if not any(signatures.weak(text) for text in common) or contradict(head, one):
        return False
    sides = [{line[:2]: line[2:] for line in side.defect.bounds} for side in (head, one)]
    both = sides[0].keys() & sides[1].keys()
    if not both or any(sides[0][line] != sides[1][line] for line in both):
        return False
    return any(line.last_good or line.first_good for line in head.defect.bounds)


def _one_argument(head: Side, one: Side) -> bool:
    """Whether one argument goes wrong in several ways.

    A value here, a shape or an exception there. The functions must be related, and the argument must be one that few
    functions have.
    """
    if not {family(side.defect.kind) for side in (head, one)} <= {"values", "wrong shape", "raises"}:
        return False
    arguments = [set(_ARGUMENT.findall(side.defect.pattern)) for side in (head, one)]
    telling = {text for text in arguments[0] & arguments[1] if text.partition("=")[0] not in _COMMON}
    related = any(name in calls.called(other) for name in head.names for other in one.names | head.names)
    return bool(telling) and (related or bool(_words(head) & _words(one)))


def _one_exception(head: Side, one: Side) -> bool:
    """Whether a function raises one message, for some dtypes and for mixed ones."""
    messages = [{text for text in side.defect.signatures if not signatures.weak(text)} for side in (head, one)]
    raising = all(side.defect.kind.startswith("raises") for side in (head, one))
    return raising and head.bad == one.bad and head.names == one.names and bool(messages[0] & messages[1])


def _one_wrong_argument(head: Side, one: Side) -> bool:
    """Whether classes with a word in common accept one wrong argument.

    Few have the argument, and the same cells show both.
    """
    if head.defect.kind not in ACCEPTS or one.defect.kind not in ACCEPTS or head.bad != one.bad:
        return False
    telling = [
        {text for text in _ARGUMENT.findall(side.defect.pattern) if promises.rare(text.partition("=")[0])}
        for side in (head, one)
    ]
    return bool(telling[0] & telling[1]) and bool(_words(head) & _words(one))


def _one_sight(head: Side, one: Side) -> bool:
    """Whether functions with a word in common show the very same result.

    The same cells show it, and it stands next to what is right.
    """
    a, b = head.defect, one.defect
    words = [{word for word in _words(side) if len(word) > _SHORT} for side in (head, one)]
    told = "; actual: " in a.observed or "; expected " in a.observed
    return told and a.observed == b.observed and head.bad == one.bad and bool(words[0] & words[1])


def _one_call(head: Side, one: Side) -> bool:
    """Whether functions go wrong alike in the same cells, and are right in others.

    They are called with the same arguments, or a word of their names is the same. Exceptions have their messages.
    """
    a, b = head.defect, one.defect
    if ": " in a.op or ": " in b.op or a.kind != b.kind or a.kind in ACCEPTS or family(a.kind) == "raises":
        return False
    if head.bad != one.bad or not head.good or not one.good:
        return False
    words = [{word for word in _words(side) if len(word) > _SHORT} for side in (head, one)]
    if words[0] & words[1]:
        return any(line.last_good or line.first_good for line in a.bounds)
    return "dtype" not in a.kind and bool(_arguments(head) & _arguments(one))


_SHORT = 3
"""Letters of a word that says little: ``max``, ``nan``."""


def _arguments(told: Side) -> set[str]:
    """The calls of its cases that show their inputs, without the function's name."""
    shown = [body for body in told.bodies if " | " in body]
    return {body[len(name) :] for body in shown for name in told.names if body.startswith(name + "(")}


def _named_by_argument(head: Side, one: Side) -> bool:
    """Whether a training is about the argument that goes wrong in the sweep."""
    for trained, swept in ((head, one), (one, head)):
        if trained.defect.op.startswith("training: ") and ": " not in swept.defect.op:
            words = {word for name in trained.names for word in name.split()}
            if len(words) > 1 and words <= set(re.findall(r"[a-z]+", swept.defect.pattern)):
                return True
    return False


def _named_by_promise(promised: Side, swept: Side) -> bool:
    """Whether a promise that does not hold is about the function that is wrong.

    It begins with its name. Both raise, or neither does.
    """
    a, b = promised.defect, swept.defect
    if (
        ": " not in a.op
        or ": " in b.op
        or a.op.startswith("training")
        or (family(b.kind) == "raises") != (family(a.kind) == "raises")
    ):
        return False
    if b.kind not in (*VALUES, "wrong shape", *RAISING):
        return False
    promise = a.title.partition(": ")[2]
    return any(re.match(rf"(?:\w+\.)*{re.escape(name.rpartition('.')[2])}\b", promise) for name in swept.names)


def _promised(promised: Side, swept: Side) -> bool:
    """Whether a promise is about the call that is wrong.

    That is a symbolic call, or one with the argument that the promise passes. The promise names the function, or the
    argument is one that few have and the very same cells show both.
    """
    a, b = promised.defect, swept.defect
    if ": " not in a.op or ": " in b.op or a.op.startswith("training"):
        return False
    promise = f"{a.title} {a.cases[:1]}"
    if b.kind.startswith("symbolic"):
        named = any(re.search(rf"\b{re.escape(name.rpartition('.')[2])}\(", promise) for name in swept.names)
        part = promised.bad <= swept.bad or swept.bad <= promised.bad
        return part and named and "symbolic" in promise and b.kind.split()[1] in promise
    if b.kind not in (*VALUES, "wrong shape") or promised.bad != swept.bad:
        return False
    passed = {text.partition("=")[0] for text in _ARGUMENT.findall(b.pattern) if promises.rare(text.partition("=")[0])}
    return any(re.search(rf"\b{name}\b", promise) for name in passed)


_ARGUMENT = re.compile(r"\w+=(?:\([^()]*\)|\[[^\[\]]*\]|'[^']*'|\"[^\"]*\"|[\w.+*-]+)")

_COMMON = ("axis", "dtype", "training", "seed", "mask", "keepdims", "activation")

_VAGUE = re.compile(r"broadcast|shape|dimension|rank", re.IGNORECASE)
"""A message about arrays that do not fit together."""


def _words(told: Side) -> set[str]:
    """The words in the names of functions: ``average`` and ``pool``."""
    spelled = (signatures.snake(name.rpartition(".")[2]) for name in told.names)
    return {word for name in spelled for word in re.findall(r"[a-z]+", name) if len(word) > 2}


def _same(one: Side, other: Side) -> bool:
    """Whether the same cells show both, among those in which both say anything.

    Most of the cells must show both.
    """
    common = one.bad & other.bad
    if not common or contradict(one, other):
        return False
    return 2 * len(common) > min(len(one.bad), len(other.bad))


def _part(head: Side, one: Side, by_id: Mapping[str, Sample]) -> bool:
    """Whether two checks show the same releases on the frameworks of both.

    Checks of other frameworks, a traced call here and a graph there, must fail alike: in the same releases among those
    in which both were made, with a release on either side that is right.
    """
    sides = [_frameworks(side.bad, by_id) for side in (head, one)]
    common = sides[0] & sides[1]
    if common:
        mine, other = (
            {c for c in side.bad if c in by_id and by_id[c].cell.framework in common} for side in (head, one)
        )
        return mine == other
    if not {head.defect.kind, one.defect.kind} <= TRACED or not head.good or not one.good:
        return False
    bad, told = [], []
    for side, frameworks in zip((head, one), sides, strict=True):
        bad.append({by_id[c].cell.keras for c in side.bad if c in by_id})
        told.append({by_id[c].cell.keras for c in side.bad | side.good if by_id[c].cell.framework in frameworks})
    return bool(bad[0] & bad[1]) and bad[0] & told[1] == bad[1] & told[0]


def _frameworks(found: Iterable[str], by_id: Mapping[str, Sample]) -> set[str]:
    return {by_id[cell].cell.framework for cell in found if cell in by_id}


def _types_apart(head: Side, one: Side) -> bool:
    """Whether a mix of types raises on one framework and is wrong on another.

    The function does not bring its arguments to a common type.
    """
    if not ("dtype" in head.defect.kind and "dtype" in one.defect.kind) or contradict(head, one):
        return False
    return head.names == one.names and bool(head.bodies & one.bodies) and not head.bad & one.bad


def _fixed_as_one(head: Side, one: Side) -> bool:
    """Whether a function went wrong alike, and is right since one release.

    That holds on every line of cells, and the lines are the same.
    """
    a, b = head.defect, one.defect
    if ": " in a.op or ": " in b.op or head.names != one.names or family(a.kind) != family(b.kind):
        return False
    fixed = [{line[:2]: line.first_good for line in defect.bounds} for defect in (a, b)]
    return fixed[0] == fixed[1] and bool(fixed[0]) and None not in fixed[0].values()


def _types_within(head: Side, one: Side) -> bool:
    """Whether both are about types, and one shows in a part of the other's cells.

    In the rest it must say nothing.
    """
    if not ("dtype" in head.defect.kind and "dtype" in one.defect.kind):
        return False
    few, many = sorted((head, one), key=lambda side: len(side.bad))
    return few.bad <= many.bad and not many.bad & few.good and not few.bad & many.good


def _one_case(head: Side, one: Side) -> bool:
    """Whether both are about one case, one message, or one wrong value."""
    if head.bodies & one.bodies or _alike(head, one):
        return True
    if "dtype" in head.defect.kind and "dtype" in one.defect.kind:
        return True
    if head.defect.kind in VALUES and one.defect.kind in VALUES:
        inputs = [{body.partition(" | ")[2] for body in side.bodies} - {""} for side in (head, one)]
        return bool(inputs[0] & inputs[1])
    return False


def _adjoining(head: Side, one: Side, by_id: Mapping[str, Sample]) -> bool:
    """Whether one case is wrong in two ways in releases that follow each other.

    On the same frameworks.
    """
    if head.bad & one.bad or not set(head.defect.cases) & set(one.defect.cases):
        return False
    lines = [_releases(side.bad, by_id) for side in (head, one)]
    common = lines[0].keys() & lines[1].keys()
    if not common or lines[0].keys() != lines[1].keys():
        return False
    right = _releases(head.good & one.good, by_id)
    for line in common:
        low, high = sorted((lines[0][line], lines[1][line]), key=lambda found: cells.version_key(found[0]))
        between = [v for v in right.get(line, []) if cells.version_key(low[-1]) < cells.version_key(v)]
        if cells.version_key(low[-1]) > cells.version_key(high[0]) or any(
            cells.version_key(v) < cells.version_key(high[0]) for v in between
        ):
            return False
    return True


def _releases(bad: Iterable[str], by_id: Mapping[str, Sample]) -> dict[tuple[str, ...], list[str]]:
    """The releases of Keras on each line of cells, the oldest first."""
    found: dict[tuple[str, ...], list[str]] = {}
    for cell in (by_id[name].cell for name in bad if name in by_id):
        found.setdefault((cell.framework, cell.version, cell.device, cell.variant), []).append(cell.keras or "")
    return {line: sorted(releases, key=cells.version_key) for line, releases in found.items()}


def family(kind: str) -> str:
    """Kinds that can be two sides of one cause."""
    if kind.startswith("symbolic"):
        return kind.partition(" (")[0]
    if kind.startswith("graph differs"):
        return "graph differs"
    if "dtypes" in kind:
        return kind
    if kind in ACCEPTS:
        return ACCEPTS[0]
    if kind.startswith("configuration"):  # a promise that a sweep makes
        return "is not so"
    if kind.startswith(RAISING):
        return "raises"
    if kind in VALUES or (kind.startswith(("wrong ", "not a number")) and kind not in ("wrong shape", "wrong dtype")):
        return "values"
    return kind


def _spelled(name: str) -> str:
    """A name without module, spelling and what counts dimensions."""
    return signatures.snake(name.rpartition(".")[2]).replace("_", "")
