"""What a run works with, and what it reports while it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.data import DataFile
from runner.executors import Executor
from runner.measure.outages import Outages
from runner.model import Sample, Scalar, Status
from runner.results.store import Store


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person waiting may want to see."""

    kind: str
    """``prepare``, ``ready``, ``failed`` (an environment); ``start``, ``done``, ``reuse``, ``kept`` (a process);
    ``expect`` (``count`` processes are to come), ``note`` (``text`` is for the user, before the work begins),
    ``budget`` (``seconds`` of measuring are left), ``further`` (a further round begins, up to ``round``, with ``count``
    processes), ``verdict`` (``text`` is a comparison that has one now), ``outage`` (``count`` environments cannot be
    used, ``text`` says why), ``block`` (a worker, ``text``, has run cells, ``count`` processes), ``cluster`` (``text``
    says how far a run on a cluster is), ``lost`` (an environment, or a process where ``probe`` is set, that an outage
    stopped)."""
    subject: str = ""
    """Environment id or cell id."""
    text: str = ""
    probe: str = ""
    round: int = 0
    status: Status | None = None
    seconds: float = 0.0
    count: int = 0


Observer = Callable[[Event], None]


def noted(observe: Observer, then: str = "") -> Callable[[str], None]:
    """A function that shows a line to the user as a note.

    ``then``: what follows every line.
    """
    return lambda line: observe(Event("note", text=line + then))


@dataclass(frozen=True, slots=True)
class Context:
    """What a run works with."""

    executors: Mapping[str, Executor]
    store: Store
    data: Mapping[str, DataFile]
    """By probe; one that reads no data has none."""
    host: Mapping[str, Scalar]
    """Facts of this machine that two timings must share (see runner.machine.facts)."""
    variants: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fresh: bool = False
    jobs: int = 1
    """Processes at once. Above 1 they disturb each other, and no timing is judged."""
    builds: int = 2
    """Environments made ready at once."""
    keep_failed: bool = False
    """Keep what a failed process leaves, its container or folder; failures of earlier runs are run again for it."""
    outages: Outages = field(default_factory=Outages)
    later: int = 0
    """How many environments the caller runs in further calls; an outage stops those too."""
    apart: bool = False
    """The cells are measured apart from those that they are compared with: no timing is judged."""
    block: str = ""
    """Names this stretch of time where rounds are not interleaved: timings of two blocks do not compare."""


class Interrupted(KeyboardInterrupt):
    """The user stopped the run; what had finished is kept in ``samples``."""

    def __init__(self, samples: list[Sample]) -> None:
        super().__init__()
        self.samples = samples
