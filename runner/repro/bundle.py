"""The files of a folder that reproduces one result with Docker and a shell. Pure.

``files`` returns names and contents; ``runner.repro.pack`` writes and packs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.environments.lockfile import Lock
from runner.model import Cell, Kind, Sample
from runner.util.plain import printable

_SAME = (Kind.EXACT, Kind.ERROR, Kind.TRAJECTORY)
"""Figures that a second run must repeat bit by bit. Timings and free training are only shown."""
_AROUND = frozenset({"process_s"})
"""Figures measured around the process; the folder's own run does not have them."""
DATA = "data/mnist.npz"
"""Where a bundle holds its data file; the container shows it as /data/mnist.npz."""
_SURROUNDINGS = {
    "HOME": "/tmp", "TMPDIR": "/tmp", "XDG_CACHE_HOME": "/tmp/.cache", "USER": "cell",  # noqa: S108 - the container's own
    "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that the files of the folder are made from."""

    cell: Cell
    lock: Lock
    context: Mapping[str, str]
    """The build context with its Dockerfile."""
    request: Mapping[str, Any] | None = None
    """The probe's request; None where a script is run."""
    script: str | None = None
    arguments: tuple[str, ...] = ()
    sample: Sample | None = None
    variables: Mapping[str, str] | None = None
    data_name: str = ""
    """Empty where no data file is needed."""
    notes: tuple[str, ...] = ()
    own: bool = False
    """Whether the probe is the user's: its file lies in ``own_probes``."""


def files(bundle: Bundle) -> dict[str, str]:
    """Every text file of the folder by name; not the payload and the data file."""
    found = {
        **bundle.context,
        "lock.txt": "\n".join([*bundle.lock.framework_lines, *bundle.lock.rest_lines, ""]),
        "expected.json": _json(expected(bundle.sample)),
        "check.py": _CHECK,
        "reproduce.sh": reproduce(bundle),
        "README.md": readme(bundle),
    }
    if bundle.script is not None:
        return {**found, "script.py": bundle.script}
    return {**found, "request.json": _json(bundle.request)}


def expected(sample: Sample | None) -> dict[str, Any]:
    """The status, the figures that a second run must repeat, and those only shown."""
    if sample is None:
        return {"status": None, "same": {}, "shown": {}}
    inside = [metric for metric in sample.metrics if metric.name not in _AROUND]
    return {
        "status": str(sample.status),
        "same": {metric.name: metric.value for metric in inside if metric.kind in _SAME},
        "shown": {metric.name: metric.value for metric in inside if metric.kind not in _SAME},
    }


def reproduce(bundle: Bundle) -> str:
    """The shell script that builds the image, runs in it and checks the figures."""
    image = "reproduce-" + re.sub(r"[^a-z0-9]+", "-", bundle.cell.id.lower()).strip("-")
    variables = {**_SURROUNDINGS, **(bundle.variables or {})}
    if bundle.script is not None and bundle.cell.keras:
        variables.setdefault("KERAS_BACKEND", bundle.cell.framework)
    options = [f"--env {_quoted(f'{name}={value}')}" for name, value in variables.items()]
    if bundle.data_name:
        options.append('--volume "$PWD/data/mnist.npz:/data/mnist.npz:ro"')
    if bundle.cell.device == "cuda":
        options.append("--gpus all")
    if bundle.script is None:
        prepare, command = f"cp -R probe{' own_probes' if bundle.own else ''} request.json out/", "-m probe"
        check = '\ndocker run $limits --volume "$PWD:/bundle:ro" "$image" python /bundle/check.py'
    else:
        options.append('--volume "$PWD/script.py:/script/script.py:ro"')
        prepare, check = ":", ""
        command = " ".join(["/script/script.py", *map(_quoted, bundle.arguments)])
    return _REPRODUCE.format(
        image=image, options=" \\\n  ".join(options), prepare=prepare, command=command, check=check
    )


def readme(bundle: Bundle) -> str:
    """The description of the folder, for readers who do not know this project."""
    what = "a script" if bundle.script is not None else f"the probe {(bundle.request or {}).get('probe')}"
    lines = [
        f"# {bundle.cell.id}",
        "",
        f"This folder reproduces {what} in one pinned environment. It needs Docker and a POSIX shell:",
        "",
        "```",
        "sh reproduce.sh",
        "```",
        "",
        "It builds the image (`Dockerfile`; every package with its hash, `lock.txt` has them all in one), runs in it",
        "without a network, and prints whether the figures are those of `expected.json`. Exit code 0: yes; 1: no.",
        "Behind a proxy, give `docker build` what it needs in `BUILD_ARGUMENTS`.",
        "",
        "| | |",
        "|---|---|",
        f"| {bundle.cell.framework} | {bundle.cell.version} |",
        f"| keras | {bundle.cell.keras or 'none'} |",
        f"| Python | {bundle.cell.python} |",
        f"| device | {bundle.cell.device} |",
        f"| packages as of | {bundle.lock.recipe.exclude_newer} |",
    ]
    if bundle.sample is not None:
        facts = bundle.sample.fingerprint
        machine = f"{facts.get('cpu', 'unknown CPU')}, {facts.get('cores', '?')} cores"
        lines += [
            f"| measured | {bundle.sample.started}, {machine} |",
            f"| result | {bundle.sample.status} {bundle.sample.reason} |",
            "",
            "Exact figures depend on which kernels the CPU's instruction sets choose; on another CPU they may differ",
            "in rounding.",
        ]
    if bundle.data_name:
        lines += ["", f"`{DATA}` is the data set {bundle.data_name}."]
    lines += ["", *(f"- {note}" for note in (*bundle.lock.notes, *bundle.notes)), ""]
    return printable("\n".join(lines))


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_REPRODUCE = """#!/bin/sh
# Build the image, run in it, check the figures. BUILD_ARGUMENTS goes to docker build.
set -eu
cd "$(dirname "$0")"
image={image}
limits="--rm --init --network none --cap-drop ALL --security-opt no-new-privileges --shm-size 1g"
docker build ${{BUILD_ARGUMENTS:-}} --tag "$image" .
rm -rf out
mkdir out
{prepare}
docker run $limits --user "$(id -u):$(id -g)" --volume "$PWD/out:/io" --workdir /io \\
  {options} \\
  "$image" python {command}{check}
"""

_CHECK = '''"""Print whether the figures of expected.json are the same. Standard library only."""

import json
import sys

here = __file__.rpartition("/")[0]
with open(here + "/expected.json") as file:
    expected = json.load(file)
with open(here + "/out/result.json") as file:
    result = json.load(file)
found = {metric["name"]: metric["value"] for metric in result["metrics"]}
wrong = []
print("status", result["status"], result["reason"])
if expected["status"] not in (None, result["status"]):
    print("expected status", expected["status"])
    wrong.append("status")
for name, value in sorted(expected["same"].items()):
    # as text too, because nan != nan
    same = found.get(name) == value or json.dumps(found.get(name)) == json.dumps(value)
    wrong += [] if same else [name]
    print("same  " if same else "DIFFER", name, found.get(name), "" if same else "expected %r" % (value,))
for name, value in sorted(expected["shown"].items()):
    print("shown ", name, found.get(name), "was", value)
print("not the same: %s" % ", ".join(wrong) if wrong else "all %d figures are the same" % len(expected["same"]))
sys.exit(bool(wrong))
'''
