"""Environment -> lock: a committed one, one from the user's cache, or a new one through ``uv pip compile``.

A CPU cell of PyTorch is meant to run on the wheels of PyTorch's own index, which carry no CUDA. A committed lock that
had to be made without that index holds the default index's build, and says so. Where the index can be reached
when the environment is first used, a lock of the CPU wheels is made in the cache and takes its place; where it
cannot, that is remembered for a day and the committed lock is used.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

from runner import compat as facts
from runner import lockfile, resources
from runner.errors import BuildError, CellError, UsageError
from runner.lockfile import Lock, Recipe
from runner.model import Environment

__all__ = ["Lock", "check", "install_arguments", "locked", "make", "make_all", "newest", "write_latest"]

DEFAULT_BUILD = "PyTorch's own index could not be reached: this is the default index's build, which carries CUDA"
_FORGET_UNREACHABLE_S = 24 * 3600
_UV_TIMEOUT_S = 600

_making: dict[str, threading.Lock] = {}
_making_guard = threading.Lock()


def committed_path(environment: Environment) -> Path:
    """Where the lock of an environment is kept in the repository."""
    return resources.matrix_dir() / "locks" / f"{environment.id}.txt"


@cache
def cache_dir() -> Path:
    """Where locks go that are made when they are needed."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("keras-version-matrix")) / "locks"


def locked(environment: Environment, say: Callable[[str], None] | None = None) -> Lock:
    """The lock to install ``environment`` from; made (and cached) where there is none yet.

    Safe to call from several threads. Raises BuildError where uv finds no solution (with its explanation),
    UsageError where a lock file cannot be read.
    """
    with _one_at_a_time(environment.id):
        committed = _read(committed_path(environment))
        if committed and not (_wants_cpu_wheels(environment) and committed.carries_cuda):
            return committed
        cached = _read(cache_dir() / f"{environment.id}.txt")
        usable = cached and _same_question(cached.recipe, recipe(environment))
        if cached and usable and not (committed and cached.carries_cuda):
            return cached
        if committed and _index_known_unreachable():
            return committed
        if say:
            say("resolving")
        made = make(environment, cache_dir())
        return committed if committed and made.carries_cuda else made


def recipe(environment: Environment, exclude_newer: str | None = None) -> Recipe:
    """What would go into resolving the environment today."""
    compat = facts.load()
    wanted = compat.requirements(environment)
    return Recipe(
        environment=environment.id,
        python=environment.python,
        platform=compat.platform(environment.platform).uv,
        build=environment.build,
        exclude_newer=exclude_newer or f"{facts.load_latest().date.isoformat()}T00:00:00Z",
        requirements=wanted.requirements,
        overrides=wanted.overrides,
    )


def make(environment: Environment, folder: Path, exclude_newer: str | None = None) -> Lock:
    """Resolve the environment and write its lock into ``folder``. Raises BuildError with uv's own explanation."""
    compat = facts.load()
    asked = recipe(environment, exclude_newer)
    notes = list(compat.requirements(environment).notes)
    output, backend = None, ""
    if _wants_cpu_wheels(environment):
        output = _cpu_wheels(asked, environment)
        backend = "cpu" if output is not None else ""
    if output is None:
        output = _compile(asked, environment)
    resolved = lockfile.parse_resolution(output)
    roots = {facts.project(line) for line in asked.requirements}
    parts = lockfile.split(resolved, roots)
    if _wants_cpu_wheels(environment) and any(r.name.startswith("nvidia-") for r in resolved):
        notes.append(DEFAULT_BUILD)
    path = folder / f"{environment.id}.txt"
    text = lockfile.render(asked, parts, notes, backend)
    lock = lockfile.parse(text, path)
    _write(path, text)
    return lock


def make_all(
    environments: Iterable[Environment], folder: Path | None = None, jobs: int = 4
) -> dict[str, Lock | CellError]:
    """Lock many environments side by side, by id; one that cannot be resolved does not stop the others."""
    folder = folder or resources.matrix_dir() / "locks"

    def one(environment: Environment) -> Lock | CellError:
        try:
            return make(environment, folder)
        except CellError as error:
            return error

    wanted = {e.id: e for e in environments}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return dict(zip(wanted, pool.map(one, wanted.values()), strict=True))


def check(environments: Iterable[Environment]) -> tuple[str, ...]:
    """One line per committed lock that is missing, unreadable, made from other requirements, or no longer used."""
    stale: list[str] = []
    wanted = {e.id: e for e in environments}
    for name, environment in wanted.items():
        try:
            found = _read(committed_path(environment))
        except UsageError as error:
            stale.append(str(error))
            continue
        if found is None:
            stale.append(f"{name}: no lock")
        elif not _same_question(found.recipe, recipe(environment)):
            stale.append(f"{name}: {_difference(found.recipe, recipe(environment))}")
    folder = resources.matrix_dir() / "locks"
    stale += [f"{p.stem}: no set uses it" for p in sorted(folder.glob("*.txt")) if p.stem not in wanted]
    return tuple(stale)


def newest(packages: Iterable[str], python: str, exclude_newer: str) -> dict[str, str]:
    """The newest release of each package that has a wheel for that Python on Linux x86-64, as uv sees the index.

    Raises BuildError where a package has none or the index cannot be reached.
    """
    platform = facts.load().platform("linux-x86_64").uv
    found = {}
    for package in packages:
        asked = Recipe("", python, platform, "cpu", exclude_newer, (package,))
        resolved = lockfile.parse_resolution(_run_uv(asked, ["--no-deps"], package))
        found[package] = resolved[0].lines[0].split("==")[1].removesuffix(" \\").split("+")[0]
    return found


def write_latest(releases: Mapping[str, str], date: dt.date) -> Path:
    """Write latest.toml. The releases of ``facts.load_latest`` are read anew by the next process."""
    path = resources.matrix_dir() / "latest.toml"
    lines = [
        "# What `latest` stands for. `runner lock --upgrade` moves it; results always name the release itself.",
        "",
        "schema = 1",
        f"date = {date.isoformat()}",
        "",
        "[releases]",
        *(f'{package} = "{version}"' for package, version in releases.items()),
        "",
    ]
    _write(path, "\n".join(lines))
    return path


def install_arguments(lock: Lock) -> list[str]:
    """What ``uv pip install`` must be given besides the requirement files, on any executor.

    No dependencies are followed: the lock is complete, and an override is a contradiction to be kept.
    """
    backend = ["--torch-backend", lock.torch_backend] if lock.torch_backend else []
    return ["--require-hashes", "--no-deps", "--only-binary", ":all:", *backend]


def _wants_cpu_wheels(environment: Environment) -> bool:
    linux = environment.platform.startswith("linux")
    return environment.framework == "torch" and environment.build == "cpu" and linux


def _cpu_wheels(asked: Recipe, environment: Environment) -> str | None:
    """Resolve from PyTorch's own index, or None where it cannot be reached or lacks the release."""
    if _index_known_unreachable():
        return None
    try:
        return _compile(
            asked, environment, ["--torch-backend", "cpu"], {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "15"}
        )
    except BuildError as error:
        if "No solution found" not in error.log:
            _write(_unreachable_mark(), error.log)
        return None


def _compile(
    asked: Recipe, environment: Environment, extra: Iterable[str] = (), variables: Mapping[str, str] | None = None
) -> str:
    arguments = list(extra)
    if environment.framework == "torch":
        # PyTorch's index and a folder of wheels give no upload times, and uv drops files without one
        arguments += ["--exclude-newer-package", "torch=false"]
    return _run_uv(asked, arguments, environment.id, variables or {})


def _run_uv(asked: Recipe, extra: list[str], label: str, variables: Mapping[str, str] | None = None) -> str:
    """The resolution as uv prints it. Raises BuildError."""
    with tempfile.TemporaryDirectory(prefix="kvm-lock-") as folder:
        # relative names and a folder of its own: no path of this machine, no configuration of the project we stand in
        Path(folder, "requirements.in").write_text("\n".join([*asked.requirements, ""]))
        Path(folder, "overrides.txt").write_text("\n".join([*asked.overrides, ""]))
        command = [
            resources.uv_program(), "pip", "compile", "requirements.in", "--overrides", "overrides.txt",
            "--python-version", asked.python, "--python-platform", asked.platform,
            "--exclude-newer", asked.exclude_newer, "--only-binary", ":all:", "--generate-hashes",
            "--no-header", "--annotation-style", "split", "--quiet", "--no-python-downloads", *extra,
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=folder, env=_environment(asked, variables or {}), capture_output=True, text=True,
                timeout=_UV_TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BuildError(f"uv did not resolve {label} within {_UV_TIMEOUT_S} s") from None
    if done.returncode:
        raise BuildError(f"cannot resolve {label}: {explain(done.stderr)}", log=done.stderr)
    return done.stdout


def _environment(asked: Recipe, variables: Mapping[str, str]) -> dict[str, str]:
    """The process environment for uv: the user's mirrors and proxies, none of the switches that change the answer."""
    decided = ("UV_EXCLUDE_NEWER", "UV_TORCH_BACKEND", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_PRERELEASE",
               "UV_RESOLUTION", "UV_PYTHON", "UV_NO_BINARY", "UV_NO_BUILD", "VIRTUAL_ENV")  # fmt: skip
    kept = {key: value for key, value in os.environ.items() if key not in decided}
    macos = next((p.macos for p in facts.load().platforms.values() if p.uv == asked.platform and p.macos), None)
    return kept | ({"MACOSX_DEPLOYMENT_TARGET": macos} if macos else {}) | dict(variables)


def explain(stderr: str) -> str:
    """uv's own explanation in one line, without its drawing."""
    kept = [line.strip().removeprefix("error:").removeprefix("cause:").strip() for line in stderr.splitlines()]
    kept = [line for line in kept if line and not line.startswith("hint:")]
    causes = [line for line in kept if not line.startswith("No solution found")] or kept
    text = " ".join(" ".join(causes).split())
    return text if len(text) <= 400 else f"{text[:397]}..."


def _same_question(old: Recipe, new: Recipe) -> bool:
    """Whether a lock answers today's question; a later date alone does not make it stale."""
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
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    return lockfile.parse(text, path)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _unreachable_mark() -> Path:
    return cache_dir() / "pytorch-index-unreachable"


def _index_known_unreachable() -> bool:
    try:
        return time.time() - _unreachable_mark().stat().st_mtime < _FORGET_UNREACHABLE_S
    except OSError:
        return False


def _one_at_a_time(name: str) -> threading.Lock:
    with _making_guard:
        return _making.setdefault(name, threading.Lock())
