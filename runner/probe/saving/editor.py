"""Weights files that are looked into and changed, and scopes of custom objects."""

from __future__ import annotations

import keras

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, printed, refuses, true


def _net(seed=100):
    """Returns a model of two named layers."""
    return given(
        keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(4, name="first"), keras.layers.Dense(2, name="second")]
        ),
        seed,
    )


def _editor(model):
    """Returns an editor of the model's weights file."""
    kind = need("keras.saving.KerasFileEditor")
    model.save_weights("a.weights.h5")
    editor = []
    printed(lambda: editor.append(kind("a.weights.h5")))
    return editor[0]


def an_unchanged_file_is_saved_again():
    """KerasFileEditor.save writes a file with the same weights"""
    model, other = _net(), _net(7)
    printed(lambda: _editor(model).save("b.weights.h5"))
    other.load_weights("b.weights.h5")
    close([array(v) for v in other.weights], [array(v) for v in model.weights], "weights")


@each(method=["summary", "compare"])
def editor_prints(method):
    """KerasFileEditor.{method} prints the layers of the file"""
    model = _net()
    editor = _editor(model)
    arguments = [model] if method == "compare" else []
    text = printed(lambda: getattr(editor, method)(*arguments))
    true(text.strip(), "it prints something")


def compare_finds_what_differs():
    """KerasFileEditor.compare says whether a model fits the file"""
    editor = _editor(_net())
    found = []
    printed(lambda: found.append(editor.compare(_net(7))))
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, name="first")])
    printed(lambda: found.append(editor.compare(other)))
    equal([one["status"] for one in found], ["success", "error"], "status")


def a_renamed_object_is_loaded_under_its_new_name():
    """KerasFileEditor.rename_object moves weights to another name"""
    editor = _editor(_net())
    before = {key: array(value) for key, value in editor.weights_dict["layers"]["dense"].items()}
    printed(lambda: editor.rename_object("layers/dense", "renamed"))
    equal(sorted(editor.weights_dict["layers"]), ["dense_1", "renamed"], "names")
    found = editor.weights_dict["layers"]["renamed"]
    close({key: array(value) for key, value in found.items()}, before, "weights")


@each(method=["rename_object", "delete_object"])
def editor_refuses_unknown_names(method):
    """KerasFileEditor.{method} of a name that is not there is refused"""
    editor = _editor(_net())
    arguments = ["layers/nonsense", "layers/other"][: 2 if method == "rename_object" else 1]
    refuses(lambda: getattr(editor, method)(*arguments), "an unknown name")


def editor_refuses_other_files():
    """KerasFileEditor refuses a file that is not of Keras"""
    with open("a.txt", "w") as file:
        file.write("nothing")
    refuses(lambda: need("keras.saving.KerasFileEditor")("a.txt"), "a text file")


class Doubling(keras.layers.Layer):
    """Doubles its input."""

    def call(self, x):
        return 2.0 * x


@each(scope=["keras.saving.CustomObjectScope", "keras.saving.custom_object_scope"])
def scope_names_a_class(scope):
    """{scope} finds a custom class while a model is loaded, and only there"""
    kind = need(scope)
    model = keras.Sequential([keras.Input((3,)), Doubling()])
    model.save("m.keras")
    with kind({"Doubling": Doubling}):
        found = keras.models.load_model("m.keras")
    close(array(found(numbers(2, 3))), 2 * numbers(2, 3))
    true("Doubling" not in keras.saving.get_custom_objects(), "the name is forgotten")


def scopes_can_be_nested():
    """The inner scope of custom objects wins, and the outer comes back"""
    kind = need("keras.saving.CustomObjectScope")

    find = need("keras.saving.get_registered_object")
    with kind({"mine": Doubling}):
        with kind({"mine": keras.layers.Dense}):
            inner = find("mine")
        outer = find("mine")
    equal([inner is keras.layers.Dense, outer is Doubling, find("mine") is None], [True, True, True], "what is found")


def names_of_registered_objects_are_known():
    """saving.get_registered_name and get_registered_object are inverse"""
    register = need("keras.saving.register_keras_serializable")

    @register(package="mine", name="triple")
    def triple(x):
        return 3 * x

    name = need("keras.saving.get_registered_name")(triple)
    equal(name, "mine>triple")
    true(need("keras.saving.get_registered_object")(name) is triple, "the object comes back")
