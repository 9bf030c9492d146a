"""Copies the program and adds cells that are cheap: a made-up framework.

The program is the checkout's, byte for byte. Added are one framework in compat.toml, sets and probes in
matrix.toml, the probes themselves, wheels and locks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

VERSIONS = ("1.0", "1.1", "1.2")
LARGE = "1.9"
"""The version whose installation takes seconds: each of its modules is compiled."""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
IMAGE_PYTHON = "3.11"
RELEASES = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8")
"""The releases that a bisect searches."""
MODULES, LARGE_MODULES = 10, 2500

_COMPAT = """
[framework.tiny]
label = "Tiny"
module = "tiny"
distributions = ["tiny"]
runs = "native"
trains = false
builds = { cpu = "cpu" }
size-gb = 0.01

[[frameworks.tiny]]
since = "1.0"
through = "1.9"
python = ["3.8", "3.14"]
requires = []
source = "bench/faults"
date = 2026-01-01
"""

_MATRIX = """
[sets.faults]
description = "cells of a made-up framework, for bench/faults"
prefer = ["tiny-1.0_*"]

[[sets.faults.product]]
framework = ["tiny"]
version = [VERSIONS]
keras = ["native"]
device = ["cpu"]
python = ["PYTHON"]

[sets.host]
description = "the same cells for the Python of this machine"
prefer = ["tiny-1.0_*"]

[[sets.host.product]]
framework = ["tiny"]
version = [VERSIONS]
keras = ["native"]
device = ["cpu"]
python = ["HOST"]

[sets.large]
description = "one cell that takes long to install"

[[sets.large.product]]
framework = ["tiny"]
version = ["LARGE"]
keras = ["native"]
device = ["cpu"]
python = ["HOST"]

[probes.pace]
description = "waits, alone on the machine"
timed = true
timeout_s = 60

[probes.brood]
description = "starts children that leave its session, and waits"
timed = false
timeout_s = 60

[probes.hostile]
description = "misbehaves"
timed = false
timeout_s = 30
"""

_PROBES = {
    "pace": '''"""Waits for a while."""

from __future__ import annotations

import time

DEFAULTS = {"seconds": 0.2}


def run(request, report):
    """Reports when it began and ended, by the machine's clock."""
    settings = request.settings_with(DEFAULTS)
    began = time.time()
    time.sleep(settings["seconds"])
    report.metric("steps", 1, "info")
    report.detail("span", [began, time.time()])
''',
    "brood": '''"""Starts children that leave its session, and waits."""

from __future__ import annotations

import subprocess
import sys
import time

DEFAULTS = {"seconds": 0.3}
CHILD = """
import os, sys, time
if sys.argv[1] == "forked" and os.fork():
    os._exit(0)
os.setsid()
if sys.argv[1] == "forked" and os.fork():
    os._exit(0)
null = os.open(os.devnull, os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(null, number)
time.sleep(600)
"""


def run(request, report):
    """Starts one child in another session, and one that has forked twice."""
    settings = request.settings_with(DEFAULTS)
    for how in ("session", "forked"):
        subprocess.Popen([sys.executable, "-c", CHILD, how])
    time.sleep(settings["seconds"])
    report.metric("steps", 1, "info")
''',
    "hostile": '''"""Misbehaves in the way that its settings name."""

from __future__ import annotations

import os
import sys
import time

DEFAULTS = {"how": "none", "count": 0}


def run(request, report):
    """Forks, prints, nests folders, writes or allocates ``count`` times."""
    settings = request.settings_with(DEFAULTS)
    how, count = settings["how"], settings["count"]
    if how == "forks":
        for _ in range(count):
            try:
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(600)
                    os._exit(0)
            except OSError:
                break
    elif how == "prints":
        for _ in range(count):
            os.write(1, b"x" * 65536)
    elif how == "folders":
        for _ in range(count):
            os.mkdir("d")
            os.chdir("d")
    elif how == "writes":
        with open("big", "wb") as file:
            for _ in range(count):
                file.write(b"\\0" * (1 << 20))
    elif how == "allocates":
        held = [bytearray(os.urandom(1 << 20)) for _ in range(count)]
        time.sleep(1)
        sys.stdout.write("%d\\n" % len(held))
    elif how == "stops":
        os.kill(os.getpid(), 19)
    report.metric("steps", 1, "info")
''',
}

_FRAMEWORK = '''"""Collects facts of the made-up framework."""

from __future__ import annotations


def facts(tiny, _kind, _errors):
    """Returns its version."""
    return {"version": str(tiny.__version__)}
'''

_LOCKS = """
import json, sys
from pathlib import Path
from runner.environments import lockfile
from runner.images.recipe import recipe
from runner.model import Environment

described = json.loads(sys.argv[1])
images = []
for version, digest in described["digests"].items():
    for python in described["pythons"]:
        environment = Environment("tiny", version, None, python, "cpu", "linux-x86_64")
        asked = lockfile.Recipe(environment.id, python, "x", "cpu", "2026-11-20T00:00:00Z", ())
        lines = (f"tiny=={version} \\\\", f"    --hash=sha256:{digest}")
        path = Path("matrix/locks", environment.id + ".txt")
        path.write_text(lockfile.render(asked, (lines, ()), (), ""))
        wanted = recipe(environment, lockfile.parse(path.read_text(), path))
        if python == described["image"]:
            images.append({"tag": wanted.tag, "base": wanted.base, "labels": dict(wanted.labels)})
print(json.dumps(images))
"""


@dataclass(frozen=True)
class Image:
    """What an image of a cell must have so that the program takes it for its own."""

    tag: str
    base: str
    labels: dict[str, str]


def copy(checkout: Path, stage: Path, wheels: Path) -> list[Image]:
    """Copy the program of ``checkout`` to ``stage`` and add the cells.

    Returns the images of the cells. Raises CalledProcessError where the program cannot read them.
    """
    ignored = shutil.ignore_patterns("__pycache__", "rendered")
    for name in ("runner", "images", "matrix"):
        shutil.copytree(checkout / name, stage / name, ignore=ignored)
    for path in (stage / "matrix" / "locks").iterdir():
        path.unlink()
    _add(stage / "matrix" / "compat.toml", _COMPAT)
    versions = ", ".join(f'"{version}"' for version in VERSIONS)
    sets = _MATRIX.replace("VERSIONS", versions).replace("PYTHON", IMAGE_PYTHON).replace("HOST", PYTHON)
    sets = sets.replace("LARGE", LARGE)
    _add(stage / "matrix" / "matrix.toml", sets)
    payload = stage / "runner" / "probe"
    for name, text in _PROBES.items():
        (payload / f"{name}.py").write_text(text)
    known = payload / "frameworks" / "__init__.py"
    known.write_text(known.read_text().replace("MODULES_BY_NAME = {", 'MODULES_BY_NAME = {\n    "tiny": "tiny",', 1))
    (payload / "frameworks" / "tiny.py").write_text(_FRAMEWORK)
    wheels.mkdir()
    for version in RELEASES:
        make_wheel(wheels, version)
    make_wheel(wheels, LARGE, modules=LARGE_MODULES)
    make_wheel(wheels, "2.0", "numpy")  # every environment has it; no probe here imports it
    digests = {version: _digest(wheels, version) for version in (*VERSIONS, LARGE)}
    _install(stage / "site")
    described = json.dumps({"digests": digests, "pythons": sorted({IMAGE_PYTHON, PYTHON}), "image": IMAGE_PYTHON})
    made = subprocess.run(
        [sys.executable, "-c", _LOCKS, described], cwd=stage, env={**os.environ, "PYTHONPATH": str(stage)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [Image(**image) for image in json.loads(made.stdout)]


def make_wheel(folder: Path, version: str, name: str = "tiny", modules: int = MODULES) -> Path:
    """A wheel of the made-up framework, or of another name.

    Equal calls make equal bytes.
    """
    info = f"{name}-{version}.dist-info"
    files = {f"{name}/m{number}.py": f"VALUE = {number}\n" * 20 for number in range(modules)}
    files[f"{name}/__init__.py"] = f"__version__ = {version!r}\n"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: faults\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={_short(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return wheel


def _install(site: Path) -> None:
    """Put the framework where the running interpreter finds it."""
    info = site / f"tiny-{VERSIONS[0]}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tiny\nVersion: {VERSIONS[0]}\n")
    (site / "tiny.py").write_text(f"__version__ = {VERSIONS[0]!r}\n")


def fetch_tools(stage: Path, wheels: Path) -> str:
    """Put pip and the uv of the images into the index.

    Returns why that fails; empty where they are there.

    ``runner bisect`` lists releases with pip, and an image is built with uv.
    """
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    for what in (["pip"], ["--require-hashes", "--requirement", str(stage / "images" / "uv.txt")]):
        command = [*download, "--only-binary", ":all:", "--dest", str(wheels), *what]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            return f"no package index of this machine answers: {(done.stderr.strip().splitlines() or ['?'])[-1][:120]}"
    return ""


def _digest(wheels: Path, version: str) -> str:
    return hashlib.sha256((wheels / f"tiny-{version}-py3-none-any.whl").read_bytes()).hexdigest()


def _short(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _add(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
