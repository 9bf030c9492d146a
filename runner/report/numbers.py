"""Writes numbers for people: three digits, SI prefixes, decimal units."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from runner.util.plain import uncoloured

_SI = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "B": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
}
_COUNTED = ("", "cases")
"""Units of whole numbers that are counts."""
_SPELLINGS = {"bytes": "B", "byte": "B", "seconds": "s", "second": "s", "ratio": "", "fraction": ""}
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{16,}")


def value(figure: Any, unit: str = "", *, percent: bool = False, exact: bool = False) -> str:
    """A figure with its unit.

    ``exact`` keeps nine digits, enough to distinguish any two float32.

    >>> value(0.0123, "s"), value(812e6, "B"), value(1.053, "u"), value(4123.4, "images/s")
    ('12.3 ms', '812 MB', '1.05 u', '4,120 images/s')
    >>> value(0.98412, percent=True), value(58094.523, exact=True)
    ('98.41 %', '58094.523')
    """
    if figure is None:
        return "none"
    if isinstance(figure, bool):
        return "yes" if figure else "no"
    if isinstance(figure, list | tuple):
        return f"{value(figure[-1], unit, percent=percent)} (last of {len(figure)})" if figure else "empty"
    if not isinstance(figure, int | float):
        text = plain(str(figure))
        return text.removeprefix("sha256:")[:8] if _DIGEST.fullmatch(text) else text
    unit = _SPELLINGS.get(unit, unit)
    if not math.isfinite(figure):
        return "NaN" if math.isnan(figure) else ("∞" if figure > 0 else "−∞")
    if percent:
        return f"{_hundredfold(figure, '.2f')} %"
    if unit in _SI:
        return _scaled(figure, _SI[unit])
    if unit == "cases" and float(figure).is_integer():  # the median of two counts is a float
        figure = int(figure)
    if isinstance(figure, int) and unit in _COUNTED:
        return _minus(f"{figure:,} {unit}".rstrip())
    if exact:
        return _minus(f"{figure:.9g} {unit}".rstrip())
    return f"{significant(figure)} {unit}".rstrip()


def significant(figure: float, digits: int = 3) -> str:
    """Plain decimal with that many significant digits.

    It has an exponent only where it would be long.

    >>> significant(1.0), significant(12345.0), significant(0.000123), significant(744.4), significant(592000.0)
    ('1.00', '12,300', '0.000123', '744', '5.92e5')
    """
    if figure == 0:
        return "0"
    mantissa, power = f"{figure:.{digits - 1}e}".split("e")
    exponent = int(power)
    if exponent < -4 or exponent > 4:
        return _minus(f"{mantissa}e{exponent}")
    rounded = float(f"{mantissa}e{power}")
    return _minus(f"{rounded:,.{max(0, digits - 1 - exponent)}f}")


def _scaled(figure: float, scales: tuple[tuple[float, str], ...]) -> str:
    """With the largest unit that leaves at least one digit before the point.

    Zero is in the base unit.
    """
    base = next(name for size, name in scales if size == 1.0)
    if figure == 0:
        return f"0 {base}"
    rounded = _rounded(figure)  # first: 999.9 ms is 1.00 s
    size, name = next((scale for scale in scales if abs(rounded) >= scale[0] * (1 - 1e-9)), scales[-1])
    scaled = _rounded(rounded / size)
    return f"{significant(scaled)} {name}" if name != "B" else f"{_minus(f'{figure:.0f}')} B"


def _rounded(figure: float) -> float:
    """The figure with three digits.

    The largest ones, which would be infinite, stay as they are.
    """
    rounded = float(f"{figure:.2e}")
    return rounded if math.isfinite(rounded) else figure


def _hundredfold(figure: float, form: str) -> str:
    """A hundred times a figure, which may be beyond what a float holds."""
    return _minus(f"{100 * figure:{form}}".replace("inf", "∞"))


def times(effect: float) -> str:
    """A ratio of two figures: ``×`` and the ratio.

    >>> times(0.31), times(-0.0123), times(41.0), times(-0.5), times(-0.9581)
    ('×1.31', '×0.99', '×42.0', '×0.50', '×0.042')
    """
    return f"×{multiple(effect)}" if math.isfinite(effect) else ""


def multiple(effect: float) -> str:
    """The ratio of two figures, given their relative change.

    It has two decimals from 0.1 to 10, else two or three digits.

    >>> multiple(0.31), multiple(-0.0041), multiple(-0.9581), multiple(97.3)
    ('1.31', '1.00', '0.042', '98.3')
    """
    ratio = 1 + effect
    return f"{ratio:.2f}" if 0.095 <= ratio < 9.995 else significant(ratio, 3 if ratio > 1 else 2)


def change(effect: float) -> str:
    """A relative change with its sign.

    >>> change(0.31), change(-0.0123), change(41.0), change(-0.5)
    ('+31 %', '−1.2 %', '×42', '−50 %')
    """
    if not math.isfinite(effect):
        return ""
    if effect >= 9:
        return f"×{significant(1 + effect, 2)}"
    percent = 100 * effect
    text = f"{percent:+.0f}" if abs(percent) >= 9.95 else f"{percent:+.1f}"
    return f"{_minus(text)} %"


def points(difference: float) -> str:
    """A difference of two fractions in percentage points.

    >>> points(-0.101)
    '−10.10 pts'
    """
    return f"{_hundredfold(difference, '+.2f')} pts"


def ratio(effect: float) -> str:
    """``1.31×`` for an effect of 0.31."""
    return f"{significant(1 + effect)}×"


def _minus(text: str) -> str:
    """A real minus sign, except in exponents, which people copy into programs."""
    return "−" + text[1:] if text.startswith("-") else text


def plain(text: str, *, indent: bool = False) -> str:
    """One line of text without control and formatting characters.

    What frameworks print is not to be trusted. White space becomes single spaces; with ``indent`` that at the start
    stays, tabs as four.

    >>> plain("a\\x1b[31mred\\x1b[0m\\nb")
    'ared b'
    """
    if not text.isprintable():  # most texts are, and a report has millions
        text = text.replace("\t", "    ") if indent else text
        text = uncoloured(text)
        text = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    start = text[: len(text) - len(text.lstrip())] if indent else ""
    return start + " ".join(text.split())


def shorten(text: str, length: int) -> str:
    """The text, cut at ``length`` characters with an ellipsis."""
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"
