"""Shares: timed probes in their block, others cell by cell, exchanges whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runner.cluster import shares
from runner.cluster.shares import Share
from runner.judge import rules
from runner.model import Cell, ProbeSpec

MNIST = ProbeSpec("mnist", {}, timed=True)
CONV = ProbeSpec("conv2d", {}, timed=False)
LSTM = ProbeSpec("lstm", {}, timed=True)
SAVING, READING = ProbeSpec("saving", {}, timed=False), ProbeSpec("reading", {}, timed=False)


def _cell(framework: str = "torch", version: str = "2.2.2", keras: str = "3.8.0", device: str = "cpu") -> Cell:
    return Cell(framework, version, keras, "3.11", device)


GRID = [_cell(framework, keras=keras) for framework in ("torch", "jax") for keras in ("3.8.0", "3.11.3")]


def _cut(*probes: ProbeSpec, cells: list[Cell] = GRID, minutes: float = 1e9) -> tuple[Share, ...]:
    return shares.cut(cells, rules.compared(cells, rules.Rules("quick")), probes, 1, minutes)


def test_timed_probes_stay_in_their_block() -> None:
    (share,) = _cut(MNIST, LSTM)
    assert set(share.cells) == set(GRID)
    assert not share.apart
    assert [len(one.cells) for one in _cut(MNIST, minutes=0)] == [2, 2]


def test_what_is_not_timed_is_free_cell_by_cell() -> None:
    found = _cut(MNIST, CONV)
    assert Counter((len(share.cells), share.probes[0].name, share.apart) for share in found) == {
        (4, "mnist", False): 1,
        (1, "conv2d", True): 4,
    }


def test_cells_that_read_each_others_files_are_one_share() -> None:
    found = _cut(SAVING, READING, CONV)
    together = [share for share in found if len(share.cells) > 1]
    assert [({probe.name for probe in share.probes}, len(share.cells)) for share in together] == [
        ({"saving", "reading"}, 4)
    ]


def test_kinds_of_machines_are_apart() -> None:
    found = _cut(MNIST, cells=[_cell(), _cell(device="cuda")])
    assert [(share.machine, len(share.cells)) for share in found] == [("linux", 1), ("cuda", 1)]


def test_a_probe_of_some_cells_is_in_their_shares_only() -> None:
    found = _cut(replace(MNIST, cells=("torch-*",)))
    assert [{cell.framework for cell in share.cells} for share in found] == [{"torch"}]


def test_the_budget_is_divided_by_what_can_use_it() -> None:
    found = _cut(MNIST, CONV, minutes=0)
    parts = {share.name: shares.budget_s(share, found, 1, 600.0) for share in found}
    assert sum(part or 0.0 for part in parts.values()) == 600.0
    assert all(part == 0.0 for share, part in zip(found, parts.values(), strict=True) if share.apart)
    assert shares.budget_s(found[0], found, 1, None) is None


@given(
    st.lists(
        st.builds(
            _cell,
            st.sampled_from(["tensorflow", "torch", "jax"]),
            st.sampled_from(["1.0", "2.0", "2.1"]),
            st.sampled_from(["3.0.5", "3.8.0"]),
            st.sampled_from(["cpu", "cuda"]),
        ),
        unique=True,
        min_size=1,
        max_size=30,
    ),
    st.lists(st.sampled_from([MNIST, CONV, LSTM, SAVING, READING]), unique_by=lambda probe: probe.name, min_size=1),
    st.floats(0, 100),
)
def test_every_process_is_in_one_share(cells: list[Cell], probes: list[ProbeSpec], minutes: float) -> None:
    found = _cut(*probes, cells=cells, minutes=minutes)
    placed = Counter((cell, probe.name) for share in found for cell in share.cells for probe in share.probes)
    assert placed == {(cell, probe.name): 1 for cell in cells for probe in probes}
