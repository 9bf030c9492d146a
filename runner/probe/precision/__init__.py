"""Half and double precision, loss scaling, quantization and LoRA."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 130.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    from . import kernels, layers, lora, losses, maps, optimizers, policies, quantized, scaling, scopes

    return (policies, layers, losses, optimizers, scaling, quantized, lora, scopes, kernels, maps)
