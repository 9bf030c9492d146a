"""The report on a terminal.

Every line is laid out here, for a given width, rather than left to a table widget: rows that have no figures need
their whole length for the reason, and columns for which there is no room are named below the table, never wrapped.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model import Cell
from runner.report import bands, exchange, numbers, textlines
from runner.report.answer import Answer, answer
from runner.report.data import Finding, Report, Severity, all_notes, cell_ids, command, exit_line, subtitle
from runner.report.failures import last_lines, not_measured
from runner.report.findings import none_found
from runner.report.labels import AGAINST, common, labels, references, title, used_marks
from runner.report.marks import BASELINE, Mark
from runner.report.rows import Figure, Row, Table
from runner.report.seeding import HEADING, seeding
from runner.report.textlines import GAP

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

_MOST_FINDINGS = 12
_LABEL = 11
"""The width of the word before a finding."""
_SCREEN = 24
"""A longer report says the worst findings again at its end, where the reader of a terminal is."""
_MOST_REPEATED = 3
_LOG_LINES = 8
_LEAST_WIDTH = 40
_LEAST_METRICS = 24
"""Where less width than this is left for figures, the column that says what a row is compared with goes."""
_EXIT_STYLES = {0: "bold green", 3: "bold yellow", 130: "bold yellow"}


def print(report: Report, console: Console, *, commands: bool = False) -> None:  # noqa: A001 - terminal.print reads best
    """Write the report to the console, as wide as that is.

    In ASCII where its encoding has nothing else.
    """
    drawn = draw(report, console.width, ascii_only=textlines.needs_ascii(console), commands=commands)
    console.print(drawn, soft_wrap=True)


def render(report: Report) -> str:
    """The report as text without colours, 160 columns wide."""
    import io

    from runner.report.console import Screen

    out = io.StringIO()
    print(report, Screen(file=out, width=160))
    return out.getvalue()


def draw(report: Report, width: int = 100, *, ascii_only: bool = False, commands: bool = False) -> Group:
    """The whole report: the answer, the overview, then the figures.

    Only addresses and commands are longer than ``width``, never tables. ``commands``: the command that measures each
    cell again, in place of one pattern.
    """
    from rich.console import Group

    width = max(_LEAST_WIDTH, width)
    said = answer(report)
    shared = common(s.cell for s in report.samples)
    out = [
        *textlines.wrapped(numbers.plain(report.title), width, "bold"),
        *textlines.wrapped(subtitle(report, shared), width, "dim"),
        textlines.text(""),
    ]
    if report.samples:
        out += _findings(report, said.findings, width)
        out += bands.lines(said.overview, width)
    else:
        out += [textlines.text("No cell was measured.", "bold red")]
    for table in said.tables:
        out += [textlines.text(""), *_table(table, shared, width)]
    out += _legend(said.tables, width)
    for where, log in last_lines(report, said.findings, most=_LOG_LINES):
        out += [
            textlines.text(""),
            *textlines.wrapped(f"Last lines of {where}", width, "bold"),
            *(textlines.text(part) for line in log for part in _log_line(line, width)),
        ]
    out += textlines.section(HEADING, seeding(report), width)
    out += _exchange(report, width)
    out += textlines.section("Not measured", not_measured(report), width)
    out += textlines.section("Notes", all_notes(report), width)
    out += _commands(report, width, everything=commands)
    out += _ending(report, said, width, long=len(out) > _SCREEN)
    return Group(*(textlines.ascii_only(line) if ascii_only else line for line in out))


def _exchange(report: Report, width: int) -> list[Text]:
    """The table of who can read whose files; empty without the probe."""
    lines = exchange.lines(report)
    if not lines:
        return []
    return [textlines.text(""), *textlines.wrapped(exchange.HEADING, width, "bold"), *map(textlines.text, lines)]


def _ending(report: Report, said: Answer, width: int, *, long: bool) -> list[Text]:
    """The exit code; after a long report the worst findings again."""
    out = [textlines.text("")]
    worst = [f for f in said.findings if f.severity <= Severity.FIXED] if long else []
    for finding in worst[:_MOST_REPEATED]:
        out += _labelled(finding, width)
    if len(worst) > _MOST_REPEATED:
        out.append(textlines.text(f"{' ' * _LABEL}and {len(worst) - _MOST_REPEATED} more, above", "dim"))
    return [*out, *textlines.wrapped(exit_line(report), width, _EXIT_STYLES.get(report.exit_code, "bold red"))]


@dataclass(frozen=True, slots=True)
class _Column:
    """A drawn metric column.

    Heading lines, and the widths of the figure and of what follows it.
    """

    index: int
    heading: tuple[str, ...]
    figure: int
    verdict: int
    tight: bool
    """Whether there is no space after the mark, and no unit after points."""

    @property
    def width(self) -> int:
        return self.figure + self.verdict


@dataclass(frozen=True, slots=True)
class _Labels:
    """The columns at the left that name a row.

    Headings, widths, and the texts per row.
    """

    headings: tuple[str, ...]
    widths: tuple[int, ...]
    texts: dict[Cell, tuple[str, ...]]

    @property
    def width(self) -> int:
        return sum(self.widths) + len(GAP) * len(self.widths)

    def without_last(self) -> _Labels:
        """Without the least important column, ``against``, for a narrow terminal."""
        keep = slice(max(1, len(self.widths) - 1))
        return _Labels(self.headings[keep], self.widths[keep], {c: t[keep] for c, t in self.texts.items()})


def _table(table: Table, shared: Cell | None, width: int) -> list[Text]:
    """The table of one probe. Columns that do not fit are named below it."""
    named = _labels(table, shared)
    fitting, dropped = _fit(_columns(table), width - named.width)
    if dropped:
        fitting, dropped = _fit(_columns(table, tight=True), width - named.width)
    once = all(len(references(rows)) < 2 for _, rows in table.groups)
    in_groups = bool(dropped and named.headings[-1] == AGAINST and once)
    if in_groups or width - named.width < _LEAST_METRICS:
        named = named.without_last()
        fitting, dropped = _fit(_columns(table, tight=True), width - named.width)
    out = [textlines.text(numbers.plain(table.probe), "bold").append(f" · {' · '.join(title(table))}", "dim")]
    out += _rows(table, fitting, named, width, in_groups=in_groups)
    if dropped:
        shown = ", ".join(table.columns[column.index].label for column in dropped)
        out += textlines.wrapped(f"No room for: {shown} (a wider terminal or --format json)", width, "dim")
    for line in table.folded:
        out += textlines.wrapped(line, width, "dim")
    return out


def _labels(table: Table, shared: Cell | None) -> _Labels:
    headings, texts = labels(table.rows, shared)
    leads = {row.cell: row.leads for row in table.rows}
    cut = {
        cell: ((f"{BASELINE} " if leads[cell] else GAP) + textlines.short(parts[0]), *map(textlines.short, parts[1:]))
        for cell, parts in texts.items()
    }
    widths = tuple(
        max(textlines.cells(part) for part in column) for column in zip(headings, *cut.values(), strict=True)
    )
    return _Labels(headings, widths, cut)


def _columns(table: Table, *, tight: bool = False) -> list[_Column]:
    return [_column(table, number, tight=tight) for number in range(len(table.columns))]


def _column(table: Table, index: int, *, tight: bool) -> _Column:
    drawn = [figure for row in table.rows if row.figures and (figure := row.figures[index])]
    left = max((textlines.cells(figure.text) for figure in drawn), default=1)
    right = max((textlines.cells(_verdict(figure, tight=tight)) for figure in drawn), default=0)
    heading = textwrap.wrap(table.columns[index].label, max(left + right, 13), max_lines=2, placeholder="…")
    widest = max((textlines.cells(line) for line in heading), default=0)
    return _Column(index, tuple(heading) or ("",), max(left, widest - right), right, tight)


def _verdict(figure: Figure, *, tight: bool) -> str:
    """What follows a figure, with a space before it.

    `` ✗ ×1.31``, in tight columns `` ✗×1.31``.
    """
    if tight and figure.delta.startswith(("×", "+", "−")):
        return f" {figure.mark.symbol}{figure.delta.replace(' pts', '')}"
    return "".join(f" {part}" for part in (figure.mark.symbol, figure.delta) if part)


def _fit(columns: Sequence[_Column], width: int) -> tuple[list[_Column], list[_Column]]:
    """The columns that fit, in order and at least one, and the others."""
    fitting: list[_Column] = []
    dropped: list[_Column] = []
    used = 0
    for column in columns:
        needed = column.width + len(GAP) * bool(fitting)
        if fitting and used + needed > width:
            dropped.append(column)
        else:
            fitting.append(column)
            used += needed
    return fitting, dropped


def _rows(table: Table, piece: Sequence[_Column], named: _Labels, width: int, *, in_groups: bool) -> list[Text]:
    """Headings, a rule, and the rows by framework.

    ``in_groups``: the framework's line names the baseline.
    """
    out = _heading(piece, named)
    rule = len(out)
    for framework, rows in table.groups:
        out.append(textlines.text(numbers.plain(framework), "bold cyan"))
        if in_groups and (told := references(rows)):
            out[-1].append(f" · {AGAINST} {numbers.plain(told.pop())}", "dim")
        for row in rows:
            out += _row(row, piece, named, width)
    out.insert(rule, textlines.text("─" * min(width, max(line.cell_len for line in out)), "dim"))
    for line in out:
        line.truncate(width, overflow="ellipsis")
    return out


def _heading(piece: Sequence[_Column], named: _Labels) -> list[Text]:
    height = max([1, *(len(c.heading) for c in piece)])
    out = []
    for level in range(height):
        bottom = level == height - 1
        parts = [textlines.pad(h if bottom else "", w) for h, w in zip(named.headings, named.widths, strict=True)]
        for column in piece:
            heading = ("",) * (height - len(column.heading)) + column.heading
            parts.append(textlines.pad(_right(heading[level], column.figure), column.width))
        out.append(textlines.text(GAP.join(parts).rstrip(), "dim"))
    return out


def _right(content: str, width: int) -> str:
    return " " * max(0, width - textlines.cells(content)) + content


def _row(row: Row, piece: Sequence[_Column], named: _Labels, width: int) -> list[Text]:
    line = textlines.text("")
    for part, part_width in zip(named.texts[row.cell], named.widths, strict=True):
        line.append(textlines.pad(part, part_width) + GAP, "bold" if row.leads else "")
    if not row.figures:
        return _status(row, line, width)
    for number, column in enumerate(piece):
        figure = row.figures[column.index]
        line.append(GAP if number else "")
        if figure is None:
            line.append(_right("·", column.figure) + " " * column.verdict, "dim")
            continue
        line.append(_right(figure.text, column.figure))
        line.append(textlines.pad(_verdict(figure, tight=column.tight), column.verdict), figure.mark.style)
    line.rstrip()
    if not row.failed:
        return [line]
    told = f"{row.failed} of {row.n} failed"
    if line.cell_len + len(GAP + told) <= width:
        return [line.append(f"{GAP}{told}", "yellow")]
    return [line, textlines.text(GAP * 2).append(told, "yellow")]


def _status(row: Row, line: Text, width: int) -> list[Text]:
    """A row without figures: its status over the metric columns.

    The reason takes at most one further line.
    """
    start = line.cell_len
    content = status_text(row)
    broken = textwrap.wrap(content, max(16, width - start), subsequent_indent=GAP, max_lines=2, placeholder=" …")
    style = row.mark.style or "yellow"
    first, *more = broken or [content]
    return [line.append(first, style), *(textlines.text(" " * start).append(part, style) for part in more)]


def status_text(row: Row) -> str:
    """``~ import-failed (known): register_pytree_node() got ...``."""
    symbol = f"{row.mark.symbol} " if row.mark.symbol else ""
    expected = " (known)" if row.mark is Mark.EXPECTED else ""
    return f"{symbol}{row.status}{expected}" + (f": {row.reason}" if row.reason else "")


def _legend(drawn: Sequence[Table], width: int) -> list[Text]:
    """The symbols of the tables, and what their figures and labels mean."""
    if not drawn:
        return []
    parts = [f"{BASELINE} baseline"] if any(row.leads for t in drawn for row in t.rows) else []
    parts += [f"{m.symbol} {m.meaning}" for m in used_marks(drawn)]
    labels = {column.label for table in drawn for column in table.columns}
    figures = [figure for table in drawn for row in table.rows for figure in row.figures if figure]
    parts += [text for wanted, text in _EXPLAINED if any(wanted in label for label in labels)]
    if any("accuracy" in label for label in labels) and any(table.rounds[1] > 1 for table in drawn):
        parts.append("accuracy: the mean of the runs")
    if any("×" in figure.delta for figure in figures):
        parts.append("×: compared run by run, so not exactly the ratio of the figures shown")
    return [textlines.text(""), *textlines.wrapped(textlines.together(parts, width), width, "dim")] if parts else []


_EXPLAINED = (
    ("free", "free: trained as a user would"),
    ("controlled", "controlled: equal weights and batches, no dropout"),
    ("error", "u: units of float32 rounding, up to 8 is rounding"),
)
"""What a part of a column's label means."""


def _findings(report: Report, found: Sequence[Finding], width: int) -> list[Text]:
    if not found:
        return [textlines.text(none_found(report))]
    out: list[Text] = []
    shown = found[:_MOST_FINDINGS]
    shown = (*shown, *(f for f in found[_MOST_FINDINGS:] if f.severity >= Severity.UNDECIDED))
    advised: set[tuple[str, ...]] = set()
    for finding in shown:
        out += _labelled(finding, width)
        for detail in finding.details:
            out += textlines.items(" " * (_LABEL - 1), detail, width)
        for line in finding.commands if _is_advised(finding, advised) else ():
            out.append(textlines.text(" " * _LABEL).append(f"next: {line}", "dim"))
        advised.add(finding.cells)
    if len(shown) < len(found):
        out.append(textlines.text(f"{' ' * _LABEL}and {len(found) - len(shown)} more (--format html has all)", "dim"))
    return out


def _is_advised(finding: Finding, advised: Collection[tuple[str, ...]]) -> bool:
    """Whether the commands are printed.

    Those of the first finding about a cell are, and those about its past.
    """
    return finding.severity is Severity.CHANGED or finding.cells not in advised


def _labelled(finding: Finding, width: int) -> list[Text]:
    """The finding's word and its sentence, later lines indented under it."""
    label = finding.severity.label.ljust(_LABEL - 1)
    return textlines.items(label, finding.sentence, width, finding.severity.mark.style)


def _log_line(line: str, width: int) -> list[str]:
    """A line that a process printed, indented and broken to the terminal's width."""
    room = width - len(GAP)
    return [GAP + line[start : start + room] for start in range(0, max(1, len(line)), room)]


def _commands(report: Report, width: int, *, everything: bool) -> list[Text]:
    """How to measure one cell again.

    Commands are never wrapped: they are there to be copied.
    """
    ids = cell_ids(report)
    if not ids:
        return []
    heading = "Measure one combination again"
    heading += "" if everything or len(ids) == 1 else ": this one, or another's (runner report DIR --commands has them)"
    out = [textlines.text(""), *textlines.wrapped(heading, width, "bold")]
    if everything:
        return [*out, *(textlines.text(f"  {command(cell_id, report)}", "dim") for cell_id in ids)]
    pattern = command(ids[0], report).partition(" --probe ")[0].partition(" --fresh")[0]
    rest = report.invocation and f" {numbers.plain(report.invocation)}"
    return [*out, textlines.text(f"  {pattern} --fresh{rest}", "dim")]
