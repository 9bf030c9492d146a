"""What the probes of activities do before and after their cases."""

from __future__ import annotations

import os
import sys
import types

from runner.probe import cases, distribution, memory, protocol


def request(raw_request, probe):
    raw_request.update(probe=probe, settings={})
    return protocol.Request(raw_request)


def test_four_devices_are_asked_for_before_a_framework_is_loaded(raw_request, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x")
    seen = []
    monkeypatch.setattr(cases, "run", lambda *_: seen.append(os.environ["XLA_FLAGS"]))
    distribution.run(request(raw_request, "distribution"), protocol.Report())
    distribution.run(request(raw_request, "distribution"), protocol.Report())
    assert seen == ["--xla_dump_to=x --xla_force_host_platform_device_count=4"] * 2


def test_growth_is_reported_for_a_thousand_rounds(raw_request, monkeypatch):
    growth = types.SimpleNamespace(SLOPES={"fit": 250000000, "call": 0})
    monkeypatch.setitem(sys.modules, "runner.probe.memory.growth", growth)
    monkeypatch.setattr(memory, "growth", growth, raising=False)
    monkeypatch.setattr(cases, "run", lambda *_: None)
    report = protocol.Report()
    memory.run(request(raw_request, "memory"), report)
    found = {metric["name"]: (metric["value"], metric["kind"]) for metric in report.metrics}
    assert found == {"call.bytes_per_1000": (20000000, "timing"), "fit.bytes_per_1000": (250000000, "timing")}
