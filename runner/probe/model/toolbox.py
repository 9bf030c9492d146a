"""Public functions around a model: trees, settings, applications, distillation."""

from __future__ import annotations

import json

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, refuses, true

NESTED = [(1, 2), [3], {"a": 4}]


@each(top_down=[1, 0])
def traverse_visits_every_part(top_down):
    """tree.traverse(top_down={top_down}) visits parents and leaves in order"""
    seen = []
    result = need("keras.tree.traverse")(seen.append, NESTED, top_down=bool(top_down))
    down = [NESTED, (1, 2), 1, 2, [3], 3, {"a": 4}, 4]
    up = [1, 2, (1, 2), 3, [3], 4, {"a": 4}, NESTED]
    equal(result, NESTED)
    equal([str(part) for part in seen], [str(part) for part in (down if top_down else up)], "parts in order")


def traverse_replaces_parts():
    """tree.traverse puts what the function returns in place of a part"""
    traverse, nothing = need("keras.tree.traverse"), need("keras.tree.MAP_TO_NONE")
    equal(traverse(lambda part: "x" if isinstance(part, tuple) else None, NESTED), ["x", [3], {"a": 4}])
    found = traverse(lambda part: nothing if part == 3 else None, NESTED)
    equal(found[1], [None], "the part that becomes None")


@each(which=["flat", "deeper"])
def map_structure_up_to_keeps_what_is_below(which):
    """tree.map_structure_up_to maps down to a shallow structure: {which}"""
    mapped = need("keras.tree.map_structure_up_to")
    if which == "flat":
        equal(mapped([None, None], len, [[1, 1], [2, 2, 2]]), [2, 3])
    else:
        equal(mapped([None, [None, None]], str, [[1, 1], [2, 2]]), ["[1, 1]", ["2", "2"]])


@each(a=["[0, 1]", "{'a': 1, 'b': 2}", "[0, [1, 2]]"], b=["(2, 3)", "{'b': 2, 'a': 1}", "[0, 1]", "(0, (1, 2))"])
def same_paths_are_told_from_others(a, b):
    """tree.assert_same_paths({a}, {b}) looks at paths alone"""
    check = need("keras.tree.assert_same_paths")
    one, other = eval(a), eval(b)  # noqa: S307 - texts of this module

    def paths(value, at=()):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {
            path
            for key, item in items
            for path in (paths(item, (*at, key)) if isinstance(item, (dict, list, tuple)) else {(*at, key)})
        }

    if paths(one) == paths(other):
        check(one, other)
    else:
        refuses(lambda: check(one, other), "other paths")


def lists_become_tuples():
    """tree.lists_to_tuples changes lists and nothing else"""
    equal(str(need("keras.tree.lists_to_tuples")([1, (2, [3]), {"a": [4]}])), str((1, (2, (3,)), {"a": (4,)})))


def shapes_are_mapped_as_wholes():
    """tree.map_shape_structure takes a shape as a leaf"""
    mapped = need("keras.tree.map_shape_structure")
    equal(mapped(len, {"a": (None, 3), "b": [(1, 2, 3), (4,)]}), {"a": 2, "b": [3, 1]})


@each(structure=["None", "()", "[]", "{}", "[[], {'a': ()}]", "{'b': 1, 'a': [2, None]}"])
def flatten_and_pack_are_inverse(structure):
    """tree.pack_sequence_as of tree.flatten gives {structure} back"""
    flatten, pack = need("keras.tree.flatten"), need("keras.tree.pack_sequence_as")
    value = eval(structure)  # noqa: S307 - a text of this module
    found = pack(value, flatten(value))
    equal(found, value)
    equal(type(found), type(value), "its type")


def paths_of_flatten_lead_to_the_leaves():
    """tree.flatten_with_path gives a path to every leaf, dicts in sorted order"""
    found = need("keras.tree.flatten_with_path")({"b": [1, 2], "a": (3,)})
    equal([(list(path), leaf) for path, leaf in found], [(["a", 0], 3), (["b", 0], 1), (["b", 1], 2)])


def config_is_a_dict_with_attributes():
    """utils.Config has items as attributes, and as JSON"""
    config = need("keras.utils.Config")(rate=0.1, name="a")
    config.more = [1, 2]
    config["less"] = 3
    equal((config.rate, config["more"], config.less), (0.1, [1, 2], 3))
    equal(json.loads(config.to_json()), {"rate": 0.1, "name": "a", "more": [1, 2], "less": 3}, "as JSON")
    equal(config.as_dict(), {"rate": 0.1, "name": "a", "more": [1, 2], "less": 3}, "as dict")
    equal(config.get("missing", 7), 7, "what is missing")
    equal(len(config), 4, "length")


@each(change=["config.rate = 2", "config['rate'] = 2", "config.update({'rate': 2})", "config.pop('rate')",
              "del config['rate']", "del config.rate"])  # fmt: skip
def frozen_config_refuses_changes(change):
    """utils.Config refuses after freeze(): {change}"""
    config = need("keras.utils.Config")(rate=1)
    config.freeze()
    true(config.frozen, "it is frozen")
    try:
        exec(change, {"config": config})  # noqa: S102 - a text of this module
    except Exception:
        equal(config.rate, 1, "the value")
        config.unfreeze()
        config.rate = 3
        equal(config.rate, 3, "the value after unfreeze")
        return
    equal(config.as_dict(), {"rate": 1}, "a frozen configuration")


@each(name=["max_epochs", "max_steps_per_epoch"], limit=[1, 2])
def limits_hold_in_fit(name, limit):
    """config.set_{name}({limit}) cuts fit short"""
    set_, get = need("keras.config.set_" + name), need("keras.config." + name)
    equal(get(), None, "the limit before")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    steps = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    try:
        set_(limit)
        equal(get(), limit, "the limit")
        history = model.fit(
            numbers(12, 3), numbers(12, 1, seed=1), batch_size=2, epochs=3, verbose=0, callbacks=[count]
        )
    finally:
        set_(None)
    epochs, batches = (limit, 6) if name == "max_epochs" else (3, limit)
    equal(len(history.epoch), epochs, "epochs")
    equal(len(steps), epochs * batches, "batches")


def traceback_filtering_can_be_switched():
    """config.disable_traceback_filtering and enable_... are read back"""
    is_on = need("keras.config.is_traceback_filtering_enabled")
    before = is_on()
    try:
        keras.config.disable_traceback_filtering()
        equal(is_on(), False, "switched off")
        keras.config.enable_traceback_filtering()
        equal(is_on(), True, "switched on")
    finally:
        (keras.config.enable_traceback_filtering if before else keras.config.disable_traceback_filtering)()


def flash_attention_can_be_switched():
    """config.disable_flash_attention and enable_... are read back, and attention runs"""
    is_on = need("keras.config.is_flash_attention_enabled")
    need("keras.config.disable_flash_attention")
    x = numbers(2, 3, 4)
    layer = given(_built(keras.layers.MultiHeadAttention(2, 2), x))
    before, results = is_on(), []
    try:
        keras.config.disable_flash_attention()
        equal(is_on(), False, "switched off")
        results.append(array(layer(x, x)))
        keras.config.enable_flash_attention()
        true(is_on() in (True, None), "switched on, it is %s" % is_on())
    finally:
        {True: keras.config.enable_flash_attention, False: keras.config.disable_flash_attention}.get(
            before, lambda: None
        )()
    close(array(layer(x, x)), results[0], "the output")


def _built(layer, x):
    layer(x, x)
    return layer


def own_operation_runs_and_promises():
    """A subclass of keras.Operation computes arrays and promises shapes"""

    class Doubled(need("keras.Operation")):
        def call(self, x):
            return 2.0 * x

        def compute_output_spec(self, x):
            return keras.KerasTensor(x.shape, x.dtype)

    close(Doubled()(keras.ops.ones((2, 3))), np.full((2, 3), 2.0, "float32"))
    inputs = keras.Input((3,))
    outputs = Doubled(name="twice")(inputs)
    equal(tuple(outputs.shape), (None, 3), "the promised shape")
    close(keras.Model(inputs, outputs)(numbers(2, 3)), 2 * numbers(2, 3), "in a model")


def source_inputs_are_found():
    """utils.get_source_inputs of an output gives the inputs that it depends on"""
    find = need("keras.utils.get_source_inputs")
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    both = keras.layers.Add()([keras.layers.Dense(3)(a), b])
    equal(sorted(t.name for t in find(both)), ["a", "b"], "of both")
    equal([t.name for t in find(keras.layers.Dense(2)(a))], ["a"], "of one")


def names_of_the_backend_count_up():
    """backend.get_uid counts every prefix by itself"""
    uid = need("keras.backend.get_uid")
    keras.utils.clear_session()
    equal([uid("a"), uid("a"), uid("b"), uid("a")], [1, 2, 1, 3])


@each(dtype=["float32", "bfloat16", "float64", "int8", "uint16", "bool"])
def kinds_of_types_are_told(dtype):
    """backend.is_float_dtype and is_int_dtype of {dtype}"""
    is_float, is_int = need("keras.backend.is_float_dtype"), need("keras.backend.is_int_dtype")
    equal(bool(is_float(dtype)), dtype.startswith(("float", "bfloat")), "float")
    equal(bool(is_int(dtype)), dtype.startswith(("int", "uint")), "int")


APPLICATIONS = {"MobileNetV2": 1280, "MobileNetV3Small": 576, "ResNet50": 2048, "VGG16": 512, "ConvNeXtTiny": 768}


@each(name=list(APPLICATIONS))
def application_has_its_features(name):
    """applications.{name}(include_top=False, pooling=avg) promises its features"""
    made = need("keras.applications." + name)(include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg")
    equal(tuple(made.output_shape), (None, APPLICATIONS[name]))


@each(arguments=["weights='nonsense'", "weights='imagenet', classes=7", "include_top=True, input_shape=(8, 8, 3)",
                 "include_top=False, input_shape=(8, 8, 3)"])  # fmt: skip
def application_refuses(arguments):
    """applications.MobileNetV2({arguments}) is refused"""
    make = need("keras.applications.MobileNetV2")
    arguments = arguments if "weights" in arguments else arguments + ", weights=None"
    refuses(lambda: eval("make(%s)" % arguments, {"make": make}), arguments)  # noqa: S307 - a text of this module


def application_takes_a_tensor_and_classes():
    """applications.MobileNetV2(input_tensor=, classes=5) builds on it"""
    x = keras.Input((32, 32, 3), name="mine")
    made = need("keras.applications.MobileNetV2")(
        input_tensor=keras.layers.Rescaling(1.0)(x), weights=None, classes=5, classifier_activation=None, alpha=0.35
    )
    equal(made.inputs[0].name, "mine", "the input")
    equal(tuple(made.output_shape), (None, 5), "the output")


def _distilled(loss, **options):
    """Returns a compiled distiller with its teacher and student."""
    distiller = need("keras.distillation.Distiller")
    teacher, student = (
        given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(width, name="h"), keras.layers.Dense(2)]), seed)
        for width, seed in ((4, 10), (3, 20))
    )
    made = distiller(teacher, student, loss, **options)
    made.compile(keras.optimizers.SGD(0.1), "mse")
    return made, teacher, student


def distillation_trains_the_student_alone():
    """distillation.Distiller trains the student, and leaves the teacher as it is"""
    loss = need("keras.distillation.LogitsDistillation")(temperature=2.0)
    made, teacher, student = _distilled(loss)
    before = [[array(v) for v in model.weights] for model in (teacher, student)]
    made.fit(numbers(4, 3), numbers(4, 2, seed=1), verbose=0)
    close([array(v) for v in teacher.weights], before[0], "the teacher's weights")
    true(not np.allclose(array(student.weights[0]), before[1][0]), "the student's weights change")


@each(weight=[0.0, 0.5, 1.0])
def distillation_weighs_the_losses(weight):
    """Distiller(student_loss_weight={weight}) adds its own loss by that weight"""
    kind = need("keras.distillation.LogitsDistillation")
    made, _teacher, student = _distilled(kind(temperature=1.0, loss="mse"), student_loss_weight=weight)
    x, y = numbers(4, 3), numbers(4, 2, seed=1)
    logs = made.evaluate(x, y, verbose=0, return_dict=True)
    own = float(np.mean((array(student(x)) - y) ** 2))
    if weight == 1.0:
        close(logs["loss"], own, "the loss")
    elif weight == 0.0:
        true(abs(logs["loss"] - own) > 1e-6, "the loss is that of distillation")
    true(np.isfinite(logs["loss"]), "the loss is finite")


def distillation_predicts_as_the_student():
    """Distiller.predict gives what the student gives"""
    made, _teacher, student = _distilled(need("keras.distillation.LogitsDistillation")())
    close(made.predict(numbers(4, 3), verbose=0), array(student(numbers(4, 3))))


@each(case=["weight", "count"])
def distillation_refuses(case):
    """distillation.Distiller refuses a wrong {case}"""
    kind = need("keras.distillation.LogitsDistillation")
    wrong = {
        "weight": lambda: _distilled(kind(), student_loss_weight=2.0),
        "count": lambda: _distilled([kind(), kind()], distillation_loss_weights=[1.0]),
    }
    refuses(wrong[case], case)


def features_are_distilled():
    """distillation.FeatureDistillation compares layers of both"""
    kind = need("keras.distillation.FeatureDistillation")
    distiller = need("keras.distillation.Distiller")
    models = [
        given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="h"), keras.layers.Dense(2)]), seed)
        for seed in (10, 20)
    ]
    made = distiller(*models, kind(loss="mse", teacher_layer_name="h", student_layer_name="h"), student_loss_weight=0.0)
    made.compile(keras.optimizers.SGD(0.1), "mse")
    x = numbers(4, 3)
    logs = made.evaluate(x, numbers(4, 2, seed=1), verbose=0, return_dict=True)
    a, b = (array(model.get_layer("h")(x)) for model in models)
    close(logs["loss"], float(np.mean((a - b) ** 2)), "the loss")


def _jax_layer(**options):
    if keras.config.backend() not in ("jax", "tensorflow"):
        raise Lacking("JaxLayer needs the backend jax or tensorflow")
    jax = need("jax")

    def initialize(rng, inputs):
        return {"w": jax.random.normal(rng, (inputs.shape[-1], 2))}

    def call(params, inputs):
        return inputs @ params["w"]

    return need("keras.layers.JaxLayer")(call_fn=call, init_fn=initialize, **options)


def jax_layer_computes_and_trains():
    """JaxLayer computes by its weights, and fit trains them"""
    layer = _jax_layer()
    model = keras.Sequential([keras.Input((3,)), layer])
    equal([tuple(v.shape) for v in model.trainable_variables], [(3, 2)], "the weights")
    given(model)
    x = numbers(4, 3)
    close(array(model(x)), x @ array(layer.trainable_variables[0]), "the output")
    before = array(layer.trainable_variables[0])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, numbers(4, 2, seed=1), verbose=0)
    true(not np.allclose(array(layer.trainable_variables[0]), before), "the weights change")


def jax_layer_takes_weights():
    """JaxLayer(params=...) begins with these weights"""
    if keras.config.backend() not in ("jax", "tensorflow"):
        raise Lacking("JaxLayer needs the backend jax or tensorflow")
    need("jax")
    w = numbers(3, 2, seed=4)
    layer = need("keras.layers.JaxLayer")(call_fn=lambda params, inputs: inputs @ params, params=w)
    close(array(layer(numbers(4, 3))), numbers(4, 3) @ w)


def quantized_layers_of_a_model_are_listed():
    """Layers that quantize() changes say their mode, the others do not"""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), keras.layers.ReLU(), keras.layers.Dense(2)])
    if not hasattr(model, "quantize"):
        raise Lacking("quantize")
    model.quantize("int8")
    modes = [getattr(layer.dtype_policy, "quantization_mode", None) for layer in model.layers]
    equal(modes, ["int8", None, "int8"])


@each(policy=["float16", "mixed_bfloat16", "float64"])
def policy_converts_floats_only(policy):
    """DTypePolicy({policy}).convert_input casts floats, and leaves integers alone"""
    made = keras.DTypePolicy(policy)
    if not hasattr(made, "convert_input"):
        raise Lacking("convert_input")
    if policy == "float64" and keras.config.backend() == "jax":
        raise Lacking("jax has no float64 by default")
    found = made.convert_input(keras.ops.ones((2,), "float32"), True, made.compute_dtype)
    equal(keras.backend.standardize_dtype(found.dtype), made.compute_dtype, "of floats")
    found = made.convert_input(keras.ops.ones((2,), "int32"), True, made.compute_dtype)
    equal(keras.backend.standardize_dtype(found.dtype), "int32", "of integers")
