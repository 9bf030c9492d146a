"""Imports go downward only, siblings do not import each other, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import runner

PACKAGE = Path(runner.__file__).parent

LAYERS = [
    ["errors", "model"],
    ["util"],
    ["engine"],
    ["matrix", "data", "results"],
    ["judge"],
    ["defects", "environments", "history"],
    ["images"],
    ["executors"],
    ["machine"],
    ["sources"],
    ["measure"],
    ["cluster"],
    ["diagnose"],
    ["report"],
    ["repro"],
    ["cli"],
    ["__main__"],
]
"""Lowest first. A module imports only from layers below its own (and its own package)."""

SAME_LAYER = {("errors", "model")}
"""errors carry a Status; nothing else looks sideways."""

HEAVY = {
    "docker": {"engine", "executors", "images"},
    "jinja2": {"images", "report"},
    "rich": {"report", "cli"},
    "numpy": {"judge", "data", "defects"},
    "PIL": {"data"},
    "pyarrow": {"history"},
    "sqlite3": {"history"},
    "click": {"cli"},
    "dask": {"cluster"},
    "distributed": {"cluster"},
}
"""Which parts may import a heavy library at all."""


def _parts() -> dict[str, int]:
    return {name: level for level, names in enumerate(LAYERS) for name in names}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "runner":
                yield from (f"runner.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        part = relative.parts[0].removesuffix(".py")
        if part not in ("probe", "__init__") and "node_modules" not in relative.parts:
            found.append((part, path))
    return found


@pytest.mark.parametrize(("part", "path"), _modules(), ids=lambda value: str(getattr(value, "name", value)))
def test_imports_go_downward(part: str, path: Path) -> None:
    parts = _parts()
    assert part in parts, f"{path.name}: say in LAYERS where it belongs"
    for imported in _imports(path):
        if not imported.startswith("runner."):
            continue
        other = imported.split(".")[1]
        if other in (part, "__version__"):
            continue
        assert other != "probe", f"{path.name} imports the payload"
        assert parts[other] < parts[part] or (part, other) in SAME_LAYER, f"{path.name} imports {imported}"


@pytest.mark.parametrize(("part", "path"), _modules(), ids=lambda value: str(getattr(value, "name", value)))
def test_heavy_libraries_stay_where_they_belong(part: str, path: Path) -> None:
    for imported in _imports(path):
        allowed = HEAVY.get(imported.split(".")[0])
        assert allowed is None or part in allowed, f"{path.name} imports {imported}"


FORKS = PACKAGE / "repro" / "in_cell" / "forks.py"
"""It runs in the Python of a cell, as the payload does."""


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


@pytest.mark.parametrize(("part", "path"), _modules(), ids=lambda value: str(getattr(value, "name", value)))
def test_only_the_edge_writes_to_the_standard_streams(part: str, path: Path) -> None:
    """What one module writes is cleaned; other modules call it (see util/plain.py and report/console.py)."""
    if path in (PACKAGE / "util" / "plain.py", PACKAGE / "report" / "console.py", FORKS):
        return
    text = path.read_text(encoding="utf-8")
    writes = {"print", "click.echo", "click.secho", "Console", "rich.print"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            assert node.module != "click" or not {"echo", "secho"} & {name.name for name in node.names}, path
        if not isinstance(node, ast.Call):
            continue
        called = _called(node)
        constant = all(isinstance(argument, ast.Constant) for argument in node.args)
        own_print = called == "print" and path == PACKAGE / "report" / "formats" / "terminal.py"
        own_print |= called == "os.write" and path == PACKAGE / "util" / "warden.py"  # into its pipes
        assert called not in writes or own_print, f"{path}:{node.lineno} calls {called}: call runner.util.plain.say"
        to = node.args[0] if called == "os.write" else None
        assert not isinstance(to, ast.Constant), f"{path}:{node.lineno} writes to a stream by its number"
        stream = called.startswith(("sys.stdout.", "sys.stderr.", "sys.__std")) and called.endswith(("write", "lines"))
        assert not stream or constant, f"{path}:{node.lineno} calls {called}: call runner.util.plain.say"


PRINTS_JSON = ("cli", "report", "repro")
OWN_JSON = {
    "csvout.py": "fields of a table",
    "jsonout.py": "large, and cleaned there",
    "advice.py": "words of a command line",
    "compare.py": "a list as the text of a figure",
    "bundle.py": "a file that its own script reads",
    "forks.py": "runs in a cell",
}


@pytest.mark.parametrize(("part", "path"), _modules(), ids=lambda value: str(getattr(value, "name", value)))
def test_json_that_is_printed_is_made_in_one_place(part: str, path: Path) -> None:
    """``json.dumps`` writes NaN, which is not JSON (see util/jsontext.py)."""
    if part in PRINTS_JSON and path.name not in OWN_JSON:
        assert "json.dumps" not in path.read_text(encoding="utf-8").replace("jsontext.dumps", "")


def test_the_payload_imports_nothing_of_the_rest() -> None:
    paths = [*sorted((PACKAGE / "probe").rglob("*.py")), FORKS]
    assert len(paths) > 10
    for path in paths:
        assert not [name for name in _imports(path) if name.split(".")[0] == "runner"], path


def test_starting_up_imports_nothing_heavy() -> None:
    """What `runner list` imports when it starts: module-level imports only, followed through the package."""
    seen: set[str] = set()
    read: set[str] = set()
    waiting = ["runner.cli", "runner.cli.list"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        base = PACKAGE.joinpath(*name.split(".")[1:])
        path = base.with_suffix(".py") if base.with_suffix(".py").is_file() else base / "__init__.py"
        if not path.is_file():
            continue
        read.add(name)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = (
                    [f"{node.module}.{alias.name}" for alias in node.names]
                    if node.module.startswith("runner")
                    else [node.module]
                )
                waiting += [node.module, *names]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
    heavy = {name.split(".")[0] for name in seen} & {"numpy", "docker", "jinja2", "rich", "uv"}
    assert not heavy
    assert {"runner.cli", "runner.cli.list", "runner.matrix.sets"} <= read


def test_the_architecture_lists_every_package_from_the_top_down() -> None:
    text = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = re.findall(r"^runner/(\w+)(?:/|\.py) +\S", text, re.MULTILINE)
    parts = _parts()
    there = {part for part, _ in _modules()} - {"__main__"}
    assert set(listed) == there
    assert [parts[name] for name in listed] == sorted((parts[name] for name in there), reverse=True)


def test_every_permission_for_a_heavy_library_is_used() -> None:
    used = {(name.split(".")[0], part) for part, path in _modules() for name in _imports(path)}
    assert {(library, part) for library, parts in HEAVY.items() for part in parts} <= used
