"""Quantized layers, low-rank additions, and layers with a state that was learnt."""

from __future__ import annotations

import json

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, refuses, true

LAYERS = {
    "Dense": lambda: (keras.layers.Dense(6, activation="relu"), (8,)),
    "EinsumDense": lambda: (keras.layers.EinsumDense("ab,bc->ac", 6, bias_axes="c"), (8,)),
    "Embedding": lambda: (keras.layers.Embedding(8, 6), (3,)),
    "ReversibleEmbedding": lambda: (keras.layers.ReversibleEmbedding(8, 6), (3,)),
}


def _quantized(layer, mode):
    """Returns a quantized model of one layer, and its inputs."""
    need("keras.Model.quantize")
    need("keras.layers." + layer)
    made, shape = LAYERS[layer]()
    words = "Embedding" in layer
    model = given(keras.Sequential([keras.Input(shape, dtype="int32" if words else "float32"), made]))
    try:
        model.quantize(mode)
    except (ValueError, NotImplementedError) as error:
        if "nvalid quantization mode" in str(error) or "Expected one of" in str(error):
            need("keras.quantizers." + mode)
        raise
    return model, np.array([[1, 2, 0], [3, 7, 1]], "int32") if words else numbers(2, *shape)


_PAIRS = [
    layer + " " + mode
    for layer in LAYERS
    for mode in ("int8", "int4", "float8")
    if layer[-9:] != "Embedding" or mode != "float8"
]


@each(what=_PAIRS, form=["keras", "weights.h5"])
def quantized_layer_is_saved(what, form):
    """a quantized layer gives the same output once loaded: {what}, .{form}"""
    model, data = _quantized(*what.split(" "))
    expected = array(model(data))
    if form == "keras":
        model.save("it.keras")
        loaded = keras.models.load_model("it.keras")
    else:
        model.save_weights("it.weights.h5")
        loaded, _ = _quantized(*what.split(" "))
        loaded.load_weights("it.weights.h5")
    equal(loaded.layers[-1].dtype_policy.name, model.layers[-1].dtype_policy.name, "the policy")
    equal(sorted(w.name for w in loaded.weights), sorted(w.name for w in model.weights), "names of the weights")
    close(loaded(data), expected)


@each(what=_PAIRS)
def quantized_layer_survives_config(what):
    """a quantized layer's policy survives get_config and JSON: {what}"""
    model, _ = _quantized(*what.split(" "))
    layer = model.layers[-1]
    kept = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    second = keras.saving.deserialize_keras_object(kept)
    equal(second.dtype_policy.name, layer.dtype_policy.name, "the policy")
    if hasattr(layer, "quantization_mode"):
        equal(second.quantization_mode, layer.quantization_mode, "the mode")
    equal(
        [tuple(w.shape) for w in second.weights if w.name == "kernel"],
        [tuple(w.shape) for w in layer.weights if w.name == "kernel"],
        "the kernel's shape",
    )


@each(layer=["Dense", "EinsumDense", "Embedding"], mode=["nonsense", "int3"])
def failed_quantization_changes_nothing(layer, mode):
    """quantize to an unknown mode is refused and leaves the layer: {layer}, {mode}"""
    need("keras.layers.Dense.quantize")
    made, shape = LAYERS[layer]()
    made.build((None, *shape))
    policy, count = made.dtype_policy.name, len(made.weights)
    refuses(lambda: made.quantize(mode), "quantize(%r)" % mode, (ValueError, TypeError, NotImplementedError))
    equal([made.dtype_policy.name, len(made.weights)], [policy, count], "policy and number of weights")


def several_quantized_layers_keep_their_policies():
    """a model with some quantized layers keeps each one's policy once loaded"""
    need("keras.layers.Dense.quantize")
    model = given(keras.Sequential([keras.Input((8,)), *(keras.layers.Dense(8) for _ in range(3))]))
    model.layers[1].quantize("int8")
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    equal([x.dtype_policy.name for x in loaded.layers], [x.dtype_policy.name for x in model.layers], "policies")
    close(loaded(numbers(2, 8)), model(numbers(2, 8)))


@each(layer=["Dense", "EinsumDense", "Embedding"], form=["keras", "weights.h5"])
def merged_lora_is_saved(layer, form):
    """a layer with LoRA gives the same output once loaded: {layer}, .{form}"""
    need("keras.layers.%s.enable_lora" % layer)
    made, shape = LAYERS[layer]()
    words = layer == "Embedding"
    model = given(keras.Sequential([keras.Input(shape, dtype="int32" if words else "float32"), made]))
    made.enable_lora(2)
    given(model, seed=9)
    data = np.array([[1, 2, 0], [3, 7, 1]], "int32") if words else numbers(2, *shape)
    expected = array(model(data))
    if form == "keras":
        model.save("it.keras")
        loaded = keras.models.load_model("it.keras")
        equal(loaded.layers[-1].lora_enabled, True, "lora_enabled")
    else:
        model.save_weights("it.weights.h5")
        loaded = given(
            keras.Sequential([keras.Input(shape, dtype="int32" if words else "float32"), LAYERS[layer]()[0]])
        )
        loaded.load_weights("it.weights.h5")
    close(loaded(data), expected)


def lora_can_be_trained_after_loading():
    """a loaded layer with LoRA trains the same weights"""
    need("keras.layers.Dense.enable_lora")
    model = given(keras.Sequential([keras.Input((8,)), keras.layers.Dense(6)]))
    model.layers[0].enable_lora(2)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    equal(len(loaded.trainable_weights), len(model.trainable_weights), "the number of trainable weights")


@each(layer=["Dense", "EinsumDense", "Embedding"])
def quantized_lora_is_saved(layer):
    """a quantized layer with LoRA gives the same output once loaded: {layer}"""
    need("keras.layers.%s.enable_lora" % layer)
    need("keras.Model.quantize")
    model, data = _quantized(layer, "int8")
    model.layers[-1].enable_lora(2)
    for weight in model.trainable_weights:
        if "lora" in weight.name:
            weight.assign(numbers(*weight.shape) * 0.1)
    expected = array(model(data))
    model.save("it.keras")
    # the additions are merged into whole numbers: half a step of 127, twice
    close(keras.models.load_model("it.keras")(data), expected, tolerance=2e-2)


_TABLES = {
    "StringLookup": (keras.layers.StringLookup, ["b", "a", "b", "c", "b", "a"]),
    "IntegerLookup": (keras.layers.IntegerLookup, [7, 9, 7, 5, 7, 9]),
    "TextVectorization": (keras.layers.TextVectorization, ["a b", "b c", "b a"]),
}


@each(layer=list(_TABLES), how=["adapt", "vocabulary", "set_vocabulary"], mode=["int", "tf_idf"])
def vocabulary_is_saved(layer, how, mode):
    """a vocabulary survives a .keras file: {layer}, by {how}, {mode}"""
    make, words = _TABLES[layer]
    table, data = sorted(set("abc" if layer != "IntegerLookup" else words)), np.array(words)
    weights = {"idf_weights": [0.5, 0.25, 0.75]} if mode == "tf_idf" else {}
    if how == "adapt":
        made = make(output_mode=mode)
        made.adapt(data)
    elif how == "vocabulary":
        made = make(output_mode=mode, vocabulary=table, **weights)
    else:
        made = make(output_mode=mode)
        made.set_vocabulary(table, **weights)
    expected = array(made(data))
    kind = "int64" if layer == "IntegerLookup" else "string"
    model = keras.Sequential([keras.Input((1,) if layer == "TextVectorization" else (2,), dtype=kind), made])
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras").layers[-1]
    equal(
        [str(word) for word in loaded.get_vocabulary()], [str(word) for word in made.get_vocabulary()], "the vocabulary"
    )
    close(loaded(data), expected)


@each(layer=list(_TABLES))
def vocabulary_survives_config(layer):
    """a vocabulary given to the constructor survives get_config: {layer}"""
    make, words = _TABLES[layer]
    table = sorted(set("abc" if layer != "IntegerLookup" else words))
    made = make(vocabulary=table)
    second = made.__class__.from_config(json.loads(json.dumps(keras.saving.serialize_keras_object(made)))["config"])
    equal(
        [str(word) for word in second.get_vocabulary()], [str(word) for word in made.get_vocabulary()], "the vocabulary"
    )


@each(
    layer=["StringLookup", "IntegerLookup"],
    arguments=["num_oov_indices=3", "invert=True", "mask_token=M, output_mode='int'", "max_tokens=9"],
)
def lookup_with_arguments_is_saved(layer, arguments):
    """a lookup gives the same once loaded: {layer}({arguments})"""
    words = layer == "StringLookup"
    text = arguments.replace("=M", "='m'" if words else "=-5")
    table = ["a", "b", "c"] if words else [5, 7, 9]
    made = eval("keras.layers.%s(vocabulary=table, %s)" % (layer, text), {"keras": keras, "table": table})
    inverted = "invert" in arguments
    if inverted and words:
        return  # its output is words, which not every backend has
    data = np.array([[1, 2]]) if inverted or not words else np.array([["a", "c"]])
    model = keras.Sequential([keras.Input((2,), dtype="string" if words and not inverted else "int64"), made])
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras").layers[-1]
    equal([str(x) for x in np.ravel(np.asarray(loaded(data)))], [str(x) for x in np.ravel(np.asarray(made(data)))])


@each(axis=["-1", "None", "(1, 2)", "1"], form=["keras", "weights.h5", "json", "h5"])
def statistics_are_saved(axis, form):
    """Normalization's statistics survive: axis={axis}, {form}"""
    made = keras.layers.Normalization(axis=eval(axis))
    made.adapt(numbers(20, 3, 4, seed=3) * 3 + 1)
    model, data = keras.Sequential([keras.Input((3, 4)), made]), numbers(2, 3, 4)
    expected = array(model(data))
    if form == "json":
        loaded = keras.models.model_from_json(model.to_json())
        loaded.set_weights(model.get_weights())
        if hasattr(loaded.layers[-1], "finalize_state"):
            loaded.layers[-1].finalize_state()
    elif form == "weights.h5":
        model.save_weights("it.weights.h5")
        loaded = keras.Sequential([keras.Input((3, 4)), keras.layers.Normalization(axis=eval(axis))])
        loaded.load_weights("it.weights.h5")
    else:
        model.save("it." + form)
        loaded = keras.models.load_model("it." + form)
    close(loaded(data), expected)


@each(form=["keras", "json", "config"], mode=["int", "one_hot", "multi_hot", "count"])
def bins_are_saved(form, mode):
    """Discretization's bins survive: {form}, {mode}"""
    made = keras.layers.Discretization(num_bins=4, output_mode=mode)
    made.adapt(numbers(40, 1, seed=3))
    model, data = keras.Sequential([keras.Input((1,)), made]), numbers(5, 1)
    expected = array(made(data))
    if form == "keras":
        model.save("it.keras")
        loaded = keras.models.load_model("it.keras").layers[-1]
    elif form == "json":
        loaded = keras.models.model_from_json(model.to_json()).layers[-1]
    else:
        loaded = keras.layers.Discretization.from_config(made.get_config())
    close(loaded(data), expected)
    true(loaded.bin_boundaries is not None and len(loaded.bin_boundaries) == 3, "there are three boundaries")


def feature_space_is_saved():
    """a FeatureSpace that was adapted gives the same once loaded"""
    space = need("keras.utils.FeatureSpace")
    tensorflow = need("tensorflow")
    made = space(
        {
            "a": space.float_normalized(),
            "b": space.integer_categorical(num_oov_indices=1),
            "c": space.string_categorical(),
        },
        output_mode="concat",
    )
    table = {"a": [1.0, 2.0, 3.0, 6.0], "b": [1, 2, 2, 3], "c": ["x", "y", "x", "z"]}
    made.adapt(tensorflow.data.Dataset.from_tensor_slices(table))
    data = {"a": [2.0], "b": [2], "c": ["y"]}
    expected = array(made(data))
    made.save("it.keras")
    close(keras.models.load_model("it.keras")(data), expected)
