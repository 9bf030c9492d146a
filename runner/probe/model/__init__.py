"""Builds, clones, prints and inspects models, and checks what Keras promises."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 90.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    from . import (
        calls,
        clones,
        containers,
        copies,
        drawings,
        estimators,
        functions,
        graph,
        joining,
        masks,
        merges,
        nesting,
        odds,
        shapes,
        summaries,
        toolbox,
        tracking,
        utilities,
        variables,
    )

    return (
        containers, calls, masks, tracking, variables, copies, utilities, clones, summaries, shapes, toolbox, nesting,
        odds, estimators, functions, joining, merges, graph, drawings,
    )  # fmt: skip
