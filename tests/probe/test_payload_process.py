"""The whole payload as a process: stand-ins for the frameworks lie beside it, and are what gets imported."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PAYLOAD = Path(__file__).resolve().parents[2] / "runner" / "probe"

TORCH = """
__version__ = {version!r}
class cuda:
    is_available = staticmethod(lambda: {cuda})
class backends:
    pass
"""
KERAS = """
import contextlib, os
__version__ = {version!r}
class config:
    backend = staticmethod(lambda: os.environ["KERAS_BACKEND"])
    floatx = staticmethod(lambda: "float32")
    image_data_format = staticmethod(lambda: "channels_last")
@contextlib.contextmanager
def device(name):
    global current
    current = name
    yield
    current = None
"""
PROBE = """
from .frameworks import backend

def run(request, report):
    found = backend.load(request)
    {body}
"""


def world(body="report.metric('x', 1, 'exact')", torch="2.2.2+cu121", keras="3.11.3", cuda=False):
    return {
        "torch.py": TORCH.format(version=torch, cuda=cuda),
        "keras.py": KERAS.format(version=keras),
        "probe/trial.py": PROBE.format(body=body),
    }


@pytest.fixture
def trial(raw_request):
    raw_request["probe"] = "trial"
    return raw_request


def test_every_file_compiles(python):
    code = "import sys\nfor path in sys.argv[1:]: compile(open(path, encoding='utf-8').read(), path, 'exec')"
    files = [str(path) for path in PAYLOAD.rglob("*.py")]
    assert len(files) > 10
    ended = subprocess.run([python, "-W", "error", "-c", code, *files], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()


def test_hello_imports_framework_and_keras_and_says_where_it_ran(payload, raw_request):
    process = payload(raw_request, world())
    assert process.exit_code == 0
    assert process.result["status"] == "ok", process.log
    figures = {metric["name"]: metric["value"] for metric in process.result["metrics"]}
    assert 0 < figures["start_cpu_s"] < 60
    assert figures["peak_rss_bytes"] > 1 << 20
    assert 0 < figures["framework_import_s"] < 60
    assert 0 < figures["keras_import_s"] < 60
    facts = process.result["facts"]
    assert facts["python"].startswith(raw_request["cell"]["python"])
    assert facts["probe_hash"] == process.result["probe_hash"]
    assert facts["threads"]["affinity"] >= 1
    assert facts["cpu"]["model"]
    assert facts["keras"]["version"] == "3.11.3"


def test_hello_names_the_optional_packages_that_are_there_and_that_are_missing(payload, raw_request):
    traps = {name + ".py": "raise SystemExit('imported')" for name in ("pandas", "torchvision")}
    details = payload(raw_request, {**world(), **traps}).result["details"]
    assert {"pandas", "torch", "torchvision"} <= set(details["optional_packages"])
    assert "tf2onnx" in details["missing_packages"]
    assert not set(details["optional_packages"]) & set(details["missing_packages"])


def test_hello_of_a_native_cell_imports_no_keras(payload, raw_request):
    raw_request["cell"]["keras"] = None
    result = payload(raw_request, {**world(), "keras.py": "raise SystemExit('imported')"}).result
    assert result["status"] == "ok"
    assert "keras_import_s" not in {metric["name"] for metric in result["metrics"]}


def test_hello_of_a_cell_whose_keras_cannot_be_imported_is_import_failed(payload, raw_request):
    result = payload(raw_request, {**world(), "keras.py": "import nonesuch"}).result
    assert (result["status"], result["reason"]) == ("import-failed", "No module named 'nonesuch'")
    assert "start_cpu_s" in {metric["name"] for metric in result["metrics"]}


def test_nothing_but_the_result_is_left_behind(payload, raw_request):
    process = payload(raw_request, world())
    left = {path.name for path in process.io.iterdir()} - {"__pycache__"}
    assert left == {"probe", "request.json", "result.json", "torch.py", "keras.py"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cannot read the request"),
        ("[]", "not a JSON object"),
        ('{"schema": 2}', "schema 2"),
        ('{"schema": 1, "probe": "hello"}', "lacks 'cell'"),
    ],
)
def test_a_request_that_cannot_be_read_is_bad_output(payload, text, reason):
    process = payload(text)
    assert process.exit_code == 0
    assert process.result["status"] == "bad-output"
    assert reason in process.result["reason"]


@pytest.mark.parametrize("name", ["nonesuch", "protocol", "__main__", "../hello", "os.path", ""])
def test_an_unknown_probe_is_bad_output_and_the_known_ones_are_named(payload, raw_request, name):
    result = payload(dict(raw_request, probe=name)).result
    assert result["status"] == "bad-output"
    assert repr(name) in result["reason"]
    known = result["reason"].partition("it has: ")[2].rstrip(")").split(", ")
    assert {"conv2d", "hello", "mnist"} <= set(known)
    assert name not in known


def test_another_python_than_the_cells_is_bad_output(payload, raw_request):
    raw_request["cell"]["python"] = "3.99"
    result = payload(raw_request).result
    assert result["status"] == "bad-output"
    assert "3.99" in result["reason"]


def test_a_setting_that_hello_does_not_know_is_bad_output(payload, raw_request):
    result = payload(dict(raw_request, settings={"epoch": 1})).result
    assert (result["status"], "'epoch'" in result["reason"]) == ("bad-output", True)


def test_versions_and_build_are_those_that_the_modules_report(payload, trial):
    result = payload(trial, world()).result
    assert result["status"] == "ok", result
    assert result["facts"]["keras"]["version"] == "3.11.3"
    assert result["facts"]["keras"]["backend"] == "torch"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"torch": "2.2.1+cu121"}, "torch reports version 2.2.1+cu121, the cell says 2.2.2"),
        ({"keras": "3.12.0"}, "keras reports version 3.12.0, the cell says 3.11.3"),
    ],
)
def test_another_version_than_the_cells_is_bad_output(payload, trial, change, reason):
    result = payload(trial, world(**change)).result
    assert (result["status"], result["reason"]) == ("bad-output", reason)


@pytest.mark.parametrize("module", ["torch.py", "keras.py"])
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("raise TypeError('register() got an unexpected keyword argument')", "register() got an unexpected keyword"),
        ("import nonesuch", "No module named 'nonesuch'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyError('x')", "KeyError: 'x'"),
    ],
)
def test_whatever_an_import_raises_is_import_failed(payload, trial, module, line, reason):
    result = payload(trial, dict(world(), **{module: line})).result
    assert result["status"] == "import-failed"
    assert reason in result["reason"]
    assert "Traceback" in result["traceback"]
    assert result["metrics"] == []


def test_a_framework_that_is_not_installed_is_import_failed(payload, trial):
    trial["cell"].update(framework="mxnet", version="1.9.1", keras=None)
    result = payload(trial, {**world(), "mxnet.py": "import a_library_it_needs"}).result
    assert (result["status"], result["reason"]) == ("import-failed", "No module named 'a_library_it_needs'")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("raise NotImplementedError('fit not implemented for NumPy backend.')", "unsupported", "fit not implemented"),
        ("report.unsupported('no such layer')", "unsupported", "no such layer"),
        ("raise ValueError('shapes differ\\nmore')", "crashed", "ValueError: shapes differ"),
        ("import numpyy", "import-failed", "No module named 'numpyy'"),
        ("from . import nonesuch", "crashed", "ImportError"),
        ("raise MemoryError()", "oom", "MemoryError"),
        ("raise SystemExit(0)", "crashed", "SystemExit: 0"),
        ("pass", "bad-output", "the probe measured nothing"),
    ],
)
def test_what_a_probe_raises_becomes_a_status(payload, trial, body, status, reason):
    process = payload(trial, world(body))
    assert process.exit_code == 0
    assert process.result["status"] == status
    assert process.result["reason"].startswith(reason)
    assert "\n" not in process.result["reason"]


def test_figures_measured_before_a_crash_are_kept(payload, trial):
    body = "report.metric('import_s', 1.5, 'timing'); report.detail('seen', [1]); raise ValueError('later on')"
    result = payload(trial, world(body)).result
    assert result["status"] == "crashed"
    assert [metric["name"] for metric in result["metrics"]] == ["import_s"]
    assert result["details"] == {"seen": [1]}


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_unavailable_and_no_cpu_pass(payload, trial, device):
    trial["cell"]["device"] = device
    result = payload(trial, world()).result
    assert result["status"] == "unavailable"
    assert device in result["reason"]
    assert result["metrics"] == []


def test_a_cuda_cell_on_cuda_sees_the_gpu_it_was_given(payload, trial):
    trial["cell"]["device"] = "cuda"
    files = world("import os; report.metric('visible', os.environ['CUDA_VISIBLE_DEVICES'], 'exact')", cuda=True)
    result = payload(trial, files, {"CUDA_VISIBLE_DEVICES": "1"}).result
    assert [metric["value"] for metric in result["metrics"]] == ["1"]


def test_a_cpu_cell_hides_every_gpu_before_the_framework_is_imported(payload, trial):
    files = world("import torch; report.metric('seen', torch.seen, 'exact')")
    files["torch.py"] += (
        "import os\nseen = repr([os.environ.get(n) for n in ('CUDA_VISIBLE_DEVICES', 'JAX_PLATFORMS')])"
    )
    result = payload(trial, files, {"CUDA_VISIBLE_DEVICES": "0", "JAX_PLATFORMS": "cuda"}).result
    assert [metric["value"] for metric in result["metrics"]] == ["['', 'cpu']"]


def test_on_a_cpu_cell_keras_is_held_to_the_cpu_until_the_end(payload, trial):
    body = "import gc, keras; gc.collect(); report.metric('device', keras.current, 'exact')"
    result = payload(trial, world(body)).result
    assert [metric["value"] for metric in result["metrics"]] == ["cpu"]


def test_keras_does_not_read_the_users_configuration(payload, trial, tmp_path):
    files = world("import os; report.metric('home', os.environ['KERAS_HOME'], 'exact')")
    process = payload(trial, files, {"KERAS_HOME": str(tmp_path / "mine")})
    assert process.result["metrics"][0]["value"] == str(process.io / "keras-home")


def test_an_operator_missing_on_mps_is_listed(payload, trial):
    trial["cell"]["device"] = "mps"
    body = (
        "raise NotImplementedError(\"The operator 'aten::sgn.out' is not currently implemented for the MPS device.\")"
    )
    files = world(body)
    files["torch.py"] += "    class mps:\n        is_available = staticmethod(lambda: True)\n"
    result = payload(trial, files).result
    assert result["status"] == "unsupported"
    assert result["details"]["mps_fallback"] == ["aten::sgn.out"]


def test_a_process_that_is_killed_leaves_no_result(payload, trial):
    process = payload(trial, world("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert process.exit_code == -9
    assert process.result is None


def test_a_native_cell_imports_no_keras(payload, trial):
    trial["cell"]["keras"] = None
    result = payload(trial, dict(world(), **{"keras.py": "raise SystemExit('imported')"})).result
    assert result["status"] == "ok"
    assert "keras" not in result["facts"]


def test_mnist_trains_on_a_native_cell_without_importing_keras(payload, raw_request):
    raw_request["probe"] = "mnist"
    raw_request["cell"]["keras"] = None
    result = payload(raw_request, dict(world(), **{"keras.py": "raise SystemExit('imported')"})).result
    assert "imported" not in result["reason"]
    assert "data set" in result["reason"] or "numpy" in result["reason"]  # one of the Pythons has no NumPy
