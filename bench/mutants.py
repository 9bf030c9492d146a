"""Draws random changes of ``runner/`` and counts those that the tests notice.

Run from the repository root, with the Python that has the test requirements:

    python bench/mutants.py --seed 7 --count 100 --jobs 2 --json mutants.json
    python bench/mutants.py --seed 7 --count 30 --stratum report
    python bench/mutants.py --rerun mutants.json --calls calls.json     # its survivors again, after tests were added

It prints a line per mutant as it ends, then the share of killed mutants by stratum with a 95 % interval (Wilson). A
mutant that runs into a limit of time counts as killed. The tests run in copies of the working tree, one for each job,
and must pass without a mutant first (exit code 2 otherwise).

``--equivalent FILE`` names mutants that change no behaviour, one a line, as this program prints them, and a reason
after two spaces; they are listed and not counted:

    runner/plan.py:12: n < 2 -> n <= 2  n is never 2 here
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from mutation import memory, running, sites
from mutation.running import PAYLOAD, SURVIVED, TIMEOUT, BenchError, Result, StoppedError
from mutation.sites import Mutant

CORE = "judge and core"

STRATA: dict[str, tuple[str, ...]] = {
    CORE: (),  # every part that no other stratum names
    "report": ("report",),
    "cli": ("cli", "__main__"),
    "defects, diagnose, repro, bisect, export": ("defects", "attribution", "diagnose", "repro", "bisect", "export"),
    "executors and images": ("executors", "images", "engine"),
    "payload": ("probe",),
}
"""Packages and modules of ``runner/``, without ``.py``, by stratum."""

Z = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""

EQUIVALENT = "equivalent"


def stratum(path: str) -> str:
    part = Path(path).parts[1].removesuffix(".py")
    return next((name for name, parts in STRATA.items() if part in parts), CORE)


def wilson(killed: int, total: int) -> tuple[float, float]:
    """Returns the 95 % interval of a proportion.

    Wilson 1927, without continuity correction.
    """
    if not total:
        return 0.0, 1.0
    share = killed / total
    centre = share + Z * Z / (2 * total)
    half = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    return max(0.0, (centre - half) / (1 + Z * Z / total)), min(1.0, (centre + half) / (1 + Z * Z / total))


def sources(root: Path, arguments: argparse.Namespace) -> dict[str, str]:
    """Returns the files to draw from, by path from the root."""
    found = {}
    for name in running.tracked(root):
        if not name.startswith("runner/") or not name.endswith(".py"):
            continue
        if name.startswith(PAYLOAD) and not arguments.payload:
            continue
        if arguments.only and not any(name.startswith(only.removesuffix("/")) for only in arguments.only):
            continue
        if arguments.stratum and stratum(name) not in arguments.stratum:
            continue
        found[name] = (root / name).read_text(encoding="utf-8")
    return found


def found_again(recorded: Sequence[Mapping[str, Any]], texts: Mapping[str, str]) -> tuple[list[Mutant], list[str]]:
    """Returns an earlier run's survivors in today's sources, and those not found.

    The same change of the same function counts, in the nearest line; a file that moved is found by them too.
    """
    known: dict[tuple[str, str, str, str], list[Mutant]] = {}
    for mutant in sites.every(texts):
        known.setdefault((mutant.scope, mutant.operator, mutant.before, mutant.after), []).append(mutant)
    found, gone = [], []
    for entry in recorded:
        if entry["outcome"] != SURVIVED:
            continue
        alike = known.get((entry["scope"], entry["operator"], entry["before"], entry["after"]), [])
        here = [mutant for mutant in alike if mutant.path == entry["path"]] or alike
        if here:
            found.append(min(here, key=lambda mutant: abs(mutant.line - entry["line"])))
        else:
            gone.append(f"{entry['path']}:{entry['line']}: {entry['before']} -> {entry['after']}")
    return found, gone


@dataclass(frozen=True)
class Equivalents:
    lines: tuple[str, ...] = ()

    @classmethod
    def load(cls, file: Path) -> Equivalents:
        return cls(tuple(file.read_text(encoding="utf-8").splitlines()))

    def __contains__(self, mutant: Mutant) -> bool:
        return any(line == str(mutant) or line.startswith(f"{mutant}  ") for line in self.lines)


def line(result: Result) -> str:
    """Formats a result in one line."""
    text = f"{result.outcome:10} {result.mutant}  ({result.mutant.operator}, {result.seconds:.0f} s)"
    text += f"  [{result.test}]" if result.test else ""
    return text + "".join(f"\n{'':10} failed once only, not counted: {test}" for test in result.doubtful)


def table(results: Sequence[Result]) -> Iterator[str]:
    """Returns the score by stratum, without equivalent mutants."""
    width = max(len(name) for name in STRATA)
    yield f"{'':{width}} killed survived  score  95 % interval"
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(stratum(result.mutant.path), []).append(result)
    for name in [*STRATA, "all"]:
        group = results if name == "all" else groups.get(name, [])
        if not group:
            continue
        killed = sum(result.outcome != SURVIVED for result in group)
        low, high = wilson(killed, len(group))
        score = f"{100 * killed / len(group):4.0f} %   {100 * low:3.0f} - {100 * high:.0f}"
        yield f"{name:{width}} {killed:6} {len(group) - killed:8} {score}"
    timeouts = sum(result.outcome == TIMEOUT for result in results)
    if timeouts:
        yield f"{timeouts} of the killed ones by a limit of time"


def record(results: Sequence[Result], arguments: argparse.Namespace, commit: str) -> dict[str, Any]:
    """Returns the content that ``--json`` writes and ``--rerun`` reads."""
    rows = [
        {
            **asdict(result.mutant),
            "stratum": stratum(result.mutant.path),
            "outcome": result.outcome,
            "test": result.test,
            "seconds": round(result.seconds, 1),
            "doubtful": list(result.doubtful),
        }
        for result in results
    ]
    return {"seed": arguments.seed, "count": arguments.count, "commit": commit, "mutants": rows}


def measured(
    mutants: Sequence[Mutant], root: Path, arguments: argparse.Namespace, ended: Callable[[Result], None]
) -> None:
    """Runs the tests against each mutant and hands over each result as it comes."""
    options = [option for test in arguments.deselect for option in ("--deselect", test)]
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="runner-mutants-") as folder:
        copies = [running.Copy(root, Path(folder) / str(number), stop) for number in range(arguments.jobs)]
        free: SimpleQueue[running.Copy] = SimpleQueue()
        for copy in copies:
            copy.compile()
            free.put(copy)

        def with_copy(work: Callable[[running.Copy], Any]) -> Any:
            copy = free.get()
            try:
                return work(copy)
            finally:
                free.put(copy)

        with ThreadPoolExecutor(arguments.jobs) as pool:
            try:
                base = _baseline(root, arguments, options, partial(pool.map, with_copy))
                attempt = partial(running.attempt, base=base, options=options, every_test=arguments.all_tests)
                works = [pool.submit(with_copy, partial(attempt, mutant=mutant)) for mutant in mutants]
                for work in as_completed(works):
                    ended(work.result())
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise


def _baseline(
    root: Path,
    arguments: argparse.Namespace,
    options: Sequence[str],
    in_copies: Callable[[list[Callable[[running.Copy], Any]]], Iterator[Any]],
) -> running.Baseline:
    """Runs the tests without a mutant.

    Runs all of them, or those that have changed since ``--calls`` was written.
    """
    tests = arguments.tests
    now = memory.hashes(root)
    known = memory.load(arguments.calls, tests, now) if arguments.calls else None
    if known:
        base, changed = known
        if changed:
            (run,) = in_copies([lambda copy: running.check(copy, changed, options)])
            base = memory.extended(base, run)
        print(f"without a mutant {len(base.seconds)} tests pass, {len(changed)} files of them run again", flush=True)
    else:
        both = [
            lambda copy: running.check(copy, tests, options),
            lambda copy: running.trace(copy, tests, options),
        ]
        plain, traced = in_copies(both)
        base = running.baseline(tests, plain, traced)
        print(f"without a mutant {len(plain.started)} tests pass in {plain.cpu_s:.0f} s of CPU time", flush=True)
        if arguments.calls:
            memory.save(arguments.calls, base, now)
    list(in_copies([lambda copy: running.check_copy(copy, tests, next(iter(base.seconds)))]))
    return base


def _commit(root: Path) -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7, help="of the sample (default: %(default)s)")
    parser.add_argument("--count", type=int, default=100, help="of mutants (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="mutants tested at the same time (default: %(default)s)")
    parser.add_argument("--stratum", action="append", choices=list(STRATA), help="draw from this one only; repeatable")
    parser.add_argument("--only", action="append", metavar="PATH", help="draw from paths that begin so; repeatable")
    parser.add_argument("--payload", action="store_true", help="draw from runner/probe/ too, and run tests/probe")
    parser.add_argument("--tests", action="append", metavar="PATH", help="run these (default: tests/unit); repeatable")
    parser.add_argument("--all-tests", action="store_true", help="also run tests that never call the function")
    parser.add_argument("--deselect", action="append", default=[], metavar="TEST", help="leave a test out; repeatable")
    parser.add_argument("--equivalent", type=Path, metavar="FILE", help="mutants that change no behaviour")
    parser.add_argument("--rerun", type=Path, metavar="FILE", help="the survivors of a run's --json")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here, after each mutant")
    parser.add_argument("--calls", type=Path, metavar="FILE", help="keep here what each test calls, for the next run")
    parser.add_argument("--list", action="store_true", help="print the sample and run nothing")
    arguments = parser.parse_args(argv)
    if arguments.jobs < 1 or arguments.count < 1:
        parser.error("--jobs and --count are at least 1")
    if not arguments.tests:
        arguments.tests = ["tests/unit", *(["tests/probe"] if arguments.payload else [])]
    return arguments


def _sample(root: Path, arguments: argparse.Namespace) -> list[Mutant]:
    texts = sources(root, arguments)
    if not arguments.rerun:
        return sites.draw(texts, arguments.seed, arguments.count)
    found, gone = found_again(json.loads(arguments.rerun.read_text(encoding="utf-8"))["mutants"], texts)
    for mutant in gone:
        print(f"gone       {mutant}")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    root = Path(__file__).resolve().parents[1]
    drawn = _sample(root, arguments)
    equivalents = Equivalents.load(arguments.equivalent) if arguments.equivalent else Equivalents()
    results: list[Result] = []
    counted = [mutant for mutant in drawn if mutant not in equivalents]
    for mutant in drawn:
        if mutant in equivalents:
            print(f"{EQUIVALENT} {mutant}")
    if arguments.list:
        for mutant in counted:
            print(f"{stratum(mutant.path)}: {mutant}  ({mutant.operator})")
        return 0

    commit = _commit(root)

    def ended(result: Result) -> None:
        results.append(result)
        print(line(result), flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(record(results, arguments, commit), indent=1), encoding="utf-8")

    code = 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no test is left running
    try:
        measured(counted, root, arguments, ended)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2
    except (KeyboardInterrupt, StoppedError):
        print(f"interrupted after {len(results)} of {len(counted)} mutants", file=sys.stderr)
        code = 130
    print()
    print("\n".join(table(results)))
    if len(drawn) > len(counted):
        print(f"{len(drawn) - len(counted)} equivalent mutants are not counted")
    return code


if __name__ == "__main__":
    sys.exit(main())
