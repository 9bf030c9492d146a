"""Trains one LSTM layer and a dense layer on an hourly series of fine dust.

The series is from Beijing. The network predicts the next hour from the last ones.
"""

from __future__ import annotations

from .networks import workload
from .protocol import BadOutputError, one_line

DEFAULTS = {"epochs": 50, "batch": 72, "units": 50, "window": 8, "train_hours": 8760, "test_hours": 8760}

HEADLINES = ("test_loss", "step_s", "first_step_s", "peak_rss_bytes")
"""The figures that a run measures until they are decided; patterns over metric names."""


def run(request, report):
    """Trains and scores the network on the series.

    Settings: ``epochs``, ``batch``, ``units``, ``window`` (hours looked at), ``train_hours``, ``test_hours``.
    """
    import numpy as np

    settings = request.settings_with(DEFAULTS)
    hours = settings["train_hours"] + settings["test_hours"]
    name, table = series(request, hours)
    report.metric("data", name, "exact")
    backend = workload.load(request)
    report.metric("import_s", backend.import_s, "timing", better="lower", unit="s")
    low, high = table[: settings["train_hours"]].min(0), table[: settings["train_hours"]].max(0)
    scaled = ((table - low) / np.where(high > low, high - low, 1.0)).astype("float32")
    train = windows(scaled[: settings["train_hours"]], settings["window"])
    test = windows(scaled[settings["train_hours"] :], settings["window"])
    layers = [("lstm", settings["units"]), ("dense", 1, None)]
    shape = (settings["window"], table.shape[1])
    workload.measure(
        backend, request, report, "", layers, shape, train, test, "mse", settings["epochs"], settings["batch"]
    )
    workload.finish(report)
    report.detail("pm25_range", [low[0], high[0]])


def windows(table, width):
    """Returns ``(x, y)``: windows of rows, and the first column of the row after each.

    ``x`` has every ``width`` consecutive rows, (n, width, columns); ``y`` is (n, 1).
    """
    import numpy as np

    rows = np.arange(len(table) - width)[:, None] + np.arange(width)
    return table[rows], table[width:, :1]


def series(request, hours):
    """Returns ``(name, (hours, 8) float64)`` of the series to train on.

    It is the published series where the request brings it, else a synthetic one.
    """
    if request.data and str(request.data.get("name", "")).startswith("beijing-pm25"):
        table = published(request.data["path"])
        if len(table) < hours:
            raise BadOutputError("the series has %d hours, %d are asked for" % (len(table), hours))
        return "beijing-pm25", table[:hours]
    return "synthetic-pm25", synthetic(hours)


def published(path):
    """Reads ``hours`` of the .npz with the published series.

    The runner made that file (see ``runner/data/pm25.py``).
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            return file["hours"].astype("float64")
    except Exception as error:  # a damaged archive raises whatever zipfile, zlib or NumPy feel like
        raise BadOutputError("cannot read the series: %s" % one_line(error)) from error


def synthetic(hours):
    """Makes a synthetic series with the same columns.

    A dust builds up in calm air and is blown away, with days and seasons.
    """
    import numpy as np

    random = np.random.RandomState(381)
    t = np.arange(hours)
    season, day = np.cos(2 * np.pi * t / 8766.0), np.cos(2 * np.pi * (t - 14) / 24.0)
    wind = np.zeros(hours)
    dust = np.zeros(hours)
    gusts = random.random_sample(hours)
    noise = random.random_sample((hours, 3)) - 0.5
    for k in range(1, hours):
        wind[k] = 0.9 * wind[k - 1] + (12.0 if gusts[k] > 0.97 else 0.3)
        source = 6.0 + 2.0 * season[k] + 8.0 * noise[k, 0]
        dust[k] = max(0.0, dust[k - 1] * (0.98 - 0.006 * min(wind[k], 60.0)) + source)
    temperature = 12.0 - 15.0 * season + 4.0 * day + 2.0 * noise[:, 1]
    dew = temperature - 10.0 - 5.0 * day + 3.0 * noise[:, 2]
    pressure = 1016.0 + 10.0 * season - 0.3 * day
    snow, rain = np.where((gusts < 0.02) & (season > 0.5), 1.0, 0.0), np.where((gusts < 0.05) & (season < 0), 1.0, 0.0)
    direction = np.floor(4 * random.random_sample(hours))
    return np.stack([dust, dew, temperature, pressure, wind, snow, rain, direction], 1)
