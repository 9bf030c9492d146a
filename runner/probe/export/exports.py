"""Models exported and served."""

from __future__ import annotations
