"""A finding's key is the same in every run that has it, and differs where another thing is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.defects import Defect
from runner.history.data import Past
from runner.model import Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict
from runner.report import Finding, Report, Severity, defects
from runner.report.findings import findings

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = replace(OLD, version="2.15.0")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")


def sample(cell: Cell, probe: str = "mnist", status: Status = Status.OK, reason: str = "") -> Sample:
    metrics = (Metric("free.step_s", 0.1, Kind.TIMING, unit="s"), Metric("free.test_accuracy", 0.9, Kind.SEEDED))
    kept = metrics if status is Status.OK else ()
    return Sample(cell, "e", probe, {}, 0, 0, "docker", status, reason, kept)


def compared(verdict: Verdict, metric: str = "free.step_s", **more: object) -> Comparison:
    given = {"axis": "version", "baseline": OLD.id, "candidate": NEW.id, "reason": "", "evidence": Evidence(5, 0.4)}
    return Comparison(**{**given, **more}, probe="mnist", metric=metric, verdict=verdict)  # type: ignore[arg-type]


def found(*comparisons: Comparison, samples: Sequence[Sample] = ()) -> list[Finding]:
    report = Report(tuple(samples) or (sample(OLD), sample(NEW), sample(JAX)), comparisons)
    return [finding for finding in findings(report) if finding.severity < Severity.UNDECIDED]


def key(*comparisons: Comparison, samples: Sequence[Sample] = ()) -> str:
    (one,) = found(*comparisons, samples=samples)
    assert len(one.key) == 16
    return one.key


def test_a_key_does_not_depend_on_words_figures_and_severity() -> None:
    slow = key(compared(Verdict.REGRESSED))
    assert key(compared(Verdict.REGRESSED, evidence=Evidence(9, 3.0), reason="other words")) == slow
    assert key(compared(Verdict.EXPECTED, issue="https://github.com/a/b/issues/1")) == slow
    assert key(compared(Verdict.REGRESSED, "free.images_per_s")) == slow  # one cause
    assert key(compared(Verdict.REGRESSED, baseline=JAX.id)) == slow


def test_a_key_depends_on_the_cell_the_cause_and_the_direction() -> None:
    keys = {
        key(compared(Verdict.REGRESSED)),
        key(compared(Verdict.IMPROVED)),
        key(compared(Verdict.REGRESSED, "free.test_accuracy")),
        key(compared(Verdict.REGRESSED, candidate=JAX.id, axis="framework")),
        key(compared(Verdict.REGRESSED, gates=False)),
    }
    assert len(keys) == 5


def test_findings_about_two_releases_are_kin() -> None:
    (one,) = found(compared(Verdict.REGRESSED))
    (other,) = found(compared(Verdict.REGRESSED, candidate=JAX.id))
    (another,) = found(compared(Verdict.IMPROVED))
    assert one.kin == other.kin != another.kin
    assert (one.release, other.release) == ("torch 2.15.0", "torch 2.2.2".replace("torch 2.2.2", ""))


def test_only_a_release_that_is_newer_than_its_baseline_brought_a_finding() -> None:
    (back,) = found(compared(Verdict.REGRESSED, baseline=NEW.id, candidate=OLD.id))
    assert back.release == ""


def crash(*cells: Cell, status: Status = Status.CRASHED, reason: str = "it fell", probe: str = "mnist") -> list[Sample]:
    return [sample(cell, probe, status, reason) for cell in cells]


def test_a_failure_keeps_its_key_when_it_becomes_known_and_when_more_cells_have_it() -> None:
    newer = replace(OLD, version="2.16.0")
    one = key(samples=crash(NEW))
    broken = compared(Verdict.BROKEN, "status")
    known = compared(Verdict.EXPECTED, "status", issue="https://github.com/a/b/issues/1")
    assert key(broken, samples=[sample(OLD), *crash(NEW)]) == one
    assert key(known, samples=[sample(OLD), *crash(NEW, reason="other words")]) == one
    assert key(samples=crash(newer, NEW)) == one
    assert key(samples=crash(OLD)) != one
    assert key(samples=crash(NEW, probe="lstm")) != one


def test_a_failed_import_has_one_key_whatever_the_probe() -> None:
    failed = {"status": Status.IMPORT_FAILED}
    assert key(samples=crash(NEW, **failed)) == key(samples=crash(NEW, probe="lstm", **failed))


def defect(*cells: Cell, **more: object) -> Defect:
    given = {
        "op": "ops.median", "kind": "wrong value", "severity": 9, "title": "ops.median: wrong", "where": "", "axis": "",
        "good": (), "last_good": None, "first_bad": None, "first_good": None, "pattern": "",
        "cases": ("median(x, axis=1)", "median(x)"), "observed": "1", "script": "",
    }  # fmt: skip
    return Defect(**{**given, **more}, cells=tuple(cell.id for cell in cells))  # type: ignore[arg-type]


def of_defect(one: Defect) -> Finding:
    cells = {cell.id: cell for cell in (OLD, NEW, JAX)}
    return defects._finding(one, (), cells, against=False)


def test_a_defect_keeps_its_key_when_another_release_has_it() -> None:
    one = of_defect(defect(OLD))
    assert one.key == of_defect(defect(OLD, NEW, title="other words", observed="2", severity=3)).key
    assert one.key == of_defect(defect(OLD, op="ops.median, ops.quantile")).key
    others = [defect(JAX), defect(OLD, kind="raises"), defect(OLD, cases=("mean(x)",)), defect(OLD, op="conv2d: small")]
    assert len({one.key, *(of_defect(other).key for other in others)}) == 5


def test_a_defect_names_its_probe_and_the_release_that_brought_it() -> None:
    one = of_defect(defect(NEW, axis="version", last_good="2.2.2", first_bad="2.15.0"))
    assert (one.probes, one.release) == (("ops",), "torch 2.15.0")
    assert of_defect(defect(NEW, axis="version", first_bad="2.15.0")).release == ""
    assert of_defect(defect(NEW, op="training: fit")).probes == ("training",)


def test_what_is_about_nothing_in_particular_has_no_key() -> None:
    report = Report((sample(OLD), sample(NEW)), (compared(Verdict.INCONCLUSIVE),))
    assert [finding.key for finding in findings(report)] == [""]


def test_a_sentence_says_since_when() -> None:
    bare = Report((sample(OLD), sample(NEW)), (compared(Verdict.EXPECTED, issue="https://github.com/a/b/issues/1"),))
    (plain,) = findings(bare)
    (dated,) = findings(bare.with_past(Past(by_key={plain.key: "since keras 3.14.0"})))
    assert dated.sentence == plain.sentence.replace(". Report:", ". Since keras 3.14.0. Report:") != plain.sentence
    assert replace(plain, issue="", text="It is.").sentence == "It is."
