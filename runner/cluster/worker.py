"""A worker: announces what this machine has, and runs the shares that it is given.

A share runs in another process (``hand``), so that the worker answers meanwhile and stays small.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import runner
from runner import __version__, executors
from runner.cluster import hand, keys, objects, program, request, waiting
from runner.cluster.address import Address
from runner.errors import NotMeasuredError
from runner.machine import checks, doctor, facts
from runner.model import Environment
from runner.util import files, scratch

Say = Callable[[str], None]

ANNOUNCED = "runner"
"""The key of what a worker announces next to its resources."""
SHARE = "share"
"""The resource of which a worker has one: it runs one share at a time, whoever asks."""
_ENDS_S = 40.0
"""How long a share that was cancelled may take to end before its process is killed."""
_LOOK_S = 0.25
"""How often a running share is asked whether anybody still waits for it."""
CONNECT_S = 60.0
"""How long it may take to be accepted by a scheduler that answers; also how long an attached worker waits for one."""

AGAIN_S = 1.0
"""After what time work that was cancelled, and goes on, is cancelled again."""


class CancelledError(Exception):
    """Nobody waits for the share any more."""


def examined(environments: Iterable[Environment]) -> list[checks.Check]:
    """What ``runner doctor`` finds missing on this machine."""
    return [check for check in doctor.examine(environments) if check.state == checks.State.FAIL]


def resources(machine: facts.Machine) -> dict[str, float]:
    """What this machine has, as resources of Dask, whose values are numbers."""
    found: dict[str, float] = {
        SHARE: 1,
        "cores": machine.cores,
        "memory": machine.memory_bytes,
        "mps": int(machine.mps),
        "cuda": len(machine.gpus),
        f"fingerprint:{fingerprint_digest(machine)}": 1,
        f"platform:{machine.platform}": 1,
    }
    for name in executors.names(installing=True):
        found[name] = 0 if executors.make(name).available() else 1
    return {name: value for name, value in found.items() if value}


def fingerprint_digest(machine: facts.Machine) -> str:
    """Twelve hex digits over what two timings must share."""
    return files.digest(facts.fingerprint(machine))[:12]


def announced(machine: facts.Machine, distributed: str) -> dict[str, Any]:
    """What a worker says about itself."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(
        program.Worker(
            version=__version__,
            program=program.digest(),
            python=program.python(),
            distributed=distributed,
            platform=machine.platform,
            container_platform=facts.container_platform(machine),
            fingerprint=facts.fingerprint(machine),
        )
    )
    return found


class Hand:
    """The process that runs shares.

    It is started when it is first needed, and again after it died.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._one_at_a_time = threading.Lock()

    def start(self) -> None:
        """Start the process, so that its imports are done when a share comes."""
        if self._process is not None and self._process.poll() is None:
            return
        root = Path(runner.__file__).resolve().parents[1]  # the program that runs here, whatever is installed
        self._process = subprocess.Popen(
            [sys.executable, "-m", hand.__name__],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, folder: Path, wanted: Callable[[], bool]) -> request.Answer:
        """Run the share in a folder.

        ``wanted`` is asked several times a second. Raises CancelledError where it says no, and RuntimeError where the
        process ended.
        """
        with self._one_at_a_time:
            self.start()
            process, given, said = self._pipes()
            given.write(f"{folder}\n")
            given.flush()
            while not select.select([said], [], [], _LOOK_S)[0]:
                if not wanted():
                    self.stop()
                    raise CancelledError
            if not said.readline():
                raise RuntimeError(f"the process that ran the share ended with {process.wait()}")
        return request.decode_answer(files.content(folder / hand.ANSWER))

    def _pipes(self) -> tuple[subprocess.Popen[str], IO[str], IO[str]]:
        """The process, its standard input and its standard output."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the process that runs shares could not be started")
        return process, process.stdin, process.stdout

    def stop(self) -> None:
        """End the process, with all that it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


_HAND = Hand()


def run_share(raw: bytes, share: str) -> bytes:
    """The task of a share. Returns the answer as JSON: digests and no data."""
    from distributed import get_worker
    from distributed.worker import thread_state

    worker = get_worker()
    mine: objects.Objects = getattr(worker, objects.ATTRIBUTE)
    key = thread_state.key

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing" and not worker.status.name.startswith("clos")

    folder = mine.base / "shares" / share
    mine.forget(share)
    folder.mkdir(parents=True)
    (folder / hand.REQUEST).write_bytes(raw)
    answer = _HAND.run(folder, wanted)
    mine.made[share] = {file.sha256: folder / hand.OUT / file.path for file in answer.files}
    return request.encode(answer)


def serve(
    address: Address, security: Any, environments: Iterable[Environment], say: Say, wait_s: float, *, attached: bool
) -> None:
    """Examine this machine, then work until the scheduler ends.

    ``wait_s``: how long a scheduler may take to answer. ``attached``: end also when standard input is closed. Raises
    NotMeasuredError where the machine is not fit, and where no scheduler answers or it went away.
    """
    missing = examined(environments)
    if missing:
        first = missing[0]
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        what = f"{first.name}: {first.says}: {first.fix}"
        raise NotMeasuredError(f"this machine is not fit: {what}{more}; see `runner doctor`")
    with scratch.folder("worker") as base:
        try:
            asyncio.run(_serve(address, security, base, say, wait_s, attached=attached))
        finally:
            _HAND.stop()


async def _serve(address: Address, security: Any, base: Path, say: Say, wait_s: float, *, attached: bool) -> None:
    import distributed

    quiet()
    asked = _asked(attached=attached)
    begun: list[distributed.Worker] = []

    async def begin() -> None:
        await waiting.until_answered(address, keys.context(security), wait_s, say)
        begun.append(await _begun(address, security, base))
        say(f"at work for {address.text} as {begun[0].name}; Ctrl-C ends it")

    ended = await unless_asked(begin(), asked) and await unless_asked(begun[0].finished(), asked)
    if not ended:
        for one in begun:
            await one.close(reason="ended by its user")
        if not attached:
            raise KeyboardInterrupt
    if attached:  # it ends with the program that has started it
        return
    raise NotMeasuredError(f"the scheduler at {address.text} went away")


async def _begun(address: Address, security: Any, base: Path) -> Any:
    """Dask's worker, accepted by the scheduler. Raises NotMeasuredError."""
    import distributed

    machine = facts.here()
    _HAND.start()
    worker = distributed.Worker(
        address.text,
        nthreads=1,
        name=f"{machine.name}-{os.getpid()}-{secrets.token_hex(3)}",
        resources=resources(machine),
        security=security,
        startup_information={ANNOUNCED: lambda _worker: announced(machine, distributed.__version__)},
        memory_limit=0,
        local_directory=str(base / "dask"),
        death_timeout=CONNECT_S,
        dashboard=False,
    )
    setattr(worker, objects.ATTRIBUTE, objects.Objects(base))
    try:
        await worker
    except (OSError, RuntimeError, ValueError) as error:
        raise NotMeasuredError(f"no scheduler answers at {address.text}: {_cause(error)}") from None
    return worker


def _asked(*, attached: bool) -> asyncio.Event:
    """Is set by a signal; where ``attached``, also by the end of standard input."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    if attached:
        threading.Thread(target=_until_closed, args=(loop, asked), daemon=True).start()
    return asked


async def unless_asked(work: Coroutine[Any, Any, Any], asked: asyncio.Event) -> bool:
    """Wait for the work, or until its end is asked for.

    Returns whether it was the work. Raises what the work raises.
    """
    waits = (asyncio.ensure_future(work), asyncio.ensure_future(asked.wait()))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    ended = not asked.is_set()
    pending = set(waits)
    while pending:  # once is not enough: it is lost where what the work waits for ends in the same moment
        for one in pending:
            one.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
    result, _ = await asyncio.gather(*waits, return_exceptions=True)
    if ended and isinstance(result, Exception):
        raise result
    return ended


def _until_closed(loop: asyncio.AbstractEventLoop, asked: asyncio.Event) -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    with suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(asked.set)


def _cause(error: BaseException) -> str:
    """The innermost reason, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__


def quiet() -> None:
    """Keep Dask from writing about every connection, and from sampling stacks.

    Its messages are for its developers; what matters to a user this program says itself.
    """
    import dask
    import distributed

    for name in (distributed.__name__, "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    dask.config.set({"distributed.worker.profile.enabled": False, "distributed.admin.system-monitor.interval": "2s"})
