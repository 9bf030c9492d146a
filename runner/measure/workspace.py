"""Opens what a command works with: data, store, executors. Not pure."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from runner import data
from runner import executors as registry
from runner.errors import NotMeasuredError, UsageError
from runner.executors import Executor
from runner.machine import facts
from runner.matrix import sets
from runner.measure.context import Context
from runner.results.store import RunRecord, Store
from runner.util import guarded, locks, program, scratch
from runner.util.folders import cache_dir

LOCK = ".lock"
"""In a folder of results: held by the command that writes there."""


def on_stderr(line: str) -> None:
    """Show a line to the user, where no observer does."""
    program.warn(line)


@dataclass(frozen=True, slots=True)
class Work:
    """What a command works with while its workspace is open."""

    context: Context
    """What ``scheduler.run`` takes: executors, store, data, facts of this host."""
    record: RunRecord
    """What the run sets out to do, as it was written down, with the notes about its data."""
    notes: tuple[str, ...] = ()
    """What the user must know about the data."""

    @property
    def executors(self) -> Mapping[str, Executor]:
        """All executors by name."""
        return self.context.executors

    @property
    def store(self) -> Store:
        """Where results are saved."""
        return self.context.store

    @property
    def files(self) -> Mapping[str, data.DataFile]:
        """The data by probe; a probe that reads none is not in it."""
        return self.context.data


@contextmanager
def open(  # noqa: A001 - always written workspace.open
    out: Path | None,
    *,
    probes: Iterable[str] = (),
    given: Mapping[str, Path] | None = None,
    own: Mapping[str, data.DataFile] | None = None,
    offline: bool = False,
    record: RunRecord | None = None,
    fresh: bool = False,
    jobs: int = 1,
    builds: int = 2,
    keep_failed: bool = False,
    pull_from: str = "",
    variants: Mapping[str, Mapping[str, str]] | None = None,
    say: Callable[[str], None] = on_stderr,
) -> Iterator[Work]:
    """Open a store, collect the probes' data, make the executors and handle signals.

    ``out`` is the folder of the results; None means a temporary one that goes with the workspace. One command at a
    time writes to a folder: a second one waits here, after a line to ``say``, and finds the results of the first.
    ``given`` are the user's own data files by data set, ``own`` files that probes read as they are, ``record`` is
    written into the store. ``pull_from`` is a registry that environments may be pulled from. The other arguments are
    those of ``Context``. Raises UsageError where the folder, the data or the registry's name cannot be used.
    """
    with stoppable(), _opened(out, say) as store:
        collected = data.collect(probes, given or {}, cache_dir() / "data", offline=offline)
        if record is not None:
            record = replace(record, notes=(*record.notes, *collected.notes))
            _record(store, record)
        with executors() as made:
            for one in made.values() if pull_from else ():
                if isinstance(one, registry.Pulls):
                    one.pull_from(pull_from, say)
            context = Context(
                executors=made,
                store=store,
                data={**collected.files, **(own or {})},
                host=facts.fingerprint(facts.here()),
                variants=known_variants() if variants is None else variants,
                fresh=fresh,
                jobs=jobs,
                builds=builds,
                keep_failed=keep_failed,
            )
            yield Work(context, record or RunRecord(), collected.notes)


def known_variants() -> dict[str, dict[str, str]]:
    """The environment variables of every variant."""
    return {name: variant.env for name, variant in sets.load().variants.items()}


def _record(store: Store, record: RunRecord) -> None:
    """Write down what the run sets out to do.

    Raises NotMeasuredError where the disk is full.
    """
    try:
        store.record(record)
    except OSError as error:
        what = f"--out {store.out}: run.json cannot be written: {error.strerror}"
        raise NotMeasuredError(f"{what}; make room, then run the same command again") from None


@contextmanager
def _opened(out: Path | None, say: Callable[[str], None]) -> Iterator[Store]:
    """The store of a folder that no other command writes to meanwhile."""
    if out is None:
        with scratch.folder("out") as folder:
            store = Store(folder)
            store.open()
            yield store
        return
    store = Store(out)
    store.open()
    with ExitStack() as stack:
        held = locks.held(
            out / LOCK,
            lambda who: say(f"--out {out}: waiting for {who}, which writes there; Ctrl-C ends the wait"),
            unlocked=lambda why: say(f"--out {out}: cannot be locked ({why}); let no other command write there"),
        )
        try:
            stack.enter_context(held)
        except OSError as error:
            problem = f"--out {out}: {LOCK} cannot be opened: {error.strerror}"
            raise UsageError(f"{problem}; remove it or name another folder") from None
        yield store


@contextmanager
def executors() -> Iterator[dict[str, Executor]]:
    """Make all executors, and close them at the end.

    None has contacted anything yet.
    """
    made = {name: registry.make(name) for name in registry.names()}
    try:
        yield made
    finally:
        for executor in made.values():
            executor.close()
        guarded.kill_all()


@contextmanager
def stoppable() -> Iterator[None]:
    """End the run on SIGTERM and a closed terminal as on Ctrl-C.

    Containers are removed, finished results kept. SIGINT is set as well: a shell that starts a job in the background
    leaves it ignored. SIGHUP stays ignored where it was: that is what ``nohup`` is for. Only the first signal
    interrupts: what it sets off takes seconds and must not be cut short. After it the program only reports what it has
    and ends, so later ones stay ignored.
    """
    stopping = False

    def interrupt(_number: int, _frame: object) -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            raise KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if stopping else handler)
