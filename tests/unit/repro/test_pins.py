"""Pins become cells with environments."""

from __future__ import annotations

import datetime as dt

import pytest

from runner.environments import wheels
from runner.errors import UsageError
from runner.matrix import compat
from runner.model import Cell, Custom, Environment
from runner.repro import pins
from runner.util import versions

TORCH = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")


def _newest(package: str, _python: str, as_of: str) -> str:
    return {"jax": "0.5.0" if as_of else "0.10.2", "tensorflow": "2.18.0", "keras": "3.8.0"}[package]


class TestPins:
    def test_a_framework_and_keras_become_the_cell_and_the_rest_its_environment(self) -> None:
        wanted = pins.Wanted(pins.parse(["torch==2.2.2+cu121", "keras==3.8.0", "numpy==1.26.4"]), ("scipy",))
        (target,) = pins.targets(wanted, _newest)
        assert target.cell == TORCH
        assert target.custom == Custom(("numpy==1.26.4", "scipy"))

    def test_a_plain_cell_has_the_environment_of_the_matrix(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["torch==2.2.2", "keras==3.8.0"])), _newest)
        assert target.custom is None

    def test_a_date_decides_what_is_newest_and_still_counts_itself(self) -> None:
        wanted = pins.Wanted(pins.parse(["jax", "keras==3.8.0"]), as_of=dt.date(2025, 1, 23))
        (target,) = pins.targets(wanted, _newest)
        assert target.cell.version == "0.5.0"
        assert target.custom == Custom((), "2025-01-24T00:00:00Z")

    def test_several_frameworks_are_taken_apart_and_that_is_said(self) -> None:
        found = pins.targets(pins.Wanted(pins.parse(["jax==0.5.0", "tensorflow==2.18.0", "keras==3.8.0"])), _newest)
        assert {target.cell.framework for target in found} == {"jax", "tensorflow"}
        assert all("its own environment" in " ".join(target.notes) for target in found)

    def test_keras_alone_runs_on_its_default_backend_and_says_so(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["keras==3.8.0"])), _newest)
        assert target.cell.framework == "tensorflow"
        assert "assumed" in target.notes[0]

    def test_the_python_is_one_both_releases_have_wheels_for(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["jax==0.4.20", "keras==3.15.1"])), _newest)
        assert versions.release(target.cell.python) >= (3, 11)

    def test_a_framework_is_known_by_its_name_on_the_index(self) -> None:
        (target,) = pins.targets(pins.Wanted(pins.parse(["paddlepaddle==3.3.1"])), _newest)
        assert target.cell.id == "paddle-3.3.1_native_py3.11_cpu"

    def test_an_unknown_framework_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(UsageError, match="did you mean 'tensorflow'"):
            pins.targets(pins.Wanted(pins.parse(["tensorflwo==2.18.0"])), _newest)

    @pytest.mark.parametrize("text", ["torch>=2", "torch==2.2.2 --index-url=x", "--pre", "", "a b==1", "torch== "])
    def test_what_is_no_pin_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="looks like torch"):
            pins.parse([text])

    @pytest.mark.parametrize("text", ["--index-url", "git+ssh://x", "./folder", "scipy @ file:///x", "a\nb"])
    def test_what_is_no_package_never_reaches_uv(self, text: str) -> None:
        with pytest.raises(UsageError, match="looks like scipy"):
            pins.packages([text])

    @pytest.mark.parametrize("text", ["keras@nightly", "keras==nightly", "keras-nightly@nightly"])
    def test_a_nightly_build_is_pinned_by_its_exact_version(self, text: str) -> None:
        asked: list[tuple[str, str]] = []

        def nightly(package: str, wanted: str) -> str:
            asked.append((package, wanted))
            return "3.16.0.dev2026102704"

        pinned = pins.parse([text, "jax==0.10.2"], nightly)
        assert pinned == {"keras": "3.16.0.dev2026102704", "jax": "0.10.2"}
        assert asked == [("keras", "nightly")]
        (target,) = pins.targets(pins.Wanted(pinned), _newest)
        assert target.cell.id == "jax-0.10.2_keras-3.16.0.dev2026102704_py3.11_cpu"
        assert target.custom is None

    def test_a_nightly_build_of_a_day_may_be_pinned(self) -> None:
        assert pins.parse(["keras@nightly-2026-10-12"], lambda _package, wanted: wanted) == {
            "keras": "nightly-2026-10-12"
        }

    def test_a_pin_of_another_framework_does_not_go_with_a_cell(self) -> None:
        with pytest.raises(UsageError, match="runs torch"):
            pins.on_cell(TORCH, pins.Wanted({"jax": "0.5.0"}))

    def test_a_pin_moves_the_axis_of_a_cell(self) -> None:
        assert pins.on_cell(TORCH, pins.Wanted({"keras": "3.9.0"})).cell.keras == "3.9.0"


class TestEnvironment:
    def test_a_pin_takes_the_place_of_what_the_axes_ask_for(self) -> None:
        custom = Custom(("numpy==1.25.0", "scipy"))
        environment = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64", custom)
        lines = compat.load().requirements(environment).requirements
        assert lines == ("keras==3.8.0", "numpy==1.25.0", "scipy", "torch==2.2.2")

    def test_its_name_tells_it_from_the_plain_one(self) -> None:
        plain = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
        ids = {
            Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64", custom).id
            for custom in (None, Custom(("a",)), Custom((), "a"), Custom((), "", ("a",)), Custom(("a", "b")))
        }
        assert len(ids) == 5
        assert plain.id in ids


class TestWords:
    @pytest.mark.parametrize(
        ("text", "pin"),
        [
            ("tensorflow-cpu==2.18.0", ("tensorflow", "2.18.0")), ("tensorflow-intel", ("tensorflow", None)),
            ("tensorflow-macos", ("tensorflow", None)), ("tensorflow-gpu", ("tensorflow", None)),
            ("tf-nightly", ("tensorflow", None)), ("pytorch==2.2.2", ("torch", "2.2.2")),
            ("mxnet-cu112==1.9.1", ("mxnet", "1.9.1")), (" Foo_Bar == 1".replace(" == ", "=="), ("foo-bar", "1")),
            ("x==1!2.0+cu121", ("x", "1!2.0+cu121")), ("a", ("a", None)),
        ],
    )  # fmt: skip
    def test_pins(self, text: str, pin: tuple[str, str | None]) -> None:
        assert pins.parse([text]) == dict([pin])

    def test_a_project_is_pinned_once(self) -> None:
        assert pins.parse(["torch==2.2.2", "pytorch==2.2.2"]) == {"torch": "2.2.2"}
        with pytest.raises(UsageError, match="--pin 'pytorch': torch is pinned twice"):
            pins.parse(["torch==2.2.2", "pytorch"])

    @pytest.mark.parametrize("text", ["scipy", "scipy==1.10.*", "scipy[all,test]>=1,<2", "a.b~=1.0", "a!=1", "a<=2"])
    def test_packages(self, text: str) -> None:
        assert pins.packages([text]) == (text,)

    def test_dates(self) -> None:
        assert pins.date("2025-01-02") == dt.date(2025, 1, 2)
        with pytest.raises(UsageError, match="--as-of '2025-13-02': it looks like 2025-01-02"):
            pins.date("2025-13-02")


class TestCells:
    def test_cells_of_the_matrix_or_those_that_pins_make(self) -> None:
        wanted = pins.Wanted({"numpy": "1.26.4"}, as_of=dt.date(2025, 1, 1))
        (target,) = pins.chosen([TORCH.id, TORCH.id], wanted)
        assert target.cell == TORCH
        assert target.custom == Custom(("numpy==1.26.4",), "2025-01-02T00:00:00Z")
        (target,) = pins.chosen([], pins.Wanted({"torch": "2.2.2", "keras": "3.8.0"}))
        assert target.cell == TORCH

    def test_a_pin_without_a_version_keeps_the_axis_of_the_cell(self) -> None:
        assert pins.on_cell(TORCH, pins.Wanted({"torch": None, "keras": None})).cell == TORCH
        moved = pins.on_cell(TORCH, pins.Wanted({"torch": "2.3.0"}, python="3.12"))
        assert moved.cell == Cell("torch", "2.3.0", "3.8.0", "3.12", "cpu")
        assert moved.custom is None

    def test_a_date_alone_is_an_environment_of_its_own(self) -> None:
        found = pins.on_cell(TORCH, pins.Wanted({}, as_of=dt.date(2025, 1, 1)))
        assert found.custom == Custom((), "2025-01-02T00:00:00Z")

    def test_keras_without_a_version_is_the_newest_of_the_day(self) -> None:
        (target,) = pins.targets(pins.Wanted({"jax": "0.5.0", "keras": None}, device="cuda"), _newest)
        assert (target.cell.keras, target.cell.device) == ("3.8.0", "cuda")

    def test_without_keras_the_framework_runs_alone(self) -> None:
        (target,) = pins.targets(pins.Wanted({"jax": "0.5.0"}), _newest)
        assert (target.cell.keras, target.custom, target.notes) == (None, None, ())

    def test_a_python_that_is_given_is_taken(self) -> None:
        (target,) = pins.targets(pins.Wanted({"jax": "0.5.0"}, python="3.12"), _newest)
        assert target.cell.python == "3.12"

    def test_pins_and_packages_are_sorted(self) -> None:
        wanted = pins.Wanted({"jax": "0.5.0", "scipy": None, "numpy": "1.26.4"}, ("z", "a"))
        (target,) = pins.targets(wanted, _newest)
        assert target.custom == Custom(("numpy==1.26.4", "scipy", "a", "z"))

    def test_without_a_framework_those_there_are_get_named(self) -> None:
        with pytest.raises(
            UsageError, match=r"no framework is pinned: add --pin for one of .*torch.*, or choose --cells"
        ):
            pins.targets(pins.Wanted({"zzz": "1"}), _newest)


def test_a_wheel_of_this_machine_keeps_its_local_part(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "0.11.0+g1a2b3c4"
    monkeypatch.setattr(wheels, "find", lambda project, version: (project, version) == ("jax", own) or None)
    (target,) = pins.targets(pins.Wanted(pins.parse([f"jax=={own}", "keras==3.16.0+g1a2b3c4"])), _newest)
    assert target.cell.id == f"jax-{own}_keras-3.16.0+g1a2b3c4_py3.11_cpu"
    (target,) = pins.targets(pins.Wanted(pins.parse(["jax==0.11.0+other"])), _newest)
    assert target.cell.version == "0.11.0"
