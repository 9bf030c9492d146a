"""Data sets from folders of images, texts and sounds, and from series."""

from __future__ import annotations

import os

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, need, refuses, true


def _images(per_class=3, classes=("a", "b"), size=(4, 6)):
    """Writes small images, each of one grey value: 10 * class + number."""
    tf = need("tensorflow")
    for place, name in enumerate(classes):
        os.makedirs("images/" + name)
        for n in range(per_class):
            pixels = np.full((*size, 3), 10 * place + n, "uint8")
            tf.io.write_file("images/%s/%d.png" % (name, n), tf.io.encode_png(pixels))


def _texts(per_class=3, classes=("a", "b")):
    need("tensorflow")
    for name in classes:
        os.makedirs("texts/" + name)
        for n in range(per_class):
            with open("texts/%s/%d.txt" % (name, n), "w", encoding="utf-8") as file:
                file.write("%s%d" % (name, n))


def _images_of(**options):
    options = {"image_size": (4, 6), "batch_size": 4, "shuffle": False, "verbose": False, **options}
    if "verbose" not in keras.utils.image_dataset_from_directory.__code__.co_varnames:
        del options["verbose"]
    return keras.utils.image_dataset_from_directory("images", **options)


def _read(data):
    """Returns the images' grey values and the labels of a data set."""
    grey, labels = [], []
    for x, y in data:
        grey += np.asarray(x)[:, 0, 0, 0].tolist()
        labels += np.asarray(y).tolist()
    return grey, labels


def images_come_with_labels():
    """image_dataset_from_directory gives images and labels in order of names"""
    _images()
    data = _images_of()
    equal(data.class_names, ["a", "b"], "class_names")
    equal(_read(data), ([0.0, 1.0, 2.0, 10.0, 11.0, 12.0], [0, 0, 0, 1, 1, 1]), "grey values and labels")


def images_have_their_shape():
    """image_dataset_from_directory gives float32 batches of image_size"""
    _images()
    shapes = [tuple(x.shape) for x, _ in _images_of(batch_size=4)]
    equal(shapes, [(4, 4, 6, 3), (2, 4, 6, 3)], "shapes")
    equal({str(np.asarray(x).dtype) for x, _ in _images_of()}, {"float32"}, "types")


@each(mode=["int", "binary", "categorical", "None"])
def images_have_label_modes(mode):
    """image_dataset_from_directory(label_mode={mode}) gives such labels"""
    _images()
    if mode == "None":
        shapes = [tuple(x.shape) for x in _images_of(label_mode=None)]
        equal(shapes, [(4, 4, 6, 3), (2, 4, 6, 3)], "shapes")
        return
    labels = _read(_images_of(label_mode=mode))[1]
    expected = {
        "int": [0, 0, 0, 1, 1, 1],
        "binary": [[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]],
        "categorical": [[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3,
    }[mode]
    equal(labels, expected, "labels")


@each(mode=["grayscale", "rgb", "rgba"])
def images_have_color_modes(mode):
    """image_dataset_from_directory(color_mode={mode}) gives so many channels"""
    _images(1)
    x = next(iter(_images_of(color_mode=mode)))[0]
    equal(x.shape[-1], {"grayscale": 1, "rgb": 3, "rgba": 4}[mode], "channels")


def images_without_batches_are_single():
    """image_dataset_from_directory(batch_size=None) gives single images"""
    _images(1)
    equal([tuple(x.shape) for x, _ in _images_of(batch_size=None)], [(4, 6, 3)] * 2, "shapes")


@each(subset=["training", "validation", "both"])
def images_are_split(subset):
    """image_dataset_from_directory(subset={subset}) splits without overlap"""
    _images()
    options = {"validation_split": 0.5, "seed": 1, "shuffle": True}
    if subset == "both":
        train, validation = _images_of(subset="both", **options)
    else:
        train = _images_of(subset="training", **options)
        validation = _images_of(subset="validation", **options)
    equal(sorted(_read(train)[0] + _read(validation)[0]), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0], "images of both")
    equal(len(_read(validation)[0]), 3, "images to validate with")


def images_are_shuffled_by_a_seed():
    """image_dataset_from_directory(seed=1) gives the same order twice"""
    _images()
    one, two = (_read(_images_of(shuffle=True, seed=1)) for _ in range(2))
    equal(one, two, "images and labels of both")
    equal([int(grey >= 10) for grey in one[0]], one[1], "labels of the images")


def images_have_given_labels():
    """image_dataset_from_directory takes a list of labels"""
    _images()
    equal(_read(_images_of(labels=[5, 4, 3, 2, 1, 0]))[1], [5, 4, 3, 2, 1, 0], "labels")


def images_have_given_classes():
    """image_dataset_from_directory(class_names) numbers classes in that order"""
    _images(1)
    data = _images_of(class_names=["b", "a"])
    grey, labels = _read(data)
    equal({(int(g >= 10), int(n)) for g, n in zip(grey, labels)}, {(1, 0), (0, 1)}, "class and label")


@each(way=["crop_to_aspect_ratio", "pad_to_aspect_ratio", "interpolation"])
def images_are_resized(way):
    """image_dataset_from_directory resizes with {way}"""
    if way == "pad_to_aspect_ratio":
        need("keras.utils.image_dataset_from_directory(pad_to_aspect_ratio)")
    _images(1, size=(4, 8))
    options = {way: "nearest" if way == "interpolation" else True}
    x = np.asarray(next(iter(_images_of(image_size=(8, 8), **options)))[0])
    equal(x.shape, (2, 8, 8, 3), "shape")
    if way == "pad_to_aspect_ratio":
        close(x[1, :, 0, 0], [0, 0, 10, 10, 10, 10, 0, 0], "a column: padding above and below")
    else:
        close(x[1], np.full((8, 8, 3), 10.0), "pixels")


@each(wrong=["label_mode", "color_mode", "interpolation", "subset", "validation_split", "labels", "class_names"])
def wrong_arguments_for_images_are_refused(wrong):
    """image_dataset_from_directory refuses a wrong {wrong}"""
    _images(1)
    options = {"validation_split": {"validation_split": 2.0, "subset": "training"}, "labels": {"labels": [1]}}
    options = options.get(wrong, {wrong: ["x"] if wrong == "class_names" else "nothing"})
    refuses(lambda: _images_of(**options), wrong)


def images_of_no_folder_are_refused():
    """image_dataset_from_directory refuses a folder that does not exist"""
    errors = (ValueError, OSError, LookupError, need("tensorflow").errors.NotFoundError)
    refuses(_images_of, "no folder", errors)


def a_model_trains_on_a_folder_of_images():
    """fit takes what image_dataset_from_directory gives"""
    _images(2)
    model = keras.Sequential([keras.Input((4, 6, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    true(np.isfinite(model.fit(_images_of(), verbose=0).history["loss"][0]), "the loss is a number")


def _texts_of(**options):
    options = {"batch_size": 4, "shuffle": False, **options}
    return keras.utils.text_dataset_from_directory("texts", **options)


def texts_come_with_labels():
    """text_dataset_from_directory gives texts and labels in order of names"""
    _texts()
    texts, labels = [], []
    for x, y in _texts_of():
        texts += [text.decode() for text in x.numpy().tolist()]
        labels += np.asarray(y).tolist()
    equal(texts, ["a0", "a1", "a2", "b0", "b1", "b2"], "texts")
    equal(labels, [0, 0, 0, 1, 1, 1], "labels")


def texts_are_cut():
    """text_dataset_from_directory(max_length=1) cuts texts"""
    _texts(1)
    equal([text.decode() for x, _ in _texts_of(max_length=1) for text in x.numpy().tolist()], ["a", "b"], "texts")


def texts_are_split():
    """text_dataset_from_directory(subset="both") splits without overlap"""
    _texts()
    parts = _texts_of(validation_split=0.5, subset="both", seed=1, shuffle=True)
    found = [[text.decode() for x, _ in part for text in x.numpy().tolist()] for part in parts]
    equal(sorted(found[0] + found[1]), ["a0", "a1", "a2", "b0", "b1", "b2"], "texts of both")
    equal(len(found[1]), 3, "texts to validate with")


@each(length=[4, 8])
def sounds_have_their_length(length):
    """audio_dataset_from_directory(output_sequence_length={length}) cuts or pads"""
    tf = need("tensorflow")
    wave = np.linspace(-0.5, 0.5, 6, dtype="float32")[:, None]
    for name in ("a", "b"):
        os.makedirs("sounds/" + name)
        tf.io.write_file("sounds/%s/0.wav" % name, tf.audio.encode_wav(wave, 8000))
    data = keras.utils.audio_dataset_from_directory(
        "sounds", output_sequence_length=length, batch_size=2, shuffle=False
    )
    x, y = next(iter(data))
    expected = np.zeros((length, 1), "float32")
    expected[: min(length, 6)] = wave[:length]
    close(x, np.stack([expected, expected]), "samples", 1e-3)
    equal(np.asarray(y), np.array([0, 1]), "labels")


def _series(**options):
    need("tensorflow")
    options = {"batch_size": 4, **options}
    return keras.utils.timeseries_dataset_from_array(np.arange(12.0), **options)


@each(stride=[1, 2], rate=[1, 2], length=[1, 3])
def a_series_is_cut_into_windows(stride, rate, length):
    """A series is cut into windows (length={length}, stride={stride}, rate={rate})"""
    data = _series(targets=None, sequence_length=length, sequence_stride=stride, sampling_rate=rate)
    found = np.concatenate([np.asarray(part) for part in data])
    last = 12 - (length - 1) * rate
    expected = [[start + rate * n for n in range(length)] for start in range(0, last, stride)]
    close(found, np.array(expected, "float64"), "windows")


def a_series_has_targets():
    """timeseries_dataset_from_array pairs each window with the target of its place"""
    data = _series(targets=np.arange(12.0) * 10, sequence_length=3)
    x = np.concatenate([np.asarray(part[0]) for part in data])
    y = np.concatenate([np.asarray(part[1]) for part in data])
    close(y, 10 * x[:, 0], "targets")
    equal(len(x), 10, "windows")


def a_series_begins_and_ends():
    """timeseries_dataset_from_array(start_index, end_index) uses these samples only"""
    data = _series(targets=None, sequence_length=2, start_index=2, end_index=7)
    found = np.concatenate([np.asarray(part) for part in data])
    close(found, np.array([[n, n + 1] for n in range(2, 6)], "float64"), "windows")


def a_series_with_start_keeps_its_targets():
    """timeseries_dataset_from_array(start_index=2) pairs windows with their targets"""
    data = _series(targets=np.arange(12.0) * 10, sequence_length=2, start_index=2, end_index=9)
    x = np.concatenate([np.asarray(part[0]) for part in data])
    y = np.concatenate([np.asarray(part[1]) for part in data])
    close(y, 10 * x[:, 0], "targets")


def a_series_is_shuffled_by_a_seed():
    """timeseries_dataset_from_array(shuffle=True, seed=1) gives every window once"""
    data = _series(targets=None, sequence_length=3, shuffle=True, seed=1)
    found = np.concatenate([np.asarray(part) for part in data])
    close(np.sort(found[:, 0]), np.arange(10.0), "first values")
    close(found[:, 2], found[:, 0] + 2, "last values")


@each(wrong=["start_index=12", "end_index=0", "sampling_rate=0", "sequence_stride=0", "end_index=1"])
def wrong_arguments_for_a_series_are_refused(wrong):
    """timeseries_dataset_from_array refuses {wrong}"""
    name, _, value = wrong.partition("=")
    options = {name: int(value)}
    if wrong == "end_index=1":
        options["start_index"] = 2
    if wrong == "end_index=0":
        options = {"end_index": -1}
    refuses(lambda: _series(targets=None, sequence_length=2, **options), wrong)


@each(left=["0.5", "3"])
def data_are_split(left):
    """keras.utils.split_dataset(left_size={left}) splits arrays in order"""
    need("tensorflow")
    x = np.arange(6.0)[:, None]
    size = float(left) if "." in left else int(left)
    parts = keras.utils.split_dataset((x,), left_size=size)
    found = [np.array([np.asarray(row).item() for row in part]) for part in parts]
    close(found[0], x[:3, 0], "left part")
    close(found[1], x[3:, 0], "right part")


def data_of_a_dataset_are_split():
    """keras.utils.split_dataset splits a tf.data.Dataset of pairs"""
    tf = need("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((np.arange(6.0), np.arange(6.0) * 2))
    left, right = keras.utils.split_dataset(data, right_size=2)
    close([float(x) for x, _ in left], np.arange(4.0), "left part")
    close([float(y) for _, y in right], np.array([8.0, 10.0]), "right part")


@each(wrong=["7", "0", "-1", "1.5"])
def a_wrong_split_is_refused(wrong):
    """keras.utils.split_dataset refuses left_size={wrong} of 6 samples"""
    need("tensorflow")
    size = float(wrong) if "." in wrong else int(wrong)
    refuses(lambda: keras.utils.split_dataset((np.arange(6.0)[:, None],), left_size=size), "left_size=" + wrong)
