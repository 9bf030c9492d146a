"""Lists the tasks of the probe: one per promise of ``fit`` and per optimizer."""

from __future__ import annotations

import numpy as np

from . import keras_side, network, reference
from .compare import UNITS


class Scenario:
    """A training to try on both sides.

    ``measure(keras)`` and ``truth(rounding)`` give the same figures. ``figures``: those to compare (None: all of the
    truth). ``lacks(keras)``: why a version cannot be asked. ``unit``: the rounding error of the arithmetic. ``task``
    and ``gradients``: what ``script`` makes a script of. ``optional``: figures that not every version reports.
    """

    def __init__(self, name, measure, truth, figures=None, lacks=None, unit=UNITS["float32"], task=None):
        self.name, self.measure, self.truth = name, measure, truth
        self.figures, self.unit, self.task, self.gradients = figures, unit, task, None
        self.optional = ()
        self.lacks = lacks or (lambda keras: "")


def of_task(name, task, figures=None, unit=UNITS["float32"], without=(), lacks=None):
    """Returns the scenario that trains ``task`` on both sides.

    ``without`` names figures to leave out.
    """

    def truth(rounding):
        found = reference.fit(task, rounding)
        return {key: value for key, value in found.items() if key not in without}

    return Scenario(
        name,
        lambda keras: keras_side.fit(keras, task),
        truth,
        figures,
        lambda keras: (lacks(keras) if lacks else "") or keras_side.lacks(keras, task),
        unit,
        task,
    )


def of_updates(name, task):
    """Returns the scenario that hands the optimizer eight sets of gradients.

    The weights after each are compared. The optimizer is the task's.
    """

    def truth(rounding):
        descent, weights, trail = reference.Descent(task, rounding), task.network().weights(), []
        for gradients in GRADIENTS:
            weights = descent.apply(weights, [rounding(g) for g in gradients])
            trail.append(weights)
        return {"weights": [np.stack(arrays) for arrays in zip(*trail)]}

    made = Scenario(
        name,
        lambda keras: {"weights": keras_side.apply(keras, task, GRADIENTS)},
        truth,
        lacks=lambda keras: keras_side.lacks(keras, task),
        task=task,
    )
    made.gradients = GRADIENTS
    return made


_random = np.random.RandomState(31)


def _uniform(low, high, shape):
    """Returns values that float32 holds exactly, as float64."""
    return _random.uniform(low, high, shape).astype("float32").astype("float64")


N, ALL = 16, 22
"""Samples: two full batches, or - in the scenarios about that - two and one of six."""
X_ALL = _uniform(-1.5, 1.5, (ALL, 6))
Y_ALL = _uniform(-1.0, 1.0, (ALL, 3))
LABELS_ALL = _random.randint(0, 3, ALL)
WEIGHTS_ALL = _uniform(0.2, 3.0, ALL)
WEIGHTS_ALL[[2, 9]] = 0.0
X, Y, LABELS, WEIGHTS = X_ALL[:N], Y_ALL[:N], LABELS_ALL[:N], WEIGHTS_ALL[:N]
KERNEL_1, KERNEL_2 = _uniform(-0.7, 0.7, (6, 5)), _uniform(-0.8, 0.8, (5, 3))
BIAS_1, BIAS_2 = _uniform(-0.2, 0.2, 5), _uniform(-0.2, 0.2, 3)
STEPS_X, STEPS_Y = _uniform(0.1, 1.5, (N, 4, 6)), _uniform(-1.0, 1.0, (N, 4, 3))
MASK = np.arange(4) < _random.randint(1, 5, (N, 1))
WORDS = _random.randint(0, 7, (N, 5))
WORDS[WORDS == 4] = 1  # a row without a gradient
TABLE = _uniform(-1.0, 1.0, (7, 6))
GRADIENTS = [
    [
        (_random.standard_normal(w.shape) * 10.0 ** _random.uniform(-2, 0.5, w.shape))
        .astype("float32")
        .astype("float64")
        for w in (KERNEL_1, BIAS_1, KERNEL_2, BIAS_2)
    ]
    for _ in range(8)
]
"""Eight steps of gradients for the two dense layers, over two and a half orders of magnitude."""
VALIDATION = (X[::2] * 0.9, Y[::2])
VALIDATION_ALL = (X_ALL[::2] * 0.9, Y_ALL[::2])
CLASSES = {0: 1.0, 1: 2.5, 2: 0.25}


def mlp(**options):
    """Returns two dense layers; the options are the first one's."""
    return [network.Dense(KERNEL_1, BIAS_1, "tanh", **options), network.Dense(KERNEL_2, BIAS_2)]


def normalized(trainable=True):
    """Returns two dense layers with a batch normalization in between."""
    norm = network.BatchNormalization(
        np.linspace(0.5, 1.5, 5),
        np.linspace(-0.3, 0.3, 5),
        np.linspace(-0.2, 0.4, 5),
        np.linspace(0.4, 1.6, 5),
        0.8,
        0.01,
    )
    norm.trainable = trainable
    first, second = mlp()
    return [first, norm, second]


def words():
    """Returns an embedding, averaged over the words, and a dense layer."""
    return [network.Embedding(TABLE), network.Mean(), network.Dense(KERNEL_1, BIAS_1, "tanh"), mlp()[1]]


def regression(**options):
    return reference.Task(options.pop("layers", None) or mlp(), X, Y, **options)


def partial(**options):
    """Returns a task on all samples, where the last batch is short."""
    return reference.Task(options.pop("layers", None) or mlp(), X_ALL, Y_ALL, **options)


def three_batches(**options):
    """Returns a task in three batches of four."""
    return reference.Task(mlp(), X[:12], Y[:12], batch_size=4, **options)


def classification(**options):
    return reference.Task(mlp(), X, LABELS, loss="crossentropy", **options)


def last_batches():
    """Returns scenarios where the last batch is short.

    It counts by its samples in all that is reported.
    """
    weighted = {"sample_weight": WEIGHTS_ALL, "metrics": ("mae",), "weighted_metrics": ("mse",)}
    return [
        of_task("partial.fit", partial(metrics=("mae",))),
        of_task("partial.validation", partial(validation=VALIDATION_ALL), ("val_loss",)),
        of_task("partial.sample_weight", partial(**weighted)),
        of_task(
            "partial.steps_per_execution_2", partial(compile={"steps_per_execution": 2}), without=("running.loss",)
        ),
    ]


def losses():
    """Returns scenarios of how loss and metrics are weighted and averaged."""
    masked = {"layers": mlp(), "x": STEPS_X * MASK[..., None], "y": STEPS_Y, "mask": MASK}
    return [
        of_task("fit.basic", regression(metrics=("mae",))),
        of_task("fit.validation", regression(metrics=("mae",), validation=VALIDATION)),
        of_task(
            "fit.validation_weight",
            regression(weighted_metrics=("mae",), validation=VALIDATION, validation_weight=WEIGHTS[::2]),
        ),
        of_task("fit.sample_weight", regression(sample_weight=WEIGHTS, metrics=("mae",), weighted_metrics=("mse",))),
        of_task("fit.class_weight", classification(class_weight=CLASSES, metrics=("accuracy",))),
        of_task("fit.class_weight_one_hot", classification(class_weight=CLASSES, metrics=("accuracy",), one_hot=True)),
        of_task("fit.classes", classification(metrics=("accuracy",))),
        of_task("fit.reduction_sum", regression(reduction="sum", rate=0.01)),
        of_task("fit.mask", reference.Task(**masked, metrics=("mae",))),
        of_task(
            "fit.mask_sample_weight",
            reference.Task(**masked, sample_weight=np.outer(WEIGHTS, [1.0, 2.0, 0.5, 1.5]), weighted_metrics=("mae",)),
        ),
        of_task("fit.time_steps", reference.Task(mlp(), STEPS_X, STEPS_Y, metrics=("mae",))),
        of_task("fit.regularizers", regression(layers=mlp(l1=0.01, l2=0.02))),
        of_task("fit.activity_regularizer", regression(layers=mlp(activity_l2=0.01))),
        of_task("fit.batch_normalization", regression(layers=normalized(), validation=VALIDATION)),
        of_task("fit.batch_normalization_frozen", regression(layers=normalized(trainable=False))),
        of_task("fit.embedding", reference.Task(words(), WORDS, Y)),
    ]


def compiler(keras):
    """Returns why torch.compile is not tried.

    It takes minutes and a C++ compiler, which a slim image does not have.
    """
    return "torch.compile is not tried" if keras.config.backend() == "torch" else ""


def execution():
    """Returns scenarios that run the same steps in other ways.

    The ways must not change the steps.
    """
    running = ("running.loss",)
    return [
        of_task("run.eagerly", regression(compile={"run_eagerly": True})),
        of_task("run.jit", regression(compile={"jit_compile": True}), lacks=compiler),
        of_task("run.no_jit", regression(compile={"jit_compile": False})),
        of_task(
            "run.steps_per_execution_2",
            three_batches(compile={"steps_per_execution": 2}, validation=VALIDATION),
            without=running,
        ),
        of_task("run.steps_per_execution_8", three_batches(compile={"steps_per_execution": 8}), without=running),
        of_task("run.steps_per_epoch", three_batches(epochs=1, steps=2)),
    ]


def around_updates():
    """Returns scenarios of changes to gradients and weights around an update.

    The gradients change before the update, the weights after it.
    """
    average = {"use_ema": True, "ema_momentum": 0.8}
    accumulate = {"gradient_accumulation_steps": 2}
    adam = ("Adam", {"epsilon": 0.01})
    return [
        of_task("fit.ema", regression(common=average)),
        of_task("fit.ema_overwrite", regression(common=dict(average, ema_overwrite_frequency=2))),
        of_task("fit.loss_scale_factor", regression(common={"loss_scale_factor": 256.0})),
        of_task("fit.accumulation", regression(common=accumulate)),
        of_task("fit.accumulation_adam", regression(common=accumulate, optimizer=adam, rate=0.05)),
        of_task("fit.accumulation_clipnorm", regression(common=dict(accumulate, clipnorm=0.2))),
        of_task("fit.accumulation_weight_decay", regression(common=dict(accumulate, weight_decay=0.1))),
        of_task("fit.max_norm", regression(constraints={0: ("MaxNorm", {"max_value": 0.9}, max_norm)})),
        of_task("fit.non_negative", regression(constraints={2: ("NonNeg", {}, lambda w: np.maximum(w, 0.0))})),
        of_updates("update.weight_decay", regression(common={"weight_decay": 0.1})),
        of_updates("update.weight_decay_excluded", regression(common={"weight_decay": 0.1}, undecayed=(1, 3))),
        of_updates("update.clipnorm", regression(common={"clipnorm": 0.2})),
        of_updates("update.clipvalue", regression(common={"clipvalue": 0.03})),
        of_updates("update.global_clipnorm", regression(common={"global_clipnorm": 0.3})),
        of_updates("update.accumulation", regression(common=accumulate)),
    ]


def sparse():
    """Returns scenarios of an embedding with repeated indices.

    TensorFlow keeps its gradient as rows with repeated indices.
    """

    def lacks(keras):
        return "" if keras.config.backend() == "tensorflow" else "gradients are dense, see fit.embedding"

    embedded = {"layers": words(), "x": WORDS, "y": Y}
    options = [
        ("clipnorm", {"common": {"clipnorm": 0.05}}),
        ("global_clipnorm", {"common": {"global_clipnorm": 0.1}}),
        ("SGD", {"optimizer": ("SGD", {"momentum": 0.9}), "common": {"weight_decay": 0.1}}),
        ("Adam", {"optimizer": ("Adam", {"epsilon": 0.01}), "rate": 0.05}),
        ("Adagrad", {"common": {"gradient_accumulation_steps": 2}, "optimizer": ("Adagrad", {})}),
    ]
    return [
        of_task("sparse." + name, reference.Task(**embedded, **more), ("loss", "weights"), lacks=lacks)
        for name, more in options
    ]


def max_norm(kernel):
    """Bounds every unit's incoming weights by a ball of radius 0.9.

    Srivastava et al., JMLR 15 (2014).
    """
    norms = np.sqrt(np.sum(kernel**2, axis=0, keepdims=True))
    return kernel * np.minimum(norms, 0.9) / (norms + 1e-7)


def mixed():
    """Trains with half precision for computations, and single for the weights.

    The unit is the half type's.
    """
    return [
        of_task("mixed." + name, regression(policy="mixed_" + name, epochs=1), ("loss", "weights"), unit=UNITS[name])
        for name in ("bfloat16", "float16")
    ]


TRAJECTORIES = (
    # optimizer, further settings (large epsilons, so that their place shows), learning rate
    ("SGD", {}, 0.2),
    ("SGD", {"momentum": 0.9}, 0.1),
    ("SGD", {"momentum": 0.9, "nesterov": True}, 0.1),
    ("RMSprop", {}, 0.01),
    ("RMSprop", {"rho": 0.8, "epsilon": 0.01}, 0.02),
    ("RMSprop", {"momentum": 0.7, "epsilon": 0.01}, 0.02),
    ("RMSprop", {"centered": True, "momentum": 0.5, "epsilon": 0.01}, 0.02),
    ("Adam", {}, 0.01),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.01}, 0.05),
    ("Adam", {"amsgrad": True, "beta_2": 0.8, "epsilon": 0.01}, 0.05),
    ("AdamW", {"weight_decay": 0.1, "epsilon": 0.01}, 0.05),
    ("Adamax", {}, 0.02),
    ("Adamax", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.01}, 0.05),
    ("Nadam", {}, 0.01),
    ("Nadam", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.01}, 0.05),
    ("Adadelta", {}, 1.0),
    ("Adadelta", {"rho": 0.8, "epsilon": 0.01}, 1.0),
    ("Adagrad", {}, 0.1),
    ("Adagrad", {"initial_accumulator_value": 0.01, "epsilon": 0.01}, 0.1),
    ("Ftrl", {}, 0.1),
    ("Ftrl", {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02, "beta": 0.1}, 0.1),
    ("Ftrl", {"l2_shrinkage_regularization_strength": 0.05, "learning_rate_power": -0.6}, 0.1),
    ("Lion", {}, 0.01),
    ("Lion", {"beta_1": 0.8, "beta_2": 0.95}, 0.01),
    ("Lamb", {}, 0.02),
    ("Lamb", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.01}, 0.05),
    ("Adafactor", {}, 0.05),
    ("Adafactor", {"relative_step": False, "clip_threshold": 0.5, "beta_2_decay": -0.6}, 0.05),
    ("Muon", {"weight_decay": None, "adam_weight_decay": None, "rms_rate": 0.2, "adam_lr_ratio": 0.5}, 0.02),
    ("ScheduleFreeAdamW", {}, 0.02),
    ("ScheduleFreeAdamW", {"warmup_steps": 4, "epsilon": 0.01}, 0.05),
)


THROUGH_FIT = {("SGD", 3), ("RMSprop", 4), ("Adam", 2), ("Nadam", 2), ("Adafactor", 1), ("Muon", 1)}
"""Those also trained by ``fit``, where the update is compiled."""


def trajectories():
    """Returns scenarios of eight steps of each optimizer."""
    found, seen = [], {}
    for name, settings, rate in TRAJECTORIES:
        seen[name] = seen.get(name, 0) + 1
        common = {key: settings[key] for key in ("weight_decay",) if key in settings}
        own = {key: value for key, value in settings.items() if key not in common}
        task = regression(optimizer=(name, own), rate=rate, common=common, epochs=8, batch_size=N)
        found.append(of_updates("optimizer.%s_%d" % (name, seen[name]), task))
        if (name, seen[name]) in THROUGH_FIT:
            found.append(of_task("fit.%s" % name, task, ("loss", "weights")))
    return found


def every():
    """Returns all scenarios of this module, in order."""
    return last_batches() + losses() + execution() + around_updates() + sparse() + mixed() + trajectories()
