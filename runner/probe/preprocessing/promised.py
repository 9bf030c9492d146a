"""What layers promise: shapes, types, refusals, files of words, any length."""

from __future__ import annotations

import copy
import os

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, numbers, refuses

OF_FLOATS = np.array([[0.2, 1.5, -3.0], [0.0, 2.5, 0.7]], "float32")
OF_INTEGERS = np.array([[1, 2, 0], [3, 3, 1]], "int64")
TYPED = {
    "Discretization(bin_boundaries=[0.5, 1.2])": OF_FLOATS,
    "Discretization(bin_boundaries=[0.5, 1.2], output_mode='multi_hot')": OF_FLOATS,
    "Discretization(bin_boundaries=[0.5, 1.2], output_mode='count')": OF_FLOATS,
    "CategoryEncoding(4, output_mode='multi_hot')": OF_INTEGERS,
    "CategoryEncoding(4, output_mode='count')": OF_INTEGERS,
    "Normalization(mean=1.0, variance=4.0)": OF_FLOATS,
    "Rescaling(0.5)": OF_FLOATS,
    "Hashing(5)": OF_INTEGERS,
    "IntegerLookup(vocabulary=[1, 2, 3])": OF_INTEGERS,
    "IntegerLookup(vocabulary=[1, 2, 3], output_mode='multi_hot')": OF_INTEGERS,
}


@each(layer=list(TYPED))
def promised_type_is_the_real_one(layer):
    """{layer} gives the type that it promises, called and in predict"""
    made, value = eval("keras.layers." + layer), TYPED[layer]  # noqa: S307 - written above
    if "Lookup" in layer or "Hashing" in layer:
        need("tensorflow")
    x = keras.Input((3,), dtype=str(value.dtype))
    y = made(x)
    model = keras.Model(x, y)
    promised = keras.backend.standardize_dtype(y.dtype)
    called, predicted = made(value), model.predict(value, verbose=0)
    found = [keras.backend.standardize_dtype(tensor.dtype) for tensor in (called, model(value), predicted)]
    if keras.backend.backend() == "jax":
        promised, found = promised.replace("64", "32"), [name.replace("64", "32") for name in found]
    equal(found, [promised] * 3, "the types when called, in a model, and predicted")
    close(predicted, array(called), "the values")


SCALES = ["2.0", "[1.0, 2.0, 3.0]", "np.array([1.0, 2.0, 3.0])", "np.float32(2.0)"]


@each(scale=SCALES, offset=["0.0", "[1.0, 2.0, 3.0]"])
def rescaling_shape_promised(scale, offset):
    """Rescaling({scale}, {offset}) promises the shape of its result"""
    layer = keras.layers.Rescaling(eval(scale), eval(offset))  # noqa: S307 - written above
    value = numbers(2, 4, 5, 3)
    equal(tuple(layer.compute_output_shape(value.shape)), array(layer(value)).shape, "the shape")


@each(kind=["uint8", "int32"], way=["bilinear", "bicubic", "lanczos3"], layer=["Resizing", "ops.image.resize"])
def resized_whole_numbers_are_rounded(kind, way, layer):
    """{layer} ({way}) of {kind} gives the float result, rounded and within {kind}"""
    image = np.kron(np.array([[0, 255], [255, 0]]), np.ones((4, 4)))[None, :, :, None]

    def resized(value):
        if layer == "Resizing":
            return array(keras.layers.Resizing(12, 11, interpolation=way, dtype=str(value.dtype))(value))
        return array(keras.ops.image.resize(keras.ops.convert_to_tensor(value), (12, 11), interpolation=way))

    exact = resized(image.astype("float32")).astype("float64")
    found = resized(image.astype(kind))
    equal(str(found.dtype), kind, "the type")
    if kind == "uint8":
        exact = np.clip(exact, 0, 255)
    close(found.astype("float64") / 255, exact / 255, "the values, of 255", tolerance=0.51 / 255)


RANGED = [
    *["RandomBrightness(0.2", "RandomSaturation(0.2", "RandomSharpness(0.2", "RandomColorDegeneration(0.2"],
    *["RandomPosterization(4", "Solarization(0.2", "AutoContrast(", "Equalization("],
]


@each(layer=RANGED, wrong=["(0, 1, 2)", "1.0"])
def range_of_values_is_checked(layer, wrong):
    """{layer}, value_range={wrong}) is refused by name"""
    need("keras.layers." + layer.partition("(")[0])
    call = "keras.layers.%s%svalue_range=%s)" % (layer, "" if layer[-1] == "(" else ", ", wrong)
    text = refuses(lambda: eval(call), wrong)  # noqa: S307 - written above
    equal("value_range" in text, True, "whether the message names value_range")


@each(change=["without layers", "layers=None", "layers=3"])
def pipeline_refuses_a_config(change):
    """Pipeline.from_config refuses a configuration {change}"""
    pipeline = need("keras.layers.Pipeline")([keras.layers.Rescaling(2.0)])
    config = pipeline.get_config()
    if change == "without layers":
        del config["layers"]
    else:
        config["layers"] = {"layers=None": None, "layers=3": 3}[change]
    refuses(lambda: type(pipeline).from_config(config), change, (ValueError,))


def _described(config):
    """Returns a configuration as text, in which an object is its class."""
    return repr(copy.deepcopy(config)).partition(" object at ")[0]


CONFIGURED = [
    "Pipeline([keras.layers.Rescaling(2.0)])",
    "Rescaling([1.0, 2.0])",
    "Normalization(mean=1.0, variance=4.0)",
    "Discretization(bin_boundaries=[0.0, 1.0])",
    "CategoryEncoding(4)",
    "RandAugment()",
    "AugMix()",
    "TimeDistributed(keras.layers.Dense(2))",
    "Bidirectional(keras.layers.LSTM(2))",
    "RNN(keras.layers.LSTMCell(2))",
    "StackedRNNCells([keras.layers.GRUCell(2)])",
]


@each(layer=CONFIGURED)
def a_given_config_is_left_as_it_was(layer):
    """from_config of {layer} does not change the configuration, which serves twice"""
    need("keras.layers." + layer.partition("(")[0])
    made = eval("keras.layers." + layer)  # noqa: S307 - written above
    config = made.get_config()
    before = _described(config)
    first = type(made).from_config(config)
    equal(_described(config), before, "the configuration")
    equal(_described(type(made).from_config(config).get_config()), _described(first.get_config()), "the second layer's")


@each(layer=["StringLookup", "IntegerLookup"], ending=["", "a line's end", "two lines' ends"])
def words_are_loaded_whatever_ends_the_file(layer, ending):
    """{layer} reads the assets that it has saved, also with {ending} at the end"""
    need("tensorflow")
    words = ["a", "b", "c"] if layer == "StringLookup" else [5, 7, 9]
    made = getattr(keras.layers, layer)()
    made.adapt(np.array([words[2], words[1], words[1], words[0], words[0], words[0]]))
    os.makedirs("assets")
    made.save_assets("assets")
    with open("assets/vocabulary.txt", "a", encoding="utf-8") as file:
        file.write("\n" * ["", "a line's end", "two lines' ends"].index(ending))
    again = getattr(keras.layers, layer)()
    again.load_assets("assets")
    equal(list(again.get_vocabulary()), list(made.get_vocabulary()), "the vocabulary")


@each(given_as=["an array", "a symbolic tensor", "nothing"])
def mel_frames_fit_their_transform(given_as):
    """MelSpectrogram refuses sequence_length > fft_length when it gets {given_as}"""
    need("keras.layers.MelSpectrogram")

    def used():
        layer = keras.layers.MelSpectrogram(fft_length=64, sequence_length=128, sequence_stride=32)
        if given_as == "nothing":
            layer.build((None, 400))
        else:
            layer(numbers(2, 400) if given_as == "an array" else keras.Input((400,)))

    refuses(used, "sequence_length=128, fft_length=64", (ValueError,))


@each(layer=["STFTSpectrogram", "MelSpectrogram"])
def sounds_of_any_length_are_predicted(layer):
    """A model of {layer} predicts batches of sounds that differ in length"""
    if layer == "STFTSpectrogram":
        need("keras.layers.STFTSpectrogram")
        made = keras.layers.STFTSpectrogram(frame_length=16, frame_step=8, fft_length=16, mode="magnitude")
        model = keras.Sequential([keras.Input((None, 1)), made])
    else:
        need("keras.layers.MelSpectrogram")
        made = keras.layers.MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4, power_to_db=False)
        model = keras.Sequential([keras.Input((None,)), made])
    for length in (64, 48):
        value = numbers(2, length, 1) if layer == "STFTSpectrogram" else numbers(2, length)
        close(model.predict(value, verbose=0), array(made(value)), "length %d" % length, tolerance=1e-3)


@each(data=["a text", "a function", "a number"])
def normalization_refuses_to_adapt_to(data):
    """Normalization.adapt refuses {data}, by an error that is meant"""
    value = {"a text": "abc", "a function": len, "a number": object()}[data]
    refuses(
        lambda: keras.layers.Normalization(axis=None).adapt(value),
        data,
        (ValueError, TypeError, NotImplementedError),
    )


CODED = [
    "CategoryEncoding(4)",
    "Discretization(bin_boundaries=[0.5, 1.5, 2.5])",
    "IntegerLookup(vocabulary=[1, 2, 3])",
    "Hashing(4)",
]


@each(layer=CODED, rank=[3, 4])
def categories_of_many_axes(layer, rank):
    """{layer}, output_mode="one_hot", of rank {rank} adds an axis of 4"""
    need("tensorflow")
    value = np.arange(2 ** (rank - 1) * 3).reshape(*[2] * (rank - 1), 3) % 4
    value = value.astype("float32") if layer.startswith("Disc") else value
    numbers_of = value if layer.startswith("Cat") else array(eval("keras.layers." + layer)(value))  # noqa: S307
    made = eval("keras.layers." + layer[:-1] + ", output_mode='one_hot')")  # noqa: S307 - written above
    close(made(value), np.eye(4)[numbers_of.astype(int)])


@each(kind=["tensor", "array"])
def classes_with_an_axis_of_one(kind):
    """to_categorical of a {kind} of shape (3, 1) has the shape (3, 4)"""
    value = np.array([[2], [0], [1]])
    if kind == "tensor":
        value = keras.ops.convert_to_tensor(value)
    if keras.backend.backend() not in ("jax", "tensorflow", "torch"):
        raise Lacking("tensors of this backend")
    close(array(keras.utils.to_categorical(value, 4)), np.eye(4)[[2, 0, 1]])
