"""Provides what several probes share."""

from __future__ import annotations
