"""Runs the tests of the user's library with pytest: every test is a case.

The request's data is an archive with a copy of the tests, in ``copy``, and of the library where it is installed for
this run, in ``package`` (see ``runner.data.suite``). pytest runs in another process, whose results are read from its
JUnit XML.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET

from .frameworks import backend as backends
from .kit import archives
from .kit.records import Record, as_lists
from .protocol import BadOutputError, ProbeError, UnavailableError, one_line

DEFAULTS = {"args": [], "durations": "files"}

HEADLINES = ("suite.time_s",)

COPY, PACKAGE, START = "copy", "package", "start.txt"
"""In the archive: the folders, and the file with the paths that pytest is started with, a line each."""

COLLECTED = " (import)"
"""Behind the name of a file: the case that all of its tests can be imported."""

NOTE_CHARS = 300

_USAGE, _NOTHING = 4, 5
"""Exit codes of pytest: an argument is wrong, no test was collected."""


def run(request, report):
    """Runs pytest once. Settings: ``DEFAULTS``.

    ``args`` are more arguments of pytest. ``durations``: ``files``, the time of every file of tests is a figure, or
    ``tests``, that of every test.

    Details: ``cases``, a record per test; ``durations``, the seconds of every test. Metrics: ``suite.time_s``, the
    time of all tests, and those of files or tests, where none failed; ``.outcome`` next to each, which says why a time
    is missing; counts of cases by outcome.

    Raises UnavailableError without tests or pytest, BadOutputError where there is no test to run, and ProbeError
    where pytest ended early.
    """
    settings = request.settings_with(DEFAULTS)
    if settings["durations"] not in ("files", "tests"):
        raise BadOutputError("suite: durations is files or tests, not %r" % settings["durations"])
    if request.data is None:
        raise UnavailableError("there are no tests to run: name their folder with --pytest")
    if importlib.util.find_spec("pytest") is None:
        raise UnavailableError("pytest is not installed in this environment")
    if request.device == "cuda":  # the tests are another process: this one must not take the memory of the GPU
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    backends.load(request)  # a cell that cannot be imported is one failure, not one for every test
    folder = os.path.abspath("suite")
    with tarfile.open(request.data["path"]) as archive:
        extract(archive, folder)
    with open(os.path.join(folder, START), encoding="utf-8") as file:
        starts = file.read().splitlines()
    tests = _results(folder, starts, settings["args"])
    if not tests:
        raise BadOutputError("pytest found no test")
    _report(report, tests, settings["durations"])


def extract(archive, folder):
    """Writes the files of an archive below ``folder``, where the tests have their own."""
    os.makedirs(os.path.join(folder, COPY), exist_ok=True)
    archives.extract(archive, folder)


def _results(folder, starts, arguments):
    """Runs pytest, and returns the results of ``_read``.

    pytest ends where a single test is named whose file cannot be imported. It is started again with the whole file
    then, so that the file is a case and other tests run.
    """
    code, said, tests = _pytest(folder, starts, arguments)
    broken = {name[: -len(COLLECTED)] for name in tests or () if name.endswith(COLLECTED)}
    whole = list(dict.fromkeys(_file(start) if _file(start) in broken else start for start in starts))
    if code == _USAGE and whole != starts:
        code, said, tests = _pytest(folder, whole, arguments)
    missing = re.search(r"^ERROR: not found: (.*)", said, re.MULTILINE)
    if code == _USAGE and missing:
        copy = os.path.realpath(os.path.join(folder, COPY))
        raise BadOutputError("pytest found no test %s" % os.path.relpath(os.path.realpath(missing.group(1)), copy))
    if code == _NOTHING:
        raise BadOutputError("pytest found no test in %s" % ", ".join(starts))
    if code not in (0, 1) or tests is None:
        raise ProbeError("pytest %s%s" % (_how(code), _why(said)))
    return tests


def _file(start):
    """Returns the file of a test that pytest is started with."""
    return start.partition("::")[0]


def _pytest(folder, starts, arguments):
    """Runs pytest in the copy.

    Returns its exit code, what it printed on the error stream, and the results of ``_read``; None where it wrote none.
    """
    found, errors = os.path.abspath("junit.xml"), os.path.abspath("pytest-errors.txt")
    if os.path.exists(found):
        os.remove(found)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    command += ["--junit-xml", found, "-o", "junit_family=xunit1", "-o", "junit_logging=no", *arguments, "--", *starts]
    package = os.path.join(folder, PACKAGE)
    known = [path for path in (package, os.environ.get("PYTHONPATH", "")) if path]
    with open(errors, "wb") as file:
        ended = subprocess.run(
            command,
            cwd=os.path.join(folder, COPY),
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(known), PYTHONDONTWRITEBYTECODE="1"),
            stderr=file,
            check=False,
        )
    with open(errors, encoding="utf-8", errors="replace") as file:
        said = file.read()
    sys.stderr.write(said)
    wrote = ended.returncode in (0, 1, _USAGE) and os.path.isfile(found)
    return ended.returncode, said, _read(found) if wrote else None


def _how(code):
    """Returns how pytest ended, in words."""
    if code >= 0:
        return "ended with exit code %d" % code
    try:
        return "was killed by signal %s" % signal.Signals(-code).name
    except ValueError:
        return "was killed by signal %d" % -code


def _why(said):
    """Returns the reason that pytest printed on the error stream, after a colon."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    errors += [line[len("ERROR:") :].strip() for line in lines if line.startswith("ERROR:")]
    reason = (errors or lines[-1:] or [""])[0]
    return ": " + one_line(reason) if reason else ""


def _read(path):
    """Returns ``{name: (status, note, seconds)}`` of all tests in a JUnit XML.

    They are in its order. Raises BadOutputError where it cannot be read.
    """
    try:
        root = ET.parse(path).getroot()  # noqa: S314 - written by the pytest that this process started
    except (ET.ParseError, OSError) as error:
        raise BadOutputError("the JUnit XML of pytest cannot be read: %s" % one_line(error)) from error
    found = {}
    for case in root.iter("testcase"):
        name, is_file = _name(case.attrib)
        status, note = _outcome(case)
        if is_file:
            name += COLLECTED
        before = found.get(name)
        # pytest writes a second entry where a test passed and its teardown failed
        if before is None or before[0] == "ok":
            found[name] = (status, note, float(case.get("time") or 0.0))
    return found


def _name(attributes):
    """Returns the name of a test for pytest, and whether it is a whole file.

    ``tests/test_a.py::TestB::test_c[1]``, from the attributes ``file``, ``classname`` and ``name``. A file that cannot
    be imported is an entry whose name is its module.
    """
    name, kind = attributes.get("name") or "", attributes.get("classname") or ""
    path = (attributes.get("file") or "").replace(os.sep, "/")
    if not kind and not path:
        return name.replace(".", "/") + ".py", True
    if not path:
        return "::".join(part for part in (kind, name) if part), False
    module = path[:-3].replace("/", ".") if path.endswith(".py") else path
    if not kind and name == module:
        return path, True
    inside = kind[len(module) + 1 :].replace(".", "::") if kind.startswith(module + ".") else ""
    return "::".join(part for part in (path, inside, name) if part), False


def _outcome(case):
    """Returns the status of a record and its note."""
    for kind, status in (("error", "raises"), ("failure", "wrong"), ("skipped", "unsupported")):
        found = case.find(kind)
        if found is not None:
            return status, _message(found)
    return "ok", ""


def _message(element):
    """Returns the message of a failure in one line.

    It is that of the exception, where there is one.
    """
    text = (element.text or "").strip()
    errors = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    message = element.get("message") or ""
    chosen = errors[0] if errors else message or text
    return " ".join(chosen.split())[:NOTE_CHARS]


def _report(report, tests, durations):
    """Reports a record and a duration for each test, counts and times.

    The times are those of files, or tests, of which nothing failed.
    """
    by_file, failed = {}, set()
    for name, (status, _, seconds) in tests.items():
        file = name.partition("::")[0].partition(COLLECTED)[0]
        by_file.setdefault(file, {})[name] = seconds
        if status in ("wrong", "raises"):
            failed.add(file)
    real = {name: found for name, found in tests.items() if not name.endswith(COLLECTED)}
    records = {name: Record(status, note=note) for name, (status, note, _) in tests.items()}
    for file in by_file:  # so that a cell in which it can be imported has a record that says that
        records.setdefault(file + COLLECTED, Record("ok"))
    report.detail("cases", as_lists(records))
    report.detail("durations", {name: seconds for name, (_, _, seconds) in real.items()})
    words = (("ok", "ok"), ("failed", "wrong"), ("raised", "raises"), ("skipped", "unsupported"))
    for word, status in words:
        count = sum(found[0] == status for found in real.values())
        report.metric("cases." + word, count, "info")
    report.metric("files.not_imported", sum(name.endswith(COLLECTED) for name in tests), "info")
    report.metric("suite.outcome", "failed" if failed else "ok", "info")  # why there is no time
    if not failed:
        total = sum(seconds for _, _, seconds in tests.values())
        report.metric("suite.time_s", total, "timing", better="lower", unit="s")
    for file, times in by_file.items():
        if durations == "files":
            report.metric(file + ".outcome", "failed" if file in failed else "ok", "info")
        if file in failed:
            for name in times if durations == "tests" else ():
                ended = tests[name][0] in ("wrong", "raises")
                report.metric(name + ".outcome", "failed" if ended else "another test of its file failed", "info")
            continue  # a test that failed did other work
        if durations == "files":
            report.metric(file + ".time_s", sum(times.values()), "timing", better="lower", unit="s")
        else:
            for name, seconds in times.items():
                report.metric(name + ".time_s", seconds, "timing", better="lower", unit="s")
