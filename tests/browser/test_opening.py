"""The page opens from a file without a network, and does nothing that its policy does not allow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opening import Open

pytestmark = pytest.mark.browser


def test_it_opens_without_a_message_and_without_a_request(opened: Open, real: Path, whole: Path) -> None:
    for path in (real, whole):
        shown = opened(path)
        shown.drawn()
        assert shown.count("#answer ul.findings > li") > 0
        assert shown.noise == []


def test_a_real_quick_run_makes_a_small_page(real: Path) -> None:
    assert real.stat().st_size <= 300_000


@pytest.mark.parametrize("script", ["<script>document.title = 'owned'</script>", "<img src=x onerror='alert(1)'>"])
def test_a_script_that_is_put_into_the_page_does_not_run(opened: Open, real: Path, tmp_path: Path, script: str) -> None:
    changed = tmp_path / "changed.html"
    changed.write_text(real.read_text(encoding="utf-8").replace("<main", f"{script}<main", 1), encoding="utf-8")
    shown = opened(changed)
    title = shown.page.title()
    shown.page.wait_for_timeout(200)
    assert title == shown.page.title() == "version-regression matrix: quick"
    said = [line for line in shown.noise if not line.endswith("/x")]  # Chromium names the picture that it refuses
    assert said
    assert all("Content Security Policy" in line for line in said)
    shown.noise.clear()


def test_the_policy_allows_nothing_from_anywhere(opened: Open, real: Path) -> None:
    shown = opened(real)
    policy = shown.page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    asked = "(address) => fetch(address).then(() => 'answered', () => 'refused')"
    assert shown.page.evaluate(asked, "http://example.org/") == "refused"
    assert all("example.org" in line for line in shown.noise)
    shown.noise.clear()


def test_without_a_script_findings_and_tables_are_there(opened: Open, whole: Path) -> None:
    shown = opened(whole, java_script_enabled=False, ready=False)
    assert "need one" in " ".join(shown.texts("noscript"))  # charts, filters and single cells need a script
    assert shown.count("#answer ul.findings > li") == 6
    shown.page.click("details.more > summary")
    assert shown.count("#answer ul.findings > li") > 6
    assert shown.count("#overview a.tile") > 4
    assert shown.count("table.figures tbody tr") > 5
    assert shown.count("table.remedies tbody tr") == 2
    assert shown.count(".filterbox") == 0


@pytest.mark.parametrize("damage", ["!", "AAAA", ""])
def test_damaged_data_are_named_and_the_rest_stays(opened: Open, real: Path, tmp_path: Path, damage: str) -> None:
    text = re.sub(r'(id="data">)[^<]*', lambda found: found[1] + damage, real.read_text(encoding="utf-8"), count=1)
    broken = tmp_path / "broken.html"
    broken.write_text(text, encoding="utf-8")
    shown = opened(broken, ready=False)
    shown.page.wait_for_selector("header [role=alert]")
    (said,) = shown.texts("header [role=alert]")
    assert "data cannot be read" in said
    assert "Make the page again" in said
    assert shown.count("#answer ul.findings > li") > 3
    assert shown.count("table.figures tbody tr") > 3


def test_a_view_that_the_report_does_not_have_is_named(opened: Open, real: Path) -> None:
    for fragment in ("#cell=nothing", "#figure=mnist:nothing&of=x", "#function=ops:nothing"):
        shown = opened(real, fragment)
        assert shown.texts("#view h2") == ["Not in this report"]
        shown.page.click("text=The whole report")
        assert shown.count("#answer") == 1


@pytest.mark.parametrize("fragment", ["#%", "#a=%E0%A4%A", "#cell", "#sort=mnist.99.up", "#framework=none", "#="])
def test_a_fragment_that_means_nothing_shows_the_report(opened: Open, real: Path, fragment: str) -> None:
    assert opened(real, fragment).count("#answer") == 1


def test_it_prints_without_what_only_a_screen_can_use(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    shown.page.emulate_media(media="print")
    assert shown.count("nav") == shown.count(".filterbox") == shown.count(".copy") == 0
    assert shown.count("#answer ul.findings > li") == 6
    clipped: Any = shown.page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter((e) => getComputedStyle(e).overflowX !== 'visible').length"
    )
    assert clipped == 0
    assert shown.page.pdf()[:5] == b"%PDF-"
