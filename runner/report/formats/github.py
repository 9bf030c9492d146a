"""Renders the report as annotations of GitHub Actions.

They are workflow commands, one per line, for the standard output.
"""

from collections.abc import Mapping

from runner.report import numbers
from runner.report.data import Finding, Report, Severity, exit_line
from runner.report.failures import not_measured
from runner.report.findings import findings
from runner.util import folders

_LEVELS = {
    Severity.BROKEN: "error",
    Severity.REGRESSED: "error",
    Severity.FIXED: "error",
    Severity.FAILED: "warning",
    Severity.UNDECIDED: "notice",
    Severity.EXPECTED: "notice",
}
_TITLES = {
    Severity.BROKEN: "Broken",
    Severity.REGRESSED: "Regressed",
    Severity.FIXED: "Expected failure is gone",
    Severity.FAILED: "Does not run",
    Severity.UNDECIDED: "Undecided",
    Severity.EXPECTED: "Known failure",
}
_MOST = 10
"""GitHub shows that many annotations of each level per step and drops the rest without a word."""


def render(report: Report) -> str:
    """Render the annotations, with lines of this repository's expectations file."""
    known = (folders.matrix_dir() / "expectations.toml").read_text(encoding="utf-8")
    return annotations(report, issue_lines(known))


def annotations(report: Report, expectation_lines: Mapping[str, int] | None = None) -> str:
    """A line per finding that somebody should act on, worst first.

    There are at most ten of each level. All of them point at the expectations file, where a known failure is written
    down; ``expectation_lines`` maps an issue's address to the line that names it (see ``issue_lines``).
    """
    lines = expectation_lines or {}
    by_level: dict[str, list[Finding]] = {}
    for finding in findings(report):
        if finding.severity in _LEVELS:
            by_level.setdefault(_LEVELS[finding.severity], []).append(finding)
    out = []
    missing = not_measured(report)
    for level, found in by_level.items():
        most = _MOST - 1 if missing and level == "warning" else _MOST
        fits = len(found) <= most
        shown = found if fits else found[: most - 1]
        out += [_finding(level, finding, report, lines) for finding in shown]
        if not fits:
            more = f"{len(found) - len(shown)} more findings: see the step summary"
            out.append(_command(level, more, file=report.expectations, title="And more"))
    if missing:
        out.append(_command("warning", "; ".join(missing), title="Not measured"))
    if not report.samples:
        out.append(_command("error", exit_line(report), title="Nothing was measured"))
    return "\n".join(out)


def issue_lines(text: str) -> dict[str, int]:
    """The first line of an expectations file with each web address, from 1."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in line.replace('"', " ").replace("'", " ").split():
            if word.startswith(("https://", "http://")):
                found.setdefault(word, number)
    return found


def _finding(level: str, finding: Finding, report: Report, lines: Mapping[str, int]) -> str:
    line = lines.get(finding.issue)
    where = {"line": str(line)} if line else {}
    return _command(level, finding.sentence, file=report.expectations, **where, title=_TITLES[finding.severity])


def _command(level: str, message: str, **properties: str) -> str:
    """``::error file=...,title=...::message``, escaped as the Actions toolkit does it."""
    shown = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    return f"::{level} {shown}::{_data(numbers.plain(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
