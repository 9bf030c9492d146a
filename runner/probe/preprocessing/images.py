"""Resizing and CenterCrop."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

IMAGES = np.random.RandomState(3).uniform(0, 255, (2, 4, 6, 3)).round().astype("float32")


def _first(images):
    """Returns images with the channels before height and width."""
    return np.moveaxis(images, -1, -3)


@each(interpolation=["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"])
def resizing_to_the_same_size(interpolation):
    """Resizing(interpolation={interpolation}) to the same size changes nothing"""
    close(keras.layers.Resizing(4, 6, interpolation=interpolation)(IMAGES), IMAGES, tolerance=1e-4)


@each(interpolation=["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"], form=["batch", "single"])
def resizing_keeps_a_constant(interpolation, form):
    """Resizing(interpolation={interpolation}) of a constant {form} is constant"""
    value = np.full((2, 4, 6, 3) if form == "batch" else (4, 6, 3), 7.0, "float32")
    found = array(keras.layers.Resizing(8, 3, interpolation=interpolation)(value))
    close(found, np.full((2, 8, 3, 3) if form == "batch" else (8, 3, 3), 7.0), tolerance=1e-4)


@each(layout=["channels_last", "channels_first"])
def resizing_nearest_doubles(layout):
    """Resizing({layout}, "nearest") to twice the size repeats pixels"""
    last = layout == "channels_last"
    found = keras.layers.Resizing(8, 12, interpolation="nearest", data_format=layout)(
        IMAGES if last else _first(IMAGES)
    )
    expected = IMAGES.repeat(2, 1).repeat(2, 2)
    close(found, expected if last else _first(expected))


@each(layout=["channels_last", "channels_first"], form=["batch", "single"])
def resizing_crops_to_the_aspect_ratio(layout, form):
    """Resizing({layout}, crop_to_aspect_ratio=True) crops the middle of a {form}"""
    last = layout == "channels_last"
    value, expected = (IMAGES, IMAGES[:, :, 1:5]) if form == "batch" else (IMAGES[0], IMAGES[0, :, 1:5])
    layer = keras.layers.Resizing(4, 4, crop_to_aspect_ratio=True, data_format=layout)
    close(layer(value if last else _first(value)), expected if last else _first(expected))


@each(layout=["channels_last", "channels_first"], form=["batch", "single"])
def resizing_pads_to_the_aspect_ratio(layout, form):
    """Resizing({layout}, pad_to_aspect_ratio=True) pads both sides of a {form}"""
    need("keras.layers.Resizing(pad_to_aspect_ratio, fill_value)")
    last = layout == "channels_last"
    layer = keras.layers.Resizing(6, 6, pad_to_aspect_ratio=True, fill_value=9.0, data_format=layout)
    value = IMAGES if form == "batch" else IMAGES[0]
    expected = np.pad(value, ((0, 0),) * (value.ndim - 3) + ((1, 1), (0, 0), (0, 0)), constant_values=9.0)
    close(layer(value if last else _first(value)), expected if last else _first(expected))


@each(size=["4, 6", "2, 3", "9, 5", "1, 1"], layout=["channels_last", "channels_first"])
def resizing_shape_promised(size, layout):
    """Resizing({size}, {layout}).compute_output_shape is the output's shape"""
    height, width = (int(n) for n in size.split(","))
    layer = keras.layers.Resizing(height, width, data_format=layout)
    value = IMAGES if layout == "channels_last" else _first(IMAGES)
    equal(tuple(layer.compute_output_shape(value.shape)), array(layer(value)).shape)


@each(kind=["uint8", "int32", "float64", "float16"])
def resizing_of_other_types(kind):
    """Resizing takes {kind}"""
    close(keras.layers.Resizing(4, 6)(IMAGES.astype(kind)), IMAGES, tolerance=1e-3)


def resizing_of_unknown_sizes():
    """Resizing in a model of unknown height and width gives the promised size"""
    x = keras.Input((None, None, 3))
    y = keras.layers.Resizing(3, 5)(x)
    equal(tuple(y.shape), (None, 3, 5, 3), "symbolic shape")


@each(option=["crop_to_aspect_ratio", "pad_to_aspect_ratio"])
def resizing_option_symbolically(option):
    """Resizing({option}=True) in a model promises the asked size"""
    need("keras.layers.Resizing(%s)" % option)
    x = keras.Input((4, 6, 3))
    equal(tuple(keras.layers.Resizing(5, 5, **{option: True})(x).shape), (None, 5, 5, 3))


@each(layer=["Resizing", "CenterCrop"])
def size_layer_in_a_model(layer):
    """{layer} in a model gives what it gives alone"""
    made = getattr(keras.layers, layer)(3, 4)
    x = keras.Input((4, 6, 3))
    close(keras.Model(x, made(x))(IMAGES), array(made(IMAGES)))


@each(layer=["Resizing", "CenterCrop"], layout=["channels_last", "channels_first"])
def size_layer_in_a_dataset(layer, layout):
    """{layer}(data_format={layout}) gives the same images inside tf.data"""
    tf = need("tensorflow")
    made = getattr(keras.layers, layer)(2, 4, data_format=layout)
    value = IMAGES if layout == "channels_last" else _first(IMAGES)
    found = next(iter(tf.data.Dataset.from_tensor_slices(value).batch(2).map(made).as_numpy_iterator()))
    close(found, array(made(value)), tolerance=1e-4)


@each(layer=["Resizing", "CenterCrop"])
def size_layer_in_a_dataset_of_single_images(layer):
    """{layer} gives the same single image inside tf.data"""
    tf = need("tensorflow")
    made = getattr(keras.layers, layer)(2, 4)
    found = next(iter(tf.data.Dataset.from_tensor_slices(IMAGES).map(made).as_numpy_iterator()))
    close(found, array(made(IMAGES[0])), tolerance=1e-4)


@each(layer=["Resizing", "CenterCrop"])
def size_layer_from_its_config(layer):
    """{layer} made from its configuration has the same configuration"""
    made = getattr(keras.layers, layer)(3, 4, data_format="channels_first")
    equal(type(made).from_config(made.get_config()).get_config(), made.get_config())


@each(layout=["channels_last", "channels_first"], form=["batch", "single"])
def center_crop_takes_the_middle(layout, form):
    """CenterCrop(data_format={layout}) takes the middle of a {form}"""
    last = layout == "channels_last"
    value, expected = (IMAGES, IMAGES[:, 1:3, 1:5]) if form == "batch" else (IMAGES[0], IMAGES[0, 1:3, 1:5])
    close(
        keras.layers.CenterCrop(2, 4, data_format=layout)(value if last else _first(value)),
        expected if last else _first(expected),
    )


@each(size=["4, 6", "3, 6", "4, 5", "1, 1"])
def center_crop_of_whole_sides(size):
    """CenterCrop({size}) keeps sides that fit and centres the others"""
    height, width = (int(n) for n in size.split(","))
    top, left = (4 - height) // 2, (6 - width) // 2
    close(keras.layers.CenterCrop(height, width)(IMAGES), IMAGES[:, top : top + height, left : left + width])


@each(layout=["channels_last", "channels_first"])
def center_crop_larger_than_the_image(layout):
    """CenterCrop({layout}) of a smaller image has the asked size"""
    last = layout == "channels_last"
    value = np.full((2, 4, 6, 3), 7.0, "float32")
    layer = keras.layers.CenterCrop(8, 8, data_format=layout)
    found = array(layer(value if last else _first(value)))
    expected = np.full((2, 8, 8, 3), 7.0)
    close(found, expected if last else _first(expected))
    equal(
        tuple(layer.compute_output_shape((value if last else _first(value)).shape)), found.shape, "compute_output_shape"
    )


@each(kind=["uint8", "int32", "float64"])
def center_crop_of_other_types(kind):
    """CenterCrop takes {kind} and gives the layer's type"""
    found = keras.layers.CenterCrop(2, 4)(IMAGES.astype(kind))
    equal(keras.backend.standardize_dtype(found.dtype), "float32", "type")
    close(found, IMAGES[:, 1:3, 1:5])


@each(option=["both", "interpolation", "data_format"])
def resizing_refuses(option):
    """Resizing refuses wrong arguments ({option})"""
    need("keras.layers.Resizing(pad_to_aspect_ratio)")
    wrong = {
        "both": {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
        "interpolation": {"interpolation": "bad"},
        "data_format": {"data_format": "bad"},
    }[option]
    refuses(lambda: keras.layers.Resizing(3, 3, **wrong)(IMAGES), str(wrong))


def resizing_antialiased_keeps_a_constant():
    """Resizing(antialias=True) of a constant is constant"""
    need("keras.layers.Resizing(antialias)")
    close(keras.layers.Resizing(2, 3, antialias=True)(np.full((4, 6, 3), 7.0, "float32")), np.full((2, 3, 3), 7.0))


def resizing_global_data_format():
    """Resizing follows set_image_data_format("channels_first")"""
    keras.config.set_image_data_format("channels_first")
    equal(array(keras.layers.Resizing(8, 3)(_first(IMAGES))).shape, (2, 3, 8, 3))


@each(layer=["Resizing", "CenterCrop"], key=["labels", "segmentation_masks"])
def size_layer_of_a_dictionary(layer, key):
    """{layer} of a dictionary changes images, keeps labels and follows with {key}"""
    need("keras.layers.RandomGrayscale")
    made = getattr(keras.layers, layer)(2, 4)
    other = (
        np.array([[1.0, 0.0], [0.0, 1.0]], "float32") if key == "labels" else (IMAGES[..., :1] > 100).astype("float32")
    )
    found = made({"images": IMAGES, key: other})
    close(found["images"], array(made(IMAGES)), "images")
    if key == "labels":
        equal(array(found[key]), other, key)
    else:
        equal(array(found[key]).shape, (2, 2, 4, 1), key)
        true(set(np.unique(array(found[key])).tolist()) <= {0.0, 1.0}, "a mask keeps its classes")
