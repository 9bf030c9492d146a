"""The report on a terminal.

Every line is laid out here, for a given width, rather than left to a table widget: rows that have no figures need
their whole length for the reason, and a table that is too wide is split into several, never wrapped.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model import Cell
from runner.report import numbers, textlines
from runner.report.data import Finding, Report, all_notes, cell_ids, command, exit_line, subtitle
from runner.report.findings import findings, last_lines, none_found, not_measured
from runner.report.marks import Mark
from runner.report.seeding import HEADING, seeding
from runner.report.table import BASELINE, Figure, Row, Table, common, labels, tables, used_marks
from runner.report.textlines import GAP

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

_MOST_PIECES = 3
"""A table is split into at most this many; columns that still do not fit are named below it."""
_MOST_FINDINGS = 30
_LOG_LINES = 8
_MOST_COMMANDS = 12
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

    from rich.console import Console

    out = io.StringIO()
    print(report, Console(file=out, width=160))
    return out.getvalue()


def draw(report: Report, width: int = 100, *, ascii_only: bool = False, commands: bool = False) -> Group:
    """The whole report as a rich renderable.

    Only addresses and commands are longer than ``width``, never tables. Without ``commands``, at most twelve reproduce
    commands are shown, those of the worst findings first.
    """
    from rich.console import Group

    width = max(_LEAST_WIDTH, width)
    drawn = tables(report)
    shared = common(s.cell for s in report.samples)
    out = [
        textlines.text(numbers.plain(report.title), "bold"),
        *textlines.wrapped(subtitle(report, shared), width, "dim"),
    ]
    for table in drawn:
        out += [textlines.text(""), *_table(table, shared, width)]
    out += [textlines.text(""), *_legend(drawn, width)]
    found = findings(report)
    out += _findings(found, width, none_found(report)) if drawn else []
    for where, log in last_lines(report, found, most=_LOG_LINES):
        out += [
            textlines.text(""),
            textlines.text(f"Last lines of {where}", "bold"),
            *(textlines.text(f"  {line}") for line in log),
        ]
    out += textlines.section(HEADING, seeding(report), width)
    out += textlines.section("Not measured", not_measured(report), width)
    out += textlines.section("Notes", all_notes(report), width)
    out += _commands(report, found, width, everything=commands)
    out += [
        textlines.text(""),
        *textlines.wrapped(exit_line(report), width, _EXIT_STYLES.get(report.exit_code, "bold red")),
    ]
    return Group(*(textlines.ascii_only(line) if ascii_only else line for line in out))


@dataclass(frozen=True, slots=True)
class _Column:
    """A drawn metric column.

    Heading lines, and the widths of the figure and of what follows it.
    """

    index: int
    heading: tuple[str, ...]
    figure: int
    verdict: int

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
    """The table of one probe, in as many pieces as the width asks for."""
    named = _labels(table, shared)
    if width - named.width < _LEAST_METRICS:
        named = named.without_last()
    pieces, dropped = _pack([_column(table, n) for n in range(len(table.columns))], width - named.width)
    low, high = table.rounds
    count = "n=1" if high == 1 else f"median of n={high}" if low == high else f"median of n={low} to {high}"
    out = [textlines.text(numbers.plain(table.probe), "bold").append(f" · {count}", "dim")]
    for number, piece in enumerate(pieces):
        out += [textlines.text("")] if number else []
        out += _piece(table, piece, named, width, first=number == 0)
    hidden = [*(table.columns[c.index].label for c in dropped), *table.hidden]
    if hidden:
        shown = ", ".join(hidden[:8]) + (f" and {len(hidden) - 8} more" if len(hidden) > 8 else "")
        out += textlines.wrapped(f"Also measured: {shown} (--format json has all)", width, "dim")
    return out


def _labels(table: Table, shared: Cell | None) -> _Labels:
    headings, texts = labels(table.rows, shared)
    leads = {row.cell: row.leads for row in table.rows}
    headings = (GAP + headings[0], *headings[1:])
    cut = {
        cell: tuple(
            (f"{BASELINE} " if leads[cell] else GAP) * (n == 0) + numbers.shorten(part, 20)
            for n, part in enumerate(parts)
        )
        for cell, parts in texts.items()
    }
    widths = tuple(
        max(textlines.cells(part) for part in column) for column in zip(headings, *cut.values(), strict=True)
    )
    return _Labels(headings, widths, cut)


def _column(table: Table, index: int) -> _Column:
    drawn = [figure for row in table.rows if row.figures and (figure := row.figures[index])]
    left = max((textlines.cells(figure.text) for figure in drawn), default=1)
    right = max((textlines.cells(_verdict(figure)) for figure in drawn), default=0)
    heading = textwrap.wrap(table.columns[index].label, max(left + right, 13), max_lines=2, placeholder="…")
    widest = max((textlines.cells(line) for line in heading), default=0)
    return _Column(index, tuple(heading) or ("",), max(left, widest - right), right)


def _verdict(figure: Figure) -> str:
    """What follows a figure, with a space before it: `` ✗ +31 %``."""
    return "".join(f" {part}" for part in (figure.mark.symbol, figure.delta) if part)


def _pack(columns: Sequence[_Column], width: int) -> tuple[list[list[_Column]], list[_Column]]:
    """Put the columns, in order, into as few pieces as they fit in.

    Each has at least one. Returns the pieces and the columns past the last piece.
    """
    pieces: list[list[_Column]] = [[]]
    used = 0
    for number, column in enumerate(columns):
        needed = column.width + len(GAP) * bool(pieces[-1])
        if pieces[-1] and used + needed > width:
            if len(pieces) == _MOST_PIECES:
                return pieces, list(columns[number:])
            pieces.append([])
            used, needed = 0, column.width
        pieces[-1].append(column)
        used += needed
    return pieces, []


def _piece(table: Table, piece: Sequence[_Column], named: _Labels, width: int, *, first: bool) -> list[Text]:
    """Heading, rule and rows. Cells without figures are in the first piece only."""
    out = _heading(piece, named)
    rule = len(out)
    for framework, rows in table.groups:
        kept = [row for row in rows if first or row.figures]
        out += [textlines.text(numbers.plain(framework), "bold cyan")] if kept else []
        for row in kept:
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
        line.append(textlines.pad(_verdict(figure), column.verdict), figure.mark.style)
    if row.failed:
        line.append(f"{GAP}{row.failed} of {row.n} failed", "yellow")
    line.rstrip()
    return [line]


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
    """``~ import-failed (expected): register_pytree_node() got ...``."""
    symbol = f"{row.mark.symbol} " if row.mark.symbol else ""
    expected = " (expected)" if row.mark is Mark.EXPECTED else ""
    return f"{symbol}{row.status}{expected}" + (f": {row.reason}" if row.reason else "")


def _legend(drawn: Sequence[Table], width: int) -> list[Text]:
    if not drawn:
        return [textlines.text("No cell was measured.", "bold red")]
    parts = [f"{BASELINE} baseline"] if any(row.leads for t in drawn for row in t.rows) else []
    parts += [f"{m.symbol} {m.meaning}" for m in used_marks(drawn)]
    return textlines.wrapped(textlines.together(parts, width), width, "dim") if parts else []


def _findings(found: Sequence[Finding], width: int, none: str) -> list[Text]:
    out = [textlines.text(""), textlines.text("Findings", "bold")]
    for finding in found[:_MOST_FINDINGS]:
        out += textlines.items(finding.severity.mark.symbol, finding.sentence, width, finding.severity.mark.style)
    if len(found) > _MOST_FINDINGS:
        out.append(textlines.text(f"  and {len(found) - _MOST_FINDINGS} more (--format json has all)", "dim"))
    return out if found else [*out, textlines.text(f"  {none}")]


def _commands(report: Report, found: Sequence[Finding], width: int, *, everything: bool) -> list[Text]:
    """Commands are never wrapped: they are there to be copied."""
    ids = cell_ids(report)
    if not everything:
        known = set(ids)
        ids = list(dict.fromkeys([*(c for f in found for c in f.cells if c in known), *ids]))
    limit = len(ids) if everything else _MOST_COMMANDS
    out = [textlines.text(""), textlines.text("Run one cell again", "bold")] if ids else []
    out += [textlines.text(f"  {command(cell_id, report)}", "dim") for cell_id in ids[:limit]]
    if limit < len(ids):
        out += textlines.wrapped(
            f"and {len(ids) - limit} more: `runner report DIR --commands`, or another cell's id after --only",
            width,
            "dim",
        )
    return out
