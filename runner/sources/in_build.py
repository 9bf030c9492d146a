"""Builds a wheel by PEP 517, in the Python and the folder of a build.

Standard library only. It runs as ``python in_build.py`` in the folder that holds ``request.json``, ``source`` and
``dependencies``, and leaves ``result.json`` behind, with one of: ``wheel`` (a file name in ``made``), ``requires``
(what is to be installed first), ``error`` (one line).
"""

import importlib
import importlib.metadata
import json
import os
import re
import site
import sys
from pathlib import Path
from typing import Any


def build(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return the result: the wheel's name, what is missing, or why there is none."""
    dependencies, made = folder / "dependencies", folder / "made"
    site.addsitedir(str(dependencies))  # nothing else is on the path: the interpreter runs with -S
    os.environ["PATH"] = f"{dependencies / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["PYTHONPATH"] = str(dependencies)
    made.mkdir(exist_ok=True)
    os.chdir(folder / "source")
    # a backend may import what lies next to its pyproject.toml only where that asks for it (backend-path)
    sys.path[:] = [path for path in sys.path if path not in ("", str(folder))]
    sys.path[:0] = [str(Path(path).resolve()) for path in request["backend_path"]]
    name, _, attributes = request["backend"].partition(":")
    try:
        backend = importlib.import_module(name)
        for attribute in filter(None, attributes.split(".")):
            backend = getattr(backend, attribute)
    except (ImportError, AttributeError) as error:
        return {"error": f"its build backend {request['backend']} cannot be imported: {error}"}
    wanted: list[str] = getattr(backend, "get_requires_for_build_wheel", list)()
    missing = [line for line in wanted if not _installed(line)]
    return {"requires": missing} if missing else {"wheel": backend.build_wheel(str(made))}


def _installed(line: str) -> bool:
    name = re.match(r"[A-Za-z0-9._-]+", line)
    try:
        importlib.metadata.version(name[0] if name else line)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def main(folder: Path) -> None:
    """Read the request, build, and write the result."""
    result: dict[str, Any] = {}
    try:
        result = build(folder, json.loads((folder / "request.json").read_text(encoding="utf-8")))
    except BaseException as error:
        result = {"error": f"{type(error).__name__}: {error}"}
        raise
    finally:
        (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path.cwd())
