"""Measures the CPU time and memory of ``runner report`` on many results.

It compares them with the CPU time of ``json.load`` over the same files.

    python -m bench.report_time [--results 1000 10000 20000] [--probe mnist] [--probe conv2d] [--format json]

Run it from the repository root. The results are made up, always the same, and have the shape and size of real ones:
frameworks, releases, Keras releases and Python versions are the axes of the cells, every cell has ten rounds of each
probe, some cells do not run, and some differ. ``runner report`` and ``json.load`` run in separate processes, and all
their CPU time counts: start, reading, judging, drawing. It fails (exit code 1) where a limit below is exceeded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice, product
from pathlib import Path
from typing import Any

from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.report.formats import FORMATS
from runner.results.store import Store, sealed

ROUNDS = 10
MOST = 2.5
"""How many times the CPU time of ``json.load`` a report may take."""
START_S = 0.4
"""What a report of fewer than ``MANY`` results may take on top of that, for imports."""
MANY = 10_000
MEMORY = 400e6
"""The bytes that a report of ``MANY`` results may need at its peak."""

LOAD = """
import json, sys
from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("results/*/*/*.json")):
    with path.open(encoding="utf-8") as file:
        json.load(file)
"""

FRAMEWORKS = ("tensorflow", "torch", "jax")
KERAS = (None, "3.3.3", "3.4.1", "3.5.0", "3.6.0", "3.7.0", "3.8.0", "3.9.2", "3.10.0", "3.11.3")
PYTHONS = ("3.11", "3.12")
CASES = (
    "digits_3x3", "valid_5x5_stride_3", "valid_dilated", "same_3x3_64", "same_even_kernel", "same_stride_2_odd",
    "same_stride_2_even", "same_stride_2_224", "same_dilated_64", "pointwise", "pointwise_stride_2", "groups_4",
    "channels_first", "channels_first_stride_2",
)  # fmt: skip
DEPENDENCIES = (
    "absl-py", "astunparse", "certifi", "charset-normalizer", "flatbuffers", "gast", "google-pasta", "grpcio", "h5py",
    "idna", "libclang", "markdown-it-py", "mdurl", "ml-dtypes", "namex", "numpy", "opt-einsum", "optree", "packaging",
    "protobuf", "pygments", "requests", "rich", "setuptools", "six", "termcolor", "typing-extensions", "urllib3",
    "wheel", "wrapt",
)  # fmt: skip
FLAGS = (
    "avx", "avx2", "avx512_bf16", "avx512_bitalg", "avx512_vbmi2", "avx512_vnni", "avx512_vpopcntdq", "avx512bw",
    "avx512cd", "avx512dq", "avx512f", "avx512ifma", "avx512vbmi", "avx512vl", "f16c", "fma", "sse4_1", "sse4_2",
)  # fmt: skip
STEPS, EPOCHS, FRESH_STARTS, FRESH_STEPS = 63, 3, 8, 4
"""Of the probe ``mnist`` in the set ``quick``."""


# --- made-up results -------------------------------------------------------------------------------------------------


def cells() -> Iterator[Cell]:
    """The cells of an endless matrix, release by release.

    One release in five is run without Keras too.
    """
    for number in count():
        for framework, keras, python in product(FRAMEWORKS, KERAS[number % 5 > 0 :], PYTHONS):
            yield Cell(framework, f"2.{number}.0", keras, python, "cpu")


def write(folder: Path, results: int, probes: list[str]) -> int:
    """Write that many results below the folder. Returns their bytes."""
    chosen = list(islice(cells(), results // (ROUNDS * len(probes))))
    size, began, store = 0, datetime(2026, 1, 1, tzinfo=UTC), Store(folder)
    for number, (round_, probe, cell) in enumerate(product(range(ROUNDS), probes, chosen)):
        made = sample(cell, probe, round_, began, number)
        path, text = store.path(made), sealed(made, serial=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        size += len(text)
    return size


def sample(cell: Cell, probe: str, round_: int, began: datetime, number: int) -> Sample:
    """One result, always the same for the same arguments."""
    drawn = random.Random(_digest(cell.id, probe, round_))  # noqa: S311 - noise, no secret
    fixed = random.Random(_digest(cell.id, probe))  # noqa: S311
    fails = fixed.random() < 0.02
    metrics = () if fails else tuple(PROBES[probe](cell, drawn, fixed))
    packages = {name: f"{1 + len(name) % 4}.{len(name)}.{int(cell.version[2:-2]) // 5}" for name in DEPENDENCIES}
    packages |= {cell.framework: cell.version} | ({"keras": cell.keras} if cell.keras else {})
    return Sample(
        cell=cell,
        environment_id=f"{cell.id}_linux-x86_64",
        probe=probe,
        settings=SETTINGS[probe],
        round=round_,
        seed=round_,
        executor="docker",
        status=Status.CRASHED if fails else Status.OK,
        reason="ValueError: the layer has no variable 'kernel' of shape (3, 3, 1, 32)" if fails else "",
        metrics=metrics,
        facts=facts(cell, probe, packages),
        fingerprint={
            "host": "host", "platform": "linux-x86_64", "cpu": "a processor", "cpu_flags": ",".join(FLAGS), "cores": 2,
            "memory_gib": 24, "executor": "docker", "device": "a processor", "probe_hash": _digest(probe)[:16],
            "settings": _digest(probe, "settings")[:16], "data": _digest(probe, "data")[:16],
        },
        details={"cases": dict(_details(drawn))} if probe == "conv2d" and not fails else {},
        packages=packages,
        lock_hash=_digest(cell.id),
        notes=(f"{cell.framework} {cell.version} declares keras >= 3.12; overridden",) if cell.keras else (),
        exit_code=int(fails),
        log="".join(f"  File \"layers.py\", line {line}, in call\n" for line in range(40)) if fails else "",
        wall_s=round(20 * drawn.uniform(0.9, 1.1), 6),
        started=(began + timedelta(seconds=5 * number)).isoformat(timespec="seconds"),
        key=_digest(cell.id, probe, round_),
    )  # fmt: skip


def facts(cell: Cell, probe: str, packages: dict[str, str]) -> dict[str, Any]:
    """What a probe reports about its process."""
    return {
        "python": f"{cell.python}.7",
        "implementation": "cpython",
        "platform": "linux-x86_64",
        "probe_hash": _digest(probe),
        "environment": {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "KERAS_BACKEND": cell.framework},
        "framework": cell.framework,
        "device": "cpu",
        "device_name": "a processor",
        "threads": {"affinity": 2, "cpus": 2, "quota": None, "intra_op": 0, "inter_op": 0},
        "switches": {f"{cell.framework}.{name}": False for name in ("onednn", "op_determinism", "tf32", "jit")},
        "cpu": {"model": "a processor", "flags": list(FLAGS)},
        "packages": packages,
        "numpy": {"blas": "scipy-openblas 0.3.31.188.0", "version": "2.4.6"},
        "keras": {"backend": cell.framework, "floatx": "float32", "version": cell.keras},
        "framework_version": cell.version,
        "build": cell.version,
        "errors": {},
    }


def mnist(cell: Cell, drawn: random.Random, fixed: random.Random) -> Iterator[Metric]:
    """The 23 figures of the probe ``mnist``."""
    speed = fixed.choice([1.0] * 19 + [1.5])

    def timing(name: str, value: float, better: Better = Better.LOWER, unit: str = "s") -> Metric:
        factor = speed * drawn.gauss(1, 0.03)
        return Metric(name, value * factor if better == Better.LOWER else value / factor, Kind.TIMING, better, unit)

    def seeded(name: str, value: float, better: Better) -> Metric:
        return Metric(name, value * drawn.gauss(1, 0.002), Kind.SEEDED, better)

    losses = [2.3 * 0.97**step * (1 + 1e-8 * 1.2**step * drawn.gauss(0, 1)) for step in range(STEPS)]
    fresh = [2.3 * (1 + 1e-8 * drawn.gauss(0, 1)) for _ in range(FRESH_STARTS * FRESH_STEPS)]
    epochs = [0.3 / (epoch + drawn.uniform(1, 2)) for epoch in range(EPOCHS)]
    yield timing("import_s", 5.04)
    yield timing("free.fit_s", 3.69)
    yield timing("free.fit_cpu_s", 2.07)
    yield timing("free.first_step_s", 2.71)
    yield timing("free.step_s", 0.0444)
    yield timing("free.images_per_s", 2108.0, Better.HIGHER, "images/s")
    yield Metric("free.loss_per_epoch", epochs, Kind.INFO, Better.LOWER)
    yield Metric("free.val_accuracy_per_epoch", [1 - loss for loss in epochs], Kind.INFO, Better.HIGHER)
    yield seeded("free.test_accuracy", 0.98, Better.HIGHER)
    yield seeded("free.test_loss", 0.08, Better.LOWER)
    yield Metric("parameters", 225034, Kind.EXACT)
    yield Metric("controlled.initial_weights", _digest("weights"), Kind.EXACT)
    yield Metric("controlled.repeatable", "yes", Kind.EXACT)
    yield Metric("controlled.loss_per_step", losses, Kind.TRAJECTORY, Better.LOWER)
    yield Metric("controlled.fresh_steps", FRESH_STEPS, Kind.INFO)
    yield Metric("controlled.fresh_losses", fresh, Kind.INFO)
    yield timing("controlled.step_s", 0.0691)
    yield seeded("controlled.test_accuracy", 0.97, Better.HIGHER)
    yield seeded("controlled.test_loss", 0.09, Better.LOWER)
    yield Metric("controlled.final_weights", _digest(cell.id, str(losses)), Kind.INFO)
    yield timing("cpu_s", 6.77)
    yield timing("peak_rss_bytes", 727670784, unit="B")
    yield timing("process_s", 14.0)


def conv2d(cell: Cell, drawn: random.Random, fixed: random.Random) -> Iterator[Metric]:
    """The figures of the probe ``conv2d``.

    There are eight for each case, and four of the process.
    """
    yield Metric("import_s", 8.09 * drawn.gauss(1, 0.03), Kind.TIMING, Better.LOWER, "s")
    for place, case in enumerate(CASES):
        terms = (9, 400, 288, 576, 24, 27, 27, 147, 576, 128, 128, 72, 288, 288)[place]
        error = 300 * fixed.uniform(0.8, 1.2) if fixed.random() < 0.002 else 2 * fixed.uniform(0.8, 1.2)
        yield Metric(f"{case}.digest", _digest(cell.framework, cell.version, case), Kind.EXACT)
        yield Metric(f"{case}.repeatable", "yes", Kind.EXACT)
        yield Metric(f"{case}.shape", f"8x26x26x{32 + place}", Kind.EXACT)
        yield Metric(f"{case}.sum", fixed.gauss(0, 100), Kind.INFO)
        yield Metric(f"{case}.time_s", 0.0003 * drawn.gauss(1, 0.03), Kind.INFO, Better.LOWER, "s")
        yield Metric(f"{case}.error_max", error, Kind.ERROR, Better.LOWER, "u", terms)
        yield Metric(f"{case}.error_rms", error / 5, Kind.ERROR, Better.LOWER, "u", terms)
        yield Metric(f"{case}.outcome", "ok", Kind.EXACT)
    yield Metric("peak_rss_bytes", int(8e8 * drawn.gauss(1, 0.03)), Kind.TIMING, Better.LOWER, "B")
    yield Metric("small.time_s", 0.02 * drawn.gauss(1, 0.03), Kind.TIMING, Better.LOWER, "s")
    yield Metric("process_s", 25 * drawn.gauss(1, 0.03), Kind.TIMING, Better.LOWER, "s")


def _details(drawn: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, case in enumerate(CASES):
        shape = [8, 26, 26, 32 + place]
        worst = {"position": [5, 23, 17, 8], "found": drawn.gauss(0, 3), "truth": drawn.gauss(0, 3)}
        yield (
            case,
            {
                "outcome": "ok", "shape": shape, "expected_shape": shape, "dtype": "float32",
                "first_s": drawn.uniform(0.02, 0.03), "repeats": 15, "time_s": drawn.uniform(0.0003, 0.0004),
                "checked": 173056, "worst": worst,
            },
        )  # fmt: skip


PROBES = {"mnist": mnist, "conv2d": conv2d}
SETTINGS: dict[str, dict[str, Any]] = {
    "mnist": {"epochs": EPOCHS, "batch": 128, "train_samples": 8000, "test_samples": 2000},
    "conv2d": {"cases": "small"},
}


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


# --- measuring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Used:
    """What one process used: CPU seconds and bytes of memory at the peak."""

    cpu_s: float
    memory: int


def used(commands: Sequence[list[str]], repeats: int) -> list[Used]:
    """The least CPU time of some runs of each command, and the most memory.

    The commands take turns, so that all see the same machine.
    """
    runs = [[_run(command) for command in commands] for _ in range(repeats)]
    return [Used(min(run.cpu_s for run in own), max(run.memory for run in own)) for own in zip(*runs, strict=True)]


def _run(command: list[str]) -> Used:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # an installed program is compiled once
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def measured(folder: Path, results: int, size: int, formats: list[str], repeats: int) -> list[dict[str, Any]]:
    """Print and return a line per format."""
    load = [sys.executable, "-c", LOAD, str(folder)]
    print(f"{results:,} results, {size / 1e6:.0f} MB")
    lines = []
    for name in formats:
        report = [sys.executable, "-m", "runner", "report", str(folder), "--format", name]
        plain, found = used([load, report], repeats)
        limit = MOST * plain.cpu_s + (START_S if results < MANY else 0)
        good = found.cpu_s <= limit and (found.memory <= MEMORY or results > MANY)
        over = "" if good else "  OVER"
        print(
            f"  {name:9}{found.cpu_s:6.2f} s, json.load {plain.cpu_s:5.2f} s: {found.cpu_s / plain.cpu_s:5.2f} times"
            f" (limit {limit:5.2f} s)"
            f" {1e6 * found.cpu_s / results:6.0f} µs per result {found.memory / 1e6:5.0f} MB{over}",
            flush=True,
        )
        line = {"results": results, "format": name, "cpu_s": found.cpu_s, "json_load_s": plain.cpu_s}
        lines.append({**line, "memory": found.memory, "within_limits": good})
    return lines


def main() -> int:
    """Make the results, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=int, nargs="+", default=[1000, 10_000, 20_000])
    parser.add_argument("--probe", choices=PROBES, action="append", help="both, where none is given")
    parser.add_argument("--format", choices=FORMATS, action="append", help="all, where none is given")
    parser.add_argument("--repeats", type=int, default=3, help="the least CPU time of so many runs counts")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the results here, and keep them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    chosen = parser.parse_args()
    probes, lines = chosen.probe or list(PROBES), []
    for results in chosen.results:
        with tempfile.TemporaryDirectory(prefix="report-time-") as temporary:
            folder = (chosen.keep or Path(temporary)) / f"{'-'.join(probes)}-{results}"
            size = write(folder, results, probes)
            lines += measured(folder, results, size, chosen.format or list(FORMATS), chosen.repeats)
    if chosen.json:
        chosen.json.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    return int(not all(line["within_limits"] for line in lines))


if __name__ == "__main__":
    sys.exit(main())
