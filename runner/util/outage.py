"""Distinguishes outages of engine, network and disk from failures of a cell.

An outage stops every cell, so a run reports it once and builds nothing more. All texts by which builders, uv, pip and
the engine report an outage are in this module. They were collected from engines and networks broken on purpose.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from runner.errors import Cause, OutageError

T = TypeVar("T")

PAUSE_S = 2.0
"""How long an engine that does not answer gets before it is asked again. A restart takes about a second."""
DISK = "the disk"
ENGINE_DISK = "the Docker engine's disk"

AGAIN = "then run the same command again"
_START = f"start the Docker engine or set DOCKER_HOST, {AGAIN}"
_RESTART = f"restart the Docker engine, {AGAIN}"
_ALLOW = f"add this user to the group `docker` or set DOCKER_HOST, {AGAIN}"
NETWORK_WAY_OUT = f"check the network (DNS, HTTPS_PROXY, UV_DEFAULT_INDEX), {AGAIN}"
_CONNECTION = (
    r"error sending request|dns error|failed to lookup address|temporary failure in name resolution|no such host"
    r"|name or service not known|connection (?:reset|refused|closed|aborted)|timed? ?out|unexpected eof|i/o timeout"
    r"|tls handshake|50[234] (?:bad gateway|service|gateway)|no route to host"
    r"|incomplete message|error decoding response body|network is unreachable|max retries exceeded"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A text, and what it means."""

    pattern: str
    cause: Cause | None
    """None: the failure is the cell's own, whatever else the text says."""
    reason: str = ""
    way_out: str = ""


_RULES = (
    _Rule(
        r"no space left on device|os error 28\b|errno 28\b|disk quota exceeded|os error 122\b",
        Cause.DISK,
        "no space is left on {disk}",
        f"make room there, {AGAIN}",
    ),
    _Rule(
        r"permission denied while trying to connect to the docker|dial unix \S+ connect: permission denied",
        Cause.ENGINE,
        "this user may not use the Docker engine's socket",
        _ALLOW,
    ),
    _Rule(
        r"cannot connect to the docker daemon|transport is closing|error reading from server: eof"
        r"|error during connect|graceful_stop|server did not provide an image id",
        Cause.ENGINE,
        "the Docker engine stopped answering",
        _START,
    ),
    _Rule(
        r"could not find bridge|network bridge not found", Cause.NETWORK, "Docker's network bridge is missing", _RESTART
    ),
    _Rule(
        r"on network bridge|iptables failed",
        Cause.NETWORK,
        "Docker's network bridge does not work",
        _RESTART,
    ),
    _Rule(
        r"hash mismatch|no solution found|requirements are unsatisfiable|failed to build `|failed building wheel"
        r"|\(from versions: (?!none\))|status client error \((?!407|408|429)4|manifest unknown|pull access denied",
        None,
    ),
    _Rule(
        r"toomanyrequests|pull rate limit",
        Cause.NETWORK,
        "the registry of the base image allows no more pulls now",
        f"log in with `docker login` or wait, {AGAIN}",
    ),
    _Rule(
        r"invalid peer certificate|certificate verify failed|certificate signed by unknown authority|unknownissuer",
        Cause.NETWORK,
        "the certificate of a server is not trusted",
        f"set SSL_CERT_FILE to the certificates of this network, {AGAIN}",
    ),
    _Rule(
        r"proxyconnect|tunnel error|cannot connect to proxy|proxy authentication required",
        Cause.NETWORK,
        "the proxy does not answer or refuses",
        f"check HTTPS_PROXY and ALL_PROXY, {AGAIN}",
    ),
    _Rule(
        rf"/v2/[^\n]*(?:{_CONNECTION})",
        Cause.NETWORK,
        "the registry of the base image cannot be reached",
        f"check the network of the Docker engine (DNS, proxy), {AGAIN}",
    ),
    _Rule(
        _CONNECTION,
        Cause.NETWORK,
        "the package index cannot be reached",
        NETWORK_WAY_OUT,
    ),
)
"""The first that is found in a text counts."""
_LASTING = re.compile(
    r"no solution found|requirements are unsatisfiable|\(from versions: (?!none\))|hash mismatch"
    r"|doesn't have a source distribution or wheel|status client error \((?:404|410)",
    re.IGNORECASE,
)
"""The index has an answer: there is no such release, no wheel for this Python, or a file that is not the locked one."""
_PERHAPS = re.compile(r"hash mismatch|not found in the package registry|status client error", re.IGNORECASE)
"""A broken mirror or proxy prints these, too."""
_COMPILED = tuple((re.compile(rule.pattern, re.IGNORECASE), rule) for rule in _RULES)
_RETRIES = re.compile(r".*WARNING: Retrying .*\n?")
"""What pip prints about a connection that may have worked at its second attempt."""
_NOTHING_FOUND = "(from versions: none)"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def of(text: str, disk: str = DISK) -> OutageError | None:
    """Return the outage that a program's output reports, with the output as its log.

    None where the failure is the cell's own. ``disk`` names the disk that the program writes to.
    """
    said = text if _NOTHING_FOUND in text else _RETRIES.sub("", text)
    rule = next((rule for pattern, rule in _COMPILED if pattern.search(said)), None)
    if rule is None or rule.cause is None:
        return None
    return OutageError(rule.cause, rule.reason.format(disk=disk), rule.way_out, text)


def lasting(text: str) -> bool:
    """Whether a program's output says that the index cannot give what was asked for.

    Asked again, it would say the same. False for all that may pass: an outage, a program that was killed, and texts
    that nobody has seen yet.
    """
    return of(text) is None and _LASTING.search(text) is not None


def perhaps(text: str) -> bool:
    """Whether a lasting answer is to be believed only if it is given twice."""
    return _PERHAPS.search(text) is not None


def of_os(error: OSError, disk: str = DISK) -> OutageError | None:
    """Return the outage that an error of the system means: a full disk, or none."""
    return of("no space left on device", disk) if error.errno in _FULL else None


def of_engine(reason: str, log: str = "") -> OutageError:
    """Return the outage of an engine that does not answer."""
    way_out = _ALLOW if "permission denied" in reason.lower() else _START
    return OutageError(Cause.ENGINE, reason, way_out, log)


def patiently(act: Callable[[], T]) -> T:
    """Call the function, and once more after a pause where the engine did not answer."""
    try:
        return act()
    except OutageError as error:
        if error.cause is not Cause.ENGINE:
            raise
        time.sleep(PAUSE_S)
        return act()
