"""Which errors are answers about a release."""

from __future__ import annotations

import pytest

from runner.errors import BuildError, Cause, CellError, ImpossibleError, OutageError, UnavailableError
from runner.repro.bisect.lasting import lasting, sentence, worth_a_second_try

NO_SOLUTION = (
    "error: No solution found when resolving dependencies\n  cause: Because there is no version of numpy==99.0"
)


@pytest.mark.parametrize(
    "log",
    [
        NO_SOLUTION,
        "  x No solution found: keras==3.7 has no wheels with a matching Python ABI tag",
        "error: Failed to download `numpy==2.0.0`\n  cause: Hash mismatch for `numpy==2.0.0`",
        "ERROR: Could not find a version that satisfies the requirement uv==99 (from versions: 0.1.0, 0.2.0)",
        "error: Distribution `x==1` can't be installed because it doesn't have a source distribution or wheel for it",
        "cause: HTTP status client error (404 Not Found) for url (https://index.example/simple/x/)",
    ],
)
def test_what_the_index_says_for_good_is_an_answer(log: str) -> None:
    assert lasting(BuildError("cannot resolve it", log))
    assert not lasting(UnavailableError("cannot resolve it", log))


@pytest.mark.parametrize(
    "error",
    [
        BuildError("uv could not install the environment: no reason given"),
        BuildError("cannot resolve it", "error: Failed to fetch\n  cause: dns error"),
        BuildError("cannot resolve it", f"{NO_SOLUTION}\nNo space left on device (os error 28)"),
        BuildError("cannot resolve it", "HTTP status client error (403 Forbidden) for url (https://x/)"),
        BuildError("cannot build it", "The command '/bin/sh -c sh /build/install.sh' returned a non-zero code: 137"),
        BuildError("cannot build it", "error: Failed to build `x==1.0`"),
        CellError("what"),
        OutageError(Cause.NETWORK, "no index", "wait"),
    ],
)
def test_all_else_is_trouble(error: CellError) -> None:
    assert not lasting(error)


def test_what_the_projects_tables_exclude_is_an_answer() -> None:
    assert lasting(ImpossibleError("keras 3.7 needs Python 3.9"))
    assert not lasting(UnavailableError("no NVIDIA GPU on this machine"))


@pytest.mark.parametrize(
    ("error", "earlier", "again"),
    [
        (BuildError("x", NO_SOLUTION), True, False),
        (BuildError("x", "Hash mismatch for `x`"), False, True),
        (BuildError("x", "No solution found: keras was not found in the package registry"), False, True),
        (UnavailableError("x"), False, False),
        (UnavailableError("x"), True, True),
    ],
)
def test_what_may_be_gone_by_now_is_tried_a_second_time(error: CellError, earlier: bool, again: bool) -> None:
    assert worth_a_second_try(error, earlier=earlier) == again


def test_an_error_is_one_line() -> None:
    assert sentence(UnavailableError("a\n b")) == "a b"
    assert sentence(OutageError(Cause.DISK, "the disk is full", "make room")) == "the disk is full: make room"
