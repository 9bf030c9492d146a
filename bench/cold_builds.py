"""Measures cold build times and sizes of a set's images.

The same cells are also built one after another, each from a plain Dockerfile.

    python -m bench.cold_builds [--set quick] [--jobs 3] [--plain]

No cached layer is used and none is removed: a salt makes every layer new. The images made here are removed at the
end. Base images must be there. Other work on the machine changes the figures, so the load is printed.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from runner import engine
from runner.environments import lock
from runner.images import Builder, manage
from runner.images import recipe as recipes
from runner.matrix import compat, plan, sets
from runner.model import Environment

GB = 1e9
PIP = "pip install --quiet --no-cache-dir --no-deps"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="quick")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="plain Dockerfiles too, one at a time")
    chosen = parser.parse_args()
    wanted = environments(chosen.set)
    salt = secrets.token_hex(8)
    say(f"load {load()}, from the template, {chosen.jobs} at a time:")
    ours(wanted, chosen.jobs, salt)
    if chosen.plain:
        say(f"load {load()}, plain Dockerfiles one after another:")
        plain(wanted, salt)
    say(f"load {load()}")


def environments(name: str) -> list[Environment]:
    """The CPU environments of a set."""
    loaded = sets.load()
    resolver = sets.Resolver(compat.latest, compat.load().python_for)
    cells, _ = sets.cells(loaded, sets.named_set(loaded, name), resolver)
    return list(dict.fromkeys(plan.environment_of(cell, "linux-x86_64") for cell in cells if cell.device == "cpu"))


def ours(wanted: list[Environment], jobs: int, salt: str) -> None:
    """Builds all images and prints their times and sizes.

    Printed are the time of each, of all, and of finding them again, and the unshared size of each.
    """
    builder = Builder()
    read = recipes._text  # noqa: SLF001 - the one place all of a layer's inputs come through

    def salted(name: str) -> str:
        return read(name) + (f"# {salt}\n" if name == "install.sh" else "")

    def one(environment: Environment) -> None:
        image = builder.build(environment, lock.locked(environment))
        say(f"  {image.seconds:6.1f} s {image.size_bytes / GB:6.2f} GB  {environment.id}")

    with mock.patch.object(recipes, "_text", salted):
        began = time.monotonic()
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, wanted))
        say(f"  {time.monotonic() - began:6.1f} s            all")
        began = time.monotonic()
        found = [builder.find(environment, lock.locked(environment)) for environment in wanted]
        say(f"  {time.monotonic() - began:6.3f} s            to find {sum(map(bool, found))} of them again")
        contents = {recipes.recipe(environment, lock.locked(environment)).content for environment in wanted}
    made = [image for image in manage.ls(builder.client()) if image.content in contents]
    for image in made:
        say(f"           {image.unique_bytes / GB:6.3f} GB shared with no other: {image.environment}")
    say(f"           {manage.remove(builder.client(), made).freed_bytes / GB:6.2f} GB in all")


def plain(wanted: list[Environment], salt: str) -> None:
    """Builds one plain Dockerfile per cell, with the same pins.

    It has two instructions: FROM python, RUN pip install.
    """
    command = engine.buildkit()
    if command is None:
        sys.exit("no docker command line here has BuildKit")
    client = engine.connect()
    total, size = 0.0, 0
    for number, environment in enumerate(wanted):
        pins = " ".join(f"{name}=={version}" for name, version in lock.locked(environment).packages.items())
        text = f"FROM {recipes.base_image(environment.python)}\nRUN : {salt}{number} && {PIP} {pins}\n"
        began = time.monotonic()
        subprocess.run(
            [command.path, "build", "--quiet", "--tag", f"plain:{salt}{number}", "-"], input=text.encode(), check=True,
            stdout=subprocess.DEVNULL, env={**os.environ, "DOCKER_BUILDKIT": "1"},
        )  # fmt: skip
        seconds = time.monotonic() - began
        inspected = client.inspect_image(f"plain:{salt}{number}")  # type: ignore[no-untyped-call]
        total, size = total + seconds, size + inspected["Size"]
        say(f"  {seconds:6.1f} s {inspected['Size'] / GB:6.2f} GB  {environment.id}")
        client.remove_image(f"plain:{salt}{number}")
        for entry in client.df()["BuildCache"]:
            if salt in entry["Description"]:
                client.prune_builds(filters={"id": [entry["ID"]]}, all=True)  # type: ignore[arg-type]
    say(f"  {total:6.1f} s {size / GB:6.2f} GB  all")


def load() -> str:
    """Of the last minute."""
    return Path("/proc/loadavg").read_text(encoding="ascii").split()[0]


def say(line: str) -> None:
    """At once, also into a file."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
