"""Engines that tests start themselves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BASE = "python:3.11-slim-bookworm"

_RUNTIME = """#!/usr/bin/env python3
# Podman asks for more open files and processes than this machine lets it have: leave those limits as they are.
import json, os, sys
arguments = sys.argv[1:]
if "create" in arguments and "--bundle" in arguments:
    path = os.path.join(arguments[arguments.index("--bundle") + 1], "config.json")
    with open(path) as file:
        config = json.load(file)
    limits = config["process"].get("rlimits", [])
    config["process"]["rlimits"] = [limit for limit in limits if limit["type"] == "RLIMIT_CORE"]
    with open(path, "w") as file:
        json.dump(config, file)
os.execvp("RUNTIME", ["RUNTIME", *arguments])
"""


@pytest.fixture(scope="session")
def podman() -> Iterator[str]:
    """The address of a Podman service with storage of its own, in which the base image of Python 3.11 lies.

    Skips where Podman is not installed. The image comes from the Docker engine, so that no registry is needed.
    """
    program = shutil.which("podman")
    if program is None:
        pytest.skip("Podman is not installed (Debian: podman catatonit containernetworking-plugins)")
    place = Path(tempfile.mkdtemp(prefix="runner-podman-"))
    storage = [program, "--root", str(place / "root"), "--runroot", str(place / "run")]
    environment = {**os.environ, "CONTAINERS_CONF": str(_configuration(place))}
    socket = place / "podman.sock"
    service = subprocess.Popen(
        [*storage, "system", "service", "--time=0", f"unix://{socket}"],
        cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        saved = subprocess.Popen(["docker", "save", BASE], stdout=subprocess.PIPE)
        subprocess.run([*storage, "load", "--quiet"], stdin=saved.stdout, check=True, stdout=subprocess.DEVNULL)
        assert saved.stdout is not None
        saved.stdout.close()
        assert saved.wait() == 0
        for _ in range(200):
            if socket.exists():
                break
            time.sleep(0.05)
        yield f"unix://{socket}"
    finally:
        service.terminate()
        service.wait()
        subprocess.run([*storage, "system", "reset", "--force"], env=environment, check=False, capture_output=True)
        shutil.rmtree(place, ignore_errors=True)


def _configuration(place: Path) -> Path:
    """Podman's configuration: its own, but where this machine may not raise limits (a sandbox) with ``_RUNTIME``."""
    configuration = place / "containers.conf"
    configuration.write_text("")
    capabilities = next(
        (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")),
        "0",
    )
    may_raise_limits = int(capabilities, 16) >> 24 & 1  # CAP_SYS_RESOURCE
    if os.geteuid() == 0 and not may_raise_limits:
        runtime = place / "runtime"
        runtime.write_text(_RUNTIME.replace('"RUNTIME"', repr("crun" if shutil.which("crun") else "runc")))
        runtime.chmod(0o755)
        named = json.dumps([str(runtime)])
        configuration.write_text(f'[engine]\nruntime = "limited"\n[engine.runtimes]\nlimited = {named}\n')
    return configuration
