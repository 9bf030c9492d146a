"""No script of a case uses a name that it does not define: read from the sources of all probes of promises."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from runner.probe.cases import plainly, prelude, script

PROBES = Path(script.__file__).parents[1]
HELPERS = {**script.definitions(inspect.getsource(prelude)), **script.definitions(inspect.getsource(plainly))}
NO_CASES = ("saving/files.py",)
MODULES = sorted(
    path
    for path in PROBES.glob("*/*.py")
    if "..cases.prelude import" in path.read_text("utf-8") and "/".join(path.parts[-2:]) not in NO_CASES
)
KNOWN = {*dir(builtins), "keras", "np", "os", "__file__"}


def _functions(text):
    """Names of the cases: public functions with a docstring."""
    return [
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ast.get_docstring(node)
    ]


def _bound(tree):
    """All names that a source binds, wherever."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def missing(text, folder=None):
    """``{case: names}`` that the script of a case uses and does not define."""
    own = script.definitions(text)
    for name in script.siblings(text):
        own = {**script.definitions((folder / (name + ".py")).read_text("utf-8")), **own}
    found = {}
    for case in _functions(text):
        wanted, imports = script.reached([case], own, HELPERS)
        source = "\n".join([*imports, *dict.fromkeys({**HELPERS, **own}[name] for name in sorted(wanted))])
        tree = ast.parse(source)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        lacks = used - set(_bound(tree)) - KNOWN
        if lacks:
            found[case] = sorted(lacks)
    return found


def test_there_are_modules_and_cases():
    assert len(MODULES) > 50
    assert sum(len(_functions(path.read_text("utf-8"))) for path in MODULES) > 500


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(path.parts[-2:]))
def test_scripts_define_what_they_use(path):
    text = path.read_text("utf-8")
    assert missing(text, path.parent) == {}
    own = {name for name in script.definitions(text) if not name.startswith("import ")}
    assert not own & {name for name in HELPERS if not name.startswith("import ")}, "a helper would find the module's"


def test_a_name_that_nothing_defines_is_found():
    assert missing('def f():\n    """A case"""\n    return nothing_of_that_name') == {"f": ["nothing_of_that_name"]}


def test_one_line_can_define_several_names():
    text = 'X, (Y, Z) = 1, (2, 3)\n\n\ndef f():\n    """A case"""\n    return X + Z'
    assert missing(text) == {}
    assert script.reached(["f"], script.definitions(text), HELPERS)[0] == {"f", "X", "Y", "Z"}


def test_a_script_has_what_texts_for_eval_name_and_what_changes_a_table():
    text = "TABLE = {}\nTABLE.update(a=1)\n\n\ndef _made(x):\n    return x\n\n\ndef case():\n    eval('_made(TABLE)')\n"
    own = script.definitions(text)
    assert script.reached(["case"], own, {})[0] == {"case", "_made"}
    assert own["TABLE"] == "TABLE = {}\nTABLE.update(a=1)"


@pytest.mark.parametrize("framework", ["jax", "tensorflow", "torch"])
def test_several_devices_are_made_before_anything_else(framework):
    lines = ['"""p."""', "", "import os", "", "backend", "", "import keras", "import numpy as np"]
    text = "\n".join(script._several_devices(lines, framework))
    place = {"jax": text.find("XLA_FLAGS"), "tensorflow": text.find("set_logical_device"), "torch": 0}[framework]
    assert 0 <= place < text.index("import keras")
    assert text.startswith('"""p."""\n\nimport os')


def test_numbers_in_a_list_are_compared_as_numbers_of_any_kind(monkeypatch):
    keras = SimpleNamespace(ops=SimpleNamespace(convert_to_numpy=np.asarray))
    monkeypatch.setitem(sys.modules, "keras", keras)
    found, wanted = [1.0, 2.0], [np.float32(1.0), np.array(2.0)]
    plainly.close(found, wanted)
    plainly.equal(found, wanted)
    plainly.close([np.ones(2), 1.0], [np.ones(2), np.float64(1.0)])
    with pytest.raises(plainly.Broken):
        plainly.close(found, [np.float32(1.0), np.array(2.1)])
    with pytest.raises(plainly.Broken):
        plainly.close(np.ones(2), [np.ones(2), np.ones(2)])
