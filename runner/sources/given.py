"""``--wheel NAME=FILE`` and ``--source NAME=PLACE`` as data. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError
from runner.matrix import frameworks

_TEXT = re.compile(r"(?P<package>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)=(?P<target>.+)", re.DOTALL)
_EXAMPLES = {"--wheel": "--wheel keras=dist/keras-3.16.0-py3-none-any.whl", "--source": "--source keras=../keras"}


@dataclass(frozen=True, slots=True)
class Given:
    """One source as the user names it."""

    option: str
    package: str
    """A framework, ``keras``, or the normalised name of another project."""
    target: str

    @property
    def is_wheel(self) -> bool:
        """Whether it is a file that need not be built."""
        return self.option == "--wheel"

    @property
    def path(self) -> Path:
        """The target as a path."""
        return Path(self.target).expanduser()

    def __str__(self) -> str:
        """The option as the user wrote it, for messages."""
        return f"{self.option} {self.package}={self.target}"


def is_named(text: str) -> bool:
    """Whether a value of ``--source`` names the package, as ``keras=../keras``."""
    return _TEXT.fullmatch(text) is not None


def parse(wheels: Sequence[str], sources: Sequence[str]) -> tuple[Given, ...]:
    """Read both options. Raises UsageError, also for two sources of one package."""
    found: dict[str, Given] = {}
    for option, texts in (("--wheel", wheels), ("--source", sources)):
        for text in texts:
            read = _TEXT.fullmatch(text)
            if read is None:
                raise UsageError(f"{option} {text!r}: it looks like {_EXAMPLES[option]}")
            one = Given(option, frameworks.named(read["package"]), read["target"])
            if one.package in found:
                raise UsageError(f"{one}: {one.package} has a source already ({found[one.package]}); give one of them")
            found[one.package] = one
    return tuple(found.values())
