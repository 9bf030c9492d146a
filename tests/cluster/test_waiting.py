"""Keys that cannot be used, schedulers that do not answer, and their pages: what is said."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.cluster import address, keys, page, waiting
from runner.errors import NotMeasuredError, UsageError

pytestmark = pytest.mark.cluster


def _keys(folder: Path) -> Path:
    """Keys as docs/cluster.md makes them."""
    from distributed import Security

    made = Security.temporary()
    folder.mkdir()
    for name, text in zip(keys.NAMES, (made.tls_ca_file, made.tls_client_cert, made.tls_client_key), strict=True):
        (folder / name).write_text(str(text))
    return folder


def test_keys_of_a_folder_are_taken(tmp_path: Path) -> None:
    assert keys.context(keys.of_folder(_keys(tmp_path / "keys"))) is not None


@pytest.mark.parametrize("name", keys.NAMES)
@pytest.mark.parametrize(("content", "says"), [("hello\n", "has no "), ("", "has no "), (None, "it needs ca.pem")])
def test_a_file_that_is_not_pem_is_named(tmp_path: Path, name: str, content: str | None, says: str) -> None:
    folder = _keys(tmp_path / "keys")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(UsageError, match=rf"^--tls .*{name}.*") as raised:
        keys.of_folder(folder)
    assert says in str(raised.value)
    assert "_ssl.c" not in str(raised.value)


def test_a_key_of_another_certificate_is_said(tmp_path: Path) -> None:
    folder, other = _keys(tmp_path / "keys"), _keys(tmp_path / "other")
    shutil.copy(other / "key.pem", folder / "key.pem")
    with pytest.raises(UsageError, match=r"cert\.pem and key\.pem do not belong together; docs/cluster\.md says how"):
        keys.of_folder(folder)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_passphrase_is_not_asked_for(tmp_path: Path) -> None:
    folder = _keys(tmp_path / "keys")
    words = ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", str(folder / "key.pem")]
    (folder / "key.pem").write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
    with pytest.raises(UsageError, match=r"key\.pem has a passphrase"):
        keys.of_folder(folder)


@asynccontextmanager
async def _scheduler(security: Any = None, **more: Any) -> AsyncIterator[tuple[address.Address, Any]]:
    from distributed import Scheduler

    given = {"dashboard": False, **more}
    protocol = "tls" if security else "tcp"
    made = Scheduler(host="127.0.0.1", port=0, protocol=protocol, security=security, **given)
    async with made:
        yield address.scheduler(made.address), made


def _refused(work: Coroutine[Any, Any, None]) -> str:
    with pytest.raises(NotMeasuredError) as raised:
        asyncio.run(work)
    text = str(raised.value)
    assert "\n" not in text
    return text


async def _asks(there: Any, security: Any, said: list[str] | None = None, most_s: float = 20.0) -> None:
    lines = [] if said is None else said
    await waiting.until_answered(there, keys.context(security), most_s, lines.append)


def test_keys_of_another_authority_are_said_at_once(tmp_path: Path) -> None:
    mine, others = keys.of_folder(_keys(tmp_path / "a")), keys.of_folder(_keys(tmp_path / "b"))

    async def asks() -> None:
        async with _scheduler(mine) as (there, _):
            await _asks(there, mine)
            await _asks(there, others)

    assert "its certificate does not fit ca.pem here (" in _refused(asks())


def test_a_scheduler_that_refuses_the_certificate_is_said_at_once(tmp_path: Path) -> None:
    mine, mixed = _keys(tmp_path / "a"), _keys(tmp_path / "b")
    shutil.copy(mine / "ca.pem", mixed / "ca.pem")

    async def asks() -> None:
        async with _scheduler(keys.of_folder(mine)) as (there, _):
            await _asks(there, keys.of_folder(mixed))

    assert "it does not accept the certificate of this machine (" in _refused(asks())


def test_keys_on_one_side_only_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "TRY_S", 1.0)
    mine = keys.of_folder(_keys(tmp_path / "a"))

    async def with_keys() -> None:
        async with _scheduler() as (there, _):
            await _asks(there, mine)

    async def without() -> None:
        async with _scheduler(mine) as (there, _):
            await _asks(address.Address("tcp", there.host, there.port), None, most_s=0.1)

    assert "it does not speak TLS" in _refused(with_keys())
    assert "one with keys is at tls://" in _refused(without())


def _closed() -> address.Address:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return address.Address("tcp", "127.0.0.1", one.getsockname()[1])


def test_a_wait_is_said_at_growing_intervals_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_FIRST_S", 0.2)
    monkeypatch.setattr(waiting, "_PAUSE_S", 0.01)
    there, said = _closed(), list[str]()
    text = _refused(_asks(there, None, said, most_s=3.0))
    assert text.startswith(
        f"no scheduler answers at {there.text}: Connection refused (waited 3 s); is `dask scheduler` "
    )
    assert 2 <= len(said) <= 4, said
    assert said[0] == f"waiting for a scheduler at {there.text}, for 3 s at most: Connection refused"


def test_a_scheduler_that_comes_later_is_found() -> None:
    said: list[str] = []

    async def asks() -> None:
        there = _closed()
        waits = asyncio.ensure_future(_asks(there, None, said))
        while not said:
            await asyncio.sleep(0.01)
        from distributed import Scheduler

        async with Scheduler(host="127.0.0.1", port=there.port, dashboard=False):
            await waits

    asyncio.run(asks())
    assert len(said) == 1


@pytest.mark.parametrize("shown", [True, False])
def test_the_page_is_said_where_there_is_one(shown: bool) -> None:
    pytest.importorskip("bokeh") if shown else None

    async def finds() -> str:
        async with _scheduler(dashboard=shown, dashboard_address="127.0.0.1:0") as (_, made):
            port = made.services["dashboard"].port
            assert await page.found("127.0.0.1", 1) == ""
            return (await page.found("127.0.0.1", port)).replace(str(port), "PORT")

    assert asyncio.run(finds()) == ("http://127.0.0.1:PORT/status" if shown else "")


def test_without_bokeh_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask answers for the page then, with advice."""
    monkeypatch.setitem(__import__("sys").modules, "distributed.dashboard.scheduler", None)

    async def finds() -> str:
        async with _scheduler(dashboard=True, dashboard_address="127.0.0.1:0") as (_, made):
            return await page.found("127.0.0.1", made.services["dashboard"].port)

    assert asyncio.run(finds()) == ""
