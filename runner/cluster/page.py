"""Finds the page of a scheduler of Dask about its tasks and workers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

NONE = "none; a scheduler has one where `pip install bokeh` was done and its port can be reached"
_TRY_S = 5.0
_SCRIPT = "/static/js/bokeh.min.js"
"""A part of the page. Without bokeh Dask answers for the page itself, with advice, and not for this."""


async def found(host: str, port: int) -> str:
    """The address of the page; empty where this machine sees none."""
    with suppress(OSError, EOFError, TimeoutError, ValueError):
        status = await asyncio.wait_for(_status(host.strip("[]"), port), _TRY_S)
        if status == b"200":
            return f"http://{host}:{port}/status"
    return ""


async def _status(host: str, port: int) -> bytes:
    """The status of an answer about the part. Raises OSError, EOFError and ValueError."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"HEAD {_SCRIPT} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        first = await reader.readuntil(b"\n")
        return first.split()[1] if b" " in first else b""
    finally:
        writer.close()
