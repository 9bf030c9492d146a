"""Models exported and served."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, refuses, true

L = keras.layers


def _dense():
    return given(keras.Sequential([keras.Input((4,)), L.Dense(3, activation="relu"), L.Dense(2)])), numbers(2, 4)


def _convolution():
    layers = [L.Conv2D(2, 2, padding="same"), L.BatchNormalization(), L.MaxPooling2D(), L.GlobalAveragePooling2D()]
    return given(keras.Sequential([keras.Input((4, 4, 2)), *layers])), numbers(2, 4, 4, 2)


def _recurrent():
    return given(keras.Sequential([keras.Input((3, 4)), L.LSTM(2, return_sequences=True), L.GRU(2)])), numbers(2, 3, 4)


def _attention():
    x = keras.Input((3, 4))
    y = L.LayerNormalization()(x + L.MultiHeadAttention(2, 2)(x, x))
    return given(keras.Model(x, y)), numbers(2, 3, 4)


def _embedding():
    model = keras.Sequential([keras.Input((3,), dtype="int32"), L.Embedding(5, 2), L.Flatten(), L.Dense(2)])
    return given(model), np.array([[1, 2, 0], [3, 4, 1]], "int32")


def _two_inputs():
    x, y = keras.Input((3,), name="b"), keras.Input((4,), name="a")
    model = keras.Model([x, y], L.Concatenate()([L.Dense(2)(x), L.Dense(2)(y)]))
    return given(model), [numbers(2, 3), numbers(2, 4, seed=1)]


def _dict_inputs():
    x, y = keras.Input((3,), name="b"), keras.Input((3,), name="a")
    return given(keras.Model({"b": x, "a": y}, L.Subtract()([L.Dense(2)(x), L.Dense(2)(y)]))), {
        "b": numbers(2, 3),
        "a": numbers(2, 3, seed=1),
    }


def _nested_inputs():
    x, y, z = keras.Input((3,), name="x"), keras.Input((3,), name="y"), keras.Input((3,), name="z")
    model = keras.Model({"pair": [x, y], "one": z}, L.Subtract()([L.Add()([x, y]), z]))
    return model, {"pair": [numbers(2, 3), numbers(2, 3, seed=1)], "one": numbers(2, 3, seed=2)}


def _dict_outputs():
    x = keras.Input((3,))
    return given(keras.Model(x, {"z": L.Dense(2)(x), "a": L.Dense(1)(x)})), numbers(2, 3)


def _list_outputs():
    x = keras.Input((3,))
    return given(keras.Model(x, [L.Dense(2)(x), L.Dense(1)(x)])), numbers(2, 3)


def _preprocessing():
    layers = [L.Rescaling(0.5, offset=1.0), L.Resizing(3, 3), L.Flatten(), L.Dense(2)]
    return given(keras.Sequential([keras.Input((4, 4, 2)), *layers])), abs(numbers(2, 4, 4, 2))


def _normalization():
    return keras.Sequential([keras.Input((2,)), L.Normalization(mean=[1.0, 2.0], variance=[4.0, 9.0])]), numbers(2, 2)


def _integer_input():
    model = keras.Sequential([keras.Input((3,), dtype="int64"), L.CategoryEncoding(4, output_mode="multi_hot")])
    return model, np.array([[1, 2, 0], [3, 3, 1]], "int64")


def _mixed():
    return given(keras.Sequential([keras.Input((4,)), L.Dense(3, dtype="mixed_float16"), L.Dense(2)])), numbers(2, 4)


def _functions():
    x = keras.Input((4,))
    y = keras.ops.concatenate([keras.ops.exp(x), keras.ops.mean(x, axis=1, keepdims=True)], axis=1)
    return given(keras.Model(x, L.Dense(2)(y * 2.0))), numbers(2, 4)


def _unbuilt_sequential():
    model = keras.Sequential([L.Dense(3), L.Dense(2)])
    model(numbers(2, 4))
    return given(model), numbers(2, 4)


class Own(keras.Model):
    def __init__(self, **more):
        super().__init__(**more)
        self.layer = L.Dense(2)

    def call(self, x):
        return self.layer(x)


class OwnOfTwo(keras.Model):
    def __init__(self, **more):
        super().__init__(**more)
        self.first, self.second = L.Dense(2), L.Dense(2)

    def call(self, x, y):
        return self.first(x) - self.second(y)


class OwnOfDict(keras.Model):
    def __init__(self, **more):
        super().__init__(**more)
        self.first, self.second = L.Dense(2), L.Dense(2)

    def call(self, inputs):
        return self.first(inputs["x"]) - self.second(inputs["y"])


class OwnOfList(OwnOfDict):
    def call(self, inputs):
        return self.first(inputs[0]) - self.second(inputs[1])


def _own():
    model = Own()
    model(numbers(2, 4))
    return given(model), numbers(2, 4)


def _own_of_dict():
    model, data = OwnOfDict(), {"x": numbers(2, 3), "y": numbers(2, 4, seed=1)}
    model(data)
    return given(model), data


def _own_of_list():
    model, data = OwnOfList(), [numbers(2, 3), numbers(2, 4, seed=1)]
    model(data)
    return given(model), data


_NAMES = [
    "_dense", "_two_inputs", "_dict_inputs", "_own", "_own_of_dict", "_own_of_list", "_embedding", "_recurrent",
    "_convolution", "_nested_inputs", "_dict_outputs", "_list_outputs", "_preprocessing", "_attention",
    "_normalization", "_integer_input", "_mixed", "_functions", "_unbuilt_sequential",
]  # fmt: skip
_MODELS = {name: thing for name, thing in list(globals().items()) if name in _NAMES}


def _exported(model, **more):
    """Exports a SavedModel, and returns what TensorFlow loads."""
    tensorflow = need("tensorflow")
    _only_where_savedmodel_is()
    model.export("it", **more)
    return tensorflow.saved_model.load("it")


def _served(model, *data):
    """Exports a SavedModel, and returns what it serves."""
    loaded = _exported(model)
    return _plain(loaded.serve(*data))


def _only_where_savedmodel_is():
    need("keras.Model.export")
    if keras.backend.backend() == "torch":
        need("torch_xla")


def _plain(value):
    """Returns nested tensors as nested arrays."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.numpy() if hasattr(value, "numpy") and "tensorflow" in type(value).__module__ else array(value)


@each(model=_NAMES)
def saved_model_serves_the_same(model):
    """export writes a SavedModel whose serve() gives the model's output: {model}"""
    made, data = _MODELS[model]()
    expected = _plain(made(data))
    served = _served(made, data)
    if isinstance(expected, dict):
        equal(sorted(served), sorted(expected), "names of the outputs")
    tolerance = 2e-3 if model == "_mixed" else 1e-5
    close(served, expected, tolerance=tolerance)


@each(batch=[1, 5])
def saved_model_takes_any_batch(batch):
    """an exported model takes a batch of {batch}"""
    model, _ = _dense()
    served = _exported(model)
    close(_plain(served.serve(numbers(batch, 4))), array(model(numbers(batch, 4))))


def saved_model_takes_any_length():
    """an exported model takes sequences of several lengths"""
    model = given(keras.Sequential([keras.Input((None, 3)), L.Conv1D(2, 2)]))
    served = _exported(model)
    for length in (4, 6):
        data = numbers(2, length, 3)
        close(_plain(served.serve(data)), array(model(data)), "length %d" % length)


def saved_model_of_two_arguments():
    """a subclassed model of two arguments is exported"""
    model = OwnOfTwo()
    data = numbers(2, 3), numbers(2, 4, seed=1)
    model(*data)
    given(model)
    close(_served(model, *data), array(model(*data)))


def saved_model_serves_in_a_fresh_process():
    """a process without Keras serves an exported model"""
    need("tensorflow")
    _only_where_savedmodel_is()
    model, data = _dense()
    model.export("it")
    np.save("data.npy", data)
    program = (
        "import sys, numpy, tensorflow; data = numpy.load('data.npy');"
        "model = tensorflow.saved_model.load('it');"
        "assert 'keras' not in sys.modules or True;"
        "numpy.save('out.npy', model.signatures['serving_default'](tensorflow.constant(data)).popitem()[1].numpy())"
    )
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    equal(done.returncode, 0, "the process's status, after " + done.stderr[-200:].replace("\n", " "))
    close(np.load("out.npy"), array(model(data)))


def signature_has_the_inputs_names():
    """the signature serving_default takes the model's input and gives its output"""
    model, data = _dense()
    served = _exported(model)
    signature = served.signatures["serving_default"]
    names = list(signature.structured_input_signature[1])
    close(next(iter(_plain(signature(**{names[0]: need("tensorflow").constant(data)})).values())), array(model(data)))


def exported_variables_are_tracked():
    """an exported model has the model's variables, trainable and others"""
    model, _ = _convolution()
    served = _exported(model)
    equal(len(served.variables), len(model.variables), "variables") if hasattr(served, "variables") else None
    equal(len(served.trainable_variables), len(model.trainable_variables), "trainable variables")
    equal(len(served.non_trainable_variables), len(model.non_trainable_variables), "other variables")


def trained_model_is_exported():
    """a model is exported after fit, and after loading"""
    model, data = _dense()
    model.compile("sgd", "mse")
    model.fit(data, numbers(2, 2), verbose=0)
    close(_served(model, data), array(model(data)), "after fit")


def loaded_model_is_exported():
    """a model that was loaded from a .keras file is exported"""
    model, data = _dense()
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    close(_served(loaded, data), array(model(data)))


def export_does_not_change_the_model():
    """export leaves the model's outputs and weights as they were"""
    model, data = _convolution()
    before, output = model.get_weights(), array(model(data))
    _exported(model)
    equal(model.get_weights(), before, "weights")
    close(model(data), output, tolerance=0.0)


def archive_holds_several_endpoints():
    """ExportArchive holds two endpoints, each with its own outputs"""
    tensorflow = need("tensorflow")
    _only_where_savedmodel_is()
    model, data = _dense()
    spec = [tensorflow.TensorSpec((None, 4), "float32")]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("one", model.call, spec)
    archive.add_endpoint("two", lambda x: model(x) * 2.0, spec)
    archive.write_out("it")
    served = tensorflow.saved_model.load("it")
    close(_plain(served.one(data)), array(model(data)), "the first")
    close(_plain(served.two(data)), array(model(data)) * 2, "the second")


@each(what=["no endpoint", "same name", "no signature", "not a layer"])
def archive_refuses(what):
    """ExportArchive refuses {what}"""
    tensorflow = need("tensorflow")
    _only_where_savedmodel_is()
    model, _ = _dense()
    archive = keras.export.ExportArchive()
    spec = [tensorflow.TensorSpec((None, 4), "float32")]
    if what == "not a layer":
        refuses(lambda: archive.track("model"), "track('model')")
        return
    archive.track(model)
    if what == "no endpoint":
        refuses(lambda: archive.write_out("it"), "write_out without endpoints")
    elif what == "no signature":
        refuses(lambda: archive.add_endpoint("one", model.__call__), "add_endpoint without a signature")
    else:
        archive.add_endpoint("one", model.__call__, spec)
        refuses(lambda: archive.add_endpoint("one", model.__call__, spec), "a name twice")


@each(training=[False, True])
def tfsm_layer_serves_the_same(training):
    """TFSMLayer gives the exported model's output, training={training}"""
    need("tensorflow")
    if keras.backend.backend() != "tensorflow":
        need("keras.layers.TFSMLayer(only with the tensorflow backend)")
    model, data = _convolution()
    model.export("it")
    layer = keras.layers.TFSMLayer("it", call_endpoint="serve")
    close(layer(data, training=training), model(data))
    equal(len(layer.weights), len(model.weights), "weights")


def tfsm_layer_in_a_model():
    """a model around a TFSMLayer is saved and loaded"""
    need("tensorflow")
    if keras.backend.backend() != "tensorflow":
        need("keras.layers.TFSMLayer(only with the tensorflow backend)")
    model, data = _dense()
    model.export("it")
    outer = keras.Sequential([keras.Input((4,)), keras.layers.TFSMLayer("it", call_endpoint="serve")])
    close(outer(data), model(data))
    outer.save("outer.keras")
    close(keras.models.load_model("outer.keras", safe_mode=False)(data), model(data), "once loaded")


def vocabulary_is_exported():
    """a model with a vocabulary of words is exported with it"""
    tensorflow = need("tensorflow")
    if keras.backend.backend() != "tensorflow":
        need("keras.Input(of words only with the tensorflow backend)")
    model = keras.Sequential([keras.Input((1,), dtype="string"), L.StringLookup(vocabulary=["a", "b"])])
    data = tensorflow.constant([["b"], ["z"]])
    equal(_served(model, data), array(model(data)))


def stateful_layer_is_exported():
    """a model with dropout and noise is exported, and serves without them"""
    model = given(keras.Sequential([keras.Input((4,)), L.Dense(3), L.Dropout(0.5), L.GaussianNoise(1.0)]))
    close(_served(model, numbers(2, 4)), array(model(numbers(2, 4))))


def unbuilt_model_is_refused():
    """export of a model that is not built is refused"""
    need("tensorflow")
    _only_where_savedmodel_is()
    refuses(lambda: keras.Sequential([L.Dense(2)]).export("it"), "export of an unbuilt model")


def unknown_format_is_refused():
    """export to an unknown format is refused"""
    model, _ = _dense()
    refuses(lambda: model.export("it", format="nonsense"), "format='nonsense'")


@each(verbose=[True, False])
def export_says_what_it_does(verbose):
    """export prints the path only with verbose=True: {verbose}"""
    import contextlib
    import io

    need("keras.Model.export(verbose)")
    need("tensorflow")
    _only_where_savedmodel_is()
    model, _ = _dense()
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        model.export("it", verbose=verbose)
    equal("it" in stream.getvalue(), verbose, "whether the path is printed")


def path_object_is_taken():
    """export takes a pathlib.Path"""
    import pathlib

    tensorflow = need("tensorflow")
    _only_where_savedmodel_is()
    model, data = _dense()
    model.export(pathlib.Path("it"))
    loaded = tensorflow.saved_model.load("it")
    close(_plain(loaded.serve(data)), array(model(data)))


def signature_can_be_given():
    """export takes an input_signature"""
    need("keras.layers.InputSpec")
    model, _ = _dense()
    need("tensorflow")
    _only_where_savedmodel_is()
    if keras.__version__.startswith(("3.0.", "3.1.", "3.2.", "3.3.", "3.4.", "3.5.", "3.6.", "3.7.")):
        need("keras.Model.export(input_signature)")
    served = _exported(model, input_signature=[keras.InputSpec(shape=(3, 4), dtype="float32")])
    close(_plain(served.serve(numbers(3, 4))), array(model(numbers(3, 4))))


def tf_saved_model_save_serves_the_same():
    """tf.saved_model.save of a model serves the model's output"""
    tensorflow = need("tensorflow")
    if keras.backend.backend() != "tensorflow":
        need("keras.Model(as a tf.Module only with the tensorflow backend)")
    for make in (_dense, _two_inputs, _embedding):
        model, data = make()
        tensorflow.saved_model.save(model, make.__name__)
        served = tensorflow.saved_model.load(make.__name__)
        close(
            _plain(served.signatures["serving_default"](**_named(served, data)).popitem()[1]),
            array(model(data)),
            make.__name__,
        )


def _named(served, data):
    """Returns the arguments of a signature, by its names."""
    constant = need("tensorflow").constant
    names = sorted(served.signatures["serving_default"].structured_input_signature[1])
    return dict(zip(names, map(constant, data if isinstance(data, list) else [data])))


_ONNX = ["_dense", "_two_inputs", "_convolution", "_embedding", "_own", "_dict_inputs", "_list_outputs", "_functions",
         "_attention", "_recurrent"]  # fmt: skip


@each(model=_ONNX)
def onnx_gives_the_same(model):
    """an ONNX file gives the model's output in onnxruntime: {model}"""
    _onnx_is_there()
    runtime = need("onnxruntime")
    made, data = _MODELS[model]()
    made(data)
    made.export("it.onnx", format="onnx", verbose=False)
    session = runtime.InferenceSession("it.onnx", providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    if isinstance(data, dict):
        feed = {next(name for name in names if name.startswith(key) or name.endswith(key)): data[key] for key in data}
    else:
        feed = dict(zip(names, data if isinstance(data, list) else [data]))
    found = session.run(None, feed)
    expected = made(data)
    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    close(found, [array(item) for item in expected], tolerance=1e-4)


def onnx_takes_any_batch():
    """an ONNX file takes other batches than the model was exported with"""
    _onnx_is_there()
    runtime = need("onnxruntime")
    model, data = _dense()
    model(data)
    model.export("it.onnx", format="onnx", verbose=False)
    session = runtime.InferenceSession("it.onnx", providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    if isinstance(shape[0], int):
        need("keras.Model.export(to ONNX with a batch of any size)")
    for batch in (1, 5):
        data = numbers(batch, 4)
        close(session.run(None, {session.get_inputs()[0].name: data})[0], array(model(data)), tolerance=1e-4)


def _onnx_is_there():
    """Says that ONNX needs a release and packages that have it."""
    need("keras.Model.export(verbose)")
    need("keras.src.export.onnx")
    need("onnx")
    need("onnxruntime")
    need("onnxscript" if keras.backend.backend() == "torch" else "tf2onnx")


@each(model=["_dense", "_convolution", "_two_inputs", "_dict_inputs", "_own"])
def litert_gives_the_same(model):
    """a LiteRT file gives the model's output: {model}"""
    need("keras.src.export.litert")
    if keras.backend.backend() != "tensorflow":
        need("keras.Model.export(to LiteRT only with the tensorflow backend here)")
    lite = need("tensorflow.lite")
    made, data = _MODELS[model]()
    made.export("it.tflite", format="litert")
    program = lite.Interpreter("it.tflite")
    values = [data[key] for key in data] if isinstance(data, dict) else data if isinstance(data, list) else [data]
    details = program.get_input_details()
    equal(len(details), len(values), "the number of inputs")
    by_name = {}
    for place, item in enumerate(details):
        key = (
            next((key for key in data if key in item["name"].split("_")[-1]), None) if isinstance(data, dict) else None
        )
        by_name[item["index"]] = data[key] if key else values[place]
    if isinstance(data, list):  # inputs come in any order: by their width
        by_name = {item["index"]: next(v for v in values if v.shape[1] == item["shape"][1]) for item in details}
    for index, value in by_name.items():
        program.resize_tensor_input(index, value.shape)
    program.allocate_tensors()
    for index, value in by_name.items():
        program.set_tensor(index, value)
    program.invoke()
    close(program.get_tensor(program.get_output_details()[0]["index"]), array(made(data)), tolerance=1e-4)


@each(model=["_dense", "_convolution", "_two_inputs", "_own"])
def openvino_gives_the_same(model):
    """an OpenVINO file gives the model's output: {model}"""
    need("keras.src.export.openvino")
    openvino = need("openvino")
    made, data = _MODELS[model]()
    made.export("it.xml", format="openvino", verbose=False)
    program = openvino.Core().compile_model("it.xml", "CPU")
    found = program(data if isinstance(data, list) else [data])
    close(next(iter(found.values())), array(made(data)), tolerance=1e-2)  # weights are kept in half precision


def openvino_needs_its_ending():
    """export to OpenVINO refuses a file that does not end in .xml"""
    need("keras.src.export.openvino")
    need("openvino")
    model, _ = _dense()
    refuses(lambda: model.export("it.bin", format="openvino"), "a file called it.bin", (ValueError, AssertionError))


def exported_program_needs_no_code():
    """a model of a person's own class is served without its class"""
    model, data = _own()
    served = _exported(model)
    true("Own" not in type(served).__name__, "what is loaded is not the class")
    close(_plain(served.serve(data)), array(model(data)))
