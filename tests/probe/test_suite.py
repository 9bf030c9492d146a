"""The probe ``suite``: a real pytest in the payload's process, with a stand-in for the framework next to it."""

from __future__ import annotations

import importlib.util
import io
import sys
import tarfile

import pytest

from runner.defects import cases, suite

TORCH = """
__version__ = "2.2.2"
class cuda:
    is_available = staticmethod(lambda: False)
class backends:
    pass
"""
FINE = {"copy/tests/test_a.py": "def test_a(): pass\n"}


@pytest.fixture
def ran(payload, raw_request, python, tmp_path):
    """Runs the archive's tests in the Python of these tests, which has pytest."""
    if python != sys.executable:
        pytest.skip("the oldest Python has no pytest")

    def run(files, start="tests", settings=None, data=True):
        path = tmp_path / "tests.tar"
        with tarfile.open(path, "w") as archive:
            for name, content in {**files, "start.txt": start}.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content.encode())
                archive.addfile(entry, io.BytesIO(content.encode()))
        raw_request.update(probe="suite", settings=settings or {})
        raw_request["cell"]["keras"] = None
        raw_request["data"] = {"path": str(path), "name": "tiny 1", "sha256": "0"} if data else None
        # outside of the program's own environment, as a cell is
        return payload(raw_request, {"torch.py": TORCH}, {"PYTHONNOUSERSITE": "1"})

    return run


def figures(process):
    return {metric["name"]: metric["value"] for metric in process.result["metrics"]}


def test_every_test_is_a_case_with_its_outcome_and_message(ran):
    process = ran(
        {
            "copy/pytest.ini": "[pytest]\nxfail_strict = true\n",
            "copy/tests/test_a.py": (
                "import pytest, tiny\n"
                "def test_fine(): assert tiny.x == 1\n"
                "def test_wrong(): assert tiny.x == 2, 'other'\n"
                "@pytest.mark.skip(reason='not here')\ndef test_skipped(): pass\n"
                "@pytest.mark.xfail\ndef test_expected(): assert False\n"
                "@pytest.fixture\ndef broken(): raise ValueError('no fixture')\n"
                "def test_error(broken): pass\n"
                "class TestB:\n"
                "    @pytest.mark.parametrize('n', [1.5, 2])\n"
                "    def test_many(self, n): pass\n"
            ),
            "copy/tests/sub/test_b.py": "import time\ndef test_b(): time.sleep(0.02)\n",
            "copy/tests/sub/test_c.py": "raise ImportError('gone')\n",
            "package/tiny/__init__.py": "x = 1\n",
        }
    )
    assert process.result["status"] == "ok", process.log
    found = cases.read(process.result["details"]["cases"])
    assert {name: case.status for name, case in found.items()} == {
        "tests/test_a.py::test_fine": "ok",
        "tests/test_a.py::test_wrong": "wrong",
        "tests/test_a.py::test_skipped": "unsupported",
        "tests/test_a.py::test_expected": "unsupported",
        "tests/test_a.py::test_error": "raises",
        "tests/test_a.py::TestB::test_many[1.5]": "ok",
        "tests/test_a.py::TestB::test_many[2]": "ok",
        "tests/sub/test_b.py::test_b": "ok",
        "tests/test_a.py (import)": "ok",
        "tests/sub/test_b.py (import)": "ok",
        "tests/sub/test_c.py (import)": "raises",
    }
    assert found["tests/test_a.py::test_wrong"].note == "AssertionError: other"
    assert found["tests/test_a.py::test_error"].note == "ValueError: no fixture"
    assert "gone" in found["tests/sub/test_c.py (import)"].note
    counts = {name: value for name, value in figures(process).items() if not name.endswith(("time_s", "outcome"))}
    assert counts == {
        "cases.ok": 4, "cases.failed": 1, "cases.raised": 1, "cases.skipped": 2, "files.not_imported": 1,
    }  # fmt: skip


def test_only_the_time_of_what_did_not_fail_is_a_figure(ran):
    files = {
        "copy/tests/test_a.py": "import time\ndef test_a(): time.sleep(0.02)\ndef test_b(): time.sleep(0.03)\n",
        "copy/tests/test_c.py": "def test_c(): assert False\n",
    }
    process = ran(files)
    times = {name: value for name, value in figures(process).items() if name.endswith("time_s")}
    assert set(times) == {"tests/test_a.py.time_s"}
    assert times["tests/test_a.py.time_s"] >= 0.05
    assert {name: value for name, value in figures(process).items() if name.endswith("outcome")} == {
        "suite.outcome": "failed", "tests/test_a.py.outcome": "ok", "tests/test_c.py.outcome": "failed",
    }  # fmt: skip
    assert set(process.result["details"]["durations"]) == {
        "tests/test_a.py::test_a", "tests/test_a.py::test_b", "tests/test_c.py::test_c",
    }  # fmt: skip


def test_the_time_of_every_test_can_be_a_figure(ran):
    files = {"copy/tests/test_a.py": "def test_a(): pass\ndef test_b(): pass\n"}
    process = ran(files, settings={"durations": "tests"})
    assert {name for name in figures(process) if name.endswith("time_s")} == {
        "suite.time_s", "tests/test_a.py::test_a.time_s", "tests/test_a.py::test_b.time_s",
    }  # fmt: skip
    assert {metric["kind"] for metric in process.result["metrics"] if metric["name"].endswith("time_s")} == {"timing"}


def test_arguments_reach_pytest_and_one_file_can_be_named(ran):
    files = {"copy/tests/test_a.py": "def test_a(): pass\ndef test_b(): pass\n", "copy/tests/test_c.py": "1 / 0\n"}
    process = ran(files, start="tests/test_a.py", settings={"args": ["-k", "test_b"]})
    assert set(process.result["details"]["cases"]) == {"tests/test_a.py::test_b", "tests/test_a.py (import)"}


ALONE = {
    "copy/tests/test_a.py": "def test_a(): pass\n",
    "copy/tests/test_c.py": "import nonesuch\ndef test_c(): pass\n",
}


def test_a_single_test_can_be_named(ran):
    process = ran({"copy/tests/test_a.py": "def test_a(): pass\ndef test_b(): pass\n"}, "tests/test_a.py::test_b")
    assert set(process.result["details"]["cases"]) == {"tests/test_a.py::test_b", "tests/test_a.py (import)"}


def test_a_single_test_whose_file_cannot_be_imported_is_a_case_and_others_run(ran):
    process = ran(ALONE, "tests/test_c.py::test_c\ntests/test_a.py::test_a")
    assert process.result["status"] == "ok", process.log
    found = cases.read(process.result["details"]["cases"])
    assert {name: case.status for name, case in found.items()} == {
        "tests/test_c.py (import)": "raises", "tests/test_a.py::test_a": "ok", "tests/test_a.py (import)": "ok",
    }  # fmt: skip
    assert found["tests/test_c.py (import)"].note == "ModuleNotFoundError: No module named 'nonesuch'"


def test_a_single_test_that_is_not_there_is_named(ran):
    result = ran(ALONE, "tests/test_a.py::test_z").result
    assert (result["status"], result["reason"]) == ("bad-output", "pytest found no test tests/test_a.py::test_z")


@pytest.mark.parametrize(
    ("files", "settings", "status", "reason"),
    [
        ({"copy/tests/test_a.py": "x = 1\n"}, {}, "bad-output", "pytest found no test in tests"),
        ({"copy/tests/conftest.py": "import nonesuch\n", **FINE}, {}, "crashed", "pytest ended with exit code 4: "),
        (FINE, {"args": ["--no-such-option"]}, "crashed", "pytest ended with exit code 4: "),
        (
            {"copy/tests/test_a.py": "import os, signal\ndef test_a(): os.kill(os.getpid(), signal.SIGSEGV)\n"},
            {},
            "crashed",
            "pytest was killed by signal SIGSEGV",
        ),
        (FINE, {"durations": "none"}, "bad-output", "suite: durations is files or tests, not 'none'"),
    ],
)
def test_a_run_that_cannot_be_used_is_one_line(ran, files, settings, status, reason):
    process = ran(files, settings=settings)
    assert (process.result["status"], process.result["reason"][: len(reason)]) == (status, reason), process.log
    assert "\n" not in process.result["reason"]


def test_the_reason_of_a_conftest_is_its_exception(ran):
    process = ran({"copy/tests/conftest.py": "import nonesuch\n", **FINE})
    assert process.result["reason"].endswith("ModuleNotFoundError: No module named 'nonesuch'")


def test_without_tests_there_is_nothing_to_measure(ran):
    result = ran(FINE, data=False).result
    assert (result["status"], result["reason"]) == (
        "unavailable", "there are no tests to run: name their folder with --pytest",
    )  # fmt: skip


def test_a_name_in_the_archive_that_leads_elsewhere_is_left_out(ran, tmp_path):
    process = ran({"../outside.py": "x = 1\n", **FINE})
    assert process.result["status"] == "ok", process.log
    assert not (process.io / "outside.py").exists()


def test_the_host_and_the_payload_call_the_probe_by_the_same_name():
    assert importlib.util.find_spec(f"runner.probe.{suite.PROBE}") is not None
