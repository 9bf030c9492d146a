"""Feeds models with data of every form, and compares each with an array."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 90.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    from . import (
        adapting,
        batches,
        containers,
        folders,
        grains,
        pydatasets,
        rows,
        streams,
        structures,
        validation,
        weights,
    )

    return (
        containers, structures, batches, weights, validation, streams, pydatasets, adapting, folders, grains, rows,
    )  # fmt: skip
