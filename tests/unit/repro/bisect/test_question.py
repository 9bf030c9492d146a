"""The question of a search: its cell, its Python, its releases, and what names its file of answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runner.environments import index
from runner.errors import UsageError
from runner.matrix import compat
from runner.measure import builds
from runner.model import Cell, Custom
from runner.repro.bisect import question
from runner.repro.bisect.question import Request

REQUEST = Request(
    "keras", (), "3.6.0", "3.9.0", False, Path("s.py"), None, None, (), None, (), None, None, None,
    ("jax==0.5.0",), None, None, "host", 1, False, False, False, False, Path("out"), (), (), False, 9.0, None, 1.0,
)  # fmt: skip
PUBLISHED = ("3.5.0", "3.6.0", "3.7.0rc1", "3.7.0", "3.8.0rc0", "3.8.0", "3.9.0rc0", "3.9.0", "3.10.0")


class TestCell:
    def test_the_package_moves_and_the_pins_stay(self) -> None:
        request = replace(REQUEST, pins=("jax==0.5.0", "numpy==1.26.4"), extra=("scipy",))
        target = question.at(request, "3.8.0", "3.11", "2026-01-01T00:00:00Z")
        assert target.cell == Cell("jax", "0.5.0", "3.8.0", "3.11", "cpu")
        assert target.custom == Custom(("numpy==1.26.4", "scipy"), "2026-01-01T00:00:00Z")

    def test_a_cell_has_its_own_axis_moved(self) -> None:
        request = replace(REQUEST, cell="torch-2.2.2_keras-3.8.0_py3.11_cpu", pins=(), package="PyTorch")
        assert question.at(request, "2.3.0", None, "").cell == Cell("torch", "2.3.0", "3.8.0", "3.11", "cpu")

    def test_another_package_than_an_axis_is_pinned_in_the_cell(self) -> None:
        request = replace(REQUEST, cell="torch-2.2.2_keras-3.8.0_py3.11_cpu", pins=(), package="numpy")
        target = question.at(request, "1.26.4", None, "")
        assert target.cell.id == "torch-2.2.2_keras-3.8.0_py3.11_cpu"
        assert target.custom == Custom(("numpy==1.26.4",))

    def test_two_frameworks_are_refused(self) -> None:
        request = replace(REQUEST, pins=("jax==0.5.0", "torch==2.2.2"))
        with pytest.raises(UsageError, match="torch, jax: one framework at a time; or give --cell"):
            question.at(request, "3.8.0", None, "")

    def test_what_is_not_pinned_is_the_newest_of_that_moment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[str, str]] = []

        def newest(package: str, _python: str, as_of: str) -> str:
            asked.append((package, as_of))
            return "0.4.35"

        monkeypatch.setattr(index, "newest", newest)
        target = question.at(replace(REQUEST, pins=("jax",)), "3.8.0", "3.11", "2025-01-01T00:00:00Z")
        assert target.cell.version == "0.4.35"
        assert asked == [("jax", "2025-01-01T00:00:00Z")]


class TestPython:
    def test_it_has_wheels_of_both_ends(self) -> None:
        assert question.python_of(REQUEST) == "3.11"

    def test_it_moves_up_to_what_the_newer_end_needs(self) -> None:
        request = replace(REQUEST, package="jax", good="0.4.20", bad="0.4.30", cell="jax-0.4.20_native_py3.9_cpu")
        assert question.python_of(request) == "3.9"
        request = replace(request, bad="0.5.0")
        assert question.python_of(request) == "3.10"

    def test_it_moves_down_to_what_the_older_end_needs(self) -> None:
        request = replace(
            REQUEST, package="torch", good="2.0.1", bad="2.2.2", cell="torch-2.2.2_native_py3.12_cpu", pins=()
        )
        assert question.python_of(request) == "3.11"

    def test_ends_without_a_python_in_common_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pythons = {"2.2.2": ("3.8", "3.9"), "2.15.0": ("3.10", "3.13")}
        row = compat.Compat.row
        monkeypatch.setattr(
            compat.Compat,
            "row",
            lambda self, name, version: msgspec.structs.replace(row(self, name, version), python=pythons[version]),
        )
        request = replace(
            REQUEST, package="torch", good="2.2.2", bad="2.15.0", cell="torch-2.2.2_native_py3.8_cpu", pins=()
        )
        with pytest.raises(UsageError, match=r"no Python in common \(3\.10 and newer, 3\.9 and older\); see --python"):
            question.python_of(request)
        pythons["2.2.2"] = ("3.8", "3.10")
        assert question.python_of(request) == "3.10"

    def test_the_keras_of_the_cell_counts_too(self) -> None:
        cell = "tensorflow-2.16.1_keras-3.15.1_py3.9_cpu"
        request = replace(REQUEST, package="tensorflow", good="2.16.1", bad="2.18.0", cell=cell, pins=())
        assert question.python_of(request) == "3.11"


class TestReleases:
    @pytest.fixture(autouse=True)
    def _published(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def listed(_package: str, _python: str, *, prereleases: bool = False) -> tuple[str, ...]:
            return tuple(one for one in PUBLISHED if prereleases or "rc" not in one)

        monkeypatch.setattr(index, "published", listed)

    def test_those_between_the_ends_are_listed_with_the_ends(self) -> None:
        assert question.releases(REQUEST, "3.11") == ("3.6.0", "3.7.0", "3.8.0", "3.9.0")

    def test_the_older_end_comes_first_also_for_a_fix(self) -> None:
        request = replace(REQUEST, good="3.9", bad="3.6.0", find_fix=True)
        assert question.releases(request, "3.11") == ("3.6.0", "3.7.0", "3.8.0", "3.9.0")

    def test_prereleases_are_listed_where_they_are_asked_for(self) -> None:
        request = replace(REQUEST, prereleases=True)
        assert question.releases(request, "3.11") == PUBLISHED[1:8]

    @pytest.mark.parametrize("end", [{"good": "3.7.0rc1"}, {"bad": "3.8.0rc0"}])
    def test_of_prereleases_only_an_end_is_listed_otherwise(self, end: dict[str, Any]) -> None:
        found = question.releases(replace(REQUEST, **end), "3.11")
        assert [one for one in found if "rc" in one] == list(end.values())

    def test_an_end_that_was_never_released_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(UsageError, match=r"keras 3\.8\.5: no such release .* Python 3\.11; the nearest is 3\.8\.0"):
            question.releases(replace(REQUEST, bad="3.8.5"), "3.11")


class TestAsked:
    """Two searches share their answers only where nothing that decides an answer differs."""

    @pytest.fixture
    def request_(self, tmp_path: Path) -> Request:
        (tmp_path / "s.py").write_text("print()")
        return replace(REQUEST, script=tmp_path / "s.py")

    def test_all_that_decides_an_answer_of_a_script(self, request_: Request) -> None:
        request = replace(request_, pins=("b", "a"), extra=("d", "c"), arguments=("x",), pattern="y", mounts=("z",))
        assert question.asked(request, "3.11", ("3.6.0", "3.7.0", "3.9.0")) == {
            "package": "keras",
            "releases": ["3.6.0", "3.9.0"],
            "test": ["script", "print()", ("x",), "y", ("z",), False, 1],
            "cell": None,
            "pins": ["a", "b"],
            "with": ["c", "d"],
            "python": "3.11",
            "executor": "host",
            "as_of": None,
            "find_fix": False,
        }

    def test_of_a_probe_the_verdict_counts_only_with_a_metric(self) -> None:
        request = replace(REQUEST, script=None, probe="mnist", settings=("mnist.epochs=1",))
        asked = question.asked(request, "3.11", ("3.6.0", "3.9.0"))
        assert asked["test"] == ["probe", "mnist", ("mnist.epochs=1",), None, None, 1]
        asked = question.asked(replace(request, metrics=("step_s",)), "3.11", ("3.6.0", "3.9.0"))
        assert asked["test"] == ["probe", "mnist", ("mnist.epochs=1",), None, ["step_s", "regressed", 10], 1]

    def test_a_script_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            question.asked(replace(REQUEST, script=tmp_path / "gone.py"), "3.11", ("3.6.0", "3.9.0"))


class TestNightlyBuilds:
    """The ends may be nightly builds: those of the nights between them are tested, too."""

    BUILDS = ("3.9.0.dev2024123103", "3.10.0.dev2025020103", "3.10.0.dev2025020203", "3.10.0.dev2025020303")

    @pytest.fixture(autouse=True)
    def index(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stable = tuple(version for version in PUBLISHED if "rc" not in version)
        monkeypatch.setattr(index, "published", lambda *_, prereleases=False: PUBLISHED if prereleases else stable)
        monkeypatch.setattr(index, "nightly_builds", lambda *_: self.BUILDS)
        monkeypatch.setattr(index, "nightly", lambda package, word: f"{package} of {word}")

    def test_the_words_become_exact_versions(self) -> None:
        request = question.exact(replace(REQUEST, good="nightly-2025-02-01", bad="keras@nightly"))
        assert (request.good, request.bad) == ("keras of nightly-2025-02-01", "keras of nightly")
        assert question.exact(REQUEST) == REQUEST

    def test_two_nights_enclose_the_nights_between_them(self) -> None:
        request = replace(REQUEST, good=self.BUILDS[1], bad=self.BUILDS[3])
        assert question.releases(request, "3.11") == self.BUILDS[1:]

    def test_a_release_and_a_night_enclose_both_kinds_and_no_candidates(self) -> None:
        request = replace(REQUEST, good="3.8.0", bad=self.BUILDS[2])
        assert question.releases(request, "3.11") == ("3.8.0", self.BUILDS[0], "3.9.0", *self.BUILDS[1:3])

    def test_without_a_night_at_an_end_there_is_none_between(self) -> None:
        assert question.releases(REQUEST, "3.11") == ("3.6.0", "3.7.0", "3.8.0", "3.9.0")


class TestSources:
    """A source holds a package fixed; the package that moves has none."""

    def test_it_is_one_more_pin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = ("torch==2.16.0+w1a2b3c4",)
        monkeypatch.setattr(builds, "pins", lambda wheels, *_: made if wheels else ())
        request = replace(REQUEST, pins=("scipy",), wheels=("torch=dist/torch.whl",))
        assert question.fixed(request, lambda _: None).pins == ("scipy", *made)
        assert question.fixed(REQUEST, lambda _: None) == REQUEST

    def test_the_package_that_moves_has_no_wheel(self) -> None:
        with pytest.raises(UsageError) as caught:
            question.fixed(replace(REQUEST, wheels=("keras=a.whl",)), lambda _: None)
        assert str(caught.value) == "--wheel keras=a.whl: keras is what moves; a wheel holds another package fixed"

    @pytest.mark.parametrize("text", ["../keras", "keras=../keras", "Keras=../keras"])
    def test_a_source_of_the_package_that_moves_is_the_repository_of_its_commits(
        self, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held: list[tuple[str, ...]] = []

        def pins(_wheels: object, sources: tuple[str, ...], *_: object) -> tuple[str, ...]:
            held.append(sources)
            return ()

        monkeypatch.setattr(builds, "pins", pins)
        request = replace(REQUEST, sources=(text, "torch=../torch"))
        assert question.repository(request) == "../keras"
        question.fixed(request, lambda _: None)
        assert held == [("torch=../torch",)]
        assert question.repository(replace(REQUEST, sources=("torch=../torch",))) == ""

    def test_there_is_one_repository_at_a_time(self) -> None:
        with pytest.raises(UsageError, match=r"--source a and --source keras=b: one repository of keras at a time"):
            question.repository(replace(REQUEST, sources=("a", "keras=b")))
