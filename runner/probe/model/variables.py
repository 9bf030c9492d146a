"""keras.Variable: values, types, operators, and what it refuses."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, refuses, true

V = np.array([[1.5, -2.0], [3.0, 4.5]], "float32")

OPERATORS = [
    "-v",
    "abs(v)",
    "v + 2.0",
    "2.0 + v",
    "v - 2.0",
    "2.0 - v",
    "v * 3.0",
    "3.0 * v",
    "v / 2.0",
    "2.0 / v",
    "v // 2.0",
    "7.0 // v",
    "v % 2.0",
    "7.0 % v",
    "v ** 2.0",
    "2.0 ** v",
    "v @ w",
    "w @ v",
    "v + w",
    "w - v",
    "v < 2.0",
    "v <= 3.0",
    "v > 2.0",
    "v >= 3.0",
    "v == 3.0",
    "v != 3.0",
    "v[0]",
    "v[:, 1]",
    "v[0, 1]",
    "v[-1]",
    "v[..., 0]",
    "v[None]",
]


@each(expression=OPERATORS)
def operators_are_numpys(expression):
    """{expression} of a float Variable is what NumPy gives"""
    w = np.array([[1.0, 2.0], [0.5, -1.0]], "float32")
    expected = eval(expression, {"v": V, "w": w})  # noqa: S307 - texts of this module
    if expression.startswith("w "):
        w = keras.ops.convert_to_tensor(w)
    found = eval(expression, {"v": keras.Variable(V), "w": w})  # noqa: S307
    close(np.asarray(array(found), "float64"), np.asarray(expected, "float64"))


@each(
    expression=[text for text in OPERATORS if text not in ("+v", "v == 3.0", "v != 3.0", "v[None]", "w @ v", "w - v")]
)
def symbolic_operators_are_those_of_variables(expression):
    """{expression} of a symbolic tensor computes what NumPy gives"""
    x = keras.Input(batch_shape=(2, 2))
    w = np.array([[1.0, 2.0], [0.5, -1.0]], "float32")
    expected = eval(expression, {"v": V, "w": w})  # noqa: S307 - texts of this module
    symbol = eval(expression, {"v": x, "w": w})  # noqa: S307
    equal(list(symbol.shape), list(np.shape(expected)), "symbolic shape")
    found = keras.Function([x], symbol)([V]) if hasattr(keras, "Function") else keras.Model(x, symbol)(V)
    found = found[0] if isinstance(found, (list, tuple)) else found
    close(np.asarray(array(found), "float64"), np.asarray(expected, "float64"))


@each(expression=["v & w", "v | w", "v ^ w", "~v", "v == w", "v != w"])
def boolean_operators_are_numpys(expression):
    """{expression} of bool Variables is what NumPy gives"""
    v, w = np.array([True, True, False]), np.array([True, False, False])
    expected = eval(expression, {"v": v, "w": w})  # noqa: S307 - texts of this module
    equal(array(eval(expression, {"v": keras.Variable(v, dtype="bool", trainable=False), "w": w})), expected)  # noqa: S307


@each(expression=["v + 1", "v * 2", "v // 2", "v % 2", "v - w", "-v", "abs(v)", "v / 2", "v < 2"])
def integer_operators_are_numpys(expression):
    """{expression} of an int32 Variable is what NumPy gives"""
    v, w = np.array([3, -4, 0], "int32"), np.array([1, 2, 3], "int32")
    expected = eval(expression, {"v": v, "w": w})  # noqa: S307 - texts of this module
    close(eval(expression, {"v": keras.Variable(v, dtype="int32", trainable=False), "w": w}), expected)  # noqa: S307


@each(digits=[0, 1])
def round_is_numpys(digits):
    """round(variable, {digits}) is NumPy's"""
    need("keras.Variable.__round__")
    v = np.array([1.26, -2.5, 0.55], "float32")
    close(round(keras.Variable(v), digits), np.round(v, digits))


@each(conversion=["float", "int"])
def scalar_variables_convert(conversion):
    """{conversion}() of a scalar Variable is that number"""
    need("keras.Variable.__%s__" % conversion)
    function = {"float": float, "int": int}[conversion]
    equal(function(keras.Variable(2.0)), function(2.0))


@each(dtype=["float16", "bfloat16", "float32", "int8", "uint8", "int32", "bool"])
def variables_have_the_dtype_asked_for(dtype):
    """Variable(dtype='{dtype}') has that dtype, also after assign"""
    variable = keras.Variable(np.ones(3), dtype=dtype, trainable=False)
    equal([variable.dtype, keras.backend.standardize_dtype(variable.value.dtype)], [dtype] * 2, "dtype")
    variable.assign(np.zeros(3))
    equal(keras.backend.standardize_dtype(variable.value.dtype), dtype, "dtype after assign")


def variables_of_arrays_have_their_dtype():
    """Variable(int32 array) is int32, Variable(floats) float32"""
    equal(keras.Variable(np.ones(2, "int32"), trainable=False).dtype, "int32", "of integers")
    equal(keras.Variable(np.ones(2, "float32")).dtype, "float32", "of floats")


def variables_of_float64_keep_or_take_floatx():
    """Variable of a Python float has floatx"""
    equal(keras.Variable(1.0).dtype, keras.config.floatx(), "dtype")
    keras.config.set_floatx("float16")
    equal(keras.Variable(1.0).dtype, "float16", "dtype")


@each(shape=["()", "(3,)", "(2, 3)"])
def initializers_may_be_functions(shape):
    """Variable(function, shape={shape}) is what the function gives"""
    size = eval(shape)  # noqa: S307 - texts of this module
    variable = keras.Variable(lambda shape, dtype: keras.ops.full(shape, 4.0, dtype), shape=size)
    close(variable, np.full(size, 4.0))


@each(name=["ones", "zeros", "glorot_uniform"])
def initializers_may_be_names(name):
    """Variable('{name}', shape=) uses that initializer"""
    variable = keras.Variable(name, shape=(2, 3))
    equal(tuple(variable.shape), (2, 3), "shape")
    if name in ("ones", "zeros"):
        close(variable, np.full((2, 3), float(name == "ones")))


@each(
    arguments=[
        "'ones'",
        "keras.initializers.Ones()",
        "np.ones(2), dtype='nonsense'",
        "np.ones(2), name='a/b'",
        "np.ones(2), name=3",
        "np.ones(2), aggregation='nonsense'",
    ]
)
def variables_refuse(arguments):
    """Variable({arguments}) is refused"""
    if "aggregation" in arguments:
        need("keras.Variable(aggregation)")
    refuses(lambda: eval("keras.Variable(%s)" % arguments), arguments)  # noqa: S307 - texts of this module


@each(shape=["(3,)", "(3, 2)", "()", "(1, 2)"])
def assign_refuses_another_shape(shape):
    """assign refuses a value of shape {shape} for (2, 2)"""
    variable = keras.Variable(V)
    refuses(lambda: variable.assign(np.ones(eval(shape))), shape)  # noqa: S307 - texts of this module
    close(variable, V, "value after it")


def assign_takes_what_becomes_a_tensor():
    """assign takes lists, arrays, tensors and variables"""
    variable = keras.Variable(V)
    for value in ([[1.0, 2.0], [3.0, 4.0]], np.ones((2, 2), "float64"), keras.ops.ones((2, 2)), keras.Variable(V)):
        variable.assign(value)
        close(variable, array(value))


def assign_add_and_sub():
    """assign_add and assign_sub change the value"""
    variable = keras.Variable(V)
    variable.assign_add(np.ones((2, 2)))
    close(variable, V + 1, "after assign_add")
    variable.assign_sub(np.full((2, 2), 2.0))
    close(variable, V - 1, "after assign_sub")


def assign_returns_the_value():
    """assign gives the new value"""
    found = keras.Variable(V).assign(V + 1)
    if found is not None:
        close(found, V + 1)


def assign_copies():
    """Changing an array after assign changes no variable"""
    memory = np.ones(4 + 16, "float32")
    start = -memory.ctypes.data // 4 % 16  # where a tensor can share the memory
    values = memory[start : start + 4].reshape(2, 2)
    variable = keras.Variable(V)
    variable.assign(values)
    values[:] = 7
    close(variable, np.ones((2, 2)))


def variables_copy_their_array():
    """Changing an array after Variable(array) changes no variable"""
    values = np.ones((2, 2), "float32")
    variable = keras.Variable(values)
    values[:] = 7
    close(variable, np.ones((2, 2)))


def numpy_gives_a_copy():
    """variable.numpy() is an array with its value"""
    found = keras.Variable(V).numpy()
    equal([type(found).__name__, found.dtype.name], ["ndarray", "float32"], "type")
    close(found, V)


def variables_are_arrays_for_numpy():
    """np.asarray, np.sum and np.add take a Variable"""
    variable = keras.Variable(V)
    close(np.asarray(variable), V)
    close(np.sum(np.asarray(variable)), V.sum())


def ops_take_variables():
    """keras.ops take variables"""
    close(keras.ops.add(keras.Variable(V), keras.Variable(V)), 2 * V)
    close(keras.ops.matmul(keras.Variable(V), V), V @ V)
    close(keras.ops.concatenate([keras.Variable(V), keras.Variable(V)]), np.concatenate([V, V]))


@each(attribute=["shape", "dtype", "name", "path", "ndim", "trainable"])
def variables_have(attribute):
    """A Variable has a {attribute}"""
    found = getattr(keras.Variable(V, name="v"), attribute)
    expected = {"shape": (2, 2), "dtype": "float32", "name": "v", "path": "v", "ndim": 2, "trainable": True}[attribute]
    equal(tuple(found) if attribute == "shape" else found, expected, attribute)


@each(attribute=["overwrite_with_gradient", "regularizer", "constraint", "aggregation", "synchronization"])
def variables_have_settings(attribute):
    """A Variable knows its {attribute}"""
    variable = keras.Variable(V)
    if not hasattr(variable, attribute):
        need("keras.Variable." + attribute)
    expected = {
        "overwrite_with_gradient": [False],
        "aggregation": ["none", "mean", None],
        "synchronization": ["auto", None],
    }
    found = getattr(variable, attribute)
    true(found in expected.get(attribute, [None]), "%s is %s" % (attribute, found))


@each(aggregation=["none", "mean", "sum", "only_first_replica"])
def aggregation_is_kept(aggregation):
    """Variable(aggregation='{aggregation}') keeps it"""
    need("keras.Variable(aggregation)")
    try:
        variable = keras.Variable(V, aggregation=aggregation)
    except ValueError as error:
        if aggregation == "none":
            raise Lacking("this release knows no aggregation 'none'") from error
        raise
    equal(variable.aggregation, aggregation, "aggregation")


@each(aggregation=["none", "mean", "sum", "only_first_replica"])
def aggregation_reaches_tensorflow(aggregation):
    """Variable(aggregation='{aggregation}') sets TensorFlow's variable"""
    need("keras.Variable(aggregation)")
    if keras.config.backend() != "tensorflow":
        raise Lacking("it is about the backend tensorflow")
    if aggregation == "none" and keras.Variable(V).aggregation != "none":
        raise Lacking("this release knows no aggregation 'none'")
    inner = keras.Variable(V, aggregation=aggregation).value
    inner = getattr(inner, "_inner", inner)
    name = {"mean": "MEAN", "sum": "SUM", "none": "NONE", "only_first_replica": "ONLY_FIRST_REPLICA"}[aggregation]
    true(name in str(inner.aggregation), "TensorFlow's is %s" % inner.aggregation)


def aggregation_of_weights_is_given():
    """add_weight(aggregation=) is the variable's"""
    need("keras.Variable(aggregation)")
    layer = keras.layers.Layer()
    equal(layer.add_weight(shape=(2,), aggregation="sum").aggregation, "sum", "aggregation")


def constraints_are_kept():
    """Variable takes no constraint, but has one when it is set"""
    layer = keras.layers.Layer()
    weight = layer.add_weight(shape=(2,), constraint=keras.constraints.NonNeg())
    equal(type(weight.constraint).__name__, "NonNeg", "constraint")


@each(layer=["Dense(2, {})", "Conv1D(2, 2, {})", "EinsumDense('abc,cd->abd', output_shape=(4, 2), bias_axes='d', {})"])
def kernel_constraints_hold_after_training(layer):
    """kernel_constraint of {layer} holds after a step"""
    made = eval("keras.layers." + layer.format("kernel_constraint='non_neg'"))  # noqa: S307 - texts of this module
    model = keras.Sequential([keras.Input((4, 3)), made, keras.layers.GlobalAveragePooling1D()])
    model.compile(keras.optimizers.SGD(5.0), "mse", run_eagerly=True)
    model.train_on_batch(np.ones((2, 4, 3), "float32"), np.full((2, 2), -9.0))
    true(made.get_weights()[0].min() >= 0, "no entry of the kernel is negative")


def trainable_may_be_set():
    """variable.trainable may be set and read"""
    variable = keras.Variable(V)
    variable.trainable = False
    equal(variable.trainable, False, "trainable")


def repr_has_name_and_shape():
    """repr of a Variable has its path, shape and dtype"""
    text = repr(keras.Variable(V, name="mine"))
    true("mine" in text and "2, 2" in text and "float32" in text, "repr is %s" % text)


def standardize_names():
    """Variables without a name get different ones"""
    one, two = keras.Variable(V), keras.Variable(V)
    true(one.name != two.name, "%s and %s differ" % (one.name, two.name))


def stateless_scope_gives_the_mapped_value():
    """Inside StatelessScope(state_mapping) a variable has the mapped value"""
    variable = keras.Variable(V)
    with keras.StatelessScope(state_mapping=[(variable, keras.ops.ones((2, 2)))]) as scope:
        close(variable + 1.0, np.full((2, 2), 2.0), "inside")
        variable.assign(keras.ops.full((2, 2), 5.0))
        close(variable * 1.0, np.full((2, 2), 5.0), "after assign inside")
    close(variable, V, "outside")
    close(scope.get_current_value(variable), np.full((2, 2), 5.0), "of the scope")


def stateless_scope_refuses_other_shapes():
    """StatelessScope refuses a value of another shape"""
    variable = keras.Variable(V)
    refuses(lambda: keras.StatelessScope(state_mapping=[(variable, keras.ops.ones((3,)))]), "another shape")


def variables_in_a_stateless_scope_are_refused():
    """Inside StatelessScope an initialized Variable is refused or made later"""

    def makes():
        with keras.StatelessScope():
            return keras.Variable(V)

    refuses(makes, "a variable of an array")


def float_variables_keep_their_dtype_in_arithmetic():
    """float16 Variable + Python number stays float16"""
    found = keras.Variable(V, dtype="float16") + 1.5
    equal(keras.backend.standardize_dtype(found.dtype), "float16", "dtype")


def integer_variables_become_float_with_floats():
    """int32 Variable * 1.5 is a float"""
    found = keras.Variable(np.array([1, 2], "int32"), dtype="int32", trainable=False) * 1.5
    close(found, [1.5, 3.0])


def random_seed_generator_has_a_state():
    """SeedGenerator(seed).next() changes its state, and repeats with the seed"""
    one, two = keras.random.SeedGenerator(7), keras.random.SeedGenerator(7)
    first = array(one.next())
    equal(array(two.next()), first, "first draws")
    true((array(one.next()) != first).any(), "the second draw differs")


@each(seed=["'text'", "1.5", "[1, 2]"])
def seeds_must_be_integers(seed):
    """SeedGenerator({seed}) is refused"""
    refuses(lambda: keras.random.SeedGenerator(eval(seed)), seed)  # noqa: S307 - texts of this module


@each(dtype=["int32", "uint8", "bool"])
def variables_of_integers_need_no_further_argument(dtype):
    """Variable(array, dtype='{dtype}') works without trainable=False"""
    equal(keras.Variable(np.ones(3), dtype=dtype).dtype, dtype, "dtype")
