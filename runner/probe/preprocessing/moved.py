"""Bounding boxes move with the image, as a bright rectangle in it does."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, need, true

HEIGHT, WIDTH = 48, 64
LEFT, TOP, RIGHT, BOTTOM = 20, 14, 36, 26

MOVERS = [
    "RandomFlip('horizontal')",
    "RandomFlip('vertical')",
    "RandomRotation((0.25, 0.25))",
    "RandomRotation((-0.25, -0.25))",
    "RandomRotation((0.5, 0.5))",
    "RandomRotation((0.05, 0.05))",
    "RandomTranslation((0.1, 0.1), (-0.2, -0.2))",
    "RandomZoom((-0.25, -0.25))",
    "RandomZoom((0.25, 0.25), (-0.25, -0.25))",
    "RandomCrop(40, 48)",
    "RandomShear((0.2, 0.2), (0.0, 0.0))",
    "RandomShear((0.0, 0.0), (0.2, 0.2))",
    "CenterCrop(40, 48)",
    "Resizing(24, 96)",
    "Resizing(32, 32, crop_to_aspect_ratio=True)",
    "Resizing(32, 32, pad_to_aspect_ratio=True)",
]


def _mover(text):
    """Returns the layer that ``text`` says; black where the image is moved away."""
    name = text.partition("(")[0]
    made = need("keras.layers." + name)
    if not hasattr(made, "transform_bounding_boxes"):
        raise Lacking("%s of boxes" % name)
    more = ", bounding_box_format='xyxy'"
    if name in ("RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear"):
        more += ", fill_mode='constant', interpolation='nearest'"
    if name.startswith("Random"):
        more += ", seed=1"
    return eval("keras.layers." + text[:-1] + more + ")", {"keras": keras})  # noqa: S307 - written above


@each(layer=MOVERS)
def boxes_move_with_their_pixels(layer):
    """{layer} moves a box to where it moves the pixels inside"""
    image = np.zeros((1, HEIGHT, WIDTH, 3), "float32")
    image[:, TOP:BOTTOM, LEFT:RIGHT] = 255.0
    box = np.array([[[LEFT, TOP, RIGHT, BOTTOM]]], "float32")
    boxes = {"boxes": box, "labels": np.array([[3.0]], "float32")}
    found = _mover(layer)({"images": image, "bounding_boxes": boxes}, training=True)
    bright = array(found["images"])[0, :, :, 0] > 100
    true(bright.any(), "the rectangle is still in the image")
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    expected = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], "float64")
    got = np.ravel(array(found["bounding_boxes"]["boxes"]))
    told = "the box is that of the pixels to 2 pixels: pixels %s, box %s" % (expected.tolist(), got.round(1).tolist())
    true(got.shape == (4,) and bool((np.abs(got - expected) <= 2.0).all()), told)
