"""Environment -> Dockerfile -> image."""

from __future__ import annotations

from runner.images.builder import Builder, Image
from runner.images.rendered import check, render, render_all

__all__ = ["Builder", "Image", "check", "render", "render_all"]
