"""Runs the program under test as a user does, with its own folders and engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from judged import Ended

HANGS_S = 150.0
"""A run that takes longer than this hangs. One without a fault takes some seconds."""
_KEPT = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")


def variables(root: Path, *, home: Path, address: str, index: str) -> dict[str, str]:
    """The variables of a run whose folders are all below ``root``."""
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(home),
        "TMPDIR": str(root / "tmp"),
        "XDG_CACHE_HOME": str(root / "cache"),
        "XDG_DATA_HOME": str(root / "data"),
        "DOCKER_HOST": address,
        "UV_DEFAULT_INDEX": index,
        "UV_CACHE_DIR": str(root / "uv"),  # empty for every try: packages are really fetched
        "UV_HTTP_RETRIES": "0",
        "UV_PYTHON_DOWNLOADS": "never",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "160",
    }


@dataclass
class Run:
    """A run that was started."""

    process: subprocess.Popen[bytes]
    log: Path
    began: float

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to the runner, or to all of its group as a terminal does."""
        with suppress(ProcessLookupError):
            if group:
                os.killpg(self.process.pid, number)
            elif self.process.poll() is None:
                self.process.send_signal(number)

    def wait(self, timeout_s: float = HANGS_S) -> Ended:
        """Wait for the end; kill the run where it hangs."""
        try:
            code: int | None = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        return Ended(code, self.log.read_text(errors="replace"), time.monotonic() - self.began)

    @property
    def running(self) -> bool:
        """Whether the runner has not ended."""
        return self.process.poll() is None


def start(
    stage: Path,
    words: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    python: Sequence[str] = (sys.executable,),
) -> Run:
    """Start ``python -m runner WORDS`` in the private copy of the program."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*python, "-m", "runner", *words], cwd=stage, env=dict(environment),
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    return Run(process, log, time.monotonic())
