"""Writes the scripts of cases in stored results again.

That is for after a change of what writes them. ``python bench/rescript.py DIR --python PYTHON [--ident ID ...]``: a
result keeps a script for each case that is not right, which ``runner/probe/cases/script.py`` makes from the case's
source. PYTHON has Keras and a framework; it writes the scripts. What was measured stays as it is, and so do scripts of
cases that no probe has any more.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROBES = ("callbacks", "compiled", "data", "distribution", "export", "fitting", "memory", "model", "precision")
PROBES += ("preprocessing", "random", "saving")
FRAMEWORKS = ("jax", "tensorflow", "torch")
NOTE = "what the cell saw"


def write_all(wanted: set[str]) -> None:
    """Prints ``{probe: {framework: {id: script}}}`` of the wanted cases."""
    sys.path.insert(0, str(ROOT / "runner"))
    collect, script = (importlib.import_module(f"probe.cases.{name}") for name in ("collect", "script"))
    found: dict[str, dict[str, dict[str, str]]] = {}
    for probe in PROBES:
        names = [path.stem for path in sorted((ROOT / "runner" / "probe" / probe).glob("*.py"))]
        modules = [importlib.import_module(f"probe.{probe}.{name}") for name in names if name != "__init__"]
        cases = [case for case in collect.cases(modules) if not wanted or case.ident in wanted]
        found[probe] = {name: {case.ident: script.of(case, name, NOTE) for case in cases} for name in FRAMEWORKS}
    json.dump(found, sys.stdout)


def main() -> None:
    """Rewrites the results in place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--ident", nargs="+", default=[], help="only these cases")
    given = parser.parse_args()
    from runner.results import store

    command = [given.python, __file__, "--write", *given.ident]
    written = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    changed = 0
    for path in sorted(given.folder.rglob("results/*/*/*.json")):
        sample = store.read(path)
        kept: Any = sample.details.get("scripts")
        if sample.probe not in written or not isinstance(kept, dict):
            continue
        new = dict(kept)
        for ident, script in written[sample.probe][sample.cell.framework].items():
            seen = re.findall(r"^# Seen: (.*)$", kept.get(ident, ""), re.MULTILINE)
            if seen:
                new[ident] = script.replace(f"# Seen: {NOTE}", f"# Seen: {seen[-1]}")
                changed += new[ident] != kept[ident]
        if new != kept:
            serial = json.loads(path.read_bytes())["serial"]
            path.write_bytes(store.sealed(replace(sample, details={**sample.details, "scripts": new}), serial=serial))
    sys.stdout.write(f"{changed} scripts changed\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_all(set(sys.argv[2:]))
    else:
        main()
