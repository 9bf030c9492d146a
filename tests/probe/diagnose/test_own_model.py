"""The user's model for the ladder, with a stand-in for Keras: what is computed, and what is refused in one line."""

from __future__ import annotations

import json
import sys
import types

import numpy as np
import pytest

from runner.probe import diagnose, protocol
from runner.probe.diagnose import own_model

GLOROT = {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}}
ZEROS = {"module": "keras.initializers", "class_name": "Zeros", "config": {}}
WEIGHTED = {"use_bias": True, "kernel_initializer": GLOROT, "bias_initializer": ZEROS, "kernel_regularizer": None}


USUAL = {
    "conv2d": {
        **WEIGHTED, "filters": 4, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid",
        "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "relu",
    },
    "maxpooling2d": {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid", "data_format": "channels_last"},
    "flatten": {"data_format": "channels_last"},
    "dense": {**WEIGHTED, "units": 4, "activation": "relu"},
    "dropout": {"rate": 0.2, "noise_shape": None, "seed": None},
}  # fmt: skip


class Layer:
    """A layer of the stand-in: its options, as ``get_config`` of Keras gives them."""

    compute_dtype = variable_dtype = "float32"

    def __init__(self, **options):
        self.name = type(self).__name__.lower()
        self.options = {**USUAL.get(self.name.replace("own", ""), {}), **options}

    def get_config(self):
        return {"name": self.name, "dtype": {"class_name": "DTypePolicy"}, **self.options}


class InputLayer(Layer):
    pass


class Conv2D(Layer):
    pass


class MaxPooling2D(Layer):
    pass


class Flatten(Layer):
    pass


class Dense(Layer):
    pass


class Dropout(Layer):
    pass


class LSTM(Layer):
    pass


class OwnDense(Dense):
    pass


class Sequential:
    built = True

    def __init__(self, layers, shape=(None, 12, 12, 1)):
        self.layers, self.input_shape = layers, shape


KERAS = types.SimpleNamespace(
    Sequential=Sequential,
    layers=types.SimpleNamespace(
        InputLayer=InputLayer, Conv2D=Conv2D, MaxPooling2D=MaxPooling2D, Flatten=Flatten, Dense=Dense, Dropout=Dropout,
        LSTM=LSTM,
    ),
)  # fmt: skip
LAST = Dense(activation="softmax")
SETTINGS = {"train_samples": 640, "test_samples": 500}
DESCRIBED = [("flatten",), ("dense", 4, "softmax")]


def test_a_sequential_model_is_described_by_its_layers():
    layers = [InputLayer(), Conv2D(), MaxPooling2D(), Flatten(), Dense(units=8), Dropout(), LAST]
    described, shape = own_model.layers(Sequential(layers), KERAS, "mine.py")
    assert shape == (12, 12, 1)
    assert described == [
        ("conv", 4, 3, "relu"), ("pool",), ("flatten",), ("dense", 8, "relu"), ("dropout", 0.2),
        ("dense", 4, "softmax"),
    ]  # fmt: skip


HALF = Dense(activation="softmax")
HALF.compute_dtype = "float16"


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([LSTM(), LAST], "mine.py: lstm (LSTM) is not among the layers that diagnose computes: Conv2D (valid"),
        ([Flatten(), OwnDense(), LAST], "mine.py: owndense (OwnDense) is not among the layers"),
        ([Conv2D(padding="same"), Flatten(), LAST], "mine.py: conv2d has padding='same', which diagnose does not"),
        ([Conv2D(strides=[2, 2]), Flatten(), LAST], "mine.py: conv2d has strides=[2, 2], which"),
        ([Conv2D(kernel_size=[3, 2]), Flatten(), LAST], "mine.py: the kernel of conv2d is 3 x 2, not square"),
        ([MaxPooling2D(strides=[1, 1]), Flatten(), LAST], "mine.py: maxpooling2d has strides=[1, 1], which"),
        ([Flatten(), Dense(use_bias=False), LAST], "mine.py: dense has use_bias=False, which"),
        ([Flatten(), Dense(kernel_initializer={"class_name": "HeNormal"}), LAST], "mine.py: dense has kernel_init"),
        (
            [Flatten(), Dense(kernel_regularizer={"class_name": "L2"}), LAST],
            "mine.py: dense has kernel_regularizer='L2'",
        ),
        ([Flatten(), Dense(activation="gelu"), LAST], "mine.py: dense has activation='gelu', which"),
        ([Flatten(), Dropout(noise_shape=[1, 4]), LAST], "mine.py: dropout has noise_shape=[1, 4], which"),
        ([Flatten(), HALF], "mine.py: dense computes in float16, and the ladder in float32"),
        ([Dense(), Flatten(), LAST], "mine.py: the inputs of dense have 3 axes, not 1"),
        ([Flatten(), Dense()], "mine.py: the last layer, and no other, is a Dense layer with softmax"),
        ([Flatten(), LAST, LAST], "mine.py: the last layer, and no other, is a Dense layer with softmax"),
        ([Flatten(), LAST, Dropout()], "mine.py: the last layer, and no other, is a Dense layer with softmax"),
        ([], "mine.py: the last layer, and no other, is a Dense layer with softmax"),
    ],
)
def test_what_the_reference_does_not_compute_is_refused_by_name(layers, reason):
    with pytest.raises(protocol.UnsupportedError) as caught:
        own_model.layers(Sequential(layers), KERAS, "mine.py")
    assert str(caught.value)[: len(reason)] == reason


def test_another_kind_of_model_is_refused():
    with pytest.raises(protocol.UnsupportedError, match=r"diagnose takes a keras\.Sequential model, not Layer"):
        own_model.layers(Layer(), KERAS, "mine.py")


def test_a_model_without_a_shape_is_refused():
    model = Sequential([Flatten(), LAST])
    model.built = False
    with pytest.raises(protocol.BadOutputError, match=r"begin it with keras\.Input\(shape\)"):
        own_model.layers(model, KERAS, "mine.py")


X, Y = np.zeros((400, 12, 12, 1)), np.arange(400) % 4


def test_the_last_fifth_of_the_data_is_for_tests():
    (x, y), (test_x, test_y) = own_model.split(X, Y, DESCRIBED, (12, 12, 1), SETTINGS, "mine.py")
    assert (len(x), len(y), len(test_x), len(test_y)) == (320, 320, 80, 80)
    assert (x.dtype, y.dtype) == ("float32", "int64")
    assert test_y.tolist() == Y[320:].tolist()


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (X[:, :10], Y, "the inputs are float64 of the shape (10, 12, 1), the model takes numbers of (12, 12, 1)"),
        (X.astype(str), Y, "the inputs are <U32 of the shape (12, 12, 1), the model takes numbers"),
        (X, Y[:, None], "the classes are whole numbers, one for each of 400 inputs"),
        (X, Y / 2, "the classes are whole numbers, one for each of 400 inputs"),
        (X[:9], Y[:9], "9 samples are too few, diagnose needs 320"),
        (X, Y + 1, "the classes reach from 1 to 4, the model has 4"),
        (X + np.nan, Y, "the inputs are not all finite numbers"),
    ],
)
def test_data_that_cannot_be_trained_on_are_refused(x, y, reason):
    with pytest.raises(protocol.BadOutputError) as caught:
        own_model.split(x, y, DESCRIBED, (12, 12, 1), SETTINGS, "mine.py")
    assert str(caught.value)[: len(reason) + 9] == f"mine.py: {reason}"


def test_the_file_gets_its_settings_and_gives_model_and_data(tmp_path, raw_request, monkeypatch):
    path = tmp_path / "file"
    path.write_text(
        "import keras, numpy as np\n"
        "DEFAULTS = {'units': 4, 'samples': 400}\n"
        "def diagnose(settings):\n"
        "    y = np.arange(settings['samples']) % 4\n"
        "    last = keras.layers.Dense(units=settings['units'], activation='softmax')\n"
        "    x = np.full((len(y), 12, 12, 1), settings.seed)\n"
        "    return keras.Sequential([keras.layers.Flatten(), last]), x, y\n"
    )
    monkeypatch.setitem(sys.modules, "keras", KERAS)
    raw_request.update(probe="diagnose", seed=7, data={"path": str(path), "name": "mine.py", "sha256": "0"})
    settings = {**diagnose.DEFAULTS, "own": "mine.py", "own_settings": json.dumps({"units": 6})}
    described, shape, ((x, _), _) = own_model.given(protocol.Request(raw_request), KERAS, settings)
    assert (described[-1], shape, x[0, 0, 0, 0]) == (("dense", 6, "softmax"), (12, 12, 1), 7)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n", "mine.py has no function diagnose(settings)"),
        ("def diagnose(settings): return 1\n", "mine.py: diagnose returns a model, its inputs and their classes"),
        ("PROTOCOL = 9\n", "mine.py asks for protocol 9 of probes"),
        ("import nonesuch\n", "mine.py does not import: ModuleNotFoundError"),
    ],
)
def test_a_file_that_gives_no_model_is_one_line(tmp_path, raw_request, text, reason):
    path = tmp_path / "mine.py"
    path.write_text(text)
    raw_request.update(probe="diagnose", data={"path": str(path), "name": "mine.py", "sha256": "0"})
    with pytest.raises(protocol.ProbeError) as caught:
        own_model.given(protocol.Request(raw_request), KERAS, {**diagnose.DEFAULTS, "own": "mine.py"})
    assert str(caught.value)[: len(reason)] == reason
