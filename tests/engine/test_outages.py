"""An engine of our own whose network bridge is gone: what the whole command says about it.

The engine gets a network namespace of its own. A second engine in the same namespace would take over the bridge of the
first one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import cli
from runner.results import store

pytestmark = pytest.mark.engine

BASE = "python:3.11-slim-bookworm"
NEEDED = ("dockerd", "unshare", "nsenter", "ip")


@pytest.fixture(scope="module")
def without_bridge() -> Iterator[str]:
    """The address of an engine that holds the base image and has lost its bridge.

    Skips where this user may not start one.
    """
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"no second engine can be started here ({' '.join(missing) or 'not root'})")
    place = Path(tempfile.mkdtemp(prefix="runner-dockerd-"))
    address = f"unix://{place / 'docker.sock'}"
    command = [
        "unshare", "--net", "dockerd", "--host", address, "--pidfile", str(place / "pid"),
        "--data-root", str(place / "data"), "--exec-root", str(place / "exec"),
        "--iptables=false", "--ip6tables=false", "--ip-masq=false",
    ]  # fmt: skip
    log = (place / "log").open("wb")
    service = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    docker = ["docker", "--host", address]
    try:
        for _ in range(300):
            if subprocess.run([*docker, "version"], capture_output=True, check=False).returncode == 0:
                break
            if service.poll() is not None:
                pytest.skip(f"a second engine does not start here: {(place / 'log').read_text()[-300:]}")
            time.sleep(0.1)
        image = place / "base.tar"
        subprocess.run(["docker", "save", "--output", str(image), BASE], check=True)
        subprocess.run([*docker, "load", "--quiet", "--input", str(image)], check=True, stdout=subprocess.DEVNULL)
        image.unlink()
        # unshare has become dockerd: its process is in the namespace
        within = ["nsenter", "--target", str(service.pid), "--net"]
        subprocess.run([*within, "ip", "link", "delete", "docker0"], check=True)
        yield address
    finally:
        service.terminate()
        service.wait(60)
        log.close()
        shutil.rmtree(place, ignore_errors=True)


def test_a_missing_bridge_is_one_line_and_the_run_ends(
    without_bridge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", without_bridge)
    only = ("--set", "full", "--only", "jax-*_cpu", "--probe", "hello", "--probe", "conv2d", "--offline")
    assert cli.run(["matrix", *only, "--out", str(tmp_path)]) == 4
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if not line.startswith(("prepare", "note"))]
    (line,) = lines
    assert line.startswith("outage   Docker's network bridge is missing: restart the Docker engine")
    cells = {sample.cell.id for sample in store.load([tmp_path])}
    assert line.endswith(f"({len(cells)} environments cannot be used)")
    assert len([text for text in shown.err.splitlines() if text.startswith("prepare")]) <= 2
    assert " ".join(shown.out.split()).count("Docker's network bridge is missing") == 1
    assert len([one for one in store.load([tmp_path]) if "could not find bridge" in one.log]) == 1
