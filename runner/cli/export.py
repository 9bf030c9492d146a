"""``runner export``: one result, or one cell with a probe or script, as a folder that needs nothing of this project."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.matrix import selection
from runner.util import files, folders

if TYPE_CHECKING:
    from runner import data
    from runner.model import Cell, ProbeSpec, Sample
    from runner.repro.bundle import Bundle


@click.command("export")
@click.argument("what", metavar="CELL|RESULT")
@click.argument("arguments", nargs=-1, metavar="[-- ARGUMENTS...]")
@click.option("--probe", metavar="NAME", help="For a cell: the probe to run.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change a probe's setting.")
@click.option("--script", type=click.Path(path_type=Path), help="For a cell: the script to run.")
@click.option("--data", "data_path", type=click.Path(path_type=Path), help="The data the result was measured on.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder (default: export/CELL).")
def export_command(**arguments: Any) -> None:
    """Write a folder and a .tar.gz that reproduce one result: Dockerfile, lock, probe or script, data, reproduce.sh.

    RESULT is a result file below `--out` of `runner matrix`; its figures are what reproduce.sh checks.
    """
    folder = export(**arguments)
    click.echo(f"{folder}\n{folder}.tar.gz\nsh {folder}/reproduce.sh")


def export(
    *,
    what: str,
    arguments: tuple[str, ...],
    probe: str | None,
    settings: tuple[str, ...],
    script: Path | None,
    data_path: Path | None,
    out: Path | None,
) -> Path:
    """Write both; the folder's path. Raises UsageError for what cannot be exported."""
    from runner.errors import UsageError
    from runner.matrix import sets
    from runner.repro import bundle as made
    from runner.results import store

    sample = store.read(Path(what)) if Path(what).is_file() else None
    cell = sample.cell if sample else sets.parse_cell(what)
    if cell.device == "mps":
        raise UsageError(f"{cell.id}: MPS cannot be reached from a container, and a bundle is one")
    if sample is None and bool(probe) == bool(script):
        raise UsageError("a cell is exported with either --probe NAME or --script FILE; a result file needs neither")
    if sample is not None and (probe or script or settings):
        raise UsageError("a result file says which probe it is of: --probe, --setting and --script go with a cell")
    folder = out or Path("export") / (Path(what).parent.parent.name if sample else cell.id)
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: is there already; name another with --out")
    spec = None if script else _spec(sample, probe, settings)
    digits = _data(sample, spec, data_path)
    bundle = _bundle(cell, sample, spec, script, arguments, digits)
    try:
        _write(folder, made.files(bundle), digits, payload=script is None)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None
    return folder


def _spec(sample: Sample | None, probe: str | None, settings: tuple[str, ...]) -> ProbeSpec:
    from runner.model import ProbeSpec

    if sample is not None:
        return ProbeSpec(sample.probe, sample.settings)
    (spec,) = selection.probe_specs(selection.choose(None, ()), (str(probe),), settings)
    return spec


def _data(sample: Sample | None, spec: ProbeSpec | None, path: Path | None) -> data.DataFile | None:
    """The data the probe reads. Raises UsageError where it is not what the result was measured on."""
    from runner import data
    from runner.errors import UsageError

    name = data.of_probe(spec.name) if spec else None
    if spec is None or name is None:
        return None
    found = data.collect((spec.name,), {name: path} if path else {}, folders.cache_dir() / "data").files.get(spec.name)
    if found is None:  # the probe's own stand-in
        return None
    used = str(sample.fingerprint.get("data", "")) if sample else ""
    if used and not found.sha256.startswith(used):
        raise UsageError(f"the result was measured on other data (sha256 {used}...): give the file with --data")
    return found


def _bundle(
    cell: Cell,
    sample: Sample | None,
    spec: ProbeSpec | None,
    script: Path | None,
    arguments: tuple[str, ...],
    digits: data.DataFile | None,
) -> Bundle:
    from runner.environments import lock
    from runner.images import recipe as images
    from runner.machine import facts
    from runner.matrix import plan
    from runner.measure import payload
    from runner.repro import bundle as made

    environment = plan.environment_of(cell, facts.container_platform(facts.here()))
    pinned = lock.locked(environment, lambda text: click.echo(text, err=True))
    recipe = images.recipe(environment, pinned)
    notes = []
    if sample and sample.lock_hash and sample.lock_hash != pinned.sha256:
        notes.append("the lock has changed since the result was measured: its packages are not quite those of then")
    if sample and sample.executor != "docker":
        notes.append(f"the result was measured with the executor {sample.executor}, not in a container")
    request = None
    if spec is not None:
        seed, number = (sample.seed, sample.round) if sample else (0, 0)
        request = payload.request(cell, spec, seed, number, digits, "/data/mnist.npz")
    return made.Bundle(
        cell=cell,
        lock=pinned,
        # the classic builder's Dockerfile is understood by BuildKit too
        context={**recipe.files, "Dockerfile": images.dockerfile(recipe, buildkit=False)},
        request=request,
        script=files.source(script) if script else None,
        arguments=arguments,
        sample=sample,
        variables=selection.variables(cell),
        data_name=digits.name if digits else "",
        notes=tuple(notes),
    )


def _write(folder: Path, files: dict[str, str], digits: data.DataFile | None, *, payload: bool) -> None:
    """The folder and its tar, with names sorted and the same owner and time in every entry."""
    import gzip
    import tarfile

    from runner.matrix.probes import SOURCE

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "reproduce.sh").chmod(0o755)
    # nothing but what is being built with: the context must not carry the data to the engine
    (folder / ".dockerignore").write_text("*\n!install.sh\n!*.txt\n")
    if payload:
        shutil.copytree(SOURCE, folder / "probe", ignore=shutil.ignore_patterns("__pycache__"))
    if digits:
        (folder / "data").mkdir(exist_ok=True)
        shutil.copyfile(digits.path, folder / "data" / "mnist.npz")

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = 0
        return entry

    packed = folder.with_name(f"{folder.name}.tar.gz")
    with (
        packed.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        tar.add(folder, folder.name, filter=plain)
