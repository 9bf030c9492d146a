"""Shows verdicts to people and programs, in several formats.

``data`` holds the report, ``table`` arranges it as rows and columns, ``findings`` says it in sentences; the other
modules only write these down in one format each.
"""

from __future__ import annotations

from runner.report.data import Finding, Report, Severity, command, exit_line

__all__ = ["Finding", "Report", "Severity", "command", "exit_line"]
