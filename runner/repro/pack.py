"""Writes the folder and the archive of ``runner export``."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner import data, executors
from runner.environments import index, lock
from runner.errors import UsageError
from runner.executors import Say
from runner.images import recipe as images
from runner.machine import facts
from runner.matrix import configuration, plan, probes, scripts, selection, sets
from runner.matrix.probes import SOURCE
from runner.measure import payload
from runner.model import Cell, Custom, ProbeSpec, Sample
from runner.repro import bundle
from runner.results import store
from runner.util import files, folders, versions


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner export``."""

    what: str
    """A cell, or the path of a result file."""
    arguments: tuple[str, ...]
    probe: str | None
    settings: tuple[str, ...]
    script: Path | None
    data_path: Path | None
    out: Path | None


def export(request: Request, say: Say) -> Path:
    """Write the folder, and the archive next to it. Returns the folder.

    Raises UsageError for what cannot be exported, BuildError where no lock can be made.
    """
    sample = store.read(Path(request.what)) if Path(request.what).is_file() else None
    cell = sample.cell if sample else sets.parse_cell(request.what)
    _check(request, cell, sample)
    folder = request.out or Path("export") / (Path(request.what).parent.parent.name if sample else cell.id)
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: is there already; name another with --out")
    spec = None if request.script else _spec(sample, request)
    if spec is not None:
        probes.check_syntax(spec.name, cell.python)
    digits = _data(sample, spec, request.data_path)
    content = bundle.files(_bundle(cell, sample, spec, request, digits, say))
    try:
        _write(folder, content, digits, spec)
        _archive(folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None
    return folder


def archive(folder: Path) -> Path:
    """Where the archive of a folder lies."""
    return folder.with_name(f"{folder.name}.tar.gz")


def _check(request: Request, cell: Cell, sample: Sample | None) -> None:
    if versions.is_local(cell.version) or versions.is_local(cell.keras or ""):
        raise UsageError(f"{cell.id}: a build of this machine is on no package index, so nobody else could install it")
    if cell.device == "mps":
        raise UsageError(f"{cell.id}: MPS cannot be reached from a container, and a bundle runs in one")
    if sample is None and bool(request.probe) == bool(request.script):
        raise UsageError("a cell is exported with either --probe NAME or --script FILE; a result file needs neither")
    script = sample is None and request.script is not None
    if request.arguments and not script:
        raise UsageError("arguments after -- are for a script: give it with --script, or leave them out")
    if script and (request.settings or request.data_path):
        option = "--setting is" if request.settings else "--data is"
        raise UsageError(f"{option} for a probe, and a script has none of it: leave it out, or give arguments after --")
    if "suite" in (request.probe, sample.probe if sample else ""):
        raise UsageError("export has no tests of a library: `runner matrix --pytest` runs them again")
    if sample is not None and (request.probe or request.script or request.settings):
        raise UsageError("a result file names its probe: --probe, --setting and --script go with a cell")
    if sample is not None and sample.probe == scripts.PROBE:
        raise UsageError(f"a result file does not hold the script: `runner export '{cell.id}' --script FILE` packs it")


def _spec(sample: Sample | None, request: Request) -> ProbeSpec:
    if sample is not None:
        if sample.probe not in probes.probes() and probes.own(sample.probe) is None:
            where = f"the program and {configuration.NAME} have no such probe"
            raise UsageError(f"the result is of the probe {sample.probe!r}: {where}, so its code cannot be packed")
        return ProbeSpec(sample.probe, sample.settings)
    (spec,) = selection.probe_specs(selection.choose(None, (), index.nightly), (str(request.probe),), request.settings)
    return spec


def _data(sample: Sample | None, spec: ProbeSpec | None, path: Path | None) -> data.DataFile | None:
    """The data the probe reads. Raises UsageError if the result's data differ."""
    name = data.of_probe(spec.name) if spec else None
    if spec is None or name is None:
        if spec is not None and path:
            raise UsageError(f"--data {path}: the probe {spec.name!r} reads no data file; leave it out")
        return None
    found = data.collect((spec.name,), {name: path} if path else {}, folders.cache_dir() / "data").files.get(spec.name)
    if found is None:  # the probe makes its own stand-in
        return None
    used = str(sample.fingerprint.get("data", "")) if sample else ""
    if used and not found.sha256.startswith(used):
        raise UsageError(f"the result was measured on other data (sha256 {used}...): give the file with --data")
    return found


def _bundle(
    cell: Cell,
    sample: Sample | None,
    spec: ProbeSpec | None,
    request: Request,
    digits: data.DataFile | None,
    say: Say,
) -> bundle.Bundle:
    environment = plan.environment_of(cell, facts.container_platform(facts.here()), _custom(cell, sample, spec))
    pinned = lock.locked(environment, say)
    recipe = images.recipe(environment, pinned)
    notes = []
    if sample and sample.lock_hash and sample.lock_hash != pinned.sha256:
        notes.append("the lock has changed since the result was measured: some packages differ from those used then")
    if sample and not (sample.executor in executors.REGISTRY and executors.kind(sample.executor).isolated):
        notes.append(f"the result was measured with the executor {sample.executor}, not in a container")
    asked = None
    if sample and spec and sample.fingerprint.get("probe_hash", code := _code(spec)) != code:
        notes.append(f"the probe {spec.name} has changed since the result was measured: this is its code of today")
    if spec is not None:
        seed, number = (sample.seed, sample.round) if sample else (0, 0)
        asked = payload.request(cell, spec, seed, number, digits, "/data/mnist.npz")
    return bundle.Bundle(
        cell=cell,
        lock=pinned,
        # BuildKit also understands the classic builder's Dockerfile
        context={**recipe.files, "Dockerfile": images.dockerfile(recipe, buildkit=False)},
        request=asked,
        script=files.source(request.script) if request.script else None,
        arguments=request.arguments,
        sample=sample,
        variables=selection.variables(cell),
        own=spec is not None and probes.own(spec.name) is not None,
        data_name=digits.name if digits else "",
        notes=tuple(notes),
    )


def _code(spec: ProbeSpec) -> str:
    """The digest of the probe's code as a result has it."""
    return probes.probe_hash(spec.name)[:16]


def _custom(cell: Cell, sample: Sample | None, spec: ProbeSpec | None) -> Custom | None:
    """What the set added to the cell's environment.

    That of a result is known by its environment; the user's own probe gets what the default set has.
    """
    if sample is not None:
        return selection.custom_of(cell, sample.environment_id)
    own = spec is not None and probes.own(spec.name) is not None
    return selection.choose(None, (), index.nightly).definition.custom if own else None


def _write(folder: Path, content: Mapping[str, str], digits: data.DataFile | None, spec: ProbeSpec | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in content.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "reproduce.sh").chmod(0o755)
    # the build needs these files only: the data must not be sent to the engine with the context
    (folder / ".dockerignore").write_text("*\n!install.sh\n!*.txt\n")
    if spec is not None:
        shutil.copytree(SOURCE, folder / "probe", ignore=shutil.ignore_patterns("__pycache__"))
        for name, code in probes.added(spec.name).items():  # of the user's own probe
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(code)
    if digits:
        (folder / bundle.DATA).parent.mkdir(exist_ok=True)
        shutil.copyfile(digits.path, folder / bundle.DATA)


def _archive(folder: Path) -> None:
    """Write the archive: sorted names, and the same owner and time in every entry."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = 0
        return entry

    with (
        archive(folder).open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        tar.add(folder, folder.name, filter=plain)
