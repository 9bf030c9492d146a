"""Keeps the results of the tests without a mutant in a file.

Finding them out takes minutes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mutation.running import Baseline, Function, Run, tracked


def _is_test(name: str) -> bool:
    return name.startswith("tests/") and Path(name).name.startswith("test_")


def hashes(root: Path) -> dict[str, str]:
    """Returns the SHA-256 of each test file, and under "" of all other files together.

    bench/ and prose do not count.
    """
    rest = hashlib.sha256()
    found = {}
    for name in tracked(root):
        digest = hashlib.sha256((root / name).read_bytes()).hexdigest()
        if _is_test(name):
            found[name] = digest
        elif not name.startswith("bench/") and not name.endswith(".md"):
            rest.update(f"{name} {digest}\n".encode())
    return {**found, "": rest.hexdigest()}


def save(file: Path, base: Baseline, of: Mapping[str, str]) -> None:
    functions = sorted({function for calls in base.calls.values() for function in calls} | base.imported)
    number = {function: index for index, function in enumerate(functions)}
    what = {
        "hashes": dict(of),
        "tests": base.tests,
        "seconds": base.seconds,
        "functions": functions,
        "calls": {test: sorted(number[each] for each in calls) for test, calls in base.calls.items()},
        "imported": sorted(number[each] for each in base.imported),
        "cpu_limit_s": base.cpu_limit_s,
        "stuck_s": base.stuck_s,
    }
    file.write_text(json.dumps(what), encoding="utf-8")


def load(file: Path, tests: Sequence[str], of: Mapping[str, str]) -> tuple[Baseline, list[str]] | None:
    """Returns the known results, and the test files that have changed since.

    About the tests of the changed files nothing is known. None where the file is missing, or anything but test files
    has changed.
    """
    if not file.is_file():
        return None
    what = json.loads(file.read_text(encoding="utf-8"))
    if what["hashes"][""] != of[""] or what["tests"] != list(tests):
        return None
    kept = {name for name, digest in of.items() if what["hashes"].get(name) == digest}
    changed = [name for name in of if name not in kept and any(Path(name).is_relative_to(test) for test in tests)]
    functions: list[Function] = [(path, line) for path, line in what["functions"]]
    base = Baseline(
        tuple(tests),
        {test: seconds for test, seconds in what["seconds"].items() if test.split("::")[0] in kept},
        {
            test: {functions[number] for number in numbers}
            for test, numbers in what["calls"].items()
            if test.split("::")[0] in kept
        },
        {functions[number] for number in what["imported"]},
        what["cpu_limit_s"],
        what["stuck_s"],
    )
    return base, changed


def extended(base: Baseline, run: Run) -> Baseline:
    """Returns the known results together with the tests of files that have changed.

    These tests pass. The functions that they call are not known.
    """
    return replace(base, seconds={**base.seconds, **run.seconds})
