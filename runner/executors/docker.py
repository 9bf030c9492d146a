"""Runs cells in containers.

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
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import engine
from runner.errors import UnavailableError
from runner.executors import Launch, Prepared, Room, Say, Shell, shell
from runner.executors import container as recipe
from runner.executors.owner import Owner
from runner.executors.process import oom_kills, tail
from runner.model import Cell, Environment, Outcome
from runner.util import outage

if TYPE_CHECKING:
    from docker.api.client import APIClient

    from runner.environments.lockfile import Lock
    from runner.images import Builder, Image

Build = Callable[[Environment, Say], Prepared]
"""Makes or finds the image of an environment."""
Identity = Callable[[Environment], str]
"""The hash of an environment's lock."""

GRACE_S = 3
"""From SIGTERM to SIGKILL for a container past its deadline."""
_WAIT_SLICE_S = 20.0
"""How long one request waits for a container's end; then the engine is asked whether it is still there."""
_OOM_FLAG_DELAY_S = 0.3
"""How long an engine may take to learn from the kernel why a container was killed."""


def _lock_hash(environment: Environment) -> str:
    from runner.environments import lock

    return lock.locked(environment).sha256


class DockerExecutor:
    """Runs cells in containers of one engine. Safe to use from several threads."""

    label = "containers"
    isolated = True

    def __init__(self, build: Build | None = None, identity: Identity = _lock_hash, *, grace_s: int = GRACE_S) -> None:
        self.run_id = secrets.token_hex(6)
        self._build = build or self._image
        self._finds = build is None
        self._builder: Builder | None = None
        self._identity = identity
        self._grace_s = grace_s
        self._numbers = itertools.count(1)
        self._connecting = threading.Lock()
        self._api: APIClient | None = None
        self._engine = engine.Engine()
        self._owner = Owner.this()
        self._change = threading.Condition()
        self._active = 0
        self._closed = False

    def available(self) -> str:
        """Return why no engine can be used; empty where one answers."""
        return engine.problem()

    def cells(self, device: str) -> tuple[Cell, ...]:  # noqa: ARG002 - the protocol's
        """Return none: an image is made for every cell."""
        return ()

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

    def find(self, environment: Environment) -> Prepared | None:
        """Find the environment's image. Raises UnavailableError where no engine answers."""
        from runner.environments import lock

        if not self._finds:  # the image comes from elsewhere
            return None
        pinned = lock.locked(environment)
        image = self._builds().find(environment, pinned)
        return _prepared(environment, pinned, image) if image else None

    def connect(self) -> engine.Engine:
        """Reach the engine, once; sweep away what dead runs left there.

        Raises UnavailableError where no engine answers.
        """
        with self._connecting:
            if self._api is None:
                api = engine.connect()
                self._engine = engine.describe(api)
                self._api = api
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

    def shell(self, wanted: Shell) -> int:
        """Start a container for this terminal.

        Raises UnavailableError without a docker command line.
        """
        return shell.in_container(wanted)

    def discard(self, prepared: Prepared) -> None:
        """Remove the environment's image. Raises UnavailableError where no engine answers."""
        from runner.images import manage

        with closing(engine.connect()) as client:
            name = prepared.environment.id
            manage.remove(client, [image for image in manage.ls(client) if image.environment == name])

    def make_room(self, room: Room, protected: Collection[str]) -> None:
        """Evict images of this program."""
        from runner.images import manage

        with closing(engine.connect()) as client:
            manage.evict(client, room.images, room.free_gb, protected)

    def close(self) -> None:
        """Stop builds and containers of this run, wait for their threads."""
        if self._builder:
            self._builder.close()
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

    def _image(self, environment: Environment, say: Say) -> Prepared:
        """Find the image of the environment's lock, or build it."""
        from runner.environments import lock

        pinned = lock.locked(environment, say)
        return _prepared(environment, pinned, self._builds().build(environment, pinned, say))

    def _builds(self) -> Builder:
        from runner.images import Builder

        with self._connecting:
            self._builder = self._builder or Builder()
            return self._builder

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


def _prepared(environment: Environment, pinned: Lock, image: Image) -> Prepared:
    return Prepared(
        environment, image.id, pinned.sha256, pinned.packages, pinned.notes, image.size_bytes, image.seconds
    )


def sweep(api: APIClient) -> int:
    """Remove the containers of this host's ended runs. Returns how many.

    Those of live runs and those that a user had kept stay.
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
    """Rename an ended container so that nothing removes it."""
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
        except engine.transport_errors():
            if not api.inspect_container(name)["State"]["Running"]:
                return True
            time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
        else:
            return True


def _stop(api: APIClient, name: str, grace_s: int) -> None:
    """Send SIGTERM, after the grace SIGKILL.

    Both fail harmlessly on a container that has just ended.
    """
    import docker

    try:
        api.stop(name, timeout=grace_s)
    except docker.errors.APIError:
        with suppress(docker.errors.APIError):
            api.kill(name)
    api.wait(name, timeout=engine.REQUEST_TIMEOUT_S)


def _why_killed(api: APIClient, name: str, state: dict[str, Any], kills_before: int) -> dict[str, Any]:
    """Find out why a container was killed that nobody asked to kill.

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
    with suppress(*engine.errors()):
        api.remove_container(container, force=True, v=True)


def _remove_all(api: APIClient, filters: dict[str, list[str]]) -> bool:
    """Whether there was anything to remove."""
    try:
        found = _list(api, filters)
    except engine.errors():
        return False
    found = [entry for entry in found if not recipe.is_kept(entry)]
    for entry in found:
        _remove(api, entry["Id"])
    return bool(found)


def _list(api: APIClient, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.containers(all=True, filters=filters)
    return found


@contextmanager
def _one_line(launch: Launch) -> Iterator[None]:
    """Turn what docker-py raises into the project's errors."""
    import docker

    try:
        yield
    except docker.errors.APIError as error:
        raise recipe.engine_error(str(error.explanation or error), launch) from error
    except engine.errors() as error:
        raise outage.of_engine("the Docker engine stopped answering") from error
