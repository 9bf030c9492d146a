"""One build by the classic builder, with an engine made of a few events."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import docker
import pytest
import requests
import urllib3

from runner.environments import lock
from runner.errors import BuildError, OutageError
from runner.images import buildkit, classic
from runner.images.network import Network
from runner.images.recipe import dockerfile, recipe
from runner.model import Environment

JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
RECIPE = recipe(JAX, lock.committed(JAX))


class Client:
    """Stands in for docker-py's APIClient: a build is a list of events, of which one may be an exception."""

    def __init__(self, *events: dict[str, Any] | Exception) -> None:
        self.events = events
        self.asked: dict[str, Any] = {}

    def build(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        self.asked = arguments
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    def inspect_image(self, tag: str) -> dict[str, str]:
        return {"Id": f"id of {tag}"}

    @property
    def api(self) -> Any:
        """Itself, as the function's parameter type would have it."""
        return self


def test_the_image_is_built_from_the_recipe_alone() -> None:
    client, said = Client({"stream": "Step 1"}, {"aux": {}}), list[str]()
    network = Network({"HTTPS_PROXY": "http://localhost:3128"})
    assert classic.build(RECIPE, client.api, network, said.append) == f"id of {RECIPE.tag}"
    assert said == ["installing jax 0.10.2"]
    asked = client.asked
    assert (asked["tag"], asked["network_mode"], asked["buildargs"]) == (RECIPE.tag, "host", network.build_arguments())
    assert [asked[name] for name in ("custom_context", "rm", "forcerm", "decode")] == [True] * 4
    with tarfile.open(fileobj=io.BytesIO(asked["fileobj"].read())) as context:
        found = {member.name: context.extractfile(member) for member in context.getmembers()}
        text = {name: file.read().decode() for name, file in found.items() if file}
    assert text == {**RECIPE.files, "Dockerfile": dockerfile(RECIPE, buildkit=False)}


@pytest.mark.parametrize(
    ("events", "kind", "says"),
    [
        (
            [{"stream": "error: Hash "}, {"stream": "mismatch\n"}, {"error": "returned a non-zero code: 1"}],
            BuildError,
            "cannot build jax-0.10.2_keras-3.11.3_py3.11_cpu_linux-x86_64: Hash mismatch",
        ),
        ([{"error": "no space left on device"}], OutageError, "no space is left on the Docker engine's disk"),
        ([docker.errors.APIError("x", explanation="dockerfile parse error")], BuildError, "dockerfile parse"),
        ([requests.ConnectionError("gone")], OutageError, "the Docker engine stopped answering"),
        ([urllib3.exceptions.ProtocolError("cut")], OutageError, "the Docker engine stopped answering"),
        ([BrokenPipeError()], OutageError, "the Docker engine stopped answering"),
    ],
)
def test_each_way_to_fail_has_its_error(
    events: list[dict[str, Any] | Exception], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        classic.build(RECIPE, Client(*events).api, Network({}), lambda _text: None)


def test_the_log_of_a_failed_build_is_its_end() -> None:
    lines: list[dict[str, Any] | Exception] = [{"stream": f"line {number}\n"} for number in range(9000)]
    with pytest.raises(BuildError) as caught:
        classic.build(RECIPE, Client(*lines, {"error": "failed"}).api, Network({}), lambda _text: None)
    assert len(caught.value.log) <= 32 * 1024
    assert "line 8999" in caught.value.log
    assert "line 100\n" not in caught.value.log


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("#7 [framework 3/4] RUN install /build/framework.txt\n", ["installing jax 0.10.2"]),
        ("#8 [company 1/2] RUN install /build/company.txt\n", ["installing what keras needs"]),
        ("#9 [keras 1/2] RUN install /build/keras.txt\n", ["installing keras 3.11.3"]),
        ("#10 exporting layers\n", ["writing the image"]),
        ("#7 0.355 Using Python 3.11.7\n", []),
    ],
)
def test_the_steps_of_buildkit_are_named(line: str, said: list[str]) -> None:
    found: list[str] = []
    buildkit._progress(line, RECIPE, found.append)
    assert found == said
