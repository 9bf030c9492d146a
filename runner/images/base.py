"""The base image of a Python, on the engine."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from runner import engine
from runner.images.recipe import base_image


def present(python: str) -> str:
    """The id of the base image of a Python, which is pulled where the engine lacks it.

    Raises BuildError where there is no base for that Python, UnavailableError or OutageError where it cannot be pulled.
    """
    import docker

    name = base_image(python)
    with closing(engine.connect()) as client, engine.answering():
        try:
            found: dict[str, Any] = client.inspect_image(name)  # type: ignore[no-untyped-call]
        except docker.errors.ImageNotFound:
            client.pull(name)
            found = client.inspect_image(name)  # type: ignore[no-untyped-call]
    return str(found["Id"])
