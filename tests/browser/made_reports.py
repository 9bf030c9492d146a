"""Made-up reports for the pages that the browser opens: everything the page can draw, and everything hostile.

The samples are judged by the real judge and swept by the real search for defects.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from runner.history.data import CellRun, Past, Point, Series
from runner.judge.rules import Rules
from runner.model import Better, Cell, Kind, Metric, Sample, Skip, Status
from runner.report import Report, build
from runner.results.store import RunRecord

ROUNDS = 12
STEPS = 40
PARTS_AT = 10
"""The controlled losses of the worse cell part at this step."""

TF = Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
TORCH = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
WORSE = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
NATIVE = Cell("torch", "2.15.0", None, "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
BROKEN = Cell("jax", "0.10.2", "3.8.0", "3.11", "cpu")
LEFT_OUT = Cell("torch", "2.15.0", "3.11.3", "3.11", "cuda")
SWEPT = tuple(Cell("jax", "0.10.2", keras, "3.11", "cpu") for keras in ("3.8.0", "3.10.0", "3.11.3"))
CASES = ("digits_3x3", "same_dilated_64", "pointwise")
LOG = "Traceback (most recent call last):\n" + "".join(f'  File "layers.py", line {n}\n' for n in range(60))

FAST = {TF: 0.0151, TORCH: 0.0123, WORSE: 0.0191, NATIVE: 0.0101, JAX: 0.0099}


def _sample(cell: Cell, probe: str, round_: int, metrics: tuple[Metric, ...] = (), **more: Any) -> Sample:
    day = 1 if cell == JAX else 20
    given: dict[str, Any] = {
        "environment_id": f"{cell.id}_linux-x86_64",
        "settings": {"epochs": 3},
        "executor": "docker",
        "status": Status.OK,
        "reason": "",
        "started": f"2026-08-{day:02d}T10:{round_:02d}:00+00:00",
        "fingerprint": {"host": "h", "cpu_model": "a"},
        "facts": {"python": "3.11.7", "device": "cpu", "switches": {f"{cell.framework}.jit": True}, "build": "cpu"},
        "packages": {"numpy": "2.4.6", cell.framework: cell.version, "keras": cell.keras or "none"},
        "lock_hash": "0123456789abcdef",
    }
    return Sample(cell=cell, probe=probe, round=round_, seed=round_, metrics=metrics, **{**given, **more})


def _trained(cell: Cell, round_: int) -> tuple[Metric, ...]:
    noise = random.Random(f"{cell.id} {round_}")  # noqa: S311 - noise, no secret
    step = FAST[cell] * noise.gauss(1, 0.01)
    accuracy = (0.88 if cell == WORSE else 0.98) + noise.gauss(0, 0.002)
    apart = 0.02 if cell == WORSE else 1e-8
    losses = [2.3 * 0.95**n * (1 + (apart * (n - PARTS_AT) if n >= PARTS_AT else 0.0)) for n in range(STEPS)]
    memory = int(6e8 * noise.gauss(1, 0.01) * (1.5 if cell == WORSE else 1))
    return (
        Metric("free.step_s", step, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.first_step_s", 50 * step, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.test_accuracy", accuracy, Kind.SEEDED, Better.HIGHER),
        Metric("free.loss_per_epoch", [0.5, 0.2, 1 - accuracy], Kind.INFO, Better.LOWER),
        Metric("controlled.loss_per_step", losses, Kind.TRAJECTORY, Better.LOWER),
        Metric("controlled.step_s", 1.1 * step, Kind.TIMING, Better.LOWER, "s"),
        Metric("parameters", 225034, Kind.EXACT),
        Metric("peak_rss_bytes", memory, Kind.TIMING, Better.LOWER, "B"),
    )


def _convolved(cell: Cell) -> tuple[Metric, ...]:
    def case(name: str, terms: int) -> Iterator[Metric]:
        error = 700.0 if (cell, name) == (WORSE, "pointwise") else 1.0 + len(cell.framework) / 10
        yield Metric(f"{name}.error_max", error, Kind.ERROR, Better.LOWER, "u", terms=terms)
        yield Metric(f"{name}.error_rms", error / 4, Kind.ERROR, Better.LOWER, "u", terms=terms)
        yield Metric(f"{name}.digest", f"{int(error * 1000):064x}", Kind.EXACT)

    return tuple(metric for name, terms in zip(CASES, (9, 1792, 128), strict=True) for metric in case(name, terms))


def _swept(cell: Cell) -> Sample:
    first = cell.keras == "3.8.0"
    sketch = "1.0 2.0 3.0"
    cases = {
        "ops.exp(x) | x=normal(3)": ["ok", 0.4, "d1"],
        "ops.median(x) | x=normal(4)": ["ok", 0.1, "d2"] if first else ["wrong", 4e6, sketch, "float32[4]", "1 2 3 4"],
        "ops.median(x) | x=normal(5)": ["ok", 0.1, "d3"] if first else ["wrong", 5e6, sketch, "float32[5]", "1 2 3 5"],
        "ops.log(x) | x=normal(3)": ["raises", None, "", "", "TypeError: log"] if first else ["ok", 0.2, "d4"],
    }
    return _sample(cell, "ops", 0, details={"cases": cases})


def _seeded(cell: Cell) -> Sample:
    details = {
        "remedies": {
            "once": {"verdict": "differs", "difference": 0.1},
            "build": {"verdict": "equal" if cell == JAX else "rounding", "difference": 0.0},
        },
        "verdicts": {"once": "Seeding once: any", "build": "Seeding before each model is built: anything"},
        "shuffle": {"follows": ["numpy"] if cell == JAX else [], "continues": cell == JAX},
    }
    return _sample(cell, "parity", 0, details=details)


def samples() -> list[Sample]:
    """Every probe; one cell is worse, one is broken, one is old."""
    made = [_sample(cell, "mnist", n, _trained(cell, n)) for n in range(ROUNDS) for cell in FAST]
    made += [_sample(cell, "conv2d", 0, _convolved(cell)) for cell in (TF, TORCH, WORSE, JAX)]
    failed: dict[str, Any] = {"reason": "ValueError: no variable 'kernel'", "log": LOG, "exit_code": 1}
    made.append(_sample(BROKEN, "mnist", 0, status=Status.CRASHED, **failed))
    made += [_swept(cell) for cell in SWEPT]
    made += [_seeded(cell) for cell in (TF, JAX)]
    return made


def whole() -> Report:
    """A report with all that the page can draw, and a history."""
    skips = (Skip(LEFT_OUT, Status.UNAVAILABLE, "no NVIDIA GPU on this machine"),)
    record = RunRecord(skips=skips, notes=("the data are synthetic digits",), max_rounds=ROUNDS)
    return replace(build.report(samples(), record, Rules()), past=_past())


def _past() -> Past:
    days = [f"2026-08-{day:02d}T01:00:00+00:00" for day in range(1, 15)]
    levels = [0.0123 * (1 + 0.01 * (n % 3)) * (1.5 if n >= 8 else 1.0) for n in range(len(days))]
    points = tuple(
        Point(f"run{n}", day, WORSE.id, level, 0.99 * level, 1.01 * level, 12, "same" if n < 8 else "regressed")
        for n, (day, level) in enumerate(zip(days, levels, strict=True))
    )
    series = Series(WORSE.id, "mnist", "free.step_s", "s", "lower", "host", points)
    change = SimpleNamespace(index=8, effect=0.5, low=0.4, high=0.6, p=0.001, text="since 2026-08-09: ×1.50")
    runs = tuple(CellRun(point.run, point.when, "ok", point.verdict, ()) for point in points)
    by_figure = {(WORSE.id, "mnist", "free.step_s"): series}
    return Past(by_figure=by_figure, by_cell={WORSE.id: runs}, find=lambda _: (change,))


# --- hostile ----------------------------------------------------------------------------------------------------------

SCRIPT = "<script>alert(1)</script>"
ALERT = "\"'><img src=x onerror=alert(2)><svg onload=alert(3)>"
BREAK_OUT = "</script></title></style>--><script>document.title='owned'</script>"
RTL = "\u202eevil\u202c مرحبا بالعالم שלום"
LONG = "x" * 600
ADDRESS = "javascript:alert(4)"


def hostile() -> Report:
    """Names, logs, addresses, metrics and probes that try to run, to escape, or to break the layout."""
    evil = Cell("torch", f"2.0{ALERT}", f"3.{LONG}", "3.11", "cpu")
    turned = Cell("jax", f"0.1{RTL}", BREAK_OUT, "3.11", f"cpu{SCRIPT}")
    plain = Cell("torch", "1.0", "3.0.0", "3.11", "cpu")
    odd = {"a": SCRIPT, "b": ADDRESS, "c": RTL, "d": LONG}

    def figures(cell: Cell, round_: int) -> tuple[Metric, ...]:
        slow = 1.0 if cell is plain else 2.0
        return (
            Metric(f"free.{ALERT}_s", slow + 0.001 * round_, Kind.TIMING, Better.LOWER, SCRIPT),
            Metric("free.step_s", slow + 0.001 * round_, Kind.TIMING, Better.LOWER, "s"),
            Metric(f"free.{LONG}", slow, Kind.SEEDED, Better.HIGHER, RTL),
            Metric(f"{BREAK_OUT}.loss_per_step", [1.0, slow, float("nan")], Kind.TRAJECTORY),
            Metric(f"{SCRIPT}.error_max", slow * 1e9, Kind.ERROR, Better.LOWER, "u", terms=3),
            Metric("text", ALERT + LONG, Kind.EXACT),
            Metric("__proto__", 1.0, Kind.TIMING, Better.LOWER, "constructor"),
        )

    own: dict[str, Any] = {
        "facts": {**odd, "switches": odd},
        "packages": {SCRIPT: ALERT, LONG: RTL, "__proto__": "1"},
        "notes": (f"note {ALERT}", LONG, RTL),
        "settings": odd,
    }
    made = [
        _sample(cell, probe, n, figures(cell, n), **own)
        for n in range(6)
        for cell in (plain, evil, turned)
        for probe in ("mnist", f"probe{ALERT}:{RTL}", "constructor", "__proto__")
    ]
    log = f"\x1b[31mred\x1b[0m {BREAK_OUT}\n{ALERT}\n{RTL}\n{LONG}\n\x00\x07{ADDRESS}"
    bad = Cell("torch", "3.0", SCRIPT, "3.11", "cpu")
    made.append(_sample(bad, "mnist", 0, status=Status.CRASHED, reason=BREAK_OUT + ALERT, log=log, **own))
    cases = {f"ops.{name}(x) | x=normal(4)": ["wrong", 4e6, ALERT, SCRIPT, BREAK_OUT] for name in ("evil", LONG)}
    cases[f"ops.{ALERT}(x)"] = ["crashes", RTL, BREAK_OUT, "", ALERT]
    made += [_sample(cell, "ops", 0, details={"cases": cases}) for cell in (plain, evil)]
    skips = (Skip(replace(evil, device=ALERT), Status.UNAVAILABLE, BREAK_OUT + LONG),)
    record = RunRecord(set_name=BREAK_OUT + LONG, skips=skips, notes=(SCRIPT, ADDRESS), invocation=ALERT)
    found = build.report(made, record, Rules())
    comparisons = tuple(replace(one, issue=ADDRESS, reason=one.reason + ALERT) for one in found.comparisons)
    return replace(found, comparisons=comparisons)
