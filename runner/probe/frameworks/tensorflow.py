"""Collects facts of TensorFlow, and makes its tensors."""

from __future__ import annotations

import sys

from ..kit.questions import answers as answers_to


def facts(tf, kind, errors):
    """Returns version, build, threads, switches and the device.

    The device is there where one is used. See ``facts.collect``.
    """

    def build_info(key):
        return lambda: tf.sysconfig.get_build_info().get(key)

    def internal(path, name):
        def ask():
            return getattr(sys.modules[path], name)()

        return ask

    answers = answers_to(
        errors, "tensorflow", {"cuda": build_info("cuda_version"), "cudnn": build_info("cudnn_version")}
    )
    answers["version"] = answers["build"] = str(tf.__version__)
    if answers.get("cuda"):
        answers["build"] += "+cuda" + answers["cuda"]
    answers["threads"] = answers_to(
        errors,
        "tensorflow",
        {
            "intra_op": tf.config.threading.get_intra_op_parallelism_threads,  # 0: TensorFlow decides
            "inter_op": tf.config.threading.get_inter_op_parallelism_threads,
        },
    )
    answers["switches"] = answers_to(
        errors,
        "tensorflow",
        {
            # no public function answers these two questions: whether oneDNN's kernels are in use, and op determinism
            "tf.onednn": internal("tensorflow.python.util._pywrap_util_port", "IsMklEnabled"),
            "tf.op_determinism": internal("tensorflow.python.framework.config", "is_op_determinism_enabled"),
            "tf.tf32": tf.config.experimental.tensor_float_32_execution_enabled,
            "tf.jit": lambda: tf.config.optimizer.get_jit() or False,
        },
    )
    gpus = [] if kind == "cpu" else tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        answers["device"] = {
            "device_name": details.get("device_name", gpus[0].name),
            "device_capability": list(details.get("compute_capability", ())),
        }
    return answers


def select(tf, device):
    """Makes ``device`` the one used. Returns whether it is there."""
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")  # tensorflow-metal registers one whatever the environment says
        return True
    gpus = tf.config.list_physical_devices("GPU")
    return bool(gpus) and (sys.platform == "darwin") == (device == "mps")


def tensor(tf, array, _device):
    """Returns a NumPy array as a tensor on the device."""
    return tf.constant(array)


def block(tf, value, device):
    """Waits until ``value`` is computed, and returns it."""
    if device != "cpu":
        tf.test.experimental.sync_devices()
    return value


def array(_tf, value):
    """Returns a tensor as a NumPy array."""
    import numpy as np

    return np.asarray(value)
