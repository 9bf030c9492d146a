"""What a builder printed -> the project's errors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runner.errors import BuildError, CellError
from runner.util import outage
from runner.util.plain import uncoloured

_NOISE = re.compile(r"(?:#[0-9]+ )?(?:[0-9]+\.[0-9]+ )?(?P<text>.*)")
_SHOWN = 4


def error(label: str, lines: Sequence[str]) -> CellError:
    """The error for a failed build, from the end of what the builder printed."""
    # the classic builder prints what a step wrote to stderr in red
    lines = [uncoloured(line) for line in lines]
    log = "\n".join(lines)
    found = outage.of(log, outage.ENGINE_DISK)
    return found or BuildError(f"cannot build {label}: {_reason(lines)}", log)


def _reason(lines: Sequence[str]) -> str:
    """The few lines that say why: uv's or the builder's, from the first error on."""
    texts = [found["text"].strip() for line in lines if (found := _NOISE.fullmatch(line.strip()))]
    texts = [text for text in texts if text and not set(text) <= set("-> ")]
    first = next((n for n, text in enumerate(texts) if re.match(r"(?i)error\b|×|.*\berror:", text)), None)
    kept = texts[first : first + _SHOWN] if first is not None else texts[-_SHOWN:]
    joined = " ".join(" ".join(kept).split())
    joined = re.sub(r"(?i)\b(?:error|cause): ?", "", joined) or "the builder said nothing"
    return joined if len(joined) <= 400 else f"{joined[:397]}..."
