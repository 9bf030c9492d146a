"""Generates cases of image functions.

Resizing, cropping, patches, geometric transformations, colour spaces.
"""

from __future__ import annotations

import itertools


def add(add):
    """Adds the cases."""
    _resize(add)
    _cut(add)
    _geometry(add)
    _colour(add)


INPUTS = {
    "x": "uniform(2, 6, 7, 3)",
    "y": "uniform(1, 6, 7, 3)", "f": "uniform(2, 3, 6, 7)", "s": "uniform(6, 7, 3)", "b": "uniform(1, 4, 4, 2)", "u": "integers(1, 4, 6, 3, high=256, dtype='uint8')",
    "t": "array([[1., 0., 1., 0., 1., -1., 0., 0.]])", "r": "array([[0.8, -0.6, 1., 0.6, 0.8, -1., 0., 0.], [1.2, 0., 0., 0., 0.7, 0., 0., 0.]])",
    "c": "array([[[0.0, 1.5], [2.2, 3.0]], [[1.0, 0.5], [1.7, 2.0]]])", "o": "array([[[-1.0, 1.5], [5.2, 3.0]], [[1.0, -0.5], [6.7, 2.0]]])", "m": "uniform(4, 5)",
    "p": "array([[[0., 0.], [6., 0.], [0., 5.], [6., 5.]]])", "q": "array([[[1., 0.], [6., 1.], [0., 4.], [5., 5.]]])",
}  # fmt: skip


def _resize(add):
    for name, size in itertools.product(("bilinear", "nearest"), ((3, 4), (12, 14), (9, 5), (6, 7), (1, 1))):
        add("ops.image.resize(x, %r, interpolation=%r) ==> ref.resize_%s(x, %d, %d)" % (size, name, name, *size), INPUTS,
            wrt="x" if name == "bilinear" else (), dynamic="x", family="resize")  # fmt: skip
    for name, size, antialias in itertools.product(
        ("bicubic", "lanczos3", "lanczos5", "bilinear"), ((3, 4), (12, 14), (9, 5)), (False, True)
    ):
        if name == "bilinear" and not antialias:
            continue
        add(
            "ops.image.resize(x, %r, interpolation=%r, antialias=%r) ==> ?" % (size, name, antialias),
            INPUTS,
            family="resize",
        )
    add(
        """
        ops.image.resize(f, (4, 5), data_format="channels_first") ==> np.moveaxis(ref.resize_bilinear(np.moveaxis(f, 1, -1), 4, 5), -1, 1)
        ops.image.resize(s, (4, 5)) ==> ref.resize_bilinear(s, 4, 5)
        ops.image.resize(x, (4, 4), crop_to_aspect_ratio=True) ==> ref.resize_bilinear(x[:, :, :6], 4, 4)
        ops.image.resize(x, (7, 7), pad_to_aspect_ratio=True) ==> ?
        ops.image.resize(x, (4, 8), pad_to_aspect_ratio=True, fill_value=0.5) ==> ?
        ops.image.resize(u, (2, 3), interpolation="nearest") ==> ref.resize_nearest(u, 2, 3)
        ops.image.resize(u, (8, 12), interpolation="bilinear") ==> ?
        ops.image.resize(u, (8, 12), interpolation="bicubic") ==> ?
        """,
        INPUTS, family="resize",
    )  # fmt: skip


def _cut(add):
    add(
        """
        ops.image.crop_images(x, top_cropping=1, left_cropping=2, target_height=3, target_width=4) ==> x[:, 1:4, 2:6]
        ops.image.crop_images(x, top_cropping=1, bottom_cropping=2, left_cropping=1, right_cropping=3) ==> x[:, 1:4, 1:4]
        ops.image.crop_images(f, top_cropping=1, left_cropping=2, target_height=3, target_width=4, data_format="channels_first") ==> f[:, :, 1:4, 2:6]
        ops.image.pad_images(x, top_padding=1, left_padding=2, target_height=10, target_width=10) ==> np.pad(x, ((0, 0), (1, 3), (2, 1), (0, 0)))
        ops.image.pad_images(x, top_padding=1, bottom_padding=0, left_padding=2, right_padding=3) ==> np.pad(x, ((0, 0), (1, 0), (2, 3), (0, 0)))
        ops.image.pad_images(f, top_padding=1, bottom_padding=2, left_padding=0, right_padding=3, data_format="channels_first") ==> np.pad(f, ((0, 0), (0, 0), (1, 2), (0, 3)))
        ops.image.pad_images(s, top_padding=1, bottom_padding=2, left_padding=0, right_padding=3) ==> np.pad(s, ((1, 2), (0, 3), (0, 0)))
        """,
        INPUTS, wrt="x", family="images",
    )  # fmt: skip
    for size, strides, padding, dilation in itertools.product((2, 3, (2, 3)), (None, 1, 2), ("valid", "same"), (1, 2)):
        if dilation > 1 and strides != 1:
            continue
        add("ops.image.extract_patches(x, %r, strides=%r, padding=%r, dilation_rate=%r) ==> ref.patches(x, %r, %r, %r, %r)"
            % (size, strides, padding, dilation, size, strides, padding, dilation), INPUTS, family="patches")  # fmt: skip


def _geometry(add):
    for interpolation, fill in itertools.product(("bilinear", "nearest"), ("constant", "nearest", "wrap", "reflect")):
        add(
            "ops.image.affine_transform(y, t, interpolation=%r, fill_mode=%r) ==> ?" % (interpolation, fill),
            INPUTS,
            family="affine transform",
        )
        add("ops.image.affine_transform(x, r, interpolation=%r, fill_mode=%r) ==> ?" % (interpolation, fill), INPUTS, family="affine transform",
            unspecified="rounding decides at half pixels" if interpolation == "nearest" else "")  # fmt: skip
    add(
        """
        ops.image.affine_transform(y, t) ==> np.pad(y, ((0, 0), (1, 0), (0, 1), (0, 0)))[:, :6, 1:]
        ops.image.affine_transform(f, r, data_format="channels_first", fill_value=0.5) ==> ?
        """,
        INPUTS, family="affine transform", unspecified="",
    )  # fmt: skip
    for fill, order in itertools.product(("constant", "nearest", "wrap", "mirror", "reflect"), (0, 1)):
        for at, value in (("c", ""), ("o", ", fill_value=0.25")):
            expected = "ref.map_coordinates(m, %s, %r%s)" % (at, fill, value) if order else "?"
            add("ops.image.map_coordinates(m, %s, order=%d, fill_mode=%r%s) ==> %s" % (at, order, fill, value, expected), INPUTS,
                family="map coordinates", unspecified="" if order else "rounding decides at half pixels")  # fmt: skip
    add(
        """
        ops.image.perspective_transform(y, p, q) ==> ?
        ops.image.perspective_transform(y, p, p) ==> y
        ops.image.gaussian_blur(x, (3, 3), (1.0, 1.0)) ==> ref.gaussian_blur(x, (3, 3), (1.0, 1.0))
        ops.image.gaussian_blur(x, (3, 5), (0.5, 2.0)) ==> ref.gaussian_blur(x, (3, 5), (0.5, 2.0))
        ops.image.gaussian_blur(x, (3, 3), (0.5, 2.0)) ==> ref.gaussian_blur(x, (3, 3), (0.5, 2.0))
        ops.image.gaussian_blur(f, (3, 3), (1.0, 1.0), data_format="channels_first") ==> np.moveaxis(ref.gaussian_blur(np.moveaxis(f, 1, -1), (3, 3), (1.0, 1.0)), -1, 1)
        ops.image.euclidean_dist_transform(x) ==> ?
        ops.image.scale_and_translate(s, (4, 5, 3), ops.convert_to_tensor([0.7, 0.7]), ops.convert_to_tensor([0.0, 0.0]), [0, 1], "linear") ==> ?
        """,
        INPUTS, family="images", tol=2000.0,
    )  # fmt: skip


def _colour(add):
    add(
        """
        ops.image.rgb_to_grayscale(x) ==> np.sum(x * np.array([0.2989, 0.587, 0.114]), -1, keepdims=True)
        ops.image.rgb_to_grayscale(f, data_format="channels_first") ==> np.sum(f * np.array([0.2989, 0.587, 0.114])[:, None, None], 1, keepdims=True)
        ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(x)) ==> x
        ops.image.rgb_to_hsv(x)[..., 2] ==> x.max(-1)
        ops.image.rgb_to_hsv(x)[..., 1] ==> (x.max(-1) - x.min(-1)) / x.max(-1)
        ops.image.rgb_to_hsv(x) ==> ?
        ops.image.hsv_to_rgb(x) ==> ?
        ops.image.rgb_to_hsv(f, data_format="channels_first") ==> ?
        """,
        INPUTS, tol=200.0, family="images",
    )  # fmt: skip
