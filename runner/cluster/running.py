"""Runs what ``runner matrix`` was asked for on a cluster. Not pure."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner import executors
from runner.cluster import launch, program, request, shares
from runner.cluster.asking import Asking, Patience, Sources, Task
from runner.cluster.receipts import Receipt, Receipts, digest, paths
from runner.cluster.shares import Share
from runner.environments import lock, wheels
from runner.errors import CellError, NotMeasuredError, RunnerError, UsageError
from runner.judge.budget import Further
from runner.judge.rules import Rules, compared
from runner.matrix import compat, configuration, plan
from runner.matrix.selection import Chosen
from runner.measure import blocks
from runner.measure.context import Event, Observer
from runner.measure.workspace import Work
from runner.model import Cell, Environment, ProbeSpec, Sample, Skip, Status
from runner.results import store
from runner.results.store import RunRecord
from runner.util import files, versions

BLOCK_MINUTES = 120.0
"""A comparison block whose processes would take longer is cut between frameworks (see ``blocks``)."""
PATIENCE = Patience()
_AGAIN = "workers need it; run the same command again"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, and how."""

    chosen: Chosen
    wanted: plan.Selection
    further: Further
    rules: Rules
    jobs: int = 1
    builds: int = 2
    block_minutes: float = BLOCK_MINUTES
    pull_from: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a run on a cluster."""

    samples: tuple[Sample, ...]
    record: RunRecord
    problem: RunnerError | None = None
    """Why the run ended before all was done."""
    interrupted: bool = False


class Contents:
    """Files that travel, by the digests of their contents."""

    def __init__(self) -> None:
        self._places: dict[str, Path | bytes] = {}
        self._known: dict[Path, str] = {}

    def add(self, path: Path) -> str:
        """Add a file; its digest. Raises UsageError where it cannot be read."""
        path = path.resolve()
        if path not in self._known:
            try:
                found = digest(files.content(path))
            except OSError as error:
                raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
            self._known[path] = found
            self._places[found] = path
        return self._known[path]

    def add_bytes(self, content: bytes) -> str:
        """Add a content; its digest."""
        found = digest(content)
        self._places[found] = content
        return found

    def content(self, name: str) -> bytes:
        """The content with a digest.

        Raises NotMeasuredError for a file that is not what it was.
        """
        place = self._places[name]
        if isinstance(place, bytes):
            return place
        try:
            found = files.content(place)
        except OSError as error:
            raise NotMeasuredError(f"{place}: cannot be read any more: {error.strerror}; {_AGAIN}") from None
        if digest(found) != name:
            raise NotMeasuredError(f"{place}: has changed since the run began; {_AGAIN}")
        return found


def run(order: Order, work: Work, where: launch.Where, observe: Observer, patience: Patience = PATIENCE) -> Ended:
    """Run an order on a cluster, and store its results in the workspace.

    What earlier runs have stored there is reused. Raises UsageError for what cannot run on a cluster.
    """
    receipts = Receipts(work.store.out)
    receipts.recover()
    check_strangers(work.store.out)
    contents = Contents()
    cut = _shares(order)
    tasks = _tasks(order, cut, work, contents)
    current = {} if order.fresh else {task.key: found for task in tasks if (found := _current(task, receipts))}
    asking = Asking(
        [task for task in tasks if task.key not in current], receipts, _Locks(order, contents).sources(), observe
    )
    problem: RunnerError | None = None
    interrupted = False
    if asking.tasks:
        try:
            asyncio.run(_asked(asking, where, patience))
        except RunnerError as error:
            problem = error
        except (KeyboardInterrupt, asyncio.CancelledError):
            interrupted = True
    if problem is not None and not current and not asking.dispatch.stored:
        raise problem
    return _ended(order, tasks, receipts, asking, work, problem, interrupted=interrupted)


async def _asked(asking: Asking, where: launch.Where, patience: Patience) -> None:
    with _cancelling():
        async with launch.reached(where, lambda text: asking.observe(Event("note", text=text))) as there:
            await asking.run(there, patience)


@contextmanager
def _cancelling() -> Iterator[None]:
    """Have the first signal cancel this task; later ones are ignored.

    An exception in the midst of an event loop would leave half of it behind.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    wanted = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]

    def cancel() -> None:
        for number in wanted:
            loop.add_signal_handler(number, lambda: None)
        if task is not None:
            task.cancel()

    for number in wanted:
        loop.add_signal_handler(number, cancel)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])


def check_strangers(out: Path) -> None:
    """Raise UsageError for results that no cluster has made.

    A report would take both for rounds of one run.
    """
    found = Receipts(out).strangers() if out.is_dir() else ()
    if found:
        raise UsageError(f"--out {out}: has results of a run without a cluster ({found[0]}); name another folder")


def _shares(order: Order) -> tuple[Share, ...]:
    cells = order.chosen.cells
    mac = order.chosen.definition.platform.startswith("macos")
    pairs = compared(list(cells), order.rules)
    return shares.cut(cells, pairs, order.wanted.probes, order.wanted.rounds, order.block_minutes, mac=mac)


def _tasks(order: Order, cut: Sequence[Share], work: Work, contents: Contents) -> list[Task]:
    """The shares as workers get them."""
    folder, project = _project(order.wanted.probes, contents)
    budget = order.further.budget_s
    unlimited = budget == float("inf")
    rounds = order.wanted.rounds
    found = []
    for share in cut:
        names = [probe.name for probe in share.probes]
        data = {name: work.files[name] for name in names if name in work.files}
        asked = request.Request(
            cells=share.cells,
            wanted=replace(order.wanted, probes=share.probes),
            most=0 if share.apart else order.further.most,
            budget_s=None if unlimited else shares.budget_s(share, cut, rounds, budget),
            unlimited=unlimited,
            rules=replace(order.rules, baseline=_baseline(order.rules, share)),
            apart=share.apart,
            jobs=order.jobs,
            builds=order.builds,
            data={
                name: request.Data(one.name, one.sha256, one.note, contents.add(one.path)) for name, one in data.items()
            },
            folder=folder,
            project=project,
            locks={},
            wheels=_wheels(share.cells, contents),
            pull_from=order.pull_from,
        )
        found.append(Task(request.key(asked), share, asked, share.seconds(rounds), _fit(order, share)))
    return found


def _baseline(rules: Rules, share: Share) -> str | None:
    """The cell that all is compared with, where the share has it."""
    return rules.baseline if any(cell.id == rules.baseline for cell in share.cells) else None


def _fit(order: Order, share: Share) -> Callable[[Mapping[str, float]], bool]:
    """Whether a worker with some resources can run the share."""
    needed = []
    if share.machine == blocks.CUDA:
        needed.append("cuda")
    if any(cell.device == "mps" for cell in share.cells):
        needed.append("mps")
    if order.wanted.platform:
        needed.append(f"platform:{order.wanted.platform}")
    if order.wanted.executor in executors.names(installing=True):
        needed.append(order.wanted.executor)
    return lambda resources: all(resources.get(name, 0) > 0 for name in needed)


def _project(probes: Sequence[ProbeSpec], contents: Contents) -> tuple[str, dict[str, str]]:
    """The user's configuration and the files that it names.

    Returns the working folder, and path -> digest.
    Raises UsageError where they have no common folder, as for an absolute path.
    """
    found = configuration.here()
    if found is None:
        return ".", {}
    wanted = [found.path]
    if found.expectations is not None and found.expectations.is_file():
        wanted.append(found.expectations)
    wanted += [path for probe in probes if (path := found.probe_file(probe.name)) is not None]
    for name in (str(one.file) for one in found.file.probes.values()):
        if Path(name).is_absolute():
            raise UsageError(f"{found.place}: {name}: on a cluster, a file must be named relative to the configuration")
    paths = [Path(os.path.abspath(path)) for path in wanted]  # noqa: PTH100 - links stay as they are
    base = Path(os.path.commonpath([path.parent for path in paths]))
    return str(paths[0].parent.relative_to(base)), {
        path.relative_to(base).as_posix(): contents.add(path) for path in paths
    }


def _wheels(cells: Sequence[Cell], contents: Contents) -> dict[str, str]:
    """The files of the user's own builds: path in the store of wheels -> digest."""
    pins = [(cell.framework, cell.version) for cell in cells] + [("keras", cell.keras or "") for cell in cells]
    kept = (wheels.find(versions.project(name), version) for name, version in dict.fromkeys(pins))
    return {
        path.relative_to(wheels.store()).as_posix(): contents.add(path)
        for one in kept
        if one is not None
        for path in sorted(one.path.parent.iterdir())
    }


# -- locks -------------------------------------------------------------------------------------------------------------


@dataclass
class _Locks:
    """The locks of this machine that are not a part of the program."""

    order: Order
    contents: Contents
    found: dict[str, str] = field(default_factory=dict)

    def sources(self) -> Sources:
        """What workers need besides the requests."""
        return Sources(self.contents.content, self.of)

    def of(self, share: Share, about: program.Worker, resources: Mapping[str, float]) -> Mapping[str, str]:
        """The locks of a share: environment id -> digest.

        A missing one is made here, once for all workers.
        """
        where = self.order.wanted.executor
        if not executors.installs(where):
            return {}
        isolated = where if where != plan.AUTO else next((n for n in executors.names() if resources.get(n)), "")
        contained = bool(isolated) and executors.kind(isolated).isolated and share.machine != blocks.MACOS
        platform = about.container_platform if contained else about.platform
        wanted = self.order.wanted
        environments = dict.fromkeys(
            plan.environment_of(cell, platform, wanted.custom, wanted.needs) for cell in share.cells
        )
        return {one.id: digest for one in environments if (digest := self._digest(one))}

    def _digest(self, environment: Environment) -> str:
        """The digest of a lock that travels.

        Empty for one that the program has, or that cannot be made here.
        """
        if environment.id not in self.found:
            self.found[environment.id] = ""
            with suppress(CellError, UsageError):  # the worker says why there is none
                path = lock.locked(environment).path
                if path.parent == lock.cache_dir():
                    self.found[environment.id] = self.contents.add(path)
        return self.found[environment.id]


def _current(task: Task, receipts: Receipts) -> Receipt | None:
    """The receipt of a share whose result can stand in for running it again."""
    receipt = receipts.whole(task.key)
    if receipt is None:
        return None
    wanted = task.request.wanted
    for platform in compat.load().platforms:
        for cell in task.share.cells:
            environment = plan.environment_of(cell, platform, wanted.custom, wanted.needs)
            used = receipt.locks.get(environment.id)
            known = lock.known(environment) if used is not None else None
            if known is not None and known.sha256 != used:
                return None
    return receipt


# -- the end -----------------------------------------------------------------------------------------------------------


def _ended(
    order: Order,
    tasks: Sequence[Task],
    receipts: Receipts,
    asking: Asking,
    work: Work,
    problem: RunnerError | None,
    *,
    interrupted: bool,
) -> Ended:
    """The samples of the run, and its record with what workers said."""
    done = [task.key for task in tasks if task.key not in asking.tasks or task.key in asking.dispatch.stored]
    found = [one for key in done if (one := receipts.find(key)) is not None]
    samples = store.load([work.store.out / path for path in paths(found)]) if paths(found) else []
    there = {sample.cell for sample in samples}
    lost = {
        cell: why
        for key, why in asking.dispatch.given_up.items()
        for cell in asking.tasks[key].share.cells
        if cell not in there
    }
    skips = dict.fromkeys(
        [
            *order.chosen.skips,
            *(skip for one in found for skip in one.skips if skip.cell not in there),
            *(Skip(cell, Status.UNAVAILABLE, why) for cell, why in lost.items()),
        ]
    )
    given_up = (f"{asking.tasks[key].share.name}: not measured: {why}" for key, why in asking.dispatch.given_up.items())
    said = (note for one in found for note in one.notes)
    notes = dict.fromkeys([*work.record.notes, *said, *given_up, *([str(problem)] if problem else [])])
    used = tuple(dict.fromkeys(sample.executor for sample in samples))
    record = replace(work.record, skips=tuple(skips), notes=tuple(notes), executors=used)
    work.store.record(record)
    return Ended(tuple(samples), record, problem, interrupted)


def described(order: Order) -> list[str]:
    """The shares in words, for ``--dry-run``."""
    found = _shares(order)
    lines = [f"{share.name}: {share.processes * order.wanted.rounds} processes on one worker" for share in found]
    return [*lines, f"{len(found)} blocks; the cells of one are measured on one worker, one block at a time."]
