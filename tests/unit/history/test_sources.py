"""Which folders are a run, what is taken from a packed branch, and figures as tables for analysts."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from runner import history
from runner.errors import UsageError
from runner.history import export, sources


def made(root: Path, *names: str) -> Path:
    """Empty files, and folders where a name ends with a slash."""
    for name in names:
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return root


def runs(folder: Path) -> list[str]:
    return [str(one.relative_to(folder)) for one in sources.below(folder)]


def test_a_folder_of_results_is_a_run_itself(tmp_path: Path) -> None:
    assert runs(made(tmp_path, "results/cell/probe/000-a.json", "other/results/")) == ["."]
    assert runs(made(tmp_path / "x", "run.json")) == ["."]


def test_every_folder_of_results_below_is_a_run(tmp_path: Path) -> None:
    made(tmp_path, "b/out/results/", "a/run.json", "c/empty/", ".git/results/", "notes.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert runs(tmp_path) == ["a", "b/out"]


def test_what_the_collector_put_together_is_one_run(tmp_path: Path) -> None:
    night = "2026-11-12-77"
    made(tmp_path, f"{night}/report-full/merged/plan/run.json", f"{night}/report-full/merged/shards/a/results/")
    made(tmp_path, f"{night}/report-mps/merged/shards/a/results/", "merged/plan/run.json", "merged/shards/b/results/")
    assert runs(tmp_path) == [f"{night}/report-full", f"{night}/report-mps", "merged"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        list(sources.below(tmp_path / "none"))


def test_only_results_and_records_are_unpacked(tmp_path: Path) -> None:
    packed = tmp_path / "n.tar"
    with tarfile.open(packed, "w") as tar:
        for name in (
            "n/report-full/merged/plan/run.json",
            "n/report-full/merged/shards/a/results/cell/probe/000-a.json",
            "n/report-full/report/report.html",
            "n/report-full/report/report.json",
            "../outside/results/cell/probe/000-a.json",
            "/results/cell/probe/000-b.json",
        ):
            member = tarfile.TarInfo(name)
            member.size = 2
            tar.addfile(member, io.BytesIO(b"{}"))
        link = tarfile.TarInfo("n/results/cell/probe/000-c.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    target = tmp_path / "target"
    sources.unpack(packed, target)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")) == [
        "target/n/report-full/merged/plan/run.json",
        "target/n/report-full/merged/shards/a/results/cell/probe/000-a.json",
    ]


def test_a_packed_night_that_is_cut_off_is_named(tmp_path: Path) -> None:
    packed = tmp_path / "n.tar"
    packed.write_bytes(b"x" * 700)
    with pytest.raises(UsageError, match="not a whole tar file"):
        sources.unpack(packed, tmp_path / "target")


# --- export ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(lab: Any) -> Path:
    with history.open(lab.path) as database:
        for entry in lab.days({1: 1.0, 2: 2.5}):
            database.add(entry)
    path: Path = lab.path
    return path


def test_every_figure_is_a_row(filled: Path, tmp_path: Path, lab: Any) -> None:
    with history.read(filled) as database:
        assert export.write(database.figures(), tmp_path / "f.csv", "csv") == 4
    with (tmp_path / "f.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(export.COLUMNS)
    times = [row for row in rows if row["metric"] == "step_s"]
    assert [(row["started"][:10], row["value"], row["n"]) for row in times] == [
        ("2026-11-01", "1.0", "1"),
        ("2026-11-02", "2.5", "1"),
    ]
    first = times[0]
    assert (first["cell"], first["framework"], first["version"], first["keras"]) == (
        lab.cell.id, "torch", "2.2.2", "3.11.3",
    )  # fmt: skip
    assert (first["set"], first["unit"], first["better"], first["variant"]) == ("quick", "s", "lower", "")
    assert json.loads(first["fingerprint"])["host"] == "atlas"
    assert len({row["scope"] for row in times}) == 1


def test_parquet_has_the_same_rows_with_types(filled: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    with history.read(filled) as database:
        export.write(database.figures(), tmp_path / "f.parquet", "parquet")
        expected = [dict(zip(export.COLUMNS, row, strict=True)) for row in database.figures()]
    table = parquet.read_table(tmp_path / "f.parquet")
    assert table.to_pylist() == expected
    assert [str(table.schema.field(name).type) for name in ("run", "n", "value")] == ["string", "int64", "double"]


def test_an_empty_history_is_a_table_without_rows(tmp_path: Path) -> None:
    for form in export.FORMATS:
        assert export.write([], tmp_path / f"f.{form}", form) == 0
        assert (tmp_path / f"f.{form}").stat().st_size > 0


def test_a_spreadsheet_computes_nothing(tmp_path: Path) -> None:
    row = ["=HYPERLINK(1)"] + ["x"] * (len(export.COLUMNS) - 1)
    export.write([tuple(row)], tmp_path / "f.csv", "csv")
    assert "\n'=HYPERLINK(1),x," in (tmp_path / "f.csv").read_text()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/f\.csv: cannot be written"):
        export.write([], tmp_path / "file" / "f.csv", "csv")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'keras-version-matrix\[history\]'; or --format csv"):
        export.write([], tmp_path / "f.parquet", "parquet")
