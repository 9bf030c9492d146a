"""Layers that change images at random: what holds whatever they draw."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

IMAGES = np.random.RandomState(3).uniform(0, 255, (2, 4, 6, 3)).round().astype("float32")

OPTIONS = {
    "RandomFlip": {}, "RandomRotation": {"factor": 0.2}, "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3}, "RandomZoom": {"height_factor": 0.3}, "RandomCrop": {"height": 4, "width": 6},
    "RandomBrightness": {"factor": 0.3}, "RandomContrast": {"factor": 0.3}, "RandomHue": {"factor": 0.3}, "RandomSaturation": {"factor": 0.3}, "RandomSharpness": {"factor": 0.5}, "RandomShear": {"x_factor": 0.2, "y_factor": 0.2},
    "RandomErasing": {"factor": 1.0, "fill_value": 7.0}, "RandomColorDegeneration": {"factor": 0.5}, "RandomColorJitter": {"brightness_factor": 0.2, "contrast_factor": 0.2, "saturation_factor": 0.3, "hue_factor": 0.1},
    "RandomGrayscale": {"factor": 1.0}, "RandomInvert": {"factor": 1.0}, "RandomGaussianBlur": {"factor": 1.0, "kernel_size": 3, "sigma": 1.0}, "RandomPerspective": {"factor": 1.0, "scale": 0.3},
    "RandomElasticTransform": {"factor": 1.0, "scale": 1.0}, "RandomPosterization": {"factor": 4}, "Solarization": {"addition_factor": 0.3, "threshold_factor": 0.5}, "AutoContrast": {}, "Equalization": {}, "MixUp": {}, "CutMix": {},
    "AugMix": {}, "RandAugment": {},
}  # fmt: skip
ALL = list(OPTIONS)
UNSEEDED = ("AutoContrast", "Equalization")
COLOUR = [
    "RandomBrightness",
    "RandomContrast",
    "RandomHue",
    "RandomSaturation",
    "RandomSharpness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterization",
    "Solarization",
    "AutoContrast",
    "Equalization",
]
"""Those that leave every pixel where it is."""
RANGED = [
    "RandomBrightness",
    "RandomHue",
    "RandomSaturation",
    "RandomSharpness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomInvert",
    "RandomPosterization",
    "Solarization",
    "AutoContrast",
    "Equalization",
]
PLACES = [
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "RandomShear",
    "RandomPerspective",
    "RandomElasticTransform",
]
"""Those that move pixels."""


def _made(layer, **more):
    """Returns a layer with its options, a seed, and more."""
    kind = need("keras.layers.%s" % layer)
    seed = {} if layer in UNSEEDED else {"seed": 11}
    return kind(**{**OPTIONS[layer], **seed, **more})


def _first(images):
    """Returns images with the channels before height and width."""
    return np.moveaxis(images, -1, -3)


@each(layer=[name for name in ALL if name not in (*UNSEEDED, "Solarization", "RandomCrop")])
def nothing_at_inference(layer):
    """{layer}(training=False) changes nothing"""
    close(_made(layer)(IMAGES, training=False), IMAGES)


@each(layer=ALL)
def the_seed_repeats(layer):
    """Two {layer} of the same seed do the same"""
    close(_made(layer)(IMAGES, training=True), array(_made(layer)(IMAGES, training=True)))


@each(layer=[name for name in ALL if name not in ("MixUp", "CutMix")])
def single_images(layer):
    """{layer} of a single image keeps its shape"""
    equal(array(_made(layer)(IMAGES[0], training=True)).shape, IMAGES[0].shape)


@each(layer=ALL)
def shape_and_type(layer):
    """{layer} keeps the shape that compute_output_shape promises, of float32"""
    made = _made(layer)
    found = made(IMAGES, training=True)
    equal(tuple(found.shape), IMAGES.shape, "shape")
    equal(keras.backend.standardize_dtype(found.dtype), "float32", "type")
    equal(tuple(made.compute_output_shape(IMAGES.shape)), IMAGES.shape, "compute_output_shape")


@each(layer=[name for name in ALL if name not in ("RandAugment", "AugMix")])
def whole_numbers_in(layer):
    """{layer} of uint8 images gives what it gives for the same floats"""
    close(
        _made(layer)(IMAGES.astype("uint8"), training=True), array(_made(layer)(IMAGES, training=True)), tolerance=5e-3
    )


@each(
    layer=[
        name
        for name in ALL
        if name not in ("RandAugment", "AugMix", "RandomErasing", "CutMix", "RandomElasticTransform")
    ]
)
def channels_first(layer):
    """{layer}(data_format="channels_first") does the same with channels first"""
    first = array(_made(layer, data_format="channels_first")(_first(IMAGES), training=True))
    close(np.moveaxis(first, 1, -1), array(_made(layer)(IMAGES, training=True)), tolerance=1e-3)


@each(layer=[name for name in ALL if name not in ("AugMix", "RandAugment", "Equalization")])
def inside_a_dataset(layer):
    """{layer} works inside tf.data and keeps shape and type"""
    tf = need("tensorflow")
    made = _made(layer)
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(2).map(lambda x: made(x, training=True))
    found = next(iter(data.as_numpy_iterator()))
    equal((found.shape, str(found.dtype)), (IMAGES.shape, "float32"))


@each(
    layer=[
        "RandomFlip",
        "RandomRotation",
        "RandomZoom",
        "RandomBrightness",
        "RandomContrast",
        "RandomGrayscale",
        "RandomErasing",
        "RandomHue",
        "RandomShear",
        "RandomPosterization",
        "RandomCrop",
    ]
)
def inside_a_dataset_of_single_images(layer):
    """{layer} of single images works inside tf.data"""
    tf = need("tensorflow")
    made = _made(layer)
    data = tf.data.Dataset.from_tensor_slices(IMAGES).map(lambda x: made(x, training=True))
    equal(next(iter(data.as_numpy_iterator())).shape, IMAGES[0].shape)


@each(layer=ALL)
def from_its_config(layer):
    """{layer} made from its configuration has the same configuration"""
    made = _made(layer)
    equal(type(made).from_config(made.get_config()).get_config(), made.get_config())


@each(layer=ALL)
def configuration_has_every_argument(layer):
    """{layer}.get_config has every argument that it was given"""
    given = {**OPTIONS[layer], **({} if layer in UNSEEDED else {"seed": 11})}
    config = _made(layer).get_config()
    equal([name for name in given if name not in config], [], "arguments that are left out")


@each(layer=ALL)
def in_a_model(layer):
    """{layer} in a model promises its shape and runs"""
    made = _made(layer)
    x = keras.Input(IMAGES.shape[1:])
    y = made(x)
    equal(tuple(y.shape), (None, *IMAGES.shape[1:]), "symbolic shape")
    equal(array(keras.Model(x, y)(IMAGES, training=True)).shape, IMAGES.shape, "shape")


@each(layer=RANGED, high=[1, 255])
def within_the_range_of_values(layer, high):
    """{layer}(value_range=(0, {high})) stays within 0 and {high}"""
    made = _made(layer, value_range=(0, high))
    found = array(made(IMAGES * (high / 255), training=True))
    true(
        found.min() >= -1e-3 * high and found.max() <= 1.001 * high,
        "the values are %g to %g" % (found.min(), found.max()),
    )


@each(layer=[name for name in RANGED if name not in ("Equalization",)])
def range_of_values_scales(layer):
    """{layer}(value_range=(0, 1)) does to values over 255 what (0, 255) does to values"""
    one = array(_made(layer, value_range=(0, 1))(IMAGES / 255, training=True))
    close(255 * one, array(_made(layer, value_range=(0, 255))(IMAGES, training=True)), tolerance=5e-3)


@each(layer=[name for name in ALL if name not in ("MixUp", "CutMix", "RandomCrop", "AugMix", "RandomElasticTransform")])
def labels_are_kept(layer):
    """{layer} of a dictionary changes images and keeps labels"""
    need("keras.layers.RandomGrayscale")
    labels = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    found = _made(layer)({"images": IMAGES, "labels": labels}, training=True)
    equal(array(found["labels"]), labels, "labels")
    close(found["images"], array(_made(layer)(IMAGES, training=True)), "images", tolerance=1e-4)


@each(layer=COLOUR)
def masks_are_kept_by_colours(layer):
    """{layer} keeps segmentation masks"""
    need("keras.layers.RandomGrayscale")
    masks = (IMAGES[..., :1] > 100).astype("float32")
    found = _made(layer)({"images": IMAGES, "segmentation_masks": masks}, training=True)
    equal(array(found["segmentation_masks"]), masks)


@each(layer=PLACES)
def masks_move_with_their_images(layer):
    """{layer} moves segmentation masks and keeps their classes"""
    need("keras.layers.RandomGrayscale")
    masks = (IMAGES[..., :1] > 100).astype("float32")
    found = array(_made(layer)({"images": IMAGES, "segmentation_masks": masks}, training=True)["segmentation_masks"])
    equal(found.shape, masks.shape, "shape")
    true(set(np.unique(found).tolist()) <= {0.0, 1.0}, "a mask keeps its classes: %s" % np.unique(found)[:5])


def flipped_masks_fit_their_images():
    """RandomFlip flips masks exactly as images"""
    need("keras.layers.RandomGrayscale")
    found = _made("RandomFlip")({"images": IMAGES, "segmentation_masks": IMAGES[..., :1]}, training=True)
    close(found["segmentation_masks"], array(found["images"])[..., :1])


@each(layer=["MixUp", "CutMix"])
def mixed_labels_sum_to_one(layer):
    """{layer} mixes labels that still sum to one, and images within their range"""
    labels = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    found = _made(layer)({"images": IMAGES, "labels": labels}, training=True)
    close(array(found["labels"]).sum(1), np.ones(2), "sums of labels")
    mixed = array(found["images"])
    true(mixed.min() >= IMAGES.min() - 0.01 and mixed.max() <= IMAGES.max() + 0.01, "the images lie within their range")


NOTHING = {
    "RandomRotation": {"factor": 0.0}, "RandomTranslation": {"height_factor": 0.0, "width_factor": 0.0}, "RandomZoom": {"height_factor": 0.0}, "RandomBrightness": {"factor": 0.0}, "RandomContrast": {"factor": 0.0},
    "RandomHue": {"factor": 0.0}, "RandomShear": {"x_factor": 0.0, "y_factor": 0.0}, "RandomErasing": {"factor": 0.0}, "RandomColorDegeneration": {"factor": 0.0}, "RandomGrayscale": {"factor": 0.0}, "RandomInvert": {"factor": 0.0},
    "RandomGaussianBlur": {"factor": 0.0}, "RandomPerspective": {"factor": 0.0}, "RandomElasticTransform": {"factor": 0.0}, "RandomPosterization": {"factor": (8, 8)}, "RandomSaturation": {"factor": (0.5, 0.5)}, "RandomSharpness": {"factor": (0.5, 0.5)},
}  # fmt: skip


@each(layer=[name for name in NOTHING if name != "RandomSharpness"], form=["batch", "dataset"])
def nothing_with_a_factor_of_nothing(layer, form):
    """{layer} with a factor of nothing changes no {form}"""
    kind = need("keras.layers.%s" % layer)
    made = kind(**NOTHING[layer], seed=1)
    if form == "dataset":
        tf = need("tensorflow")
        found = next(
            iter(
                tf.data.Dataset.from_tensor_slices(IMAGES)
                .batch(2)
                .map(lambda x: made(x, training=True))
                .as_numpy_iterator()
            )
        )
        close(found, IMAGES, tolerance=2e-3)
    else:
        value = IMAGES if form == "batch" else IMAGES[0]
        close(made(value, training=True), value, tolerance=2e-3)


@each(layer=["RandomBrightness", "RandomContrast"], high=[1, 255])
def fixed_brightness_and_contrast(layer, high):
    """{layer} with a fixed factor gives known values up to {high}"""
    value = IMAGES * (high / 255)
    made = (
        getattr(keras.layers, layer)((0.2, 0.2), value_range=(0, high))
        if layer == "RandomBrightness"
        else keras.layers.RandomContrast(
            (0.5, 0.5), value_range=need("keras.layers.RandomContrast(value_range)") and (0, high)
        )
    )
    found = array(made(value, training=True))
    if layer == "RandomBrightness":
        close(found, np.clip(value + 0.2 * high, 0, high), tolerance=1e-4)
    else:
        true(found.min() >= -1e-3 * high and found.max() <= 1.001 * high, "the values lie within the range")


def solarization_inverts_above_the_threshold():
    """Solarization inverts values from the threshold on"""
    layer = need("keras.layers.Solarization")(threshold_factor=(0.5, 0.5), addition_factor=0.0)
    found = array(layer(IMAGES, training=True))
    off = np.abs(IMAGES - 127.5) > 2
    close(np.where(off, found, 0), np.where(off, np.where(IMAGES < 127.5, IMAGES, 255 - IMAGES), 0), tolerance=1e-4)


@each(bits=[1, 3, 8])
def posterization_keeps_bits(bits):
    """RandomPosterization({bits}) keeps the upper {bits} bits"""
    layer = need("keras.layers.RandomPosterization")((bits, bits), seed=1)
    step = 2 ** (8 - bits)
    close(layer(IMAGES, training=True), np.floor(IMAGES / step) * step)


@each(layout=["channels_last", "channels_first"])
def inversion(layout):
    """RandomInvert(1.0, data_format={layout}) subtracts from the upper end"""
    layer = need("keras.layers.RandomInvert")((1.0, 1.0), data_format=layout)
    value = IMAGES if layout == "channels_last" else _first(IMAGES)
    close(layer(value, training=True), 255 - value)


@each(layout=["channels_last", "channels_first"])
def grayscale_has_equal_channels(layout):
    """RandomGrayscale(1.0, data_format={layout}) makes the channels equal"""
    layer = need("keras.layers.RandomGrayscale")(1.0, data_format=layout)
    value = IMAGES if layout == "channels_last" else _first(IMAGES)
    found = array(layer(value, training=True))
    axis = -1 if layout == "channels_last" else 1
    equal(found.shape, value.shape, "shape")
    true(np.ptp(found, axis=axis).max() < 0.01, "the channels are equal")


def auto_contrast_spreads_the_values():
    """AutoContrast spreads each channel of each image over the range"""
    found = array(need("keras.layers.AutoContrast")()(IMAGES))
    true(np.abs(found.min((1, 2))).max() < 0.01, "the least value is 0")
    true(np.abs(found.max((1, 2)) - 255).max() < 0.01, "the largest value is 255")


@each(layer=["AutoContrast", "Equalization"])
def constant_images_stay_finite(layer):
    """{layer} of a constant image has no NaN"""
    found = array(need("keras.layers.%s" % layer)()(np.full((4, 6, 3), 9.0, "float32")))
    true(np.isfinite(found).all(), "every value is finite")


@each(mode=["horizontal", "vertical", "horizontal_and_vertical"], form=["batch", "single"])
def flips_are_flips(mode, form):
    """RandomFlip({mode}) gives the {form} or one of its mirror images"""
    value = IMAGES if form == "batch" else IMAGES[:1][0]
    found = array(keras.layers.RandomFlip(mode, seed=5)(value, training=True))
    for one, other in zip(found if form == "batch" else [found], value if form == "batch" else [value]):
        options = [other]
        if "horizontal" in mode:
            options.append(other[:, ::-1])
        if "vertical" in mode:
            options += [item[::-1] for item in list(options)]
        true(any(np.allclose(one, option) for option in options), "the image is one of its mirror images")


@each(layout=["channels_last", "channels_first"])
def crop_is_a_part(layout):
    """RandomCrop(2, 3, data_format={layout}) is a part of the image"""
    value = IMAGES[0]
    layer = keras.layers.RandomCrop(2, 3, seed=3, data_format=layout)
    found = array(layer(value if layout == "channels_last" else _first(value), training=True))
    found = found if layout == "channels_last" else np.moveaxis(found, 0, -1)
    parts = [value[i : i + 2, j : j + 3] for i in range(3) for j in range(4)]
    equal(found.shape, (2, 3, 3), "shape")
    true(any(np.allclose(found, part) for part in parts), "it is a part of the image")


@each(layout=["channels_last", "channels_first"])
def crop_of_a_smaller_image(layout):
    """RandomCrop(data_format={layout}) larger than the image has the asked size"""
    layer = keras.layers.RandomCrop(8, 8, seed=3, data_format=layout)
    value = IMAGES if layout == "channels_last" else _first(IMAGES)
    equal(
        array(layer(value, training=True)).shape, (2, 8, 8, 3) if layout == "channels_last" else (2, 3, 8, 8), "shape"
    )
    equal(
        tuple(layer.compute_output_shape(value.shape)),
        (2, 8, 8, 3) if layout == "channels_last" else (2, 3, 8, 8),
        "compute_output_shape",
    )


@each(training=[0, 1])
def crop_has_its_size_at_any_time(training):
    """RandomCrop(training={training}) has the asked size"""
    equal(array(keras.layers.RandomCrop(2, 3, seed=3)(IMAGES, training=bool(training))).shape, (2, 2, 3, 3))


@each(fill=["constant", "nearest", "wrap", "reflect"], interpolation=["bilinear", "nearest"])
def moves_fill_what_is_empty(fill, interpolation):
    """RandomTranslation({fill}, {interpolation}) moves whole pixels and fills the rest"""
    layer = keras.layers.RandomTranslation(
        (0.5, 0.5), (0.0, 0.0), fill_mode=fill, interpolation=interpolation, fill_value=3.0, seed=1
    )
    found = array(layer(IMAGES, training=True))
    close(found[:, 2:], IMAGES[:, :2], tolerance=1e-4)
    above = {
        "constant": np.full((2, 2, 6, 3), 3.0),
        "nearest": np.repeat(IMAGES[:, :1], 2, 1),
        "wrap": IMAGES[:, 2:],
        "reflect": IMAGES[:, 1::-1],
    }[fill]
    close(found[:, :2], above, "what was empty", tolerance=1e-4)


@each(
    layer=["RandomRotation", "RandomZoom", "RandomTranslation", "RandomShear"],
    fill=["constant", "nearest", "wrap", "reflect"],
)
def constant_images_stay_constant(layer, fill):
    """{layer}(fill_mode={fill}) of a constant image is constant"""
    value = np.full((2, 4, 6, 3), 7.0, "float32")
    close(_made(layer, fill_mode=fill, fill_value=7.0)(value, training=True), value, tolerance=1e-4)


def half_a_turn():
    """RandomRotation by half a turn turns the image upside down"""
    close(keras.layers.RandomRotation((0.5, 0.5), seed=1)(IMAGES, training=True), IMAGES[:, ::-1, ::-1], tolerance=1e-3)


WRONG = {
    "RandomRotation": {"fill_mode": "bad"}, "RandomTranslation": {"height_factor": 3.0}, "RandomZoom": {"interpolation": "bad"}, "RandomBrightness": {"factor": 3.0}, "RandomContrast": {"factor": -1.0},
    "RandomHue": {"factor": 3.0}, "RandomGrayscale": {"factor": 2.0}, "RandomShear": {"fill_mode": "bad"}, "RandomErasing": {"scale": (2.0, 3.0)}, "RandomPosterization": {"factor": 9},
    "RandomInvert": {"factor": 2.0}, "RandomPerspective": {"interpolation": "bad"}, "Solarization": {"addition_factor": "a"},
}  # fmt: skip


@each(layer=list(WRONG))
def wrong_arguments_are_refused(layer):
    """{layer} refuses a wrong argument"""
    refuses(
        lambda: _made(layer, **WRONG[layer])(IMAGES, training=True),
        str(WRONG[layer]),
        (ValueError, TypeError, NotImplementedError),
    )


@each(layer=["RandAugment", "AugMix"])
def range_of_values_of_many(layer):
    """{layer}(value_range=(0, 1)) stays within 0 and 1"""
    found = array(_made(layer, value_range=(0, 1))(IMAGES / 255, training=True))
    true(
        np.isfinite(found).all() and found.min() >= -0.01 and found.max() <= 1.01,
        "the values are %g to %g" % (found.min(), found.max()),
    )


@each(
    layer=["RandomRotation", "RandomBrightness", "RandomFlip", "RandomErasing", "MixUp", "RandomGrayscale"],
    policy=["mixed_float16", "float64"],
)
def other_policies(layer, policy):
    """{layer}(dtype={policy}) gives the policy's compute type"""
    found = keras.backend.standardize_dtype(_made(layer, dtype=policy)(IMAGES, training=True).dtype)
    equal(found, "float16" if "16" in policy else "float32" if keras.backend.backend() == "jax" else "float64")


def different_seeds_differ():
    """RandomBrightness of other seeds does something else"""
    one, two = (array(keras.layers.RandomBrightness(0.5, seed=seed)(IMAGES, training=True)) for seed in (1, 2))
    true(not np.allclose(one, two), "the results differ")


def every_image_has_its_own_draw():
    """RandomBrightness draws for each image of a batch"""
    value = np.full((4, 2, 2, 3), 100.0, "float32")
    found = array(keras.layers.RandomBrightness(0.5, seed=1)(value, training=True))
    true(len(set(found[:, 0, 0, 0].round(3).tolist())) == 4, "the images differ")


def clahe_keeps_shape_and_range():
    """ContrastLimitedAdaptiveHistogramEqualization keeps shape and range"""
    layer = need("keras.layers.ContrastLimitedAdaptiveHistogramEqualization")(tile_grid_size=(2, 2))
    found = array(layer(IMAGES))
    equal(found.shape, IMAGES.shape, "shape")
    true(found.min() >= 0 and found.max() <= 255, "the values lie within the range")


@each(layer=["Equalization", "RandAugment"])
def large_graphs_inside_a_dataset(layer):
    """{layer} works inside tf.data"""
    if keras.backend.backend() == "jax":  # tracing takes as long as all other cases together
        return
    tf = need("tensorflow")
    made = _made(layer)
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(2).map(lambda x: made(x, training=True))
    found = next(iter(data.as_numpy_iterator()))
    equal((found.shape, str(found.dtype)), (IMAGES.shape, "float32"))
