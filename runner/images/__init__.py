"""Environment -> Dockerfile -> image. The parts are imported where they are used: most commands need none of them."""

from __future__ import annotations

from runner.images.builder import Builder, Image
from runner.images.rendered import check, render, render_all

__all__ = ["Builder", "Image", "check", "render", "render_all"]
