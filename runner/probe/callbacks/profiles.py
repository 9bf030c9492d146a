"""TensorBoard profiles batches, and numbers what it writes by the step."""

from __future__ import annotations

import glob
import os

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, equal, given, need, numbers, true


def _trained(**options):
    """Trains four batches in each of two epochs, with a TensorBoard in ``logs``."""
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    board = keras.callbacks.TensorBoard("logs", write_graph=False, **options)
    model.fit(
        *(numbers(8, 2), numbers(8, 1, seed=1)), batch_size=2, epochs=2, verbose=0, callbacks=[board],
        validation_data=(numbers(4, 2), numbers(4, 1)), validation_batch_size=2,
    )  # fmt: skip


@each(batches=["2", "(2, 3)"])
def tensorboard_profiles_batches(batches):
    """TensorBoard(profile_batch={batches}) writes a profile (TensorFlow)"""
    if keras.backend.backend() != "tensorflow":
        raise Lacking("profiles of this backend here")
    _trained(profile_batch=eval(batches))  # noqa: S307 - written above
    found = glob.glob("logs/**/plugins/profile/**/*.xplane.pb", recursive=True)
    true(any(os.path.getsize(path) for path in found), "a profile is written, found %s" % found)


def _steps(part, name):
    """Returns the steps at which a scalar was written, in order."""
    need("tensorboard")
    tf = need("tensorflow")
    found = []
    for path in sorted(glob.glob("logs/%s/events*" % part)):
        for event in tf.compat.v1.train.summary_iterator(path):
            found += [event.step for value in event.summary.value if value.tag == name]
    return found


@each(freq=["batch", 2])
def tensorboard_numbers_batches(freq):
    """TensorBoard(update_freq={freq}) numbers batches on from epoch to epoch"""
    _trained(update_freq=freq)
    expected = list(range(8)) if freq == "batch" else list(range(0, 8, 2))
    found = _steps("train", "batch_loss")
    equal(np.diff(found), np.diff(expected), "distances of the steps")
