"""Generates cases of the parts of training.

Optimizers' steps, schedules, initializers, constraints, regularizers.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _optimizers(add)
    _schedules(add)
    _pieces(add)
    _initializers(add)


def _optimizers(add):
    inputs = {
        "w": "normal(3, 4)",
        "a": "normal(3, 4, seed=1)",
        "b": "normal(3, 4, seed=2)",
        "c": "3 * normal(3, 4, seed=3)",
    }
    rules = (
        ("SGD(0.1)", "sgd(w, {0}, 0.1)"), ("SGD(0.1, momentum=0.9)", "sgd(w, {0}, 0.1, 0.9)"), ("SGD(0.1, momentum=0.9, nesterov=True)", "sgd(w, {0}, 0.1, 0.9, True)"),
        ("SGD(0.1, weight_decay=0.1)", "sgd(w, {0}, 0.1, decay=0.1)"), ("Adam(0.1)", "adam(w, {0}, 0.1)"), ("Adam(0.1, amsgrad=True)", "adam(w, {0}, 0.1, amsgrad=True)"),
        ("Adam(0.1, beta_1=0.8, beta_2=0.9, epsilon=0.01)", "adam(w, {0}, 0.1, 0.8, 0.9, 0.01)"), ("AdamW(0.1)", "adam(w, {0}, 0.1, decay=0.004)"),
        ("AdamW(0.1, weight_decay=0.2)", "adam(w, {0}, 0.1, decay=0.2)"), ("Adamax(0.1)", "adamax(w, {0}, 0.1)"), ("Nadam(0.1)", "nadam(w, {0}, 0.1)"),
        ("Adagrad(0.1)", "adagrad(w, {0}, 0.1)"), ("Adadelta(0.5)", "adadelta(w, {0}, 0.5)"), ("RMSprop(0.1)", "rmsprop(w, {0}, 0.1)"),
        ("RMSprop(0.1, momentum=0.9)", "rmsprop(w, {0}, 0.1, momentum=0.9)"), ("RMSprop(0.1, centered=True)", "rmsprop(w, {0}, 0.1, centered=True)"),
        ("Lion(0.1)", "lion(w, {0}, 0.1)"), ("Ftrl(0.1)", "ftrl(w, {0}, 0.1)"),
        ("Ftrl(0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.2)", "ftrl(w, {0}, 0.1, l1=0.1, l2=0.2)"),
        ("Ftrl(0.1, l2_shrinkage_regularization_strength=0.1, beta=0.3)", "ftrl(w, {0}, 0.1, shrink=0.1, beta=0.3)"),
        ("SGD(0.1, clipvalue=0.5)", "sgd(w, ref.clipped({0}, value=0.5), 0.1)"), ("SGD(0.1, clipnorm=1.0)", "sgd(w, ref.clipped({0}, norm=1.0), 0.1)"),
        ("SGD(0.1, global_clipnorm=1.0)", "sgd(w, ref.clipped({0}, norm=1.0), 0.1)"), ("SGD(0.1, gradient_accumulation_steps=3)", "sgd(w, [(a + b + c) / 3], 0.1)"),
        ("Adam(0.1, gradient_accumulation_steps=3)", "adam(w, [(a + b + c) / 3], 0.1)"), ("SGD(0.1, use_ema=True)", "sgd(w, {0}, 0.1)"),
        ("SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3)",
         "averaged([ref.sgd(w, [a], 0.1), ref.sgd(w, [a, b], 0.1), ref.sgd(w, [a, b, c], 0.1)], 0.5)"),
        ("LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=1.0)", "sgd(w, {0}, 0.1)"),
        ("SGD(schedules.ExponentialDecay(0.1, 1, 0.5))", "sgd(ref.sgd(ref.sgd(w, [a], 0.1), [b], 0.05), [c], 0.025)"),
    )  # fmt: skip
    for optimizer, rule in rules:
        add("steps_of(optimizers.%s, w, [a, b, c]) ==> ref.%s" % (optimizer, rule.format("[a, b, c]")), inputs, symbolic=False, eager=True,
            family="optimizers", tol=1000.0)  # fmt: skip
    for optimizer in (
        "Adafactor(0.1)",
        "Adafactor(0.1, relative_step=False)",
        "Muon(0.1)",
        "Lamb(0.1)",
        "Adam(0.1, use_ema=True, ema_overwrite_frequency=2)",
    ):
        add(
            "steps_of(optimizers.%s, w, [a, b, c]) ==> ?" % optimizer,
            inputs,
            symbolic=False,
            eager=True,
            family="optimizers",
        )


def _schedules(add):
    for step in (0, 3, 7, 10, 25):
        add(
            """
            schedules.ExponentialDecay(0.1, 5, 0.5)({0}) ==> 0.1 * 0.5 ** ({0} / 5)
            schedules.ExponentialDecay(0.1, 5, 0.5, staircase=True)({0}) ==> 0.1 * 0.5 ** ({0} // 5)
            schedules.InverseTimeDecay(0.1, 5, 0.5)({0}) ==> 0.1 / (1 + 0.5 * {0} / 5)
            schedules.InverseTimeDecay(0.1, 5, 0.5, staircase=True)({0}) ==> 0.1 / (1 + 0.5 * ({0} // 5))
            schedules.PiecewiseConstantDecay([3, 10], [1.0, 0.5, 0.1])({0}) ==> 1.0 if {0} <= 3 else 0.5 if {0} <= 10 else 0.1
            schedules.PolynomialDecay(0.1, 10, 0.01, power=2.0)({0}) ==> ref.polynomial_decay({0}, 0.1, 10, 0.01, 2.0)
            schedules.PolynomialDecay(0.1, 10, 0.01, cycle=True)({0}) ==> ref.polynomial_decay({0}, 0.1, 10, 0.01, cycle=True)
            schedules.CosineDecay(0.1, 10, alpha=0.1)({0}) ==> ref.cosine_decay({0}, 0.1, 10, 0.1)
            schedules.CosineDecay(0.0, 10, warmup_target=0.2, warmup_steps=5)({0}) ==> ref.cosine_decay({0}, 0.0, 10, 0.0, 0.2, 5)
            schedules.CosineDecayRestarts(0.1, 5)({0}) ==> ref.cosine_restarts({0}, 0.1, 5)
            schedules.CosineDecayRestarts(0.1, 5, t_mul=1.0, m_mul=0.8, alpha=0.1)({0}) ==> ref.cosine_restarts({0}, 0.1, 5, 1.0, 0.8, 0.1)
            """.format(step),
            symbolic=False, family="schedules", tol=1000.0,
        )  # fmt: skip


def _pieces(add):
    inputs = {"w": "2 * normal(4, 3)", "k": "2 * normal(3, 3, 2, 4)", "z": "np.zeros((4, 3), 'float32')"}
    add(
        """
        constraints.MaxNorm(1.5)(w) ==> w * np.clip(np.linalg.norm(w, axis=0), 0, 1.5) / (1e-7 + np.linalg.norm(w, axis=0))
        constraints.MaxNorm(1.5, axis=[0, 1, 2])(k) ==> k * np.clip(np.sqrt(np.sum(k * k, (0, 1, 2))), 0, 1.5) / (1e-7 + np.sqrt(np.sum(k * k, (0, 1, 2))))
        constraints.NonNeg()(w) ==> np.maximum(w, 0)
        constraints.UnitNorm()(w) ==> w / (1e-7 + np.linalg.norm(w, axis=0))
        constraints.UnitNorm(axis=1)(w) ==> w / (1e-7 + np.linalg.norm(w, axis=1, keepdims=True))
        constraints.UnitNorm()(z) ==> z
        constraints.MinMaxNorm(0.5, 1.5, rate=0.8)(w) ==> w * (0.8 * np.clip(np.linalg.norm(w, axis=0), 0.5, 1.5) + 0.2 * np.linalg.norm(w, axis=0)) / (1e-7 + np.linalg.norm(w, axis=0))
        regularizers.L1(0.1)(w) ==> 0.1 * np.abs(w).sum()
        regularizers.L2(0.1)(w) ==> 0.1 * np.square(w).sum()
        regularizers.L1L2(0.1, 0.2)(w) ==> 0.1 * np.abs(w).sum() + 0.2 * np.square(w).sum()
        regularizers.OrthogonalRegularizer(0.1)(w) ==> 0.1 * 0.5 * np.sum(np.abs(ref.unit_norm(w, 1) @ ref.unit_norm(w, 1).T) * (1 - np.eye(4))) / 6
        regularizers.OrthogonalRegularizer(0.1, mode="columns")(w) ==> 0.1 * 0.5 * np.sum(np.abs(ref.unit_norm(w, 0).T @ ref.unit_norm(w, 0)) * (1 - np.eye(3))) / 3
        """,
        inputs, wrt=("w",), symbolic=False, family="constraints and regularizers",
    )  # fmt: skip
    add(
        """
        utils.to_categorical([0, 2, 1], 4) ==> np.eye(4)[[0, 2, 1]]
        utils.to_categorical([[0], [2]]) ==> np.eye(3)[[0, 2]]
        utils.to_categorical([[0, 1], [2, 0]], 3) ==> np.eye(3)[[[0, 1], [2, 0]]]
        utils.pad_sequences([[1], [2, 3], [4, 5, 6, 7]], maxlen=3) ==> np.array([[0, 0, 1], [0, 2, 3], [5, 6, 7]])
        utils.pad_sequences([[1], [2, 3], [4, 5, 6, 7]], maxlen=3, padding="post", truncating="post", value=9) ==> np.array([[1, 9, 9], [2, 3, 9], [4, 5, 6]])
        utils.pad_sequences([[1], [2, 3]]) ==> np.array([[0, 1], [2, 3]])
        """,
        symbolic=False, eager=True, family="utils",
    )  # fmt: skip


def _initializers(add):
    n = 40000.0
    draws = (
        ("RandomNormal(0.5, 2.0, seed=1)", "(200, 200)", 0.5, 4.0, 3.0), ("RandomUniform(-1.0, 3.0, seed=1)", "(200, 200)", 1.0, 16 / 12, 1.8),
        ("TruncatedNormal(0.0, 1.0, seed=1)", "(200, 200)", 0.0, 0.7737413, 2.5), ("GlorotUniform(seed=1)", "(100, 400)", 0.0, 2 / 500, 1.8),
        ("GlorotNormal(seed=1)", "(100, 400)", 0.0, 2 / 500, 2.5), ("HeNormal(seed=1)", "(100, 400)", 0.0, 2 / 100, 2.5), ("HeUniform(seed=1)", "(100, 400)", 0.0, 2 / 100, 1.8),
        ("LecunNormal(seed=1)", "(100, 400)", 0.0, 1 / 100, 2.5), ("LecunUniform(seed=1)", "(100, 400)", 0.0, 1 / 100, 1.8),
        ("GlorotUniform(seed=1)", "(5, 5, 20, 80)", 0.0, 2 / 2500, 1.8), ("HeNormal(seed=1)", "(5, 5, 20, 80)", 0.0, 2 / 500, 2.5),
        ("VarianceScaling(2.0, 'fan_out', 'uniform', seed=1)", "(100, 400)", 0.0, 2 / 400, 1.8),
        ("VarianceScaling(1.0, 'fan_avg', 'untruncated_normal', seed=1)", "(100, 400)", 0.0, 1 / 250, 3.0),
    )  # fmt: skip
    for initializer, shape, mean, variance, kurtosis in draws:
        # seven standard errors: once in 4e11 by chance, and the seed is fixed
        margins = (7 * (variance / n) ** 0.5, 7 * variance * (max(kurtosis - 1, 0.8) / n) ** 0.5)
        add("within(moments_of(lambda _: initializers.{0}({1})), ({2!r}, {3!r}), ({4:.5g}, {5:.5g})) ==> [True, True]".format(
            initializer, shape, mean, variance, *margins), symbolic=False, eager=True, family="initializers")  # fmt: skip
    add(
        """
        initializers.Zeros()((2, 3)) ==> np.zeros((2, 3))
        initializers.Ones()((2, 3)) ==> np.ones((2, 3))
        initializers.Constant(2.5)((2, 3)) ==> np.full((2, 3), 2.5)
        initializers.Identity(2.0)((3, 3)) ==> 2 * np.eye(3)
        initializers.Identity()((3, 4)) ==> np.eye(3, 4)
        ops.matmul(ops.transpose(initializers.Orthogonal(2.0, seed=1)((5, 3))), initializers.Orthogonal(2.0, seed=1)((5, 3))) ==> 4 * np.eye(3)
        ops.matmul(initializers.Orthogonal(seed=1)((3, 5)), ops.transpose(initializers.Orthogonal(seed=1)((3, 5)))) ==> np.eye(3)
        initializers.GlorotUniform(seed=3)((3, 4)) - initializers.GlorotUniform(seed=3)((3, 4)) ==> np.zeros((3, 4))
        initializers.Orthogonal(seed=3)((3, 4)) - initializers.Orthogonal(seed=3)((3, 4)) ==> np.zeros((3, 4))
        initializers.RandomNormal(seed=3)((3, 4)) - initializers.get(initializers.serialize(initializers.RandomNormal(seed=3)))((3, 4)) ==> np.zeros((3, 4))
        initializers.STFT("real", window="hann")((8, 1, 5)) ==> ?
        initializers.STFT("imag", window=None, scaling="density")((8, 1, 5)) ==> ?
        """,
        symbolic=False, eager=True, tol=1000.0, family="initializers",
    )  # fmt: skip
