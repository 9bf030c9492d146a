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
from runner.report import figures
from runner.report.data import Report, command, exit_line
from runner.report.findings import Finding, findings, not_measured
from runner.report.table import Figure, Mark, Row, Table, common, tables, used_marks

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

_GAP = "  "
_MOST_TABLES = 3
_MOST_FINDINGS = 30
_MOST_COMMANDS = 12
_LEAST_WIDTH = 40
_ASCII = str.maketrans({
    "◆": ">", "✗": "x", "✓": "+", "≠": "#", "Δ": "d", "…": "~", "─": "-", "·": "-", "×": "x", "−": "-", "–": "-",
    "µ": "u", "∞": "inf",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Column:
    """A drawn metric column: heading lines, and the widths of the figure and of what follows it."""

    index: int
    heading: tuple[str, ...]
    figure: int
    verdict: int

    @property
    def width(self) -> int:
        return self.figure + self.verdict


def print(report: Report, console: Console, *, commands: bool = False) -> None:  # noqa: A001 - terminal.print reads best
    """Write the report to the console, as wide as that is; in ASCII where its encoding has nothing else."""
    ascii_only = "utf" not in console.encoding.lower()
    console.print(render(report, console.width, ascii_only=ascii_only, commands=commands), soft_wrap=True)


def render(report: Report, width: int = 100, *, ascii_only: bool = False, commands: bool = False) -> Group:
    """The whole report as a rich renderable of lines no longer than ``width``.

    ``commands`` adds every cell's reproduce command; without it only those of cells in findings are shown.
    """
    from rich.console import Group

    width = max(_LEAST_WIDTH, width)
    drawn = tables(report)
    shared = common(s.cell for s in report.samples)
    lines = [_text(figures.plain(report.title), "bold")]
    if shared is not None:
        lines += _wrapped(_subtitle(report, shared), width, style="dim")
    for table in drawn:
        lines += [_text(""), *_table_lines(table, shared, width)]
    if drawn:
        lines += [_text(""), *_legend(drawn, width)]
    else:
        lines += [_text(""), _text("No cell was measured.", "bold red")]
    found = findings(report)
    lines += _findings_lines(found, width) if drawn else []
    lines += _section("Not measured", not_measured(report), width)
    lines += _section("Notes", [figures.plain(n) for n in dict.fromkeys(notes(report))], width)
    lines += _command_lines(report, found, width, everything=commands)
    style = {0: "green", 1: "bold red", 3: "yellow"}.get(report.exit_code, "bold red")
    lines += [_text(""), *_wrapped(exit_line(report), width, style=style)]
    return Group(*(_ascii(line) if ascii_only else line for line in lines))


def notes(report: Report) -> list[str]:
    """The report's notes, then those of its samples, each once, with how many cells it concerns."""
    cells: dict[str, set[str]] = {}
    for sample in report.samples:
        for note in sample.notes:
            cells.setdefault(figures.plain(note), set()).add(sample.cell.id)
    total = len({s.cell.id for s in report.samples})
    counted = [
        note if len(ids) == total else f"{note} ({next(iter(ids)) if len(ids) == 1 else f'{len(ids)} cells'})"
        for note, ids in cells.items()
    ]
    return [*[figures.plain(n) for n in report.notes], *counted]


def _subtitle(report: Report, shared: Cell) -> str:
    cells = len({s.cell.id for s in report.samples})
    parts = [f"{cells} {'cell' if cells == 1 else 'cells'}", f"{len(report.samples)} processes"]
    parts += [f"Python {shared.python}"] if shared.python else []
    parts += [shared.device] if shared.device else []
    parts += [shared.variant] if shared.variant else []
    return figures.plain(" · ".join(parts))


def _table_lines(table: Table, shared: Cell | None, width: int) -> list[Text]:
    """The table of one probe, in as many pieces as the width asks for."""
    labels = _labels(table, shared)
    columns = [_column(table, index) for index in range(len(table.columns))]
    left = sum(labels.widths) + len(_GAP) * len(labels.widths)
    pieces, dropped = _pack(columns, width - left)
    low, high = table.rounds
    count = f"n={high}" if low == high else f"n={low} to {high}"
    lines = [
        _text(f"{figures.plain(table.probe)}", "bold").append(f" · median of {count}" if high > 1 else " · n=1", "dim")
    ]
    for number, piece in enumerate(pieces):
        if number:
            lines.append(_text(""))
        lines += _piece_lines(table, piece, labels, width, first=number == 0)
    hidden = [*(table.columns[c.index].label for c in dropped), *table.hidden]
    if hidden:
        lines += _wrapped(f"Not shown here: {', '.join(hidden)} (--format json has all)", width, style="dim")
    return lines


@dataclass(frozen=True, slots=True)
class _Labels:
    """The columns at the left that name a row: headings, widths, and the texts per row."""

    headings: tuple[str, ...]
    widths: tuple[int, ...]
    texts: dict[Cell, tuple[str, ...]]


def _labels(table: Table, shared: Cell | None) -> _Labels:
    """Columns for what tells the rows apart; what all cells share is said once, above the tables."""
    rows = table.rows
    fields = [("  version", [("◆ " if r.leads else _GAP) + _label(r.cell.version) for r in rows])]
    if any(r.cell.keras for r in rows):
        fields.append(("keras", [_label(r.cell.keras or "native") for r in rows]))
    for axis in ("python", "device", "variant"):
        if not getattr(shared, axis, ""):
            fields.append((axis, [_label(getattr(r.cell, axis)) for r in rows]))
    fields.append(("against", [_label(r.against) for r in rows]))
    kept = [(heading, texts) for heading, texts in fields if any(texts)]
    widths = tuple(max(_cells(text) for text in [heading, *texts]) for heading, texts in kept)
    by_cell = {row.cell: tuple(texts[number] for _, texts in kept) for number, row in enumerate(rows)}
    return _Labels(tuple(heading for heading, _ in kept), widths, by_cell)


def _label(text: str) -> str:
    return figures.shorten(figures.plain(text), 20)


def _column(table: Table, index: int) -> _Column:
    column = table.columns[index]
    drawn = [row.figures[index] for row in table.rows if row.figures]
    figure = max((_cells(f.text) for f in drawn if f), default=1)
    verdict = max((_cells(_verdict(f)) for f in drawn if f), default=0)
    heading = _heading(column.label, max(figure + verdict, 11))
    widest = max(_cells(line) for line in heading)
    return _Column(index, heading, max(figure, widest - verdict), verdict)


def _heading(label: str, width: int) -> tuple[str, ...]:
    return tuple(textwrap.wrap(label, width, break_long_words=False) or [""])[:2]


def _verdict(figure: Figure) -> str:
    """What follows a figure, with a space before it: `` ✗ +31 %``."""
    text = " ".join(part for part in (figure.mark.symbol, figure.delta) if part)
    return f" {text}" if text else ""


def _pack(columns: Sequence[_Column], width: int) -> tuple[list[list[_Column]], list[_Column]]:
    """Columns in order into as few pieces as they fit in, each with at least one; the rest past the last piece."""
    pieces: list[list[_Column]] = [[]]
    used = 0
    for number, column in enumerate(columns):
        needed = column.width + len(_GAP) * bool(pieces[-1])
        if pieces[-1] and used + needed > width:
            if len(pieces) == _MOST_TABLES:
                return pieces, list(columns[number:])
            pieces.append([])
            used, needed = 0, column.width
        pieces[-1].append(column)
        used += needed
    return pieces, []


def _piece_lines(table: Table, piece: Sequence[_Column], labels: _Labels, width: int, *, first: bool) -> list[Text]:
    lines = _heading_lines(piece, labels)
    ruled = min(width, max(len(line.plain) for line in lines))
    lines.append(_text("─" * ruled, "dim"))
    for framework, rows in table.groups:
        kept = [row for row in rows if first or row.figures]
        if kept:
            lines.append(_text(figures.plain(framework), "bold cyan"))
        for row in kept:
            lines += _row_lines(row, piece, labels, width)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _heading_lines(piece: Sequence[_Column], labels: _Labels) -> list[Text]:
    height = max([1, *(len(c.heading) for c in piece)])
    lines = []
    for level in range(height):
        bottom = level == height - 1
        parts = [(h if bottom else "").ljust(w) for h, w in zip(labels.headings, labels.widths, strict=True)]
        for column in piece:
            heading = ("",) * (height - len(column.heading)) + column.heading
            parts.append((" " * max(0, column.figure - len(heading[level])) + heading[level]).ljust(column.width))
        lines.append(_text(_GAP.join(parts).rstrip(), "dim"))
    return lines


def _row_lines(row: Row, piece: Sequence[_Column], labels: _Labels, width: int) -> list[Text]:
    line = _text("")
    for text, label_width in zip(labels.texts[row.cell], labels.widths, strict=True):
        line.append(_pad(text, label_width) + _GAP, "bold" if row.leads else "")
    if not row.figures:
        return _status_lines(row, line, width)
    for number, column in enumerate(piece):
        figure = row.figures[column.index]
        line.append(_GAP if number else "")
        if figure is None:
            line.append("·".rjust(column.figure) + " " * column.verdict, "dim")
            continue
        line.append(" " * (column.figure - _cells(figure.text)) + figure.text)
        line.append(_pad(_verdict(figure), column.verdict), figure.mark.style)
    line.rstrip()
    if row.failed:
        line.append(f"{_GAP}{row.failed} of {row.n} failed", "yellow")
    return [line]


def _status_lines(row: Row, line: Text, width: int) -> list[Text]:
    """A row without figures: its status over the metric columns, the reason on at most one further line."""
    start = line.cell_len
    drawn = row.mark
    symbol = f"{drawn.symbol} " if drawn is not Mark.NONE else ""
    expected = " (expected)" if drawn is Mark.EXPECTED else ""
    text = f"{symbol}{row.status}{expected}" + (f": {row.reason}" if row.reason else "")
    room = max(16, width - start)
    wrapped = textwrap.wrap(text, room, subsequent_indent="  ", max_lines=2, placeholder=" …") or [text]
    style = drawn.style or "yellow"
    lines = [line.append(wrapped[0], style)]
    lines += [_text(" " * start).append(more, style) for more in wrapped[1:]]
    return lines


def _legend(drawn: Sequence[Table], width: int) -> list[Text]:
    parts = [f"{m.symbol} {m.meaning}" for m in used_marks(drawn)]
    if any(row.leads for t in drawn for row in t.rows):
        parts.insert(0, "◆ baseline")
    return _wrapped(_GAP.join(part.replace(" ", "\u00a0") for part in parts), width, style="dim") if parts else []


def _findings_lines(found: Sequence[Finding], width: int) -> list[Text]:
    lines = [_text(""), _text("Findings", "bold")]
    if not found:
        return [*lines, _text("  No difference was found.")]
    for finding in found[:_MOST_FINDINGS]:
        drawn = finding.severity.mark
        first = f"{drawn.symbol} "
        wrapped = _wrap(finding.text, width - 2)
        lines += [_text(first if n == 0 else _GAP, drawn.style).append(line, "") for n, line in enumerate(wrapped)]
    if len(found) > _MOST_FINDINGS:
        lines.append(_text(f"  and {len(found) - _MOST_FINDINGS} more (--format json has all)", "dim"))
    return lines


def _section(heading: str, items: Sequence[str], width: int) -> list[Text]:
    if not items:
        return []
    lines = [_text(""), _text(heading, "bold")]
    for item in items[:_MOST_FINDINGS]:
        lines += [_text(("- " if n == 0 else _GAP) + line) for n, line in enumerate(_wrap(item, width - 2))]
    if len(items) > _MOST_FINDINGS:
        lines.append(_text(f"  and {len(items) - _MOST_FINDINGS} more (--format json has all)", "dim"))
    return lines


def _command_lines(report: Report, found: Sequence[Finding], width: int, *, everything: bool) -> list[Text]:
    """Commands are never wrapped: they are there to be copied."""
    cells = list(dict.fromkeys(s.cell.id for s in report.samples))
    if not cells:
        return []
    if not everything:
        named = [c for f in found for c in f.cells if c in set(cells)]
        cells = list(dict.fromkeys([*named, *cells]))
    limit = len(cells) if everything or len(cells) <= _MOST_COMMANDS else _MOST_COMMANDS
    lines = [_text(""), _text("Run one cell again", "bold")]
    lines += [_text(f"  {figures.plain(command(c, report))}", "dim") for c in cells[:limit]]
    if limit < len(cells):
        lines += _wrapped(f"  and {len(cells) - limit} more: put another cell's id after --only", width, style="dim")
    return lines


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(16, width), break_on_hyphens=False) or [""]


def _wrapped(text: str, width: int, style: str = "") -> list[Text]:
    return [_text(line.replace("\u00a0", " "), style) for line in _wrap(text, width)]


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _pad(text: str, width: int) -> str:
    return text + " " * max(0, width - _cells(text))


def _text(text: str, style: str = "") -> Text:
    """Never markup: what a framework or a file says is shown as it is."""
    from rich.text import Text

    line = Text(no_wrap=True, overflow="ignore", end="")
    line.append(text, style)
    line.end = "\n"
    return line


def _ascii(line: Text) -> Text:
    """The same line, symbols replaced one for one so that columns stay where they are."""
    plain = line.plain.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    if len(plain) != len(line.plain):
        return _text(plain)
    line.plain = plain
    return line
