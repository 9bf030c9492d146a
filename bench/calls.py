"""Writes ``runner/defects/calls.json``: the functions that layers and losses call.

``python bench/calls.py FOLDER`` reads the sources of a release that is unpacked in FOLDER. A function that more than
``COMMON`` others call is left out: that it is wrong explains nothing about them.
"""

from __future__ import annotations

import ast
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

COMMON = 16
OUT = Path(__file__).parents[1] / "runner" / "defects" / "calls.json"
MODULES = (
    "layers",
    "activations",
    "losses",
    "metrics",
    "optimizers",
    "constraints",
    "regularizers",
    "ops",
    "random",
    "backend",
)


def exported(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    """Returns the public names of a definition, without ``keras.``."""
    found = []
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "keras_export":
            texts = (part.value for part in ast.walk(decorator.args[0]) if isinstance(part, ast.Constant))
            found += [text.removeprefix("keras.") for text in texts if isinstance(text, str)]
    return [name for name in found if name.partition(".")[0] in MODULES]


def names(node: ast.AST, imported: set[str]) -> Iterator[str]:
    """Yields the names that a body uses.

    They are ``ops.x``, and plain ones that its module imports or defines.
    """
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            *path, last = ast.unparse(part).split(".")
            if path and path[0] in ("self", "ops", "backend", "activations", "random"):
                module = {"activations", "random"} & set(path)
                if path != ["self"]:
                    yield f"{module.pop() if module else 'ops'}.{'image.' if 'image' in path else ''}{last}"
        elif isinstance(part, ast.Name) and part.id in imported:
            yield part.id


def calls(sources: Iterable[Path]) -> dict[str, set[str]]:
    """Returns public names, each with the public names that it uses.

    A class uses what its base classes use.
    """
    own: dict[str, set[str]] = defaultdict(set)
    bases: dict[str, list[str]] = {}
    public: dict[str, list[str]] = {}
    for path in sources:
        body = ast.parse(path.read_text("utf-8")).body
        imported = {alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names}
        imported |= {node.name for node in body if isinstance(node, ast.FunctionDef)}
        for node in body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                if isinstance(node, ast.FunctionDef) and "ops" in path.parts:
                    public.setdefault(node.name, []).extend(exported(node))
                    continue  # a function of ops calls its backend
                own[node.name] |= set(names(node, imported)) - {node.name}
                public.setdefault(node.name, []).extend(exported(node))
                if isinstance(node, ast.ClassDef):
                    bases[node.name] = [b.id for b in node.bases if isinstance(b, ast.Name)]
    found = {}
    known = {name for listed in public.values() for name in listed}
    for name, listed in public.items():
        used: set[str] = set()
        line = [name]
        while line:
            one = line.pop()
            used |= own[one]
            line += bases.get(one, [])
        targets = (used & known) | {p for u in used for p in public.get(u, [])[:1] if u != name}
        for one in listed:
            found[one] = targets - set(listed)
    return found


def main(folder: str) -> None:
    """Writes the table."""
    paths = (p for p in sorted(Path(folder, "keras", "src").rglob("*.py")) if not p.name.endswith("_test.py"))
    found = calls(p for p in paths if p.relative_to(folder).parts[2] in MODULES)
    common = Counter(target for targets in found.values() for target in targets)
    kept = {name: sorted(t for t in targets if common[t] <= COMMON) for name, targets in sorted(found.items())}
    OUT.write_text(json.dumps({name: targets for name, targets in kept.items() if targets}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
