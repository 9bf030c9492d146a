"""Generates cases of layers that change images.

At inference or with a factor of nothing they change nothing; where no chance is left, they give known results.
"""

from __future__ import annotations

RANDOM = (
    "RandomHue(0.3, value_range=(0, 255), seed=1)", "RandomSaturation(0.3, value_range=(0, 255), seed=1)", "RandomSharpness(0.5, value_range=(0, 255), seed=1)",
    "RandomShear(0.2, 0.2, seed=1)", "RandomErasing(0.5, seed=1)", "RandomColorDegeneration(0.5, value_range=(0, 255), seed=1)",
    "RandomColorJitter(value_range=(0, 255), brightness_factor=0.2, contrast_factor=0.2, saturation_factor=0.3, hue_factor=0.1, seed=1)", "RandomGrayscale(0.5, seed=1)",
    "RandomInvert(0.5, seed=1)", "RandomGaussianBlur(0.5, kernel_size=3, sigma=1.0, value_range=(0, 255), seed=1)", "RandomPerspective(0.5, seed=1)",
    "RandomElasticTransform(0.5, seed=1)", "RandomPosterization(4, seed=1)", "Solarization(0.5, 0.5, seed=1)", "RandomBrightness(0.3, seed=1)", "RandomContrast(0.3, seed=1)",
    "RandomFlip(seed=1)", "RandomRotation(0.1, seed=1)", "RandomTranslation(0.2, 0.2, seed=1)", "RandomZoom(0.2, seed=1)",
)  # fmt: skip
INSIDE = (
    "Hue",
    "Saturation",
    "ColorJitter",
    "Invert",
    "Brightness",
    "Posterization",
    "Solarization",
    "Grayscale",
    "Sharpness",
    "ColorDegeneration",
)
"""Those that keep within the range of values by definition."""

NOTHING = (
    "RandomHue(0.0, value_range=(0, 255))", "RandomShear(0.0, 0.0)", "RandomErasing(0.0)", "RandomGrayscale(0.0)", "RandomInvert(0.0)", "RandomGaussianBlur(0.0, value_range=(0, 255))",
    "RandomPerspective(0.0)", "RandomSaturation((0.5, 0.5), value_range=(0, 255))", "RandomPosterization((8, 8))",
    "RandomFlip('horizontal', data_format='channels_last')", "RandomElasticTransform(0.0)", "RandomColorDegeneration(0.0, value_range=(0, 255))",
)  # fmt: skip


def add(add):
    """Adds the cases."""
    images = {"i": "np.round(uniform(2, 6, 5, 3, high=255))", "j": "np.round(uniform(2, 3, 6, 5, high=255))"}
    for layer in RANDOM:
        name = layer.partition("(")[0]
        add(
            "apply(layers.%s, i, training=False) ==> i" % layer,
            images,
            symbolic=False,
            tol=20000.0,
            family="augmentation",
        )
        add(
            "ops.shape(apply(layers.%s, i[0], training=True)) ==> [6, 5, 3]" % layer,
            images,
            symbolic=False,
            family="augmentation",
        )
        if any(word in name for word in INSIDE):
            add(
                "(lambda v: ops.logical_and(ops.min(v) >= -0.01, ops.max(v) <= 255.01))(apply(layers.%s, i, training=True)) ==> True" % layer,
                images, symbolic=False, family="augmentation",
            )  # fmt: skip
    for layer in NOTHING:
        if "Flip" not in layer:
            add(
                "apply(layers.%s, i, training=True) ==> i" % layer,
                images,
                symbolic=False,
                tol=2e5,
                family="augmentation",
            )
    add(
        """
        apply(layers.RandomInvert((1.0, 1.0)), i, training=True) ==> 255 - i
        apply(layers.RandomInvert((1.0, 1.0), value_range=(0, 1)), i / 255, training=True) ==> 1 - i / 255
        apply(layers.RandomGrayscale(1.0), i, training=True) ==> np.repeat(np.sum(i * np.array([0.2989, 0.587, 0.114]), -1, keepdims=True), 3, -1)
        apply(layers.RandomGrayscale(1.0, data_format="channels_first"), j, training=True) ==> np.repeat(np.sum(j * np.array([0.2989, 0.587, 0.114])[:, None, None], 1, keepdims=True), 3, 1)
        apply(layers.RandomPosterization((3, 3)), i, training=True) ==> np.floor(i / 32) * 32
        apply(layers.AutoContrast(), i) ==> 255 * (i - i.min((1, 2), keepdims=True)) / (i.max((1, 2), keepdims=True) - i.min((1, 2), keepdims=True))
        apply(layers.Equalization(), i) ==> ?
        apply(layers.RandomBrightness((0.2, 0.2), value_range=(0, 255)), i, training=True) ==> np.clip(i + 51, 0, 255)
        apply(layers.RandomBrightness((-0.2, -0.2), value_range=(0, 1)), i / 255, training=True) ==> np.clip(i / 255 - 0.2, 0, 1)
        apply(layers.RandomFlip("horizontal", data_format="channels_first"), j, training=False) ==> j
        ops.sort(ops.reshape(apply(layers.RandomFlip(data_format="channels_first", seed=1), j, training=True), (6, 30)), axis=1) ==> np.sort(j.reshape(6, 30), axis=1)
        apply(layers.RandomTranslation((0.5, 0.5), (0.0, 0.0), fill_mode="constant"), i, training=True) ==> np.pad(i, ((0, 0), (3, 0), (0, 0), (0, 0)))[:, :6]
        apply(layers.RandomTranslation((0.0, 0.0), (0.2, 0.2), fill_mode="constant", fill_value=9.0), i, training=True) ==> np.pad(i, ((0, 0), (0, 0), (1, 0), (0, 0)), constant_values=9.0)[:, :, :5]
        apply(layers.RandomTranslation((0.5, 0.5), (0.0, 0.0), fill_mode="constant", data_format="channels_first"), j, training=True) ==> np.pad(j, ((0, 0), (0, 0), (3, 0), (0, 0)))[:, :, :6]
        apply(layers.RandomRotation((0.5, 0.5), fill_mode="constant"), i, training=True) ==> i[:, ::-1, ::-1]
        apply(layers.RandomRotation((0.5, 0.5), fill_mode="constant", data_format="channels_first"), j, training=True) ==> j[:, :, ::-1, ::-1]
        apply(layers.CenterCrop(4, 3), i) ==> i[:, 1:5, 1:4]
        apply(layers.CenterCrop(4, 3, data_format="channels_first"), j) ==> j[:, :, 1:5, 1:4]
        apply(layers.CenterCrop(4, 3), i[0]) ==> i[0, 1:5, 1:4]
        apply(layers.Resizing(3, 10, data_format="channels_first"), j) ==> np.moveaxis(ref.resize_bilinear(np.moveaxis(j, 1, -1), 3, 10), -1, 1)
        apply(layers.Resizing(3, 10), i[0]) ==> ref.resize_bilinear(i[:1], 3, 10)[0]
        apply(layers.Rescaling(0.5, 1.0), i[0]) ==> i[0] / 2 + 1
        """,
        images, symbolic=False, tol=20000.0, family="augmentation",
    )  # fmt: skip
