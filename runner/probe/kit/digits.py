"""Reads the digits that the runner prepared, as a probe trains on them."""

from __future__ import annotations

from ..protocol import BadOutputError, one_line

SHAPES = {"x_train": 3, "y_train": 1, "x_test": 3, "y_test": 1}


def load(request, train_samples=None, test_samples=None):
    """Returns ``(x_train, y_train), (x_test, y_test)``.

    Images are float32 (n, 28, 28, 1) from 0 to 1, labels int32 (n,). Only the first ``train_samples`` and
    ``test_samples`` of each, where given.

    Raises BadOutputError where the request does not have data, or the file lacks an array, has one of another shape, or
    fewer samples than asked for.
    """
    import numpy as np

    if not request.data or not request.data.get("path"):
        raise BadOutputError("the %s probe needs a data set, and the request has none" % request.probe)
    try:
        with open(request.data["path"], "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in SHAPES}
    except Exception as error:  # a damaged archive raises whatever zipfile, zlib or NumPy feel like
        raise BadOutputError("cannot read the data set: %s" % one_line(error)) from error
    for part, wanted in (("train", train_samples), ("test", test_samples)):
        x, y = arrays["x_" + part], arrays["y_" + part]
        if x.shape[1:] != (28, 28) or y.shape != x.shape[:1] or not len(x):
            raise BadOutputError("the data set's x_%s and y_%s have shapes %s and %s" % (part, part, x.shape, y.shape))
        if wanted is not None and not 1 <= wanted <= len(x):
            raise BadOutputError("%s_samples is %d, the data set has %d" % (part, wanted, len(x)))
        arrays["x_" + part] = x[:wanted, :, :, None].astype("float32") / np.float32(255)
        arrays["y_" + part] = y[:wanted].astype("int32")
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
