"""What defects of one cause have in common, without what varies."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 100
"""Characters of a message that are compared."""

_FEWEST = 2
"""A message of no more words says too little, for example an exception without a text."""

_NAMING = ("AttributeError: ", "ImportError: ", "ModuleNotFoundError: ", "NameError: ")
"""Exceptions whose messages differ in a quoted name alone. Names of classes vary all the same."""

_VARIES = re.compile(
    r"0x[0-9a-f]*"  # addresses
    r"|\{\{.*?\}\}"  # TensorFlow's nodes
    r"|'[^']*'|\"[^\"]*\"|`[^`]*`"
    r"|<[^<>]*>|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}"
    r"|\b(?:bool|u?int|b?float|half|double|complex|string)\d*\b(?!\w)"
    r"|(?<=scalar type )\w+"
    r"|-?\d[\d.]*"
)


def message(text: str, names: Iterable[str] = ()) -> str:
    """The first part of a message, without what varies.

    That is numbers, quoted texts, shapes, addresses, and the names of the functions that it is about.

    >>> message("TypeError: split requires ndarray arguments, got <class 'list'> at position 0.", ["ops.split"])
    'TypeError: requires ndarray arguments, got at position'
    >>> message("AttributeError: 'tuple' object has no attribute 'shape'")
    'AttributeError: tuple object has no attribute shape'
    """
    text = whole = re.sub(r"; [\w.]+$", "", ": ".join(text.split(": ")[:2]))  # another figure has the same message
    if text.startswith(_NAMING):  # which name is missing is all that such a message says
        text = re.sub(r"['\"]([a-z_]\w*)['\"]", r"\1", text)
    for name in names:
        for part in {name.rpartition(".")[2], snake(name.rpartition(".")[2])} - {""}:
            text = re.sub(rf"\b{re.escape(part)}\b", "", text)
    before = None
    while before != text:  # brackets within brackets
        before, text = text, _VARIES.sub("", text)
    words = [word for word in text.split() if re.search(r"\w", word)]
    if len(words) <= _FEWEST:  # all of it is in quotes
        words = re.findall(r"[A-Za-z]\w*", whole)
    return " ".join(words)[:_LONGEST] if len(words) > _FEWEST else ""


GENERAL = re.compile(r"Value for attr|truth value of an array")
"""Messages that a framework has for all its functions."""
FIT = "what fit sees or reports"
ABOUT = "about "
"""Signatures that say little: they join what has the same bounds in all cells (see ``causes``)."""


def weak(text: str) -> bool:
    """Whether a signature joins only defects of equal bounds.

    >>> weak("about EarlyStopping"), weak("configuration Huber delta")
    (True, False)
    """
    return text == FIT or text.startswith(ABOUT)


def snake(name: str) -> str:
    """The name of a class as a function would have it.

    >>> snake("AveragePooling2D"), snake("KLDivergence")
    ('average_pooling2_d', 'kl_divergence')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def types(text: str) -> tuple[str, ...]:
    """The element types in a text, each once.

    >>> types("float32[2,3] int32[2]; actual: float16[2,3] int32[2]")
    ('float32', 'int32', 'float16', 'int32')
    """
    return tuple(re.findall(r"\b(b?float\d+|u?int\d+|bool|complex\d+|string)\b", text))


def promise(text: str) -> str:
    """The types that a symbolic call promised, each with another that came out.

    >>> promise("int32[3]; actual: int64[3]"), promise("python[]; expected ['float16'], got ['float32']")
    ('int32, found int64', 'float32, found float16')
    """
    promised, actual = text.partition("; actual: ")[::2]
    if found := re.search(r"expected (\[.*?\]), got (\[.*\])", text):
        actual, promised = found.groups()
    pairs = [f"{a}, found {b}" for a, b in zip(types(promised), types(actual), strict=False) if a != b]
    return "; ".join(dict.fromkeys(pairs))
