"""Results on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.model import Cell, Kind, Metric, Sample, Skip, Status
from runner.results import store
from runner.util import files

CELL = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
SAMPLE = Sample(
    cell=CELL,
    environment_id="e",
    probe="mnist",
    settings={"epochs": 3},
    round=0,
    seed=0,
    executor="docker",
    status=Status.OK,
    reason="",
    metrics=(Metric("a.b", 0.1, Kind.SEEDED), Metric("c", [1.0, 2.5], Kind.TRAJECTORY), Metric("d", "x", Kind.EXACT)),
    key="k" * 64,
    started="2026-01-01T00:00:00+00:00",
)


def test_a_sample_comes_back_as_it_was(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    there.open()
    path = there.save(SAMPLE)
    assert path == tmp_path / "results" / CELL.id / "mnist" / "000-kkkkkkkkkkkk.json"
    assert store.read(path) == SAMPLE
    assert store.load([tmp_path]) == store.load([path]) == [SAMPLE]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("status", list(Status))
def test_only_what_tells_of_the_cell_is_reused(tmp_path: Path, status: Status) -> None:
    there = store.Store(tmp_path)
    there.save(replace(SAMPLE, status=status))
    found = there.find(CELL.id, "mnist", 0, SAMPLE.key)
    assert (found is not None) == (status not in {Status.BUILD_FAILED, Status.UNAVAILABLE, Status.SKIPPED})


def test_another_key_round_or_probe_is_another_result(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    there.save(SAMPLE)
    assert there.find(CELL.id, "mnist", 1, SAMPLE.key) is None
    assert there.find(CELL.id, "conv2d", 0, SAMPLE.key) is None
    assert there.find(CELL.id, "mnist", 0, "k" * 12 + "other") is None


def test_of_several_results_of_a_job_the_newest_counts(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    there.save(SAMPLE)
    newer = replace(SAMPLE, key="n" * 64, started="2026-02-01T00:00:00+00:00")
    there.save(newer)
    assert store.load([tmp_path]) == [newer]


def test_folders_are_merged(tmp_path: Path) -> None:
    for number in range(2):
        store.Store(tmp_path / str(number)).save(replace(SAMPLE, round=number))
    assert [s.round for s in store.load([tmp_path / "0", tmp_path / "1"])] == [0, 1]
    assert [s.round for s in store.load([tmp_path])] == [0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"schema": 1, "cell": {"framework": "to', "not a whole result file"),
        (b'{"schema": 999}', "newer program"),
        (b"[]", "not a whole result file"),
        (b'{"schema": 1}', "not a whole result file"),
        (b"\x00\xff", "not a whole result file"),
    ],
)
def test_a_damaged_file_is_named_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "results" / "c" / "p" / "000-x.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        store.load([tmp_path])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_folder_without_results_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"no such|holds no results"):
        store.load([tmp_path / name])


def test_an_out_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        store.Store(tmp_path / "out").open()


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    files.write_atomically(path, b"old")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_records_of_several_shards_are_put_together(tmp_path: Path) -> None:
    other = replace(CELL, version="2.6.0")
    store.Store(tmp_path / "a").record(store.RunRecord("quick", (CELL,), (), ("n",), "--set x"))
    store.Store(tmp_path / "b").record(
        store.RunRecord("quick", (CELL, other), (Skip(other, Status.UNAVAILABLE, "r"),), ("n",))
    )
    whole = store.load_records([tmp_path])
    assert whole.cells == (CELL, other)
    assert whole.notes == ("n",)
    assert [skip.reason for skip in whole.skips] == ["r"]
    assert whole.set_name == "quick"


def test_results_on_other_data_or_another_host_are_results_of_their_own(tmp_path: Path) -> None:
    places = ({"host": "a", "data": "1"}, {"host": "a", "data": "2"}, {"host": "b", "data": "1"})
    for number, place in enumerate(places):
        store.Store(tmp_path).save(replace(SAMPLE, key=str(number) * 64, fingerprint=dict(place)))
    assert len(store.load([tmp_path])) == 3


def test_others_can_read_a_result(tmp_path: Path) -> None:
    assert store.Store(tmp_path).save(SAMPLE).stat().st_mode & 0o777 == 0o644


def test_a_number_that_no_float_can_hold_is_no_whole_result(tmp_path: Path) -> None:
    path = store.Store(tmp_path).save(replace(SAMPLE, metrics=(Metric("a.b", 10**400, Kind.TIMING),)))
    with pytest.raises(UsageError, match=r"not a whole result file \('a\.b' is too large\)"):
        store.load([tmp_path])
    assert path.is_file()


def test_details_are_read_of_the_probes_that_are_asked_for(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    for probe in ("ops", "mnist"):
        there.save(replace(SAMPLE, probe=probe, details={"cases": {}}))
    found = {sample.probe: sample.details for sample in store.load([tmp_path], details_of={"ops"})}
    assert found == {"ops": {"cases": {}}, "mnist": {}}
    assert all(sample.details for sample in store.load([tmp_path]))


def test_what_an_older_program_left_out_has_its_default(tmp_path: Path) -> None:
    path = store.Store(tmp_path).save(replace(SAMPLE, notes=("n",)))
    whole = json.loads(path.read_text())
    for name in ("metrics", "facts", "fingerprint", "details", "packages", "notes", "quiet", "log"):
        del whole[name]
    path.write_text(json.dumps(whole))
    assert store.load([tmp_path]) == [replace(SAMPLE, metrics=())]


def test_an_error_names_its_place_in_the_file(tmp_path: Path) -> None:
    path = store.Store(tmp_path).save(SAMPLE)
    path.write_text(path.read_text().replace('"round": 0', '"round": "0"'))
    with pytest.raises(UsageError, match=r"not a whole result file .*\$\.round"):
        store.load([tmp_path])
    path.write_text(path.read_text().replace('"round": "0"', '"round": 0').replace('"c"', "1"))
    with pytest.raises(UsageError, match=r"not a whole result file .*\$\.metrics\[1\]\.name"):
        store.load([tmp_path])
