"""What a console does when nobody reads it any more."""

from __future__ import annotations

import os

import pytest

from runner.report.console import Screen


def test_a_reader_that_has_gone_is_an_error_and_no_exit_code() -> None:
    """Rich's own way is to leave with 1, which would mean that something got worse."""
    reader, writer = os.pipe()
    os.close(reader)
    file = os.fdopen(writer, "w")
    screen = Screen(file=file)
    with pytest.raises(BrokenPipeError):
        screen.print("a line")
    screen.print("another")  # is not written anywhere
    with pytest.raises(BrokenPipeError):
        file.close()
