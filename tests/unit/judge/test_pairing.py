"""Which cells are compared with which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.judge import Pair, pairs
from runner.judge.pairing import difference
from runner.model import Cell


def cell(version: str, keras: str | None = "3.11.3", framework: str = "torch", **more: str) -> Cell:
    return Cell(
        framework, version, keras, more.get("python", "3.11"), more.get("device", "cpu"), more.get("variant", "")
    )


def baselines(found: list[Pair]) -> dict[str, tuple[str, str]]:
    return {pair.candidate.id: (pair.baseline.id, pair.axis) for pair in found}


def test_newer_versions_are_compared_with_the_oldest_whatever_the_order() -> None:
    old, mid, new = cell("2.2.2"), cell("2.9.1"), cell("2.13.0")
    for order in ([old, mid, new], [new, mid, old]):
        assert baselines(pairs(order)) == {new.id: (old.id, "version"), mid.id: (old.id, "version")}


def test_a_preferred_cell_is_the_baseline() -> None:
    old, new = cell("2.2.2", "3.8.0"), cell("2.2.2", "3.11.3")
    found = pairs([old, new], prefer=["*_keras-3.11.3_*"])
    assert baselines(found) == {old.id: (new.id, "keras")}


def test_the_nearest_axis_comes_first() -> None:
    tf, torch, newer = cell("2.21.0", framework="tensorflow"), cell("2.2.2"), cell("2.13.0")
    found = baselines(pairs([tf, torch, newer]))
    assert found == {torch.id: (tf.id, "framework"), newer.id: (torch.id, "version")}


def test_keras_is_the_baseline_of_native() -> None:
    keras, native = cell("2.2.2"), cell("2.2.2", None)
    assert baselines(pairs([native, keras])) == {native.id: (keras.id, "keras")}


@pytest.mark.parametrize(
    ("axis", "other"),
    [
        ("python", cell("2.2.2", python="3.12")),
        ("device", cell("2.2.2", device="mps")),
        ("variant", cell("2.2.2", variant="fallback")),
        ("version", cell("2.13.0")),
        ("keras", cell("2.2.2", "3.8.0")),
        ("framework", cell("0.10.2", framework="jax")),
    ],
)
def test_one_axis_may_differ(axis: str, other: Cell) -> None:
    assert difference(cell("2.2.2"), other) == axis


def test_cells_that_differ_in_two_axes_are_not_compared() -> None:
    assert difference(cell("2.2.2"), cell("2.13.0", "3.8.0")) is None
    assert pairs([cell("2.2.2"), cell("2.13.0", "3.8.0")]) == []


def test_versions_are_numbers_not_words() -> None:
    old, new = cell("2.9.1"), cell("2.13.0")
    assert baselines(pairs([new, old])) == {new.id: (old.id, "version")}


def test_a_named_baseline_is_compared_with_all_that_differ_from_it_in_one_axis() -> None:
    base, newer, both = cell("2.13.0"), cell("2.2.2"), cell("2.2.2", "3.8.0")
    assert baselines(pairs([newer, base, both], baseline=base.id)) == {newer.id: (base.id, "version")}


def test_an_unknown_baseline_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'torch-2\.2\.2_keras"):
        pairs([cell("2.2.2")], baseline="torch-2.2.1_keras-3.11.3_py3.11_cpu")


cells = st.builds(
    Cell,
    st.sampled_from(["torch", "jax"]),
    st.sampled_from(["1.0", "1.10", "2.0"]),
    st.sampled_from([None, "3.8.0", "3.11.3"]),
    st.sampled_from(["3.11", "3.12"]),
    st.sampled_from(["cpu", "cuda"]),
)


@given(st.lists(cells, max_size=20), st.lists(st.sampled_from(["torch-*", "*_native_*", "*cuda"]), max_size=2))
def test_pairs_form_a_forest_over_one_axis_each(some: list[Cell], prefer: list[str]) -> None:
    found = pairs(some, prefer)
    parent = {pair.candidate.id: pair.baseline.id for pair in found}
    assert len(parent) == len(found), "a cell has at most one baseline"
    for pair in found:
        assert difference(pair.baseline, pair.candidate) == pair.axis
    for start in parent:
        seen, at = {start}, start
        while at in parent:
            at = parent[at]
            assert at not in seen, "no cycles"
            seen.add(at)
    lonely = {c.id for c in some} - parent.keys()
    comparable = {c.id for c in some for d in some if difference(c, d)}
    assert not comparable or comparable - lonely, "whatever can be compared is, save for the roots"


class TestUnreleased:
    """A nightly build, or one of a checkout, is compared with the newest release."""

    NIGHT, OWN = "3.16.0.dev2026102704", "3.14.0+g1a2b3c4"

    @pytest.mark.parametrize("version", [NIGHT, OWN])
    def test_its_baseline_is_the_newest_release_of_the_axis(self, version: str) -> None:
        old, new, own = cell("2.2.2", "3.8.0"), cell("2.2.2", "3.15.1"), cell("2.2.2", version)
        for order in ([own, old, new], [new, old, own]):
            found = baselines(pairs(order))
            assert found[own.id] == (new.id, "keras")
            assert found[new.id] == (old.id, "keras")

    def test_it_is_never_the_baseline_of_a_release(self) -> None:
        own, other = cell("2.2.2", self.OWN), cell("2.13.0", self.OWN)
        release = cell("2.2.2", "3.15.1")
        found = baselines(pairs([own, other, release], prefer=[own.id]))
        assert found == {own.id: (release.id, "keras"), other.id: (own.id, "version")}

    def test_a_nightly_framework_is_compared_with_its_newest_release(self) -> None:
        old, new, night = cell("2.20.0"), cell("2.21.0"), cell("2.23.0.dev20261026")
        assert baselines(pairs([old, night, new]))[night.id] == (new.id, "version")

    def test_native_is_no_release_of_keras(self) -> None:
        own, native = cell("2.2.2", self.OWN), cell("2.2.2", None)
        assert baselines(pairs([own, native])) == {own.id: (native.id, "keras")}
