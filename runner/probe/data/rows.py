"""Sparse rows, rows shuffled by batches, and sounds of several lengths."""

from __future__ import annotations

import os

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers


def _dense_model():
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model


def _sparse(kind, value):
    """Returns the array as a sparse one."""
    if kind.startswith("scipy"):
        return need("scipy.sparse." + kind.partition(".")[2])(value)
    if kind == "tf.SparseTensor":
        return need("tensorflow").sparse.from_dense(value)
    if keras.backend.backend() != "jax":
        raise Lacking("BCOO belongs to jax")
    return need("jax").experimental.sparse.BCOO.fromdense(value)


@each(kind=["scipy.csr_matrix", "tf.SparseTensor", "jax BCOO"], zeros=["first", "last", "all", "a batch"])
def sparse_rows_of_zeros_count(kind, zeros):
    """predict and fit take a sparse {kind} with rows of zeros ({zeros}) as they are"""
    need("jax.experimental.sparse") if kind == "jax BCOO" else None
    x = np.abs(numbers(5, 3)) + 1
    x[{"first": slice(0, 1), "last": slice(4, 5), "all": slice(0, 5), "a batch": slice(2, 5)}[zeros]] = 0
    model, held = _dense_model(), _sparse(kind, x)
    expected = array(model(x))
    close(model.predict(held, batch_size=2, verbose=0), expected, "outputs")
    y = numbers(5, 2, seed=1)
    history = model.fit(held, y, batch_size=2, shuffle=False, verbose=0).history
    close(history["loss"], [np.mean((expected - y) ** 2)], "loss")


KINDS = ["ndarray", "tensor", "DataFrame", "scipy.csr_matrix"]


@each(kind=KINDS)
def rows_shuffled_by_batches_stay_together(kind):
    """fit(shuffle="batch") shuffles inputs ({kind}) and targets in the same way"""
    model, x = _dense_model(), np.abs(numbers(12, 3))
    y = 3.0 * array(model(x))
    expected = np.mean((array(model(x)) - y) ** 2)
    held = {
        "ndarray": lambda: x,
        "tensor": lambda: keras.ops.convert_to_tensor(x),
        "DataFrame": lambda: need("pandas").DataFrame(x),
        "scipy.csr_matrix": lambda: need("scipy.sparse.csr_matrix")(x),
    }[kind]()
    history = model.fit(held, y, batch_size=6, shuffle="batch", verbose=0).history
    close(history["loss"], [expected], "loss")


@each(labels=["int", "binary", "categorical", "None"])
def sounds_of_several_lengths_have_labels(labels):
    """audio_dataset_from_directory(label_mode={labels}) fills a batch to its longest"""
    tf = need("tensorflow")
    need("keras.utils.audio_dataset_from_directory")
    for name, length in (("a", 6), ("b", 4)):
        os.makedirs("sounds/" + name)
        wave = np.linspace(-0.5, 0.5, length, dtype="float32")[:, None]
        tf.io.write_file("sounds/%s/0.wav" % name, tf.audio.encode_wav(wave, 8000))
    mode = None if labels == "None" else labels
    data = keras.utils.audio_dataset_from_directory("sounds", label_mode=mode, batch_size=2, shuffle=False)
    batch = next(iter(data))
    x = batch if mode is None else batch[0]
    equal(tuple(x.shape), (2, 6, 1), "the shape of the sounds")
    expected = {"int": [0, 1], "binary": [[0], [1]], "categorical": [[1, 0], [0, 1]]}
    if mode:
        equal(np.asarray(batch[1]).astype(int), np.array(expected[mode]), "labels")
