"""The checker of the built site, the pages that are generated, and the gallery."""

from __future__ import annotations

import http.server
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import check
import gallery
import pytest
import reference
import stage

from runner import cli
from runner.report.data import Severity
from runner.report.marks import Mark

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., list[str]]:
    """Writes pages into a folder and returns what is wrong with it."""

    def faults(**pages: str) -> list[str]:
        for name, text in pages.items():
            (tmp_path / f"{name}.html").write_text(text, "utf-8")
        return check.faults(tmp_path)

    return faults


def test_a_sound_site_has_no_fault(site: Callable[..., list[str]]) -> None:
    a = '<h1 id="top">A</h1><a href="b.html#end">b</a><a href="https://example.org/x">far</a><img src="data:,">'
    assert site(a=a, b='<p id="end"><a href="a.html">a</a><a href="a.html#only=torch">a view</a>') == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<a href="c.html">', "c.html: no such file"),
        ('<a href="#nowhere">', "#nowhere: no such anchor"),
        ('<script src="https://example.org/x.js">', "loads https://example.org/x.js from another host"),
        ('<link rel="preload stylesheet" href="//example.org/x.css">', "loads //example.org/x.css from another host"),
        ('<source srcset="https://example.org/x.png 2x">', "loads https://example.org/x.png from another host"),
        ('<img src="missing.png">', "missing.png: no such file"),
    ],
)
def test_a_broken_link_and_a_load_from_another_host_are_found(
    text: str, fault: str, site: Callable[..., list[str]]
) -> None:
    assert site(a=text) == [f"a.html: {fault}"]


def test_addresses_in_scripts_and_styles_are_found(site: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('load("https://example.org/x@1/a.js"); ns = "http://www.w3.org/2000/svg"', "utf-8")
    (tmp_path / "a.css").write_text(
        "/* https://example.org/licence */ @import '//example.org/b.css'; a { b: url(c) }", "utf-8"
    )
    found = site(a="")
    assert found == ["a.js: loads https://example.org/x@1/a.js", "a.css: loads //example.org/b.css"]


def test_an_empty_site_is_a_fault(site: Callable[..., list[str]]) -> None:
    assert len(site()) == 1


def test_external_links_are_listed_once(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://a.example/x#1"><a href="https://a.example/x#2"><a href="b">', "utf-8"
    )
    assert check.external(tmp_path) == {"https://a.example/x": ["a.html", "a.html"]}


# -- staging ------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with two pages, a file and a folder."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/one.toml").write_text("x = 1\n", "utf-8")
    (tmp_path / "README.md").write_text("# R\n\n[a](docs/a.md#b) [`f`](data/one.toml) [d](data)\n", "utf-8")
    (tmp_path / "docs/a.md").write_text(
        "# A\n\n## b\n\n[r](../README.md) `[not](a-link)`\n\n```sh never: x\n[x](y)\n```\n", "utf-8"
    )
    return tmp_path


def test_links_lead_through_the_site_and_files_become_pages(checkout: Path) -> None:
    target = checkout / "pages"
    names = stage.stage(checkout, target, {"reference/x.md": "# X\n"})
    assert names == ["a.md", "files/data-one-toml.md", "files/data.md", "index.md", "reference/x.md"]
    text = (target / "index.md").read_text("utf-8")
    assert text == "# R\n\n[a](a.md#b) [`f`](files/data-one-toml.md) [d](files/data.md)\n"
    assert (target / "files/data-one-toml.md").read_text("utf-8") == "# data/one.toml\n\n```toml\nx = 1\n```\n"
    assert "[`one.toml`](data-one-toml.md)" in (target / "files/data.md").read_text("utf-8")


def test_code_is_left_alone_and_the_class_of_a_block_is_left_out(checkout: Path) -> None:
    stage.stage(checkout, checkout / "pages", {})
    text = (checkout / "pages/a.md").read_text("utf-8")
    assert text.endswith("[r](index.md) `[not](a-link)`\n\n```sh\n[x](y)\n```\n")


def test_a_link_to_nothing_ends_the_build(checkout: Path) -> None:
    (checkout / "docs/a.md").write_text("# A\n\n[x](nothing.md)\n", "utf-8")
    with pytest.raises(stage.BrokenLinkError, match=r"docs/a\.md: nothing\.md"):
        stage.stage(checkout, checkout / "pages", {})


# -- the reference ------------------------------------------------------------------------------------------


def test_the_reference_has_every_command_and_option() -> None:
    page = reference.commands_page()
    for name in cli.COMMANDS:
        assert f"\n## `runner {name}`\n" in page
    assert "\n### `runner images prune`\n" in page
    assert "| `--floor FLOAT RANGE` | Smallest relative change that counts. (0<=x<1) | `0.05` |" in page


def test_the_reference_of_toml_files_has_every_key_that_the_files_use() -> None:
    page = reference.toml_page()
    for name in reference.TOML:
        section = page.split(f"## `matrix/{name}`")[1].split("\n## ")[0]
        content = tomllib.loads((ROOT / "matrix" / name).read_text("utf-8"))
        assert content
        for key in content:
            assert f"| `{key}` |" in section, (name, key)
    assert "| `instead-of` | text |" in page


def test_the_reference_of_results_explains_the_keys_of_a_sample() -> None:
    page = reference.results_page()
    assert "The end of the output, kept where the status is not ok." in page
    assert "| `crc32` | text |" in page


# -- pages that name things of the program -------------------------------------------------------------------


def test_the_page_about_reports_has_every_word_and_symbol() -> None:
    text = (ROOT / "docs/report.md").read_text("utf-8")
    for severity in Severity:
        assert f"`{severity.label}`" in text
    for mark in Mark:
        assert not mark.symbol or f"| `{mark.symbol}` | {mark.meaning}" in text


def test_the_navigation_names_every_page_of_docs() -> None:
    text = (ROOT / "docs/site/zensical.toml").read_text("utf-8")
    pages = sorted((ROOT / "docs").glob("*.md"))
    assert pages
    for page in pages:
        assert f'= "{page.name}" }}' in text, f"docs/site/zensical.toml does not name {page.name}"


# -- the gallery --------------------------------------------------------------------------------------------


def test_every_report_of_the_gallery_is_small_and_described() -> None:
    described = (ROOT / "docs/gallery/README.md").read_text("utf-8")
    found = gallery.entries()
    assert sum(entry.picture for entry in found) == 1
    for entry in found:
        assert 0 < entry.packed.stat().st_size <= gallery.LARGEST_SET
        assert f"`{entry.name}`" in described
    assert {path.name for path in gallery.RESULTS.glob("*.tar.xz")} == {entry.packed.name for entry in found}


def test_packing_the_same_results_makes_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = gallery.entries()[0]
    original = first.packed.read_bytes()
    results = gallery.unpack(first, tmp_path)
    monkeypatch.setattr(gallery, "RESULTS", tmp_path)
    assert gallery.pack(first.name, results).read_bytes() == original


def test_the_pictures_of_readme_are_small() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for scheme in gallery.SCHEMES:
        picture = gallery.IMAGES / f"report-{scheme}.png"
        assert 0 < picture.stat().st_size <= gallery.LARGEST_PICTURE
        assert picture.relative_to(ROOT).as_posix() in readme


# -- external links -----------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[str]:
    """A server of this machine that answers with the status that a path names."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(int(self.path.strip("/")))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's signature
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join(60)


@pytest.mark.parametrize(("status", "fault"), [(200, ""), (403, ""), (429, ""), (404, "404 Not Found")])
def test_a_page_that_a_server_does_not_have_is_a_fault_and_a_refusal_is_none(
    status: int, fault: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert check.answer(f"{server}/{status}") == fault


def test_a_server_that_does_not_answer_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert "refused" in check.answer("http://127.0.0.1:9/")
