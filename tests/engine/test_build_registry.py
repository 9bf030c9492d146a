"""Push to and pull from a real registry on loopback (Debian's docker-registry)."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.environments import lockfile
from runner.environments.lockfile import Lock
from runner.errors import BuildError, UnavailableError, UsageError
from runner.images import Builder, manage, registry
from runner.images.published import Published
from runner.images.recipe import pins, recipe
from runner.model import Environment
from runner.util import folders

pytestmark = pytest.mark.engine

TINY = Environment("tiny", "1.0", None, "3.11", "cpu", "linux-x86_64")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed (Debian: docker-registry)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = tmp_path_factory.mktemp("registry")
    configuration = place / "config.yml"
    configuration.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {place}/data\nhttp:\n  addr: 127.0.0.1:{port}\n"
    )
    log = (place / "log").open("w")
    with log, subprocess.Popen([program, "serve", str(configuration)], stdout=log, stderr=log) as process:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}/owner"
        process.terminate()


@pytest.fixture
def builder() -> Iterator[Builder]:
    made = Builder()
    yield made
    made.client().close()


@pytest.fixture
def built(builder: Builder) -> Iterator[Lock]:
    """An image as the builder would leave it, without anything installed: only its labels matter here."""
    digest = hashlib.sha256(str(time.time()).encode()).hexdigest()
    asked = lockfile.Recipe(TINY.id, TINY.python, "x", "cpu", "2026-11-20T00:00:00Z", ())
    lines = ("kvmtiny==1.0 \\", f"    --hash=sha256:{digest}")
    pinned = lockfile.parse(lockfile.render(asked, (lines, ()), (), ""), Path("tiny.txt"))
    _fake(TINY, pinned, recipe(TINY, pinned).tag)
    yield pinned
    content = recipe(TINY, pinned).content
    manage.remove(builder.client(), [i for i in manage.ls(builder.client()) if i.content == content])


def _fake(environment: Environment, pinned: Lock, tag: str, **labels: str) -> None:
    wanted = dict(recipe(environment, pinned).labels) | labels
    text = "\n".join(["FROM python:3.11-slim-bookworm", *(f'LABEL {key}="{value}"' for key, value in wanted.items())])
    subprocess.run(["docker", "build", "-q", "-t", tag, "-"], input=text.encode(), check=True, capture_output=True)


def test_pushed_removed_and_pulled_again(builder: Builder, built: Lock, address: str) -> None:
    before = builder.find(TINY, built)
    assert before is not None
    name = registry.push(builder.client(), address, TINY, built)
    assert re.fullmatch(rf"{address}/keras-version-matrix:tiny-1.0_native[\w.-]+@sha256:[0-9a-f]{{64}}", name)
    builder.client().remove_image(recipe(TINY, built).tag)
    assert builder.find(TINY, built) is None
    assert registry.pull(builder.client(), address, TINY, built)
    after = builder.find(TINY, built)
    assert after is not None
    assert after.id == before.id
    tags = [tag for image in builder.client().images() for tag in image["RepoTags"] or ()]
    assert not [tag for tag in tags if tag.startswith(address)]


def test_what_the_registry_does_not_have_is_not_pulled(builder: Builder, built: Lock, address: str) -> None:
    assert registry.pull(builder.client(), address, TINY, built) is False


def test_something_else_under_the_name_is_refused(builder: Builder, built: Lock, address: str) -> None:
    tag = recipe(TINY, built).tag
    _fake(TINY, built, f"{address}/{tag}", **{"org.keras-version-matrix.content": "0" * 64})
    subprocess.run(["docker", "push", "-q", f"{address}/{tag}"], check=True, capture_output=True)
    with pytest.raises(BuildError, match="made from something else"):
        registry.pull(builder.client(), address, TINY, built)


def test_an_image_that_is_not_here_cannot_be_pushed(builder: Builder, built: Lock, address: str) -> None:
    builder.client().remove_image(recipe(TINY, built).tag)
    with pytest.raises(UnavailableError, match="has not been built here"):
        registry.push(builder.client(), address, TINY, built)


def test_a_registry_that_is_not_there(builder: Builder, built: Lock) -> None:
    with pytest.raises(UnavailableError, match="pushing"):
        registry.push(builder.client(), "127.0.0.1:1/owner", TINY, built)
    with pytest.raises(UnavailableError, match="pulling"):
        registry.pull(builder.client(), "127.0.0.1:1/owner", TINY, built)


def test_a_build_pulls_what_the_registry_has(built: Lock, address: str) -> None:
    """A builder of a machine without the image: nothing is built, and nothing is said."""
    first = Builder()
    before = first.find(TINY, built)
    assert before is not None
    name = registry.push(first.client(), address, TINY, built)
    first.client().remove_image(recipe(TINY, built).tag)
    notes: list[str] = []
    progress: list[str] = []
    pulled = Builder(published=Published(address, notes.append)).build(TINY, built, progress.append)
    assert (pulled.id, pulled.cached) == (before.id, False)
    assert (notes, progress) == ([], [f"pulling from {address}"])
    # what was pushed is what the digest names
    digest = name.partition("@")[2]
    ask: Any = first.client().inspect_distribution
    assert ask(name.partition("@")[0])["Descriptor"]["digest"] == digest
    first.client().close()


@pytest.mark.parametrize("there", ["nothing", "something else", "no registry"])
def test_what_keeps_an_image_from_being_pulled_is_said_once(
    builder: Builder, built: Lock, address: str, there: str
) -> None:
    tag = recipe(TINY, built).tag
    if there == "something else":
        _fake(TINY, built, f"{address}/{tag}", **{"org.keras-version-matrix.lock": "0" * 64})
        subprocess.run(["docker", "push", "-q", f"{address}/{tag}"], check=True, capture_output=True)
        subprocess.run(["docker", "rmi", f"{address}/{tag}"], check=True, capture_output=True)
    subprocess.run(["docker", "rmi", tag], check=True, capture_output=True)
    at = "127.0.0.1:1/owner" if there == "no registry" else address
    notes: list[str] = []
    published = Published(at, notes.append)
    assert [published.fetch(builder.client(), TINY, built, print) for _ in range(2)] == [False, False]
    (line,) = notes
    expected = {
        "nothing": f"--pull-from {at} does not have every image; the others are built here",
        "something else": f"was made from something else than {TINY.id}'s lock and template; it is not used, and built "
        "here",
        "no registry": "connection refused; images are built here",
    }
    assert expected[there] in line
    names = [name for image in builder.client().images() for name in image["RepoTags"] or ()]
    assert not [name for name in names if name.startswith(at)]


def test_a_build_that_can_pull_nothing_builds(built: Lock) -> None:
    """It fails, because this lock names a wheel that no index has: so it was built."""
    subprocess.run(["docker", "rmi", recipe(TINY, built).tag], check=True, capture_output=True)
    notes: list[str] = []
    builder = Builder(published=Published("127.0.0.1:1/owner", notes.append))
    with pytest.raises(BuildError):
        builder.build(TINY, built)
    assert len(notes) == 1
    builder.client().close()


@pytest.mark.parametrize("prefix", ["", "ghcr.io/Owner", "ghcr.io/owner;ls", "https://ghcr.io/owner", "ghcr.io/o\n"])
def test_a_prefix_that_is_none(builder: Builder, built: Lock, prefix: str) -> None:
    with pytest.raises(UsageError, match=r"ghcr\.io/owner"):
        registry.push(builder.client(), prefix, TINY, built)


def test_bases_are_pinned_by_what_their_registry_says(
    builder: Builder, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{address}/python:3.11"
    subprocess.run(["docker", "tag", "python:3.11-slim-bookworm", name], check=True)
    pushed = subprocess.run(["docker", "push", name], check=True, capture_output=True, text=True).stdout
    subprocess.run(["docker", "rmi", name], check=True, capture_output=True)
    monkeypatch.setattr(folders, "images_dir", lambda: tmp_path)
    pins.cache_clear()
    path = registry.pin(builder.client(), [name])
    digest = pins()[name]
    assert f"digest: {digest}" in pushed
    assert f"# {name}@{digest}" in path.read_text()
    with pytest.raises(UnavailableError, match="no digest of"):
        registry.pin(builder.client(), ["127.0.0.1:1/python:3.11"])
    assert pins() == {name: digest}
    pins.cache_clear()
