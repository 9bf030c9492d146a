"""A tree of files -> a wheel, built once.

The build dependencies are locked with hashes and installed first. Then the backend runs in a container without a
network and without privileges, or in a temporary virtual environment where cells run on the host. What it made is kept
by the id of the tree.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner import executors
from runner.environments import lockfile, resolve
from runner.errors import (
    BuildError,
    RunnerError,
    SourceError,
    UnavailableError,
    UnbuildableError,
    UsageError,
    suggest,
)
from runner.executors import Executor, Launch, Prepared, Say
from runner.images import base
from runner.machine import facts
from runner.matrix import compat, plan
from runner.model import Cell, Environment, Outcome
from runner.sources.checkout import Tree
from runner.sources.given import Given
from runner.util import aging, commands, folders, locks, outage, scratch
from runner.util.remove import remove

Turn = Callable[[], AbstractContextManager[None]]
"""What a build waits for: other work on this machine that it would disturb."""
_TIMEOUT_S = 1800.0
_SETUPTOOLS = "setuptools.build_meta:__legacy__"
"""The backend of a project that names none (PEP 517)."""
_NETWORK = re.compile(
    r"gaierror|name or service not known|temporary failure in name resolution|network is unreachable"
    r"|could not resolve host|getaddrinfo failed|connection refused",
    re.IGNORECASE,
)
_BAD_VERSION = re.compile(r"Invalid version: '([^']*)'|Version '([^']*)' is not valid according to PEP 440")


@dataclass(frozen=True, slots=True)
class Backend:
    """What pyproject.toml states about the build."""

    name: str
    requires: tuple[str, ...]
    path: tuple[str, ...] = ()
    """Folders of the source in which the backend lies."""


def backend(source: Path) -> Backend:
    """Read the build backend of a source. Raises SourceError where it has none."""
    file = source / "pyproject.toml"
    legacy = Backend(_SETUPTOOLS, ("setuptools",))
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"its pyproject.toml cannot be read: {error}") from None
    system = table.get("build-system")
    if system is None:
        if "project" in table or (source / "setup.py").is_file():
            return legacy
        raise SourceError("no build backend: it has neither pyproject.toml with [build-system] nor setup.py")
    requires, name, path = (system.get(key, default) for key, default in _SYSTEM)
    if not isinstance(name, str) or not _texts(requires) or not _texts(path):
        raise SourceError("the [build-system] of its pyproject.toml is not as PEP 517 describes it")
    if any((source / one).resolve().parts[: len(source.resolve().parts)] != source.resolve().parts for one in path):
        raise SourceError("the backend-path of its pyproject.toml leaves the source")
    return Backend(name, tuple(requires), tuple(path))


_SYSTEM: tuple[tuple[str, Any], ...] = (
    ("requires", ["setuptools"]),
    ("build-backend", _SETUPTOOLS),
    ("backend-path", []),
)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def wheel(given: Given, tree: Tree, executor: str, say: Say, turn: Turn = nullcontext) -> Path:
    """The wheel that a tree is built into.

    One that was built before is in the cache.

    Raises SourceError for a source that cannot be built as it is, UnbuildableError where its backend refuses it,
    BuildError where something else stopped the build.
    """
    place = folders.cache_dir() / "sources" / tree.id
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with locks.held(
            place.with_suffix(".lock"), lambda who: say(f"waiting for {who}, which builds {given.package}")
        ):
            found = next(iter(sorted(place.glob("*.whl"))), None)
            aging.used(place)
            if found is None:
                aging.prune(place.parent)
                say(f"building {given.package} from {tree.words}")
                with turn(), scratch.folder("build") as folder:
                    found = _moved(_built(given, tree, executor, folder, say), place)
            return found
    except OSError as error:
        raise UsageError(f"{place.parent}: cannot be written: {error.strerror}") from None


def _moved(made: Path, place: Path) -> Path:
    remove(place)
    place.mkdir()
    part = place / f"{made.name}.part"
    shutil.copyfile(made, part)
    return part.rename(place / made.name)


def _built(given: Given, tree: Tree, executor: str, folder: Path, say: Say) -> Path:
    source = folder / "source"
    source.mkdir()
    tree.export(source)
    try:
        chosen = backend(source)
    except SourceError as error:
        raise SourceError(f"{given}: {error}") from None
    requires = chosen.requires
    with _builder(executor) as builder:
        prepared = _prepared(builder, given, folder)
        for _ in range(_ROUNDS):
            _install(given, requires, folder, prepared.environment.platform, say)
            result = _run(given, chosen, builder, prepared, folder)
            more = result.get("requires", ())
            requires = (*requires, *map(str, more))
            if not more:
                return folder / "made" / Path(str(result["wheel"])).name
    raise UnbuildableError(f"{given}: its build backend asks for packages that it does not find: {', '.join(more)}")


_ROUNDS = 2
"""A backend may ask for more packages once it runs (PEP 517, get_requires_for_build_wheel)."""


def _install(given: Given, requires: Sequence[str], folder: Path, platform: str, say: Say) -> None:
    """Lock the build dependencies and install them into a folder.

    The platform may be another than this machine's.
    """
    known = compat.load()
    target = folder / "dependencies"
    remove(target)
    target.mkdir()
    if not requires:
        return
    say(f"installing what the build of {given.package} needs")
    moment = f"{compat.load_latest().date}T00:00:00Z"
    asked = lockfile.Recipe("", known.python.preferred, known.platform(platform).uv, "cpu", moment, tuple(requires))
    try:
        pinned = resolve.compile_(asked, [], f"the build dependencies of {given.package}")
    except BuildError as error:
        raise BuildError(f"{given}: {error}", error.log) from error
    (folder / "requirements.txt").write_text(pinned)
    command = [
        folders.uv_program(), "pip", "install", "--quiet", "--target", str(target), "--python-platform", asked.platform,
        "--python-version", asked.python, "--require-hashes", "--no-deps", "--only-binary", ":all:",
        "--requirement", str(folder / "requirements.txt"),
    ]  # fmt: skip
    done = commands.guarded(command, timeout_s=_TIMEOUT_S, folder=folder)
    if done.code != 0:
        raise outage.of(done.errors) or BuildError(
            f"{given}: its build dependencies cannot be installed: {resolve.explain(done.errors)}", done.errors
        )


@contextmanager
def _builder(name: str) -> Iterator[Executor]:
    """The executor that cells would get. Raises UsageError for an unknown one."""
    known = executors.names(installing=True)
    if name not in (plan.AUTO, *known):
        raise UsageError(f"--executor {name!r}{suggest(name, known)}; there are: {', '.join((plan.AUTO, *known))}")
    usable = known if name == plan.AUTO else (name,)
    made = [executors.make(one) for one in usable]
    chosen = next((one for one in made if not one.available()), made[-1])
    try:
        yield chosen
    finally:
        chosen.close()


def _prepared(executor: Executor, given: Given, folder: Path) -> Prepared:
    """A plain Python: the base image of cells, or a temporary virtual environment."""
    python = compat.load().python.preferred
    here = facts.here()
    platform = facts.container_platform(here) if executor.isolated else here.platform
    environment = Environment(given.package, "0", None, python, "cpu", platform)
    if executor.isolated:
        return Prepared(environment, base.present(python))
    place = folder / "venv"
    made = commands.guarded([folders.uv_program(), "venv", "--quiet", "--python", python, str(place)], timeout_s=300.0)
    if made.code != 0:
        raise outage.of(made.errors) or UnavailableError(f"no Python {python} here: {resolve.explain(made.errors)}")
    return Prepared(environment, str(place / "bin" / "python"))


def _run(given: Given, chosen: Backend, executor: Executor, prepared: Prepared, folder: Path) -> dict[str, Any]:
    """Run the backend. Returns its result.

    Raises BuildError where it failed, SourceError where the source has to be changed.
    """
    shutil.copyfile(Path(__file__).with_name(_SCRIPT), folder / _SCRIPT)
    (folder / "request.json").write_text(json.dumps({"backend": chosen.name, "backend_path": chosen.path}))
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    limits = replace(plan.default_limits(_TIMEOUT_S, facts.here().memory_bytes), disk_bytes=None)
    outcome = executor.execute(
        Launch(
            cell=Cell(given.package, "0", None, prepared.environment.python, "cpu"),
            prepared=prepared,
            io=folder,
            data=None,
            environment={"SOURCE_DATE_EPOCH": _EPOCH, "PYTHONHASHSEED": "0"},
            limits=limits,
            argv=("-S", _SCRIPT),
            foreign=True,
        )
    )
    try:
        found: dict[str, Any] = json.loads(result.read_bytes())
    except (OSError, ValueError):  # ended from outside: by a signal, a limit, a full disk
        stopped = BuildError(f"{given}: its build failed: {ending(outcome)}", outcome.log)
        raise outage.of(outcome.log) or stopped from None
    if "error" in found:
        raise failure(given, str(found["error"]), outcome.log, closed=executor.isolated)
    return found


_SCRIPT = "in_build.py"
_EPOCH = "315532800"
"""1980-01-01, the earliest time that a zip file can hold: the same tree makes the same wheel."""


def ending(outcome: Outcome) -> str:
    """Why a build left no result."""
    if outcome.timed_out:
        return f"it did not end within {_TIMEOUT_S / 60:.0f} minutes"
    if outcome.oom:
        return "it ran out of memory"
    return f"exit code {outcome.exit_code}"


def failure(given: Given, error: str, log: str, *, closed: bool = True) -> RunnerError:
    """What a failed build means for the user, in one line.

    ``closed``: no build reaches the network there, so that one that needs it fails whenever it is tried.
    """
    text = f"{error}\n{log}"
    if bad := _BAD_VERSION.search(text):
        version = bad[1] or bad[2]
        return SourceError(f"{given}: its version {version!r} is not one by PEP 440 (example: 3.16.0)")
    if _NETWORK.search(text):
        return (SourceError if closed else UsageError)(
            f"{given}: its build needs the network, and a build has none: "
            "name all packages that it needs in [build-system] requires"
        )
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    why = error if not error.startswith(("SystemExit", "CalledProcessError")) else (lines or [error])[-1]
    return UnbuildableError(f"{given}: its build failed: {' '.join(why.split())[:_LONGEST]}", log)


_LONGEST = 300
