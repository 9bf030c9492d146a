"""Releases and published images: what a tag must be, and the steps that need no GitHub."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import notes
import pytest

import runner
from tests.engine import actions

ROOT = Path(__file__).resolve().parents[2]
SOURCE = '"""x"""\n\n__version__ = "0.2.0"\n'
CHANGELOG = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-11-30

### Added
- one thing

## [0.1.0] - 2026-08-01

- the first
"""


def test_a_tag_of_the_version_with_a_section_is_a_release() -> None:
    assert notes.problems("v0.2.0", SOURCE, CHANGELOG) == []
    assert notes.notes("v0.2.0", CHANGELOG) == "### Added\n- one thing\n"
    assert notes.notes("v0.1.0", CHANGELOG) == "- the first\n"


@pytest.mark.parametrize(
    ("tag", "changed", "says"),
    [
        ("v0.3.0", ("", ""), "the tag is v0.3.0, and runner/__init__.py has version 0.2.0"),
        ("0.2.0", ("", ""), "the tag is 0.2.0"),
        ("v0.2.0", ("## [0.2.0] - 2026-11-30", "## [0.2.0]"), "[0.2.0] has no date"),
        ("v0.2.0", ("2026-11-30", "2026-13-30"), "[0.2.0] has no date"),
        ("v0.2.0", ("0.2.0", "0.2.1"), "CHANGELOG.md has no section: ## [0.2.0] - "),
        ("v0.2.0", ("### Added\n- one thing\n", ""), "the section [0.2.0] is empty"),
        ("v0.2.0", ("## [Unreleased]\n", "## [Unreleased]\n\n- more\n"), "[Unreleased] has entries; move them to"),
    ],
)  # fmt: skip
def test_what_is_no_release_is_said(tag: str, changed: tuple[str, str], says: str) -> None:
    changelog = CHANGELOG.replace(*changed) if changed[0] else CHANGELOG
    (line,) = notes.problems(tag, SOURCE, changelog)
    assert says in line


def test_all_problems_are_said_at_once() -> None:
    assert len(notes.problems("v1", SOURCE, CHANGELOG.replace("- one thing", "").replace("### Added", ""))) == 2
    assert notes.problems("v1", "", CHANGELOG) == ["runner/__init__.py has no version"]


def test_this_checkout_is_released_by_its_own_tag_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert notes.main(["v99.0.0"]) == 1
    assert (
        f"::error title=Not a release::the tag is v99.0.0, and runner/__init__.py has version {runner.__version__}"
        in (capsys.readouterr().err)
    )
    assert notes.main([]) == 2


def _run(workflow: str, folder: Path, **environment: str) -> Any:
    content = msgspec.yaml.decode((ROOT / ".github/workflows" / workflow).read_bytes())
    (folder / "artifacts").mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GIT_"))}
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PYTHONPATH": str(ROOT)}
    path = actions.programs(folder / "bin")
    return actions.Run(content, {}, folder, {**inherited, **settings, "PATH": path, **environment})


@pytest.mark.parametrize("branch", ["main", "side"])
def test_only_a_commit_of_main_is_released(tmp_path: Path, branch: str) -> None:
    run = _run("release.yml", tmp_path, GITHUB_REF_NAME="v0.2.0")
    job = actions.Job(run, "build", only=frozenset({"The tag is a release of main"}))
    (job.workspace / ".github/release").mkdir(parents=True)
    (job.workspace / "runner").mkdir()
    (job.workspace / ".github/release/notes.py").write_text((ROOT / ".github/release/notes.py").read_text())
    (job.workspace / "runner/__init__.py").write_text(SOURCE)
    (job.workspace / "CHANGELOG.md").write_text(CHANGELOG)
    own = "git -c user.name=a -c user.email=a@example.org"
    (tmp_path / "bin/prepare").write_text(
        f"git init -q -b {branch} . && git add . && {own} commit -qm one\n"
        "git update-ref refs/remotes/origin/main HEAD\n"
        + (f"{own} commit -q --allow-empty -m two\n" if branch == "side" else "")
    )
    step = run.workflow["jobs"]["build"]["steps"][2]
    assert step["name"] == "The tag is a release of main"
    step["run"] = f"bash {tmp_path}/bin/prepare\n{step['run']}"
    job.start()
    assert job.failed is (branch == "side"), job.log
    assert ("v0.2.0 is not on main" in job.log) is (branch == "side")
    assert (job.workspace / "release/notes.md").read_text() == "### Added\n- one thing\n"


DIGEST = "0123456789abcdef" * 4
NAME = "ghcr.io/owner/keras-version-matrix:jax-0.10.2_keras-3.11.3_py3.11_cpu_linux-x86_64-0123456789abcdef"


def test_digests_of_all_sets_become_one_list_of_subjects(tmp_path: Path) -> None:
    run = _run("images.yml", tmp_path)
    for name, lines in (("quick", [NAME]), ("keras-history", [NAME, NAME.replace("3.11.3", "3.8.0")])):
        job = actions.Job(run, "build", {"set": name}, only=frozenset({"There are images", "Keep the digests"}))
        (job.workspace / "out").mkdir(exist_ok=True)
        (job.workspace / "out/images.txt").write_text("".join(f"{line}@sha256:{DIGEST}\n" for line in lines * 2))
        job.start()
        assert not job.failed, job.log
        assert (run.artifacts / f"images-of-{name}/images.txt").is_file()
    job = actions.Job(run, "attest", only=frozenset({"The digests", "One list"}))
    job.start()
    assert not job.failed, job.log
    lines = (job.workspace / "checksums.txt").read_text().splitlines()
    assert lines == [f"{DIGEST}  {NAME}", f"{DIGEST}  {NAME.replace('3.11.3', '3.8.0')}"]
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in lines)
    assert f"    {NAME}@sha256:{DIGEST}" in job.summary.read_text()


@pytest.mark.parametrize("text", ["", f"{NAME}\n", f"{NAME}@sha256:{DIGEST}\n::error::x\n"])
def test_a_set_without_digests_is_red(tmp_path: Path, text: str) -> None:
    run = _run("images.yml", tmp_path)
    job = actions.Job(run, "build", {"set": "quick"}, only=frozenset({"There are images"}))
    (job.workspace / "out").mkdir()
    (job.workspace / "out/images.txt").write_text(text)
    job.start()
    assert job.failed
