"""What this process has used."""

from __future__ import annotations

import os
import resource
import sys


def peak_rss_bytes():
    """The largest resident set so far, bytes. ``ru_maxrss`` counts kibibytes on Linux, bytes on macOS."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cpu_s():
    """User and system time of this process and the children it has waited for, all threads, seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def reset_peak_rss():
    """Starts a new peak (Linux: /proc/self/clear_refs). Returns whether it could; where not, peaks only grow."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def current_peak_rss_bytes():
    """The largest resident set since ``reset_peak_rss``, bytes, or since the start where that cannot be reset."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return peak_rss_bytes()
