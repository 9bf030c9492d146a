"""Runs a user's script as another process, and reads figures that it prints."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading

from .protocol import BadOutputError, UnavailableError

DEFAULTS = {"script": "", "arguments": [], "metrics": [], "names": [], "network": False}

HEADLINES = ("printed.*",)

SEED = "RUNNER_SEED"
"""The environment variable that has the seed of the round."""

KEPT_BYTES = 16 << 20
"""So much of the end of the output is searched for figures."""

AFTERWARDS_S = 5.0
"""How long output is still read after the script has ended, from processes that it left running."""

_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
"""Escape sequences of terminals: colours, the cursor, titles."""

_METRIC = re.compile(r"(.*) (timing|seeded|exact) (lower|higher|neither)", re.DOTALL)


def run(request, report):
    """Runs the script, which is the data file of the request. Settings: ``DEFAULTS``.

    ``script`` is the script's name, ``metrics`` has a pattern with its kind and direction for each of ``names``.
    ``network`` is for who starts this process: whether it may reach the network.
    Metrics: ``printed.NAME``, what the pattern captured last; ``peak_rss_bytes`` of the script.

    Where the script fails, this process ends in the same way. Raises BadOutputError where the script prints nothing
    that a pattern matches.
    """
    settings = request.settings_with(DEFAULTS)
    if request.data is None:
        raise UnavailableError("there is no script to run")
    wanted = [_parsed(text) for text in settings["metrics"]]
    folder = os.path.abspath("script")
    os.mkdir(folder)
    path = os.path.join(folder, os.path.basename(settings["script"]) or "script.py")
    shutil.copyfile(request.data["path"], path)
    code, output = execute([sys.executable, path] + settings["arguments"], request.seed)
    if code:
        end_as(code)
    for name, (pattern, kind, better) in zip(settings["names"], wanted):
        report.metric("printed." + name, value(output, pattern, kind), kind, better=better)
    report.metric("peak_rss_bytes", _peak_rss_bytes(), "timing", better="lower", unit="B")


def _parsed(text):
    """The pattern, kind and direction of a metric in the settings."""
    found = _METRIC.fullmatch(text)
    try:
        return re.compile(found.group(1)), found.group(2), found.group(3)
    except (AttributeError, re.error) as error:
        raise BadOutputError("%r is not a metric for this Python: %s" % (text, error)) from error


def execute(command, seed):
    """Runs a command in an empty folder. Returns its exit code and what it printed.

    What it prints is also printed here as it comes, so that the output of a script that is killed is kept.
    """
    work = os.path.abspath("work")
    os.mkdir(work)
    environment = dict(os.environ)
    environment[SEED] = str(seed)
    environment.setdefault("PYTHONUNBUFFERED", "1")
    process = subprocess.Popen(
        command,
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    kept = bytearray()
    reader = threading.Thread(target=_copy, args=(process.stdout, kept), daemon=True)
    reader.start()
    code = process.wait()
    reader.join(AFTERWARDS_S)
    return code, clean(bytes(kept).decode("utf-8", "replace"))


def _peak_rss_bytes():
    """Returns the largest resident set of a process that has ended, bytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _copy(source, kept):
    """Copies what can be read to the standard output, and its end to ``kept``."""
    with source:
        while True:
            some = os.read(source.fileno(), 1 << 16)
            if not some:
                return
            kept += some
            del kept[:-KEPT_BYTES]
            sys.stdout.buffer.write(some)
            sys.stdout.buffer.flush()


def clean(output):
    """The output without colours, and without what a progress bar overwrote."""
    lines = _SEQUENCE.sub("", output).split("\n")
    shown = (line.rstrip("\r").rpartition("\r")[2].rpartition("\b")[2] for line in lines)
    return "\n".join(line.rstrip() for line in shown)


def end_as(code):
    """Ends this process as the script ended: by its exit code, or by its signal.

    So whoever started this process sees an ending, and out of memory, as that of the script.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if code < 0:
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), -code)
    os._exit(code if 0 < code < 256 else 1)


def value(output, pattern, kind):
    """What the pattern captured last: a number, or for an ``exact`` figure the text.

    Raises BadOutputError where it matches nothing, or captures no number.
    """
    texts = [text for match in pattern.finditer(output) for text in match.groups() if text is not None][-1:]
    if not texts:
        raise BadOutputError("the script printed nothing that matches %s" % pattern.pattern)
    if kind == "exact":
        return texts[0]
    try:
        return float(texts[0])
    except ValueError:
        raise BadOutputError("%s captured %r, not a number" % (pattern.pattern, texts[0][:80])) from None
