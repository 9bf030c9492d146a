"""Keeps judged runs in one SQLite file, for reports and trends.

``data`` has the classes, ``entry`` makes figures of results, ``schema`` has the tables, ``files`` opens the file and
names what is wrong with it, ``database`` adds and reads (``adding``, ``reading``, ``since``), ``words`` has dates and
reasons in words.

    with history.open(path) as database:
        database.add(entry)
        for series in database.series(["torch-*"], metric="free.step_s"):
            ...
"""

from runner.history.database import History, old, opened, reading_alone
from runner.history.files import default

__all__ = ["History", "default", "old", "open", "read"]

open = opened  # noqa: A001 - history.open reads best
read = reading_alone
