"""Every scenario of the training probe as a script of its own: compiles, is short enough to read, and runs."""

from __future__ import annotations

import ast
import builtins
import os
import subprocess

import numpy as np
import pytest

from runner.probe.training import calls, promises, scenarios, script, source

EVERY = {scenario.name: scenario for scenario in scenarios.every() + promises.every() + calls.every()}
PYTHON = os.environ.get("KERAS_PYTHON", "")
"""A Python that has Keras and the backend named by ``KERAS_BACKEND``."""


def text_of(scenario, framework="jax"):
    figures = scenario.figures or list(scenario.truth(lambda value: value))
    return script.of(scenario, framework, figures[-1], "1.5 instead of 1")


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_script_names_nothing_that_it_does_not_define(name):
    text = text_of(EVERY[name])
    assert "keras_side" not in text
    assert len(text.splitlines()) < 300
    assert unknown(ast.parse(text)) == set()


def unknown(tree):
    """Names that are read and bound nowhere."""
    read, bound = set(), set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
    return read - bound


def double(x):
    return FACTOR * x


FACTOR = np.array([2.0, np.nan, -np.inf])


class Shape:
    """A base."""

    def used(self):
        return double(1.0)

    def unused(self):
        return missing  # noqa: F821 - never carried


class Square(Shape):
    side = 3


def test_what_is_used_is_carried_and_no_more(monkeypatch):
    monkeypatch.setattr(source, "_ours", lambda module: module is not None and module.__name__ == __name__)
    square = Square()
    square.side = 4

    def measure(keras):
        """Not carried."""
        return [square.used() * square.side, np.sum([1])]

    text, name = source.of(measure)
    assert "missing" not in text
    assert "Not carried" not in text
    scope = {"np": np}
    exec(text, scope)  # noqa: S102 - what the script would do
    found = scope[name](None)
    assert found[1] == 1
    assert found[0][0] == 8.0
    assert np.isnan(found[0][1])
    assert found[0][2] == -np.inf


def test_what_has_no_source_has_no_script(monkeypatch):
    made = EVERY["batch.test"]
    monkeypatch.setattr(source, "of", lambda _function: (_ for _ in ()).throw(source.NoSourceError("none")))
    assert text_of(made) == ""


@pytest.mark.skipif(not PYTHON, reason="KERAS_PYTHON names no Python with Keras")
@pytest.mark.parametrize("name", ["batch.test", "partial.outputs", "optimizer.Adam_1", "fit.mask"])
def test_a_script_runs_as_it_stands(name, tmp_path):
    path = tmp_path / "script.py"
    path.write_text(text_of(EVERY[name], os.environ.get("KERAS_BACKEND", "jax")))
    done = subprocess.run([PYTHON, str(path)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("1.5 instead of 1")
