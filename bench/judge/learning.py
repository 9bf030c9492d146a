"""Records what healthy and broken cells learn, seed by seed.

    python bench/judge/learning.py record --cell torch-2.2.2_keras-3.11.3_py3.11_cpu --seeds 0:60 \
        --data mnist.npz --command python3.11 --into learning.jsonl
    python bench/judge/learning.py pack learning.jsonl --out bench/judge/learning.npz

``record`` runs one process of the probe ``mnist`` per seed, at the settings of the set ``quick``, in the environment
whose Python ``--command`` starts. ``{io}`` in the command stands for the folder that the process works in. With
``--fault`` the network is broken on purpose (see faulty.py). ``pack`` keeps the figures that the judge reads; a part
that was not run is NaN.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from runner.data.files import DataFile
from runner.errors import UsageError
from runner.matrix import sets
from runner.matrix.probes import SOURCE
from runner.measure import payload
from runner.model import Cell, Environment, Job, ProbeSpec

PROBE = "mnist"
FIGURES = ("free.test_accuracy", "free.test_loss", "controlled.test_accuracy", "controlled.test_loss")


def main() -> None:
    """Record or pack."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="action", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("--cell", required=True)
    recording.add_argument("--seeds", default="0:60", help="FIRST:END")
    recording.add_argument("--data", type=Path, required=True, help="an mnist.npz")
    recording.add_argument("--data-name", default="real", help="real or synthetic")
    recording.add_argument("--command", default=sys.executable)
    recording.add_argument("--part", default="both", help="both, free or controlled: one takes half the time")
    recording.add_argument("--fault", default="")
    recording.add_argument("--into", type=Path, required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("file", type=Path)
    packing.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    record(args) if args.action == "record" else pack(args.file, args.out)


def record(args: argparse.Namespace) -> None:
    """Append one JSON line per process. A part that was not run is null."""
    first, end = map(int, args.seeds.split(":"))
    for seed in range(first, end):
        with tempfile.TemporaryDirectory() as folder:
            found = measured(Path(folder), cell(args.cell), seed, args)
        line = {"cell": args.cell, "data": args.data_name, "seed": seed, "fault": args.fault, **found}
        with args.into.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def cell(name: str) -> Cell:
    """The cell of an id such as ``torch-2.2.2_keras-3.11.3_py3.11_cpu``."""
    release, keras, python, device = name.split("_")
    framework, _, version = release.partition("-")
    return Cell(framework, version, keras.removeprefix("keras-"), python.removeprefix("py"), device)


def measured(io: Path, of: Cell, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """The figures of one process."""
    quick = sets.named_set(sets.load(), "quick").probes[PROBE]
    environment = Environment(of.framework, of.version, of.keras, of.python, "cpu", "linux-x86_64")
    job = Job(of, environment, ProbeSpec(PROBE, dict(quick)), 0, seed, "current")
    shutil.copyfile(args.data, io / "digits.npz")
    payload.stage(io, job, DataFile(io / "digits.npz", args.data_name, ""), str(io / "digits.npz"))
    for file in (Path(__file__).with_name("faulty.py"), SOURCE / "diagnose" / "faults.py"):
        shutil.copyfile(file, io / file.name)
    module = ["-m", "faulty", args.part, args.fault]
    command = [word.replace("{io}", str(io)) for word in shlex.split(args.command)]
    done = subprocess.run([*command, *module], cwd=io, capture_output=True, text=True, check=False)
    result = json.loads((io / "result.json").read_text()) if (io / "result.json").exists() else {}
    if done.returncode or result.get("status") != "ok":
        raise UsageError(f"seed {seed}: {result.get('reason') or done.stderr[-500:]}")
    values = {metric["name"]: metric["value"] for metric in result["metrics"]}
    wanted = (*FIGURES, "controlled.loss_per_step", "controlled.fresh_losses", "controlled.fresh_steps")
    return {name: values.get(name) for name in wanted}


def pack(file: Path, out: Path) -> None:
    """Write the recording as arrays, a row per process.

    Losses are float32, as they were computed.
    """
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    arrays: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in ("cell", "data", "fault")}
    arrays["seed"] = np.array([row["seed"] for row in rows], "int32")
    for name in FIGURES:
        arrays[name] = np.array([row[name] for row in rows], "float64")
    for name in ("controlled.loss_per_step", "controlled.fresh_losses"):
        steps = max(len(row[name] or ()) for row in rows)
        arrays[name] = np.array([row[name] or [np.nan] * steps for row in rows], "float32")
    arrays["controlled.fresh_steps"] = np.array([row["controlled.fresh_steps"] or 0 for row in rows], "int32")
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main()
