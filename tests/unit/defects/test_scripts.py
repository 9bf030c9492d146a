"""The files that show a defect."""

from __future__ import annotations

from pathlib import Path

from runner.defects import scripts
from runner.defects.defect import Defect

DEFECT = Defect(
    "ops.relu", "wrong value", 1, "title", "everywhere", "", (), (), None, None, None, "", (), "1, not 2",
    "# \x1b]52;c;ZXZpbA==\x07\x9b2J\ud800\nprint(1)\n",
)  # fmt: skip


def test_a_script_has_nothing_that_steers_a_terminal(tmp_path: Path) -> None:
    scripts.write([DEFECT], tmp_path / "scripts")
    (written,) = (tmp_path / "scripts").iterdir()
    assert written.name == "001-ops-relu-wrong-value.py"
    assert written.read_text(encoding="utf-8") == "# \ufffd]52;c;ZXZpbA==\ufffd\ufffd2J\ufffd\nprint(1)\n"
