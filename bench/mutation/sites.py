"""Finds where a source file can be changed, and makes the changed source. Pure.

A site is one node of the syntax tree and one operator; each operator offers one or more variants of the node. Not
changed are texts that the program does not run: docstrings, annotations, ``if TYPE_CHECKING`` blocks, ``__all__``.
Flags that only guard against mistakes of the programmer (``zip(strict=True)``, ``@dataclass(frozen=True)``) are not
changed either, because a correct program does the same without them.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

SHOWN = 90
"""Longest snippet, in characters."""

SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}

NEGATIONS = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
"""Comparisons whose swap is their negation, so that negating them as a condition would be the same mutant twice."""

TYPE_CALLS = frozenset({"TypeVar", "ParamSpec", "NewType", "NamedTuple"})
"""Calls whose arguments are names of types."""

GUARDS = {"zip": {"strict"}, "dataclass": {"frozen", "slots", "kw_only"}}
"""Keyword arguments that change nothing in a correct program, by the called function."""

UNRELATED = "StopAsyncIteration"
"""The exception that replaces the one a handler names; no function of the package raises it."""


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    ``number`` and ``variant`` find it again in the same source.
    """

    path: str
    """From the root of the repository, with slashes."""
    line: int
    scope: str
    """Qualified name of the function or class around it; empty at the top of a module."""
    entry: int
    """First line of the function around it as its code object has it (decorators included), else 0."""
    operator: str
    before: str
    after: str
    number: int
    variant: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class Place:
    """What surrounds a node."""

    parent: ast.AST
    field: str
    scope: str = ""
    entry: int = 0
    callee: str = ""
    """Name of the function that the nearest call around it calls."""
    anchor: ast.JoinedStr | None = None
    """The outermost f-string around it. Positions inside an f-string are wrong before Python 3.12."""

    def is_in(self, kind: type[ast.AST], field: str) -> bool:
        return isinstance(self.parent, kind) and self.field == field


@dataclass(frozen=True)
class Site:
    node: ast.expr | ast.stmt
    place: Place
    operator: str
    variants: tuple[ast.expr | ast.stmt, ...]


def _negated(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return node.operand
    return ast.UnaryOp(ast.Not(), node)


def _swap_is_negation(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], NEGATIONS)


def _is_condition(place: Place) -> bool:
    parent = place.parent
    return (isinstance(parent, ast.If | ast.While | ast.IfExp) and place.field == "test") or place.is_in(
        ast.comprehension, "ifs"
    )


def _comparison(node: ast.AST, _place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Compare):
        return
    for number, operator in enumerate(node.ops):
        operators = [*node.ops[:number], SWAPPED[type(operator)](), *node.ops[number + 1 :]]
        yield ast.Compare(node.left, operators, node.comparators)


def _condition(node: ast.AST, place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.expr) or isinstance(node, ast.Constant) or not _is_condition(place):
        return
    if not _swap_is_negation(node):
        yield _negated(node)
    if not isinstance(place.parent, ast.While):  # a loop that never ends only runs into the time limit
        yield ast.Constant(True)
    yield ast.Constant(False)


def _boolean(node: ast.AST, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and not _is_condition(place):
        yield node.operand


def _number(value: float) -> Iterator[ast.expr]:
    for changed in (value + 1, value * 2):
        if changed != value:
            yield ast.Constant(changed)
            return


def _format(text: str) -> Iterator[ast.expr]:
    """Yields a format specification with one digit more.

    ``.3g`` becomes ``.4g``.
    """
    changed = re.sub(r"\d+", lambda digits: str(int(digits[0]) + 1), text, count=1)
    if changed != text:
        yield ast.Constant(changed)


def _is_format(place: Place) -> bool:
    return isinstance(place.parent, ast.JoinedStr) and place.field == "format_spec"


def _takes_any_value(place: Place) -> bool:
    """Returns whether a ``None`` here is a value that is passed on.

    Otherwise it is part of a type or of a return.
    """
    parent, field = place.parent, place.field
    if isinstance(parent, ast.Call | ast.keyword | ast.arguments | ast.Dict | ast.IfExp):
        return field in ("args", "value", "defaults", "kw_defaults", "values", "body", "orelse")
    return isinstance(parent, ast.Assign | ast.AnnAssign | ast.Return) and field == "value"


def _constant(node: ast.AST, place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield from _number(value)
    elif isinstance(value, str):
        yield from _format(value) if _is_format(place) else [ast.Constant(f"XX{value}XX")]
    elif isinstance(value, bytes):
        yield ast.Constant(b"XX" + value + b"XX")
    elif value is None and _takes_any_value(place):
        yield ast.Constant("XX")


def _return(node: ast.AST, _place: Place) -> Iterator[ast.stmt]:
    if not isinstance(node, ast.Return) or node.value is None or isinstance(node.value, ast.Constant):
        return
    value = node.value
    is_not = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
    if not is_not and not _swap_is_negation(value) and isinstance(value, ast.Compare | ast.BoolOp):
        yield ast.Return(_negated(value))
    else:
        yield ast.Return(ast.Constant(None))


def _removed(node: ast.AST, place: Place) -> Iterator[ast.stmt]:
    does = isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom)
    )
    if place.entry:  # at the top of a module or class, a missing name fails every test
        assigns = isinstance(node, ast.Assign) or (isinstance(node, ast.AnnAssign) and node.value is not None)
        does = does or assigns or isinstance(node, ast.Raise | ast.Continue | ast.Break | ast.Delete)
    if does:
        yield ast.Pass()


def _exception(node: ast.AST, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.expr) and place.is_in(ast.ExceptHandler, "type"):
        yield ast.Name(UNRELATED, ast.Load())


OPERATORS: dict[str, Callable[[ast.AST, Place], Iterator[ast.expr | ast.stmt]]] = {
    "comparison": _comparison,
    "condition": _condition,
    "boolean": _boolean,
    "constant": _constant,
    "return": _return,
    "removed": _removed,
    "exception": _exception,
}


def _name(node: ast.expr) -> str:
    """Returns the last name of ``a.b.c``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_type_checking(node: ast.expr) -> bool:
    return _name(node) == "TYPE_CHECKING"


def _assigns_types(node: ast.AST) -> bool:
    """Returns whether a node is ``__all__`` or a declared alias of types."""
    if isinstance(node, ast.Assign):
        return any(_name(target) == "__all__" for target in node.targets)
    return isinstance(node, ast.AnnAssign) and _name(node.annotation) == "TypeAlias"


def _skipped(node: ast.AST) -> bool:
    """Returns whether a node is not run, or not worth changing.

    The same must hold for everything in it.
    """
    if isinstance(node, ast.Import | ast.ImportFrom) or _assigns_types(node):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # docstrings, also those below a constant or a field
    if isinstance(node, ast.Subscript):
        return _name(node.value) == "Literal"
    return isinstance(node, ast.Call) and _name(node.func) in TYPE_CALLS


def _is_guard(child: ast.AST, callee: str) -> bool:
    return isinstance(child, ast.keyword) and child.arg in GUARDS.get(callee, ())


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yields the children of a node that are run, each with its field.

    They are in the order of the source.
    """
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "type_params"):
            continue
        children = value if isinstance(value, list) else [value]
        if isinstance(node, ast.If) and _is_type_checking(node.test) and field in ("test", "body"):
            continue
        if isinstance(node, ast.Call) and _name(node.func) == "cast" and field == "args":
            children = children[1:]
        yield from ((field, child) for child in children if isinstance(child, ast.AST))


def _inside(node: ast.AST, place: Place) -> Place:
    """Returns the place of the children of a node."""
    inner = replace(place, parent=node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inner = replace(inner, scope=f"{place.scope}.{node.name}".removeprefix("."))
        if not isinstance(node, ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return replace(inner, entry=first)
        return replace(inner, entry=0)
    if isinstance(node, ast.Call):
        return replace(inner, callee=_name(node.func))
    if isinstance(node, ast.JoinedStr):
        return replace(inner, anchor=place.anchor or node)
    return inner


def _walk(node: ast.AST, place: Place) -> Iterator[tuple[ast.AST, Place]]:
    if _skipped(node):
        return
    yield node, place
    inside = _inside(node, place)
    for field, child in _children(node):
        at = replace(inside, field=field)
        if field in ("decorator_list", "args") and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            at = replace(at, entry=place.entry)  # run where the function is defined
        if isinstance(node, ast.FormattedValue) and field == "format_spec":
            yield from ((part, replace(at, parent=child)) for part in _parts(child))
        elif not _is_guard(child, inside.callee if isinstance(node, ast.Call) else ""):
            yield from _walk(child, at)


def _parts(specification: ast.AST) -> list[ast.AST]:
    return [part for part in getattr(specification, "values", []) if isinstance(part, ast.Constant)]


def sites(tree: ast.Module) -> list[Site]:
    """Returns every place of a module that an operator can change.

    They are in the order of the source.
    """
    found: list[Site] = []
    for node, place in _walk(tree, Place(tree, "")):
        for operator, variants in OPERATORS.items():
            offered: tuple[ast.expr | ast.stmt, ...] = tuple(variants(node, place))
            if offered and isinstance(node, ast.expr | ast.stmt):
                found.append(Site(node, place, operator, offered))
    return found


def _snippet(node: ast.AST) -> str:
    text, *more = ast.unparse(ast.fix_missing_locations(node)).splitlines()
    text = " ".join(text.split())
    return f"{text[:SHOWN]}..." if more or len(text) > SHOWN else text


def described(path: str, number: int, variant: int, site: Site) -> Mutant:
    """Returns the mutant that a variant of a site makes.

    Raises ValueError where Python cannot write the change (a backslash in an f-string before Python 3.12).
    """
    anchor = site.place.anchor or site.node
    return Mutant(
        path,
        anchor.lineno,
        site.place.scope,
        site.place.entry,
        site.operator,
        _snippet(site.node),
        _snippet(site.variants[variant]),
        number,
        variant,
    )


class _Exchange(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old = old
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.old:
            return self.new
        return self.generic_visit(node)


def _offset(source: str, line: int, column: int) -> int:
    """Returns a position in the UTF-8 bytes of the source.

    ``column`` counts bytes, as ``ast`` does.
    """
    lines = source.encode().splitlines(keepends=True)
    return sum(len(each) for each in lines[: line - 1]) + column


def _spliced(source: str, old: ast.expr | ast.stmt, text: str) -> str:
    content = source.encode()
    begin = _offset(source, old.lineno, old.col_offset)
    end = _offset(source, old.end_lineno or old.lineno, old.end_col_offset or 0)
    return (content[:begin] + text.encode() + content[end:]).decode()


def mutated(source: str, number: int, variant: int) -> str:
    """Returns the source with one change; the rest keeps its lines and comments.

    Raises ValueError where the change cannot be written in place.
    """
    tree = ast.parse(source)
    site = sites(tree)[number]
    new = ast.fix_missing_locations(site.variants[variant])
    old: ast.expr | ast.stmt = site.place.anchor or site.node
    span = old  # positions of the old node, which the exchange leaves alone
    _Exchange(site.node, new).visit(tree)
    text = ast.unparse(old if site.place.anchor else new)
    if isinstance(new, ast.expr) and not isinstance(new, ast.Constant | ast.Name) and not site.place.anchor:
        text = f"({text})"
    changed = _spliced(source, span, text)
    try:
        written = ast.parse(changed)
        compile(changed, "mutant", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ValueError(f"not Python: {error}") from error
    if ast.dump(written) != ast.dump(tree):
        raise ValueError("the change cannot be written in place")
    return changed


def every(sources: Mapping[str, str]) -> Iterator[Mutant]:
    """Yields every variant of every site, file by file."""
    for path in sorted(sources):
        for number, site in enumerate(sites(ast.parse(sources[path]))):
            for variant in range(len(site.variants)):
                try:
                    yield described(path, number, variant, site)
                except ValueError:
                    continue


def draw(sources: Mapping[str, str], seed: int, count: int) -> list[Mutant]:
    """Draws ``count`` different sites, and one variant of each.

    Each site is equally likely, and so is each variant of a site. The same seed gives the same sample for the same
    sources.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    found = {path: sites(ast.parse(sources[path])) for path in sorted(sources)}
    places = [(path, number) for path, of_file in found.items() for number in range(len(of_file))]
    chance.shuffle(places)
    drawn: list[Mutant] = []
    for path, number in places:
        if len(drawn) >= count:
            break
        site = found[path][number]
        variant = chance.randrange(len(site.variants))
        try:
            mutated(sources[path], number, variant)
            drawn.append(described(path, number, variant, site))
        except ValueError:
            continue
    return drawn
