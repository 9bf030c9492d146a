"""Data sets of grain, which Keras accepts since 3.12."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, close, equal, given, need, numbers, true


def _grain():
    """Returns grain where this release of Keras accepts it."""
    if not hasattr(keras.utils.text_dataset_from_directory, "__code__"):
        raise Lacking("no text_dataset_from_directory")
    try:
        need("keras.utils.timeseries_dataset_from_array(format)")
    except Lacking:
        need("keras.src.trainers.data_adapters.grain_dataset_adapter")
    return need("grain")


def _pairs(rows=5, size=2):
    """Returns ``rows`` rows of inputs and targets, as a grain data set in batches."""
    grain = _grain()
    x, y = numbers(rows, 2), numbers(rows, 1, seed=1)
    data = grain.MapDataset.source(list(range(rows))).map(lambda row: (x[row], y[row]))
    return x, y, data.batch(size)


def _model():
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    return model


@each(kind=["MapDataset", "IterDataset", "DataLoader"])
def fit_takes_grain(kind):
    """fit takes a {kind} of grain and learns what it learns from arrays"""
    grain = _grain()
    x, y, data = _pairs(6)
    if kind == "IterDataset":
        data = data.to_iter_dataset()
    if kind == "DataLoader":
        rows = [(x[row], y[row]) for row in range(6)]

        class Source:
            def __len__(self):
                return 6

            def __getitem__(self, row):
                return rows[row]

        sampler = grain.samplers.IndexSampler(6, shard_options=grain.sharding.NoSharding(), shuffle=False, num_epochs=1)
        data = grain.DataLoader(data_source=Source(), sampler=sampler, operations=[grain.transforms.Batch(2)])
    model, other = _model(), _model()
    model.fit(data, epochs=1, verbose=0)
    other.fit(x, y, batch_size=2, epochs=1, shuffle=False, verbose=0)
    close(model.get_weights(), other.get_weights(), "weights")


@each(epochs=[2, 3])
def fit_repeats_grain(epochs):
    """fit goes through a data set of grain {epochs} times, as through arrays"""
    x, y, data = _pairs(6)
    model, other = _model(), _model()
    model.fit(data, epochs=epochs, verbose=0)
    other.fit(x, y, batch_size=2, epochs=epochs, shuffle=False, verbose=0)
    close(model.get_weights(), other.get_weights(), "weights")


def evaluate_takes_grain():
    """evaluate of a data set of grain, with a short last batch, is that of arrays"""
    x, y, data = _pairs(5)
    model = _model()
    close(model.evaluate(data, verbose=0), model.evaluate(x, y, batch_size=2, verbose=0), "loss")


def predict_takes_grain():
    """predict of a data set of grain, with a short last batch, is that of arrays"""
    grain = _grain()
    x = numbers(5, 2)
    data = grain.MapDataset.source(list(range(5))).map(lambda row: x[row]).batch(2)
    model = _model()
    close(model.predict(data, verbose=0), model.predict(x, verbose=0), "predictions")


def fit_takes_grain_with_weights():
    """fit takes triples of grain: inputs, targets and sample weights"""
    grain = _grain()
    x, y, w = numbers(6, 2), numbers(6, 1, seed=1), np.arange(6, dtype="float32")
    data = grain.MapDataset.source(list(range(6))).map(lambda row: (x[row], y[row], w[row])).batch(2)
    model, other = _model(), _model()
    model.fit(data, verbose=0)
    other.fit(x, y, sample_weight=w, batch_size=2, shuffle=False, verbose=0)
    close(model.get_weights(), other.get_weights(), "weights")


def fit_takes_grain_of_dicts():
    """fit takes a data set of grain whose inputs are a dict"""
    grain = _grain()
    x, y = numbers(6, 2), numbers(6, 1, seed=1)
    data = grain.MapDataset.source(list(range(6))).map(lambda row: ({"a": x[row]}, y[row])).batch(2)
    inputs = {"a": keras.Input((2,), name="a")}
    model = given(keras.Model(inputs, keras.layers.Dense(1)(inputs["a"])))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    other = _model()
    model.fit(data, verbose=0)
    other.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    close(model.get_weights(), other.get_weights(), "weights")


def validation_takes_grain():
    """fit validates on a data set of grain as on arrays"""
    x, y, data = _pairs(5)
    model, other = _model(), _model()
    first = model.fit(data, validation_data=data, epochs=2, verbose=0).history["val_loss"]
    second = other.fit(x, y, batch_size=2, validation_data=(x, y), epochs=2, shuffle=False, verbose=0).history
    close(first, second["val_loss"], "val_loss")


@each(layer=["Normalization", "Discretization", "TextVectorization"])
def adapt_takes_grain(layer):
    """{layer}.adapt of a data set of grain is that of an array"""
    grain = _grain()
    kind = getattr(keras.layers, layer)
    if layer == "TextVectorization":
        values, options = np.array(["a b", "b c", "b", "c c d"]), {}
    elif layer == "Discretization":
        values, options = np.arange(8, dtype="float32"), {"num_bins": 3}
    else:
        values, options = numbers(8, 2), {}
    data = grain.MapDataset.source(list(range(len(values)))).map(lambda row: values[row]).batch(2)
    one, two = kind(**options), kind(**options)
    one.adapt(data)
    two.adapt(values)
    if layer == "TextVectorization":
        equal(one.get_vocabulary(), two.get_vocabulary(), "vocabulary")
    elif layer == "Discretization":
        close(one.bin_boundaries, two.bin_boundaries, "boundaries")
    else:
        close([one.mean, one.variance], [two.mean, two.variance], "mean and variance")


def series_come_as_grain():
    """timeseries_dataset_from_array(format="grain") gives what format="tf" gives"""
    need("grain")
    need("tensorflow")
    make = need("keras.utils.timeseries_dataset_from_array(format)")
    x, y = np.arange(10, dtype="float32"), np.arange(10, 20, dtype="float32")
    found = {}
    for kind in ("tf", "grain"):
        batches = list(make(x, y, sequence_length=3, batch_size=4, format=kind))
        found[kind] = [[np.asarray(item).tolist() for item in batch] for batch in batches]
    equal(found["grain"], found["tf"], "batches")


def texts_come_as_grain():
    """text_dataset_from_directory(format="grain") gives what format="tf" gives"""
    import os

    need("grain")
    need("tensorflow")
    make = need("keras.utils.text_dataset_from_directory(format)")
    for name in "ab":
        os.makedirs("texts/" + name)
        for n in range(3):
            with open("texts/%s/%d.txt" % (name, n), "w", encoding="utf-8") as file:
                file.write("%s %d" % (name, n))
    labels = {}
    for kind in ("tf", "grain"):
        batches = list(make("texts", batch_size=4, shuffle=False, verbose=False, format=kind))
        labels[kind] = [np.asarray(y).tolist() for _, y in batches]
    equal(labels["grain"], labels["tf"], "labels")


def images_come_as_grain():
    """image_dataset_from_directory(format="grain") gives what format="tf" gives"""
    import os

    need("grain")
    need("PIL.Image")
    need("tensorflow")
    make = need("keras.utils.image_dataset_from_directory(format)")
    for name in "ab":
        os.makedirs("images/" + name)
        for n in range(3):
            keras.utils.save_img("images/%s/%d.png" % (name, n), np.full((4, 6, 3), 40.0 * n + 7), scale=False)
    found = {}
    for kind in ("tf", "grain"):
        data = make("images", image_size=(4, 6), batch_size=4, shuffle=False, verbose=False, format=kind)
        found[kind] = [np.asarray(x)[:, 0, 0, 0].tolist() for x, _ in data]
    close(np.concatenate(found["grain"]), np.concatenate(found["tf"]), "grey values")
    true(len(found["grain"]) == 2, "six images make two batches of four at most")
