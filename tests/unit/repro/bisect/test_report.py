"""The report of a finished search."""

from __future__ import annotations

from dataclasses import replace

from runner.repro.bisect.question import Answer
from runner.repro.bisect.report import Finished, moved, report
from runner.repro.bisect.search import Found, Mark

OLD = Answer(Mark.GOOD, packages={"keras": "3.7.0", "numpy": "1.26.4", "scipy": "1.10"})
NEW = Answer(Mark.BAD, "exit code 1: a|b\nc", moved=["numpy 1.26.4 -> 2.0.0"],
             packages={"keras": "3.10.0", "numpy": "2.0.0", "scipy": "1.10"})  # fmt: skip
FINISHED = Finished(
    package="keras",
    end=Found("3.7.0", "3.10.0", ("3.8.0", "3.9.0")),
    find_fix=False,
    answers={"3.10.0": NEW, "3.7.0": OLD, "3.8.0": Answer(Mark.SKIP, "yanked"), "3.9.0": Answer(Mark.SKIP, "x" * 200)},
    points=("3.6.0", "3.7.0", "3.8.0", "3.9.0", "3.10.0", "3.11.0"),
    ran=3,
    python="3.11",
    cell="jax-0.5.0_keras-3.10.0_py3.11_cpu",
    executor="containers",
    dates={"3.10.0": "2025-05-19"},
    command=("runner", "bisect", "keras", "--stdout", "acc=0\\.9 .*"),
)


def test_it_says_all_that_was_found() -> None:
    assert report(FINISHED).splitlines() == [
        "## keras 3.10.0 is the first bad release",
        "",
        "- **first bad**: keras 3.10.0 (2025-05-19) - exit code 1: a|b c",
        "- **last good**: keras 3.7.0 (date unknown)",
        "- **not tested in between**: 3.8.0, 3.9.0; the change may be in any of them",
        "- **other packages that moved between the two**: numpy 1.26.4 -> 2.0.0",
        "- **environment**: Python 3.11, jax-0.5.0_keras-3.10.0_py3.11_cpu, containers; keras 3.10.0, numpy 2.0.0",
        "- **tested**: 4 of 6 releases (1 good, 1 bad, 2 could not be tested), 3 of them in this run",
        "",
        "```",
        "runner bisect keras --stdout 'acc=0\\.9 .*'",
        "```",
        "",
        "| release | result | why | also moved |",
        "|---|---|---|---|",
        "| 3.7.0 | good |  |  |",
        "| 3.8.0 | skip | yanked |  |",
        f"| 3.9.0 | skip | {'x' * 157}... |  |",
        "| 3.10.0 | bad | exit code 1: a\\|b c | numpy 1.26.4 -> 2.0.0 |",
    ]


def test_of_a_fix_the_words_are_the_other_way_round() -> None:
    text = report(replace(FINISHED, find_fix=True, executor="virtual environments"))
    assert text.startswith("## keras 3.10.0 is the first good release\n")
    assert "- **last bad**: keras 3.7.0" in text
    assert ", virtual environments; " in text


def test_without_gaps_and_moves_there_is_no_range_and_none_moved() -> None:
    text = report(replace(FINISHED, end=Found("3.7.0", "3.10.0"), answers={"3.7.0": OLD, "3.10.0": OLD}))
    assert "not tested in between" not in text
    assert "moved between the two**: none\n" in text


def test_a_reason_of_160_characters_is_shown_whole() -> None:
    answers = {"3.7.0": OLD, "3.10.0": replace_reason("y" * 160)}
    assert f"| bad | {'y' * 160} |" in report(replace(FINISHED, answers=answers))


def replace_reason(reason: str) -> Answer:
    return Answer(NEW.mark, reason, packages=NEW.packages)


def test_what_moved_leaves_out_the_package_itself() -> None:
    base = {"jax": "0.4.35", "jaxlib": "0.4.35", "numpy": "1.26.4", "old": "1", "same": "2"}
    now = {"jax": "0.5.0", "jaxlib": "0.5.0", "numpy": "2.0.0", "new": "3", "same": "2"}
    assert moved(base, now, "jax") == ["new none -> 3", "numpy 1.26.4 -> 2.0.0", "old 1 -> none"]
