"""Everything can be done with the keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_reports import WORSE
from opening import PHONE, Open, Opened

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  const e = document.activeElement;
  return { tag: e.tagName, id: e.id, name: e.getAttribute("aria-label") ?? e.textContent.trim(), kind: e.className };
}"""


def focused(shown: Opened) -> dict[str, str]:
    found: dict[str, str] = shown.page.evaluate(FOCUSED)
    return found


def tabbed(shown: Opened, wanted: str, limit: int = 200) -> None:
    """Press Tab until an element that the selector means has the focus."""
    for _ in range(limit):
        shown.page.keyboard.press("Tab")
        if shown.page.evaluate("(css) => document.activeElement.matches(css)", wanted):
            return
    pytest.fail(f"Tab never reaches {wanted}")


def test_going_back_and_forth_puts_the_focus_on_the_heading(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#cell={WORSE.id}")
    shown.page.locator("#view a[href^='#figure=']:visible").first.click()
    shown.page.go_back()
    shown.until("() => document.activeElement.tagName === 'H2'")
    shown.page.go_forward()
    shown.until("() => document.activeElement.tagName === 'H2'")
    shown.page.wait_for_timeout(100)
    assert shown.page.evaluate("document.activeElement.tagName") == "H2"


def test_the_first_tab_skips_to_the_answer(opened: Open, real: Path) -> None:
    shown = opened(real)
    shown.page.keyboard.press("Tab")
    assert focused(shown)["name"] == "Skip to the answer"
    assert shown.page.locator(".skip").bounding_box()["x"] >= 0
    shown.page.keyboard.press("Enter")
    assert focused(shown)["id"] == "answer"
    tabbed(shown, "#answer a, #answer code, #answer summary", limit=1)


def test_tab_walks_in_the_order_of_the_page_and_every_stop_is_seen(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    tops = []
    for _ in range(60):
        shown.page.keyboard.press("Tab")
        box = shown.page.evaluate(
            """() => {
              const e = document.activeElement;
              const box = e.getBoundingClientRect();
              const style = getComputedStyle(e);
              const seen = style.outlineStyle !== "none" || e.matches("select, input");
              return [box.width * box.height, seen, box.top + scrollY, e.closest("#overview") !== null, e.outerHTML];
            }"""
        )
        assert box[0] > 0, box[4]
        assert box[1], box[4]
        tops.append(box[2])
    assert len(set(tops)) > 15
    assert shown.noise == []


def test_enter_on_a_tile_opens_the_cell_and_the_way_back_returns_to_the_tile(opened: Open, real: Path) -> None:
    shown = opened(real)
    tabbed(shown, "a.tile.undecided")
    tile = focused(shown)["name"]
    shown.page.keyboard.press("Enter")
    assert focused(shown)["tag"] == "H2"
    assert tile.startswith(focused(shown)["name"])
    assert shown.page.title().startswith(focused(shown)["name"])
    shown.page.keyboard.press("Shift+Tab")
    assert focused(shown)["name"] == "← The whole report"
    shown.page.keyboard.press("Enter")
    assert focused(shown)["name"] == tile
    shown.page.keyboard.press("Enter")
    assert focused(shown)["tag"] == "H2"
    shown.page.go_back()
    assert focused(shown)["name"] == tile


def test_filters_and_sorting_by_keyboard(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    tabbed(shown, "select[name=framework]")
    shown.page.keyboard.type("jax")
    shown.until("() => location.hash.includes('framework=jax')")
    assert focused(shown)["tag"] == "SELECT"
    tabbed(shown, "#filters input[type=checkbox]")
    shown.page.keyboard.press("Space")
    assert "all=1" in shown.fragment
    assert focused(shown)["tag"] == "INPUT"
    tabbed(shown, "table.figures thead button")
    shown.page.keyboard.press("Enter")
    assert shown.page.evaluate("document.activeElement.parentElement.ariaSort") == "ascending"


def test_a_table_that_scrolls_takes_the_focus_and_has_a_name(opened: Open, whole: Path) -> None:
    shown = opened(whole, size=PHONE)
    regions = shown.page.evaluate(
        """() => [...document.querySelectorAll(".scroll")].filter((e) => e.checkVisibility()).map((e) => ({
          scrolls: e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1,
          tab: e.tabIndex, role: e.getAttribute("role"), name: e.getAttribute("aria-label") }))"""
    )
    scrolling = [region for region in regions if region["scrolls"]]
    assert scrolling
    assert all(region["tab"] == 0 and region["role"] == "region" and region["name"] for region in scrolling)
    tabbed(shown, "#probe-mnist .scroll")
    before = shown.page.evaluate("document.activeElement.scrollLeft")
    for _ in range(5):
        shown.page.keyboard.press("ArrowRight")
    shown.until("(was) => document.activeElement.scrollLeft > was", before)


def test_filters_on_a_phone_are_folded_and_open_by_keyboard(opened: Open, whole: Path) -> None:
    shown = opened(whole, size=PHONE)
    assert shown.count("#filters") == 0
    tabbed(shown, ".filterbox > summary")
    shown.page.keyboard.press("Enter")
    assert shown.count("#filters") == 1
    assert shown.page.evaluate("(css) => document.querySelector(css).open", ".filterbox")
