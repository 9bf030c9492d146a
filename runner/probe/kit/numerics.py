"""Numbers that several probes compare with, and how they write arrays down."""

from __future__ import annotations

import numpy as np

UNIT_ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
"""u, the largest relative error of rounding to nearest.

Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 2.1.
"""

SKETCH = 8
"""Values in a sketch."""


def sketch(flat):
    """Returns ``[norm, up to 8 values]`` of a flat float64 array.

    That is enough to compare cells afterwards. The norm is that of the finite values. The values are spread evenly
    from the first to the last.
    """
    norm = np.sqrt(np.sum(np.square(flat[np.isfinite(flat)])))
    if flat.size > SKETCH:
        flat = flat[np.linspace(0, flat.size - 1, SKETCH).astype("int64")]
    return [rounded(value) for value in [norm, *flat]]


def rounded(value):
    """Returns a float with 7 significant digits, or the name of what is not finite."""
    value = float(value)
    return float("%.7g" % value) if np.isfinite(value) else str(value)
