"""Nothing is cut, overlaps or sticks out, on phones and on large screens; and axe finds nothing serious."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from made_reports import BROKEN, JAX, WORSE
from opening import DESKTOP, LAPTOP, PHONE, TABLET, Open, Opened

pytestmark = pytest.mark.browser

BOXES = (Path(__file__).parent / "boxes.js").read_text(encoding="utf-8")
OF = f"&of={WORSE.id}"
VIEWS = {
    "the report": "",
    "all of it": "#all=1",
    "a filter": "#framework=jax&verdict=worse",
    "a cell": f"#cell={WORSE.id}&all=1",
    "a broken cell": f"#cell={BROKEN.id}",
    "an old cell": f"#cell={JAX.id}",
    "a timing": f"#figure=mnist:free.step_s{OF}",
    "an accuracy": f"#figure=mnist:free.test_accuracy{OF}",
    "a trajectory": f"#figure=mnist:controlled.loss_per_step{OF}",
    "an error": f"#figure=conv2d:pointwise.error_max{OF}",
    "a function": "#function=ops:ops.median",
}
SIZES = {"phone": PHONE, "tablet": TABLET, "laptop": LAPTOP, "desktop": DESKTOP}


def complaints(shown: Opened) -> list[str]:
    shown.drawn()
    found: list[str] = shown.page.evaluate(BOXES)
    return found


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_or_overlaps_in_any_view(opened: Open, whole: Path, size: str) -> None:
    shown = opened(whole, size=SIZES[size])
    found = {}
    for name, fragment in VIEWS.items():
        shown.go(fragment)
        shown.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found[name] = complaints(shown)
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_or_overlaps_in_a_real_report(opened: Open, real: Path, size: str) -> None:
    assert complaints(opened(real, size=SIZES[size])) == []


@pytest.mark.parametrize("size", SIZES)
def test_hostile_names_break_no_layout(opened: Open, hostile: Path, size: str) -> None:
    shown = opened(hostile, "#all=1", size=SIZES[size])
    assert complaints(shown) == []
    hrefs: list[str] = shown.page.eval_on_selector_all("a", "(all) => all.map((one) => one.getAttribute('href'))")
    views = [
        href
        for kind in ("#cell=", "#figure=", "#function=")
        for href in list(dict.fromkeys(href for href in hrefs if href.startswith(kind)))[:4]
    ]
    assert len(views) > 8
    for href in views:
        shown.go(href)
        assert shown.texts("#view h2") != ["Not in this report"]
        shown.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert complaints(shown) == [], href


def test_the_checker_sees_what_is_wrong(opened: Open, real: Path) -> None:
    shown = opened(real)
    shown.page.evaluate(
        """() => {
          const heading = document.querySelector("h1");
          heading.style.cssText = "width: 5rem; overflow: hidden; white-space: nowrap";
          const link = document.querySelector("nav a").getBoundingClientRect();
          const place = `left: ${link.left}px; top: ${link.top}px`;
          document.querySelector("#answer h2").style.cssText = `position: absolute; margin: 0; ${place}`;
          document.querySelector("#notes h2").style.cssText = "position: relative; left: 2000px";
        }"""
    )
    found = complaints(shown)
    for kind in ("cut: ", "overlap: ", "outside the window: ", "the page scrolls sideways"):
        assert any(line.startswith(kind) for line in found), (kind, found)


def test_the_tables_of_a_real_report_fit_a_laptop(opened: Open, real: Path) -> None:
    shown = opened(real, size=LAPTOP)
    regions: list[list[int]] = shown.page.eval_on_selector_all(
        ".scroll", "(all) => all.map((e) => [e.scrollWidth, e.clientWidth, e.scrollHeight, e.clientHeight])"
    )
    assert len(regions) >= 2
    assert all(width <= room and height <= high for width, room, height, high in regions)


def test_the_first_screen_has_the_answer_the_evidence_and_the_next_command(opened: Open, whole: Path) -> None:
    shown = opened(whole, size=LAPTOP)
    for selector in (
        ".exit",
        ".count",
        "#answer ul.findings > li",
        "#answer .next code",
        "#overview a.tile",
        "#filters",
    ):
        box = shown.page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= LAPTOP[1], selector
    phone = opened(whole, size=PHONE)
    for selector in (".exit", ".count", "#answer ul.findings > li >> nth=0"):
        box = phone.page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= PHONE[1], selector


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(opened: Open, whole: Path, scheme: str) -> None:
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    shown = opened(whole, color_scheme=scheme)
    # the rules about structure see the same in both schemes
    only = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
    rules = 0
    for name, fragment in VIEWS.items():
        shown.go(fragment)
        shown.drawn()
        shown.page.evaluate(axe)  # through the debugger, which the policy does not bind
        found = shown.page.evaluate(
            """async (options) => {
              const { passes, violations } = await axe.run({ resultTypes: ["violations"], ...options });
              const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
              return [passes.length, grave.map(({ id, nodes }) => [id, nodes.slice(0, 5).map((node) => node.html)])];
            }""",
            only,
        )
        rules += found[0]
        assert found[1] == [], name
    assert rules >= len(VIEWS)


def test_light_and_dark_are_different_and_follow_the_system(opened: Open, real: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = (opened(real, color_scheme=scheme).page.evaluate(paper) for scheme in ("light", "dark"))
    assert light == "rgb(255, 255, 255)"
    assert dark == "rgb(20, 23, 28)"


def test_paper_has_every_column_every_finding_and_every_chart(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    shown.page.emulate_media(media="print")
    shown.page.set_viewport_size({"width": 720, "height": 1000})  # A4 with its margins
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 720
    assert shown.page.locator("#answer ul.findings > li:not(:visible)").count() == 0
    empty = shown.page.eval_on_selector_all(
        "section.probe .charts", "(all) => all.filter((e) => e.checkVisibility() && !e.childElementCount).length"
    )
    assert empty == shown.page.locator("section.probe[data-probe=ops], section.probe[data-probe=parity]").count()
