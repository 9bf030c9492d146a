"""Images built for real, by both builders: what is in them, what they share, what they never keep."""

from __future__ import annotations

import base64
import gc
import http.server
import io
import json
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import engine
from runner.environments import lock, lockfile
from runner.environments.lockfile import Lock
from runner.errors import BuildError, UnavailableError
from runner.images import Builder, manage
from runner.images.network import Network
from runner.images.recipe import recipe
from runner.matrix import compat
from runner.model import Environment

pytestmark = pytest.mark.engine

SECRET = "dontkeepthis"  # noqa: S105 - of an index that lives as long as these tests
WHEEL = "kvmtiny-1.0-py3-none-any.whl"
TINY = Environment("tiny", "1.0", None, "3.11", "cpu", "linux-x86_64")
BUILDERS = ["buildkit", "classic"]


class Index(http.server.BaseHTTPRequestHandler):
    """A private package index with one package; answers only to those who know the secret."""

    wheel = b""

    def do_GET(self) -> None:
        expected = "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.end_headers()
        elif self.path == "/simple/kvmtiny/":
            self._answer(f'<a href="/{WHEEL}">{WHEEL}</a>'.encode(), "text/html")
        elif self.path == f"/{WHEEL}":
            self._answer(self.wheel, "application/octet-stream")
        else:
            self.send_error(404)

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    """The address of the private index, with its credentials."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        # a fixed date: the hash must be the same in every process
        for name, text in {
            "kvmtiny.py": "VALUE = 42\n",
            "kvmtiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: kvmtiny\nVersion: 1.0\n",
            "kvmtiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "kvmtiny-1.0.dist-info/RECORD": "",
        }.items():
            wheel.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    Index.wheel = packed.getvalue()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://user:{SECRET}@127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


@pytest.fixture
def network(index: str) -> Network:
    here = Network.here()
    certificates = here.certificates + f"# {SECRET}\n" if here.certificates else ""
    return Network({**here.variables, "UV_INDEX": f"private={index}"}, certificates)


@pytest.fixture(params=BUILDERS)
def builder(request: pytest.FixtureRequest, network: Network) -> Iterator[Builder]:
    if request.param == "buildkit" and engine.buildkit() is None:
        pytest.skip("no docker command line here has BuildKit")
    made = Builder(how=request.param, network=network)
    yield made
    made.close()
    made.client().close()


def tiny_lock(digest: str | None = None, salt: str = "") -> Lock:
    """A lock of the private package; ``salt`` makes it another one, so that nothing is found built already."""
    import hashlib

    digest = digest or hashlib.sha256(Index.wheel).hexdigest()
    other = hashlib.sha256(salt.encode()).hexdigest()
    lines = ("kvmtiny==1.0 \\", f"    --hash=sha256:{digest} \\", f"    --hash=sha256:{other}")
    asked = lockfile.Recipe(TINY.id, TINY.python, "x86_64-manylinux_2_36", "cpu", "2026-11-20T00:00:00Z", ())
    return lockfile.parse(lockfile.render(asked, (lines, ()), (), ""), Path("tiny.txt"))


def run(image: str, code: str) -> str:
    command = ["docker", "run", "--rm", "--network=none", "--read-only", image, "python", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def remove(builder: Builder, environment: Environment, pinned: Lock) -> manage.Removed:
    content = recipe(environment, pinned).content
    return manage.remove(builder.client(), [i for i in manage.ls(builder.client()) if i.content == content])


def test_what_is_in_an_image_and_what_is_not(builder: Builder) -> None:
    pinned = tiny_lock(salt=f"{time.time()}")
    said: list[str] = []
    image = builder.build(TINY, pinned, said.append)
    try:
        assert not image.cached
        assert any("installing tiny" in line for line in said)
        assert run(image.id, "import kvmtiny; print(kvmtiny.VALUE)") == "42"
        assert run(image.id, "import os; print(os.getuid(), os.path.exists(os.path.expanduser('~')))") == "65532 True"
        assert run(image.id, "import kvmtiny, os; print(os.path.exists(kvmtiny.__cached__))") == "True"
        assert run(image.id, "import importlib.util as u; print(u.find_spec('uv'))") == "None"
        places = ("/usr/local/bin/uv", "/tools/bin", "/tmp/tools", "/var/cache/uv/CACHEDIR.TAG")
        assert run(image.id, f"import os; print([p for p in {places} if os.path.exists(p)])") == "[]"
        labels = builder.client().inspect_image(image.tag)["Config"]["Labels"]  # type: ignore[no-untyped-call]
        assert labels["org.keras-version-matrix.lock"] == pinned.sha256
        assert labels["org.keras-version-matrix.environment"] == TINY.id
    finally:
        remove(builder, TINY, pinned)


def test_no_secret_stays_in_any_layer_or_record(builder: Builder, index: str) -> None:
    pinned = tiny_lock(salt=f"secrets {time.time()}")
    image = builder.build(TINY, pinned)
    try:
        history = subprocess.run(["docker", "history", "--no-trunc", image.id], capture_output=True, check=True).stdout
        assert b"install.sh" in history
        assert SECRET.encode() not in history
        inspected = json.dumps(builder.client().inspect_image(image.id))  # type: ignore[no-untyped-call]
        assert SECRET not in inspected
        # every byte of every layer, and all the metadata
        assert _contains(image.id, b"kvmtiny.py")
        assert not _contains(image.id, SECRET.encode())
        address = index.partition("@")[2].encode()
        assert not _contains(image.id, address)
    finally:
        remove(builder, TINY, pinned)


def _contains(image: str, wanted: bytes) -> bool:
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        found, tail = False, b""
        while chunk := saved.stdout.read(1 << 20):
            found = found or wanted in tail + chunk
            tail = chunk[-len(wanted) :]
    assert saved.returncode == 0
    return found


def test_a_wheel_that_is_not_what_was_locked_is_not_installed(builder: Builder) -> None:
    with pytest.raises(BuildError, match=r"(?i)hash") as caught:
        builder.build(TINY, tiny_lock(digest="0" * 64))
    assert "\n" not in str(caught.value)
    assert "kvmtiny" in caught.value.log


def test_an_image_that_is_there_is_found_at_once(builder: Builder) -> None:
    pinned = tiny_lock(salt=f"again {time.time()}")
    first = builder.build(TINY, pinned)
    try:
        began = time.monotonic()
        second = builder.build(TINY, pinned)
        assert time.monotonic() - began < 0.3
        assert (second.id, second.cached) == (first.id, True)
    finally:
        remove(builder, TINY, pinned)


def test_removing_an_image_gives_back_its_layers_and_leaves_others(builder: Builder) -> None:
    before = _cached_layers(builder)
    one, two = tiny_lock(salt=f"one {time.time()}"), tiny_lock(salt=f"two {time.time()}")
    builder.build(TINY, one)
    kept = builder.build(TINY, two)
    others = {image["Id"] for image in builder.client().images()} - {builder.find(TINY, one).id}  # type: ignore[union-attr]
    removed = remove(builder, TINY, one)
    assert removed.environments == (TINY.id,)
    assert builder.find(TINY, one) is None
    assert builder.find(TINY, two) is not None
    assert others <= {image["Id"] for image in builder.client().images()}
    assert run(kept.id, "import kvmtiny; print(kvmtiny.VALUE)") == "42"
    remove(builder, TINY, two)
    assert _cached_layers(builder) <= before


def _cached_layers(builder: Builder) -> set[str]:
    """Layers of the size of these tests' package; others may be building real ones on this engine."""
    cache = builder.client().df()["BuildCache"] or ()
    return {e["ID"] for e in cache if "/build/framework.txt" in e["Description"] and e["Size"] < 50_000}


def test_the_second_keras_of_a_framework_adds_at_most_80_mb() -> None:
    builder = Builder()
    pair = [Environment("jax", "0.10.2", keras, "3.11", "cpu", "linux-x86_64") for keras in ("3.11.3", "3.8.0")]
    one, two = (builder.build(environment, lock.committed(environment)) for environment in pair)
    layers = [
        builder.client().inspect_image(image.id)["RootFS"]["Layers"]  # type: ignore[no-untyped-call]
        for image in (one, two)
    ]
    shared = [a for a, b in zip(*layers, strict=False) if a == b]
    assert len(shared) == len(layers[0]) - 1
    base = builder.client().inspect_image("python:3.11-slim-bookworm")["Size"]  # type: ignore[no-untyped-call]
    listed = {i.environment: i for i in manage.ls(builder.client()) if i.id in (one.id, two.id)}
    assert listed[pair[1].id].unique_bytes <= 80e6
    assert one.size_bytes - base <= 0.66e9
    builder.client().close()


def test_legacy_python_builds_from_the_same_template() -> None:
    builder = Builder()
    if not builder.client().images(name="python:3.8-slim-bookworm"):
        pytest.skip("no base image of Python 3.8 here")
    mxnet = Environment("mxnet", "1.9.1", None, "3.8", "cpu", "linux-x86_64")
    image = builder.build(mxnet, lock.locked(mxnet))
    assert run(image.id, "import mxnet; print(mxnet.nd.ones((2,)).sum().asscalar())") == "2.0"
    builder.client().close()


def test_another_architecture_is_unavailable_before_anything_is_built() -> None:
    builder = Builder()
    other = "linux-aarch64" if builder.describe().platform == "linux/amd64" else "linux-x86_64"
    environment = Environment("jax", "0.10.2", None, "3.11", "cpu", other)
    with pytest.raises(UnavailableError, match="the engine runs"):
        builder.build(environment, tiny_lock())
    builder.client().close()


def test_an_image_that_does_not_fit_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.images import disk

    builder = Builder()
    monkeypatch.setattr(disk, "free", lambda _root: 10**9)
    with pytest.raises(UnavailableError, match=r"1\.0 GB are free"):
        builder.build(TINY, tiny_lock(salt=f"{time.time()}"))
    builder.client().close()


def test_a_stopped_builder_ends_what_it_builds(network: Network) -> None:
    if engine.buildkit() is None:
        pytest.skip("no docker command line here has BuildKit")
    builder = Builder(how="buildkit", network=network)
    said: list[tuple[float, str]] = []

    def stop_at_the_first_step(what: str) -> None:
        said.append((time.monotonic(), what))
        builder.close()

    with pytest.raises(UnavailableError, match="stopped"):
        builder.build(TINY, tiny_lock(salt=f"stop {time.time()}"), stop_at_the_first_step)
    assert said[0][1].startswith("installing")
    assert time.monotonic() - said[0][0] < 10
    builder.client().close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # docker-py leaves a socket open
def test_no_engine_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(UnavailableError, match="no Docker engine answers"):
        Builder().build(TINY, tiny_lock())
    gc.collect()  # so that the socket is found here, not in a later test


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # docker-py leaves a stream's socket
def test_podmans_builder_makes_the_same_image(podman: str, network: Network) -> None:
    import docker

    client = docker.APIClient(base_url=podman)
    builder = Builder(client, network=network)
    assert builder.describe().podman
    assert not builder.uses_buildkit()
    pinned = tiny_lock(salt=f"podman {time.time()}")
    image = builder.build(TINY, pinned)
    labels = client.inspect_image(image.tag)["Config"]["Labels"]  # type: ignore[no-untyped-call]
    assert labels["org.keras-version-matrix.lock"] == pinned.sha256
    assert builder.build(TINY, pinned).cached
    client.close()


def test_facts_about_the_engine() -> None:
    builder = Builder()
    found = builder.describe()
    assert found.platform in {p.docker for p in compat.load().platforms.values()}
    assert found.root
    builder.client().close()
