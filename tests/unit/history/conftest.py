"""Runs to keep in a history: made of samples, without a judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner import history
from runner.history.data import Entry, Found
from runner.model import Better, Cell, Comparison, Kind, Metric, Sample, Status

HOST = {"host": "atlas", "cpu": "EPYC", "probe_hash": "p1", "settings": "s1", "data": "d1"}


TORCH = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")


@dataclass
class Lab:
    """Makes runs. Every run begins at 01:17 of a day of November 2026."""

    path: Path
    cell: Cell = TORCH

    def sample(
        self, day: int = 1, round_: int = 0, value: float = 1.0, cell: Cell | None = None, **more: Any
    ) -> Sample:
        """One process; ``value`` is its step time."""
        began = datetime(2026, 11, 1, 1, 17, tzinfo=UTC) + timedelta(days=day - 1, minutes=round_)
        status = more.pop("status", Status.OK)
        metrics = (
            Metric("step_s", value, Kind.TIMING, Better.LOWER, "s"),
            Metric("accuracy", value / 2, Kind.SEEDED, Better.HIGHER),
            Metric("digest", "abc", Kind.EXACT),
        )
        return Sample(
            cell or self.cell,
            "e",
            more.pop("probe", "mnist"),
            more.pop("settings", {"epochs": 1}),
            round_,
            round_,
            "docker",
            status,
            more.pop("reason", ""),
            more.pop("metrics", metrics if status is Status.OK else ()),
            fingerprint=more.pop("fingerprint", HOST),
            started=more.pop("started", began.isoformat(timespec="seconds")),
            key=more.pop("key", "k"),
            wall_s=more.pop("wall_s", 1.5),
            **more,
        )

    def finding(self, name: str = "slow", **more: Any) -> Found:
        """A finding about the lab's cell and the probe mnist."""
        cells = more.pop("cells", (self.cell.id,))
        probes = more.pop("probes", ("mnist",))
        severity = more.pop("severity", "regressed")
        return Found(name, more.pop("kin", ""), severity, f"it is {name}", cells, probes, "", more.pop("release", ""))

    def entry(self, *samples: Sample, findings: Sequence[Found] = (), **more: Any) -> Entry:
        """A run of the set quick."""
        comparisons: Sequence[Comparison] = more.pop("comparisons", ())
        return Entry(more.pop("set_name", "quick"), samples, tuple(comparisons), tuple(findings), more.pop("code", 0))

    def days(self, values: Mapping[int, float], **more: Any) -> list[Entry]:
        """A run of one process for each day."""
        return [self.entry(self.sample(day, value=value, **more)) for day, value in values.items()]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "history.sqlite")


@pytest.fixture
def database(lab: Lab) -> Iterator[history.History]:
    """An empty history, open to write."""
    with history.open(lab.path) as opened:
        yield opened
