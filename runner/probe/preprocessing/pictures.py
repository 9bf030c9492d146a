"""Functions on images, and what augmentation layers draw."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

IMAGE = np.random.RandomState(5).uniform(0, 255, (6, 8, 3)).round().astype("float32")


@each(size=["(3, 4)", "(6, 8)", "(12, 16)"])
def smart_resize_keeps_the_ratio(size):
    """smart_resize to {size} of the same ratio is a plain resize"""
    resize = need("keras.preprocessing.image.smart_resize")
    size = eval(size)  # noqa: S307 - a text of this module
    found = array(resize(IMAGE, size))
    equal(found.shape, (*size, 3), "shape")
    expected = array(keras.ops.image.resize(IMAGE, size, interpolation="bilinear"))
    close(found, expected, tolerance=1e-4)


def smart_resize_crops_the_middle():
    """preprocessing.image.smart_resize to another ratio takes the middle"""
    resize = need("keras.preprocessing.image.smart_resize")
    found = array(resize(IMAGE, (6, 6)))
    close(found, IMAGE[:, 1:7], tolerance=1e-4)


@each(size=["(3,)", "4", "(3, 4, 5)"])
def smart_resize_refuses(size):
    """preprocessing.image.smart_resize refuses the size {size}"""
    resize = need("keras.preprocessing.image.smart_resize")
    refuses(lambda: resize(IMAGE, eval(size)), size)  # noqa: S307 - a text of this module


@each(mode=["rgb", "grayscale", "rgba"])
def images_are_saved_and_loaded(mode):
    """utils.load_img(color_mode={mode}) reads what save_img wrote"""
    need("PIL.Image")
    keras.utils.save_img("a.png", IMAGE, scale=False)
    found = array(keras.utils.img_to_array(keras.utils.load_img("a.png", color_mode=mode)))
    equal(found.shape, (6, 8, {"rgb": 3, "grayscale": 1, "rgba": 4}[mode]), "shape")
    if mode == "rgb":
        close(found, IMAGE)


@each(target=["(3, 4)", "(6, 6)"], keep=[0, 1])
def images_are_loaded_in_a_size(target, keep):
    """utils.load_img(target_size={target}, keep_aspect_ratio={keep}) has that size"""
    need("PIL.Image")
    keras.utils.save_img("a.png", IMAGE, scale=False)
    size = eval(target)  # noqa: S307 - a text of this module
    found = keras.utils.load_img("a.png", target_size=size, keep_aspect_ratio=bool(keep))
    equal(array(keras.utils.img_to_array(found)).shape, (*size, 3), "shape")


DRAWING = ["RandomBrightness(0.2)", "RandomContrast(0.2)", "RandomFlip()", "RandomHue(0.2)", "RandomSaturation(0.2)",
           "RandomRotation(0.2)", "RandomTranslation(0.2, 0.2)", "RandomZoom(0.2)", "RandomShear(0.2, 0.2)",
           "RandomPosterization(4)", "RandomInvert(0.5)", "RandomErasing(1.0)", "RandomGaussianBlur(1.0)",
           "RandomPerspective(1.0)", "RandomElasticTransform(1.0)", "RandomGrayscale(0.5)", "RandomSharpness(0.5)", "RandomCrop(4, 4)", "MixUp()", "CutMix()"]  # fmt: skip


@each(layer=DRAWING)
def images_alone_follow_the_transformation(layer):
    """{layer}.transform_images does the same with the same transformation"""
    name = layer.partition("(")[0]
    kind = need("keras.layers." + name)
    need("keras.layers.%s.get_random_transformation" % name)
    arguments = layer.partition("(")[2].rstrip(")")
    made = eval("kind(%s)" % ", ".join([*filter(None, [arguments]), "seed=3"]), {"kind": kind})  # noqa: S307
    images = np.stack([IMAGE, IMAGE[::-1]])
    transformation = made.get_random_transformation(images, training=True)
    found = array(made.transform_images(keras.ops.convert_to_tensor(images), transformation, training=True))
    again = array(made.transform_images(keras.ops.convert_to_tensor(images), transformation, training=True))
    close(found, again, "the same transformation twice")
    true(np.isfinite(found).all(), "finite values")
