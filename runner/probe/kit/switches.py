"""Sets environment variables that are needed before a framework is imported."""

from __future__ import annotations

import os

HIDE_GPUS = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


def apply(request, environ):
    """Sets in ``environ`` the request's backend and device for the frameworks.

    It sets only the variables that this needs. A CPU cell must not see a GPU, or Keras picks it. Keras gets its own
    home: a user's ``keras.json`` could change the float type or data format, and a container's user may not have a
    home.
    """
    environ["KERAS_HOME"] = os.path.abspath("keras-home")
    if request.keras is not None:
        environ["KERAS_BACKEND"] = request.framework
    if request.device == "cpu":
        for name in HIDE_GPUS:
            environ[name] = ""
        environ["JAX_PLATFORMS"] = "cpu"
    elif request.device == "cuda":
        environ["JAX_PLATFORMS"] = "cuda,cpu"  # in this order: the first is the default, and both must start
