"""The whole ladder on cells of float32 NumPy: each broken one is named by rung, step and layer; right ones pass."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runner.diagnose import Evidence, Found, Side, diagnose
from runner.diagnose.words import paragraph
from runner.probe import diagnose as probe
from runner.probe import protocol
from runner.report import diagnosis

_spec = importlib.util.spec_from_file_location("diagnose_side", Path(__file__).with_name("diagnose_side.py"))
diagnose_side = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(diagnose_side)

CONV = [("conv", 3, 3, "relu"), ("pool",), ("flatten",), ("dense", 16, "relu"), ("dense", 10, "softmax")]
DENSE = [("flatten",), ("dense", 16, "relu"), ("dropout", 0.2), ("dense", 10, "softmax")]
SETTINGS = {**probe.DEFAULTS, "seeds": 0, "steps": 2, "free_steps": 4, "batch": 16}


@pytest.fixture(scope="module")
def data():
    return diagnose_side.digits()


@pytest.fixture(scope="module")
def measured(data):
    """Evidence of a cell, through JSON as a result file has it; each measured once."""
    kept = {}

    def measure(name="a", fault="", described=CONV, turn=False, **settings):
        key = (fault, len(described), described[0], turn, tuple(settings.items()))
        if key not in kept:
            side = diagnose_side.NumpySide(described, fault, turn=turn)
            found = protocol.plain(probe.measured(side, {**SETTINGS, **settings}, 0, data))
            kept[key] = msgspec.convert(json.loads(json.dumps(found)), type=Evidence)
        return Side(name, kept[key], kept[key], {})

    return measure


SEEDED = {"described": DENSE, "seeds": 6, "epochs": 3}


def found(d):
    return {rung.name: rung.found for rung in d.rungs}


def test_two_right_cells_do_not_differ(measured):
    d = diagnose(measured("a", **SEEDED), measured("b", turn=True, **SEEDED))
    assert not d.differs
    assert (d.top, d.gone, d.first, d.shared) == (None, None, None, ())
    assert not d.bit_equal
    assert Found.DIFFERS not in found(d).values()
    assert [found(d)[name] for name in ("no dropout", "same optimizer", "float64")] == [Found.AGREES] * 3
    said = paragraph(d)
    assert said.startswith("a and b agree within rounding")
    assert "rounding errors grow from step to step" in said


def test_a_cell_equals_itself_bit_by_bit(measured):
    d = diagnose(measured("a"), measured("b"))
    assert d.bit_equal
    assert "the same bits" in paragraph(d)


@pytest.mark.parametrize(
    ("fault", "gone", "suspect"),
    [
        ("biased-init", "same weights", "the initial weights"),
        ("sorted-batches", "same order", "the order of the batches"),
        ("unscaled-dropout", "no dropout", "dropout"),
    ],
)
def test_a_random_suspect_is_named_by_its_rung(measured, fault, gone, suspect):
    d = diagnose(measured("a", **SEEDED), measured("b", fault=fault, turn=True, **SEEDED))
    assert (d.top, d.gone) == ("as reported", gone)
    assert d.first is None
    assert f"it comes from {suspect}." in paragraph(d)


@pytest.mark.parametrize(
    ("fault", "gone", "first", "part"),
    [
        ("adam-epsilon", "same optimizer", "conv1/kernel", "update"),
        ("half-layer", "float64", "dense1/output", "layers"),
        ("transposed-kernel", None, "conv1/output", "layers"),
        ("wrong-gradient", None, "dense1/d-bias", "layers"),
    ],
)
def test_an_exact_suspect_is_named_by_rung_step_and_layer(measured, fault, gone, first, part):
    d = diagnose(measured("good"), measured("bad", fault=fault))
    assert (d.top, d.gone) == ("no dropout", gone)
    assert (d.first.step, d.first.quantity, d.first.part) == (1, first, part)
    assert d.first.class_a == "rounding" != d.first.class_b
    assert d.first.quantity not in [place.quantity for place in d.others]
    said = paragraph(d)
    assert "They differ first in step 1, with the same inputs" in said
    assert ("float64 too" in said) == (gone is None)


def test_float16_is_named_as_such(measured):
    d = diagnose(measured("good"), measured("bad", fault="half-layer"))
    assert d.first.class_b in ("tf32-like", "fp16-like")
    assert "it comes from precision" in paragraph(d)


def test_what_both_do_wrong_alike_is_no_difference(measured):
    d = diagnose(measured("a", fault="transposed-kernel"), measured("b", fault="transposed-kernel", turn=True))
    assert not d.differs
    assert "conv1/output" in d.shared
    assert "Both leave the reference alike" in paragraph(d)


def test_unscaled_dropout_is_seen_directly_too(measured):
    d = diagnose(measured("a", **SEEDED), measured("b", fault="unscaled-dropout", turn=True, **SEEDED))
    assert d.hints == ("b scales what dropout keeps by 1, not 1.25",)


def test_a_cell_that_differs_from_itself_is_nondeterministic(measured):
    one, other = measured("a"), measured("b", turn=True)
    d = diagnose(replace(one, again=other.ladder), other)
    assert d.nondeterministic == ("a",)
    assert "a is nondeterministic" in paragraph(d)


def test_a_switch_that_makes_a_cell_the_other_is_named(measured):
    one, other = measured("a"), measured("b", turn=True)
    d = diagnose(replace(one, toggles={"no-onednn": other.ladder, "one-thread": one.ladder, "x": "crashed: no"}), other)
    assert [(t.toggle, t.bits, t.equals_other, t.outcome) for t in d.toggles] == [
        ("no-onednn", True, True, False),
        ("one-thread", False, False, False),
        ("x", None, False, False),
    ]
    assert "no-onednn makes a equal to the other bit by bit." in paragraph(d)


def test_a_switch_that_mends_a_cell_changes_the_outcome(measured):
    bad = measured("b", fault="half-layer")
    d = diagnose(measured("a"), replace(bad, toggles={"no-tf32": measured("a", turn=True).ladder}))
    assert d.toggles[0].outcome
    assert "no-tf32 changes where b leaves the reference." in paragraph(d)


def test_an_optimizer_has_no_reduced_format(measured):
    d = diagnose(measured("good"), measured("bad", fault="adam-epsilon"))
    assert {place.class_b for place in (d.first, *d.others)} == {"wrong"}


def test_what_is_seen_directly_is_what_is_told(measured):
    d = diagnose(measured("a", **SEEDED), measured("b", fault="unscaled-dropout", turn=True, **SEEDED))
    assert paragraph(d).startswith("a and b differ beyond seeds and rounding: dropout scales by 1.25 against 1.")


def test_long_ids_are_told_by_what_differs(measured):
    one, other = "jax-0.10.2_keras-3.11.3_py3.11_cpu", "jax-0.10.2_keras-3.8.0_py3.11_cpu"
    d = diagnose(measured(one), measured(other, turn=True))
    assert (d.a, d.b) == ("jax-0.10.2_keras-3.11.3", "jax-0.10.2_keras-3.8.0")
    assert d.cells == (one, other)
    assert "(both py3.11, cpu)" in paragraph(d)
    assert f"## {one} and {other}" in diagnosis.markdown(d)


def test_the_same_in_every_format(measured):
    d = diagnose(measured("good"), measured("bad", fault="adam-epsilon"))
    assert "| no dropout | dropout |" in diagnosis.markdown(d)
    shown = json.loads(diagnosis.dumps(d))
    assert shown["differs"] is True
    assert shown["gone"] == "same optimizer"
    assert shown["answer"] == paragraph(d)
    assert shown["first"]["quantity"] == "conv1/kernel"
