"""The text of a lock: a requirements file with hashes and a header.

It has two parts. The header states how the lock was made.

The first part is the framework and all it needs, the second Keras and what only Keras needs. Both come from one
resolution, so that environments that differ only in Keras share the first part byte for byte (see ``runner.images``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError
from runner.matrix import frameworks
from runner.util.versions import project

_FRAMEWORK = "# --- framework"
_REST = "# --- rest"
_PACKAGE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9.+!_-]*)( \\)?")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
_FIELD = re.compile(r"# (?P<key>[a-z0-9-]+): (?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that went into a resolution; a lock whose recipe is not today's is stale."""

    environment: str
    python: str
    platform: str
    """uv's name of it."""
    build: str
    exclude_newer: str
    """RFC 3339, UTC: nothing uploaded later was considered."""
    requirements: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    """``name==version sha256:hash`` of every wheel of this machine among the requirements."""
    index: str = ""
    """The address of the package index of a nightly build, in addition to the default one."""


def index_arguments(place: str) -> list[str]:
    """What uv needs to find a nightly build of another index than the default one."""
    return ["--index", place, "--index-strategy", "unsafe-best-match"] if place else []


@dataclass(frozen=True, slots=True)
class Lock:
    """A resolved environment, ready to be installed with its hashes verified."""

    path: Path
    recipe: Recipe
    notes: tuple[str, ...]
    torch_backend: str
    """``cpu``: the wheels are those of PyTorch's own index. Empty: of the default index."""
    framework_lines: tuple[str, ...]
    rest_lines: tuple[str, ...]
    sha256: str
    """Digest of what gets installed: Python, platform and both parts. Header and date do not count."""
    packages: Mapping[str, str]
    """Every distribution and its version."""

    @property
    def carries_cuda(self) -> bool:
        """Whether CUDA's libraries come with it."""
        return any(name.startswith("nvidia-") for name in self.packages)


@dataclass(frozen=True, slots=True)
class Resolved:
    """One package of a resolution: its lines, and who asked for it."""

    name: str
    version: str
    lines: tuple[str, ...]
    parents: frozenset[str]
    """Project names; empty where only the requirements themselves ask for it."""


def parse_resolution(output: str) -> list[Resolved]:
    """Read what ``uv pip compile --generate-hashes`` prints with split annotations.

    Raises UsageError for a line it does not understand, rather than dropping a package.
    """
    found: list[tuple[str, str, list[str], set[str]]] = []
    for line in output.splitlines():
        package = _PACKAGE.fullmatch(line)
        if package:
            found.append((project(package["name"]), package["version"], [line], set()))
        elif found and _HASH.fullmatch(line):
            found[-1][2].append(line)
        elif found and line.startswith("    #"):
            parent = line.strip().removeprefix("#").strip().removeprefix("via").strip()
            if parent and not parent.startswith("-"):
                found[-1][3].add(project(parent))
        elif line.strip():
            raise UsageError(f"uv printed a line that is not a pinned package: {line!r}")
    return [Resolved(name, version, tuple(lines), frozenset(parents)) for name, version, lines, parents in found]


def split(resolved: Iterable[Resolved], roots: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of the closure of ``roots`` and those of all other packages.

    ``roots`` are project names.

    Keras is followed only from itself: TensorFlow declares it, and yet it belongs to the second part.
    """
    everything = list(resolved)
    keras = frameworks.parts_of("keras")
    inside = {name for name in roots if name not in keras}
    grew = True
    while grew:
        more = {r.name for r in everything if r.name not in keras and r.parents & inside} - inside
        inside |= more
        grew = bool(more)
    framework = [line for r in everything if r.name in inside for line in r.lines]
    rest = [line for r in everything if r.name not in inside for line in r.lines]
    return tuple(framework), tuple(rest)


def render(recipe: Recipe, lock: tuple[tuple[str, ...], tuple[str, ...]], notes: Iterable[str], backend: str) -> str:
    """The whole file. ``lock`` is (framework lines, rest lines)."""
    framework, rest = lock
    fields = [
        ("environment", recipe.environment),
        ("python", recipe.python),
        ("platform", recipe.platform),
        ("build", recipe.build),
        ("exclude-newer", recipe.exclude_newer),
        *(("requirement", line) for line in recipe.requirements),
        *(("override", line) for line in recipe.overrides),
        *(("wheel", line) for line in recipe.wheels),
        *([("index", recipe.index)] if recipe.index else []),
        *([("torch-backend", backend)] if backend else []),
        *(("note", note) for note in notes),
        ("sha256", digest(recipe, framework, rest)),
    ]
    header = ["# Made by `runner lock`; do not edit.", *(f"# {key}: {value}" for key, value in fields)]
    return "\n".join([*header, _FRAMEWORK, *framework, _REST, *rest, ""])


def parse(text: str, path: Path) -> Lock:
    """Read a lock. Raises UsageError with file and line for anything that is not one."""
    fields: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {_FRAMEWORK: [], _REST: []}
    packages: dict[str, str] = {}
    part = ""
    for number, line in enumerate(text.splitlines(), start=1):
        package = _PACKAGE.fullmatch(line)
        if line in parts:
            part = line
        elif part and package:
            packages[project(package["name"])] = package["version"]
            parts[part].append(line)
        elif part and parts[part] and _HASH.fullmatch(line):
            parts[part].append(line)
        elif not part and (field := _FIELD.fullmatch(line)):
            fields.setdefault(field["key"], []).append(field["value"])
        elif part or number > 1:
            raise UsageError(f"{path}:{number}: not a line of a lock: {line[:80]!r}")
    recipe = _recipe(fields, path)
    framework, rest = tuple(parts[_FRAMEWORK]), tuple(parts[_REST])
    if not framework:
        raise UsageError(f"{path}: a lock without packages")
    return Lock(
        path=path,
        recipe=recipe,
        notes=tuple(fields.get("note", ())),
        torch_backend="".join(fields.get("torch-backend", ())),
        framework_lines=framework,
        rest_lines=rest,
        sha256=_checked(digest(recipe, framework, rest), fields, path),
        packages=packages,
    )


def digest(recipe: Recipe, framework: Iterable[str], rest: Iterable[str]) -> str:
    """SHA-256, hex, over what gets installed where."""
    content = "\n".join([recipe.python, recipe.platform, _FRAMEWORK, *framework, _REST, *rest])
    return hashlib.sha256(content.encode()).hexdigest()


def _recipe(fields: Mapping[str, list[str]], path: Path) -> Recipe:
    single = {}
    for key in ("environment", "python", "platform", "build", "exclude-newer"):
        if len(fields.get(key, ())) != 1:
            raise UsageError(f"{path}: no whole lock: its header must name {key} once; `runner lock` makes it again")
        single[key] = fields[key][0]
    return Recipe(
        environment=single["environment"],
        python=single["python"],
        platform=single["platform"],
        build=single["build"],
        exclude_newer=single["exclude-newer"],
        requirements=tuple(fields.get("requirement", ())),
        overrides=tuple(fields.get("override", ())),
        wheels=tuple(fields.get("wheel", ())),
        index="".join(fields.get("index", ())[:1]),
    )


def _checked(found: str, fields: Mapping[str, list[str]], path: Path) -> str:
    if fields.get("sha256") != [found]:
        raise UsageError(f"{path}: changed since it was made; `runner lock` makes it again")
    return found
