"""Breaks the program on purpose; counts what it loses, leaves and repeats.

Run from the repository root, as root, with the Python that has the program's requirements:

    python bench/faults/suite.py --short
    python bench/faults/suite.py --only kill --tries 100 --seed 7 --json kill.json
    python bench/faults/suite.py --only kill --checkout ../before     # the program of another checkout

It prints a table: fault, tries, lost, orphans, repeated, wrong, seconds. The exit code is 1 where any count is not 0, 2
where the suite itself cannot work. It starts its own engine and never touches another one. README.md explains the
columns.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import bisects
import broken_files
import builds
import dockerd
import full_disks
import hostile
import kills
import outages
import place
import podman_service
import power_loss
import registries
import strangers
import tiny
import two_runs
from index import Index
from judged import Judged
from tries import Fault, Suite, SuiteError, UntriedError

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *outages.FAULTS,
    *strangers.FAULTS,
    *two_runs.FAULTS,
    *broken_files.FAULTS,
    *full_disks.FAULTS,
    *power_loss.FAULTS,
    *builds.FAULTS,
    *registries.FAULTS,
    *hostile.FAULTS,
    *bisects.FAULTS,
    *podman_service.FAULTS,
)
COUNTS = ("lost", "orphans", "repeated", "wrong")
SHORT_S = 160.0
"""After this long, ``--short`` begins no further fault."""
_INDEX_DELAY_S = 0.3
"""How long the index takes for a wheel, so that a kill can meet an installation."""


@dataclass
class Row:
    """What became of the tries of one fault."""

    fault: str
    tries: int = 0
    lost: int = 0
    orphans: int = 0
    repeated: int = 0
    wrong: int = 0
    seconds: float = 0.0
    skipped: str = ""
    """Why the fault was not tried."""
    failed: str = ""
    """What kept the suite itself from trying it."""
    examples: list[str] = field(default_factory=list)

    def add(self, number: int, found: Judged) -> None:
        """Count the tries in which something is wrong, and keep what it was."""
        self.tries += 1
        for name in COUNTS:
            lines = getattr(found, name)
            setattr(self, name, getattr(self, name) + bool(lines))
            self.examples += [f"try {number}, {name}: {line}" for line in lines[:5]]

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong."""
        return not any(getattr(self, name) for name in COUNTS)


def main() -> int:
    """Run the chosen faults; print the table. Returns the exit code."""
    options = _options()
    chosen = [fault for fault in FAULTS if not options.only or fault.name in options.only]
    wanted = {fault: options.tries or (fault.short if options.short else fault.full) for fault in chosen}
    rows = {fault.name: Row(fault.name) for fault in chosen if wanted[fault]}
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            suite, obstacle = _open(stack, options.checkout, engine=any(fault.engine for fault in chosen))
            for fault, number in schedule(wanted, breadth=options.short):
                row = rows[fault.name]
                if options.short and time.monotonic() - began > SHORT_S:
                    row.skipped = row.skipped or ("" if row.tries else "the time of --short is over")
                    continue
                row.skipped = row.skipped or (obstacle if fault.engine else "") or fault.obstacle()
                if not row.skipped and not row.failed:
                    attempt(fault, suite, row, number, options.seed)
                    _save(options.json, rows.values())
    except (SuiteError, dockerd.EngineError) as error:
        print(f"the suite cannot work: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        print(table(rows.values()))
        return 130
    _save(options.json, rows.values())
    print(table(rows.values()))
    if any(row.failed for row in rows.values()):
        return 2
    return 0 if all(row.fine for row in rows.values()) else 1


def schedule(wanted: Mapping[Fault, int], *, breadth: bool) -> Iterator[tuple[Fault, int]]:
    """The tries in their order: fault by fault, or one of each before a second of any."""
    if not breadth:
        yield from ((fault, number) for fault, count in wanted.items() for number in range(count))
        return
    for number in range(max(wanted.values(), default=0)):
        yield from ((fault, number) for fault, count in wanted.items() if number < count)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--short", action="store_true", help="few tries of the quick faults: below three minutes")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"one of: {', '.join(names)}")
    parser.add_argument("--tries", type=int, default=0, metavar="N", help="tries of every chosen fault")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="decides every random moment")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts and what was found")
    parser.add_argument(
        "--checkout", type=Path, default=Path(__file__).resolve().parents[2], metavar="FOLDER",
        help="whose runner/, images/ and matrix/ are tried (default: this checkout)",
    )  # fmt: skip
    return parser.parse_args()


def _open(stack: ExitStack, checkout: Path, *, engine: bool) -> tuple[Suite, str]:
    """Everything the faults need, and why there is no engine where there is none."""
    folder = stack.enter_context(place.made())
    wheels = folder / "wheels"
    images = tiny.copy(checkout.resolve(), folder / "stage", wheels)
    packages = stack.enter_context(Index(wheels, _INDEX_DELAY_S))
    suite = Suite(folder, folder / "stage", packages, wheels=wheels, images=images, stack=stack)
    obstacle = dockerd.obstacle() if engine else ""
    if engine and not obstacle:
        own = dockerd.Engine(folder / "engine", folder.name)
        own.start()
        own.load_base()
        suite.engine = own
        suite.label_images()
    return suite, obstacle


def attempt(fault: Fault, suite: Suite, row: Row, number: int, seed: int) -> None:
    """One try of a fault.

    An error of the suite's own counts as wrong. Raises EngineError.
    """
    draw = random.Random(f"{seed}/{fault.name}/{number}")  # noqa: S311 - moments, not secrets
    began = time.monotonic()
    try:
        found = fault.once(suite, draw)
    except UntriedError as error:
        row.skipped = str(error)
        return
    except SuiteError as error:
        row.failed = str(error)
        print(f"{fault.name}: the suite cannot try this: {error}", file=sys.stderr, flush=True)
        return
    except dockerd.EngineError:
        raise
    except Exception:  # noqa: BLE001 - a broken try is shown, and does not end a night
        found = Judged(wrong=(f"the try itself failed: {traceback.format_exc()}",))
    row.add(number, found)
    row.seconds += time.monotonic() - began
    for line in row.examples if not found.fine else ():
        if line.startswith(f"try {number},"):
            print(f"{fault.name}: {line}", flush=True)


def table(rows: Iterable[Row]) -> str:
    """The counts as a Markdown table."""
    heads = ("fault", "tries", *COUNTS, "seconds")
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    for row in rows:
        if why := row.skipped or row.failed.partition("\n")[0][:80]:
            lines.append(f"| {row.fault} | not tried: {why} | | | | | |")
        else:
            counts = " | ".join(str(getattr(row, name)) for name in ("tries", *COUNTS))
            lines.append(f"| {row.fault} | {counts} | {row.seconds:.0f} |")
    return "\n".join(lines)


def _save(path: Path | None, rows: Iterable[Row]) -> None:
    if path is not None:
        path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
