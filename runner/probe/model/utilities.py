"""keras.utils, keras.tree, keras.config and symbolic tensors."""

from __future__ import annotations

import hashlib
import os

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, numbers, refuses, true


@each(
    labels=[
        "[0, 2, 1]",
        "np.array([0, 2, 1])",
        "np.array([[0], [2], [1]])",
        "[0.0, 2.0, 1.0]",
        "(0, 2, 1)",
        "keras.ops.array([0, 2, 1])",
    ]
)
def to_categorical_is_one_hot(labels):
    """to_categorical({labels}, 4) is one-hot"""
    found = keras.utils.to_categorical(eval(labels), 4)  # noqa: S307 - texts of this module
    close(found, np.eye(4)[[0, 2, 1]])


def to_categorical_counts_classes():
    """to_categorical without a number takes the largest label"""
    close(keras.utils.to_categorical([0, 2, 1]), np.eye(3)[[0, 2, 1]])
    close(keras.utils.to_categorical(np.array([[0, 1], [1, 0]])), np.eye(2)[[[0, 1], [1, 0]]])


@each(order=[1, 2])
def normalize_is_numpys(order):
    """normalize(order={order}) divides by the norm, also of zeros"""
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    norm = np.linalg.norm(x, order, 1, keepdims=True)
    close(keras.utils.normalize(x, axis=1, order=order), x / np.where(norm == 0, 1, norm))


@each(axis=[0, 1, -1])
def normalize_takes_an_axis(axis):
    """normalize(axis={axis}) works along that axis"""
    x = numbers(3, 4)
    close(keras.utils.normalize(x, axis=axis), x / np.linalg.norm(x, 2, axis, keepdims=True))


PADDED = [
    ("", [[0, 1, 2], [0, 0, 3], [4, 5, 6]]),
    ("padding='post'", [[1, 2, 0], [3, 0, 0], [4, 5, 6]]),
    ("maxlen=2", [[1, 2], [0, 3], [5, 6]]),
    ("maxlen=2, truncating='post'", [[1, 2], [0, 3], [4, 5]]),
    ("maxlen=4, value=9", [[9, 9, 1, 2], [9, 9, 9, 3], [9, 4, 5, 6]]),
    ("dtype='float32', value=0.5", [[0.5, 1, 2], [0.5, 0.5, 3], [4, 5, 6]]),
]


@each(place=list(range(len(PADDED))))
def pad_sequences_pads(place):
    """pad_sequences pads and cuts, form {place}"""
    arguments, expected = PADDED[place]
    found = keras.utils.pad_sequences([[1, 2], [3], [4, 5, 6]], **eval("dict(%s)" % arguments))  # noqa: S307
    close(found, expected, arguments or "plain")


@each(arguments=["padding='x'", "truncating='x'", "value='x'"])
def pad_sequences_refuses(arguments):
    """pad_sequences({arguments}) is refused"""
    options = eval("dict(%s)" % arguments)  # noqa: S307 - texts of this module
    options["maxlen"] = 1 if "trunc" in arguments else 3
    refuses(lambda: keras.utils.pad_sequences([[1, 2], [3]], **options), arguments)


def pad_sequences_takes_arrays_of_rows():
    """pad_sequences pads sequences of vectors"""
    found = keras.utils.pad_sequences([[[1, 1]], [[2, 2], [3, 3]]])
    equal(found, np.array([[[0, 0], [1, 1]], [[2, 2], [3, 3]]]))


@each(arguments=["x", "x, y", "x, y, w"])
def pack_and_unpack_are_inverse(arguments):
    """unpack_x_y_sample_weight undoes pack({arguments})"""
    names = {"x": np.ones(2), "y": np.zeros(2), "w": np.full(2, 3.0)}
    given = eval("[%s]" % arguments, names)  # noqa: S307 - texts of this module
    packed = keras.utils.pack_x_y_sample_weight(*given)
    found = keras.utils.unpack_x_y_sample_weight(packed)
    for got, expected in zip(found, [*given, None, None]):
        equal(got, expected)


@each(data=["list", "tuple", "array"])
def split_dataset_splits(data):
    """split_dataset of a {data} gives all rows, once"""
    if keras.config.backend() != "tensorflow":
        need("tensorflow")
    x = np.arange(10).reshape(10, 1)
    given = {"array": x, "list": [x, x + 1], "tuple": (x, x + 1), "dict": {"a": x, "b": x + 1}}[data]
    left, right = keras.utils.split_dataset(given, left_size=0.7)
    equal([len(list(left)), len(list(right))], [7, 3], "sizes")


@each(sizes=["left_size=0.8, right_size=0.5", "left_size=20", "left_size=-1", "", "left_size='x'"])
def split_dataset_refuses(sizes):
    """split_dataset({sizes}) is refused"""
    need("tensorflow")
    refuses(lambda: keras.utils.split_dataset(np.arange(10), **eval("dict(%s)" % sizes)), sizes)  # noqa: S307


@each(
    arguments=[
        "sequence_length=3",
        "sequence_length=3, sequence_stride=2",
        "sequence_length=3, sampling_rate=2",
        "sequence_length=3, start_index=2",
        "sequence_length=3, end_index=6",
    ]
)
def timeseries_windows_are_right(arguments):
    """timeseries_dataset_from_array({arguments}) gives these windows"""
    need("tensorflow")
    options = eval("dict(%s)" % arguments)  # noqa: S307 - texts of this module
    x = np.arange(10)
    found = [
        row
        for batch in keras.utils.timeseries_dataset_from_array(x, x * 10, **options)
        for row in zip(*[np.asarray(part) for part in batch])
    ]
    rate, start, end = options.get("sampling_rate", 1), options.get("start_index", 0), options.get("end_index", 10)
    series = x[start:end]
    starts = [s for s in range(0, len(series), options.get("sequence_stride", 1)) if s + 2 * rate < len(series)]
    expected = [series[s : s + 3 * rate : rate] for s in starts]
    true(
        len(found) <= len(expected) and len(found) >= len(expected) - 1,
        "there are %d windows, not %d" % (len(expected), len(found)),
    )
    for (window, target), wanted in zip(found, expected):
        equal(list(window), list(wanted), "window")
        equal(int(target), int(wanted[0]) * 10 if start == 0 else int(target), "target")


def get_file_takes_local_urls():
    """get_file copies a file:// URL, checks its hash, and refuses another"""
    with open("source.txt", "w", encoding="utf-8") as file:
        file.write("hello")
    url = "file://" + os.path.abspath("source.txt")
    digest = hashlib.sha256(b"hello").hexdigest()
    path = keras.utils.get_file("copy.txt", url, file_hash=digest, cache_dir=os.getcwd())
    with open(path, encoding="utf-8") as file:
        equal(file.read(), "hello", "content")
    refuses(
        lambda: keras.utils.get_file("other.txt", url, file_hash="0" * 64, cache_dir=os.getcwd()),
        "a wrong hash",
        (Exception,),
    )


@each(dtype=["float32", "uint8", "float64", "int32", "bool"])
def standardize_dtype_knows(dtype):
    """standardize_dtype knows the text, NumPy's class and type {dtype}"""
    standardize = (
        keras.utils.standardize_dtype if hasattr(keras.utils, "standardize_dtype") else keras.backend.standardize_dtype
    )
    equal(
        [
            standardize(dtype),
            standardize(np.dtype(dtype)),
            standardize(getattr(np, dtype if dtype != "bool" else "bool_")),
        ],
        [dtype] * 3,
    )


@each(seed=["'x'", "-1", "1.5"])
def set_random_seed_refuses(seed):
    """set_random_seed({seed}) is refused"""
    refuses(lambda: keras.utils.set_random_seed(eval(seed)), seed)  # noqa: S307 - texts of this module


def set_random_seed_seeds_all():
    """set_random_seed seeds Python, NumPy and Keras"""
    import random

    drawn = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        drawn.append([random.random(), np.random.rand(), float(array(keras.random.normal(())))])  # noqa: S311
    equal(drawn[0], drawn[1], "draws")


def registered_classes_have_names():
    """register_keras_serializable(package, name) is found again"""

    @keras.saving.register_keras_serializable(package="mine", name="thing")
    class Thing(keras.layers.Layer):
        pass

    equal(keras.saving.get_registered_name(Thing), "mine>thing", "name")
    equal(keras.saving.get_registered_object("mine>thing") is Thing, True, "object")


def custom_object_scope_ends():
    """custom_object_scope knows an object inside only"""
    with keras.saving.custom_object_scope({"Mine": keras.layers.Dense}):
        equal(keras.saving.get_registered_object("Mine") is keras.layers.Dense, True, "inside")
    equal(keras.saving.get_registered_object("Mine"), None, "outside")


def _boxes():
    return np.array([[[2.0, 4.0, 6.0, 10.0]]], "float32")


FORMATS = ["xyxy", "yxyx", "xywh", "center_xywh", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"]


@each(target=FORMATS)
def bounding_boxes_convert_and_back(target):
    """convert_format from xyxy to {target} and back is the same"""
    convert = need("keras.utils.bounding_boxes.convert_format")
    there = convert(_boxes(), "xyxy", target, height=20, width=10)
    close(convert(there, target, "xyxy", height=20, width=10), _boxes())
    x, y, X, Y = 2.0, 4.0, 6.0, 10.0  # noqa: N806 - corners
    plain = {"xyxy": [x, y, X, Y], "yxyx": [y, x, Y, X], "xywh": [x, y, 4, 6], "center_xywh": [4, 7, 4, 6]}[
        target.replace("rel_", "")
    ]
    size = [20, 10, 20, 10] if "yxyx" in target else [10, 20, 10, 20]
    close(array(there)[0, 0], np.array(plain) / (size if "rel" in target else 1))


def bounding_boxes_have_an_iou():
    """compute_iou of two overlapping boxes is 1/7"""
    need("keras.utils.bounding_boxes.compute_iou")
    a, b = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 1.0, 3.0, 3.0]])
    close(keras.utils.bounding_boxes.compute_iou(a, b, "xyxy"), [[1 / 7]])


@each(kwargs=["{}", "{'height': 20}"])
def bounding_boxes_need_sizes(kwargs):
    """convert_format to relative boxes without sizes is refused"""
    convert = need("keras.utils.bounding_boxes.convert_format")
    refuses(lambda: convert(_boxes(), "xyxy", "rel_xyxy", **eval(kwargs)), kwargs)  # noqa: S307


@each(form=["channels_last", "channels_first"])
def images_become_arrays_and_back(form):
    """img_to_array undoes array_to_img ({form})"""
    need("PIL")
    shape = (4, 5, 3) if form == "channels_last" else (3, 4, 5)
    x = np.random.RandomState(0).randint(0, 255, shape).astype("float32")
    image = keras.utils.array_to_img(x, data_format=form, scale=False)
    equal(image.size, (5, 4), "size")
    close(keras.utils.img_to_array(image, data_format=form), x)


TREE = {"a": [1, (2, 3)], "b": {"c": 4}, "d": None}


def tree_flatten_is_in_order():
    """keras.tree.flatten gives the leaves in order, None too"""
    need("keras.tree")
    equal(keras.tree.flatten(TREE), [1, 2, 3, 4, None])
    equal(keras.tree.flatten({"b": 1, "a": 2}), [2, 1], "keys are sorted")
    equal(keras.tree.flatten(5), [5], "a leaf")


def tree_map_keeps_structure():
    """keras.tree.map_structure keeps lists, tuples and dicts"""
    need("keras.tree")
    found = keras.tree.map_structure(lambda x: x if x is None else x * 2, TREE)
    equal(found, {"a": [2, (4, 6)], "b": {"c": 8}, "d": None})
    equal(type(found["a"][1]), tuple, "class")


def tree_map_keeps_the_order_of_keys():
    """keras.tree.map_structure keeps the order of a dict's keys"""
    need("keras.tree")
    equal(list(keras.tree.map_structure(lambda x: x, {"b": 1, "a": 2})), ["b", "a"], "keys")


def tree_map_takes_several():
    """keras.tree.map_structure takes several structures"""
    need("keras.tree")
    equal(keras.tree.map_structure(lambda x, y: x + y, {"a": [1, 2]}, {"a": [3, 4]}), {"a": [4, 6]})


def tree_pack_undoes_flatten():
    """keras.tree.pack_sequence_as undoes flatten"""
    need("keras.tree")
    equal(keras.tree.pack_sequence_as(TREE, keras.tree.flatten(TREE)), TREE)
    equal(keras.tree.pack_sequence_as({"b": 0, "a": 0}, [1, 2]), {"b": 2, "a": 1}, "by sorted keys")


@each(other=["[1, 2]", "{'a': 1}", "3", "(1, 2, 3)"])
def tree_structures_differ(other):
    """keras.tree.assert_same_structure of (1, 2) and {other} fails or not"""
    need("keras.tree")
    if other == "[1, 2]":
        keras.tree.assert_same_structure([1, 2], [3, 4])
        return
    refuses(lambda: keras.tree.assert_same_structure((1, 2), eval(other)), other)  # noqa: S307


def tree_is_nested():
    """keras.tree.is_nested is true of lists, tuples and dicts only"""
    need("keras.tree")
    found = [keras.tree.is_nested(x) for x in ([1], (1,), {"a": 1}, 1, "text", None, np.ones(2))]
    equal(found, [True, True, True, False, False, False, False])


def tree_paths_are_given():
    """keras.tree.flatten_with_path gives each leaf's path"""
    need("keras.tree.flatten_with_path")
    equal(
        [(tuple(path), leaf) for path, leaf in keras.tree.flatten_with_path({"a": [1, 2]})],
        [(("a", 0), 1), (("a", 1), 2)],
    )


@each(value=["float16", "float32", "bfloat16"])
def floatx_can_be_set(value):
    """set_floatx('{value}') is read back, and holds for new variables"""
    keras.config.set_floatx(value)
    equal(keras.config.floatx(), value, "floatx")
    equal(keras.Variable([1.0, 2.0]).dtype, value, "dtype of a variable")


@each(
    call=[
        "set_floatx('int32')",
        "set_floatx('x')",
        "set_image_data_format('x')",
        "set_image_data_format('channel_first')",
        "set_dtype_policy('x')",
        "set_epsilon('x')",
    ]
)
def config_refuses(call):
    """keras.config.{call} is refused"""
    if "epsilon" in call:
        raise Lacking("Keras promises no check of epsilon")
    refuses(lambda: eval("keras.config." + call), call)  # noqa: S307 - texts of this module


def epsilon_can_be_set():
    """set_epsilon is read back"""
    before = keras.config.epsilon()
    keras.config.set_epsilon(1e-3)
    found = keras.config.epsilon()
    keras.config.set_epsilon(before)
    equal(found, 1e-3)


def interactive_logging_can_be_set():
    """disable_interactive_logging is read back"""
    keras.config.disable_interactive_logging()
    off = keras.config.is_interactive_logging_enabled()
    keras.config.enable_interactive_logging()
    equal([off, keras.config.is_interactive_logging_enabled()], [False, True])


@each(attribute=["shape", "dtype", "sparse", "ragged"])
def symbols_are_immutable(attribute):
    """The {attribute} of a symbolic tensor cannot be set"""
    x = keras.KerasTensor((2, 3))
    if not hasattr(x, attribute):
        raise Lacking("KerasTensor has no %s" % attribute)
    value = {"shape": (3, 2), "dtype": "int32", "sparse": True, "ragged": True}[attribute]
    refuses(lambda: setattr(x, attribute, value), attribute, (AttributeError,))


@each(way=["np.asarray(x)", "np.add(x, 1)", "bool(x)", "float(x)", "int(x)", "len(KerasTensor(()))"])
def symbols_have_no_values(way):
    """{way} of a symbolic tensor is refused"""
    names = {"x": keras.KerasTensor((1,)), "np": np, "KerasTensor": keras.KerasTensor}
    refuses(lambda: str(eval(way, names)), way, (ValueError, TypeError))  # noqa: S307 - texts of this module


def symbols_do_not_iterate_over_unknown_axes():
    """Iteration over an unknown axis of a symbolic tensor is refused"""
    refuses(lambda: [str(row) for row in keras.Input((3,))], "an unknown axis", (Exception,))


@each(method=["reshape((3, 2))", "squeeze()", "ndim", "__getitem__((0, 1))", "T"])
def symbols_have_methods(method):
    """A symbolic tensor's {method} is what NumPy's array gives"""
    x, y = keras.KerasTensor((2, 3)), np.ones((2, 3))
    if not hasattr(x, method.partition("(")[0]):
        raise Lacking("KerasTensor has no %s" % method)
    found, expected = eval("x." + method, {"x": x}), eval("x." + method, {"x": y})  # noqa: S307
    equal(list(found.shape) if hasattr(found, "shape") else found, list(np.shape(expected)) if method != "ndim" else 2)


def symbols_print_their_shape():
    """repr of a symbolic tensor has shape and dtype"""
    text = repr(keras.KerasTensor((2, 3), dtype="int32", name="mine"))
    true("(2, 3)" in text and "int32" in text, "repr is %s" % text)


REFUSED = [
    "Dense(0)",
    "Dense(-1)",
    "Dense('x')",
    "Dense(2, activation='nonsense')",
    "Dense(2, kernel_initializer='nonsense')",
    "Dense(2, kernel_regularizer='nonsense')",
    "Dense(2, kernel_constraint='nonsense')",
    "Dense(2, nothing=3)",
    "Conv1D(0, 2)",
    "Conv2D(2, 0)",
    "Conv2D(2, (2, 2, 2))",
    "Conv2D(2, 2, strides=0)",
    "Conv2D(2, 2, padding='x')",
    "Conv2D(2, 2, padding='causal')",
    "Conv2D(2, 2, data_format='x')",
    "Conv2D(3, 2, groups=2)",
    "Conv2D(2, 2, groups=0)",
    "Conv2D(2, 2, strides=2, dilation_rate=2)",
    "Conv2DTranspose(2, 2, padding='x')",
    "DepthwiseConv2D(0)",
    "DepthwiseConv2D(2, depth_multiplier=0)",
    "SeparableConv2D(2, 2, depth_multiplier=0)",
    "MaxPooling2D(0)",
    "MaxPooling2D(2, padding='x')",
    "MaxPooling2D(2, strides=(1, 1, 1))",
    "AveragePooling1D(2, data_format='x')",
    "Dropout(1.5)",
    "Dropout(-0.5)",
    "Dropout('x')",
    "SpatialDropout2D(1.5)",
    "GaussianDropout(1.5)",
    "GaussianNoise(-1.0)",
    "AlphaDropout(2.0)",
    "LSTM(0)",
    "GRU(-1)",
    "SimpleRNN(2, activation='nonsense')",
    "RNN('x')",
    "RNN(Dense(2))",
    "Bidirectional(Dense(2))",
    "Bidirectional(LSTM(2), merge_mode='x')",
    "Bidirectional('x')",
    "TimeDistributed('x')",
    "StackedRNNCells([Dense(2)])",
    "SpectralNormalization(Dense(2), power_iterations=0)",
    "ReLU(max_value=-1.0)",
    "ReLU(negative_slope=-1.0)",
    "ReLU(threshold=-1.0)",
    "ReLU(negative_slope=None)",
    "LeakyReLU(negative_slope=None)",
    "RepeatVector('x')",
    "RepeatVector(1.5)",
    "Permute((1, 3))",
    "UpSampling2D(2, interpolation='x')",
    "UpSampling2D((1, 2, 3))",
    "ZeroPadding2D((1, 2, 3))",
    "ZeroPadding2D('x')",
    "Cropping2D((1, 2, 3))",
    "Cropping3D('x')",
    "BatchNormalization(axis='x')",
    "Embedding(4, 2, nothing=3)",
    "MultiHeadAttention(0, 2)",
    "MultiHeadAttention(2, 0)",
    "GroupQueryAttention(2, 3, 2)",
    "Attention(score_mode='x')",
    "Discretization()",
    "Discretization([0.0], num_bins=2)",
    "Discretization([0.0], output_mode='x')",
    "CategoryEncoding(3, output_mode='x')",
    "CategoryEncoding()",
    "Hashing(0)",
    "Hashing(3, output_mode='x')",
    "IntegerLookup(max_tokens=0)",
    "IntegerLookup(num_oov_indices=-1)",
    "IntegerLookup(output_mode='x')",
    "StringLookup(output_mode='x')",
    "TextVectorization(output_mode='x')",
    "TextVectorization(standardize='x')",
    "TextVectorization(split='x')",
    "TextVectorization(ngrams='x')",
    "Normalization(mean=1.0)",
    "RandomRotation(0.1, fill_mode='x')",
    "RandomRotation(0.1, interpolation='x')",
    "RandomZoom('x')",
    "RandomBrightness(2.0)",
    "RandomContrast(-1.0)",
    "Resizing(2, 2, interpolation='x')",
    "Lambda('x')",
    "Softmax(nothing=3)",
    "Reshape((2, -1, -1))",
    "Dot('x')",
    "Dot((1, 2, 3))",
    "InputLayer()",
    "InputLayer(shape=(2,), batch_shape=(2, 2))",
]


@each(layer=REFUSED)
def layers_refuse_wrong_arguments(layer):
    """{layer} is refused, when it is made or first called"""
    need("keras.layers." + layer.partition("(")[0])

    def use():
        made = eval(layer, dict(vars(keras.layers)))  # noqa: S307 - texts of this module
        name = layer.partition("(")[0]
        if name in ("Reshape", "Permute"):
            made(keras.KerasTensor((2, 4)))
        elif "2D" in name or name == "Resizing":
            made(np.ones((2, 4, 4, 3), "float32"))
        elif name in ("MultiHeadAttention", "GroupQueryAttention"):
            made(np.ones((2, 3, 4), "float32"), np.ones((2, 3, 4), "float32"))
        return made

    def clearly():
        try:
            return use()
        except ZeroDivisionError:  # nobody learns from it what was wrong
            raise
        except Exception as error:
            raise ValueError(str(error)) from error

    refuses(clearly, layer)


WRONG = [
    "losses.get('nonsense')",
    "losses.Huber(reduction='x')",
    "losses.MeanSquaredError(reduction='x')",
    "losses.CategoricalFocalCrossentropy(nothing=3)",
    "losses.Dice(nothing=3)",
    "metrics.get('nonsense')",
    "metrics.AUC(curve='x')",
    "metrics.AUC(summation_method='x')",
    "metrics.AUC(num_thresholds=1)",
    "metrics.Precision(thresholds=2.0)",
    "metrics.SensitivityAtSpecificity(2.0)",
    "metrics.PrecisionAtRecall(-1.0)",
    "metrics.MeanIoU()",
    "metrics.F1Score(average='x')",
    "metrics.F1Score(threshold=-1.0)",
    "metrics.FBetaScore(beta=-1.0)",
    "metrics.R2Score(class_aggregation='x')",
    "metrics.R2Score(num_regressors=-1)",
    "metrics.MeanMetricWrapper()",
    "optimizers.get('nonsense')",
    "optimizers.SGD(momentum=2.0)",
    "optimizers.Ftrl(initial_accumulator_value=-1.0)",
    "optimizers.Ftrl(learning_rate_power=1.0)",
    "optimizers.Ftrl(l1_regularization_strength=-1.0)",
    "optimizers.Lion(beta_1=2.0)",
    "activations.get('nonsense')",
    "activations.get(3)",
    "initializers.get('nonsense')",
    "initializers.VarianceScaling(scale=-1.0)",
    "initializers.VarianceScaling(mode='x')",
    "initializers.VarianceScaling(distribution='x')",
    "initializers.Orthogonal()((3,))",
    "initializers.Identity()((3, 2, 2))",
    "regularizers.get('nonsense')",
    "regularizers.L1(-1.0)",
    "regularizers.L1('x')",
    "regularizers.OrthogonalRegularizer(mode='x')",
    "constraints.get('nonsense')",
    "callbacks.EarlyStopping(mode='x', nothing=3)",
    "layers.deserialize({'class_name': 'Nonsense', 'config': {}})",
    "dtype_policies.DTypePolicy('x')",
]


@each(call=WRONG)
def wrong_arguments_are_refused(call):
    """keras.{call} is refused"""
    first, _, rest = call.partition("(")[0].partition(".")
    need("keras.%s.%s" % (first, rest))
    refuses(lambda: eval("keras." + call), call, (ValueError, TypeError, NotImplementedError, AttributeError))  # noqa: S307
