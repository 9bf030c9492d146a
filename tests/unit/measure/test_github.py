"""``list --github`` writes what a workflow reads; ``schema`` writes what its result files fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runner import cli
from runner.matrix import sets
from runner.model import SCHEMA, Sample, Status
from runner.results import schema, store
from runner.util import durations

ROOT = Path(__file__).resolve().parents[3]


def _plan(capsys: pytest.CaptureFixture[str], folder: Path, *argv: str) -> dict[str, list[dict[str, Any]]]:
    assert cli.run(["list", "--github", str(folder), *argv]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {name: json.loads(text) for name, _, text in (line.partition("=") for line in lines)}


def test_every_cell_of_the_set_is_in_one_job(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    jobs = _plan(capsys, tmp_path, "--set", "full", "--whole", "--cuda-labels", '["gpu"]')
    assert list(jobs) == ["linux", "macos", "cuda"]
    assert not jobs["macos"]
    ids = [cell for kind in jobs.values() for job in kind for cell in job["cells"].split()]
    assert jobs["linux"]
    assert jobs["cuda"]
    record = store.load_records([tmp_path])
    assert sorted(ids) == sorted(cell.id for cell in record.cells)
    assert all("_cuda" in cell for job in jobs["cuda"] for cell in job["cells"].split())
    assert all(sets.parse_cell(cell).id == cell for cell in ids)


def test_a_job_has_what_the_workflow_reads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (job,) = _plan(capsys, tmp_path)["linux"]
    assert set(job) == {"id", "cells", "timeout", "minutes", "budget"}
    assert durations.seconds(job["budget"]) < 60 * job["timeout"]
    used = (ROOT / ".github/workflows/matrix.yml").read_text("utf-8") if (ROOT / ".github").is_dir() else ""
    for key in job:
        assert not used or f"matrix.shard.{key}" in used


def test_a_job_with_rounds_has_no_budget(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (job,) = _plan(capsys, tmp_path, "--rounds", "2")["linux"]
    assert job["budget"] == ""


def test_outputs_fit_githubs_limit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in sets.load().sets:
        jobs = _plan(capsys, tmp_path / name, "--set", name, "--whole", "--cuda-labels", '["gpu"]')
        assert any(jobs.values()), name
        assert sum(len(f"{kind}={json.dumps(some)}") for kind, some in jobs.items()) < 1 << 20, name


def test_cuda_without_a_runner_is_told_and_not_dropped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    jobs = _plan(capsys, tmp_path, "--set", "full", "--whole", "--only", "jax-*")
    assert jobs["cuda"] == []
    skips = store.load_records([tmp_path]).skips
    assert skips
    assert {skip.cell.device for skip in skips} == {"cuda"}
    assert {skip.status for skip in skips} == {Status.UNAVAILABLE}
    assert "no labels of one were given" in skips[0].reason


def test_cuda_cells_that_are_not_asked_for_are_told_and_fail_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _plan(capsys, tmp_path, "--set", "full", "--whole", "--only", "jax-*_cpu*")
    record = store.load_records([tmp_path])
    assert not record.skips
    assert [note for note in record.notes if "38 CUDA cells" in note and "jax-*_cpu*" in note]
    assert "38 CUDA cells" in (tmp_path / "plan.md").read_text("utf-8")


def test_a_shard_that_is_too_long_is_a_warning_and_stands_in_the_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    argv = ["list", "--github", str(tmp_path), "--set", "full", "--whole", "--only", "torch-*_cpu", "--rounds", "8"]
    assert cli.run(argv) == 0
    assert "::warning title=A shard takes too long::linux-01: would take " in capsys.readouterr().err
    assert any("a job may take 360" in note for note in store.load_records([tmp_path]).notes)


@pytest.mark.parametrize("only", ["*", "*_cpu"])
def test_a_set_for_macs_is_planned_for_a_mac_whatever_is_left_of_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, only: str
) -> None:
    jobs = _plan(capsys, tmp_path, "--set", "mps", "--whole", "--only", only)
    assert not jobs["linux"]
    (job,) = jobs["macos"]
    kinds = {"no-fallback", "fallback"} if only == "*" else set()
    assert {cell.partition("_mps+")[2] for cell in job["cells"].split()} - {""} == kinds


def test_what_is_reported_if_no_runner_takes_a_shard_lies_ready(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    jobs = _plan(capsys, tmp_path, "--set", "full", "--whole", "--cuda-labels", '["gpu"]')
    assert jobs["cuda"]
    for job in jobs["cuda"]:
        record = store.load_records([tmp_path / "not-run" / job["id"]])
        assert [skip.cell.id for skip in record.skips] == job["cells"].split()
        assert '["gpu"]' in record.skips[0].reason


@pytest.mark.parametrize(("event", "condensed"), [("pull_request", True), ("schedule", False), ("push", False)])
def test_pull_requests_get_fewer_cells(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: str, condensed: bool
) -> None:
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    _plan(capsys, tmp_path, "--set", "full")
    record = store.load_records([tmp_path])
    assert (len(record.cells) < 20) == condensed
    assert any("condensed" in note for note in record.notes) == condensed
    assert not condensed or {cell.device for cell in record.cells} == {"cpu"}


def test_an_unknown_set_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.run(["list", "--github", str(tmp_path), "--set", "ful"]) == 2
    assert "did you mean 'full'" in capsys.readouterr().err


# --- schemas -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not (ROOT / "docs/schema").is_dir(), reason="not a checkout")
def test_the_committed_schemas_are_what_the_types_make(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["schema", str(ROOT / "docs/schema"), "--check"]) == 0, capsys.readouterr().out


def test_a_schema_that_is_out_of_date_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.run(["schema", str(tmp_path)]) == 0
    path = tmp_path / schema.file_name("sample")
    path.write_text(path.read_text("utf-8").replace("wall_s", "wall_ms"), encoding="utf-8")
    capsys.readouterr()
    assert cli.run(["schema", str(tmp_path), "--check"]) == 1
    assert str(path) in capsys.readouterr().out


def test_a_schema_names_its_version_and_every_field() -> None:
    document = json.loads(schema.text("sample"))
    assert schema.file_name("sample") == f"sample-{SCHEMA}.schema.json"
    assert document["properties"]["schema"] == {"const": SCHEMA}
    fields = {field.name for field in msgspec.inspect.type_info(Sample).fields}  # type: ignore[attr-defined]
    assert set(document["properties"]) == {*fields, "serial", "crc32"}
    assert set(json.loads(schema.text("run"))["properties"]) > {"crc32", "executors"}
    assert set(document["$defs"]) >= {"Cell", "Metric", "Status", "Kind"}
    references = set(_references(document))
    assert references == {f"#/$defs/{name}" for name in document["$defs"]}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [one for part in value.values() for one in _references(part)]
    return [one for part in value for one in _references(part)] if isinstance(value, list) else []
