"""Renders the report as one HTML file, made for looking.

It works from a file and offline, and has a strict Content-Security-Policy.
``static`` arranges what is there without a script, ``payload`` the data that the script draws from. ``web/`` has the
sources of the script, ``assets/`` what the page is made of.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources

from runner.report.answer import answer
from runner.report.data import Report
from runner.report.page import payload, static

_TEMPLATE = "page.html.j2"
_STYLES = ("page.css", "charts.css", "uPlot.min.css")
_CHARTS, _SCRIPT = "uPlot.iife.min.js", "page.js"


def render(report: Report) -> str:
    """The whole document."""
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """The document piece by piece.

    Everything that comes from outside is escaped by the template engine.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script, charts = asset(_SCRIPT), asset(_CHARTS)
    style = "".join(map(asset, _STYLES))
    said = answer(report)
    return environment.from_string(asset(_TEMPLATE)).generate(
        **static.views(report, said),
        data=payload.packed(report, said.overview),
        style=style,
        script=script,
        charts=charts,
        policy=policy([script, charts], style),
    )


@cache
def asset(name: str) -> str:
    """A file that the page is made of."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def policy(scripts: list[str], style: str) -> str:
    """The Content-Security-Policy: these scripts and this style alone.

    Each is allowed by its hash, and nothing may be loaded from anywhere.
    Source of the form: Content Security Policy Level 3, sections 6.7.3 and 8.3.
    """
    allowed = " ".join(map(_hash, scripts))
    return f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
