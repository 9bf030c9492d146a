"""Runs every case in this process and records its result (see ``kit.records``).

The letters of the further checks: s symbolic, d symbolic with an unknown batch, g gradient, t graph, a arguments left
alone. A further check that fails has its own record, under the case's id and ``#symbolic``, ``#dynamic``,
``#gradient``, ``#graph`` or ``#arguments``.
"""

from __future__ import annotations

import re
import time
import warnings

import numpy as np

from ..cases.timeouts import alarm, limit
from ..kit.records import Record, as_lists
from . import compare, namespace, truth
from . import gradients as differences
from .engines import leaves

BATCH = 32
LIMIT = re.compile(
    r"not supported (by|on|with|in) (the )?.*backend|n[o']t support.* backend|\b(when|with) (using )?the \w+ backend"
    r"|\b(torch|tensorflow|jax)\S* does(n't| not) support",
    re.IGNORECASE,
)
"""A message that names the backend whose limit it is: documented, so no defect."""

PLAIN = ("convolution", "transposed convolution", "pooling", "recurrent")
"""Large grids of one function each, of which only cases with an unknown batch size are tried in a graph too."""


class Sweeper:
    """One pass over the cases.

    ``records`` fills up as it goes; ``running`` names what is being tried.
    """

    def __init__(self, engine, budget_s, journal):
        self.engine = engine
        self.journal = journal
        self.records = {ident: Record(*kept) for ident, kept in journal.records.items()}
        self.counts = {}
        self.not_run = 0
        self._names = namespace.framework(engine.keras)
        self._codes = {}
        self._deadline = time.process_time() + budget_s - journal.cpu_s

    def run(self, cases):
        """Tries all ``cases`` until the budget is spent.

        The rest is counted in ``not_run``.
        """
        todo = [case for case in cases if self._present(case)]
        chunks = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
        with warnings.catch_warnings(), np.errstate(all="ignore"), alarm():
            warnings.simplefilter("ignore")
            for i, chunk in enumerate(chunks):
                if i < self.journal.done:
                    continue
                if time.process_time() > self._deadline:
                    self.not_run = sum(map(len, chunks[i:]))
                    break
                known = set(self.records)
                self._careful = i in self.journal.careful
                self._chunk(chunk)
                self.journal.chunk(as_lists({k: v for k, v in self.records.items() if k not in known}), i + 1)
        for record in self.records.values():
            self.counts[record.status] = self.counts.get(record.status, 0) + 1

    def _begin(self, name, alone=True):
        """Notes what runs now. Returns whether it may run.

        Returns False where it killed an earlier process, and records that.
        """
        if name in self.journal.fatal:
            self.records[name] = Record("crashes", note=self.journal.fatal[name])
            return False
        self.journal.begin(name, alone)
        return True

    def _present(self, case):
        try:
            namespace.check(case.expr, self._names)
        except namespace.Missing as error:
            self.records[case.ident] = Record("unsupported", note=str(error))
            return False
        return True

    def _chunk(self, cases):
        prepared = []
        for case in cases:
            try:
                arrays = truth.inputs(case)
                prepared.append((case, arrays, {n: self._tensor(case, a) for n, a in arrays.items()}))
            except Exception as error:
                self._raised(case.ident, error)
        outputs = self._outputs(prepared)
        good = []
        for (case, arrays, tensors), output in zip(prepared, outputs):
            if isinstance(output, Exception):
                self._raised(case.ident, output)
            elif output is not None:
                true = self._judge(case, arrays, output)
                self._unchanged(case, arrays, tensors)
                good.append((case, arrays, tensors, output, true))
        for case, _, tensors, output, _ in good:
            if case.symbolic and self.records[case.ident].status != "shape" and self._begin(case.ident + "#symbolic"):
                self._symbolic(case, tensors, output)
        self._gradients([item for item in good if item[0].wrt and item[4] and self._differentiated(item[0])])
        if self.engine.batched and self.engine.keras.config.backend() == "tensorflow":
            self._graphs(
                [item for item in good if not item[0].eager and (item[0].dynamic or item[0].family not in PLAIN)]
            )

    def _differentiated(self, case):
        if case.family in PLAIN and self.engine.keras.config.backend() == "jax":
            return False  # its own derivatives of its own functions, which take long to compile
        return self.records[case.ident].status in ("ok", "inaccurate")

    # inputs

    def _tensor(self, case, array):
        return self.engine.tensor(array, case.dtype if case.dtype and array.dtype.kind == "f" else "")

    def _function(self, case):
        code = self._codes.setdefault(case.expr, compile(case.expr, "<%s>" % case.op, "eval"))
        names = self._names
        return lambda tensors: eval(code, {**names, **tensors})  # noqa: S307 - the cases are this package's own text

    # forward

    def _outputs(self, prepared):
        """Returns per prepared case an Output, an exception, or None.

        None means that the case killed the process.
        """
        if not self._careful and self.engine.keras.config.backend() == "jax":
            return self._compiled(prepared)
        return [self._eager(case, tensors) for case, _, tensors in prepared]

    def _eager(self, case, tensors):
        if not self._begin(case.ident):
            return None
        try:
            with limit():
                return self.engine.call(self._function(case), tensors)
        except Exception as error:
            return error

    def _compiled(self, prepared):
        """Runs the cases as one compilation.

        What cannot be traced, or spoils the others, runs on its own.
        """
        together = [i for i, (case, _, _) in enumerate(prepared) if not case.eager]
        outputs = [None] * len(prepared)
        self._begin("%d cases from %s" % (len(together), prepared[0][0].ident if prepared else ""), alone=False)
        jobs = [(self._function(prepared[i][0]), prepared[i][2], False) for i in together]
        found = self._try_batch(self.engine.batch, jobs) if jobs else []
        for i, output in zip(together, found):
            outputs[i] = None if isinstance(output, Exception) else output
        return [
            output if output is not None else self._eager(case, tensors)
            for output, (case, _, tensors) in zip(outputs, prepared)
        ]

    def _try_batch(self, run, jobs):
        """Runs ``run(jobs)``, and halves the jobs where they fail together.

        So one case does not spoil the rest.
        """
        try:
            with limit(4):
                return run(jobs)
        except Exception as error:
            if len(jobs) == 1:
                return [error]
            half = len(jobs) // 2
            return self._try_batch(run, jobs[:half]) + self._try_batch(run, jobs[half:])

    def _unchanged(self, case, arrays, tensors):
        """Records whether a function left its arguments unchanged, on PyTorch.

        PyTorch's tensors can be changed in place; a function must not do that to its arguments.
        """
        if self.engine.keras.config.backend() != "torch" or case.dtype:
            return
        for name, tensor in tensors.items():
            if not np.array_equal(
                self.engine.output(tensor).arrays[0], arrays[name], equal_nan=arrays[name].dtype.kind == "f"
            ):
                note = "the argument %s is changed in place" % name
                self.records[case.ident + "#arguments"] = Record("wrong", note=note)
                return
        self._pass(case, "a")

    # truth

    def _judge(self, case, arrays, output):
        """Writes the record of the values. Returns the Truth, or None.

        None means that the case does not have a truth, or one of other shapes.
        """
        record = Record("seen", types=_types(output))
        self.records[case.ident] = record
        true = None
        if case.ref is not None:
            try:
                true = truth.truth(case, arrays, output)
            except Exception as error:  # an old NumPy may lack what the reference is written with
                record.note = "the reference fails: %s" % normalised(error)
        if true is None:
            record.sketch = compare.sketch(output.arrays)
        else:
            record.status, record.figure, record.note = truth.verdict(case, output, true)
            kept = compare.digest if record.status == "ok" else compare.sketch
            record.sketch = kept(output.arrays)
        if case.unspecified:
            record.status, record.note = "unspecified", case.unspecified
        return true if true is not None and record.status in ("ok", "inaccurate") else None

    # further checks

    def _symbolic(self, case, tensors, output):
        """Shapes and types that a symbolic call promises, against those that came out."""
        if not tensors:
            return
        self._promise(case, tensors, output, "s", "#symbolic")
        if case.dynamic and "s" in self.records[case.ident].passed:
            self._promise(case, tensors, output, "d", "#dynamic", case.dynamic)

    def _promise(self, case, tensors, output, letter, suffix, unknown=()):
        keras = self.engine.keras
        symbols = {}
        for name, tensor in tensors.items():
            shape = tuple(tensor.shape)
            if name in unknown:
                shape = (None, *shape[1:])
            symbols[name] = keras.KerasTensor(shape, dtype=keras.backend.standardize_dtype(tensor.dtype))
        try:
            with limit():
                found = leaves(self._function(case)(symbols))
        except Exception as error:
            self._raised(case.ident + suffix, error)
            return
        promised = []
        for leaf in found:
            if not isinstance(leaf, keras.KerasTensor):
                return
            promised.append((keras.backend.standardize_dtype(leaf.dtype), tuple(leaf.shape)))
        actual = [(d, a.shape) for d, a in zip(output.dtypes, output.arrays)]
        if _kept(promised, actual):
            self._pass(case, letter)
            return
        text = " ".join("%s[%s]" % (d, ",".join(map(str, s))) for d, s in promised)
        kind = "shape" if not _kept([("", s) for _, s in promised], [("", s) for _, s in actual]) else "dtype"
        note = "actual: " + self.records[case.ident].types
        self.records[case.ident + suffix] = Record(kind, types=text, note=note)

    def _gradients(self, items):
        if not self.engine.gradients or not items:
            return
        jobs = []
        for case, _, tensors, _, true in items:
            cotangents = [differences.cotangent(a, i) for i, a in enumerate(true.arrays)]
            jobs.append((self._function(case), tensors, case.wrt, cotangents))
        if hasattr(self.engine, "gradient_batch") and not self._careful:
            self._begin("gradients of %d cases from %s" % (len(items), items[0][0].ident), alone=False)
            found = self._try_batch(self.engine.gradient_batch, jobs)
        else:
            found = []
            for (case, *_), job in zip(items, jobs):
                found.append(self._gradient(case, job))
        for (case, arrays, _, _, _), job, gradients in zip(items, jobs, found):
            if isinstance(gradients, Exception):
                self._raised(case.ident + "#gradient", gradients)
            elif gradients is not None:
                record = differences.judge(case, truth.exact_inputs(case, arrays), job[3], gradients)
                if record is None:
                    self._pass(case, "g")
                else:
                    self.records[case.ident + "#gradient"] = record

    def _gradient(self, case, job):
        if not self._begin(case.ident + "#gradient"):
            return None
        try:
            with limit():
                return self.engine.gradient(*job)
        except Exception as error:
            return error

    def _graphs(self, items):
        """Tries the cases in a graph, with an unknown batch size where allowed.

        The case must allow an unknown batch size.
        """
        jobs = [(self._function(case), tensors, case.dynamic) for case, _, tensors, _, _ in items]
        if not jobs:
            return
        if self._careful:
            results = [self._graph(case, job) for (case, *_), job in zip(items, jobs)]
        else:
            self._begin("graphs of %d cases from %s" % (len(jobs), items[0][0].ident), alone=False)
            results = self._try_batch(self.engine.batch, jobs)
        for (case, _, _, output, true), job, first in zip(items, jobs, results):
            # AutoGraph is TensorFlow's own default, but costs too much to be used for all
            found = self._converted(case, job) if isinstance(first, Exception) else first
            if found is None:
                continue
            if isinstance(found, Exception):
                if "singleton tf.Variables" not in str(found):  # a case that makes state of its own has no graph
                    self._raised(case.ident + "#graph", found)
                continue
            if [a.shape for a in found.arrays] != [a.shape for a in output.arrays]:
                self.records[case.ident + "#graph"] = Record(
                    "shape", types=_types(found), note="eager: " + _types(output)
                )
                continue
            for i, (got, other) in enumerate(zip(found.arrays, output.arrays)):
                if not _close(got, other, true.scales[i] if true else None, output.dtypes[i]):
                    self.records[case.ident + "#graph"] = Record(
                        "wrong",
                        sketch=compare.sketch([got]),
                        types=_types(found),
                        note="eager: %s" % compare.sketch([other]),
                    )
                    break
            else:
                self._pass(case, "t")

    def _converted(self, case, job):
        if not self._begin(case.ident + "#graph"):
            return None
        return self._try_batch(lambda jobs: self.engine.batch(jobs, autograph=True), [job])[0]

    def _graph(self, case, job):
        if not self._begin(case.ident + "#graph"):
            return None
        return self._try_batch(self.engine.batch, [job])[0]

    def _pass(self, case, letter):
        self.records[case.ident].passed += letter

    def _raised(self, ident, error):
        status = "raises"
        if isinstance(error, (NotImplementedError, ImportError, namespace.Missing)):
            status = "unsupported"
        if isinstance(error, (TypeError, ValueError)) and _unknown_argument(ident, str(error)):
            status = "unsupported"
        if LIMIT.search(str(error)):
            status = "unsupported"
        self.records[ident] = Record(status, types=type(error).__name__, note=normalised(error))


def _unknown_argument(ident, message):
    """Returns whether a class does not know an argument, or a value of it.

    The arguments of such a class cannot be read from its signature.
    """
    value = re.search(r"Invalid value for argument `?(\w+)`?", message)
    if value and value.group(1) + "=" in ident:  # "mean_with_sample_weight" of a release that has no such reduction
        return True
    if "Unrecognized keyword arguments" in message or "__init__() got an unexpected keyword" in message:
        return True
    found = re.search(r"unexpected keyword argument '(\w+)'", message)
    return bool(found) and re.search(r"\b[A-Z]\w+\(", ident) is not None and found.group(1) + "=" in ident


def normalised(error):
    """Returns the first meaningful line of a message, at most 160 characters.

    Addresses, paths and numbered names are left out.
    """
    lines = [re.sub(r"\x1b\[\d*m", "", line).strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Exception encountered when calling")]
    text = lines[0] if lines else ""
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"(/[\w.+-]+)+/", "", text)
    text = re.sub(r"\b([a-z_]+?)_\d+\b", r"\1", text)
    return ("%s: %s" % (type(error).__name__, text))[:160]


def _types(output):
    return " ".join("%s[%s]" % (d, ",".join(map(str, a.shape))) for d, a in zip(output.dtypes, output.arrays))


def _kept(promised, actual):
    """Returns whether the output has every promised type and shape.

    An unknown axis can have any size.
    """
    return len(promised) == len(actual) and all(
        d == e and len(s) == len(t) and all(a is None or a == b for a, b in zip(s, t))
        for (d, s), (e, t) in zip(promised, actual)
    )


def _close(got, other, size, dtype):
    if got.dtype.kind not in "fc":
        return np.array_equal(got, other)
    got, other = got.astype("complex128"), other.astype("complex128")
    same = (got == other) | (np.isnan(got) & np.isnan(other))
    unit = compare.UNIT.get(dtype, 2.0**-24)
    size = np.abs(other) + np.mean(np.abs(other[np.isfinite(other)])) if size is None else size
    with np.errstate(all="ignore"):
        return bool(np.all(same | (np.abs(got - other) <= 1000 * unit * size + 1e-30)))
