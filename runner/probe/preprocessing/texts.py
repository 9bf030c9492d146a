"""TextVectorization."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

WORDS = ["big", "dog", "cat"]


def _made(**options):
    need("tensorflow")
    return keras.layers.TextVectorization(vocabulary=WORDS, **options)


def numbers_words():
    """TextVectorization gives 0 for padding, 1 for unknown words, then the vocabulary"""
    equal(array(_made()(np.array(["big cat", "zz dog big"]))), np.array([[2, 4, 0], [1, 3, 2]]))


def vocabulary_begins_with_special_tokens():
    """TextVectorization.get_vocabulary begins with "" and "[UNK]" """
    layer = _made()
    equal([str(w) for w in layer.get_vocabulary()], ["", "[UNK]", *WORDS])
    equal([str(w) for w in layer.get_vocabulary(include_special_tokens=False)], WORDS)
    equal(layer.vocabulary_size(), 5)


@each(standardize=["lower_and_strip_punctuation", "lower", "strip_punctuation", "none"])
def standardize_option(standardize):
    """TextVectorization(standardize={standardize}) prepares words accordingly"""
    layer = _made(standardize=None if standardize == "none" else standardize)
    expected = {"lower_and_strip_punctuation": [2, 3], "lower": [1, 3], "strip_punctuation": [2, 1], "none": [1, 1]}
    equal(array(layer(np.array(["big! DOG"]))), np.array([expected[standardize]]))


def standardize_function():
    """TextVectorization(standardize=function) uses the function"""
    tf = need("tensorflow")
    layer = _made(standardize=lambda text: tf.strings.regex_replace(text, "x", ""))
    equal(array(layer(np.array(["bxig dogx"]))), np.array([[2, 3]]))


@each(split=["whitespace", "character", "none"])
def split_option(split):
    """TextVectorization(split={split}) splits accordingly"""
    need("tensorflow")
    words = {"whitespace": ["ab", "c"], "character": ["a", "b", "c"], "none": ["ab c", "q"]}[split]
    layer = keras.layers.TextVectorization(vocabulary=words, split=None if split == "none" else split)
    value = np.array([["ab c"], ["q"]]) if split == "none" else np.array(["ab c"])
    found = array(layer(value))
    if split == "none":
        equal(found, np.array([[2], [3]]))
    else:
        equal(found.ravel()[:2].tolist(), [2, 3])


def split_function():
    """TextVectorization(split=function) uses the function"""
    tf = need("tensorflow")
    layer = _made(split=lambda text: tf.strings.split(text, "-"), standardize=None)
    equal(array(layer(np.array(["big-dog-cat"]))), np.array([[2, 3, 4]]))


@each(ngrams=["2", "(2,)", "(1, 3)"])
def ngrams_option(ngrams):
    """TextVectorization(ngrams={ngrams}) joins neighbouring words"""
    need("tensorflow")
    words = ["a", "b", "a b", "a b c"]
    layer = keras.layers.TextVectorization(vocabulary=words, ngrams={"2": 2, "(2,)": (2,), "(1, 3)": (1, 3)}[ngrams])
    known = {w: k + 2 for k, w in enumerate(words)}
    grams = {"2": ["a", "b", "c", "a b", "b c"], "(2,)": ["a b", "b c"], "(1, 3)": ["a", "b", "c", "a b c"]}[ngrams]
    equal(array(layer(np.array(["a b c"])))[0].tolist(), [known.get(g, 1) for g in grams])


@each(mode=["multi_hot", "count", "tf_idf"])
def texts_output_modes(mode):
    """TextVectorization(output_mode={mode}) encodes a text"""
    layer = _made(output_mode=mode, **({"idf_weights": [0.5, 1.0, 2.0]} if mode == "tf_idf" else {}))
    expected = {"multi_hot": [[1, 1, 1, 0]], "count": [[1, 2, 1, 0]], "tf_idf": [[3.5 / 3, 1.0, 1.0, 0]]}[mode]
    close(layer(np.array(["big dog big zz"])), np.array(expected))


@each(length=[2, 5])
def output_sequence_length(length):
    """TextVectorization(output_sequence_length={length}) pads and cuts to it"""
    found = array(_made(output_sequence_length=length)(np.array(["big dog cat", "cat"])))
    equal(found, np.array([[2, 3, 4, 0, 0], [4, 0, 0, 0, 0]])[:, :length])


@each(mode=["int", "multi_hot", "count"])
def texts_shape_promised(mode):
    """TextVectorization({mode}).compute_output_shape is the output's shape"""
    more = {"output_sequence_length": 4} if mode == "int" else {}
    layer = _made(output_mode=mode, **more)
    found = array(layer(np.array([["big dog"], ["cat"]])))
    equal(tuple(layer.compute_output_shape((2, 1))), found.shape)


@each(mode=["multi_hot", "count"])
def padded_to_max_tokens(mode):
    """TextVectorization(output_mode={mode}, pad_to_max_tokens=True) is max_tokens wide"""
    layer = _made(output_mode=mode, max_tokens=9, pad_to_max_tokens=True)
    equal(array(layer(np.array(["big dog"]))).shape, (1, 9))


@each(form=["list", "array", "column", "scalar", "tensor", "nested"])
def texts_forms_of_input(form):
    """TextVectorization takes a {form}"""
    tf = need("tensorflow")
    value, expected = {
        "list": (["big", "cat dog"], [[2, 0], [4, 3]]), "array": (np.array(["big"]), [[2]]), "column": (np.array([["big"], ["cat dog"]]), [[2, 0], [4, 3]]), "scalar": ("big cat", [2, 4]),
        "tensor": (tf.constant(["big cat"]), [[2, 4]]), "nested": ([["big"]], [[2]]),
    }[form]  # fmt: skip
    equal(array(_made()(value)), np.array(expected))


@each(form=["array", "list", "dataset", "column"])
def adapt_on(form):
    """TextVectorization.adapt on a {form} learns words by frequency"""
    tf = need("tensorflow")
    layer = keras.layers.TextVectorization()
    data = ["dog dog dog", "Cat cat!", "mouse"]
    layer.adapt(
        {
            "array": np.array(data),
            "list": data,
            "dataset": tf.data.Dataset.from_tensor_slices(data).batch(2),
            "column": np.array(data)[:, None],
        }[form]
    )
    equal([str(w) for w in layer.get_vocabulary()], ["", "[UNK]", "dog", "cat", "mouse"])


def adapt_limits_tokens():
    """TextVectorization(max_tokens=4).adapt keeps the two most frequent words"""
    need("tensorflow")
    layer = keras.layers.TextVectorization(max_tokens=4)
    layer.adapt(np.array(["a b b c c c"]))
    equal([str(w) for w in layer.get_vocabulary()], ["", "[UNK]", "c", "b"])


def ragged_output():
    """TextVectorization(ragged=True) gives rows of their own length"""
    layer = _made(ragged=True)
    found = layer(np.array(["big", "cat dog"]))
    if not hasattr(found, "to_list"):
        return
    equal(found.to_list(), [[2], [4, 3]])


def texts_from_their_config():
    """TextVectorization made from its configuration gives the same numbers"""
    layer = _made(output_sequence_length=3, standardize="lower", ngrams=2)
    other = keras.layers.TextVectorization.from_config(layer.get_config())
    value = np.array(["BIG dog"])
    equal(array(other(value)), array(layer(value)))
    equal(other.get_config(), layer.get_config(), "the configuration")


@each(mode=["int", "count"])
def texts_in_a_dataset(mode):
    """TextVectorization(output_mode={mode}) gives the same numbers inside tf.data"""
    tf = need("tensorflow")
    layer = _made(output_mode=mode)
    value = np.array(["big cat", "dog dog"])
    found = next(iter(tf.data.Dataset.from_tensor_slices(value).batch(2).map(layer).as_numpy_iterator()))
    close(np.asarray(found), array(layer(value)))


@each(argument=["standardize", "split", "output_mode", "ngrams", "max_tokens"])
def texts_refuse_wrong_arguments(argument):
    """TextVectorization refuses a wrong {argument}"""
    need("tensorflow")
    wrong = {"standardize": "bad", "split": "bad", "output_mode": "bad", "ngrams": "bad", "max_tokens": 1}[argument]
    refuses(lambda: keras.layers.TextVectorization(**{argument: wrong}), "%s=%r" % (argument, wrong))


def texts_give_tensors_of_the_backend():
    """TextVectorization returns a tensor of the backend"""
    true(keras.ops.is_tensor(_made()(np.array(["big"]))), "the output is a tensor of the backend")


def vocabulary_from_a_file():
    """TextVectorization(vocabulary=path) reads a word a line"""
    need("tensorflow")
    with open("words.txt", "w", encoding="utf-8") as file:
        file.write("big\ndog\n")
    equal(array(keras.layers.TextVectorization(vocabulary="words.txt")(np.array(["dog big"]))), np.array([[3, 2]]))


def set_vocabulary_after_making():
    """TextVectorization.set_vocabulary replaces the words"""
    layer = _made()
    layer.set_vocabulary(["x", "y"])
    equal(array(layer(np.array(["y big"]))), np.array([[3, 1]]))


def texts_sparse_equals_dense():
    """TextVectorization(sparse=True) holds the numbers of the dense one"""
    if keras.backend.backend() == "torch":  # it has no sparse tensors here
        return
    found = _made(output_mode="count", sparse=True)(np.array(["big dog big"]))
    close(keras.ops.convert_to_tensor(found, sparse=False), np.array([[0, 2, 1, 0]]))


def empty_text():
    """TextVectorization of an empty text has only padding"""
    equal(array(_made(output_sequence_length=2)(np.array(["", "dog"]))), np.array([[0, 0], [3, 0]]))


def numbers_are_integers():
    """TextVectorization(output_mode="int") has integers"""
    found = keras.backend.standardize_dtype(_made()(np.array(["big"])).dtype)
    true("int" in found, "the numbers are integers: %s" % found)
