"""Trains on several devices of one processor, and compares with one device."""

from __future__ import annotations

import os

from .. import cases

DEFAULTS = {"budget_s": 90.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    flags = os.environ.get("XLA_FLAGS", "")
    if "device_count" not in flags:  # a framework reads this once, before it makes its first tensor
        os.environ["XLA_FLAGS"] = (flags + " --xla_force_host_platform_device_count=4").strip()
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    import keras

    if keras.backend.backend() == "tensorflow":
        from . import mirrored, mirrored_seeds

        mirrored._devices()  # noqa: SLF001 - before the first tensor; a public name would be a case
        return (mirrored, mirrored_seeds)
    if keras.backend.backend() == "torch":
        from . import processes

        return (processes,)
    if keras.backend.backend() == "jax":
        from . import api, sharded

        return (api, sharded)
    return ()
