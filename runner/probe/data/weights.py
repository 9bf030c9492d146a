"""class_weight and sample_weight in every form."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, given, need, numbers, refuses, true

CLASSES = {0: 0.5, 1: 2.0, 2: 3.0}


def _classifier(loss="sparse_categorical_crossentropy"):
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")]))
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True)
    return model


def _labels():
    return np.array([0, 1, 2, 1, 2])


def _losses(model, x, y):
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    out = x.astype("float64") @ kernel + bias
    return np.log(np.exp(out).sum(axis=1)) - out[np.arange(len(y)), y]


def _linear(**options):
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True, **options)
    return model


def _errors(model, x, y):
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    return (x.astype("float64") @ kernel + bias - y)[:, 0] ** 2


LABELS = ["int64", "uint8", "float32", "column", "one-hot", "int one-hot", "Series", "DataFrame"]
LABELS += ["backend tensor", "backend one-hot"]


def _held(kind, y):
    if kind in ("int64", "int32", "uint8", "float32"):
        return y.astype(kind)
    if kind.endswith("column"):
        return y[:, None].astype("float32" if kind.startswith("float") else "int64")
    if kind.endswith("one-hot"):
        made = np.eye(3, dtype="int64" if kind.startswith("int") else "float32")[y]
        return keras.ops.convert_to_tensor(made) if kind.startswith("backend") else made
    if kind == "Series":
        return need("pandas").Series(y)
    if kind == "DataFrame":
        return need("pandas").DataFrame({"y": y})
    if kind == "tf.Tensor":
        return need("tensorflow").constant(y)
    if kind == "torch.Tensor":
        return need("torch").tensor(y)
    return keras.ops.convert_to_tensor(y)


@each(kind=LABELS)
def class_weights_take_labels_as(kind):
    """class_weight weighs the samples of labels that are: {kind}"""
    model = _classifier("categorical_crossentropy" if kind.endswith("one-hot") else "sparse_categorical_crossentropy")
    x, y = numbers(5, 2), _labels()
    expected = np.sum([CLASSES[n] for n in y] * _losses(model, x, y)) / 5
    history = model.fit(x, _held(kind, y), class_weight=CLASSES, batch_size=2, verbose=0).history
    close(history["loss"], [expected], "loss")


@each(missing=[0, 1, 2])
def a_class_without_weight_has_one(missing):
    """A class that class_weight does not name has weight 1: {missing}"""
    model, x, y = _classifier(), numbers(5, 2), _labels()
    weights = {n: value for n, value in CLASSES.items() if n != missing}
    expected = np.sum([weights.get(n, 1.0) for n in y] * _losses(model, x, y)) / 5
    close(model.fit(x, y, class_weight=weights, batch_size=2, verbose=0).history["loss"], [expected], "loss")


@each(form=["one", "two"])
def two_classes_are_weighed(form):
    """class_weight weighs the labels 0 and 1 of a sigmoid ({form} dimensions)"""
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")]))
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy", run_eagerly=True)
    x, y = numbers(5, 2), np.array([0, 1, 1, 0, 1], "float32")
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    out = 1 / (1 + np.exp(-(x @ kernel + bias)[:, 0]))
    losses = -np.where(y == 1, np.log(out), np.log(1 - out))
    targets = y if form == "one" else y[:, None]
    history = model.fit(x, targets, class_weight={0: 0.5, 1: 3.0}, batch_size=2, verbose=0).history
    close(history["loss"], [np.sum(np.where(y == 1, 3.0, 0.5) * losses) / 5], "loss")


def class_weights_may_be_whole_numbers():
    """class_weight may have whole numbers as weights"""
    model, x, y = _classifier(), numbers(5, 2), _labels()
    weights = {0: 1, 1: 5, 2: 2}
    expected = np.sum([weights[n] for n in y] * _losses(model, x, y)) / 5
    close(model.fit(x, y, class_weight=weights, batch_size=2, verbose=0).history["loss"], [expected], "loss")


@each(form=["sparse", "column", "one-hot", "static one-hot"])
def class_weights_work_with_tf_data(form):
    """class_weight weighs the samples of a tf.data.Dataset ({form} labels)"""
    tf = need("tensorflow")
    model = _classifier("categorical_crossentropy" if "one-hot" in form else "sparse_categorical_crossentropy")
    x, y = numbers(4, 2), _labels()[:4]
    held = {"sparse": y, "column": y[:, None]}.get(form, np.eye(3, dtype="float32")[y])
    data = tf.data.Dataset.from_tensor_slices((x, held)).batch(2, drop_remainder=form == "static one-hot")
    expected = np.sum([CLASSES[n] for n in y] * _losses(model, x, y)) / 4
    close(model.fit(data, class_weight=CLASSES, verbose=0).history["loss"], [expected], "loss")


def class_weights_work_with_py_dataset():
    """class_weight weighs the samples of a PyDataset"""
    made = need("keras.utils.PyDataset")
    model, x, y = _classifier(), numbers(5, 2), _labels()

    class Own(made):
        def __len__(self):
            return 3

        def __getitem__(self, place):
            return x[2 * place : 2 * place + 2], y[2 * place : 2 * place + 2]

    expected = np.sum([CLASSES[n] for n in y] * _losses(model, x, y)) / 5
    close(model.fit(Own(), class_weight=CLASSES, verbose=0).history["loss"], [expected], "loss")


@each(compiled=["run_eagerly", "jit"])
def class_weights_train_as_sample_weights(compiled):
    """class_weight trains as the same sample_weight does ({compiled})"""
    x, y, found = numbers(4, 2), _labels()[:4], []
    for options in ({"class_weight": CLASSES}, {"sample_weight": np.array([CLASSES[n] for n in y], "float32")}):
        model = _classifier()
        loss = "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.SGD(0.5), loss, run_eagerly=compiled == "run_eagerly")
        model.fit(x, y, batch_size=2, shuffle=False, verbose=0, **options)
        found.append(model.get_weights())
    close(found[0], found[1], "weights after fit")


def class_weights_do_not_touch_validation():
    """class_weight does not weigh validation"""
    model, x, y = _classifier(), numbers(5, 2), _labels()
    history = model.fit(x, y, class_weight=CLASSES, validation_data=(x, y), verbose=0).history
    close(history["val_loss"], [np.mean(_losses(model, x, y))], "val_loss")


def class_weights_work_on_one_batch():
    """train_on_batch takes class_weight"""
    model, x, y = _classifier(), numbers(5, 2), _labels()
    expected = np.sum([CLASSES[n] for n in y] * _losses(model, x, y)) / 5
    close(model.train_on_batch(x, y, class_weight=CLASSES), expected, "loss")


@each(method=["fit", "train_on_batch"])
def class_and_sample_weights_together_are_refused(method):
    """{method} refuses class_weight together with sample_weight"""
    model, x, y = _classifier(), numbers(5, 2), _labels()
    options = {"class_weight": CLASSES, "sample_weight": np.ones(5, "float32")}
    refuses(lambda: getattr(model, method)(x, y, **options), "both kinds of weights")


def class_weights_for_two_outputs_are_refused():
    """fit refuses class_weight for a model of two outputs"""
    x = keras.Input((2,))
    model = keras.Model(x, [keras.layers.Dense(1)(x), keras.layers.Dense(1)(x)])
    model.compile("sgd", ["mse", "mse"], run_eagerly=True)
    y = np.ones((4, 1), "float32")
    refuses(lambda: model.fit(numbers(4, 2), [y, y], class_weight={0: 1.0, 1: 2.0}, verbose=0), "class_weight")


def class_weights_for_a_generator_are_refused():
    """fit works with, or refuses, class_weight for a generator"""
    x, y = numbers(4, 2), _labels()[:4]
    model = _classifier()
    expected = np.sum([CLASSES[n] for n in y] * _losses(model, x, y)) / 4
    try:
        history = model.fit(((x, y) for _ in range(1)), class_weight=CLASSES, verbose=0).history
    except ValueError as error:
        true("class_weight" in str(error), "the message names class_weight, got %s" % error)
    else:
        close(history["loss"], [expected], "loss")


@each(form=["(n,)", "(n, 1)"], method=["fit", "evaluate", "train_on_batch", "test_on_batch"])
def a_weight_for_each_sample(form, method):
    """{method} weighs samples by sample_weight of shape {form}"""
    model, x, y, w = _linear(), numbers(5, 2), numbers(5, 1, seed=1), np.arange(1.0, 6.0, dtype="float32")
    expected = np.sum(w * _errors(model, x, y)) / 5
    options = {} if "batch" in method else {"batch_size": 2, "verbose": 0}
    found = getattr(model, method)(x, y, sample_weight=w if form == "(n,)" else w[:, None], **options)
    close(found.history["loss"] if method == "fit" else found, [expected] if method == "fit" else expected, "loss")


def a_weight_for_each_step():
    """sample_weight of shape (samples, steps) weighs each step of a sequence"""
    model = given(keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    x, y, w = numbers(5, 3, 2), numbers(5, 3, 1, seed=1), np.arange(15.0, dtype="float32").reshape(5, 3)
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    errors = ((x @ kernel + bias - y) ** 2)[..., 0]
    expected = np.sum(w * errors) / 15
    close(model.evaluate(x, y, sample_weight=w, batch_size=2, verbose=0), expected, "loss of evaluate")
    close(model.fit(x, y, sample_weight=w, batch_size=2, verbose=0).history["loss"], [expected], "loss of fit")


def weights_of_zero_drop_samples():
    """Samples of weight 0 do not train"""
    x, y, w = numbers(4, 2), numbers(4, 1, seed=1), np.array([0, 1, 0, 0], "float32")
    models = []
    for other in (0.0, 100.0):
        model = _linear()
        model.optimizer.learning_rate = 0.1
        model.fit(x, y + other * (1 - w[:, None]), sample_weight=w, verbose=0)
        models.append(model.get_weights())
    close(models[0], models[1], "weights after fit, whatever the targets of these samples")


@each(method=["fit", "evaluate"])
def weights_count_in_weighted_metrics(method):
    """{method}: weighted_metrics are weighted means over all batches"""
    model, x, y = _linear(weighted_metrics=["mse"]), numbers(5, 2), numbers(5, 1, seed=1)
    w = np.arange(1.0, 6.0, dtype="float32")
    expected = np.sum(w * _errors(model, x, y)) / np.sum(w)
    options = {"sample_weight": w, "batch_size": 2, "verbose": 0}
    if method == "fit":
        close(model.fit(x, y, **options).history["mse"], [expected], "mse")
    else:
        close(model.evaluate(x, y, return_dict=True, **options)["mse"], expected, "mse")


@each(kind=["generator", "tf.data", "PyDataset"])
def weights_next_to_a_stream_are_refused(kind):
    """fit refuses sample_weight next to a {kind}"""
    x, y = numbers(4, 2), numbers(4, 1)
    if kind == "generator":
        data = ((x, y) for _ in range(1))
    elif kind == "tf.data":
        data = need("tensorflow").data.Dataset.from_tensor_slices((x, y)).batch(2)
    else:
        data = type(
            "Own", (need("keras.utils.PyDataset"),), {"__len__": lambda s: 1, "__getitem__": lambda s, n: (x, y)}
        )()
    refuses(lambda: _linear().fit(data, sample_weight=np.ones(4, "float32"), verbose=0), "sample_weight")
    refuses(lambda: _linear().fit(data, y, verbose=0), "targets next to the data")
