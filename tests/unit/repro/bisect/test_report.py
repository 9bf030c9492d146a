"""The report of a finished search."""

from __future__ import annotations

from dataclasses import replace

from runner.repro.bisect.question import Answer
from runner.repro.bisect.report import Finished, moved, report, summary
from runner.repro.bisect.search import Found, Mark
from runner.sources.history import Commit

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


def commit(name: str, subject: str, parents: int = 1) -> Commit:
    return Commit(name * 20, "2026-05-01", subject, ("x" * 40,) * parents)


COMMITS = replace(
    FINISHED,
    end=Found("aa", "dd"),
    answers={"aa": OLD, "dd": NEW},
    points=("aa", "bb", "cc", "dd"),
    noun="commit",
    known={name: commit(name, f"Change {name} (#{number})") for number, name in enumerate(("aa", "bb", "cc", "dd"))},
    web="https://github.com/a/b",
    builds=2,
    command=(
        "runner",
        "bisect",
        "keras",
        "--good=3.13.2",
        "--to",
        "nightly",
        "--bad",
        "3.14.0",
        "--source",
        "../keras",
    ),
)


class TestCommits:
    def test_a_commit_is_named_with_its_day_subject_and_addresses(self) -> None:
        assert report(COMMITS).splitlines()[:6] == [
            "## keras dd is the first bad commit",
            "",
            '- **first bad**: keras dd (2026-05-01) "Change dd (#3)" - exit code 1: a|b c',
            f"- **commit**: https://github.com/a/b/commit/{'dd' * 20}",
            "- **pull request**: https://github.com/a/b/pull/3",
            '- **last good**: keras aa (2026-05-01) "Change aa (#0)"',
        ]
        assert (
            "- **tested**: 2 of 4 commits (1 good, 1 bad, 0 could not be tested), 3 of them in this run, 2 builds"
            in (report(COMMITS))
        )
        assert "| dd Change dd (#3) | bad |" in report(COMMITS)

    def test_elsewhere_than_on_github_hash_and_number_stand_alone(self) -> None:
        text = report(replace(COMMITS, web=""))
        assert f"- **commit**: {'dd' * 20}\n- **pull request**: #3\n" in text
        bare = replace(COMMITS, web="", known={**COMMITS.known, "dd": commit("dd", "Change")})
        assert "pull request" not in report(bare)

    def test_the_second_command_tests_the_two_commits_alone(self) -> None:
        first, second = report(COMMITS).partition("```\n")[2].partition("\n```")[0].splitlines()
        assert first == "runner bisect keras --good=3.13.2 --to nightly --bad 3.14.0 --source ../keras"
        assert second == "runner bisect keras --good aa --bad dd --source ../keras"
        assert "runner bisect keras --good dd --bad aa" in report(replace(COMMITS, find_fix=True))

    def test_commits_that_could_not_be_tested_are_suspects(self) -> None:
        text = report(replace(COMMITS, end=Found("aa", "dd", ("bb", "cc"))))
        assert text.startswith("## one of 3 commits of keras is the first bad one, dd at the latest\n")
        assert 'may be in any of them:\n  - bb "Change bb (#1)"\n  - cc "Change cc (#2)"\n' in text

    def test_of_many_suspects_the_first_and_the_last_are_named(self) -> None:
        names = tuple(f"n{number}" for number in range(30))
        known = {**COMMITS.known, **{name: commit(name, f"Change {name}") for name in names}}
        text = report(replace(COMMITS, end=Found("aa", "dd", names), known=known))
        assert '  - n0 "Change n0"\n  - and 28 more\n  - n29 "Change n29"\n' in text

    def test_what_came_before_and_what_was_not_found_is_there(self) -> None:
        earlier = summary(replace(FINISHED, end=Found("3.7.0", "3.10.0")))
        assert earlier == "keras 3.10.0 (2025-05-19) is the first bad release, 3.7.0 the last good one"
        text = report(
            replace(COMMITS, before=(earlier,), problems=("the night is not known: why",), merged=3, apart="ee")
        )
        assert f"- **before that**: {earlier}\n" in text
        assert "- **not narrowed further**: the night is not known: why\n" in text
        assert "- **a merge** of 3 commits; --all-parents searches these\n" in text
        assert "- **aa**: where dd and ee diverge\n" in text

    def test_a_summary_is_one_line(self) -> None:
        assert (
            summary(COMMITS) == 'keras dd (2026-05-01) "Change dd (#3)" is the first bad commit, aa the last good one'
        )
        gap = replace(COMMITS, end=Found("aa", "dd", ("bb",)), find_fix=True)
        assert summary(gap).endswith("is the first good commit, aa the last bad one; 1 in between could not be tested")
