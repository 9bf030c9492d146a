"""Addresses of schedulers, and words that name a cluster. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from runner.errors import UsageError, suggest

_ADDRESS = re.compile(r"(?P<protocol>[a-z]+)://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_HOST = re.compile(r"(?P<host>(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9._-]*)(?:=(?P<program>/[A-Za-z0-9._/+-]+))?")
_KINDS = ("local", "ssh")
_MOST_LOCAL = 64


@dataclass(frozen=True, slots=True)
class Address:
    """Where a scheduler is."""

    protocol: str
    """``tcp`` or ``tls``."""
    host: str
    port: int

    @property
    def text(self) -> str:
        """The address as Dask takes it."""
        return f"{self.protocol}://{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        name = self.host.strip("[]")
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"


@dataclass(frozen=True, slots=True)
class Remote:
    """A machine that is reached by ssh."""

    host: str
    """``name`` or ``user@name``."""
    program: str = "runner"
    """The program there."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Workers that this program starts, and ends with itself."""

    local: int = 0
    """Workers on this machine."""
    remotes: tuple[Remote, ...] = ()


def scheduler(text: str, *, insecure: bool = False) -> Address:
    """Read the address of a scheduler.

    Raises UsageError where it is not one, and for plain TCP beyond this machine unless ``insecure``.

    >>> scheduler("tls://night.example:8786")
    Address(protocol='tls', host='night.example', port=8786)
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise UsageError(f"{text!r} is not the address of a scheduler (example: tls://host:8786)")
    if found["protocol"] not in ("tls", "tcp"):
        raise UsageError(f"{text!r}: {found['protocol']}:// is not supported; use tls:// or, on this machine, tcp://")
    address = Address(found["protocol"], found["host"], int(found["port"]))
    if address.protocol == "tcp" and not address.loopback and not insecure:
        raise UsageError(
            f"{text}: plain TCP lets anybody on the network run programs on all workers; use tls:// with --tls FOLDER, "
            "or give --insecure for a network that you trust"
        )
    return address


def cluster(text: str) -> Cluster:
    """Read ``local:2`` or ``ssh:a,b,mac``. Raises UsageError.

    >>> cluster("ssh:me@a,b=/opt/matrix/bin/runner").remotes[1]
    Remote(host='b', program='/opt/matrix/bin/runner')
    """
    kind, colon, rest = text.partition(":")
    if kind not in _KINDS:
        raise UsageError(f"--cluster {text!r}: no {kind!r}{suggest(kind, _KINDS)}; there are: local:N, ssh:HOST,HOST")
    if not colon or not rest:
        raise UsageError(f"--cluster {text!r}: nothing after {kind}; write local:2 or ssh:a,b")
    if kind == "local":
        if not rest.isdecimal() or not 1 <= int(rest) <= _MOST_LOCAL:
            raise UsageError(f"--cluster {text!r}: {rest!r} is not a number of workers from 1 to {_MOST_LOCAL}")
        return Cluster(local=int(rest))
    return Cluster(remotes=_remotes(text, rest.split(",")))


def _remotes(text: str, words: Sequence[str]) -> tuple[Remote, ...]:
    found = []
    for word in words:
        parts = _HOST.fullmatch(word)
        if parts is None:
            raise UsageError(
                f"--cluster {text!r}: {word!r} is not a host: write HOST, USER@HOST or HOST=/path/to/runner"
            )
        found.append(Remote(parts["host"], parts["program"] or "runner"))
    return tuple(found)
