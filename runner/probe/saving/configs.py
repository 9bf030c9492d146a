"""Every argument of every public class survives get_config and from_config."""

from __future__ import annotations

import ast
import json

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, array, close, equal, need, numbers, true
from . import calls


def _built(call, without=()):
    """Returns what a constructor call makes, without the named arguments."""
    node = ast.parse(call, mode="eval")
    need(call.partition("(")[0])
    node.body.keywords = [word for word in node.body.keywords if word.arg not in without]
    try:
        return eval(compile(node, "<call>", "eval"), {"keras": keras})
    except ValueError as error:
        if "nrecognized keyword" in str(error):
            need("%s(%s)" % (call.partition("(")[0], ", ".join(word.arg for word in node.body.keywords)))
        raise


def _last(call):
    """Returns the name of a call's last argument."""
    return ast.parse(call, mode="eval").body.keywords[-1].arg


def _text(value):
    """Returns a configuration as JSON, the same for lists and tuples."""
    return json.dumps(keras.saving.serialize_keras_object(value), sort_keys=True)


def _again(thing, config):
    """Returns a new object of the same class from a configuration."""
    try:
        return type(thing).from_config(dict(config))
    except Exception as error:
        raise Broken("from_config(get_config()) fails: %s: %s" % (type(error).__name__, error)) from error


def _survives(call):
    """Checks that the last argument of a call survives."""
    thing, name = _built(call), _last(call)
    config = thing.get_config()
    known = _text(config)
    true(name in config, "get_config() has '%s'" % name)
    try:
        plain = _built(call, (name,)).get_config().get(name)
    except (TypeError, ValueError):
        plain = "required"
    true(_text(config[name]) != _text(plain), "get_config()['%s'] shows the value given, not %s" % (name, plain))
    second = _again(thing, config)
    equal(_text(second.get_config()), known, "the configuration of from_config(get_config())")
    third = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(thing))))
    equal(_text(third.get_config()), known, "the configuration after serialize_keras_object, JSON and back")


@each(call=calls.expanded(calls.LAYERS))
def layer_argument_survives(call):
    """the last argument survives get_config and from_config: {call}"""
    _survives(call)


@each(call=calls.expanded(calls.LOSSES))
def loss_argument_survives(call):
    """the last argument survives get_config and from_config: {call}"""
    _survives(call)


@each(call=calls.expanded(calls.METRICS))
def metric_argument_survives(call):
    """the last argument survives get_config and from_config: {call}"""
    _survives(call)


@each(call=calls.expanded(calls.OPTIMIZERS))
def optimizer_argument_survives(call):
    """the last argument survives get_config and from_config: {call}"""
    _survives(call)


@each(call=calls.expanded(calls.SCHEDULES))
def schedule_argument_survives(call):
    """the last argument survives get_config and from_config: {call}"""
    _survives(call)


@each(call=calls.expanded(calls.INITIALIZERS))
def initializer_argument_survives(call):
    """the last argument survives get_config and from_config: {call}"""
    _survives(call)


@each(call=calls.expanded(calls.REST))
def other_argument_survives(call):
    """the last argument survives get_config and from_config: {call}"""
    _survives(call)


@each(
    call=[
        *calls.bare(calls.LAYERS),
        *calls.bare(calls.OPTIMIZERS),
        *calls.bare(calls.METRICS),
        *calls.bare(calls.LOSSES),
    ]
)
def from_config_leaves_its_argument_alone(call):
    """from_config does not change the configuration that it is given: {call}"""
    thing = _built(call)
    config = thing.get_config()
    before = _text(config)
    type(thing).from_config(config)
    equal(_text(config), before, "the configuration")


_NAMED = [call for call in calls.bare(calls.LAYERS) if "Input" not in call]
_FLOATING = [call for call in _NAMED if not any(word in call for word in ("Lookup", "Hash", "TextVec", "Discret"))]
_WEIGHTY = [
    call
    for call in _FLOATING
    if any(word in call for word in ("Dense", "Conv", "RNN", "GRU", "LSTM", "Norm", "PReLU", "Embedding", "Attention"))
]


@each(call=_NAMED)
def layer_name_survives(call):
    """a layer's name survives get_config and from_config: {call}"""
    thing = _built(call)
    second = _again(thing, {**thing.get_config(), "name": "other"})
    equal(second.name, "other", "the name")
    equal(_again(second, second.get_config()).name, "other", "the name after a round trip")


@each(call=_WEIGHTY)
def frozen_layer_stays_frozen(call):
    """trainable=False survives get_config and from_config: {call}"""
    thing = _built(call)
    thing.trainable = False
    equal(thing.get_config().get("trainable"), False, "trainable in get_config()")
    equal(_again(thing, thing.get_config()).trainable, False, "trainable after from_config")


@each(call=_WEIGHTY)
def layer_made_frozen_is_frozen(call):
    """a layer made with trainable=False has no trainable weight: {call}"""
    thing = _built((call[:-1] + ", trainable=False)").replace("(, ", "("))
    equal(thing.trainable, False, "trainable")
    if type(thing).__name__ == "Dense":
        thing.build((None, 4))
        equal([variable.trainable for variable in thing.weights], [False, False], "trainable of the weights")


@each(call=_FLOATING, policy=["float16", "mixed_float16"])
def layer_keeps_policy(call, policy):
    """a layer's policy {policy} survives get_config, JSON and from_config: {call}"""
    need("keras.DTypePolicy")
    thing = _built((call[:-1] + ", dtype=%r)" % policy).replace("(, ", "("))
    equal(thing.dtype_policy.name, policy, "the policy")
    equal(_again(thing, thing.get_config()).dtype_policy.name, policy, "the policy after from_config")
    third = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(thing))))
    equal(third.dtype_policy.name, policy, "the policy after JSON")


@each(call=_FLOATING)
def layer_takes_policy_object(call):
    """a layer made with dtype=keras.DTypePolicy survives JSON: {call}"""
    need("keras.DTypePolicy")
    thing = _built((call[:-1] + ", dtype=keras.DTypePolicy('mixed_bfloat16'))").replace("(, ", "("))
    third = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(thing))))
    equal(third.dtype_policy.name, "mixed_bfloat16", "the policy after JSON")


def _does(thing):
    """Returns what a loss, metric, schedule, ... makes of fixed numbers."""
    scores = abs(numbers(4, 2)) / 4
    truth = (numbers(4, 2, seed=1) > 0).astype("float32")
    kind = type(thing).__name__
    if isinstance(thing, keras.losses.Loss):
        if kind == "CTC":
            return thing(np.array([[1, 2], [2, 1]]), numbers(2, 5, 3))
        ranked = kind in ("SparseCategoricalCrossentropy", "Circle", "CategoricalGeneralizedCrossEntropy")
        return thing(np.array([0, 1, 1, 0]) if ranked else truth, scores)
    if isinstance(thing, keras.metrics.Metric):
        if kind in ("Mean", "Sum"):
            thing.update_state(scores)
        elif "IoU" in kind and kind != "BinaryIoU":
            one, label = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 1, 0])
            thing.update_state(one, one) if "OneHot" in kind else thing.update_state(label, label[::-1].copy())
        elif kind.startswith("Sparse"):
            thing.update_state(np.array([[0], [1], [1], [0]]), scores)
        else:
            thing.update_state(truth, scores)
        return thing.result()
    if isinstance(thing, keras.optimizers.schedules.LearningRateSchedule):
        return [thing(step) for step in (0, 3, 7)]
    if isinstance(thing, keras.initializers.Initializer):
        return thing((4, 3))
    return thing(keras.ops.convert_to_tensor(numbers(3, 3)))


_QUIET = [
    call
    for table in (calls.LOSSES, calls.SCHEDULES, calls.INITIALIZERS)
    for call in calls.expanded(table)
    if "name=" not in call
    and "seed=0" not in call
    and "dtype=" not in call
    and "axis=1" not in call
    and "sparse_y_" not in call
    and "num_labels" not in call
    and "label_weights" not in call
    and not (table is calls.INITIALIZERS and "seed" not in call and "Constant" not in call and "Identity" not in call)
]


@each(call=_QUIET)
def restored_does_the_same(call):
    """what from_config makes gives the same numbers: {call}"""
    thing = _built(call)
    close(_does(_again(thing, thing.get_config())), _does(thing))


_STEPS = "clipnorm=0.5, learning_rate=0.25, weight_decay=0.125"


def _stepped(optimizer):
    """Returns a variable after three steps."""
    variable = keras.Variable(numbers(3, 2), name="v")
    optimizer.build([variable])
    for place in range(3):
        gradient = keras.ops.convert_to_tensor(numbers(3, 2, seed=place))
        optimizer.apply_gradients([(gradient, variable)])
    return array(variable)


@each(call=[call for call in calls.bare(calls.OPTIMIZERS, _STEPS) if "LossScale" not in call])
def restored_optimizer_steps_the_same(call):
    """an optimizer from from_config makes the same steps: {call}"""
    thing = _built(call)
    close(_stepped(_again(thing, thing.get_config())), _stepped(thing), "the variable after three steps")


@each(policy=["float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"])
def dtype_policy_survives(policy):
    """a dtype policy survives serialize, JSON and deserialize: {policy}"""
    need("keras.dtype_policies")
    thing = keras.DTypePolicy(policy)
    second = keras.dtype_policies.deserialize(json.loads(json.dumps(keras.dtype_policies.serialize(thing))))
    equal(
        [second.name, second.compute_dtype, second.variable_dtype],
        [thing.name, thing.compute_dtype, thing.variable_dtype],
        "name, compute and variable dtype",
    )
    equal(second == thing, True, "whether they are equal")


@each(
    call=[
        "QuantizedDTypePolicy('int8', 'float32')",
        "QuantizedDTypePolicy('int8', 'mixed_bfloat16')",
        "QuantizedFloat8DTypePolicy('float8', 'float32', amax_history_length=32)",
        "QuantizedFloat8DTypePolicy('float8', 'mixed_float16')",
        "GPTQDTypePolicy('gptq/4/32', 'float32')",
    ]
)
def quantized_policy_survives(call):
    """a policy of quantization survives serialize, JSON and deserialize: {call}"""
    thing = _built("keras.dtype_policies." + call)
    second = keras.dtype_policies.deserialize(json.loads(json.dumps(keras.dtype_policies.serialize(thing))))
    equal(second.get_config(), thing.get_config(), "the configuration")
    equal(
        [second.name, second.quantization_mode, second.compute_dtype],
        [thing.name, thing.quantization_mode, thing.compute_dtype],
        "name, mode and compute dtype",
    )


def policy_map_survives():
    """a DTypePolicyMap survives get_config, JSON and from_config"""
    maps = need("keras.dtype_policies.DTypePolicyMap")
    thing = maps(default_policy="mixed_bfloat16")
    thing["a/b"] = keras.DTypePolicy("float16")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))
    second = keras.saving.deserialize_keras_object(config)
    equal(second["a/b"].name, "float16", "the policy at a/b")
    equal(second.default_policy.name, "mixed_bfloat16", "the default policy")
    equal(sorted(second), ["a/b"], "the keys")
