"""Cases of activities: found, tried, recorded, and written as scripts. Keras is made of NumPy here."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from runner.probe.cases import attempt, collect, plainly, prelude, script, supervise
from runner.probe.cases.collect import each

PROBES = Path(supervise.__file__).parents[1]


@pytest.fixture
def keras(monkeypatch):
    state = {"policy": "float32", "form": "channels_last", "floatx": "float32"}
    made = types.ModuleType("keras")
    made.ops = types.SimpleNamespace(convert_to_numpy=np.asarray)
    made.config = types.SimpleNamespace(
        image_data_format=lambda: state["form"],
        set_image_data_format=lambda value: state.update(form=value),
        dtype_policy=lambda: state["policy"],
        set_dtype_policy=lambda value: state.update(policy=value),
        floatx=lambda: state["floatx"],
        set_floatx=lambda value: state.update(floatx=value),
    )
    made.utils = types.SimpleNamespace(set_random_seed=lambda _: None, clear_session=lambda: None)
    made.state = state
    made.layers = types.SimpleNamespace(Dense=_dense)
    monkeypatch.setitem(sys.modules, "keras", made)
    return made


def _dense(units, bias=True):
    return units if bias else -units


class Journal:
    def __init__(self):
        self.records, self.fatal, self.cpu_s, self.begun = {}, {}, 0.0, []

    def begin(self, name, alone):
        self.begun.append((name, alone))

    def chunk(self, records, done):
        pass


def holds():
    """one is one"""
    prelude.equal(1, 1)


def fails():
    """two is one"""
    prelude.equal(2, 1, "the count")


def breaks():
    """it does not raise"""
    raise RuntimeError("at 0x7f12 in /some/where/x.py: conv_12 broke\nmore")


def lacks():
    """there is a layer of that name"""
    prelude.need("keras.layers.Nothing")


def misses_a_package():
    """pandas is there"""
    raise ImportError("No module named 'pandas'", name="pandas")


def returns():
    """draws are what they are"""
    return np.array([3.0, 4.0])


def leaves_files_and_policies():
    """nothing is left behind"""
    Path("left.txt").write_text("x")
    sys.modules["keras"].config.set_dtype_policy("mixed_float16")


@each(layer=["Dense", "Conv2D"], twice=[True, False])
def repeated(layer, twice):
    """{layer} does it, twice: {twice}"""


def tried(keras, *functions, journal=None, budget_s=60.0):
    cases = [collect.Case(function, {}) for function in functions]
    attempts = attempt.Attempts(keras, journal or Journal(), budget_s)
    attempts.run(cases)
    return attempts


def record(keras, function):
    return tried(keras, function).records[function.__name__ + "()"]


def test_a_promise_that_holds_is_ok(keras):
    assert record(keras, holds).status == "ok"


def test_a_promise_that_does_not_hold_says_what_was_expected(keras):
    found = record(keras, fails)
    assert (found.status, found.note) == ("wrong", "the count: expected 1, got 2")


def test_an_exception_is_recorded_without_what_varies(keras):
    found = record(keras, breaks)
    assert (found.status, found.note) == ("raises", "RuntimeError: at 0x in x.py: conv broke")


def test_what_a_release_lacks_is_unsupported(keras):
    found = record(keras, lacks)
    assert (found.status, found.note) == ("unsupported", "no keras.layers.Nothing")


def test_a_missing_package_is_named(keras):
    found = record(keras, misses_a_package)
    assert found.status == "unsupported"
    assert "pandas" in found.note


def test_what_a_case_returns_is_kept_for_comparison(keras):
    found = record(keras, returns)
    assert (found.status, found.sketch) == ("seen", [5.0, 3.0, 4.0])


def test_a_case_leaves_nothing_behind(keras, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert record(keras, leaves_files_and_policies).status == "ok"
    assert list(tmp_path.iterdir()) == []
    assert Path.cwd() == tmp_path
    assert keras.state["policy"] == "float32"


def test_the_budget_lists_what_was_left_out(keras):
    attempts = tried(keras, holds, fails, budget_s=-1.0)
    assert attempts.not_run == ["holds()", "fails()"]
    assert attempts.records == {}


def test_a_case_that_killed_a_process_is_not_tried_again(keras):
    journal = Journal()
    journal.fatal["holds()"] = "it does not end"
    found = tried(keras, holds, journal=journal).records["holds()"]
    assert (found.status, found.note) == ("crashes", "it does not end")
    assert journal.begun == []


def asks_for_an_argument():
    """it takes the argument"""
    sys.modules["keras"].layers.Dense(1, unheard=2)


def is_broken_inside():
    """it works"""
    sys.modules["keras"].broken()


def test_an_unknown_argument_of_the_case_itself_is_unsupported(keras):
    def broken():
        _dense(1, unheard=2)

    keras.broken = types.FunctionType(broken.__code__.replace(co_filename="keras/x.py"), globals())
    assert record(keras, asks_for_an_argument).status == "unsupported"
    assert record(keras, is_broken_inside).status == "raises"


@pytest.mark.parametrize(
    "message",
    [
        "Unrecognized keyword arguments passed to Dense: {'unheard': 2}",
        "Invalid keyword arguments: {'unheard': 2}",
        "Argument(s) not recognized: {'unheard': 2}",
    ],
)
def test_an_argument_that_keras_does_not_know_is_unsupported_unless_keras_wrote_it(keras, message):
    def broken():
        raise ValueError(message)

    def from_config():
        raise ValueError(message)

    keras.broken = broken
    assert record(keras, is_broken_inside).status == "unsupported"
    keras.broken = from_config
    assert record(keras, is_broken_inside).status == "raises"


def test_what_is_not_implemented_refuses_nothing():
    def missing():
        raise NotImplementedError("only with jax")

    with pytest.raises(prelude.Lacking, match="only with jax"):
        prelude.refuses(missing, "a format")


def test_cases_are_repeated_for_every_choice():
    module = types.ModuleType(__name__)
    module.repeated = repeated
    found = collect.cases([module])
    assert [case.ident for case in found] == [
        "repeated(layer='Dense', twice=True)",
        "repeated(layer='Dense', twice=False)",
        "repeated(layer='Conv2D', twice=True)",
        "repeated(layer='Conv2D', twice=False)",
    ]
    assert found[1].promise == "Dense does it, twice: False"
    assert [case.ident for case in collect.cases([module], "Conv2D.*True")] == ["repeated(layer='Conv2D', twice=True)"]


def test_need_asks_for_arguments(keras):
    assert prelude.need("keras.layers.Dense(bias)")(3) == 3
    with pytest.raises(prelude.Lacking, match="takes no lora_rank"):
        prelude.need("keras.layers.Dense(bias, lora_rank)")
    with pytest.raises(prelude.Lacking, match="package nothing_of_that_name"):
        prelude.need("nothing_of_that_name.x")
    assert prelude.need("os.path.join") is os.path.join


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (True, 1, False),
        ("1", 1, False),
        (None, None, True),
        (None, 0, False),
        ([1, (2, 3)], [1, [2, 3]], True),
        ([1], [1, 2], False),
        ({"a": np.array([1.0, np.nan])}, {"a": np.array([1.0, np.nan])}, True),
        ({"a": 1}, {"b": 1}, False),
        (np.zeros((2, 1)), np.zeros((1, 2)), False),
        (np.float32(0.5), 0.5, True),
    ],
)
def test_equal_compares_structures(keras, got, expected, same):
    if same:
        prelude.equal(got, expected)
    else:
        with pytest.raises(prelude.Broken):
            prelude.equal(got, expected)


def test_close_allows_rounding_and_no_more(keras):
    prelude.close([np.array([1.0, 2.0]), 3.0], [np.array([1.000001, 2.0]), 3.0])
    prelude.close(np.array([np.inf, np.nan]), np.array([np.inf, np.nan]))
    for got, expected in [(1.001, 1.0), (np.zeros(2), np.zeros(3)), (np.nan, 1.0), ({"a": 1.0}, {"b": 1.0})]:
        with pytest.raises(prelude.Broken):
            prelude.close(got, expected)


def test_refuses_wants_a_clear_error():
    def clear():
        raise ValueError("units must be positive")

    def unclear():
        raise KeyError("x")

    assert prelude.refuses(clear, "units=-1") == "units must be positive"
    with pytest.raises(prelude.Broken, match="refused by KeyError"):
        prelude.refuses(unclear, "units=-1")
    with pytest.raises(prelude.Broken, match="accepted without a word"):
        prelude.refuses(lambda: 5, "units=-1")


MODULE = '''
"""Cases."""
import os
from functools import partial

from probe.cases.collect import each
from probe.cases.prelude import equal

SIZES = {"_small": 1}


class Unused:
    """Not needed."""


def _small():
    """Needed: the case names it."""


MADE = {name: thing for name, thing in list(globals().items()) if name in SIZES}


def _helper(name):
    assert MADE[name]() is None
    return partial(dict, size=SIZES[name])()["size"]


@each(name=["_small"])
def case(name):
    """{name} has the size \\\\d of one"""
    equal(_helper(name), 2, os.sep)
'''


def test_a_script_has_what_it_needs_and_runs(tmp_path, monkeypatch):
    (tmp_path / "topic.py").write_text(MODULE)
    (tmp_path / "keras.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(PROBES.parent))
    import topic

    (case,) = collect.cases([topic])
    text = script.of(case, "jax", "a note")
    assert "class Unused" not in text
    assert "@each" not in text
    path = tmp_path / "script.py"
    path.write_text(text)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert f"Broken: {os.sep}: expected 2, got 1" in done.stderr


NAN = float("nan")


@pytest.mark.parametrize("name", ["equal", "close"])
@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (np.ones(3), np.ones(3), True),
        (np.ones(3), np.ones(2), False),
        (np.array([1.0, NAN]), np.array([1.0, NAN]), True),
        (np.array([1.0, NAN]), np.array([1.0, 2.0]), False),
        ([1, 2], (1, 2), True),
        ([np.ones(2), np.zeros(3)], [np.ones(2), np.zeros(3)], True),
        ([np.ones(2), np.zeros(3)], [np.ones(2)], False),
        ({"a": np.ones(2)}, {"a": np.ones(2)}, True),
        ({"a": np.ones(2)}, {"a": np.zeros(2)}, False),
        (1.5, 1.5, True),
        (1.5, 2, False),
        (np.float32(0.1), np.float32(0.3), False),
    ],
)
def test_the_short_forms_of_scripts_judge_alike(keras, name, got, expected, same):
    keras.ops = types.SimpleNamespace(convert_to_numpy=np.asarray)
    for module in (prelude, plainly):
        try:
            getattr(module, name)(got, expected)
        except (prelude.Broken, plainly.Broken):
            assert not same, module
        else:
            assert same, module


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (["a", None], ["a", None], True),
        ([[2, 3], [1]], [[2, 3], [1]], True),
        ([[2, 3], [2, 2]], [[2, 3], [[2, 2]]], False),
    ],
)
def test_the_short_forms_compare_texts_too(keras, got, expected, same):
    keras.ops = types.SimpleNamespace(convert_to_numpy=np.asarray)
    for module in (prelude, plainly):
        try:
            module.equal(got, expected)
        except (prelude.Broken, plainly.Broken):
            assert not same, module
        else:
            assert same, module


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError("no"), "no"),
        (KeyError("k"), "Broken"),
        (NotImplementedError("not here"), "Lacking"),
        (ImportError("no package"), "Lacking"),
        (None, "Broken"),
    ],
)
def test_the_short_form_refuses_alike(error, outcome):
    def asked():
        if error is not None:
            raise error

    for module in (prelude, plainly):
        try:
            found = module.refuses(asked, "an argument")
        except (prelude.Broken, plainly.Broken, prelude.Lacking, plainly.Lacking) as ended:
            found = type(ended).__name__
        assert found == outcome, module


def test_a_difference_far_in_is_shown(keras):
    keras.ops = types.SimpleNamespace(convert_to_numpy=np.asarray)
    expected = np.zeros(9)
    with pytest.raises(prelude.Broken, match="element 7: expected 0, got 5"):
        prelude.close(np.where(np.arange(9) == 7, 5.0, 0.0), expected)


def test_the_short_form_finds_names(keras):
    assert plainly.need("os.path.join(a, b)") is os.path.join
    with pytest.raises(plainly.Lacking, match="nothing_of_that_name"):
        plainly.need("nothing_of_that_name.x")


HANGING = """
import resource, sys, threading
sys.path.insert(0, {payload!r})
from probe.cases import supervise
supervise.HANG_S = 0.5
journal = supervise.Journal()
supervise.survive(journal)
journal.load()
if "hangs" in journal.fatal:
    print(journal.fatal["hangs"])
else:
    journal.begin("hangs", True)
    threading.Event().wait()
journal.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_case_that_never_ends_is_ended_and_named(tmp_path):
    text = HANGING.format(payload=str(PROBES.parent))
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "it does not end"
    assert list(tmp_path.iterdir()) == []


def activities():
    inits = sorted(PROBES.glob("*/__init__.py"))
    return [path.parent for path in inits if "cases.run(request" in path.read_text(encoding="utf-8")]


def functions(folder):
    text = (folder / "__init__.py").read_text(encoding="utf-8")
    listed = [name for names in re.findall(r"^ +return \(([^)]*)\)", text, re.MULTILINE) for name in names.split(",")]
    listed = [name.strip() for name in listed if name.strip()]
    for path in [folder / (name + ".py") for name in listed]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield path, node


@pytest.mark.parametrize("folder", activities(), ids=lambda folder: folder.name)
def test_every_case_has_a_promise_and_a_name_of_its_own(folder):
    found = list(functions(folder))
    assert found
    names = [node.name for _, node in found]
    assert sorted(names) == sorted(set(names))
    for path, node in found:
        promise = ast.get_docstring(node)
        assert promise, (path.name, node.name)
        assert len(promise.splitlines()[0]) <= 100, (path.name, node.name)
        arguments = {a.arg for a in node.args.args}
        choices = {k.arg for d in node.decorator_list if isinstance(d, ast.Call) for k in d.keywords}
        assert arguments == choices, (path.name, node.name)
