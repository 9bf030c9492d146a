"""Generates losses, metrics, optimizers and the like with each argument wrong.

A wrong argument is refused when the object is made or first used. A number of NumPy is as good as one of Python, and
what a configuration keeps makes the same object again.
"""

from __future__ import annotations

PAIR = "(ops.ones((2, 3)), ops.ones((2, 3)))"
CLASSES = "(ops.array([0, 1]), ops.ones((2, 3)))"
UPDATE = ".update_state(*%s)" % PAIR
STEP = ".apply([ops.ones((2,))], [keras.Variable(ops.ones((2,)))])"
USUAL_STEP = "learning_rate=0.1, weight_decay=0.01, clipnorm=1.0"
MADE = {
    "losses.Huber": ("delta=1.0", PAIR), "losses.BinaryCrossentropy": ("label_smoothing=0.1, axis=-1", PAIR),
    "losses.CategoricalCrossentropy": ("label_smoothing=0.1, axis=-1", PAIR),
    "losses.SparseCategoricalCrossentropy": ("ignore_class=1", CLASSES),
    "losses.BinaryFocalCrossentropy": ("alpha=0.25, gamma=2.0, label_smoothing=0.1", PAIR),
    "losses.CategoricalFocalCrossentropy": ("alpha=0.25, gamma=2.0, label_smoothing=0.1", PAIR),
    "losses.Tversky": ("alpha=0.5, beta=0.5", PAIR), "losses.CosineSimilarity": ("axis=-1", PAIR), "losses.Dice": ("axis=-1", PAIR),
    "metrics.BinaryAccuracy": ("threshold=0.5", UPDATE), "metrics.TopKCategoricalAccuracy": ("k=2", UPDATE),
    "metrics.SparseTopKCategoricalAccuracy": ("k=2", ".update_state(*%s)" % CLASSES), "metrics.MeanIoU": ("num_classes=2", UPDATE),
    "metrics.BinaryIoU": ("threshold=0.5", UPDATE), "metrics.AUC": ("num_thresholds=10", UPDATE), "metrics.Precision": ("top_k=2", UPDATE),
    "metrics.Recall": ("top_k=2", UPDATE), "metrics.PrecisionAtRecall": ("recall=0.5, num_thresholds=10", UPDATE),
    "metrics.SensitivityAtSpecificity": ("specificity=0.5, num_thresholds=10", UPDATE), "metrics.FBetaScore": ("beta=1.0", UPDATE),
    "metrics.R2Score": ("num_regressors=0", UPDATE), "metrics.BinaryCrossentropy": ("label_smoothing=0.1", UPDATE),
    "metrics.CosineSimilarity": ("axis=-1", UPDATE),
    "optimizers.SGD": (USUAL_STEP + ", momentum=0.9", STEP), "optimizers.Adam": (USUAL_STEP + ", beta_1=0.9, beta_2=0.9, epsilon=0.1", STEP),
    "optimizers.AdamW": ("learning_rate=0.1, beta_1=0.9, beta_2=0.9, epsilon=0.1", STEP), "optimizers.Adagrad": ("learning_rate=0.1, initial_accumulator_value=0.1", STEP),
    "optimizers.Adadelta": ("learning_rate=0.1, rho=0.9", STEP), "optimizers.RMSprop": ("learning_rate=0.1, rho=0.9, momentum=0.9", STEP),
    "optimizers.Nadam": ("learning_rate=0.1, beta_1=0.9", STEP), "optimizers.Lion": ("learning_rate=0.1, beta_1=0.9", STEP),
    "optimizers.Lamb": ("learning_rate=0.1, beta_1=0.9", STEP), "optimizers.Ftrl": ("learning_rate=0.1, l1_regularization_strength=0.1", STEP),
    "optimizers.Adafactor": ("learning_rate=0.1, beta_2_decay=-0.8, clip_threshold=1.0", STEP),
    "optimizers.LossScaleOptimizer": ("inner_optimizer=optimizers.SGD(0.1), initial_scale=2.0, dynamic_growth_steps=2", STEP),
    "schedules.ExponentialDecay": ("initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5", "(1)"),
    "schedules.CosineDecay": ("initial_learning_rate=0.1, decay_steps=10, alpha=0.1", "(1)"),
    "schedules.CosineDecayRestarts": ("initial_learning_rate=0.1, first_decay_steps=10, t_mul=2.0, m_mul=1.0", "(1)"),
    "schedules.PolynomialDecay": ("initial_learning_rate=0.1, decay_steps=10, power=2.0", "(1)"),
    "schedules.InverseTimeDecay": ("initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5", "(1)"),
    "initializers.RandomNormal": ("mean=0.0, stddev=1.0", "((2, 3))"), "initializers.RandomUniform": ("minval=0.0, maxval=1.0", "((2, 3))"),
    "initializers.TruncatedNormal": ("mean=0.0, stddev=1.0", "((2, 3))"), "initializers.VarianceScaling": ("scale=1.0", "((2, 3))"),
    "initializers.Constant": ("value=1.0", "((2, 3))"), "initializers.Identity": ("gain=1.0", "((2, 2))"),
    "initializers.Orthogonal": ("gain=1.0", "((2, 3))"),
    "regularizers.L1": ("l1=0.1", "(ops.ones((2, 3)))"), "regularizers.L2": ("l2=0.1", "(ops.ones((2, 3)))"),
    "regularizers.L1L2": ("l1=0.1, l2=0.1", "(ops.ones((2, 3)))"), "regularizers.OrthogonalRegularizer": ("factor=0.1", "(ops.ones((2, 3)))"),
    "constraints.MaxNorm": ("max_value=2.0, axis=0", "(ops.ones((2, 3)))"), "constraints.UnitNorm": ("axis=0", "(ops.ones((2, 3)))"),
    "constraints.MinMaxNorm": ("min_value=0.5, max_value=2.0, rate=0.5, axis=0", "(ops.ones((2, 3)))"),
}  # fmt: skip
"""Class -> its usual arguments, and a use that follows the call."""

WHOLE = ("-1", "2.5", "'a'")
NUMBER = ("'a'", "[1, 2, 3, 4]")
POSITIVE = ("-1.0", *NUMBER)
WRONG = {
    **dict.fromkeys(("num_thresholds", "num_classes", "num_regressors", "k", "top_k"), WHOLE),
    **dict.fromkeys(("decay_steps", "first_decay_steps", "dynamic_growth_steps"), ("0", "-1", "'a'")),
    **dict.fromkeys(("clipnorm", "delta", "stddev", "scale", "beta", "initial_accumulator_value", "initial_scale"), POSITIVE),
    **dict.fromkeys(("label_smoothing", "beta_1", "beta_2", "rho", "momentum", "recall", "specificity"), ("-0.5", "1.5", *NUMBER)),
    "axis": ("'a'", "7", "1.5"), "ignore_class": ("'a'", "1.5"), "inner_optimizer": ("3", "'bad'"),
}  # fmt: skip
"""Argument -> values that are wrong; of all others ``NUMBER``."""

FLOATS_OF_PYTHON = ("optimizers", "regularizers", "metrics")
"""They state that they ask for floats of Python."""
EXACT = (0.0, 0.25, 0.5, 1.0, -1.0, 2.0, 10.0)
"""The same number in float32."""


def add(add):
    """Adds the cases."""
    options = {"symbolic": False, "eager": True}
    for name, (arguments, use) in MADE.items():
        given = dict(item.split("=", 1) for item in arguments.split(", "))
        plain = _call(name, given)
        for argument, value in given.items():
            for wrong in WRONG.get(argument, NUMBER):
                made = _call(name, {**given, argument: wrong})
                add("refused(lambda: %s%s) ==> True" % (made, use), family="refusals", **options)
            if not value.replace(".", "").lstrip("-").isdigit() or ("." in value and name.startswith(FLOATS_OF_PYTHON)):
                continue
            made = _call(name, {**given, argument: "np.%s(%s)" % ("float32" if "." in value else "int64", value)})
            add("refused(lambda: %s%s) ==> False" % (made, use), family="forms", **options)
            if float(value) in EXACT and not name.startswith(("metrics", "optimizers")):
                add("clone_config(%s) == clone_config(%s) ==> True" % (made, plain), family="forms", **options)


def _call(name, arguments):
    return "%s(%s)" % (name, ", ".join("%s=%s" % pair for pair in arguments.items()))
