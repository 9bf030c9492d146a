"""Holds independent references in NumPy float64, without a framework.

There is one function per Keras name.
"""

from __future__ import annotations

from .arrays import *  # noqa: F403
from .convolution import *  # noqa: F403
from .layers import *  # noqa: F403
from .losses import *  # noqa: F403
from .nn import *  # noqa: F403
from .optimizers import *  # noqa: F403
