"""One build through a docker command line with BuildKit."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from runner.engine import CommandLine
from runner.errors import UnavailableError
from runner.images import failure
from runner.images.network import Network
from runner.images.recipe import Recipe, dockerfile
from runner.util import scratch
from runner.util.guarded import Guarded

_STEP = re.compile(r"#[0-9]+ \[[^\]]*\] .*/(?P<part>framework|company|keras|own)\.txt")
_KEPT_LINES = 200
_STOPPED = "building was stopped"


def build(recipe: Recipe, command: CommandLine, network: Network, say: Callable[[str], None], running: Running) -> str:
    """Build the image and tag it; its id.

    Raises BuildError with the end of the output, OutageError where the engine, its disk or the network gives out.
    """
    with scratch.folder("build") as folder:
        context, secrets = folder / "context", folder / "secrets"
        context.mkdir()
        secrets.mkdir(mode=0o700)
        _fill(context, dict(recipe.files) | {"Dockerfile": dockerfile(recipe)})
        for wheel in recipe.wheels:
            shutil.copyfile(wheel, context / wheel.name)
        _fill(secrets, network.files(), 0o600)
        arguments = [
            command.path, *(["buildx"] if command.buildx else []), "build", "--progress", "plain",
            "--tag", recipe.tag, "--iidfile", str(folder / "id"),
            *(["--load", "--provenance=false"] if command.buildx else []),
            *(["--network", network.mode] if network.mode else []),
            *(f"--secret=id={path.name},src={path}" for path in sorted(secrets.iterdir())),
            str(context),
        ]  # fmt: skip
        code, lines = running.follow(arguments, lambda line: _progress(line, recipe, say))
        if code:
            raise failure.error(recipe.environment.id, lines)
        return (folder / "id").read_text(encoding="utf-8").strip()


class Running:
    """The command lines that are building now, so that all can be stopped."""

    def __init__(self) -> None:
        self._programs: set[Guarded] = set()
        self._stopped = False

    def follow(self, arguments: list[str], line_seen: Callable[[str], None]) -> tuple[int, list[str]]:
        """Run to the end. Returns the exit code and the last lines of output.

        Raises UnavailableError once stopped.
        """
        if self._stopped:
            raise UnavailableError(_STOPPED)
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        # the engine's own builder, whatever builder instance is selected here: only it shares the engine's images
        environment.setdefault("BUILDX_BUILDER", "default")
        lines: list[str] = []
        program = Guarded(arguments, variables=environment)
        self._programs.add(program)
        try:
            with io.TextIOWrapper(program.output, encoding="utf-8", errors="replace") as output:
                for line in output:
                    lines.append(line.rstrip("\n"))
                    del lines[:-_KEPT_LINES]
                    line_seen(line)
            program.wait()
        finally:
            self._programs.discard(program)
            program.end()
        if self._stopped:
            raise UnavailableError(_STOPPED)
        if program.failed is not None:
            raise UnavailableError(f"{arguments[0]} cannot be started: {os.strerror(program.failed)}")
        if program.exit_code is None or program.exit_code < 0:
            raise UnavailableError("somebody ended the docker command line while it built the image", "\n".join(lines))
        return program.exit_code, lines

    def stop(self) -> None:
        """End all builds; the engine cancels what their command lines asked for."""
        self._stopped = True
        for program in tuple(self._programs):
            program.kill()


def _progress(line: str, recipe: Recipe, say: Callable[[str], None]) -> None:
    step = _STEP.match(line)
    environment = recipe.environment
    if step and step["part"] == "framework":
        say(f"installing {environment.framework} {environment.version}")
    elif step and step["part"] == "company":
        say("installing what keras needs")
    elif step and step["part"] == "own":
        say("installing what no package index has")
    elif step:
        say(f"installing keras {environment.keras or ''}".rstrip())
    elif line.endswith("exporting layers\n"):
        say("writing the image")


def _fill(folder: Path, files: dict[str, str], mode: int = 0o644) -> None:
    for name, content in files.items():
        (folder / name).touch(mode)
        (folder / name).write_text(content, encoding="utf-8")
