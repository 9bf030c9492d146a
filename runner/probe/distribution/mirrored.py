"""MirroredStrategy of TensorFlow on two virtual devices: what one device gives."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true


def _devices():
    """Makes two devices of one processor. Raises Lacking where it is too late."""
    tf = need("tensorflow")
    try:
        parts = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    except RuntimeError as error:
        if len(tf.config.list_logical_devices("CPU")) < 2:
            raise Lacking("two devices: %s" % error) from error


def _strategy():
    _devices()
    tf = need("tensorflow")
    # the collectives that are the default stay aborted once a step has failed
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], tf.distribute.ReductionToOneDevice())


X, Y = numbers(16, 4), numbers(16, 2, seed=1)


def _model(optimizer=None, *layers, **options):
    """Returns a compiled model with given weights."""
    layers = layers or [keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)]
    model = given(keras.Sequential([keras.Input((4,)), *layers]))
    if not options.get("run_eagerly"):
        options["jit_compile"] = False
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse", metrics=["mae"], **options)
    return model


def mirrored_fit_equals_one_device():
    """fit() under MirroredStrategy gives the history and weights of one device"""
    alone = _model()
    history = alone.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    with _strategy().scope():
        model = _model()
    found = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    close(found, history, "the history")
    close(model.get_weights(), alone.get_weights(), "the weights")


@each(count=[16, 12, 10, 7])
def evaluate_equals_one_device(count):
    """evaluate() of {count} samples under MirroredStrategy is right"""
    wanted = _model().evaluate(X[:count], Y[:count], batch_size=8, verbose=0, return_dict=True)
    with _strategy().scope():
        model = _model()
    found = model.evaluate(X[:count], Y[:count], batch_size=8, verbose=0, return_dict=True)
    close(found["mae"], wanted["mae"], "mae")
    if count % 4 == 0:
        close(found["loss"], wanted["loss"], "loss")


@each(count=[16, 12, 10, 7])
def predict_equals_one_device(count):
    """predict() of {count} samples under MirroredStrategy returns each, in order"""
    wanted = _model().predict(X[:count], batch_size=8, verbose=0)
    with _strategy().scope():
        model = _model()
    close(model.predict(X[:count], batch_size=8, verbose=0), wanted)


OPTIMIZERS = [
    *["SGD(0.1, momentum=0.5)", "Adam(0.1)", "Adagrad(0.1)", "SGD(0.1, global_clipnorm=0.1)", "Adafactor(0.1)"],
    *["SGD(0.1, use_ema=True, ema_momentum=0.5)", "AdamW(0.1)", "SGD(0.1, gradient_accumulation_steps=2)", "Lion(0.1)"],
]


@each(optimizer=OPTIMIZERS)
def optimizers_equal_one_device(optimizer):
    """optimizers.{optimizer} under MirroredStrategy moves the weights as on one device"""
    name, _, options = optimizer.partition("(")
    need("keras.optimizers." + name)
    if "accumulation" in options:
        need("keras.optimizers.SGD(gradient_accumulation_steps)")

    def made():
        optimizer_ = eval("keras.optimizers." + optimizer)  # noqa: S307 - written above
        eagerly = "accumulation" not in options  # eager steps are cheaper; only in a graph is this one conditional
        return _model(optimizer_, keras.layers.Dense(2), run_eagerly=eagerly)

    alone = made()
    with _strategy().scope():
        model = made()
    for one in (alone, model):
        one.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    close(model.get_weights(), alone.get_weights(), "the weights", 1e-4)


@each(option=["kernel_regularizer='l2'", "activity_regularizer='l2'", "bias_regularizer='l1'"])
def penalties_equal_one_device(option):
    """Dense({option}) under MirroredStrategy has the loss and the step of one device"""

    def made():
        return _model(None, eval("keras.layers.Dense(2, %s)" % option), run_eagerly=True)  # noqa: S307 - written above

    alone = made()
    with _strategy().scope():
        model = made()
    losses = [m.fit(X, Y, batch_size=8, shuffle=False, verbose=0).history["loss"] for m in (model, alone)]
    close(losses[0], losses[1], "the loss")
    close(model.get_weights(), alone.get_weights(), "the weights")


@each(loss=["mae", "kl_divergence"], reduction=["sum_over_batch_size", "sum"])
def losses_equal_one_device(loss, reduction):
    """The loss {loss}, reduced by {reduction}, is right under MirroredStrategy"""
    target = np.abs(np.tanh(Y))

    def made():
        name = {"mae": "MeanAbsoluteError", "kl_divergence": "KLDivergence"}[loss]
        function = getattr(keras.losses, name)(reduction=reduction)
        model = given(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="sigmoid")]))
        model.compile(keras.optimizers.SGD(0.01), function, run_eagerly=True)
        return model

    alone = made()
    with _strategy().scope():
        model = made()
    for one in (alone, model):
        one.fit(X, target, batch_size=8, shuffle=False, verbose=0)
    close(model.get_weights(), alone.get_weights(), "the weights")


@each(name=["train_on_batch", "test_on_batch", "predict_on_batch"])
def mirrored_batch_functions_equal_one_device(name):
    """{name} under MirroredStrategy gives what one device gives"""
    arguments = (X[:8],) if "predict" in name else (X[:8], Y[:8])
    wanted = getattr(_model(), name)(*arguments)
    with _strategy().scope():
        model = _model()
        found = getattr(model, name)(*arguments)
    close(found, wanted)


@each(what=["sample_weight", "validation", "tf.data", "class_weight", "steps_per_execution", "run_eagerly"])
def mirrored_fit_takes_other_data(what):
    """fit() with {what} under MirroredStrategy gives the history of one device"""
    options = {"steps_per_execution": {"steps_per_execution": 2}, "run_eagerly": {"run_eagerly": True}}.get(what, {})

    def trained(model):
        if what == "tf.data":
            data = need("tensorflow").data.Dataset.from_tensor_slices((X, Y)).batch(8)
            return model.fit(data, verbose=0).history
        more = {
            "sample_weight": {"sample_weight": np.linspace(0.5, 2.0, 16).astype("float32")},
            "validation": {"validation_data": (X[:8], Y[:8])},
            "class_weight": {"class_weight": {0: 1.0, 1: 2.0}},
        }.get(what, {})
        target = (np.arange(16) % 2).astype("int32")[:, None] if what == "class_weight" else Y
        return model.fit(X, target, batch_size=8, shuffle=False, verbose=0, **more).history

    wanted = trained(_model(**options))
    with _strategy().scope():
        model = _model(**options)
    found = trained(model)
    # weights of samples are summed per device, so that only their product with the losses is comparable
    close(found["mae"], wanted["mae"], "mae")
    if what not in ("class_weight", "sample_weight"):
        close(found, wanted, "the history")


@each(policy=["mixed_float16", "mixed_bfloat16"])
def mixed_precision_trains(policy):
    """A {policy} model under MirroredStrategy trains as on one device"""
    keras.config.set_dtype_policy(policy)

    def made():
        optimizer = keras.optimizers.SGD(0.1)
        if policy == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=16.0, dynamic_growth_steps=1)
        return _model(optimizer, keras.layers.Dense(2))

    alone = made()
    with _strategy().scope():
        model = made()
    for one in (alone, model):
        one.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    close(model.get_weights(), alone.get_weights(), "the weights", 0.02)
    if policy == "mixed_float16":
        close(float(array(model.optimizer.dynamic_scale)), float(array(alone.optimizer.dynamic_scale)), "the scale")


def batch_normalization_keeps_its_mean():
    """BatchNormalization under MirroredStrategy has the moving mean of one device"""

    def made():
        return _model(None, keras.layers.BatchNormalization(momentum=0.5))

    target = np.zeros((16, 4), "float32")
    alone = made()
    with _strategy().scope():
        model = made()
    for one in (alone, model):
        one.layers[0].moving_mean.assign(np.zeros(4))
        one.fit(X, target, batch_size=16, shuffle=False, verbose=0)
    close(model.layers[0].moving_mean, array(alone.layers[0].moving_mean), "the moving mean")


@each(aggregation=["mean", "sum", "only_first_replica"])
def state_of_layers_is_aggregated(aggregation):
    """State with aggregation="{aggregation}" is right under MirroredStrategy"""
    need("keras.layers.Layer.add_weight(aggregation)")

    class Counting(keras.layers.Layer):
        def build(self, shape):
            options = {"initializer": "zeros", "trainable": False, "aggregation": aggregation}
            self.count = self.add_weight(shape=(), name="count", **options)

        def call(self, x, training=False):
            if training:
                self.count.assign(self.count + keras.ops.cast(keras.ops.shape(x)[0], "float32"))
            return x

    with _strategy().scope():
        model = _model(None, Counting(), keras.layers.Dense(2))
    model.layers[0].count.assign(0.0)  # weights were given values
    model.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
    close(float(array(model.layers[0].count)), 16.0 if aggregation == "sum" else 8.0, "the count")


def dropout_trains_under_a_strategy():
    """A model with Dropout trains under MirroredStrategy"""
    with _strategy().scope():
        model = _model(None, keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(2))
    loss = model.fit(X, Y, batch_size=8, verbose=0).history["loss"][0]
    true(bool(np.isfinite(loss)), "the loss is finite")


def short_batches_train():
    """fit() with a last batch of one sample runs under MirroredStrategy"""
    with _strategy().scope():
        model = _model()
    loss = model.fit(X[:9], Y[:9], batch_size=8, verbose=0).history["loss"][0]
    true(bool(np.isfinite(loss)), "the loss is finite")
    true(all(bool(np.isfinite(w).all()) for w in model.get_weights()), "the weights are finite")


def custom_train_steps_run():
    """A custom train_step under MirroredStrategy moves weights as on one device"""
    tf = need("tensorflow")

    class Own(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
            weights = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            return {"loss": loss}

    def made():
        model = given(Own([keras.Input((4,)), keras.layers.Dense(2)]))
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        return model

    alone = made()
    with _strategy().scope():
        model = made()
    found = [one.fit(X, Y, batch_size=8, shuffle=False, verbose=0).history["loss"] for one in (model, alone)]
    close(model.get_weights(), alone.get_weights(), "the weights")
    if hasattr(keras.losses.MeanSquaredError, "call"):
        true(bool(np.isfinite(found).all()), "the losses are finite")


def custom_loops_run():
    """A custom loop with strategy.run sums the gradients of both devices"""
    tf = need("tensorflow")
    strategy = _strategy()
    with strategy.scope():
        layer = keras.layers.Dense(2, use_bias=False)
        layer.build((None, 4))
        layer.kernel.assign(np.full((4, 2), 0.25))
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build([layer.kernel])
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((layer(x) - y) ** 2) / 32.0
        optimizer.apply([tape.gradient(loss, layer.kernel.value)], [layer.kernel])

    for x, y in strategy.experimental_distribute_dataset(data):
        strategy.run(step, args=(x, y))
    start = np.full((4, 2), 0.25)
    wanted = start - 0.1 * 2 * X.T @ (X @ start - Y) / 32.0
    close(layer.kernel, wanted, "the kernel")


@each(name=["Mean", "AUC", "Precision", "CategoricalAccuracy", "F1Score"])
def metrics_equal_one_device(name):
    """metrics.{name} under MirroredStrategy counts what one device counts"""
    made = need("keras.metrics." + name)
    target = np.eye(2, dtype="float32")[np.arange(12) % 2]

    def evaluated():
        model = given(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")]))
        metric = keras.metrics.MeanMetricWrapper(keras.losses.mean_absolute_error) if name == "Mean" else made()
        model.compile("sgd", "mse", metrics=[metric], run_eagerly=True)
        return model

    def value(model):
        return model.evaluate(X[:12], target, batch_size=8, verbose=0)[1]

    wanted = value(evaluated())
    with _strategy().scope():
        model = evaluated()
    close(value(model), wanted, "the metric")


@each(form=["keras", "weights.h5"])
def mirrored_models_are_saved_and_loaded(form):
    """A model made under MirroredStrategy is saved as .{form} and loaded"""
    strategy = _strategy()
    with strategy.scope():
        model = _model()
    model.fit(X, Y, batch_size=8, verbose=0)
    wanted = model.predict(X, verbose=0)
    if form == "keras":
        model.save("m.keras")
        close(keras.models.load_model("m.keras").predict(X, verbose=0), wanted, "without the strategy")
        with strategy.scope():
            again = keras.models.load_model("m.keras")
        close(again.predict(X, verbose=0), wanted, "with the strategy")
    else:
        model.save_weights("m.weights.h5")
        again = _model()
        again.load_weights("m.weights.h5")
        close(again.predict(X, verbose=0), wanted, "without the strategy")


def both_devices_have_the_same_weights():
    """After fit() under MirroredStrategy both copies of a weight are equal"""
    strategy = _strategy()
    with strategy.scope():
        model = _model(keras.optimizers.Adam(0.1))
    model.fit(X, Y, batch_size=8, verbose=0)
    copies = [part.numpy() for part in strategy.experimental_local_results(model.layers[0].kernel.value)]
    equal(len(copies), 2, "copies")
    equal(copies[0], copies[1], "the second copy")


def unbuilt_models_are_trained():
    """A model without an input shape is built and trained under MirroredStrategy"""
    with _strategy().scope():
        model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2)])
        model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=False)
    before = model.fit(X, Y, batch_size=8, epochs=3, verbose=0).history["loss"]
    true(before[-1] < before[0], "the loss falls: %s" % before)


def one_device_strategy_changes_nothing():
    """OneDeviceStrategy gives what no strategy gives"""
    tf = need("tensorflow")
    alone = _model()
    wanted = alone.fit(X, Y, batch_size=8, shuffle=False, verbose=0).history
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        model = _model()
    close(model.fit(X, Y, batch_size=8, shuffle=False, verbose=0).history, wanted, "the history")


def callbacks_run_under_a_strategy():
    """EarlyStopping and ModelCheckpoint work under MirroredStrategy"""
    with _strategy().scope():
        model = _model()
    calls = [
        keras.callbacks.ModelCheckpoint("c.weights.h5", save_weights_only=True, monitor="loss", save_best_only=True),
        keras.callbacks.EarlyStopping(monitor="loss", patience=1, restore_best_weights=True),
    ]
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=calls)
    again = _model()
    again.load_weights("c.weights.h5")
    close(again.get_weights(), model.get_weights(), "the weights in the file")
