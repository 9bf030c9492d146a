"""The data of the HTML page: what its script draws from."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from runner.defects import Defect
from runner.history.data import CellRun, Past, Point, Series
from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Skip, Status, Verdict
from runner.report import Finding, Report, Severity, page
from runner.report.answer import answer
from runner.report.overview import overview
from runner.report.page import cells, payload, static, sweeps

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")


def sample(cell: Cell, *metrics: Metric, **fields: Any) -> Sample:
    given = {"round": 0, "seed": 0, "status": Status.OK, "reason": "", "probe": "mnist", **fields}
    return Sample(cell=cell, environment_id="e", settings={}, executor="docker", metrics=metrics, **given)


def step(value: Any) -> Metric:
    return Metric("free.step_s", value, Kind.TIMING, Better.LOWER, "s")


def losses(values: list[float]) -> Metric:
    return Metric("controlled.loss_per_step", values, Kind.TRAJECTORY)


def of(*samples: Sample, comparisons: tuple[Comparison, ...] = (), **fields: Any) -> dict[str, Any]:
    """The data as the page has it: through the text that it carries."""
    report = Report(samples, comparisons, **fields)
    packed = payload.packed(report, overview(report))
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return found


def test_the_policy_has_the_hashes_of_what_is_inline(quick: Report) -> None:
    text = page.render(quick)
    policy = re.search(r'Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    inline = [
        *re.findall(r"<script>(.*?)</script>", text, re.DOTALL),
        *re.findall(r"<style>(.*?)</style>", text, re.DOTALL),
    ]
    assert len(inline) == 3
    for part in inline:
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"sha256-{digest.replace('+', '&#43;')}" in policy[1] or f"sha256-{digest}" in policy[1]


def test_the_same_report_makes_the_same_page(quick: Report) -> None:
    assert page.render(quick) == page.render(quick)


def test_figures_are_by_process_and_equal_ones_are_written_once() -> None:
    a, b = sample(OLD, step(0.123456789), step_count := Metric("steps", 7, Kind.EXACT)), sample(OLD, step(2.0), round=3)
    data = of(a, replace(b, metrics=(*b.metrics, step_count), seed=3))["probes"]["mnist"]
    assert [row[:2] for row in data["metrics"]] == [["free.step_s", "step time"], ["steps", "steps"]]
    assert data["runs"] == {"0": [[0, 3], [0, 3]]}
    assert data["values"] == {"0": {"0": [0.1234568, 2.0]}, "1": {"0": 7}}


def test_a_figure_that_a_process_lacks_is_empty_in_its_place() -> None:
    data = of(sample(OLD), sample(OLD, step(1.0), round=1), sample(OLD, round=2))["probes"]["mnist"]
    assert data["values"] == {"0": {"0": [None, 1.0, None]}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**300, "x" * 5000, True, None])
def test_figures_that_no_chart_can_draw_do_no_harm(value: Any) -> None:
    found = of(sample(OLD, step(value)))["probes"]["mnist"]["values"]["0"]["0"][0]
    assert found is None or len(str(found)) <= 200 or isinstance(found, float)


def test_long_curves_are_thinned_evenly_and_keep_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MOST_STEPS", 0)
    data = of(sample(OLD, losses([float(n) for n in range(1000)])))["probes"]["mnist"]
    length, kept = data["curves"]["0"]["0"]
    assert (length, kept[0], kept[-1], len(kept)) == (1000, 0.0, 999.0, payload.FEWEST_STEPS)
    assert {round(b - a) for a, b in itertools.pairwise(kept)} <= {43, 44}


def test_a_curve_is_that_of_the_first_process() -> None:
    data = of(sample(OLD, losses([1.0, 2.0])), sample(OLD, losses([3.0, 4.0]), round=1))["probes"]["mnist"]
    assert data["curves"]["0"]["0"] == [2, [1.0, 2.0]]


def test_comparisons_are_by_pair_and_end_where_nothing_follows() -> None:
    judged = Comparison(
        OLD.id, NEW.id, "version", "mnist", "free.step_s", Verdict.REGRESSED, "slower",
        Evidence(5, 0.31, 0.2, 0.4, 0.0012, 0.0024, floor=0.05),
    )  # fmt: skip
    same = Comparison(OLD.id, NEW.id, "version", "mnist", "status", Verdict.SAME, "both run")
    data = of(sample(OLD, step(1.0)), sample(NEW, step(1.3)), comparisons=(judged, same))
    (pair,) = data["probes"]["mnist"]["pairs"]
    assert (pair["candidate"], pair["baseline"], pair["axis"]) == (1, 0, "version")
    assert pair["rows"][0][:11] == [0, "worse", "regressed", "", 5, 0.31, 0.2, 0.4, 0.0012, 0.0024, 0.05]
    assert pair["rows"][0][-1] == "slower"
    assert pair["rows"][1] == [-1, "same", "same", "", 0]


def test_a_comparison_of_a_cell_that_is_not_in_the_report_is_left_out() -> None:
    judged = Comparison(OLD.id, "gone", "version", "mnist", "free.step_s", Verdict.SAME, "")
    assert of(sample(OLD, step(1.0)), comparisons=(judged,))["probes"]["mnist"]["pairs"] == []


def test_a_cell_says_what_ran_and_what_failed() -> None:
    facts = {"build": "2.15.0+cpu", "switches": {"tf32": False}, "packages": {"torch": "1"}, "threads": {"intra_op": 2}}
    fine = sample(
        NEW,
        step(1.0),
        facts=facts,
        packages={"torch": "2.15.0"},
        lock_hash="a" * 64,
        started="2026-11-12T01:00:00+00:00",
    )
    bad = sample(NEW, round=1, status=Status.CRASHED, reason="ValueError: no", log="one\n\x1b[31mtwo\n", exit_code=1)
    data = of(fine, replace(bad, started="2026-11-12T02:00:00+00:00"), replace(bad, round=2))
    (cell,) = data["cells"]
    assert cell["id"] == NEW.id
    assert data["facts"][cell["facts"]] == {"build": "2.15.0+cpu", "tf32": "off", "threads intra op": "2"}
    assert data["packages"][cell["packages"]] == {"torch": "2.15.0"}
    assert [failure[:5] for failure in cell["failures"]] == [
        ["mnist", 1, "crashed", "ValueError: no", 0], ["mnist", 2, "crashed", "ValueError: no", 0]
    ]  # fmt: skip
    assert data["logs"] == ["one\ntwo"]
    assert data["probes"]["mnist"]["runs"]["0"][2:] == [2, "crashed", "ValueError: no"]


def test_the_commands_of_a_cell_run_enter_diagnose_export_and_bisect_it() -> None:
    judged = Comparison(OLD.id, NEW.id, "version", "mnist", "free.step_s", Verdict.REGRESSED, "", Evidence(effect=0.3))
    data = of(sample(OLD, step(1.0)), sample(NEW, step(1.3)), comparisons=(judged,), invocation="--executor current")
    lines = [line for _, line in data["cells"][1]["commands"]]
    assert [line.split()[3] for line in lines] == ["matrix", "shell", "diagnose", "bisect", "export"]
    assert [line.endswith("--executor current") for line in lines] == [True, False, True, False, False]
    assert [line.split()[3] for _, line in data["cells"][0]["commands"]] == ["matrix", "shell", "export"]


def test_a_cell_that_was_left_out_is_there_with_the_reason() -> None:
    data = of(skips=(Skip(OLD, Status.UNAVAILABLE, "no GPU"),))
    assert data["cells"][0]["skips"] == ["no GPU"]
    assert "started" not in data["cells"][0]


def test_an_old_result_is_stale() -> None:
    old = sample(OLD, started="2026-11-01T00:00:00+00:00")
    new = sample(NEW, started="2026-11-20T12:00:00+00:00")
    report = Report((old, new), ())
    assert cells.stale(report) == {OLD.id: 19}
    assert [cell.get("stale") for cell in of(old, new)["cells"]] == [19, None]
    assert "19 d old" in page.render(report)
    assert cells.stale(Report((replace(old, started="no time"), new), ())) == {}


def test_many_long_logs_are_cut_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_LOG", 100)
    log = "\n".join(f"line {n}" for n in range(100))
    (text,) = of(sample(OLD, status=Status.CRASHED, log=log))["logs"]
    assert text.splitlines()[0] == "… 60 lines before these are in the result file"
    assert text.splitlines()[1:] == log.splitlines()[-40:]


def swept(cell: Cell, **cases: list[Any]) -> Sample:
    names = {
        "fine": "ops.exp(x) | x=normal(3)",
        "bad": "ops.slow_median(x) | x=normal(4)",
        "other": "ops.exp(x) | x=normal(4)",
    }
    return sample(cell, probe="ops", details={"cases": {names[name]: case for name, case in cases.items()}})


def test_the_map_counts_cases_by_function_and_cell() -> None:
    first = swept(OLD, fine=["ok"], bad=["wrong", 3.0], other=["ok"])
    second = swept(NEW, fine=["ok"], bad=["ok"], other=["unsupported"])
    defect = Defect(
        "ops.slow_median", "wrong value", 8, "ops.slow_median: wrong value", "torch 2.2.2", "version",
        (OLD.id,), (NEW.id,), None, "2.2.2", "2.15.0", "",
        ("ops.slow_median(x) | x=normal(4)",), "got 1", "print('x')\n",
    )  # fmt: skip
    found = of(first, second, defects=(defect,))["sweeps"]["ops"]
    assert found["names"] == ["ops.exp", "ops.slow_median"]
    assert (found["right"], found["wrong"]) == ([[2, 1], [0, 1]], [[0, 0], [1, 0]])
    (drawn,) = found["defects"]
    assert (drawn["functions"], drawn["bad"], drawn["good"]) == ([1], [0], [1])
    assert drawn["bounds"] == [["first bad", "2.2.2"], ["first good", "2.15.0"]]
    assert drawn["script"] == "print('x')"
    assert drawn["known"] is None


def test_the_map_has_no_defects_of_other_probes() -> None:
    conv = Defect("conv2d: digits", "wrong", 8, "t", "w", "", (OLD.id,), (), None, None, None, "", ("digits",), "", "")
    assert of(swept(OLD, fine=["ok"]), defects=(conv,))["sweeps"]["ops"]["defects"] == []
    assert sweeps.function("training", "a case of another form") == "a case of another form"


def test_the_tables_keep_what_differs_apart(quick: Report) -> None:
    views = static.views(quick, answer(quick))
    table = next(table for table in views["tables"] if table["probe"] == "mnist")
    by_cell = {line.cell: line for line in table["lines"]}
    assert by_cell["torch-2.15.0_keras-3.11.3_py3.11_cpu"].differs
    assert all(len(line.fields) == len(table["columns"]) or line.status for line in table["lines"])
    assert table["metrics"][table["columns"].index("step time")] == "free.step_s"
    assert views["dates"] == "2026-08-14" or re.fullmatch(r"[\d-]+( to [\d-]+)?|", views["dates"])


def remembered(points: list[float], **fields: Any) -> Past:
    """What a history knows of the cell ``NEW``, one run per day of November."""
    made = tuple(
        Point(f"run{n}", f"2026-11-{n + 1:02}T01:00:00+00:00", NEW.id, value, value * 0.9, value * 1.1, 5, "")
        for n, value in enumerate(points)
    )
    series = Series(NEW.id, "mnist", "free.step_s", "s", "lower", "host", made, breaks=("another host before",))
    runs = tuple(CellRun(f"run{n}", made[n].when, "ok", verdict, ()) for n, verdict in enumerate(["same", "regressed"]))
    return Past(by_figure={(NEW.id, "mnist", "free.step_s"): series}, by_cell={NEW.id: runs}, **fields)


def test_the_past_of_a_headline_figure_comes_with_its_changes() -> None:
    text = "since 3 November: +50 % (+40 % to +60 %); 1 s"
    change = SimpleNamespace(index=2, effect=0.5, low=0.4, high=0.6, p=0.001, text=text)
    known = remembered([1.0, 1.0, 1.5], find=lambda _: (change,))
    data = of(sample(NEW, step(1.5)), past=known)
    drawn = data["probes"]["mnist"]["past"]["0"]["0"]
    assert [point[2] for point in drawn["points"]] == [1.0, 1.0, 1.5]
    assert drawn["changes"] == [[2, "3 November: +50 %"]]
    assert drawn["breaks"] == ["another host before"]
    assert [(run["when"], run["mark"]) for run in data["cells"][0]["past"]] == [
        ("2026-11-02 01:00", "worse"), ("2026-11-01 01:00", "same")
    ]  # fmt: skip


def test_without_a_history_the_page_has_no_past() -> None:
    data = of(sample(NEW, step(1.5)))
    assert "past" not in data["probes"]["mnist"]
    assert "past" not in data["cells"][0]


def test_a_finding_says_since_when() -> None:
    finding = Finding(Severity.REGRESSED, "it is slow", (NEW.id,), key="k", since="since the night of 12 November")
    known = Past(by_key={"k": "since keras 3.14.0"})
    assert "it is slow. Since keras 3.14.0" in page.render(Report((sample(NEW),), (), extra=(finding,), past=known))
    reported = replace(finding, issue="https://example.org/issues/1")
    text = page.render(Report((sample(NEW),), (), extra=(reported,), past=known))
    assert '<span class="since">since keras 3.14.0</span>' in text


def test_a_missing_cell_says_when_it_was_last_measured() -> None:
    newest = sample(OLD, started="2026-11-20T01:00:00+00:00")
    missing = Skip(NEW, Status.UNAVAILABLE, "no GPU")
    text = page.render(Report((newest,), (), skips=(missing,), past=remembered([1.0, 1.0])))
    assert "missing, last measured 18 days before this run" in text
    assert "18 d ago" in text
    assert "d ago" not in page.render(Report((newest,), (), skips=(missing,)))
