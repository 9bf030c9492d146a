"""Quantization to int8, int4, float8, GPTQ and AWQ."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, Lacking, array, close, equal, given, need, numbers, refuses, true

# a call, and the shape of its input: i is whole numbers
LAYERS = [
    "Dense(4) 2x8",
    "Dense(3, use_bias=False, activation='relu') 2x3x8",
    "EinsumDense('ab,bc->ac', output_shape=4, bias_axes='c') 2x8",
    "EinsumDense('abc,cd->abd', output_shape=(None, 4), bias_axes='d') 2x3x8",
    "EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de') 2x3x8",
    "EinsumDense('abcd,cde->abe', output_shape=(None, 4)) 2x3x2x4",
    "EinsumDense('abc,bcd->ad', output_shape=4) 2x3x4",
    "EinsumDense('abc,bd->adc', output_shape=(4, 5)) 2x6x5",
    "EinsumDense('ab,abc->ac', output_shape=4) 2x8",
    "Embedding(6, 4) i2x3",
    "ReversibleEmbedding(6, 4) i2x3",
]
MODES = ["int8", "int4", "float8"]
BOUNDS = {"int8": 0.03, "int4": 0.25, "float8": 0.15}


def _made(text, policy="float32"):
    """Returns the built layer that ``text`` names, and an input for it."""
    call, _, shape = text.rpartition(" ")
    need("keras.layers." + call.partition("(")[0])
    need("keras.layers.Dense.quantize")
    layer = eval("keras.layers.%s, dtype=%r)" % (call[:-1], policy))  # noqa: S307 - written above
    sizes = [int(size) for size in shape.strip("i").split("x")]
    data = np.arange(np.prod(sizes)).reshape(sizes) % 6 if shape[0] == "i" else numbers(*sizes)
    data = data.astype("int32" if shape[0] == "i" else "float32")
    layer(data)
    return given(layer), data


def _quantize(layer, mode):
    """Quantizes a layer. Raises Lacking where the release has no such mode for it."""
    if mode not in need("keras.src.dtype_policies.dtype_policy.QUANTIZATION_MODES"):
        raise Lacking("no quantization to %s" % mode)
    try:
        layer.quantize(mode)
    except NotImplementedError as error:
        raise Lacking("no quantization of this layer to %s" % mode) from error
    return layer


def _quantized(text, mode, policy="float32"):
    layer, data = _made(text, policy)
    return _quantize(layer, mode), data


def _dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


@each(layer=LAYERS, mode=MODES)
def quantized_layer_is_close(layer, mode):
    """{layer} quantized to {mode} gives its output within what the format allows"""
    made, data = _made(layer)
    before = array(made(data))
    _quantize(made, mode)
    after = made(data)
    equal(_dtype(after), "float32", "the output's dtype")
    close(after, before, "the output", BOUNDS[mode])


@each(layer=LAYERS, mode=["int8", "int4"])
def quantized_layer_stores_whole_numbers(layer, mode):
    """{layer} quantized to {mode} stores its large weight in 8 bits"""
    made, _ = _quantized(layer, mode)
    large = max(made.weights, key=lambda v: int(np.prod(v.shape)))
    true(_dtype(large) in ("int8", "uint8"), "the large weight has 8 bits, not %s" % _dtype(large))
    equal(large.trainable, False, "whether it trains")
    equal(sorted(v.name for v in made.trainable_weights), ["bias"] if getattr(made, "bias", None) is not None else [])


@each(layer=LAYERS, mode=MODES)
def quantized_layer_says_so(layer, mode):
    """{layer} quantized to {mode} has a policy of that mode, and its dtypes"""
    need("keras.layers.Layer.quantization_mode")
    made, _ = _quantized(layer, mode)
    true(made.dtype_policy.name.startswith(mode), "the policy's name, %s, says %s" % (made.dtype_policy.name, mode))
    true(made.dtype_policy.name.endswith("_from_float32"), "the policy's name says where it comes from")
    equal([made.compute_dtype, made.variable_dtype], ["float32", "float32"], "dtypes")
    equal(made.quantization_mode, mode, "quantization_mode")


@each(layer=LAYERS, mode=["int8", "int4"])
def quantized_layer_says_its_shape(layer, mode):
    """{layer} quantized to {mode} says the output shape that it has"""
    made, data = _quantized(layer, mode)
    expected = tuple(made(data).shape)
    said = made.compute_output_shape(data.shape)
    equal([expected[i] if said[i] is None else said[i] for i in range(len(said))], list(expected), "the shape said")
    said = made(keras.Input(batch_shape=data.shape, dtype=str(data.dtype))).shape
    equal([expected[i] if said[i] is None else said[i] for i in range(len(said))], list(expected), "symbolic shape")


@each(layer=LAYERS, mode=MODES)
def quantizing_twice_is_refused(layer, mode):
    """{layer} quantized to {mode} is not quantized again"""
    made, _ = _quantized(layer, mode)
    refuses(lambda: made.quantize(mode), "a second quantization")


@each(layer=LAYERS)
def unbuilt_layers_are_not_quantized(layer):
    """{layer} is not quantized before it is built"""
    made, _ = _made(layer)
    fresh = made.__class__.from_config(made.get_config())
    refuses(lambda: fresh.quantize("int8"), "quantization of a layer without weights")


@each(layer=LAYERS)
def a_failed_quantization_changes_nothing(layer):
    """{layer} keeps its policy and output where the mode is refused"""
    made, data = _made(layer)
    before = array(made(data))
    try:
        made.quantize("int3")
    except (ValueError, TypeError, NotImplementedError):
        pass
    else:
        raise Broken("the mode int3 was accepted")
    equal(made.dtype_policy.name, "float32", "the policy")
    equal(array(made(data)), before, "the output")


@each(layer=LAYERS, mode=["int8", "int4"])
def failure_inside_quantization_names_the_mode(layer, mode):
    """quantized_build of {layer} refuses a mode that does not exist by name"""
    made, data = _made(layer)
    shape = tuple(data.shape) if "ense" not in layer else tuple(made._kernel.shape)
    text = refuses(lambda: made.quantized_build(shape, "int3"), "int3", (ValueError, TypeError, NotImplementedError))
    true("int3" in text, "the message names the mode: %s" % text)


@each(layer=LAYERS, mode=MODES)
def quantized_weights_are_saved(layer, mode):
    """A model of {layer} in {mode} gives the same after .keras"""
    made, data = _quantized(layer, mode)
    model = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), made])
    before = array(model(data))
    model.save("model.keras")
    again = keras.models.load_model("model.keras")
    equal(again.layers[-1].dtype_policy.name, made.dtype_policy.name, "the policy")
    close(again(data), before, "the output", 1e-6)
    equal([_dtype(v) for v in again.weights], [_dtype(v) for v in model.weights], "the weights' dtypes")


@each(layer=LAYERS, mode=["int8", "float8"])
def quantized_weights_file_loads(layer, mode):
    """{layer} in {mode} reads the weights that another one in {mode} wrote"""
    made, data = _quantized(layer, mode)
    model = keras.Sequential([keras.Input(batch_shape=data.shape, dtype=str(data.dtype)), made])
    model.save_weights("m.weights.h5")
    other = keras.Sequential.from_config(model.get_config())
    other.load_weights("m.weights.h5")
    close(other(data), array(model(data)), "the output", 1e-6)


@each(layer=LAYERS, mode=["int8", "float8"])
def layers_are_made_quantized(layer, mode):
    """{layer} made with dtype {mode}_from_float32 has such weights and calls"""
    need("keras.layers.Layer.quantization_mode")
    need("keras.dtype_policies.get")
    try:
        made, data = _made(layer, mode + "_from_float32")
    except NotImplementedError as error:
        raise Lacking("this layer is not quantized to %s" % mode) from error
    equal(made.quantization_mode, mode, "quantization_mode")
    if mode == "int8":
        true("int8" in [_dtype(v) for v in made.weights], "a weight is int8")
    equal(_dtype(made(data)), "float32", "the output's dtype")


@each(layer=LAYERS, mode=["int8", "float8"])
def setting_a_quantized_policy_quantizes(layer, mode):
    """{layer} is quantized when dtype_policy is set to one of {mode}"""
    need("keras.layers.Layer.quantization_mode")
    need("keras.dtype_policies.get")
    made, data = _made(layer)
    before = array(made(data))
    try:
        made.dtype_policy = mode + "_from_float32"
    except NotImplementedError as error:
        raise Lacking("this layer is not quantized to %s" % mode) from error
    equal(made.quantization_mode, mode, "quantization_mode")
    if mode == "int8":
        true("int8" in [_dtype(v) for v in made.weights], "a weight is int8")
    close(made(data), before, "the output", BOUNDS[mode])


@each(mode=["gptq/4/-1", "awq/4/-1"])
def policies_that_need_data_are_not_set(mode):
    """Setting dtype_policy to {mode} on a built layer is refused"""
    need("keras.dtype_policies.%sDTypePolicy" % mode[: mode.index("/")].upper())
    made, _ = _made("Dense(4) 2x8")
    refuses(lambda: setattr(made, "dtype_policy", mode + "_from_float32"), mode)


@each(layer=LAYERS, policy=["mixed_bfloat16", "bfloat16", "float16", "mixed_float16"])
def half_layers_are_quantized(layer, policy):
    """{layer} of dtype {policy} is quantized to int8, or refused"""
    made, data = _made(layer, policy)
    before = array(made(data)).astype("float32")
    if policy.endswith("float16") and not policy.endswith("bfloat16"):
        refuses(lambda: made.quantize("int8"), "int8 in float16")
        equal(made.dtype_policy.name, policy, "the policy")
        close(array(made(data)).astype("float32"), before, "the output", 0.0)
        return
    _quantize(made, "int8")
    after = made(data)
    equal(_dtype(after), "bfloat16", "the output's dtype")
    close(array(after).astype("float32"), before, "the output", 0.05)


@each(layer=[text for text in LAYERS if " i" not in text])
def gradients_pass_a_quantized_layer(layer):
    """A layer before {layer} in int8 is trained as before one in float32"""
    _, data = _made(layer)
    exact, _ = _made(layer)
    made, _ = _quantized(layer, "int8")

    def trained(last):
        first = keras.layers.Dense(data.shape[-1], use_bias=False)
        model = keras.Sequential([keras.Input(batch_shape=data.shape), first, last])
        first.set_weights([np.eye(data.shape[-1])])
        model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=keras.backend.backend() != "jax")
        model.train_on_batch(data, np.zeros(last(data).shape, "float32"))
        return np.eye(data.shape[-1]) - first.get_weights()[0]

    close(trained(made), trained(exact), "the step", 0.1)


@each(mode=MODES, kind=["sequential", "functional", "nested", "subclass"])
def models_are_quantized(mode, kind):
    """model.quantize("{mode}") of a {kind} model quantizes its layers"""
    need("keras.layers.Layer.quantization_mode")
    model, data = _model(kind)
    before = array(model(data))
    _quantize(model, mode)
    found = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense)]
    equal([layer.quantization_mode for layer in found], [mode, mode], "modes of the dense layers")
    close(model(data), before, "the output", 2 * BOUNDS[mode])


def _model(kind):
    need("keras.Model.quantize")
    inner = [keras.layers.Dense(6, activation="relu"), keras.layers.LayerNormalization(), keras.layers.Dense(2)]
    data = numbers(4, 8)
    if kind == "sequential":
        model = keras.Sequential([keras.Input((8,)), *inner])
    elif kind == "nested":
        model = keras.Sequential([keras.Input((8,)), keras.Sequential([keras.Input((8,)), *inner[:2]]), inner[2]])
    elif kind == "functional":
        x = keras.Input((8,))
        model = keras.Model(x, inner[2](inner[1](inner[0](x))))
    else:

        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.parts = inner

            def call(self, x):
                for part in self.parts:
                    x = part(x)
                return x

        model = Own()
        model(data)
    return model, data


def predict_notices_quantization():
    """predict() after quantize computes with the quantized weights"""
    model, data = _model("sequential")
    model.predict(data, verbose=0)
    model.quantize("int8")
    close(model.predict(data, verbose=0), array(model(data)), "what predict returns", 1e-5)


def evaluate_notices_quantization():
    """A compiled model that is quantized evaluates with the quantized weights"""
    model, data = _model("sequential")
    model.compile("sgd", "mse")
    zeros = np.zeros((4, 2), "float32")
    model.evaluate(data, zeros, verbose=0)
    model.quantize("int8")
    expected = float(np.mean(array(model(data)) ** 2))
    close(float(model.evaluate(data, zeros, verbose=0)), expected, "the loss")


@each(mode=["int3", "int16", ""])
def models_refuse_other_modes(mode):
    """model.quantize("{mode}") is refused and changes nothing"""
    model, data = _model("sequential")
    before = array(model(data))
    refuses(lambda: model.quantize(mode), mode)
    equal([layer.dtype_policy.name for layer in model.layers], ["float32"] * 3, "policies")
    equal(array(model(data)), before, "the output")


def models_refuse_unknown_arguments():
    """model.quantize("int8", unheard_of=1) is refused"""
    model, _ = _model("sequential")
    refuses(lambda: model.quantize("int8", unheard_of=1), "an unknown argument")


@each(form=["text", "list", "function"])
def filters_choose_layers(form):
    """model.quantize(filters={form}) quantizes the layers that match"""
    need("keras.Model.quantize(filters)")
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(6, name="first"), keras.layers.Dense(2, name="last")]
    )
    filters = {"text": "^first$", "list": ["^fir", "nothing"], "function": lambda layer: layer.name == "first"}[form]
    model.quantize("int8", filters=filters)
    equal([layer.quantization_mode for layer in model.layers], ["int8", None], "modes")


def filters_of_another_type_are_refused():
    """model.quantize(filters=1) is refused"""
    need("keras.Model.quantize(filters)")
    model, _ = _model("sequential")
    refuses(lambda: model.quantize("int8", filters=1), "filters=1")


@each(name=["Int8QuantizationConfig", "Int4QuantizationConfig", "Float8QuantizationConfig"])
def quantization_configs_come_back(name):
    """{name} comes back from its configuration"""
    made = need("keras.quantizers." + name)()
    again = made.__class__.from_config(made.get_config())
    equal(again.mode, made.mode, "mode")
    equal(again.get_config(), made.get_config(), "the configuration")


@each(name=["Int8QuantizationConfig", "Int4QuantizationConfig", "Float8QuantizationConfig"])
def configs_quantize_models(name):
    """model.quantize(config={name}()) quantizes to its mode, and survives saving"""
    config = need("keras.quantizers." + name)()
    model, data = _model("sequential")
    before = array(model(data))
    model.quantize(config=config)
    equal(model.layers[0].quantization_mode, config.mode, "the mode")
    after = array(model(data))
    close(after, before, "the output", 2 * BOUNDS[config.mode])
    model.save("m.keras")
    close(keras.models.load_model("m.keras")(data), after, "the output after saving", 1e-6)


@each(size=["-1", "4", "3", "None"])
def int4_blocks(size):
    """Int4QuantizationConfig(block_size={size}) quantizes within bounds"""
    need("keras.quantizers.Int4QuantizationConfig(block_size)")
    config = keras.quantizers.Int4QuantizationConfig(block_size=None if size == "None" else int(size))
    model, data = _model("sequential")
    before = array(model(data))
    model.quantize(config=config)
    after = array(model(data))
    close(after, before, "the output", 2 * BOUNDS["int4"])
    model.save("m.keras")
    close(keras.models.load_model("m.keras")(data), after, "the output after saving", 1e-6)


def weight_only_quantization_is_possible():
    """Int8QuantizationConfig(activation_quantizer=None) leaves activations as they are"""
    need("keras.quantizers.Int8QuantizationConfig")
    layer, data = _made("Dense(4) 2x8")
    before = array(layer(data))
    layer.quantize(config=keras.quantizers.Int8QuantizationConfig(activation_quantizer=None))
    close(layer(data), before, "the output", 0.01)
    model = keras.Sequential([keras.Input((8,)), layer])
    model.save("m.keras")
    close(keras.models.load_model("m.keras")(data), array(layer(data)), "the output after saving", 1e-6)


@each(mode=["int8", "int4"])
def contradictory_modes_are_refused(mode):
    """quantize(mode, config of another mode) is refused"""
    need("keras.quantizers.Int8QuantizationConfig")
    config = keras.quantizers.Float8QuantizationConfig()
    layer, _ = _made("Dense(4) 2x8")
    refuses(lambda: layer.quantize(mode, config=config), "a mode and another config")


def subclasses_are_not_quantized_unasked():
    """model.quantize leaves a subclass of Dense alone"""

    class Own(keras.layers.Dense):
        pass

    need("keras.Model.quantize")
    model = keras.Sequential([keras.Input((8,)), Own(4)])
    model.quantize("int8")
    equal(model.layers[0].dtype_policy.name, "float32", "its policy")


def type_check_can_be_switched_off():
    """quantize(type_check=False) quantizes a subclass of Dense"""
    need("keras.layers.Layer.quantization_mode")

    class Own(keras.layers.Dense):
        pass

    need("keras.layers.Dense.quantize(type_check)")
    layer = Own(4)
    layer.build((None, 8))
    layer.quantize("int8", type_check=False)
    equal(layer.quantization_mode, "int8", "its mode")


@each(mode=["int8", "float8"])
def multi_head_attention_is_quantized(mode):
    """A model with MultiHeadAttention in {mode} is close to the one in float32"""
    need("keras.Model.quantize")
    x = keras.Input((3, 8))
    model = given(keras.Model(x, keras.layers.MultiHeadAttention(2, 4)(x, x)))
    before = array(model(numbers(2, 3, 8)))
    _quantize(model, mode)
    close(model(numbers(2, 3, 8)), before, "the output", 0.1)


@each(tied=[True, False], mode=["int8", "int4"])
def reverse_embedding_is_quantized(tied, mode):
    """ReversibleEmbedding(tie_weights={tied}) in {mode} projects back within bounds"""
    need("keras.layers.ReversibleEmbedding")
    layer = keras.layers.ReversibleEmbedding(6, 8, tie_weights=tied)
    layer(np.array([[1, 2]]))
    given(layer)
    before = array(layer(numbers(2, 3, 8), reverse=True))
    _quantize(layer, mode)
    close(layer(numbers(2, 3, 8), reverse=True), before, "the logits", BOUNDS[mode])
    equal(tuple(layer(np.array([[1, 2]])).shape), (1, 2, 8), "the shape of an embedding")


@each(options=["plain", "gradient_accumulation_steps", "loss scaling", "clipnorm", "use_ema"])
def float8_training_follows_float32(options):
    """A float8 Dense, trained with {options}, moves as a float32 one within bounds"""
    need("keras.dtype_policies.QuantizedFloat8DTypePolicy")

    def trained(dtype):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, dtype=dtype)])
        model.layers[0]._kernel.assign(np.linspace(0.1, 0.8, 8).reshape(4, 2))
        if options == "gradient_accumulation_steps":
            need("keras.optimizers.SGD(gradient_accumulation_steps)")
        extra = {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "use_ema": True}
        optimizer = keras.optimizers.SGD(0.1, **({options: extra[options]} if options in extra else {}))
        if options == "loss scaling":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
        model.compile(optimizer, "mse")
        model.fit(numbers(16, 4), numbers(16, 2, seed=1), batch_size=4, shuffle=False, verbose=0)
        return array(model.layers[0]._kernel)

    close(trained("float8_from_float32"), trained("float32"), "the kernel", 0.1)


def float8_training_learns_its_scales():
    """Training a float8 layer fills the histories of its largest values"""
    need("keras.dtype_policies.QuantizedFloat8DTypePolicy")
    layer = keras.layers.Dense(2, dtype="float8_from_float32")
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    data = numbers(4, 4)
    model.fit(data, numbers(4, 2, seed=1), batch_size=4, epochs=2, verbose=0)
    close(float(array(layer.inputs_amax_history).max()), float(np.abs(data).max()), "the largest input", 1e-4)
    true(float(array(layer.outputs_grad_amax_history).max()) > 0.0, "a largest gradient is known")


@each(length=[1, 3])
def float8_history_length_is_kept(length):
    """amax_history_length={length} makes histories of that length"""
    made = need("keras.dtype_policies.QuantizedFloat8DTypePolicy")
    layer = keras.layers.Dense(2, dtype=made("float8", "float32", amax_history_length=length))
    layer.build((None, 4))
    equal(tuple(layer.inputs_amax_history.shape), (length,), "the history's shape")
    again = keras.layers.Dense.from_config(layer.get_config())
    equal(again.dtype_policy.amax_history_length, length, "the length after from_config")


@each(axis=["-1", "0", "(0, 1)", "1"])
def abs_max_quantizer_keeps_its_range(axis):
    """AbsMaxQuantizer along {axis} is right within half a step"""
    made = need("keras.quantizers.AbsMaxQuantizer")(axis=eval(axis))  # noqa: S307 - written above
    data = 3.0 * numbers(4, 6)
    whole, scale = made(data)
    equal(_dtype(whole), "int8", "the dtype")
    whole, scale = array(whole).astype("float64"), array(scale).astype("float64")
    equal(float(np.abs(whole).max()), 127.0, "the largest")
    true(bool((np.abs(whole / scale - data) <= 0.51 / scale).all()), "it comes back within half a step")


def abs_max_quantizer_takes_zeros():
    """AbsMaxQuantizer of zeros gives zeros"""
    whole, scale = need("keras.quantizers.AbsMaxQuantizer")(axis=-1)(np.zeros((2, 3), "float32"))
    equal(array(whole).astype("float64"), np.zeros((2, 3)), "the numbers")
    true(bool(np.isfinite(array(scale)).all()), "the scale is finite")


def abs_max_quantizer_comes_back():
    """AbsMaxQuantizer comes back from its configuration"""
    made = need("keras.quantizers.AbsMaxQuantizer")(axis=1, value_range=(-8, 7), output_dtype="int8")
    again = keras.quantizers.deserialize(keras.quantizers.serialize(made))
    equal(again.get_config(), made.get_config(), "the configuration")


@each(wanted=["(-129, 127)", "(-128, 128)"])
def abs_max_quantizer_refuses(wanted):
    """AbsMaxQuantizer(value_range={wanted}) is refused for int8"""
    made = need("keras.quantizers.AbsMaxQuantizer")
    refuses(lambda: made(axis=0, value_range=eval(wanted)), wanted)  # noqa: S307 - written above


@each(axis=[0, 1, -1], length=[4, 5])
def int4_is_packed_and_unpacked(axis, length):
    """unpack_int4 reverses pack_int4 along axis {axis} of {length} rows"""
    need("keras.quantizers.pack_int4")
    data = (np.arange(length * length).reshape(length, length) * 7 % 16 - 8).astype("int8")
    packed, _, _ = keras.quantizers.pack_int4(keras.ops.convert_to_tensor(data), axis=axis)
    equal(int(packed.shape[axis]), (length + 1) // 2, "the packed length")
    equal(array(keras.quantizers.unpack_int4(packed, length, axis=axis)), data, "what is unpacked")


@each(bits=[4, 8], narrow=[True, False])
def fake_quantization_rounds_to_its_grid(bits, narrow):
    """fake_quant_with_min_max_vars with {bits} bits rounds to its grid"""
    need("keras.quantizers.fake_quant_with_min_max_vars")
    low, high = -1.0, 1.0
    out = keras.quantizers.fake_quant_with_min_max_vars(numbers(5, 5), low, high, num_bits=bits, narrow_range=narrow)
    steps = 2**bits - 1 - narrow
    found = array(out).astype("float64")
    true(bool((np.abs(found) <= 1.0 + 2.0 / steps).all()), "the results are within the bounds")
    inside = np.abs(numbers(5, 5)) < 0.9
    true(bool((np.abs(found - numbers(5, 5))[inside] <= 1.01 / steps).all()), "each is within half a step")


class Words:
    """Cuts texts into numbers of letters."""

    def tokenize(self, text):
        return np.array([ord(letter) % 7 for letter in text])


def _calibrated(mode):
    """Returns a model quantized with data, its output before, and an input."""
    made = need("keras.quantizers.%sConfig" % mode.upper())
    need("keras.quantizers.%sConfig(quantization_layer_structure)" % mode.upper())
    inner = keras.Sequential([keras.Input((4, 8)), keras.layers.Dense(8)], name="block")
    first = keras.layers.Embedding(7, 8)
    model = given(keras.Sequential([keras.Input((4,), dtype="int32"), first, inner]))
    data = np.array([[0, 1, 2, 3], [4, 5, 6, 0]], "int32")
    before = array(model(data))
    config = made(
        dataset=["a few words to count", "and more of them"],
        tokenizer=Words(),
        num_samples=4,
        sequence_length=4,
        group_size=-1,
        quantization_layer_structure={"pre_block_layers": [first], "sequential_blocks": [inner]},
    )
    model.quantize(mode, config=config)
    equal(inner.layers[-1].quantization_mode, mode, "the mode of the layer inside")
    return model, before, data


@each(mode=["gptq", "awq"])
def calibrated_quantization_is_close(mode):
    """model.quantize("{mode}") with calibration data stays within 4 bits of its output"""
    model, before, data = _calibrated(mode)
    close(model(data), before, "the output", 0.3)


@each(mode=["gptq", "awq"])
def calibrated_models_are_saved(mode):
    """A model quantized with {mode} is saved and loaded, and computes the same"""
    model, _, data = _calibrated(mode)
    model.save("m.keras")
    close(keras.models.load_model("m.keras")(data), array(model(data)), "the output after saving", 1e-5)


@each(mode=["gptq", "awq"])
def calibrated_quantization_needs_a_config(mode):
    """model.quantize("{mode}") without a configuration is refused"""
    need("keras.quantizers.%sConfig" % mode.upper())
    model, _ = _model("sequential")
    refuses(lambda: model.quantize(mode), "no configuration")
    equal(model.layers[0].dtype_policy.name, "float32", "the policy of a layer")


WRONG = ["weight_bits=5", "num_samples=0", "sequence_length=0", "group_size=0", "hessian_damping=1.5"]


@each(wrong=WRONG)
def gptq_config_refuses(wrong):
    """GPTQConfig({wrong}) is refused"""
    need("keras.quantizers.GPTQConfig(%s)" % wrong.partition("=")[0])
    options = eval("dict(%s)" % wrong)  # noqa: S307 - written above
    refuses(lambda: keras.quantizers.GPTQConfig(dataset=["a"], tokenizer=Words(), **options), wrong)


@each(amax=[0.0, 3.5, "inf"])
def float8_scale_follows_the_largest_value(amax):
    """quantizers.compute_float8_scale of the largest value {amax} follows its formula"""
    compute = need("keras.quantizers.compute_float8_scale")
    value = float(amax)
    found = array(compute(keras.ops.array([value]), keras.ops.array([2.0]), 448.0))
    close(found, [value / 448.0 if 0 < value < float("inf") else 2.0], "the scale")


def float8_history_rolls_on():
    """quantizers.compute_float8_amax_history puts the largest value first"""
    compute = need("keras.quantizers.compute_float8_amax_history")
    found = array(compute(keras.ops.array([-5.0, 2.0]), keras.ops.array([1.0, 3.0, 4.0])))
    equal(found[0], np.float32(5.0), "the newest entry")
    equal(len(found), 3, "the number of entries")


@each(kind=["float8_e4m3fn", "float8_e5m2"])
def float8_rounds_within_its_format(kind):
    """quantizers.quantize_and_dequantize to {kind} is within its rounding"""
    go = need("keras.quantizers.quantize_and_dequantize")
    x = numbers(3, 5)
    found = array(go(keras.ops.array(x), keras.ops.array([1.0]), kind, "float32"))
    bits = 3 if "e4m3" in kind else 2
    small = 2.0**-6 if "e4m3" in kind else 2.0**-14
    bound = 2.0 ** -(bits + 1) * np.maximum(np.abs(x), small)
    true((np.abs(found - x) <= bound * 1.0001).all(), "every value is within half a unit, the worst is off by %s"
         % np.max(np.abs(found - x) / bound))  # fmt: skip


@each(block=[2, 3, 8])
def grouped_quantization_is_close(block):
    """abs_max_quantize_grouped_with_zero_point(block_size={block}) is within a step"""
    go = need("keras.quantizers.abs_max_quantize_grouped_with_zero_point")
    x = 0.3 + numbers(8, 3)
    values, scale, zero = (array(part).astype("float64") for part in go(x, block_size=block))
    groups = -(-8 // block)
    equal([values.shape, scale.shape, zero.shape], [(8, 3), (groups, 3), (groups, 3)], "shapes")
    of_row = np.arange(8) // block
    zero = np.where(zero > 127, zero - 256, zero)
    found = (values - zero[of_row]) * scale[of_row]
    true((np.abs(found - x) <= scale[of_row] * 1.01).all(), "every value is within a step of its group")


@each(kind=["int8", "int4"])
def quantization_settings_come_back(kind):
    """quantizers.QuantizationConfig for {kind} comes back from its configuration"""
    name = {"int8": "Int8QuantizationConfig", "int4": "Int4QuantizationConfig"}[kind]
    made = need("keras.quantizers." + name)()
    found = type(made).from_config(made.get_config())
    equal(found.get_config(), made.get_config(), "the configuration")
    equal(made.mode, kind, "the mode")
