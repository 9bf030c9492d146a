"""Packs DAQUAR, questions about photographs of rooms, for the vqa probe.

Malinowski and Fritz, NIPS 2014.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.data.files import save, sha256
from runner.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZE = 224
"""Pixels, both ways: the larger of the probe's two sizes. Smaller ones are taken from it."""

_QUESTIONS = ("qa.37.raw.train.txt", "qa.37.raw.test.txt", "qa.894.raw.train.txt", "qa.894.raw.test.txt")
"""The published files of questions, those of the reduced set first."""

_ABOUT = re.compile(r"\b(?:in|on|of|at)?\s*(?:the\s+)?(image\d+)\s*\??\s*$")


def pack(folder: Path, target: Path) -> None:
    """Write images, questions and answers as one .npz file.

    ``images`` (m, 224, 224, 3) of bytes, ``image_of`` (n,), ``questions`` (n, words) and ``answers`` (n,).

    ``folder`` holds the published text files and, somewhere below it, the photographs they name. Words are numbered
    by the alphabet from 1 (0 fills up); an answer of several words is one class. Raises UsageError for what is
    missing.
    """
    import numpy as np

    pairs = [pair for path in _texts(folder) for pair in read(path)]
    names = list(dict.fromkeys(name for name, _, _ in pairs))
    photographs = {path.stem: path for path in sorted(folder.rglob("image*.*")) if path.stem in set(names)}
    missing = [name for name in names if name not in photographs]
    if missing:
        what = f"{len(missing)} of {len(names)} photographs, {missing[0]}.png first"
        raise UsageError(f"--data daquar={folder}: lacks {what}")
    words = _numbered((word for _, question, _ in pairs for word in question), 1)
    answers = _numbered((answer for _, _, answer in pairs), 0)
    longest = max(len(question) for _, question, _ in pairs)
    questions = np.zeros((len(pairs), longest), np.int32)
    for row, (_, question, _) in zip(questions, pairs, strict=True):
        row[: len(question)] = [words[word] for word in question]
    places = {name: place for place, name in enumerate(names)}
    save(
        target,
        images=np.stack([_photograph(photographs[name]) for name in names]),
        image_of=np.array([places[name] for name, _, _ in pairs], np.int32),
        questions=questions,
        answers=np.array([answers[answer] for _, _, answer in pairs], np.int32),
    )


def stamp(folder: Path) -> str:
    """Sixteen hex digits over the texts and the names and sizes of the photographs."""
    found = hashlib.sha256()
    for path in _texts(folder):
        found.update(sha256(path).encode())
    for path in sorted(folder.rglob("image*.*")):
        found.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
    return found.hexdigest()[:16]


def read(path: Path) -> list[tuple[str, tuple[str, ...], str]]:
    """Read ``[(image, words of the question, answer)]`` from a published file.

    Questions and answers are on alternate lines. Raises UsageError where the lines are others.
    """
    lines = [line.strip().lower() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = []
    for number in range(0, len(lines) - 1, 2):
        about = _ABOUT.search(lines[number])
        if about is None:
            raise UsageError(f"{path}: question {number // 2 + 1} names no image: {lines[number][:60]!r}")
        words = tuple(re.findall(r"\w+", lines[number][: about.start()]))
        found.append((about.group(1), words, lines[number + 1]))
    if not found:
        raise UsageError(f"{path}: holds no questions")
    return found


def _texts(folder: Path) -> list[Path]:
    """The files of questions: the reduced set where it is there, else the full one."""
    found = {path.name: path for path in sorted(folder.rglob("qa.*.txt"))} if folder.is_dir() else {}
    chosen = [found[name] for name in _QUESTIONS if name in found]
    if not chosen:
        raise UsageError(f"--data daquar={folder}: is not a folder with {_QUESTIONS[0]} and the photographs")
    return [path for path in chosen if path.name.split(".")[1] == chosen[0].name.split(".")[1]]


def _numbered(words: Iterable[str], first: int) -> dict[str, int]:
    return {word: number for number, word in enumerate(sorted(set(words)), first)}


def _photograph(path: Path) -> NDArray[np.uint8]:
    import numpy as np

    try:
        from PIL import Image
    except ImportError:
        raise UsageError("reading photographs needs Pillow: pip install 'keras-version-matrix[data]'") from None
    try:
        with Image.open(path) as image:
            small: Any = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.NEAREST)
            return np.asarray(small, np.uint8)
    except OSError as error:
        raise UsageError(f"{path}: is not a photograph: {error}") from None
