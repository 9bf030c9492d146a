"""Enough of GitHub Actions to run a workflow's steps here: expressions, composite actions, artifacts, outputs.

Every ``run:`` is executed by bash as GitHub does it. Of the actions of others, artifacts are files copied, and the rest
(Python, caches) does nothing: this machine has them.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[2]
_PATH = re.compile(r"[\w-]+(\.[\w-]+)*")
_IGNORED = ("actions/setup-python", "actions/cache", "actions/checkout")


class MachineLostError(Exception):
    """The machine of a job was killed: nothing of the job is run any more, not even what always is."""


@dataclass
class Run:
    """One run of a workflow: what all its jobs share."""

    workflow: dict[str, Any]
    inputs: dict[str, Any]
    folder: Path
    environment: dict[str, str]
    needs: dict[str, Any] = field(default_factory=dict)
    github: dict[str, Any] = field(default_factory=dict)
    """What differs from a run by hand: ``event_name``, ``job``."""

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"


@dataclass
class Job:
    """One job on a machine of its own, which is a folder."""

    run: Run
    name: str
    matrix: dict[str, Any] = field(default_factory=dict)
    kill_when: Callable[[Path], bool] = lambda _workspace: False
    only: frozenset[str] = frozenset()
    """Names of the steps to run; all where empty."""
    log: str = ""
    failed: bool = False

    def __post_init__(self) -> None:
        shard = self.matrix.get("shard", {}).get("id", "")
        self.workspace = self.run.folder / f"{self.name}-{shard}".rstrip("-")
        self.workspace.mkdir(exist_ok=True)
        self.summary = self.workspace.with_suffix(".summary")
        self.summary.touch()

    def start(self) -> dict[str, str]:
        """Run the job; its outputs. Raises MachineLostError."""
        content = self.run.workflow["jobs"][self.name]
        context: dict[str, Any] = {"inputs": self.run.inputs, "matrix": self.matrix, "needs": self.run.needs}
        steps = [step for step in content["steps"] if not self.only or step.get("name") in self.only]
        assert len(steps) >= len(self.only), f"{self.name} has no such step: {self.only}"
        self._steps(steps, context, action=None)
        found = {name: evaluate(text, context) for name, text in content.get("outputs", {}).items()}
        result = "failure" if self.failed else "success"
        self.run.needs[self.name] = {"result": result, "outputs": found}
        return found

    def _steps(self, steps: list[dict[str, Any]], context: dict[str, Any], action: Path | None) -> None:
        github = {"event_name": "workflow_dispatch", "token": "none", "run_id": "1", **self.run.github}
        context.update(github=github, steps=context.get("steps", {}))
        for step in steps:
            always = "always()" in str(step.get("if", ""))
            if (self.failed and not always) or not truth(evaluate(step.get("if", "true"), context)):
                continue
            outputs = self._step(step, context, action)
            if "id" in step:
                context["steps"][step["id"]] = {"outputs": outputs}

    def _step(self, step: dict[str, Any], context: dict[str, Any], action: Path | None) -> dict[str, str]:
        given = {name: evaluate(value, context) for name, value in step.get("with", {}).items()}
        uses = step.get("uses", "")
        if "run" in step:
            return self._shell(step, {n: _text(evaluate(v, context)) for n, v in step.get("env", {}).items()}, action)
        if uses.startswith("$/"):
            return self._composite(ROOT / uses[2:], given)
        if uses.startswith("actions/upload-artifact@"):
            self._upload(given)
        elif uses.startswith("actions/download-artifact@"):
            self._download(given)
        else:
            assert uses.startswith(_IGNORED), uses
        return {}

    def _composite(self, folder: Path, given: dict[str, Any]) -> dict[str, str]:
        action = msgspec.yaml.decode((folder / "action.yml").read_bytes())
        assert set(given) <= set(action.get("inputs", {}))
        context: dict[str, Any] = {"github": {"token": "none"}, "strategy": {"job-index": 0}, "inputs": {}}
        for name, one in action.get("inputs", {}).items():
            # GitHub hands every input to a composite action as text
            context["inputs"][name] = _text(given[name]) if name in given else str(evaluate(one["default"], context))
        self._steps(action["runs"]["steps"], context, folder)
        return {name: str(evaluate(one["value"], context)) for name, one in action.get("outputs", {}).items()}

    def _shell(self, step: dict[str, Any], env: dict[str, str], action: Path | None) -> dict[str, str]:
        output = self.workspace.with_suffix(".output")
        output.write_text("")
        environment = {
            **self.run.environment,
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_ACTION_PATH": str(action or ""),
            "RUNNER_TEMP": str(self.run.folder),
            **env,
        }
        script = self.workspace.with_suffix(".sh")
        script.write_text(step["run"])
        printed = self.workspace.with_suffix(".log")
        with printed.open("a") as log:
            process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                cwd=self.workspace, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            code = self._wait(process)
        self.log = printed.read_text()
        self.failed = self.failed or code != 0
        return dict(line.split("=", 1) for line in output.read_text().splitlines())

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(0.05)
            except subprocess.TimeoutExpired:
                if self.kill_when(self.workspace):
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise MachineLostError(self.workspace.name) from None

    def _upload(self, given: dict[str, Any]) -> None:
        target = self.run.artifacts / str(given["name"])
        paths = [self.workspace / line for line in str(given["path"]).split()]
        if given.get("overwrite"):
            shutil.rmtree(target, ignore_errors=True)
        assert not target.exists(), f"two artifacts of one name: {target.name}"
        for path in paths:
            if path.is_dir():
                shutil.copytree(path, target if len(paths) == 1 else target / path.name)
            elif path.is_file():
                target.mkdir(exist_ok=True)
                shutil.copy(path, target)

    def _download(self, given: dict[str, Any]) -> None:
        target = self.workspace / str(given["path"])
        if "name" in given:
            shutil.copytree(self.run.artifacts / str(given["name"]), target)
            return
        for artifact in sorted(self.run.artifacts.iterdir()):
            if fnmatch.fnmatchcase(artifact.name, str(given["pattern"])):
                shutil.copytree(artifact, target / artifact.name)


def evaluate(value: Any, context: dict[str, Any]) -> Any:
    """A value of the workflow file with its expressions replaced; one that is nothing else keeps its type."""
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{\{(.*?)\}\}", value.strip())
    if whole:
        return _expression(whole[1].strip(), context)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _text(_expression(found[1].strip(), context)), value)


def _expression(text: str, context: dict[str, Any]) -> Any:
    """``a && b``, ``a == 'b'``, ``fromJSON(a.b)``, ``always()``, ``a.b``, ``'a'``: what our workflows use."""
    if "||" in text:
        left, right = text.split("||", 1)
        first = _expression(left.strip(), context)
        return first if truth(first) else _expression(right.strip(), context)
    if "&&" in text:
        left, right = text.split("&&", 1)
        first = _expression(left.strip(), context)
        return _expression(right.strip(), context) if truth(first) else first
    for sign in ("!=", "=="):
        if sign in text:
            a, b = (_text(_expression(part.strip(), context)) for part in text.split(sign))
            return (a.lower() == b.lower()) == (sign == "==")  # GitHub compares texts so
    if text == "always()":
        return True
    if called := re.fullmatch(r"fromJSON\((.*)\)", text):
        return json.loads(_text(_expression(called[1], context)))
    if quoted := re.fullmatch(r"'([^']*)'", text):
        return quoted[1]
    if text in ("true", "false"):
        return text == "true"
    assert _PATH.fullmatch(text), f"not an expression that these tests know: {text}"
    found: Any = context
    for part in text.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return found


def truth(value: Any) -> bool:
    """What GitHub takes for true."""
    return value not in (None, False, 0, "", "false")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def programs(folder: Path) -> str:
    """A folder for PATH with ``python`` and ``runner`` of these tests, which are installed here.

    ``pip install`` does nothing, and a virtual environment has the same two programs.
    """
    folder.mkdir()
    python = f"""#!/bin/sh
case "$*" in
  "-m pip install "*) exit 0 ;;
  "-m venv "*) mkdir -p "$3/bin" && cp {folder}/python {folder}/runner "$3/bin" && exit 0 ;;
esac
exec {sys.executable} "$@"
"""
    for name, text in (("python", python), ("runner", f'#!/bin/sh\nexec {sys.executable} -m runner "$@"\n')):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
