"""Tries every preprocessing and augmentation layer.

Values, invariants, forms of input, and places of use: alone, in a model, inside ``tf.data``.
"""

from __future__ import annotations

from .. import cases
from ..kit import xla

DEFAULTS = {"budget_s": 120.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    if request.framework == "jax":
        xla.compile_cheaply()
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    import contextlib

    with contextlib.suppress(ImportError):  # before the first case, which would have to pay for it
        import tensorflow as tf  # noqa: F401
    from . import (
        audio,
        augmentations,
        boxes,
        categories,
        images,
        lookups,
        moved,
        numeric,
        pictures,
        promised,
        spaces,
        texts,
    )

    return (
        lookups, texts, categories, numeric, images, boxes, audio, spaces, augmentations, pictures, promised, moved,
    )  # fmt: skip
