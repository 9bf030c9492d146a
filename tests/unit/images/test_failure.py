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
