"""LoRA: what trains, what is added, what is saved."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, refuses, true

LAYERS = [
    "Dense(4) 2x8",
    "EinsumDense('abc,cd->abd', output_shape=(None, 4), bias_axes='d') 2x3x8",
    "EinsumDense('abc,cde->abde', output_shape=(None, 2, 3)) 2x3x8",
    "EinsumDense('abcd,cde->abe', output_shape=(None, 4)) 2x3x2x4",
    "Embedding(6, 4) i2x3",
    "ReversibleEmbedding(6, 4) i2x3",
    "Conv1D(3, 2) 2x5x3",
    "Conv2D(3, 2) 1x4x4x2",
    "Conv2D(4, (2, 1), groups=2) 1x4x4x2",
    "Conv3D(2, 2) 1x3x3x3x2",
]
QUANTIZABLE = [text for text in LAYERS if "Conv" not in text]


def _made(text, policy="float32", **options):
    """Returns the built layer that ``text`` names, and an input for it."""
    call, _, shape = text.rpartition(" ")
    need("keras.layers.%s.enable_lora" % call.partition("(")[0])
    known = {"keras": keras, "policy": policy, "options": options}
    layer = eval("keras.layers.%s, dtype=policy, **options)" % call[:-1], known)  # noqa: S307 - written above
    sizes = [int(size) for size in shape.strip("i").split("x")]
    data = np.arange(np.prod(sizes)).reshape(sizes) % 6 if shape[0] == "i" else numbers(*sizes)
    data = data.astype("int32" if shape[0] == "i" else "float32")
    layer(data)
    return given(layer), data


def _factors(layer):
    """Returns the two LoRA weights of a layer."""
    return [v for v in layer.trainable_weights if "lora" in v.name]


def _filled(layer):
    """Gives the LoRA weights values, so that they change the output."""
    for place, variable in enumerate(_factors(layer)):
        variable.assign(0.3 * numbers(*variable.shape, seed=place + 5))
    return layer


@each(layer=LAYERS)
def lora_starts_at_nothing(layer):
    """{layer} computes the same right after enable_lora"""
    made, data = _made(layer)
    before = array(made(data))
    made.enable_lora(2)
    close(made(data), before, "the output", 1e-6)


@each(layer=LAYERS)
def lora_trains_only_its_factors(layer):
    """{layer} with LoRA trains two small weights and its bias, and not the large one"""
    made, _ = _made(layer)
    frozen = [v.name for v in made.trainable_weights if v.name != "bias"]
    made.enable_lora(2)
    equal(len(_factors(made)), 2, "LoRA weights")
    equal(len([v for v in made.non_trainable_weights if v.name in frozen]), len(frozen), "frozen weights")
    equal(all(2 in v.shape for v in _factors(made)), True, "whether both have the rank as a dimension")


@each(layer=LAYERS, rank=[1, 3])
def lora_adds_a_product(layer, rank):
    """{layer} with LoRA of rank {rank} adds the factors' product"""
    made, data = _made(layer)
    original = array(made.weights[0]).astype("float64")
    made.enable_lora(rank)
    _filled(made)
    a, b = (array(v).astype("float64") for v in _factors(made))
    expected, _ = _made(layer)
    added = np.tensordot(a, b, 1).reshape(original.shape)
    expected.set_weights([original + added, *[array(v) for v in expected.weights[1:]]])
    close(made(data), array(expected(data)), "the output", 1e-5)


@each(layer=LAYERS, alpha=[1.0, 8.0])
def lora_alpha_scales(layer, alpha):
    """{layer} with lora_alpha={alpha} and rank 2 adds the product times alpha / 2"""
    made, data = _made(layer)
    need("keras.layers.%s.enable_lora(lora_alpha)" % layer.partition("(")[0])
    original = array(made.weights[0]).astype("float64")
    made.enable_lora(2, lora_alpha=alpha)
    _filled(made)
    a, b = (array(v).astype("float64") for v in _factors(made))
    expected, _ = _made(layer)
    added = alpha / 2 * np.tensordot(a, b, 1).reshape(original.shape)
    expected.set_weights([original + added, *[array(v) for v in expected.weights[1:]]])
    close(made(data), array(expected(data)), "the output", 1e-5)


@each(layer=LAYERS)
def lora_rank_in_the_constructor_enables_it(layer):
    """{layer} made with lora_rank=2 has LoRA once it is built"""
    need("keras.layers.%s(lora_rank)" % layer.partition("(")[0])
    made, _ = _made(layer, lora_rank=2)
    equal(made.lora_enabled, True, "lora_enabled")
    equal(len(_factors(made)), 2, "LoRA weights")


@each(layer=LAYERS)
def lora_alpha_in_the_constructor_is_kept(layer):
    """{layer} made with lora_rank=2, lora_alpha=8 has that alpha once it is built"""
    need("keras.layers.%s(lora_alpha)" % layer.partition("(")[0])
    made, _ = _made(layer, lora_rank=2, lora_alpha=8.0)
    close(float(made.lora_alpha), 8.0, "lora_alpha")


@each(layer=LAYERS)
def lora_is_in_the_config(layer):
    """{layer} with LoRA says its rank and alpha in its configuration"""
    made, _ = _made(layer)
    need("keras.layers.%s.enable_lora(lora_alpha)" % layer.partition("(")[0])
    made.enable_lora(2, lora_alpha=8.0)
    config = made.get_config()
    equal([config.get("lora_rank"), config.get("lora_alpha")], [2, 8.0], "rank and alpha")
    again = made.__class__.from_config(config)
    equal([again.lora_rank, again.lora_alpha], [2, 8.0], "after from_config")


@each(layer=LAYERS)
def lora_is_refused_twice(layer):
    """{layer} refuses a second enable_lora"""
    made, _ = _made(layer)
    made.enable_lora(2)
    refuses(lambda: made.enable_lora(2), "a second enable_lora")


@each(layer=LAYERS)
def lora_needs_weights(layer):
    """{layer} refuses enable_lora before it is built"""
    made, _ = _made(layer)
    fresh = made.__class__.from_config(made.get_config())
    refuses(lambda: fresh.enable_lora(2), "enable_lora without weights")


@each(name=["Dense", "EinsumDense", "Embedding", "Conv1D"])
def lora_is_refused_with_constraints(name):
    """{name} with a constraint on its large weight refuses enable_lora"""
    made = getattr(keras.layers, name)
    need("keras.layers.%s.enable_lora" % name)
    if name == "Embedding":
        layer = made(6, 4, embeddings_constraint="max_norm")
    elif name == "EinsumDense":
        layer = made("ab,bc->ac", output_shape=4, kernel_constraint="max_norm")
    else:
        layer = made(4, **({"kernel_size": 2} if name == "Conv1D" else {}), kernel_constraint="max_norm")
    layer.build({"Embedding": (2,), "Conv1D": (2, 5, 3)}.get(name, (2, 3)))
    refuses(lambda: layer.enable_lora(2), "a constraint")


@each(layer=LAYERS)
def lora_weights_are_merged_when_saved(layer):
    """A model of {layer} with LoRA, saved to .keras and loaded, computes the same"""
    made, data = _made(layer)
    made.enable_lora(2)
    _filled(made)
    model = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), made])
    before = array(model(data))
    model.save("m.keras")
    again = keras.models.load_model("m.keras")
    close(again(data), before, "the output", 1e-5)
    equal(again.layers[-1].lora_enabled, True, "lora_enabled of the loaded layer")


@each(layer=LAYERS)
def lora_weights_load_into_a_plain_layer(layer):
    """{layer} reads the weights that one with LoRA wrote"""
    made, data = _made(layer)
    made.enable_lora(2)
    _filled(made)
    model = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), made])
    model.save_weights("m.weights.h5")
    fresh, _ = _made(layer)
    plain = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), fresh])
    plain.load_weights("m.weights.h5")
    close(plain(data), array(model(data)), "the output", 1e-5)


@each(layer=LAYERS)
def plain_weights_load_into_a_lora_layer(layer):
    """{layer} with LoRA reads the weights of one without"""
    made, data = _made(layer)
    plain = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), made])
    plain.save_weights("m.weights.h5")
    other, _ = _made(layer)
    other.enable_lora(2)
    _filled(other)
    model = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), other])
    model.load_weights("m.weights.h5")
    close(model(data), array(plain(data)), "the output", 1e-5)


@each(layer=LAYERS)
def lora_learns(layer):
    """Training {layer} with LoRA moves a factor and leaves the large weight alone"""
    made, data = _made(layer)
    made.enable_lora(2)
    model = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), made])
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=keras.backend.backend() != "jax")
    large = max(made.non_trainable_weights, key=lambda v: int(np.prod(v.shape)))
    before, factors = array(large), [array(v) for v in _factors(made)]
    model.train_on_batch(data, np.zeros(model(data).shape, "float32"))
    equal(array(large), before, "the large weight")
    moved = [bool((array(v) != old).any()) for v, old in zip(_factors(made), factors)]
    true(any(moved), "a factor has moved")


@each(layer=LAYERS)
def lora_factors_can_be_initialized(layer):
    """enable_lora of {layer} takes initializers of both factors"""
    need("keras.layers.%s.enable_lora(a_initializer, b_initializer)" % layer.partition("(")[0])
    made, _ = _made(layer)
    made.enable_lora(2, a_initializer="ones", b_initializer=keras.initializers.Constant(0.5))
    a, b = _factors(made)
    equal([float(array(a).min()), float(array(b).max())], [1.0, 0.5], "values of the factors")


@each(layer=LAYERS, policy=["mixed_bfloat16", "bfloat16"])
def lora_works_in_half(layer, policy):
    """{layer} of dtype {policy} with LoRA computes in bfloat16"""
    made, data = _made(layer, policy)
    made.enable_lora(2)
    _filled(made)
    equal(keras.backend.standardize_dtype(made(data).dtype), "bfloat16", "the output's dtype")
    equal({keras.backend.standardize_dtype(v.dtype) for v in _factors(made)}, {"float32"}, "the factors' dtype")


@each(layer=QUANTIZABLE, order=["quantized first", "LoRA first"], mode=["int8", "int4"])
def lora_and_quantization_go_together(layer, order, mode):
    """{layer} with LoRA and {mode}, {order}, is close to float32"""
    made, data = _made(layer)
    exact, _ = _made(layer)
    need("keras.layers.Dense.quantize")
    if mode not in need("keras.src.dtype_policies.dtype_policy.QUANTIZATION_MODES"):
        raise Lacking("no quantization to %s" % mode)
    if order == "LoRA first":
        _filled_up(made)
        made.quantize(mode)
    else:
        made.quantize(mode)
        _filled_up(made)
    bound = {"int8": 0.06, "int4": 0.3}[mode]
    close(made(data), array(_filled_up(exact)(data)), "the output", bound)
    model = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), made])
    before = array(model(data))
    model.save("m.keras")
    close(keras.models.load_model("m.keras")(data), before, "the output after saving", bound)


def _filled_up(layer):
    layer.enable_lora(2)
    return _filled(layer)


@each(kind=["sequential", "functional"])
def lora_counts_parameters(kind):
    """count_params and the model's trainable weights follow enable_lora"""
    need("keras.layers.Dense.enable_lora")
    dense = keras.layers.Dense(4, name="d")
    x = keras.Input((8,))
    model = keras.Sequential([x, dense]) if kind == "sequential" else keras.Model(x, dense(x))
    dense.enable_lora(2)
    equal(model.count_params(), 8 * 4 + 4 + 8 * 2 + 2 * 4, "parameters")
    equal(sum(int(np.prod(v.shape)) for v in model.trainable_weights), 4 + 8 * 2 + 2 * 4, "trainable parameters")


def lora_after_a_fit_is_trained():
    """A model whose layer gets LoRA trains the factors when compiled again"""
    need("keras.layers.Dense.enable_lora")
    dense = keras.layers.Dense(2)
    model = keras.Sequential([keras.Input((4,)), dense])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    x, y = numbers(4, 4), numbers(4, 2, seed=1)
    model.fit(x, y, verbose=0)
    dense.enable_lora(2)
    model.compile(keras.optimizers.Adam(0.1), "mse")
    kernel, before = array(dense._kernel), array(_factors(dense)[1])
    model.fit(x, y, verbose=0)
    equal(array(dense._kernel), kernel, "the kernel")
    true(bool((array(_factors(dense)[1]) != before).any()), "a factor has moved")
