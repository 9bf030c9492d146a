"""Bills of materials."""

from __future__ import annotations

import json

from runner.environments import lock
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
