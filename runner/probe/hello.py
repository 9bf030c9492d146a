"""Imports the cell's framework and Keras: the smallest probe.

Its figures are the cost of the machinery around a probe, and that of importing.
"""

from __future__ import annotations

import importlib.util
import time

from .frameworks import backend as backends
from .kit import usage

OPTIONAL = (
    "ai_edge_litert",
    "grain",
    "h5py",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "openvino",
    "pandas",
    "PIL",
    "pydot",
    "scipy",
    "tensorboard",
    "tensorflow",
    "tf2onnx",
    "torch",
    "torchvision",
)
"""Packages without which parts of Keras do not work, by the names that code imports. None is imported here."""


def run(request, report):
    """Imports what the cell is about. There are no settings.

    Metrics: ``start_cpu_s``, what Python and the payload used until here; ``framework_import_s``, ``keras_import_s``
    (in a cell with Keras); ``peak_rss_bytes``. Details: ``optional_packages`` and ``missing_packages``, names.

    Raises ImportFailedError.
    """
    request.settings_with({})
    report.metric("start_cpu_s", time.process_time(), "timing", better="lower", unit="s")
    missing = [name for name in OPTIONAL if importlib.util.find_spec(name) is None]
    report.detail("optional_packages", [name for name in OPTIONAL if name not in missing])
    report.detail("missing_packages", missing)
    backend = backends.load(request)
    report.metric("framework_import_s", backend.import_s - backend.keras_import_s, "info", better="lower", unit="s")
    if backend.keras is not None:
        report.metric("keras_import_s", backend.keras_import_s, "info", better="lower", unit="s")
    report.metric("peak_rss_bytes", usage.peak_rss_bytes(), "timing", better="lower", unit="B")
