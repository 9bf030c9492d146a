"""One run of a user's script in a cell: start, end, and advice on failure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import UsageError
from runner.executors import Executor, Launch, Mount, Prepared
from runner.model import Cell, Limits, Outcome, Status
from runner.util import scratch
from runner.util.plain import uncoloured

_DISTRIBUTIONS = {
    "cv2": "opencv-python-headless", "sklearn": "scikit-learn", "PIL": "pillow", "yaml": "pyyaml",
    "skimage": "scikit-image", "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "Crypto": "pycryptodome",
    "tensorflow_datasets": "tensorflow-datasets", "keras_cv": "keras-cv", "keras_hub": "keras-hub",
}  # fmt: skip
"""Modules whose distribution is called something else."""
_NETWORK = re.compile(
    r"gaierror|Name or service not known|Temporary failure in name resolution|Network is unreachable"
    r"|URL fetch failure|getaddrinfo failed|NameResolutionError"
)
_FOLDER = "/script"
_TARGET = re.compile(r"[A-Za-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be run, the same in every cell."""

    path: Path
    arguments: tuple[str, ...] = ()
    mounts: tuple[tuple[Path, str], ...] = ()
    """Files and folders, and the name each has in the script's folder."""
    network: bool = False
    limits: Limits = field(default_factory=Limits)
    variables: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """How the script went in one cell."""

    cell: str
    status: Status
    exit_code: int | None
    reason: str
    """One line where it did not end well, else empty."""
    output: str
    """The end of what it printed, stdout and stderr as they came."""
    wall_s: float = 0.0
    packages: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()
    command: str = ""
    """The one command that runs this cell again, quoted for a shell."""


def check(path: Path, mounts: Sequence[str]) -> tuple[Path, tuple[tuple[Path, str], ...]]:
    """The script and its ``PATH[:NAME]`` mounts with absolute paths.

    Raises UsageError for a missing path and for a name that leaves the script's folder.
    """
    if not path.is_file():
        near = [other.name for other in path.parent.glob("*.py")] if path.parent.is_dir() else []
        from runner.errors import suggest

        what = "is a folder" if path.is_dir() else "no such script"
        raise UsageError(f"{path}: {what}{suggest(path.name, near)}")
    found: list[tuple[Path, str]] = []
    for text in mounts:
        source, _, name = text.partition(":")
        there = Path(source)
        name = name or there.resolve().name
        if not there.exists():
            raise UsageError(f"--mount {source}: no such file or folder")
        if not _TARGET.fullmatch(name) or name.startswith("/") or ".." in name.split("/"):
            raise UsageError(f"--mount {text!r}: the name {name!r} must lie in the script's own folder, as data/x.csv")
        found.append((there.resolve(), name))
    return path.resolve(), tuple(found)


def run(script: Script, cell: Cell, prepared: Prepared, executor: Executor) -> Ran:
    """Run the script once, in a scratch folder of its own that is removed afterwards.

    Raises CellError where the process could not be started.
    """
    with scratch.folder("script") as io:
        outcome = executor.execute(_launch(script, cell, prepared, executor, io))
    return ended(cell.id, outcome, script, prepared)


def ended(cell: str, outcome: Outcome, script: Script, prepared: Prepared) -> Ran:
    """What an outcome means for a script, with what would help where it failed."""
    status, reason = _ending(outcome, script)
    hints = () if status == Status.OK else hint(outcome.log, network=script.network)
    return Ran(
        cell,
        status,
        outcome.exit_code,
        "; ".join([reason, *hints]) if reason else "",
        outcome.log,
        outcome.wall_s,
        dict(prepared.packages or {}),
        prepared.notes,
    )


def hint(output: str, *, network: bool) -> tuple[str, ...]:
    """What the user can do about a failure, from what the script printed."""
    found: list[str] = []
    if module := re.search(r"No module named '([A-Za-z0-9_]+)", output):
        name = _DISTRIBUTIONS.get(module[1], module[1].replace("_", "-"))
        found.append(f"it needs {module[1]}: --with {name}")
    if not network and _NETWORK.search(output):
        found.append("it needs the network: --network, or the file by --mount")
    if "EOFError: EOF when reading a line" in output:
        found.append("it reads stdin, and there is none: pass what it asks for as arguments after --")
    if "No space left on device" in output or "File too large" in output:
        found.append("it filled its folder: --disk gives it more")
    if missing := re.search(r"FileNotFoundError: \[Errno 2\] No such file or directory: '([^'/]+)'", output):
        found.append(f"it wants the file {missing[1]}: --mount {missing[1]}")
    return tuple(found)


def _launch(script: Script, cell: Cell, prepared: Prepared, executor: Executor, io: Path) -> Launch:
    contained = executor.isolated
    where = f"{_FOLDER}/{script.path.name}" if contained else str(script.path)
    mounts = [Mount(script.path, where)] if contained else []
    for source, name in script.mounts:
        if contained:
            mounts.append(Mount(source, f"/io/{name}"))
        else:
            (io / name).parent.mkdir(parents=True, exist_ok=True)
            (io / name).symlink_to(source)
    # a mounted module is imported from the folder the script runs in
    variables = {"PYTHONPATH": "/io" if contained else str(io), **(script.variables or {})}
    if cell.keras:
        variables.setdefault("KERAS_BACKEND", cell.framework)
    return Launch(
        cell=cell,
        prepared=prepared,
        io=io,
        data=None,
        environment=variables,
        limits=script.limits,
        argv=(where, *script.arguments),
        mounts=tuple(mounts),
        network=script.network,
        foreign=True,
    )


def _ending(outcome: Outcome, script: Script) -> tuple[Status, str]:
    if outcome.timed_out:
        return Status.TIMEOUT, f"it did not end within {script.limits.timeout_s:.0f} s (--timeout)"
    if outcome.out_of_disk:
        return Status.CRASHED, "it wrote more than it may: --disk gives it more"
    if outcome.out_of_processes:
        return Status.CRASHED, f"it started more than {script.limits.pids} processes"
    if outcome.oom:
        return Status.OOM, "it ran out of memory (--memory)"
    if outcome.signal:
        return Status.CRASHED, f"killed by signal {outcome.signal}"
    if outcome.exit_code:
        lines = [line.strip() for line in uncoloured(outcome.log).splitlines() if line.strip()]
        return Status.CRASHED, f"exit code {outcome.exit_code}: {lines[-1][:300] if lines else 'it printed nothing'}"
    return Status.OK, ""
