"""Builds an image with the classic builder, where there is no BuildKit."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runner import engine
from runner.images import failure
from runner.images.network import Network
from runner.images.recipe import Recipe, dockerfile
from runner.util import outage

if TYPE_CHECKING:
    from docker.api.client import APIClient

_SILENCE_S = 1800
"""How long a step may print nothing; an installation of 5 GB on a slow line does not speak."""
_KEPT = 32 * 1024
"""How many characters of the end of the output are kept."""


def build(recipe: Recipe, client: APIClient, network: Network, say: Callable[[str], None]) -> str:
    """Build the image and tag it; its id.

    Raises BuildError with the end of the output, OutageError where the engine, its disk or the network gives out.
    """
    import docker

    say(f"installing {recipe.environment.framework} {recipe.environment.version}")
    said, failed = "", False
    try:
        stream = client.build(
            fileobj=_context(recipe), custom_context=True, tag=recipe.tag, rm=True, forcerm=True, decode=True,
            buildargs=network.build_arguments(), network_mode=network.mode, timeout=_SILENCE_S,
        )  # fmt: skip
        for event in stream:
            failed |= "error" in event
            # a line of a step comes in several events
            said = (said + _text(event))[-_KEPT:]
    except docker.errors.APIError as error:
        raise failure.error(recipe.environment.id, [f"error: {error.explanation or error}"]) from error
    except engine.errors() as error:
        raise outage.of_engine("the Docker engine stopped answering", said) from error
    if failed:
        raise failure.error(recipe.environment.id, said.splitlines())
    return str(client.inspect_image(recipe.tag)["Id"])  # type: ignore[no-untyped-call]


def _text(event: dict[str, Any]) -> str:
    """What an event of the build stream says to people."""
    return f"\nerror: {event['error']}\n" if "error" in event else str(event.get("stream") or "")


def _context(recipe: Recipe) -> io.BytesIO:
    """The build context as a tar, the same bytes for the same recipe."""
    packed = io.BytesIO()
    texts = {**recipe.files, "Dockerfile": dockerfile(recipe, buildkit=False)}
    content = {name: text.encode() for name, text in texts.items()} | {w.name: w.read_bytes() for w in recipe.wheels}
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in sorted(content.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    packed.seek(0)
    return packed
