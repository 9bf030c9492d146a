"""Defines the record of a case in the detail ``cases``.

The probes ``ops`` and ``training`` report it.
"""

from __future__ import annotations


class Record:
    """One case and its result, which ``runner.defects.cases.Case`` reads.

    status   ``ok``, ``seen`` (no reference: cells are compared afterwards), ``wrong``, ``inaccurate``, ``nan``,
             ``shape``, ``dtype``, ``raises``, ``crashes``, ``unsupported`` (this version lacks it) or ``unspecified``
    figure   the largest error in units of what rounding explains, or None; a text where it is not finite
    sketch   a digest where the result agrees with its reference; else the norm and up to 8 values
    types    ``float32[2,3] int32[2]``: types and shapes of the result
    note     the message of the exception, or what was expected
    passed   letters of the further checks that passed
    """

    __slots__ = ("figure", "note", "passed", "sketch", "status", "types")

    def __init__(self, status, figure=None, sketch="", types="", note="", passed=""):
        self.status = status
        self.figure = figure
        self.sketch = sketch
        self.types = types
        self.note = note
        self.passed = passed

    def as_list(self):
        """Returns the record as JSON holds it."""
        return [self.status, self.figure, self.sketch, self.types, self.note, self.passed]


def as_lists(records):
    """Returns ``{case id: record}`` as JSON holds it."""
    return {ident: record.as_list() for ident, record in records.items()}
