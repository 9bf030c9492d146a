"""Decides which share runs where, and what becomes of one that failed. Pure.

One share is in flight per worker, so the death of a worker concerns one share. Dask's own count of attempts is not
used: it also counts tasks that were only waiting on a worker that died.

A share in which nothing could be measured is run once more elsewhere, since the worker may be the cause. It counts
when a worker that is *proven*, as it has measured something, could measure nothing either, or several others could not.
With ``SUSPICIOUS`` such shares a worker is only given what others have tried, until that is decided. It gets nothing
more once others have measured ``SUSPICIOUS`` shares that it could not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

ATTEMPTS = 3
"""How often a share is given to a worker that dies with it, before it counts as not measured."""
TRIES = 5
"""On so many workers a share is tried of which none could measure anything, where none of them is proven."""
LOOK = 200
"""So many waiting shares are compared to choose one, which bounds the time for many shares and workers."""
SUSPICIOUS = 2
"""So many shares that a worker alone could not measure make it a suspect."""


class Verdict(Enum):
    """What becomes of the result of a share."""

    STORE = auto()
    """It is the share's result."""
    HOLD = auto()
    """Nothing could be measured: another worker is asked before it counts."""


@dataclass(frozen=True, slots=True)
class Item:
    """What the dispatcher must know of a share."""

    key: str
    environments: frozenset[Hashable]
    can_run: Callable[[Mapping[str, float]], bool]
    """Whether a worker with these resources can run it."""


@dataclass
class _Worker:
    resources: Mapping[str, float]
    running: str = ""
    environments: dict[Hashable, None] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    """Shares of which it measured nothing, and which nobody else has tried since."""
    refuted: int = 0
    """Shares of which it measured nothing, and which another worker measured."""

    @property
    def suspended(self) -> bool:
        return self.banned or len(self.doubtful) + self.refuted >= SUSPICIOUS

    @property
    def banned(self) -> bool:
        return self.refuted >= SUSPICIOUS


class Dispatch:
    """The shares of a run, and the workers that are there."""

    def __init__(self, items: Iterable[Item]) -> None:
        """``items``: the shares, the first to be begun first."""
        self.items = {item.key: item for item in items}
        self.waiting: dict[str, None] = {}
        self._waiting_with: dict[Hashable, dict[str, None]] = {}
        """Environment -> the waiting shares that need it."""
        self._claims: Counter[Hashable] = Counter()
        """Environment -> how many workers have it."""
        for share in self.items:
            self._wait(share)
        self.held: dict[str, str] = {}
        """Share -> the worker that could measure nothing of it. It waits for another worker."""
        self.lost: dict[str, int] = {}
        """Share -> how many workers died with it."""
        self.tried: dict[str, set[str]] = {}
        self.given_up: dict[str, str] = {}
        """Share -> why it is not measured."""
        self.stored: set[str] = set()
        self.proven: set[str] = set()
        """The workers that have measured something."""
        self.workers: dict[str, _Worker] = {}

    @property
    def ended(self) -> bool:
        """Whether every share has a result or was given up."""
        return len(self.stored) + len(self.given_up) == len(self.items)

    @property
    def running(self) -> list[str]:
        """The shares that run now."""
        return [worker.running for worker in self.workers.values() if worker.running]

    # -- workers -------------------------------------------------------------------------------------------

    def came(self, name: str, resources: Mapping[str, float]) -> None:
        """A worker is there."""
        self.workers.setdefault(name, _Worker(resources))

    def went(self, name: str) -> None:
        """A worker is gone. What it ran is run again, as often as ``ATTEMPTS`` says."""
        worker = self.workers.pop(name, None)
        if worker is None:
            return
        self._claims.subtract(list(worker.environments))
        if share := worker.running:
            self.lost[share] = self.lost.get(share, 0) + 1
            self._again(share)
            if self.lost[share] >= ATTEMPTS:
                self.give_up(share, f"its worker died {self.lost[share]} times with it")

    def banned(self) -> list[str]:
        """The workers that get nothing more: others measured what they could not."""
        return [name for name, worker in self.workers.items() if worker.banned]

    # -- shares --------------------------------------------------------------------------------------------

    def next(self, name: str) -> str | None:
        """The share that a worker is to begin, which then runs there.

        None where nothing is there for it.
        """
        worker = self.workers[name]
        if worker.running or worker.banned:
            return None
        found = self._with_environments(name, worker) or self._elsewhere_least(name, worker)
        if found is None:
            return None
        self._unwait(found)
        worker.running = found
        for environment in self.items[found].environments - worker.environments.keys():
            worker.environments[environment] = None
            self._claims[environment] += 1
        return found

    def _with_environments(self, name: str, worker: _Worker) -> str | None:
        """The waiting share of whose environments a worker has the largest part."""
        best, found = 0.0, None
        for one in worker.environments:
            for share in self._waiting_with.get(one, ()):
                if self._suits(share, name, worker):
                    wanted = self.items[share].environments
                    part = len(wanted & worker.environments.keys()) / len(wanted)
                    if part > best:
                        best, found = part, share
                    if part == 1.0:
                        return share
        return found

    def _elsewhere_least(self, name: str, worker: _Worker) -> str | None:
        """The waiting share whose environments the fewest workers have.

        Of the first ``LOOK`` that suit.
        """
        best, found, seen = -1, None, 0
        for share in self.waiting:
            if self._suits(share, name, worker):
                claimed = sum(self._claims[one] for one in self.items[share].environments)
                if found is None or claimed < best:
                    best, found = claimed, share
                seen += 1
                if not claimed or seen >= LOOK:
                    break
        return found

    def _suits(self, share: str, name: str, worker: _Worker) -> bool:
        tried = self.tried.get(share, set())
        if worker.suspended and not tried:
            return False
        return name not in tried and self.items[share].can_run(worker.resources)

    def measured(self, name: str, share: str, *, anything: bool) -> Verdict:
        """A worker has finished a share, and is free.

        ``anything``: at least one process could be measured.
        """
        self._freed(name, share)
        if anything:
            self.proven.add(name)
            self._decided(share, by_worker=True)
            return Verdict.STORE
        self._doubt(name, share)
        if len(self.tried[share]) > 1 and self._is_known(share):
            self._decided(share, by_worker=False)
            return Verdict.STORE
        self.held[share] = name
        self._wait(share)
        return Verdict.HOLD

    def failed(self, name: str, share: str, why: str) -> None:
        """A worker could not run a share at all; it is free, and another worker is asked."""
        self._freed(name, share)
        self._doubt(name, share)
        self._again(share)
        if len(self.tried[share]) >= ATTEMPTS and self._is_known(share):
            self.give_up(share, why)

    def fetched(self, share: str) -> None:
        """The files of a share are stored."""
        self.stored.add(share)
        self.given_up.pop(share, None)

    def not_fetched(self, share: str) -> None:
        """The files of a share are lost, so it is run again.

        The share is not the cause.
        """
        self._again(share)

    def settled(self) -> list[str]:
        """The held shares whose first result counts.

        No worker that is there can try them again.
        Asked when nothing else can be begun.
        """
        found = [share for share in self.held if share in self.waiting and not self._somebody(share)]
        for share in found:
            self._unwait(share)
            self._decided(share, by_worker=False)
        return found

    def hopeless(self) -> list[str]:
        """The shares that wait, and that no worker that is there can run."""
        return [share for share in self.waiting if share not in self.held and not self._somebody(share)]

    def give_up(self, share: str, why: str) -> None:
        """Count a share that waits as not measured."""
        self._unwait(share)
        self.given_up[share] = why
        self._decided(share, by_worker=False)

    def _somebody(self, share: str) -> bool:
        """Whether a worker is there that may run the share, now or later."""
        tried = self.tried.get(share, ())
        return any(
            not worker.banned and name not in tried and self.items[share].can_run(worker.resources)
            for name, worker in self.workers.items()
        )

    def _freed(self, name: str, share: str) -> None:
        worker = self.workers.get(name)
        if worker is not None and worker.running == share:
            worker.running = ""

    def _again(self, share: str) -> None:
        """Run a share again, before all others."""
        self._wait(share)
        self.waiting = {share: None, **self.waiting}

    def _wait(self, share: str) -> None:
        self.waiting[share] = None
        for one in self.items[share].environments:
            self._waiting_with.setdefault(one, {})[share] = None

    def _unwait(self, share: str) -> None:
        del self.waiting[share]
        for one in self.items[share].environments:
            self._waiting_with[one].pop(share, None)

    def _doubt(self, name: str, share: str) -> None:
        self.tried.setdefault(share, set()).add(name)
        if name in self.workers:
            self.workers[name].doubtful.add(share)

    def _is_known(self, share: str) -> bool:
        """Whether those who have tried a share are enough to say that it is the cause."""
        tried = self.tried[share]
        return len(tried) >= TRIES or not self.proven.isdisjoint(tried)

    def _decided(self, share: str, *, by_worker: bool) -> None:
        """Whether those who could not measure a share are the cause is known.

        ``by_worker``: they are.
        """
        self.held.pop(share, None)
        for worker in self.workers.values():
            if share in worker.doubtful:
                worker.doubtful.remove(share)
                worker.refuted += by_worker
