"""The workflows as data: pinned, without permissions by default, nothing from outside expanded in a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runner import cli
from runner.matrix import frameworks

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"

if not GITHUB.is_dir():
    pytest.skip("not a checkout: the workflows are not part of the wheel", allow_module_level=True)

WORKFLOWS = {path.name: msgspec.yaml.decode(path.read_bytes()) for path in sorted(GITHUB.glob("workflows/*.yml"))}
FILES = [*sorted(GITHUB.glob("workflows/*.yml")), *sorted(GITHUB.glob("actions/*/*.yml")), ROOT / "action.yml"]
ACTIONS = {
    path.parent.name if path.parent != ROOT else "root": msgspec.yaml.decode(path.read_bytes())
    for path in FILES
    if path.name == "action.yml"
}
# YAML 1.1 reads the key `on` as true
JOBS = [(f"{name}:{job}", content) for name, one in WORKFLOWS.items() for job, content in one["jobs"].items()]


def _steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for where, job in JOBS:
        yield from ((where, step) for step in job.get("steps", ()))
    for name, action in ACTIONS.items():
        yield from ((name, step) for step in action["runs"]["steps"])


STEPS = list(_steps())


def test_what_the_issue_asks_for_is_there() -> None:
    assert set(WORKFLOWS) == {
        "ci.yml", "images.yml", "matrix.yml", "nightly.yml", "release.yml", "reproduce.yml", "upgrade.yml",
    }  # fmt: skip
    assert WORKFLOWS["release.yml"][True] == {"push": {"tags": ["v*"]}}
    assert {"schedule", "workflow_dispatch"} == set(WORKFLOWS["images.yml"][True])
    assert "workflow_call" in WORKFLOWS["matrix.yml"][True]
    assert "schedule" in WORKFLOWS["nightly.yml"][True]
    assert "schedule" in WORKFLOWS["upgrade.yml"][True]
    assert "workflow_dispatch" in WORKFLOWS["reproduce.yml"][True]
    assert {"push", "pull_request"} <= set(WORKFLOWS["ci.yml"][True])


def test_actions_are_pinned_by_commit_with_their_version_beside() -> None:
    pinned = 0
    for path in FILES:
        for line in path.read_text("utf-8").splitlines():
            used = re.match(r"\s*(?:- )?uses: (.*)", line)
            if used and not used[1].startswith("$/"):
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", used[1]), f"{path.name}: {line}"
                pinned += 1
    assert pinned == sum("@" in step.get("uses", "") for _, step in STEPS) > 10


def test_an_action_has_one_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for _, step in STEPS:
        if "@" in step.get("uses", ""):
            name, _, commit = step["uses"].partition("@")
            pins.setdefault(name, set()).add(commit)
    assert pins
    assert {name: len(commits) for name, commits in pins.items()} == dict.fromkeys(pins, 1)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_nothing_unless_a_job_says_so(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}


@pytest.mark.parametrize(("where", "job"), JOBS, ids=[where for where, _ in JOBS])
def test_a_job_says_what_it_may_do_and_how_long(where: str, job: dict[str, Any]) -> None:
    assert isinstance(job["permissions"], dict), where
    if "uses" not in job:
        assert "timeout-minutes" in job, where
        assert str(job["runs-on"]) != "ubuntu-latest", "a machine that changes under us changes the timings"


def test_only_these_jobs_may_write() -> None:
    writing = {where: {k for k, v in job["permissions"].items() if v == "write"} for where, job in JOBS}
    matrix = {"packages", "actions"}
    assert {where: may for where, may in writing.items() if may} == {
        "ci.yml:cells": matrix,
        "nightly.yml:matrix": matrix,
        "nightly.yml:mac": matrix,
        "matrix.yml:linux": {"packages"},
        "matrix.yml:cuda-end": {"actions"},
        "nightly.yml:publish": {"contents"},
        "nightly.yml:deploy": {"pages", "id-token"},
        "nightly.yml:issues": {"issues"},
        "upgrade.yml:upgrade": {"contents", "pull-requests"},
        "release.yml:attest": {"id-token", "attestations"},
        "release.yml:publish": {"id-token"},
        "release.yml:github": {"contents"},
        "images.yml:build": {"packages"},
        "images.yml:attest": {"id-token", "attestations"},
    }


def test_a_night_waits_for_the_one_before_it() -> None:
    assert WORKFLOWS["nightly.yml"]["concurrency"] == {"group": "nightly", "cancel-in-progress": False}


def test_nothing_is_expanded_inside_a_script() -> None:
    scripts = [(where, step) for where, step in STEPS if step.get("run")]
    assert len(scripts) > 10
    for where, step in scripts:
        assert "${{" not in step["run"], f"{where}: {step.get('name')}"


def test_actions_call_none_of_ours_and_install_in_one_way() -> None:
    """Runner programs that take ``$/`` in workflows may not take it in an action: actions/runner#4669."""
    install, measure, root = (ACTIONS[name]["runs"]["steps"] for name in ("install", "measure", "root"))
    assert [
        step["uses"] for steps in (install, measure, root) for step in steps if step.get("uses", "").startswith("$/")
    ] == []
    assert measure[: len(install)] == install


def test_what_is_published_was_built_without_rights_and_is_not_changed_after() -> None:
    """A job that may publish checks nothing out and installs nothing: it takes what the build left."""
    jobs = WORKFLOWS["release.yml"]["jobs"]
    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert [jobs[name].get("needs") for name in ("attest", "publish", "github")] == ["build", "attest", "publish"]
    used = {name: [step.get("uses", "").partition("@")[0] for step in job["steps"]] for name, job in jobs.items()}
    fetched = "actions/download-artifact"
    assert used["attest"] == [fetched, fetched, "actions/attest-build-provenance", "actions/attest"]
    assert used["publish"] == [fetched, "pypa/gh-action-pypi-publish"]
    assert used["github"] == [fetched, fetched, ""]
    assert jobs["publish"]["environment"]["name"] == "pypi"
    assert not any("password" in step.get("with", {}) for job in jobs.values() for step in job["steps"])


def test_images_are_built_with_an_action_of_this_commit_that_pushes() -> None:
    (build,) = [step for step in WORKFLOWS["images.yml"]["jobs"]["build"]["steps"] if "uses" in step][:1]
    assert build["uses"] == "$/.github/actions/measure"
    assert set(build["with"]) <= set(ACTIONS["measure"]["inputs"])
    assert (build["with"]["push"], build["with"]["probes"]) == ("true", "hello")


def test_no_secret_is_named_and_none_is_inherited() -> None:
    assert {path for path in FILES if path.parent != ROOT} == set(GITHUB.rglob("*.yml"))
    for path in FILES:
        assert not re.search(r"\bsecrets\b|pull_request_target|workflow_run", path.read_text("utf-8")), path.name


def test_checkouts_leave_no_token_behind() -> None:
    checkouts = [(where, step) for where, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    for where, step in checkouts:
        assert step["with"]["persist-credentials"] is False, where


def test_the_required_check_waits_for_every_other_job() -> None:
    jobs = WORKFLOWS["ci.yml"]["jobs"]
    assert set(jobs["required"]["needs"]) == set(jobs) - {"required"}


def test_calls_of_the_reusable_workflow_fit_its_inputs() -> None:
    inputs = WORKFLOWS["matrix.yml"][True]["workflow_call"]["inputs"]
    granted = {"contents": "read", "packages": "write", "actions": "write"}
    calls = [(where, job) for where, job in JOBS if job.get("uses") == "$/.github/workflows/matrix.yml"]
    assert {where for where, _ in calls} == {"ci.yml:cells", "nightly.yml:matrix", "nightly.yml:mac"}
    for where, job in calls:
        assert set(job["with"]) <= set(inputs), where
        assert job["permissions"] == granted, where


def test_every_framework_has_a_real_cell_in_ci(capsys: pytest.CaptureFixture[str]) -> None:
    there = set()
    for entry in WORKFLOWS["ci.yml"]["jobs"]["cells"]["strategy"]["matrix"]["include"]:
        patterns = [word for pattern in entry["only"].split() for word in ("--only", pattern)]
        assert cli.run(["list", "--set", entry["set"], *patterns]) == 0
        there |= {line.split("-")[0] for line in capsys.readouterr().out.splitlines()}
    assert there == set(frameworks.names())


EXAMPLE = ROOT / "docs/ci.md"


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="not a checkout")
def test_the_example_for_other_repositories_has_ten_lines_and_fits() -> None:
    text = next(iter(re.findall(r"```yaml\n(.*?)```", EXAMPLE.read_text("utf-8"), re.DOTALL)))
    assert len(text.splitlines()) <= 10
    workflow = msgspec.yaml.decode(text)
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert re.fullmatch(r"OWNER/keras-version-matrix/\.github/workflows/matrix\.yml@COMMIT", job["uses"])
    called = WORKFLOWS["matrix.yml"]
    assert set(job["with"]) <= set(called[True]["workflow_call"]["inputs"])
    needed: dict[str, str] = {}
    for one in called["jobs"].values():
        for name, may in one["permissions"].items():
            needed[name] = "write" if "write" in (may, needed.get(name)) else may
    assert job["permissions"] == needed, "a called workflow cannot have more than its caller grants: it would not start"


def test_calls_of_the_composite_actions_fit_their_inputs() -> None:
    calls = [(where, step) for where, step in STEPS if step.get("uses", "").startswith("$/.github/actions/")]
    assert calls
    for where, step in calls:
        action = ACTIONS[step["uses"].rsplit("/", 1)[1]]
        assert set(step.get("with", ())) <= set(action.get("inputs", ())), where


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every call of this program: where, and the words up to the end of the command."""
    texts = [(where, step["run"]) for where, step in STEPS if "run" in step]
    texts.append(("report", (GITHUB / "report").read_text("utf-8")))
    for where, text in texts:
        for found in re.finditer(r"(?:^|[{(]|\|\||\n)\s*(?:python -m )?runner (?P<rest>[^\n|;>]*)", text):
            yield where, found["rest"].replace('"', "").split()


@pytest.mark.parametrize(("where", "words"), list(_commands()), ids=lambda value: str(value)[:40])
def test_the_commands_and_options_in_steps_exist(
    where: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = words[:2] if words[0] == "images" else words[:1]
    assert cli.run([*name, "--help"]) == 0, where
    shown = capsys.readouterr().out
    for word in words:
        if word.startswith("--"):
            assert re.search(rf"{word}\b", shown), f"{where}: {' '.join(name)} has no {word}"


def test_options_that_steps_put_together_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """``arguments+=(--only ...)``: those words are not on the line of the command."""
    helps: dict[str, str] = {}
    for command in ("list", "matrix", "repro"):
        assert cli.run([command, "--help"]) == 0
        helps[command] = capsys.readouterr().out
    words = set()
    for where, step in STEPS:
        used = re.search(r"runner (list --github|matrix|repro) ", step.get("run", ""))
        if used and "arguments" in step["run"]:
            for word in re.findall(r"\((--[a-z-]+)", step["run"]):
                assert re.search(rf"{word}\b", helps[used[1].split()[0]]), f"{where}: {used[1]} has no {word}"
                words.add(word)
    assert "--only" in words
