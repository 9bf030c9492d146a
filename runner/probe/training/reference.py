"""Computes what ``fit`` is documented to do, in float64 NumPy.

That is batches, weights, masks, metrics, and all an optimizer adds. The conventions are those of Keras's documentation:
the loss of a batch is the sum of weighted values over the number of values (over the number of unmasked ones where
there is a mask), that of an epoch the mean over its samples, a metric's the weighted mean over its values; a batch's
log is the mean up to it.

The figures are promised to float64's rounding, not to the bit. Kernels for SSE, AVX, AVX2 and AVX-512 were seen to
differ by less than 2 * 2**-53 of the scale in which ``compare`` judges, in units of 2**-24 for float32.
"""

from __future__ import annotations

import copy

import numpy as np

from . import network, updates

OPTIONS = {
    "loss": "mse",
    "optimizer": ("SGD", {}),
    "rate": 0.1,
    "common": {},
    "epochs": 2,
    "batch_size": 8,
    "sample_weight": None,
    "class_weight": None,
    "mask": None,
    "metrics": (),
    "weighted_metrics": (),
    "validation": None,
    "validation_weight": None,
    "reduction": "sum_over_batch_size",
    "undecayed": (),
    "constraints": {},
    "one_hot": False,
    "steps": None,
    # what only Keras's side reads
    "compile": {},
    "fit": {},
    "policy": None,
}
"""The options of a task, and what each is where nothing is said."""


class Task:
    """One training, for the reference and for Keras alike.

    It has network, data and every option.

    ``layers``: of ``network``. ``optimizer``: ``(name, settings)`` with ``rate``, a number or a function of the
    iteration (0 for the first). ``common``: what every optimizer takes (weight_decay, clipnorm, clipvalue,
    global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
    gradient_accumulation_steps). ``undecayed``: indices of trainable parameters that do not decay. ``constraints``:
    ``{index: (name in keras.constraints, settings, function)}``.
    """

    def __init__(self, layers, x, y, **options):
        unknown = set(options) - set(OPTIONS)
        if unknown:
            raise TypeError("unknown options of a task: %s" % ", ".join(sorted(unknown)))
        self.layers, self.x, self.y = layers, x, y
        for name, default in OPTIONS.items():
            setattr(self, name, options.get(name, default))

    def network(self):
        """Returns a new network with the initial weights."""
        return network.Network(copy.deepcopy(self.layers))


class Descent:
    """An optimizer with what Keras wraps around every update."""

    def __init__(self, task, rounding):
        name, settings = task.optimizer
        self.update = updates.BY_NAME[name](**settings)
        self.task, self.common, self.rounding = task, task.common, rounding
        self.calls = self.steps = 0
        self.pending = None
        self.average = None

    def rate(self):
        """Returns the learning rate of the coming update.

        Schedules count calls, accumulating ones too, as Keras says.
        """
        return self.task.rate(self.calls) if callable(self.task.rate) else self.task.rate

    def apply(self, weights, gradients):
        """Returns the weights after one more batch."""
        every = self.common.get("gradient_accumulation_steps") or 1
        if every > 1:
            if self.pending:
                gradients = [self.rounding(p + g) for p, g in zip(self.pending, gradients)]
            self.pending = gradients
        if (self.calls + 1) % every == 0:
            self.pending = None
            weights = self._step(weights, [self.rounding(g / every) for g in gradients])
        self.calls += 1
        return weights

    def _step(self, weights, gradients):
        rounding = self.rounding
        gradients = self._clip(gradients)
        rate = self.rate()
        decay = self.common.get("weight_decay")
        if decay:
            weights = [
                w if i in self.task.undecayed else rounding(w - rounding(w * decay * rate))
                for i, w in enumerate(weights)
            ]
        self.steps += 1
        weights = self.update.step(weights, gradients, rate, self.steps, rounding)
        weights = self._averaged(weights)
        for index, (_, _, constrain) in self.task.constraints.items():
            weights[index] = rounding(constrain(weights[index]))
        return weights

    def _clip(self, gradients):
        """Clips gradients per value, per array, or over all arrays.

        Pascanu et al., arXiv:1211.5063, algorithm 1.
        """
        rounding = self.rounding
        if self.common.get("clipvalue"):
            bound = self.common["clipvalue"]
            return [np.clip(g, -bound, bound) for g in gradients]
        if self.common.get("clipnorm"):
            bound = self.common["clipnorm"]
            return [rounding(g * bound / max(bound, rounding(np.sqrt(np.sum(rounding(g**2)))))) for g in gradients]
        if self.common.get("global_clipnorm"):
            bound = self.common["global_clipnorm"]
            norm = rounding(np.sqrt(sum(np.sum(rounding(g**2)) for g in gradients)))
            return [rounding(g * bound / max(bound, norm)) for g in gradients]
        return gradients

    def _averaged(self, weights):
        """Updates and returns the exponential moving average of the weights.

        It starts at the first weights it sees, not at zero.
        """
        if not self.common.get("use_ema"):
            return weights
        keep = self.common.get("ema_momentum", 0.99)
        if self.average is None:
            self.average = [np.array(w) for w in weights]
        else:
            self.average = [self.rounding(keep * a + (1 - keep) * w) for a, w in zip(self.average, weights)]
        every = self.common.get("ema_overwrite_frequency")
        return [np.array(a) for a in self.average] if every and self.steps % every == 0 else weights

    def finish(self, weights):
        """Returns the weights that ``fit`` leaves behind."""
        return [np.array(a) for a in self.average] if self.common.get("use_ema") else weights


class Mean:
    """A running weighted mean."""

    def __init__(self):
        self.total = self.weight = 0.0

    def add(self, value, weight):
        self.total, self.weight = self.total + value * weight, self.weight + weight
        return self

    @property
    def value(self):
        return self.total / self.weight if self.weight else 0.0


class Logs:
    """Loss and metrics over the batches so far."""

    def __init__(self, task):
        self.task = task
        self.means = {name: Mean() for name in ("loss", *task.metrics, *task.weighted_metrics)}

    def add(self, loss, y, out, weight, mask):
        self.means["loss"].add(loss, len(y))
        for name in (*self.task.metrics, *self.task.weighted_metrics):
            values = network.METRICS[name](y, out)
            weights = np.ones(values.shape) if mask is None else np.array(mask, "float64")
            if name in self.task.weighted_metrics and weight is not None:
                weights = weights * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
            self.means[name].add((values * weights).sum() / (weights.sum() or 1.0), weights.sum())
        return self

    def values(self):
        return {name: mean.value for name, mean in self.means.items()}


def weights_of(task, y, sample_weight):
    """Returns the weight of every sample, from sample and class weights, or None."""
    if task.class_weight is None:
        return sample_weight
    weight = np.array([task.class_weight.get(int(label), 1.0) for label in y])
    return weight if sample_weight is None else weight * sample_weight


def batch_loss(task, out, y, weight, mask, rounding):
    """Returns ``(loss, derivative by out)`` of one batch."""
    values, slopes = network.LOSSES[task.loss](y, out, rounding)
    share = np.ones(values.shape)
    if weight is not None:
        share = share * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    if mask is not None:
        share = share * mask / mask.sum()
    elif task.reduction != "sum":
        share = share / values.size
    return rounding(rounding(values * share).sum()), rounding(slopes * share[..., None])


def fit(task, rounding=network.exact, logs_of_batches=False):
    """Returns ``{figure: value}``, the result of a whole ``fit``.

    Figures: ``loss`` and each metric, a list with one value per epoch, also as ``val_...``; ``running``: the
    logs after every batch, a list per name as ``running.<name>``; ``weights``: all arrays, in Keras's order;
    with ``logs_of_batches`` also ``batch.<name>``: every batch's own loss and metrics.
    """
    net, result = task.network(), {}
    descent = Descent(task, rounding)
    trained = net.trained()
    weight = weights_of(task, task.y, task.sample_weight)
    for epoch in range(task.epochs):
        logs = Logs(task)
        for index in batches(len(task.x), task.batch_size, task.steps):
            take = lambda array: None if array is None else array[index]  # noqa: E731, B023 - used in this pass only
            y, w, mask = take(task.y), take(weight), take(task.mask)
            out = net.forward(task.x[index], True, rounding)
            loss, slope = batch_loss(task, out, y, w, mask, rounding)
            loss = rounding(loss + net.penalty())
            net.backward(slope, rounding)
            old = [layer.parameters[i] for layer, i in trained]
            new = descent.apply(old, [layer.gradients[i] for layer, i in trained])
            logs.add(loss, y, out, w, mask)
            _assign(trained, new)
            if logs_of_batches:
                for name, value in Logs(task).add(loss, y, out, w, mask).values().items():
                    result.setdefault("batch." + name, []).append(value)
            for name, value in logs.values().items():
                result.setdefault("running." + name, []).append(value)
        for name, value in logs.values().items():
            result.setdefault(name, []).append(value)
        if task.validation is not None:
            if epoch == task.epochs - 1 and task.common.get("use_ema"):
                raise ValueError("a task with an average and validation would depend on when Keras takes it over")
            for name, value in evaluate(task, net, *task.validation, task.validation_weight, rounding).items():
                result.setdefault("val_" + name, []).append(value)
    _assign(trained, descent.finish([layer.parameters[i] for layer, i in trained]))
    result["weights"] = net.weights()
    return result


def evaluate(task, net, x, y, weight, rounding=network.exact):
    """Returns ``{name: value}``: loss and metrics of the network as it is."""
    logs = Logs(task)
    for index in batches(len(x), task.batch_size, None):
        out = net.forward(x[index], False, rounding)
        w = None if weight is None else weight[index]
        loss, _ = batch_loss(task, out, y[index], w, None, rounding)
        logs.add(rounding(loss + net.penalty()), y[index], out, w, None)
    return logs.values()


def batches(n, size, steps):
    """Slices of one epoch, the last one short; ``steps`` cuts the epoch off."""
    slices = [slice(start, min(start + size, n)) for start in range(0, n, size)]
    return slices if steps is None else slices[:steps]


def _assign(trained, values):
    for (layer, i), value in zip(trained, values):
        layer.parameters[i] = value
