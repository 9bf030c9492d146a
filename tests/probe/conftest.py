"""The payload as the runner stages it, run by the Python of these tests and by a real Python 3.8."""

from __future__ import annotations

import copy
import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAYLOAD = Path(__file__).resolve().parents[2] / "runner" / "probe"
OLDEST = "3.8"

REQUEST = {
    "schema": 1,
    "probe": "hello",
    "cell": {
        "framework": "torch",
        "version": "2.2.2",
        "keras": "3.11.3",
        "python": "",
        "device": "cpu",
        "variant": "",
    },
    "settings": {},
    "seed": 0,
    "round": 0,
    "data": None,
}


@functools.cache
def version_of(python):
    """``3.8`` of an interpreter, or None where it does not start (a pyenv shim for a version not chosen)."""
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    shown = subprocess.run(command, capture_output=True, check=False)
    return shown.stdout.decode().strip() if shown.returncode == 0 else None


def pyenv_pythons():
    try:
        root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
        return sorted(map(str, root.glob(f"versions/{OLDEST}.*/bin/python")))
    except (OSError, RuntimeError):  # another user's folder; a user without a home
        return []


@functools.cache
def oldest_python():
    """The path of a Python 3.8, or None."""
    candidates = [shutil.which("python" + OLDEST), *pyenv_pythons()]
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv:
        found = subprocess.run([uv, "python", "find", "--offline", OLDEST], capture_output=True, check=False)
        candidates += found.stdout.decode().split() if found.returncode == 0 else []
    return next((path for path in candidates if path and version_of(path) == OLDEST), None)


@pytest.fixture(params=["this", "oldest"])
def python(request):
    """An interpreter to run the payload with."""
    if request.param == "this":
        return sys.executable
    path = oldest_python()
    if path is None:
        if os.environ.get("REQUIRE_PYTHON38"):
            pytest.fail("REQUIRE_PYTHON38 is set, and there is no Python 3.8")
        pytest.skip("there is no Python 3.8 on PATH, under pyenv or known to uv")
    return path


@pytest.fixture
def raw_request():
    """A request for the ``hello`` probe, to be changed at will."""
    return copy.deepcopy(REQUEST)


class Process:
    """A finished payload process: ``result`` (None without a file), ``exit_code``, ``log``, ``io``."""

    def __init__(self, io, ended):
        self.io = io
        self.exit_code = ended.returncode
        self.log = ended.stdout.decode() + ended.stderr.decode()
        path = io / "result.json"
        self.result = json.loads(path.read_text(), parse_constant=pytest.fail) if path.exists() else None


@pytest.fixture
def payload(tmp_path, python):
    """Stages the payload with a request (a dict or text) and files beside it, and runs it to its end."""

    def run(request, files=None, environment=None):
        io = tmp_path / "io"
        shutil.copytree(PAYLOAD, io / "probe", ignore=shutil.ignore_patterns("__pycache__"))
        if isinstance(request, dict):
            request["cell"]["python"] = request["cell"].get("python") or version_of(python)
            request = json.dumps(request)
        (io / "request.json").write_text(request)
        for name, content in (files or {}).items():
            (io / name).parent.mkdir(parents=True, exist_ok=True)
            (io / name).write_text(content)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        ended = subprocess.run(
            [python, "-W", "error", "-m", "probe"],
            cwd=io,
            env={**inherited, **(environment or {})},
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Process(io, ended)

    return run
