"""``runner trend`` from a real history file and from real result files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runner import cli, history
from runner.history.data import Entry
from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.results import store

RELEASES = ("3.0.5", "3.3.3", "3.5.0", "3.8.0", "3.9.2", "3.11.3", "3.14.1", "3.15.1")
HERE = {"cpu": "EPYC", "probe_hash": "p", "settings": "s", "data": "d"}


def _sample(day: int, value: float, keras: str = "3.11.3", number: int = 0, host: str = "atlas") -> Sample:
    return Sample(
        Cell("torch", "2.2.2", keras, "3.11", "cpu"),
        "e",
        "mnist",
        {"epochs": 1},
        number,
        number,
        "docker",
        Status.OK,
        "",
        (
            Metric("free.step_s", value, Kind.TIMING, Better.LOWER, "s"),
            Metric("peak_rss_bytes", 614e6, Kind.TIMING, Better.LOWER, "B"),
        ),
        fingerprint={**HERE, "host": host},
        started=f"2026-11-{day:02}T01:{number:02}:00+00:00",
        key=f"k{day}",
        wall_s=1.0,
    )


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Thirty nights; from the 16th a step takes 1.3 times as long. The first three were on another host."""
    path = tmp_path / "history.sqlite"
    with history.open(path) as database:
        for day in range(1, 31):
            host = "older" if day <= 3 else "atlas"
            value = (0.010 if day < 16 else 0.013) * (1 + 0.002 * (day * 7 % 5 - 2))
            database.add(Entry("quick", (_sample(day, value, host=host),), (), (), 0))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The results of one run over eight releases of Keras; from 3.9.2 a step takes twice as long."""
    there = store.Store(tmp_path / "out")
    for n, release in enumerate(RELEASES):
        for number in range(3):
            there.save(_sample(1, (1 if n < 4 else 2) * (1 + 0.003 * (n % 3) + 0.001 * number), release, number))
    return tmp_path / "out"


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = cli.run(["trend", *map(str, words)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_history_over_dates(kept: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    code, out, err = run(capsys, "step time", "--history", kept)
    assert (code, err) == (0, "")
    assert "since the night of 16 November: +30 % (" in out
    assert "10.0 ms → 13.0 ms, worse" in out
    assert "- another host before 4 November" in out
    assert max(map(len, out.splitlines())) <= 100


def test_two_hosts_are_two_lines(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "free.step_s", "--history", kept, "--format", "json")
    lines = json.loads(out)["lines"]
    assert [(line["host"], len(line["spots"])) for line in lines] == [("atlas (EPYC)", 27), ("older (EPYC)", 3)]
    assert [len(line["moves"]) for line in lines] == [1, 0]


def test_result_folders_over_releases(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "step time", "--from", folder)
    assert (code, err) == (0, "")
    assert "torch 2.2.2 over the releases of keras" in out
    assert "since keras 3.9.2: +100 % (" in out
    code, out, _ = run(capsys, "step time", "--from", folder, "--format", "json", "--over", "release")
    (line,) = json.loads(out)["lines"]
    assert [spot["label"] for spot in line["spots"]] == list(RELEASES)
    assert all(spot["n"] == 3 and spot["low"] < spot["value"] < spot["high"] for spot in line["spots"])


def test_a_history_over_releases(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "h.sqlite"
    with history.open(path) as database:
        database.add(Entry("keras-history", tuple(store.load([folder])), (), (), 0))
    code, out, _ = run(capsys, "step time", "--history", path, "--over", "release")
    assert code == 0
    assert "since keras 3.9.2: +100 % (" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stp time"], "no metric 'stp time' (did you mean 'step time'"),
        (["step time", "--cells", "jax*"], "--cells 'jax*': no cell with that figure matches"),
        (["step time", "--probe", "mnst"], "--probe 'mnst': no figure of that probe (did you mean 'mnist'?)"),
        (["step time", "--over", "release"], "no two cells differ in one release alone; name results"),
        (["step time", "--over", "dates"], "Invalid value for '--over'"),
    ],
)
def test_bad_words_are_one_line(kept: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *words, "--history", kept)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_bad_sources_are_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    store.Store(empty).save(replace(_sample(1, 1.0), metrics=()))
    for words, said in (
        (["--history", tmp_path / "none.sqlite"], "no such history; `runner history add DIR` begins one"),
        (["--from", folder, "--over", "date"], "--from reads one run, which has one date"),
        (["--from", tmp_path / "none"], "none"),
        (["--from", empty], "holds no figures; a folder made by `runner matrix --out` does"),
    ):
        code, out, err = run(capsys, "step time", *words)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1


def test_a_result_file_that_cannot_be_used_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = next((folder / "results").rglob("*.json"))
    damaged.write_text("{", encoding="utf-8")
    code, out, err = run(capsys, "step time", "--from", folder)
    assert code == 3
    assert damaged.name in err
    assert "over the releases of keras" in out
