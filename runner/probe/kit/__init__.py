"""What several probes share."""

from __future__ import annotations
