"""Models on four devices of JAX give what one device gives."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true


def _devices():
    """Returns four devices. Raises Lacking where there are fewer."""
    import os

    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
    need("keras.distribution.list_devices")
    devices = keras.distribution.list_devices("cpu")
    if len(devices) < 4:
        raise Lacking("four devices")
    return devices[:4]


def _distribution(kind):
    """Returns a distribution on four devices, or on two by two."""
    if kind == "data":
        return keras.distribution.DataParallel(devices=_devices())
    shape, names = {"model": ((2, 2), ["batch", "model"]), "model first": ((2, 2), ["model", "batch"])}[kind]
    layouts = keras.distribution.LayoutMap(keras.distribution.DeviceMesh(shape, names, _devices()))
    layouts[".*kernel"] = (None, "model")
    layouts[".*embeddings"] = ("model", None)
    layouts[".*bias"] = ("model",)
    need("keras.distribution.ModelParallel(layout_map)")
    return keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")


def _model(optimizer=None):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4, activation="tanh", name="a"), keras.layers.Dense(2, name="b")]
    )
    given(model).compile(optimizer or keras.optimizers.SGD(0.1, momentum=0.5), "mse", metrics=["mae"])
    return model


X, Y = numbers(16, 4), numbers(16, 2, seed=1)
KINDS = ["data", "model", "model first"]


@each(kind=KINDS)
def fit_equals_one_device(kind):
    """fit() with a distribution ({kind} parallel) equals one device"""
    alone = _model()
    history = alone.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    with _distribution(kind).scope():
        model = _model()
        found = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        close(found, history, "the history")
        close(model.get_weights(), alone.get_weights(), "the weights")


@each(kind=KINDS)
def evaluate_and_predict_equal_one_device(kind):
    """evaluate() and predict() with a distribution ({kind}) equal one device"""
    alone = _model()
    wanted, outputs = alone.evaluate(X, Y, batch_size=8, verbose=0), alone.predict(X, batch_size=8, verbose=0)
    with _distribution(kind).scope():
        model = _model()
        close(model.evaluate(X, Y, batch_size=8, verbose=0), wanted, "evaluate")
        close(model.predict(X, batch_size=8, verbose=0), outputs, "predict")


@each(kind=["data", "model"])
def batch_functions_equal_one_device(kind):
    """train_on_batch and the like with a distribution ({kind}) equal one device"""
    alone = _model()
    wanted = [alone.train_on_batch(X[:8], Y[:8]), alone.test_on_batch(X[:8], Y[:8]), alone.predict_on_batch(X[:8])]
    with _distribution(kind).scope():
        model = _model()
        close(model.train_on_batch(X[:8], Y[:8]), wanted[0], "train_on_batch")
        close(model.test_on_batch(X[:8], Y[:8]), wanted[1], "test_on_batch")
        close(model.predict_on_batch(X[:8]), wanted[2], "predict_on_batch")


@each(kind=["data", "model"], what=["sample_weight", "validation", "tf.data"])
def fit_takes_other_data(kind, what):
    """fit() with a distribution ({kind} parallel) and {what} equals one device"""

    def trained():
        model = _model()
        if what == "tf.data":
            data = need("tensorflow").data.Dataset.from_tensor_slices((X, Y)).batch(8)
            return model.fit(data, verbose=0).history
        more = {
            "sample_weight": {"sample_weight": np.arange(16.0)},
            "validation": {"validation_data": (X[:8], Y[:8])},
        }[what]
        return model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, **more).history

    wanted = trained()
    with _distribution(kind).scope():
        close(trained(), wanted, "the history")


@each(kind=["data", "model"])
def models_without_targets_are_trained(kind):
    """fit(x) without targets runs with a distribution ({kind} parallel)"""

    class Own(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(keras.ops.square(x)))
            return x

    def trained():
        model = given(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="a"), Own()]))
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(X, batch_size=8, shuffle=False, verbose=0)
        return model.get_weights()

    wanted = trained()
    with _distribution(kind).scope():
        close(trained(), wanted, "the weights")


@each(what=["fit", "predict", "evaluate"])
def short_last_batches_are_whole(what):
    """{what}() with parallel data counts a short last batch as one device does"""
    alone = _model()

    def done(model):
        if what == "fit":
            return model.fit(X[:12], Y[:12], batch_size=8, shuffle=False, verbose=0).history["loss"]
        if what == "predict":
            return model.predict(X[:12], batch_size=8, verbose=0)
        return model.evaluate(X[:12], Y[:12], batch_size=8, verbose=0)

    wanted = done(alone)
    with _distribution("data").scope():
        close(done(_model()), wanted, what)


def variables_have_their_layout():
    """ModelParallel splits the variables that its layouts name, and copies the others"""
    with _distribution("model").scope():
        layer = keras.layers.Dense(4, name="a")
        layer.build((None, 4))
        equal(tuple(layer.kernel.value.addressable_shards[0].data.shape), (4, 2), "a part of the kernel")
        equal(tuple(layer.bias.value.addressable_shards[0].data.shape), (2,), "a part of the bias")
        norm = keras.layers.LayerNormalization()
        norm.build((None, 4))
        equal(tuple(norm.gamma.value.addressable_shards[0].data.shape), (4,), "a part of gamma")


def data_parallel_copies_variables():
    """DataParallel puts each variable on every device"""
    with _distribution("data").scope():
        layer = keras.layers.Dense(4)
        layer.build((None, 4))
        equal(len(layer.kernel.value.addressable_shards), 4, "copies")
        equal(tuple(layer.kernel.value.addressable_shards[0].data.shape), (4, 4), "the shape of each")


def layouts_survive_training():
    """fit() leaves split variables split"""
    with _distribution("model").scope():
        model = _model()
        model.fit(X, Y, batch_size=8, verbose=0)
        kernel = model.layers[0].kernel.value
        equal(tuple(kernel.addressable_shards[0].data.shape), (4, 2), "a part of the kernel")


@each(name=["SGD", "Adam"])
def slots_are_split_as_their_variables(name):
    """The slots of {name} have the layout of their variables"""
    with _distribution("model").scope():
        options = {"momentum": 0.5} if name == "SGD" else {}
        model = _model(getattr(keras.optimizers, name)(0.1, **options))
        model.optimizer.build(model.trainable_variables)
        slots = [v for v in model.optimizer.variables if tuple(v.shape) == (4, 4)]
        parts = {tuple(v.value.addressable_shards[0].data.shape) for v in slots}
        equal(parts, {(4, 2)}, "parts of the kernel's slots")


@each(layer=["Embedding(8, 4)", "Conv2D(4, 2)", "MultiHeadAttention(2, 2)", "LSTM(4)", "BatchNormalization()"])
def layers_equal_one_device(layer):
    """{layer} with parallel data gives what one device gives"""
    need("keras.layers." + layer.partition("(")[0])
    shapes = {"Conv2D": (8, 4, 4, 2), "Embedding": (8, 3), "BatchNormalization": (8, 4)}
    name = layer.partition("(")[0]
    data = numbers(*shapes.get(name, (8, 3, 4)))
    data = (np.arange(24).reshape(8, 3) % 8).astype("int32") if name == "Embedding" else data

    def output():
        made = eval("keras.layers." + layer)  # noqa: S307 - written above
        x = keras.Input(data.shape[1:], dtype=str(data.dtype))
        model = given(keras.Model(x, made(x, x) if name == "MultiHeadAttention" else made(x)))
        return model.predict(data, batch_size=8, verbose=0)

    wanted = output()
    with _distribution("data").scope():
        close(output(), wanted, "the output")


@each(kind=["data", "model"])
def models_are_saved_and_loaded(kind):
    """A model with a distribution ({kind} parallel) is saved and loaded"""
    with _distribution(kind).scope():
        model = _model()
        wanted = array(model(X[:8]))
        model.save("m.keras")
        close(keras.models.load_model("m.keras")(X[:8]), wanted, "loaded with it")
    close(keras.models.load_model("m.keras")(X[:8]), wanted, "loaded without it")


@each(kind=["data", "model"])
def dropout_trains_with_a_distribution(kind):
    """A model with Dropout trains with a distribution ({kind} parallel)"""
    with _distribution(kind).scope():
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)])
        model.compile("adam", "mse")
        loss = model.fit(X, Y, batch_size=8, verbose=0).history["loss"][0]
        true(bool(np.isfinite(loss)), "the loss is finite")


def functional_models_with_several_inputs_are_trained():
    """A model of two inputs and outputs with parallel data equals one device"""

    def trained():
        a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
        dense = keras.layers.Dense(2, name="d")
        model = given(keras.Model({"a": a, "b": b}, [dense(a), dense(b)]))
        model.compile(keras.optimizers.SGD(0.1), ["mse", "mae"])
        data = {"a": X, "b": numbers(16, 4, seed=5)}
        return model.fit(data, [Y, Y], batch_size=8, shuffle=False, verbose=0).history["loss"]

    wanted = trained()
    with _distribution("data").scope():
        close(trained(), wanted, "the loss")
