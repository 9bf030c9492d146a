"""Every chart has its marks, and as many of them as there are figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_reports import CASES, FAST, PARTS_AT, ROUNDS, STEPS, WORSE
from opening import Open, Opened

pytestmark = pytest.mark.browser

OF = f"&of={WORSE.id}"
BASELINES = 3
"""The worse cell is compared with its older release, with TensorFlow, and with the framework without Keras."""


def charts(shown: Opened, kind: str) -> list[dict[str, int]]:
    """How many elements of each class every chart of a kind has; ``canvas`` among them."""
    shown.drawn()
    found: list[dict[str, int]] = shown.page.eval_on_selector_all(
        f"figure.chart-{kind}",
        """(all) => all.filter((one) => one.checkVisibility()).map((one) => {
          const number = (css) => one.querySelectorAll(css).length;
          const counts = { canvas: number("canvas"), rows: number("tbody tr") };
          for (const mark of one.querySelectorAll("svg [class]")) {
            for (const name of mark.classList) counts[name] = (counts[name] ?? 0) + 1;
          }
          return counts;
        })""",
    )
    return found


def painted(shown: Opened, at: int = 0) -> int:
    """How many different colours a canvas has, apart from those at the edges of lines."""
    colours: int = shown.page.evaluate(
        """(at) => {
          const canvas = [...document.querySelectorAll("canvas")].filter((one) => one.checkVisibility())[at];
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
          const counts = new Map();
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] < 255) continue;
            const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
            counts.set(colour, (counts.get(colour) ?? 0) + 1);
          }
          return [...counts.values()].filter((count) => count > 60).length;
        }""",
        at,
    )
    return colours


def test_a_timing_has_a_dot_per_paired_round_the_interval_and_the_floor(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#figure=mnist:free.step_s{OF}")
    found = charts(shown, "rounds")
    assert [chart["mark"] for chart in found] == [ROUNDS] * BASELINES
    assert all(chart["floor"] == chart["interval"] == chart["one"] == 1 for chart in found)
    assert all(chart["rows"] == ROUNDS for chart in found)


def test_a_timing_has_a_bar_per_cell_and_a_line_at_the_baseline(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#figure=mnist:free.step_s{OF}")
    (bars,) = charts(shown, "bars")
    assert bars["bar"] == bars["whisker"] == bars["rows"] == len(FAST)
    assert (bars["bar-candidate"], bars["bar-baseline"], bars["baseline"]) == (1, BASELINES, 1)


def test_an_accuracy_has_a_dot_per_seed_of_every_cell(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#figure=mnist:free.test_accuracy{OF}")
    (seeds,) = charts(shown, "seeds")
    assert seeds["mark"] == ROUNDS * len(FAST)
    assert seeds["mean"] == len(FAST)
    assert seeds["mark-candidate"] == ROUNDS


def test_the_losses_have_a_curve_per_cell_and_the_step_at_which_they_part(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#figure=mnist:controlled.loss_per_step{OF}")
    (curves,) = charts(shown, "curves")
    assert curves["rows"] == STEPS
    summary = shown.page.get_attribute("figure.chart-curves [role=img]", "aria-label")
    assert f"{len(FAST)} curves of {STEPS} steps" in summary
    assert f"diverge at step {PARTS_AT + 1}" in summary  # at the tenth step the difference is still zero
    assert painted(shown) >= 4
    heads = shown.page.eval_on_selector_all("figure.chart-curves thead th", "(all) => all.length")
    assert heads == 1 + len(FAST)


def test_a_curve_can_be_hidden_and_the_chart_zoomed_by_its_buttons(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#figure=mnist:controlled.loss_per_step{OF}")
    shown.drawn()
    legend = shown.page.locator(".chart-legend button")
    assert legend.count() >= 2
    before = painted(shown)
    legend.nth(0).click()
    assert legend.nth(0).get_attribute("aria-pressed") == "false"
    shown.page.wait_for_timeout(100)
    assert painted(shown) < before
    pixels = "document.querySelector('canvas').toDataURL()"
    whole_picture = shown.page.evaluate(pixels)
    shown.page.click(".chart-tools button:has-text('+')")
    shown.until(f"(was) => {pixels} !== was", whole_picture)


def test_errors_have_a_strip_per_geometry_with_its_bound(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#figure=conv2d:pointwise.error_max{OF}")
    (strip,) = charts(shown, "strip")
    assert strip["bound"] == strip["name"] == len(CASES)
    assert strip["mark"] == strip["rows"] == 4 * len(CASES)
    assert strip["mark-bad"] == 1


def test_keras_is_drawn_next_to_native(opened: Open, whole: Path) -> None:
    (ratio,) = charts(opened(whole), "ratio")
    assert ratio["mark"] == ratio["whisker"] == ratio["rows"] == 1


def test_a_history_is_drawn_with_its_change_and_as_a_spark_in_its_row(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#cell={WORSE.id}")
    (history,) = charts(shown, "history")
    assert (history["canvas"], history["rows"]) == (1, 14)
    assert painted(shown) >= 2
    assert "×1.50" in shown.page.get_attribute("figure.chart-history [role=img]", "aria-label")
    assert opened(whole).count("table.figures svg.spark") == 1


def test_the_map_has_a_spot_per_function_and_cell(opened: Open, whole: Path) -> None:
    shown = opened(whole, "#all=1")
    assert shown.count("table.mapped .spot") == 9
    assert shown.count("table.mapped .spot.bad") == 3  # median in two releases, log in one
    assert shown.count("table.mapped .spot.good") == 6


def test_the_overview_of_a_real_run_has_a_tile_per_cell(opened: Open, real: Path) -> None:
    shown = opened(real)
    assert shown.count("#overview a.tile") == 7
    assert shown.texts("#filters output") == ["7 of 7 combinations"]


def test_charts_follow_the_filters(opened: Open, whole: Path) -> None:
    shown = opened(whole, "#framework=torch")
    assert {chart["bar"] for chart in charts(shown, "bars")} == {3}
    assert {chart["mark"] for chart in charts(shown, "seeds")} == {3 * ROUNDS}


def test_every_canvas_has_a_name_and_a_table(opened: Open, whole: Path) -> None:
    shown = opened(whole)
    shown.drawn()
    bare = shown.page.evaluate(
        """() => [...document.querySelectorAll("canvas")].filter((one) =>
          !one.closest("[role=img][aria-label]") || !one.closest("figure")?.querySelector("details table")).length"""
    )
    assert shown.count("canvas") >= 2
    assert bare == 0


def test_a_change_of_the_window_and_of_the_scheme_keeps_the_charts(opened: Open, whole: Path) -> None:
    shown = opened(whole, f"#figure=mnist:controlled.loss_per_step{OF}")
    shown.drawn()
    light = shown.page.evaluate("document.querySelector('canvas').toDataURL()")
    shown.page.emulate_media(color_scheme="dark")
    shown.until("(was) => document.querySelector('canvas').toDataURL() !== was", light)
    shown.page.set_viewport_size({"width": 390, "height": 844})
    shown.until("() => document.querySelector('canvas').getBoundingClientRect().width < 390")
    assert painted(shown) >= 4
