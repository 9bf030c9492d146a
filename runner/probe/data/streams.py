"""Generators, tf.data datasets and torch DataLoaders."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses, true


def _model():
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


def _out(model, x):
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    return np.asarray(x, "float64") @ kernel + bias


def _data(count=5):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _stream(kind, *arrays, size=2):
    """Returns the arrays' rows in batches of ``size``, as a stream of that kind."""
    count = len(arrays[0])
    parts = [slice(start, start + size) for start in range(0, count, size)]
    if kind == "generator":
        return (tuple(array[part] for array in arrays) for part in parts)
    if kind == "tensor generator":
        return (tuple(keras.ops.convert_to_tensor(array[part]) for array in arrays) for part in parts)
    if kind.startswith("tf.data"):
        tf = need("tensorflow")
        data = tf.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0])
        if kind == "tf.data unknown":
            data = data.filter(lambda *_: True)
        if kind == "tf.data generated":
            spec = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in arrays)
            made = [tuple(array[part] for array in arrays) for part in parts]
            return tf.data.Dataset.from_generator(lambda: iter(made), output_signature=spec)
        return data.batch(size)
    torch = need("torch")
    loader = need("torch.utils.data.DataLoader")
    tensors = [torch.tensor(array) for array in arrays]
    if kind == "DataLoader":
        return loader(torch.utils.data.TensorDataset(*tensors), batch_size=size)

    class Rows(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(list(zip(*tensors)))

    return loader(Rows(), batch_size=size)


KINDS = ["generator", "tensor generator", "tf.data", "tf.data unknown", "tf.data generated", "DataLoader"]
KINDS += ["iterable DataLoader"]
AGAIN = ["tf.data", "tf.data unknown", "tf.data generated", "DataLoader", "iterable DataLoader"]


@each(kind=KINDS)
def a_stream_gives_every_sample(kind):
    """fit sees each sample of a {kind} once, the short last batch too"""
    model, (x, y) = _model(), _data()
    expected = np.mean((_out(model, x) - y) ** 2)
    close(model.fit(_stream(kind, x, y), verbose=0).history["loss"], [expected], "loss")


@each(kind=KINDS, parts=["x", "x, y and w"])
def a_stream_is_predicted(kind, parts):
    """predict takes a {kind} of {parts}, and returns outputs in order"""
    model, (x, y) = _model(), _data()
    arrays = {"x": (x,), "x and y": (x, y), "x, y and w": (x, y, np.ones(5, "float32"))}[parts]
    close(model.predict(_stream(kind, *arrays), verbose=0), _out(model, x), "outputs")


@each(kind=KINDS)
def a_stream_has_weights(kind):
    """fit uses the sample weights of a {kind}"""
    model, (x, y), w = _model(), _data(), np.arange(1.0, 6.0, dtype="float32")
    expected = np.sum(w * (_out(model, x) - y)[:, 0] ** 2) / 5
    close(model.fit(_stream(kind, x, y, w), verbose=0).history["loss"], [expected], "loss")


@each(kind=["generator", "tf.data", "tf.data unknown"], compiled=["run_eagerly", "jit"])
def a_stream_gives_every_sample_in_several_steps(kind, compiled):
    """fit and predict in two steps at once see all of a {kind} ({compiled})"""
    model, (x, y) = _model(), _data()
    eagerly = compiled == "run_eagerly"
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=eagerly, steps_per_execution=2)
    expected = np.mean((_out(model, x) - y) ** 2)
    close(model.fit(_stream(kind, x, y), verbose=0).history["loss"], [expected], "loss")
    close(model.predict(_stream(kind, x), verbose=0), _out(model, x), "outputs")


@each(kind=["tf.data", "tf.data unknown"], steps=[2, 3])
def epochs_in_several_steps_begin_anew(kind, steps):
    """fit of a {kind} trains two epochs with steps_per_execution={steps}"""
    model, (x, y) = _model(), _data()
    model.compile(keras.optimizers.SGD(0.0), "mse", steps_per_execution=steps)
    expected = np.mean((_out(model, x) - y) ** 2)
    data, options = _stream(kind, x, y), {"epochs": 2, "verbose": 0}
    close(model.fit(data, **options).history["loss"], [expected] * 2, "losses")


@each(kind=AGAIN)
def a_stream_is_read_again_each_epoch(kind):
    """fit reads a {kind} from its beginning in each epoch"""
    model, (x, y) = _model(), _data()
    expected = np.mean((_out(model, x) - y) ** 2)
    history = model.fit(_stream(kind, x, y), epochs=2, verbose=0).history
    close(history["loss"], [expected] * 2, "losses")


@each(kind=AGAIN)
def a_stream_is_used_again(kind):
    """A {kind} serves fit, evaluate and predict one after another"""
    model, (x, y) = _model(), _data()
    data, expected = _stream(kind, x, y), np.mean((_out(model, x) - y) ** 2)
    close(model.fit(data, verbose=0).history["loss"], [expected], "loss of fit")
    close(model.evaluate(data, verbose=0), expected, "loss of evaluate")
    close(model.predict(data, verbose=0), _out(model, x), "outputs")


@each(kind=AGAIN)
def steps_limit_a_stream(kind):
    """evaluate(steps=2) takes the first two batches of a {kind}"""
    model, (x, y) = _model(), _data(8)
    expected = np.mean((_out(model, x) - y)[:4] ** 2)
    close(model.evaluate(_stream(kind, x, y), steps=2, verbose=0), expected, "loss")


@each(kind=["generator", "tf.data", "DataLoader"])
def epochs_go_on_in_a_stream(kind):
    """fit(steps_per_epoch=2) trains the second epoch on the next batches of a {kind}"""
    model, (x, y) = _model(), _data(8)
    error = (_out(model, x) - y)[:, 0] ** 2
    history = model.fit(_stream(kind, x, y), steps_per_epoch=2, epochs=2, verbose=0).history
    close(history["loss"], [error[:4].mean(), error[4:].mean()], "losses")


@each(kind=["tf.data", "DataLoader", "generator"])
def a_stream_tells_its_steps(kind):
    """params say the steps of a {kind}, or None where nobody knows"""
    found = []
    spy = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: found.append(spy.params["steps"]))
    x, y = _data()
    _model().fit(_stream(kind, x, y), verbose=0, callbacks=[spy])
    equal(found, [None if kind == "generator" else 3], "steps")


def an_endless_dataset_needs_steps():
    """fit takes steps_per_epoch batches of a repeated tf.data.Dataset"""
    model, (x, y) = _model(), _data(4)
    data = _stream("tf.data", x, y).repeat()
    expected = np.mean((_out(model, x) - y) ** 2)
    history = model.fit(data, steps_per_epoch=4, epochs=2, verbose=0).history
    close(history["loss"], [expected] * 2, "losses")


@each(kind=["generator", "tf.data"])
def a_stream_may_be_of_dicts(kind):
    """fit and predict take a {kind} whose inputs are a dict"""
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = given(keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(a - 2.0 * b)))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    (x, y), z = _data(), numbers(5, 2, seed=2)
    expected = np.mean((_out(model, x - 2.0 * z) - y) ** 2)

    def stream():
        if kind == "generator":
            return (({"b": z[n : n + 2], "a": x[n : n + 2]}, y[n : n + 2]) for n in (0, 2, 4))
        return need("tensorflow").data.Dataset.from_tensor_slices(({"b": z, "a": x}, y)).batch(2)

    close(model.fit(stream(), verbose=0).history["loss"], [expected], "loss")
    close(model.predict(stream(), verbose=0), _out(model, x - 2.0 * z), "outputs")


@each(kind=["list", "tuple"])
def a_stream_may_have_several_inputs(kind):
    """fit takes a generator whose inputs are a {kind}"""
    a, b = keras.Input((2,)), keras.Input((2,))
    model = given(keras.Model([a, b], keras.layers.Dense(1)(a - 2.0 * b)))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    (x, y), z = _data(4), numbers(4, 2, seed=2)
    make = list if kind == "list" else tuple
    stream = ((make([x[n : n + 2], z[n : n + 2]]), y[n : n + 2]) for n in (0, 2))
    expected = np.mean((_out(model, x - 2.0 * z) - y) ** 2)
    close(model.fit(stream, verbose=0).history["loss"], [expected], "loss")


@each(sizes=["2 4", "4 2", "1 3 2"])
def batches_of_a_generator_may_differ(sizes):
    """fit and predict take a generator with batches of {sizes} samples"""
    counts = [int(size) for size in sizes.split()]
    model, (x, y) = _model(), _data(sum(counts))
    ends = np.cumsum(counts)

    def stream():
        return ((x[end - n : end], y[end - n : end]) for n, end in zip(counts, ends))

    expected = np.mean((_out(model, x) - y) ** 2)
    close(model.fit(stream(), verbose=0).history["loss"], [expected], "loss of fit")
    close(model.predict(stream(), verbose=0), _out(model, x), "outputs")


def lengths_of_a_generator_may_differ():
    """fit takes a generator whose sequences differ in length from batch to batch"""
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    given(model).compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    lengths, y = [3, 5, 4], numbers(2, 1)
    x = [numbers(2, length, 2) for length in lengths]
    expected = np.mean([(_out(model, part.mean(axis=1)) - y) ** 2 for part in x])
    close(model.fit(((part, y) for part in x), verbose=0).history["loss"], [expected], "loss")


@each(method=["fit", "evaluate", "predict"])
def an_empty_generator_is_refused(method):
    """{method} refuses a generator that gives nothing, with a clear error"""
    refuses(lambda: getattr(_model(), method)((_ for _ in ()), verbose=0), "an empty generator")


@each(what=["a number", "four parts"])
def a_wrong_batch_is_refused(what):
    """fit refuses a generator that gives {what}"""
    x, y = _data(2)
    batch = 3.0 if what == "a number" else (x, y, np.ones(2, "float32"), y)
    refuses(lambda: _model().fit((batch for _ in range(2)), verbose=0), what)


def a_used_generator_is_refused_or_empty():
    """fit refuses a generator that was used up before"""
    x, y = _data(4)
    data, model = _stream("generator", x, y), _model()
    model.fit(data, verbose=0)
    refuses(lambda: model.fit(data, verbose=0), "a used generator")


@each(place=[0, 3])
def an_error_in_a_generator_comes_out(place):
    """An error in a generator's batch {place} comes out of fit, with its text"""
    x, y = _data(2)

    def batches():
        for n in range(5):
            if n == place:
                raise RuntimeError("mine is broken")
            yield x, y

    try:
        _model().fit(batches(), verbose=0)
    except Exception as error:
        true("mine is broken" in str(error), "the error's text is there, got %s" % error)
        return
    true(False, "an error comes out of fit")


def a_generator_is_not_read_beyond_its_steps():
    """fit(steps_per_epoch=3) reads about as many batches of a generator as it trains"""
    x, y = _data(2)
    count = []

    def endless():
        while True:
            count.append(1)
            yield x, y

    _model().fit(endless(), steps_per_epoch=3, verbose=0)
    true(len(count) <= 3 + 32, "it reads at most 35 batches for 3 steps, got %d" % len(count))


@each(dtype=["float64", "float16", "int64", "uint8", "bool"])
def a_generator_may_give_numbers_of_type(dtype):
    """fit and predict take a generator of {dtype}"""
    model, (_, y) = _model(), _data(4)
    x = np.random.RandomState(0).randint(0, 2, (4, 2)).astype(dtype)
    expected = np.mean((_out(model, x) - y) ** 2)
    close(model.fit(((x[n : n + 2], y[n : n + 2]) for n in (0, 2)), verbose=0).history["loss"], [expected], "loss")
    close(model.predict(((x[n : n + 2],) for n in (0, 2)), verbose=0), _out(model, x), "outputs")


@each(kind=["scipy.sparse", "tf.SparseTensor"])
def a_stream_may_be_sparse(kind):
    """fit takes sparse batches ({kind}) of a generator or tf.data.Dataset"""
    if keras.backend.backend() == "torch":
        return  # it has no sparse tensors in Keras
    model, (_, y) = _model(), _data(4)
    x = np.array([[0, 1], [2, 0], [0, 0], [3, 4]], "float32")
    expected = np.mean((_out(model, x) - y) ** 2)
    if kind == "scipy.sparse":
        made = need("scipy.sparse.csr_matrix")
        data = ((made(x[n : n + 2]), y[n : n + 2]) for n in (0, 2))
    else:
        tf = need("tensorflow")
        data = tf.data.Dataset.from_tensor_slices((tf.sparse.from_dense(x), y)).batch(2)
    close(model.fit(data, verbose=0).history["loss"], [expected], "loss")


def a_dataset_without_batches_is_refused():
    """predict refuses a tf.data.Dataset that was not batched"""
    data = need("tensorflow").data.Dataset.from_tensor_slices(numbers(4, 2))
    refuses(lambda: _model().predict(data, verbose=0), "a dataset of single samples")


def a_static_batch_size_is_kept():
    """predict takes a tf.data.Dataset of batches of a fixed size"""
    model, (x, _) = _model(), _data(4)
    data = need("tensorflow").data.Dataset.from_tensor_slices(x).batch(2, drop_remainder=True)
    close(model.predict(data, verbose=0), _out(model, x), "outputs")


@each(batches=["dict", "list", "batch_size=None"])
def a_data_loader_may_give(batches):
    """fit takes a torch DataLoader of batches that are: {batches}"""
    torch = need("torch")
    loader = need("torch.utils.data.DataLoader")
    model, (x, y) = _model(), _data(4)
    expected = np.mean((_out(model, x) - y) ** 2)

    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return 2 if batches == "batch_size=None" else 4

        def __getitem__(self, n):
            part = slice(2 * n, 2 * n + 2) if batches == "batch_size=None" else n
            if n >= len(self):
                raise IndexError
            if batches == "dict":
                return {"a": torch.tensor(x[part])}, torch.tensor(y[part])
            return [torch.tensor(x[part]), torch.tensor(y[part])]

    if batches == "dict":
        inputs = keras.Input((2,), name="a")
        model = given(keras.Model({"a": inputs}, keras.layers.Dense(1)(inputs)))
        model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    data = loader(Rows(), batch_size=None if batches == "batch_size=None" else 2)
    close(model.fit(data, verbose=0).history["loss"], [expected], "loss")


@each(option=["drop_last", "shuffle", "num_workers"])
def a_data_loader_has_its_options(option):
    """fit takes a torch DataLoader with {option}"""
    torch = need("torch")
    loader = need("torch.utils.data.DataLoader")
    model, (x, y) = _model(), _data(5)
    dataset = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    options = {"drop_last": {"drop_last": True}, "shuffle": {"shuffle": True}, "num_workers": {"num_workers": 0}}[
        option
    ]
    error = (_out(model, x) - y)[:, 0] ** 2
    expected = error[:4].mean() if option == "drop_last" else error.mean()
    close(model.fit(loader(dataset, batch_size=2, **options), verbose=0).history["loss"], [expected], "loss")


def class_weights_for_a_data_loader_are_refused():
    """fit refuses class_weight for a torch DataLoader"""
    x, y = _data(4)
    refuses(lambda: _model().fit(_stream("DataLoader", x, y), class_weight={0: 1.0}, verbose=0), "class_weight")


@each(form=["x", "(x,)", "(x, y)", "(x, y, w)", "[x, y]"])
def batches_are_taken_apart(form):
    """keras.utils.unpack_x_y_sample_weight takes {form} apart"""
    unpack = need("keras.utils.unpack_x_y_sample_weight")
    x, y, w = numbers(2), numbers(2, seed=1), numbers(2, seed=2)
    value = {"x": x, "(x,)": (x,), "(x, y)": (x, y), "(x, y, w)": (x, y, w), "[x, y]": [x, y]}[form]
    expected = (x, y if "y" in form else None, w if "w" in form else None)
    equal(unpack(value), expected, "parts")


@each(form=["x", "x, y", "x, y, w", "list"])
def batches_are_put_together(form):
    """keras.utils.pack_x_y_sample_weight puts {form} together"""
    pack = need("keras.utils.pack_x_y_sample_weight")
    x, y, w = numbers(2), numbers(2, seed=1), numbers(2, seed=2)
    if form == "list":
        equal(pack([x, y]), ([x, y],), "parts")
    else:
        parts = (x, y, w)[: len(form.split(","))]
        equal(pack(*parts), x if form == "x" else parts, "parts")


def one_batch_of_a_generator_is_enough():
    """A generator of one batch is enough for fit"""
    model, (x, y) = _model(), _data(2)
    close(
        model.fit(((x, y) for _ in range(1)), verbose=0).history["loss"], [np.mean((_out(model, x) - y) ** 2)], "loss"
    )
