"""A worker behind a line with a delay and loss, in another network namespace."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("ip") is None or not Path("/dev/net/tun").exists(),
        reason="needs root, ip and /dev/net/tun",
    ),
]


@pytest.fixture
def line() -> Iterator[Callable[[float, float], tuple[tuple[str, ...], tuple[str, ...]]]]:
    """Makes two namespaces with a line between them; what starts a program in each of them."""
    tag = secrets.token_hex(2)
    names = (f"kvma{tag}", f"kvmb{tag}")
    relays: list[subprocess.Popen[bytes]] = []

    def make(delay_s: float, loss: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        program = str(Path(__file__).with_name("relay.py"))
        relay = subprocess.Popen([sys.executable, program, *names, str(delay_s), str(loss)], stdout=subprocess.PIPE)
        relays.append(relay)
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"ready\n"
        first, second = (("ip", "netns", "exec", name) for name in names)
        return first, second

    yield make
    for relay in relays:
        relay.kill()
        relay.wait()
        if relay.stdout is not None:
            relay.stdout.close()
    for name in names:
        subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.mark.parametrize(("delay_s", "loss"), [(0.05, 0.02)])
def test_a_slow_line_that_loses_packets_changes_no_figure(
    place: Any,
    figures: Callable[[Path], Mapping[tuple[str, str, int, str], object]],
    line: Any,
    delay_s: float,
    loss: float,
) -> None:
    here = place(versions=2, keras=3)
    there, elsewhere = line(delay_s, loss)
    _, address = here.scheduler(host="10.99.0.1", wrapped=there)
    worker = here.started_by(elsewhere, ("runner", "worker", address, "--insecure"), {})
    worker.said("at work for")
    words = ("--set", "cells", "--out", "out", "--no-history", "--format", "json", "--probe", "nap")
    asked = ("runner", "matrix", *words, "--scheduler", address, "--insecure")
    _, text = here.started_by(there, asked, {}).ended()
    found = figures(here.folder / "out")
    assert len(found) == 12, text
    here.matrix("--probe", "nap", out="local").ended()
    assert found == figures(here.folder / "local")
