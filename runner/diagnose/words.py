"""A diagnosis as one paragraph."""

from __future__ import annotations

import math

from runner.diagnose.ladder import Diagnosis, Found, Place, Rung

_QUANTITIES = {
    "output": "the forward pass of {}",
    "d-kernel": "the gradient by {}'s kernel",
    "d-bias": "the gradient by {}'s bias",
    "d-input": "the gradient by {}'s input",
    "kernel": "{}'s kernel",
    "bias": "{}'s bias",
}

SEEDED = ("as reported", "same weights", "same order")


def paragraph(d: Diagnosis) -> str:
    """The answer: the difference, its rung, its first place, the switches that matter."""
    said = [_first(d), _part(d), *(f"{hint}." for hint in d.hints), _shared(d), _alone(d), _switches(d)]
    return " ".join(one for one in said if one)


def where(place: Place, d: Diagnosis) -> str:
    """The quantity in words and how far off each cell is.

    >>> quantity("conv2/d-kernel", "layers")
    "the gradient by conv2's kernel"
    """
    unit = "u" if place.part != "whole" else "times rounding"
    errors = " and ".join(
        f"{cell} is {_off(error, unit)} ({kind})"
        for cell, error, kind in ((d.a, place.a, place.class_a), (d.b, place.b, place.class_b))
    )
    return f"{quantity(place.quantity, place.part)}: {errors}"


def quantity(name: str, part: str) -> str:
    """What a name in the evidence means."""
    layer, _, what = name.partition("/")
    if not what:
        return f"the {layer} of the whole step"
    said = _QUANTITIES[what].format(layer)
    if part == "update":
        return f"the update of {said}"
    return f"the gradient by {said} in the whole step" if part == "whole" else said


def _first(d: Diagnosis) -> str:
    """Whether there is a difference, and which rung takes it away."""
    by_name = {rung.name: rung for rung in d.rungs}
    if d.top is None:
        if d.bit_equal:
            how = "compute the same bits from the same weights and batches"
        else:
            how = "agree within rounding from the same weights and batches, layer by layer"
        if d.first is not None:
            how = "have the same weights within rounding, though single quantities differ"
        return f"{_both(d)} {how}.{_seeds(by_name['as reported'])}"
    begins = f"{_both(d)} differ beyond seeds and rounding: {by_name[d.top].note or by_name[d.top].gap}."
    if d.top == "no dropout" and by_name["same order"].found != Found.NOT_RUN:
        begins += " Trainings with random numbers do not show it over their seeds."
    if d.gone is None:
        stays = next((rung for rung in reversed(d.rungs) if rung.found == Found.DIFFERS), None)
        exact = stays is not None and stays.name == "float64"
        last = (
            "in float64 too: not seed, order, optimizer or precision, but what is computed" if exact else "to the end"
        )
        return f"{begins} The difference stays {last}."
    return f"{begins} It is gone at the rung '{d.gone}': it comes from {by_name[d.gone].suspect}."


def _both(d: Diagnosis) -> str:
    return f"{d.a} and {d.b}" + (f" (both {d.common})" if d.common else "")


def _seeds(rung: Rung) -> str:
    if rung.found == Found.AGREES:
        return f" As reported they differ by their seeds only ({rung.gap})."
    if rung.found == Found.UNCLEAR:
        return f" As reported, what they differ by lies within what seeds do, but so few do not show it ({rung.gap})."
    return ""


def _part(d: Diagnosis) -> str:
    """The first step and quantity."""
    if d.first is None:
        return ""
    inputs = "" if d.first.part == "whole" else ", with the same inputs"
    more = f" ({len(d.others)} more in that step)" if d.others else ""
    return f"They differ first in step {d.first.step}{inputs}, in {where(d.first, d)}{more}."


def _shared(d: Diagnosis) -> str:
    if not d.shared:
        return ""
    return f"Both leave the reference alike in {', '.join(d.shared)}, so that is not a difference between them."


def _alone(d: Diagnosis) -> str:
    """Cells that differ from themselves, and the drift of free-running losses."""
    said = [f"{cell} is nondeterministic: a second process computed other bits." for cell in d.nondeterministic]
    if d.trajectory and not d.differs and not d.bit_equal:
        said.append(
            f"Left running from the same weights, the two losses drift apart to {max(d.trajectory):.1g} (relative) in "
            f"{len(d.trajectory)} steps: rounding errors grow from step to step."
        )
    return " ".join(said)


def _switches(d: Diagnosis) -> str:
    """Which switch changes the outcome."""
    ran = [one for one in d.toggles if one.bits is not None]
    if not ran:
        return ""
    said = [f"{one.toggle} makes {one.cell} equal to the other bit by bit." for one in ran if one.equals_other]
    said += [f"{one.toggle} changes where {one.cell} leaves the reference." for one in ran if one.outcome]
    other = [f"{one.toggle} of {one.cell}" for one in ran if one.bits and not one.outcome and not one.equals_other]
    if other:
        said.append(f"Other bits, the same outcome with {', '.join(other)}.")
    return " ".join(said) if said else "No switch changes a bit."


def _off(value: float, unit: str) -> str:
    return f"{value:.2g} {unit} off" if math.isfinite(value) else "not finite"
