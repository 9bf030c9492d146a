"""Explains why two cells differ: rungs, the first step and layer, one paragraph.

Pure but for ``session``, which measures the cells.
"""

from runner.diagnose.evidence import Evidence, read
from runner.diagnose.ladder import Diagnosis, Found, Place, Rung, Side, Toggled, diagnose

__all__ = ["Diagnosis", "Evidence", "Found", "Place", "Rung", "Side", "Toggled", "diagnose", "read"]
