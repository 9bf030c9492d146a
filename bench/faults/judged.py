"""Judges one try of a fault: what is lost, left, measured again or wrong.

Pure. The real world is read by ``world``, so that a test can feed a made-up one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

NOT_ABOUT_CELL = ("build-failed", "unavailable", "skipped")
"""Statuses that name no version as the cause; such a result is never used again."""
BROKEN_TEXT = ("Traceback (most recent call last)", "internal error")
"""Texts that no run may print, whatever happens to it."""


@dataclass(frozen=True)
class Saved:
    """One result file."""

    path: str
    """Below the folder of the results."""
    job: str
    """Cell, probe and round; empty where the file cannot be read."""
    status: str
    """Empty where the file is not a whole result."""
    identity: tuple[int, str]
    """Number of the file and digest of its content.

    Both change when the process is measured again.
    """

    @property
    def whole(self) -> bool:
        """Whether the file is a whole result."""
        return bool(self.status)


@dataclass(frozen=True)
class World:
    """What is on the machine at one moment and belongs to one try."""

    results: Mapping[str, Saved] = field(default_factory=dict)
    """By path."""
    containers: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Entries of the folder for temporary files."""
    parts: tuple[str, ...] = ()
    """Half-written files and folders outside of it."""
    locks: tuple[str, ...] = ()
    """Lock files that a process still holds."""

    @property
    def leftovers(self) -> tuple[str, ...]:
        """All that must not be there when no run is going on."""
        named = {
            "container": self.containers,
            "process": self.processes,
            "temporary folder": self.folders,
            "half-written": self.parts,
            "lock": self.locks,
        }
        return tuple(f"{kind} {name}" for kind, names in named.items() for name in names)


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    code: int | None
    """Negative: killed by that signal. None: it hung, and the suite killed it."""
    shown: str = ""
    """What it printed, both streams."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Expected:
    """What a run shows when no fault happens."""

    jobs: Mapping[str, str]
    """Status by job."""
    code: int = 0
    codes_at_fault: Collection[int] | None = None
    """Exit codes that the disturbed run may end with; None: any."""
    others: str = ""
    """Status of other jobs, such as those of further rounds; empty where there are none."""

    def status(self, job: str) -> str:
        """The status that a job has when no fault happens."""
        return self.jobs.get(job, self.others)


@dataclass(frozen=True)
class Judged:
    """What is wrong with one try, a line each. Empty where nothing is."""

    lost: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def __add__(self, other: Judged) -> Judged:
        """The findings of both, each once."""
        return Judged(
            *(
                tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name))))
                for name in ("lost", "orphans", "repeated", "wrong")
            )
        )

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.orphans or self.repeated or self.wrong)


def judge(expected: Expected, at_fault: World, disturbed: Ended, after: World, again: Ended) -> Judged:
    """Compare what was there at the fault with what is there after the next run.

    ``disturbed`` is the run that the fault happened to, ``again`` the same command run again without a fault.
    """
    whole = {path: saved for path, saved in at_fault.results.items() if saved.whole}
    about_cell = {path: saved for path, saved in whole.items() if saved.status not in NOT_ABOUT_CELL}
    return Judged(
        lost=tuple(path for path in about_cell if path not in after.results or not after.results[path].whole),
        orphans=after.leftovers,
        repeated=_repeated(expected, about_cell, after),
        wrong=(
            *blamed(expected, at_fault),
            *_ended_wrongly("the disturbed run", disturbed, expected.codes_at_fault),
            *_ended_wrongly("the next run", again, (expected.code,)),
            *incomplete(expected, after),
        ),
    )


def judge_stopped(expected: Expected, at_end: World, ended: Ended, most_s: float) -> Judged:
    """Judge a run that was asked to stop: it leaves nothing and ends in time."""
    late = (f"the run took {ended.seconds:.0f} s to stop",) if ended.seconds > most_s else ()
    return Judged(
        orphans=at_end.leftovers,
        wrong=(*blamed(expected, at_end), *_ended_wrongly("the stopped run", ended, expected.codes_at_fault), *late),
    )


def blamed(expected: Expected, world: World) -> tuple[str, ...]:
    """The results that say something else about a cell than a quiet run does."""
    return tuple(
        f"{saved.job}: {saved.status} is stored"
        for saved in world.results.values()
        if saved.whole and saved.status not in NOT_ABOUT_CELL and saved.status != expected.status(saved.job)
    )


def incomplete(expected: Expected, after: World) -> tuple[str, ...]:
    """The jobs that have no result, or another one, after a run without a fault."""
    found: dict[str, set[str]] = {}
    for saved in after.results.values():
        found.setdefault(saved.job, set()).add(saved.status)
    return tuple(
        f"{job}: {', '.join(sorted(found[job])) or 'unreadable' if job in found else 'no result'} after the next run"
        for job, status in expected.jobs.items()
        if status not in found.get(job, ())
    )


def _repeated(expected: Expected, whole: Mapping[str, Saved], after: World) -> tuple[str, ...]:
    """The results that another process replaced although they were whole and right."""
    right = [saved for saved in whole.values() if saved.status == expected.status(saved.job)]
    files: dict[str, int] = {}
    for saved in after.results.values():
        files[saved.job] = files.get(saved.job, 0) + 1
    changed = [s.job for s in right if s.path in after.results and after.results[s.path].identity != s.identity]
    return tuple(dict.fromkeys([*changed, *(s.job for s in right if files.get(s.job, 0) > 1)]))


def _ended_wrongly(which: str, ended: Ended, allowed: Collection[int] | None) -> tuple[str, ...]:
    """Find a hang, a wrong exit code, or a text that no user should see."""
    found = []
    if ended.code is None:
        found.append(f"{which} hung")
    elif allowed is not None and ended.code not in allowed:
        found.append(f"{which} ended with {ended.code}: {last_line(ended.shown)}")
    found += [f"{which} printed {text!r}" for text in BROKEN_TEXT if text in ended.shown]
    return tuple(found)


def last_line(shown: str) -> str:
    """The last line that is not empty, cut to what fits a table."""
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    return lines[-1][:160] if lines else ""
