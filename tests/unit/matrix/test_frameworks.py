"""A framework has one table; everything that names frameworks reads it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import runner
from runner.errors import UsageError
from runner.matrix import compat, frameworks
from runner.matrix.plan import build_of
from runner.model import Cell


def test_every_framework_has_facts_about_its_releases_and_every_fact_a_framework() -> None:
    assert set(frameworks.names()) == set(compat.load().frameworks)


def test_a_spelling_stands_for_one_framework() -> None:
    words = [word for one in frameworks.table().values() for word in {*one.distributions, *one.aliases}]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("project", "name"),
    [("Tensorflow_CPU", "tensorflow"), ("tf-nightly", "tensorflow"), ("pytorch", "torch"), ("mxnet-cu112", "mxnet"),
     ("jaxlib", "jaxlib"), ("numpy", "numpy"), ("scipy", "scipy")],
)  # fmt: skip
def test_what_a_project_name_stands_for(project: str, name: str) -> None:
    assert frameworks.named(project) == name


@pytest.mark.parametrize(
    ("project", "parts"), [("jax", {"jax", "jaxlib"}), ("jaxlib", {"jax", "jaxlib"}), ("scipy", {"scipy"})]
)
def test_packages_that_change_together(project: str, parts: set[str]) -> None:
    assert frameworks.parts_of(project) == parts


def test_a_misspelt_framework_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown framework 'torhc' \(did you mean 'torch'"):
        frameworks.of("torhc")


@pytest.mark.parametrize(
    ("framework", "device", "build"),
    [("torch", "mps", "cpu"), ("tensorflow", "mps", "metal"), ("jax", "cuda", "cuda"), ("mxnet", "cuda", "cuda"),
     ("numpy", "mps", "metal"), ("openvino", "cpu", "cpu")],
)  # fmt: skip
def test_the_build_that_a_device_needs(framework: str, device: str, build: str) -> None:
    assert build_of(Cell(framework, "1.0", None, "3.11", device)) == build


def test_only_frameworks_that_run_with_keras_train() -> None:
    assert "torch" in frameworks.training()
    assert all(frameworks.of(name).with_keras for name in frameworks.training())


def test_the_size_of_a_layer_is_that_of_its_framework() -> None:
    sizes = compat.load().sizes
    assert sizes["jax-cuda"] > sizes["jax"] == frameworks.of("jax").size_gb
    assert {"keras", "unknown"} < sizes.keys()


def test_every_framework_has_its_module_in_the_payload_and_every_module_its_table() -> None:
    folder = Path(runner.__file__).parent / "probe" / "frameworks"
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    (registered,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["MODULES_BY_NAME"]
    )
    assert registered.keys() == frameworks.table().keys()
    assert {module for module in registered.values() if not (folder / f"{module}.py").is_file()} == set()


def test_a_nightly_build_is_carried_by_a_package_of_its_own() -> None:
    assert frameworks.distribution("keras", "3.16.0.dev2026102704") == "keras-nightly"
    assert frameworks.distribution("tensorflow", "2.23.0.dev20261026") == "tf-nightly"
    assert frameworks.distribution("keras", "3.16.0.dev0") == "keras"
    assert frameworks.distribution("torch", "2.16.0.dev20261026") == "torch"
    assert (frameworks.named("keras-nightly"), frameworks.named("tf_nightly")) == ("keras", "tensorflow")
    assert frameworks.parts_of("keras") == {"keras", "keras-nightly"}
