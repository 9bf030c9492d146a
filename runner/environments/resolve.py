"""A resolution by ``uv pip compile``, with hashes.

For another Python and platform, as of a date.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from runner.environments.lockfile import Recipe
from runner.errors import BuildError, UnavailableError
from runner.matrix import compat as facts
from runner.util import commands, folders, outage, scratch

_UV_TIMEOUT_S = 600
_DECIDED = frozenset(
    [
        "UV_EXCLUDE_NEWER",
        "UV_TORCH_BACKEND",
        "UV_CONSTRAINT",
        "UV_OVERRIDE",
        "UV_EXCLUDE",
        "UV_PRERELEASE",
        "UV_RESOLUTION",
        "UV_PYTHON",
        "UV_NO_BINARY",
        "UV_NO_BUILD",
        "UV_OFFLINE",
        "UV_NO_ANNOTATE",
        "VIRTUAL_ENV",
    ]
)
"""Switches of the user's that would change the answer. Mirrors, proxies and certificates stay."""


def compile_(
    asked: Recipe,
    extra: Iterable[str],
    label: str,
    variables: Mapping[str, str] | None = None,
    prefer: Iterable[str] = (),
) -> str:
    """The resolution as uv prints it.

    ``label`` names it in errors, ``variables`` are for uv's process alone.

    ``prefer`` are pins (``name==version``) that stay as they are unless something forces them to move.

    Raises BuildError with uv's own explanation in one line, and all it said as the log; OutageError where the index
    cannot be reached or the disk is full; UnavailableError where uv does not end.
    """
    with scratch.folder("lock") as folder:
        # relative names in a new folder: no path of this machine, no configuration of the project we stand in
        (folder / "requirements.in").write_text("\n".join([*asked.requirements, ""]))
        (folder / "overrides.txt").write_text("\n".join([*asked.overrides, ""]))
        # uv takes what stands in its output file as its preferences
        (folder / "resolved.txt").write_text("\n".join([*prefer, ""]))
        command = [
            folders.uv_program(), "pip", "compile", "requirements.in", "--overrides", "overrides.txt",
            "--python-version", asked.python, "--python-platform", asked.platform,
            "--exclude-newer", asked.exclude_newer, "--only-binary", ":all:", "--generate-hashes",
            "--no-header", "--annotation-style", "split", "--quiet", "--no-python-downloads",
            "--output-file", "resolved.txt", *extra,
        ]  # fmt: skip
        done = commands.guarded(
            command, timeout_s=_UV_TIMEOUT_S, folder=folder, variables=_environment(asked, variables or {})
        )
        if done.late:
            raise UnavailableError(f"uv did not resolve {label} within {_UV_TIMEOUT_S} s")
        if done.code is None or done.code < 0:
            raise UnavailableError(f"something ended uv while it resolved {label}", done.errors)
        if done.code:
            raise outage.of(done.errors) or BuildError(f"cannot resolve {label}: {explain(done.errors)}", done.errors)
        return (folder / "resolved.txt").read_text()


def _environment(asked: Recipe, variables: Mapping[str, str]) -> dict[str, str]:
    """The environment variables for uv: the user's mirrors and proxies.

    None of the switches that change the answer.
    """
    kept = {key: value for key, value in os.environ.items() if key not in _DECIDED}
    macos = next((p.macos for p in facts.load().platforms.values() if p.uv == asked.platform and p.macos), None)
    return kept | ({"MACOSX_DEPLOYMENT_TARGET": macos} if macos else {}) | dict(variables)


def explain(stderr: str) -> str:
    """uv's own explanation in one line, without its drawing."""
    kept = [line.strip().removeprefix("error:").removeprefix("cause:").strip() for line in stderr.splitlines()]
    kept = [line for line in kept if line and not line.startswith("hint:")]
    causes = [line for line in kept if not line.startswith("No solution found")] or kept
    text = " ".join(" ".join(causes).split())
    # the one of uv's hints that states that a pin is newer than the date asked for
    if late := re.search(r"requested version, v?(\S+), was published at (\d{4}-\d\d-\d\d)", " ".join(stderr.split())):
        text = f"{late[1]} was published on {late[2]} only: {text}"
    return text if len(text) <= 400 else f"{text[:397]}..."
