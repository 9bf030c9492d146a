"""Names, logs, addresses and fragments that try to run a script do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from opening import Open, Opened

pytestmark = pytest.mark.browser

TITLE = "version-regression matrix: </script>"


def harmless(shown: Opened) -> None:
    """No title was changed, no element was made of text, no prototype was touched, no link runs a script."""
    found = shown.page.evaluate(
        """() => ({
          made: document.querySelectorAll("img, iframe, object, embed, base, [onerror], [onload], [onclick]").length,
          scripts: document.querySelectorAll("script").length,
          links: [...document.links].filter((one) => !/^(#|https?:)/.test(one.getAttribute("href"))).length,
          prototype: Object.keys(Object.prototype).length + Object.keys(Array.prototype).length,
        })"""
    )
    assert found == {"made": 0, "scripts": 3, "links": 0, "prototype": 0}
    assert TITLE in shown.page.title()
    assert shown.noise == []


def test_nothing_runs_in_any_view(opened: Open, hostile: Path) -> None:
    shown = opened(hostile, "#all=1")
    shown.drawn()
    harmless(shown)
    hrefs: list[str] = shown.page.eval_on_selector_all(
        "a[href*='=']", "(all) => [...new Set(all.map((one) => one.getAttribute('href')))]"
    )
    views = [href for href in hrefs if href.startswith(("#cell=", "#figure=", "#function="))]
    assert len(views) > 15
    for href in views:
        shown.page.evaluate("(href) => { location.hash = href; }", href)
        shown.until("() => !document.getElementById('view').hidden")
        assert shown.texts("#view h2") != ["Not in this report"], href
        shown.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    harmless(shown)


def test_what_is_hostile_is_shown_as_text(opened: Open, hostile: Path) -> None:
    shown = opened(hostile)
    text = shown.page.inner_text("body")
    for part in ("<script>alert(1)</script>", "onerror=alert(2)", "javascript:alert(4)", "مرحبا"):
        assert part in text
    assert "\u202e" not in shown.page.content()  # turns the direction of what follows it


@pytest.mark.parametrize("probe", ["constructor", "__proto__"])
def test_a_table_with_a_name_that_scripts_know_is_sorted(opened: Open, hostile: Path, probe: str) -> None:
    shown = opened(hostile)
    button = shown.page.locator(f"table.figures[data-probe={probe}] thead button").last
    orders = []
    for _ in range(3):
        button.click()
        orders.append(shown.page.get_attribute(f"table.figures[data-probe={probe}] th:last-child", "aria-sort"))
    assert orders == ["ascending", "descending", None]
    assert shown.fragment == ""


def test_filters_with_hostile_names_work(opened: Open, hostile: Path) -> None:
    shown = opened(hostile)
    names: list[str] = shown.page.eval_on_selector_all("#filters select", "(all) => all.map((one) => one.name)")
    assert len(names) >= 4
    for name in names:
        select = f"#filters select[name={name}]"
        for value in shown.page.eval_on_selector_all(f"{select} option", "(all) => all.map((one) => one.value)"):
            shown.page.select_option(select, value)
            assert shown.page.input_value(select) == value
    harmless(shown)


@pytest.mark.parametrize(
    "fragment",
    [
        "#cell=<img src=x onerror=alert(1)>",
        "#cell=__proto__",
        "#figure=__proto__:constructor&of=__proto__",
        "#figure=mnist:__proto__&of=constructor",
        "#function=__proto__:toString",
        "#function=ops:__proto__",
        "#sort=__proto__.1.up&sort=constructor.2.down",
        "#verdict=__proto__&framework=constructor&probe=toString",
        "#name=<svg onload=alert(1)>",
        "#javascript:alert(1)",
        "#" + "x" * 100_000,
        "#sort=mnist." + "9" * 400 + ".up",
    ],
)
def test_a_hostile_fragment_does_nothing(opened: Open, whole: Path, fragment: str) -> None:
    shown = opened(whole, fragment)
    assert shown.count("h1") == 1
    assert shown.page.evaluate("document.querySelectorAll('img, [onerror], [onload]').length") == 0
    assert shown.page.evaluate("Object.keys(Object.prototype).length") == 0
