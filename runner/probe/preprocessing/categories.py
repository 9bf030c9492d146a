"""CategoryEncoding, Hashing, HashedCrossing and Discretization."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true


def _encoded(mode, value, tokens=4, weights=None):
    """Returns rows of ``value`` as counts or as ones."""
    weights = np.ones(value.shape) if weights is None else weights
    out = np.zeros((len(value), tokens))
    for row, (ids, each_weight) in enumerate(zip(value, weights)):
        np.add.at(out[row], ids, each_weight)
    return np.minimum(out, 1) if mode == "multi_hot" else out


@each(mode=["multi_hot", "count"], form=["array", "list", "tensor", "float"])
def category_encoding_of_rows(mode, form):
    """CategoryEncoding(output_mode={mode}) encodes rows given as {form}"""
    value = np.array([[0, 1, 1], [3, 3, 3]])
    given = {
        "array": value,
        "list": value.tolist(),
        "tensor": keras.ops.convert_to_tensor(value),
        "float": value.astype("float32"),
    }
    close(keras.layers.CategoryEncoding(4, output_mode=mode)(given[form]), _encoded(mode, value))


@each(rank=[1, 2])
def category_encoding_one_hot(rank):
    """CategoryEncoding(output_mode="one_hot") encodes an input of rank {rank}"""
    value = {1: np.array([2, 0]), 2: np.array([[2], [0]])}[rank]
    close(keras.layers.CategoryEncoding(4, output_mode="one_hot")(value), np.eye(4)[[2, 0]])


@each(mode=["multi_hot", "count"])
def category_encoding_of_one_row(mode):
    """CategoryEncoding(output_mode={mode}) of a vector is one vector"""
    close(
        keras.layers.CategoryEncoding(4, output_mode=mode)(np.array([1, 1, 3])),
        _encoded(mode, np.array([[1, 1, 3]]))[0],
    )


@each(mode=["one_hot", "multi_hot", "count"], rank=[0, 1, 2])
def category_encoding_shape_promised(mode, rank):
    """CategoryEncoding({mode}).compute_output_shape holds for rank {rank}"""
    layer = keras.layers.CategoryEncoding(4, output_mode=mode)
    value = {0: np.array(2), 1: np.array([2, 0]), 2: np.array([[2], [0]])}[rank]
    equal(tuple(layer.compute_output_shape(value.shape)), array(layer(value)).shape)


@each(mode=["multi_hot", "count"], rank=[2, 3])
def category_encoding_shape_of_several_columns(mode, rank):
    """CategoryEncoding({mode}).compute_output_shape of rank {rank} is right"""
    layer = keras.layers.CategoryEncoding(4, output_mode=mode)
    value = np.ones((2, 3) if rank == 2 else (2, 3, 5), "int64")
    equal(tuple(layer.compute_output_shape(value.shape)), array(layer(value)).shape)


@each(mode=["one_hot", "multi_hot", "count"])
def category_encoding_in_a_model(mode):
    """CategoryEncoding(output_mode={mode}) in a model keeps its promise of shape"""
    x = keras.Input((1,) if mode == "one_hot" else (3,), dtype="int32")
    layer = keras.layers.CategoryEncoding(4, output_mode=mode)
    y = layer(x)
    equal(tuple(y.shape), (None, 4), "symbolic shape")
    value = np.array([[2], [0]]) if mode == "one_hot" else np.array([[0, 1, 1], [3, 3, 3]])
    close(keras.Model(x, y)(value), array(layer(value)))


def category_encoding_count_weights():
    """CategoryEncoding(output_mode="count") adds up count_weights"""
    value, weights = np.array([[0, 1, 1], [3, 3, 0]]), np.array([[0.5, 1.0, 2.0], [1.0, 3.0, 0.25]], "float32")
    layer = keras.layers.CategoryEncoding(4, output_mode="count")
    close(layer(value, count_weights=weights), _encoded("count", value, weights=weights))


@each(mode=["one_hot", "multi_hot", "count"])
def category_encoding_sparse_equals_dense(mode):
    """CategoryEncoding(output_mode={mode}, sparse=True) holds the dense numbers"""
    if keras.backend.backend() == "torch":  # it has no sparse tensors here
        return
    value = np.array([[2], [0]])
    found = keras.layers.CategoryEncoding(4, output_mode=mode, sparse=True)(value)
    close(keras.ops.convert_to_tensor(found, sparse=False), np.eye(4)[[2, 0]])


@each(mode=["one_hot", "multi_hot", "count"])
def category_encoding_in_a_dataset(mode):
    """CategoryEncoding(output_mode={mode}) gives the same numbers inside tf.data"""
    tf = need("tensorflow")
    value = np.array([[2], [0]])
    data = tf.data.Dataset.from_tensor_slices(value).batch(2).map(keras.layers.CategoryEncoding(4, output_mode=mode))
    close(np.asarray(next(iter(data.as_numpy_iterator()))), np.eye(4)[[2, 0]])


@each(argument=["num_tokens", "output_mode"])
def category_encoding_refuses(argument):
    """CategoryEncoding refuses a wrong {argument}"""
    wrong = {"num_tokens": {"num_tokens": 0}, "output_mode": {"num_tokens": 3, "output_mode": "bad"}}[argument]
    refuses(lambda: keras.layers.CategoryEncoding(**wrong), str(wrong))


def category_encoding_needs_the_number_of_tokens():
    """CategoryEncoding refuses num_tokens=None"""
    refuses(lambda: keras.layers.CategoryEncoding(num_tokens=None), "num_tokens=None")


@each(
    layer=[
        "CategoryEncoding(num_tokens=4)",
        "Hashing(num_bins=3)",
        "HashedCrossing(num_bins=5)",
        "Discretization(bin_boundaries=[0.0, 1.0])",
    ]
)
def category_layers_from_their_config(layer):
    """{layer} made from its configuration has the same configuration"""
    need("tensorflow")
    name, _, rest = layer[:-1].partition("(")
    key, _, value = rest.partition("=")
    value = [0.0, 1.0] if "[" in value else int(value)
    made = getattr(keras.layers, name)(**{key: value})
    equal(type(made).from_config(made.get_config()).get_config(), made.get_config())


LETTERS = [["A"], ["B"], ["C"], ["D"], ["E"]]


@each(salt=["none", "133", "[133, 137]"])
def hashing_by_the_documented_hash(salt):
    """Hashing(num_bins=3, salt={salt}) gives the bins of the documentation"""
    need("tensorflow")
    salts = {"none": None, "133": 133, "[133, 137]": [133, 137]}
    expected = {"none": [1, 0, 1, 1, 2], "133": [0, 0, 2, 1, 0], "[133, 137]": [1, 2, 1, 0, 2]}[salt]
    layer = keras.layers.Hashing(num_bins=3, salt=salts[salt])
    equal(array(layer(np.array(LETTERS))), np.array(expected)[:, None])


def hashing_mask_value():
    """Hashing(num_bins=3, mask_value="") puts the mask value, and no other, into bin 0"""
    need("tensorflow")
    layer = keras.layers.Hashing(num_bins=3, mask_value="")
    equal(array(layer(np.array([["A"], ["B"], [""], ["C"], ["D"]]))), np.array([1, 1, 0, 2, 2])[:, None])


@each(form=["array", "list", "tensor", "int32", "int64", "scalar"])
def hashing_of_integers(form):
    """Hashing takes integers given as {form}, and the same value has the same bin"""
    need("tensorflow")
    value = {
        "array": np.array([5, 9, 5]),
        "list": [5, 9, 5],
        "tensor": keras.ops.convert_to_tensor([5, 9, 5]),
        "int32": np.array([5, 9, 5], "int32"),
        "int64": np.array([5, 9, 5], "int64"),
        "scalar": np.array(5),
    }[form]
    layer = keras.layers.Hashing(num_bins=7)
    found = array(layer(value)).ravel()
    true(((found >= 0) & (found < 7)).all(), "the bins are 0 to 6: %s" % found)
    equal(int(found[0]), int(array(layer(np.array([5])))[0]), "the bin of 5")


@each(mode=["int", "one_hot", "multi_hot", "count"])
def hashing_output_modes(mode):
    """Hashing(output_mode={mode}) encodes the bins"""
    need("tensorflow")
    value = np.array(LETTERS)
    bins = np.array([1, 0, 1, 1, 2])
    found = array(keras.layers.Hashing(num_bins=3, output_mode=mode)(value))
    equal(found.astype(int), bins[:, None] if mode == "int" else np.eye(3, dtype=int)[bins])


@each(mode=["int", "one_hot", "multi_hot"])
def hashing_shape_promised(mode):
    """Hashing(output_mode={mode}).compute_output_shape is the shape of the output"""
    need("tensorflow")
    layer = keras.layers.Hashing(num_bins=3, output_mode=mode)
    equal(tuple(layer.compute_output_shape((5, 1))), array(layer(np.array(LETTERS))).shape)


def hashing_in_a_dataset():
    """Hashing gives the same bins inside tf.data"""
    tf = need("tensorflow")
    layer = keras.layers.Hashing(num_bins=3)
    data = tf.data.Dataset.from_tensor_slices(np.array(LETTERS)).batch(5).map(layer)
    equal(np.asarray(next(iter(data.as_numpy_iterator()))), np.array([1, 0, 1, 1, 2])[:, None])


@each(argument=["num_bins", "output_mode", "salt"])
def hashing_refuses(argument):
    """Hashing refuses a wrong {argument}"""
    need("tensorflow")
    wrong = {
        "num_bins": {"num_bins": 0},
        "output_mode": {"num_bins": 2, "output_mode": "bad"},
        "salt": {"num_bins": 2, "salt": "bad"},
    }
    refuses(lambda: keras.layers.Hashing(**wrong[argument]), str(wrong[argument]))


@each(layer=["Hashing", "HashedCrossing"], dtype=["int32", "int64"])
def hashing_dtype(layer, dtype):
    """{layer}(dtype={dtype}) gives bins of that type"""
    need("tensorflow")
    made = getattr(keras.layers, layer)(num_bins=3, dtype=dtype)
    value = np.array(["A", "B"])
    found = keras.backend.standardize_dtype(
        made((value, np.array([1, 2])) if layer == "HashedCrossing" else value).dtype
    )
    wanted = "int32" if keras.backend.backend() == "jax" else dtype
    equal(found, wanted, "the type")


def hashed_crossing_by_the_documented_hash():
    """HashedCrossing(num_bins=5) gives the bins of the documentation"""
    need("tensorflow")
    layer = keras.layers.HashedCrossing(num_bins=5)
    one, two = np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])
    equal(array(layer((one, two))), np.array([1, 4, 1, 1, 3]))


def hashed_crossing_one_hot():
    """HashedCrossing(output_mode="one_hot") encodes the bins"""
    need("tensorflow")
    layer = keras.layers.HashedCrossing(num_bins=5, output_mode="one_hot")
    one, two = np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])
    equal(array(layer((one, two))).astype(int), np.eye(5, dtype=int)[[1, 4, 1, 1, 3]])


@each(form=["list", "column", "scalar", "tensor"])
def hashed_crossing_forms_of_input(form):
    """HashedCrossing takes a {form}"""
    tf = need("tensorflow")
    layer = keras.layers.HashedCrossing(num_bins=5)
    one, two = {
        "list": (["A", "B"], [101, 102]), "column": (np.array([["A"], ["B"]]), np.array([[101], [102]])), "scalar": (np.array("A"), np.array(101)), "tensor": (tf.constant(["A", "B"]), tf.constant([101, 102])),
    }[form]  # fmt: skip
    found = array(layer((one, two))).ravel()
    equal(found.tolist(), [1] if form == "scalar" else [1, 1])


def hashed_crossing_in_a_dataset():
    """HashedCrossing gives the same bins inside tf.data"""
    tf = need("tensorflow")
    layer = keras.layers.HashedCrossing(num_bins=5)
    one, two = np.array(["A", "B", "A"]), np.array([101, 101, 102])
    data = tf.data.Dataset.from_tensor_slices((one, two)).batch(3).map(lambda a, b: layer((a, b)))
    equal(np.asarray(next(iter(data.as_numpy_iterator()))), np.array([1, 4, 3]))


def hashed_crossing_refuses_one_feature():
    """HashedCrossing refuses a single feature"""
    need("tensorflow")
    refuses(lambda: keras.layers.HashedCrossing(num_bins=5)([np.array(["A"])]), "one feature")


BOUNDS = [-1.0, 0.0, 2.0]
VALUES = np.array([[-1.5, -1.0, 3.4], [0.0, 1.3, 2.0]], "float32")


@each(form=["array", "list", "tensor", "int"])
def discretization_by_boundaries(form):
    """Discretization counts the boundaries at or below each number of a {form}"""
    layer = keras.layers.Discretization(bin_boundaries=BOUNDS)
    if form == "int":
        equal(array(layer(np.array([-2, 0, 1, 5]))), np.array([0, 2, 2, 3]))
        return
    given = {"array": VALUES, "list": VALUES.tolist(), "tensor": keras.ops.convert_to_tensor(VALUES)}[form]
    equal(array(layer(given)), np.digitize(VALUES, BOUNDS))


@each(mode=["one_hot", "multi_hot", "count"])
def discretization_output_modes(mode):
    """Discretization(output_mode={mode}) encodes the bins"""
    layer = keras.layers.Discretization(bin_boundaries=BOUNDS, output_mode=mode)
    if mode == "one_hot":
        equal(array(layer(VALUES[:, :1])).astype(int), np.eye(4, dtype=int)[np.digitize(VALUES[:, 0], BOUNDS)])
    else:
        close(layer(VALUES), _encoded(mode, np.digitize(VALUES, BOUNDS)))


@each(mode=["int", "one_hot", "multi_hot", "count"])
def discretization_shape_promised(mode):
    """Discretization(output_mode={mode}).compute_output_shape is the output's shape"""
    layer = keras.layers.Discretization(bin_boundaries=BOUNDS, output_mode=mode)
    value = VALUES[:, :1] if mode == "one_hot" else VALUES
    equal(tuple(layer.compute_output_shape(value.shape)), array(layer(value)).shape)


def discretization_adapts_to_quantiles():
    """Discretization(num_bins=4).adapt finds quartiles"""
    layer = keras.layers.Discretization(num_bins=4, epsilon=0.01)
    layer.adapt(np.arange(100.0)[:, None])
    counts = np.bincount(array(layer(np.arange(100.0)[:, None])).ravel(), minlength=4)
    true(len(counts) == 4 and (np.abs(counts - 25) <= 3).all(), "each bin has a quarter of the data: %s" % counts)


def discretization_adapted_from_its_config():
    """Discretization(num_bins) that was adapted is made again from its configuration"""
    layer = keras.layers.Discretization(num_bins=3, epsilon=0.01)
    layer.adapt(np.arange(30.0)[:, None])
    other = keras.layers.Discretization.from_config(layer.get_config())
    value = np.array([[1.0], [14.0], [28.0]])
    equal(array(other(value)), array(layer(value)))


def discretization_adapts_on_a_dataset():
    """Discretization.adapt on a dataset of batches finds the same bins as on an array"""
    tf = need("tensorflow")
    data = np.arange(64.0)[:, None]
    one, two = (keras.layers.Discretization(num_bins=4, epsilon=0.01) for _ in range(2))
    one.adapt(data)
    two.adapt(tf.data.Dataset.from_tensor_slices(data).batch(64))
    close(two.bin_boundaries, one.bin_boundaries, "bin_boundaries")


def discretization_in_a_dataset():
    """Discretization gives the same bins inside tf.data"""
    tf = need("tensorflow")
    layer = keras.layers.Discretization(bin_boundaries=BOUNDS)
    data = tf.data.Dataset.from_tensor_slices(VALUES).batch(2).map(layer)
    equal(np.asarray(next(iter(data.as_numpy_iterator()))), np.digitize(VALUES, BOUNDS))


def discretization_in_a_model():
    """Discretization in a model gives the same bins"""
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Discretization(bin_boundaries=BOUNDS)(x))
    equal(array(model(VALUES)), np.digitize(VALUES, BOUNDS))


@each(argument=["both", "none", "output_mode"])
def discretization_refuses(argument):
    """Discretization refuses wrong arguments ({argument})"""
    wrong = {
        "both": {"bin_boundaries": [0.0], "num_bins": 2},
        "none": {},
        "output_mode": {"bin_boundaries": [0.0], "output_mode": "bad"},
    }[argument]
    refuses(lambda: keras.layers.Discretization(**wrong), str(wrong))


def discretization_sparse_equals_dense():
    """Discretization(output_mode="multi_hot", sparse=True) holds the dense numbers"""
    if keras.backend.backend() == "torch":  # it has no sparse tensors here
        return
    found = keras.layers.Discretization(bin_boundaries=BOUNDS, output_mode="multi_hot", sparse=True)(VALUES)
    close(keras.ops.convert_to_tensor(found, sparse=False), _encoded("multi_hot", np.digitize(VALUES, BOUNDS)))
