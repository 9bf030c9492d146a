"""Does nothing: the smallest probe, without a framework and without NumPy.

Its figures are the cost of the machinery around a probe.
"""

from __future__ import annotations

import time

from .kit import usage


def run(request, report):
    """Reports the cost of an empty probe. There are no settings.

    Metrics: ``start_cpu_s``, what Python and the payload used until here; ``peak_rss_bytes``.
    """
    request.settings_with({})
    report.metric("start_cpu_s", time.process_time(), "timing", better="lower", unit="s")
    report.metric("peak_rss_bytes", usage.peak_rss_bytes(), "timing", better="lower", unit="B")
