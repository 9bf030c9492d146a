"""Holds independent references in NumPy float64, without a framework.

There is one function per Keras name. A value is promised to a bound, not to the bit. A sum of K terms is off by at most
about K * 2**-53 of the sum of their magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, 3.1). Its bits
depend on the processor, the BLAS and NumPy's vector instructions. With the kernels for SSE, AVX, AVX2 and AVX-512, 300
of some 6,000 cases here differ in bits: by less than 4 * 2**-53 of the scale in which ``compare`` judges, in no
integer, and never in what is finite. A float32 result is judged in units of 2**-24 of that scale. For this reason, a
float64 result is judged in units of 2**-50.
"""

from __future__ import annotations

from .arrays import *  # noqa: F403
from .convolution import *  # noqa: F403
from .layers import *  # noqa: F403
from .losses import *  # noqa: F403
from .nn import *  # noqa: F403
from .optimizers import *  # noqa: F403
