"""Runs a case on each Keras backend.

Tensors go in, NumPy arrays come out, and gradients are by the backend's own means.
"""

from __future__ import annotations

import numpy as np


class Output:
    """The arrays of an expression, and the Keras names of their types.

    The type is "python" for a plain number.
    """

    __slots__ = ("arrays", "dtypes")

    def __init__(self, arrays, dtypes):
        self.arrays = arrays
        self.dtypes = dtypes


def leaves(value):
    """Returns the tensors and numbers in nested lists, tuples and dicts, in order.

    None is left out.
    """
    if value is None:
        return []
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


class Engine:
    """The engine of numpy and openvino, and the base class of the others.

    It runs jobs one by one, since these backends do not have a batch mode.
    """

    gradients = False
    batched = False

    def __init__(self, keras):
        self.keras = keras

    def tensor(self, array, dtype=""):
        """Returns a Keras tensor; ``dtype`` where it is not the array's own (bfloat16)."""
        if dtype:
            return self.keras.ops.cast(self.keras.ops.convert_to_tensor(array), dtype)
        return self.keras.ops.convert_to_tensor(array)

    def output(self, value):
        """Returns an Output from whatever an expression returned."""
        arrays, dtypes = [], []
        for leaf in leaves(value):
            if isinstance(leaf, (bool, int, float, complex, np.ndarray, np.generic, str)):
                arrays.append(np.asarray(leaf))
                dtypes.append(str(arrays[-1].dtype) if isinstance(leaf, (np.ndarray, np.generic)) else "python")
                continue
            dtypes.append(self.keras.backend.standardize_dtype(leaf.dtype))
            arrays.append(self._array(leaf, dtypes[-1]))
        return Output(arrays, dtypes)

    def _array(self, leaf, dtype):
        if hasattr(leaf, "detach"):
            leaf = leaf.detach()
        if dtype == "bfloat16":
            leaf = self.keras.ops.cast(leaf, "float32")
        return np.asarray(self.keras.ops.convert_to_numpy(leaf))

    def call(self, function, tensors):
        """Returns the Output of ``function(tensors)``."""
        return self.output(function(tensors))

    def gradient(self, function, tensors, wrt, cotangents):
        """Returns the gradients of sum(cotangent * output) for each name in ``wrt``.

        They are arrays, None where there is none.
        """
        raise NotImplementedError

    def loss(self, function, tensors, cotangents):
        """Returns sum(cotangent * output) as a tensor."""
        ops = self.keras.ops
        total = 0.0
        for leaf, weight in zip(leaves(function(tensors)), cotangents):
            if weight.dtype.kind != "f":
                continue
            total = total + ops.sum(leaf * ops.cast(ops.convert_to_tensor(weight), leaf.dtype))
        return total


class Torch(Engine):
    gradients = True

    def gradient(self, function, tensors, wrt, cotangents):
        chosen = {name: tensors[name].detach().clone().requires_grad_(True) for name in wrt}
        # a function of the leaves, so that one that works in place is not refused
        inputs = {**tensors, **{name: leaf * 1 for name, leaf in chosen.items()}}
        self.loss(function, inputs, cotangents).backward()
        return [None if leaf.grad is None else self._array(leaf.grad, "") for leaf in chosen.values()]


class TensorFlow(Engine):
    gradients = True
    batched = True

    def __init__(self, keras, tf):
        super().__init__(keras)
        self.tf = tf

    def gradient(self, function, tensors, wrt, cotangents):
        with self.tf.GradientTape() as tape:
            for name in wrt:
                tape.watch(tensors[name])
            loss = self.loss(function, tensors, cotangents)
        found = tape.gradient(loss, [tensors[name] for name in wrt])
        return [None if g is None else self._array(self.tf.convert_to_tensor(g), "") for g in found]

    def batch(self, jobs, autograph=False):
        """Runs ``[(function, tensors by name, dynamic)]`` in one graph.

        Returns per job an Output or the exception of its tracing.

        ``dynamic`` names the inputs whose first axis is unknown in it. Raises what running the graph raises.
        """
        tf = self.tf
        signature = []
        for _, tensors, dynamic in jobs:
            signature.append(
                {
                    n: tf.TensorSpec([None, *t.shape[1:]] if n in dynamic else t.shape, t.dtype)
                    for n, t in tensors.items()
                }
            )
        failures = {}

        def graph(args):
            results = {}
            for i, ((function, _, _), tensors) in enumerate(zip(jobs, args)):
                try:
                    results[str(i)] = [tf.convert_to_tensor(leaf) for leaf in leaves(function(tensors))]
                except Exception as error:
                    failures[i] = error
            return results

        traced = tf.function(graph, input_signature=[signature], autograph=autograph)
        results = traced([tensors for _, tensors, _ in jobs])
        return [failures[i] if i in failures else self.output(results[str(i)]) for i in range(len(jobs))]


class Jax(Engine):
    gradients = True
    batched = True

    def __init__(self, keras, jax):
        super().__init__(keras)
        self.jax = jax

    def gradient(self, function, tensors, wrt, cotangents):
        return [self._array(g, "") for g in self._gradient(function, tensors, wrt, cotangents)]

    def _gradient(self, function, tensors, wrt, cotangents):
        def outputs(chosen):
            found = leaves(function({**tensors, **chosen}))
            return [leaf for leaf in found if self.jax.numpy.issubdtype(leaf.dtype, self.jax.numpy.floating)]

        found, pull = self.jax.vjp(outputs, {name: tensors[name] for name in wrt})
        floating = [c for c in cotangents if c.dtype.kind == "f"]
        gradients = pull([self.jax.numpy.asarray(c, leaf.dtype) for c, leaf in zip(floating, found)])[0]
        return [gradients[name] for name in wrt]

    def batch(self, jobs):
        """Runs jobs as TensorFlow's ``batch`` does, in one compilation.

        That makes a sweep affordable.
        """
        return self._batch([(function, tensors) for function, tensors, _ in jobs], self.output)

    def gradient_batch(self, jobs):
        """Runs ``[(function, tensors, wrt, cotangents)]`` in one compilation.

        Returns per job arrays, or the exception.
        """

        def differentiate(function, wrt, cotangents):
            return lambda tensors: self._gradient(function, tensors, wrt, cotangents)

        todo = [(differentiate(function, wrt, cotangents), tensors) for function, tensors, wrt, cotangents in jobs]
        return self._batch(todo, lambda found: [self._array(g, "") for g in found])

    def _batch(self, jobs, finish):
        failures, plain = {}, {}

        def graph(args):
            results = {}
            for i, ((function, _), tensors) in enumerate(zip(jobs, args)):
                try:
                    found = leaves(function(tensors))
                except Exception as error:
                    failures[i] = error
                    continue
                if any(isinstance(leaf, self.jax.core.Tracer) for leaf in found):
                    results[str(i)] = [self.jax.numpy.asarray(leaf) for leaf in found]
                else:
                    plain[i] = found
            return results

        results = self.jax.jit(graph)([tensors for _, tensors in jobs])
        return [
            failures[i] if i in failures else finish(plain[i] if i in plain else results[str(i)])
            for i in range(len(jobs))
        ]


def engine(backend):
    """Returns the Engine for a loaded ``Backend``."""
    if backend.name == "torch":
        return Torch(backend.keras)
    if backend.name == "tensorflow":
        return TensorFlow(backend.keras, backend.lib)
    if backend.name == "jax":
        return Jax(backend.keras, backend.lib)
    return Engine(backend.keras)
