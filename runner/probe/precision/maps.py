"""Maps of policies by path, policies of whole numbers, and what quantizers keep."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, numbers, refuses, true

WHOLE = ["uint8", "int16", "int32", "int64", "uint16", "uint32", "bool"]


@each(name=WHOLE)
def policy_takes_every_dtype(name):
    """DTypePolicy("{name}") computes and stores in {name}, also as a layer's dtype"""
    need("keras.DTypePolicy")
    policy = keras.DTypePolicy(name)
    equal([policy.name, policy.compute_dtype, policy.variable_dtype], [name] * 3, "name, compute and variable dtype")
    equal(keras.layers.Layer(dtype=name).dtype, name, "the dtype of a layer")


@each(dtype=["int32", "int64", "bool", "uint8", "int8"], policy=["mixed_float16", "float32"])
def whole_numbers_of_numpy_are_not_cast(dtype, policy):
    """A {policy} layer leaves NumPy arrays of {dtype} as they are"""
    seen = []

    class Seen(keras.layers.Layer):
        def call(self, inputs):
            seen.append(keras.backend.standardize_dtype(inputs.dtype))
            return inputs

    Seen(dtype=policy)(np.ones((2, 2), dtype))
    equal(seen[-1], "int32" if dtype == "int64" and keras.backend.backend() == "jax" else dtype, "the dtype in call")


def _map(**paths):
    made = need("keras.dtype_policies.DTypePolicyMap")(default_policy="float32")
    for path, policy in paths.items():
        made[path] = keras.DTypePolicy(policy)
    return made


@each(path=["a/b", "a/b/c", "x/a/b", "a/b_1", "a"])
def policy_map_takes_whole_paths(path):
    """A DTypePolicyMap with the key a/b gives {path} its policy only if it is a/b"""
    found = _map(**{"a/b": "bfloat16"})[path]
    equal(found.name, "bfloat16" if path == "a/b" else "float32", "the policy")


@each(path=["a/b", "a/b/c", "x/a/b", "ab/c", "b"])
def policy_map_takes_patterns(path):
    """A DTypePolicyMap with the key a/.* gives {path} its policy if all of it matches"""
    found = _map(**{"a/.*": "bfloat16"})[path]
    equal(found.name, "bfloat16" if path.startswith("a/") else "float32", "the policy")


def policy_map_prefers_the_exact_path():
    """A DTypePolicyMap gives an exact path its own policy, whatever patterns match it"""
    found = _map(**{"a/.*": "bfloat16", "a/b": "float16"})
    equal([found["a/b"].name, found["a/c"].name], ["float16", "bfloat16"], "policies")


def policy_map_refuses_two_patterns():
    """A DTypePolicyMap refuses a path that two of its patterns match"""
    found = _map(**{"a/.*": "bfloat16", "a/b/.*": "float16"})
    refuses(lambda: found["a/b/c"], "a path that two patterns match")


@each(dtype=["float32", "float16", "bfloat16"], kind=["tensor", "array"])
def abs_max_quantizer_keeps_the_dtype(dtype, kind):
    """AbsMaxQuantizer of a {dtype} {kind} gives int8 and a scale of {dtype}"""
    made = need("keras.quantizers.AbsMaxQuantizer")(axis=-1)
    data = numbers(3, 4)
    value = keras.ops.convert_to_tensor(data, dtype=dtype)
    if kind == "array":
        value = array(value)
    whole, scale = made(value)
    found = [keras.backend.standardize_dtype(part.dtype) for part in (whole, scale)]
    equal(found, ["int8", dtype], "the dtypes")


@each(axis=[0, -1])
def quantizing_in_numpy_gives_the_same(axis):
    """abs_max_quantize(to_numpy=True) along {axis} gives what it gives otherwise"""
    quantize = need("keras.quantizers.abs_max_quantize(to_numpy)")
    data = keras.ops.convert_to_tensor(numbers(3, 4))
    (whole, scale), (other, of_other) = quantize(data, axis=axis, to_numpy=True), quantize(data, axis=axis)
    close(array(scale), array(of_other), "the scale")
    true((np.abs(array(whole).astype(int) - array(other).astype(int)) <= 1).all(), "the numbers agree")


@each(layer=["Dense(4)", "EinsumDense('ab,bc->ac', 4)", "Embedding(5, 8)"])
def added_weights_are_torchs_too(layer):
    """layer.parameters() has the weights that enable_lora adds to {layer} (PyTorch)"""
    if keras.backend.backend() != "torch":
        need("keras.layers.Layer.parameters(only with the torch backend)")
    made = eval("keras.layers." + layer)  # noqa: S307 - written above
    made.build((2,) if layer.startswith("Emb") else (2, 8))
    if not hasattr(made, "enable_lora"):
        need("keras.layers.Dense.enable_lora")
    list(made.parameters())  # PyTorch has asked once before
    made.enable_lora(2)
    known = {id(parameter) for parameter in made.parameters()}
    lacking = [v.path for v in made.variables if id(v.value) not in known]
    equal(lacking, [], "weights that PyTorch does not know")


@each(form=["(3, 4) (4, 2)", "(2, 3, 4) (2, 4, 2)", "(2, 3, 4) (4, 2)"])
def int8_products_do_not_overflow(form):
    """ops.matmul of int8 tensors of shapes {form} is int32, and exact"""
    shapes = [tuple(int(n) for n in part.strip("()").split(",")) for part in form.split(") (")]
    a, b = (np.random.RandomState(seed).randint(-128, 128, shape).astype("int8") for seed, shape in enumerate(shapes))
    found = keras.ops.matmul(keras.ops.convert_to_tensor(a), keras.ops.convert_to_tensor(b))
    equal(keras.backend.standardize_dtype(found.dtype), "int32", "the dtype")
    equal(array(found), np.matmul(a.astype("int32"), b.astype("int32")))
