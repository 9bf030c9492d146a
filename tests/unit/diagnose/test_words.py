"""The one paragraph of a diagnosis, sentence by sentence."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from runner.diagnose import Diagnosis, Found, Place, Rung, Toggled
from runner.diagnose.words import paragraph, quantity, where

NAMES = ("as reported", "same weights", "same order", "no dropout", "same optimizer", "float64")
PLACE = Place(2, "layers", "conv1/d-kernel", 0.51, 3.1e6, "rounding", "wrong", 100)


def rungs(**found: Found) -> tuple[Rung, ...]:
    """All rungs agree but those given, by name with underscores."""
    return tuple(
        Rung(name, f"suspect of {name}", found.get(name.replace(" ", "_"), Found.AGREES), gap=f"gap of {name}")
        for name in NAMES
    )


def diagnosis(**changes: Any) -> Diagnosis:
    made: dict[str, Any] = {
        "cells": ("jax-1", "torch-2"), "a": "jax", "b": "torch", "common": "", "network": "conv", "rungs": rungs(),
        "top": None, "gone": None, "first": None, "others": (), "shared": (), "hints": (), "toggles": (),
        "nondeterministic": (), "trajectory": (), "bit_equal": False, "left_out": 0, "samples": 8, "same_inputs": True,
    }  # fmt: skip
    return Diagnosis(**{**made, **changes})


AGREE = "jax and torch agree within rounding from the same weights and batches, layer by layer."
SEEDS = "As reported they differ by their seeds only (gap of as reported)."
DIFFER = "jax and torch differ beyond seeds and rounding: gap of as reported."


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, f"{AGREE} {SEEDS}"),
        ({"common": "py3.11"}, f"jax and torch (both py3.11){AGREE[13:]} {SEEDS}"),
        ({"bit_equal": True}, f"jax and torch compute the same bits from the same weights and batches. {SEEDS}"),
        ({"rungs": rungs(as_reported=Found.NOT_RUN)}, AGREE),
        ({"rungs": rungs(as_reported=Found.UNCLEAR)},
         (f"{AGREE} As reported, what they differ by lies within what seeds do, but so few do not show it "
         "(gap of as reported).")),
        ({"top": "as reported", "gone": "same order", "rungs": rungs(as_reported=Found.DIFFERS)},
         f"{DIFFER} It is gone at the rung 'same order': it comes from suspect of same order."),
        ({"top": "as reported", "rungs": rungs(as_reported=Found.DIFFERS, same_optimizer=Found.DIFFERS)},
         f"{DIFFER} The difference stays to the end."),
        ({"top": "as reported", "rungs": rungs(as_reported=Found.DIFFERS, float64=Found.DIFFERS)},
         (f"{DIFFER} The difference stays in float64 too: not seed, order, optimizer or precision, but what is "
         "computed.")),
        ({"top": "no dropout", "gone": "float64", "rungs": rungs(no_dropout=Found.DIFFERS)},
         ("jax and torch differ beyond seeds and rounding: gap of no dropout. Trainings with random numbers do not "
         "show it over their seeds. It is gone at the rung 'float64': it comes from suspect of float64.")),
        ({"top": "no dropout", "gone": "float64", "rungs": rungs(no_dropout=Found.DIFFERS, same_order=Found.NOT_RUN)},
         ("jax and torch differ beyond seeds and rounding: gap of no dropout. It is gone at the rung 'float64': it "
         "comes from suspect of float64.")),
        ({"hints": ("one", "two"), "rungs": rungs(as_reported=Found.NOT_RUN)}, f"{AGREE} one. two."),
        ({"shared": ("a", "b"), "rungs": rungs(as_reported=Found.NOT_RUN)},
         f"{AGREE} Both leave the reference alike in a, b, so that is not a difference between them."),
        ({"nondeterministic": ("jax",), "rungs": rungs(as_reported=Found.NOT_RUN)},
         f"{AGREE} jax is nondeterministic: a second process computed other bits."),
        ({"trajectory": (0.0, 0.25, 0.1), "rungs": rungs(as_reported=Found.NOT_RUN)},
         (f"{AGREE} Left running from the same weights, the two losses drift apart to 0.2 (relative) in 3 steps: "
         "rounding errors grow from step to step.")),
    ],
)  # fmt: skip
def test_a_paragraph(changes: dict[str, Any], text: str) -> None:
    assert paragraph(diagnosis(**changes)) == text


def test_a_rungs_note_stands_for_its_gap() -> None:
    noted = tuple(replace(rung, note="a note") for rung in rungs(as_reported=Found.DIFFERS))
    assert paragraph(diagnosis(top="as reported", rungs=noted)).startswith(
        "jax and torch differ beyond seeds and rounding: a note. "
    )


@pytest.mark.parametrize("changes", [{"top": "no dropout"}, {"bit_equal": True}])
def test_a_drift_is_told_only_of_cells_that_agree_within_rounding(changes: dict[str, Any]) -> None:
    assert "drift" not in paragraph(diagnosis(trajectory=(0.1,), **changes))


def test_the_place_where_cells_part() -> None:
    d = diagnosis(first=PLACE)
    errors = "the gradient by conv1's kernel: jax is 0.51 u off (rounding) and torch is 3.1e+06 u off (wrong)"
    assert paragraph(d).startswith(
        "jax and torch have the same weights within rounding, though single quantities differ."
    )
    assert paragraph(d).endswith(f" They differ first in step 2, with the same inputs, in {errors}.")
    assert paragraph(replace(d, others=(PLACE, PLACE))).endswith(f"{errors} (2 more in that step).")
    whole = replace(PLACE, part="whole", quantity="loss", a=math.inf)
    assert paragraph(replace(d, first=whole)).endswith(
        "They differ first in step 2, in the loss of the whole step: jax is not finite (rounding) and torch is "
        "3.1e+06 times rounding off (wrong)."
    )
    assert where(PLACE, d) == errors


@pytest.mark.parametrize(
    ("name", "part", "text"),
    [
        ("conv1/output", "layers", "the forward pass of conv1"),
        ("conv1/d-kernel", "layers", "the gradient by conv1's kernel"),
        ("conv1/d-bias", "layers", "the gradient by conv1's bias"),
        ("dense1/d-input", "layers", "the gradient by dense1's input"),
        ("conv1/kernel", "update", "the update of conv1's kernel"),
        ("conv1/bias", "whole", "the gradient by conv1's bias in the whole step"),
        ("loss", "whole", "the loss of the whole step"),
    ],
)
def test_every_quantity_has_words(name: str, part: str, text: str) -> None:
    assert quantity(name, part) == text


def switched(*toggles: Toggled) -> str:
    return paragraph(diagnosis(toggles=toggles, rungs=rungs(as_reported=Found.NOT_RUN))).removeprefix(AGREE).strip()


def test_switches_are_told_by_what_they_do() -> None:
    assert switched() == ""
    assert switched(Toggled("jax", "x", None, False, False, "crashed")) == ""
    assert switched(Toggled("jax", "x", False, False, False)) == "No switch changes a bit."
    assert switched(
        Toggled("jax", "one", True, True, False),
        Toggled("jax", "two", True, False, True),
        Toggled("torch", "three", True, False, False),
        Toggled("torch", "four", True, False, False),
        Toggled("torch", "five", False, False, False),
    ) == (
        "one makes jax equal to the other bit by bit. two changes where jax leaves the reference. "
        "Other bits, the same outcome with three of torch, four of torch."
    )
