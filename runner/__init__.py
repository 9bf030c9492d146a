"""Which version of which framework changed accuracy, numerics, speed or memory - and is that change real?"""

__version__ = "0.1.0"
