"""Writes the scripts of defects, a file each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from runner.defects.defect import Defect
from runner.util import files
from runner.util.plain import printable

_LONGEST = 100
"""Characters of a file name before ``.py``."""


def write(found: Sequence[Defect], folder: Path) -> None:
    """Write the scripts. A name is the place in the list, the function and the kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, defect in enumerate(found, 1):
        name = re.sub(r"[^a-z0-9]+", "-", f"{number:03d}-{defect.op}-{defect.kind}".lower()).strip("-")
        if defect.script:
            files.write(folder / f"{name[:_LONGEST]}.py", printable(defect.script))
