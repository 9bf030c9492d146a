"""Reads versions, Python, platform and date from a bug report. Pure.

Read are ``python -m torch.utils.collect_env``, ``pip freeze``, ``uv pip list``, ``conda list``, version prints of the
frameworks, and free text; a Markdown issue can hold all of these. Every fact keeps the line it was read from. What
a tool printed outranks what a person wrote; of two of a kind the first counts, and the contradiction is reported.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from runner.matrix import frameworks
from runner.util import versions

_VERSION = r"[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:[.-]?dev[0-9]*)?(?:\+[A-Za-z0-9.]+)?"
_RELEASE = rf"v?(?P<version>{_VERSION})(?![0-9A-Za-z])"
_PACKAGES = ("keras", "numpy", "jaxlib", "scipy", "h5py")
"""What is looked for in sentences besides frameworks. Any other name there may be just a word."""
_FREEZE = re.compile(rf"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>{_VERSION})(?:\s*;.*)?")
_COLLECT_LIB = re.compile(
    rf"\[(?:pip3?|conda)\]\s+(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:==|\s+)(?P<version>{_VERSION})(?:\s.*)?"
)
_COLLECT_TORCH = re.compile(rf"PyTorch version:\s*(?P<version>{_VERSION})")
_TABLE = re.compile(
    rf"\|?\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s+\|?\s*(?P<version>(?=[0-9]+\.){_VERSION})(?:\s+\S+){{0,3}}\s*\|?"
)
_ANSWER = re.compile(rf"['\"]?{_RELEASE}['\"]?")
_TF_PRINT = re.compile(rf"v[0-9][^\s]*-[0-9]+-g[0-9a-f]+\s+{_RELEASE}|unknown\s+(?P<other>{_VERSION})")
_PYTHON = re.compile(
    r"(?<![A-Za-z])(?:c?python)(?:\s+(?:version|is))?\s*(?:[:=|*`]|==)*\s*[`*]*(?:v)?(?P<version>[23]\.[0-9]{1,2})(?:\.[0-9]+)?",
    re.IGNORECASE,
)
_MAC = r"macos|mac os|mac ?book|os x|darwin|macosx"
_PLATFORMS = (
    ("macos-arm64", rf"\b(?:{_MAC})\b.*\b(?:arm64|aarch64|apple silicon|m[1-5])\b"),
    ("macos-arm64", r"\bapple m[1-5]\b|\bmacosx?-[0-9.]+-arm64\b|\bm[1-5]\b.*\bmac"),
    ("macos", rf"\b(?:{_MAC})\b"),
    ("windows", r"\b(?:windows|win32|win64|win_amd64)\b"),
    ("linux-aarch64", r"\blinux\b.*\b(?:aarch64|arm64)\b|\b(?:jetson|raspberry pi|graviton)\b"),
    ("linux-x86_64", r"\b(?:linux|ubuntu|debian|centos|fedora|rhel|wsl2?|colab|kaggle)\b"),
)
_LINUX_SUBSYSTEM = re.compile(r"\bwsl2?\b", re.IGNORECASE)
_ISO = re.compile(r"(?<![0-9])(20[1-9][0-9])-([01][0-9])-([0-3][0-9])(?![0-9])")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_YEAR = r"20[1-9][0-9]"
_LONG = re.compile(
    rf"\b(?P<month>{_MONTH})\s+(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?,?\s+(?P<year>{_YEAR})\b"
    rf"|\b(?P<day2>[0-3]?[0-9])\.?\s+(?P<month2>{_MONTH}),?\s+(?P<year2>{_YEAR})\b",
    re.IGNORECASE,
)
_MONTH_ALONE = re.compile(
    r"\b(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    rf"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?,?\s+(?:of\s+)?(?P<year>{_YEAR})\b",
    re.IGNORECASE,
)
_ISO_MONTH = re.compile(r"(?<![0-9-])(?P<year>20[1-9][0-9])-(?P<number>0[1-9]|1[0-2])(?![0-9-])")
_BUILD = re.compile(r"\(main,|\[GCC|Clang [0-9]")
"""The date in a Python's own version is that of its build."""
_DATE_WORDS = re.compile(
    r"\b(?:created|opened|posted|date|reported|commented|on|since|as of)\b[^0-9]{0,25}$", re.IGNORECASE
)


@cache
def _modules() -> dict[str, str]:
    """What code calls a package -> its name."""
    own = {one.module: name for name, one in frameworks.table().items()}
    return {**own, "tf": "tensorflow", "np": "numpy", "keras": "keras"}


_ATTRIBUTE = r"(?:__version__|version\.VERSION)"


@cache
def _print() -> re.Pattern[str]:
    """A module's version, printed or in a comment."""
    return re.compile(
        rf"(?:>>>\s*)?(?:print\()?(?P<name>{_any_of(_modules())})\.{_ATTRIBUTE}\)?"
        rf"\s*(?:#|->|=|:|,)?\s*['\"]?{_RELEASE}"
    )


@cache
def _asked() -> re.Pattern[str]:
    """Code that asks a module for its version."""
    return re.compile(rf"\b(?P<name>{_any_of(_modules())})\.{_ATTRIBUTE}")


@cache
def _question() -> re.Pattern[str]:
    """A line of code that asks for versions, by its beginning.

    The answers are on the lines below it, in order.
    """
    return re.compile(rf"(?:>>>|\$|python3?\b|import\b|from\b|print\b|(?:{_any_of(_modules())})\.).*")


@cache
def _text() -> re.Pattern[str]:
    """A package and its version in a sentence."""
    names = _any_of((*frameworks.spellings(), *_PACKAGES))
    return re.compile(
        rf"(?<![A-Za-z0-9_./-])(?P<name>{names})(?:\s*\(?(?:CPU|GPU|nightly)\)?)?"
        rf"(?:\s+(?:version|backend|release|is|at|=)|\s*(?:[:=@]|==|\*\*|`|\()){{0,4}}\s*[`*]*{_RELEASE}",
        re.IGNORECASE,
    )


@cache
def _backend_named() -> re.Pattern[str]:
    """A framework that a sentence calls the backend."""
    return re.compile(
        rf"\b(?P<name>{_any_of(frameworks.spellings())})\s+(?:as\s+)?(?:the\s+)?(?:keras\s+)?backend\b"
        rf"|\bbackend\s*[:=]\s*[`'\"*]*(?P<name2>[a-z]+)\b",
        re.IGNORECASE,
    )


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_BACKEND_SET = re.compile(
    r"KERAS_BACKEND['\"]?\]?\s*[=:]\s*['\"]?(?P<name>[a-z]+)|[Uu]sing (?P<name2>[A-Za-z]+) backend"
)
_SHOWN_NAME = re.compile(r"Name: (?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)")
_SHOWN_VERSION = re.compile(rf"Version: (?P<version>{_VERSION})")
_NOT_ITSELF = re.compile(r"(?:CUDA|ROCM) used to build", re.IGNORECASE)
"""A line with a framework's name and the version of something else."""
_GPU = re.compile(r"Is CUDA available:\s*True|\b(?:RTX|GTX|A100|H100|T4|V100|L4)\b|GPU models and configuration: GPU")
_NO_PACKAGES = frozenset({"python", "pip", "conda", "setuptools", "wheel", "uv"})
"""What a list of packages has and no environment is asked for."""
_LIMIT = 2_000_000
"""Characters read of a report; a log longer than that has said it by then."""
_LINE = 500


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the report says."""

    name: str
    """A project, ``python``, ``platform``, ``date`` or ``backend``."""
    value: str
    line: str
    """Where it was read, shortened."""


@dataclass(frozen=True, slots=True)
class BugReport:
    """All that was read."""

    pins: tuple[Fact, ...] = ()
    python: Fact | None = None
    platform: Fact | None = None
    date: Fact | None = None
    """A day, ``2025-01-23``, or a month, ``2025-01``."""
    backend: Fact | None = None
    gpu: Fact | None = None
    contradictions: tuple[str, ...] = ()

    def version(self, name: str) -> str | None:
        """The release of a project, where the report names it."""
        return next((fact.value for fact in self.pins if fact.name == name), None)


@dataclass(frozen=True, slots=True)
class _Found:
    fact: Fact
    rank: int
    """0 what a tool printed, 1 what a person wrote."""


def read(text: str) -> BugReport:
    """All that ``text`` says. Never raises, whatever it is given."""
    lines = [line.strip()[:_LINE] for line in text[:_LIMIT].splitlines()]
    found = [*_packages(lines)]
    chosen: dict[str, _Found] = {}
    against: dict[str, None] = {}
    for one in sorted(found, key=lambda one: one.rank):
        if one.fact.name in _NO_PACKAGES:
            continue
        first = chosen.setdefault(one.fact.name, one)
        if versions.public(first.fact.value) != versions.public(one.fact.value):
            against[
                f"{one.fact.name}: {first.fact.value} is taken; it also says {one.fact.value} ({one.fact.line})"
            ] = None
    gpu = next((Fact("gpu", "cuda", line) for line in lines if _GPU.search(line)), None)
    return BugReport(
        pins=tuple(one.fact for one in chosen.values()),
        python=_python(lines),
        platform=_platform(lines),
        date=_date(lines),
        backend=_backend(lines),
        gpu=gpu,
        contradictions=tuple(against),
    )


def _packages(lines: list[str]) -> Iterator[_Found]:
    asked: list[str] = []
    shown = ""
    in_table = False
    for raw in lines:
        line = raw.strip("`").strip()
        bare = line.strip("|- ")
        # pip show: the name and the version on two lines
        if shown and (version := _SHOWN_VERSION.fullmatch(line)):
            yield _found(shown, version["version"], line, 0)
        name = _SHOWN_NAME.fullmatch(line)
        shown = name["name"] if name else ""
        if re.fullmatch(r"(?:#\s*)?(?:package|name)s?\s*\|?\s+version\b.*", bare, re.IGNORECASE):
            in_table = True
            continue
        if asked and (answer := _ANSWER.fullmatch(line)):
            yield _found(_modules()[asked.pop(0)], answer["version"], line, 0)
            continue
        if _question().fullmatch(line) and not _print().search(line) and (questions := _asked().findall(line)):
            asked += questions
            continue
        if line and not line.startswith((">>>", "import")):
            asked = []
        yield from _printed(line, in_table=in_table)


def _printed(line: str, *, in_table: bool) -> Iterator[_Found]:
    """What one line says by itself."""
    if _NOT_ITSELF.match(line):
        return
    for pattern in (_FREEZE, _COLLECT_LIB):
        if found := pattern.fullmatch(line):
            yield _found(found["name"], found["version"], line, 0)
            return
    if found := _COLLECT_TORCH.match(line):
        yield _found("torch", found["version"], line, 0)
        return
    if found := _print().match(line):
        yield _found(_modules()[found["name"]], found["version"], line, 0)
        return
    if found := _TF_PRINT.fullmatch(line):
        yield _found("tensorflow", found["version"] or found["other"], line, 0)
        return
    if in_table and (found := _TABLE.fullmatch(line)):
        yield _found(found["name"], found["version"], line, 0)
        return
    for one in _text().finditer(line):
        yield _found(one["name"], one["version"], line, 1)


def _found(name: str, version: str, line: str, rank: int) -> _Found:
    return _Found(Fact(frameworks.named(name), version.lower(), _short(line)), rank)


def _python(lines: list[str]) -> Fact | None:
    for line in lines:
        if found := _PYTHON.search(line):
            return Fact("python", found["version"], _short(line))
    return None


def _platform(lines: list[str]) -> Fact | None:
    """The operating system that is named first."""
    for line in lines:
        for name, pattern in _PLATFORMS:
            if re.search(pattern, line, re.IGNORECASE):
                linux = name == "windows" and _LINUX_SUBSYSTEM.search(line)
                return Fact("platform", "linux-x86_64" if linux else name, _short(line))
    return None


def _date(lines: list[str]) -> Fact | None:
    """A date in words, or one in digits after a word such as "opened".

    Logs are full of other dates in digits.
    """
    for line in lines:
        found = _ISO.search(line)
        if found and _DATE_WORDS.search(line[: found.start()]):
            date = _day(int(found[1]), int(found[2]), int(found[3]))
            if date:
                return Fact("date", date, _short(line))
        if (found := _LONG.search(line)) and not _BUILD.search(line):
            month = _MONTHS.index((found["month"] or found["month2"])[:3].lower()) + 1
            date = _day(int(found["year"] or found["year2"]), month, int(found["day"] or found["day2"]))
            if date:
                return Fact("date", date, _short(line))
    return _month(lines)


def _month(lines: list[str]) -> Fact | None:
    """A month without a day: ``2025-01``."""
    for line in lines:
        if (found := _MONTH_ALONE.search(line)) and not _BUILD.search(line):
            number = _MONTHS.index(found["month"][:3].lower()) + 1
            return Fact("date", f"{found['year']}-{number:02}", _short(line))
        if (found := _ISO_MONTH.search(line)) and _DATE_WORDS.search(line[: found.start()]):
            return Fact("date", f"{found['year']}-{found['number']}", _short(line))
    return None


def _day(year: int, month: int, day: int) -> str:
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return ""


def _backend(lines: list[str]) -> Fact | None:
    for pattern in (_BACKEND_SET, _backend_named()):
        for line in lines:
            if found := pattern.search(line):
                name = next(text for text in found.groupdict().values() if text).lower()
                if name in frameworks.spellings():
                    return Fact("backend", frameworks.named(name), _short(line))
    return None


def _short(line: str) -> str:
    return line if len(line) <= 100 else f"{line[:97]}..."
