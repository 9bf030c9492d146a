"""Pins of bases, pushes and pulls, with a registry made of a few events."""
# ruff: noqa: ARG002 - the fake has docker-py's signatures

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from runner.environments import lock
from runner.errors import BuildError, UnavailableError, UsageError
from runner.images import recipe as recipes
from runner.images import registry
from runner.images.recipe import LABELS, recipe
from runner.model import Environment
from runner.util import folders

JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
LOCK = lock.committed(JAX)
RECIPE = recipe(JAX, LOCK)
TAG = RECIPE.tag.partition(":")[2]
REPOSITORY = "ghcr.io/owner/keras-version-matrix"
NAME = f"{REPOSITORY}:{TAG}"


def refused(explanation: str = "") -> docker.errors.APIError:
    return docker.errors.APIError("500 odd", response=requests.Response(), explanation=explanation)


class Client:
    """Stands in for docker-py's APIClient: remembers what it is asked, answers with events."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = events
        self.calls: list[Any] = []
        self.refusals: dict[str, Exception] = {}
        self.labels: dict[str, str] | None = dict(RECIPE.labels)
        self.platform = "linux/amd64"

    @property
    def api(self) -> Any:
        """Itself, as the functions' parameter type would have it."""
        return self

    def _called(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        if name in self.refusals:
            raise self.refusals[name]

    def tag(self, image: str, repository: str, tag: str) -> None:
        self._called("tag", image, repository, tag)

    def push(self, repository: str, tag: str, stream: bool, decode: bool) -> Iterator[dict[str, Any]]:
        self._called("push", repository, tag, stream, decode)
        return iter(self.events)

    def pull(self, repository: str, tag: str, stream: bool, decode: bool) -> Iterator[dict[str, Any]]:
        self._called("pull", repository, tag, stream, decode)
        return iter(self.events)

    def inspect_image(self, name: str) -> dict[str, Any]:
        self._called("inspect", name)
        system, _, architecture = self.platform.partition("/")
        return {"Config": {"Labels": self.labels}, "Os": system, "Architecture": architecture}

    def remove_image(self, name: str, noprune: bool) -> None:
        self._called("remove", name, noprune)

    def inspect_distribution(self, name: str) -> dict[str, Any]:
        self._called("digest", name)
        if name in self.refusals:
            raise self.refusals[name]
        return {"Descriptor": {"digest": f"sha256:{name[-1] * 64}"}}


class TestPush:
    def test_the_image_goes_under_its_name_there_which_is_not_kept_here(self) -> None:
        client = Client({"status": "Pushing"}, {"status": "Pushed"})
        assert registry.push(client.api, "ghcr.io/owner", JAX, LOCK) == NAME
        assert client.calls == [
            ("tag", RECIPE.tag, REPOSITORY, TAG),
            ("push", REPOSITORY, TAG, True, True),
            ("remove", NAME, True),
        ]

    def test_the_digest_that_the_registry_reports_is_part_of_the_name(self) -> None:
        digest = f"sha256:{'0' * 64}"
        client = Client({"status": "Pushed"}, {"aux": {"Tag": TAG, "Digest": digest, "Size": 1}}, {"aux": None})
        assert registry.push(client.api, "ghcr.io/owner", JAX, LOCK) == f"{NAME}@{digest}"

    def test_an_image_that_is_not_here_cannot_go(self) -> None:
        client = Client()
        client.refusals["tag"] = docker.errors.ImageNotFound("gone")
        with pytest.raises(UnavailableError) as caught:
            registry.push(client.api, "ghcr.io/owner", JAX, LOCK)
        assert str(caught.value) == f"{JAX.id} has not been built here"

    @pytest.mark.parametrize(("explanation", "text"), [("denied", "denied"), ("", "500 odd")])
    def test_a_refusal_is_one_line(self, explanation: str, text: str) -> None:
        client = Client()
        client.refusals["push"] = refused(explanation)
        with pytest.raises(UnavailableError) as caught:
            registry.push(client.api, "ghcr.io/owner", JAX, LOCK)
        assert str(caught.value) == f"pushing {NAME}: {text}"

    def test_a_push_that_fails_after_it_began_has_failed(self) -> None:
        client = Client({"status": "Pushing"}, {"error": "unauthorized"}, {"status": "x"})
        with pytest.raises(UnavailableError) as caught:
            registry.push(client.api, "ghcr.io/owner", JAX, LOCK)
        assert str(caught.value) == f"pushing {NAME}: unauthorized"


class TestPull:
    def test_the_image_gets_its_name_here_and_loses_the_registrys(self) -> None:
        client = Client({"status": "Pulling"})
        assert registry.pull(client.api, "ghcr.io/owner", JAX, LOCK) is True
        assert client.calls == [
            ("pull", REPOSITORY, TAG, True, True),
            ("inspect", NAME),
            ("tag", NAME, "keras-version-matrix", TAG),
            ("remove", NAME, True),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "manifest unknown",
            "manifest not found",
            "manifest for ghcr.io/owner/x:y not found",
            "not found: manifest unknown: manifest unknown",
        ],
    )
    def test_a_registry_without_it_is_no_error(self, text: str) -> None:
        client = Client({"error": text})
        assert registry.pull(client.api, "ghcr.io/owner", JAX, LOCK) is False
        assert [call[0] for call in client.calls] == ["pull"]

    def test_a_registry_that_answers_404_has_none(self) -> None:
        client = Client()
        client.refusals["pull"] = docker.errors.NotFound("no")
        assert registry.pull(client.api, "ghcr.io/owner", JAX, LOCK) is False

    @pytest.mark.parametrize(("explanation", "text"), [("denied", "denied"), ("", "500 odd")])
    def test_a_refusal_is_one_line(self, explanation: str, text: str) -> None:
        client = Client()
        client.refusals["pull"] = refused(explanation)
        with pytest.raises(UnavailableError) as caught:
            registry.pull(client.api, "ghcr.io/owner", JAX, LOCK)
        assert str(caught.value) == f"pulling {NAME}: {text}"

    def test_a_pull_that_fails_after_it_began_has_failed(self) -> None:
        with pytest.raises(UnavailableError) as caught:
            registry.pull(Client({"error": "toomanyrequests"}).api, "ghcr.io/owner", JAX, LOCK)
        assert str(caught.value) == f"pulling {NAME}: toomanyrequests"

    @pytest.mark.parametrize(
        "labels",
        [None, {}, *({**dict(RECIPE.labels), f"{LABELS}.{name}": "0" * 64} for name in ("content", "lock", "python"))],
    )
    def test_another_image_under_its_name_is_refused_and_removed(self, labels: dict[str, str] | None) -> None:
        client = Client()
        client.labels = labels
        with pytest.raises(BuildError) as caught:
            registry.pull(client.api, "ghcr.io/owner", JAX, LOCK)
        assert str(caught.value) == f"{NAME} was made from something else than {JAX.id}'s lock and template"
        assert client.calls[-1] == ("remove", NAME, True)
        assert "tag" not in [call[0] for call in client.calls]

    def test_an_image_for_another_platform_is_refused_and_removed(self) -> None:
        client = Client()
        client.platform = "linux/arm64"
        with pytest.raises(BuildError) as caught:
            registry.pull(client.api, "ghcr.io/owner", JAX, LOCK)
        assert str(caught.value) == f"{NAME} is for linux/arm64, and linux/amd64 is needed"
        assert client.calls[-1] == ("remove", NAME, True)


@pytest.mark.parametrize(
    "prefix", ["localhost:5000/owner", "localhost/owner", "ghcr.io/owner", "registry.example/a/b-c.d_e", "x:1/y"]
)
def test_a_prefix_is_a_registry_and_an_owner(prefix: str) -> None:
    assert registry.push(Client().api, prefix, JAX, LOCK) == f"{prefix}/keras-version-matrix:{TAG}"


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "x",
        "ghcr.io",
        "localhost:5000",
        "owner/name",
        "GHCR.io/owner",
        "ghcr.io/",
        "ghcr.io/owner/",
        "x:123456/y",
        "a b",
        "https://x",
    ],
)
def test_a_malformed_prefix_is_refused_before_anything_is_asked(prefix: str) -> None:
    client = Client()
    for act in (registry.push, registry.pull):
        with pytest.raises(UsageError) as caught:
            act(client.api, prefix, JAX, LOCK)
        assert str(caught.value) == f"{prefix!r} is not REGISTRY/OWNER (examples: ghcr.io/owner, localhost:5000/owner)"
    assert client.calls == []


class TestPin:
    @pytest.fixture(autouse=True)
    def folder(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
        monkeypatch.setattr(folders, "images_dir", lambda: tmp_path)
        recipes.pins.cache_clear()
        yield tmp_path
        recipes.pins.cache_clear()

    def test_each_base_is_written_once_with_its_digest(self, folder: Path) -> None:
        client = Client()
        old = f"python:3.8@sha256:{'a' * 64}"
        assert registry.pin(client.api, ["python:3.9", old, "python:3.9"]) == folder / "bases.toml"
        assert client.calls == [("digest", "python:3.8"), ("digest", "python:3.9")]
        eight, nine = f"sha256:{'8' * 64}", f"sha256:{'9' * 64}"
        assert (folder / "bases.toml").read_text() == (
            "# Base images by digest, written by `runner images pin`.\n\n"
            f'"python:3.8" = "{eight}" # python:3.8@{eight}\n'
            f'"python:3.9" = "{nine}" # python:3.9@{nine}\n'
        )
        assert recipes.pins() == {"python:3.8": eight, "python:3.9": nine}

    def test_the_pins_of_other_bases_stay_and_are_used_at_once(self, folder: Path) -> None:
        (folder / "bases.toml").write_text('"python:3.7" = "sha256:x"\n')
        registry.pin(Client().api, ["python:3.9"])
        assert recipes.pins() == {"python:3.7": "sha256:x", "python:3.9": f"sha256:{'9' * 64}"}

    @pytest.mark.parametrize(("explanation", "text"), [("denied", "denied"), ("", "500 odd")])
    def test_nothing_is_written_where_one_registry_refuses(self, folder: Path, explanation: str, text: str) -> None:
        client = Client()
        client.refusals["python:3.9"] = refused(explanation)
        with pytest.raises(UnavailableError) as caught:
            registry.pin(client.api, ["python:3.8", "python:3.9"])
        assert str(caught.value) == f"no digest of python:3.9: {text}"
        assert not (folder / "bases.toml").exists()

    def test_a_pinned_base_is_named_by_its_digest(self, folder: Path) -> None:
        assert recipes.base_image("3.11") == "python:3.11-slim-bookworm"
        registry.pin(Client().api, ["python:3.11-slim-bookworm"])
        assert recipes.base_image("3.11") == f"python:3.11-slim-bookworm@sha256:{'m' * 64}"
        with pytest.raises(BuildError, match=r"^no base image for Python '3\.1'; compat\.toml names those for 3\."):
            recipes.base_image("3.1")
