"""Shared fixtures. Unit tests can reach no engine, no network and no subprocess: those are poisoned here."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes is a matter of the machine and of what else runs on it
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("any-machine")

SHOWN = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES", "TERM", "COLORTERM")
"""Variables of the caller's shell that change how rich and click lay text out."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("engine")
    group.addoption(
        "--engine", action="store_true", help="run the tests that need a real Docker engine, if one answers"
    )
    group.addoption("--require-engine", action="store_true", help="as --engine, but fail where no engine answers")
    group.addoption(
        "--blocks", action="store_true", help="with either: the console blocks of the docs too (minutes; package index)"
    )
    group = parser.getgroup("cluster")
    group.addoption("--require-cluster", action="store_true", help="fail where Dask is not installed")
    group = parser.getgroup("browser")
    group.addoption("--require-browser", action="store_true", help="fail where the HTML report cannot be opened")


def _engine_answers() -> str:
    """Empty where a Docker engine answers, else why not."""
    try:
        import docker

        docker.from_env(timeout=5).ping()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, it is the reason for not running these tests
        return f"no Docker engine answers: {error}"
    return ""


def _browser_starts() -> str:
    """Empty where the browser's tests can run, else why not."""
    import chromium

    return chromium.missing()


def _cluster_works() -> str:
    """Empty where the extra ``cluster`` is installed, else why not."""
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError:
        return "the extra `cluster` is not installed"
    return ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    engine = config.getoption("--require-engine")
    why = _engine_answers if engine or config.getoption("--engine") else lambda: "needs --engine (or --require-engine)"
    _decided("engine", engine, why, items)
    _decided("cluster", config.getoption("--require-cluster"), _cluster_works, items)
    _decided("browser", config.getoption("--require-browser"), _browser_starts, items)


def _decided(marker: str, required: bool, answer: Callable[[], str], items: list[pytest.Item]) -> None:
    """Skip the tests with a marker where what they need is missing; where it is required, nothing runs."""
    marked = [item for item in items if item.get_closest_marker(marker)]
    why = answer() if marked else ""
    if why and required:
        raise pytest.UsageError(f"--require-{marker} was given, but {why}")
    if why:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(autouse=True)
def machine_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A test takes no turns with what else runs on this machine."""
    from runner.util import folders

    monkeypatch.setattr(folders, "machine_lock", lambda: tmp_path_factory.getbasetemp() / "machine.lock")


def _poisoned(what: str) -> Any:
    def refuse(*_args: object, **_kwargs: object) -> None:
        pytest.fail(f"a unit test tried to reach {what}")

    return refuse


def _home(other: Path) -> Path:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and a user id without an entry in passwd: a container's
        return other


@pytest.fixture(autouse=True)
def _isolated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test has its own cache and data folders; unit tests have no way out of the process."""
    # uv's downloads are shared between tests and runs; everything else of the user's is out of reach
    monkeypatch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR") or str(_home(tmp_path) / ".cache" / "uv"))
    for name in (*SHOWN, "RUNNER_HISTORY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name))
    if not Path(str(request.node.path)).is_relative_to(Path(__file__).parent / "unit"):
        return
    monkeypatch.setattr(socket.socket, "connect", _poisoned("the network or an engine"))
    monkeypatch.setattr(socket, "create_connection", _poisoned("the network"))
    monkeypatch.setattr(subprocess.Popen, "__init__", _poisoned("a subprocess"))
    monkeypatch.setattr(os, "system", _poisoned("a shell"))
