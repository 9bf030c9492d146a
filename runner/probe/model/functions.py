"""Functions of ``keras.ops``: what they refuse, take and give."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, numbers, refuses, true

NAMES = {"ops": keras.ops, "layers": keras.layers, "np": np, "symbol": keras.KerasTensor}


def _evaluated(text, **more):
    """Returns what an expression means. Raises Lacking where a function is missing."""
    for word in text.replace("(", " ").replace("[", " ").split():
        if word.startswith(("ops.", "layers.")):
            need("keras." + word)
    return eval(text, {**NAMES, **more})  # noqa: S307 - texts of this module


REFUSED = [
    "ops.reshape({x}, (-2, 3))",
    "ops.reshape({x}, (2, -3))",
    "ops.reshape({x}, (-1, -1, 6))",
    "ops.stft({w}, 8, 0, 8)",
    "ops.stft({w}, 8, -2, 8)",
    "ops.stft({w}, 8, 2.5, 8)",
    "ops.istft(({p}, {p}), 8, 0, 8)",
    "ops.istft(({p}, {p}), 8, -1, 8)",
    "ops.image.rgb_to_hsv({c}, data_format='channels_first')",
    "ops.image.hsv_to_rgb({c}, data_format='channels_first')",
    "ops.image.rgb_to_hsv({c}, data_format='channels_last')",
    "ops.image.hsv_to_rgb({c}, data_format='channels_last')",
    "ops.conv({i}, {k})",
    "ops.conv({i}, {k}, padding='same', data_format='channels_first')",
    "ops.depthwise_conv({i}, {k})",
    "ops.separable_conv({i}, {k}, {q})",
    "ops.log_softmax({x}, axis=4)",
    "ops.sparsemax({x}, axis=4)",
    "ops.flip({x}, axis=4)",
    "ops.roll({x}, 1, axis=4)",
    "ops.trace({y}, axis1=1, axis2=1)",
    "ops.trace({y}, axis1=5)",
]
SHAPES = {"x": (2, 3), "y": (2, 3, 4), "w": (16,), "p": (3, 5), "c": (2, 4, 5, 5), "i": (1, 5, 5, 3)}
SHAPES.update(k=(2, 2, 4, 2), q=(1, 1, 8, 3))


@each(call=REFUSED)
def symbolic_calls_refuse(call):
    """A symbolic call refuses what a call cannot compute: {call}"""
    symbols = {name: keras.KerasTensor(shape) for name, shape in SHAPES.items()}
    text = call.format(**{name: name for name in SHAPES})
    refuses(lambda: str(_evaluated(text, **symbols)), call)


@each(call=[text for text in REFUSED if "reshape" in text or "stft" in text])
def calls_refuse(call):
    """Wrong numbers are refused with a word: {call}"""
    arrays = {name: np.ones(shape, "float32") for name, shape in SHAPES.items()}
    text = call.format(**{name: name for name in SHAPES})
    refuses(lambda: _evaluated(text, **arrays), call)


def istft_refuses_a_single_frame():
    """keras.ops.istft refuses a spectrum without a frame axis"""
    need("keras.ops.istft")
    frame = np.ones((5,), "float32")
    refuses(lambda: keras.ops.istft((frame, frame), 8, 2, 8), "a spectrum of shape (5,)")


@each(window=["bartlett", "blackman", "hamming", "hanning", "kaiser"])
def windows_refuse_symbols(window):
    """keras.ops.{window} refuses a symbolic size: a window has no shape without it"""
    function = need("keras.ops." + window)
    size = keras.KerasTensor((), "int32")
    more = (3.0,) if window == "kaiser" else ()
    refuses(lambda: str(function(size, *more)), "a symbolic size")


@each(kind=["int8", "int16", "int32", "int64", "uint8"])
def shapes_may_hold_numbers_of_numpy(kind):
    """A shape may hold whole numbers of NumPy: {kind}"""
    n = getattr(np, kind)(3)
    equal(tuple(keras.Input((n, 2)).shape), (None, 3, 2), "Input")
    equal(tuple(keras.KerasTensor((n, None)).shape), (3, None), "KerasTensor")
    equal(tuple(keras.Variable("zeros", shape=(n,)).shape), (3,), "Variable")
    equal(tuple(keras.layers.Layer().add_weight(shape=(2, n)).shape), (2, 3), "add_weight")


@each(kind=["float16", "float32", "int32", "bool"])
def types_may_be_classes_of_numpy(kind):
    """A dtype may be a class of NumPy: {kind}"""
    given = getattr(np, kind if kind != "bool" else "bool_")
    for form in (given, np.dtype(given)):
        equal(keras.backend.standardize_dtype(keras.ops.ones((2,), dtype=form).dtype), kind, "ones")
        equal(keras.Variable("zeros", shape=(2,), dtype=form, trainable=False).dtype, kind, "Variable")
        equal(keras.KerasTensor((2,), dtype=form).dtype, kind, "KerasTensor")


IN_MODELS = [
    "ops.full((2, 3), ops.sum(x))",
    "ops.full_like(x, 2.5)",
    "ops.zeros_like(x, dtype='int32')",
    "ops.slice(x, [0, 1], [2, 2])",
    "ops.scatter(ops.cast(x[:, :1], 'int32'), x[:, 0], (5,))",
    "ops.scatter_update(x, [[0, 1]], x[:1, 0])",
    "ops.one_hot(ops.argmax(x, axis=1), 3, dtype='int32')",
    "ops.cast(x, 'float16')",
    "ops.sort(x, axis=None)",
    "ops.sort(x, axis=0)",
    "ops.linspace(x, 2 * x, 3)",
    "ops.logspace(x[0], x[1], 3)",
    "ops.multiply(ops.arange(0, 3, dtype='float32'), x)",
    "ops.tile(x, 2)",
    "ops.repeat(x, 2, axis=1)",
    "ops.split(x, 3, axis=1)",
    "ops.split(x, 2)",
    "ops.unstack(x, axis=1)",
    "ops.quantile(x, [0.25, 0.5], axis=1)",
    "ops.top_k(x, 2)",
    "ops.matmul(x, x[0])",
    "ops.tensordot(x, x, axes=[[1], [1]])",
    "ops.where(x > 1, x, -x)",
    "ops.clip(x, 0.5, 1.5)",
    "ops.pad(x, ((1, 0), (0, 2)), constant_values=2.0)",
    "ops.histogram(x[0], bins=3)",
    "ops.nan_to_num(x, nan=1.0)",
    "ops.var(x, axis=1, keepdims=True)",
    "ops.logaddexp(x, 2 * x)",
    "ops.einsum('ab,cb->ac', x, x)",
    "ops.shape(x)[0] * x",
    "ops.unravel_index(ops.cast(x, 'int32'), (2, 3))",
    "ops.digitize(x, np.array([0.5, 1.5]))",
    "ops.scan(lambda c, v: (c + v, c * v), ops.zeros_like(x[0]), x)",
    "ops.map(lambda v: 2 * v, x)",
    "ops.segment_sum(x, np.array([0, 1]), num_segments=3)",
    "ops.bincount(ops.cast(x, 'int32'), minlength=4)",
    "ops.slogdet(ops.matmul(ops.transpose(x[:, :2]), x[:, :2]) + ops.eye(2))",
]
GIVEN = np.array([[0.25, 1.75, 2.5], [1.25, 0.5, 3.0]], "float32")


@each(call=IN_MODELS)
def functions_in_models_give_the_same(call):
    """A function gives in a model what a call gives, also in a model's copy: {call}"""
    x = keras.Input(batch_shape=(2, 3))
    found = _evaluated(call, x=x)
    expected = _evaluated(call, x=keras.ops.convert_to_tensor(GIVEN))
    if isinstance(found, tuple):
        found, expected = list(found), list(expected)
    model = keras.Model(x, found)
    close(model(GIVEN), expected, tolerance=1e-3 if "16" in call else 1e-5)
    if "lambda" not in call:
        close(type(model).from_config(model.get_config())(GIVEN), expected, "the copy", 1e-3 if "16" in call else 1e-5)


def nonzero_takes_symbols():
    """keras.ops.nonzero leaves open in a symbolic call how many it will find"""
    found = keras.ops.nonzero(keras.KerasTensor((2, 3)))
    for one in found if isinstance(found, (tuple, list)) else [found]:
        true(None in one.shape, "the count is open in the shape %s" % (one.shape,))


def nonzero_in_a_model():
    """keras.ops.nonzero gives in a model what a call gives"""
    x = keras.Input(batch_shape=(2, 3))
    model = keras.Model(x, keras.ops.stack(list(keras.ops.nonzero(x))))
    data = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]], "float32")
    equal(model(data), np.stack(np.nonzero(data)))


def one_argument_where_gives_indices():
    """keras.ops.where without values gives a row of indices for each axis"""
    data = np.array([[True, False, True], [False, False, True]])
    equal([array(row) for row in keras.ops.where(data)], list(np.nonzero(data)))
    x = keras.KerasTensor((2, 3), "bool")
    promised = keras.ops.where(x)
    if hasattr(promised, "shape"):
        true(
            tuple(promised.shape) in ((2, None), (None, None)), "the count is open in the shape %s" % (promised.shape,)
        )


@each(axis=[0, 1, -1])
def split_gives_a_list(axis):
    """keras.ops.split gives a list, as it says, along axis {axis}"""
    data = numbers(4, 6)
    for parts in (2, [1, 3]):
        found = keras.ops.split(data, parts, axis=axis)
        true(isinstance(found, list), "%s is a list" % type(found).__name__)
        close(found, np.split(data, parts, axis=axis))
        promised = keras.ops.split(keras.KerasTensor((4, 6)), parts, axis=axis)
        true(isinstance(promised, list), "the symbolic %s is a list" % type(promised).__name__)


@each(stop=[5, 6, 2.5], step=[2, 3, 0.5])
def arange_takes_a_step_alone(stop, step):
    """keras.ops.arange({stop}, step={step}) counts from 0"""
    close(keras.ops.arange(stop, step=step), np.arange(0, stop, step))


@each(source=["convert_to_numpy", "predict", "predict_on_batch", "get_weights", "Variable.numpy"])
def arrays_may_be_changed(source):
    """What {source} gives is an array that one may write to"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    found = {
        "convert_to_numpy": lambda: keras.ops.convert_to_numpy(keras.ops.ones((2, 3))),
        "predict": lambda: model.predict(GIVEN, verbose=0),
        "predict_on_batch": lambda: model.predict_on_batch(GIVEN),
        "get_weights": lambda: model.get_weights()[0],
        "Variable.numpy": lambda: keras.Variable(GIVEN).numpy(),
    }[source]()
    try:
        found[0, 0] = 7.0
    except ValueError as error:
        true(False, "the array can be written to (%s)" % error)
    equal(found[0, 0], np.float32(7.0))


@each(number=[1, 1.5, -2])
def initializers_may_give_numbers(number):
    """A variable's initializer may give a plain number: {number}"""
    layer = keras.layers.Layer()
    weight = layer.add_weight(shape=(), initializer=lambda shape, dtype=None: number)
    close(weight, number, "add_weight")
    close(keras.Variable(lambda shape, dtype=None: number, shape=(), dtype="float32"), number, "Variable")


def _public(*modules):
    """Returns the names of the functions of modules of Keras: ``losses.poisson``."""
    found = []
    for module in modules:
        for name, thing in sorted(vars(getattr(keras, module)).items()):
            if callable(thing) and name.islower() and name not in ("get", "serialize", "deserialize"):
                found.append("%s.%s" % (module, name))
    return found


@each(function=_public("losses", "metrics", "activations"))
def public_functions_are_found_by_name(function):
    """get finds keras.{function} by its name"""
    module, _, name = function.partition(".")
    true(callable(getattr(keras, module).get(name)), "%s is found" % name)


def _ragged():
    """Returns a ragged tensor of TensorFlow. Raises Lacking on other backends."""
    if keras.config.backend() != "tensorflow":
        raise Lacking("it is about the backend tensorflow")
    import tensorflow as tf

    return tf.ragged.constant([[1.0, 2.0], [3.0]])


def ragged_tensors_have_a_shape():
    """keras.ops.shape takes a ragged tensor, and leaves open what differs by row"""
    shape = keras.ops.shape(_ragged())
    equal([int(shape[0]), shape[1]], [2, None], "shape")


def ragged_tensors_have_a_rank():
    """keras.ops.ndim takes a ragged tensor"""
    equal(int(keras.ops.ndim(_ragged())), 2, "ndim")


BIG = 2**40 + 1


SUMS = [
    "ops.add(a, b)",
    "ops.subtract(a, b)",
    "ops.multiply(a, b)",
    "ops.maximum(a, b)",
    "ops.concatenate([a, b])",
    "ops.where(a > 0, a, b)",
    "ops.sum(a)",
    "ops.cumsum(a)",
    "ops.stack([a, b])",
    "ops.add(a, 1)",
    "ops.floor_divide(a, 3)",
]


@each(call=SUMS)
def whole_numbers_of_64_bits_are_kept(call):
    """TensorFlow's int64 stays so next to int32: {call}"""
    if keras.config.backend() != "tensorflow":
        raise Lacking("it is about the backend tensorflow")
    a, b = np.array([BIG, -BIG], "int64"), np.array([3, 5], "int32")
    expected = eval(call, {"ops": np, "a": a, "b": b})  # noqa: S307 - texts of this module
    found = _evaluated(call, a=keras.ops.convert_to_tensor(a), b=keras.ops.convert_to_tensor(b))
    equal([int(n) for n in array(found).ravel()], [int(n) for n in np.ravel(expected)])


@each(noise_shape=["'ab'", "(0, 1)", "(-1, 3)", "(1.5, 3)", "3"])
def dropout_refuses_noise_shapes(noise_shape):
    """Dropout refuses noise_shape={noise_shape}"""
    wrong = eval(noise_shape)  # noqa: S307 - texts of this module
    refuses(lambda: keras.layers.Dropout(0.5, noise_shape=wrong)(GIVEN, training=True), noise_shape)


@each(axis=[1, -1], ignored=[None, 2])
def sparse_crossentropy_along_an_axis(axis, ignored):
    """Sparse crossentropy takes classes along axis {axis}, ignoring {ignored}"""
    logits, labels = numbers(2, 3, 4), np.array([[0, 2, 1, 1], [2, 0, 0, 1]], "int32")
    if axis == -1:
        logits = np.moveaxis(logits, 1, -1)
    shifted = np.moveaxis(logits, axis, -1).astype("float64")
    shifted = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    expected = -np.take_along_axis(shifted, labels[..., None], -1)[..., 0]
    if ignored is not None:
        expected = np.where(labels == ignored, 0.0, expected)
    for target in (labels, np.expand_dims(labels, axis)):
        try:
            found = keras.losses.sparse_categorical_crossentropy(
                target, logits, from_logits=True, ignore_class=ignored, axis=axis
            )
        except ValueError as error:
            if "Only axis=-1" in str(error):
                raise Lacking(str(error)) from error
            raise
        close(found, expected, "labels of shape %s" % (target.shape,), 1e-4)


@each(kind=["complex64", "complex128"])
def complex_numbers_have_a_type(kind):
    """A symbolic tensor, a type promotion and a layer know {kind}"""
    if kind == "complex128" and keras.config.backend() == "jax":
        raise Lacking("jax computes in 64 bits only with jax_enable_x64")
    equal(keras.KerasTensor((2,), dtype=kind).dtype, kind, "KerasTensor")
    equal(keras.Input((3,), dtype=kind).dtype, kind, "Input")
    equal(keras.backend.standardize_dtype(keras.ops.convert_to_tensor(np.ones(2, kind)).dtype), kind, "a tensor")
    equal(keras.backend.result_type("complex64", "float32"), "complex64", "the type of a sum")


LISTS = ("elu", "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "log_sigmoid", "relu", "relu6", "selu", "sigmoid")


@each(function=[*LISTS, "silu", "softplus", "softsign", "tanh", "rsqrt", "erf"])
def functions_take_lists(function):
    """keras.ops.{function} takes a list of lists as it takes an array"""
    made = need("keras.ops." + function)
    close(made([[0.5, 1.0], [2.0, 0.25]]), made(keras.ops.convert_to_tensor([[0.5, 1.0], [2.0, 0.25]])))


@each(number=["True", "3", "1.5", "1 + 2j"])
def plain_numbers_have_a_type(number):
    """keras.ops.convert_to_tensor gives {number} the type that Keras has for it"""
    kinds = {"True": "bool", "3": "int32", "1.5": "float32"}
    kinds["1 + 2j"] = "complex128" if keras.config.backend() == "tensorflow" else "complex64"
    found = keras.ops.convert_to_tensor(eval(number))  # noqa: S307 - texts of this module
    equal(keras.backend.standardize_dtype(found.dtype), kinds[number], "the type")
