"""Renders the report as JUnit XML, for CI systems that show tests.

There is a suite per probe, and a case per cell and judged metric. A failure is what fails the run. What was not
decided, not comparable or not measured is ``skipped`` and never a pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from runner.model import Comparison, Sample, Status, Verdict
from runner.report import columns, numbers
from runner.report.data import Report, command, exit_line
from runner.util.plain import uncoloured

_NOT_XML = re.compile(r"[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAILURES = (Verdict.REGRESSED, Verdict.BROKEN)
_OPEN = (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE, Verdict.EXPECTED)


def render(report: Report) -> str:
    """The XML document, with declaration."""
    root = ET.Element("testsuites", name=numbers.plain(report.title))
    probes: dict[str, list[Sample]] = {}
    for sample in report.samples:
        probes.setdefault(sample.probe, []).append(sample)
    for probe, samples in probes.items():
        _suite(root, report, probe, samples)
    _skipped(root, report)
    if not report.samples:
        suite = ET.SubElement(root, "testsuite", name="run")
        case = ET.SubElement(suite, "testcase", classname="run", name="measured something")
        ET.SubElement(case, "error", message=exit_line(report), type="nothing-measured")
        _count(suite)
    for name in ("tests", "failures", "errors"):  # the schema that Jenkins checks has no `skipped` here
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, report: Report, probe: str, samples: Sequence[Sample]) -> None:
    suite = ET.SubElement(root, "testsuite", name=numbers.plain(probe))
    cells: dict[str, list[Sample]] = {}
    for sample in samples:
        cells.setdefault(sample.cell.id, []).append(sample)
    comparisons: dict[str, list[Comparison]] = {}
    for comparison in report.comparisons:
        if comparison.probe == probe:
            comparisons.setdefault(comparison.candidate, []).append(comparison)
    for cell_id, group in cells.items():
        mine = comparisons.get(cell_id, [])
        _runs(suite, report, group, [c for c in mine if c.metric == "status"])
        for comparison in mine:
            if comparison.metric != "status" and _counts(comparison) and comparison.verdict is not Verdict.NO_BASELINE:
                _judged(suite, group[0], comparison, report)
    _count(suite)


def _counts(comparison: Comparison) -> bool:
    """Whether the comparison is a test case.

    It can fail the run, or would without the expectation that lifts its gate.
    """
    return comparison.gates or comparison.verdict is Verdict.EXPECTED


def _runs(suite: ET.Element, report: Report, samples: Sequence[Sample], statuses: Sequence[Comparison]) -> None:
    """The case that says whether a cell runs at all."""
    bad = [s for s in samples if s.status is not Status.OK]
    case = _case(suite, samples[0], "runs", sum(s.wall_s for s in samples))
    issue = next((c.issue for c in statuses if c.issue), "")
    verdicts = {c.verdict for c in statuses if _counts(c)}
    if Verdict.FIXED in verdicts and issue:
        _result(case, "failure", "fixed", f"works, although a failure is expected: {issue}")
    if not bad:
        return
    status = bad[0].status
    reason = numbers.plain(bad[0].reason) or status
    if Verdict.EXPECTED in verdicts:
        _result(case, "skipped", status, f"expected ({issue}): {reason}")
    elif Verdict.BROKEN in verdicts:
        _result(case, "failure", status, reason)
    elif status in (Status.UNSUPPORTED, Status.UNAVAILABLE, Status.SKIPPED):
        _result(case, "skipped", status, reason)
    else:
        _result(case, "error", status, reason)
    output = f"{command(samples[0].cell, report, samples[0].probe)}\n{bad[0].log}"
    ET.SubElement(case, "system-out").text = _xml(output)


def _judged(suite: ET.Element, sample: Sample, comparison: Comparison, report: Report) -> None:
    """The case of one metric against the baseline."""
    mode = columns.mode(comparison.metric)
    label = f"{mode} {columns.label(comparison.metric)}".strip()
    case = _case(suite, sample, f"{label} against {comparison.baseline or 'float64'}", 0.0)
    evidence = comparison.evidence
    change = numbers.change(evidence.effect) if evidence.effect is not None and not evidence.classification else ""
    said = ", ".join(part for part in (change, evidence.classification, numbers.plain(comparison.reason)) if part)
    if comparison.verdict in _FAILURES or (comparison.verdict is Verdict.FIXED and comparison.issue):
        _result(case, "failure", comparison.verdict, said or comparison.verdict)
        ET.SubElement(case, "system-out").text = _xml(command(sample.cell, report, sample.probe))
    elif comparison.verdict in _OPEN:
        issue = f" ({numbers.plain(comparison.issue)})" if comparison.issue else ""
        _result(case, "skipped", comparison.verdict, f"{comparison.verdict}{issue}: {said}".removesuffix(": "))


def _skipped(root: ET.Element, report: Report) -> None:
    if not report.skips and not report.unread:
        return
    suite = ET.SubElement(root, "testsuite", name="not run")
    for skip in report.skips:
        case = ET.SubElement(suite, "testcase", classname=f"plan.{_xml(skip.cell.framework)}", name=_xml(skip.cell.id))
        _result(case, "skipped", skip.status, skip.reason)
    for line in report.unread:
        case = ET.SubElement(suite, "testcase", classname="results", name=_xml(numbers.plain(line.partition(": ")[0])))
        _result(case, "error", "unread", line)
    _count(suite)


def _case(suite: ET.Element, sample: Sample, what: str, seconds: float) -> ET.Element:
    # Dots in a class name make a tree in most viewers, so versions stay in the case's name.
    classname = f"{numbers.plain(sample.probe)}.{numbers.plain(sample.cell.framework)}"
    name = f"{numbers.plain(sample.cell.id)} {numbers.plain(what)}"
    return ET.SubElement(suite, "testcase", classname=classname, name=name, time=f"{seconds:.3f}")


def _result(case: ET.Element, tag: str, kind: str, message: str) -> None:
    ET.SubElement(case, tag, message=numbers.plain(message), type=str(kind))


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite):.3f}")


def _xml(text: str) -> str:
    """The text without what XML 1.0 cannot hold; line ends and tabs stay."""
    return _NOT_XML.sub("", uncoloured(text))
