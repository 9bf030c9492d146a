"""Dtype policies: their parts, where they are set, what they do to inputs."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, refuses, true


def _policy(name):
    """Returns a policy by its name."""
    need("keras.dtype_policies.get")
    return keras.dtype_policies.get(name)


def _dtype(tensor):
    """Returns the name of a tensor's dtype."""
    return keras.backend.standardize_dtype(tensor.dtype)


def _doubles():
    """Raises Lacking where the backend computes with single precision only."""
    if keras.backend.backend() == "jax":
        raise Lacking("jax computes in float64 only with jax_enable_x64")


@each(name=["float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def policy_has_its_dtypes(name):
    """DTypePolicy("{name}") computes and stores in the dtypes of its name"""
    need("keras.DTypePolicy")
    policy = keras.DTypePolicy(name)
    mixed = name.startswith("mixed_")
    equal(policy.name, name)
    equal(policy.compute_dtype, name.replace("mixed_", ""), "compute_dtype")
    equal(policy.variable_dtype, "float32" if mixed else name, "variable_dtype")


@each(name=["float32", "float64", "float16", "mixed_float16", "mixed_bfloat16"])
def policy_survives_its_config(name):
    """DTypePolicy("{name}") comes back from its configuration"""
    need("keras.dtype_policies.get")
    policy = keras.DTypePolicy(name)
    equal(policy.get_config(), {"name": name}, "its configuration")
    again = keras.dtype_policies.deserialize(keras.dtype_policies.serialize(policy))
    equal([again.name, again.compute_dtype], [name, policy.compute_dtype], "name and compute_dtype")


@each(name=["mixed_float16", "float64"])
def policies_of_a_name_are_equal(name):
    """Two policies of one name are equal, of two names not"""
    need("keras.DTypePolicy")
    equal(keras.DTypePolicy(name) == keras.DTypePolicy(name), True, "equal names")
    equal(keras.DTypePolicy(name) == keras.DTypePolicy("float32"), False, "other names")
    equal(keras.DTypePolicy(name) == name, False, "a text of that name")


@each(name=["mixed_float16", "float16"])
def policy_is_shown_by_name(name):
    """A policy's text has its name and class"""
    need("keras.DTypePolicy")
    text = repr(keras.DTypePolicy(name))
    true(name in text, "the name is in %r" % text)
    true("DTypePolicy" in text, "the class is in %r" % text)


@each(name=["mixed_float32", "float33", "mixed_", ""])
def policy_refuses_other_names(name):
    """DTypePolicy("{name}") is refused"""
    need("keras.DTypePolicy")
    refuses(lambda: keras.DTypePolicy(name), "the name %r" % name)


@each(value=[1, 2.5])
def policy_refuses_numbers(value):
    """DTypePolicy({value}) is refused"""
    need("keras.DTypePolicy")
    refuses(lambda: keras.DTypePolicy(value), "a number as a name")


def policy_of_nothing_is_the_global_one():
    """dtype_policies.get(None) is the global policy"""
    need("keras.dtype_policies.get")
    keras.config.set_dtype_policy("mixed_bfloat16")
    equal(keras.dtype_policies.get(None).name, "mixed_bfloat16", "get(None)")


def get_returns_a_policy_as_it_is():
    """dtype_policies.get(policy) is that very policy"""
    policy = _policy("mixed_float16")
    true(keras.dtype_policies.get(policy) is policy, "it is the same object")


@each(form=["text", "numpy", "type", "config", "serialized"])
def get_understands(form):
    """dtype_policies.get understands a dtype given as {form}"""
    need("keras.dtype_policies.get")
    given_as = {
        "text": "float16",
        "numpy": np.dtype("float16"),
        "type": np.float16,
        "config": {"class_name": "DTypePolicy", "config": {"name": "float16"}},
        "serialized": keras.dtype_policies.serialize(keras.DTypePolicy("float16")),
    }[form]
    equal(keras.dtype_policies.get(given_as).compute_dtype, "float16", "compute_dtype")


@each(value=["a number", "a wrong name", "a list"])
def get_refuses(value):
    """dtype_policies.get refuses {value}"""
    need("keras.dtype_policies.get")
    wrong = {"a number": 1, "a wrong name": "float33", "a list": ["float32"]}[value]
    refuses(lambda: keras.dtype_policies.get(wrong), value)


@each(name=["mixed_float16", "mixed_bfloat16", "float64"])
def set_dtype_policy_is_read_back(name):
    """The policy that set_dtype_policy sets is the one that dtype_policy() returns"""
    need("keras.config.set_dtype_policy")
    keras.config.set_dtype_policy(name)
    equal(keras.config.dtype_policy().name, name)
    equal(keras.layers.Dense(1).dtype_policy.name, name, "a new layer's policy")


def set_dtype_policy_takes_an_object():
    """set_dtype_policy takes a policy object"""
    need("keras.config.set_dtype_policy")
    keras.config.set_dtype_policy(keras.DTypePolicy("mixed_bfloat16"))
    equal(keras.config.dtype_policy().name, "mixed_bfloat16")


@each(value=["float33", 5, "mixed_int8"])
def set_dtype_policy_refuses(value):
    """set_dtype_policy({value}) is refused, and nothing changes"""
    need("keras.config.set_dtype_policy")
    refuses(lambda: keras.config.set_dtype_policy(value), repr(value))
    equal(keras.config.dtype_policy().name, "float32", "the policy afterwards")


@each(name=["float16", "bfloat16", "float64"])
def set_floatx_makes_layers_of_that_type(name):
    """Layers made after set_floatx("{name}") compute and store in it"""
    if name == "float64":
        _doubles()
    keras.utils.clear_session()  # which forgets the policy that was made of the float type before
    keras.config.set_floatx(name)
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    equal(_dtype(layer.kernel), name, "the kernel")
    equal(layer.compute_dtype, name, "compute_dtype")
    equal(_dtype(layer(numbers(2, 3))), name, "the output")


@each(name=["float16", "bfloat16", "float64"])
def floatx_is_the_dtype_of_made_tensors(name):
    """Tensors and inputs without a dtype have it after set_floatx("{name}")"""
    if name == "float64":
        _doubles()
    keras.config.set_floatx(name)
    equal(keras.config.floatx(), name, "floatx()")
    equal(_dtype(keras.ops.zeros((2,))), name, "ops.zeros")
    equal(_dtype(keras.ops.ones((2,))), name, "ops.ones")
    equal(_dtype(keras.random.uniform((2,), seed=1)), name, "random.uniform")
    equal(_dtype(keras.Input((2,))), name, "Input")


@each(name=["float16", "bfloat16", "float64"])
def numbers_follow_floatx(name):
    """Python numbers become "{name}" after set_floatx("{name}")"""
    if name == "float64":
        _doubles()
    equal(_dtype(keras.Variable([1.0])), "float32", "a variable before")
    equal(_dtype(keras.ops.convert_to_tensor([1.0, 2.0])), "float32", "a tensor before")
    keras.config.set_floatx(name)
    equal(_dtype(keras.ops.convert_to_tensor([1.0, 2.0])), name, "a tensor")
    equal(_dtype(keras.Variable([1.0])), name, "a variable")


@each(value=["float8", "int32", "mixed_float16"])
def set_floatx_refuses(value):
    """set_floatx("{value}") is refused"""
    refuses(lambda: keras.config.set_floatx(value), value)
    equal(keras.config.floatx(), "float32", "floatx() afterwards")


@each(form=["text", "policy", "serialized", "config of the layer"])
def layers_take_a_policy_as(form):
    """A layer takes its policy as {form}"""
    policy = _policy("mixed_bfloat16")
    if form == "config of the layer":
        layer = keras.layers.Dense.from_config(keras.layers.Dense(2, dtype=policy).get_config())
    else:
        forms = {"text": "mixed_bfloat16", "policy": policy, "serialized": keras.dtype_policies.serialize(policy)}
        layer = keras.layers.Dense(2, dtype=forms[form])
    equal(layer.dtype_policy.name, "mixed_bfloat16", "its policy")
    equal(layer.compute_dtype, "bfloat16", "compute_dtype")
    equal(layer.variable_dtype, "float32", "variable_dtype")
    equal(layer.dtype, "float32", "dtype, which is that of the variables")


@each(policy=["mixed_float16", "mixed_bfloat16", "float64"])
def model_config_keeps_policies(policy):
    """A model read from its configuration has the policies that its layers had"""
    need("keras.dtype_policies.get")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype=policy), keras.layers.ReLU()])
    again = keras.Sequential.from_config(model.get_config())
    equal([layer.dtype_policy.name for layer in again.layers], [policy, "float32"], "the policies")


@each(outer=["mixed_bfloat16", "float32"], inner=["float32", "mixed_bfloat16"])
def wrapped_layers_keep_their_policy(outer, inner):
    """A layer in TimeDistributed keeps its own policy"""
    layer = keras.layers.TimeDistributed(keras.layers.Dense(2, dtype=inner), dtype=outer)
    layer.build((None, 3, 4))
    equal(layer.layer.dtype_policy.name, inner, "the policy of the layer inside")


@each(wrapper=["Bidirectional", "RNN", "StackedRNNCells", "MultiHeadAttention", "SpectralNormalization", "ConvLSTM1D"])
def parts_take_the_policy_of_the_whole(wrapper):
    """The parts of a {wrapper} have its policy"""
    need("keras.layers.%s" % wrapper)
    policy = "mixed_bfloat16"
    if wrapper == "Bidirectional":
        layer = keras.layers.Bidirectional(keras.layers.LSTM(2, dtype=policy), dtype=policy)
        parts = [layer.forward_layer, layer.backward_layer, layer.forward_layer.cell, layer.backward_layer.cell]
    elif wrapper == "RNN":
        layer = keras.layers.RNN(keras.layers.LSTMCell(2, dtype=policy), dtype=policy)
        parts = [layer.cell]
    elif wrapper == "StackedRNNCells":
        cells = [keras.layers.LSTMCell(2, dtype=policy), keras.layers.GRUCell(2, dtype=policy)]
        layer = keras.layers.RNN(keras.layers.StackedRNNCells(cells, dtype=policy), dtype=policy)
        parts = layer.cell.cells
    elif wrapper == "MultiHeadAttention":
        layer = keras.layers.MultiHeadAttention(2, 2, dtype=policy)
        layer.build((2, 3, 4), (2, 3, 4))
        parts = [layer._query_dense, layer._key_dense, layer._value_dense, layer._output_dense, layer._softmax]
    elif wrapper == "SpectralNormalization":
        layer = keras.layers.SpectralNormalization(keras.layers.Dense(2, dtype=policy), dtype=policy)
        parts = [layer.layer]
    else:
        layer = keras.layers.ConvLSTM1D(2, 1, dtype=policy)
        parts = [layer.cell]
    equal([part.compute_dtype for part in parts], ["bfloat16"] * len(parts), "what the parts compute in")


def dtype_policy_can_be_set_on_a_layer():
    """layer.dtype_policy = policy changes what the layer computes in"""
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    layer.dtype_policy = "mixed_bfloat16"
    equal(layer.compute_dtype, "bfloat16", "compute_dtype")
    equal(_dtype(layer(numbers(2, 3))), "bfloat16", "the output")


@each(policy=["mixed_float16", "float16"])
def inputs_are_cast_to_the_compute_dtype(policy):
    """A layer casts floats, also nested ones, to what it computes in"""

    class Seen(keras.layers.Layer):
        def call(self, inputs, extra=None):
            self.seen = [_dtype(inputs["a"]), _dtype(inputs["b"][0]), _dtype(inputs["b"][1]), _dtype(extra)]
            return inputs["a"]

    layer = Seen(dtype=policy)
    x = keras.ops.convert_to_tensor(numbers(2, 2))
    layer({"a": x, "b": [x, keras.ops.cast(x, "bfloat16")]}, extra=x)
    equal(layer.seen, ["float16"] * 4, "dtypes inside call")


@each(dtype=["int32", "bool", "uint8", "int8"])
def whole_numbers_are_not_cast(dtype):
    """A layer that computes in float16 leaves {dtype} inputs as they are"""

    class Seen(keras.layers.Layer):
        def call(self, inputs):
            self.seen = _dtype(inputs)
            return inputs

    layer = Seen(dtype="mixed_float16")
    layer(keras.ops.convert_to_tensor(np.ones((2, 2)), dtype=dtype))
    equal(layer.seen, dtype, "the dtype inside call")


@each(given_as=["numpy", "tensor", "symbolic"])
def autocast_can_be_switched_off(given_as):
    """Layer(autocast=False) leaves {given_as} inputs as they are"""
    need("keras.layers.Layer(autocast)")

    class Seen(keras.layers.Layer):
        def call(self, inputs):
            self.seen = _dtype(inputs)
            return inputs

    layer = Seen(dtype="mixed_float16", autocast=False)
    made = {
        "numpy": lambda: numbers(2, 2),
        "tensor": lambda: keras.ops.convert_to_tensor(numbers(2, 2)),
        "symbolic": lambda: keras.Input((2,)),
    }
    layer(made[given_as]())
    equal(layer.seen, "float32", "the dtype inside call")


@each(given_as=["numpy", "tensor", "symbolic"])
def symbolic_and_real_inputs_are_cast_alike(given_as):
    """float64 {given_as} inputs arrive in call as the compute dtype"""
    if given_as != "numpy":
        _doubles()

    class Seen(keras.layers.Layer):
        def call(self, inputs):
            self.seen = _dtype(inputs)
            return inputs

    layer = Seen(dtype="mixed_bfloat16")
    made = {
        "numpy": lambda: np.ones((2, 2)),
        "tensor": lambda: keras.ops.ones((2, 2), dtype="float64"),
        "symbolic": lambda: keras.Input((2,), dtype="float64"),
    }
    layer(made[given_as]())
    equal(layer.seen, "bfloat16", "the dtype inside call")


def variables_are_cast_inside_call():
    """Inside call, weights arrive in the compute dtype; outside they are float32"""
    need("keras.layers.Layer.add_weight(autocast)")

    class Seen(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(2,), initializer="ones", name="w")
            self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)
            self.exact = self.add_weight(shape=(2,), initializer="ones", autocast=False, name="exact")

        def call(self, inputs):
            parts = [self.w, self.count, self.exact]
            self.seen = [_dtype(keras.ops.convert_to_tensor(part)) for part in parts]
            return inputs + self.w

    layer = Seen(dtype="mixed_bfloat16")
    layer(numbers(2, 2))
    equal(layer.seen, ["bfloat16", "int32", "float32"], "dtypes inside call")
    equal([_dtype(v) for v in (layer.w, layer.count, layer.exact)], ["float32", "int32", "float32"], "outside")


def add_weight_takes_a_dtype():
    """add_weight(dtype=...) outranks the policy"""

    class Own(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(2,), dtype="bfloat16", initializer="ones")

    layer = Own(dtype="mixed_float16")
    layer.build((2, 2))
    equal(_dtype(layer.w), "bfloat16", "the weight")


@each(policy=["mixed_float16", "mixed_bfloat16"])
def mixed_model_has_float32_weights(policy):
    """Every weight of a {policy} model is float32, each output is half"""
    keras.config.set_dtype_policy(policy)
    x = keras.Input((4, 3))
    y = keras.layers.LSTM(3, return_sequences=True)(keras.layers.LayerNormalization()(x))
    y = keras.layers.BatchNormalization()(keras.layers.Conv1D(2, 2)(y))
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(y)))
    equal({_dtype(v) for v in model.weights if "seed" not in v.path}, {"float32"}, "weights")
    equal({_dtype(layer.output) for layer in model.layers[1:]}, {policy.replace("mixed_", "")}, "outputs")


@each(policy=["mixed_float16", "mixed_bfloat16"])
def input_of_a_mixed_model_is_float32(policy):
    """Input() under {policy} has the dtype float32 and predicts what the call gives"""
    keras.config.set_dtype_policy(policy)
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="float32")]))
    equal(_dtype(model.inputs[0]), "float32", "the input")
    close(model.predict(numbers(4, 3), verbose=0), model(numbers(4, 3)))


def float32_head_of_a_mixed_model_gives_float32():
    """A float32 layer at the end of a half model returns float32"""
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Softmax(dtype="float32")])
    out = model(numbers(4, 3))
    equal(_dtype(out), "float32", "the output")
    close(array(out).sum(-1), np.ones(4), "sums of probabilities", 1e-6)


@each(policy=["float64", "mixed_float16", "mixed_bfloat16"])
def predict_returns_the_compute_dtype(policy):
    """predict() of a {policy} model returns arrays of the compute dtype"""
    if policy == "float64":
        _doubles()
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    equal(str(model.predict(numbers(4, 3), verbose=0).dtype), policy.replace("mixed_", ""), "the array's dtype")


def float64_model_stays_float64():
    """fit keeps float64 in the weights, outputs and optimizer of a float64 model"""
    _doubles()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(numbers(4, 3).astype("float64"), numbers(4, 1).astype("float64"), epochs=1, verbose=0)
    equal({_dtype(v) for v in model.weights}, {"float64"}, "weights")
    slots = [v for v in model.optimizer.variables if "iteration" not in v.path]
    equal({_dtype(v) for v in slots}, {"float64"}, "optimizer slots")
    equal(_dtype(model(numbers(2, 3).astype("float64"))), "float64", "the output")


def float64_training_step_is_exact():
    """One SGD step of a float64 model agrees with NumPy in double precision"""
    _doubles()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    w = np.random.RandomState(1).standard_normal((3, 1))
    x, y = np.random.RandomState(2).standard_normal((8, 3)), np.random.RandomState(3).standard_normal((8, 1))
    model.set_weights([w])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    expected = w - 0.1 * 2 * x.T @ (x @ w - y) / 8
    # the learning rate is a float32 variable in some releases
    close(model.get_weights()[0], expected, "the weights", 1e-7)


def loss_of_a_float64_model_is_exact():
    """evaluate() of a float64 model gives the loss in double precision"""
    _doubles()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    w = np.random.RandomState(1).standard_normal((3, 1))
    x, y = np.random.RandomState(2).standard_normal((8, 3)), np.random.RandomState(3).standard_normal((8, 1))
    model.set_weights([w])
    model.compile("sgd", "mse")
    close(float(model.evaluate(x, y, verbose=0)), float(np.mean((x @ w - y) ** 2)), "the loss", 1e-12)


def _mapped():
    need("keras.dtype_policies.DTypePolicyMap")
    return keras.dtype_policies.DTypePolicyMap(default_policy="mixed_bfloat16")


def policy_map_gives_what_was_set():
    """A DTypePolicyMap returns the policy of a path, and its default for the others"""
    policies = _mapped()
    policies["model/first"] = keras.DTypePolicy("float32")
    equal(policies["model/first"].name, "float32", "the one that was set")
    equal(policies["model/second"].name, "mixed_bfloat16", "another")
    equal(len(policies), 1, "its length")
    equal(list(policies), ["model/first"], "its keys")


def policy_map_has_the_default_s_dtypes():
    """A DTypePolicyMap has the dtypes of its default policy"""
    policies = _mapped()
    equal([policies.compute_dtype, policies.variable_dtype], ["bfloat16", "float32"], "dtypes")
    equal(policies.default_policy.name, "mixed_bfloat16", "default_policy")


@each(key=["twice", "float33"])
def policy_map_refuses(key):
    """A DTypePolicyMap refuses a path that is there already, and a wrong policy"""
    policies = _mapped()
    policies["twice"] = "float32"
    refuses(lambda: policies.__setitem__(key, "float16" if key == "twice" else "float33"), key)


def policy_map_forgets():
    """A path deleted from a DTypePolicyMap has the default policy again"""
    policies = _mapped()
    policies["a"] = "float32"
    del policies["a"]
    equal(policies["a"].name, "mixed_bfloat16")


@each(default=["mixed_bfloat16", "none"])
def policy_map_survives_its_config(default):
    """A DTypePolicyMap comes back from its configuration"""
    need("keras.dtype_policies.DTypePolicyMap")
    policies = keras.dtype_policies.DTypePolicyMap(default_policy=None if default == "none" else default)
    policies["a"] = "float16"
    again = keras.dtype_policies.DTypePolicyMap.from_config(policies.get_config())
    equal(again.default_policy.name, "float32" if default == "none" else default, "default_policy")
    equal(list(again), ["a"], "its keys")
    if default != "none":
        equal(again["a"].name, "float16", "the policy that was set")


def policy_map_is_used_by_a_layer_inside():
    """Parts of a layer take the policy that a DTypePolicyMap has for them"""
    policies = _mapped()
    layer = keras.layers.MultiHeadAttention(2, 2, name="mha", dtype=policies)
    layer.build((2, 3, 4), (2, 3, 4))
    path = layer._query_dense.path
    again = keras.dtype_policies.DTypePolicyMap(default_policy="mixed_bfloat16")
    again[path] = "float32"
    layer = keras.layers.MultiHeadAttention(2, 2, name="mha", dtype=again)
    layer.build((2, 3, 4), (2, 3, 4))
    equal(layer._query_dense.compute_dtype, "float32", "the part of that path")
    equal(layer._key_dense.compute_dtype, "bfloat16", "another part")


@each(mode=["int8", "float8"], source=["float32", "mixed_bfloat16"])
def quantized_policies_have_names(mode, source):
    """dtype_policies.get("{mode}_from_{source}") is a quantized policy"""
    need("keras.dtype_policies.QuantizedDTypePolicy")
    policy = keras.dtype_policies.get("%s_from_%s" % (mode, source))
    equal(policy.name, "%s_from_%s" % (mode, source))
    equal(policy.compute_dtype, keras.DTypePolicy(source).compute_dtype, "compute_dtype")
    equal(policy.quantization_mode, mode, "quantization_mode")


@each(mode=["int8", "float8"])
def quantized_policies_survive_their_config(mode):
    """A policy of the mode {mode} comes back from its configuration"""
    need("keras.dtype_policies.QuantizedDTypePolicy")
    policy = keras.dtype_policies.get("%s_from_mixed_bfloat16" % mode)
    again = keras.dtype_policies.deserialize(keras.dtype_policies.serialize(policy))
    equal([again.name, again.compute_dtype], [policy.name, "bfloat16"], "name and compute_dtype")


@each(name=["int8_from_float16", "int7_from_float32", "int8_from_", "int8"])
def quantized_policies_refuse(name):
    """dtype_policies.get("{name}") is refused"""
    need("keras.dtype_policies.QuantizedDTypePolicy")
    refuses(lambda: keras.dtype_policies.get(name), name)


def plain_policies_have_no_quantization_mode():
    """A policy that is not quantized has the quantization mode None"""
    need("keras.DTypePolicy.quantization_mode")
    equal(keras.DTypePolicy("mixed_bfloat16").quantization_mode, None, "quantization_mode of a policy")
    equal(keras.layers.Dense(1, dtype="bfloat16").quantization_mode, None, "quantization_mode of a layer")


@each(dtype=["float16", "bfloat16", "float64", "int32", "bool", "int8"])
def variables_keep_their_dtype(dtype):
    """A variable of {dtype} keeps it when it is assigned"""
    if dtype == "float64":
        _doubles()
    variable = keras.Variable(np.ones((2,)), dtype=dtype, trainable=False)
    equal(_dtype(variable), dtype, "its dtype")
    variable.assign(keras.ops.cast(keras.ops.convert_to_tensor([0.0, 1.0]), dtype))
    equal(_dtype(variable.value), dtype, "its value's dtype")
    close(array(variable).astype("float64"), np.array([0.0, 1.0]), "its value")


@each(dtype=["float16", "bfloat16", "int32"])
def variables_take_other_dtypes(dtype):
    """A {dtype} variable that is assigned float32 values keeps its dtype"""
    variable = keras.Variable(np.ones((2,)), dtype=dtype, trainable=False)
    variable.assign(keras.ops.convert_to_tensor([2.0, 3.0]))
    equal(_dtype(variable.value), dtype, "its value's dtype")
    close(array(variable).astype("float64"), np.array([2.0, 3.0]), "its value")


def result_types_agree_with_ops():
    """backend.result_type of two dtypes is the dtype of their sum"""
    for first, second in [("float16", "float32"), ("bfloat16", "float16"), ("int32", "bfloat16"), ("int8", "float16")]:
        wanted = keras.backend.result_type(first, second)
        a, b = keras.ops.ones((2,), dtype=first), keras.ops.ones((2,), dtype=second)
        equal(_dtype(keras.ops.add(a, b)), wanted, "%s + %s" % (first, second))


@each(second=["float64", "bfloat16", "float32", "int32", "int64"])
def sums_with_float64_are_float64(second):
    """The sum of a float64 and a {second} tensor is float64"""
    _doubles()
    a, b = keras.ops.ones((2,), dtype="float64"), keras.ops.ones((2,), dtype=second)
    equal(_dtype(keras.ops.add(a, b)), "float64", "the dtype of the sum")
