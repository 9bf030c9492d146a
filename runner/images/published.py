"""Pulls images of a registry in place of building them; says once what stops that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner import engine
from runner.environments.lockfile import Lock
from runner.errors import BuildError, UnavailableError
from runner.images import registry
from runner.model import Environment

if TYPE_CHECKING:
    from docker.api.client import APIClient

Say = Callable[[str], None]

REASON = 300
"""The most characters of an engine's message about a registry."""


class Published:
    """The images at ``prefix`` (``ghcr.io/owner``), for one run. Thread-safe.

    ``note`` shows a line to the user. Raises UsageError for a malformed prefix.
    """

    def __init__(self, prefix: str, note: Say) -> None:
        registry.check(prefix)
        self.prefix = prefix
        self._note = note
        self._guard = threading.Lock()
        self._noted: set[str] = set()
        self._usable = True

    def fetch(self, client: APIClient, environment: Environment, lock: Lock, say: Say) -> bool:
        """Pull the environment's image; True where it is here now.

        Where it is not, the caller builds it. A registry that cannot be reached, or refuses, is not asked again. What
        has the name of the image and was made from something else is not used.
        """
        if not self._usable:
            return False
        say(f"pulling from {self.prefix}")
        try:
            found = registry.pull(client, self.prefix, environment, lock)
        except (UnavailableError, *engine.errors()) as error:  # type: ignore[misc] # mypy cannot see what is in it
            self._usable = False
            reason = " ".join(str(error).split())
            words = reason if len(reason) <= REASON else f"{reason[: REASON - 1]}…"
            self._once("unusable", f"--pull-from {self.prefix}: {words}; images are built here")
            return False
        except BuildError as error:
            self._once(environment.id, f"--pull-from {self.prefix}: {error}; it is not used, and built here")
            return False
        if not found:
            self._once("missing", f"--pull-from {self.prefix} does not have every image; the others are built here")
        return found

    def _once(self, about: str, line: str) -> None:
        with self._guard:
            if about in self._noted:
                return
            self._noted.add(about)
        self._note(line)
