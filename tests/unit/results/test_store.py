"""Results on disk."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.model import Cell, Kind, Metric, Sample, Skip, Status
from runner.results import schema, store
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


def _content(tmp_path: Path) -> tuple[Path, bytes]:
    path = store.Store(tmp_path).save(replace(SAMPLE, facts={"cpu": {"flags": ["avx", "fma"]}}, log="a\nb"))
    return path, path.read_bytes()


def test_a_flipped_bit_is_found_or_changes_nothing(tmp_path: Path) -> None:
    path, content = _content(tmp_path)
    (good,), refused = store.load([tmp_path]), 0
    assert len(content) > 1000
    for place in range(0, 8 * len(content), 3):  # of every byte some bits, in the end each of the eight
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            assert store.read(path) == good, place
        except UsageError as error:
            refused += 1
            assert str(error).endswith("; the next run measures that again") or "newer program" in str(error)  # noqa: PT017
    assert refused > 8 * (len(content) - 20) / 3


@given(st.data())
def test_bytes_that_are_changed_cut_or_added_are_found_or_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path, content = _content(tmp_path_factory.mktemp("results"))
    good = store.read(path)
    place = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 4))
    path.write_bytes(content[:place] + data.draw(st.binary(max_size=4)) + content[place + length :])
    with suppress(UsageError):
        assert store.read(path) == good


def test_a_flipped_bit_in_the_record_of_a_run_is_found_or_changes_nothing(tmp_path: Path) -> None:
    store.Store(tmp_path).record(store.RunRecord("quick", (CELL,), notes=("n",), max_rounds=3))
    path = tmp_path / "run.json"
    good, content = store.load_records([tmp_path]), path.read_bytes()
    for place in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with suppress(UsageError):
            assert store.load_records([tmp_path]) == good, place


def test_a_file_with_a_wrong_checksum_says_what_to_do(tmp_path: Path) -> None:
    path, content = _content(tmp_path)
    path.write_bytes(content.replace(b"0.1,", b"0.2,"))
    with pytest.raises(UsageError) as caught:
        store.read(path)
    way_out = "the next run measures that again"
    assert str(caught.value) == f"{path}: damaged or changed by hand (its checksum does not fit); {way_out}"


def test_the_checksum_is_the_last_key_of_plain_json_and_fits_the_schema(tmp_path: Path) -> None:
    path, content = _content(tmp_path)
    store.Store(tmp_path).record(store.RunRecord("quick"))
    for kind, file in (("sample", path), ("run", tmp_path / "run.json")):
        whole = json.loads(file.read_text())
        assert list(whole)[-1] == "crc32"
        before = file.read_bytes().rpartition(b',\n "crc32"')[0]
        assert whole["crc32"] == f"{zlib.crc32(before):08x}"
        properties = json.loads(schema.text(kind))["properties"]
        assert set(whole) <= set(properties)
        assert re.search(properties["crc32"]["pattern"], whole["crc32"])
    assert "serial" not in whole
    assert content.count(b"\n") > 20


def test_of_a_file_of_an_earlier_version_the_content_counts_alone(tmp_path: Path) -> None:
    path, content = _content(tmp_path)
    good = store.read(path)
    path.write_bytes(content[: content.index(b',\n "serial"')] + b"\n}")
    assert store.load([tmp_path]) == [good]
    path.write_bytes(json.dumps(json.loads(path.read_bytes())).encode())
    assert store.load([tmp_path]) == [good]


def test_a_clock_that_was_set_back_does_not_make_an_older_result_the_newest(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    there.save(SAMPLE)
    later = replace(SAMPLE, key="a" * 64, started="2020-01-01T00:00:00+00:00")
    there.save(later)
    assert store.load([tmp_path]) == [later]
    there.save(SAMPLE)
    assert store.load([tmp_path]) == [SAMPLE]


def test_between_folders_the_one_started_last_is_the_newest(tmp_path: Path) -> None:
    older = replace(SAMPLE, key="a" * 64, started="2020-01-01T00:00:00+00:00")
    for _ in range(3):
        store.Store(tmp_path / "a").save(older)
    store.Store(tmp_path / "b").save(SAMPLE)
    assert store.load([tmp_path / "a", tmp_path / "b"]) == [SAMPLE]
    assert store.load([tmp_path / "b", tmp_path / "a"]) == [SAMPLE]
    assert store.load([tmp_path]) == [SAMPLE]


def test_a_result_that_is_saved_beside_those_of_an_earlier_version_is_the_newest(tmp_path: Path) -> None:
    path, content = _content(tmp_path)
    path.write_bytes(content[: content.index(b',\n "serial"')] + b"\n}")
    later = replace(SAMPLE, key="a" * 64, started="2020-01-01T00:00:00+00:00")
    store.Store(tmp_path).save(later)
    assert store.load([tmp_path]) == [later]


def test_a_save_reads_nothing_of_other_cells_probes_and_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = store.Store(tmp_path)
    others = ({"cell": replace(CELL, version="2.3.0")}, {"probe": "conv2d"}, {"round": 1}, {"round": 1000})
    for other in others:
        there.save(replace(SAMPLE, **other))
    there.save(replace(SAMPLE, key="a" * 64))
    asked: list[Path] = []
    really = files.content

    def content(path: Path) -> bytes:
        asked.append(path)
        return really(path)

    monkeypatch.setattr(files, "content", content)
    path = there.save(SAMPLE)
    assert [one.name for one in asked] == ["000-aaaaaaaaaaaa.json"]
    assert json.loads(path.read_bytes())["serial"] == 2


def test_a_damaged_neighbour_does_not_stop_a_save(tmp_path: Path) -> None:
    path, _ = _content(tmp_path)
    path.with_name("000-a.json").write_bytes(b"{")
    path.with_name("000-b.json").mkdir()
    path.with_name("000-c.json").symlink_to("nowhere")
    assert json.loads(store.Store(tmp_path).save(SAMPLE).read_bytes())["serial"] == 2


@pytest.mark.parametrize(
    "other",
    [{"cell": replace(CELL, version="2.3.0")}, {"probe": "conv2d"}, {"round": 7}],
    ids=["cell", "probe", "round"],
)
def test_a_result_of_another_process_is_not_taken(tmp_path: Path, other: dict[str, Any]) -> None:
    there = store.Store(tmp_path)
    moved = there.save(replace(SAMPLE, **other))
    path = there.path(SAMPLE)
    path.parent.mkdir(parents=True, exist_ok=True)
    moved.replace(path)
    said: list[str] = []
    assert there.find(CELL.id, "mnist", 0, SAMPLE.key, said.append) is None
    assert there.find(CELL.id, "mnist", 0, SAMPLE.key) is None
    (line,) = said
    assert line.startswith(f"{path}: the result of another process (")
    assert line.endswith(f", round {other.get('round', 0)})")


def damage(path: Path, kind: str) -> None:
    """Put something in the place of a result file that cannot be used."""
    content = path.read_bytes()
    path.unlink()
    if kind == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "newer":
        text = content[: content.index(b',\n "serial"')].replace(b'"schema": 1', b'"schema": 99')
        path.write_bytes(text + b"\n}")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "link to itself":
        path.symlink_to(path.name)


BAD = ("cut", "empty", "newer", "fifo", "folder", "dangling link", "link to itself")


@pytest.mark.parametrize("kind", BAD)
def test_one_bad_file_is_named_and_the_others_are_read(tmp_path: Path, kind: str) -> None:
    there = store.Store(tmp_path)
    other = replace(SAMPLE, round=1)
    there.save(other)
    path = there.save(SAMPLE)
    damage(path, kind)
    said: list[str] = []
    assert store.load([tmp_path], bad=said.append) == [other]
    (line,) = said
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    with pytest.raises(UsageError, match=path.name):
        store.load([tmp_path])


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_in_the_place_of_a_result_is_said_and_replaced(tmp_path: Path, kind: str) -> None:
    there, said = store.Store(tmp_path), list[str]()
    path = there.save(SAMPLE)
    damage(path, kind)
    assert there.find(CELL.id, "mnist", 0, SAMPLE.key, said.append) is None
    (line,) = said
    assert line.startswith(f"{path}: ")
    assert there.save(SAMPLE) == path
    assert there.find(CELL.id, "mnist", 0, SAMPLE.key, said.append) == SAMPLE
    assert store.load([tmp_path]) == [SAMPLE]
    assert len(said) == 1


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_is_named_and_the_others_are_read(tmp_path: Path, kind: str) -> None:
    store.Store(tmp_path / "a").record(store.RunRecord("quick", (CELL,)))
    path = tmp_path / "b" / "run.json"
    store.Store(tmp_path / "b").record(store.RunRecord("other"))
    if kind == "newer":
        path.write_text('{"schema": 99}')
    else:
        damage(path, kind)
    said: list[str] = []
    assert store.load_records([tmp_path], said.append).cells == (CELL,)
    (line,) = said
    assert line.startswith(f"{path}: ")
    with pytest.raises(UsageError, match=r"run\.json"):
        store.load_records([tmp_path])


@pytest.mark.parametrize("where", ["cell", "probe", "results", "file"])
def test_what_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    there = store.Store(tmp_path)
    path = there.save(SAMPLE)
    closed = {"file": path, "probe": path.parent, "cell": path.parent.parent, "results": tmp_path / "results"}[where]

    def refused(really: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(name: Any, *more: Any) -> Any:
            if Path(name) == closed:
                raise PermissionError(13, "Permission denied", str(name))
            return really(name, *more)

        return refuse

    # root may read everything, whatever the mode
    monkeypatch.setattr(os, "listdir", refused(os.listdir))
    monkeypatch.setattr(os, "open", refused(os.open))
    said: list[str] = []
    assert store.load([tmp_path], bad=said.append) == []
    (line,) = said
    assert line.startswith(f"{closed}: cannot be read")
    assert "Permission denied" in line


def test_files_that_are_no_results_are_passed_by(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    path = there.save(SAMPLE)
    for name in (".x.part", "note.txt"):
        (path.parent / name).write_text("")
    (tmp_path / "results" / "notes.json").write_text("")
    assert store.load([tmp_path]) == [SAMPLE]


def test_the_executors_of_a_folder_are_those_of_its_last_run(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    assert there.executors() == frozenset()
    there.save(SAMPLE)
    (tmp_path / "results" / "a" / "p").mkdir(parents=True)
    (tmp_path / "results" / "a" / "p" / "000-k.json").write_text("{")
    there.save(replace(SAMPLE, cell=replace(CELL, version="2.3.0"), executor="host"))
    assert there.executors() == {"docker", "host"}
    there.record(store.RunRecord())
    assert there.executors() == {"docker", "host"}
    there.record(store.RunRecord(executors=("host",)))
    assert there.executors() == {"host"}


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_the_umask_says_who_may_read_a_file(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        path = store.Store(tmp_path).save(SAMPLE)
        assert path.stat().st_mode & 0o777 == mode
        store.Store(tmp_path).save(SAMPLE)
        assert path.stat().st_mode & 0o777 == mode
    finally:
        os.umask(before)


def test_a_saved_result_survives_a_power_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is on the disk before its name, and every name above it after that."""
    order: list[str] = []
    sync, replace_ = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").resolve().name if Path("/proc/self").exists() else "?")
        sync(descriptor)

    def replaced(path: Path, target: Path) -> Path:
        order.append("rename")
        return replace_(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    path = store.Store(tmp_path / "out").save(SAMPLE)
    folders = [tmp_path.name, "out", "results", CELL.id]
    if "?" not in order:
        assert order[:4] == folders
        assert order[4].endswith(".part")
        assert order[5:] == ["rename", "mnist"]
    assert path.is_file()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_syncs_no_folders_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sync = os.fsync

    def synced(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    assert store.Store(tmp_path).save(SAMPLE).is_file()


def test_a_broken_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def synced(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", synced)
    with pytest.raises(OSError, match="Input/output"):
        store.Store(tmp_path).save(SAMPLE)


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    files.write_atomically(path, b"old")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        files.write_atomically(path, b"new")
    assert caught.value.filename == str(path)
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


def test_a_number_that_no_float_can_hold_is_no_whole_result(tmp_path: Path) -> None:
    metrics = (Metric("a.b", 10**400, Kind.TIMING),)
    paths = [store.Store(tmp_path).save(replace(SAMPLE, round=number, metrics=metrics)) for number in range(3)]
    with pytest.raises(UsageError, match=r"not a whole result file \('a\.b' is too large\)"):
        store.load([tmp_path])
    unread: list[str] = []
    assert store.load([tmp_path], bad=unread.append) == []
    assert len(unread) == len(paths)


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
    for name in ("metrics", "facts", "fingerprint", "details", "packages", "notes", "quiet", "log", "serial", "crc32"):
        del whole[name]
    path.write_text(json.dumps(whole))
    assert store.load([tmp_path]) == [replace(SAMPLE, metrics=())]


def test_an_error_names_its_place_in_the_file(tmp_path: Path) -> None:
    path = store.Store(tmp_path).save(SAMPLE)
    path.write_text(path.read_text().replace('"round": 0', '"round": "0"').replace('"crc32"', '"no checksum"'))
    with pytest.raises(UsageError, match=r"not a whole result file .*\$\.round"):
        store.load([tmp_path])
    path.write_text(path.read_text().replace('"round": "0"', '"round": 0').replace('"c"', "1"))
    with pytest.raises(UsageError, match=r"not a whole result file .*\$\.metrics\[1\]\.name"):
        store.load([tmp_path])


def test_folders_in_the_place_of_a_result_are_set_aside_each_under_a_name_of_its_own(tmp_path: Path) -> None:
    there = store.Store(tmp_path)
    for _ in range(2):
        path = there.path(SAMPLE)
        path.unlink(missing_ok=True)
        (path / "sub").mkdir(parents=True)
        assert there.save(SAMPLE).is_file()
    assert len(list(path.parent.glob("*.aside"))) == 2
