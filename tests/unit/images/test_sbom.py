"""Bills of materials."""

from __future__ import annotations

import json
import sys

import pytest

from runner.environments import lock
from runner.errors import UsageError
from runner.images import sbom
from runner.model import Environment

L = "linux-x86_64"
JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", L)


def test_the_bill_of_materials_names_every_package_with_its_hashes() -> None:
    pinned = lock.committed(JAX)
    found = json.loads(sbom.cyclonedx(JAX, pinned))
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["name"] == JAX.id
    by_name = {component["name"]: component for component in found["components"]}
    assert {name: c["version"] for name, c in by_name.items()} == dict(pinned.packages)
    assert by_name["jax"]["purl"] == "pkg:pypi/jax@0.10.2"
    assert all(c["hashes"] for c in by_name.values())
    assert all(len(h["content"]) == 64 for c in by_name.values() for h in c["hashes"])


def test_a_package_has_its_hashes_and_the_environment_depends_on_it() -> None:
    pinned = lock.committed(JAX)
    found = json.loads(sbom.cyclonedx(JAX, pinned))
    lines = [*pinned.framework_lines, *pinned.rest_lines]
    start = next(number for number, line in enumerate(lines) if line.startswith("jax=="))
    hashes = []
    for line in lines[start + 1 :]:
        if "==" in line:
            break
        hashes.append(line.split("sha256:")[1].split()[0])
    jax = next(component for component in found["components"] if component["name"] == "jax")
    assert (jax["type"], jax["bom-ref"], jax["version"]) == ("library", "pkg:pypi/jax@0.10.2", "0.10.2")
    assert sorted(entry["content"] for entry in jax["hashes"]) == sorted(hashes)
    assert {entry["alg"] for entry in jax["hashes"]} == {"SHA-256"}
    whole = found["metadata"]["component"]
    assert whole["type"] == "container"
    assert (whole["version"], whole["bom-ref"]) == (pinned.sha256[:16], JAX.id)
    depends = next(entry["dependsOn"] for entry in found["dependencies"] if entry["ref"] == JAX.id)
    assert sorted(depends) == sorted(component["bom-ref"] for component in found["components"])
    assert sbom.cyclonedx(JAX, pinned).startswith("{\n  ")


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyclonedx.model.bom", None)
    with pytest.raises(UsageError) as caught:
        sbom.cyclonedx(JAX, lock.committed(JAX))
    assert str(caught.value) == "this needs cyclonedx-python-lib: pip install 'keras-version-matrix[sbom]'"
