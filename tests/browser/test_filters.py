"""Filters, sorting and links, alone and together; the address keeps all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_reports import JAX, WORSE
from opening import Open, Opened

pytestmark = pytest.mark.browser

ROWS = "table.figures[data-probe=mnist] tbody tr"
TILES = "#overview a.tile:not(.off)"


def choose(shown: Opened, name: str, value: str) -> None:
    shown.page.select_option(f"#filters select[name={name}]", value)


def choices(shown: Opened, name: str) -> list[str]:
    found: list[str] = shown.page.eval_on_selector_all(
        f"#filters select[name={name}] option", "(all) => all.map((one) => one.value).filter(Boolean)"
    )
    return found


def state(shown: Opened) -> dict[str, Any]:
    """All that the filters decide."""
    found: dict[str, Any] = shown.page.evaluate(
        """() => {
          const visible = (e) => e.checkVisibility();
          const texts = (css) => [...document.querySelectorAll(css)].filter(visible).map((e) => e.textContent);
          return {
            tiles: texts("#overview a.tile:not(.off)"), rows: texts("table.figures tbody tr"),
            findings: texts("#answer ul.findings > li"), maps: texts("table.mapped tr"),
            heads: texts("section h2"), count: texts("#filters output"),
            values: [...document.querySelectorAll("#filters select")].map((e) => e.value),
          };
        }"""
    )
    return found


def test_the_filters_are_those_in_which_the_cells_differ(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    names = shown.page.eval_on_selector_all("#filters select", "(all) => all.map((one) => one.name)")
    assert names == ["framework", "version", "keras", "device", "probe", "verdict"]
    assert sorted(choices(shown, "framework")) == ["jax", "tensorflow", "torch"]


@pytest.mark.parametrize("name", ["framework", "version", "keras", "device", "verdict"])
def test_every_value_of_a_filter_of_cells_keeps_what_it_names(opened: Open, whole: Path, name: str) -> None:
    shown = opened(whole)
    everything = state(shown)
    values = choices(shown, name)
    assert len(values) > 1
    seen = set()
    for value in values:
        choose(shown, name, value)
        assert shown.fragment.replace("+", " ") == f"#{name}={value}"
        kept = state(shown)
        assert kept["tiles"] != everything["tiles"] or kept["rows"] != everything["rows"]
        assert set(kept["tiles"]) <= set(everything["tiles"])
        seen.add(json.dumps([kept["tiles"], kept["rows"]]))
    assert len(seen) > 1
    shown.page.click("#filters >> text=Clear")
    assert state(shown) == everything
    assert shown.fragment == ""


def test_a_framework_keeps_its_rows_tiles_findings_and_columns_of_the_map(opened: Open, whole: Path) -> None:
    shown = opened(whole, "#all=1")
    choose(shown, "framework", "jax")
    rows = shown.texts(f"{ROWS} td:first-child")
    assert rows
    assert set(rows) == {"jax"}
    assert shown.count(TILES) == 3
    assert shown.texts("table.mapped thead tr:first-child th") == ["jax 0.10.2"]
    findings = shown.texts("#answer ul.findings > li")
    assert findings
    assert all("jax" in text or "conv2d" in text or "compared figures" in text for text in findings)
    choose(shown, "framework", "torch")
    assert set(shown.texts(f"{ROWS} td:first-child")) == {"torch"}
    assert shown.count("table.mapped") == 0
    assert shown.texts("#filters output") == ["4 of 8 combinations"]


def test_a_probe_keeps_its_section(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    for probe in choices(shown, "probe"):
        choose(shown, "probe", probe)
        shown_tables = shown.page.eval_on_selector_all(
            "table.figures", "(all) => all.filter((e) => e.checkVisibility()).map((e) => e.dataset.probe)"
        )
        assert shown_tables == [probe]
        assert shown.count("section.map") == (1 if probe == "ops" else 0)


def test_a_probe_keeps_the_findings_about_it(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    for probe in ("mnist", "ops"):
        choose(shown, "probe", probe)
        about = shown.page.eval_on_selector_all(
            "#answer ul.findings > li[data-p]",
            "(all) => all.filter((e) => e.checkVisibility()).map((e) => e.dataset.p)",
        )
        assert about
        assert all(probe in text.split("\n") for text in about)


def test_a_table_of_which_the_filters_leave_nothing_says_so(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#framework={JAX.framework}&verdict=worse")
    empty = [probe for probe in ("mnist", "conv2d") if not shown.count(f"table.figures[data-probe={probe}] tbody tr")]
    assert empty
    for probe in empty:
        assert shown.texts(f"#probe-{probe} .rest") == ["The filters leave no row."]


@pytest.mark.parametrize("fragment", ["#framework=nope", "#probe=nope&verdict=nope", "#keras=9.9", "#python=2.7"])
def test_a_filter_that_the_report_does_not_have_is_no_filter(opened: Open, whole: Path, fragment: str) -> None:
    shown = opened(whole, fragment)
    assert shown.texts("#filters output") == ["8 of 8 combinations"]
    assert shown.count(ROWS) == opened(whole).count(ROWS)
    assert set(shown.page.eval_on_selector_all("#filters select", "(all) => all.map((one) => one.value)")) == {""}


def test_a_verdict_keeps_findings_tiles_and_rows_that_have_it(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    choose(shown, "verdict", "worse")
    assert set(shown.page.eval_on_selector_all(
        "#answer ul.findings > li", "(all) => all.filter((e) => e.checkVisibility()).map((e) => e.className)"
    )) == {"worse"}  # fmt: skip
    assert shown.count(TILES) >= 2
    assert shown.count(f"{TILES}:not(.worse)") == 0
    assert shown.count(ROWS) >= 1
    assert shown.count(f"{ROWS}:not(:has(.worse))") == 0


def test_only_what_differs_is_on_until_it_is_turned_off(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    conv = "table.figures[data-probe=conv2d] tbody tr"
    before = shown.count(conv)
    assert shown.texts("#probe-conv2d .rest") == ["2 rows in which nothing differs are hidden. Show them"]
    shown.page.uncheck("#filters input[type=checkbox]")
    assert shown.count(conv) == before + 2
    assert shown.fragment == "#all=1"
    shown.page.check("#filters input[type=checkbox]")
    assert shown.count(conv) == before
    shown.page.click("#probe-conv2d .rest button")
    assert shown.count(conv) == before + 2


def test_filters_work_together_and_a_new_page_restores_them(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    choose(shown, "framework", "torch")
    choose(shown, "probe", "mnist")
    choose(shown, "verdict", "worse")
    shown.page.uncheck("#filters input[type=checkbox]")
    shown.page.click("table.figures[data-probe=mnist] thead button:has-text('step time')")
    kept = state(shown)
    assert kept["rows"]
    assert len(kept["rows"]) < 4
    again = opened(whole, shown.page.evaluate("location.hash"))
    assert state(again) == kept


def test_back_and_forward_walk_through_the_states(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    states = [state(shown)]
    choose(shown, "framework", "jax")
    states.append(state(shown))
    shown.page.click("#overview a.tile:not(.off) >> nth=0")
    heading = shown.texts("#view h2")
    assert heading[0].startswith("jax 0.10.2")
    shown.page.go_back()
    assert state(shown) == states[1]
    shown.page.go_back()
    assert state(shown) == states[0]
    shown.page.go_forward()
    assert state(shown) == states[1]
    shown.page.go_forward()
    assert shown.texts("#view h2") == heading


def test_a_search_keeps_the_functions_of_a_map(opened: Open, whole: Path) -> None:
    shown = opened(whole, "#all=1")
    assert shown.texts("table.mapped tbody th") == ["ops.exp", "ops.log", "ops.median"]
    shown.page.fill("section.map input[type=search]", "MED")
    shown.page.press("section.map input[type=search]", "Enter")
    assert shown.texts("table.mapped tbody th") == ["ops.median"]
    assert shown.page.evaluate("document.activeElement.type") == "search"
    assert "name=MED" in shown.fragment


def column(shown: Opened, number: int) -> list[float]:
    found: list[str] = shown.page.eval_on_selector_all(
        ROWS,
        "(rows, at) => rows.filter((e) => e.checkVisibility()).map((e) => e.cells[at]?.dataset.v ?? '')",
        number,
    )
    return [float(text) for text in found if text]


def test_every_column_sorts_up_then_down_then_not(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    heads = shown.page.locator("table.figures[data-probe=mnist] thead th")
    assert heads.count() > 6
    first = shown.texts(ROWS)
    sorted_figures = 0
    for number in range(heads.count()):
        button = heads.nth(number).locator("button")
        if not button.count():
            continue
        button.click()
        assert heads.nth(number).get_attribute("aria-sort") == "ascending"
        assert f"sort=mnist.{number}.up" in shown.fragment
        up = column(shown, number)
        assert up == sorted(up)
        button.click()
        assert heads.nth(number).get_attribute("aria-sort") == "descending"
        assert column(shown, number) == sorted(up, reverse=True)
        sorted_figures += len(set(up)) > 2
        button.click()
        assert heads.nth(number).get_attribute("aria-sort") is None
        assert shown.texts(ROWS) == first
    assert sorted_figures >= 4


def test_every_link_of_the_report_opens_what_it_names(opened: Open, whole: Path) -> None:
    shown = opened(whole, "#all=1")
    shown.drawn()
    hrefs: list[str] = shown.page.eval_on_selector_all(
        "a[href^='#']", "(all) => [...new Set(all.map((one) => one.getAttribute('href')))]"
    )
    views = [href for href in hrefs if "=" in href]
    places = [href for href in hrefs if "=" not in href]
    assert len(views) > 30
    assert len(places) > 5
    for href in views:
        shown.page.evaluate("(href) => { location.hash = href; }", href)
        shown.until("() => !document.getElementById('view').hidden")
        (heading,) = shown.texts("#view h2")
        assert heading != "Not in this report", href
    for href in places:
        assert shown.page.evaluate("(id) => Boolean(document.getElementById(id))", href[1:]), href


def test_links_out_of_the_page_are_web_addresses(opened: Open, real: Path, whole: Path) -> None:
    found: list[str] = []
    for path in (real, whole):
        found += opened(path).page.eval_on_selector_all("a:not([href^='#'])", "(all) => all.map((one) => one.href)")
    assert found
    assert all(href.startswith("https://") for href in found)


def test_a_cell_has_its_log_its_packages_its_commands_and_its_history(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#cell={WORSE.id}")
    text = shown.page.inner_text("#view")
    for part in (
        "Findings about it",
        "Commands",
        "What differs from its baselines",
        "What ran",
        "Packages",
        "Its history",
    ):
        assert part in text
    commands = shown.texts("#view .command code")
    assert {line.split()[3] for line in commands} >= {"matrix", "shell", "diagnose", "bisect", "export"}
    assert len(shown.texts("#view ul.findings > li")) == 6
    shown.page.click("#view details.more > summary")
    assert len(shown.texts("#view ul.findings > li")) > 6
    broken = opened(whole, "#cell=jax-0.10.2_keras-3.8.0_py3.11_cpu")
    (log,) = broken.texts("#view pre")
    assert log.startswith("Traceback")
    assert "line 59" in log


def test_an_old_and_a_missing_cell_are_shown_as_such(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    assert shown.count("#overview a.tile.stale") == 1
    assert shown.count("#overview a.tile.missing") == 1
    shown.page.click("#overview a.tile.stale")
    assert "19 days older" in shown.page.inner_text("#view")
    missing = opened(whole, "#cell=torch-2.15.0_keras-3.11.3_py3.11_cuda")
    assert "no NVIDIA GPU on this machine" in missing.page.inner_text("#view")
    assert JAX.id in shown.page.inner_text("#view")


def test_a_defect_opens_with_its_case_its_values_and_its_script(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    shown.page.click("table.mapped tr:has-text('ops.median') a.spot.bad >> nth=0")
    (heading,) = shown.texts("#view h2")
    assert heading.startswith("ops.median")
    text = shown.page.inner_text("#view")
    assert "last good" in text
    assert "first bad" in text
    (script,) = shown.texts("#view pre")
    assert "median" in script


def test_a_command_is_copied(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    button = shown.page.locator("#answer .copy >> nth=0")
    button.click()
    shown.until("(b) => b.textContent !== 'Copy'", button.element_handle())
    assert button.inner_text() in ("Copied", "Selected")
