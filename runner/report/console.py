"""The consoles that reports and progress are drawn on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment

from runner.util.plain import GONE, HOSTILE, printable

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType


class Screen(Console):
    """A console that shows text and obeys none of it.

    The colours and movements that rich makes are not part of the text.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render to segments, as rich does."""
        for segment in super().render(renderable, options):
            if segment.control is None and HOSTILE.search(segment.text):
                yield Segment(printable(segment.text), segment.style)
            else:
                yield segment

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError where the reader of the output has gone (``2>&1 | head``).

        Rich's own would leave with an exit code that means something else here, and in a thread with none.
        """
        self.quiet = True
        raise BrokenPipeError(GONE)  # without a number: click leaves with 1 at EPIPE
