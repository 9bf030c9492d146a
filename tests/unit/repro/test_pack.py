"""``runner export`` from the command line to the archive."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import cli, data
from runner.environments import lock
from runner.environments.lockfile import Lock, Recipe
from runner.errors import UsageError
from runner.matrix import configuration, plan, probes
from runner.model import Cell, Custom, Kind, Metric, Sample, Status
from runner.repro import pack
from runner.results.store import Store

CELL = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
LOCK = Lock(
    Path("x"), Recipe("e", "3.11", "p", "cpu", "2026-01-01T00:00:00Z", ("jax==0.10.2",)), (), "",
    ("jax==0.10.2",), ("keras==3.11.3",), "0" * 64, {"jax": "0.10.2"},
)  # fmt: skip
SAMPLE = Sample(
    CELL, "e", "conv2d", {}, 2, 5, "docker", Status.OK, "", (Metric("digest", "ab", Kind.EXACT),), lock_hash="0" * 64
)


@pytest.fixture(autouse=True)
def _locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def locked(environment: Any, say: Any) -> Lock:
        say(f"resolving {environment.id}")
        return LOCK

    monkeypatch.setattr(lock, "locked", locked)
    monkeypatch.chdir(tmp_path)


def _stored(sample: Sample, folder: Path) -> str:
    store = Store(folder)
    store.open()
    store.save(sample)
    (path,) = folder.rglob("results/*/*/*.json")
    return str(path)


def _export(*words: str) -> Path:
    assert cli.run(["export", *words]) == 0
    (found,) = Path("export").glob("*[!z]")
    return found


def test_a_script_in_a_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.py").write_text("print('ü')", encoding="utf-8")
    assert cli.run(["export", CELL.id, "--script", "s.py", "--", "--epochs", "2"]) == 0
    shown = capsys.readouterr()
    folder = Path("export") / CELL.id
    assert shown.out == f"{folder}\n{folder}.tar.gz\nsh {folder}/reproduce.sh\n"
    assert shown.err.startswith("resolving jax-0.10.2_keras-3.11.3_py3.11_cpu_linux-")
    assert (folder / "script.py").read_text("utf-8") == "print('ü')"
    reproduce = folder / "reproduce.sh"
    assert reproduce.stat().st_mode & 0o111 == 0o111
    assert "python /script/script.py '--epochs' '2'" in reproduce.read_text()
    assert not (folder / "probe").exists()
    assert not (folder / "data").exists()


def test_the_build_context_is_limited_to_what_the_image_is_made_from(tmp_path: Path) -> None:
    (tmp_path / "s.py").touch()
    folder = _export(CELL.id, "--script", "s.py")
    assert (folder / ".dockerignore").read_text() == "*\n!install.sh\n!*.txt\n"
    # the classic builder knows no mounts
    assert "--mount" not in (folder / "Dockerfile").read_text()


def test_a_probe_with_its_settings_and_the_payload() -> None:
    folder = _export(CELL.id, "--probe", "conv2d")
    request = json.loads((folder / "request.json").read_text())
    assert (request["probe"], request["seed"], request["round"]) == ("conv2d", 0, 0)
    assert (folder / "probe" / "__main__.py").is_file()
    assert not list(folder.rglob("__pycache__"))
    assert json.loads((folder / "expected.json").read_text()) == {"status": None, "same": {}, "shown": {}}


def test_a_result_is_repeated_with_its_seed_and_round_and_checked_against_its_figures(tmp_path: Path) -> None:
    folder = _export(_stored(SAMPLE, tmp_path / "out"))
    assert folder.name == CELL.id
    request = json.loads((folder / "request.json").read_text())
    assert (request["probe"], request["seed"], request["round"]) == ("conv2d", 5, 2)
    assert json.loads((folder / "expected.json").read_text())["same"] == {"digest": "ab"}
    readme = (folder / "README.md").read_text()
    assert "the lock has changed" not in readme
    assert "the result was measured with the executor" not in readme


def test_a_result_of_another_lock_or_executor_has_a_note(tmp_path: Path) -> None:
    folder = _export(_stored(replace(SAMPLE, lock_hash="1" * 64, executor="host"), tmp_path / "out"))
    readme = (folder / "README.md").read_text()
    assert "- the lock has changed since the result was measured" in readme
    assert "- the result was measured with the executor host, not in a container" in readme


def test_the_archive_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    (tmp_path / "s.py").touch()
    digests = []
    for name in ("one", "two"):
        assert cli.run(["export", CELL.id, "--script", "s.py", "--out", f"{name}/same"]) == 0
        digests.append(hashlib.sha256(Path(f"{name}/same.tar.gz").read_bytes()).hexdigest())
    assert digests[0] == digests[1]
    with tarfile.open("one/same.tar.gz") as tar:
        entries = tar.getmembers()
    assert {(entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) for entry in entries} == {(0, 0, "", "", 0)}
    names = [entry.name for entry in entries]
    assert names[0] == "same"
    assert {"same/Dockerfile", "same/reproduce.sh", "same/.dockerignore"} < set(names)


class TestData:
    @pytest.fixture
    def digits(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Path]]:
        """A data file in place of MNIST; the list keeps what the user gave."""
        given: list[dict[str, Path]] = []
        path = tmp_path / "cache.npz"
        path.write_bytes(b"digits")
        file = data.DataFile(path, "mnist", "abcd" * 16)

        def collect(probes: Any, own: Any, _cache: Path) -> data.Collected:
            given.append(own)
            return data.Collected(dict.fromkeys(probes, file))

        monkeypatch.setattr(data, "collect", collect)
        return given

    def test_the_file_lies_in_the_folder_and_is_shown_to_the_probe(self, digits: list[dict[str, Path]]) -> None:
        folder = _export(CELL.id, "--probe", "mnist", "--setting", "mnist.epochs=1")
        assert (folder / "data" / "mnist.npz").read_bytes() == b"digits"
        request = json.loads((folder / "request.json").read_text())
        assert request["settings"]["epochs"] == 1
        assert "/data/mnist.npz" in json.dumps(request)
        assert "mnist.npz:/data/mnist.npz:ro" in (folder / "reproduce.sh").read_text()
        assert digits == [{}]

    def test_a_file_that_is_given_is_used(self, digits: list[dict[str, Path]]) -> None:
        _export(CELL.id, "--probe", "mnist", "--data", "own.npz")
        assert digits == [{"mnist": Path("own.npz")}]

    def test_a_result_of_other_data_is_refused(
        self, digits: list[dict[str, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        own = replace(SAMPLE, probe="mnist", fingerprint={"data": "abcdabcd"})
        assert cli.run(["export", _stored(own, tmp_path / "own")]) == 0
        other = replace(SAMPLE, probe="mnist", fingerprint={"data": "0123"})
        assert cli.run(["export", _stored(other, tmp_path / "other"), "--out", "third"]) == 2
        assert "measured on other data (sha256 0123...): give the file with --data" in capsys.readouterr().err
        assert len(digits) == 2

    def test_a_probe_that_makes_its_own_stand_in_needs_no_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(data, "collect", lambda *_: data.Collected({}))
        folder = _export(CELL.id, "--probe", "lstm")
        assert not (folder / "data").exists()


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "why"),
        [
            ([CELL.id], "either --probe NAME or --script FILE"),
            ([CELL.id, "--probe", "conv2d", "--script", "s.py"], "either --probe NAME or --script FILE"),
            ([CELL.id.replace("cpu", "mps"), "--probe", "conv2d"], "MPS cannot be reached from a container"),
            (["nothing"], "is not a cell id"),
            ([CELL.id, "--script", "gone.py"], "gone.py: cannot be read"),
            ([CELL.id, "--probe", "conv2d", "--", "a"], "arguments after -- are for a script: give it with --script"),
            ([CELL.id, "--probe", "conv2d", "--data", "a"], "--data a: the probe 'conv2d' reads no data file; leave"),
            ([CELL.id, "--script", "s.py", "--data", "a"], "--data is for a probe, and a script has none of it"),
            ([CELL.id, "--script", "s.py", "--setting", "a.b=1"], "--setting is for a probe, and a script has none"),
        ],
    )
    def test_what_cannot_be_exported(self, words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["export", *words]) == 2
        assert why in capsys.readouterr().err
        assert not Path("export").exists()

    @pytest.mark.parametrize("words", [["--probe", "conv2d"], ["--script", "s.py"], ["--setting", "conv2d.x=1"]])
    def test_a_result_with_what_goes_with_a_cell(
        self, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["export", _stored(SAMPLE, tmp_path / "out"), *words]) == 2
        assert "a result file names its probe" in capsys.readouterr().err

    def test_a_result_of_a_script_has_no_script(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        kept = _stored(replace(SAMPLE, probe="script"), tmp_path / "out")
        assert cli.run(["export", kept]) == 2
        assert f"`runner export '{CELL.id}' --script FILE` packs it" in capsys.readouterr().err

    def test_a_folder_that_holds_something_already(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "s.py").touch()
        Path("there").mkdir()
        assert cli.run(["export", CELL.id, "--script", "s.py", "--out", "there"]) == 0
        assert cli.run(["export", CELL.id, "--script", "s.py", "--out", "there"]) == 2
        assert "there: is there already; name another with --out" in capsys.readouterr().err

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "s.py").touch()
        request = pack.Request(CELL.id, (), None, (), tmp_path / "s.py", None, tmp_path / "file" / "x")
        with pytest.raises(UsageError, match="file/x: cannot be written: Not a directory"):
            pack.export(request, lambda _: None)


class TestOwnProbe:
    """The probe of a user's configuration."""

    SET = """
schema = 1
default = "mine"
[sets.mine]
description = "d"
packages = ["scipy==1.15.3"]
[[sets.mine.product]]
framework = ["jax"]
version = ["0.10.2"]
keras = ["3.11.3"]
device = ["cpu"]
[sets.mine.probes.dense]
units = 3
[probes.dense]
file = "dense.py"
"""

    @pytest.fixture(autouse=True)
    def written(self, tmp_path: Path) -> None:
        (tmp_path / "keras-matrix.toml").write_text(self.SET)
        (tmp_path / "dense.py").write_text("DEFAULTS = {'units': 1}\ndef measure(report, settings): pass\n")
        configuration.forget()

    def test_its_file_and_the_packages_of_the_set_are_in_the_folder(self, capsys: pytest.CaptureFixture[str]) -> None:
        folder = _export(CELL.id, "--probe", "dense")
        assert (folder / "own_probes" / "dense.py").read_text().startswith("DEFAULTS")
        assert "_own.run(request, report)" in (folder / "probe" / "dense.py").read_text()
        assert json.loads((folder / "request.json").read_text())["settings"] == {"units": 3}
        assert "cp -R probe own_probes request.json out/" in (folder / "reproduce.sh").read_text()
        assert "_x" in capsys.readouterr().err.split()[1]  # the environment has the set's packages

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (["--data", "a.npz"], "--data a.npz: the probe 'dense' reads no data file; leave it out"),
            (["--", "a"], "arguments after -- are for a script: give it with --script, or leave them out"),
        ],
    )
    def test_what_it_does_not_read_is_refused(
        self, words: list[str], why: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["export", CELL.id, "--probe", "dense", *words]) == 2
        assert capsys.readouterr().err == f"runner: {why}\n"

    def test_a_file_that_is_not_python_is_refused_with_its_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "dense.py").write_text("DEFAULTS = {'units': 1}\n\ndef measure(:\n    pass\n")
        probes._content.cache_clear()
        monkeypatch.setattr("sys.version_info", (3, 10, 0))
        probes.check_syntax("dense", "3.11")  # a newer Python may understand it
        monkeypatch.undo()
        monkeypatch.chdir(tmp_path)
        assert cli.run(["export", CELL.id, "--probe", "dense", "--setting", "dense.units=3"]) == 2
        assert capsys.readouterr().err == f"runner: {tmp_path}/dense.py, line 3: invalid syntax\n"

    @pytest.mark.parametrize(("code", "note"), [(None, ""), ("other", "the probe dense has changed since the result")])
    def test_its_result_is_packed_with_its_environment(
        self, tmp_path: Path, code: str | None, note: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environment = plan.environment_of(CELL, "linux-x86_64", Custom(("scipy==1.15.3",)))
        now = code or probes.probe_hash("dense")[:16]
        sample = replace(SAMPLE, probe="dense", environment_id=environment.id, fingerprint={"probe_hash": now})
        folder = _export(_stored(sample, tmp_path / "out"))
        assert capsys.readouterr().err.startswith(f"resolving {environment.id.rpartition('_')[0][:20]}")
        assert note in (folder / "README.md").read_text()
        assert ("has changed since the result was measured: this" in (folder / "README.md").read_text()) == bool(note)

    def test_a_result_of_a_probe_that_is_gone_is_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = _stored(replace(SAMPLE, probe="gone"), tmp_path / "out")
        assert cli.run(["export", path]) == 2
        assert "the program and keras-matrix.toml have no such probe, so its code cannot" in capsys.readouterr().err
