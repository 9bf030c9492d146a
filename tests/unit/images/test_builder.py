"""Builds: what is tried again, what stops them. No engine."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from runner import engine, images
from runner.engine import CommandLine
from runner.environments import lock
from runner.errors import BuildError, Cause, OutageError, UnavailableError
from runner.images import buildkit, classic, disk, failure, usage
from runner.images.network import Network
from runner.images.recipe import Recipe, recipe
from runner.model import Environment

L = "linux-x86_64"
JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", L)
OTHER = Environment("jax", "0.10.2", "3.8.0", "3.11", "cpu", L)
TORCH = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", L)


class Flaky(images.Builder):
    """The network fails once, or always."""

    attempts = 0
    fails = 1

    def _check_possible(self, *_args: object) -> None:
        """Everything is possible."""

    def _answers(self) -> bool:
        return True

    def _inspect(self, *_args: object, **_kwargs: object) -> images.Image | None:
        return images.Image("id", "tag", 1, 0.0, cached=False) if self.attempts > self.fails else None

    def _build(self, *_args: object) -> str:
        self.attempts += 1
        if self.attempts <= self.fails:
            raise failure.error("x", ["error sending request for url"])
        return "id"


def test_a_failed_download_is_tried_once_more() -> None:
    builder = Flaky()
    assert builder.build(JAX, lock.committed(JAX)).id == "id"
    assert builder.attempts == 2


def test_and_not_for_ever() -> None:
    builder = Flaky()
    builder.fails = 99
    with pytest.raises(OutageError, match="the package index cannot be reached"):
        builder.build(JAX, lock.committed(JAX))
    assert builder.attempts == 2


def test_a_wheel_without_the_committed_hash_is_another_image(tmp_path: Path) -> None:
    pinned = lock.committed(JAX)
    other = replace(pinned, sha256="0" * 64)
    assert images.render(JAX, pinned) != images.render(JAX, other)


class Engine:
    """Stands in for docker-py's APIClient: images by tag, and the labels of the layers that are there."""

    def __init__(self) -> None:
        self.images_here: dict[str, dict[str, Any]] = {}
        self.layers: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.broken: Exception | None = None
        self.facts: dict[str, Any] = {"Architecture": "x86_64", "DockerRootDir": "/docker"}

    @property
    def api(self) -> Any:
        return self

    def ping(self) -> None:
        if self.broken:
            raise self.broken

    def info(self) -> dict[str, Any]:
        self.ping()
        return self.facts

    def version(self) -> dict[str, Any]:
        return {"Components": [{"Name": self.facts.get("name", "Engine")}]}

    def inspect_image(self, tag: str) -> dict[str, Any]:
        self.ping()
        if tag not in self.images_here:
            raise docker.errors.ImageNotFound(tag)
        return self.images_here[tag]

    def images(self, quiet: bool, filters: dict[str, str]) -> list[str]:
        self.asked.append({"quiet": quiet, "filters": filters})
        return self.layers


RECIPE = recipe(JAX, lock.committed(JAX))
HERE = {"Id": "sha256:abc", "Size": 123}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine without images, with room on its disk."""
    monkeypatch.setattr(disk, "free", lambda root: 10**13 if root == "/docker" else None)
    monkeypatch.setattr(engine, "buildkit", lambda: None)
    return Engine()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, client: Engine) -> list[str]:
    """The builders that were used, in order; each build ends well."""
    used: list[str] = []

    def by_buildkit(wanted: Recipe, command: CommandLine, *_: Any) -> str:
        used.append(f"buildkit {command.path}")
        client.images_here[wanted.tag] = HERE
        return "id"

    def by_classic(wanted: Recipe, api: Any, *_: Any) -> str:
        assert api is client
        used.append("classic")
        client.images_here[wanted.tag] = HERE
        return "id"

    monkeypatch.setattr(buildkit, "build", by_buildkit)
    monkeypatch.setattr(classic, "build", by_classic)
    return used


class TestFind:
    def test_an_image_that_is_there_is_found_and_its_use_noted(self, client: Engine) -> None:
        client.images_here[RECIPE.tag] = HERE
        assert usage.last_used(RECIPE.content) is None
        found = images.Builder(client.api).find(JAX, lock.committed(JAX))
        assert found is not None
        assert (found.id, found.tag, found.size_bytes, found.cached) == ("sha256:abc", RECIPE.tag, 123, True)
        assert 0 <= found.seconds < 60
        assert usage.last_used(RECIPE.content) is not None

    def test_an_image_that_is_not_there_is_none(self, client: Engine) -> None:
        assert images.Builder(client.api).find(JAX, lock.committed(JAX)) is None
        assert usage.last_used(RECIPE.content) is None

    def test_an_engine_that_does_not_answer_is_unavailable(self, client: Engine) -> None:
        client.broken = requests.ConnectionError("gone")
        with pytest.raises(UnavailableError, match=r"^the Docker engine does not answer \(gone\)$"):
            images.Builder(client.api).find(JAX, lock.committed(JAX))


class TestBuild:
    def test_it_is_built_once_and_then_found(self, client: Engine, built: list[str]) -> None:
        builder = images.Builder(client.api)
        first, second = (builder.build(JAX, lock.committed(JAX)) for _ in range(2))
        assert (first.id, first.cached, second.cached) == ("sha256:abc", False, True)
        assert built == ["classic"]

    def test_buildkit_is_used_where_a_command_line_has_it(
        self, client: Engine, built: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "buildkit", lambda: CommandLine("/usr/bin/docker", buildx=True))
        assert images.Builder(client.api).uses_buildkit()
        images.Builder(client.api).build(JAX, lock.committed(JAX))
        assert not images.Builder(client.api, "classic").uses_buildkit()
        assert built == ["buildkit /usr/bin/docker"]
        client.facts["name"] = "Podman Engine"
        assert not images.Builder(client.api).uses_buildkit()

    def test_buildkit_that_is_asked_for_must_be_there(self, client: Engine) -> None:
        assert not images.Builder(client.api).uses_buildkit()
        with pytest.raises(UnavailableError, match=r"^no docker command line here has BuildKit$"):
            images.Builder(client.api, "buildkit").uses_buildkit()

    def test_an_image_that_is_not_there_after_its_build_is_an_error(
        self, client: Engine, built: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(classic, "build", lambda *_: "id")
        with pytest.raises(BuildError) as caught:
            images.Builder(client.api).build(JAX, lock.committed(JAX))
        assert str(caught.value) == f"{RECIPE.tag} was built, and is not there: is another engine selected?"
        assert built == []

    def test_the_network_of_this_machine_goes_along(self, client: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        passed: list[Network] = []

        def by_classic(_wanted: Recipe, _api: Any, network: Network, _say: Any) -> str:
            passed.append(network)
            client.images_here[RECIPE.tag] = HERE
            return "id"

        monkeypatch.setattr(classic, "build", by_classic)
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
        images.Builder(client.api).build(JAX, lock.committed(JAX))
        client.images_here.clear()
        images.Builder(client.api, network=Network({"A": "b"})).build(JAX, lock.committed(JAX))
        assert passed[0].variables["HTTPS_PROXY"] == "http://proxy.example"
        assert passed[1] == Network({"A": "b"})

    def test_an_image_for_another_platform_is_not_built(self, client: Engine, built: list[str]) -> None:
        client.facts["Architecture"] = "aarch64"
        with pytest.raises(UnavailableError) as caught:
            images.Builder(client.api).build(JAX, lock.committed(JAX))
        assert str(caught.value) == f"{JAX.id} is for linux/amd64; the engine runs linux/arm64"
        assert built == []

    @pytest.mark.parametrize(
        ("layers", "free", "enough"),
        [
            ([], "all", True),
            ([], "rest", False),
            (["id"], "rest", True),
            (["id"], "less", False),
            ([], "unknown", True),
        ],
    )
    def test_only_what_fits_is_built(
        self, client: Engine, built: list[str], monkeypatch: pytest.MonkeyPatch, layers: list[str], free: str,
        enough: bool,
    ) -> None:  # fmt: skip
        client.layers = layers
        rest = disk.rest_bytes() + disk.RESERVE
        whole = rest + disk.layer_bytes(JAX, cuda=False)
        amounts = {"all": whole, "rest": rest, "less": rest - 1, "unknown": None}
        monkeypatch.setattr(disk, "free", lambda _root: amounts[free])
        builder = images.Builder(client.api)
        if enough:
            builder.build(JAX, lock.committed(JAX))
        else:
            needed = rest if layers else whole
            with pytest.raises(OutageError) as caught:
                builder.build(JAX, lock.committed(JAX))
            assert str(caught.value) == (
                f"an environment needs about {needed / 1e9:.1f} GB, {amounts[free] / 1e9:.1f} GB are free in /docker"  # type: ignore[operator]
            )
            assert "`runner images prune`" in caught.value.way_out
            assert (caught.value.cause, caught.value.everywhere) == (Cause.DISK, False)
        assert built == (["classic"] if enough else [])
        wanted = {"label": f"org.keras-version-matrix.layer={RECIPE.framework_key}"}
        assert client.asked == [{"quiet": True, "filters": wanted}]


class TestFailures:
    @pytest.fixture
    def said(self) -> list[str]:
        return []

    def failing(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[int]:
        attempts: list[int] = []

        def build(*_: Any) -> str:
            attempts.append(1)
            raise error

        monkeypatch.setattr(classic, "build", build)
        return attempts

    @pytest.mark.parametrize(
        ("log", "attempts", "words"),
        [
            ("connection reset by peer", 2, ["the network failed; once more"]),
            ("Hash mismatch", 1, []),
            ("no space left on device", 1, []),
        ],
    )
    def test_only_a_failing_network_is_tried_again(
        self, client: Engine, monkeypatch: pytest.MonkeyPatch, said: list[str], log: str, attempts: int,
        words: list[str],
    ) -> None:  # fmt: skip
        error = failure.error("x", [log])
        made = self.failing(monkeypatch, error)
        with pytest.raises(type(error)) as caught:
            images.Builder(client.api).build(JAX, lock.committed(JAX), said.append)
        assert caught.value is error
        assert (len(made), said) == (attempts, words)

    def test_a_build_that_lost_its_engine_is_unavailable(
        self, client: Engine, monkeypatch: pytest.MonkeyPatch, said: list[str]
    ) -> None:
        def build(*_: Any) -> str:
            client.broken = requests.ConnectionError("gone")
            raise BuildError("why", "the log: connection reset")

        monkeypatch.setattr(classic, "build", build)
        with pytest.raises(OutageError) as caught:
            images.Builder(client.api).build(JAX, lock.committed(JAX), said.append)
        assert (str(caught.value), caught.value.cause) == ("the Docker engine stopped answering", Cause.ENGINE)
        assert (caught.value.log, said) == ("the log: connection reset", [])


class TestClient:
    def test_the_engine_is_reached_and_described_once(self, client: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        reached: list[Engine] = []

        def connect() -> Engine:
            reached.append(client)
            return client

        monkeypatch.setattr(engine, "connect", connect)
        builder = images.Builder()
        assert reached == []
        assert builder.client() is client.api
        assert builder.describe().platform == "linux/amd64"
        client.facts = {"Architecture": "arm64"}
        assert builder.describe().platform == "linux/amd64"
        assert reached == [client]

    def test_closing_stops_what_is_built(self, client: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        stopped: list[Any] = []
        builder = images.Builder(client.api)
        monkeypatch.setattr(builder._running, "stop", lambda: stopped.append(True))
        builder.close()
        assert stopped == [True]


def test_one_framework_layer_is_built_by_one_thread_at_a_time(client: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first and then finds the image that the first has built."""
    building, go_on = threading.Event(), threading.Event()
    attempts, said = [], []

    def build(*_: Any) -> str:
        attempts.append(1)
        building.set()
        assert go_on.wait(60)
        client.images_here[RECIPE.tag] = HERE
        return "id"

    def say(text: str) -> None:
        said.append(text)
        go_on.set()

    monkeypatch.setattr(classic, "build", build)
    builder = images.Builder(client.api)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(builder.build, JAX, lock.committed(JAX))
        assert building.wait(60)
        second = pool.submit(builder.build, JAX, lock.committed(JAX), say)
        found = first.result(60), second.result(60)
    assert [image.cached for image in found] == [False, True]
    assert (attempts, said) == ([1], ["waiting for the framework's layer"])
