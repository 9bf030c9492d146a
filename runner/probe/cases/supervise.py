"""Continues a sweep after a crash or a hang.

A sweep in which one case kills the process, or never ends, still reports all the others. The sweep runs in a fork of
the process, made before a framework is imported. While it lives the parent only waits; when it ends by itself it does
so as the real process, and the parent leaves with its exit code. When a signal ends it, the next fork takes up where it
died (``Journal``), without the case that was running.
"""

from __future__ import annotations

import json
import os
import signal
import time

MAX_CRASHES = 12

HANG_S = 240.0
"""Seconds after which a case that has not ended hangs. Alarms in the process itself (``timeouts``) come first, but do
not reach a case that waits inside a library."""


class Journal:
    """``sweep.jsonl`` in the working directory.

    It holds records chunk by chunk, and what was running when.
    """

    def __init__(self, path="sweep.jsonl", running="running.txt"):
        self._path, self._running_path = path, running
        self.records = {}
        self.done = 0
        self.fatal = {}
        self.careful = set()
        self.cpu_s = 0.0
        """What the processes before this one have used."""
        self._running = None

    def load(self):
        """Takes up what earlier processes left."""
        if not os.path.exists(self._path):
            return
        with open(self._path, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    self._take(json.loads(line))

    def _take(self, entry):
        if "records" in entry:
            self.records.update(entry["records"])
            self.done, self.cpu_s = entry["done"], entry["cpu_s"]
        elif entry.get("alone"):
            self.fatal[entry["case"]] = entry["note"]
        else:
            self.careful.add(self.done)

    def chunk(self, records, done):
        """Records that ``records`` of one more chunk are final, and ``done`` chunks are."""
        self._append({"records": records, "done": done, "cpu_s": self.cpu_s + time.process_time()})

    def begin(self, name, alone):
        """Notes that ``name`` starts now.

        ``alone`` says that it is one case, so that a crash is counted as that case's.
        """
        if self._running is None:
            self._running = open(self._running_path, "w", encoding="utf-8")  # noqa: SIM115 - open for the whole sweep
        self._running.seek(0)
        self._running.write("%d%s" % (alone, name.replace("\n", " ").ljust(500)[:500]))
        self._running.flush()

    def idle_s(self):
        """Returns for how long the same case has been running, in seconds."""
        try:
            return time.time() - os.stat(self._running_path).st_mtime
        except OSError:
            return 0.0

    def crashed(self, number, hung=False):
        """Notes, in the parent, that a signal ended the sweep."""
        name, alone = "", False
        if os.path.exists(self._running_path):
            with open(self._running_path, encoding="utf-8") as file:
                text = file.read()
            name, alone = text[1:].strip(), text[:1] == "1"
            os.unlink(self._running_path)
        note = "it does not end" if hung else "the process is killed by signal %d" % number
        self._append({"case": name, "note": note, "alone": alone})

    def _append(self, entry):
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def close(self):
        """Ends the journal; nothing is kept."""
        if self._running is not None:
            self._running.close()
        for path in (self._path, self._running_path):
            if os.path.exists(path):
                os.unlink(path)


def survive(journal):
    """Returns in the process that is to run the sweep.

    That is a fork, or this one where there is no fork.
    """
    if not hasattr(os, "fork"):
        return
    for attempt in range(MAX_CRASHES + 1):
        child = os.fork()
        if not child:
            return
        status, hung = _wait(child, journal)
        if not os.WIFSIGNALED(status):
            os._exit(os.WEXITSTATUS(status))
        number = os.WTERMSIG(status)
        asked = number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT) and not hung
        if attempt == MAX_CRASHES or asked:
            signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
            os.kill(os.getpid(), number)
        journal.crashed(number, hung)


def _wait(child, journal):
    """Returns the wait status of ``child``, and whether it was ended because it hung.

    Signals to this process go to it.
    """
    previous = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        previous[number] = signal.signal(number, lambda got, _: os.kill(child, got))
    pause, hung = 0.01, False
    try:
        while True:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return status, hung
            if journal.idle_s() > HANG_S:
                hung = True
                os.kill(child, signal.SIGKILL)
            time.sleep(pause)
            pause = min(2 * pause, 0.5)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
