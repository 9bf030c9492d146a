"""Divides a run into shares: what one worker runs in one go. Pure.

What is timed stays in its comparison block (see ``runner.measure.blocks``). What is not timed is free: each of its
cells is a share. Probes that read files of other cells, and those that leave such files, need all cells in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.judge import Pair
from runner.matrix import probes as catalogue
from runner.measure import blocks, shards
from runner.model import Cell, ProbeSpec


@dataclass(frozen=True, slots=True)
class Share:
    """Cells that stay together on one worker, and the probes that run in them."""

    machine: str
    """The kind of machine that can run them: one of ``blocks.MACHINES``."""
    cells: tuple[Cell, ...]
    probes: tuple[ProbeSpec, ...]
    apart: bool = False
    """The cells are measured apart from those that they are compared with, as nothing in it is timed."""

    @property
    def processes(self) -> int:
        """How many processes one round has."""
        return sum(probe.runs_in(cell) for probe in self.probes for cell in self.cells)

    @property
    def name(self) -> str:
        """The share in a line for the user."""
        more = f" and {len(self.cells) - 1} more" if len(self.cells) > 1 else ""
        listed = ", ".join(probe.name for probe in self.probes[:3]) + (", ..." if len(self.probes) > 3 else "")
        return f"{self.cells[0].id}{more} ({listed})"

    def seconds(self, rounds: int) -> float:
        """How long its processes are assumed to take."""
        each = (probe for probe in self.probes for cell in self.cells if probe.runs_in(cell))
        return shards.probes_s(each, rounds)

    @property
    def environments(self) -> frozenset[tuple[str, str | None, str]]:
        """What has to be made ready for it: framework with its version, Keras, Python."""
        return frozenset((f"{cell.framework} {cell.version}", cell.keras, cell.python) for cell in self.cells)


def cut(
    cells: Sequence[Cell],
    pairs: Sequence[Pair],
    probes: Sequence[ProbeSpec],
    rounds: int,
    minutes: float,
    *,
    mac: bool = False,
) -> tuple[Share, ...]:
    """Divide a run; the longest shares come first.

    ``minutes``: a block whose processes would take longer is cut between frameworks and devices.
    """
    exchanging = [probe for probe in probes if catalogue.is_read(probe.name) or catalogue.reads(probe.name)]
    others = [probe for probe in probes if probe not in exchanging]
    together = [probe for probe in others if probe.timed or catalogue.headlines(probe.name)]
    free = [probe for probe in others if probe not in together]
    per_cell = shards.probes_s(together, rounds)
    found = [
        Share(block.machine, block.cells, tuple(together))
        for block in blocks.cut(cells, pairs, lambda some: len(some) * per_cell <= 60 * minutes, mac=mac)
    ]
    whole = blocks.cut(cells, _chained(cells), lambda _: True, mac=mac)
    found += [Share(block.machine, block.cells, tuple(exchanging)) for block in whole]
    found += [Share(block.machine, (cell,), tuple(free), apart=True) for block in whole for cell in block.cells]
    narrowed = [one for share in found if (one := _narrowed(share)).processes]
    return tuple(sorted(narrowed, key=lambda share: -share.seconds(rounds)))


def _chained(cells: Sequence[Cell]) -> list[Pair]:
    """Pairs that connect all cells."""
    return [Pair(cells[0], cell, "version") for cell in cells]


def _narrowed(share: Share) -> Share:
    """The share without what does not run in it."""
    cells = tuple(cell for cell in share.cells if any(probe.runs_in(cell) for probe in share.probes))
    probes = tuple(probe for probe in share.probes if any(probe.runs_in(cell) for cell in cells))
    return Share(share.machine, cells, probes, share.apart)


def budget_s(share: Share, all_of_them: Sequence[Share], rounds: int, budget: float | None) -> float | None:
    """The share's part of the budget, in seconds; None without a budget.

    It is in proportion to the assumed time of what can get further rounds, which shares without timings cannot.
    """
    if budget is None:
        return None
    whole = sum(one.seconds(rounds) for one in all_of_them if not one.apart)
    return 0.0 if share.apart or not whole else budget * share.seconds(rounds) / whole
