"""Packs the hourly fine dust of Beijing for the lstm probe.

UCI Machine Learning Repository 381.
"""

from __future__ import annotations

import csv
from pathlib import Path

from runner.data.files import save
from runner.errors import UsageError

COLUMNS = ("pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir")
"""The columns used besides the direction of the wind (``cbwd``), as the published file names them."""

WINDS = ("cv", "NE", "NW", "SE")


def pack(source: Path, target: Path) -> None:
    """Write ``hours``, (n, 8) float64.

    They are ``COLUMNS`` and the wind's direction as its place in ``WINDS``. From the second day on, when dust was first
    measured; gaps hold the last value. Raises UsageError where the file is another.
    """
    import numpy as np

    rows: list[list[float]] = []
    last: float | None = None
    try:
        with source.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["pm2.5"] not in ("", "NA"):
                    last = float(row["pm2.5"])
                if last is not None:
                    others = [float(row[column]) for column in COLUMNS[1:]]
                    rows.append([last, *others, float(WINDS.index(row["cbwd"]))])
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise UsageError(f"--data beijing-pm25={source}: is not the published CSV: {error}") from None
    if not rows:
        raise UsageError(f"--data beijing-pm25={source}: is not the published CSV: no hours with a measurement")
    save(target, hours=np.array(rows))
