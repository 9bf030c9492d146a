"""Reasons for failed builds."""

from __future__ import annotations

import pytest

from runner.errors import BuildError, UnavailableError
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
        (["error: write /x: no space left on device"], UnavailableError, "no space left on the Docker engine's disk"),
        (["ERROR: Cannot connect to the Docker daemon at unix:///x."], UnavailableError, "stopped answering"),
        ([], BuildError, "said nothing"),
    ],
)
def test_a_failed_build_says_why(said: list[str], kind: type[Exception], reason: str) -> None:
    found = failure.error("torch-2.2.2", said)
    assert type(found) is kind
    assert reason in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("error sending request for url (https://x)", True),
        ("failed to lookup address information: Name or service not known", True),
        ("HTTP status 503 Service Unavailable", True),
        ("Hash mismatch for `namex==0.1.0`", False),
        ("no version of keras==3.99", False),
        ("Cannot connect to the Docker daemon: connection refused", False),
    ],
)
def test_only_a_failing_network_is_worth_another_attempt(text: str, again: bool) -> None:
    assert failure.is_network(text) is again


@pytest.mark.parametrize(
    "text",
    [
        "error sending request",
        "dns error: x",
        "failed to lookup address",
        "Temporary failure in name resolution",
        "connection reset by peer",
        "connection refused",
        "Connection closed",
        "connection aborted early",
        "operation timed out",
        "timeout",
        "time out",
        "unexpected EOF",
        "TLS handshake failed",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway",
        "IncompleteMessage: incomplete message",
        "error decoding response body",
        "network is unreachable",
        "Max retries exceeded",
    ],
)
def test_each_word_of_a_failing_network_is_known(text: str) -> None:
    # an aborted connection may be that to the engine itself
    assert failure.is_network(text) is ("aborted" not in text)


@pytest.mark.parametrize("text", ["500 bad gateway", "505 service", "reset", "unreachable", ""])
def test_other_words_are_no_failing_network(text: str) -> None:
    assert not failure.is_network(text)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("No space left on device", True),
        ("(os error 28)", True),
        ("os error 280", False),
        ("Disk quota exceeded", True),
        ("x", False),
    ],
)
def test_each_word_of_a_full_disk_is_known(text: str, full: bool) -> None:
    assert failure.is_full(text) is full


@pytest.mark.parametrize(
    "text",
    [
        "Cannot connect to the Docker daemon",
        "rpc error: transport is closing",
        "error reading from server: EOF",
        "connection aborted",
        "error during connect: x",
        "graceful_stop",
    ],
)
def test_each_word_of_a_lost_engine_is_known(text: str) -> None:
    found = failure.error("x", ["before", text])
    assert str(found) == "the Docker engine stopped answering while x was built"
    assert type(found) is UnavailableError
    assert found.log == f"before\n{text}"


def test_a_full_disk_is_named_with_what_was_built() -> None:
    found = failure.error("x", ["\x1b[1;91mos error 28\x1b[0m"])
    assert str(found) == "no space left on the Docker engine's disk while building x"
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
