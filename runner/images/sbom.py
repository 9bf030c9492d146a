"""Makes an environment's bill of materials from its lock (CycloneDX 1.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.environments.lockfile import Lock
from runner.errors import UsageError
from runner.model import Environment

if TYPE_CHECKING:
    from cyclonedx.model.component import Component


def cyclonedx(environment: Environment, lock: Lock) -> str:
    """Return the bill of materials as JSON text.

    It has every package, its version, package URL and the hashes that may be installed.

    Raises UsageError where the library that writes it is not installed.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise UsageError("this needs cyclonedx-python-lib: pip install 'keras-version-matrix[sbom]'") from None
    bom = Bom(components=_components(lock))
    bom.metadata.component = Component(
        name=environment.id, type=ComponentType.CONTAINER, version=lock.sha256[:16], bom_ref=environment.id
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def _components(lock: Lock) -> list[Component]:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    found: dict[str, list[str]] = {}
    for line in (*lock.framework_lines, *lock.rest_lines):
        if "==" in line:
            package = line.removesuffix(" \\")
            found[package] = []
        else:
            found[package].append(line.strip().removesuffix(" \\").removeprefix("--hash=sha256:"))
    components = []
    for package, hashes in found.items():
        name, version = package.split("==")
        url = PackageURL("pypi", name=name, version=version)
        components.append(
            Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                purl=url,
                bom_ref=url.to_string(),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in hashes],
            )
        )
    return components
