"""The cell's framework, imported and checked, and the little a probe needs of it beyond Keras.

>>> backend = load(request)                     # doctest: +SKIP
>>> backend.numpy(backend.conv2d(x, w, ...))    # doctest: +SKIP
"""

from __future__ import annotations

import atexit
import importlib
import sys
import time

from ..protocol import BadOutputError, ImportFailedError, UnavailableError, UnsupportedError, one_line


class Backend:
    """A framework (``name``, module ``lib``) on a ``device``, with Keras (module ``keras``) or without (None).

    ``import_s`` is what importing both took, seconds.
    """

    def __init__(self, name, lib, keras, device, import_s):
        self.name = name
        self.lib = lib
        self.keras = keras
        self.device = device
        self.import_s = import_s

    def tensor(self, array):
        """A NumPy array as the framework's own tensor on the device."""
        if self.name == "torch":
            return self.lib.from_numpy(array).to(self.device)
        if self.name == "tensorflow":
            return self.lib.constant(array)
        if self.name == "jax":
            return self.lib.numpy.asarray(array)
        if self.name == "mxnet":
            return self.lib.nd.array(array, dtype=array.dtype, ctx=self._mxnet_context())
        return array

    def block(self, value):
        """Waits until ``value``, a tensor, is computed, and returns it."""
        if self.name == "torch" and self.device == "cuda":
            self.lib.cuda.synchronize()
        elif self.name == "torch" and self.device == "mps":
            self.lib.mps.synchronize()
        elif self.name == "jax":
            self.lib.block_until_ready(value)
        elif self.name == "mxnet":
            value.wait_to_read()
        elif self.name == "openvino":
            return self.keras.ops.convert_to_numpy(value)  # until then it is a graph
        elif self.name == "tensorflow" and self.device != "cpu":
            self.lib.test.experimental.sync_devices()
        return value

    def numpy(self, value):
        """A tensor of the framework as a NumPy array."""
        if self.keras is not None:
            return self.keras.ops.convert_to_numpy(value)
        if self.name == "torch":
            return value.detach().cpu().numpy()
        if self.name == "mxnet":
            return value.asnumpy()
        import numpy as np

        return np.asarray(value)

    def _mxnet_context(self):
        return self.lib.gpu() if self.device == "cuda" else self.lib.cpu()


def load(request):
    """Imports the framework and Keras, in this order, and checks that they are what the cell says.

    Raises ImportFailedError, BadOutputError (another version or backend than the cell's) and UnavailableError (no
    such device here).
    """
    started = time.perf_counter()
    lib = _imported(request.framework)
    import_s = time.perf_counter() - started
    _check_version(request.framework, lib.__version__, request.version)
    _select_device(request.framework, lib, request.device)
    keras = None
    if request.keras is not None:
        started = time.perf_counter()
        keras = _imported("keras")
        import_s += time.perf_counter() - started
        _check_version("keras", keras.__version__, request.keras)
        if keras.config.backend() != request.framework:
            raise BadOutputError("Keras runs on %r, the cell says %r" % (keras.config.backend(), request.framework))
        if request.framework == "torch" and request.device == "cpu":
            scope = keras.device("cpu")  # Keras takes an Apple GPU where there is one
            scope.__enter__()
            atexit.register(scope.__exit__, None, None, None)  # which also keeps it from being collected, and closed
    return Backend(request.framework, lib, keras, request.device, import_s)


def _imported(name):
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever an import raises, SystemExit included, the cell cannot be imported
        raise ImportFailedError(one_line(error)) from error


def plain_version(version):
    """A version without its build: ``2.2.2+cu121`` is 2.2.2, TensorFlow's ``2.16.0-rc1`` is 2.16.0rc1.

    OpenVINO's ``2025.0.0-17942-1f68be9f594-releases/2025/0`` is 2025.0.0.
    """
    head, _, rest = version.split("+")[0].partition("-")
    return head if not rest or rest[0].isdigit() else head + rest


def _check_version(name, version, wanted):
    if plain_version(str(version)) != plain_version(wanted):
        raise BadOutputError("%s reports version %s, the cell says %s" % (name, version, wanted))


def _select_device(name, lib, device):
    """Makes sure that ``device`` is there and is the one used. Raises UnavailableError."""
    if name in ("numpy", "openvino"):
        there = device == "cpu"
    elif name == "torch":
        mps = getattr(lib.backends, "mps", None)
        there = {
            "cpu": lambda: True,
            "cuda": lib.cuda.is_available,
            "mps": lambda: mps is not None and mps.is_available(),
        }[device]()
    elif name == "tensorflow":
        there = _tensorflow_device(lib, device)
    elif name == "jax":
        there = _jax_device(lib, device)
    else:
        there = device == "cpu" or (device == "cuda" and lib.context.num_gpus() > 0)
    if not there:
        raise UnavailableError("%s %s finds no %s device here" % (name, lib.__version__, device))


def _tensorflow_device(tf, device):
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")  # tensorflow-metal registers one whatever the environment says
        return True
    gpus = tf.config.list_physical_devices("GPU")
    return bool(gpus) and (sys.platform == "darwin") == (device == "mps")


def _jax_device(jax, device):
    try:
        platform = jax.devices()[0].platform.lower()
    except RuntimeError as error:  # "Unable to initialize backend 'cuda': ..."
        raise UnavailableError(one_line(error)) from error
    return platform in {"cpu": ("cpu",), "cuda": ("cuda", "gpu"), "mps": ("metal", "mps")}[device]


def unsupported_natively(request):
    """The UnsupportedError that a probe on the Keras API raises in a cell without Keras."""
    return UnsupportedError("the %s probe runs on the Keras API; %s has none" % (request.probe, request.framework))
