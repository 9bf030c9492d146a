"""Which probes try promises, and which read the files of others."""

from __future__ import annotations

from runner.matrix import probes


def test_a_probe_that_runs_cases_is_an_activity() -> None:
    found = probes.activities()
    assert {"model", "saving", "callbacks", "distribution"} <= set(found)
    assert not {"ops", "training", "reading", "mnist"} & set(found)
    assert probes.sweeps() == ("ops", "training", "suite", *found)


def test_reading_reads_what_saving_leaves() -> None:
    assert probes.reads("reading") == "saving"
    assert probes.is_read("saving")
    assert not probes.reads("saving")
    assert not probes.is_read("reading")
