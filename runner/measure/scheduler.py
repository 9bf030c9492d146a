"""Plan + executors -> results. The only place where an exception becomes a status.

Environments are made ready a few at a time in the background. A probe whose timings count waits until all of
them are; the others run as soon as their own is (see ``ProbeSpec.timed``), so that building one image overlaps
with running another without disturbing a measurement.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from runner.errors import BadOutputError, CellError, NotMeasuredError, OutageError, UnavailableError
from runner.executors import Launch, Prepared
from runner.matrix import scripts
from runner.measure import exchange, payload, turns
from runner.measure.context import Context, Event, Interrupted, Observer, noted
from runner.measure.sample import NO_FAILURE, failed, fingerprint, internal, key, notes, outside
from runner.model import Cell, Environment, Job, Outcome, Sample, Status
from runner.util import guarded, outage, scratch
from runner.util.workers import Workers

_Slot = tuple[str, Cell, str, int]
_WIND_DOWN_S = 10.0
"""How long a run that was stopped waits for its threads: an engine that hangs keeps them for longer."""


def run(jobs: tuple[Job, ...], context: Context, observe: Observer) -> list[Sample]:
    """Run the jobs, or take their results from the store.

    Returns one sample each, in the jobs' order. A cell that fails its probe is not asked again in later rounds of this
    call. Raises NotMeasuredError where results cannot be saved, and Interrupted after Ctrl-C; finished results are on
    disk in either case.
    """
    session = _Session(jobs, context, observe)
    session.reuse()
    if session.pending:
        session.work()
    return session.results()


class _Session:
    """The state of one ``run`` call.

    Worker threads take jobs from ``pending`` under ``changed``.
    """

    def __init__(self, jobs: tuple[Job, ...], context: Context, observe: Observer) -> None:
        self.jobs = jobs
        self.context = context
        self.observe = observe
        self.done: dict[_Slot, Sample] = {}
        self.keys: dict[_Slot, str] = {}
        self.pending: list[Job] = []
        self.ready: dict[tuple[str, Environment], Prepared | CellError] = {}
        self.unready = 0
        self.given_up: set[tuple[Any, ...]] = set()
        self.stopped: BaseException | None = None
        self.waited = False
        """Whether another run on this machine made this one wait."""
        self.changed = threading.Condition()

    # -- reuse ---------------------------------------------------------------------------------------------

    def reuse(self) -> None:
        """Sort the jobs into those whose result is on disk and those that must run."""
        identities: dict[tuple[str, Environment], str | CellError] = {}
        for job in self.jobs:
            place = (job.executor, job.environment)
            if place not in identities:
                try:
                    identities[place] = self.context.executors[job.executor].identity(job.environment)
                except CellError as error:
                    identities[place] = self._noted(job.executor, error)
            identity = identities[place]
            if isinstance(identity, CellError):
                self.ready[place] = identity
                identity = ""
            self.keys[_slot(job)] = key(job, identity, self.context)
            found = None
            if not self.context.fresh:
                wanted = (job.cell.id, job.probe.name, job.round, self.keys[_slot(job)])
                found = self.context.store.find(*wanted, bad=noted(self.observe, ": measured again"))
            if found and not exchange.kept(found, self.context):
                found = None
            if found and self.context.keep_failed and found.status not in NO_FAILURE:
                found = None
            if found:
                self.done[_slot(job)] = found
                self._note_failure(job, found)
                self.observe(Event("reuse", job.cell.id, found.reason, job.probe.name, job.round, found.status))
            else:
                self.pending.append(job)
        self.pending = [job for job in self.pending if _pair(job) not in self.given_up]

    # -- work ----------------------------------------------------------------------------------------------

    def work(self) -> None:
        places = list(dict.fromkeys((job.executor, job.environment) for job in self.pending))
        places = [place for place in places if place not in self.ready]
        self.unready = len(places)
        builders = Workers(self.context.builds, "prepare")
        for place in places:
            builders.submit(self._prepare, *place)
        self._report_outages()
        workers = Workers(self.context.jobs, "measure")
        try:
            for _ in range(self.context.jobs):
                workers.submit(self._measure_until_done)
            workers.wait()  # in the thread that takes the signals
        except KeyboardInterrupt:
            self._stop(KeyboardInterrupt())
        finally:
            self._wind_down(builders, workers)
        if isinstance(self.stopped, KeyboardInterrupt):
            raise Interrupted(self.results())
        if self.stopped:
            raise self.stopped

    def _wind_down(self, builders: Workers, workers: Workers) -> None:
        builders.close()
        workers.close()
        if self.stopped:
            # closing an executor ends its processes, which lets the threads that wait for them return
            for executor in self.context.executors.values():
                executor.close()
            guarded.kill_all()
        limit_s = _WIND_DOWN_S if self.stopped else None
        workers.wait(limit_s)
        builders.wait(limit_s)

    def _stop(self, why: BaseException) -> None:
        with self.changed:
            self.stopped = self.stopped or why
            self.changed.notify_all()

    def _tell(self, event: Event) -> None:
        """Show an event, or end the run where it cannot be shown (``2>&1 | head``).

        The threads must not die of it.
        """
        try:
            self.observe(event)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - raised again by ``work``, in the caller's thread
            self._stop(error)

    def _prepare(self, name: str, environment: Environment) -> None:
        if self.stopped:
            return
        answer = self._made_ready(name, environment)
        if self.stopped:
            return
        if isinstance(answer, Prepared):
            self._tell(Event("ready", environment.id, "", seconds=answer.seconds))
        elif isinstance(answer, OutageError):
            self._tell(Event("lost", environment.id))
        else:
            self._tell(Event("failed", environment.id, str(answer), status=answer.status))
        with self.changed:
            self.ready[name, environment] = answer
            self.unready -= 1
        self._report_outages()
        with self.changed:
            self.changed.notify_all()

    def _made_ready(self, name: str, environment: Environment) -> Prepared | CellError:
        """Make an environment ready, or only find it where an outage stops building."""
        executor = self.context.executors[name]
        out = self.context.outages.building(name)
        try:
            if out is not None:
                return (None if self.context.outages.running(name) else executor.find(environment)) or out
            self._tell(Event("prepare", environment.id))
            with self._turn(alone=False):
                return outage.patiently(
                    lambda: executor.prepare(
                        environment, lambda text: self._tell(Event("prepare", environment.id, text))
                    )
                )
        except CellError as error:
            return out or self._noted(name, error)
        except Exception as error:  # noqa: BLE001 - whatever broke, it must stop this environment only
            return out or self._noted(name, internal(error))

    def _noted(self, name: str, error: CellError, *, running: bool = False) -> CellError:
        """Return the error, or the outage that stands for it."""
        return self.context.outages.note(name, error, running=running) if isinstance(error, OutageError) else error

    def _report_outages(self) -> None:
        """Report each outage once, when all builds have ended and its size is known."""
        with self.changed:
            if self.unready:
                return
            events = [
                Event("outage", text=error.sentence, count=self._concerned(name, error))
                for name, error in self.context.outages.news()
            ]
        for event in events:
            self._tell(event)

    def _concerned(self, name: str, error: OutageError) -> int:
        """How many environments of an executor an outage keeps from being used."""
        stopped = self.context.outages.running(name) is error
        found = {
            job.environment
            for job in self.jobs
            if job.executor == name
            and (self.ready.get((name, job.environment)) is error or (stopped and self._without_result(job, error)))
        }
        return len(found) + (self.context.later if error.everywhere else 0)

    def _without_result(self, job: Job, error: OutageError) -> bool:
        sample = self.done.get(_slot(job))
        return sample is None or sample.reason == error.sentence

    def _measure_until_done(self) -> None:
        while job := self._next():
            if not self._lost(job):
                self._tell(Event("start", job.cell.id, "", job.probe.name, job.round))
            sample, kind = self._measure(job)
            if self.stopped and sample.status != Status.OK:
                return  # ended by the interrupt, not by itself
            try:
                self.context.store.save(sample)
            except OSError as error:
                what = f"results cannot be saved: {error.strerror}; what was saved before is kept"
                self._stop(NotMeasuredError(f"{what}: make room, then run the same command again"))
                return
            except Exception as error:  # noqa: BLE001 - raised again by ``work``: a result must not get lost unseen
                self._stop(error)
                return
            with self.changed:
                self.done[_slot(job)] = sample
                self._note_failure(job, sample)
            self._report_outages()
            self._tell(Event(kind, job.cell.id, sample.reason, job.probe.name, job.round, sample.status, sample.wall_s))

    def _next(self) -> Job | None:
        """The next job that may run; waits for one. None when all have been taken."""
        with self.changed:
            while not self.stopped:
                self.pending = [job for job in self.pending if _pair(job) not in self.given_up]
                if not self.pending:
                    return None
                for job in self.pending:
                    if (job.executor, job.environment) in self.ready and not (job.probe.timed and self.unready):
                        self.pending.remove(job)
                        return job
                self.changed.wait(1.0)
            return None

    def _note_failure(self, job: Job, sample: Sample) -> None:
        if sample.status != Status.OK:
            self.given_up.add(_pair(job))

    def results(self) -> list[Sample]:
        return [self.done[_slot(job)] for job in self.jobs if _slot(job) in self.done]

    # -- one process ---------------------------------------------------------------------------------------

    def _measure(self, job: Job) -> tuple[Sample, str]:
        """Run one process. Returns its sample, and the kind of its event.

        The only place where an exception becomes a status.
        """
        started = datetime.now(UTC).isoformat(timespec="seconds")
        quiet = self.unready == 0 and self.context.jobs == 1 and not self.context.apart
        prepared: Prepared | None = None
        outcome: Outcome | None = None
        answer = payload.Answer(status="")
        kind = "done"
        try:
            prepared = self._prepared(job)
            ending, outcome = self._executed(job, prepared)
            status, reason, answer = ending.status, ending.reason, ending.answer
            log = outcome.log or answer.traceback
        except OutageError as error:
            status, reason, log = error.status, error.sentence, self.context.outages.log(error)
            kind = "lost"
        except CellError as error:
            status, reason, log = error.status, str(error), error.log
        except Exception as error:  # noqa: BLE001 - one broken cell never stops the others
            fault = internal(error)
            status, reason, log = fault.status, str(fault), fault.log
        sample = Sample(
            cell=job.cell,
            environment_id=job.environment.id,
            probe=job.probe.name,
            settings=dict(job.probe.settings),
            round=job.round,
            seed=job.seed,
            executor=job.executor,
            status=status,
            reason=" ".join(reason.split()),
            metrics=(*answer.metrics, *outside(outcome)) if status == Status.OK else tuple(answer.metrics),
            facts=answer.facts,
            fingerprint=fingerprint(job, self.context, answer.facts),
            details=answer.details,
            packages=dict(prepared.packages or {}) if prepared else {},
            lock_hash=prepared.lock_hash if prepared else "",
            notes=notes(prepared, self.context.data.get(job.probe.name)),
            quiet=quiet and self.unready == 0,
            exit_code=outcome.exit_code if outcome else None,
            log="" if status == Status.OK else "\n".join(part for part in (log, answer.traceback) if part),
            wall_s=outcome.wall_s if outcome else 0.0,
            started=started,
            key=self.keys[_slot(job)],
        )
        return sample, kind

    @contextmanager
    def _turn(self, *, alone: bool) -> Iterator[None]:
        """Take turns with other runs on this machine.

        The first wait is reported, with the run that it is for.
        """

        def waiting(who: str) -> None:
            with self.changed:
                first, self.waited = not self.waited, True
            if first:
                self._tell(Event("note", text=f"taking turns with {who}, so that neither disturbs the other's timings"))

        def check() -> None:
            if self.stopped:
                raise UnavailableError("the run was stopped before this cell ended")

        with turns.taken(alone=alone, waiting=waiting, check=check):
            yield

    def _lost(self, job: Job) -> OutageError | None:
        """The outage that keeps a process from being started."""
        answer = self.ready[job.executor, job.environment]
        return answer if isinstance(answer, OutageError) else self.context.outages.running(job.executor)

    def _prepared(self, job: Job) -> Prepared:
        answer = self.ready[job.executor, job.environment]
        if isinstance(answer, CellError):
            raise answer
        if out := self._lost(job):
            raise out
        return answer

    def _executed(self, job: Job, prepared: Prepared) -> tuple[payload.Ending, Outcome]:
        """Run the process, a second time where the engine was away for a moment.

        Raises the outage that stands for one that stopped it.
        """
        try:
            with self._turn(alone=job.probe.timed and self.context.jobs == 1):
                return outage.patiently(lambda: self._execute(job, prepared))
        except (OutageError, OSError) as error:
            out = error if isinstance(error, OutageError) else internal(error)
            raise self._noted(job.executor, out, running=True) from error

    def _execute(self, job: Job, prepared: Prepared) -> tuple[payload.Ending, Outcome]:
        executor = self.context.executors[job.executor]
        data = self.context.data.get(job.probe.name)
        io = scratch.make("io")
        kept = False
        try:
            payload.stage(io, job, data, executor.data_path(data.path) if data else "")
            outcome = executor.execute(
                Launch(
                    cell=job.cell,
                    prepared=prepared,
                    io=io,
                    data=data.path if data else None,
                    environment=self.context.variants.get(job.cell.variant, {}),
                    limits=job.probe.limits,
                    network=scripts.network(job.probe),
                    cut_off=job.probe.name == scripts.PROBE,
                    keep=(lambda outcome: failed(io, outcome)) if self.context.keep_failed else None,
                )
            )
            if outcome.kept:
                kept = True
                self._tell(Event("kept", job.cell.id, outcome.kept, job.probe.name, job.round))
            try:
                return exchange.taken(payload.ending(io, outcome), io, job, self.context), outcome
            except BadOutputError as error:
                raise BadOutputError(str(error), outcome.log) from None
        finally:
            scratch.keep(io) if kept else scratch.remove(io)


def _slot(job: Job) -> _Slot:
    """What distinguishes the jobs of one call."""
    return (job.executor, job.cell, job.probe.name, job.round)


def _pair(job: Job) -> tuple[Any, ...]:
    return (job.executor, job.cell, job.probe.name)
