"""Bug reports as people paste them: what is read, what is guessed, what cannot be had - and nothing silently."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.repro import bugreport, reconstruct, releases
from runner.repro.bugreport import BugReport, Fact, read
from runner.repro.pins import Wanted

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


def _every_pin_is_accounted_for(found: reconstruct.Reconstruction, report: BugReport) -> None:
    told = "\n".join(reconstruct.lines(found))
    for package, version in found.wanted.pins.items():
        assert package in told, package
        assert version is not None
        in_report = report.version(package) or ""
        same = releases.order(in_report.partition("+")[0] or "0") == releases.order(version)
        assert same or version in told


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
        found = reconstruct.beside(_of("08-issue-mnist-torch.md"))
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
        assert found.wanted.pins
        _every_pin_is_accounted_for(found, read((REPORTS / name).read_text("utf-8")))
        if found.wanted.python:
            assert found.wanted.python in "\n".join(reconstruct.lines(found))


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
    try:
        found = reconstruct.reconstruct(report, index=INDEX)
    except UsageError:
        return
    assert found.wanted.pins
    _every_pin_is_accounted_for(found, report)


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
