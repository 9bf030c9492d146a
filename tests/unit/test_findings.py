"""docs/findings.md is what ``runner defects --page`` makes of the committed results."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from runner.cli.defects import defects_command

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "findings.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="not a checkout")


def test_the_page_is_made_by_the_command_that_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text("utf-8")
    (command,) = re.findall(r"^runner defects (.* --page docs/findings\.md)$", text, re.MULTILINE)
    copy = tmp_path / "findings.md"
    copy.write_text(text, "utf-8")
    monkeypatch.chdir(ROOT)
    words = [str(copy) if word == "docs/findings.md" else word for word in shlex.split(command)]
    done = CliRunner().invoke(defects_command, words)
    assert done.exit_code == 0, done.output
    assert copy.read_text("utf-8") == text, f"`runner defects {command}` writes another page"
