"""Puts a page together: template, styles and scripts.

The policy of the page allows these alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

_STYLES = ("page.css", "charts.css", "uPlot.min.css")
_CHARTS = "uPlot.iife.min.js"


def pieces(template: str, script: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The document piece by piece.

    ``template`` and ``script`` are names of assets. Everything in ``values`` is escaped by the template engine.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    scripts = [asset(script), asset(_CHARTS)]
    style = "".join(map(asset, _STYLES))
    return environment.from_string(asset(template)).generate(
        **values, style=style, script=scripts[0], charts=scripts[1], policy=policy(scripts, style)
    )


@cache
def asset(name: str) -> str:
    """A file that the page is made of."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def policy(scripts: Sequence[str], style: str) -> str:
    """The Content-Security-Policy: these scripts and this style alone.

    Each is allowed by its hash, and nothing may be loaded from anywhere.
    Source of the form: Content Security Policy Level 3, sections 6.7.3 and 8.3.
    """
    allowed = " ".join(map(_hash, scripts))
    return f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
