"""Asks workers to run shares, fetches their files and stores them.

One share is in flight per worker. A task is bound to its worker, so Dask never runs it elsewhere by itself, nor again
after it has finished (distributed#7870): this side decides that (see ``dispatch``). A task returns digests. The files
are fetched by messages of bounded size while the worker runs its next share.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from runner.cluster import objects, page, program, request, worker
from runner.cluster.dispatch import Dispatch, Item, Verdict
from runner.cluster.launch import Reached
from runner.cluster.receipts import DamagedError, Receipt, Receipts
from runner.cluster.shares import Share
from runner.errors import NotMeasuredError
from runner.measure.context import Event, Observer
from runner.util import durations

T = TypeVar("T")

LOOK_S = 0.5
"""How often the scheduler is asked which workers are there."""
FETCHES = 4
"""Shares whose files are fetched at once."""
UNFETCHED = 3
"""How often the files of a share may be lost before it counts as not measured."""
CONNECT_S = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run waits for workers, in seconds."""

    none_s: float = 120.0
    """While there is none at all."""
    unfit_s: float = 60.0
    """While those that are there cannot run what waits."""


@dataclass(frozen=True, slots=True)
class Task:
    """One share of a run."""

    key: str
    share: Share
    request: request.Request
    seconds: float
    """How long it is assumed to take."""
    can_run: Callable[[Mapping[str, float]], bool]


@dataclass(frozen=True, slots=True)
class Sources:
    """What workers need besides the requests."""

    content: Callable[[str], bytes]
    """The content of a file by its digest."""
    locks: Callable[[Share, program.Worker, Mapping[str, float]], Mapping[str, str]]
    """The locks of a share on a worker: environment id -> digest. Slow where one must be made."""


@dataclass(frozen=True, slots=True)
class _Result:
    worker: str
    name: str
    """The share on the worker."""
    answer: request.Answer


class _GoneError(Exception):
    """The worker has gone."""


class _LostError(Exception):
    """The scheduler has gone."""


class Asking:
    """One run: its shares, and what is known about the workers."""

    def __init__(self, tasks: Sequence[Task], receipts: Receipts, sources: Sources, observe: Observer) -> None:
        """``tasks``: the shares without a receipt."""
        self.tasks = {task.key: task for task in tasks}
        self.receipts = receipts
        self.sources = sources
        self.observe = observe
        self.dispatch = Dispatch(Item(task.key, task.share.environments, task.can_run) for task in tasks)
        self.addresses: dict[str, str] = {}
        self.about: dict[str, program.Worker] = {}
        self.gone: dict[str, asyncio.Event] = {}
        self.has: dict[str, set[str]] = {}
        self.refused: dict[str, str] = {}
        self.ended: set[str] = set()
        """Why workers have ended, as far as it was said."""
        self.banned: set[str] = set()
        self.held: dict[str, _Result] = {}
        self.unfetched: dict[str, int] = {}
        self.busy_s = 0.0
        self.done_s = 0.0
        self.running: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()
        self.moved = time.monotonic()
        """When the set of workers changed, or a share ended."""
        self.fault: BaseException | None = None

    # -- the loop ------------------------------------------------------------------------------------------

    async def run(self, there: Reached, patience: Patience) -> None:
        """Run all shares.

        Raises NotMeasuredError where no scheduler answers, it goes away, no worker comes, or the disk is full. What
        was stored before stays.
        """
        from distributed import Client

        worker.quiet()
        address = there.address
        self.fetching = asyncio.Semaphore(FETCHES)
        self.storing = asyncio.Lock()
        try:
            self.client = await Client(
                address.text, security=there.security, asynchronous=True, timeout=CONNECT_S, set_as_default=False
            )
        except (OSError, TimeoutError) as error:
            raise NotMeasuredError(f"no scheduler answers at {address.text}: {_line(error)}") from None
        try:
            self.observe(Event("note", text=f"dashboard: {await self._dashboard(there.page_host)}"))
            await self._loop(there, patience)
        except _LostError:
            raise NotMeasuredError(f"the scheduler at {address.text} went away: {self._kept()}") from None
        finally:
            for task in self.running:
                task.cancel()
            await asyncio.gather(*self.running, return_exceptions=True)
            with suppress(Exception):
                await asyncio.wait_for(self.client.close(), 5.0)

    async def _loop(self, there: Reached, patience: Patience) -> None:
        looked = 0.0
        while not (self.dispatch.ended and not self.running):
            if time.monotonic() - looked >= LOOK_S:
                await self._look()
                looked = time.monotonic()
                self._say_ended(there)
            if not self._begin() and not self.dispatch.running:
                self._wait_or_end(there, patience)
            self._progress()
            self.changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), max(0.0, looked + LOOK_S - time.monotonic()))
            if self.fault is not None:
                raise self.fault

    def _begin(self) -> bool:
        """Give every free worker a share. Returns whether there was one."""
        begun = False
        for name in list(self.dispatch.workers):
            share = self.dispatch.next(name)
            if share is not None:
                begun = True
                self._start(self._attempt(name, self.tasks[share]))
        return begun

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fault = self.fault or error
        self.changed.set()

    def _say_ended(self, there: Reached) -> None:
        """Note why workers have ended that this program has started.

        ``_wait_or_end`` says it where none is left.
        """
        for why in set(there.ended() if there.alive() else ()) - self.ended:
            self.ended.add(why)
            self.observe(Event("note", text=why))

    def _wait_or_end(self, there: Reached, patience: Patience) -> None:
        """Nothing runs, and no worker can begin anything."""
        settled = self.dispatch.settled()
        for share in settled:
            self._start(self._store(self.tasks[share], self.held.pop(share)))
        if settled:
            return
        idle_s = time.monotonic() - self.moved
        if not self.dispatch.workers:
            can_come = there.alive()
            if idle_s > patience.none_s or not can_come:
                why = "; ".join([*there.ended(), *self.refused.values()]) or "start some with `runner worker`"
                idle = f"no worker for {durations.words(idle_s)}" if can_come else "no worker is left"
                raise NotMeasuredError(f"{idle}: {why}; {self._kept()}")
        elif idle_s > patience.unfit_s:
            for share in self.dispatch.hopeless():
                what = self.tasks[share].share.machine
                self.dispatch.give_up(
                    share, f"no worker can run it ({what}, {self.tasks[share].request.wanted.executor})"
                )

    def _kept(self) -> str:
        stored = len(self.dispatch.stored)
        return f"{stored} of {len(self.tasks)} blocks are stored; run the same command again for the others"

    # -- workers -------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Ask the scheduler which workers are there."""
        try:
            found = await asyncio.wait_for(self.client.scheduler.identity(n_workers=-1), CONNECT_S)
        except (OSError, TimeoutError, RuntimeError) as error:
            raise _LostError from error
        there = {one["name"]: (address, one) for address, one in found["workers"].items() if worker.ANNOUNCED in one}
        for name in [name for name in self.addresses if name not in there]:
            self._went(name)
        for name, (address, one) in there.items():
            if name not in self.addresses and name not in self.refused:
                self._came(name, address, one)

    def _came(self, name: str, address: str, one: Mapping[str, Any]) -> None:
        import distributed

        try:
            about = msgspec.convert(one[worker.ANNOUNCED], program.Worker)
            problem = program.mismatch(about, distributed.__version__)
        except msgspec.ValidationError:
            problem = "another version of this program"
        if problem:
            self.refused[name] = f"worker {name} is not used: {problem}; install the same there"
            self.observe(Event("note", text=self.refused[name]))
            return
        self.addresses[name], self.about[name] = address, about
        self.gone[name], self.has[name] = asyncio.Event(), set()
        self.dispatch.came(name, one["resources"])
        self.moved = time.monotonic()

    def _went(self, name: str) -> None:
        self.addresses.pop(name)
        self.gone.pop(name).set()
        self.dispatch.went(name)
        self.moved = time.monotonic()
        for share in [share for share, result in self.held.items() if result.worker == name]:
            del self.held[share]  # its files are lost; whoever runs it next decides
            self.dispatch.held.pop(share, None)
        self.observe(Event("note", text=f"worker {name} has gone; what it ran is run elsewhere"))

    # -- one share -----------------------------------------------------------------------------------------

    async def _attempt(self, name: str, task: Task) -> None:
        """Have a worker run a share, and take the result."""
        began = time.monotonic()
        gone = self.gone[name]
        try:
            result = await self._or_gone(self._asked(name, task), gone)
        except _GoneError:
            return  # ``_look`` has noted it
        except NotMeasuredError:
            raise  # what was to be sent is gone: no other worker would get it either
        except Exception as error:  # noqa: BLE001 - whatever a worker raises concerns this share and this worker
            if not await self._goes(gone):
                self._failed(name, task, _line(error))
            return
        self.moved = time.monotonic()
        self.busy_s += self.moved - began
        answer = result.answer
        if answer.error:
            self._failed(name, task, answer.error)
            return
        verdict = self.dispatch.measured(name, task.key, anything=answer.measured > 0)
        if (earlier := self.held.pop(task.key, None)) is not None:
            self._start(self._forget(earlier))
        if verdict is Verdict.HOLD:
            self.held[task.key] = result
            self.changed.set()
            return
        self._banned()
        self.changed.set()  # the worker can begin the next one while the files are fetched
        await self._store(task, result, time.monotonic() - began)

    async def _asked(self, name: str, task: Task) -> _Result:
        address = self.addresses[name]
        locks = await asyncio.to_thread(self.sources.locks, task.share, self.about[name], self._resources(name))
        asked = msgspec.structs.replace(task.request, locks=dict(locks))
        await self._send(name, asked.digests)
        known = f"{task.key[:16]}-{secrets.token_hex(4)}"
        future = self.client.submit(
            worker.run_share,
            request.encode(asked),
            known,
            key=f"share-{known}",
            workers=[address],
            allow_other_workers=False,
            resources={worker.SHARE: 1},
            retries=0,
            pure=False,
        )
        try:
            return _Result(name, known, request.decode_answer(await future))
        finally:
            with suppress(Exception):
                await self.client.cancel([future], force=True)

    def _resources(self, name: str) -> Mapping[str, float]:
        found = self.dispatch.workers.get(name)
        return found.resources if found else {}

    async def _send(self, name: str, wanted: frozenset[str]) -> None:
        """Send a worker the files that it lacks, each once."""
        new = sorted(wanted - self.has[name])
        if not new:
            return
        for digest in await self._call(name, objects.missing, new):
            for offset, content, last in objects.parts(self.sources.content(digest)):
                if not await self._call(name, objects.put, digest, offset, content, last):
                    raise DamagedError(f"a file for {name} was damaged on its way")
        self.has[name].update(new)

    async def _call(self, name: str, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on a worker, through the scheduler."""
        address = self.addresses.get(name)
        if address is None:
            raise _GoneError
        answers: dict[str, T] = await self.client.run(function, *arguments, workers=[address])
        return answers[address]

    async def _or_gone(self, work: Coroutine[Any, Any, T], gone: asyncio.Event) -> T:
        """The result of the work. Raises _GoneError where the worker goes first."""
        asked, left = asyncio.ensure_future(work), asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait({asked, left}, return_when=asyncio.FIRST_COMPLETED)
            if gone.is_set():
                raise _GoneError
            return await asked
        finally:
            for one in (asked, left):
                one.cancel()
            await asyncio.gather(asked, left, return_exceptions=True)

    async def _goes(self, gone: asyncio.Event) -> bool:
        """Whether the next looks find the worker gone.

        A death shows as an error of its share first.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), 4 * LOOK_S)
        return gone.is_set()

    def _failed(self, name: str, task: Task, why: str) -> None:
        self.dispatch.failed(name, task.key, why)
        self.observe(Event("note", text=f"{task.share.name}: {name} could not run it: {why}"))
        self._banned()
        self.changed.set()

    def _banned(self) -> None:
        for name in set(self.dispatch.banned()) - self.banned:
            self.banned.add(name)
            text = f"worker {name} gets nothing more: other workers measured what it could not"
            self.observe(Event("note", text=text))

    # -- results -------------------------------------------------------------------------------------------

    async def _store(self, task: Task, result: _Result, seconds: float = 0.0) -> None:
        """Fetch the files of a share and store them.

        Raises NotMeasuredError where they cannot be written.
        """
        try:
            async with self.fetching:
                contents = await self._fetched(result)
        except Exception:  # noqa: BLE001 - the worker went, and the files with it
            self._unfetched(task)
            return
        try:
            await self._keep(task, result, contents)
        except DamagedError:
            self._unfetched(task)
            return
        except OSError as error:
            raise NotMeasuredError(f"results cannot be saved: {error.strerror}; {self._kept()}") from None
        self.dispatch.fetched(task.key)
        self.done_s += task.seconds
        self.moved = time.monotonic()
        self.observe(Event("block", task.share.name, result.worker, seconds=seconds, count=result.answer.processes))
        self._start(self._forget(result))

    async def _fetched(self, result: _Result) -> dict[str, bytes]:
        files = tuple({file.sha256: file for file in result.answer.files}.values())
        contents = {file.sha256: b"" for file in files}
        for batch in request.chunks(files, objects.MOST_BYTES):
            for (digest, _, _), part in zip(batch, await self._call(result.worker, objects.read, batch), strict=True):
                contents[digest] += part
        return contents

    async def _keep(self, task: Task, result: _Result, contents: Mapping[str, bytes]) -> None:
        answer = result.answer
        receipt = Receipt(
            key=task.key,
            worker=result.worker,
            fingerprint=answer.fingerprint,
            files=answer.files,
            skips=answer.skips,
            notes=answer.notes,
            locks=answer.locks,
        )
        async with self.storing:
            await asyncio.to_thread(self.receipts.keep, receipt, contents)

    def _unfetched(self, task: Task) -> None:
        """The files of a finished share are lost: it is run again."""
        self.unfetched[task.key] = self.unfetched.get(task.key, 0) + 1
        self.dispatch.not_fetched(task.key)
        if self.unfetched[task.key] >= UNFETCHED:
            self.dispatch.give_up(task.key, f"its files were lost {UNFETCHED} times")
        self.changed.set()

    async def _forget(self, result: _Result) -> None:
        with suppress(Exception):
            await self._call(result.worker, objects.forget, result.name)

    # -- what the user sees --------------------------------------------------------------------------------

    def _progress(self) -> None:
        done, count = len(self.dispatch.stored), len(self.tasks)
        workers = len(self.dispatch.workers)
        left = ""
        if self.done_s and workers:
            rest = sum(task.seconds for task in self.tasks.values()) - self.done_s
            left = f", about {durations.words(rest * self.busy_s / self.done_s / workers)} left"
        many = f"{workers} worker{'' if workers == 1 else 's'}"
        self.observe(Event("cluster", text=f"{many}, {done} of {count} blocks{left}"))

    async def _dashboard(self, host: str) -> str:
        """Where the scheduler's own page is, or how to get one."""
        found = await self.client.scheduler.identity(n_workers=0)
        port = found.get("services", {}).get("dashboard")
        return (await page.found(host, port) if port else "") or page.NONE


def _line(error: BaseException) -> str:
    """An error in one line, with its cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__
