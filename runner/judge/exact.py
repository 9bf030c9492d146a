"""Exact figures: backward errors, digests and counts.

No statistics, but calibrated bounds.

A backward error is in units of u * sum|x_k w_k|, u = 2**-24 (float32), for an inner product of K terms.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1 and 4.2: the worst case of float32 is
about K, rounding errors that behave like independent random ones stay within a small multiple of sqrt(K).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from runner.model import Evidence, Verdict

Ruling = tuple[Verdict, str, Evidence]
"""A verdict, its reason as a sentence fragment, and what it rests on."""

CORRECT = 8.0
"""Correct float32 kernels were measured at 0.2 to 2.3 u for K from 64 to 28672: below this it is always rounding."""

SQRT_MULTIPLE = 4.0
"""A naive float32 sum of same-signed terms reaches about sqrt(K / 3) in the mean and three times that at worst."""

LOW, HIGH = 0.8, 6.4
"""Inputs rounded to p bits give (2**-p / u) / sqrt(K) times a factor. It was 0.9 to 4.7 for the largest of 16 to 400
inner products of normal inputs with K from 2 to 30,000, and 3.4 to 4.0 in real convolutions; it grows slowly with the
number of products. The band is 8 wide, so that those of TF32 and bfloat16, 8 apart, meet but do not overlap."""

SIGNIFICANDS = (("tf32-like", 2.0**-11), ("bf16-like", 2.0**-8))
"""Unit roundoff of the reduced formats. float16 shares TF32's; see ``FP16_SUM``."""

FP16_SUM = (0.15 * 2.0**13, 8 * 2.0**13)
"""Sums kept in float16 err by about 2**-11 each step: 0.15 to 8 times 2**-11 / u whatever K is."""

ROUNDING = "rounding"
WRONG = "wrong"
NONDETERMINISTIC = "nondeterministic"


def classify(error: float, terms: int | None) -> str:
    """Name what an error (in u) of an inner product of ``terms`` terms can come from.

    ``rounding``, ``tf32-like``, ``bf16-like``, ``fp16-like`` or ``wrong``. Without ``terms``, K is taken as 1.

    >>> classify(2.3, 1792), classify(744, 1792), classify(6150, 1792), classify(2.2e6, 1792)
    ('rounding', 'tf32-like', 'bf16-like', 'wrong')
    """
    k = max(1, terms or 1)
    if not math.isfinite(error):
        return WRONG
    if error <= CORRECT:
        return ROUNDING
    for name, roundoff in SIGNIFICANDS:
        expected = roundoff * 2.0**24 / math.sqrt(k)
        if LOW * expected <= error < HIGH * expected:
            return name
    if error <= SQRT_MULTIPLE * math.sqrt(k):
        return ROUNDING
    if FP16_SUM[0] <= error <= FP16_SUM[1]:
        return "fp16-like"
    return WRONG


def rank(name: str) -> int:
    """How bad a class is: 0 rounding, 1 reduced precision, 2 wrong."""
    return {ROUNDING: 0, WRONG: 2}.get(name, 1)


def judge_missing(baseline: Sequence[object], candidate: Sequence[object]) -> Ruling:
    """Judge values of which some are None: figures that are not finite."""
    n = min(len(baseline), len(candidate))
    lost, had = any(v is None for v in candidate), any(v is None for v in baseline)
    if lost and had:
        return Verdict.NOT_COMPARABLE, "no finite figure on either side", Evidence(n=n)
    if lost:
        return Verdict.REGRESSED, "no finite figure any more", Evidence(n=n, classification=WRONG)
    return Verdict.IMPROVED, "a finite figure where there was none", Evidence(n=n)


def worst(rulings: Iterable[Ruling]) -> Ruling:
    """The ruling that speaks for several seeds: the worst one."""
    order = (Verdict.REGRESSED, Verdict.NOT_COMPARABLE, Verdict.IMPROVED, Verdict.SAME)
    return min(rulings, key=lambda one: (order.index(one[0]), -(one[2].effect or 0.0)))


RMS_TO_MAX = 3.4
"""The largest of some hundred errors is about this many times their root mean square (normal errors)."""


def judge_error(baseline: Sequence[float], candidate: Sequence[float], terms: int | None, scale: float = 1) -> Ruling:
    """Compare the errors (in u) of all processes of two cells.

    ``scale`` makes them largest ones where they are not.
    """
    n = min(len(baseline), len(candidate))
    baseline, candidate = [scale * e for e in baseline], [scale * e for e in candidate]
    worst_b, worst_c = max(baseline), max(candidate)
    class_b, class_c = classify(worst_b, terms), classify(worst_c, terms)
    evidence = Evidence(n=n, effect=worst_c / scale, classification=class_c)
    figures = f"{worst_b / scale:.3g} u -> {worst_c / scale:.3g} u (K = {terms or 1})"
    for who, values in (("baseline", baseline), ("candidate", candidate)):
        if min(values) != max(values) and classify(min(values), terms) != classify(max(values), terms):
            spread = f"runs of the {who} disagree: {min(values) / scale:.3g} to {max(values) / scale:.3g} u"
            return Verdict.NOT_COMPARABLE, spread, Evidence(n=n, classification=NONDETERMINISTIC)
    within = SQRT_MULTIPLE * math.sqrt(max(1, terms or 1))
    if class_b == class_c or (max(worst_b, worst_c) <= within and max(worst_b, worst_c) <= 4 * min(worst_b, worst_c)):
        both = "" if class_c == ROUNDING else "both "
        return Verdict.SAME, f"{both}{class_c}: {figures}", evidence
    if rank(class_c) > rank(class_b) or (rank(class_c) == rank(class_b) and worst_c > worst_b):
        return Verdict.REGRESSED, f"{class_b} -> {class_c}: {figures}", evidence
    return Verdict.IMPROVED, f"{class_b} -> {class_c}: {figures}", evidence


def judge_exact(baseline: Sequence[object], candidate: Sequence[object]) -> Ruling:
    """Compare digests, counts or shapes of all processes of two cells: equal or not."""
    n = min(len(baseline), len(candidate))
    for who, values in (("baseline", baseline), ("candidate", candidate)):
        if other := [value for value in values if not _equal(value, values[0])]:
            reason = f"runs of the {who} disagree: {_shown(values[0])}, {_shown(other[0])}"
            return Verdict.NOT_COMPARABLE, reason, Evidence(n=n, classification=NONDETERMINISTIC)
    if _equal(baseline[0], candidate[0]):
        return Verdict.SAME, f"equal: {_shown(candidate[0])}", Evidence(n=n, classification="bit-equal")
    reason = f"{_shown(baseline[0])} -> {_shown(candidate[0])}"
    return Verdict.REGRESSED, reason, Evidence(n=n, classification="differs")


def _equal(a: object, b: object) -> bool:
    """Equality by which a figure that is not a number agrees with itself."""
    return a == b or (a != a and b != b)  # NaN is not itself


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:12] + "..."
