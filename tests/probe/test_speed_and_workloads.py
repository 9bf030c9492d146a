"""The speed, lstm and vqa probes: their data, and their figures over a framework of NumPy."""

from __future__ import annotations

import subprocess
import time
import types

import numpy as np
import pytest

from runner.probe import lstm, networks, protocol, speed, vqa
from runner.probe.kit import usage
from runner.probe.networks import workload


class Trained:
    """A model that predicts zeros and learns nothing."""

    parameters = 7

    def __init__(self, *_arguments):
        self.steps = 0

    def step(self, _x, _y):
        self.steps += 1
        return 0.5

    def outputs(self, x):
        return np.zeros((len(x[0]) if isinstance(x, tuple) else len(x), self.classes))


@pytest.fixture
def native_cell(monkeypatch, raw_request):
    """Requests for a native cell whose models are ``Trained`` with so many outputs."""
    loaded = types.SimpleNamespace(import_s=0.1, block=lambda v: v, numpy=lambda v: v)
    monkeypatch.setattr(networks, "load", lambda _request: loaded)
    monkeypatch.setattr(networks, "model", lambda *arguments, **_k: Trained(*arguments))

    def request(probe, classes, **settings):
        monkeypatch.setattr(Trained, "classes", classes, raising=False)
        raw_request.update(probe=probe, settings=settings)
        raw_request["cell"]["keras"] = None
        return protocol.Request(raw_request)

    return request


def figures(probe, request):
    report = protocol.Report()
    probe.run(request, report)
    return {metric["name"]: metric for metric in report.metrics}


def test_speed_reports_every_workload_and_batch_size(native_cell):
    found = figures(speed, native_cell("speed", 10, batches=[4, 8], steps=6, overhead_steps=20, leak_epochs=4))
    for name in ("dense", "cnn", "lstm", "transformer"):
        for figure in ("first_step_s", "b4.step_s", "b8.step_s", "evaluate_step_s", "predict_step_s"):
            assert found[f"{name}.{figure}"]["value"] > 0
            assert found[f"{name}.{figure}"]["kind"] == "timing"
    assert found["overhead.step_s"]["value"] > 0
    assert found["memory.peak_bytes"]["value"] > 1e6


@pytest.mark.parametrize("settings", [{"workloads": ["gan"]}, {"batches": []}])
def test_speed_refuses_what_it_cannot_run(native_cell, settings):
    with pytest.raises(protocol.BadOutputError):
        speed.run(native_cell("speed", 10, **settings), protocol.Report())


def test_a_leak_is_the_slope_of_the_resident_set(monkeypatch):
    sizes = iter([100, 900, *range(1000, 1100, 10)])
    monkeypatch.setattr(usage, "rss_bytes", lambda: next(sizes))
    report = protocol.Report()
    speed._leak(types.SimpleNamespace(fit=lambda *_a: None), report, 12)
    assert {m["name"]: m["value"] for m in report.metrics} == {
        "memory.growth_bytes_per_epoch": 10.0,
        "memory.end_bytes": 1090,
        "memory.after_1000_epochs_bytes": 11090.0,
    }


# --- resources --------------------------------------------------------------------------------------------------------


def test_nvidia_smi_is_read_where_nvml_is_not(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    seen = []

    def run(command, **_options):
        seen.append(command)
        return types.SimpleNamespace(stdout=b"37, 1024\n")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert usage.reader()() == (0.37, 1 << 30)
    assert seen[0][-1] == "--id=2"


def test_a_gpu_is_sampled_only_on_cuda(monkeypatch):
    monkeypatch.setattr(usage, "reader", lambda: lambda: (0.5, 100))
    with usage.Gpu("cpu") as none:
        pass
    assert (none.busy, none.memory_bytes) == (None, None)
    with usage.Gpu("cuda", interval_s=0.001) as gpu:
        deadline = time.monotonic() + 60
        while gpu.busy is None and time.monotonic() < deadline:
            time.sleep(0.001)
    assert (gpu.busy, gpu.memory_bytes) == (0.5, 100)


# --- lstm -------------------------------------------------------------------------------------------------------------


def test_lstm_reports_time_throughput_error_and_its_data(native_cell):
    settings = {"epochs": 2, "train_hours": 60, "test_hours": 40, "window": 5, "batch": 20}
    found = figures(lstm, native_cell("lstm", 1, **settings))
    assert found["data"]["value"] == "synthetic-pm25"
    assert found["samples_per_s"]["value"] == pytest.approx(2 * 55 / found["fit_s"]["value"])
    assert found["test_mae"]["kind"] == "seeded"
    assert found["loss_per_epoch"]["value"] == [0.5, 0.5]


def test_windows_end_before_what_they_predict():
    table = np.arange(12.0).reshape(6, 2)
    x, y = lstm.windows(table, 2)
    assert x.shape == (4, 2, 2)
    assert x[0].tolist() == [[0, 1], [2, 3]]
    assert y[:, 0].tolist() == [4, 6, 8, 10]


def test_the_synthetic_series_is_always_the_same_and_can_be_predicted():
    series = lstm.synthetic(2000)
    assert np.array_equal(series, lstm.synthetic(2000))
    assert series.shape == (2000, 8)
    dust = series[:, 0]
    assert dust.min() >= 0
    assert np.corrcoef(dust[1:], dust[:-1])[0, 1] > 0.9
    assert dust.std() > 10


def test_the_series_comes_from_the_file_that_the_runner_made(tmp_path, raw_request):
    path = tmp_path / "series.npz"
    hours = np.arange(24.0).reshape(3, 8)
    np.savez(path, hours=hours)
    raw_request["data"] = {"path": str(path), "name": "beijing-pm25", "sha256": ""}
    name, table = lstm.series(protocol.Request(raw_request), 2)
    assert name == "beijing-pm25"
    assert table.tolist() == hours[:2].tolist()
    with pytest.raises(protocol.BadOutputError, match="3 hours"):
        lstm.series(protocol.Request(raw_request), 4)
    path.write_bytes(b"none")
    with pytest.raises(protocol.BadOutputError):
        lstm.published(str(path))


# --- vqa --------------------------------------------------------------------------------------------------------------


def test_vqa_reports_each_size(native_cell):
    settings = {"sizes": [50, 60], "epochs": 1, "train_samples": 6, "test_samples": 4, "batch": 3}
    found = figures(vqa, native_cell("vqa", vqa.ANSWERS, **settings))
    for size in (50, 60):
        assert found[f"s{size}.data"]["value"] == "synthetic-vqa"
        assert 0 <= found[f"s{size}.test_accuracy"]["value"] <= 1
    assert found["cpu_s"]["value"] > 0


def test_the_synthetic_pairs_can_be_answered():
    images, questions, answers = vqa.synthetic(48, 40)
    assert images.shape == (40, 48, 48, 3)
    assert questions.shape == (40, vqa.LENGTH)
    for image, question, answer in zip(images, questions, answers, strict=True):
        quarters = [image[r : r + 24, c : c + 24].max((0, 1)) for r in (0, 24) for c in (0, 24)]
        where = int(np.argmax([(q > 0.9).any() for q in quarters]))
        colour = vqa.COLOURS.index(tuple(int(v > 0.9) for v in quarters[where]))
        assert answer == (colour if question[0] == 0 else 7 + where)


def test_published_pairs_are_resampled_to_the_size(tmp_path, raw_request):
    path = tmp_path / "pairs.npz"
    images = np.zeros((2, 4, 4, 3), "uint8")
    images[1, 2:] = 255
    np.savez(path, images=images, image_of=[1, 0, 1], questions=np.ones((3, 5)), answers=[2, 0, 1])
    raw_request["data"] = {"path": str(path), "name": "daquar-37", "sha256": ""}
    name, pictures, questions, answers = vqa.pairs(protocol.Request(raw_request), 2, 3)
    assert name == "daquar"
    assert pictures[:, :, 0, 0].tolist() == [[0, 1], [0, 0], [0, 1]]
    assert questions.dtype == answers.dtype == "int32"
    with pytest.raises(protocol.BadOutputError, match="3 pairs"):
        vqa.pairs(protocol.Request(raw_request), 2, 4)


def test_networks_fit_both_sizes():
    for size, rows in ((50, 4), (224, 26)):
        shapes, out = networks.shapes(vqa.network(40, 11), ((size, size, 3), (10,)))
        assert (rows * rows * 32, 64) in shapes
        assert out == (11,)


def test_every_epoch_has_an_order_of_its_own():
    first, second = workload._orders(20, 2, seed=1)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first.tolist() != second.tolist()
