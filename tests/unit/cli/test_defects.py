"""``runner defects`` and the report's lines about defects, from result files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from runner.cli.defects import defects_command
from runner.defects import Defect
from runner.judge import rules
from runner.model import Cell, Kind, Metric, Sample, Status
from runner.report import Severity, build
from runner.repro import verify
from runner.repro.verify import NOT_CONFIRMED, Verified
from runner.results.store import RunRecord, Store
from runner.util import folders

OK = ["ok", 0.5, "abcd1234", "", "", ""]
WRONG = ["wrong", 1e5, [2.0], "", "the figure[0] is 2 instead of 1\x1b[31m", ""]


def _sample(framework: str, keras: str, case: list[object], digest: str, variant: str = "") -> list[Sample]:
    cell = Cell(framework, "1.0", keras, "3.11", "cpu", variant)
    details = {"cases": {"fit.ema(weights)": case}, "scripts": {"fit.ema": "print('shown')\n"}}
    common = {"round": 0, "seed": 0, "executor": "host", "status": Status.OK, "reason": ""}
    key = f"{framework}{keras}{variant}".replace(".", "").replace("-", "")
    metrics = (Metric("case.digest", digest * 64, Kind.EXACT),)
    packages = {"keras": keras}
    return [
        Sample(cell, "e", "training", {}, details=details, packages=packages, key=key + "a", **common),  # type: ignore[arg-type]
        Sample(cell, "e", "conv2d", {}, metrics=metrics, key=key + "b", **common),  # type: ignore[arg-type]
    ]


@pytest.fixture
def samples() -> list[Sample]:
    return [
        *_sample("torch", "3.8.0", WRONG, "a"),
        *_sample("torch", "3.9.2", OK, "a"),
        *_sample("tensorflow", "3.9.2", OK, "a"),
        *_sample("tensorflow", "3.9.2", OK, "b", "no-onednn"),
        *_sample("jax", "3.9.2", OK, "b"),
    ]


@pytest.fixture
def results(tmp_path: Path, samples: list[Sample]) -> Path:
    store = Store(tmp_path / "out")
    store.open()
    for one in samples:
        store.save(one)
    return tmp_path / "out"


def test_a_defect_is_printed_with_its_axis_bounds_packages_and_evidence(results: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(defects_command, [str(results), "--scripts", str(tmp_path / "scripts")])
    lines = [line.strip() for line in done.output.splitlines()]
    assert lines[1] == "1 defect: 0 in the newest release, 1 right again"
    assert lines[-2].startswith("conv2d: agreement follows the kernel library.")
    assert lines[-1] == f"scripts in {tmp_path / 'scripts'}"
    done = CliRunner().invoke(defects_command, [str(results), "--all"])
    assert "   1  training, EMA (fit.ema): wrong weights; first good 3.9.2 (torch)" in done.output.splitlines()
    done = CliRunner().invoke(defects_command, [str(results), "--show", "1"])
    lines = [line.strip() for line in done.output.splitlines()]
    assert lines[0] == "training, EMA (fit.ema): wrong weights - all torch cells with keras 3.8.0"
    assert lines[1] == "follows framework, keras; first bad 3.8.0; first good 3.9.2"
    assert lines[2] == "weights: the figure[0] is 2 instead of 1"
    assert lines[-1] == "print('shown')"
    done = CliRunner().invoke(defects_command, [str(results), "--show", "9"])
    assert "--show 9: the results show 1 defects" in str(done.exception)
    (script,) = (tmp_path / "scripts").iterdir()
    assert script.name == "001-training-ema-fit-ema-wrong-weights.py"
    assert script.read_text().splitlines()[1:] == ["print('shown')"]


def test_programs_get_all_of_it(results: Path) -> None:
    (found,) = json.loads(CliRunner().invoke(defects_command, [str(results), "--json"]).output)
    assert found["cells"] == ["torch-1.0_keras-3.8.0_py3.11_cpu"]
    assert found["first_good"] == "3.9.2"


@pytest.mark.parametrize(
    ("releases", "listed", "severity", "code"),
    [
        ("good bad", "", Severity.REGRESSED, 1),
        ("good bad bad", "", Severity.REGRESSED, 1),
        ("bad bad", "", Severity.DEFECT, 0),
        ("good bad good", "", Severity.DEFECT, 0),
        ("good bad", '[[defect]]\nop = "training: *"\n', Severity.EXPECTED, 0),
        ("good bad", '[[defect]]\nop = "training: *"\nissue = "https://e.org/1"\n', Severity.EXPECTED, 0),
    ],
)
def test_a_defect_that_a_release_brought_and_nobody_knows_of_is_a_regression(
    releases: str, listed: str, severity: Severity, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folders.matrix_dir(), tmp_path / "matrix")
    (tmp_path / "matrix" / "expectations.toml").write_text("schema = 1\n" + listed, encoding="utf-8")
    monkeypatch.setattr(folders, "matrix_dir", lambda: tmp_path / "matrix")
    states = {"good": OK, "bad": WRONG}
    ran = [_sample("torch", f"3.{9 + n}.0", states[state], "a")[0] for n, state in enumerate(releases.split())]
    record = RunRecord("", tuple(s.cell for s in ran), (), ())
    report = build.report(ran, record, rules.Rules())
    (finding,) = report.extra
    assert (finding.severity, report.exit_code) == (severity, code)
    assert finding.issue == ("https://e.org/1" if "issue" in listed else "")


def test_the_report_tells_defects_and_agreement(samples: list[Sample]) -> None:
    record = RunRecord("", tuple(s.cell for s in samples), (), ())
    made = build.report(samples, record, rules.Rules())
    assert [finding.text.partition(" - ")[2] for finding in made.extra] == [
        "all torch cells with keras 3.8.0; first good 3.9.2"
    ]
    assert "tensorflow 1.0 (oneDNN)" in made.notes[-1]


def test_a_defect_is_written_as_an_issue(results: Path) -> None:
    done = CliRunner().invoke(defects_command, [str(results), "--report", "1"])
    assert done.exit_code == 0
    assert done.output.startswith("# training: EMA (fit.ema) wrong weights on torch\n")
    assert "print('shown')" in done.output
    assert "| torch | none | 3.8.0 | 3.8.0 | 3.9.2 |" in done.output


def test_a_number_beyond_the_list_is_refused(results: Path) -> None:
    done = CliRunner().invoke(defects_command, [str(results), "--report", "99"])
    assert "--report 99: the results show 1 defects" in str(done.exception)


def test_a_page_keeps_what_people_wrote(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Mine\n\n<!-- runner defects: begin -->\n<!-- runner defects: end -->\n\nmy words\n")
    assert CliRunner().invoke(defects_command, [str(results), "--page", str(page)]).exit_code == 0
    text = page.read_text()
    assert text.startswith("# Mine\n")
    assert text.endswith("my words\n")
    assert "- `training, EMA (fit.ema)`: wrong weights." in text


def test_verification_prints_a_line_for_each_and_ends_by_the_worst(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verified(
        found: Sequence[Defect], _cells: object, executor: str, _say: object, environments: object
    ) -> list[Verified]:
        assert executor == "current"
        assert environments
        return [Verified(number, defect.title, NOT_CONFIRMED, "why") for number, defect in enumerate(found, 1)]

    monkeypatch.setattr(verify, "verify", verified)
    done = CliRunner().invoke(defects_command, [str(results), "--verify", "--executor", "current"])
    assert done.exit_code == 1
    assert done.output.splitlines()[0].startswith("1 not confirmed (why): training, EMA (fit.ema): wrong weights")
    assert done.output.splitlines()[-1] == "0 confirmed, 1 not confirmed, 0 could not be run"
