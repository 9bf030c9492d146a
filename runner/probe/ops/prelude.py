"""Provides inputs from fixed seeds and layers with given weights.

The cases' expressions are written with them. The source of these functions is put in front of a defect's script, so
each stands alone: NumPy and Keras only. ``RandomState`` gives the same numbers in every NumPy.
"""

from __future__ import annotations

import numpy as np


def normal(*shape, seed=0, loc=0.0, scale=1.0):
    """Returns float32 normal numbers, all different, at least 0.01 from zero."""
    x = np.random.RandomState(seed + 7919 * len(shape)).standard_normal(shape)
    return (loc + scale * np.where(np.abs(x) < 0.01, x + 0.05, x)).astype("float32")


def uniform(*shape, seed=0, low=0.0, high=1.0):
    """Returns float32 uniform numbers in [low, high)."""
    return np.random.RandomState(seed + 104729).uniform(low, high, shape).astype("float32")


def integers(*shape, seed=0, low=0, high=10, dtype="int32"):
    """Returns integers in [low, high)."""
    return np.random.RandomState(seed + 1299709).randint(low, high, shape).astype(dtype)


def bools(*shape, seed=0):
    """Returns True or False, about half each; the first of each row is True."""
    x = np.random.RandomState(seed + 15485863).uniform(0, 1, shape) < 0.5
    x[..., 0] = True
    return x


def steps(*shape, low=-2.0, high=2.0):
    """Returns evenly spaced float32 numbers."""
    return np.linspace(low, high, int(np.prod(shape))).reshape(shape).astype("float32")


def symmetric_positive(n, seed=0):
    """Returns a well conditioned symmetric positive definite float32 matrix."""
    x = np.random.RandomState(seed + 31).standard_normal((n, n))
    return (x @ x.T / n + np.eye(n)).astype("float32")


def well_conditioned(*shape, seed=0):
    """Returns float32 square matrices (the last two axes) far from singular."""
    x = np.random.RandomState(seed + 57).standard_normal(shape)
    return (x + 3.0 * np.eye(shape[-1])).astype("float32")


def array(values, dtype="float32"):
    """Returns ``values`` as an array."""
    return np.array(values, dtype=dtype)


def apply(layer, *inputs, weights=None, **call):
    """Returns the output with these weights, in the order of ``layer.weights``.

    Weights that are not given are uniform between 0.1 and 0.6, with seeds 100, 101, ...
    """
    return _applied(layer, inputs, weights, call)[0]


def updated(layer, *inputs, weights=None, **call):
    """Returns the layer's non-trainable weights after a call."""
    return _applied(layer, inputs, weights, call)[1]


def _applied(layer, inputs, weights, call):
    """Returns (output, non-trainable weights) of a call, stateless on JAX."""
    import keras

    if any(isinstance(leaf, keras.KerasTensor) for leaf in _flat([inputs, call])):
        return layer(*inputs, **call), []
    _build(layer, inputs, call)
    given = {id(v): value for v, value in zip(layer.weights, _completed(layer, weights))}
    if keras.config.backend() != "jax":
        for variable in layer.weights:
            variable.assign(given[id(variable)])
        output = layer(*inputs, **call)
        known = [v for v in layer.non_trainable_variables if id(v) in given]
        return output, [keras.ops.convert_to_tensor(v) for v in known]
    trainable = [given[id(v)] for v in layer.trainable_variables]
    others = [given[id(v)] if id(v) in given else _initial(v) for v in layer.non_trainable_variables]
    output, after = layer.stateless_call(trainable, others, *inputs, **call)
    return output, [value for v, value in zip(layer.non_trainable_variables, after) if id(v) in given]


def _initial(variable):
    """Returns the value of a random seed's state, which ``_build`` left open."""
    import jax

    with jax.ensure_compile_time_eval():
        if variable._value is None:  # noqa: SLF001
            variable._deferred_initialize()  # noqa: SLF001
        return variable.value


def _completed(layer, weights):
    weights = list(weights or [])
    for i in range(len(weights), len(layer.weights)):
        weights.append(uniform(*layer.weights[i].shape, seed=100 + i, low=0.1, high=0.6))
    import keras

    return [keras.ops.cast(keras.ops.convert_to_tensor(w), v.dtype) for v, w in zip(layer.weights, weights)]


def _flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _flat(item)]
    return [value]


def _build(layer, inputs, call):
    """Builds by a symbolic call, and returns its outcome."""
    import contextlib

    import keras

    def symbol(value):
        if isinstance(value, (list, tuple)):
            return type(value)(symbol(v) for v in value)
        if isinstance(value, dict):
            return {k: symbol(v) for k, v in value.items()}
        if not hasattr(value, "dtype"):
            return value
        return keras.KerasTensor(tuple(value.shape), keras.backend.standardize_dtype(value.dtype))

    scope = contextlib.nullcontext()
    if keras.config.backend() == "jax":  # no initial value is needed, and drawing them takes long to compile
        scope = keras.StatelessScope(initialize_variables=False)
    elif keras.config.backend() == "tensorflow":  # the variables belong to no graph
        import tensorflow as tf

        scope = tf.init_scope()
    with scope:
        found = layer(*symbol(inputs), **symbol(call))
    _forget_uninitialized()
    return found


def _forget_uninitialized():
    """Drops what ``_build`` left open, so that no later scope initializes it."""
    try:
        from keras.src.backend.common import global_state
    except ImportError:
        from keras.backend.common import global_state
    if global_state.get_global_attribute("uninitialized_variables"):
        global_state.set_global_attribute("uninitialized_variables", [])


def clone_difference(layer, *inputs, **call):
    """Returns the largest difference to a layer made from the configuration."""
    import keras

    other = type(layer).from_config(layer.get_config())
    before, after = str(layer.get_config()), str(other.get_config())
    if before != after:
        raise AssertionError("the configuration changes: %s, then %s" % (before, after))
    pairs = zip(_flat([apply(layer, *inputs, **call)]), _flat([apply(other, *inputs, **call)]))
    return [keras.ops.max(keras.ops.abs(keras.ops.cast(a, "float32") - keras.ops.cast(b, "float32"))) for a, b in pairs]


def shape_kept(layer, *inputs, **call):
    """Returns whether each promised shape, then each symbolic one, is right."""
    nested = isinstance(inputs[0], (list, tuple))
    shapes = [[tuple(x.shape) for x in inputs[0]]] if nested else [tuple(x.shape) for x in inputs]
    output = _flat([apply(layer, *inputs, **call)])
    promised = layer.compute_output_shape(*shapes)
    if not isinstance(promised[0], (list, tuple)):
        promised = [promised]
    symbols = [tuple(leaf.shape) for leaf in _flat([_build(layer, inputs, call)])]
    return [_fits(a, b.shape) for a, b in zip(promised, output)] + [_fits(a, b.shape) for a, b in zip(symbols, output)]


def _fits(promised, shape):
    return len(promised) == len(shape) and all(n is None or n == m for n, m in zip(promised, shape))


def twice(layer, x, weights):
    """Returns a stateful layer's output for the second of two equal batches."""
    layer.build(tuple(x.shape))
    for variable, value in zip(layer.weights, weights):
        variable.assign(value)
    layer(x)
    return layer(x)


def masked(x, mask):
    """Returns ``x`` with a Keras mask, as an Embedding or Masking layer does."""
    try:
        try:
            from keras.src.backend import set_keras_mask

            set_keras_mask(x, mask)
        except ImportError:
            x._keras_mask = mask  # noqa: SLF001
    except AttributeError as error:  # a tracer of JAX has no room for it: nothing that Keras does
        raise NotImplementedError("a mask cannot be put on a %s" % type(x).__name__) from error
    return x


def refused(function):
    """Returns whether ``function()`` raises an error, of whatever kind."""
    try:
        function()
    except Exception:
        return True
    return False


def symbol(*shape, dtype="float32"):
    """Returns a symbolic tensor."""
    import keras

    return keras.KerasTensor(shape, dtype=dtype)


def promised_shape(x):
    """Returns the shape of a symbolic result as a list; -1 for an unknown axis.

    Several results give a list of lists.
    """
    if isinstance(x, (list, tuple)):
        return [promised_shape(item) for item in x]
    return [-1 if n is None else int(n) for n in x.shape]


def fits(promised, shape):
    """Returns whether a promised shape, -1 for an unknown axis, allows ``shape``."""
    return len(promised) == len(shape) and all(n in (-1, m) for n, m in zip(promised, shape))


def kind_of(x):
    """Returns the type of a result, symbolic or not; 64 bits count as 32 (JAX)."""
    import keras

    return keras.backend.standardize_dtype(x.dtype).replace("64", "32")


def clone_config(layer):
    """Returns the configuration of a layer made from its own, as JSON.

    It is without the name.
    """
    import json

    import keras

    config = dict(layer.get_config())
    again = dict(type(layer).from_config(config).get_config())
    again.pop("name", None)
    return json.dumps(keras.saving.serialize_keras_object(again), sort_keys=True, default=str)


def weights_with(attribute, layer, *inputs, **call):
    """Returns the names of the weights that have ``attribute``, sorted.

    The attribute is ``regularizer`` or ``constraint``.
    """
    _build(layer, inputs, call)
    return " ".join(sorted(v.name for v in layer.weights if getattr(v, attribute, None) is not None))


def initial_values(layer, *shapes):
    """Returns the first element of each weight of a built layer."""
    import keras

    layer.build(*shapes)
    return [float(np.ravel(keras.ops.convert_to_numpy(v))[0]) for v in layer.weights]


def activity_of(layer, x):
    """Returns the sum of a layer's losses, then of the squares of its output."""
    import keras

    y = layer(x)
    return [sum(layer.losses), keras.ops.sum(keras.ops.square(y))]


def reset_of(metric, first, second):
    """Returns a metric after ``first``, a reset, and ``second``."""
    metric.update_state(*first)
    metric.reset_state()
    metric.update_state(*second)
    return metric.result()


def rebuilt(kind, x):
    """Returns ``kind.get(kind.serialize(x))``."""
    return kind.get(kind.serialize(x))


def mask_of(x):
    """Returns the Keras mask that ``x`` carries."""
    return x._keras_mask  # noqa: SLF001


def loss_of(loss, y_true, y_pred, sample_weight=None, mask=None):
    """Returns a loss; ``mask`` is carried by the prediction."""
    if mask is not None:
        y_pred = masked(y_pred, mask)
    return loss(y_true, y_pred, sample_weight=sample_weight)


def metric_of(metric, *updates):
    """Returns a metric after ``update_state`` with each tuple of arguments."""
    metric.reset_state()
    for arguments in updates:
        metric.update_state(*arguments)
    return metric.result()


def steps_of(optimizer, start, gradients):
    """Returns a variable after the optimizer has applied each of the gradients."""
    import keras

    variable = keras.Variable(keras.ops.convert_to_numpy(start), name="w")
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([gradient], [variable])
    return keras.ops.convert_to_tensor(variable)


def moments_of(draw, n=200000):
    """Returns mean and variance of ``draw((n,))``, float64."""
    import keras

    values = np.asarray(keras.ops.convert_to_numpy(draw((n,)))).astype("float64")
    return values.mean(), values.var()


def within(value, expected, margin):
    """Returns whether each value lies within its margin of what is expected."""
    return [bool(abs(v - e) <= m) for v, e, m in zip(value, expected, margin)]


def dtype_of(function, *dtypes):
    """Returns the type of ``function`` of 2 x 2 ones; 64 bits count as 32 (JAX)."""
    import keras

    if keras.config.backend() == "jax":
        import jax

        try:
            return _dtype_name(jax.eval_shape(function, *[jax.ShapeDtypeStruct((2, 2), dtype) for dtype in dtypes]))
        except (jax.errors.JAXTypeError, jax.errors.JAXIndexError):  # it cannot be traced, which is not what is asked
            pass
    return _dtype_name(function(*[keras.ops.ones((2, 2), dtype) for dtype in dtypes]))


def promised_dtype_of(function, *dtypes):
    """Returns the type of a symbolic call of ``function``."""
    import keras

    return _dtype_name(function(*[keras.KerasTensor((2, 2), dtype) for dtype in dtypes]))


def _dtype_name(found):
    import keras

    return keras.backend.standardize_dtype(_flat([found])[0].dtype).replace("64", "32")


def missing_in_config(kind, **arguments):
    """Returns constructor arguments that ``get_config`` leaves out, comma separated."""
    config = kind(**arguments).get_config()
    return ", ".join(sorted(name for name in arguments if name not in config))


def quantized_error(layer, x, mode="int8"):
    """Returns the largest change by quantization over the largest output."""
    import keras

    before = keras.ops.convert_to_numpy(layer(x))
    try:
        layer.quantize(mode)
    except (AttributeError, ValueError) as error:
        if "has no attribute 'quantize'" in str(error) or "Invalid quantization mode" in str(error):
            raise NotImplementedError(str(error)) from error
        raise
    return float(np.abs(keras.ops.convert_to_numpy(layer(x)) - before).max() / np.abs(before).max())


def weight_moments(layer, shape):
    """Returns mean and variance of the first weight as initialized."""
    import keras

    layer.build(shape)
    values = np.asarray(keras.ops.convert_to_numpy(layer.weights[0])).astype("float64")
    return values.mean(), values.var()
