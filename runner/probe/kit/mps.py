"""Lists the operators that fell back from Apple's GPU to the CPU.

PyTorch names them in warnings. With PYTORCH_ENABLE_MPS_FALLBACK=1 an operator that the MPS device lacks runs on the
CPU, with a warning; with 0 it raises NotImplementedError. Some operators fall back (and warn) with either.
"""

from __future__ import annotations

import contextlib
import re
import warnings

FELL_BACK = re.compile(r"The operator '([^']+)' is not currently\s+supported\s+on the MPS backend and will\s+fall back")
MISSING = re.compile(r"The operator '([^']+)' is not currently\s+implemented for the MPS device")


def operators(texts):
    """Returns the operators named in warnings or error messages.

    It is a sorted list of names like ``aten::sgn.out``.
    """
    return sorted({name for text in texts for pattern in (FELL_BACK, MISSING) for name in pattern.findall(text)})


@contextlib.contextmanager
def listing(backend, report):
    """Reports the operators that fall back to the CPU within the block.

    They are the report's detail ``mps_fallback``, a sorted list. Does nothing unless this is torch on ``mps``.

    PyTorch warns once per process, for whichever operator comes first, unless it is set to warn always; that costs
    time, so a block whose time counts stays outside.
    """
    if backend.name != "torch" or backend.device != "mps":
        yield
        return
    before = backend.lib.is_warn_always_enabled()
    backend.lib.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    finally:
        backend.lib.set_warn_always(before)
        add(report, [str(warning.message) for warning in caught])


def add(report, texts):
    """Adds the operators that ``texts`` name to the report's detail ``mps_fallback``."""
    report.detail("mps_fallback", sorted({*report.details.get("mps_fallback", ()), *operators(texts)}))
