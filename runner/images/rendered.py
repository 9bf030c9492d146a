"""Writes and checks the committed Dockerfiles, which people read and review."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runner.environments.lockfile import Lock
from runner.images.recipe import dockerfile, recipe
from runner.model import Environment
from runner.util import files, folders


def render(environment: Environment, lock: Lock, *, buildkit: bool = True) -> str:
    """Return the Dockerfile. Raises BuildError for a value that must not be in it."""
    return dockerfile(recipe(environment, lock), buildkit)


def render_all(
    wanted: Iterable[tuple[Environment, Lock]], folder: Path | None = None, *, complete: bool = False
) -> list[Path]:
    """Write the environments' Dockerfiles; the files that changed.

    With ``complete``, ``wanted`` is all there is, and the Dockerfile of none of them is removed.
    """
    folder = folder or _folder()
    folder.mkdir(parents=True, exist_ok=True)
    content = _content(wanted)
    changed = [folder / name for name, text in content.items() if _read(folder / name) != text]
    for path in changed:
        files.write(path, content[path.name])
    gone = [path for path in folder.glob("*.Dockerfile") if complete and path.name not in content]
    for path in gone:
        path.unlink()
    return sorted(changed + gone)


def check(
    wanted: Iterable[tuple[Environment, Lock]], folder: Path | None = None, *, complete: bool = False
) -> tuple[str, ...]:
    """Return a line per committed Dockerfile that is missing or outdated.

    With ``complete``, ``wanted`` is all there is, and a Dockerfile of none of them is a line too.
    """
    folder = folder or _folder()
    content = _content(wanted)
    lines = []
    for name, text in content.items():
        found = _read(folder / name)
        if found != text:
            lines.append(f"{name}: {'differs from template and lock' if found is not None else 'missing'}")
    if complete:
        lines += [f"{p.name}: no set uses it" for p in sorted(folder.glob("*.Dockerfile")) if p.name not in content]
    return tuple(lines)


def _folder() -> Path:
    return folders.images_dir() / "rendered"


def _content(wanted: Iterable[tuple[Environment, Lock]]) -> dict[str, str]:
    containers = ((e, lock) for e, lock in wanted if e.platform.startswith("linux"))
    return {f"{e.id}.Dockerfile": render(e, lock) for e, lock in containers}


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
