"""Defines the request that a probe reads, and the report and result it writes.

A probe is a module of this package with ``run(request, report)``. It reads the request, calls
``report.metric`` for every figure and ``report.detail`` for everything else, and raises to say that something went
wrong; ``status_of`` turns what it raised into one of the statuses. Nothing here imports a framework or NumPy, so
that a trivial probe costs next to nothing.
"""

from __future__ import annotations

import json
import os

from . import frameworks

SCHEMA = 1
KINDS = ("timing", "seeded", "exact", "error", "trajectory", "info")
BETTER = ("lower", "higher", "neither")
DEVICES = ("cpu", "cuda", "mps")
REASON_CHARS = 300
TRACEBACK_CHARS = 16000


class ProbeError(Exception):
    """End the probe with the status of the class; the message is the reason."""

    status = "crashed"


class ImportFailedError(ProbeError):
    """The framework or Keras raised while it was imported."""

    status = "import-failed"


class UnsupportedError(ProbeError):
    """The framework reports that it cannot do what the probe asks."""

    status = "unsupported"


class UnavailableError(ProbeError):
    """The device that the cell asks for is not available."""

    status = "unavailable"


class BadOutputError(ProbeError):
    """Request, data or environment are not what the cell says.

    Figures would be about something else.
    """

    status = "bad-output"


class Request:
    """One piece of work: the cell, the probe and its settings.

    Attributes are read-only by convention. ``framework``, ``version``, ``keras`` (None: without Keras), ``python``,
    ``device`` and ``variant`` are the cell's; ``data`` is None or a dict with ``path``, ``name`` and ``sha256``.
    """

    __slots__ = (
        "data",
        "device",
        "framework",
        "keras",
        "probe",
        "python",
        "round",
        "seed",
        "settings",
        "variant",
        "version",
    )

    def __init__(self, raw):
        """``raw`` is the decoded request. Raises BadOutputError where it is not one."""
        if not isinstance(raw, dict):
            raise BadOutputError("the request is not a JSON object")
        if raw.get("schema") != SCHEMA:
            raise BadOutputError("the request has schema %r, this payload reads %d" % (raw.get("schema"), SCHEMA))
        cell = _field(raw, "cell", dict)
        self.probe = _field(raw, "probe", str)
        self.framework = _one_of(cell, "framework", frameworks.MODULES_BY_NAME)
        self.version = _field(cell, "version", str)
        self.keras = _field(cell, "keras", (str, type(None)))
        self.python = _field(cell, "python", str)
        self.device = _one_of(cell, "device", DEVICES)
        self.variant = cell.get("variant") or ""
        self.settings = _field(raw, "settings", dict, {})
        self.seed = _field(raw, "seed", int, 0)
        self.round = _field(raw, "round", int, 0)
        self.data = _field(raw, "data", (dict, type(None)), None)

    def settings_with(self, defaults):
        """The settings over ``defaults``: a dict with exactly the keys of ``defaults``.

        Raises BadOutputError for a setting the probe does not know, or one of another type than its default (any type
        goes where the default is None, and an int where it is a float).
        """
        merged = dict(defaults)
        for name, value in self.settings.items():
            if name not in defaults:
                known = ", ".join(sorted(defaults)) or "none"
                raise BadOutputError("probe %r has no setting %r (it has: %s)" % (self.probe, name, known))
            if not _same_type(value, defaults[name]):
                expected = type(defaults[name]).__name__
                raise BadOutputError("setting %r of probe %r must be %s, not %r" % (name, self.probe, expected, value))
            merged[name] = value
        return merged


def _same_type(value, default):
    if default is None or value is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, (int, float))
    return isinstance(value, type(default))


_REQUIRED = object()


def _field(raw, name, types, default=_REQUIRED):
    value = raw.get(name, default)
    if value is _REQUIRED:
        raise BadOutputError("the request lacks %r" % name)
    if not isinstance(value, types) or (types is int and isinstance(value, bool)):
        raise BadOutputError("%r of the request cannot be %r" % (name, value))
    return value


def _one_of(raw, name, known):
    value = _field(raw, name, str)
    if value not in known:
        raise BadOutputError("%r of the request is %r, not one of %s" % (name, value, ", ".join(known)))
    return value


def read_request(path):
    """Returns the Request in the JSON file at ``path``.

    Raises BadOutputError where the file is missing or cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
    except (OSError, ValueError) as error:
        raise BadOutputError("cannot read the request: %s" % one_line(error)) from error
    return Request(raw)


class Report:
    """The findings of a probe.

    Every value is turned into plain JSON when it is added, so that a bad one fails in the probe.
    """

    def __init__(self):
        self.metrics = []
        self.details = {}
        self._names = set()

    def metric(self, name, value, kind, better="neither", unit="", terms=None):
        """Adds one figure.

        ``value``: a number, a string, a truth value (which becomes "yes" or "no"), a list of numbers, or None where
        there is nothing to measure. ``kind`` and ``better`` are the words of ``runner.model``; ``terms`` is K, the
        terms of the inner products behind an ``error``. JSON has no NaN or infinity: such a number becomes None, a
        list ends before the first one, and the detail ``nonfinite`` says what it was and where.
        """
        if kind not in KINDS or better not in BETTER:
            raise ValueError("metric %r: no such kind or direction: %r, %r" % (name, kind, better))
        if name in self._names:
            raise ValueError("metric %r is reported twice" % name)
        value = plain(value)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        elif isinstance(value, list):
            if any(isinstance(item, bool) or not isinstance(item, (int, float)) for item in value):
                raise TypeError("metric %r: a list must hold numbers only" % name)
            bad = next((i for i, item in enumerate(value) if not _finite(item)), None)
            if bad is not None:
                self._nonfinite(name, value[bad], bad)
                value = value[:bad]
        elif isinstance(value, float) and not _finite(value):
            self._nonfinite(name, value, None)
            value = None
        elif not (value is None or isinstance(value, (int, float, str))):
            raise TypeError("metric %r cannot be a %s" % (name, type(value).__name__))
        self._names.add(name)
        self.metrics.append(
            {
                "name": name,
                "value": value,
                "kind": kind,
                "better": better,
                "unit": unit,
                "terms": None if terms is None else int(terms),
            }
        )

    def _nonfinite(self, name, value, index):
        self.details.setdefault("nonfinite", {})[name] = {"value": str(value), "index": index}

    def detail(self, key, value):
        """Adds a value that is not a metric, and that can be JSON.

        NumPy scalars and arrays, tuples and sets are also accepted.
        """
        self.details[key] = _json_numbers(plain(value))

    def check(self):
        """Raises BadOutputError for a probe that ended without a figure.

        A probe that measured nothing is not ok.
        """
        if not any(metric["value"] is not None for metric in self.metrics):
            raise BadOutputError("the probe measured nothing")

    def unsupported(self, reason):
        """Ends the probe: this cell cannot do it. Raises UnsupportedError."""
        raise UnsupportedError(reason)


def _finite(value):
    return not isinstance(value, float) or abs(value) < float("inf")  # false for NaN too


def _json_numbers(value):
    """``value`` with every NaN and infinity as its name."""
    if isinstance(value, dict):
        return {key: _json_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_numbers(item) for item in value]
    return value if _finite(value) else str(value)


def plain(value):
    """``value`` as JSON types. Raises TypeError where it has no plain form."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return plain(value.tolist())
    raise TypeError("%s cannot be written as JSON" % type(value).__name__)


def one_line(error):
    """Returns the reason that an exception gives, shortened to one line.

    The reason is the first line of the message that is not empty. A message of a single word (KeyError's, say) gets the
    exception's name before it.
    """
    if not isinstance(error, BaseException):
        text = str(error)
    else:
        text = str(error).strip()
        if not text or " " not in text:
            text = "%s: %s" % (type(error).__name__, text) if text else type(error).__name__
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = " ".join((lines or [""])[0].split())
    if line.startswith("{{") and "}} " in line:  # TensorFlow: {{function_node __wrapped__Conv2D_device_...}}
        line = line.partition("}} ")[2]
    return line if len(line) <= REASON_CHARS else line[: REASON_CHARS - 3] + "..."


def status_of(error, package):
    """Returns ``(status, reason)`` for the exception that a probe raised.

    ``package`` is the payload's own package name. A missing module is the cell's affair (``import-failed``) unless it
    is one of the payload's own.
    """
    if isinstance(error, ProbeError):
        return error.status, one_line(error)
    if isinstance(error, ImportError):
        own = (error.name or "") == package or (error.name or "").startswith(package + ".")
        if not own:
            return "import-failed", one_line(error)
    if isinstance(error, NotImplementedError):
        return "unsupported", one_line(error)
    name = type(error).__name__
    reason = one_line(error)
    if isinstance(error, MemoryError) or "OutOfMemory" in name or "ResourceExhausted" in name:
        return "oom", reason
    if "RESOURCE_EXHAUSTED" in reason:  # JAX raises one class for everything that XLA reports
        return "oom", reason
    return "crashed", reason if reason.startswith(name) else "%s: %s" % (name, reason)


def result(probe, status, reason, report, facts, traceback=""):
    """The content of the result file, a dict."""
    return {
        "schema": SCHEMA,
        "probe": probe,
        "status": status,
        "reason": reason,
        "traceback": traceback[-TRACEBACK_CHARS:],
        "probe_hash": facts.get("probe_hash", ""),
        "facts": facts,
        "metrics": report.metrics,
        "details": report.details,
    }


def write_result(path, content):
    """Writes ``content`` to ``path``, completely or not at all.

    That holds even when the process is killed.
    """
    temporary = "%s.%d.tmp" % (path, os.getpid())
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(content, file, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
