"""The parity probe over a Keras made of NumPy whose shuffle draws from a generator of choice."""

from __future__ import annotations

import random
import types

import numpy as np
import pytest

from runner.probe import parity


class Model:
    """Reports a mean loss after every sample, in an order that ``draw`` decides."""

    def __init__(self, draw):
        self.draw = draw

    def compile(self, **_options):
        pass

    def fit(self, _x, y, callbacks, **_options):
        order = self.draw(len(y))
        squares = np.square(y[order, 0], dtype="float64")
        for batch, mean in enumerate(np.cumsum(squares) / (np.arange(len(y)) + 1)):
            callbacks[0].on_train_batch_end(batch, {"loss": mean})


def keras_with(draw):
    class Seeds:
        @staticmethod
        def set_random_seed(seed):
            random.seed(seed)
            np.random.seed(seed)

    return types.SimpleNamespace(
        Sequential=lambda _layers: Model(draw),
        Input=lambda _shape: None,
        layers=types.SimpleNamespace(Dense=lambda *_a, **_k: None),
        optimizers=types.SimpleNamespace(SGD=lambda _rate: None),
        callbacks=types.SimpleNamespace(Callback=object),
        utils=Seeds,
    )


def from_python(count):
    return random.sample(range(count), count)


def fresh(count):
    return np.random.RandomState(7).permutation(count)


@pytest.fixture(autouse=True)
def no_keras_generator(monkeypatch):
    monkeypatch.setattr(parity, "_keras_generator", lambda: None)


def test_a_shuffle_from_numpy_is_found_and_goes_on():
    source = parity.shuffle_source(keras_with(np.random.permutation), "jax", 1)
    assert source["follows"] == source["drawn"] == ["numpy"]
    assert source["continues"]
    assert source["repeatable"]
    assert source["valid"]


def test_a_shuffle_from_python_is_found():
    assert parity.shuffle_source(keras_with(from_python), "jax", 1)["follows"] == ["python"]


def test_a_generator_that_is_drawn_from_for_something_else_is_not_blamed():
    def draw(count):
        random.random()  # noqa: S311 - a generator, not a secret
        return np.random.permutation(count)

    source = parity.shuffle_source(keras_with(draw), "jax", 1)
    assert source["follows"] == ["numpy"]
    assert source["drawn"] == ["numpy", "python"]


def test_a_shuffle_that_starts_over_follows_no_generator():
    source = parity.shuffle_source(keras_with(fresh), "jax", 1)
    assert (source["follows"], source["drawn"], source["continues"]) == ([], [], False)
    assert sorted(source["first"]) == list(range(parity.ORDER_SAMPLES))


def losses(**changed):
    return dict({kind: [1.0, 0.5] for kind in parity.KINDS}, **changed)


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (losses(), "equal"),
        (losses(functional=[1.0, 0.5 + 1e-7]), "rounding"),
        (losses(subclassed=[1.0, 0.51]), "differs"),
    ],
)
def test_the_largest_difference_decides(found, word):
    judged = parity._judge([found, losses(sequential=[1.0, 0.6])])
    assert judged["verdict"] == word
    assert judged["repeatability"] == pytest.approx(0.1 / 0.6)


def test_sentences_say_what_works_where():
    trained = {name: parity._judge([losses()]) for name, *_ in parity.REMEDIES}
    trained["seed_once"] = parity._judge([losses(functional=[1.0, 0.6])])
    source = {"follows": ["numpy"], "continues": True}
    request = types.SimpleNamespace(framework="jax", keras="3.8.0")
    said = parity.sentences(trained, source, request)
    assert (
        said["seed_once"]
        == "Seeding once: does not work, the losses are up to 0.17 apart (relative), on jax with keras 3.8.0."
    )
    assert "works, the three models agree bit by bit" in said["no_shuffle"]
    assert said["shuffle"].endswith("follows the generator of numpy and goes on from there in the next fit.")
