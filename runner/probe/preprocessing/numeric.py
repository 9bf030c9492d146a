"""Normalization and Rescaling."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, numbers, refuses

DATA = 3 * numbers(8, 4, 3) + 5


@each(axis=["-1", "1", "None", "(1, 2)", "(-1, -2)", "(1,)", "2"])
def normalization_adapts(axis):
    """Normalization(axis={axis}).adapt keeps one mean per index of these axes"""
    kept = {"-1": -1, "1": 1, "None": None, "(1, 2)": (1, 2), "(-1, -2)": (-1, -2), "(1,)": (1,), "2": 2}[axis]
    layer = keras.layers.Normalization(axis=kept)
    layer.adapt(DATA)
    keep = () if kept is None else tuple(a % 3 for a in (kept if isinstance(kept, tuple) else (kept,)))
    gone = tuple(a for a in range(3) if a not in keep)
    x = DATA.astype("float64")
    close(layer(DATA), (x - x.mean(gone, keepdims=True)) / x.std(gone, keepdims=True), tolerance=1e-4)


@each(form=["array", "dataset", "list", "tensor", "batches"])
def normalization_adapts_on(form):
    """Normalization.adapt on a {form} finds mean and variance"""
    data = DATA[:, 0]
    layer = keras.layers.Normalization()
    if form in ("dataset", "batches"):
        tf = need("tensorflow")
        layer.adapt(tf.data.Dataset.from_tensor_slices(data).batch(3 if form == "batches" else 8))
    else:
        layer.adapt(
            {"array": data, "list": data.tolist(), "tensor": keras.ops.convert_to_tensor(data)}[form]
            if form != "list"
            else np.array(data.tolist())
        )
    x = data.astype("float64")
    close(layer(data), (x - x.mean(0)) / x.std(0), tolerance=1e-4)


@each(form=["scalar", "vector", "array", "int"])
def normalization_of_given_statistics(form):
    """Normalization(mean, variance) takes them as {form}"""
    mean, variance = {
        "scalar": (2.0, 4.0), "vector": ([1.0, 2.0, 3.0], [4.0, 1.0, 9.0]), "array": (np.array([1.0, 2.0, 3.0]), np.array([4.0, 1.0, 9.0])), "int": (2, 4),
    }[form]  # fmt: skip
    x = DATA[:, 0]
    layer = keras.layers.Normalization(mean=mean, variance=variance)
    close(
        layer(x),
        (x - np.array(mean).reshape(-1 if form != "scalar" else ()))
        / np.sqrt(np.array(variance).reshape(-1 if form != "scalar" else ())),
    )


@each(axis=["None", "(1, 2)", "1"])
def normalization_of_given_statistics_along(axis):
    """Normalization(axis={axis}, mean, variance) broadcasts them along these axes"""
    if axis == "None":
        layer, mean, deviation = keras.layers.Normalization(axis=None, mean=2.0, variance=4.0), 2.0, 2.0
    elif axis == "1":
        mean, deviation = np.arange(4.0)[:, None], np.arange(1.0, 5.0)[:, None]
        layer = keras.layers.Normalization(axis=1, mean=mean.ravel(), variance=deviation.ravel() ** 2)
    else:
        mean, deviation = np.arange(12.0).reshape(4, 3), np.arange(1.0, 13.0).reshape(4, 3)
        layer = keras.layers.Normalization(axis=(1, 2), mean=mean, variance=deviation**2)
    close(layer(DATA), (DATA - mean) / deviation)


def normalization_with_scalars_for_several_channels():
    """Normalization(axis=-1, mean=0.5, variance=4.0) takes numbers for every channel"""
    close(keras.layers.Normalization(axis=-1, mean=0.5, variance=4.0)(DATA), (DATA - 0.5) / 2)


def normalization_inverts():
    """Normalization(invert=True) undoes the normalization"""
    first = keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 9.0])
    second = keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 9.0], invert=True)
    close(second(first(DATA)), DATA)


def normalization_adapted_and_inverted():
    """Normalization(invert=True) after adapt gives x * std + mean"""
    layer = keras.layers.Normalization(invert=True)
    layer.adapt(DATA)
    x = DATA.astype("float64")
    close(layer(DATA), x * x.std((0, 1)) + x.mean((0, 1)), tolerance=1e-4)


def normalization_adapts_anew():
    """Normalization.adapt forgets what it saw before"""
    layer = keras.layers.Normalization()
    layer.adapt(100 + DATA)
    layer.adapt(DATA)
    x = DATA.astype("float64")
    close(layer(DATA), (x - x.mean((0, 1))) / x.std((0, 1)), tolerance=1e-4)


@each(kind=["uint8", "int32", "float64", "float16"])
def normalization_of_other_types(kind):
    """Normalization takes {kind}"""
    layer = keras.layers.Normalization(mean=2.0, variance=4.0, axis=None)
    close(layer(np.array([[1, 2, 6]], kind)), np.array([[-0.5, 0.0, 2.0]]), tolerance=1e-3)


def normalization_of_a_constant():
    """Normalization of a constant column is 0, not NaN"""
    layer = keras.layers.Normalization()
    layer.adapt(np.full((4, 2), 3.0, "float32"))
    close(layer(np.full((4, 2), 3.0, "float32")), np.zeros((4, 2)))


@each(layer=["Normalization", "Rescaling"])
def numeric_layer_in_a_dataset(layer):
    """{layer} gives the same numbers inside tf.data"""
    tf = need("tensorflow")
    made = (
        keras.layers.Normalization(mean=2.0, variance=4.0, axis=None)
        if layer == "Normalization"
        else keras.layers.Rescaling(0.5, -1.0)
    )
    made.build((None, 4, 3))
    data = tf.data.Dataset.from_tensor_slices(DATA).batch(8).map(made)
    close(np.asarray(next(iter(data.as_numpy_iterator()))), DATA / 2 - 1)


@each(layer=["Normalization", "Rescaling"])
def numeric_layer_in_a_model(layer):
    """{layer} in a model of an unknown batch gives the same numbers"""
    made = (
        keras.layers.Normalization(mean=2.0, variance=4.0, axis=None)
        if layer == "Normalization"
        else keras.layers.Rescaling(0.5, -1.0)
    )
    x = keras.Input((4, 3))
    y = made(x)
    equal(tuple(y.shape), (None, 4, 3), "symbolic shape")
    close(keras.Model(x, y)(DATA), DATA / 2 - 1)


def adapted_normalization_in_a_model():
    """An adapted Normalization in a model gives what it gives alone"""
    layer = keras.layers.Normalization()
    layer.adapt(DATA)
    x = keras.Input((4, 3))
    close(keras.Model(x, layer(x)).predict(DATA, verbose=0), array(layer(DATA)))


def normalization_refuses_half_the_statistics():
    """Normalization refuses a mean without a variance"""
    refuses(lambda: keras.layers.Normalization(mean=1.0), "a mean without a variance")


def normalization_refuses_an_axis_of_the_batch():
    """Normalization refuses an axis that the input does not have"""
    refuses(lambda: keras.layers.Normalization(axis=5).build((None, 3)), "axis=5 of an input of rank 2")


@each(form=["given", "adapted"])
def normalization_from_its_config(form):
    """Normalization with {form} statistics is made again from its configuration"""
    layer = keras.layers.Normalization(
        **({"mean": [1.0, 2.0, 3.0], "variance": [4.0, 1.0, 9.0]} if form == "given" else {"axis": 1})
    )
    equal(keras.layers.Normalization.from_config(layer.get_config()).get_config(), layer.get_config())


def normalization_weights_can_be_set():
    """Normalization.get_weights of an adapted layer work in another one"""
    layer, other = keras.layers.Normalization(), keras.layers.Normalization()
    layer.adapt(DATA)
    other.adapt(DATA * 7)
    need("keras.layers.Normalization.load_own_variables")
    store = {}
    layer.save_own_variables(store)
    other.load_own_variables(store)
    close(other(DATA), array(layer(DATA)))


@each(form=["numbers", "lists", "arrays", "int", "column"])
def rescaling_of(form):
    """Rescaling takes scale and offset as {form}"""
    scale, offset = {
        "numbers": (2.0, 1.0),
        "lists": ([1.0, 2.0, 3.0], [0.0, 1.0, 2.0]),
        "arrays": (np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0])),
        "int": (2, 1),
        "column": ([[1.0], [2.0], [3.0], [4.0]], 0.0),
    }[form]
    close(keras.layers.Rescaling(scale, offset)(DATA), DATA * np.array(scale) + np.array(offset))


@each(form=["list", "uint8", "scalar", "int"])
def rescaling_forms_of_input(form):
    """Rescaling takes a {form}"""
    value = {
        "list": [[0.0, 255.0]],
        "uint8": np.array([[0, 255]], "uint8"),
        "scalar": np.array(255.0),
        "int": np.array([[0, 255]]),
    }[form]
    close(keras.layers.Rescaling(1 / 255)(value), np.array(value) / 255)


def rescaling_shape_after_broadcasting():
    """Rescaling.compute_output_shape counts the axes that the scale adds"""
    layer = keras.layers.Rescaling([1.0, 2.0, 3.0])
    found = array(layer(np.ones((4, 1), "float32")))
    equal(tuple(layer.compute_output_shape((4, 1))), found.shape)


@each(layer=["Normalization", "Rescaling"], dtype=["float16", "float64"])
def numeric_layer_dtype(layer, dtype):
    """{layer}(dtype={dtype}) gives that type"""
    made = (
        keras.layers.Normalization(mean=2.0, variance=4.0, axis=None, dtype=dtype)
        if layer == "Normalization"
        else keras.layers.Rescaling(0.5, dtype=dtype)
    )
    found = keras.backend.standardize_dtype(made(DATA).dtype)
    equal(found, "float32" if dtype == "float64" and keras.backend.backend() == "jax" else dtype)


@each(layer=["Normalization", "Rescaling"])
def numeric_layer_symbolic_type(layer):
    """{layer} of a symbolic tensor promises the type that comes out"""
    made = (
        keras.layers.Normalization(mean=2.0, variance=4.0, axis=None)
        if layer == "Normalization"
        else keras.layers.Rescaling(0.5)
    )
    promised = keras.backend.standardize_dtype(made(keras.KerasTensor((8, 4, 3), "uint8")).dtype)
    equal(promised, keras.backend.standardize_dtype(made(np.ones((8, 4, 3), "uint8")).dtype))
