"""Which releases of a package are published.

Asked is the index that uv and pip are set up for.

uv resolves but does not list, so the list is pip's (``pip index versions``, run by uv as a tool); upload dates are
those that ``uv lock`` writes down. No index is named here.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from runner.environments import lockfile, resolve
from runner.environments.lockfile import Recipe
from runner.errors import Cause, CellError, OutageError, UnavailableError, UsageError, suggest
from runner.matrix import compat, frameworks, sets
from runner.util import commands, folders, outage, scratch, versions
from runner.util.versions import is_prerelease, order

_NEAREST = 2
"""How many days are named where there was no build on the one asked for."""
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""A project's name by PEP 508."""
_TIMEOUT_S = 180


@cache
def published(package: str, python: str, *, prereleases: bool = False, place: str = "") -> tuple[str, ...]:
    """The releases with a wheel for that Python, oldest first.

    Yanked ones are among them (see ``yanked``). ``place`` is the address of another index than the default one.

    Raises UsageError where the index knows no such package, OutageError where it cannot be reached, UnavailableError
    where it gives no answer for another reason.
    """
    if not NAME.fullmatch(package):
        raise UsageError(f"{package!r} is not a name of a package (example: torch)")
    command = [
        folders.uv_program(), "tool", "run", "--quiet", "pip", "index", "versions", frameworks.distribution(package),
        "--only-binary", ":all:", "--python-version", python, "--disable-pip-version-check",
        *(["--pre"] if prereleases else []), *(["--index-url", place] if place else []),
    ]  # fmt: skip
    done = _run(command, _mirrors())
    if done.code:
        if out := outage.of(done.errors):  # pip prints "No matching distribution" without a network, too
            raise out
        if "No matching distribution" in done.errors:
            near = suggest(package, known_packages())
            raise UsageError(f"the package index has no {package!r} with a wheel for Python {python}{near}")
        raise UnavailableError(f"the releases of {package} cannot be listed: {_last(done.errors)}", done.errors)
    return parse_versions(done.output)


def parse_versions(output: str) -> tuple[str, ...]:
    """What ``pip index versions`` prints, oldest first.

    >>> parse_versions("keras (3.9.0)\\nAvailable versions: 3.9.0, 3.8.0, 3.8.0rc1\\n")
    ('3.8.0rc1', '3.8.0', '3.9.0')
    """
    line = next((line for line in output.splitlines() if line.startswith("Available versions:")), "")
    found = [versions.public(part.strip()) for part in line.removeprefix("Available versions:").split(",")]
    return tuple(sorted(dict.fromkeys(version for version in found if version), key=order))


def nearest(version: str, known: Sequence[str]) -> str:
    """The release closest below ``version``, else the oldest above it.

    Empty where there is none.

    >>> nearest("2.2.9", ["2.1.0", "2.2.2", "2.3.0"])
    '2.2.2'
    """
    below = [one for one in known if order(one) <= order(version)]
    return below[-1] if below else (known[0] if known else "")


def unknown(requirements: Iterable[str], python: str) -> list[str]:
    """The requirements that the index does not have.

    ``requirements``: ``name==version`` or ``name``. Each is returned with the nearest release that the index has.
    """
    found = []
    for text in requirements:
        name, _, version = text.partition("==")
        try:
            there = published(frameworks.distribution(name, version), python, prereleases=True)
        except UsageError as error:
            found.append(str(error))
            continue
        except CellError:
            continue
        plain = versions.public(version)
        if frameworks.nightly_index(name, plain):  # of another index
            continue
        if plain and "*" not in plain and order(plain) not in {order(one) for one in there}:
            near = nearest(plain, [one for one in there if not is_prerelease(one)] or there)
            found.append(f"{name} {version}: no such release with a wheel for Python {python}; the nearest is {near}")
    return found


def newest(package: str, python: str, as_of: str = "", below: str = "") -> str:
    """The newest release that uv would choose, as of a moment (RFC 3339).

    Raises BuildError where there is none, OutageError where the index cannot be reached.
    """
    line = f"{frameworks.distribution(package)}{below}"
    asked = _recipe(python, as_of, line)
    extra = ["--exclude-newer-package", f"{package}=false"] if _own_index(package) and not as_of else []
    resolved = lockfile.parse_resolution(resolve.compile_(asked, ["--no-deps", *extra], line))
    return versions.public(resolved[0].version)


def _own_index(package: str) -> bool:
    known = frameworks.table().get(package)
    return known is not None and known.own_index


def nightly(package: str, wanted: str, python: str = "") -> str:
    """The exact version of a nightly build.

    ``package`` is a framework or ``keras``, ``wanted`` is ``nightly`` (the newest) or ``nightly-2026-10-12``. Of
    several builds of a day the last counts.

    Raises UsageError where there is no such build, OutageError where the index cannot be reached.
    """
    if why := without_nights(package):
        raise UsageError(f"{package}@{wanted}: {why}")
    known = frameworks.nightlies()
    day = _day(package, wanted)
    builds = nightly_builds(package, python or compat.load().python.preferred)
    found = [one for one in builds if day in (None, versions.night(one))]
    if not found:
        days = sorted({str(versions.night(one)) for one in builds}, key=lambda one: (abs(_days(one, day)), one))
        near = " and ".join(sorted(days[:_NEAREST])) or "none at all"
        raise UsageError(f"{package}@{wanted}: {known[package]} has no build of that day; the nearest are of {near}")
    return found[-1]


def without_nights(package: str) -> str:
    """Why no nightly builds of a framework or of Keras can be asked for, or empty."""
    known = frameworks.nightlies()
    if package not in known:
        near = suggest(package, known)
        return f"compat.toml names no package with nightly builds of {package}{near}; it does for {', '.join(known)}"
    if known[package] == frameworks.distribution(package) and not _place(package):
        where = "name its address in the table [nightly-index] of matrix/compat.toml"
        return f"nightly builds of {package} are on another package index; {where}"
    return ""


def release(package: str, wanted: str) -> str:
    """The version that a word stands for, or the version itself.

    ``release`` is the newest release, ``nightly`` the newest nightly build.

    Raises UsageError for what is not a version.
    """
    if wanted == "release":
        return compat.latest(package)
    version = nightly(package, wanted) if sets.is_nightly(wanted) else wanted
    if not versions.PUBLIC.fullmatch(version):
        raise UsageError(f"{wanted!r} is not a release number (example: 2.2.2), `release` or `nightly`")
    return version


def nightly_builds(package: str, python: str) -> tuple[str, ...]:
    """The nightly builds of a framework or of Keras, oldest first.

    None where compat.toml names no package that holds them. Raises as ``published``.
    """
    if package not in frameworks.nightlies():
        return ()
    place = _place(package)
    try:
        builds = published(frameworks.nightlies()[package], python, prereleases=True, place=place)
    except OutageError as error:
        if not place:
            raise
        reason = f"the package index with nightly builds of {package} cannot be reached"
        raise OutageError(error.cause, reason, "check its address in matrix/compat.toml and the network") from error
    return tuple(sorted(filter(versions.night, builds), key=lambda one: (str(versions.night(one)), order(one))))


def _place(package: str) -> str:
    return frameworks.nightly_index(package, _ANY_NIGHT)


_ANY_NIGHT = "0.dev20000101"


def _day(package: str, wanted: str) -> dt.date | None:
    if wanted == sets.NIGHTLY:
        return None
    text = wanted.removeprefix(f"{sets.NIGHTLY}-")
    try:
        if len(text) == len("2026-10-12"):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{package}@{wanted}: {text!r} is not a day (example: nightly-2026-10-12)")


def _days(one: str, other: dt.date | None) -> int:
    return (dt.date.fromisoformat(one) - other).days if other else 0


def yanked(package: str, version: str, python: str) -> str:
    """Why the release was yanked, or empty.

    Raises OutageError where the index cannot be reached, UnavailableError where it gives no answer for another reason.
    """
    package = frameworks.distribution(package, version)
    with scratch.folder("yanked") as folder:
        (folder / "requirements.in").write_text(f"{package}=={version}\n")
        command = [
            folders.uv_program(), "pip", "compile", "requirements.in", "--no-deps", "--no-header",
            "--python-version", python, "--no-python-downloads", "--color", "never",
        ]  # fmt: skip
        done = _run(command, {}, folder)
    found = re.search(r"is yanked(?: \(reason: \"?(.*?)\"?\))?\.?$", done.errors, re.MULTILINE)
    if done.code and not found:
        # "no solution" is an answer: a release that is not there was not yanked
        if out := outage.of(done.errors):
            raise out
        if not outage.lasting(done.errors):
            why = _last(done.errors)
            raise UnavailableError(f"whether {package} {version} was yanked cannot be asked: {why}", done.errors)
    return (found[1] or "no reason given") if found else ""


def uploaded(package: str, versions: Iterable[str], python: str) -> dict[str, str]:
    """The day on which each release was uploaded, such as ``2025-03-04``.

    Only where the index states it. Raises OutageError where the index cannot be reached.
    """
    found: dict[str, str] = {}
    for version in versions:
        named = frameworks.distribution(package, version)
        with scratch.folder("dates") as folder:
            (folder / "pyproject.toml").write_text(
                f'[project]\nname = "kvm-dates"\nversion = "0"\nrequires-python = "=={python}.*"\n'
                f'dependencies = []\n[dependency-groups]\none = ["{named}=={version}"]\n'
            )
            done = _run([folders.uv_program(), "lock", "--quiet", "--no-python-downloads"], {}, folder)
            if done.code == 0:
                date = upload_date((folder / "uv.lock").read_text(), named)
                found |= {version: date} if date else {}
            elif out := outage.of(done.errors):
                raise out
    return found


def upload_date(lock: str, package: str) -> str:
    """The day of the earliest upload of a package's files in a ``uv.lock``.

    Empty where none is given.
    """
    for entry in tomllib.loads(lock).get("package", ()):
        if entry.get("name") == versions.project(package):
            times = [wheel.get("upload-time") for wheel in entry.get("wheels", ())]
            times = sorted(time for time in times if time)
            return str(times[0])[:10] if times else ""
    return ""


def end_of(date: dt.date) -> str:
    """The moment at which a day ends, in RFC 3339, UTC.

    What was uploaded on that day still counts.

    >>> end_of(dt.date(2025, 1, 2))
    '2025-01-03T00:00:00Z'
    """
    return f"{date + dt.timedelta(days=1)}T00:00:00Z"


def known_packages() -> tuple[str, ...]:
    """Names to suggest where one is misspelt: the frameworks and what comes with them."""
    own = (name for one in frameworks.table().values() for name in sorted(one.parts))
    others = ("keras", "scipy", "h5py", "ml-dtypes", "torchvision", "optree", "protobuf", "absl-py")
    return (*own, *others)


Newest = Callable[[str, str, str], str]
"""(package, Python, as of) -> release; ``newest`` outside of tests."""


def _recipe(python: str, as_of: str, line: str) -> Recipe:
    facts = compat.load()
    moment = as_of or f"{compat.load_latest().date}T00:00:00Z"
    return Recipe("", python, facts.platform("linux-x86_64").uv, "cpu", moment, (line,))


def _mirrors() -> dict[str, str]:
    """uv's mirror for pip, where the user has one and none for pip."""
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    return {"PIP_INDEX_URL": index} if index and "PIP_INDEX_URL" not in os.environ else {}


def _run(command: Sequence[str], variables: dict[str, str], folder: Path | None = None) -> commands.Ended:
    """Ask by a program.

    Raises OutageError where it takes too long, UnavailableError where it was ended.
    """
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    ended = commands.guarded(command, timeout_s=_TIMEOUT_S, folder=folder, variables=kept | variables)
    if ended.late:
        reason = f"the package index did not answer within {_TIMEOUT_S} s"
        raise OutageError(Cause.NETWORK, reason, outage.NETWORK_WAY_OUT)
    if ended.code is None or ended.code < 0:
        raise UnavailableError("something ended the program that asked the package index", ended.errors)
    return ended


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and "WARNING" not in line]
    return lines[-1] if lines else "no reason given"
