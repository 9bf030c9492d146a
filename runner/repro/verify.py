"""Runs the scripts of defects in fresh cells: ``runner defects --verify``.

A script must show its defect in the newest bad cell and must not in the nearest good one. Where backends disagree, or
drawn numbers changed, the script runs on both sides and must give different numbers.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runner.defects import Defect, cells, plain, suite
from runner.errors import CellError
from runner.executors import Executor, Prepared, Say
from runner.machine import facts
from runner.matrix import selection
from runner.matrix.plan import Target
from runner.measure import places, turns, workspace
from runner.measure.places import Place
from runner.model import Cell, Outcome, Status
from runner.repro import script
from runner.repro.script import Ran
from runner.util import files, folders, jsontext, scratch

CONFIRMED, NOT_CONFIRMED, NOT_RUN = "confirmed", "not confirmed", "could not be run"

TIMEOUT_S = 300.0
"""How long a script may run in its own process."""
FORK_S = 60.0
"""How long it may run in a fork."""

_BACKEND = re.compile(r'(os\.environ\["KERAS_BACKEND"\] = )"\w+"')
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\binf\b|\bnan\b)")
_CLOSE = 1e-3
"""Relative difference below which printed numbers agree."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is run for one defect."""

    number: int
    """The place in the list, from 1."""
    defect: Defect
    bad: Cell
    other: Cell | None
    """The nearest good cell, or one of another side; None: there is none."""
    differ: bool = False
    """The two must give different numbers; neither is wrong by itself."""

    def script(self, cell: Cell) -> str:
        """The script for a cell: the same but for the backend."""
        return _BACKEND.sub(rf'\1"{cell.framework}"', self.defect.script)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a defect was confirmed, and why not."""

    number: int
    title: str
    verdict: str
    why: str = ""
    key: str = ""
    """The defect's (``Defect.key``)."""


def trials(found: Sequence[Defect], by_id: Mapping[str, Cell]) -> Iterator[Trial]:
    """What to run for each defect."""
    for number, defect in enumerate(found, 1):
        bad = [by_id[cell] for cell in defect.cells if cell in by_id]
        good = [by_id[cell] for cell in defect.good if cell in by_id]
        if not bad:
            continue
        backend = _BACKEND.search(defect.script)
        own = [cell for cell in bad if backend and f'"{cell.framework}"' in backend[0]] or bad
        newest = _seen(defect, own) or max(own, key=_age)
        if defect.sides:
            others = [c for c in bad if c.keras == newest.keras and _side(c) != _side(newest)]
            other = next((c for c in others if _party(defect, c) != _party(defect, newest)), None)
            yield Trial(number, defect, newest, other, differ=True)
        else:
            changed = "changed" in defect.kind
            yield Trial(number, defect, newest, _nearest(newest, good), differ=changed)


_SEEN = re.compile(r"Seen with (\S+) (\S+), keras ([\w.+-]+)(?=,)")
_PHASES = ", then "
"""What a title has between two ways in which a case is wrong, in releases that follow each other."""


def _seen(defect: Defect, bad: Iterable[Cell]) -> Cell | None:
    """The cell that a script of one phase of several is about."""
    found = _SEEN.search(defect.script) if _PHASES in defect.title else None
    return next((c for c in bad if found and (c.framework, c.version, c.keras) == found.groups()), None)


def _age(cell: Cell) -> tuple[object, ...]:
    return (not cell.variant, cells.version_key(cell.keras), cells.version_key(cell.version))


def _side(cell: Cell) -> str:
    return cell.framework + (f" ({cell.variant})" if cell.variant else "")


def _party(defect: Defect, cell: Cell) -> str:
    return next((side for side in defect.sides if _side(cell) in side.partition(": ")[0].split(", ")), "")


def _nearest(bad: Cell, good: Iterable[Cell]) -> Cell | None:
    """The nearest good cell on the line of the bad one, a later one first.

    It differs in Keras, or in the framework's version.
    """
    alike = [c for c in good if (c.framework, c.device, c.variant) == (bad.framework, bad.device, bad.variant)]
    own = [c for c in alike if c.version == bad.version] or alike
    later = [c for c in own if _age(c) > _age(bad)]
    earlier = [c for c in own if _age(c) < _age(bad)]
    return min(later, key=_age) if later else max(earlier, key=_age) if earlier else None


def judged(trial: Trial, ran: Ran, other: Ran | None) -> Verified:
    """What the runs in the bad cell and in the other one say."""

    def verdict(name: str, why: str = "") -> Verified:
        return Verified(trial.number, trial.defect.title, name, why, trial.defect.key)

    for one in (ran, *([other] if other else [])):
        if not one.status.about_cell or one.status in (Status.TIMEOUT, Status.OOM):
            return verdict(NOT_RUN, f"{one.cell}: {one.reason}")
        if missing := re.search(r"No module named '(?!keras)[^']+'|\bLacking: .*", one.output):
            return verdict(NOT_RUN, f"{one.cell}: {missing[0]}")
    if trial.differ:
        if other is None:
            return verdict(NOT_RUN, "no cell of another side")
        if ran.exit_code or other.exit_code:
            return verdict(NOT_CONFIRMED, f"the script fails: {(ran if ran.exit_code else other).reason}")
        differ = not _agree(ran.output, other.output)
        return verdict(CONFIRMED if differ else NOT_CONFIRMED, "" if differ else "both sides give the same numbers")
    if plain.UNDECIDED in trial.defect.script:
        return verdict(NOT_RUN, "the values kept in the results do not tell right from wrong")
    if not shows(trial.defect, ran):
        return verdict(NOT_CONFIRMED, f"not in {ran.cell}: {ran.reason or 'the script ends well'}")
    if other is not None and other.exit_code != 0:
        return verdict(NOT_CONFIRMED, f"in {other.cell} too: {other.reason}")
    return verdict(CONFIRMED, "" if other else "no good cell to compare with")


def shows(defect: Defect, ran: Ran) -> bool:
    """Whether a run shows the defect.

    It dies, raises the exception, or finds another value than expected.
    """
    if ran.exit_code == 0:
        return False
    if defect.kind.startswith("kills"):
        return ran.status is Status.CRASHED and "Traceback" not in ran.output[-2000:]
    if defect.kind.startswith(("raises", "refuses", "does not import")):
        raised = re.search(r"(\w+(?:Error|Exception|Warning)):", defect.observed) or _RAISED.search(defect.observed)
        if "defect:" in ran.output or "Broken: " in ran.output or raised is None or raised[1] in ran.output:
            return True
        return ": " in defect.op and _deep(ran.output)  # a model wraps what a layer raises
    return "defect:" in ran.output or "Broken: " in ran.output


_RAISED = re.compile(r"(\w+):")


def _deep(output: str) -> bool:
    """Whether an exception comes from within Keras or a framework.

    The other case is a line of the script itself.
    """
    places = re.findall(r'^\s*File "([^"]+)", line \d+', output, re.MULTILINE)
    return bool(places) and not re.search(r"defect_\d+\.py$|^<", places[-1])


def _agree(one: str, other: str) -> bool:
    """Whether two outputs have the same words and numbers, but for rounding."""
    a, b = ([float(found) for found in _NUMBER.findall(text)] for text in (one, other))
    if len(a) != len(b):
        return False
    size = max((abs(v) for v in (*a, *b) if v - v == 0), default=0.0)
    return all(x == y or (x != x and y != y) or abs(x - y) <= _CLOSE * size for x, y in zip(a, b, strict=True))


# --- running ----------------------------------------------------------------------------------------------------------

Runs = Mapping[tuple[int, str], Ran]
"""Number of the trial and id of the cell -> how the script went."""


def verify(
    found: Sequence[Defect],
    by_id: Mapping[str, Cell],
    executor: str,
    say: Say,
    environments: Mapping[str, str] | None = None,
) -> list[Verified]:
    """Run all scripts, cell by cell.

    Each runs in the packages in which its cell was measured. ``say`` gets a line of progress at a time;
    ``environments``: cell id -> id of its environment. Raises UsageError.
    """
    due = [trial for trial in trials(found, by_id) if _has_script(trial.defect)]
    measured = [trial.number for trial in trials(found, by_id) if trial not in due]
    ran = run(due, executor, say, environments)
    told = [judged(t, ran[t.number, t.bad.id], ran[t.number, t.other.id] if t.other else None) for t in due]
    told += [Verified(n, found[n - 1].title, NOT_RUN, _again(found[n - 1]), found[n - 1].key) for n in measured]
    return sorted(told, key=lambda one: one.number)


def _again(defect: Defect) -> str:
    """Why no script is run, and what shows the defect again."""
    if defect.op.startswith(f"{suite.PROBE}: "):
        return "a test of your library: `runner matrix --pytest` runs it again"
    return "a probe measures it again, no script"


def _has_script(defect: Defect) -> bool:
    """Whether a script shows the defect in a cell alone.

    A test of a user's library needs that library.
    """
    return "-m', 'runner'" not in defect.script and not defect.op.startswith(f"{suite.PROBE}: ")


def run(
    due: Sequence[Trial], executor: str, say: Say, environments: Mapping[str, str] | None = None
) -> dict[tuple[int, str], Ran]:
    """Run the scripts, in several cells at a time.

    A cell's scripts run in forks of one process, and again in their own processes where they do not end as the
    defect says. What ran before with the same script and packages is not run again.
    """
    by_cell: dict[Cell, list[Trial]] = defaultdict(list)
    for trial in due:
        for cell in (trial.bad, trial.other):
            if cell is not None:
                by_cell[cell].append(trial)
    measured = environments or {}
    targets = [Target(cell, selection.custom_of(cell, measured.get(cell.id, ""))) for cell in by_cell]
    here, elsewhere = places.placed(targets, executor, installing=False)
    ran: dict[tuple[int, str], Ran] = {}
    for target, reason in elsewhere:
        for trial in by_cell[target.cell]:
            ran[trial.number, target.cell.id] = Ran(target.cell.id, Status.UNAVAILABLE, None, str(reason), "")

    def one(place: Place) -> dict[tuple[int, str], Ran]:
        say(f"{place.cell.id}: {len(by_cell[place.cell])} scripts on {place.executor}")
        return dict(_in_cell(place, by_cell[place.cell], opened.executors[place.executor], say))

    with workspace.open(None) as opened, ThreadPoolExecutor(max(1, min(len(here), facts.here().cores))) as pool:
        for found in pool.map(one, here):
            ran.update(found)
    return ran


def _in_cell(place: Place, due: Sequence[Trial], executor: Executor, say: Say) -> Iterator[tuple[tuple[int, str], Ran]]:
    try:
        prepared = turns.together(executor.prepare, place.environment, lambda text: say(f"{place.cell.id}: {text}"))
    except CellError as error:
        for trial in due:
            yield (trial.number, place.cell.id), Ran(place.cell.id, error.status, None, str(error), error.log)
        return
    with scratch.folder("verify") as folder:
        works: dict[int, script.Script] = {}
        for trial in due:
            path = folder / f"defect_{trial.number:04}.py"
            files.write(path, trial.script(place.cell))
            works[trial.number] = script.Script(
                path, limits=places.limits(TIMEOUT_S, None, 2.0), variables=selection.variables(place.cell)
            )
        kept = {number: _kept(_file(work, place, prepared)) for number, work in works.items()}
        new = [trial for trial in due if kept[trial.number] is None]
        forked = _forked([works[trial.number] for trial in new], place, prepared, executor)
        for trial in due:
            work = works[trial.number]
            ran = kept[trial.number] or forked.get(work.path.name)
            if ran is None or (kept[trial.number] is None and not _expected(trial, place.cell, ran)):
                ran = _alone(work, place, prepared, executor)
            if kept[trial.number] is None and ran.status.about_cell:
                _keep(_file(work, place, prepared), ran)
            yield (trial.number, place.cell.id), ran


def _expected(trial: Trial, cell: Cell, ran: Ran) -> bool:
    """Whether a run ends as the defect says for this cell.

    What does not is run again, in its own process.
    """
    if trial.differ or cell != trial.bad:
        return ran.exit_code == 0
    return shows(trial.defect, ran)


def _forked(works: Sequence[script.Script], place: Place, prepared: Prepared, executor: Executor) -> dict[str, Ran]:
    """How the scripts end in forks of one process, by their names.

    Those that it did not run are missing.
    """
    if len(works) < 2:
        return {}
    limits = replace(works[0].limits, timeout_s=60.0 + FORK_S * len(works))
    modules = ",".join(("numpy", place.cell.framework, "h5py", "optree"))
    with scratch.folder("forks") as folder:
        for work in works:
            files.write(folder / work.path.name, work.path.read_text("utf-8"))
        many = script.Script(
            Path(__file__).parent / "in_cell" / "forks.py", (modules, str(FORK_S), "scripts"), ((folder, "scripts"),),
            limits=limits, variables=works[0].variables,
        )  # fmt: skip
        try:
            ran = turns.together(script.run, many, place.cell, prepared, executor)
        except CellError:
            return {}
    found: dict[str, Ran] = {}
    for line in ran.output.splitlines():
        if line.startswith('{"name": '):
            with suppress(ValueError, KeyError):
                one = json.loads(line)
                outcome = Outcome(
                    one["exit_code"], one["signal"], False, one["timed_out"], one["wall_s"], one["output"]
                )
                found[one["name"]] = script.ended(place.cell.id, outcome, works[0], prepared)
    return found


def _alone(work: script.Script, place: Place, prepared: Prepared, executor: Executor) -> Ran:
    """How a script ends in its own process."""
    try:
        return turns.together(script.run, work, place.cell, prepared, executor)
    except CellError as error:
        return Ran(place.cell.id, error.status, None, str(error), error.log)


def _file(work: script.Script, place: Place, prepared: Prepared) -> Path:
    """Where the run of this script in this environment is kept."""
    key = files.digest([work.path.read_text("utf-8"), place.cell.id, place.executor, prepared.lock_hash])
    return folders.cache_dir() / "verified" / f"{key[:32]}.json"


def _kept(path: Path) -> Ran | None:
    try:
        found = json.loads(path.read_text("utf-8"))
        return Ran(found["cell"], Status(found["status"]), found["exit_code"], found["reason"], found["output"])
    except (OSError, ValueError, KeyError):
        return None


def _keep(path: Path, ran: Ran) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, jsontext.dumps(asdict(replace(ran, packages=None))).encode())


def dumps(told: Sequence[Verified]) -> str:
    """The verdicts as a JSON object, by the defects' keys, for ``--verified``."""
    return jsontext.dumps({one.key: [one.verdict, one.why] for one in sorted(told, key=lambda one: one.key)}) + "\n"


def exit_code(told: Sequence[Verified]) -> int:
    """0: all are confirmed; 1: one is not; 3: something could not be run."""
    verdicts = {one.verdict for one in told}
    return 1 if NOT_CONFIRMED in verdicts else 3 if NOT_RUN in verdicts else 0


def lines(told: Sequence[Verified]) -> Iterator[str]:
    """A line per defect, and the counts."""
    for one in told:
        yield f"{one.number:3}  {one.verdict}{f' ({one.why})' if one.why else ''}: {one.title}"
    counts = {name: sum(one.verdict == name for one in told) for name in (CONFIRMED, NOT_CONFIRMED, NOT_RUN)}
    yield ", ".join(f"{count} {name}" for name, count in counts.items())
