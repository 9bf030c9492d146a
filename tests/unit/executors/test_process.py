"""What can be told about processes without starting any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.executors.owner import Owner
from runner.executors.process import Surroundings, resident, tail


def test_a_short_log_is_kept_whole() -> None:
    assert tail(b"one\ntwo\n", 100) == "one\ntwo\n"


def test_a_long_log_begins_with_a_whole_line() -> None:
    assert tail(b"one\ntwo\nthree\n", 12) == "two\nthree\n"


def test_a_long_line_is_cut_rather_than_lost() -> None:
    assert tail(b"x" * 100 + b" end\n", 20) == "x" * 15 + " end\n"
    assert tail(b"first\n" + b"x" * 100, 20) == "x" * 20


def test_a_log_of_no_length_is_empty() -> None:
    assert tail(b"abc", 0) == ""


def test_bytes_that_are_no_text_become_marks() -> None:
    assert tail(b"a\xffb\n", 10) == "a\ufffdb\n"
    assert tail("é".encode() * 4, 3) == "\ufffdé"


def test_nothing_of_the_callers_shell_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "PYTHONPATH", "LD_LIBRARY_PATH", "XLA_FLAGS", "KERAS_BACKEND"):
        monkeypatch.setenv(name, "from the shell")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/company.pem")
    with Surroundings({"OWN": "1"}, {"KEPT": "2"}) as environment:
        assert "from the shell" not in environment.values()
        assert environment["HTTPS_PROXY"] == "http://proxy"
        assert environment["SSL_CERT_FILE"] == "/etc/company.pem"
        assert (environment["OWN"], environment["KEPT"]) == ("1", "2")


def test_the_cells_own_variables_outrank_all_others() -> None:
    with Surroundings({"LANG": "own", "A": "own"}, {"A": "kept"}) as environment:
        assert (environment["LANG"], environment["A"]) == ("own", "own")


def test_home_is_a_scratch_that_ends_with_the_process() -> None:
    with Surroundings({}, {}) as environment:
        home = Path(environment["HOME"])
        (home / "cache").write_text("x")
        assert environment["TMPDIR"] == str(home)
    assert not home.exists()


def test_this_process_is_not_gone() -> None:
    assert not Owner.this().gone()


def test_this_process_has_memory_and_no_process_has_none() -> None:
    assert resident(os.getpid()) > 1 << 20 or not Path("/proc/self/statm").exists()
    assert resident((1 << 22) + 1) == 0
