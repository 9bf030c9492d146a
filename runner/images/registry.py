"""Pins bases by digest; pushes and pulls images, so that CI builds each once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.environments.lockfile import Lock
from runner.errors import BuildError, UnavailableError, UsageError
from runner.images.recipe import REPOSITORY, Recipe, pins, recipe
from runner.model import Environment
from runner.util import folders

if TYPE_CHECKING:
    from docker.api.client import APIClient

_PREFIX = re.compile(
    r"(?:localhost|(?=[^/]*[.:])[a-z0-9][a-z0-9.-]*)(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+"
)
"""A host without a dot and a port would be an owner on Docker Hub."""


def pin(client: APIClient, bases: Iterable[str]) -> Path:
    """Write the current digests of the bases to images/bases.toml.

    Raises UnavailableError where a registry cannot be reached; nothing is written then.
    """
    import docker

    found = pins().copy()
    for name in sorted({base.partition("@")[0] for base in bases}):
        try:
            answer: dict[str, Any] = client.inspect_distribution(name)  # type: ignore[no-untyped-call]
        except docker.errors.APIError as error:
            raise UnavailableError(f"no digest of {name}: {error.explanation or error}") from error
        found[name] = answer["Descriptor"]["digest"]
    lines = ["# Base images by digest, written by `runner images pin`.", ""]
    lines += [f'"{name}" = "{digest}" # {name}@{digest}' for name, digest in sorted(found.items())]
    path = folders.images_dir() / "bases.toml"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    pins.cache_clear()
    return path


def push(client: APIClient, prefix: str, environment: Environment, lock: Lock) -> str:
    """Push the environment's image to ``prefix`` (``ghcr.io/owner``).

    Returns its name there, with the digest that the registry reports. Raises UsageError for a malformed prefix,
    UnavailableError where the image is not here or the registry refuses.
    """
    import docker

    wanted = recipe(environment, lock)
    repository, tag = _remote(prefix, wanted.tag)
    try:
        client.tag(wanted.tag, repository, tag)
        digest = _follow(client.push(repository, tag=tag, stream=True, decode=True), f"pushing {repository}:{tag}")
    except docker.errors.ImageNotFound:
        raise UnavailableError(f"{environment.id} has not been built here") from None
    except docker.errors.APIError as error:
        raise UnavailableError(f"pushing {repository}:{tag}: {error.explanation or error}") from error
    _untag(client, f"{repository}:{tag}")
    return f"{repository}:{tag}{f'@{digest}' if digest else ''}"


def pull(client: APIClient, prefix: str, environment: Environment, lock: Lock) -> bool:
    """Pull the environment's image from ``prefix``.

    Returns False where the registry has none with this content. Raises UsageError for a malformed prefix,
    UnavailableError where the registry cannot be reached, BuildError where what it has under this name was made from
    something else or is for another platform.
    """
    import docker

    wanted = recipe(environment, lock)
    repository, tag = _remote(prefix, wanted.tag)
    name = f"{repository}:{tag}"
    try:
        _follow(client.pull(repository, tag=tag, stream=True, decode=True), f"pulling {name}")
    except docker.errors.NotFound:
        return False
    except docker.errors.APIError as error:
        raise UnavailableError(f"pulling {name}: {error.explanation or error}") from error
    found: dict[str, Any] = client.inspect_image(name)  # type: ignore[no-untyped-call]
    if problem := _unlike(found, wanted):
        _untag(client, name)
        raise BuildError(f"{name} {problem}")
    client.tag(name, REPOSITORY, tag)
    _untag(client, name)
    return True


def check(prefix: str) -> None:
    """Raise UsageError for what is not a registry and owner."""
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(f"{prefix!r} is not REGISTRY/OWNER (examples: ghcr.io/owner, localhost:5000/owner)")


def _unlike(found: Mapping[str, Any], wanted: Recipe) -> str:
    """Return why an image is not the one that the recipe makes; empty where it is.

    All labels are compared: the digests of the lock, of the template and of the layer are among them.
    """
    labels = found["Config"].get("Labels") or {}
    if any(labels.get(name) != value for name, value in wanted.labels):
        return f"was made from something else than {wanted.environment.id}'s lock and template"
    platform = f"{found['Os']}/{found['Architecture']}"
    return "" if platform == wanted.platform else f"is for {platform}, and {wanted.platform} is needed"


def _remote(prefix: str, tag: str) -> tuple[str, str]:
    check(prefix)
    return f"{prefix}/{REPOSITORY}", tag.removeprefix(f"{REPOSITORY}:")


def _untag(client: APIClient, name: str) -> None:
    client.remove_image(name, noprune=True)


def _follow(events: Iterable[dict[str, Any]], doing: str) -> str:
    """Read a push or pull to its end: it answers 200 first and fails later.

    Returns the digest of what was pushed, where the registry reports one.
    """
    import docker

    digest = ""
    for event in events:
        if "error" not in event:
            digest = str((event.get("aux") or {}).get("Digest") or digest)
            continue
        text = str(event["error"])
        if re.search(r"manifest (?:for .* )?(?:not found|unknown)|not found: manifest unknown", text):
            raise docker.errors.NotFound(text)
        raise UnavailableError(f"{doing}: {text}")
    return digest
