"""Loads the model files that other cells wrote with the probe ``saving``.

Other Keras releases and other backends wrote them. Each file is loaded, computes, and where it has an optimizer goes on
training; the results are compared with those that the writer noted.
"""

from __future__ import annotations

import gc
import os
import tarfile
import time

from ..frameworks import backend
from ..kit import archives
from ..kit.records import Record, as_lists
from ..protocol import UnavailableError

READS = "saving"
"""The probe whose files this one reads (see ``runner.measure.phases``)."""

DEFAULTS = {"budget_s": 120.0}


def run(request, report):
    """Reads every file of every writer. Settings: ``DEFAULTS``.

    Details: ``cases``, a record per file, by ``read(writer='<cell>', file='<name>')``; ``not_run``, the writers that
    the budget left out. Metrics: counts by status, and the CPU time.

    Raises UnavailableError where no cell has written files.
    """
    settings = request.settings_with(DEFAULTS)
    if request.keras is None:
        raise backend.unsupported_natively(request)
    if request.data is None:
        raise UnavailableError("no cell has written files: run the probe saving too")
    from ..cases import supervise

    journal = supervise.Journal()
    supervise.survive(journal)
    backend.load(request)
    journal.load()
    from ..saving import files

    started = time.process_time()
    deadline = started + settings["budget_s"] - journal.cpu_s
    folder = os.path.abspath("files")
    with tarfile.open(request.data["path"]) as archive:
        archives.extract(archive, folder)
    records = {ident: Record(*kept) for ident, kept in journal.records.items()}
    not_run = []
    gc.freeze()  # collecting walks a framework's half a million objects for every file
    for writer in _nearest(os.listdir(folder), request):
        if time.process_time() > deadline:
            not_run.append(writer)
            continue
        for name in files.listed(os.path.join(folder, writer)):
            ident = "read(writer=%r, file=%r)" % (writer, name)
            if ident in records:
                continue
            if ident in journal.fatal:
                records[ident] = Record("crashes", note=journal.fatal[ident])
            else:
                journal.begin(ident, alone=True)
                status, note = files.read_one(os.path.join(folder, writer), name)
                records[ident] = Record(status, note=note)
            journal.chunk(as_lists({ident: records[ident]}), 0)
    journal.close()
    report.detail("cases", as_lists(records))
    report.detail("not_run", not_run)
    report.metric("writers", len(os.listdir(folder)), "info", unit="cells")
    report.metric("writers.not_run", len(not_run), "info", better="lower", unit="cells")
    for status in ("ok", "inaccurate", "wrong", "raises", "crashes", "unsupported"):
        count = sum(record.status == status for record in records.values())
        report.metric("cases.%s" % status, count, "info", unit="files")
    report.metric("cases.cpu_s", journal.cpu_s + time.process_time() - started, "info", better="lower", unit="s")


def _nearest(writers, request):
    """Returns the writers in the order in which they are read.

    First this release and this backend, then the others: a budget leaves out what differs in both.
    """
    same = "_keras-%s_" % request.keras

    def apart(writer):
        return (not writer.startswith(request.framework + "-")) + (same not in writer), writer

    return sorted(writers, key=apart)
