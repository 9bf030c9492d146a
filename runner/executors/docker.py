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
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import engine
from runner.errors import UnavailableError
from runner.executors import Launch, Prepared, Room, Say, Shell, oom, shell
from runner.executors import container as recipe
from runner.executors.owner import Owner
from runner.executors.process import tail
from runner.model import Cell, Environment, Outcome
from runner.util import outage, scratch
from runner.util.remove import size

if TYPE_CHECKING:
    from docker.api.client import APIClient

    from runner.environments.lockfile import Lock
    from runner.images import Builder, Image
    from runner.images.published import Published

Build = Callable[[Environment, Say], Prepared]
"""Makes or finds the image of an environment."""
Identity = Callable[[Environment], str]
"""The hash of an environment's lock."""

GRACE_S = 3
"""From SIGTERM to SIGKILL for a container past its deadline."""
_WAIT_SLICE_S = 20.0
"""How long one request waits for a container's end; then the engine is asked whether it is still there."""
_DISK_SLICE_S = 2.0
"""The same where what the container writes to this machine is limited: then that is looked at too."""
_OOM_FLAG_DELAY_S = 0.3
"""How long an engine may take to note a signal that it sent, or to learn why the kernel killed a container."""
_CLOSING_REQUEST_S = 3
"""How long a request may take at the end of a run: an engine that hangs must not keep the user waiting."""


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
        self._published: Published | None = None
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
        """Find, pull or build the environment's image.

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

    def pull_from(self, prefix: str, note: Say) -> None:
        """Pull images from a registry in place of building them. Raises UsageError."""
        from runner.images.published import Published

        self._published = Published(prefix, note)

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

        Raises UnavailableError where the engine, the GPU or the image is not there (any more), where the container
        cannot be started, and where somebody else ended, removed or paused it.
        """
        self._check_open()
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
        api, self._api = self._api, None
        if api is None:
            return
        atexit.unregister(self.close)
        api.timeout = _CLOSING_REQUEST_S
        # a thread may be creating its container just now: it finds the run closed and removes it, or this loop does
        deadline = time.monotonic() + 8.0
        while time.monotonic() < deadline:
            try:
                left = _remove_all(api, recipe.run_filter(self.run_id))
            except engine.errors():  # the next run sweeps what is left there
                break
            with self._change:
                if not left and not self._active:
                    break
                self._change.wait(0.1)
        api.close()

    def _image(self, environment: Environment, say: Say) -> Prepared:
        """Find the image of the environment's lock, or build it."""
        from runner.environments import lock

        pinned = lock.locked(environment, say)
        return _prepared(environment, pinned, self._builds().build(environment, pinned, say))

    def _builds(self) -> Builder:
        from runner.images import Builder

        with self._connecting:
            self._builder = self._builder or Builder(published=self._published)
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
        watched = None if launch.foreign else launch.limits.disk_bytes
        with _one_line(launch), closing(self._watch_memory(api, name)) as memory:
            end = _wait(api, name, began + launch.limits.timeout_s, launch.io, watched)
            if end is not _End.BY_ITSELF:
                self._check_open()
                _check_unpaused(api, name, api.inspect_container(name)["State"], 0.0)
                _stop(api, name, self._grace_s)
            ended = time.monotonic()
            self._check_open()
            state = api.inspect_container(name)["State"]
            log = tail(api.logs(name, stdout=True, stderr=True), launch.limits.log_bytes)
            state = {**state, "OOMKilled": True} if memory.seen else state
            if end is _End.BY_ITSELF and recipe.may_come_from_outside(state):
                state = _explained(api, name, state, ended, log)
            elif end is _End.BY_ITSELF:
                _check_unpaused(api, name, state, time.monotonic() - ended)
        found = recipe.outcome(state, timed_out=end is _End.LATE, wall_s=ended - began, log=log)
        return replace(found, out_of_disk=end is _End.FULL)

    def _watch_memory(self, api: APIClient, name: str) -> oom.Watch:
        """A watch on the container's memory, where the engine's word is not enough.

        Podman reports nothing on cgroup v1, and no engine all of it on v2.
        """
        if not self._engine.podman and self._engine.cgroup != "2":
            return oom.Watch(0, "")
        found = api.inspect_container(name)
        return oom.Watch(int(found["State"].get("Pid") or 0), str(found.get("Id") or ""))


class _End(Enum):
    """What ended the wait for a container."""

    BY_ITSELF = auto()
    LATE = auto()
    FULL = auto()


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
            scratch.discard(Path(folder))
        gone.append(recipe.cell_of(entry))
    return gone


def _keep(api: APIClient, launch: Launch, name: str, outcome: Outcome) -> Outcome:
    """Rename an ended container so that nothing removes it."""
    other = recipe.kept_name(name)
    with _one_line(launch):
        api.rename(name, other)
    return replace(outcome, kept=recipe.way_in(launch, other, uid=os.getuid(), gid=os.getgid()))


def _wait(api: APIClient, name: str, deadline: float, io: Path, disk_bytes: int | None) -> _End:
    """Wait for a container's end, its deadline, or too much in its folder ``io``.

    The deadline is one of ``time.monotonic``.
    docker-py's own timeout is only that of one HTTP request, so a request that fails says nothing about the
    container: the engine is asked, and where it answers, waited for again.
    """
    slice_s = _WAIT_SLICE_S if disk_bytes is None else _DISK_SLICE_S
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return _End.LATE
        try:
            # the stubs say int; requests takes fractions of a second
            api.wait(name, timeout=max(0.05, min(left, slice_s)))  # type: ignore[arg-type]
        except engine.transport_errors():
            if not api.inspect_container(name)["State"]["Running"]:
                return _End.BY_ITSELF
            if disk_bytes is not None and size(io) > disk_bytes:
                return _End.FULL
            time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
        else:
            return _End.BY_ITSELF


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


def _explained(api: APIClient, name: str, state: dict[str, Any], ended: float, log: str) -> dict[str, Any]:
    """The state of a container that a signal ended, as its engine explains it.

    ``ended`` is when that was seen, of ``time.monotonic``. Only what the engine reports about this very container
    counts: another process of the machine may run out of memory, or be killed, at the same moment. Raises
    UnavailableError where somebody used the engine to end it, and where nobody says who sent SIGKILL.
    """
    until = time.monotonic() + _OOM_FLAG_DELAY_S
    while True:
        events = _events(api, name, state, time.monotonic() - ended)
        if state.get("OOMKilled") or recipe.interference(events, "oom"):
            return {**state, "OOMKilled": True}
        if by_hand := recipe.interference(events, "kill", "stop", "restart", "pause"):
            raise UnavailableError(by_hand, log)
        # the engine notes a signal after it has sent it; on cgroup v2 it learns of its kernel's kill late
        if time.monotonic() > until:
            if not recipe.killed(state):
                return state
            raise UnavailableError(
                "something killed the container's process (SIGKILL), and the engine does not say what: "
                "a person, or the system for want of memory",
                log,
            )
        time.sleep(0.05)
        state = api.inspect_container(name)["State"]


def _check_unpaused(api: APIClient, name: str, state: Mapping[str, Any], since_end_s: float) -> None:
    """Raise UnavailableError where somebody has paused the container.

    Its time passes all the same, so neither its timings nor a deadline that has passed mean anything.
    """
    if state.get("Paused") or recipe.interference(_events(api, name, state, since_end_s), "pause"):
        raise UnavailableError("somebody paused the container while it ran")


def _events(api: APIClient, name: str, state: Mapping[str, Any], since_end_s: float) -> list[dict[str, Any]]:
    """What the engine has noted about a container since its start."""
    window = recipe.window(state, since_end_s)
    if window is None:
        return []
    ask: Any = api.events  # the stubs know whole seconds only
    with closing(ask(since=window[0], until=window[1], filters={"container": [name]}, decode=True)) as stream:
        return list(stream)


def _remove(api: APIClient, container: str) -> None:
    # an engine that is gone cannot remove: the sweep of the next run does
    with suppress(*engine.errors()):
        api.remove_container(container, force=True, v=True)


def _remove_all(api: APIClient, filters: dict[str, list[str]]) -> bool:
    """Whether there was anything to remove.

    Raises what docker-py raises where the engine does not answer.
    """
    found = [entry for entry in _list(api, filters) if not recipe.is_kept(entry)]
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
