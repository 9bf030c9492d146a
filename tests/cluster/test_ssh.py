"""Workers by real ssh: two on this machine, through a daemon with keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SSHD = shutil.which("sshd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]))
SSH, KEYGEN = shutil.which("ssh"), shutil.which("ssh-keygen")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(None in (SSHD, SSH, KEYGEN), reason="needs sshd, ssh and ssh-keygen"),
]

HOSTS = ("one", "two")


@dataclass
class Ssh:
    """A daemon, and a program ``ssh`` that knows it by names."""

    folder: Path
    path: str
    """PATH with that program first."""

    def program(self, host: str, environment: dict[str, str]) -> str:
        """Write what a host has as ``runner``; it leaves its process id in a file. The host with it, for --cluster."""
        program = self.folder / f"runner-{host}"
        wanted = {key: environment[key] for key in ("PYTHONPATH", "PRETEND", "PRETEND_LOG", "TMPDIR")}
        lines = [f"export {key}='{value}'" for key, value in wanted.items()]
        lines += [f"echo $$ > {self._pid(host)}", f'exec {sys.executable} -m runner "$@"']
        program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        program.chmod(0o700)
        return f"{host}={program}"

    def _pid(self, host: str) -> Path:
        return self.folder / f"{host}.pid"

    def started(self) -> list[int]:
        """The process ids of the workers that were started."""
        return [int(path.read_text()) for host in HOSTS if (path := self._pid(host)).exists()]

    def left(self, within_s: float) -> list[int]:
        """Those that still run after some time."""
        end = time.monotonic() + within_s
        while (running := [pid for pid in self.started() if _runs(pid)]) and time.monotonic() < end:
            time.sleep(0.1)
        return running


def _runs(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, 0)
        return True
    return False


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _configured(folder: Path, port: int) -> None:
    """Write the keys, and what the daemon and ``ssh`` are to do."""
    for name in ("host", "user", "other"):
        subprocess.run([str(KEYGEN), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "sshd.conf").write_text(f"""
        ListenAddress 127.0.0.1:{port}
        HostKey {folder}/host
        AuthorizedKeysFile {folder}/user.pub
        PidFile none
        UsePAM no
        StrictModes no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password
    """)
    (folder / "ssh.conf").write_text(f"""
        Host stranger
            IdentityFile {folder}/other
        Host one two closed
            IdentityFile {folder}/user
        Host closed
            Port 1
        Host one two closed stranger
            Hostname 127.0.0.1
            Port {port}
            User {getpass.getuser()}
            IdentitiesOnly yes
            IdentityAgent none
            UserKnownHostsFile {folder}/known
            StrictHostKeyChecking yes
    """)


@pytest.fixture
def ssh(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ssh]:
    """``one`` and ``two`` are this machine; ``stranger`` has a key that it does not know, ``closed`` no daemon."""
    folder = tmp_path / "ssh"
    (folder / "bin").mkdir(parents=True)
    _configured(folder, _free_port())
    program = folder / "bin" / "ssh"
    program.write_text(f'#!/bin/sh\nexec {SSH} -F {folder}/ssh.conf "$@"\n')
    program.chmod(0o700)
    daemon = subprocess.Popen(
        [str(SSHD), "-D", "-e", "-f", str(folder / "sshd.conf")], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        if missing := _until_open(daemon, program):
            # a user other than root may be forbidden to run a daemon
            required = request.config.getoption("--require-cluster") and os.geteuid() == 0
            (pytest.fail if required else pytest.skip)(missing)
        yield Ssh(folder, os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]))
    finally:
        daemon.terminate()
        daemon.communicate()


def _until_open(daemon: subprocess.Popen[bytes], program: Path) -> str:
    """Wait for the daemon. Why there is none, where this user may not run one or not log in."""
    end = time.monotonic() + 20
    while (tried := subprocess.run([program, "one", "true"], capture_output=True, check=False)).returncode:
        if daemon.poll() is not None:
            return f"sshd: {daemon.communicate()[1].decode().strip()}"
        if time.monotonic() > end:
            return f"ssh: {tried.stderr.decode().strip()}"
        time.sleep(0.2)
    return ""


def test_two_workers_by_ssh_measure_and_end_with_the_run(place: Any, ssh: Ssh) -> None:
    here = place(versions=1, keras=1)
    hosts = ",".join(ssh.program(host, here.environment()) for host in HOSTS)
    code, text = here.matrix("--probe", "nap", "--cluster", f"ssh:{hosts}", PATH=ssh.path).ended()
    assert code == 0, text
    assert len(list((here.folder / "out").glob("results/*/*/*.json"))) == 2
    assert len(ssh.started()) == 2
    assert ssh.left(within_s=30) == []


def test_workers_by_ssh_end_where_the_machine_that_asked_dies(place: Any, ssh: Ssh) -> None:
    here = place(versions=1, keras=1, settings={"nap": {"seconds": 5.0}})  # a nap cannot be interrupted
    run = here.matrix("--probe", "nap", "--cluster", f"ssh:{ssh.program('one', here.environment())}", PATH=ssh.path)
    run.said("dashboard: ")
    while not ssh.started():
        time.sleep(0.1)
    run.kill()
    assert ssh.left(within_s=60) == []


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("stranger", "stranger cannot be reached: * Permission denied (publickey). (try `ssh stranger true`)"),
        ("closed", "closed cannot be reached: connect to * port 1: Connection refused (try `ssh closed true`)"),
        ("no.invalid", "no.invalid cannot be reached: Could not resolve hostname * (try `ssh no.invalid true`)"),
        (
            "one=/nowhere/runner",
            "one has no program /nowhere/runner: * (install it there, or name it: ssh:one=/path/to/runner)",
        ),
    ],
)
def test_a_host_that_cannot_be_used_is_one_line(place: Any, ssh: Ssh, host: str, says: str) -> None:
    code, text = place().matrix("--cluster", f"ssh:{host}", PATH=ssh.path).ended()
    assert code == 3, text
    before, after = says.split("*")
    *_, last = text.splitlines()
    assert last.startswith(f"runner: no worker is left: {before.strip()}")
    assert after.strip() in last
    assert "ssh:" not in text.replace(last, ""), "what ssh has printed is in that line alone"


def test_a_host_that_cannot_be_used_is_said_and_the_others_measure(place: Any, ssh: Ssh) -> None:
    here = place(versions=1, keras=1)
    code, text = here.matrix(
        "--probe", "nap", "--cluster", f"ssh:closed,{ssh.program('one', here.environment())}", PATH=ssh.path
    ).ended()
    assert code == 0, text
    assert "closed cannot be reached: " in text
