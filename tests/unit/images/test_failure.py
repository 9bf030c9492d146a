"""Reasons for failed builds."""

from __future__ import annotations

import pytest

from runner.errors import BuildError, OutageError
from runner.images import failure


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (
            [
                "#7 0.355 Using Python 3.11.7 environment at: /usr/local",
                "#7 1.2 error: Failed to download `namex==0.1.0`",
                "#7 1.2   cause: Hash mismatch for `namex==0.1.0`",
                "#7 ERROR: executor failed running [/bin/sh -c x]: exit code: 2",
            ],
            BuildError,
            "Failed to download `namex==0.1.0` Hash mismatch for `namex==0.1.0`",
        ),
        (
            ["\x1b[91merror: Hash mismatch\x1b[0m", "error: The command 'sh' returned a non-zero code: 1"],
            BuildError,
            "Hash mismatch The command",
        ),
        (["error: write /x: no space left on device"], OutageError, "no space is left on the Docker engine's disk"),
        (["ERROR: Cannot connect to the Docker daemon at unix:///x."], OutageError, "stopped answering"),
        ([], BuildError, "said nothing"),
    ],
)
def test_a_failed_build_says_why(said: list[str], kind: type[Exception], reason: str) -> None:
    found = failure.error("torch-2.2.2", said)
    assert type(found) is kind
    assert reason in str(found)
    assert "\n" not in str(found)


def test_an_outage_has_the_whole_output_as_its_log() -> None:
    found = failure.error("x", ["\x1b[1;91mos error 28\x1b[0m"])
    assert str(found) == "no space is left on the Docker engine's disk"
    assert found.log == "os error 28"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], "the builder said nothing"),
        (["------", " > ", "-> -"], "the builder said nothing"),
        (["one", "two", "three", "four", "five"], "two three four five"),
        (["one", "#7 1.25 error: two", "three", "four", "five", "six"], "two three four five"),
        (["one", "× two", "three"], "× two three"),
        (["one", "ERROR two"], "ERROR two"),
        (["one", "in x error: two"], "in x two"),
        (["errors: one", "two"], "errors: one two"),
        (["#12 error:   a    b", "#12 0.1   cause: c"], "a b c"),
        (["x" * 400], "x" * 400),
        (["x" * 401], "x" * 397 + "..."),
    ],
)
def test_the_reason_is_what_follows_the_first_error(said: list[str], reason: str) -> None:
    found = failure.error("torch", said)
    assert str(found) == f"cannot build torch: {reason}"
    assert type(found) is BuildError
