"""Engines that tests start themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from podman_service import configuration

BASE = "python:3.11-slim-bookworm"


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
    environment = {**os.environ, "CONTAINERS_CONF": str(configuration(place))}
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
