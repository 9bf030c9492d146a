"""State, randomness and custom steps inside compiled functions."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true

X, Y = numbers(4, 3), numbers(4, 1, seed=1)
ONES = np.ones((4, 3), "float32")


def _fixed(model):
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


@each(layer=["Dropout(0.5)", "GaussianNoise(1.0)", "GaussianDropout(0.5)", "AlphaDropout(0.5)"])
def random_layers_change_per_step(layer):
    """{layer} draws again in every compiled step"""

    class Sees(keras.Model):
        def __init__(self):
            super().__init__()
            self.noise = eval("keras.layers." + layer)  # noqa: S307 - texts of this module

        def call(self, x):
            return self.noise(x, training=True)

    model = Sees()
    first, second = model.predict(ONES, verbose=0), model.predict(ONES, verbose=0)
    true(np.abs(first - second).max() > 0, "two calls differ")


def random_layers_change_per_batch():
    """Dropout draws again for every batch of one predict"""

    class Sees(keras.Model):
        def __init__(self):
            super().__init__()
            self.noise = keras.layers.Dropout(0.5)

        def call(self, x):
            return self.noise(x, training=True)

    found = Sees().predict(np.ones((4, 32), "float32"), batch_size=2, verbose=0)
    true(np.abs(found[:2] - found[2:]).max() > 0, "two batches differ")


def random_ops_with_a_seed_generator_change():
    """keras.random with a SeedGenerator draws again in every compiled call"""

    class Noise(keras.Model):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(3)

        def call(self, x):
            return x + keras.random.normal((1, 3), seed=self.seed)

    model = Noise()
    true(np.abs(model.predict(ONES, verbose=0) - model.predict(ONES, verbose=0)).max() > 0, "two calls differ")


def equal_seeds_give_equal_training():
    """Two compiled fits after the same seed are equal"""
    found = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        model = _fixed(keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]))
        model.fit(X, Y, batch_size=2, verbose=0)
        found.append(model.get_weights())
    equal(found[0], found[1], "weights")


@each(times=[1, 3])
def state_is_updated_in_compiled_steps(times):
    """A variable assigned in call counts {times} compiled training steps"""

    class Counts(keras.layers.Layer):
        def build(self, shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.count.assign_add(1.0)
            return x

    layer = Counts()
    model = _fixed(keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)]))
    before = float(array(layer.count))
    for _ in range(times):
        model.train_on_batch(X, Y)
    equal(float(array(layer.count)) - before, float(times), "count")


def state_is_updated_in_predict():
    """A variable assigned in call changes in predict too"""

    class Counts(keras.layers.Layer):
        def build(self, shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.count.assign_add(1.0)
            return x

    layer = Counts()
    model = keras.Sequential([keras.Input((3,)), layer])
    before = float(array(layer.count))
    model.predict(X, batch_size=2, verbose=0)
    true(float(array(layer.count)) - before >= 2, "it has counted two batches")


def statistics_are_updated_in_compiled_steps():
    """BatchNormalization updates its statistics in compiled steps"""
    layer = keras.layers.BatchNormalization(momentum=0.5)
    model = _fixed(keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)]))
    model.train_on_batch(X, Y)
    close(layer.moving_mean, X.mean(0) / 2, "moving_mean", 1e-4)
    close(layer.moving_variance, 0.5 + X.var(0) / 2, "moving_variance", 1e-4)


def statistics_rest_in_evaluate():
    """BatchNormalization keeps its statistics in evaluate and predict"""
    layer = keras.layers.BatchNormalization()
    model = _fixed(keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)]))
    before = layer.get_weights()
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    equal(layer.get_weights(), before, "statistics")


def stateful_rnns_keep_their_state():
    """A stateful LSTM goes on where the last compiled call ended"""
    layer = keras.layers.LSTM(2, stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 2)), layer])
    given(model)
    data = numbers(2, 6, 2)
    model.predict(data[:, :3], batch_size=2, verbose=0)
    second = model.predict(data[:, 3:], batch_size=2, verbose=0)
    whole = keras.layers.LSTM(2)
    whole.build((2, 6, 2))
    whole.set_weights(layer.get_weights())
    close(second, whole(data), tolerance=1e-4)


def metrics_are_updated_in_compiled_steps():
    """A metric over three compiled steps is that of all their data"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    logs = model.fit(np.tile(X, (3, 1)), np.tile(Y, (3, 1)), batch_size=4, verbose=0).history
    close(logs["mae"], [np.abs(np.asarray(array(model(X))) - Y).mean()], "mae", 1e-4)


def metrics_of_layers_are_updated_when_compiled():
    """A metric that a layer holds is updated in compiled steps"""

    class Means(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean = keras.metrics.Mean(name="mean_of_x")

        def call(self, x):
            self.mean.update_state(x)
            return x

    model = _fixed(keras.Sequential([keras.Input((3,)), Means(), keras.layers.Dense(1)]))
    close(model.evaluate(X, Y, verbose=0, return_dict=True)["mean_of_x"], X.mean(), "mean", 1e-4)


def add_loss_counts_when_compiled():
    """add_loss counts in compiled training and evaluation"""

    class Adds(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(keras.ops.square(x)))
            return x

    model = given(keras.Sequential([keras.Input((3,)), Adds(), keras.layers.Dense(1)]))
    _fixed(model)
    expected = np.mean((np.asarray(array(model(X))) - Y) ** 2) + np.mean(X**2)
    close(model.evaluate(X, Y, verbose=0), expected, "evaluate", 1e-4)
    close(model.train_on_batch(X, Y), expected, "train_on_batch", 1e-4)


def regularization_counts_when_compiled():
    """A kernel regularizer counts in compiled training and evaluation"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.5))])
    _fixed(given(model))
    kernel = model.get_weights()[0]
    expected = np.mean((np.asarray(array(model(X))) - Y) ** 2) + 0.5 * np.sum(kernel**2)
    close(model.evaluate(X, Y, verbose=0), expected, "evaluate", 1e-4)
    close(model.train_on_batch(X, Y), expected, "train_on_batch", 1e-4)


def _own_step(seen):
    """Returns a model with a train_step of its own, as the backend's guide writes it."""
    backend = keras.config.backend()

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        if backend == "tensorflow":

            def train_step(self, data):
                import tensorflow as tf

                x, y = data
                with tf.GradientTape() as tape:
                    loss = self.compute_loss(y=y, y_pred=self(x, training=True))
                variables = self.trainable_variables
                self.optimizer.apply(tape.gradient(loss, variables), variables)
                return {"loss": loss, "mine": loss * 2}

        elif backend == "torch":

            def train_step(self, data):
                x, y = data
                self.zero_grad()
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
                loss.backward()
                variables = list(self.trainable_variables)
                self.optimizer.apply([v.value.grad for v in variables], variables)
                return {"loss": loss, "mine": loss * 2}

        else:

            def train_step(self, state, data):
                import jax

                trainable, other, optimizer, metrics = state
                x, y = data

                def compute(trainable, other):
                    predicted, other = self.stateless_call(trainable, other, x, training=True)
                    return self.compute_loss(x, y, predicted), (predicted, other)

                (loss, (_, other)), grads = jax.value_and_grad(compute, has_aux=True)(trainable, other)
                trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
                return {"loss": loss, "mine": loss * 2}, (trainable, other, optimizer, metrics)

    seen.append(backend)
    return Own()


@each(form=["run_eagerly=True", ""])
def own_train_step_is_used(form):
    """fit uses a model's own train_step ({form})"""
    model = _own_step([])
    model(X)
    given(model)
    expected = np.mean((np.asarray(array(model(X))) - Y) ** 2)
    model.compile(keras.optimizers.SGD(0.1), "mse", **eval("dict(%s)" % form))  # noqa: S307 - texts of this module
    before = model.get_weights()
    logs = model.fit(X, Y, batch_size=4, verbose=0).history
    close([logs["loss"][0], logs["mine"][0]], [expected, 2 * expected], "logs", 1e-4)
    true(np.abs(model.get_weights()[0] - before[0]).max() > 0, "the weights have changed")


@each(form=["run_eagerly=True", ""])
def own_test_step_is_used(form):
    """evaluate uses a model's own test_step ({form})"""
    backend = keras.config.backend()

    class Own(keras.Sequential):
        def test_step(self, *arguments):
            logs = {"mine": keras.ops.sum(arguments[-1][0]) * 0 + 7.0}
            return (logs, arguments[0]) if backend == "jax" else logs

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", **eval("dict(%s)" % form))  # noqa: S307 - texts of this module
    close(model.evaluate(X, Y, verbose=0, return_dict=True)["mine"], 7.0, "its own figure")


@each(form=["run_eagerly=True", "", "none"])
def own_predict_step_is_used(form):
    """predict uses a model's own predict_step ({form})"""
    backend = keras.config.backend()

    class Own(keras.Sequential):
        def predict_step(self, *arguments):
            data = arguments[-1]
            x = data[0] if isinstance(data, (tuple, list)) else data
            found = x * 0 + 7.0
            return (found, arguments[0][1]) if backend == "jax" else found

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    if form != "none":
        model.compile("sgd", "mse", **eval("dict(%s)" % form))  # noqa: S307 - texts of this module
    close(model.predict(X, verbose=0), np.full((4, 3), 7.0))


@each(form=["run_eagerly=True", ""])
def own_compute_loss_is_used(form):
    """fit and evaluate use a model's own compute_loss ({form})"""

    class Own(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **more):
            return keras.ops.mean(y_pred) * 0.0 + 3.0

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", **eval("dict(%s)" % form))  # noqa: S307 - texts of this module
    close(model.train_on_batch(X, Y), 3.0, "loss of train_on_batch")
    close(model.evaluate(X, Y, verbose=0), 3.0, "loss of evaluate")


@each(form=["run_eagerly=True", ""])
def own_compute_metrics_is_used(form):
    """evaluate uses a model's own compute_metrics ({form})"""

    class Own(keras.Sequential):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "mine": keras.ops.sum(x) * 0 + 7.0}

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", **eval("dict(%s)" % form))  # noqa: S307 - texts of this module
    close(model.evaluate(X, Y, verbose=0, return_dict=True)["mine"], 7.0, "its own figure")


@each(form=["run_eagerly=True", ""])
def sample_weights_count_when_compiled(form):
    """sample_weight counts in train_on_batch and evaluate ({form})"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.1), "mse", **eval("dict(%s)" % form))  # noqa: S307 - texts of this module
    weights = np.array([1.0, 0.0, 2.0, 0.5], "float32")
    expected = np.mean(np.square(np.asarray(array(model(X))) - Y)[:, 0] * weights)
    close(model.evaluate(X, Y, sample_weight=weights, verbose=0), expected, "evaluate", 1e-4)
    close(model.train_on_batch(X, Y, sample_weight=weights), expected, "train_on_batch", 1e-4)


@each(form=["run_eagerly=True", ""])
def class_weights_count_when_compiled(form):
    """class_weight counts in train_on_batch ({form})"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")]))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **eval("dict(%s)" % form))  # noqa: S307
    labels = np.array([0, 1, 1, 0])
    chosen = np.asarray(array(model(X)))[np.arange(4), labels]
    expected = np.mean(-np.log(chosen) * np.array([1.0, 3.0, 3.0, 1.0]))
    close(model.train_on_batch(X, labels, class_weight={0: 1.0, 1: 3.0}), expected, "loss", 1e-4)


@each(steps=[2, 3])
def steps_per_execution_sees_all_data(steps):
    """steps_per_execution={steps} trains on every batch, once"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.1), "mse", steps_per_execution=steps)
    model.fit(np.tile(X, (5, 1)), np.tile(Y, (5, 1)), batch_size=4, verbose=0)
    equal(int(array(model.optimizer.iterations)), 5, "iterations")


@each(steps=[2, 3])
def steps_per_execution_predicts_all_data(steps):
    """steps_per_execution={steps} predicts every batch, in order"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    model.compile("sgd", "mse", steps_per_execution=steps)
    data = numbers(10, 3)
    close(model.predict(data, batch_size=2, verbose=0), model(data))
    found = model.evaluate(data, data[:, :1], batch_size=2, verbose=0)
    close(found, np.mean((np.asarray(array(model(data))) - data[:, :1]) ** 2), "evaluate", 1e-4)


def nested_outputs_survive_batches():
    """predict joins the batches of nested outputs"""
    x = keras.Input((3,))
    try:
        model = keras.Model(x, {"a": 2 * x, "b": [3 * x, x]})
    except ValueError as error:
        if "When providing" in str(error):
            raise Lacking("this release takes flat outputs only") from error
        raise
    close(model.predict(X, batch_size=2, verbose=0), {"a": 2 * X, "b": [3 * X, X]})


@each(dtype=["float32", "float16", "int32", "uint8", "bool", "float64"])
def predict_takes(dtype):
    """predict takes data of dtype {dtype}"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    data = np.array([[1, 0, 1], [1, 1, 1]]).astype(dtype)
    close(model.predict(data, verbose=0), model(data.astype("float32")))


def remat_computes_the_same():
    """keras.remat of a function computes it, with the same gradient"""
    remat = need("keras.remat")
    close(remat(lambda x: keras.ops.tanh(x) * 2)(keras.ops.convert_to_tensor(X)), np.tanh(X) * 2)


REMATS = ["full", "activations", "list_of_layers", "larger_than"]


@each(mode=REMATS)
def remat_scope_trains_the_same(mode):
    """A model made in RematScope('{mode}') trains as without"""
    scope = need("keras.RematScope")

    def trained(inside):
        layers = [keras.Input((3,)), keras.layers.Dense(4, activation="tanh", name="one"), keras.layers.Dense(1)]
        model = given(keras.Sequential(layers))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return [float(model.train_on_batch(X, Y)) for _ in range(2)], model.get_weights()

    more = {"list_of_layers": {"layer_names": ["one"]}, "larger_than": {"output_size_threshold": 1}}.get(mode, {})
    expected = trained(False)
    with scope(mode=mode, **more):
        found = trained(True)
    close(found[0], expected[0], "losses", 1e-4)
    close(found[1], expected[1], "weights", 1e-4)


@each(kind=["functional", "sequential", "subclass"])
def remat_of_nested_models(kind):
    """A {kind} model called inside RematScope computes the same"""
    scope = need("keras.RematScope")
    x = keras.Input((3,))

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, activation="tanh")

        def call(self, x):
            return self.dense(x)

    dense = keras.layers.Dense(2, activation="tanh")
    with scope(mode="full"):
        model = {
            "functional": lambda: keras.Model(x, dense(x)),
            "sequential": lambda: keras.Sequential([keras.Input((3,)), dense]),
            "subclass": Mine,
        }[kind]()
        found = model(X)
    given(model)
    kernel, bias = model.get_weights()
    close(model(X), np.tanh(X @ kernel + bias))
    equal(tuple(found.shape), (4, 2), "shape")


@each(mode=["'nonsense'", "3"])
def remat_scope_refuses(mode):
    """RematScope({mode}) is refused"""
    scope = need("keras.RematScope")
    try:
        scope(mode=eval(mode))  # noqa: S307 - texts of this module
    except (ValueError, TypeError):
        return
    true(False, "it is refused")
