"""Checks a built site: links lead somewhere, nothing loads from other hosts.

``python docs/site/check.py --external`` asks the servers of the external links, which the build does not.
"""

from __future__ import annotations

import argparse
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {"script": ("src",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",)}
"""Attributes with which a page loads something; ``link`` has rules of its own."""
LOADING_RELATIONS = frozenset(
    {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
)
FOREIGN_CODE = re.compile(r"https?://(?!www\.w3\.org/)[\w-]+(?:\.[\w-]+)+/[\w.@/-]*")
"""Addresses in scripts from which they could load; those of the W3C are names of formats."""
FOREIGN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")
"""Addresses from which a style loads."""


@dataclass
class Page(HTMLParser):
    """The anchors, links and loads of one HTML page."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps what one element names."""
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and LOADING_RELATIONS & set(found.get("rel", "").split()):
            self.loads.append(found.get("href", ""))
        for name in LOADING.get(tag, ()):
            values = found.get(name, "").split(",") if name == "srcset" else [found.get(name, "")]
            self.loads += [value.split()[0] for value in values if value.strip()]


def faults(site: Path, base: str = "/") -> list[str]:
    """Returns ``page: what is wrong`` for a folder with a built site.

    ``base`` is the path of the site on its server, from which 404.html counts its links.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    found = [] if pages else [f"{site}: no page"]
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name}: {fault}" for link in page.links for fault in _link(link, path, site, pages, base)]
        for load in page.loads:
            if urlsplit(load).netloc:
                found.append(f"{name}: loads {load} from another host")
            elif not load.startswith("data:"):
                found += [f"{name}: {fault}" for fault in _link(load, path, site, pages, base)]
    for kind, pattern in {"*.js": FOREIGN_CODE, "*.css": FOREIGN_STYLE}.items():
        for path in sorted(site.rglob(kind)):
            found += [f"{path.relative_to(site)}: loads {text}" for text in pattern.findall(path.read_text("utf-8"))]
    return found


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text("utf-8"))
    return page


def _link(link: str, path: Path, site: Path, pages: dict[Path, Page], base: str) -> Iterator[str]:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if path.name == "404.html" and parts.path.startswith(base):  # a server shows it at any address
        target = (site / unquote(parts.path).removeprefix(base)).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        yield f"{link}: no such file"
    elif not parts.fragment or target not in pages or "=" in parts.fragment:
        return  # with "=", it is the state of a report, which the report reads itself
    elif unquote(parts.fragment) not in pages[target].ids:
        yield f"{link}: no such anchor"


def external(site: Path) -> dict[str, list[str]]:
    """Returns the external addresses of a built site, and the pages that link to each."""
    found: dict[str, list[str]] = {}
    for path in sorted(site.rglob("*.html")):
        for link in _read(path).links:
            if urlsplit(link).scheme in {"http", "https"}:
                found.setdefault(link.partition("#")[0], []).append(path.relative_to(site).as_posix())
    return found


def answer(address: str) -> str:
    """Returns "" where a server has the page, else why not."""
    request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "link check"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20):  # noqa: S310 - only http and https get here
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code in {403, 405, 429} else f"{error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return str(error)


def main() -> int:
    """Checks the site in ``site/``; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    parser.add_argument("--external", action="store_true", help="ask the servers of the external links too")
    given = parser.parse_args()
    found = faults(given.site.resolve())
    if given.external:
        addresses = external(given.site)
        with ThreadPoolExecutor(8) as pool:
            for address, why in zip(addresses, pool.map(answer, addresses), strict=True):
                found += [f"{addresses[address][0]}: {address}: {why}"] if why else []
    print("\n".join(found) or "every link leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
