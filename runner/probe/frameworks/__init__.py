"""The frameworks: what a probe asks of each, one module per framework."""

from __future__ import annotations
