"""What reads workflows for a living agrees with ours: shellcheck, zizmor, check-jsonschema."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONS = [ROOT / "action.yml", *sorted((ROOT / ".github/actions").glob("*/action.yml"))]


def _tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed: pip install -e '.[lint]'")
    return found


def _run(*words: str, **options: Any) -> str:
    """Everything the tool said; empty where it had nothing to say against us."""
    environment = {"HOME": tempfile.gettempdir(), **os.environ}  # zizmor does not start without a home
    done = subprocess.run(
        words, capture_output=True, encoding="utf-8", cwd=ROOT, env=environment, timeout=120, check=False, **options
    )
    return "" if done.returncode == 0 else f"{done.returncode}\n{done.stdout}{done.stderr}"


def _scripts() -> Iterator[tuple[str, str]]:
    """Every ``run:`` block of every workflow and action, and the scripts they call, with a name."""
    for path in [*WORKFLOWS, *ACTIONS]:
        read = msgspec.yaml.decode(path.read_bytes())
        jobs = read.get("jobs") or {"action": read["runs"]}
        for job, content in jobs.items():
            for number, step in enumerate(content.get("steps", ())):
                if "run" in step:
                    # as GitHub runs it: these options are on, and what the step declares is set
                    known = "".join(f'{name}="${{{name}-}}"\n' for name in step.get("env", ()))
                    name = f"{path.parent.name}/{path.name}:{job}:{step.get('name', number)}"
                    yield name, f"set -eo pipefail\n{known}{step['run']}"
    yield ".github/report", (ROOT / ".github/report").read_text("utf-8")


SCRIPTS = dict(_scripts())


def test_there_are_steps_to_check() -> None:
    assert len(SCRIPTS) > 30


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    assert not _run(_tool("shellcheck"), "--shell=bash", "--severity=style", "-", input=SCRIPTS[name])


def test_shellcheck_would_speak_up() -> None:
    assert "SC2086" in _run(_tool("shellcheck"), "--shell=bash", "-", input="rm $1\n")


def test_zizmor_finds_nothing() -> None:
    assert not _run(_tool("zizmor"), "--offline", "--no-progress", "--persona=auditor", ".github", "action.yml")


def test_zizmor_would_speak_up(tmp_path: Path) -> None:
    text = WORKFLOWS[0].read_text("utf-8")
    changed = re.sub(r"(actions/checkout)@[0-9a-f]{40}", r"\1@v6", text)
    assert changed != text
    (tmp_path / "ci.yml").write_text(changed, encoding="utf-8")
    assert "unpinned-uses" in _run(_tool("zizmor"), "--offline", "--no-progress", str(tmp_path / "ci.yml"))


def test_workflows_and_actions_fit_githubs_schemas() -> None:
    for schema, files in (("vendor.github-workflows", WORKFLOWS), ("vendor.github-actions", ACTIONS)):
        assert not _run(_tool("check-jsonschema"), "--builtin-schema", schema, *map(str, files))


def test_the_repository_has_no_links() -> None:
    """``$/`` stages the whole repository, and fails on a link without a target: actions/runner#4631."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    words = ["git", "-c", "safe.directory=*", "ls-files", "--stage"]  # the checkout may be another user's
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    listed = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "runner/__init__.py" in listed.stdout
    assert [line for line in listed.stdout.splitlines() if line.startswith("120000")] == []
