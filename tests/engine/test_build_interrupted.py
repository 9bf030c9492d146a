"""An engine that goes away while it builds: between us and the real engine stands a socket that dies."""

from __future__ import annotations

import gc
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runner import engine
from runner.environments import lockfile
from runner.environments.lockfile import Lock
from runner.errors import UnavailableError
from runner.images import Builder
from runner.model import Environment

pytestmark = [
    pytest.mark.engine,
    # docker-py and urllib3 drop a connection that broke without closing it
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

ENGINE = "/var/run/docker.sock"
SLOW = Environment("slow", "1.0", None, "3.11", "cpu", "linux-x86_64")


class Relay:
    """Passes everything between a socket of its own and the engine's, until it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.socket(socket.AF_UNIX)
                upstream.connect(ENGINE)
                self._open += [client, upstream]
                for pair in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def die(self) -> None:
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.path.unlink(missing_ok=True)


@pytest.fixture
def relay(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    if not Path(ENGINE).exists():
        pytest.skip(f"the engine does not listen at {ENGINE}")
    made = Relay(tmp_path_factory.mktemp("e") / "s")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{made.path}")
    yield made
    made.die()


def slow_lock() -> Lock:
    """A lock whose installation cannot end: its package is nowhere, and uv asks for it for a while."""
    digest = hashlib.sha256(str(time.time()).encode()).hexdigest()
    asked = lockfile.Recipe(SLOW.id, SLOW.python, "x", "cpu", "2026-11-20T00:00:00Z", ())
    lines = ("kvm-no-such-package==1.0 \\", f"    --hash=sha256:{digest}")
    return lockfile.parse(lockfile.render(asked, (lines, ()), (), ""), Path("slow.txt"))


@pytest.mark.parametrize("how", ["buildkit", "classic"])
def test_an_engine_that_dies_while_it_builds_is_unavailable(how: str, relay: Relay) -> None:
    if how == "buildkit" and engine.buildkit() is None:
        pytest.skip("no docker command line here has BuildKit")
    builder = Builder(how=how)
    builder.describe()

    def die_when_it_installs(said: str) -> None:
        if said.startswith("installing"):
            threading.Timer(0.3, relay.die).start()

    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"stopped answering|does not answer"):
        builder.build(SLOW, slow_lock(), die_when_it_installs)
    assert time.monotonic() - began < 60
    with pytest.raises(UnavailableError):
        builder.build(SLOW, slow_lock())
    builder.client().close()
    del builder
    gc.collect()
