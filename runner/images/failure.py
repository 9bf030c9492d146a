"""What a builder printed -> the project's errors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runner.errors import BuildError, CellError, UnavailableError

_NETWORK = re.compile(
    r"error sending request|dns error|failed to lookup address|temporary failure in name resolution"
    r"|connection (?:reset|refused|closed|aborted)|timed? ?out|unexpected eof"
    r"|tls handshake|50[234] (?:bad gateway|service|gateway)"
    r"|incomplete message|error decoding response body|network is unreachable|max retries exceeded",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left on device|os error 28\b|disk quota exceeded", re.IGNORECASE)
_GONE = re.compile(
    r"cannot connect to the docker daemon|transport is closing|error reading from server: eof|connection aborted"
    r"|error during connect|graceful_stop",
    re.IGNORECASE,
)
_NOISE = re.compile(r"(?:#[0-9]+ )?(?:[0-9]+\.[0-9]+ )?(?P<text>.*)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SHOWN = 4


def is_network(text: str) -> bool:
    """Whether a second attempt may help."""
    return bool(_NETWORK.search(text)) and not _GONE.search(text)


def is_full(text: str) -> bool:
    """Whether the disk gave out."""
    return bool(_FULL.search(text))


def error(label: str, lines: Sequence[str]) -> CellError:
    """The error for a failed build, from the end of what the builder printed."""
    # the classic builder prints what a step wrote to stderr in red
    lines = [_COLOUR.sub("", line) for line in lines]
    log = "\n".join(lines)
    if is_full(log):
        return UnavailableError(f"no space left on the Docker engine's disk while building {label}", log)
    if _GONE.search(log):
        return UnavailableError(f"the Docker engine stopped answering while {label} was built", log)
    return BuildError(f"cannot build {label}: {_reason(lines)}", log)


def _reason(lines: Sequence[str]) -> str:
    """The few lines that say why: uv's or the builder's, from the first error on."""
    texts = [found["text"].strip() for line in lines if (found := _NOISE.fullmatch(line.strip()))]
    texts = [text for text in texts if text and not set(text) <= set("-> ")]
    first = next((n for n, text in enumerate(texts) if re.match(r"(?i)error\b|×|.*\berror:", text)), None)
    kept = texts[first : first + _SHOWN] if first is not None else texts[-_SHOWN:]
    joined = " ".join(" ".join(kept).split())
    joined = re.sub(r"(?i)\b(?:error|cause): ?", "", joined) or "the builder said nothing"
    return joined if len(joined) <= 400 else f"{joined[:397]}..."
