"""Runs models eagerly, in graphs and under jit, and counts compilations."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 90.0, "only": "", "torch_compile": False}


def run(request, report):
    """Runs the cases (see ``cases.run``).

    Settings: ``DEFAULTS``; ``torch_compile`` runs what is under torch.compile in place of the rest.
    """
    settings = request.settings_with(DEFAULTS)
    cases.run(request, report, settings, _under_torch_compile if settings["torch_compile"] else _modules)


def _modules():
    from . import dynamic, flow, forms, graphs, steps

    return (forms, steps, flow, dynamic, graphs)


def _under_torch_compile():
    from . import torch_compile

    return (torch_compile,)
