"""Models as estimators of scikit-learn, which Keras has since 3.9."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses, true


def _wrapper(kind):
    need("sklearn.base")
    return need("keras.wrappers." + kind)


def _classes(kind="int"):
    """Returns rows of two separated classes, and their labels."""
    x = numbers(20, 2) * 0.1 + np.repeat([[1.0, 1.0], [-1.0, -1.0]], 10, axis=0).astype("float32")
    labels = np.repeat([0, 1], 10)
    return x, {"int": labels, "text": np.array(["no", "yes"])[labels], "other": labels * 5 + 3}[kind]


def _classifier(X, y, loss="categorical_crossentropy"):  # noqa: N803 - scikit-learn's name
    outputs = y.shape[1] if len(y.shape) > 1 else 1
    layers = [keras.Input((X.shape[1],)), keras.layers.Dense(outputs, activation="softmax")]
    model = given(keras.Sequential(layers))
    model.compile(keras.optimizers.SGD(0.5), loss, run_eagerly=True)
    return model


def _regressor(X, y):  # noqa: N803 - scikit-learn's name
    outputs = y.shape[1] if len(y.shape) > 1 else 1
    model = given(keras.Sequential([keras.Input((X.shape[1],)), keras.layers.Dense(outputs)]))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    return model


@each(kind=["int", "text", "other"])
def a_classifier_predicts_labels(kind):
    """SKLearnClassifier predicts labels of {kind} as they were given"""
    x, y = _classes(kind)
    found = _wrapper("SKLearnClassifier")(_classifier, fit_kwargs={"epochs": 20, "verbose": 0}).fit(x, y)
    equal(found.predict(x).ravel().tolist(), y.tolist(), "labels")


def a_classifier_predicts_probabilities():
    """SKLearnClassifier.predict_proba gives a row of shares that sum to 1"""
    x, y = _classes()
    found = _wrapper("SKLearnClassifier")(_classifier, fit_kwargs={"epochs": 2, "verbose": 0}).fit(x, y)
    need("keras.wrappers.SKLearnClassifier.predict_proba")
    shares = np.asarray(found.predict_proba(x))
    equal(shares.shape, (20, 2), "shape")
    close(shares.sum(1), np.ones(20), "sums")


def a_classifier_has_a_score():
    """SKLearnClassifier.score is the accuracy"""
    x, y = _classes()
    found = _wrapper("SKLearnClassifier")(_classifier, fit_kwargs={"epochs": 20, "verbose": 0}).fit(x, y)
    equal(found.score(x, y), 1.0, "score")


def a_regressor_keeps_shapes():
    """SKLearnRegressor predicts one number a row for targets of one number"""
    x, y = numbers(12, 3), numbers(12, seed=1)
    found = _wrapper("SKLearnRegressor")(_regressor, fit_kwargs={"epochs": 2, "verbose": 0}).fit(x, y)
    equal(np.asarray(found.predict(x)).shape, y.shape, "shape")


def a_regressor_is_fit():
    """SKLearnRegressor predicts what its model predicts"""
    x, y = numbers(12, 3), numbers(12, 1, seed=1)
    found = _wrapper("SKLearnRegressor")(_regressor, fit_kwargs={"epochs": 2, "verbose": 0, "shuffle": False}).fit(x, y)
    model = _regressor(x, y)
    model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    close(np.asarray(found.predict(x)).ravel(), model.predict(x, verbose=0).ravel(), "predictions")


def a_transformer_transforms():
    """SKLearnTransformer.transform gives the model's outputs"""
    x, y = numbers(12, 3), numbers(12, seed=1)
    found = _wrapper("SKLearnTransformer")(_regressor, fit_kwargs={"epochs": 1, "verbose": 0}).fit(x, y)
    equal(np.asarray(found.transform(x)).size, 12, "numbers")


@each(kind=["SKLearnClassifier", "SKLearnRegressor"])
def estimators_are_cloned(kind):
    """sklearn.base.clone of {kind} keeps its parameters and learns alike"""
    clone = need("sklearn.base.clone")
    x, y = _classes()
    build = _classifier if kind == "SKLearnClassifier" else _regressor
    first = _wrapper(kind)(build, fit_kwargs={"epochs": 1, "verbose": 0, "shuffle": False})
    second = clone(first)
    equal(second.get_params()["fit_kwargs"], first.get_params()["fit_kwargs"], "fit_kwargs")
    close(np.asarray(second.fit(x, y).predict(x), "float64"), np.asarray(first.fit(x, y).predict(x), "float64"))


def a_compiled_model_is_taken():
    """SKLearnRegressor takes a compiled model in place of a function"""
    x, y = numbers(9, 3), numbers(9, 1, seed=1)
    found = _wrapper("SKLearnRegressor")(_regressor(x, y), fit_kwargs={"epochs": 1, "verbose": 0}).fit(x, y)
    equal(np.asarray(found.predict(x)).size, 9, "rows")


def arguments_reach_the_function():
    """SKLearnClassifier passes model_kwargs to the function that builds"""
    seen = []

    def build(X, y, width=1):  # noqa: N803 - scikit-learn's name
        seen.append(width)
        return _classifier(X, y)

    x, y = _classes()
    kind = _wrapper("SKLearnClassifier")
    kind(build, model_kwargs={"width": 7}, fit_kwargs={"epochs": 1, "verbose": 0}).fit(x, y)
    equal(seen, [7], "widths")


def estimators_work_in_a_pipeline():
    """cross_val_score of a pipeline with SKLearnClassifier gives a score per fold"""
    pipeline = need("sklearn.pipeline.make_pipeline")
    scaler, score = need("sklearn.preprocessing.StandardScaler"), need("sklearn.model_selection.cross_val_score")
    x, y = _classes()
    made = pipeline(scaler(), _wrapper("SKLearnClassifier")(_classifier, fit_kwargs={"epochs": 20, "verbose": 0}))
    equal(score(made, x, y, cv=2).tolist(), [1.0, 1.0], "scores")


@each(kind=["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"])
def estimators_refuse_to_predict_unfitted(kind):
    """{kind} refuses to predict before fit"""
    errors = (need("sklearn.exceptions.NotFittedError"), ValueError)
    found = _wrapper(kind)(_regressor)
    use = found.transform if kind == "SKLearnTransformer" else found.predict
    true(refuses(lambda: use(numbers(3, 2)), "unfitted", errors), "the refusal says why")


def estimators_refuse_other_columns():
    """SKLearnRegressor refuses to predict rows of another width"""
    found = _wrapper("SKLearnRegressor")(_regressor, fit_kwargs={"epochs": 1, "verbose": 0})
    found.fit(numbers(9, 3), numbers(9, 1, seed=1))
    refuses(lambda: found.predict(numbers(3, 2)), "two columns in place of three")


def estimators_refuse_a_model_without_loss():
    """SKLearnRegressor refuses a model that is not compiled"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    found = _wrapper("SKLearnRegressor")(model)
    errors = (ValueError, RuntimeError)
    refuses(lambda: found.fit(numbers(9, 3), numbers(9, 1, seed=1)), "a model that is not compiled", errors)
