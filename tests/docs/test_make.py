"""Builds a small site with the real generator, where it is installed (extra ``docs``)."""

from __future__ import annotations

from pathlib import Path

import check
import gallery
import make
import pytest
import reference

pytest.importorskip("zensical", reason="needs the extra `docs`; the job `docs` of ci.yml has it")

CONFIG = """
[project]
site_name = "small"
docs_dir = "pages"
site_dir = "made"
use_directory_urls = false
nav = [{ "R" = "index.md" }, { "A" = "a.md" }, { "G" = "gallery/index.md" }]

[project.theme]
font = false
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of two pages, from which ``make`` builds a site."""
    root = tmp_path / "checkout"
    (root / "docs").mkdir(parents=True)
    (root / "README.md").write_text("# R\n\n[a](docs/a.md#what-it-is)\n", "utf-8")
    (root / "docs/a.md").write_text("# A\n\n## What it is\n\n[r](../README.md)\n", "utf-8")
    (tmp_path / "zensical.toml").write_text(CONFIG, "utf-8")
    monkeypatch.setattr(make, "ROOT", root)
    monkeypatch.setattr(make, "CONFIG", tmp_path / "zensical.toml")
    monkeypatch.setattr(make, "WORK", tmp_path / "work")
    monkeypatch.setattr(reference, "pages", dict)
    monkeypatch.setattr(gallery, "page", lambda: "# G\n")
    monkeypatch.setattr(gallery, "reports", lambda target: [target])
    return root


def test_a_sound_site_is_built_and_loads_nothing_from_elsewhere(checkout: Path, tmp_path: Path) -> None:
    make.build(tmp_path / "site")
    assert "What it is" in (tmp_path / "site/a.html").read_text("utf-8")
    assert check.faults(tmp_path / "site") == []
    scripts = [path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.js")]
    assert scripts
    assert not any(check.FOREIGN_CODE.search(script) for script in scripts)


def test_the_page_for_what_is_not_there_knows_the_address_of_the_site(checkout: Path, tmp_path: Path) -> None:
    make.build(tmp_path / "site", "https://owner.example/name/")
    assert 'href="/name/a.html"' in (tmp_path / "site/404.html").read_text("utf-8")
    assert "https://owner.example/name/a.html" in (tmp_path / "site/sitemap.xml").read_text("utf-8")


def test_an_anchor_that_does_not_exist_ends_the_build_and_leaves_the_old_site(checkout: Path, tmp_path: Path) -> None:
    make.build(tmp_path / "site")
    (checkout / "README.md").write_text("# R\n\n[a](docs/a.md#nothing)\n", "utf-8")
    with pytest.raises(make.BuildError, match=r"anchor does not exist\s+.*index\.md:3"):
        make.build(tmp_path / "site")
    assert (tmp_path / "site/index.html").is_file()


def test_a_folder_that_is_no_site_is_not_replaced(checkout: Path, tmp_path: Path) -> None:
    kept = tmp_path / "mine" / "work.txt"
    kept.parent.mkdir()
    kept.write_text("mine", "utf-8")
    for place in (kept.parent, kept):
        with pytest.raises(make.BuildError, match="not an earlier site"):
            make.build(place)
    assert kept.read_text("utf-8") == "mine"
    assert checkout.is_dir()


def test_a_page_that_the_navigation_forgot_ends_the_build(checkout: Path, tmp_path: Path) -> None:
    (checkout / "docs/b.md").write_text("# B\n", "utf-8")
    with pytest.raises(make.BuildError, match=r"does not name: \['b\.md'\]"):
        make.build(tmp_path / "site")


def test_a_page_that_loads_from_another_host_ends_the_build(checkout: Path, tmp_path: Path) -> None:
    (checkout / "docs/a.md").write_text('# A\n\n## What it is\n\n<img src="https://example.org/x.png">\n', "utf-8")
    with pytest.raises(make.BuildError, match=r"a\.html: loads https://example\.org/x\.png from another host"):
        make.build(tmp_path / "site")
