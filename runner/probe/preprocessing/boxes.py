"""Bounding boxes: conversion, and the layers that move them."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses

IMAGES = np.random.RandomState(3).uniform(0, 255, (1, 8, 10, 3)).round().astype("float32")
BOX = np.array([[[1.0, 2.0, 4.0, 7.0]]], "float32")
"""Left 1, top 2, right 4, bottom 7."""


def _as(form):
    """Returns the box in a format, in an image of height 8 and width 10."""
    left, top, right, bottom = BOX[0, 0]
    if form.startswith("rel_"):
        left, right, top, bottom = left / 10, right / 10, top / 8, bottom / 8
    width, height = right - left, bottom - top
    return np.array([[{
        "xyxy": [left, top, right, bottom], "yxyx": [top, left, bottom, right], "xywh": [left, top, width, height],
        "center_xywh": [left + width / 2, top + height / 2, width, height], "center_yxhw": [top + height / 2, left + width / 2, height, width],
    }[form.replace("rel_", "")]]], "float32")  # fmt: skip


FORMS = ["xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"]


@each(source=FORMS)
def boxes_are_converted_to_all(source):
    """convert_format turns {source} into every other format"""
    convert = need("keras.utils.bounding_boxes.convert_format")
    for target in FORMS:
        close(convert(_as(source), source=source, target=target, height=8, width=10), _as(target), target)


@each(source=["xyxy", "rel_xywh"], target=FORMS)
def boxes_are_converted(source, target):
    """convert_format turns {source} into {target}"""
    convert = need("keras.utils.bounding_boxes.convert_format")
    close(convert(_as(source), source=source, target=target, height=8, width=10), _as(target))


@each(form=["single", "dictionary"])
def boxes_in_other_forms(form):
    """convert_format takes boxes as {form}"""
    convert = need("keras.utils.bounding_boxes.convert_format")
    if form == "dictionary":
        found = convert({"boxes": BOX, "labels": np.zeros((1, 1))}, source="xyxy", target="yxyx")
        close(found["boxes"], _as("yxyx"))
        equal(array(found["labels"]), np.zeros((1, 1)), "labels")
        return
    close(convert(BOX[0], source="xyxy", target="yxyx"), _as("yxyx")[0])


@each(what=["source", "target", "size"])
def conversion_refuses(what):
    """convert_format refuses a wrong {what}"""
    convert = need("keras.utils.bounding_boxes.convert_format")
    wrong = {
        "source": {"source": "bad", "target": "xyxy"},
        "target": {"source": "xyxy", "target": "bad"},
        "size": {"source": "xyxy", "target": "rel_xyxy"},
    }[what]
    refuses(lambda: convert(BOX, **wrong), str(wrong))


def boxes_are_clipped():
    """clip_to_image_size cuts boxes at the border"""
    clip = need("keras.utils.bounding_boxes.clip_to_image_size")
    value = {"boxes": np.array([[[-2.0, 1.0, 14.0, 6.0]]], "float32"), "labels": np.zeros((1, 1), "float32")}
    close(clip(value, height=8, width=10, bounding_box_format="xyxy")["boxes"], np.array([[[0.0, 1.0, 10.0, 6.0]]]))


@each(other=["1, 2, 4, 7", "4, 2, 7, 7", "2.5, 2, 4, 7"])
def intersection_over_union(other):
    """compute_iou of a box with ({other}) is the shared part of the area"""
    compute = need("keras.utils.bounding_boxes.compute_iou")
    second = np.array([[[float(n) for n in other.split(",")]]], "float32")
    expected = {"1, 2, 4, 7": 1.0, "4, 2, 7, 7": 0.0, "2.5, 2, 4, 7": 0.5}[other]
    close(compute(BOX, second, bounding_box_format="xyxy"), np.array([[[expected]]]))


def _moved(layer, box=BOX, form="xyxy", **call):
    """Returns the box after a layer."""
    need("keras.layers.MaxNumBoundingBoxes")
    data = {"images": IMAGES, "bounding_boxes": {"boxes": box, "labels": np.array([[3.0]], "float32")}}
    found = layer(data, **call)
    equal(array(found["bounding_boxes"]["labels"]), np.array([[3.0]]), "labels")
    close(found["images"], array(found["images"]), "images")
    return array(found["bounding_boxes"]["boxes"])


@each(form=["xyxy", "rel_xyxy", "yxyx", "xywh"])
def resizing_scales_boxes(form):
    """Resizing(bounding_box_format={form}) scales boxes as the image"""
    box = _as(form)
    layer = keras.layers.Resizing(16, 5, bounding_box_format=form)
    scale = {"xyxy": [0.5, 2, 0.5, 2], "rel_xyxy": [1, 1, 1, 1], "yxyx": [2, 0.5, 2, 0.5], "xywh": [0.5, 2, 0.5, 2]}[
        form
    ]
    close(_moved(layer, box, form), box * np.array(scale), tolerance=1e-4)


def center_crop_moves_boxes():
    """CenterCrop moves boxes and cuts them at the border"""
    close(_moved(keras.layers.CenterCrop(6, 6, bounding_box_format="xyxy")), np.array([[[0.0, 1.0, 2.0, 6.0]]]))


def translation_moves_boxes():
    """RandomTranslation by a fixed part moves boxes by it"""
    layer = keras.layers.RandomTranslation((0.125, 0.125), (0.2, 0.2), fill_mode="constant", bounding_box_format="xyxy")
    close(_moved(layer, training=True), BOX + np.array([2.0, 1.0, 2.0, 1.0]), tolerance=1e-4)


@each(
    layer=[
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "RandomCrop",
        "RandomShear",
        "RandomBrightness",
        "RandomContrast",
        "RandomErasing",
        "RandomGrayscale",
        "RandomPerspective",
    ]
)
def boxes_keep_their_shape(layer):
    """{layer} of boxes gives as many boxes, and within the image"""
    factors = {
        "RandomFlip": (),
        "RandomRotation": (0.1,),
        "RandomTranslation": (0.2, 0.2),
        "RandomZoom": (0.2,),
        "RandomCrop": (8, 10),
        "RandomShear": (0.1, 0.1),
        "RandomBrightness": (0.2,),
        "RandomContrast": (0.2,),
        "RandomErasing": (),
        "RandomGrayscale": (),
        "RandomPerspective": (),
    }
    made = getattr(keras.layers, layer)(*factors[layer], seed=1, bounding_box_format="xyxy")
    found = _moved(made, training=True)
    equal(found.shape, BOX.shape, "shape")


@each(layer=["RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear"])
def boxes_are_left_at_inference(layer):
    """{layer}(training=False) leaves images and boxes"""
    factors = {
        "RandomFlip": (),
        "RandomRotation": (0.1,),
        "RandomTranslation": (0.2, 0.2),
        "RandomZoom": (0.2,),
        "RandomShear": (0.1, 0.1),
    }
    made = getattr(keras.layers, layer)(*factors[layer], seed=1, bounding_box_format="xyxy")
    close(_moved(made, training=False), BOX)


@each(number=[1, 2, 4])
def max_number_of_boxes(number):
    """MaxNumBoundingBoxes({number}) cuts or fills the boxes"""
    layer = need("keras.layers.MaxNumBoundingBoxes")(number, fill_value=-1, bounding_box_format="xyxy")
    boxes, labels = np.arange(8.0).reshape(1, 2, 4), np.array([[5.0, 6.0]])
    found = layer(
        {"images": IMAGES, "bounding_boxes": {"boxes": boxes.astype("float32"), "labels": labels.astype("float32")}}
    )
    padded = np.concatenate([boxes, np.full((1, 4, 4), -1.0)], 1)[:, :number]
    close(found["bounding_boxes"]["boxes"], padded)
    close(found["bounding_boxes"]["labels"], np.concatenate([labels, np.full((1, 4), -1.0)], 1)[:, :number])


def boxes_in_a_dataset():
    """RandomTranslation by a fixed part moves boxes the same inside tf.data"""
    tf = need("tensorflow")
    need("keras.layers.MaxNumBoundingBoxes")
    layer = keras.layers.RandomTranslation((0.125, 0.125), (0.2, 0.2), fill_mode="constant", bounding_box_format="xyxy")
    data = tf.data.Dataset.from_tensor_slices(
        {"images": IMAGES, "bounding_boxes": {"boxes": BOX, "labels": np.array([[3.0]], "float32")}}
    )
    found = next(iter(data.batch(1).map(lambda row: layer(row, training=True)).as_numpy_iterator()))
    close(found["bounding_boxes"]["boxes"], BOX + np.array([2.0, 1.0, 2.0, 1.0]), tolerance=1e-4)


@each(other=["1, 2, 4, 7", "4, 2, 7, 7", "2, 3, 3, 9", "11, 12, 14, 17"])
def complete_intersection_over_union(other):
    """compute_ciou of a box with ({other}) follows its formula (arXiv:1911.08287)"""
    compute = need("keras.utils.bounding_boxes.compute_ciou")
    a, b = BOX[0, 0].astype("float64"), np.array([float(n) for n in other.split(",")])
    shared = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    areas = [np.prod(box[2:] - box[:2]) for box in (a, b)]
    iou = shared / (sum(areas) - shared)
    apart = np.sum(((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2) ** 2)
    hull = np.sum((np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])) ** 2)
    ratios = [np.arctan((box[2] - box[0]) / (box[3] - box[1])) for box in (a, b)]
    v = 4 / np.pi**2 * (ratios[0] - ratios[1]) ** 2
    expected = iou - apart / hull - v * v / max(1 - iou + v, 1e-7)
    close(np.ravel(array(compute(BOX[0], b[None].astype("float32"), "xyxy"))), [expected], tolerance=1e-3)


@each(form=["xyxy", "yxyx", "xywh", "center_xywh", "rel_xyxy"], encoding=["center_yxhw", "center_xywh"],
      variance=[0, 1])  # fmt: skip
def deltas_are_decoded_again(form, encoding, variance):
    """box deltas are decoded again: {form}, {encoding}, variance {variance}"""
    encode = need("keras.utils.bounding_boxes.encode_box_to_deltas")
    decode = need("keras.utils.bounding_boxes.decode_deltas_to_boxes")
    options = {"variance": [0.1, 0.1, 0.2, 0.2] if variance else None, "image_shape": (8, 10, 3)}
    anchors = np.array([[2.0, 1.0, 6.0, 6.0]], "float32")
    deltas = encode(anchors, _as(form)[0], "xyxy", form, encoding_format=encoding, **options)
    found = decode(anchors, deltas, "xyxy", form, encoded_format=encoding, **options)
    close(np.ravel(array(found)), np.ravel(_as(form)), tolerance=1e-4)


def boxes_are_cropped():
    """bounding_boxes.crop moves boxes into the cropped image, and cuts them"""
    crop = need("keras.utils.bounding_boxes.crop")
    found = crop(BOX, top=1, left=2, height=6, width=6, bounding_box_format="xyxy")
    close(array(found), np.array([[[0.0, 1.0, 2.0, 6.0]]]))
