"""StringLookup and IntegerLookup."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

WORDS = ["a", "b", "c"]


def _texts(value):
    """Returns a tensor of texts as a flat list."""
    value = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
    return [item.decode() if isinstance(item, bytes) else str(item) for item in np.ravel(value)]


def _dense(value):
    """Returns a tensor as an array, sparse or not."""
    return array(keras.ops.convert_to_tensor(value, sparse=False) if hasattr(value, "dense_shape") else value)


@each(mask=[0, 1], oov=[0, 1, 2])
def string_lookup_numbers_words(mask, oov):
    """StringLookup with mask_token {mask} and num_oov_indices {oov} numbers words"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, mask_token="m" if mask else None, num_oov_indices=oov)
    first = mask + oov
    equal(array(layer(np.array([["c", "a"], ["b", "a"]]))), np.array([[2, 0], [1, 0]]) + first)
    equal(layer.vocabulary_size(), 3 + first, "vocabulary_size")


@each(mask=[0, 1], oov=[0, 1, 2])
def integer_lookup_numbers_integers(mask, oov):
    """IntegerLookup with mask_token {mask} and num_oov_indices {oov} numbers integers"""
    need("tensorflow")
    layer = keras.layers.IntegerLookup(vocabulary=[10, 20, 30], mask_token=0 if mask else None, num_oov_indices=oov)
    first = mask + oov
    equal(array(layer(np.array([[30, 10], [20, 10]]))), np.array([[2, 0], [1, 0]]) + first)
    equal(layer.vocabulary_size(), 3 + first, "vocabulary_size")


def string_lookup_oov_and_mask():
    """StringLookup gives 0 for the mask token and 1 for an unknown word"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, mask_token="")
    equal(array(layer(np.array(["", "zz", "a"]))), np.array([0, 1, 2]))


def integer_lookup_oov_and_mask():
    """IntegerLookup gives 0 for the mask token and 1 for an unknown integer"""
    need("tensorflow")
    layer = keras.layers.IntegerLookup(vocabulary=[10, 20], mask_token=0)
    equal(array(layer(np.array([0, 7, 10]))), np.array([0, 1, 2]))


@each(layer=["StringLookup", "IntegerLookup"])
def lookup_without_oov_refuses_unknown_values(layer):
    """{layer} with num_oov_indices=0 refuses a value that it does not know"""
    need("tensorflow")
    words = [10, 20] if layer == "IntegerLookup" else ["10", "20"]
    made = getattr(keras.layers, layer)(vocabulary=words, num_oov_indices=0)
    try:
        found = made(np.array([5] if layer == "IntegerLookup" else ["5"]))
    except Exception:
        return
    true(False, "an unknown value is refused; it gave %s" % array(found))


@each(layer=["StringLookup", "IntegerLookup"])
def lookup_oov_buckets(layer):
    """{layer} with three OOV indices spreads unknown values over them"""
    need("tensorflow")
    words = [10, 20] if layer == "IntegerLookup" else ["10", "20"]
    made = getattr(keras.layers, layer)(vocabulary=words, num_oov_indices=3)
    values = np.arange(40, 60)
    values = values if layer == "IntegerLookup" else values.astype(str)
    first, second = array(made(values)), array(made(values))
    equal(second, first, "the second time")
    true(first.min() >= 0 and first.max() <= 2, "unknown values lie within the OOV indices: %s" % first)
    true(len(set(first.tolist())) > 1, "unknown values are spread over the OOV indices: %s" % first)


def _modes():
    return {
        "int": np.array([[1, 2], [0, 1]]),
        "multi_hot": np.array([[0, 1, 1, 0], [1, 1, 0, 0]]),
        "count": np.array([[0, 1, 1, 0], [1, 1, 0, 0]]),
        "tf_idf": np.array([[0, 0.5, 1, 0], [3.5 / 3, 0.5, 0, 0]]),
    }


@each(layer=["StringLookup", "IntegerLookup"], mode=["int", "multi_hot", "count", "tf_idf"])
def lookup_output_modes(layer, mode):
    """{layer}(output_mode={mode}) encodes a batch of rows"""
    need("tensorflow")
    integer = layer == "IntegerLookup"
    more = {"idf_weights": [0.5, 1.0, 2.0]} if mode == "tf_idf" else {}
    made = getattr(keras.layers, layer)(vocabulary=[10, 20, 30] if integer else WORDS, output_mode=mode, **more)
    close(made(np.array([[10, 20], [99, 10]]) if integer else np.array([["a", "b"], ["z", "a"]])), _modes()[mode])


@each(layer=["StringLookup", "IntegerLookup"])
def lookup_one_hot(layer):
    """{layer}(output_mode="one_hot") encodes each value"""
    need("tensorflow")
    integer = layer == "IntegerLookup"
    made = getattr(keras.layers, layer)(vocabulary=[10, 20, 30] if integer else WORDS, output_mode="one_hot")
    equal(
        array(made(np.array([20, 99]) if integer else np.array(["b", "z"]))).astype(int), np.eye(4)[[2, 0]].astype(int)
    )


@each(mode=["multi_hot", "count"], rank=[0, 1, 2])
def lookup_output_rank(mode, rank):
    """StringLookup({mode}) of rank {rank} has the documented shape"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, output_mode=mode)
    value = {0: np.array("a"), 1: np.array(["a", "b"]), 2: np.array([["a"], ["b"]])}[rank]
    found = array(layer(value))
    expected = (2, 4) if rank == 2 else (4,)
    equal(found.shape, expected, "shape")


@each(mode=["int", "one_hot", "multi_hot", "count"])
def lookup_shape_promised(mode):
    """StringLookup(output_mode={mode}).compute_output_shape is the shape of the output"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, output_mode=mode)
    value = np.array([["a"], ["b"]] if mode == "one_hot" else [["a", "b"], ["b", "z"]])
    equal(tuple(layer.compute_output_shape(value.shape)), array(layer(value)).shape)


@each(layer=["StringLookup", "IntegerLookup"])
def lookup_sparse_equals_dense(layer):
    """{layer}(output_mode="multi_hot", sparse=True) holds the numbers of the dense one"""
    if keras.backend.backend() == "torch":  # it has no sparse tensors here
        return
    need("tensorflow")
    integer = layer == "IntegerLookup"
    made = getattr(keras.layers, layer)(
        vocabulary=[10, 20, 30] if integer else WORDS, output_mode="multi_hot", sparse=True
    )
    found = _dense(made(np.array([[10, 20], [99, 10]]) if integer else np.array([["a", "b"], ["z", "a"]])))
    equal(found.astype(int), _modes()["multi_hot"])


@each(form=["list", "tuple", "array", "nested", "scalar", "tensor"])
def string_lookup_forms_of_input(form):
    """StringLookup takes a {form}"""
    tf = need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS)
    value, expected = {
        "list": (["a", "c"], [1, 3]), "tuple": (("a", "c"), [1, 3]), "array": (np.array(["a", "c"]), [1, 3]), "nested": ([["a"], ["c"]], [[1], [3]]),
        "scalar": ("b", 2), "tensor": (tf.constant(["a", "c"]), [1, 3]),
    }[form]  # fmt: skip
    equal(array(layer(value)), np.array(expected))


@each(form=["list", "array", "nested", "scalar", "int32", "backend"])
def integer_lookup_forms_of_input(form):
    """IntegerLookup takes a {form}"""
    need("tensorflow")
    layer = keras.layers.IntegerLookup(vocabulary=[10, 20, 30])
    value, expected = {
        "list": ([10, 30], [1, 3]), "array": (np.array([10, 30]), [1, 3]), "nested": ([[10], [30]], [[1], [3]]), "scalar": (20, 2), "int32": (np.array([10, 30], "int32"), [1, 3]),
        "backend": (keras.ops.convert_to_tensor([10, 30]), [1, 3]),
    }[form]  # fmt: skip
    equal(array(layer(value)), np.array(expected))


@each(layer=["StringLookup", "IntegerLookup"])
def lookup_gives_tensors_of_the_backend(layer):
    """{layer} returns a tensor of the backend"""
    need("tensorflow")
    integer = layer == "IntegerLookup"
    made = getattr(keras.layers, layer)(vocabulary=[10, 20] if integer else WORDS)
    true(
        keras.ops.is_tensor(made(np.array([10, 20]) if integer else np.array(["a", "b"]))),
        "the output is a tensor of the backend",
    )


@each(way=["list", "tuple", "array", "file", "set_vocabulary", "adapt", "adapt_dataset", "tensor"])
def string_lookup_ways_to_a_vocabulary(way):
    """StringLookup has the same vocabulary by {way}"""
    tf = need("tensorflow")
    if way in ("list", "tuple", "array", "tensor"):
        words = {"list": WORDS, "tuple": tuple(WORDS), "array": np.array(WORDS), "tensor": tf.constant(WORDS)}[way]
        layer = keras.layers.StringLookup(vocabulary=words)
    elif way == "file":
        with open("words.txt", "w", encoding="utf-8") as file:
            file.write("a\nb\nc\n")
        layer = keras.layers.StringLookup(vocabulary="words.txt")
    else:
        layer = keras.layers.StringLookup()
        if way == "set_vocabulary":
            layer.set_vocabulary(WORDS)
        else:
            data = np.array(["a", "a", "a", "b", "b", "c"])
            layer.adapt(tf.data.Dataset.from_tensor_slices(data).batch(2) if way == "adapt_dataset" else data)
    equal([str(word) for word in layer.get_vocabulary()], ["[UNK]", "a", "b", "c"])
    equal(array(layer(np.array(["c", "q"]))), np.array([3, 0]))


@each(way=["list", "array", "set_vocabulary", "adapt", "file", "tensor"])
def integer_lookup_ways_to_a_vocabulary(way):
    """IntegerLookup has the same vocabulary by {way}"""
    tf = need("tensorflow")
    if way in ("list", "array", "tensor"):
        layer = keras.layers.IntegerLookup(
            vocabulary={"list": [10, 20], "array": np.array([10, 20]), "tensor": tf.constant([10, 20], "int64")}[way]
        )
    elif way == "file":
        with open("numbers.txt", "w", encoding="utf-8") as file:
            file.write("10\n20\n")
        layer = keras.layers.IntegerLookup(vocabulary="numbers.txt")
    else:
        layer = keras.layers.IntegerLookup()
        if way == "set_vocabulary":
            layer.set_vocabulary([10, 20])
        else:
            layer.adapt(np.array([10, 10, 20]))
    equal([int(v) for v in layer.get_vocabulary()], [-1, 10, 20])
    equal(array(layer(np.array([20, 7]))), np.array([2, 0]))


def vocabulary_with_special_tokens_is_taken_as_it_is():
    """StringLookup accepts a vocabulary that begins with the mask and OOV tokens"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=["", "[UNK]", "a", "b"], mask_token="")
    equal(array(layer(np.array(["", "b", "q"]))), np.array([0, 3, 1]))
    equal([str(word) for word in layer.get_vocabulary()], ["", "[UNK]", "a", "b"])


def vocabulary_without_special_tokens():
    """StringLookup.get_vocabulary(include_special_tokens=False) has only the words"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, mask_token="")
    equal([str(word) for word in layer.get_vocabulary(include_special_tokens=False)], WORDS)


def repeated_words_are_refused():
    """StringLookup refuses a vocabulary with a word twice"""
    need("tensorflow")
    refuses(lambda: keras.layers.StringLookup(vocabulary=["a", "a"]), "a vocabulary with a word twice")


def max_tokens_keeps_the_most_frequent():
    """StringLookup(max_tokens=3) keeps the two most frequent words"""
    need("tensorflow")
    layer = keras.layers.StringLookup(max_tokens=3)
    layer.adapt(np.array(["a", "b", "b", "c", "c", "c"]))
    equal([str(word) for word in layer.get_vocabulary()], ["[UNK]", "c", "b"])


def too_long_a_vocabulary_is_refused():
    """StringLookup(max_tokens=2) refuses a longer vocabulary"""
    need("tensorflow")
    refuses(lambda: keras.layers.StringLookup(max_tokens=2, vocabulary=WORDS), "three words where one fits")


@each(layer=["StringLookup", "IntegerLookup"], mode=["multi_hot", "count", "one_hot"])
def pad_to_max_tokens(layer, mode):
    """{layer}(output_mode={mode}, pad_to_max_tokens=True) is max_tokens wide"""
    need("tensorflow")
    integer = layer == "IntegerLookup"
    made = getattr(keras.layers, layer)(
        vocabulary=[10, 20] if integer else ["a", "b"], max_tokens=7, pad_to_max_tokens=True, output_mode=mode
    )
    value = np.array([[10], [20]]) if integer else np.array([["a"], ["b"]])
    equal(array(made(value)).shape, (2, 7), "shape")
    equal(tuple(made.compute_output_shape((2, 1))), (2, 7), "compute_output_shape")


@each(mask=[0, 1])
def string_lookup_inverts(mask):
    """StringLookup(invert=True) with mask_token {mask} returns the words"""
    if keras.backend.backend() == "jax":  # it has no texts
        return
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, mask_token="m" if mask else None, invert=True)
    equal(_texts(layer(np.array([[mask + 1, mask + 3], [mask, mask + 2]]))), ["a", "c", "[UNK]", "b"])


@each(mask=[0, 1])
def integer_lookup_inverts(mask):
    """IntegerLookup(invert=True) with mask_token {mask} returns the integers"""
    need("tensorflow")
    layer = keras.layers.IntegerLookup(vocabulary=[10, 20], mask_token=0 if mask else None, invert=True)
    equal(array(layer(np.array([mask + 1, mask + 2, mask]))), np.array([10, 20, -1]))


def inverse_of_a_lookup_by_get_vocabulary():
    """A lookup made from get_vocabulary() with invert=True undoes the first"""
    if keras.backend.backend() == "jax":  # it has no texts
        return
    need("tensorflow")
    first = keras.layers.StringLookup(vocabulary=WORDS)
    second = keras.layers.StringLookup(vocabulary=first.get_vocabulary(), invert=True)
    equal(_texts(second(first(np.array(["c", "a"])))), ["c", "a"])


def oov_token_is_what_unknown_becomes():
    """StringLookup(oov_token="?") lists that token and returns it when inverted"""
    if keras.backend.backend() == "jax":  # it has no texts
        return
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, oov_token="?", invert=True)  # noqa: S106
    equal(_texts(layer(np.array([0, 1]))), ["?", "a"])


@each(layer=["StringLookup", "IntegerLookup"])
def lookup_from_its_config(layer):
    """{layer} made from its configuration gives the same numbers"""
    need("tensorflow")
    integer = layer == "IntegerLookup"
    made = getattr(keras.layers, layer)(
        vocabulary=[10, 20, 30] if integer else WORDS, num_oov_indices=2, mask_token=0 if integer else ""
    )
    other = type(made).from_config(made.get_config())
    value = np.array([30, 0, 10]) if integer else np.array(["c", "", "a"])
    equal(array(other(value)), array(made(value)))
    equal(other.get_config(), made.get_config(), "the configuration")


@each(layer=["StringLookup", "IntegerLookup"], mode=["int", "multi_hot"])
def lookup_in_a_dataset(layer, mode):
    """{layer}(output_mode={mode}) gives the same numbers inside tf.data"""
    tf = need("tensorflow")
    integer = layer == "IntegerLookup"
    made = getattr(keras.layers, layer)(vocabulary=[10, 20, 30] if integer else WORDS, output_mode=mode)
    value = np.array([[10, 20], [99, 10]]) if integer else np.array([["a", "b"], ["z", "a"]])
    data = tf.data.Dataset.from_tensor_slices(value).batch(2).map(made)
    close(np.asarray(next(iter(data.as_numpy_iterator()))), _modes()[mode])


def integer_lookup_in_a_model():
    """IntegerLookup in a Functional model gives the same numbers"""
    need("tensorflow")
    if keras.backend.backend() != "tensorflow":
        return
    x = keras.Input((2,), dtype="int64")
    model = keras.Model(x, keras.layers.IntegerLookup(vocabulary=[10, 20, 30])(x))
    equal(array(model(np.array([[10, 30], [7, 20]]))), np.array([[1, 3], [0, 2]]))


def adapt_twice_forgets_the_first():
    """StringLookup.adapt forgets what it saw before"""
    need("tensorflow")
    layer = keras.layers.StringLookup()
    layer.adapt(np.array(["x", "y"]))
    layer.adapt(np.array(["a", "a", "b"]))
    equal([str(word) for word in layer.get_vocabulary()], ["[UNK]", "a", "b"])


def adapt_with_tf_idf():
    """StringLookup(output_mode="tf_idf").adapt learns the weights log(1 + n / (1 + d))"""
    need("tensorflow")
    layer = keras.layers.StringLookup(output_mode="tf_idf")
    layer.adapt(np.array([["a", "a", "b"], ["a", "c", "c"], ["c", "c", "c"]]))
    words = [str(word) for word in layer.get_vocabulary()]
    row = array(layer(np.array([["a", "b", "c"]])))[0]
    inverse = {"a": np.log(1 + 3 / 3), "b": np.log(1 + 3 / 2), "c": np.log(1 + 3 / 3)}
    for word, weight in inverse.items():
        close(float(row[words.index(word)]), weight, "the weight of %s" % word)


@each(layer=["StringLookup", "IntegerLookup"])
def set_vocabulary_replaces(layer):
    """{layer}.set_vocabulary replaces the vocabulary"""
    need("tensorflow")
    integer = layer == "IntegerLookup"
    made = getattr(keras.layers, layer)(vocabulary=[1, 2] if integer else ["x", "y"])
    made.set_vocabulary([10, 20, 30] if integer else WORDS)
    equal(array(made(np.array([30, 1]) if integer else np.array(["c", "x"]))), np.array([3, 0]))


def set_vocabulary_with_weights():
    """StringLookup.set_vocabulary(words, idf_weights) sets both"""
    need("tensorflow")
    layer = keras.layers.StringLookup(output_mode="tf_idf")
    layer.set_vocabulary(WORDS, idf_weights=[0.5, 1.0, 2.0])
    close(layer(np.array([["a", "c"]])), np.array([[0, 0.5, 0, 2.0]]))


def tf_idf_without_weights_is_refused():
    """StringLookup(output_mode="tf_idf") refuses a vocabulary without weights"""
    need("tensorflow")
    refuses(lambda: keras.layers.StringLookup(vocabulary=WORDS, output_mode="tf_idf"), "no idf_weights")


@each(layer=["StringLookup", "IntegerLookup"], argument=["output_mode", "num_oov_indices", "max_tokens"])
def lookup_refuses_wrong_arguments(layer, argument):
    """{layer} refuses a wrong {argument}"""
    need("tensorflow")
    wrong = {"output_mode": "bad", "num_oov_indices": -1, "max_tokens": 1}[argument]
    refuses(lambda: getattr(keras.layers, layer)(**{argument: wrong}), "%s=%r" % (argument, wrong))


@each(words=["latin", "other"])
def words_that_are_not_ascii(words):
    """StringLookup numbers words that are not ASCII ({words})"""
    tf = need("tensorflow")
    layer = keras.layers.StringLookup(
        vocabulary=["\u00e9t\u00e9", "ma\u00df"] if words == "latin" else ["\u65e5\u672c", "\u0434\u0430"]
    )
    known = layer.get_vocabulary()[1:]
    equal(array(layer(tf.constant([str(word) for word in known][::-1]))), np.array([2, 1]))


@each(rank=[0, 1, 2, 3])
def lookup_keeps_the_rank(rank):
    """StringLookup of an input of rank {rank} has its shape"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS)
    value = np.full((2,) * rank, "b")
    equal(array(layer(value)).shape, value.shape, "shape")


def lookup_dtype():
    """IntegerLookup gives integers"""
    need("tensorflow")
    layer = keras.layers.IntegerLookup(vocabulary=[10, 20])
    found = keras.backend.standardize_dtype(layer(np.array([10])).dtype)
    true(found in ("int64", "int32"), "the numbers are integers: %s" % found)


def salted_oov():
    """IntegerLookup(oov_method="farmhash") spreads unknown values"""
    need("tensorflow")
    need("keras.layers.IntegerLookup(oov_method, salt)")
    layer = keras.layers.IntegerLookup(vocabulary=[1], num_oov_indices=3, oov_method="farmhash")
    found = array(layer(np.arange(100, 160, 3)))
    true(found.min() >= 0 and found.max() <= 2 and len(set(found.tolist())) > 1, "all OOV indices are used: %s" % found)


def merged_vocabulary_size_with_padding():
    """StringLookup.vocabulary_size counts words and special tokens, not the padding"""
    need("tensorflow")
    layer = keras.layers.StringLookup(vocabulary=WORDS, max_tokens=10)
    equal(layer.vocabulary_size(), 4)
    equal(len(layer.get_vocabulary()), 4)
