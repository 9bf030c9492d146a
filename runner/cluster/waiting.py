"""Waits until a scheduler of Dask answers, and says why none does."""

from __future__ import annotations

import asyncio
import math
import os
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from runner.cluster.address import Address
from runner.errors import NotMeasuredError
from runner.util import durations

TRY_S = 10.0
"""How long one attempt may take."""
_PAUSE_S = 0.5
"""Between two attempts."""
_FIRST_S = 15.0
"""When the line about the wait is repeated first; then each time after three times as long."""
_SILENT = "something is there that does not answer as a scheduler of Dask"
_ENDED = "it ended the connection"
_ADVICE = "all sides need keys of one authority (docs/cluster.md says how to make them)"


class _SilentError(OSError):
    """A connection was made, and nothing came."""


async def until_answered(
    address: Address, context: ssl.SSLContext | None, most_s: float, say: Callable[[str], None]
) -> None:
    """Wait for a scheduler.

    ``say`` gets a line when the wait begins, and again at growing intervals. ``context``: the keys; None for plain TCP.
    Raises NotMeasuredError after ``most_s`` seconds, and at once where the keys do not fit, which waiting does not
    change.
    """
    began = time.monotonic()
    again_s = 0.0
    while True:
        try:
            async with asyncio.timeout(TRY_S):
                return await _answered(address, context)
        except ssl.SSLError as error:
            if not isinstance(error, ssl.SSLEOFError):
                raise NotMeasuredError(f"no scheduler answers at {address.text}: {_refusal(error)}") from None
            why = _ENDED
        except (OSError, EOFError, TimeoutError) as error:
            why = _reason(error, address)
        waited_s = time.monotonic() - began
        if waited_s >= most_s:
            raise NotMeasuredError(
                f"no scheduler answers at {address.text}: {why} (waited {durations.words(most_s)}); is "
                "`dask scheduler` running there, and does a firewall let its port through?"
            )
        if waited_s >= again_s:
            limit = "" if math.isinf(most_s) else f", for {durations.words(most_s - waited_s)} at most"
            say(f"waiting for a scheduler at {address.text}{limit}: {why}")
            again_s = max(_FIRST_S, 3 * waited_s)
        await asyncio.sleep(min(_PAUSE_S, most_s - waited_s))


async def _answered(address: Address, context: ssl.SSLContext | None) -> None:
    """Connect, and read the first byte: a scheduler speaks first.

    It also refuses a certificate after the handshake only (TLS 1.3).
    """
    host = address.host.strip("[]")
    reader, writer = await asyncio.open_connection(host, address.port, ssl=context)
    try:
        async with asyncio.timeout(TRY_S / 2):
            await reader.readexactly(1)
    except TimeoutError:
        raise _SilentError from None
    finally:
        writer.close()
        with suppress(OSError):
            async with asyncio.timeout(1.0):
                await writer.wait_closed()


def _refusal(error: ssl.SSLError) -> str:
    """Why a handshake failed, in words."""
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not fit ca.pem here ({error.verify_message}); {_ADVICE}"
    if "ALERT" in reason:
        what = reason.partition("ALERT_")[2].replace("_", " ").lower()
        return f"it does not accept the certificate of this machine ({what}); {_ADVICE}"
    return f"it does not speak TLS ({reason.replace('_', ' ').lower()}); a scheduler without keys is at tcp://"


def _reason(error: Exception, address: Address) -> str:
    """Why there is no connection, in words."""
    if isinstance(error, _SilentError):
        return f"{_SILENT}; one with keys is at tls://" if address.protocol == "tcp" else _SILENT
    if isinstance(error, EOFError):
        return _ENDED
    if isinstance(error, OSError) and error.errno is not None:
        return str(error.strerror) if error.errno < 0 else os.strerror(error.errno)  # names of hosts have negative ones
    return str(error) or f"no connection within {TRY_S:.0f} s"
