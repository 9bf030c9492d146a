"""bench/faults: each judgement can fail. The worlds are made up, no process is started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from index import Index
from judged import BROKEN_TEXT, Ended, Expected, Judged, Saved, World, judge, judge_stopped

ONE, TWO = "tiny-1.0_native_py3.11_cpu pace #0", "tiny-1.1_native_py3.11_cpu pace #0"
EXPECTED = Expected({ONE: "ok", TWO: "ok"})
FIRST = Saved("results/a/pace/000-1.json", ONE, "ok", (1, "a"))
SECOND = Saved("results/b/pace/000-2.json", TWO, "ok", (2, "b"))
KILLED, FINE = Ended(-9), Ended(0)


def world(*saved: Saved) -> World:
    return World({one.path: one for one in saved})


AT_FAULT, AFTER = world(FIRST), world(FIRST, SECOND)


def judged(after: World = AFTER, at_fault: World = AT_FAULT, disturbed: Ended = KILLED, again: Ended = FINE) -> Judged:
    return judge(EXPECTED, at_fault, disturbed, after, again)


def test_a_run_that_goes_on_where_it_was_is_fine() -> None:
    assert judged().fine
    assert judged(at_fault=World()).fine


def test_a_result_that_is_gone_is_lost() -> None:
    found = judged(world(SECOND))
    assert found.lost == (FIRST.path,)
    assert not found.repeated
    assert found.wrong == (f"{ONE}: no result after the next run",)


def test_a_result_that_cannot_be_read_any_more_is_lost() -> None:
    assert judged(world(replace(FIRST, job="", status=""), SECOND)).lost == (FIRST.path,)


def test_half_a_result_at_the_fault_is_not_lost() -> None:
    half = replace(FIRST, path="results/a/pace/000-0.json", job="", status="")
    assert judged(at_fault=world(half)).fine


@pytest.mark.parametrize("identity", [(9, "a"), (1, "other")])
def test_a_result_that_another_process_replaced_is_repeated(identity: tuple[int, str]) -> None:
    found = judged(world(replace(FIRST, identity=identity), SECOND))
    assert found.repeated == (ONE,)
    assert not found.lost


def test_a_second_result_of_the_same_job_is_repeated() -> None:
    again = replace(FIRST, path="results/a/pace/000-3.json", identity=(3, "c"))
    assert judged(world(FIRST, again, SECOND)).repeated == (ONE,)


def test_what_no_version_did_may_be_measured_again() -> None:
    away = replace(FIRST, status="unavailable")
    assert judged(at_fault=world(away)).fine


SOMETHING = ("something",)


@pytest.mark.parametrize(
    "after",
    [
        replace(AFTER, containers=SOMETHING),
        replace(AFTER, processes=SOMETHING),
        replace(AFTER, folders=SOMETHING),
        replace(AFTER, parts=SOMETHING),
        replace(AFTER, locks=SOMETHING),
    ],
)
def test_whatever_is_left_is_an_orphan(after: World) -> None:
    found = judged(after)
    assert len(found.orphans) == 1
    assert found.orphans[0].endswith(" something")
    assert not found.fine


@pytest.mark.parametrize("status", ["crashed", "oom", "timeout", "bad-output"])
def test_a_status_that_blames_a_version_is_wrong(status: str) -> None:
    blaming = replace(FIRST, status=status)
    assert f"{ONE}: {status} is stored" in judged(at_fault=world(blaming), after=world(blaming, SECOND)).wrong


def test_a_status_that_a_quiet_run_has_too_is_not_wrong() -> None:
    crashed = replace(FIRST, status="crashed")
    expected = Expected({ONE: "crashed"}, code=1)
    assert judge(expected, world(crashed), KILLED, world(crashed), Ended(1)).fine


@pytest.mark.parametrize("code", [1, 2, 3, 4, 130, -9, None])
def test_a_next_run_that_fails_is_wrong(code: int | None) -> None:
    assert len(judged(again=Ended(code, "why\n")).wrong) == 1


def test_an_exit_code_that_blames_the_cells_is_wrong() -> None:
    found = judge(replace(EXPECTED, codes_at_fault=(0, 3)), AT_FAULT, Ended(1, "worse"), AFTER, FINE)
    assert found.wrong == ("the disturbed run ended with 1: worse",)


@pytest.mark.parametrize("text", BROKEN_TEXT)
def test_a_traceback_is_wrong_in_either_run(text: str) -> None:
    assert judged(disturbed=Ended(-9, text)).wrong
    assert judged(again=Ended(0, text)).wrong


def test_a_run_that_was_asked_to_stop_leaves_nothing_and_is_quick() -> None:
    expected = replace(EXPECTED, codes_at_fault=(130,))
    assert judge_stopped(expected, AT_FAULT, Ended(130, seconds=1), most_s=5).fine
    assert judge_stopped(expected, replace(AT_FAULT, processes=("p",)), Ended(130), most_s=5).orphans == ("process p",)
    assert judge_stopped(expected, AT_FAULT, Ended(130, seconds=9), most_s=5).wrong == ("the run took 9 s to stop",)
    assert judge_stopped(expected, AT_FAULT, Ended(1), most_s=5).wrong
    assert judge_stopped(expected, world(replace(FIRST, status="crashed")), Ended(130), most_s=5).wrong


def test_findings_add_up_and_each_is_named_once() -> None:
    one, two = Judged(lost=("a",), wrong=("b",)), Judged(lost=("a", "c"), orphans=("d",))
    assert one + two == Judged(lost=("a", "c"), orphans=("d",), wrong=("b",))


def test_the_table_counts_tries_and_the_exit_code_follows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import suite
    from tries import Fault, Suite

    results = iter([Judged(), Judged(lost=("a", "b")), Judged(orphans=("c",), wrong=("d",))])
    fault = Fault("made-up", "for this test", lambda _suite, _draw: next(results), 3, 3, engine=False)
    other = replace(fault, name="impossible", obstacle=lambda: "there is no such thing here")
    monkeypatch.setattr(suite, "FAULTS", (fault, other))
    monkeypatch.setattr(suite, "_open", lambda *_a, **_k: (Suite(tmp_path, tmp_path, Index(tmp_path)), ""))
    monkeypatch.setattr("sys.argv", ["suite.py", "--json", str(tmp_path / "rows.json")])
    assert suite.main() == 1
    row = suite.Row("made-up", 3, 1, 1, 0, 1, 2.0)
    assert suite.table([row]).splitlines()[-1] == "| made-up | 3 | 1 | 1 | 0 | 1 | 2 |"
    assert '"lost": 1' in (tmp_path / "rows.json").read_text()
    assert "there is no such thing here" in (tmp_path / "rows.json").read_text()


def test_an_error_of_a_try_counts(tmp_path: Path) -> None:
    import random

    import suite
    from tries import Fault, Suite

    def fails(_suite: Suite, _draw: random.Random) -> Judged:
        raise ValueError("a hole in the suite")

    row = suite.Row("made-up")
    suite.attempt(Fault("made-up", "", fails, 1, 1), Suite(tmp_path, tmp_path, Index(tmp_path)), row, 0, seed=1)
    assert (row.tries, row.wrong) == (1, 1)


def test_one_of_each_comes_before_a_second_of_any() -> None:
    import suite
    from tries import Fault

    one, two = (Fault(name, "", lambda _suite, _draw: Judged(), 1, 1) for name in ("one", "two"))
    wanted = {one: 1, two: 2}
    assert [(fault.name, n) for fault, n in suite.schedule(wanted, breadth=True)] == [
        ("one", 0),
        ("two", 0),
        ("two", 1),
    ]
    assert [n for _, n in suite.schedule({two: 2, one: 1}, breadth=False)] == [0, 1, 0]


def test_a_search_that_takes_trouble_for_an_answer_is_wrong() -> None:
    import bisects

    answers = "tiny 1.0: good\ntiny 1.8: bad\n"
    marks = f"{answers}runner: tiny 1.4 could not be tested\n"
    done = Ended(0, "tiny 1.4: bad\ntiny 1.3: good\n1.4 is the first bad one\n")
    assert bisects.judge_search(Ended(3, marks), done, (0, 3)).fine
    assert bisects.judge_search(Ended(3, f"{marks}tiny 1.3: skip (no network)\n"), done, (0, 3)).wrong
    assert bisects.judge_search(Ended(2, marks), done, (0, 3)).wrong
    assert bisects.judge_search(Ended(3, marks), Ended(3, "the change may be in any of 1.3, 1.4"), (0, 3)).wrong
    assert bisects.judge_search(Ended(3, marks), Ended(0, f"{marks}1.4 is it"), (0, 3)).repeated == (
        "tiny 1.0",
        "tiny 1.8",
    )
    assert bisects.judge_search(Ended(3, answers), done, (0, 3)).wrong
    assert bisects.judge_search(Ended(3, f"{marks}runner: once more\n"), done, (0, 3)).wrong
    assert bisects.judge_search(Ended(3, f"{marks}{BROKEN_TEXT[0]}\n"), done, (0, 3)).wrong


def test_a_search_that_stores_what_it_did_not_test_is_wrong() -> None:
    import bisects

    marks = "tiny 1.0: good\nrunner: tiny 1.8 could not be tested\n"
    done = Ended(0, "tiny 1.8: bad\ntiny 1.4: bad\ntiny 1.3: good\n1.4 is the first bad one\n")
    assert bisects.judge_search(Ended(3, marks), done, (3,), {"1.0": "good"}).fine
    assert bisects.judge_search(Ended(3, marks), done, (3,), {"1.0": "bad"}).wrong
    assert bisects.judge_search(Ended(3, marks), done, (3,), {"1.0": "good", "1.2": "good"}).wrong


def test_the_answers_on_disk_are_read(tmp_path: Path) -> None:
    import bisects

    (tmp_path / "tiny-1.json").write_text('{"answers": {"1.0": {"mark": "good"}, "1.8": {"mark": "bad"}}}')
    assert bisects.answers(tmp_path) == {"1.0": "good", "1.8": "bad"}


def test_a_disk_that_lacks_what_was_printed_has_lost_it() -> None:
    import power_loss

    half = replace(SECOND, job="", status="")
    assert power_loss.on_copy({FIRST.path: FIRST}, [ONE]).fine
    assert power_loss.on_copy({FIRST.path: FIRST}, [ONE, TWO]).lost
    assert power_loss.on_copy({FIRST.path: FIRST, half.path: half}, [ONE]).wrong


def test_what_a_run_printed_as_done_is_read() -> None:
    import two_runs

    shown = "prepare  tiny-1.0_native_py3.11_cpu\npace #2  tiny-1.0_native_py3.11_cpu (0.2 s) ok\n"
    assert two_runs.measured_jobs(f"{shown}pace     tiny-1.0_native_py3.11_cpu (1.0 s) ok\n") == [
        "tiny-1.0_native_py3.11_cpu pace #1",
        ONE,
    ]


def test_spans_that_share_a_moment_overlap() -> None:
    import two_runs

    assert two_runs.overlaps([(0.0, 1.0), (2.0, 3.0)], [(1.0, 2.0), (3.5, 4.0)]) == 0
    assert two_runs.overlaps([(0.0, 1.0)], [(0.9, 2.0), (0.1, 0.2)]) == 2


def test_a_report_that_changes_without_naming_the_file_is_wrong() -> None:
    import broken_files

    path = Path("results/a/pace/000-1.json")
    assert broken_files.judge_report("same", Ended(0, "same"), path, "a cut") == ()
    assert broken_files.judge_report("same", Ended(3, f"less\n{path}: cut off"), path, "a cut") == ()
    assert broken_files.judge_report("same", Ended(0, "other"), path, "a cut")
    assert broken_files.judge_report("same", Ended(None, ""), path, "a cut")
    assert broken_files.judge_report("same", Ended(1, f"{path.name} Traceback"), path, "a cut")


def test_result_files_are_whole_or_not(tmp_path: Path) -> None:
    import os

    import world as real

    folder = tmp_path / "results" / "tiny-1.0_native_py3.11_cpu" / "pace"
    folder.mkdir(parents=True)
    (folder / "000-a.json").write_text('{"probe": "pace", "round": 0, "status": "ok"}')
    (folder / "001-b.json").write_text('{"probe": "pace", "rou')
    os.mkfifo(folder / "002-c.json")
    found = {Path(path).name: saved for path, saved in real.results(tmp_path).items()}
    assert (found["000-a.json"].job, found["000-a.json"].status) == (ONE, "ok")
    assert [name for name, saved in found.items() if not saved.whole] == ["001-b.json", "002-c.json"]


def test_half_written_files_and_held_locks_are_seen(tmp_path: Path) -> None:
    import fcntl

    import world as real

    (tmp_path / "cache" / "x.part").mkdir(parents=True)
    (tmp_path / "cache" / "a.lock").touch()
    with (tmp_path / "cache" / "b.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert real.parts(tmp_path) == ["cache/x.part"]
        assert real.locks(tmp_path) == ["cache/b.lock"]
    assert real.locks(tmp_path) == []
