"""JSON, Markdown, HTML, JUnit and GitHub annotations: complete, valid, and safe with hostile text."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from runner import judge
from runner.judge import expectations
from runner.model import Better, Cell, Comparison, Kind, Metric, Sample, Skip, Status, Verdict
from runner.report import Report, formats
from runner.report.findings import findings
from runner.report.formats import csvout, github, html, jsonout, junit, markdown, terminal

HOSTILE = '<script>alert(1)</script> | `x` ]]> & "quoted" @somebody #1 \x00\x1b[31m\nsecond ::error::line \ufffe'
CELL = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")


def broken(reason: str, log: str = "") -> Report:
    sample = Sample(CELL, "", "mnist", {}, 0, 0, "host", Status.CRASHED, reason, log=log)
    return Report((sample,), (), notes=(reason,), title=reason, exit_code=3)


def many(report: Report, cells: int) -> Report:
    samples = tuple(
        replace(s, cell=replace(s.cell, version=f"{s.cell.version}.{n}"), reason=s.reason and f"{s.reason} {n}")
        for n in range(cells)
        for s in report.samples
    )
    return replace(report, samples=samples)


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name != "badge"])  # a badge has a few words
def test_every_format_names_a_file_that_could_not_be_used(name: str, quick: Report) -> None:
    bad = ("out/results/c/p/000-a.json: cannot be read (not a regular file); the next run measures that again",)
    text = "".join(formats.pieces(replace(quick, unread=bad), name)) if name != "terminal" else _terminal(quick, bad)
    assert "out/results/c/p/000-a.json" in " ".join(text.split())
    assert "the next run measures that again" in " ".join(text.split())


def _terminal(report: Report, bad: tuple[str, ...]) -> str:
    console = Console(width=300)
    with console.capture() as shown:
        terminal.print(replace(report, unread=bad), console)
    return shown.get()


def test_an_unread_file_is_an_error_of_junit_and_a_row_of_csv(quick: Report) -> None:
    report = replace(quick, skips=(), unread=("a.json: cannot be read (a, b); delete it",))
    suite = ET.fromstring("".join(formats.pieces(report, "junit"))).find("testsuite[@name='not run']")  # noqa: S314 - our own
    assert suite is not None
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    (case,) = suite
    assert case.get("name") == "a.json"
    *_, row = csv.DictReader("".join(formats.pieces(report, "csv")).splitlines())
    assert row["status"] == "unavailable"
    assert "a.json: cannot be read (a, b); delete it" in row.values()


def test_json_has_a_schema_number_and_everything_that_was_judged(quick: Report) -> None:
    made = json.loads(jsonout.render(quick))
    assert made["schema"] == jsonout.SCHEMA
    assert made["exit_code"] == 1
    assert len(made["cells"]) == 7
    assert len(made["comparisons"]) == len(quick.comparisons)
    assert made["findings"][0]["severity"] == "broken"
    new = next(c for c in made["cells"] if c["version"] == "2.15.0")
    step = new["probes"]["mnist"]["metrics"]["free.step_s"]
    assert (step["n"], step["unit"]) == (12, "s")
    assert step["min"] < step["median"] < step["max"]
    assert all("--only" in c["command"] for c in made["cells"])
    evidence = next(c for c in made["comparisons"] if c["metric"] == "free.first_step_s")["evidence"]
    assert (evidence["n"], evidence["rounds_needed"]) == (12, 120)


def test_json_has_no_nan(quick: Report) -> None:
    metric = Metric("loss", math.nan, Kind.INFO)
    sample = replace(quick.samples[0], metrics=(metric,), facts={"limit": math.inf})
    made = json.loads(jsonout.render(Report((sample,), ())), parse_constant=pytest.fail)
    probe = made["cells"][0]["probes"]["mnist"]
    assert probe["metrics"]["loss"]["median"] is None
    assert probe["facts"]["limit"] is None


# --- Markdown --------------------------------------------------------------------------------------------------------


def test_every_table_row_has_as_many_fields_as_its_heading(quick: Report) -> None:
    report = replace(quick, samples=tuple(replace(s, reason=s.reason and HOSTILE) for s in quick.samples))
    text = markdown.render(report)
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(tables) == 4  # two devices of the overview, two probes
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1


def test_markdown_escapes_what_frameworks_print() -> None:
    text = markdown.render(broken(HOSTILE))
    assert "<script" not in text
    assert "@somebody" not in text
    assert "#1" not in text
    assert "\\`x\\`" in text
    assert "\x00" not in text
    assert "\x1b" not in text


def test_web_addresses_stay_links_and_are_not_torn() -> None:
    address = "https://github.com/keras-team/keras/issues/20713#issuecomment-1_2"
    assert markdown.escape(f"see {address} *now*") == f"see {address} \\*now\\*"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_escaped_text_is_one_line_without_live_markup(text: str) -> None:
    shown = markdown.escape(text)
    assert "\n" not in shown
    outside = re.sub(r"<!-- -->|https?://\S+", "", shown)
    assert not re.search(r"(?<!\\)[`*_|]", outside.replace("\\\\", ""))
    assert "<" not in outside


@pytest.mark.parametrize("limit", [100, 2_000, 20_000, 65_536])
def test_markdown_keeps_to_its_limit_and_says_that_it_was_cut(quick: Report, limit: int) -> None:
    text = markdown.render(many(quick, 60), limit)
    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert "Cut here" in text


def test_markdown_of_three_hundred_cells_fits_a_step_summary(quick: Report) -> None:
    text = markdown.render(many(quick, 43))
    assert len(text.encode()) <= markdown.LIMIT_BYTES
    assert "Cut here" not in text
    assert text.count("--fresh") == 301


def test_a_huge_report_is_cut_where_details_are(quick: Report) -> None:
    huge = replace(many(quick, 20), notes=tuple(f"{n}: {HOSTILE}" for n in range(20_000)))
    text = markdown.render(huge)
    assert markdown.LIMIT_BYTES * 0.99 < len(text.encode()) <= markdown.LIMIT_BYTES
    assert text.index("### Findings") < text.index("### mnist") < text.index("<details>") < text.index("Cut here")
    assert text.count("<details>") == text.count("</details>")


def test_a_comment_fits_githubs_limit_and_has_the_findings_first(quick: Report) -> None:
    text = formats.text(many(quick, 60), "comment")
    assert len(text) < 65_536
    assert text.count("<details>") == text.count("</details>")
    assert "### Findings" in text
    assert formats.text(quick, "comment") == formats.text(quick, "markdown")


@pytest.mark.parametrize(
    ("code", "message", "color"),
    [
        (0, "7 combinations, nothing worse", "brightgreen"),
        (3, "not all measured", "yellow"),
        (4, "nothing measured", "lightgrey"),
        (130, "interrupted", "lightgrey"),
    ],
)
def test_a_badge_says_the_result_in_a_few_words(quick: Report, code: int, message: str, color: str) -> None:
    badge = json.loads(formats.text(replace(quick, exit_code=code), "badge"))
    assert badge == {"schemaVersion": 1, "label": "keras matrix", "message": message, "color": color}


def test_a_badge_counts_what_is_worse(quick: Report) -> None:
    counts = Counter(finding.severity.label for finding in findings(quick))
    assert quick.exit_code == 1
    assert counts["WORSE"] > 0
    badge = json.loads(formats.text(quick, "badge"))
    words = [f"{counts[label]} {label.lower()}" for label in ("BROKEN", "WORSE", "GONE") if counts[label]]
    assert (badge["message"], badge["color"]) == (", ".join(words), "red")


def test_details_are_folded_and_findings_are_not(quick: Report) -> None:
    text = markdown.render(quick)
    assert text.index("### Findings") < text.index("### mnist") < text.index("<details>")
    assert text.count("--fresh") == 7
    assert text.index("next: `python -m runner bisect") < text.index("<details>") < text.index("--fresh")


def test_logs_of_failures_are_folded_and_cannot_leave_their_block() -> None:
    report = broken("exit code 1", log="```\n# heading\n<b>bold</b>")
    text = markdown.render(report)
    assert "````text\n```\n# heading\n<b>bold</b>\n````" in text
    assert "&lt;b&gt;bold" in html.render(report)


# --- HTML ------------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Collects the tags of a document and checks that they are closed in order."""

    void = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


def test_html_is_one_file_that_loads_nothing(quick: Report) -> None:
    text = html.render(quick)
    tags = parsed(text)
    assert not {"link", "img", "iframe"} & {tag for tag, _ in tags.seen}
    assert not [attrs for _, attrs in tags.seen if {"src", "style"} & attrs.keys()]
    links = {attrs["href"] or "" for tag, attrs in tags.seen if "href" in attrs}
    assert {link for link in links if not link.startswith("#")} == {"https://github.com/keras-team/keras/issues/20713"}
    assert not re.search(r"url\(|@import", text)


def test_html_shows_symbols_and_commands(quick: Report) -> None:
    text = html.render(quick)
    assert "✗ ×1.31" in text
    assert "python -m runner bisect torch --good 2.2.2 --bad 2.15.0" in text
    assert text.count("--only") >= 7


def test_html_escapes_everything_and_links_only_the_web() -> None:
    report = broken(HOSTILE)
    status = Comparison("", CELL.id, "", "mnist", "status", Verdict.EXPECTED, "", issue="javascript:alert(1)")
    tags = parsed(html.render(replace(report, comparisons=(status,))))
    assert [attrs.get("id") for tag, attrs in tags.seen if tag == "script"] == ["data", None, None]
    assert all((attrs["href"] or "").startswith("#") for _, attrs in tags.seen if "href" in attrs)


def test_html_of_an_empty_report_says_that_nothing_was_measured() -> None:
    text = html.render(Report((), (), exit_code=4))
    parsed(text)
    assert "No cell was measured." in text


# --- JUnit -----------------------------------------------------------------------------------------------------------


def test_junit_counts_agree_with_its_cases(quick: Report) -> None:
    root = ET.fromstring(junit.render(quick))  # noqa: S314 - our own document
    suites = list(root.iter("testsuite"))
    assert len(suites) > 1
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        assert int(suite.get("failures", "")) == sum(c.find("failure") is not None for c in cases)
        assert int(suite.get("skipped", "")) == sum(c.find("skipped") is not None for c in cases)
    assert int(root.get("failures", "")) > 0


JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase", "system-out"}),
    "testcase": ({"name", "classname", "time"}, {"skipped", "error", "failure", "system-out"}),
    **{name: ({"type", "message"}, set()) for name in ("skipped", "error", "failure")},
    "system-out": (set(), set()),
}
"""Element -> the attributes and children that junit-10.xsd of Jenkins' xUnit plugin allows, of those we use."""
REQUIRED = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}}


def test_junit_keeps_to_the_schema_that_jenkins_checks(quick: Report) -> None:
    skipped = replace(quick, skips=(Skip(CELL, Status.UNAVAILABLE, HOSTILE),))
    for report in (skipped, many(quick, 40), broken(HOSTILE, HOSTILE), Report((), (), exit_code=4)):
        for element in ET.fromstring(junit.render(report)).iter():  # noqa: S314 - our own document
            attributes, children = JUNIT[element.tag]
            assert REQUIRED.get(element.tag, set()) <= set(element.attrib) <= attributes
            assert {child.tag for child in element} <= children
            assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))


def case(report: Report, name: str) -> ET.Element:
    root = ET.fromstring(junit.render(report))  # noqa: S314 - our own document
    return next(c for c in root.iter("testcase") if name in c.get("name", ""))


def test_junit_fails_what_fails_the_run_and_skips_the_rest(quick: Report) -> None:
    new = "torch-2.15.0_keras-3.11.3_py3.11_cpu"
    assert case(quick, f"{new} free step time").find("failure") is not None
    assert case(quick, f"{new} free first step").find("skipped") is not None
    assert case(quick, f"{new} import time").find("skipped") is None
    expected = case(quick, "torch-2.2.2_keras-3.15.1_py3.11_cpu runs").find("skipped")
    assert expected is not None
    assert "issues/20713" in expected.get("message", "")
    assert case(quick, "jax-0.10.2_keras-3.8.0_py3.11_cpu runs").find("failure") is not None
    assert case(quick, "numpy-2.4.6_keras-3.11.3_py3.11_cpu runs").find("skipped") is not None


def test_junit_is_valid_xml_whatever_was_printed() -> None:
    log = "".join(map(chr, range(0x20))) + "\ud800\uffff]]>" + HOSTILE
    found = case(broken(HOSTILE, log), "runs")
    error = found.find("error")
    assert error is not None
    assert error.get("type") == "crashed"
    assert "]]>" in (found.findtext("system-out") or "")


def test_junit_of_nothing_is_an_error() -> None:
    root = ET.fromstring(junit.render(Report((), (), exit_code=4)))  # noqa: S314 - our own document
    assert root.get("errors") == "1"


def judged(status: Status, expected: expectations.Expectation | None) -> Report:
    """Two releases of Keras, the later of which has the status, judged with or without an expectation."""
    cells = [replace(CELL, keras=keras) for keras in ("3.8.0", "3.11.3")]
    metric = Metric("small.error_max", 1.0, Kind.ERROR, Better.LOWER, "u", terms=64)
    samples = [
        Sample(cells[0], "", "mnist", {}, 0, 0, "host", Status.OK, "", (metric,)),
        Sample(
            cells[1],
            "",
            "mnist",
            {},
            0,
            0,
            "host",
            status,
            "" if status == Status.OK else "it fell",
            (replace(metric, value=500.0),) if status == Status.OK else (),
        ),
    ]
    pair = judge.Pair(cells[0], cells[1], "keras")
    known = [expected] if expected else []
    return Report(tuple(samples), tuple(judge.judge(samples, [pair], known, judge.JudgeSettings())))


ADDRESS = "https://github.com/keras-team/keras/issues/20713"


def test_an_expected_failure_is_skipped_and_no_error() -> None:
    known = expectations.Expectation(CELL.id, status=Status.CRASHED, issue=ADDRESS)
    report = judged(Status.CRASHED, known)
    root = ET.fromstring(junit.render(report))  # noqa: S314 - our own document
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    skipped = case(report, f"{CELL.id} runs").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == f"expected ({ADDRESS}): it fell"


def test_the_same_failure_without_the_expectation_is_a_failure() -> None:
    assert case(judged(Status.CRASHED, None), f"{CELL.id} runs").find("failure") is not None


def test_an_expected_failure_that_is_gone_is_a_failure() -> None:
    known = expectations.Expectation(CELL.id, status=Status.CRASHED, issue=ADDRESS)
    failure = case(judged(Status.OK, known), f"{CELL.id} runs").find("failure")
    assert failure is not None
    assert failure.get("message") == f"works, although a failure is expected: {ADDRESS}"


def test_an_expected_regression_of_a_metric_is_skipped() -> None:
    known = expectations.Expectation(CELL.id, metric="small.error_max", issue=ADDRESS)
    skipped = case(judged(Status.OK, known), f"{CELL.id} small largest error").find("skipped")
    assert skipped is not None
    assert ADDRESS in skipped.get("message", "")
    assert case(judged(Status.OK, None), f"{CELL.id} small largest error").find("failure") is not None


# --- CSV -------------------------------------------------------------------------------------------------------------


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(formats.text(report, "csv"))))


def test_lists_in_csv_have_no_nan(quick: Report) -> None:
    metric = Metric("loss", [1.0, math.nan], Kind.TRAJECTORY)
    report = replace(quick, samples=(replace(quick.samples[0], metrics=(metric,)),))
    (row,) = [row for row in rows(report) if row["metric"] == "loss"]
    assert row["value"] == "[1.0, null]"


def test_csv_has_a_row_for_every_process_and_metric(quick: Report) -> None:
    made = rows(quick)
    assert tuple(made[0]) == csvout.COLUMNS
    assert len(made) == sum(1 + len(sample.metrics) for sample in quick.samples) + len(quick.skips)
    assert (made[-1]["status"], made[-1]["reason"]) == ("unavailable", "no NVIDIA GPU on this machine")
    first = quick.samples[0]
    step = next(row for row in made if row["cell"] == first.cell.id and row["metric"] == "free.step_s")
    assert float(step["value"]) == next(m.value for m in first.metrics if m.name == "free.step_s")
    assert (step["probe"], step["round"], step["unit"], step["kind"], step["keras"]) == (
        "mnist", "0", "s", "timing", "3.11.3",
    )  # fmt: skip
    losses = next(row for row in made if row["metric"] == "controlled.loss_per_step")
    assert json.loads(losses["value"]) == [2.3, 1.1, 0.4]


def test_csv_has_the_verdict_of_the_judge_and_failed_cells() -> None:
    made = {row["metric"]: row for row in rows(judged(Status.OK, None)) if row["cell"] == CELL.id}
    error = made["small.error_max"]
    assert (error["verdict"], error["baseline"]) == ("regressed", replace(CELL, keras="3.8.0").id)
    (failed,) = [row for row in rows(judged(Status.CRASHED, None)) if row["cell"] == CELL.id]
    assert (failed["metric"], failed["value"], failed["verdict"]) == ("status", "crashed", "broken")
    assert failed["reason"] == "it fell"


def test_csv_text_cannot_become_a_formula() -> None:
    sample = Sample(CELL, "", "mnist", {}, 0, 0, "host", Status.OK, "", (Metric("=1+1", "@SUM(A1)\n", Kind.INFO),))
    (_, row) = rows(Report((sample,), ()))
    assert (row["metric"], row["value"]) == ("'=1+1", "'@SUM(A1)")
    number = replace(sample, metrics=(Metric("loss", -1.5, Kind.INFO),))
    assert rows(Report((number,), ()))[1]["value"] == "-1.5"


# --- GitHub ----------------------------------------------------------------------------------------------------------


def test_annotations_point_at_the_expectations_file(quick: Report) -> None:
    issue = "https://github.com/keras-team/keras/issues/20713"
    lines = github.annotations(quick, github.issue_lines(f'# known\nissue = "{issue}"\n')).splitlines()
    assert lines[0].startswith("::error file=matrix/expectations.toml,title=Broken::jax 0.10.2 with keras 3.8.0")
    known = next(line for line in lines if "does not import" in line)
    assert known.startswith("::notice file=matrix/expectations.toml,line=2,title=Known failure::")


def test_an_annotation_cannot_be_broken_out_of() -> None:
    lines = github.annotations(broken("100%\n::error::injected\r")).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::warning ")
    assert "100%25" in lines[0]


def test_annotations_keep_to_ten_of_a_level(quick: Report) -> None:
    samples = tuple(
        replace(quick.samples[0], cell=replace(CELL, keras=f"3.{n}"), status=Status.CRASHED, reason=f"signal {n}")
        for n in range(30)
    )
    lines = github.annotations(Report(samples, ())).splitlines()
    assert len(lines) == 10
    assert "21 more findings" in lines[-1]
    assert [line for line in lines if "title=And more::" in line]


def test_nothing_measured_is_an_error_annotation() -> None:
    assert github.annotations(Report((), (), exit_code=4)).startswith("::error title=Nothing was measured::")


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_format_breaks_on_any_text(reason: str, version: str) -> None:
    report = broken(reason, log=version)
    report = replace(report, samples=(replace(report.samples[0], cell=replace(CELL, version=version)),))
    json.loads(jsonout.render(report))
    ET.fromstring(junit.render(report))  # noqa: S314 - our own document
    parsed(html.render(report))
    markdown.render(report).encode()
    github.annotations(report).encode()
    formats.text(report, "csv").encode()
