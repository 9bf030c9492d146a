"""The steps of action.yml with the real program: the repository's own configuration, a cell in a container."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.engine

HERE = Path(__file__).resolve().parent
CONFIGURATION = """schema = 1
default = "mine"
[sets.mine]
description = "one cell"
[[sets.mine.product]]
framework = ["numpy"]
version = ["latest"]
keras = ["3.11.3"]
device = ["cpu"]
[sets.mine.probes.hello]
"""


def _actions() -> ModuleType:
    """The helper beside this file, which is no package."""
    spec = importlib.util.spec_from_file_location("engine_actions", HERE / "actions.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


actions = _actions()


def test_a_repository_is_measured_by_its_own_configuration(tmp_path: Path) -> None:
    """A registry that cannot be reached costs a line, and the image is built, or was built before."""
    (tmp_path / "artifacts").mkdir()
    given = {"folder": "python", "arguments": "--rounds 1", "images": "127.0.0.1:1/nobody", "comment": "false"}
    run = actions.Run(
        {"jobs": {"job": {"steps": [{"uses": "$/", "with": given}]}}},
        {},
        tmp_path,
        {
            **{name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
            "PATH": actions.programs(tmp_path / "bin"),
            "PYTHONPATH": str(actions.ROOT),
        },
        github={"event_name": "push", "job": "job"},
    )
    job = actions.Job(run, "job")
    (job.workspace / "python").mkdir()
    (job.workspace / "python/keras-matrix.toml").write_text(CONFIGURATION)
    job.start()
    assert not job.failed, job.log
    summary = job.summary.read_text()
    assert "## version-regression matrix: mine" in summary
    assert "exit code 0: nothing got worse" in summary
    assert "uvx keras-version-matrix matrix --only" in summary
    assert "--out" not in summary
    kept = tmp_path / "artifacts/keras-version-matrix-job-0-false"
    report = json.loads((kept / "report/report.json").read_text())
    assert report["exit_code"] == 0
    badge = json.loads((kept / "report/badge.json").read_text())
    assert badge["message"] == "1 combination, nothing worse"
    assert job.log.count("127.0.0.1:1/nobody") <= 2  # one line, which names it at its beginning and in the reason
    assert not any((job.workspace / "python").glob("out*")), "nothing is written to the checkout"
