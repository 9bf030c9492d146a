"""Runs the steps of the ladder on a cell with Keras.

The network is trained as users do, restarted from given weights, or run one layer at a time.
"""

from __future__ import annotations

import numpy as np

from ..protocol import UnsupportedError
from . import faults
from .reference import Adam

HUGE = 2.0**20
"""The learning rate at which a step of plain SGD shows its gradient: a power of two, so that it costs no accuracy, and
so large that the weights it is taken from do not matter."""


class Side:
    """The network on Keras.

    ``described``: layers as in ``networks``. ``fault``: a name in ``faults``, or empty.
    """

    def __init__(self, backend, described, shape, fault):
        self.keras, self.name, self.described, self.shape, self.fault = (
            backend.keras,
            backend.name,
            described,
            shape,
            fault,
        )
        self.backend = backend
        self._models, self._passes = {}, {}

    # --- whole trainings ----------------------------------------------------------------------------------------------

    def fresh(self, seed):
        """Returns a new model with the weights of ``seed``, not compiled."""
        self.keras.utils.set_random_seed(seed)
        return self._build(dropout=True)

    def initial(self, seed):
        """Returns the weights a user's model starts with."""
        return self.fresh(seed).get_weights()

    def train(self, seed, weights, orders, data, epochs, batch):
        """Trains completely. Returns losses and test results.

        Returns ``(loss per epoch, loss and accuracy on the test set)``.

        ``weights`` and ``orders`` (index arrays, one per epoch): None where the cell draws its own. The model is
        compiled once; each training takes a fresh model's state over, which is the same without compiling again.
        """
        model, start = self._compiled("adam")
        fresh = self.fresh(seed)
        for variable, value in zip(model.variables, [self._numpy(v) for v in fresh.variables]):
            variable.assign(value)
        for variable, value in zip(model.optimizer.variables, start):
            variable.assign(value)
        if weights is not None:
            model.set_weights(weights)
        (x, y), test = data
        if orders is None and self.fault == "sorted-batches":
            orders = [np.argsort(y, kind="stable")] * epochs
        losses = []
        options = {"batch_size": batch, "verbose": 0}
        if orders is None:
            losses = model.fit(x, y, epochs=epochs, **options).history["loss"]
        else:
            for order in orders:
                losses += model.fit(x[order], y[order], epochs=1, shuffle=False, **options).history["loss"]
        scores = model.evaluate(*test, batch_size=len(test[1]), verbose=0, return_dict=True)
        return [float(v) for v in losses], float(scores["loss"]), float(scores["accuracy"])

    def dropped(self, size):
        """Returns the dropout layer's output for ``size`` ones in training.

        None where the network has no dropout layer.
        """
        rate = next((layer[1] for layer in self.described if layer[0] == "dropout"), None)
        if rate is None:
            return None
        layer = faults.layer_class(self.keras, self.fault, "dropout")(rate, seed=1)
        return self._numpy(layer(np.ones((1, size), "float32"), training=True))

    # --- steps from given weights -------------------------------------------------------------------------------------

    def restart(self):
        """Resets the state of the optimizers."""
        for kind in ("still", "applied"):
            if kind in self._models:
                thing, start = self._models[kind]
                for variable, value in zip(getattr(thing, "optimizer", thing).variables, start):
                    variable.assign(value)

    def step(self, weights, x, y):
        """Returns ``(loss, weights after)`` of one ``train_on_batch``.

        It uses the cell's own Adam, which continues from its last state.
        """
        return self._step("still", weights, x, y)

    def gradients(self, weights, x, y):
        """Returns ``(loss, gradients)`` that ``train_on_batch`` trains with."""
        loss, after = self._step("descent", weights, x, y)
        dtype = "float64"
        return loss, [(w.astype(dtype) - a.astype(dtype)) / HUGE for w, a in zip(weights, after)]

    def free(self, weights, batches):
        """Returns ``(loss per step, weights at the end)`` of consecutive steps.

        ``batches``: pairs (x, y).
        """
        model, _ = self._compiled("still")
        model.set_weights(weights)
        losses = []
        for x, y in batches:
            model.reset_metrics()
            losses.append(float(model.train_on_batch(x, y, return_dict=True)["loss"]))
        return losses, model.get_weights()

    def update(self, weights, gradients):
        """Returns the weights after one update with given gradients.

        It uses the cell's own Adam, which continues from its last state.
        """
        if "applied" not in self._models:
            variables = [self.keras.Variable(w) for w in weights]
            made = self._adam()
            made.build(variables)
            self._models["applied"] = made, [self._numpy(v) for v in made.variables]
            self._variables = variables
        made, _ = self._models["applied"]
        for variable, value in zip(self._variables, weights):
            variable.assign(value)
        made.apply([self.keras.ops.convert_to_tensor(g) for g in gradients], self._variables)
        return [self._numpy(v) for v in self._variables]

    def double(self):
        """Computes the same in float64.

        Raises UnsupportedError where the device does not have float64.
        """
        if self.backend.device == "mps" or (self.name == "jax" and self.backend.device == "metal"):
            raise UnsupportedError("no float64 on %s" % self.backend.device)
        if self.name == "jax":
            self.backend.lib.config.update("jax_enable_x64", True)
        self.keras.config.set_floatx("float64")
        self.keras.mixed_precision.set_dtype_policy("float64")  # the default policy was made of the old float type
        return Side(self.backend, self.described, self.shape, self.fault)

    # --- one layer ----------------------------------------------------------------------------------------------------

    def layer(self, index, weights, x, slope):
        """Returns ``(output, gradient by x, [by each weight])`` of layer ``index`` alone.

        The layer is that of the network without dropout. ``slope``: the gradient by the output; for the last layer the
        labels, and the gradients are the loss's.
        """
        if index not in self._passes:
            model, _ = self._compiled("still")
            layer = model.layers[index]
            last = index == len(model.layers) - 1
            self._passes[index] = (
                layer,
                {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}[self.name](
                    self.backend, layer, self._loss if last else None
                ),
            )
        layer, passed = self._passes[index]
        layer.set_weights(weights)
        return passed(x, slope)

    # --- making -------------------------------------------------------------------------------------------------------

    def _loss(self, y, p):
        return self.keras.losses.SparseCategoricalCrossentropy()(y, p)

    def _step(self, kind, weights, x, y):
        model, _ = self._compiled(kind)
        model.set_weights(weights)
        model.reset_metrics()
        loss = float(model.train_on_batch(x, y, return_dict=True)["loss"])
        return loss, model.get_weights()

    def _compiled(self, kind):
        """Returns ``(model, its optimizer's first state)`` for a kind of model.

        The kinds: ``adam`` (with dropout), ``still`` (without), ``descent`` (SGD).
        """
        if kind not in self._models:
            model = self._build(dropout=kind == "adam")
            made = self.keras.optimizers.SGD(HUGE) if kind == "descent" else self._adam()
            metrics = ["accuracy"] if kind != "descent" else None
            model.compile(made, "sparse_categorical_crossentropy", metrics=metrics)
            made.build(model.trainable_variables)
            self._models[kind] = model, [self._numpy(v) for v in made.variables]
        return self._models[kind]

    def _adam(self):
        epsilon = 1e-3 if self.fault == "adam-epsilon" else Adam.epsilon
        return self.keras.optimizers.Adam(Adam.rate, epsilon=epsilon)

    def _build(self, dropout):
        layers, counts = [self.keras.Input(self.shape)], {}
        for kind, *settings in self.described:
            counts[kind] = counts.get(kind, 0) + 1
            name = "%s%d" % (kind, counts[kind])
            if kind == "dropout":
                layers += [faults.layer_class(self.keras, self.fault, kind)(settings[0])] if dropout else []
            elif kind == "pool":
                layers.append(self.keras.layers.MaxPooling2D())
            elif kind == "flatten":
                layers.append(self.keras.layers.Flatten())
            else:
                more = faults.options(self.keras, self.fault, name)
                made = faults.layer_class(self.keras, self.fault, kind)
                layers.append(made(*settings[:-1], activation=settings[-1], name=name, **more))
        return self.keras.Sequential(layers)

    def _numpy(self, value):
        return np.array(self.keras.ops.convert_to_numpy(value))


def _torch(backend, layer, loss):
    torch = backend.lib

    def passed(x, slope):
        x = torch.from_numpy(x).to(backend.device).requires_grad_()
        variables = [v.value for v in layer.trainable_variables]
        y = layer(x)
        slope = torch.from_numpy(slope).to(backend.device)
        if loss is None:
            found = torch.autograd.grad(y, [x, *variables], slope.to(y.dtype))
        else:
            found = torch.autograd.grad(loss(slope, y), [x, *variables])
        y, dx, *gradients = (value.detach().cpu().numpy() for value in (y, *found))
        return y, dx, gradients

    return passed


def _tensorflow(backend, layer, loss):
    tf = backend.lib

    @tf.function
    def graph(x, slope):
        variables = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            value = y if loss is None else loss(slope, y)
        down = {} if loss is not None else {"output_gradients": tf.cast(slope, y.dtype)}
        return y, tape.gradient(value, [x, *variables], **down)

    def passed(x, slope):
        y, (dx, *gradients) = graph(tf.constant(x), tf.constant(slope))
        return y.numpy(), dx.numpy(), [value.numpy() for value in gradients]

    return passed


def _jax(backend, layer, loss):
    jax = backend.lib
    fixed = [v.value for v in layer.non_trainable_variables]

    @jax.jit
    def graph(weights, x, slope):
        def forward(weights, x):
            return layer.stateless_call(weights, fixed, x)[0]

        y, back = jax.vjp(forward, weights, x)
        if loss is not None:
            slope = jax.grad(lambda p: loss(slope, p))(y)
        gradients, dx = back(slope.astype(y.dtype))
        return y, dx, gradients

    def passed(x, slope):
        y, dx, gradients = jax.device_get(graph([v.value for v in layer.trainable_variables], x, slope))
        return y, dx, list(gradients)

    return passed
