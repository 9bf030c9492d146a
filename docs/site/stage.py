"""Makes the folder of Markdown pages that the site generator reads.

The pages in ``docs`` are written for GitHub, so their links lead through the repository. Here README becomes the first
page, ARCHITECTURE a page, and a file of the repository that a page links to becomes a page with its text.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from console import FENCE

PAGES_OUTSIDE = {"README.md": "index.md", "ARCHITECTURE.md": "architecture.md"}
"""Pages outside ``docs``, and their names in the site."""
LANGUAGES = {".toml": "toml", ".py": "python", ".json": "json", ".yml": "yaml", ".md": "text"}
LARGEST = 200_000
"""Bytes of a file that becomes a page."""


class BrokenLinkError(Exception):
    """A link of a page leads to nothing in the repository."""


def stage(root: Path, target: Path, generated: Mapping[str, str]) -> list[str]:
    """Writes every page into ``target`` and returns the names of the pages.

    ``target`` is emptied first. ``generated`` has further pages: name below ``target`` -> Markdown.
    Raises BrokenLinkError.
    """
    if target.exists():
        shutil.rmtree(target)
    sources = {root / name: page for name, page in PAGES_OUTSIDE.items() if (root / name).is_file()}
    sources |= {path: path.name for path in sorted((root / "docs").glob("*.md"))}
    files: dict[str, Path] = {}
    for path, page in sources.items():
        _write(target / page, site_text(path, root, sources, files))
    for name, text in generated.items():
        _write(target / name, text)
    for name, path in files.items():
        _write(target / name, file_page(path, root, files))
    for name in ("images", "schema"):
        if (root / "docs" / name).is_dir():
            shutil.copytree(root / "docs" / name, target / name)
    return [path.relative_to(target).as_posix() for path in sorted(target.rglob("*.md"))]


def site_text(path: Path, root: Path, pages: Mapping[Path, str], files: dict[str, Path]) -> str:
    """Returns a page with links that fit the site.

    The classes of console blocks are left out.
    Files that it links to are added to ``files``: name in the site -> path.
    """
    own = pages[path]

    def target_of(link: str) -> str:
        name, mark, anchor = link.partition("#")
        if not name or re.match(r"[a-z]+:", link):
            return link
        found = Path(os.path.normpath(path.parent / name))
        if not found.exists() or not found.is_relative_to(root):
            raise BrokenLinkError(f"{path.relative_to(root)}: {link}: no such file")
        if found.is_relative_to(root / "docs/images"):
            page = found.relative_to(root / "docs").as_posix()
        else:
            page = pages.get(found) or _generated_page(found, root) or _file_name(found, root)
        if page.startswith("files/"):
            files[page] = found
        return os.path.relpath(page, Path(own).parent.as_posix()).replace(os.sep, "/") + mark + anchor

    return _outside_code(path.read_text("utf-8"), lambda text: _with_links(text, target_of))


def file_page(path: Path, root: Path, files: Mapping[str, Path]) -> str:
    """Returns a page with the text of a file, or with the names in a folder."""
    name = path.relative_to(root).as_posix()
    if path.is_dir():
        names = sorted(one.name + ("/" if one.is_dir() else "") for one in path.iterdir() if one.name != "__pycache__")
        staged = {one: page for page, one in files.items()}
        links = [f"[`{one}`]({Path(staged[path / one]).name})" if path / one in staged else f"`{one}`" for one in names]
        return (
            f"# {name}/\n\nA folder of the repository. It holds\n\n" + "\n".join(f"- {link}" for link in links) + "\n"
        )
    if path.stat().st_size > LARGEST:
        raise BrokenLinkError(f"{name}: too large for a page: link to its folder")
    text = path.read_text("utf-8")
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    return f"# {name}\n\n{fence}{LANGUAGES.get(path.suffix, 'text')}\n{text.rstrip()}\n{fence}\n"


def _generated_page(path: Path, root: Path) -> str:
    """Returns the page that stands for a file from which the site makes one."""
    return {root / "docs/gallery/README.md": "gallery/index.md", root / "docs/gallery": "gallery/index.md"}.get(
        path, ""
    )


def _file_name(path: Path, root: Path) -> str:
    return f"files/{re.sub(r'[^A-Za-z0-9_]+', '-', path.relative_to(root).as_posix()).strip('-')}.md"


def _with_links(text: str, target_of: Callable[[str], str]) -> str:
    text = re.sub(r"(?<=\]\()([^)\s]+)(?=\))", lambda found: target_of(found[1]), text)
    return re.sub(r'\b(src|srcset|href)="([^"]+)"', lambda found: f'{found[1]}="{target_of(found[2])}"', text)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Returns the text, changed outside code; fences keep the language alone."""
    made = []
    for index, piece in enumerate(re.split(r"(^ *```.*?^ *```$)", text, flags=re.DOTALL | re.MULTILINE)):
        made.append(
            FENCE.sub(r"\g<indent>```\g<language>", piece, count=1) if index % 2 else _outside_spans(piece, change)
        )
    return "".join(made)


def _outside_spans(text: str, change: Callable[[str], str]) -> str:
    # a link may have code in its words: [`name`](target), so only spans that hold a whole link are left alone
    spans: list[str] = []

    def keep(found: re.Match[str]) -> str:
        spans.append(found[0])
        return f"\x00{len(spans) - 1}\x00"

    changed = change(re.sub(r"`[^`\n]*`", keep, text))
    return re.sub("\x00(\\d+)\x00", lambda found: spans[int(found[1])], changed)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
