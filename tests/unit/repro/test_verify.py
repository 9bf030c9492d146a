"""Which runs confirm a defect, and what runs are needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.defects import plain
from runner.defects.defect import Defect
from runner.executors import Launch
from runner.model import Cell, Outcome, Status
from runner.repro import verify
from runner.repro.script import Ran
from runner.repro.verify import CONFIRMED, NOT_CONFIRMED, NOT_RUN, Trial, Verified

CELLS = {
    cell.id: cell
    for cell in (
        *(Cell("torch", "1.0", keras, "3.11", "cpu") for keras in ("3.5.0", "3.8.0", "3.9.2", "3.10.0", "3.12.4")),
        Cell("jax", "1.0", "3.9.2", "3.11", "cpu"),
        Cell("torch", "1.0", "3.10.0", "3.11", "cpu", "odd"),
    )
}
SCRIPT = 'import os\n\nos.environ["KERAS_BACKEND"] = "torch"\n'


def name(keras: str, framework: str = "torch", variant: str = "") -> str:
    return Cell(framework, "1.0", keras, "3.11", "cpu", variant).id


def defect(kind: str = "wrong value", **more: Any) -> Defect:
    fields: dict[str, Any] = {
        "op": "ops.f", "kind": kind, "severity": 8, "title": "ops.f: wrong", "where": "", "axis": "",
        "cells": (name("3.8.0"), name("3.9.2")), "good": (name("3.5.0"), name("3.12.4"), name("3.10.0", variant="odd")),
        "last_good": None, "first_bad": None, "first_good": None, "pattern": "", "cases": ("c",),
        "observed": "TypeError: no", "script": SCRIPT, **more,
    }  # fmt: skip
    return Defect(**fields)


def ran(cell: str, code: int | None, output: str = "", status: Status | None = None) -> Ran:
    status = status or (Status.CRASHED if code else Status.OK)
    return Ran(cell, status, code, f"exit code {code}" if code else "", output)


def trial(found: Defect) -> Trial:
    (one,) = verify.trials([found], CELLS)
    return one


def test_a_script_runs_in_the_newest_bad_and_the_nearest_good_cell_of_its_line() -> None:
    one = trial(defect())
    assert (one.bad.id, one.other and one.other.id) == (name("3.9.2"), name("3.12.4"))
    one = trial(defect(good=(name("3.5.0"), name("3.9.2", "jax"))))
    assert one.other is not None
    assert one.other.id == name("3.5.0"), "a later one first, else the nearest earlier one"
    assert trial(defect(good=(name("3.9.2", "jax"), name("3.10.0", variant="odd")))).other is None


def test_a_script_of_one_of_several_phases_runs_in_the_cell_in_which_it_was_seen() -> None:
    script = f'"""x. Seen with torch 1.0, keras 3.8.0, Python 3.11, cpu."""\n{SCRIPT}'
    one = trial(defect(title="ops.f: raises with keras 3.8.0, then wrong with keras 3.9.2", script=script))
    assert one.bad.id == name("3.8.0")
    assert trial(defect(script=script)).bad.id == name("3.9.2")


def test_where_backends_disagree_it_runs_on_both_sides() -> None:
    sides = ("jax: [1.0]", "torch: [2.0]")
    one = trial(defect("backends disagree", cells=(name("3.9.2", "jax"), name("3.9.2")), sides=sides))
    assert one.differ
    assert {one.bad.framework, one.other.framework if one.other else ""} == {"jax", "torch"}
    assert '"jax"' in one.script(CELLS[name("3.9.2", "jax")])


BAD, GOOD = name("3.9.2"), name("3.12.4")


@pytest.mark.parametrize(
    ("found", "bad", "good", "verdict"),
    [
        (defect(), ran(BAD, 1, "defect: x"), ran(GOOD, 0), CONFIRMED),
        (defect(), ran(BAD, 0), ran(GOOD, 0), NOT_CONFIRMED),
        (defect(), ran(BAD, 1, "NameError: x"), ran(GOOD, 0), NOT_CONFIRMED),
        (defect(), ran(BAD, 1, "defect: x"), ran(GOOD, 1, "defect: x"), NOT_CONFIRMED),
        (defect(), ran(BAD, 1, "Broken: x"), None, CONFIRMED),
        (defect("raises"), ran(BAD, 1, "TypeError: no"), ran(GOOD, 0), CONFIRMED),
        (defect("raises"), ran(BAD, 1, "ValueError: no"), ran(GOOD, 0), NOT_CONFIRMED),
        (defect("raises"), ran(BAD, 1, "defect: the configuration changes"), ran(GOOD, 0), CONFIRMED),
        (defect("raises"), ran(BAD, 1, "Broken: the list"), ran(GOOD, 0), CONFIRMED),
        (defect("raises", op="model: f"), ran(BAD, 1, '  File "/x/keras/a.py", line 3, in f\nValueError: no'),
         ran(GOOD, 0), CONFIRMED),
        (defect("raises", op="model: f"), ran(BAD, 1, '  File "/script/defect_0003.py", line 3\nNameError: no'),
         ran(GOOD, 0), NOT_CONFIRMED),
        (defect("raises", observed="weights: TypeError: no"), ran(BAD, 1, "weights: 3"), ran(GOOD, 0), NOT_CONFIRMED),
        (defect("kills the process"), ran(BAD, None, "", Status.CRASHED), ran(GOOD, 0), CONFIRMED),
        (defect("kills the process"), ran(BAD, 1, "Traceback\nTypeError"), ran(GOOD, 0), NOT_CONFIRMED),
        (defect(), ran(BAD, None, "", Status.UNAVAILABLE), ran(GOOD, 0), NOT_RUN),
        (defect(), ran(BAD, None, "", Status.TIMEOUT), ran(GOOD, 0), NOT_RUN),
        (defect(), ran(BAD, 1, "No module named 'pandas'"), ran(GOOD, 0), NOT_RUN),
        (defect(), ran(BAD, 1, "Lacking: no keras.f"), ran(GOOD, 0), NOT_RUN),
        (defect(script=SCRIPT + plain.UNDECIDED), ran(BAD, 0), ran(GOOD, 0), NOT_RUN),
        (defect("changed between versions on every backend"), ran(BAD, 0, "[1.0]"), ran(GOOD, 0, "[2.0]"), CONFIRMED),
        (defect("changed between versions on every backend"), ran(BAD, 0, "[1.0]"), ran(GOOD, 0, "[1.0]"),
         NOT_CONFIRMED),
        (defect("changed between versions on every backend"), ran(BAD, 1, "[1.0]"), ran(GOOD, 0, "[2.0]"),
         NOT_CONFIRMED),
        (defect("draws changed"), ran(BAD, 0, "[1.0]"), None, NOT_RUN),
    ],
)  # fmt: skip
def test_a_defect_is_confirmed_where_the_bad_cell_shows_it_and_the_good_one_does_not(
    found: Defect, bad: Ran, good: Ran | None, verdict: str
) -> None:
    assert verify.judged(trial(found), bad, good).verdict == verdict


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("[1.0, 2.0]", "[1.0, 2.0001]", True),
        ("[1.0, 2.0]", "[1.0, 2.1]", False),
        ("[1.0]", "[1.0, 2.0]", False),
        ("nan 1", "nan 1", True),
        ("inf 1", "1 inf", False),
    ],
)
def test_outputs_agree_by_their_numbers(one: str, other: str, agree: bool) -> None:
    found = verify.judged(trial(defect("draws changed")), ran(BAD, 0, one), ran(GOOD, 0, other))
    assert (found.verdict == NOT_CONFIRMED) == agree


def test_the_exit_code_names_the_worst() -> None:
    def told(*verdicts: str) -> int:
        return verify.exit_code([Verified(1, "t", verdict) for verdict in verdicts])

    assert told(CONFIRMED) == told() == 0
    assert told(CONFIRMED, NOT_RUN) == 3
    assert told(NOT_CONFIRMED, NOT_RUN) == 1


def test_the_verdicts_are_kept_by_key() -> None:
    told = verify.judged(trial(defect()), ran(BAD, 0), None)
    assert json.loads(verify.dumps([told])) == {
        "ops.f | wrong value | c": [NOT_CONFIRMED, f"not in {BAD}: the script ends well"]
    }


def test_each_has_a_line_and_the_counts_come_last() -> None:
    *lines, total = verify.lines([Verified(3, "ops.f: wrong", NOT_CONFIRMED, "why"), Verified(4, "ops.g", CONFIRMED)])
    assert lines == ["  3  not confirmed (why): ops.f: wrong", "  4  confirmed: ops.g"]
    assert total == "1 confirmed, 1 not confirmed, 0 could not be run"


def test_a_test_of_a_library_has_no_script_that_shows_it_in_a_cell_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run(due: Any, *_: Any) -> dict[str, Any]:
        asked.extend(due)
        return {}

    monkeypatch.setattr(verify, "run", run)
    (told,) = verify.verify([defect(op="suite: tests/test_a.py::test_a")], CELLS, "auto", lambda _: None)
    assert (told.verdict, asked) == (NOT_RUN, [])
    assert told.why == "a test of your library: `runner matrix --pytest` runs it again"


class _Cells:
    """Answers for forks and for processes of their own, and keeps which scripts had one."""

    def __init__(self, fake: Any, forked: dict[str, int], alone: dict[str, int]) -> None:
        self._fake, self._forked, self._alone = fake, forked, alone
        self.started: list[str] = []

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._fake, attribute)

    def execute(self, launch: Launch) -> Outcome:
        name = Path(launch.argv[0]).name
        self.started.append(name)
        if name != "forks.py":
            return Outcome(self._alone[name], None, oom=False, timed_out=False, wall_s=1.0, log="defect: x")
        ended = [
            {"name": script, "exit_code": code, "signal": None, "timed_out": False, "wall_s": 1.0, "output": "defect:"}
            for script, code in self._forked.items()
        ]
        log = "a warning\n" + "\n".join(map(json.dumps, ended))
        return Outcome(0, None, oom=False, timed_out=False, wall_s=1.0, log=log)


def test_scripts_run_in_forks_and_again_by_themselves_where_those_do_not_say_what_the_defect_says(
    fake_executor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three, four = (f"defect_{number:04}.py" for number in (1, 2, 3, 4))
    cells = _Cells(fake_executor, {one: 1, two: 0, three: 0}, {two: 0, three: 1, four: 1})
    monkeypatch.setattr("runner.executors.make", lambda _name: cells)
    found = [defect(script=f"{SCRIPT}# {number}", good=()) for number in range(4)]
    told = verify.verify(found, CELLS, "docker", lambda _: None)
    assert [one.verdict for one in told] == [CONFIRMED, NOT_CONFIRMED, CONFIRMED, CONFIRMED]
    assert cells.started == ["forks.py", two, three, four], "the last one was not reached by the forks"
    verify.verify(found, CELLS, "docker", lambda _: None)
    assert len(cells.started) == 4, "what ran is kept"
