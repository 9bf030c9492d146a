"""Text that leaves the program, without what steers a terminal.

Names, reasons and logs are written by scripts, frameworks, servers and files. ``say`` is the only function that writes
to the standard streams, and ``report.console`` makes the only consoles, so that none of it is forgotten.
"""

from __future__ import annotations

import re
import sys

INSTEAD = "\ufffd"
"""Takes the place of a character that is not shown."""

GONE = "the reader of the output has gone"

HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line end, line and paragraph separators, changes of direction, half characters."""

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, the cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f\n]*(?:\x07|\x1b\\|\x9c)"  # titles, the clipboard, links
    r"|\x1b[ -/]*[0-~]"
)
"""Whole escape sequences, by ECMA-48. Text between the parts of one that is cut off stays."""


def printable(text: str) -> str:
    """The text without characters that steer a terminal or hide what is there.

    Each has a visible one in its place.

    >>> printable("a\\x1b[31mred\\r\\n")
    'a\ufffd[31mred\\n'
    """
    if HOSTILE.search(text) is None:
        return text
    return HOSTILE.sub(INSTEAD, text.replace("\r\n", "\n"))


def uncoloured(text: str) -> str:
    """The text without its escape sequences; parts of a broken one stay.

    >>> uncoloured("a\\x1b[31mred\\x1b[0m")
    'ared'
    """
    return _SEQUENCE.sub("", text)


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Write text to standard output or standard error, with a line end.

    What the stream's encoding does not have becomes a question mark. Raises OSError.
    """
    stream = sys.stderr if err else sys.stdout
    shown = printable(text) + ("\n" if nl else "")
    encoding = stream.encoding or "utf-8"
    try:
        shown.encode(encoding)
    except UnicodeEncodeError:
        shown = shown.encode(encoding, "replace").decode(encoding)
    try:
        stream.write(shown)
        stream.flush()
    except BrokenPipeError as error:
        raise BrokenPipeError(GONE) from error  # without a number: click leaves with 1 at EPIPE
