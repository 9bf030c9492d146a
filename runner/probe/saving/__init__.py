"""Saves and loads models and configurations, and checks what Keras promises.

The models of ``zoo`` are left in files, which the probe ``reading`` loads in every other cell.
"""

from __future__ import annotations

import os

from .. import cases

DEFAULTS = {"budget_s": 180.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``) and leaves files. Settings: ``DEFAULTS``.

    Detail ``written``: the files, and what kept one from being written.
    """
    written = cases.run(request, report, request.settings_with(DEFAULTS), _modules, ("writing the zoo", _write))
    report.detail("written", written or [])
    report.metric("files", sum(not entry["problem"] for entry in written or []), "info", unit="files")


def _write():
    from . import files

    os.makedirs("left", exist_ok=True)
    return files.write("left")


def _modules():
    from . import archives, configs, custom, editor, formats, graphs, hostile, links, quantized, resumed, weights, whole

    return (configs, formats, weights, custom, quantized, resumed, graphs, whole, editor, hostile, links, archives)
