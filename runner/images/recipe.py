"""Environment + lock -> Dockerfile and build context; pure.

Everything that reaches the template is checked as a whole string first, so that no version, name or label can add an
instruction or a shell command.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runner.environments import wheels
from runner.environments.lockfile import Lock, index_arguments
from runner.environments.wheels import Kept
from runner.errors import BuildError, UsageError
from runner.matrix import compat as facts
from runner.matrix import frameworks
from runner.model import Environment
from runner.util import folders, toml, versions

if TYPE_CHECKING:
    import jinja2

REPOSITORY = "keras-version-matrix"
LABELS = "org.keras-version-matrix"
TEMPLATE = "environment.Dockerfile.j2"
OWN_TEMPLATE = "wheels.Dockerfile.j2"
OWN = "own"
"""The layer of wheels that no package index has. It comes last, so that all other layers are shared."""
TOOLS = ("install.sh", "uv.txt")
LAYERS = ("framework", "company", "keras")
"""What is installed in separate layers, in this order. Keras's company (h5py, ml-dtypes, rich, ...) is three
quarters of what comes with it and hardly moves between its releases."""

_CHECKS: Mapping[str, re.Pattern[str]] = {
    "framework": re.compile(r"[a-z][a-z0-9-]*"),
    "version": versions.EXACT,
    "keras": re.compile(rf"{versions.EXACT.pattern}|native"),
    "python": re.compile(r"3\.[0-9]{1,2}"),
    "build": re.compile(r"cpu|cuda"),
    "platform": re.compile(r"linux-[a-z0-9_]+"),
    "base": re.compile(r"[a-z0-9]+(?:[._/:-][a-z0-9]+)*(?:@sha256:[0-9a-f]{64})?"),
    "digest": re.compile(r"[0-9a-f]{64}"),
    "system package": versions.DEBIAN_PACKAGE,
    "package_index": re.compile(r"https?://[A-Za-z0-9._~/:-]+"),
    "wheel": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\.whl"),
    "torch_backend": re.compile(r"(?:cpu|cu[0-9]+)?"),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that an image is made from."""

    environment: Environment
    base: str
    platform: str
    """Docker's name of it: ``linux/amd64``."""
    files: Mapping[str, str]
    """The build context: file names and their content, without the Dockerfile and the wheels."""
    labels: tuple[tuple[str, str], ...]
    system: tuple[str, ...]
    """Debian packages that the framework, or a set, needs next to its wheels."""
    torch_backend: str
    framework_key: str
    """Digest of what the framework's layer is made from: recipes with the same one share that layer."""
    content: str
    """Digest of all that decides what is in the image."""
    tag: str
    """``keras-version-matrix:<environment>-<digest>``; the same content always has the same tag.

    A tag has neither a plus sign nor more than 128 characters; the digest keeps a shortened one unique."""
    wheels: tuple[Path, ...] = ()
    """Files of this machine that no package index has; they are in the build context, too."""
    index: str = ""
    """The address of the package index of a nightly build, in addition to the default one."""


def recipe(environment: Environment, lock: Lock) -> Recipe:
    """Put together what the image of ``environment`` is made from.

    Raises BuildError where a value must not be in a Dockerfile, or there is no base for that Python or platform.
    """
    values = {
        "framework": environment.framework,
        "version": environment.version,
        "keras": environment.keras or "native",
        "python": environment.python,
        "build": environment.build,
        "platform": environment.platform,
        "torch_backend": lock.torch_backend,
        "digest": lock.sha256,
    }
    for name, value in values.items():
        _checked(name, value)
    base = _checked("base", base_image(environment.python))
    rows = facts.load().frameworks.get(environment.framework)
    names = facts.load().row(environment.framework, environment.version).system if rows else ()
    more = environment.custom.system if environment.custom else ()
    system = tuple(_checked("system package", name) for name in dict.fromkeys((*names, *more)))
    own = wheels.of(lock.recipe.requirements)
    files = {name: _text(name) for name in TOOLS}
    files |= {f"{part}.txt": _lines(lines) for part, lines in _layers(lock, own).items() if lines}
    install = [files[name] for name in TOOLS]
    framework = files.get("framework.txt", "")
    framework_key = _digest([base, environment.platform, lock.torch_backend, *system, *install, framework])
    template = _digest([_text(TEMPLATE), *install, *([_text(OWN_TEMPLATE)] if own else [])])
    index = [_checked("package_index", lock.recipe.index)] if lock.recipe.index else []
    content = _digest([template, base, *system, environment.id, lock.torch_backend, lock.sha256, *index])
    labels = (
        ("org.opencontainers.image.title", f"{REPOSITORY} {environment.id}"),
        ("org.opencontainers.image.base.name", base),
        (f"{LABELS}.environment", environment.id),
        *((f"{LABELS}.{name}", values[name]) for name in ("framework", "version", "keras", "python", "build")),
        (f"{LABELS}.lock", lock.sha256),
        (f"{LABELS}.template", template),
        (f"{LABELS}.content", content),
        (f"{LABELS}.layer", framework_key),
    )
    return Recipe(
        environment=environment,
        base=base,
        platform=facts.load().platform(environment.platform).docker or "",
        files=files,
        labels=labels,
        system=system,
        torch_backend=lock.torch_backend,
        framework_key=framework_key,
        content=content,
        tag=f"{REPOSITORY}:{_tag(environment.id)}-{content[:_DIGITS]}",
        wheels=tuple(one.path for one in own),
        index=lock.recipe.index,
    )


def dockerfile(recipe: Recipe, buildkit: bool = True) -> str:
    """The Dockerfile of a recipe, for BuildKit or for the classic builder."""
    own = [_checked("wheel", path.name) for path in recipe.wheels]
    last = _template(OWN_TEMPLATE).render(wheels=own, buildkit=buildkit) if own else ""
    return (
        _template(TEMPLATE).render(
            environment=recipe.environment.id,
            base=recipe.base,
            project=LABELS,
            labels=recipe.labels,
            system=recipe.system,
            parts=[part for part in LAYERS if f"{part}.txt" in recipe.files],
            torch_backend="".join(f" {word}" for word in _arguments(recipe)),
            buildkit=buildkit,
        )
        + last
    )


def _arguments(recipe: Recipe) -> list[str]:
    """What uv needs to find the wheels."""
    backend = ["--torch-backend", recipe.torch_backend] if recipe.torch_backend else []
    return [*backend, *index_arguments(recipe.index)]


def base_image(python: str) -> str:
    """Return the base image for a Python. Raises BuildError.

    It has a digest where one is pinned in images/bases.toml.
    """
    bases = facts.load().bases
    if python not in bases:
        raise BuildError(f"no base image for Python {python!r}; compat.toml names those for {', '.join(bases)}")
    name = bases[python]
    pinned = pins().get(name)
    return f"{name}@{pinned}" if pinned else name


@cache
def pins() -> dict[str, str]:
    """Base images and their pinned digests; empty where nothing is pinned."""
    path = folders.images_dir() / "bases.toml"
    return toml.load(path, dict[str, str]) if path.exists() else {}


def _checked(name: str, value: str) -> str:
    if not _CHECKS[name].fullmatch(value):
        raise BuildError(f"{value!r} is not a {name.replace('_', ' ')} that may go into a Dockerfile")
    return value


def _layers(lock: Lock, own: Iterable[Kept] = ()) -> dict[str, tuple[str, ...]]:
    """The lock's lines by layer; ``own`` are the wheels of this machine."""
    last = {one.project for one in own}
    keras = frameworks.parts_of("keras")
    layers: dict[str, list[str]] = {name: [] for name in (*LAYERS, OWN)}
    for usual, lines in (("framework", lock.framework_lines), ("company", lock.rest_lines)):
        chosen = usual
        for line in lines:
            if "==" in line:
                name = versions.project(line)
                chosen = OWN if name in last else "keras" if usual == "company" and name in keras else usual
            layers[chosen].append(line)
    return {name: tuple(lines) for name, lines in layers.items()}


_TAG = 128
"""The most characters of a tag."""
_DIGITS = 16
"""The digits of the content's digest in a tag."""


def _tag(name: str) -> str:
    return name.replace("+", "-")[: _TAG - _DIGITS - 1]


def _lines(lines: Iterable[str]) -> str:
    return "\n".join([*lines, ""])


def _digest(parts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(f"{len(part)}:{part}\n".encode())
    return found.hexdigest()


@cache
def _text(name: str) -> str:
    path = folders.images_dir() / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None


@cache
def _template(name: str) -> jinja2.Template:
    import jinja2

    loader = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
    return loader.from_string(_text(name))
