"""Finds an environment's image by its content tag, or builds it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner import engine
from runner.environments.lockfile import Lock
from runner.errors import BuildError, Cause, OutageError, UnavailableError
from runner.images import buildkit, classic, disk, usage
from runner.images.network import Network
from runner.images.published import Published
from runner.images.recipe import LABELS, Recipe, recipe
from runner.model import Environment
from runner.util import outage

if TYPE_CHECKING:
    from docker.api.client import APIClient

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is ready to run."""

    id: str
    tag: str
    size_bytes: int
    """All layers, the base's too, as the engine counts them unpacked."""
    seconds: float
    """What making it took; about nothing where it was there."""
    cached: bool


class Builder:
    """Builds images on one engine. Thread-safe; keep one for a whole run.

    ``how`` is ``auto`` (BuildKit where a command line has it), ``buildkit`` or ``classic``. ``published``: images that
    are pulled and not built.
    """

    def __init__(
        self,
        client: APIClient | None = None,
        how: str = "auto",
        network: Network | None = None,
        published: Published | None = None,
    ) -> None:
        self._client = client
        self._how = how
        self._network = network
        self._published = published
        self._engine: engine.Engine | None = None
        self._running = buildkit.Running()
        self._guard = threading.Lock()
        self._layers: dict[str, threading.Lock] = {}

    def find(self, environment: Environment, lock: Lock) -> Image | None:
        """The environment's image where it is there already: one request to the engine.

        Raises UnavailableError where no engine answers.
        """
        return self._inspect(recipe(environment, lock), time.monotonic(), cached=True)

    def build(self, environment: Environment, lock: Lock, say: Say = lambda _: None) -> Image:
        """The environment's image, pulled or built where it is not there.

        Raises BuildError with the builder's own reason and log; OutageError where the engine, its disk or the network
        gives out, and UnavailableError for another platform.
        """
        began = time.monotonic()
        wanted = recipe(environment, lock)
        found = self._inspect(wanted, began, cached=True)
        if found:
            return found
        if self._published and self._published.fetch(self.client(), environment, lock, say):
            found = self._inspect(wanted, began, cached=False)
            if found:
                return found
        with self._layer(wanted.framework_key, say):
            # whoever built the framework's layer may have built this very image
            found = self._inspect(wanted, began, cached=True)
            if found:
                return found
            self._check_possible(wanted, lock)
            self._attempt(wanted, say)
        built = self._inspect(wanted, began, cached=False)
        if built is None:
            raise BuildError(f"{wanted.tag} was built, and is not there: is another engine selected?")
        return built

    def close(self) -> None:
        """Stop the builds that are running."""
        self._running.stop()

    def client(self) -> APIClient:
        """The engine's client. Raises UnavailableError where none answers."""
        with self._guard:
            if self._client is None:
                self._client = engine.connect()
            return self._client

    def describe(self) -> engine.Engine:
        """What the engine is. Raises UnavailableError where none answers."""
        client = self.client()
        with self._guard:
            if self._engine is None:
                self._engine = engine.describe(client)
            return self._engine

    def uses_buildkit(self) -> bool:
        """Whether builds go through BuildKit.

        Raises UnavailableError where it was asked for and is missing.
        """
        command = None if self._how == "classic" or self.describe().podman else engine.buildkit()
        if command is None and self._how == "buildkit":
            raise UnavailableError("no docker command line here has BuildKit")
        return command is not None

    def _attempt(self, wanted: Recipe, say: Say) -> None:
        """Build, and once more where the network failed.

        The cache keeps what was downloaded or built before.
        """
        try:
            self._build(wanted, say)
        except (BuildError, OutageError) as error:
            if not self._answers():
                raise outage.of_engine("the Docker engine stopped answering", error.log) from error
            if not isinstance(error, OutageError) or error.cause is not Cause.NETWORK:
                raise
            say("the network failed; once more")
            self._build(wanted, say)

    def _build(self, wanted: Recipe, say: Say) -> str:
        network = self._network or Network.here()
        command = engine.buildkit() if self.uses_buildkit() else None
        if command:
            return buildkit.build(wanted, command, network, say, self._running)
        return classic.build(wanted, self.client(), network, say)

    def _answers(self) -> bool:
        """Whether the engine is still there: a command line that lost it may say anything."""
        try:
            self.client().ping()
        except engine.errors():
            return False
        return True

    def _check_possible(self, wanted: Recipe, lock: Lock) -> None:
        here = self.describe()
        if wanted.platform != here.platform:
            raise UnavailableError(f"{wanted.environment.id} is for {wanted.platform}; the engine runs {here.platform}")
        self._check_space(wanted, lock, here.root)

    def _check_space(self, wanted: Recipe, lock: Lock, root: str) -> None:
        free = disk.free(root)
        needed = disk.rest_bytes() + disk.RESERVE
        if not self.client().images(quiet=True, filters={"label": f"{LABELS}.layer={wanted.framework_key}"}):
            needed += disk.layer_bytes(wanted.environment, cuda=lock.carries_cuda)
        if free is not None and free < needed:
            raise OutageError(
                Cause.DISK,
                f"an environment needs about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free in {root}",
                "make room, for example with `runner images prune`, then run the same command again",
                everywhere=False,
            )

    def _inspect(self, wanted: Recipe, began: float, *, cached: bool) -> Image | None:
        import docker

        client = self.client()
        with engine.answering():
            try:
                found: dict[str, Any] = client.inspect_image(wanted.tag)  # type: ignore[no-untyped-call]
            except docker.errors.ImageNotFound:
                return None
        usage.mark(wanted.content)
        return Image(found["Id"], wanted.tag, found["Size"], time.monotonic() - began, cached)

    @contextmanager
    def _layer(self, key: str, say: Say) -> Iterator[None]:
        """Let one thread at a time build on a framework's layer."""
        with self._guard:
            lock = self._layers.setdefault(key, threading.Lock())
        if not lock.acquire(blocking=False):
            say("waiting for the framework's layer")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
