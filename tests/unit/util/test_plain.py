"""Characters that steer a terminal, and the function that writes to the standard streams."""

from __future__ import annotations

import io
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.util.plain import HOSTILE, printable, say, uncoloured


def test_every_character_that_steers_is_replaced_and_no_other() -> None:
    left = {c for c in map(chr, range(sys.maxunicode + 1)) if HOSTILE.search(c) is None}
    for character in map(chr, range(sys.maxunicode + 1)):
        category = unicodedata.category(character)
        bidi = unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        steers = category in ("Cc", "Cs", "Zl", "Zp") or bidi
        assert (character not in left) == (steers and character not in "\n\t"), hex(ord(character))


@given(st.text())
def test_printable_text_stays_as_it_is(text: str) -> None:
    shown = printable(text)
    assert HOSTILE.search(shown) is None
    assert printable(shown) == shown
    if HOSTILE.search(text) is None:
        assert shown == text


def test_line_ends_of_windows_are_line_ends() -> None:
    assert printable("a\r\nb\rc") == "a\nb\ufffdc"


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[1;31m", "\x1b[?25l", "\x1b[2 q", "\x9b31m", "\x1b]52;c;ZXZpbA==\x07", "\x1b]0;title\x1b\\",
        "\x1b]8;;https://x\x07", "\x9d0;x\x9c", "\x1bP1$r\x1b\\", "\x1b(B", "\x1b7", "\x1bc", "\x1b=",
    ],
)  # fmt: skip
def test_whole_escape_sequences_are_removed(sequence: str) -> None:
    assert uncoloured(f"a{sequence}b") == "ab"


def test_text_between_the_parts_of_a_broken_sequence_stays() -> None:
    assert uncoloured("\x1b]52;c;\nthe whole log\n\x07") == "52;c;\nthe whole log\n\x07"
    assert uncoloured("plain \x1b") == "plain \x1b"


def test_long_hostile_text_is_read_in_one_pass() -> None:
    """A pattern that starts again at each of them would take hours."""
    for text in ("\x9d", "\x1b]", "\x9b1", "\x1b[1;", "\x90a"):
        assert len(uncoloured(text * 300_000)) <= len(text) * 300_000


def test_text_is_written_to_either_stream(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b]52;c;eA==\x07")
    say("b", nl=False)
    say("c", err=True)
    say()
    assert capsys.readouterr() == ("a\ufffd]52;c;eA==\ufffd\nb\n", "c\n")


def test_a_stream_without_the_character_gets_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    say("1.3× \ud800")
    stream.seek(0)
    assert stream.read() == "1.3? ?\n"
