"""One build through BuildKit, with a command line made of a few lines of output."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.engine import CommandLine
from runner.environments import lock
from runner.errors import BuildError, UnavailableError
from runner.images import buildkit
from runner.images.network import Network
from runner.images.recipe import dockerfile, recipe
from runner.model import Environment

JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
RECIPE = recipe(JAX, lock.committed(JAX))


class Command:
    """Stands in for ``Guarded``: prints ``printed``, ends with ``exit_code``."""

    def __init__(self) -> None:
        self.printed = ""
        self.exit_code: int | None = 0
        self.failed: int | None = None
        self.arguments: list[str] = []
        self.options: dict[str, Any] = {}
        self.killed = self.ended = self.waited = 0
        self.while_running: Callable[[], None] = lambda: None
        self.output = io.BytesIO()

    def __call__(self, arguments: list[str], **options: Any) -> Command:
        self.arguments, self.options = arguments, options
        self.output = io.BytesIO(self.printed.encode())
        self.while_running()
        return self

    def wait(self) -> None:
        self.waited += 1

    def kill(self) -> None:
        self.killed += 1

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    made = Command()
    monkeypatch.setattr(buildkit, "Guarded", made)
    return made


class TestBuild:
    def built(
        self, command: Command, *, buildx: bool = True, network: Network | None = None
    ) -> tuple[list[str], dict[str, dict[str, str]], str]:
        """Build; the words of the command line with the folder as F, the files by folder, and the id."""
        seen: dict[str, dict[str, str]] = {}

        def running() -> None:
            folder = Path(command.arguments[-1]).parent
            (folder / "id").write_text("sha256:made\n")
            for name in ("context", "secrets"):
                seen[name] = {path.name: path.read_text() for path in (folder / name).iterdir()}
            modes = [oct(path.stat().st_mode & 0o777) for path in (folder / "secrets").iterdir()]
            seen["modes"] = {"folder": oct(folder.parent.stat().st_mode & 0o777), "files": " ".join({*modes})}

        command.while_running = running
        line = CommandLine("/usr/bin/docker", buildx=buildx)
        made = buildkit.build(RECIPE, line, network or Network({}), lambda _text: None, buildkit.Running())
        folder = str(Path(command.arguments[-1]).parent)
        assert not Path(folder).exists()
        assert Path(folder).name.startswith("build-")
        return [word.replace(folder, "F") for word in command.arguments], seen, made

    def test_buildx_is_given_the_recipe_alone(self, command: Command) -> None:
        words, seen, made = self.built(command)
        assert words == [
            *("/usr/bin/docker", "buildx", "build", "--progress", "plain", "--tag", RECIPE.tag),
            *("--iidfile", "F/id", "--load", "--provenance=false", "F/context"),
        ]
        assert seen["context"] == {**RECIPE.files, "Dockerfile": dockerfile(RECIPE)}
        assert seen["secrets"] == {}
        assert made == "sha256:made"

    def test_an_old_client_has_buildkit_built_in(self, command: Command) -> None:
        words, _, _ = self.built(command, buildx=False)
        assert words == [
            *("/usr/bin/docker", "build", "--progress", "plain", "--tag", RECIPE.tag, "--iidfile", "F/id", "F/context")
        ]

    def test_proxies_and_certificates_are_secrets_of_the_build(self, command: Command) -> None:
        network = Network({"HTTPS_PROXY": "http://localhost:3128"}, "PEM")
        words, seen, _ = self.built(command, network=network)
        assert words[-5:] == [
            *("--network", "host", "--secret=id=certificates,src=F/secrets/certificates"),
            *("--secret=id=network,src=F/secrets/network", "F/context"),
        ]
        assert seen["secrets"] == network.files()
        assert seen["modes"] == {"folder": "0o700", "files": "0o600"}

    def test_a_failed_build_says_why_and_leaves_no_folder(self, command: Command) -> None:
        command.printed, command.exit_code = "#7 1.2 error: Hash mismatch\n", 1
        with pytest.raises(BuildError, match=f"^cannot build {JAX.id}: Hash mismatch$"):
            self.built(command)
        assert not Path(command.arguments[-1]).parent.exists()

    def test_each_step_is_said_as_it_begins(self, command: Command) -> None:
        said: list[str] = []
        command.printed = "#7 [stage-1 2/4] RUN sh /build/install.sh packages /tools /build/framework.txt\n#8 x\n"

        def running() -> None:
            (Path(command.arguments[-1]).parent / "id").write_text("x")

        command.while_running = running
        line = CommandLine("docker", buildx=True)
        buildkit.build(RECIPE, line, Network({}), said.append, buildkit.Running())
        assert said == ["installing jax 0.10.2"]


class TestRunning:
    def test_the_engines_own_builder_is_used_whatever_is_selected(
        self, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("BUILDX_BUILDER", raising=False)
        monkeypatch.setenv("OWN", "1")
        buildkit.Running().follow(["docker", "build"], lambda _line: None)
        assert command.arguments == ["docker", "build"]
        options = command.options
        found = options.pop("variables")
        assert (found["DOCKER_BUILDKIT"], found["BUILDX_BUILDER"], found["OWN"]) == ("1", "default", "1")
        assert options == {}

    def test_a_builder_that_is_named_outright_is_used(self, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BUILDX_BUILDER", "mine")
        buildkit.Running().follow(["docker"], lambda _line: None)
        assert command.options["variables"]["BUILDX_BUILDER"] == "mine"

    def test_the_last_lines_and_the_code_are_returned(self, command: Command) -> None:
        command.printed, command.exit_code = "".join(f"line {n}\n" for n in range(300)), 3
        seen: list[str] = []
        code, lines = buildkit.Running().follow(["docker"], seen.append)
        assert command.waited == 1
        assert (code, lines) == (3, [f"line {n}" for n in range(100, 300)])
        assert seen == [f"line {n}\n" for n in range(300)]

    def test_stopping_ends_what_runs(self, command: Command) -> None:
        running = buildkit.Running()
        command.printed = "line\n"
        ends: list[int] = []

        def seen(_line: str) -> None:
            running.stop()
            ends.append(command.killed)

        with pytest.raises(UnavailableError, match=r"^building was stopped$"):
            running.follow(["docker"], seen)
        assert ends == [1]

    @pytest.mark.parametrize("code", [None, -9])
    def test_a_command_line_that_somebody_ended_is_no_failure_of_the_build(
        self, command: Command, code: int | None
    ) -> None:
        command.printed, command.exit_code = "line\n", code
        with pytest.raises(UnavailableError, match="somebody ended the docker command line") as caught:
            buildkit.Running().follow(["docker"], lambda _line: None)
        assert caught.value.log == "line"

    def test_one_that_is_not_there_is_one_line(self, command: Command) -> None:
        command.failed = 2
        with pytest.raises(UnavailableError, match=r"^docker cannot be started: No such file or directory$"):
            buildkit.Running().follow(["docker"], lambda _line: None)

    def test_nothing_starts_once_stopped(self, command: Command) -> None:
        running = buildkit.Running()
        running.stop()
        with pytest.raises(UnavailableError, match=r"^building was stopped$"):
            running.follow(["docker"], lambda _line: None)
        assert command.arguments == []

    def test_an_interrupted_build_is_ended_and_forgotten(self, command: Command) -> None:
        running = buildkit.Running()
        command.printed = "line\n"

        def seen(_line: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            running.follow(["docker"], seen)
        assert command.ended == 1
        running.stop()
        assert command.killed == 0  # it is not among those that run


@pytest.mark.parametrize(
    ("environment", "line", "said"),
    [
        (Environment("jax", "0.10.2", None, "3.11", "cpu", "linux-x86_64"), "keras", "installing keras"),
        (Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64"), "framework", "installing torch 2.2.2"),
    ],
)
def test_a_step_names_what_it_installs(environment: Environment, line: str, said: str) -> None:
    found: list[str] = []
    other = recipe(environment, lock.committed(JAX))
    buildkit._progress(f"#12 [stage-1 3/4] RUN sh install.sh packages /build/{line}.txt\n", other, found.append)
    assert found == [said]


@pytest.mark.parametrize(
    "line", ["#7 [a] RUN /build/other.txt\n", "x #7 [a] RUN /build/keras.txt\n", "exporting layers done\n"]
)
def test_other_lines_say_nothing(line: str) -> None:
    found: list[str] = []
    buildkit._progress(line, RECIPE, found.append)
    assert found == []
