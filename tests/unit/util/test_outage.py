"""The texts by which outages are distinguished from failures of a cell.

The long ones are from engines broken on purpose.
"""

from __future__ import annotations

import errno

import pytest

from runner.errors import Cause, OutageError
from runner.util import outage

BRIDGE = (
    "executor failed running [/bin/sh -c sh /build/install.sh tools /tools]: failed to create endpoint "
    "ydvthmlnsf6lzl4ftvdq8dzi0 on network bridge: adding interface veth21fdf25 to bridge docker0 failed: could not "
    "find bridge docker0: route ip+net: no such network interface"
)
RETRY = (
    "#6 5.578 WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection "
    "broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f718c49afd0>: Failed "
    "to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/uv/\n"
)
REGISTRY = (
    'failed to do request: Head "https://registry-1.docker.io/v2/library/python/manifests/3.11-slim-bookworm": dial '
    "tcp: lookup registry-1.docker.io on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable"
)
NO_DNS = """error: Request failed after 3 retries in 3.9s
  cause: Failed to fetch: https://index.example/simple/jax/
  cause: error sending request for url (https://index.example/simple/jax/)
  cause: client error (Connect)
  cause: dns error
  cause: error resolving DNS
  cause: failed to lookup address information: Temporary failure in name resolution"""
PROXY = """error: Request failed after 3 retries in 4.0s
  cause: Failed to fetch: https://index.example/simple/pygments/
  cause: client error (Connect)
  cause: tunnel error: failed to create underlying connection
  cause: tcp connect error
  cause: Connection refused (os error 111)"""
FULL = """error: Failed to install: keras-3.11.3-py3-none-any.whl (keras==3.11.3)
  cause: Failed to copy to `/x/lib/python3.11/site-packages/keras/src/backend/openvino/export.py`
  cause: failed to copy file: No space left on device (os error 28)"""

OUTAGES = [
    (BRIDGE, Cause.NETWORK, "Docker's network bridge is missing"),
    (f"error: {BRIDGE.partition(']: ')[2]}", Cause.NETWORK, "Docker's network bridge is missing"),
    (
        (
            "failed to create endpoint x on network bridge: Unable to enable SKIP DNAT rule:  (iptables failed: "
            "iptables --wait -t nat -I DOCKER -i docker0 -j RETURN: iptables: No chain/target/match by that name."
        ),
        Cause.NETWORK,
        "Docker's network bridge does not work",
    ),
    (NO_DNS, Cause.NETWORK, "the package index cannot be reached"),
    (
        f"{RETRY}#6 23.11 ERROR: Could not find a version that satisfies the requirement uv (from versions: none)",
        Cause.NETWORK,
        "the package index cannot be reached",
    ),
    (PROXY, Cause.NETWORK, "the proxy does not answer or refuses"),
    (REGISTRY, Cause.NETWORK, "the registry of the base image cannot be reached"),
    (
        (
            'error: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 192.0.2.53:53: '
            "dial udp 192.0.2.53:53: connect: network is unreachable"
        ),
        Cause.NETWORK,
        "the registry of the base image cannot be reached",
    ),
    (
        "toomanyrequests: You have reached your pull rate limit.",
        Cause.NETWORK,
        "the registry of the base image allows no more pulls now",
    ),
    (
        "client error (Connect)\n cause: invalid peer certificate: UnknownIssuer",
        Cause.NETWORK,
        "the certificate of a server is not trusted",
    ),
    (FULL, Cause.DISK, "no space is left on the disk"),
    (
        "error: write /var/lib/docker/image/overlay2/layerdb/tmp/write-set-698895443/parent: no space left on device",
        Cause.DISK,
        "no space is left on the disk",
    ),
    ("Disk quota exceeded", Cause.DISK, "no space is left on the disk"),
    (
        "cannot write /tmp/kvm-build-3g0cu92o/id because server did not provide an image ID",
        Cause.ENGINE,
        "the Docker engine stopped answering",
    ),
    (
        "ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
        Cause.ENGINE,
        "the Docker engine stopped answering",
    ),
    (
        'error during connect: Head "http://%2Fd.sock/_ping": read unix @->/d.sock: read: connection reset by peer',
        Cause.ENGINE,
        "the Docker engine stopped answering",
    ),
    ("rpc error: transport is closing", Cause.ENGINE, "the Docker engine stopped answering"),
    ("error reading from server: EOF", Cause.ENGINE, "the Docker engine stopped answering"),
    ("graceful_stop", Cause.ENGINE, "the Docker engine stopped answering"),
    (
        (
            'permission denied while trying to connect to the Docker daemon socket at unix:///d.sock: Get "http://%2Fd.'
            'sock/v1.50/containers/json": dial unix /d.sock: connect: permission denied'
        ),
        Cause.ENGINE,
        "this user may not use the Docker engine's socket",
    ),
]


@pytest.mark.parametrize(("text", "cause", "reason"), OUTAGES)
def test_an_outage_is_known_by_its_text(text: str, cause: Cause, reason: str) -> None:
    found = outage.of(f"#1 DONE 0.0s\n{text}\n")
    assert found is not None
    assert (found.cause, str(found), found.everywhere) == (cause, reason, True)
    assert text in found.log
    assert found.sentence == f"{reason}: {found.way_out}"
    assert found.way_out.endswith("then run the same command again")
    assert len(found.sentence) < 160


@pytest.mark.parametrize(
    "text",
    [
        "error: Failed to download `numpy==2.0.0`\n  cause: Hash mismatch for `numpy==2.0.0`\n\n  Expected: sha256:00",
        (
            "error: No solution found when resolving dependencies\n  cause: Because kerasxyzq was not found in the "
            "package registry and you require kerasxyzq==1.0, we can conclude that your requirements are unsatisfiable."
        ),
        "error: No solution found when resolving dependencies\n  cause: Because there is no version of numpy==99.0",
        "error: Failed to build `oldpackage==1.0`\n  cause: the build backend returned an error: connection refused",
        "ERROR: Failed building wheel for oldpackage: timed out",
        "HTTP status client error (404 Not Found) for url (https://index.example/simple/x/)",
        f"{RETRY}ERROR: Could not find a version that satisfies the requirement uv==99 (from versions: 0.1.0, 0.2.0)",
        f"{RETRY}error: the script of a package failed",
        "ERROR: failed to build: failed to solve: process did not complete successfully: exit code: 1",
        "manifest unknown",
        "os error 280",
        "no version of keras==3.99",
        "500 bad gateway",
        "505 service",
        "reset",
        "unreachable",
        "",
    ],
)
def test_a_failure_of_the_cell_is_no_outage(text: str) -> None:
    assert outage.of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "error sending request",
        "dns error: x",
        "failed to lookup address",
        "Temporary failure in name resolution",
        "dial tcp: lookup x: no such host",
        "Name or service not known",
        "connection reset by peer",
        "connection refused",
        "Connection closed",
        "('Connection aborted.', ConnectionResetError(104))",
        "operation timed out",
        "timeout",
        "time out",
        "unexpected EOF",
        "i/o timeout",
        "TLS handshake failed",
        "HTTP status server error (502 Bad Gateway)",
        "503 Service Unavailable",
        "504 Gateway",
        "IncompleteMessage: incomplete message",
        "error decoding response body",
        "network is unreachable",
        "No route to host",
        "Max retries exceeded",
    ],
)
def test_each_word_of_a_failing_network_is_known(text: str) -> None:
    found = outage.of(text)
    assert found is not None
    assert (found.cause, str(found)) == (Cause.NETWORK, "the package index cannot be reached")


def test_the_disk_is_named_and_a_full_one_outranks_what_follows_from_it() -> None:
    found = outage.of("no space left on device\nconnection reset by peer", "the disk of /x")
    assert str(found) == "no space is left on the disk of /x"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_known_by_the_systems_number(number: int) -> None:
    found = outage.of_os(OSError(number, "in any language"), "the disk of /x")
    assert found is not None
    assert (found.cause, str(found)) == (Cause.DISK, "no space is left on the disk of /x")
    assert outage.of_os(OSError(errno.EACCES, "no")) is None


def test_an_engine_that_refuses_this_user_is_not_to_be_started() -> None:
    assert outage.of_engine("no engine answers (Connection refused)").way_out.startswith("start the Docker engine")
    assert outage.of_engine("no engine answers (Permission denied)").way_out.startswith("add this user to the group")


@pytest.mark.parametrize(
    ("fails", "cause", "calls", "answer"),
    [
        (0, Cause.ENGINE, 1, "done"),
        (1, Cause.ENGINE, 2, "done"),
        (2, Cause.ENGINE, 2, "out"),
        (1, Cause.NETWORK, 1, "out"),
        (1, Cause.DISK, 1, "out"),
    ],
)
def test_an_engine_gets_a_second_attempt(
    monkeypatch: pytest.MonkeyPatch, fails: int, cause: Cause, calls: int, answer: str
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    made: list[int] = []

    def act() -> str:
        made.append(1)
        if len(made) <= fails:
            raise OutageError(cause, "out", "wait")
        return "done"

    try:
        found = outage.patiently(act)
    except OutageError as error:
        found = str(error)
    assert (len(made), found, slept) == (calls, answer, [outage.PAUSE_S] * (calls - 1))
