"""adapt of preprocessing layers, on data of every kind."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, close, equal, need, numbers, refuses

KINDS = ["array", "float64", "backend tensor", "list", "tf.data", "tf.data of batches of 2", "tf.data unknown"]


def _words(layer):
    """Returns the vocabulary as plain texts."""
    return [str(word) for word in layer.get_vocabulary()]


def _held(kind, values):
    """Returns the values in a container of that kind."""
    if kind in ("array", "float64"):
        return values.astype("float64") if kind == "float64" else values
    if kind == "backend tensor":
        return keras.ops.convert_to_tensor(values)
    if kind == "list":
        return values.tolist()
    data = need("tensorflow").data.Dataset.from_tensor_slices(values)
    if kind == "tf.data unknown":
        data = data.filter(lambda *_: True)
    return data.batch(2 if "of 2" in kind else len(values))


@each(kind=[kind for kind in KINDS if kind != "list"])
def normalization_learns_mean_and_variance(kind):
    """Normalization.adapt learns mean and variance of each column: {kind}"""
    x = numbers(7, 3) * [1.0, 2.0, 3.0] + [0.0, 5.0, -2.0]
    x = x.astype("float32")
    layer = keras.layers.Normalization()
    layer.adapt(_held(kind, x))
    wide = x.astype("float64")
    close(layer(x), (wide - wide.mean(axis=0)) / wide.std(axis=0), "outputs", 1e-4)


@each(axis=["None", "-1", "1", "(1, 2)"])
def normalization_has_its_axis(axis):
    """Normalization(axis={axis}).adapt learns over the other axes"""
    chosen = {"None": None, "-1": -1, "1": 1, "(1, 2)": (1, 2)}[axis]
    x = numbers(6, 2, 3) * 2 + 1
    layer = keras.layers.Normalization(axis=chosen)
    layer.adapt(x)
    over = {"None": (0, 1, 2), "-1": (0, 1), "1": (0, 2), "(1, 2)": (0,)}[axis]
    wide = x.astype("float64")
    expected = (wide - wide.mean(axis=over, keepdims=True)) / wide.std(axis=over, keepdims=True)
    close(layer(x), expected, "outputs", 1e-4)


def normalization_forgets_when_it_adapts_again():
    """A second adapt of Normalization forgets the first"""
    layer, x = keras.layers.Normalization(), numbers(6, 2)
    layer.adapt(10 * x + 3)
    layer.adapt(x)
    wide = x.astype("float64")
    close(layer(x), (wide - wide.mean(axis=0)) / wide.std(axis=0), "outputs", 1e-4)


def normalization_of_uneven_batches():
    """Normalization.adapt weighs batches by their samples"""
    x = np.concatenate([np.zeros((4, 1)), np.ones((1, 1))]).astype("float32")
    layer = keras.layers.Normalization()
    layer.adapt(need("tensorflow").data.Dataset.from_tensor_slices(x).batch(4))
    close(layer(x), (x - 0.2) / 0.4, "outputs", 1e-4)


@each(kind=["array", "tf.data"])
def normalization_of_whole_numbers(kind):
    """Normalization.adapt takes whole numbers: {kind}"""
    x = np.array([[1], [2], [6]], "int32")
    layer = keras.layers.Normalization()
    layer.adapt(_held(kind, x))
    close(layer(x.astype("float32")), (x - 3.0) / np.sqrt(14 / 3), "outputs", 1e-4)


def normalization_adapts_to_a_py_dataset():
    """Normalization.adapt takes a PyDataset, or refuses it clearly"""
    x = numbers(6, 2)
    base = need("keras.utils.PyDataset")
    data = type("Own", (base,), {"__len__": lambda s: 3, "__getitem__": lambda s, n: x[2 * n : 2 * n + 2]})()
    layer, wide = keras.layers.Normalization(), x.astype("float64")
    try:
        layer.adapt(data)
    except (TypeError, ValueError, NotImplementedError):
        return
    close(layer(x), (wide - wide.mean(axis=0)) / wide.std(axis=0), "outputs", 1e-4)


@each(kind=[kind for kind in KINDS if kind != "list"])
def discretization_learns_quantiles(kind):
    """Discretization(num_bins=4).adapt makes bins of equal size: {kind}"""
    x = np.random.RandomState(0).permutation(np.arange(40.0, dtype="float32"))[:, None]
    layer = keras.layers.Discretization(num_bins=4, epsilon=0.001)
    layer.adapt(_held(kind, x))
    found = np.asarray(keras.ops.convert_to_numpy(layer(np.sort(x, axis=0)))).ravel()
    counts = np.bincount(found.astype(int), minlength=4)
    equal(len(counts), 4, "bins")
    equal(bool((abs(counts - 10) <= 2).all()), True, "whether each bin has about 10 of 40: %s" % counts)
    equal(bool((np.diff(found) >= 0).all()), True, "whether the bins are in order")


WORDS = np.array([["b"], ["a"], ["b"], ["c"], ["b"], ["c"]])


@each(kind=["array", "list", "tf.data", "tf.data of batches of 2", "flat list"])
def string_lookup_learns_by_frequency(kind):
    """StringLookup.adapt orders words by how often they come: {kind}"""
    need("tensorflow")
    layer = keras.layers.StringLookup()
    layer.adapt(WORDS.ravel().tolist() if kind == "flat list" else _held(kind, WORDS))
    equal(_words(layer), ["[UNK]", "b", "c", "a"], "vocabulary")
    found = keras.ops.convert_to_numpy(layer(np.array(["b", "c", "a", "z"])))
    equal(found, np.array([1, 2, 3, 0]), "indices")


@each(kind=["array", "list", "backend tensor", "tf.data", "tf.data of batches of 2"])
def integer_lookup_learns_by_frequency(kind):
    """IntegerLookup.adapt orders numbers by how often they come: {kind}"""
    need("tensorflow")
    layer, x = keras.layers.IntegerLookup(), np.array([[7], [5], [7], [9], [7], [9]])
    layer.adapt(_held(kind, x))
    equal([int(value) for value in layer.get_vocabulary()[1:]], [7, 9, 5], "vocabulary")
    found = keras.ops.convert_to_numpy(layer(np.array([7, 9, 5, 3])))
    equal(found, np.array([1, 2, 3, 0]), "indices")


@each(kind=["array", "list", "tf.data", "tf.data of batches of 2", "flat list"])
def text_vectorization_learns_by_frequency(kind):
    """TextVectorization.adapt orders words by how often they come: {kind}"""
    need("tensorflow")
    texts = np.array([["the cat"], ["The dog."], ["the cat!"]])
    layer = keras.layers.TextVectorization()
    layer.adapt(texts.ravel().tolist() if kind == "flat list" else _held(kind, texts))
    equal(_words(layer), ["", "[UNK]", "the", "cat", "dog"], "vocabulary")
    found = keras.ops.convert_to_numpy(layer(np.array(["the dog", "cat bird"])))
    equal(found, np.array([[2, 4], [3, 1]]), "indices")


@each(mode=["multi_hot", "count", "tf_idf"])
def text_vectorization_counts(mode):
    """TextVectorization(output_mode={mode}) counts the words after adapt"""
    need("tensorflow")
    layer = keras.layers.TextVectorization(output_mode=mode)
    layer.adapt(["the cat", "the dog", "the cat"])
    found = keras.ops.convert_to_numpy(layer(np.array(["the the cat bird"])))
    # the vocabulary is [UNK], the, cat, dog
    expected = {"multi_hot": [[1, 1, 1, 0]], "count": [[1, 2, 1, 0]]}.get(mode)
    if mode == "tf_idf":
        idf = np.log(1 + 3 / (1 + np.array([3.0, 2.0])))
        close(found[0, 1:], [2 * idf[0], idf[1], 0.0], "weights of the, cat and dog")
    else:
        close(found, expected, "counts")


@each(layer=["StringLookup", "TextVectorization"])
def at_most_so_many_words_are_learned(layer):
    """{layer}(max_tokens=4).adapt keeps the most frequent words"""
    need("tensorflow")
    made = getattr(keras.layers, layer)(max_tokens=4)
    made.adapt(["b", "b", "b", "c", "c", "a", "a", "a", "a", "z"])
    extra = 2 if layer == "TextVectorization" else 1
    equal(_words(made)[extra:], ["a", "b", "c"][: 4 - extra], "words")


def at_most_so_many_batches_are_read():
    """StringLookup.adapt(steps=1) reads one batch of a tf.data.Dataset"""
    tf = need("tensorflow")
    layer = keras.layers.StringLookup()
    data = tf.data.Dataset.from_tensor_slices(np.array(["a", "a", "b", "c"])).batch(2)
    layer.adapt(data, steps=1)
    equal(_words(layer), ["[UNK]", "a"], "vocabulary")


@each(layer=["StringLookup", "IntegerLookup", "TextVectorization", "Normalization"])
def adapting_again_forgets(layer):
    """A second adapt of {layer} forgets what the first learned"""
    need("tensorflow")
    made = getattr(keras.layers, layer)()
    one, two = (["a", "a", "b"], ["c", "c", "d"]) if layer not in ("IntegerLookup",) else ([1, 1, 2], [3, 3, 4])
    if layer == "Normalization":
        one, two = np.zeros((2, 1), "float32"), np.array([[1.0], [3.0]], "float32")
    made.adapt(np.array(one))
    made.adapt(np.array(two))
    if layer == "Normalization":
        close(made(np.array([[3.0]], "float32")), [[1.0]], "output", 1e-4)
    else:
        equal([str(word) for word in made.get_vocabulary()[-2:]], [str(word) for word in dict.fromkeys(two)], "words")


@each(layer=["Normalization", "Discretization"])
def an_adapted_layer_works_in_a_model(layer):
    """An adapted {layer} gives in a model's predict what it gives alone"""
    x = numbers(6, 2)
    made = keras.layers.Normalization() if layer == "Normalization" else keras.layers.Discretization(num_bins=3)
    made.adapt(x)
    model = keras.Sequential([keras.Input((2,)), made])
    close(model.predict(x, batch_size=4, verbose=0), keras.ops.convert_to_numpy(made(x)), "outputs", 1e-5)


@each(layer=["Normalization", "StringLookup", "TextVectorization", "IntegerLookup", "Discretization"])
def an_adapted_layer_works_in_tf_data(layer):
    """An adapted {layer} gives in tf.data's map what it gives alone"""
    tf = need("tensorflow")
    x = {
        "Normalization": numbers(4, 2),
        "Discretization": numbers(4, 2),
        "IntegerLookup": np.array([[3], [4], [3], [5]]),
    }.get(layer, np.array(["a", "b", "a", "c"]))
    kind = getattr(keras.layers, layer)
    if "tf.data" not in (kind.__doc__ or "") and "TFDataLayer" not in [base.__name__ for base in kind.__mro__]:
        raise Lacking("the documentation of %s promises nothing about tf.data" % layer)
    made = kind(**({"num_bins": 3} if layer == "Discretization" else {}))
    made.adapt(x)
    alone = keras.ops.convert_to_numpy(made(x))
    found = [part.numpy() for part in tf.data.Dataset.from_tensor_slices(x).batch(2).map(made)]
    close(np.concatenate(found), alone, "outputs", 1e-5)


def a_feature_space_adapts():
    """FeatureSpace.adapt learns its features from a tf.data.Dataset"""
    tf = need("tensorflow")
    made = need("keras.utils.FeatureSpace")
    data = {"n": np.array([1.0, 2.0, 3.0], "float32"), "w": np.array(["a", "b", "a"])}
    space = made({"n": "float_normalized", "w": "string_categorical"}, output_mode="dict")
    space.adapt(tf.data.Dataset.from_tensor_slices(data))
    found = space({"n": np.array([2.0, 3.0], "float32"), "w": np.array(["a", "z"])})
    close(np.array(keras.ops.convert_to_numpy(found["n"])).ravel(), [0.0, np.sqrt(1.5)], "n", 1e-4)
    close(found["w"], [[0, 1, 0], [1, 0, 0]], "w")


def normalization_without_adapt_changes_nothing():
    """Normalization without adapt refuses data, or leaves them"""
    x = numbers(2, 2)
    try:
        found = keras.layers.Normalization()(x)
    except (ValueError, TypeError):
        return
    close(found, x, "outputs", 1e-4)


def adapting_to_nothing_is_refused():
    """Discretization without bins refuses to adapt to given boundaries"""
    layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0])
    refuses(lambda: layer.adapt(numbers(4, 1)), "adapt with bin_boundaries")
