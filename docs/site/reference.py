"""Makes the reference pages: command line, TOML files, files of results.

Everything is read from the program: click's commands, msgspec's types and the docstrings below their fields. A page
is a string of Markdown; ``pages`` returns all of them by name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
import msgspec

from runner import cli
from runner.results import schema
from runner.util import folders

Source = tuple[str, str]
"""A module and the name of a class in it."""

TOML: Mapping[str, tuple[str, Sequence[Source]]] = {
    "matrix.toml": ("Sets, probes and variants: which cells there are.", [("runner.matrix.sets", "Matrix")]),
    "compat.toml": (
        "Frameworks and their releases: what can be installed with what.",
        [("runner.matrix.compat", "Compat"), ("runner.matrix.frameworks", "_File")],
    ),
    "latest.toml": ("The releases that `latest` stands for.", [("runner.matrix.compat", "Latest")]),
    "expectations.toml": (
        "Known failures and known defects, with the address of the report.",
        [("runner.judge.expectations_file", "_File"), ("runner.defects.known", "_File")],
    ),
    "data.toml": ("Data sets: where they come from, and their digests.", [("runner.data.catalog", "_File")]),
}
"""File in ``matrix/`` -> what it holds, and the classes that read it."""
MADE = "Made from the types"
IN_COMMENTS = frozenset({"Row", "Framework", "_Entry", "_Table"})
"""Classes whose keys are explained in the comments of the file, not below the fields."""


def pages() -> dict[str, str]:
    """Returns every reference page: name below ``reference/`` -> Markdown."""
    return {"commands.md": commands_page(), "toml.md": toml_page(), "results.md": results_page()}


# -- the command line ---------------------------------------------------------------------------------------


def commands_page() -> str:
    """Returns one page with every command: usage, text, arguments and options."""
    listed = [f"| [`runner {name}`](#runner-{name}) | {_cell(text)} |" for name, (_, text) in cli.COMMANDS.items()]
    parts = [
        "# Commands\n\nMade from the program itself. `runner COMMAND --help` prints the same text.",
        "| command | what it does |\n|---|---|\n" + "\n".join(listed),
        "Exit codes of all commands: [what a verdict means](../index.md#what-a-verdict-means).",
    ]
    with click.Context(cli.cli, info_name="runner", **cli.cli.context_settings) as top:
        for name in cli.COMMANDS:
            command = cli.cli.get_command(top, name)
            if command is None:  # a name of the list has a command
                raise LookupError(name)
            parts += _command(command, click.Context(command, info_name=name, parent=top), 2)
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    path = context.command_path
    yield f"{'#' * level} `{path}`"
    yield f"```text\n{' '.join(command.get_usage(context).split()).replace('Usage: ', '')}\n```"
    yield _paragraphs(command.help or "")
    rows = [row for parameter in command.params if (row := _option(parameter, context))]
    if rows:
        yield "| option | meaning | default |\n|---|---|---|\n" + "\n".join(rows)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _command(below, click.Context(below, info_name=name, parent=context), level + 1)


def _option(parameter: click.Parameter, context: click.Context) -> str:
    if not isinstance(parameter, click.Option) or parameter.hidden:
        return ""
    with click.Context(context.command, info_name=context.info_name, parent=context.parent, show_default=True):
        record = parameter.get_help_record(context)
    names, text = record or ("", "")  # none for a hidden option alone
    found = re.search(r"\s*\[(?P<more>[^\[\]]*)\]$", text)
    default = ""
    if found:
        more = []
        for part in found["more"].split("; "):
            if part.startswith("default: "):
                default = part.removeprefix("default: ")
            else:
                more.append(part)
        text = text[: found.start()] + (f" ({'; '.join(more)})" if more else "")
    if choices := re.search(r" \[([^\[\]]*\|[^\[\]]*)\]$", names):  # a table of Markdown takes the sign for a column
        names = names[: choices.start()]
        text = f"{text} One of {', '.join(f'`{one}`' for one in choices[1].split('|'))}."
    return f"| `{_cell(names)}` | {_cell(text)} | {f'`{_cell(default)}`' if default else ''} |"


def _paragraphs(text: str) -> str:
    """Returns the help of a command as Markdown, one line per paragraph."""
    return "\n\n".join(_markdown(" ".join(part.split())) for part in inspect.cleandoc(text).split("\n\n"))


# -- TOML files ---------------------------------------------------------------------------------------------


def toml_page() -> str:
    """Returns one page with the tables and keys of every TOML file."""
    parts = [
        "# TOML files",
        (
            f"{MADE} that read the files. An unknown key, or a value of another type, ends a command with exit code 2. "
            "The message names the place in the file and, where there is one, a similar key."
        ),
    ]
    for name, (text, sources) in TOML.items():
        parts += [f"## `matrix/{name}`", text]
        classes = [getattr(importlib.import_module(module), cls) for module, cls in sources]
        references, components = msgspec.json.schema_components(classes, ref_template="#/$defs/{name}")
        tops = [reference["$ref"].rpartition("/")[2] for reference in references]
        # the keys of the file itself, from all classes that read it; of two, the one that says more of its values
        fields: dict[str, dict[str, Any]] = {}
        for top in tops:
            for key, what in components[top].get("properties", {}).items():
                if _type(what, components) != "anything" and (key not in fields or "items" not in fields[key]):
                    fields[key] = what
        made = {"type": "object", "properties": fields, "required": components[tops[0]].get("required", [])}
        notes = _notes_of(classes)
        for key, note in _notes_in_comments((folders.matrix_dir() / name).read_text("utf-8")).items():
            notes |= {f"{cls}.{key}": note for cls in IN_COMMENTS if f"{cls}.{key}" not in notes}
        parts.append(_table(made, components, name, notes))
        parts += _below(components, [component for component in components if component not in tops], name, notes)
    return "\n\n".join(parts) + "\n"


# -- files of results ---------------------------------------------------------------------------------------


def results_page() -> str:
    """Returns one page with the keys of the files of a run."""
    parts = [
        "# Files of results",
        (
            f"{MADE} that write the files. Each has a JSON Schema; "
            "[files for programs](../ci.md#files-for-programs) says how to use them."
        ),
    ]
    for kind, (cls, _) in schema.KINDS.items():
        document = msgspec.json.decode(schema.text(kind)) | {"title": cls.__name__}
        components = document["$defs"]
        notes = _notes_of([cls])
        parts += [
            f"## `{schema.file_name(kind)}`",
            f"{_sentence(document['description'])} [The schema](../schema/{schema.file_name(kind)}).",
        ]
        parts.append(_table(document, components, kind, notes))
        parts += _below(components, list(components), kind, notes)
    return "\n\n".join(parts) + "\n"


def _sentence(text: str) -> str:
    return f"{_markdown(text[:1].upper() + text[1:])}."


def _below(components: Mapping[str, Any], names: Sequence[str], page: str, notes: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        part = components[name]
        described = _first_sentence(part.get("description", ""))
        yield f"### `{_plain(name)}` {{ #{_anchor(page, name)} }}"
        if described:
            yield described
        if "properties" in part:
            yield _table(part, components, page, {**notes})
        elif "prefixItems" in part or "items" in part:
            yield f"Written as {_type(part, components, page)}."
        elif "enum" in part:
            yield "One of " + ", ".join(f"`{value}`" for value in part["enum"]) + "."


def _table(part: Mapping[str, Any], components: Mapping[str, Any], page: str, notes: Mapping[str, str]) -> str:
    required = set(part.get("required", ()))
    rows = []
    title = part.get("title", "")
    for key, what in part["properties"].items():
        note = what.get("description", "") or notes.get(f"{title}.{key}", "")
        default = "required" if key in required else _default(what.get("default"))
        rows.append(f"| `{key}` | {_cell(_type(what, components, page))} | {default} | {_cell(_markdown(note))} |")
    return "| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)


def _default(value: object) -> str:
    return "" if value is None else f"`{msgspec.json.encode(value).decode()}`"


_SCALARS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
}


def _type(what: Mapping[str, Any], components: Mapping[str, Any], page: str = "") -> str:
    """Returns a type of JSON Schema in words; names of other tables are links."""
    if "$ref" in what:
        name = what["$ref"].rpartition("/")[2]
        return f"[{_plain(name)}](#{_anchor(page, name)})" if page else name
    if "anyOf" in what:
        if {"type": "boolean"} in what["anyOf"] and {"type": "number"} in what["anyOf"]:
            lists = any(one.get("type") == "array" for one in what["anyOf"])
            return "text, number or truth" + (", or a list of them" if lists else "")
        return " or ".join(dict.fromkeys(_type(one, components, page) for one in what["anyOf"]))
    if "const" in what:
        return f"`{what['const']}`"
    if "enum" in what:
        return "one of " + ", ".join(f"`{value}`" for value in what["enum"])
    kind = what.get("type")
    if kind == "array":
        if "prefixItems" in what:
            return "a list of " + ", ".join(_type(one, components, page) for one in what["prefixItems"])
        items = what.get("items")
        return f"list of {_type(items, components, page)}" if items else "list"
    if kind == "object":
        values = what.get("additionalProperties")
        return f"table: name → {_type(values, components, page)}" if isinstance(values, dict) and values else "table"
    return _SCALARS.get(str(kind), "anything")


def _anchor(page: str, name: str) -> str:
    return f"{page.partition('.')[0]}-{_plain(name).lower()}"


def _plain(name: str) -> str:
    return name.lstrip("_")


def _notes_of(classes: Sequence[type[Any]]) -> dict[str, str]:
    """Returns ``Class.key`` -> the docstring below that field.

    Looks in the modules of these classes and of the model.
    """
    modules = {cls.__module__ for cls in classes} | {"runner.model"}
    found: dict[str, str] = {}
    for module in sorted(modules):
        for node in ast.parse(inspect.getsource(importlib.import_module(module))).body:
            if isinstance(node, ast.ClassDef):
                found |= {f"{node.name}.{key}": text for key, text in _field_notes(node)}
                found |= {f"{node.name}.{key.replace('_', '-')}": text for key, text in _field_notes(node)}
    return found


def _notes_in_comments(text: str) -> dict[str, str]:
    """Returns key -> meaning from the comments of a TOML file.

    A line of them is ``#   KEY, KEY  meaning``; it can hold two such pairs, and go on in lines that are indented more.
    """
    found: dict[str, str] = {}
    keys: list[str] = []
    for line in text.splitlines():
        if pair := re.match(r"#   ([a-z-]+(?:, [a-z-]+)*) {2,}(\S.*)", line):
            keys = pair[1].split(", ")
            first, *more = re.split(r" {4,}(?=[a-z-]+ {2})", pair[2])
            found |= dict.fromkeys(keys, first)
            found |= {one.split("  ", 1)[0]: one.split("  ", 1)[1].strip() for one in more}
        elif keys and (further := re.match(r"# {10,}(\S.*)", line)):
            found |= {key: f"{found[key]} {further[1]}" for key in keys}
        else:
            keys = []
    return found


def _field_notes(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            yield field.target.id, " ".join(after.value.value.split())


def _first_sentence(text: str) -> str:
    return _markdown(" ".join(inspect.cleandoc(text).split("\n\n")[0].split()))


def _markdown(text: str) -> str:
    """Returns a docstring's text as Markdown.

    It has single backticks, and signs of Markdown and HTML are escaped.
    """
    pieces = re.split(r"(`+[^`]*`+)", text.replace("``", "`"))
    return "".join(piece if piece.startswith("`") else re.sub(r"([*_<\[\]])", r"\\\1", piece) for piece in pieces)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
