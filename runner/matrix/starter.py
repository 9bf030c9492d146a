"""The text of a new configuration, and the tables of a new probe in one. Pure."""

from __future__ import annotations

import re

from runner.matrix import configuration, frameworks, sets

SET = "mine"
"""The name of the set in a new configuration."""

_FILE = """\
# What keras-version-matrix runs for this repository: sets, probes and known failures. Every command that takes --set
# finds this file, from its own folder and from all folders below it. A wrong key is answered with the nearest key.

# Version of this format.
schema = {schema}

# The set that runs where no --set is given. The program's own sets remain: `{program} list --sets` prints all.
default = "{name}"

# Measuring time within which undecided figures are measured again, for sets that give none. Without it: one round.
budget = "10m"

# Known failures, which do not fail a run. `{program} expect out --update` writes the file.
# expectations = "keras-expectations.toml"

# A set: cells, and the probes that run in each of them.
[sets.{name}]
description = "{framework} with two releases of Keras"
# Which cells are baselines, best first: patterns over the ids that `{program} list` prints.
prefer = ["*_keras-{keras}_*"]
# What all environments have in addition, for your probes.
# packages = ["scipy==1.15.3"]

# A product: every combination of its values is a cell. `latest` is the release that `{program} lock --upgrade`
# recorded; `native` in place of a Keras release is the framework without Keras.
[[sets.{name}.product]]
framework = ["{framework}"] # {frameworks}
version = ["latest"]
keras = ["{keras}", "latest"]
device = ["cpu"] # {devices}

# One more cell, and why.
# [[sets.{name}.include]]
# framework = "torch"
# version = "latest"
# keras = "latest"
# device = "cpu"
# reason = "some users have PyTorch"

# A probe of the set and its settings; docs/probe.md and the README list the program's probes.
[sets.{name}.probes.mnist]
epochs = 1
train_samples = 2000
test_samples = 500

# Your own probe: `{program} probe new dense` writes the Python file and adds both tables.
# [probes.dense]
# file = "probes/dense.py"
# [sets.{name}.probes.dense]

# The tests of your library, for `{program} matrix --pytest`: paths below this folder, and the project to install.
# [pytest]
# tests = ["tests"]
# install = "."
"""

_HEADER = re.compile(r"^(# )?(\[\[?)(?=(?:sets|probes)\.|pytest\])", re.MULTILINE)


def text(program: str = "runner") -> str:
    """The text of a new ``keras-matrix.toml``.

    Its comments call this program ``program``.

    Its set has the Keras releases that the program's default set begins with, and the newest.
    """
    shipped = sets.load()
    first = sets.named_set(shipped, None).product[0]
    return _FILE.format(
        schema=configuration.SCHEMA,
        name=SET,
        program=program,
        framework="jax",
        keras=first.keras[0],
        frameworks=", ".join(frameworks.names()),
        devices=", ".join(sets.DEVICES),
    )


def as_table(content: str) -> str:
    """The same configuration as the table ``[tool.keras-matrix]`` of pyproject.toml."""
    return f"[tool.{configuration.TABLE}]\n{_inside(content)}"


def probe_tables(name: str, file: str, set_name: str | None) -> str:
    """The tables of a new probe, and of its use in a set where one is given."""
    lines = [f"[probes.{name}]", f'file = "{file}"']
    if set_name is not None:
        lines += ["", f"[sets.{set_name}.probes.{name}]"]
    return "\n".join([*lines, ""])


def headed(tables: str, found: configuration.Configuration) -> str:
    """The tables with the headers that they have in the file of a configuration."""
    if found.path.name != configuration.PYPROJECT:
        return tables
    return _inside(tables)


def _inside(tables: str) -> str:
    return _HEADER.sub(lambda header: f"{header[1] or ''}{header[2]}tool.{configuration.TABLE}.", tables)


def probe_text(name: str) -> str:
    """The Python file of a new probe, which measures a dense layer."""
    return _PROBE.replace("NAME", name)


_PROBE = '''\
"""The outputs and the time of a dense layer: the probe NAME.

It runs in every cell with the cell's framework and Keras, and is never imported on the machine that starts the cells.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:  # for editors and type checkers, where keras-version-matrix is installed; cells do not have it
    from runner.probe.measuring import Report, Settings

PROTOCOL = 1  # the version of the rules that this file is written for
DEFAULTS = {"units": 64, "batch": 256, "calls": 50}  # settings: a set or --setting NAME.units=128 changes them
HEADLINES = ("call_s",)  # the figures that are measured again until they are decided


def measure(report: Report, settings: Settings) -> None:
    """Reports the largest error of the outputs and the median time of a call."""
    random = np.random.RandomState(settings.seed)
    x = random.standard_normal((settings["batch"], 128)).astype("float32")
    kernel = random.standard_normal((128, settings["units"])).astype("float32")
    layer = keras.layers.Dense(settings["units"], use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])

    def call() -> Any:
        return keras.ops.convert_to_numpy(layer(x))  # waits until the outputs are there

    exact = x.astype("float64") @ kernel.astype("float64")
    magnitude = np.abs(x).astype("float64") @ np.abs(kernel).astype("float64")
    report.error("error_max", np.max(np.abs(call() - exact) / magnitude) * 2**24, terms=x.shape[1])

    seconds = []
    for _ in range(settings["calls"]):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    report.timing("call_s", statistics.median(seconds))  # one figure per process: repeats within it are not samples
'''
