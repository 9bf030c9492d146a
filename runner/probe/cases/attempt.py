"""Tries cases one by one and records what came of each."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import shutil
import tempfile
import time
import traceback
import warnings

from ..kit import numerics
from ..kit.records import Record, as_lists
from . import prelude, script
from .timeouts import alarm, limit

LIMIT = re.compile(
    r"not supported (by|on|with|in) (the )?.*backend|n[o']t support.* backend|\b(when|with) (using )?the \w+ backend"
    r"|\b(torch|tensorflow|jax)\S* does(n't| not) support"
    r"|only (supported|compatible|available) (for|with|on|in|by) |Unrecognized data type",
    re.IGNORECASE,
)
"""A message that says what is not supported, or by which backend: documented, so no defect."""

UNKNOWN = re.compile(
    r"unexpected keyword argument|Unrecognized keyword arguments|Invalid keyword arguments|\(s\) not recognized"
)
"""A message by which Python or a layer says that it does not know an argument."""


FREEZE_EVERY = 20
"""Cases after which what is alive is no longer looked at by the collector."""


class Attempts:
    """The cases tried so far.

    ``records`` and ``seconds`` are by id; ``not_run`` lists ids.
    """

    def __init__(self, keras, journal, budget_s):
        self.records = {ident: Record(*kept) for ident, kept in journal.records.items()}
        self.seconds = {}
        self.not_run = []
        self._keras = keras
        self._journal = journal
        self._deadline = time.process_time() + budget_s - journal.cpu_s

    def run(self, cases):
        """Tries the cases until the budget is spent."""
        with _usual(self._keras):
            pass  # imports what seeds and sessions need: TensorFlow and the compiler of PyTorch, where they are
        with alarm():
            for place, case in enumerate(cases):
                if case.ident in self.records:
                    continue
                if time.process_time() > self._deadline:
                    self.not_run.append(case.ident)
                    continue
                if case.ident in self._journal.fatal:
                    self.records[case.ident] = Record("crashes", note=self._journal.fatal[case.ident])
                else:
                    self._journal.begin(case.ident, alone=True)
                    began = time.process_time()
                    self.records[case.ident] = self._try(case)
                    self.seconds[case.ident] = round(time.process_time() - began, 2)
                self._journal.chunk(as_lists({case.ident: self.records[case.ident]}), place + 1)
                if place % FREEZE_EVERY == FREEZE_EVERY - 1:
                    gc.freeze()  # what lives now is a framework's caches; walking them costs more than most cases

    def _try(self, case):
        """Returns the record of one case, tried in a new folder."""
        here = os.getcwd()
        folder = tempfile.mkdtemp(prefix="case-")
        os.chdir(folder)
        try:
            with _usual(self._keras), warnings.catch_warnings(), limit():
                warnings.simplefilter("ignore")
                value = case.function(**case.arguments)
        except Exception as error:
            return outcome(error, case)
        finally:
            os.chdir(here)
            shutil.rmtree(folder, ignore_errors=True)
        return Record("ok") if value is None else Record("seen", sketch=_sketch(value))

    def scripts(self, cases, framework):
        """Returns a script for each case that is not right."""
        wrong = [c for c in cases if c.ident in self.records and self.records[c.ident].status in BAD]
        return {case.ident: script.of(case, framework, self.records[case.ident].note) for case in wrong}


BAD = ("wrong", "raises", "crashes")


def outcome(error, case):
    """Returns the record of a case that raised ``error``."""
    if isinstance(error, prelude.Broken):
        return Record("wrong", note=normalised(str(error)))
    text = "%s: %s" % (type(error).__name__, first_line(error))
    if isinstance(error, prelude.Lacking):
        return Record("unsupported", note=str(error))
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] != "keras":
        return Record("unsupported", note=normalised("a package is missing: %s" % first_line(error)))
    if LIMIT.search(str(error)) or _unknown(error, case):
        return Record("unsupported", note=normalised(text))
    return Record("raises", types=type(error).__name__, note=normalised(text))


def _unknown(error, case):
    """Returns whether a release lacks what the case itself names.

    What Keras's own code asks for in vain is a defect.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = frames[-1].filename == case.function.__code__.co_filename if frames else False
    if isinstance(error, AttributeError):
        return own and "'NoneType' object" not in str(error)
    if not isinstance(error, (TypeError, ValueError)) or not UNKNOWN.search(str(error)):
        return False
    if any(frame.name == "from_config" for frame in frames):
        return False  # a configuration that Keras wrote
    return own or "unexpected keyword" not in str(error) or "__init__() got an unexpected" in str(error)


def first_line(error):
    """Returns the first meaningful line of a message."""
    lines = [re.sub(r"\x1b\[\d*m", "", line).strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Exception encountered when calling")]
    return lines[0] if lines else ""


def normalised(text):
    """Returns a text without addresses, paths and numbers, cut to 240 characters."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"(/[\w.+-]+)+/", "", text)
    text = re.sub(r"\b([a-z_]+?)_\d+\b", r"\1", text)
    return text[:240]


@contextlib.contextmanager
def _usual(keras):
    """Starts a case from Keras's defaults, and from the same seed, and leaves them so."""
    config, policies = keras.config, keras.config if hasattr(keras.config, "dtype_policy") else keras.mixed_precision
    form, policy, floats = config.image_data_format(), policies.dtype_policy(), config.floatx()
    keras.utils.set_random_seed(1)
    try:
        yield
    finally:
        config.set_image_data_format(form)
        config.set_floatx(floats)
        policies.set_dtype_policy(policy)
        keras.utils.clear_session()
        gc.freeze()  # what is alive now stays: collecting after each case would walk all that came before


def _sketch(value):
    """Returns the value of a case in short.

    Numbers become their norm and first values, all else a text.
    """
    import numpy as np

    try:
        flat = np.asarray(value, "float64").ravel()
    except (TypeError, ValueError):
        return [0.0, str(value)[:500]]
    return numerics.sketch(flat)
