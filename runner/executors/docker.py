"""Cells in containers: the only module that imports docker-py.

create -> start -> own deadline (stop, then kill) -> inspect before remove -> capped log -> remove. The API version is
the one the engine and docker-py agree on, the engine the one that the docker command line would use (``DOCKER_HOST``,
then its current context). docker-py's own ``auto_remove`` and log streaming are not used: the first loses the
exit code, the second breaks after 60 s of silence.
"""

from __future__ import annotations

import atexit
import itertools
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import UnavailableError
from runner.executors import Launch, Prepared, Say
from runner.executors import container as recipe
from runner.executors.owner import Owner
from runner.executors.process import oom_kills, tail
from runner.model import Environment, Outcome

if TYPE_CHECKING:
    from docker.api.client import APIClient

Build = Callable[[Environment, Say], Prepared]
"""Makes or finds the image of an environment."""
Identity = Callable[[Environment], str]
"""The hash of an environment's lock."""

GRACE_S = 3
"""From SIGTERM to SIGKILL for a container past its deadline."""
_WAIT_SLICE_S = 20.0
"""How long one request waits for a container's end; then the engine is asked whether it is still there."""
_REQUEST_TIMEOUT_S = 60
_OOM_FLAG_DELAY_S = 0.3
"""How long an engine may take to learn from the kernel why a container was killed."""


def _lock_hash(environment: Environment) -> str:
    from runner.environments import lock

    return lock.locked(environment).sha256


class DockerExecutor:
    """Runs cells in containers of one engine. Safe to use from several threads."""

    name = "docker"

    def __init__(self, build: Build, identity: Identity = _lock_hash, *, grace_s: int = GRACE_S) -> None:
        self.run_id = secrets.token_hex(6)
        self._build = build
        self._identity = identity
        self._grace_s = grace_s
        self._numbers = itertools.count(1)
        self._connecting = threading.Lock()
        self._api: APIClient | None = None
        self._engine = recipe.Engine()
        self._owner = Owner.this()
        self._change = threading.Condition()
        self._active = 0
        self._closed = False

    def data_path(self, data: Path) -> str:  # noqa: ARG002 - the protocol's; every file is shown at one place
        """The one place where a container finds its data file."""
        return recipe.DATA

    def identity(self, environment: Environment) -> str:
        """The lock's hash; contacts no engine. Raises BuildError where there is no lock."""
        return self._identity(environment)

    def prepare(self, environment: Environment, say: Say) -> Prepared:
        """Build or find the environment's image.

        Raises BuildError, or UnavailableError where no engine answers.
        """
        self.connect()
        return self._build(environment, say)

    def connect(self) -> recipe.Engine:
        """Reach the engine, once; sweep away what dead runs left there.

        Raises UnavailableError where no engine answers.
        """
        with self._connecting:
            if self._api is None:
                self._api, self._engine = connect()
                atexit.register(self.close)
                sweep(self._api)
            return self._engine

    def execute(self, launch: Launch) -> Outcome:
        """Run one container to its end and remove it, also when interrupted.

        Raises UnavailableError where the engine, the GPU or the image is not there (any more), and CellError
        where the container cannot be started for another reason.
        """
        self.connect()
        assert self._api is not None  # noqa: S101 - connect has set it or raised
        api = self._api
        name = f"runner-{self.run_id}-{next(self._numbers)}"
        arguments = recipe.create_arguments(
            launch, engine=self._engine, run=self.run_id, name=name, owner=self._owner, uid=os.getuid(), gid=os.getgid()
        )
        with self._counted():
            try:
                self._start(api, launch, arguments)
                outcome = self._follow(api, launch, name)
                return _keep(api, launch, name, outcome) if launch.keep and launch.keep(outcome) else outcome
            finally:
                _remove(api, name)

    def close(self) -> None:
        """Remove every container of this run, wait for the threads that ran them, let go of the engine."""
        with self._change:
            self._closed = True
        if self._api is None:
            return
        # a thread may be creating its container just now: it finds the run closed and removes it, or this loop does
        deadline = time.monotonic() + 8.0
        while time.monotonic() < deadline:
            left = _remove_all(self._api, recipe.run_filter(self.run_id))
            with self._change:
                if not left and not self._active:
                    break
                self._change.wait(0.1)
        atexit.unregister(self.close)
        self._api.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._change:
            self._active += 1
        try:
            yield
        finally:
            with self._change:
                self._active -= 1
                self._change.notify_all()

    def _start(self, api: APIClient, launch: Launch, arguments: dict[str, Any]) -> None:
        self._check_open()
        host_config = arguments.pop("host_config")
        with _one_line(launch):
            api.create_container(host_config=api.create_host_config(**host_config), **arguments)
            self._check_open()
            api.start(arguments["name"])

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the run was stopped before this cell ended")

    def _follow(self, api: APIClient, launch: Launch, name: str) -> Outcome:
        began = time.monotonic()
        kills_before = oom_kills()
        with _one_line(launch):
            timed_out = not _wait(api, name, began + launch.limits.timeout_s)
            if timed_out:
                _stop(api, name, self._grace_s)
            wall_s = time.monotonic() - began
            self._check_open()
            state = api.inspect_container(name)["State"]
            if recipe.killed_unasked(state, timed_out=timed_out):
                state = _why_killed(api, name, state, kills_before)
            log = tail(api.logs(name, stdout=True, stderr=True), launch.limits.log_bytes)
        return recipe.outcome(state, timed_out=timed_out, wall_s=wall_s, log=log)


def connect(timeout_s: int = _REQUEST_TIMEOUT_S) -> tuple[APIClient, recipe.Engine]:
    """A client for the engine in use, and facts about that engine.

    Raises UnavailableError, in one line, where none answers.
    """
    import docker

    with _one_line(None):
        api = docker.from_env(timeout=timeout_s, max_pool_size=64).api
        return api, recipe.Engine.read(api.info(), api.api_version)


def missing_images(names: Sequence[str], timeout_s: int = _REQUEST_TIMEOUT_S) -> dict[str, str]:
    """Images that the engine in use neither has nor can get from their registry, and why.

    Raises UnavailableError where no engine answers.
    """
    import docker

    missing: dict[str, str] = {}
    api, _ = connect(timeout_s)
    for name in names:
        try:
            api.inspect_image(name)  # type: ignore[no-untyped-call]
        except docker.errors.ImageNotFound:
            try:
                api.inspect_distribution(name)  # type: ignore[no-untyped-call]
            except docker.errors.DockerException as error:
                missing[name] = str(getattr(error, "explanation", None) or error)
            except _transport_errors():
                missing[name] = "its registry does not answer"
    api.close()
    return missing


def sweep(api: APIClient) -> int:
    """Remove the containers of runs on this host that are over, those of live runs never. How many were removed.

    Those that a user had kept stay.
    """
    found = _list(api, {"label": [f"{recipe.LABEL}={recipe.PROJECT}"]})
    dead = [e["Id"] for e in found if recipe.orphaned(e.get("Labels") or {}) and not recipe.is_kept(e)]
    for container in dead:
        _remove(api, container)
    return len(dead)


def kept(api: APIClient) -> list[dict[str, Any]]:
    """The containers that ``--keep-failed`` left, as the engine lists them."""
    return [entry for entry in _list(api, {"label": [f"{recipe.LABEL}={recipe.PROJECT}"]}) if recipe.is_kept(entry)]


def remove_kept(api: APIClient) -> list[str]:
    """Remove those containers and the folders they ran in; the cells they were of."""
    gone = []
    for entry in kept(api):
        _remove(api, entry["Id"])
        if folder := recipe.kept_folder(entry):
            shutil.rmtree(folder, ignore_errors=True)
        gone.append(recipe.cell_of(entry))
    return gone


def _keep(api: APIClient, launch: Launch, name: str, outcome: Outcome) -> Outcome:
    """Give the ended container a name under which nothing removes it, and say how to get in."""
    other = recipe.kept_name(name)
    with _one_line(launch):
        api.rename(name, other)
    return replace(outcome, kept=recipe.way_in(launch, other, uid=os.getuid(), gid=os.getgid()))


def _wait(api: APIClient, name: str, deadline: float) -> bool:
    """Whether the container ended before the deadline (of ``time.monotonic``).

    docker-py's own timeout is only that of one HTTP request, so a request that fails says nothing about the
    container: the engine is asked, and where it answers, waited for again.
    """
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        try:
            # the stubs say int; requests takes fractions of a second
            api.wait(name, timeout=max(0.05, min(left, _WAIT_SLICE_S)))  # type: ignore[arg-type]
        except _transport_errors():
            if not api.inspect_container(name)["State"]["Running"]:
                return True
            time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
        else:
            return True


def _stop(api: APIClient, name: str, grace_s: int) -> None:
    """SIGTERM, after the grace SIGKILL; both fail harmlessly on a container that has just ended."""
    import docker

    try:
        api.stop(name, timeout=grace_s)
    except docker.errors.APIError:
        with suppress(docker.errors.APIError):
            api.kill(name)
    api.wait(name, timeout=_REQUEST_TIMEOUT_S)


def _why_killed(api: APIClient, name: str, state: dict[str, Any], kills_before: int) -> dict[str, Any]:
    """The state of a container that nobody asked to kill, with what can be learned about why.

    On cgroup v2 an engine may learn of its kernel's kill late or never; this machine's kernel counts its own.
    """
    until = time.monotonic() + _OOM_FLAG_DELAY_S
    while not state.get("OOMKilled") and time.monotonic() < until:
        if oom_kills() > kills_before:
            return {**state, "OOMKilled": True}
        time.sleep(0.05)
        state = api.inspect_container(name)["State"]
    return state


def _remove(api: APIClient, container: str) -> None:
    # an engine that is gone cannot remove: the sweep of the next run does
    with suppress(*_engine_errors()):
        api.remove_container(container, force=True, v=True)


def _remove_all(api: APIClient, filters: dict[str, list[str]]) -> bool:
    """Whether there was anything to remove."""
    try:
        found = _list(api, filters)
    except _engine_errors():
        return False
    found = [entry for entry in found if not recipe.is_kept(entry)]
    for entry in found:
        _remove(api, entry["Id"])
    return bool(found)


def _list(api: APIClient, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.containers(all=True, filters=filters)
    return found


def _transport_errors() -> tuple[type[Exception], ...]:
    """What docker-py lets through when a connection breaks or times out."""
    import requests
    import urllib3

    return (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError, OSError)


def _engine_errors() -> tuple[type[Exception], ...]:
    import docker
    import requests

    return (docker.errors.DockerException, requests.RequestException, *_transport_errors())


@contextmanager
def _one_line(launch: Launch | None) -> Iterator[None]:
    """Turn what docker-py raises into the project's errors."""
    import docker

    try:
        yield
    except docker.errors.APIError as error:
        text = str(error.explanation or error)
        if launch is None:
            raise UnavailableError(f"the Docker engine refuses: {text}") from error
        raise recipe.engine_error(text, launch) from error
    except _engine_errors() as error:
        if launch is None:
            raise UnavailableError(f"no Docker engine answers ({_cause(error)})") from error
        raise UnavailableError("the Docker engine stopped answering while the cell ran") from error


def _cause(error: BaseException) -> str:
    """The innermost reason: docker-py wraps a refused connection four times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
