"""Images that are pulled in place of builds: what is tried, what is said, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from runner.environments import lock
from runner.errors import BuildError, UnavailableError, UsageError
from runner.images import Builder, Image, registry
from runner.images.published import Published
from runner.model import Environment

JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
OTHER = Environment("jax", "0.10.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
TORCH = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
ALL = (JAX, OTHER, TORCH)
AT = "ghcr.io/owner"

Answers = Callable[[Environment], bool]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a registry answers (``answer``), and the environments it was asked for (``of``)."""
    kept: dict[str, Any] = {"of": [], "answer": lambda _: True}

    def pull(_client: Any, prefix: str, environment: Environment, _lock: Any) -> bool:
        assert prefix == AT
        kept["of"].append(environment)
        found: bool = kept["answer"](environment)
        return found

    monkeypatch.setattr(registry, "pull", pull)
    return kept


def fetched(published: Published, said: list[str] | None = None) -> list[bool]:
    say = (said if said is not None else []).append
    return [published.fetch(None, one, lock.committed(one), say) for one in ALL]  # type: ignore[arg-type]


def test_what_the_registry_has_is_pulled_without_a_word(asked: dict[str, Any]) -> None:
    notes: list[str] = []
    progress: list[str] = []
    assert fetched(Published(AT, notes.append), progress) == [True, True, True]
    assert asked["of"] == list(ALL)
    assert notes == []
    assert progress == [f"pulling from {AT}"] * 3


def test_what_it_does_not_have_is_said_once(asked: dict[str, Any]) -> None:
    notes: list[str] = []
    asked["answer"] = lambda environment: environment is OTHER
    assert fetched(Published(AT, notes.append)) == [False, True, False]
    assert notes == [f"--pull-from {AT} does not have every image; the others are built here"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UnavailableError("pulling x: no route\n to host"), "pulling x: no route to host"),
        (requests.ConnectionError("gone"), "gone"),
        (UnavailableError("x" * 500), "x" * 299 + "…"),
    ],
)
def test_a_registry_that_cannot_be_reached_is_asked_once_and_said_once(
    asked: dict[str, Any], error: Exception, words: str
) -> None:
    notes: list[str] = []

    def answer(_: Environment) -> bool:
        raise error

    asked["answer"] = answer
    assert fetched(Published(AT, notes.append)) == [False, False, False]
    assert asked["of"] == [JAX]
    assert notes == [f"--pull-from {AT}: {words}; images are built here"]


def test_an_image_made_from_something_else_is_not_used_and_named(asked: dict[str, Any]) -> None:
    notes: list[str] = []

    def answer(environment: Environment) -> bool:
        if environment is TORCH:
            return True
        raise BuildError(f"{environment.id} was made from something else")

    asked["answer"] = answer
    assert fetched(Published(AT, notes.append)) == [False, False, True]
    assert notes == [
        f"--pull-from {AT}: {one.id} was made from something else; it is not used, and built here"
        for one in (JAX, OTHER)
    ]


def test_a_malformed_name_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match=r"^'https://x' is not REGISTRY/OWNER"):
        Published("https://x", print)


class Building(Builder):
    """Looks for images in a set, and builds without an engine."""

    def __init__(self, published: Published | None) -> None:
        super().__init__(published=published)
        self.here: set[str] = set()
        self.built: list[str] = []

    def client(self) -> Any:
        return None

    def _check_possible(self, *_: object) -> None:
        """Everything is possible."""

    def _inspect(self, wanted: Any, _began: float, *, cached: bool) -> Image | None:
        name = wanted.environment.id
        return Image(name, wanted.tag, 1, 0.0, cached) if name in self.here else None

    def _build(self, wanted: Any, _say: Any) -> str:
        self.built.append(wanted.environment.id)
        self.here.add(wanted.environment.id)
        return ""


def test_a_build_pulls_first_and_builds_what_is_missing(asked: dict[str, Any]) -> None:
    builder = Building(Published(AT, lambda _: None))

    def answer(environment: Environment) -> bool:
        if environment is JAX:
            builder.here.add(environment.id)
        return environment is JAX

    asked["answer"] = answer
    made = [builder.build(one, lock.committed(one)) for one in (JAX, OTHER, JAX)]
    assert [(image.id, image.cached) for image in made] == [(JAX.id, False), (OTHER.id, False), (JAX.id, True)]
    assert builder.built == [OTHER.id]
    assert asked["of"] == [JAX, OTHER]


def test_without_a_registry_nothing_is_pulled(asked: dict[str, Any]) -> None:
    builder = Building(None)
    builder.build(JAX, lock.committed(JAX))
    assert (builder.built, asked["of"]) == ([JAX.id], [])
