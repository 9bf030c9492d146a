"""Arrays of every kind: what fit, evaluate and predict make of them."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses, true


def _model(units=1, inputs=3):
    model = given(keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(units)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


def _out(model, x):
    """Returns the outputs in float64."""
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    return np.asarray(x, "float64") @ kernel + bias


class _Like:
    """Something that NumPy can convert."""

    def __init__(self, values):
        self.values = values
        self.shape = values.shape
        self.dtype = values.dtype

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


WHOLE = ["int8", "uint8", "int16", "int32", "int64", "bool"]
FLOATS = ["ndarray", "float64", "float16", "Fortran", "strided", "reversed", "read-only", "DataFrame", "DataFrame64"]
FLOATS += ["DataFrame16", "mixed DataFrame", "indexed DataFrame", "backend tensor", "tf.Tensor", "torch.Tensor"]
FLOATS += ["jax.Array", "scipy.sparse", "scipy.sparse csc", "memmap", "array-like", "keras.Variable"]
TARGETS = ["ndarray", "float64", "float16", "int64", "bool", "Series", "int Series", "bool Series", "indexed Series"]
TARGETS += ["DataFrame", "backend tensor", "tf.Tensor", "torch.Tensor", "jax.Array", "one-dimensional"]


def _in_pandas(kind, x):
    pandas = need("pandas")
    index = list("zyxwvutsr")[: len(x)] if "indexed" in kind else None
    if kind == "mixed DataFrame":
        return pandas.DataFrame({"a": x[:, 0].astype("int64"), "b": x[:, 1], "c": x[:, 2].astype("float64")})
    if "DataFrame" in kind:
        return pandas.DataFrame(
            x.astype({"DataFrame64": "float64", "DataFrame16": "float16"}.get(kind, "float32")), index
        )
    kinds = {"int Series": "int64", "bool Series": "bool"}
    return pandas.Series(x[:, 0].astype(kinds.get(kind, "float32")), index)


def _tensor(kind, x):
    if kind == "backend tensor":
        return keras.ops.convert_to_tensor(x)
    if kind == "tf.Tensor":
        return need("tensorflow").constant(x)
    if kind == "torch.Tensor":
        return need("torch").tensor(x)
    if kind == "jax.Array":
        return need("jax.numpy").asarray(x)
    return keras.Variable(x)


def _held(kind, x):
    """Returns ``x``, whose numbers are whole, in a container of that kind."""
    if kind in WHOLE or kind in ("float64", "float16"):
        return x.astype(kind)
    if kind == "Fortran":
        return np.asfortranarray(x)
    if kind == "strided":
        return np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2]
    if kind == "reversed":
        return x[::-1].copy()[::-1]
    if kind == "read-only":
        x = x.copy()
        x.flags.writeable = False
        return x
    if "DataFrame" in kind or "Series" in kind:
        return _in_pandas(kind, x)
    if kind in ("backend tensor", "tf.Tensor", "torch.Tensor", "jax.Array", "keras.Variable"):
        return _tensor(kind, x)
    if kind.startswith("scipy.sparse"):
        return getattr(need("scipy.sparse"), "csc_matrix" if "csc" in kind else "csr_matrix")(x)
    if kind == "memmap":
        made = np.memmap("x.bin", dtype=x.dtype, mode="w+", shape=x.shape)
        made[:] = x
        return made
    if kind == "array-like":
        return _Like(x)
    return x[:, 0] if kind == "one-dimensional" else x


def _whole(*shape, seed=0, most=3):
    """Returns whole numbers from 0 on, as float32."""
    return np.random.RandomState(seed).randint(0, most, shape).astype("float32")


@each(kind=[kind for kind in FLOATS if kind != "keras.Variable"])
def inputs_may_be(kind):
    """fit takes inputs that are a {kind}"""
    model, x, y = _model(), _whole(5, 3), numbers(5, 1)
    held, out = _held(kind, x), _out(model, x)
    close(model.fit(held, y, batch_size=2, verbose=0).history["loss"], [np.mean((out - y) ** 2)], "loss")


@each(kind=["ndarray", "mixed DataFrame", "backend tensor", "scipy.sparse", "float64"])
def inputs_to_predict_may_be(kind):
    """predict takes inputs that are a {kind}"""
    model, x = _model(), _whole(5, 3)
    close(model.predict(_held(kind, x), batch_size=2, verbose=0), _out(model, x), "outputs")


@each(kind=WHOLE)
def inputs_may_be_whole_numbers(kind):
    """fit takes inputs of type {kind}"""
    model, x, y = _model(), _whole(5, 3, most=2), numbers(5, 1)
    held, out = _held(kind, x), _out(model, x)
    close(model.fit(held, y, batch_size=2, verbose=0).history["loss"], [np.mean((out - y) ** 2)], "loss")


@each(kind=TARGETS)
def targets_may_be(kind):
    """fit takes targets that are a {kind}"""
    model, x, y = _model(), numbers(5, 3), _whole(5, 1, most=2)
    held, expected = _held(kind, y), np.mean((_out(model, x) - y) ** 2)
    close(model.fit(x, held, batch_size=2, verbose=0).history["loss"], [expected], "loss")


@each(kind=["ndarray", "float64", "int64", "Series", "int Series", "backend tensor", "tf.Tensor", "torch.Tensor"])
def sample_weights_may_be(kind):
    """fit takes sample weights that are a {kind}"""
    model, x, y, w = _model(), numbers(5, 3), numbers(5, 1, seed=1), np.arange(1.0, 6.0, dtype="float32")
    held = w.astype(kind) if kind in ("float64", "int64") else w
    if "Series" in kind:
        held = need("pandas").Series(w.astype("int64" if kind == "int Series" else "float32"))
    elif kind not in ("ndarray", "float64", "int64"):
        held = _held(kind, w)
    expected = np.sum(w * (_out(model, x) - y)[:, 0] ** 2) / 5
    close(model.fit(x, y, sample_weight=held, batch_size=2, verbose=0).history["loss"], [expected], "loss")


@each(kind=["ndarray", "DataFrame", "backend tensor", "scipy.sparse"])
def shuffled_rows_stay_together(kind):
    """fit shuffles inputs ({kind}), targets and weights in the same way"""
    model, x, y, w = _model(), _whole(9, 3), numbers(9, 1), np.arange(1.0, 10.0, dtype="float32")
    expected = np.sum(w * (_out(model, x) - y)[:, 0] ** 2) / 9
    history = model.fit(_held(kind, x), y, sample_weight=w, batch_size=2, shuffle=True, verbose=0).history
    close(history["loss"], [expected], "loss")


@each(kind=["ndarray", "float64", "float16", "Fortran", "strided", "reversed", "read-only", "backend tensor"])
def one_batch_may_be(kind):
    """train_on_batch, test_on_batch and predict_on_batch take a {kind}"""
    model, x, y = _model(), _whole(4, 3), numbers(4, 1)
    held, out = _held(kind, x), _out(model, x)
    close(model.train_on_batch(held, y), np.mean((out - y) ** 2), "loss of train_on_batch")
    close(model.test_on_batch(held, y), np.mean((out - y) ** 2), "loss of test_on_batch")
    close(model.predict_on_batch(held), out, "outputs of predict_on_batch")


@each(kind=["ndarray", "DataFrame", "backend tensor", "torch.Tensor", "tf.Tensor", "float64", "float16"])
def a_model_may_be_called_with(kind):
    """A model can be called with a {kind}"""
    model, x = _model(), _whole(4, 3)
    close(model(_held(kind, x)), _out(model, x), "outputs")


def _seen(dtype, x, method="predict"):
    """Returns the types of the batches that reach a layer which converts nothing."""
    found = []

    class Look(keras.layers.Layer):
        def call(self, x):
            found.append(keras.backend.standardize_dtype(x.dtype))
            return keras.ops.cast(x, "float32")

        def compute_output_shape(self, shape):
            return shape

    inputs = keras.Input((2,), dtype=dtype)
    model = keras.Model(inputs, Look(autocast=False)(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    del found[:]
    result = model.predict(x, verbose=0)
    return set(found), result


@each(dtype=["int8", "uint8", "int16", "int32", "int64", "bool", "float16", "float32"])
def types_reach_the_model(dtype):
    """An input of type {dtype} gets arrays of {dtype} unchanged"""
    x = np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)
    found, result = _seen(dtype, x)
    if dtype == "int64" and keras.backend.backend() == "jax":
        dtype = "int32"  # jax has 64 bits only where they are asked for
    equal(found, {dtype}, "types")
    close(result, x.astype("float32"), "values")


@each(dtype=["int32", "int64"])
def large_whole_numbers_stay_exact(dtype):
    """Whole numbers ({dtype}) beyond float32's 24 bits reach an Embedding exactly"""
    x = np.array([[16777217, 16777219]], dtype)

    class Rest(keras.layers.Layer):
        def call(self, x):
            return keras.ops.cast(x - 16777216, "float32")

        def compute_output_shape(self, shape):
            return shape

    inputs = keras.Input((2,), dtype=dtype)
    model = keras.Model(inputs, Rest(autocast=False)(inputs))
    close(model.predict(x, verbose=0), [[1.0, 3.0]], "numbers")


@each(dtype=["float64", "float16"])
def floats_become_the_models(dtype):
    """Arrays of {dtype} become float32 for a float32 model"""
    x = np.array([[0.5, 1.5]], dtype)
    found, result = _seen("float32", x)
    equal(found, {"float32"}, "types")
    close(result, [[0.5, 1.5]], "values")


@each(dtype=["int64", "uint8", "float32"])
def labels_may_be_of_type(dtype):
    """Sparse labels may be {dtype}"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=["accuracy"], run_eagerly=True)
    x, y = numbers(5, 3), np.array([0, 1, 2, 1, 0])
    out = _out(model, x)
    logs = model.fit(x, y.astype(dtype), batch_size=2, verbose=0).history
    losses = np.log(np.exp(out).sum(axis=1)) - out[np.arange(5), y]
    close(logs["loss"], [losses.mean()], "loss")
    close(logs["accuracy"], [np.mean(out.argmax(axis=1) == y)], "accuracy")


@each(kind=["tf.SparseTensor", "tf.RaggedTensor"])
def tensorflows_own_kinds_are_taken(kind):
    """predict takes a {kind} as it takes an array"""
    tf = need("tensorflow")
    x = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 5.0], [0.0, 0.0, 6.0]], "float32")
    model = _model()
    if kind == "tf.SparseTensor":
        held = tf.sparse.from_dense(x)
        close(model.predict(held, batch_size=2, verbose=0), _out(model, x), "outputs")
    else:
        held = tf.RaggedTensor.from_tensor(x)
        model = keras.Sequential([keras.layers.Lambda(lambda x: keras.ops.convert_to_tensor(x) * 2.0)])
        if keras.backend.backend() != "tensorflow":
            close(model.predict(held, batch_size=2, verbose=0), x * 2, "outputs")


@each(kind=["coo_matrix", "csr_array"])
def sparse_inputs_give_the_same(kind):
    """fit and predict take a scipy {kind}, short last batch included"""
    x, y = _whole(5, 3), numbers(5, 1)
    held, model = need("scipy.sparse." + kind)(x), _model()
    close(model.predict(held, batch_size=2, verbose=0), _out(model, x), "outputs")
    history = model.fit(held, y, batch_size=2, shuffle=False, verbose=0).history
    close(history["loss"], [np.mean((_out(model, x) - y) ** 2)], "loss")


@each(kind=["Int64", "Float32", "boolean"])
def nullable_columns_are_numbers(kind):
    """predict takes a DataFrame of pandas's nullable {kind}"""
    pandas = need("pandas")
    x = _whole(4, 3, most=2)
    held = pandas.DataFrame({name: pandas.array(x[:, n].astype("int64"), "Int64") for n, name in enumerate("abc")})
    held = held.astype(kind)
    model = _model()
    try:
        found = model.predict(held, batch_size=2, verbose=0)
    except (ValueError, TypeError):
        return
    close(found, _out(model, x), "outputs")


def a_series_is_a_column():
    """A Series as inputs is one column"""
    pandas = need("pandas")
    model, x = _model(inputs=1), _whole(5, 1)
    close(model.predict(pandas.Series(x[:, 0]), batch_size=2, verbose=0), _out(model, x), "outputs")


def strings_reach_a_string_model():
    """tensorflow: strings in an array reach a model of strings"""
    if keras.backend.backend() != "tensorflow":
        return  # no other backend has strings in models
    layer = keras.layers.StringLookup(vocabulary=["a", "b"])
    model = keras.Sequential([keras.Input((1,), dtype="string"), layer])
    for x in (np.array([["b"], ["a"], ["z"]]), np.array([["b"], ["a"], ["z"]], dtype=object)):
        found = model.predict(need("tensorflow").constant(x), batch_size=2, verbose=0)
        equal(found, np.array([[2], [1], [0]]), "outputs")


@each(what=["text", "dict of texts", "set"])
def what_is_no_data_is_refused(what):
    """predict refuses a {what} with a clear error"""
    x = {"text": "no data", "dict of texts": {"a": "no data"}, "set": {1, 2}}[what]
    refuses(lambda: _model().predict(x, verbose=0), what)


def data_of_different_lengths_are_refused():
    """fit refuses inputs and targets of different lengths, and says both"""
    message = refuses(lambda: _model().fit(numbers(5, 3), numbers(4, 1), verbose=0), "5 inputs and 4 targets")
    true("5" in message and "4" in message, "the message has both numbers, got %s" % message)


def weights_of_another_length_are_refused():
    """fit refuses sample weights of another length"""
    refuses(
        lambda: _model().fit(numbers(5, 3), numbers(5, 1), sample_weight=np.ones(4), verbose=0), "5 samples, 4 weights"
    )


@each(method=["fit", "evaluate", "predict"])
def data_of_a_wrong_width_are_refused(method):
    """{method} refuses inputs of a wrong width"""
    targets = () if method == "predict" else (numbers(4, 1),)
    refuses(lambda: getattr(_model(), method)(numbers(4, 2), *targets, verbose=0), "2 columns for 3")


def an_array_is_left_as_it_was():
    """fit leaves the arrays that it is given as they were"""
    x, y, w = numbers(5, 3), numbers(5, 1), np.ones(5, "float32")
    kept = x.copy(), y.copy(), w.copy()
    _model().fit(x, y, sample_weight=w, epochs=2, batch_size=2, verbose=0)
    equal([x, y, w], list(kept), "arrays after fit")
