"""FeatureSpace and Pipeline."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, true

ROWS = {
    "number": np.array([1.0, 2.0, 3.0, 6.0], "float32"),
    "word": np.array(["a", "b", "a", "c"]),
    "code": np.array([7, 8, 7, 7]),
}


def _space(features, **options):
    """Returns a FeatureSpace adapted to the rows."""
    tf = need("tensorflow")
    space = keras.utils.FeatureSpace(features, **options)
    space.adapt(tf.data.Dataset.from_tensor_slices({name: ROWS[name] for name in features}))
    return space


def _only(*names):
    """Returns the rows of these features."""
    return {name: ROWS[name] for name in names}


def _numbers(value):
    return value.numpy() if hasattr(value, "numpy") and not hasattr(value, "detach") else array(value)


@each(feature=["float", "float_rescaled", "float_normalized", "float_discretized"])
def float_features(feature):
    """FeatureSpace.{feature} encodes a number"""
    need("tensorflow")
    kinds = keras.utils.FeatureSpace
    made = {
        "float": kinds.float,
        "float_rescaled": lambda: kinds.float_rescaled(scale=0.5, offset=1.0),
        "float_normalized": kinds.float_normalized,
        "float_discretized": lambda: kinds.float_discretized(num_bins=2),
    }[feature]()
    space = _space({"number": made}, output_mode="concat")
    found = _numbers(space({"number": ROWS["number"]}))
    if feature == "float_discretized":
        equal(found.shape, (4, 2), "shape")
        close(found.sum(1), np.ones(4), "one bin each")
        return
    x = ROWS["number"]
    expected = {"float": x, "float_rescaled": x / 2 + 1, "float_normalized": (x - x.mean()) / x.std()}[feature]
    close(found, expected[:, None], tolerance=1e-4)


@each(feature=["string_categorical", "integer_categorical"], mode=["one_hot", "int"])
def categorical_features(feature, mode):
    """FeatureSpace.{feature}(output_mode={mode}) encodes a category"""
    need("tensorflow")
    name = "word" if "string" in feature else "code"
    space = _space({name: getattr(keras.utils.FeatureSpace, feature)(output_mode=mode)}, output_mode="dict")
    found = _numbers(space({name: ROWS[name]})[name])
    order = {"word": ["a", "b", "c"], "code": [7, 8]}[name]
    index = np.array([1 + order.index(v) for v in ROWS[name].tolist()])
    if name == "word":  # b and c are as frequent, and may be either way round
        found, index = (found[[0, 2]], index[[0, 2]])
    if mode == "int":
        equal(found.ravel().astype(int), index)
    else:
        equal(found.argmax(-1).ravel(), index)


@each(feature=["string_hashed", "integer_hashed"])
def hashed_features(feature):
    """FeatureSpace.{feature}(num_bins=4) gives equal values the same bin"""
    need("tensorflow")
    name = "word" if "string" in feature else "code"
    space = _space({name: getattr(keras.utils.FeatureSpace, feature)(num_bins=4)}, output_mode="concat")
    found = _numbers(space({name: ROWS[name]}))
    equal(found.shape, (4, 4), "shape")
    equal(found[0], found[2], "the code of equal values")
    close(found.sum(1), np.ones(4), "one bin each")


def names_of_features():
    """FeatureSpace takes the names of features"""
    space = _space({"number": "float", "word": "string_categorical"}, output_mode="concat")
    equal(_numbers(space(_only("number", "word"))).shape, (4, 5), "shape")


@each(mode=["concat", "dict"])
def one_row(mode):
    """FeatureSpace(output_mode={mode}) takes a single row"""
    space = _space({"number": "float", "word": "string_categorical"}, output_mode=mode)
    found = space({"number": 1.0, "word": "a"})
    if mode == "dict":
        equal(sorted(found), ["number", "word"], "features")
    else:
        equal(_numbers(found).size, 5, "numbers")


def crosses():
    """FeatureSpace(crosses) adds a feature of crossing_dim columns"""
    need("tensorflow")
    kinds = keras.utils.FeatureSpace
    space = _space(
        {"word": kinds.string_categorical(), "code": kinds.integer_categorical()},
        crosses=[("word", "code")],
        crossing_dim=6,
        output_mode="concat",
    )
    equal(_numbers(space(_only("word", "code"))).shape, (4, 4 + 3 + 6), "shape")


def encoded_features_in_a_model():
    """FeatureSpace.get_encoded_features builds a model on encoded features"""
    space = _space({"number": "float", "word": "string_categorical"}, output_mode="concat")
    encoded = space.get_encoded_features()
    equal(tuple(encoded.shape), (None, 5), "symbolic shape")
    model = keras.Model(encoded, keras.layers.Dense(2)(encoded))
    equal(array(model(keras.ops.convert_to_tensor(_numbers(space(_only("number", "word"))), "float32"))).shape, (4, 2))


def space_in_a_dataset():
    """FeatureSpace gives the same numbers inside tf.data"""
    tf = need("tensorflow")
    space = _space({"number": "float", "code": "integer_categorical"}, output_mode="concat")
    rows = {"number": ROWS["number"], "code": ROWS["code"]}
    found = next(iter(tf.data.Dataset.from_tensor_slices(rows).batch(4).map(space).as_numpy_iterator()))
    close(found, _numbers(space(rows)))


def space_is_saved():
    """FeatureSpace.save and load_model give the same numbers"""
    space = _space({"number": "float_normalized", "code": "integer_categorical"}, output_mode="concat")
    rows = {"number": ROWS["number"], "code": ROWS["code"]}
    space.save("space.keras")
    other = keras.models.load_model("space.keras")
    close(_numbers(other(rows)), _numbers(space(rows)))


def space_from_its_config():
    """FeatureSpace made from its configuration has the same features"""
    need("tensorflow")
    space = keras.utils.FeatureSpace({"number": "float", "word": "string_categorical"}, output_mode="concat")
    other = keras.utils.FeatureSpace.from_config(space.get_config())
    equal(sorted(other.get_config()["features"]), ["number", "word"])


def pipeline_applies_in_order():
    """Pipeline applies its layers one after the other"""
    pipeline = need("keras.layers.Pipeline")([keras.layers.Rescaling(2.0), keras.layers.Rescaling(1.0, 3.0)])
    close(pipeline(np.array([[1.0, 2.0]], "float32")), np.array([[5.0, 7.0]]))


@each(training=[0, 1])
def pipeline_hands_training_on(training):
    """Pipeline(training={training}) hands it to its layers"""
    pipeline = need("keras.layers.Pipeline")([keras.layers.Dropout(0.9, seed=1), keras.layers.Rescaling(1.0)])
    found = array(pipeline(np.ones((1, 50), "float32"), training=bool(training)))
    true((found == 0).any() == bool(training), "values are dropped in training only")


def pipeline_in_a_dataset():
    """Pipeline gives the same numbers inside tf.data"""
    tf = need("tensorflow")
    pipeline = need("keras.layers.Pipeline")([keras.layers.Rescaling(2.0), keras.layers.CenterCrop(2, 2)])
    value = np.random.RandomState(1).uniform(0, 1, (2, 4, 4, 3)).astype("float32")
    found = next(iter(tf.data.Dataset.from_tensor_slices(value).batch(2).map(pipeline).as_numpy_iterator()))
    close(found, 2 * value[:, 1:3, 1:3])


def pipeline_from_its_config():
    """Pipeline made from its configuration computes the same"""
    pipeline = need("keras.layers.Pipeline")([keras.layers.Rescaling(2.0), keras.layers.Rescaling(1.0, 3.0)])
    other = type(pipeline).from_config(pipeline.get_config())
    value = np.array([[1.0, 2.0]], "float32")
    close(other(value), array(pipeline(value)))
