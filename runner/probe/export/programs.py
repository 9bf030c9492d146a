"""Models and functions that ``torch.export`` writes down."""

from __future__ import annotations

import keras

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, given, numbers, true


def _torch():
    """Returns PyTorch. Raises Lacking on other backends, and where it cannot export."""
    if keras.config.backend() != "torch":
        raise Lacking("it is about the backend torch")
    import torch

    if not hasattr(torch, "export"):
        raise Lacking("this PyTorch has no torch.export")
    return torch


def _program(torch, model, array_of_one, sizes):
    """Returns what torch.export makes of a call of the model, as a function."""

    class Calls(torch.nn.Module):
        def forward(self, x):
            return model(x)

    first = torch.as_tensor(array_of_one)
    return torch.export.export(Calls(), (first,), dynamic_shapes=(sizes,), strict=False).module()


CHAINS = [
    "Flatten()",
    "Reshape((-1, 3))",
    "Reshape((24, 3))",
    "GlobalAveragePooling2D()",
    "AveragePooling2D(2), Reshape((-1, 3))",
    "MaxPooling2D(2), Flatten()",
    "Permute((2, 1, 3)), Dense(2)",
]


@each(layers=CHAINS)
def programs_keep_the_batch_open(layers):
    """A program that torch.export makes for an open batch takes another one: {layers}"""
    torch = _torch()
    made = eval("[%s]" % layers, dict(vars(keras.layers)))  # noqa: S307 - texts of this module
    model = given(keras.Sequential([keras.Input((4, 6, 3)), *made]))
    function = _program(torch, model, numbers(2, 4, 6, 3), {0: torch.export.Dim("batch", min=1, max=64)})
    other = numbers(5, 4, 6, 3, seed=1)
    close(function(torch.as_tensor(other)), array(model(other)), "a batch of 5", 1e-4)


@each(layers=["AveragePooling2D(2), Reshape((-1, 3))", "Conv2D(3, 1), Reshape((-1, 3))", "GlobalAveragePooling2D()"])
def programs_keep_the_sizes_open(layers):
    """A program that torch.export makes for open sizes takes other ones: {layers}"""
    torch = _torch()
    made = eval("[%s]" % layers, dict(vars(keras.layers)))  # noqa: S307 - texts of this module
    model = given(keras.Sequential([keras.Input((None, None, 3)), *made]))
    sizes = dict.fromkeys((1, 2), torch.export.Dim.DYNAMIC)
    function = _program(torch, model, numbers(2, 4, 6, 3), sizes)
    other = numbers(2, 8, 10, 3, seed=1)
    close(function(torch.as_tensor(other)), array(model(other)), "other sizes", 1e-4)


@each(dtype=["float32", "float16", "int32"])
def programs_hold_numbers_of_the_type_asked_for(dtype):
    """A number made with dtype {dtype} is of that type in what torch.export writes"""
    torch = _torch()

    class Adds(torch.nn.Module):
        def forward(self, x):
            return x + keras.ops.convert_to_tensor(3 if dtype == "int32" else 1e-3, dtype=dtype)

    program = torch.export.export(Adds(), (torch.ones(2, dtype=getattr(torch, dtype)),), strict=False)
    kinds = {str(value.dtype) for value in program.constants.values() if isinstance(value, torch.Tensor)}
    true(not kinds & {"torch.float64", "torch.int64"}, "no number is of 64 bits: %s" % sorted(kinds))
