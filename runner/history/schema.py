"""The tables of a history, and how an older file becomes a newer one.

Pure text and SQL.
"""

from __future__ import annotations

import sqlite3

APPLICATION = 0x4B564D48
"""``KVMH`` in the file's header (``PRAGMA application_id``): the file is a history of this program."""

VERSION = 2
"""The version of the tables (``PRAGMA user_version``)."""

TABLES = """
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,          -- made of the first result, so that it does not depend on a folder
  set_name TEXT NOT NULL,
  started TEXT NOT NULL,              -- UTC, ISO 8601
  ended TEXT NOT NULL,
  exit_code INTEGER NOT NULL,
  invocation TEXT NOT NULL
);
CREATE INDEX runs_by_set ON runs (set_name, started);

CREATE TABLE samples (                -- which results are in, so that none is added twice
  digest BLOB PRIMARY KEY,
  job BLOB,                           -- cell, probe, round, settings, host, data; NULL: not about the cell
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX samples_by_run ON samples (run);

CREATE TABLE cells (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  axes TEXT NOT NULL                  -- JSON: the value on every axis
);

CREATE TABLE metrics (
  id INTEGER PRIMARY KEY,
  probe TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  better TEXT NOT NULL,
  unit TEXT NOT NULL,
  UNIQUE (probe, name)
);

CREATE TABLE conditions (             -- what figures were measured on and with
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL           -- JSON
);

CREATE TABLE series (                 -- figures that can be compared from run to run
  id INTEGER PRIMARY KEY,
  cell INTEGER NOT NULL REFERENCES cells,
  metric INTEGER NOT NULL REFERENCES metrics,
  scope BLOB NOT NULL,                -- digest of the part of the fingerprint that must agree
  UNIQUE (cell, metric, scope)
);

CREATE TABLE figures (
  series INTEGER NOT NULL REFERENCES series,
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  condition INTEGER NOT NULL REFERENCES conditions,
  n INTEGER NOT NULL,
  value REAL NOT NULL,                -- the median; of a figure that depends on the seed the mean
  low REAL,
  high REAL,
  verdict TEXT NOT NULL,
  PRIMARY KEY (series, run)
) WITHOUT ROWID;
CREATE INDEX figures_by_run ON figures (run);

CREATE TABLE outcomes (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  cell INTEGER NOT NULL REFERENCES cells,
  probe TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  n INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  PRIMARY KEY (run, cell, probe)
) WITHOUT ROWID;
CREATE INDEX outcomes_by_cell ON outcomes (cell, run);

CREATE TABLE verdicts (               -- comparisons, with what they rest on
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  baseline INTEGER REFERENCES cells,  -- NULL: compared with no other cell
  candidate INTEGER NOT NULL REFERENCES cells,
  axis TEXT NOT NULL,
  probe TEXT NOT NULL,
  metric TEXT NOT NULL,
  verdict TEXT NOT NULL,
  gates INTEGER NOT NULL,
  reason TEXT NOT NULL,
  issue TEXT NOT NULL,
  n INTEGER NOT NULL,
  effect REAL, low REAL, high REAL, p REAL, p_adjusted REAL, floor REAL,
  classification TEXT NOT NULL,
  steps INTEGER
);
CREATE INDEX verdicts_by_run ON verdicts (run, candidate, probe);

CREATE TABLE findings (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  key TEXT NOT NULL,
  kin TEXT NOT NULL,
  severity TEXT NOT NULL,
  text TEXT NOT NULL,
  cells TEXT NOT NULL,                -- JSON: ids
  probes TEXT NOT NULL,               -- JSON; empty: any
  issue TEXT NOT NULL,
  release TEXT NOT NULL,
  details TEXT NOT NULL DEFAULT '[]', -- JSON: sentences
  commands TEXT NOT NULL DEFAULT '[]', -- JSON: what to run next
  PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX findings_by_key ON findings (key, run);
CREATE INDEX findings_by_kin ON findings (kin, run);
"""

MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE findings ADD COLUMN details TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE findings ADD COLUMN commands TEXT NOT NULL DEFAULT '[]'",
        "DROP INDEX samples_by_run",
        "CREATE INDEX samples_by_run ON samples (run)",
    ),
}
"""Version -> the statements that make the next one of it. Nothing in them may depend on code that changes later."""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file. Raises sqlite3.Error."""
    connection.executescript(
        f"BEGIN IMMEDIATE; {TABLES}PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
    )


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables in a file. Raises sqlite3.Error."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Make the tables of an older file those of this version.

    It is a part of the caller's transaction.

    Raises sqlite3.Error.
    """
    for number in range(version(connection), VERSION):
        for statement in MIGRATIONS[number]:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
