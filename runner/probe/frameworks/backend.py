"""Imports and checks the cell's framework, and offers what a probe needs of it.

What it offers is the little that a probe needs beyond Keras.

>>> backend = load(request)                     # doctest: +SKIP
>>> backend.numpy(backend.conv2d(x, w, ...))    # doctest: +SKIP
"""

from __future__ import annotations

import atexit
import importlib
import time

from ..protocol import BadOutputError, ImportFailedError, UnavailableError, one_line
from . import module


class Backend:
    """A framework on a device, with Keras or without.

    The framework is ``name`` and the module ``lib``, the device ``device``. ``keras`` is a module, or None.
    ``import_s`` is what importing both took, seconds; ``keras_import_s`` is Keras's part.
    """

    def __init__(self, name, lib, keras, device, import_s, keras_import_s=0.0):
        self.name = name
        self.lib = lib
        self.keras = keras
        self.device = device
        self.import_s = import_s
        self.keras_import_s = keras_import_s

    def tensor(self, array):
        """Returns a NumPy array as the framework's own tensor on the device."""
        return module(self.name).tensor(self.lib, array, self.device)

    def block(self, value):
        """Waits until ``value``, a tensor, is computed, and returns it."""
        return module(self.name).block(self.lib, value, self.device)

    def numpy(self, value):
        """Returns a tensor of the framework as a NumPy array."""
        if self.keras is not None:
            return self.keras.ops.convert_to_numpy(value)
        return module(self.name).array(self.lib, value)


def load(request):
    """Imports the framework and Keras, in this order, and checks both.

    They must be what the cell says.

    Raises ImportFailedError, BadOutputError (another version or backend than the cell's) and UnavailableError (no
    such device here).
    """
    started = time.perf_counter()
    lib = _imported(request.framework)
    import_s = time.perf_counter() - started
    _check_version(request.framework, lib.__version__, request.version)
    _select_device(request.framework, lib, request.device)
    keras, keras_import_s = None, 0.0
    if request.keras is not None:
        started = time.perf_counter()
        keras = _imported("keras")
        keras_import_s = time.perf_counter() - started
        _check_version("keras", keras.__version__, request.keras)
        if keras.config.backend() != request.framework:
            raise BadOutputError("Keras runs on %r, the cell says %r" % (keras.config.backend(), request.framework))
        if request.framework == "torch" and request.device == "cpu" and hasattr(keras, "device"):
            scope = keras.device("cpu")  # Keras takes an Apple GPU where there is one
            scope.__enter__()
            atexit.register(scope.__exit__, None, None, None)  # which also keeps it from being collected, and closed
    return Backend(request.framework, lib, keras, request.device, import_s + keras_import_s, keras_import_s)


def _imported(name):
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever an import raises, SystemExit included, the cell cannot be imported
        raise ImportFailedError(one_line(error)) from error


def plain_version(version):
    """Returns a version without its build.

    ``2.2.2+cu121`` becomes 2.2.2, and TensorFlow's ``2.16.0-rc1`` becomes 2.16.0rc1. Its nightly
    ``2.23.0-dev20261026`` becomes 2.23.0.dev20261026. OpenVINO's
    ``2025.0.0-17942-1f68be9f594-releases/2025/0`` is 2025.0.0.
    """
    head, _, rest = version.split("+")[0].partition("-")
    if not rest or rest[0].isdigit():
        return head
    return head + ("." if rest.startswith("dev") else "") + rest


def _check_version(name, version, wanted):
    if plain_version(str(version)) != plain_version(wanted):
        raise BadOutputError("%s reports version %s, the cell says %s" % (name, version, wanted))


def _select_device(name, lib, device):
    """Makes sure that ``device`` is available and is the one used.

    Raises UnavailableError.
    """
    if not module(name).select(lib, device):
        raise UnavailableError("%s %s finds no %s device here" % (name, lib.__version__, device))
