"""Where the data that ships with the program lies.

In a checkout ``matrix/`` and ``images/`` are beside the package; the wheel carries copies in ``runner/_data``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


def matrix_dir() -> Path:
    """The folder of matrix.toml, compat.toml, latest.toml, expectations.toml and locks/."""
    return _data_dir("matrix")


def images_dir() -> Path:
    """The folder of the Dockerfile templates and rendered/."""
    return _data_dir("images")


@cache
def _data_dir(name: str) -> Path:
    package = Path(__file__).resolve().parent
    packed = package / "_data" / name
    return packed if packed.is_dir() else package.parent / name
