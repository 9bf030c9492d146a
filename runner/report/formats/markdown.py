"""Renders the report as GitHub flavoured Markdown.

For ``$GITHUB_STEP_SUMMARY`` and for comments. Findings and tables come first, details are folded. What frameworks print
is escaped, so that it can neither break a table nor mention people, link issues or add HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.model import Cell
from runner.report import numbers
from runner.report.answer import answer
from runner.report.data import Finding, Report, all_notes, cell_ids, command, exit_line, subtitle
from runner.report.exchange import HEADING as EXCHANGE
from runner.report.exchange import exchange
from runner.report.failures import last_lines, not_measured
from runner.report.labels import common, labels, title, used_marks
from runner.report.marks import BASELINE, Mark
from runner.report.overview import Overview
from runner.report.rows import Row, Table
from runner.report.seeding import HEADING, seeding
from runner.util.plain import printable

LIMIT_BYTES = 1 << 20
"""What GitHub accepts as the summary of one step."""

_OPEN_FINDINGS = 40
_LOG_LINES = 20
_CUT = "\n\n_Cut here to fit; the JSON report has all of it._\n"
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&]")
_REFERENCE = re.compile(r"(?<![&\w])([@#])(?=\w)|(?<=\w)(#)(?=\d)|\b(GH)(-)(?=\d)", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>()\"'`|\\]+")
_ICONS = {Mark.WORSE: "❌", Mark.FIXED: "⚠️", Mark.EXPECTED: "🟣", Mark.BETTER: "✅", Mark.UNDECIDED: "❔"}
"""Icons in place of colours, which GitHub does not show; words say the same."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that may be cut after any of them, with a head and a tail."""

    head: str
    body: tuple[str, ...]
    tail: str = ""


def render(report: Report, limit_bytes: int = LIMIT_BYTES) -> str:
    """Render the report in at most ``limit_bytes`` bytes of UTF-8.

    What does not fit is cut from the end, and a line reports that.
    """
    said = answer(report)
    found = said.findings
    shared = common(s.cell for s in report.samples)
    icon = {0: "✅", 1: "❌", 130: "⚠️"}.get(report.exit_code, "⚠️")
    head = f"## {escape(report.title)}\n\n{icon} **{escape(exit_line(report))}** · {escape(subtitle(report, shared))}\n"
    blocks = [_Block(head, ())]
    if not report.samples:
        blocks.append(_Block("\n**No cell was measured.**\n", ()))
    blocks += _list("### Findings", [_finding(f) for f in found[:_OPEN_FINDINGS]])
    blocks += _overview(said.overview) if report.samples else []
    blocks += _list(f"### {HEADING}", [f"- {escape(line)}\n" for line in seeding(report)])
    blocks += _exchange(report)
    blocks += [_table(table, shared) for table in said.tables]
    blocks += [_Block(legend, ())] if (legend := _legend(said.tables)) else []
    blocks += _folded("more findings", [_finding(f) for f in found[_OPEN_FINDINGS:]])
    blocks += _folded("not measured", [f"- {escape(line)}\n" for line in not_measured(report)])
    blocks += _folded("failed processes: last lines", _logs(report, found))
    blocks += _folded("notes", [f"- {escape(line)}\n" for line in all_notes(report)])
    blocks += _folded("commands that run one cell again", _commands(report))
    return _fit(blocks, limit_bytes)


def _exchange(report: Report) -> list[_Block]:
    """The table of who can read whose files; none without the probe."""
    table = exchange(report)
    if table is None:
        return []
    rows = [["written by", *table.readers], ["---"] * (1 + len(table.readers))]
    rows += [[escape(writer), *map(escape, fields)] for writer, fields in table.rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return [_Block(f"\n### {escape(EXCHANGE)}\n\n{lines}\n", ())]


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line; web addresses stay links."""
    text = numbers.plain(text)
    parts, end = [], 0
    for link in _LINK.finditer(text):
        parts += [_escape(text[end : link.start()]), link.group()]
        end = link.end()
    return "".join([*parts, _escape(text[end:])])


def _escape(text: str) -> str:
    # An empty comment after @ or # keeps GitHub from mentioning a person or linking an issue.
    entities = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
    marked = _REFERENCE.sub(lambda m: m.group() + "\0", text)
    escaped = _SPECIAL.sub(lambda m: entities.get(m.group(), f"\\{m.group()}"), marked)
    return escaped.replace("\0", "<!-- -->")


def _finding(finding: Finding) -> str:
    icon = _ICONS.get(finding.severity.mark, finding.severity.mark.symbol)
    lines = [f"- {icon} **{finding.severity.label}** {escape(finding.sentence)}"]
    lines += [f"  {escape(detail)}" for detail in finding.details]
    lines += [f"  next: {code(line)}" for line in finding.commands]
    return "  \n".join(lines) + "\n"


def code(line: str) -> str:
    """Inline code whose fence is longer than any run of backticks in it."""
    line = numbers.plain(line)
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}"


def _overview(view: Overview) -> list[_Block]:
    """One table per block: Keras down, releases across."""
    blocks = []
    for block in view.blocks:
        title = f"\n**{escape(block.name)}**\n\n" if block.name else "\n"
        head = _line(["", *(f"{framework} {version}" for framework, version in block.columns)])
        rule = "|".join(["---", *(":-:" for _ in block.columns)])
        rows = [
            _line([name, *(_ICONS.get(t.mark, t.symbol) if t.cell else "" for t in tiles)])
            for name, tiles in block.rows
        ]
        blocks.append(_Block(f"{title}{head}|{rule}|\n", tuple(rows)))
    icons = {m.symbol: icon for m, icon in _ICONS.items()}
    legend = " · ".join(f"{icons.get(symbol, symbol)} {meaning}" for symbol, meaning in view.legend if symbol != "·")
    notes = "".join(f"\nThe baseline: {escape(note)}\n" for note in view.baseline_notes)
    return [*blocks, _Block(f"\n{legend}\n{notes}", ())] if blocks else []


def _list(heading: str, lines: Sequence[str]) -> list[_Block]:
    return [_Block(f"\n{heading}\n\n", tuple(lines))] if lines else []


def _folded(heading: str, lines: Sequence[str]) -> list[_Block]:
    if not lines:
        return []
    head = f"\n<details><summary>{len(lines)} {heading}</summary>\n\n"
    return [_Block(head, tuple(lines), "\n</details>\n")]


def _table(table: Table, shared: Cell | None) -> _Block:
    """A table whose failed cells have the reason in the last column.

    Markdown has no cells that span columns.
    """
    headings, texts = labels(table.rows, shared)
    failed = any(row.failed for row in table.rows)
    titles = ["", *headings, *(column.label for column in table.columns)] + ["status"] * failed
    rule = "|".join(["---"] * (1 + len(headings)) + ["--:"] * len(table.columns) + ["---"] * failed)
    head = f"\n### {escape(table.probe)} ({escape(', '.join(title(table)))})\n\n{_line(titles)}|{rule}|\n"
    lines = []
    for framework, rows in table.groups:
        lines.append(_line([f"**{escape(framework)}**", *[""] * (len(titles) - 1)], raw=True))
        lines += [_row(row, texts[row.cell], len(table.columns), failed=failed) for row in rows]
    tail = "".join(f"\n{escape(line)}\n" for line in table.folded)
    return _Block(head, tuple(lines), tail)


def _row(row: Row, named: Sequence[str], columns: int, *, failed: bool) -> str:
    fields = [BASELINE if row.leads else "", *(escape(part) for part in named)]
    for figure in row.figures or (None,) * columns:
        if figure is None:
            fields.append("")
            continue
        marked = f"{escape(figure.text)} {figure.mark.symbol} {escape(figure.delta)}".rstrip()
        fields.append(f"**{marked}**" if figure.mark in (Mark.WORSE, Mark.FIXED) else marked)
    if failed:
        fields.append(_status(row))
    return _line(fields, raw=True)


def _status(row: Row) -> str:
    if row.figures:
        failed = f"{row.failed} of {row.n} failed: {escape(numbers.shorten(row.reason, 160))}" if row.failed else ""
        return failed.removesuffix(": ")
    symbol = _ICONS.get(row.mark, row.mark.symbol)
    expected = " (known)" if row.mark is Mark.EXPECTED else ""
    reason = f": {escape(numbers.shorten(row.reason, 160))}" if row.reason else ""
    return f"{symbol} **{row.status}**{expected}{reason}".lstrip()


def _line(fields: Iterable[str], *, raw: bool = False) -> str:
    shown = [field if raw else escape(field) for field in fields]
    return f"| {' | '.join(shown)} |\n"


def _legend(drawn: Sequence[Table]) -> str:
    parts = [f"{BASELINE} baseline"] if any(row.leads for t in drawn for row in t.rows) else []
    parts += [f"{m.symbol} {m.meaning}" for m in used_marks(drawn)]
    return f"\n{' · '.join(parts)}\n" if parts else ""


def _commands(report: Report) -> list[str]:
    return [_fenced(command(cell_id, report), "sh") for cell_id in cell_ids(report)]


def _logs(report: Report, found: Sequence[Finding]) -> list[str]:
    return [
        f"{escape(where)}\n\n{_fenced(chr(10).join(log), 'text')}\n"
        for where, log in last_lines(report, found, most=_LOG_LINES)
    ]


def _fenced(content: str, language: str) -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", content)), default=0))
    return f"{fence}{language}\n{content}\n{fence}\n"


def _fit(blocks: Sequence[_Block], limit: int) -> str:
    """As many lines as fit.

    A block is begun only if its tail, and the note that something was cut, fit as well.
    """
    left = limit - _size(_CUT)
    out: list[str] = []
    for block in blocks:
        needed = _size(block.head) + _size(block.tail)
        if needed > left:
            return _cut(out, limit)
        out.append(block.head)
        left -= needed
        for line in block.body:
            if _size(line) > left:
                return _cut([*out, block.tail], limit)
            out.append(line)
            left -= _size(line)
        out.append(block.tail)
    return "".join(out)


def _cut(out: Sequence[str], limit: int) -> str:
    text = "".join(out) + _CUT
    return text if _size(text) <= limit else _CUT.encode()[: max(0, limit)].decode()


def _size(text: str) -> int:
    """The bytes of the text as it leaves the program."""
    return len(printable(text).encode())
