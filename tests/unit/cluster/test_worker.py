"""How a worker ends."""

from __future__ import annotations

import asyncio
import time

import pytest

from runner.cluster import worker


def test_work_that_loses_a_cancellation_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "AGAIN_S", 0.05)

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:  # as `asyncio.wait_for` does where the result came in the same moment
            await asyncio.sleep(60)

    async def ended() -> bool:
        asked = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, asked.set)
        return await worker.unless_asked(stubborn(), asked)

    began = time.monotonic()
    assert asyncio.run(ended()) is False
    assert time.monotonic() - began < 30


def test_what_the_work_raises_is_raised() -> None:
    async def fails() -> None:
        raise ValueError("no")

    async def ended() -> bool:
        return await worker.unless_asked(fails(), asyncio.Event())

    with pytest.raises(ValueError, match="no"):
        asyncio.run(ended())
