"""Environment -> lock: committed, cached, or made by ``uv pip compile``.

A CPU cell of PyTorch is meant to run on the wheels of PyTorch's own index, which carry no CUDA. A committed lock that
had to be made without that index holds the default index's build, and a note states that. Where the index can be
reached when the environment is first used, a lock of the CPU wheels is made in the cache and takes its place; where it
cannot, that is remembered for a day and the committed lock is used. Only what the indexes said for certain is
remembered: another outage is not.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from runner.environments import lockfile, resolve, wheels
from runner.environments.lockfile import Lock, Recipe
from runner.errors import BuildError, CellError, OutageError, UnavailableError, UsageError
from runner.matrix import compat as facts
from runner.matrix import frameworks
from runner.model import Environment
from runner.util import files, folders, versions
from runner.util.workers import Workers

__all__ = ["Lock", "check", "committed", "install_arguments", "locked", "make", "make_all", "upgrade"]

DEFAULT_BUILD = "PyTorch's own index could not be reached: this is the default index's build, which carries CUDA"
_PYTORCH_INDEX = "pytorch.org/whl"
"""A part of the addresses that uv's ``--torch-backend`` stands for, as uv's errors name them."""
_DAY_S = 24 * 3600

_making: dict[str, threading.Lock] = {}
_making_guard = threading.Lock()


def committed_path(environment: Environment) -> Path:
    """Where the lock of an environment is kept in the repository."""
    return folders.matrix_dir() / "locks" / f"{environment.id}.txt"


def cache_dir() -> Path:
    """Where locks go that are made when they are needed."""
    return folders.cache_dir() / "locks"


_given: list[Path] = []


def use(folder: Path) -> None:
    """Take the locks in this folder before all others.

    They are those of the machine that asked for the work.
    """
    _given[:] = [folder]


def known(environment: Environment) -> Lock | None:
    """The lock that ``locked`` would return now, without making one.

    None where there is none, and where its lock is not usable.
    """
    with suppress(UsageError):
        kept = _read(committed_path(environment))
        if kept and not (_wants_cpu_wheels(environment) and kept.carries_cuda):
            return kept
        cached = _read(cache_dir() / f"{environment.id}.txt")
        if cached and _same_question(cached.recipe, recipe(environment)) and not (kept and cached.carries_cuda):
            return cached
        return kept
    return None


def committed(environment: Environment) -> Lock:
    """The lock in the repository.

    Raises UsageError where there is none or it cannot be read.
    """
    found = _read(committed_path(environment))
    if found is None:
        raise UsageError(
            f"{environment.id} has no lock in {committed_path(environment).parent}; `runner lock` makes it"
        )
    return found


def locked(environment: Environment, say: Callable[[str], None] | None = None) -> Lock:
    """The lock to install ``environment`` from.

    Made (and cached) where there is none yet.

    Safe to call from several threads. Raises BuildError where uv finds no solution (with its explanation), and
    UnavailableError where the repository's lock cannot be read: that stops this environment and no other.
    """
    with _one_at_a_time(environment.id):
        try:
            for folder in _given:
                if given := _read(folder / f"{environment.id}.txt"):
                    return given
            kept = _read(committed_path(environment))
        except UsageError as error:
            raise UnavailableError(str(error)) from None
        if kept and not (_wants_cpu_wheels(environment) and kept.carries_cuda):
            return kept
        cached = None
        with suppress(UsageError):  # one in the cache that cannot be read is made again
            cached = _read(cache_dir() / f"{environment.id}.txt")
        usable = cached and _same_question(cached.recipe, recipe(environment))
        if cached and usable and not (kept and cached.carries_cuda):
            return cached
        # asked today: the index was not there, or it lacks this release
        if kept and (_today(_unreachable_mark()) or (cached and usable and _today(cached.path))):
            return kept
        if say:
            say("resolving")
        try:
            made = make(environment, cache_dir())
        except CellError:
            if kept is None:
                raise
            return kept  # it was only to be replaced by something better
        return kept if kept and made.carries_cuda else made


def recipe(environment: Environment, exclude_newer: str | None = None) -> Recipe:
    """What would go into resolving the environment today."""
    compat = facts.load()
    wanted = compat.requirements(environment)
    as_of = environment.custom.as_of if environment.custom else ""
    return Recipe(
        environment=environment.id,
        python=environment.python,
        platform=compat.platform(environment.platform).uv,
        build=environment.build,
        exclude_newer=exclude_newer or as_of or _utc(facts.load_latest().date),
        requirements=wanted.requirements,
        overrides=wanted.overrides,
        wheels=tuple(one.pin for one in wheels.of(wanted.requirements)),
        index=frameworks.nightly_index(environment.framework, environment.version),
    )


def make(environment: Environment, folder: Path, exclude_newer: str | None = None) -> Lock:
    """Resolve the environment and write its lock into ``folder``.

    Raises BuildError with uv's own explanation, or for a wheel of this machine that is not there.
    """
    compat = facts.load()
    asked = recipe(environment, exclude_newer)
    own = wheels.of(asked.requirements)
    _check_there(environment, {one.version for one in own})
    notes = [*compat.requirements(environment).notes, *(one.entry.note for one in own)]
    output, backend = _resolved(asked, environment)
    resolved = lockfile.parse_resolution(output)
    roots = {versions.project(line) for line in asked.requirements}
    if environment.keras:  # what only Keras needs must not make the framework's part another one
        roots -= {versions.project(line) for line in compat.row("keras", environment.keras).requires}
    parts = lockfile.split(resolved, roots)
    if _wants_cpu_wheels(environment) and any(r.name.startswith("nvidia-") for r in resolved):
        notes.append(DEFAULT_BUILD)
    path = folder / f"{environment.id}.txt"
    text = lockfile.render(asked, parts, notes, backend)
    lock = lockfile.parse(text, path)
    _write(path, text)
    return lock


def _check_there(environment: Environment, there: Collection[str]) -> None:
    """Raise BuildError for a wheel of Keras or the framework that is not here."""
    for package, version in ((environment.framework, environment.version), ("keras", environment.keras or "")):
        if versions.is_local(version) and version not in there:
            raise BuildError(
                f"{package} {version} is a build that this machine does not have: "
                f"make it again with --source {package}=... or --wheel {package}=..."
            )


def make_all(
    environments: Iterable[Environment], folder: Path | None = None, jobs: int = 4
) -> dict[str, Lock | CellError]:
    """Lock many environments side by side, by id.

    One that cannot be resolved does not stop the others.
    """
    folder = folder or folders.matrix_dir() / "locks"

    def one(environment: Environment) -> Lock | CellError:
        try:
            return make(environment, folder)
        except CellError as error:
            return error

    wanted = {e.id: e for e in environments}
    with Workers(jobs, "lock") as pool:
        made = [pool.submit(one, environment) for environment in wanted.values()]
        return {name: future.result() for name, future in zip(wanted, made, strict=True)}


def check(environments: Iterable[Environment], *, complete: bool = False) -> tuple[str, ...]:
    """One line per committed lock that is missing, unreadable or stale.

    A lock is stale where it was made from other requirements than today's.

    With ``complete``, ``environments`` are all there are, and a lock of none of them is stale too.
    """
    stale: list[str] = []
    wanted = {e.id: e for e in environments}
    for name, environment in wanted.items():
        try:
            found = committed(environment)
        except UsageError as error:
            stale.append(str(error))
            continue
        if not _same_question(found.recipe, recipe(environment)):
            stale.append(f"{name}: {_difference(found.recipe, recipe(environment))}")
    if complete:
        folder = folders.matrix_dir() / "locks"
        stale += [f"{p.stem}: no set uses it" for p in sorted(folder.glob("*.txt")) if p.stem not in wanted]
    return tuple(stale)


def upgrade() -> tuple[str, ...]:
    """Move ``latest`` to the newest releases as of today, a line per change.

    The uv that builds images moves too.

    Raises BuildError where a package has no release, or the index cannot be reached.
    """
    now = facts.load_latest()
    today = dt.datetime.now(dt.UTC).date()
    recipe = Recipe("", facts.load().python.preferred, facts.load().platform("linux-x86_64").uv, "cpu", _utc(today), ())
    releases = {
        package: _newest(replace(recipe, requirements=(frameworks.distribution(package),))) for package in now.releases
    }
    lines = [
        "# What `latest` stands for. `runner lock --upgrade` moves it; results always name the release itself.",
        "",
        "schema = 1",
        f"date = {today.isoformat()}",
        "",
        "[releases]",
        *(f'{package} = "{version}"' for package, version in releases.items()),
        "",
    ]
    # uv's wheels hold for every Python; the oldest base decides what may be asked for
    oldest = min(facts.load().bases, key=versions.release)
    asked = replace(recipe, python=oldest, requirements=("uv",))
    tools = lockfile.parse_resolution(resolve.compile_(asked, ["--no-deps"], "uv"))
    _write(folders.matrix_dir() / "latest.toml", "\n".join(lines))
    _write(folders.images_dir() / "uv.txt", "\n".join([*(line for r in tools for line in r.lines), ""]))
    facts.forget()
    moved = [f"{p}: {now.releases[p]} -> {v}" for p, v in releases.items() if v != now.releases[p]]
    return (*moved, f"as of {today.isoformat()}, was {now.date.isoformat()}")


def _newest(asked: Recipe) -> str:
    """The newest release of the one package asked for.

    A local part (``+cpu``) is left off.
    """
    resolved = lockfile.parse_resolution(resolve.compile_(asked, ["--no-deps"], asked.requirements[0]))
    return versions.public(resolved[0].version)


def _utc(date: dt.date) -> str:
    return f"{date.isoformat()}T00:00:00Z"


def install_arguments(lock: Lock) -> list[str]:
    """What ``uv pip install`` needs besides the requirement files.

    The same on any executor.

    No dependencies are followed: the lock is complete, and an override is a contradiction to be kept.
    """
    backend = ["--torch-backend", lock.torch_backend] if lock.torch_backend else []
    own = wheels.find_links(wheels.of(lock.recipe.requirements))
    found = lockfile.index_arguments(lock.recipe.index)
    return ["--require-hashes", "--no-deps", "--only-binary", ":all:", *backend, *found, *own]


def _wants_cpu_wheels(environment: Environment) -> bool:
    linux = environment.platform.startswith("linux") and not versions.is_unreleased(environment.version)
    return frameworks.of(environment.framework).own_index and environment.build == "cpu" and linux


def _resolved(asked: Recipe, environment: Environment) -> tuple[str, str]:
    """The resolution and the backend it is from: CPU wheels where they are available.

    That PyTorch's index cannot be reached is remembered where it failed twice while the default index answered in
    between: an outage of the whole network or of the default index is over sooner than in a day.
    """
    if not _wants_cpu_wheels(environment) or _today(_unreachable_mark()):
        return _compile(asked, environment), ""
    output, lost = _cpu_wheels(asked, environment)
    if output is not None:
        return output, "cpu"
    default = _compile(asked, environment)
    if lost:
        output, lost = _cpu_wheels(asked, environment)
        if output is not None:
            return output, "cpu"
    if lost:
        _write(_unreachable_mark(), lost)
    return default, ""


def _cpu_wheels(asked: Recipe, environment: Environment) -> tuple[str | None, str]:
    """Resolve from PyTorch's own index.

    Returns the resolution, or None and what uv said where the index cannot be reached, or None and nothing where it
    lacks the release. Raises BuildError and OutageError where something else failed, which says nothing about it.
    """
    try:
        patience = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "15"}
        return _compile(asked, environment, ["--torch-backend", "cpu"], patience), ""
    except (BuildError, OutageError) as error:
        if "No solution found" in error.log:
            return None, ""
        if _PYTORCH_INDEX in error.log:
            return None, error.log
        raise


def _compile(
    asked: Recipe, environment: Environment, extra: Iterable[str] = (), variables: Mapping[str, str] | None = None
) -> str:
    arguments = list(extra)
    if frameworks.of(environment.framework).own_index and not versions.is_unreleased(environment.version):
        # PyTorch's index and a folder of wheels give no upload times, and uv drops files without one
        arguments += ["--exclude-newer-package", f"{environment.framework}=false"]
    own = wheels.of(asked.requirements)
    arguments += [*lockfile.index_arguments(asked.index), *wheels.find_links(own)]
    parts = frameworks.of(environment.framework).companions if asked.index else ()
    arguments += [word for name in parts for word in ("--exclude-newer-package", f"{name}=false")]
    for name, version in (line.split("==") for line in asked.requirements if line.count("==") == 1):
        if versions.night(version) or versions.is_local(version):
            # a build after the lock's date, or a file without one; nothing else may be newer than the lock's date
            arguments += ["--exclude-newer-package", f"{versions.project(name)}=false"]
    prefer = environment.custom.prefer if environment.custom else ()
    return resolve.compile_(asked, arguments, environment.id, variables or {}, prefer)


def _same_question(old: Recipe, new: Recipe) -> bool:
    """Whether a lock answers today's question.

    A later date alone does not make it stale.
    """
    return replace(old, exclude_newer="") == replace(new, exclude_newer="")


def _difference(old: Recipe, new: Recipe) -> str:
    """What makes a lock stale, in a few words."""
    gone = sorted({*old.requirements, *old.overrides} - {*new.requirements, *new.overrides})
    come = sorted({*new.requirements, *new.overrides} - {*old.requirements, *old.overrides})
    if gone or come:
        return f"made from {', '.join(gone) or 'less'}; now {', '.join(come) or 'no longer asked for'}"
    return f"made for Python {old.python} on {old.platform} ({old.build})"


def _read(path: Path) -> Lock | None:
    try:
        text = files.content(path).decode()
    except FileNotFoundError:
        if not path.is_symlink():
            return None
        raise UsageError(f"{path}: cannot be read: a link to nothing") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    return lockfile.parse(text, path)


def _write(path: Path, text: str) -> None:
    files.write_atomically(path, text.encode())


def _unreachable_mark() -> Path:
    return cache_dir() / "pytorch-index-unreachable"


def _today(path: Path) -> bool:
    """Whether the file was written within a day."""
    try:
        return time.time() - path.stat().st_mtime < _DAY_S
    except OSError:
        return False


def _one_at_a_time(name: str) -> threading.Lock:
    with _making_guard:
        return _making.setdefault(name, threading.Lock())
