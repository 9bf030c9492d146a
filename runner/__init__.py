"""Finds the framework version that changed accuracy, numerics, speed or memory.

It also decides whether the change is real.
"""

__version__ = "0.1.0"
