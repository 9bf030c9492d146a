"""Second quantizations of layers, and kernels of quantized layers."""

from __future__ import annotations

import keras

from ..cases.collect import each
from ..cases.prelude import Lacking, equal, given, need, refuses

MADE = {"Dense": "Dense(4, {})", "EinsumDense": "EinsumDense('ab,bc->ac', (4,), {})"}


def _built(layer, policy="float32"):
    if not hasattr(keras.layers.Dense, "quantize"):
        raise Lacking("quantize")
    made = eval("keras.layers." + MADE[layer].format("dtype=%r" % policy))  # noqa: S307 - texts of this module
    made.build((None, 3))
    return made


@each(layer=["Dense", "EinsumDense"], first=["int8", "float8"], second=["int8", "float8"], how=["quantize", "dtype"])
def quantized_layers_refuse_another_quantization(layer, first, second, how):
    """{layer} made {first} by {how} refuses quantize({second})"""
    if how == "quantize":
        made = given(_built(layer))
        made.quantize(first)
    else:
        made = _built(layer, first + "_from_float32")
    refuses(lambda: made.quantize(second), "a second quantization")


@each(layer=["Dense", "EinsumDense"], mode=["int8", "int4"], lora=[False, True])
def quantized_kernels_keep_their_shape(layer, mode, lora):
    """{layer}.kernel has its shape after quantize({mode}), with LoRA: {lora}"""
    made = given(_built(layer))
    if lora and not hasattr(made, "enable_lora"):
        raise Lacking("enable_lora")
    shape = tuple(made.kernel.shape)
    if mode not in need("keras.src.dtype_policies.dtype_policy.QUANTIZATION_MODES"):
        raise Lacking("no quantization to %s" % mode)
    made.quantize(mode)
    if lora:
        made.enable_lora(2)
    equal(tuple(made.kernel.shape), shape, "the kernel's shape")
