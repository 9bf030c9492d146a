"""Makes the JSON Schemas of result files from the classes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from runner.model import SCHEMA, Sample
from runner.results.store import RunRecord

KINDS: Mapping[str, tuple[type[Any], str]] = {
    "sample": (Sample, "what one process of one probe measured: results/<cell>/<probe>/<round>-<key>.json"),
    "run": (RunRecord, "what a run set out to do: run.json"),
}
"""Name -> the class behind the files, and what they are."""


_OF_THE_FILE: Mapping[str, Mapping[str, Any]] = {
    "serial": {
        "type": "integer",
        "minimum": 1,
        "description": "counts the results of one cell, probe and round in this folder: the highest was saved last",
    },
    "crc32": {
        "type": "string",
        "pattern": "^[0-9a-f]{8}$",
        "description": "the last key: CRC-32 of all bytes before the comma in front of it; files of earlier versions "
        "have none",
    },
}
"""What a file has beyond its class."""


def file_name(kind: str) -> str:
    """The name of a schema file: ``sample-1.schema.json``.

    The number is the version of the files that it describes.
    """
    return f"{kind}-{SCHEMA}.schema.json"


def text(kind: str) -> str:
    """The JSON Schema (2020-12) of one kind of file.

    Raises KeyError for an unknown kind. A file of another version than ``SCHEMA`` does not fit; further keys do, as a
    reader ignores what it does not know.
    """
    cls, description = KINDS[kind]
    (reference,), components = msgspec.json.schema_components([cls], ref_template="#/$defs/{name}")
    name = reference["$ref"].rpartition("/")[2]
    top = components.pop(name)
    more = {name: what for name, what in _OF_THE_FILE.items() if name != "serial" or cls is Sample}
    properties = {**top["properties"], **more, "schema": {"const": SCHEMA}}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:keras-version-matrix:{file_name(kind)}",
        **top,
        "title": f"keras-version-matrix {kind}, version {SCHEMA}",
        "description": description,
        "properties": properties,
        "required": sorted({*top.get("required", []), "schema"}),
        "$defs": {name: _dedented(part) for name, part in components.items()},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _dedented(part: dict[str, Any]) -> dict[str, Any]:
    """Return the part with its description as Python 3.13 has it.

    From 3.13 on, Python removes the indentation of docstrings.
    """
    return {**part, "description": inspect.cleandoc(part["description"])} if "description" in part else part
