"""Bug reports as people paste them: what is read, what is guessed, what cannot be had - and nothing silently."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.environments import index
from runner.errors import BuildError, UsageError
from runner.matrix import frameworks
from runner.repro import bugreport, reconstruct
from runner.repro.bugreport import BugReport, Fact, read
from runner.repro.pins import Wanted
from runner.util import versions

REPORTS = Path(__file__).parent / "reports"
LINUX = "linux-x86_64"

EXPECTED: dict[str, tuple[dict[str, str], str | None, str | None, str | None]] = {
    "01-collect-env-linux.txt": ({"torch": "2.2.2+cu121", "keras": "3.8.0", "numpy": "1.26.4"}, "3.11", LINUX, None),
    "02-pip-freeze.txt": ({"tensorflow": "2.18.0", "keras": "3.8.0", "numpy": "2.0.2"}, None, None, None),
    "03-uv-pip-list.txt": ({"jax": "0.5.0", "keras": "3.8.0", "numpy": "2.2.2"}, "3.12", LINUX, None),
    "04-conda-list.txt": ({"torch": "2.4.1", "keras": "3.6.0", "numpy": "1.26.4"}, "3.11", None, None),
    "05-free-text.txt": ({"torch": "2.2.2", "keras": "3.7"}, "3.12", "macos", None),
    "06-tf-version-prints.txt": ({"tensorflow": "2.17.0", "keras": "3.4.1"}, "3.10", "windows", None),
    "07-issue-conv2d.md": (
        {"tensorflow": "2.18.0", "jax": "0.5.0", "keras": "3.8.0"}, "3.11", LINUX, "2025-01-23"
    ),
    "08-issue-mnist-torch.md": (
        {"torch": "2.2.2", "keras": "3.8.0", "numpy": "1.26.4"}, "3.11", "macos", "2025-01-04"
    ),
    "09-python27.txt": ({"tensorflow": "1.15.0", "keras": "2.3.1", "numpy": "1.16.6"}, "2.7", LINUX, None),
    "10-yanked.txt": ({"jax": "0.5.3", "jaxlib": "0.5.3", "keras": "3.9.1", "numpy": "2.2.4"}, "3.11", LINUX, None),
    "11-nightly.md": ({"tensorflow": "2.20.0rc0", "keras": "3.10.0"}, "3.12", LINUX, None),
    "12-contradiction.md": ({"torch": "2.5.1", "keras": "3.9.0"}, "3.12", LINUX, None),
    "13-apple-silicon.txt": ({"tensorflow": "2.16.2", "keras": "3.3.3"}, "3.11", "macos-arm64", None),
    "14-no-versions.txt": ({}, None, None, None),
    "15-jetson.txt": ({"torch": "2.3.0", "numpy": "1.26.4"}, "3.10", "linux-aarch64", None),
    "16-backend-openvino.md": ({"openvino": "2025.3.0", "keras": "3.11.3", "numpy": "2.2.6"}, "3.12", LINUX, None),
    "17-german.md": ({"jax": "0.4.35", "keras": "3.9.2"}, "3.11", LINUX, "2025-03-30"),
    "18-quoted-thread.md": ({"jax": "0.4.36", "keras": "3.7.0"}, "3.10", LINUX, "2024-12-05"),
    "19-pip-list-markdown.md": ({"jax": "0.4.35", "keras": "3.8.0.dev0", "numpy": "1.26.4"}, "3.11", LINUX, None),
    "20-log-noise.txt": ({"keras": "3.7.0", "numpy": "2.1.3"}, "3.11", None, None),
}  # fmt: skip

PUBLISHED = {
    "keras": ("3.6.0", "3.7.0", "3.8.0", "3.9.0", "3.9.1", "3.9.2", "3.10.0rc0", "3.10.0", "3.11.3"),
    "torch": ("2.2.1", "2.2.2", "2.4.1", "2.5.1", "2.6.0"),
    "jax": ("0.4.35", "0.5.0", "0.5.3"),
    "jaxlib": ("0.4.35", "0.5.0", "0.5.3"),
    "tensorflow": ("2.16.2", "2.18.0", "2.19.0"),
    "openvino": ("2025.3.0",),
    "numpy": ("1.26.4", "2.0.2", "2.2.4", "2.2.6"),
}
MAIN = ("torch", "tensorflow", "jax", "openvino", "keras", "numpy", "jaxlib")


def _published(package: str, _python: str) -> tuple[str, ...]:
    if package not in PUBLISHED:
        raise UsageError(f"the package index has no {package!r}")
    return PUBLISHED[package]


def _yanked(package: str, version: str, _python: str) -> str:
    return "regression" if (package, version) == ("keras", "3.9.1") else ""


UPLOADED = {("keras", "3.8.0"): "2025-01-07", ("torch", "2.2.2"): "2024-03-27"}
INDEX = reconstruct.Index(
    _published,
    _yanked,
    lambda package, *_: PUBLISHED[package][-1],
    lambda package, version, _: UPLOADED.get((package, version), ""),
)


def _of(name: str, **more: Any) -> reconstruct.Reconstruction:
    return reconstruct.reconstruct(read((REPORTS / name).read_text("utf-8")), index=INDEX, **more)


class TestReading:
    def test_there_are_twenty_reports_and_each_is_expected_something_of(self) -> None:
        assert sorted(path.name for path in REPORTS.iterdir()) == sorted(EXPECTED)
        assert len(EXPECTED) == 20

    @pytest.mark.parametrize("name", EXPECTED)
    def test_versions_python_platform_and_date_are_read(self, name: str) -> None:
        pins, python, platform, date = EXPECTED[name]
        report = read((REPORTS / name).read_text("utf-8"))
        found = {fact.name: fact.value for fact in report.pins if fact.name in MAIN}
        found = {key: value for key, value in found.items() if key in pins or key != "jaxlib"}
        assert found == pins
        told = (report.python, report.platform, report.date)
        assert tuple(fact.value if fact else None for fact in told) == (python, platform, date)

    def test_what_a_tool_printed_outranks_what_was_written_and_the_contradiction_is_told(self) -> None:
        report = read((REPORTS / "12-contradiction.md").read_text("utf-8"))
        assert report.version("torch") == "2.5.1"
        assert "2.6.0" in report.contradictions[0]

    @pytest.mark.parametrize(
        "text",
        ["import tensorflow as tf; print(tf.__version__)\n2.18.0\n>>> keras.__version__\n'3.8.0'",
         'python -c "import keras, ...; print(keras.__version__); print(tf.__version__)"\n```\n\n3.8.0\n2.18.0',
         "print(keras.__version__)\nprint(tf.__version__)\n3.8.0\n2.18.0"],
    )  # fmt: skip
    def test_answers_stand_below_their_questions_in_order(self, text: str) -> None:
        report = read(text)
        assert {fact.name: fact.value for fact in report.pins} == {"keras": "3.8.0", "tensorflow": "2.18.0"}

    def test_a_framework_goes_by_its_name_on_the_index_too(self) -> None:
        report = read("paddlepaddle==3.3.1\n>>> paddle.__version__\n'3.3.1'")
        assert {fact.name: fact.value for fact in report.pins} == {"paddle": "3.3.1"}

    def test_an_answer_after_something_else_is_none(self) -> None:
        assert read("print(keras.__version__)\nepoch\n3.8.0").pins == ()

    def test_the_cuda_a_framework_was_built_with_is_not_its_version(self) -> None:
        assert read((REPORTS / "01-collect-env-linux.txt").read_text("utf-8")).contradictions == ()

    @pytest.mark.parametrize(
        "text",
        ["2024-12-02 10:15:43: operations are on.", "torch-2.5.1-cp311-cp311-linux.whl", "trainer.py, line 314",
         "loss: 2.30", "format version 3", "http://x/keras-3.8.0/y"],
    )  # fmt: skip
    def test_logs_and_file_names_say_nothing(self, text: str) -> None:
        report = read(text)
        assert report.pins == ()
        assert report.date is None

    @pytest.mark.parametrize(
        ("text", "date"),
        [("opened on 2025-01-23", "2025-01-23"), ("Jan 4, 2025", "2025-01-04"), ("5 December 2024", "2024-12-05"),
         ("since 2025-13-40", None), ("(January 2025)", "2025-01"), ("Date: 2024-12", "2024-12"),
         ("posted on 2031-02-03", "2031-02-03"), ("(May 2030)", "2030-05"), ("Date: 2032-12", "2032-12"),
         ("Seen since Sept. 2024", "2024-09"), ("December 2024, later: posted on 2024-12-05", "2024-12-05"),
         ("maybe 2024 samples, mark 2024, 2024-12", None), ("Python 3.11 (main, Feb 2024)", None)],
    )  # fmt: skip
    def test_dates(self, text: str, date: str | None) -> None:
        found = read(text).date
        assert (found.value if found else None) == date

    def test_windows_with_linux_inside_is_linux(self) -> None:
        found = read("Windows 11, WSL2").platform
        assert found == Fact("platform", LINUX, "Windows 11, WSL2")


class TestRows:
    """Each row of the tables of names and patterns is needed by one line that people write."""

    @pytest.mark.parametrize(
        ("name", "project"),
        [
            ("tensorflow", "tensorflow"), ("tensorflow-cpu", "tensorflow"), ("tensorflow-gpu", "tensorflow"),
            ("tensorflow-intel", "tensorflow"), ("tensorflow-macos", "tensorflow"), ("tf", "tensorflow"),
            ("pytorch", "torch"), ("torch", "torch"), ("pytorch-gpu", "torch"), ("jax", "jax"),
            ("openvino", "openvino"), ("mxnet", "mxnet"), ("keras", "keras"), ("numpy", "numpy"),
            ("jaxlib", "jaxlib"), ("scipy", "scipy"), ("h5py", "h5py"),
        ],
    )  # fmt: skip
    def test_names_in_sentences(self, name: str, project: str) -> None:
        assert read(f"I use {name} 1.2.3 here").pins == (Fact(project, "1.2.3", f"I use {name} 1.2.3 here"),)

    @pytest.mark.parametrize(
        ("module", "project"),
        [("tf", "tensorflow"), ("np", "numpy"), ("torch", "torch"), ("keras", "keras"), ("jax", "jax"),
         ("tensorflow", "tensorflow")],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "text", ["{}.__version__\n1.2.3", "{}.__version__ = 1.2.3", "print({}.__version__)  # 1.2.3"]
    )
    def test_modules_that_are_asked_for_their_version(self, module: str, project: str, text: str) -> None:
        assert [(fact.name, fact.value) for fact in read(text.format(module)).pins] == [(project, "1.2.3")]

    @pytest.mark.parametrize(
        ("line", "pin"),
        [
            ("Foo_Bar.baz==1.0rc1 ; python_version > '3'", ("foo-bar-baz", "1.0rc1")),
            ("[pip3] numpy==1.26.4", ("numpy", "1.26.4")),
            ("[pip] torch==2.2.2 pypi_0", ("torch", "2.2.2")),
            ("[conda] mkl 2023.1.0 h213fc3f_46344", ("mkl", "2023.1.0")),
            ("PyTorch version: 2.2.2+cu121", ("torch", "2.2.2+cu121")),
            ("v2.17.0-rc1-2-gad6d8cc177d 2.17.0", ("tensorflow", "2.17.0")),
            ("unknown 2.16.1", ("tensorflow", "2.16.1")),
            ("Name: scikit-learn\nVersion: 1.5.0", ("scikit-learn", "1.5.0")),
            ("Package Version\n------- -------\nabsl-py 2.1.0", ("absl-py", "2.1.0")),
            ("| package | version |\n|---|---|\n| optree | 0.13.0 |", ("optree", "0.13.0")),
            ("# Name  Version  Build  Channel\nflax  0.8.0  pyhd8ed1ab_0  conda-forge", ("flax", "0.8.0")),
            ("tensorflow (GPU) version 2.10", ("tensorflow", "2.10")),
            ("Keras: `3.8.0`", ("keras", "3.8.0")),
            ("**Keras** = v3.8.0.dev20250101", ("keras", "3.8.0.dev20250101")),
            ("jax@0.5.0.post1", ("jax", "0.5.0.post1")),
            ("`keras==3.8.0`", ("keras", "3.8.0")),
        ],
    )
    def test_formats_of_tools_and_people(self, line: str, pin: tuple[str, str]) -> None:
        assert [(fact.name, fact.value) for fact in read(line).pins] == [pin]

    @pytest.mark.parametrize(
        "line",
        ["CUDA used to build PyTorch: 12.1", "ROCM used to build PyTorch: 5.7", "python==3.11.0", "pip==24.0",
         "conda==24.1", "setuptools==70.0", "wheel==0.43", "uv==0.5.1", "Name: x\nSummary: y\nVersion: 1.0",
         "absl-py 2.1.0", "#absl-py==2.1.0", "Package Version\n# end\n\nabsl py 2 1 0 and more text"],
    )  # fmt: skip
    def test_what_names_no_package(self, line: str) -> None:
        assert read(line).pins == ()

    @pytest.mark.parametrize(
        ("line", "version"),
        [("Python 3.11.5", "3.11"), ("CPython: 3.9", "3.9"), ("python is 3.12", "3.12"),
         ("python version 3.13", "3.13"),
         ("| Python | 3.10 |", "3.10"), ("python==2.7.18", "2.7"), ("Python version: `v3.8`", "3.8"),
         ("ipython 3.11", None), ("python 4.1", None)],
    )  # fmt: skip
    def test_pythons(self, line: str, version: str | None) -> None:
        found = read(line).python
        assert (found.value if found else None) == version

    @pytest.mark.parametrize(
        ("line", "platform"),
        [
            ("macOS 14.5 on Apple Silicon", "macos-arm64"), ("mac os, M2", "macos-arm64"),
            ("Darwin arm64", "macos-arm64"),
            ("MacBook Pro M1", "macos-arm64"), ("OS X aarch64", "macos-arm64"), ("Apple M3", "macos-arm64"),
            ("macosx-11.0-arm64", "macos-arm64"), ("M4 Max, mac mini", "macos-arm64"), ("macOS 12", "macos"),
            ("Mac OS 10.15", "macos"), ("MacBook Pro (Intel)", "macos"), ("OS X 10.9", "macos"),
            ("Darwin 22", "macos"),
            ("platform macosx", "macos"), ("Windows 11", "windows"), ("win32", "windows"), ("win64", "windows"),
            ("win_amd64", "windows"), ("Windows with WSL", "linux-x86_64"), ("Linux aarch64", "linux-aarch64"),
            ("linux, arm64", "linux-aarch64"), ("Jetson Orin", "linux-aarch64"), ("Raspberry Pi 5", "linux-aarch64"),
            ("AWS Graviton", "linux-aarch64"), ("Linux 6.1", "linux-x86_64"), ("Ubuntu 22.04", "linux-x86_64"),
            ("Debian 12", "linux-x86_64"), ("CentOS 7", "linux-x86_64"), ("Fedora 40", "linux-x86_64"),
            ("RHEL 9", "linux-x86_64"), ("WSL2", "linux-x86_64"), ("Colab", "linux-x86_64"),
            ("Kaggle", "linux-x86_64"),
            ("BeOS", None),
        ],
    )  # fmt: skip
    def test_platforms(self, line: str, platform: str | None) -> None:
        found = read(line).platform
        assert (found.value if found else None) == platform

    @pytest.mark.parametrize("number", range(1, 13))
    def test_months(self, number: int) -> None:
        day = dt.date(2024, number, 9)
        for text in (f"{day:%B} 9, 2024", f"9 {day:%b} 2024", f"{day:%b}. 9th 2024", f"{day:%B} 9"):
            found = read(text).date
            assert (found.value if found else None) == (day.isoformat() if "2024" in text else None)
        for text in (f"in {day:%B} of 2024", f"{day:%b} 2024"):
            assert read(text).date == Fact("date", f"2024-{number:02}", text)

    @pytest.mark.parametrize(
        "word", ["created", "opened", "Posted", "date", "reported", "commented", "on", "since", "as of"]
    )
    def test_words_before_a_date_in_digits(self, word: str) -> None:
        assert read(f"{word}: 2024-12-02").date == Fact("date", "2024-12-02", f"{word}: 2024-12-02")
        assert read(f"{word} 2024-12").date == Fact("date", "2024-12", f"{word} 2024-12")

    @pytest.mark.parametrize(
        ("text", "date"),
        [("Python 3.9.1 (main, Feb 4 2023)", None), ("[GCC 9.4.0] Feb 4 2023", None), ("Clang 15 Feb 4 2023", None),
         ("Feb 30, 2023", None), ("Feb 30, 2023. Feb 3, 2023", None), ("on 2023-02-30", None),
         ("Feb 30, 2023\nFeb 3, 2023", "2023-02-03")],
    )  # fmt: skip
    def test_dates_of_builds_and_days_that_do_not_exist(self, text: str, date: str | None) -> None:
        found = read(text).date
        assert (found.value if found and len(found.value) == 10 else None) == date

    @pytest.mark.parametrize(
        ("line", "backend"),
        [("with the torch backend", "torch"), ("JAX as the Keras backend", "jax"),
         ("Backend: `tensorflow`", "tensorflow"),
         ('os.environ["KERAS_BACKEND"] = "jax"', "jax"), ("KERAS_BACKEND=torch", "torch"),
         ("Using TensorFlow backend", "tensorflow"), ("pytorch backend", "torch"), ("backend = theano", None),
         ("KERAS_BACKEND: openvino", "openvino"), ("the agg backend", None)],
    )  # fmt: skip
    def test_backends(self, line: str, backend: str | None) -> None:
        found = read(line).backend
        assert (found.value if found else None) == backend

    def test_a_backend_that_is_set_outranks_one_that_is_mentioned(self) -> None:
        found = read("the torch backend\nKERAS_BACKEND=jax").backend
        assert found == Fact("backend", "jax", "KERAS_BACKEND=jax")

    @pytest.mark.parametrize(
        ("line", "gpu"),
        [("Is CUDA available: True", True), ("Is CUDA available: False", False), ("RTX 3090", True), ("GTX 1080", True),
         ("an A100", True), ("H100", True), ("T4", True), ("V100", True), ("L4", True),
         ("GPU models and configuration: GPU 0: x", True), ("no GPU", False)],
    )  # fmt: skip
    def test_gpus(self, line: str, gpu: bool) -> None:
        assert read(line).gpu == (Fact("gpu", "cuda", line) if gpu else None)

    def test_a_long_line_is_shortened_where_it_is_shown(self) -> None:
        line = f"keras 3.8.0 {'x' * 88}"
        assert read(line).pins[0].line == line
        assert read(f"{line}y").pins[0].line == f"{line[:97]}..."

    def test_a_local_build_of_the_same_release_is_no_contradiction(self) -> None:
        assert read("torch==2.2.2+cu121\nI use torch 2.2.2").contradictions == ()
        assert read("torch==2.2.2\ntorch==2.2.1").contradictions == (
            "torch: 2.2.2 is taken; it also says 2.2.1 (torch==2.2.1)",
        )


class TestReconstruction:
    def test_what_is_there_is_taken_as_it_is(self) -> None:
        found = _of("07-issue-conv2d.md")
        assert found.wanted.pins == {"tensorflow": "2.18.0", "jax": "0.5.0", "keras": "3.8.0"}
        assert found.wanted.as_of == dt.date(2025, 1, 23)
        assert found.missing == ()

    def test_a_yanked_release_is_replaced_by_the_nearest_and_that_is_said(self) -> None:
        found = _of("10-yanked.txt")
        assert found.wanted.pins["keras"] == "3.9.0"
        assert any("yanked (regression): 3.9.0" in text for text in found.missing)

    def test_an_old_python_is_replaced_and_that_is_said(self) -> None:
        found = _of("09-python27.txt")
        assert found.wanted.python != "2.7"
        assert any(text.startswith("Python 2.7") for text in found.missing)

    def test_another_system_is_told(self) -> None:
        assert any("macos" in text and LINUX in text for text in _of("05-free-text.txt").missing)

    def test_a_missing_date_is_said_to_be_guessed(self) -> None:
        assert any("no date" in text for text in _of("05-free-text.txt").guessed)

    def test_a_report_older_than_what_it_names_moves_to_that_day_and_that_is_said(self) -> None:
        found = _of("08-issue-mnist-torch.md")
        assert found.wanted.as_of == dt.date(2025, 1, 7)
        assert any("2025-01-04: keras 3.8.0 was published on 2025-01-07 only" in text for text in found.missing)

    def test_a_date_on_the_command_line_is_not_moved(self) -> None:
        assert _of("08-issue-mnist-torch.md", as_of=dt.date(2025, 1, 5)).wanted.as_of == dt.date(2025, 1, 5)

    def test_of_a_month_the_last_day_is_taken_and_that_is_said(self) -> None:
        found = reconstruct.reconstruct(read("keras 3.7.0, jax 0.4.35, Python 3.11, February 2024"), index=INDEX)
        assert found.wanted.as_of == dt.date(2024, 2, 29)
        assert [text for text in found.guessed if "2024-02-29" in text and "February 2024" in text]
        found = reconstruct.reconstruct(read("keras 3.8.0, jax 0.5.0, December 2025"), index=INDEX)
        assert found.wanted.as_of == dt.date(2025, 12, 31)

    def test_a_month_that_is_not_over_ends_today(self) -> None:
        today = dt.datetime.now(dt.UTC).date()
        found = reconstruct.reconstruct(read(f"keras 3.8.0, jax 0.5.0, Date: {today:%Y-%m}"), index=INDEX)
        assert found.wanted.as_of is not None
        assert today <= found.wanted.as_of <= today + dt.timedelta(days=1)

    def test_beside_chosen_cells_only_its_other_packages_count_and_that_is_said(self) -> None:
        found = reconstruct.packages_only(_of("08-issue-mnist-torch.md"))
        assert found.wanted == Wanted({"numpy": "1.26.4"})
        assert found.read == ("numpy 1.26.4 (| numpy   | 1.26.4  |)",)
        (guessed,) = found.guessed
        assert "torch 2.2.2, keras 3.8.0, Python and date are not used" in guessed

    def test_a_development_version_becomes_the_release_before(self) -> None:
        found = _of("19-pip-list-markdown.md")
        assert found.wanted.pins["keras"] == "3.7.0"
        assert any("3.8.0.dev0" in text for text in found.missing)

    def test_a_report_without_versions_is_refused(self) -> None:
        with pytest.raises(UsageError, match="--pin"):
            _of("14-no-versions.txt")

    def test_a_backend_without_a_release_is_the_newest_of_that_day(self) -> None:
        report = BugReport((Fact("keras", "3.8.0", "x"),), backend=Fact("backend", "jax", "y"))
        found = reconstruct.reconstruct(report, dt.date(2025, 1, 23), index=INDEX)
        assert found.wanted.pins == {"jax": "0.5.3", "keras": "3.8.0"}
        assert any("jax 0.5.3: the newest as of 2025-01-23" in text for text in found.guessed)

    @pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name][0]])
    def test_every_pin_is_accounted_for(self, name: str) -> None:
        """No version is run that no line names."""
        found = _of(name)
        told = "\n".join(reconstruct.lines(found))
        for package, version in found.wanted.pins.items():
            assert package in told, package
            assert version is not None
            in_report = read((REPORTS / name).read_text("utf-8")).version(package) or ""
            same = versions.order(in_report.partition("+")[0] or "0") == versions.order(version)
            assert same or version in told
        if found.wanted.python:
            assert found.wanted.python in told

    def test_each_line_says_where_it_came_from(self) -> None:
        found = reconstruct.reconstruct(
            read("jax==0.5.0\nkeras==3.8.0\nnumpy==1.26.4\nflask==3.0\nPython 3.11"), index=INDEX
        )
        assert reconstruct.lines(found) == [
            "read: Python 3.11 (Python 3.11)",
            "read: jax 0.5.0 (jax==0.5.0)",
            "read: keras 3.8.0 (keras==3.8.0)",
            "read: numpy 1.26.4 (numpy==1.26.4)",
            "guessed: no date is given: what the report does not pin is as of latest.toml; --as-of gives a date",
            "guessed: no platform is named: linux-x86_64",
            "guessed: 1 other packages come as the index had them: flask",
        ]
        assert found.wanted == Wanted({"jax": "0.5.0", "keras": "3.8.0", "numpy": "1.26.4"}, (), None, "3.11")

    def test_of_many_other_packages_eight_are_named(self) -> None:
        many = "\n".join(f"pkg{n}==1.0" for n in range(9))
        found = reconstruct.reconstruct(read(f"jax==0.5.0\n{many}"), index=INDEX)
        (line,) = [text for text in found.guessed if "other packages" in text]
        assert line == (
            "9 other packages come as the index had them: pkg0, pkg1, pkg2, pkg3, pkg4, pkg5, pkg6, pkg7, ..."
        )

    def test_only_a_contradiction_about_what_is_pinned_is_reported(self) -> None:
        found = reconstruct.reconstruct(read("jax==0.5.0\njax==0.5.3\nflask==1.0\nflask==2.0"), index=INDEX)
        assert [text for text in found.missing if "contradiction" in text] == [
            "contradiction: jax: 0.5.0 is taken; it also says 0.5.3 (jax==0.5.3)"
        ]

    def test_a_gpu_is_reported_as_missing(self) -> None:
        found = reconstruct.reconstruct(read("jax==0.5.0 on an A100\njax==0.5.0"), index=INDEX)
        assert "it ran on a GPU; here it runs on the CPU unless --device cuda is given" in found.missing

    def test_a_report_without_keras_runs_the_framework_alone(self) -> None:
        found = reconstruct.reconstruct(read("jax==0.5.0"), index=INDEX)
        assert found.wanted.pins == {"jax": "0.5.0"}
        assert "no Keras is named: the framework runs without it" in found.guessed

    def test_keras_alone_gets_its_default_backend_as_of_the_day(self) -> None:
        found = reconstruct.reconstruct(read("keras==3.8.0"), index=INDEX)
        assert found.wanted.pins == {"tensorflow": "2.19.0", "keras": "3.8.0"}
        assert "no backend is named: tensorflow, Keras's default" in found.guessed
        assert f"tensorflow 2.19.0: the newest as of {reconstruct.facts_date()}" in found.guessed

    def test_a_backend_that_is_named_is_read_and_is_the_only_framework(self) -> None:
        found = reconstruct.reconstruct(
            read("keras==3.8.0\njax==0.5.0\ntorch==2.2.2\nKERAS_BACKEND=torch"), index=INDEX
        )
        assert found.wanted.pins == {"torch": "2.2.2", "keras": "3.8.0"}
        assert "backend torch (KERAS_BACKEND=torch)" in found.read
        assert not [text for text in found.guessed if "other packages" in text]

    @pytest.mark.parametrize(
        ("text", "python", "where"),
        [
            ("torch==2.2.2\nPython 3.10", "3.10", "read: Python 3.10 (Python 3.10)"),
            ("torch==2.2.2\nPython 3.14", "3.12", "not available: Python 3.14 (Python 3.14): 3.12 in its place"),
            ("torch==2.2.2\nPython 3.6", "3.8", "not available: Python 3.6 (Python 3.6): 3.8 in its place"),
            ("torch==2.2.2", "3.11", "guessed: no Python is named: 3.11"),
            ("jax==0.4.35\nkeras==2.15.0\nPython 3.10", "3.10", "read: Python 3.10 (Python 3.10)"),
            ("keras==3.8.0\nPython 3.10", "3.10", "read: Python 3.10 (Python 3.10)"),
        ],
    )
    def test_the_python_is_the_nearest_that_all_have_wheels_for(self, text: str, python: str, where: str) -> None:
        found = reconstruct.reconstruct(read(text), index=INDEX)
        assert found.wanted.python == python
        assert where in reconstruct.lines(found)

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("Windows 11\njax==0.5.0", "not available: platform windows (Windows 11): linux-x86_64 in its place"),
            ("Ubuntu\njax==0.5.0", "read: platform linux-x86_64 (Ubuntu)"),
        ],
    )
    def test_the_platform(self, text: str, line: str) -> None:
        assert line in reconstruct.lines(reconstruct.reconstruct(read(text), index=INDEX))

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            (
                "jax==0.4.36",
                "jax 0.4.36 (jax==0.4.36) has no wheel for Python 3.11 here, or was never released: 0.4.35",
            ),
            ("jax==0.1.0", "jax 0.1.0 (jax==0.1.0) has no wheel for Python 3.11 here, or was never released: 0.4.35"),
            ("jax==0.5.0\nscipy==1.10", "scipy 1.10 (scipy==1.10): the package index has no 'scipy'"),
            (
                "jax==0.5.0\nkeras==3.10.1",
                "keras 3.10.1 (keras==3.10.1) has no wheel for Python 3.11 here, or was never",
            ),
        ],
    )
    def test_a_release_that_is_not_there(self, text: str, line: str) -> None:
        found = reconstruct.reconstruct(read(text), index=INDEX)
        assert [missing for missing in found.missing if missing.startswith(line)]
        assert "scipy" not in found.wanted.pins

    def test_an_index_that_does_not_answer_is_reported_too(self) -> None:
        def failing(_package: str, _python: str) -> tuple[str, ...]:
            raise BuildError("no answer")

        found = reconstruct.reconstruct(read("jax==0.5.0"), index=replace(INDEX, published=failing))
        assert found.wanted.pins == {}
        assert "jax 0.5.0 (jax==0.5.0): no answer" in found.missing

    def test_a_yanked_release_without_another_is_left_out(self) -> None:
        index = replace(INDEX, yanked=lambda *_: "bad", published=lambda *_: ("0.5.0",))
        found = reconstruct.reconstruct(read("jax==0.5.0"), index=index)
        assert found.wanted.pins == {}
        assert "jax 0.5.0 (jax==0.5.0) was yanked (bad): nothing in its place" in found.missing

    def test_a_day_before_the_upload_moves_and_a_later_one_stays(self) -> None:
        text = "keras==3.8.0\njax==0.5.0\nopened on {}"
        days = {
            day: reconstruct.reconstruct(read(text.format(day)), index=INDEX).wanted.as_of
            for day in ("2025-01-06", "2025-01-07", "2025-01-08")
        }
        assert [str(moved) for moved in days.values()] == ["2025-01-07", "2025-01-07", "2025-01-08"]


class TestIndex:
    """The index that is asked where a test brings none."""

    def test_prereleases_count_and_an_unknown_day_is_empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index, "published", lambda *_, prereleases=False: ("1.0rc1",) if prereleases else ())
        monkeypatch.setattr(
            index, "uploaded", lambda _p, wanted, _py: dict.fromkeys(set(wanted) & {"1.0"}, "2025-01-01")
        )
        real = reconstruct.Index()
        assert real.published("x", "3.11") == ("1.0rc1",)
        assert (real.uploaded("x", "1.0", "3.11"), real.uploaded("x", "2.0", "3.11")) == ("2025-01-01", "")


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(EXPECTED)))
def test_a_mangled_report_never_breaks_and_invents_no_version(data: st.DataObject, name: str) -> None:
    text = (REPORTS / name).read_text("utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 80)))
        text = (
            text[:start]
            + data.draw(st.sampled_from(["", "\x00", "\r\n", "\n", "`", "|", "é", " ", "==", "\t"]))
            + text[end:]
        )
    report = read(text)
    for fact in report.pins:
        assert fact.value in text.lower()
        assert fact.line.removesuffix("...") in text
    named = {fact.name for fact in report.pins} & {*frameworks.chosen_by_a_pin(), "keras"}
    if not named and report.backend is None:
        with pytest.raises(UsageError):
            reconstruct.reconstruct(report, index=INDEX)
        return
    pins = reconstruct.reconstruct(report, index=INDEX).wanted.pins
    assert pins
    assert {name for name, version in pins.items() if version not in PUBLISHED[name]} == set()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=2000))
def test_anything_can_be_read(text: str) -> None:
    assert isinstance(read(text), BugReport)


def test_a_huge_report_is_read_in_little_time() -> None:
    import time

    lines = ("keras==3.8.0", "keras torch " * 40, "python " * 60, "a" * 500, "version " * 60, "1." * 250)
    huge = ("\n".join(lines) + "\n") * 1000
    began = time.thread_time()
    report = bugreport.read(huge)
    assert time.thread_time() - began < 30  # CPU time; a pattern that backtracks takes hours
    assert report.version("keras") == "3.8.0"
