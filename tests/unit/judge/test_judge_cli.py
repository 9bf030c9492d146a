"""``runner judge``, ``compare`` and ``expect`` from the command line; the file that calibrations are kept in."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner import cli
from runner.errors import UsageError
from runner.judge import calibration_file
from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.results import store

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.13.0", "3.11.3", "3.11", "cpu")


def lines(effect: float = 0.0, n: int = 20, **more: Any) -> list[str]:
    draw = np.random.default_rng(3)
    return [
        json.dumps({"cell": cell, "round": r, "metric": "step_s", "value": value, **more})
        for r in range(n)
        for cell in ("A", "B")
        for value in [0.0045 * math.exp(draw.normal(effect * (cell == "B"), 0.02))]
    ]


def run(*argv: str) -> int:
    return cli.run(list(argv))


def judged(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: list[str], *argv: str) -> tuple[int, Any, str]:
    """Exit code, the JSON on stdout (or None) and stderr."""
    file = tmp_path / "samples.jsonl"
    file.write_text("\n".join(content) + "\n", encoding="utf-8")
    code = run("judge", str(file), "--json", *argv)
    shown = capsys.readouterr()
    return code, json.loads(shown.out) if shown.out else None, shown.err


def test_a_slower_cell_is_regressed_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown, _ = judged(tmp_path, capsys, lines(0.1))
    (one,) = shown["comparisons"]
    assert (code, one["baseline"], one["candidate"], one["verdict"]) == (1, "A", "B", "regressed")
    assert {"effect", "low", "high", "p", "p_adjusted", "n", "rounds_needed"} <= one["evidence"].keys()
    assert (shown["timing_comparisons"], shown["alpha"]) == (1, 0.05)


def test_equal_cells_are_the_same_and_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown, _ = judged(tmp_path, capsys, lines())
    assert (code, shown["comparisons"][0]["verdict"]) == (0, "same")


def test_the_direction_and_the_baseline_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown, _ = judged(tmp_path, capsys, lines(0.1, better="higher"))
    assert (code, shown["comparisons"][0]["verdict"]) == (0, "improved")
    code, shown, _ = judged(tmp_path, capsys, lines(0.1), "--baseline", "B")
    assert (code, shown["comparisons"][0]["verdict"]) == (0, "improved")


def test_the_floor_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown, _ = judged(tmp_path, capsys, lines(0.1), "--floor", "0.2")
    assert (code, shown["comparisons"][0]["verdict"]) == (0, "same")


def test_different_hosts_are_not_comparable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = [line.replace('"A"', '"A", "host": "x"').replace('"B"', '"B", "host": "y"') for line in lines(0.1)]
    code, shown, _ = judged(tmp_path, capsys, content)
    assert (code, shown["comparisons"][0]["verdict"]) == (3, "not-comparable")
    assert shown["comparisons"][0]["reason"] == "differs in host: x, y"


def test_numbers_that_are_none_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = lines(0.1)
    for i, bad in enumerate(["NaN", "Infinity", "-Infinity", "0", "-1", "null"]):
        content[2 * i] = re.sub(r'"value": [^,}]+', f'"value": {bad}', content[2 * i])
    code, shown, _ = judged(tmp_path, capsys, content)
    assert (code, shown["comparisons"][0]["verdict"], shown["comparisons"][0]["evidence"]["n"]) == (1, "regressed", 14)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2:"),
        ("[1]", "line 2: Expected `object`"),
        ('{"cell": "A"}', "line 2: Object missing required field `metric`"),
        ('{"cell": "A", "metric": "t", "value": 1}', "line 2: a timing needs its `round`"),
        ('{"cell": "A", "metric": "t", "value": 1, "round": "x"}', "line 2: Expected `int | null`"),
        (
            '{"cell": "A", "metric": "t", "value": 1, "rounds": 1}',
            "line 2: unknown key 'rounds' (did you mean 'round'?)",
        ),
        ('{"cell": "A", "metric": "t", "value": 1, "round": 1, "kind": "speed"}', "line 2: Invalid enum value 'speed'"),
        ('{"cell": "A", "metric": "step_s", "value": "fast", "round": 1}', "is exact here and timing before"),
        ('{"cell": "", "metric": "t", "value": 1, "round": 1}', "`cell` and `metric` cannot be empty"),
        ('{"cell": "A", "metric": "e", "value": "x", "kind": "error"}', "line 2: error figures are numbers"),
        ('{"cell": "A", "metric": "e", "value": 1, "kind": "trajectory"}', "line 2: trajectory figures are lists"),
        ('{"cell": "A", "metric": "t", "value": true, "round": 1}', "line 2: Expected"),
        ("\ufffd", "line 2: not a JSON object: expecting value, column 1"),
        ('{"cell": "A", "metric": "t", "value": 1, "round": -1}', "line 2: Expected `int` >= 0"),
        ('{"cell": "A", "metric": "t", "value": 1, "round": 100000000000000000000000}', "line 2: Expected `int` <= "),
        ('{"cell": "A", "metric": "t", "value": 1%s, "round": 1}' % ("0" * 400), "`value` is too large"),
        ('{"cell": "A", "metric": "t\\nu", "value": 1, "round": 1}', "'t\\nu' has a character that cannot be printed"),
        ('{"cell": "A\\ud800", "metric": "t", "value": NaN, "round": 1}', "'A\\ud800' has a character that cannot"),
        ('{"cell": "A", "metric": "e", "value": -1, "kind": "error"}', "an error is a distance and cannot be -1"),
        ('{"cell": "A", "metric": "e", "value": 1, "kind": "error", "terms": 0}', "line 2: Expected `int` >= 1"),
        (
            '{"cell": "B", "metric": "step_s", "value": 1, "round": 0, "unit": "ms"}',
            "metric 'step_s' is in ms here and in no unit before",
        ),
        (
            '{"cell": "B", "metric": "step_s", "value": 1, "round": 0, "better": "higher"}',
            "metric 'step_s' is better higher here and better lower before",
        ),
    ],
)
def test_a_bad_line_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    code, shown, err = judged(tmp_path, capsys, [lines()[0], line])
    assert (code, shown, err.count("\n")) == (2, None, 1)
    assert says in err


@pytest.mark.parametrize(
    ("kind", "values", "verdict"),
    [
        ("timing", (1e308, 1e-308), "improved"),
        ("timing", (5e-324, 1e308), "regressed"),
        ("seeded", (1e308, -1e308), "not-comparable"),
        ("seeded", (1.0, 1e308), "regressed"),
        ("error", (1.0, 1e308), "regressed"),
        ("exact", (10**400, 10**400 + 1), "regressed"),
        ("exact", (2**63, 2**63 + 1), "regressed"),
    ],
)
def test_figures_at_the_edge_of_what_a_number_can_be_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, values: tuple[float, float], verdict: str
) -> None:
    content = [
        json.dumps({"cell": cell, "round": r, "metric": "m", "value": value, "kind": kind})
        for r in range(9)
        for cell, value in zip("AB", values, strict=True)
    ]
    _, shown, _ = judged(tmp_path, capsys, content)
    assert shown["comparisons"][0]["verdict"] == verdict
    assert run("judge", str(tmp_path / "samples.jsonl")) == {"regressed": 1, "not-comparable": 3}.get(verdict, 0)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "[1, NaN]"])
def test_what_is_no_number_in_every_process_agrees_with_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    kind = "trajectory" if value.startswith("[") else "exact"
    content = [
        f'{{"cell": "{cell}", "round": {r}, "metric": "m", "value": {value}, "kind": "{kind}"}}'
        for r in range(3)
        for cell in "AB"
    ]
    code, shown, _ = judged(tmp_path, capsys, content)
    assert (code, shown["comparisons"][0]["verdict"]) == (0, "same")


@pytest.mark.parametrize(("n", "says"), [(1, "one value, which is not"), (3, "3 values, none of them")])
def test_a_cell_without_a_usable_value_is_told_and_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], n: int, says: str
) -> None:
    content = [
        json.dumps({"cell": cell, "round": r, "metric": "m", "value": value})
        for r in range(n)
        for cell, value in (("A", 1.0), ("B", None))
    ]
    code, shown, _ = judged(tmp_path, capsys, content)
    assert (code, shown["comparisons"][0]["verdict"]) == (4, "inconclusive")
    assert f"the candidate has no usable value: {says}" in shown["comparisons"][0]["reason"]


def test_a_baseline_that_no_line_has_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = judged(tmp_path, capsys, lines(), "--baseline", "a")
    assert (code, err) == (2, "runner: --baseline 'a': no line has that cell\n")


@pytest.mark.parametrize("content", [[], lines(n=1)[:1]], ids=["no line", "one cell"])
def test_nothing_to_compare_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: list[str]
) -> None:
    code, shown, _ = judged(tmp_path, capsys, content)
    assert (code, shown["comparisons"]) == (4, [])


def test_a_missing_file_is_an_error_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("judge", "there-is-none.jsonl") == 2
    assert capsys.readouterr().err == "runner: there-is-none.jsonl: cannot be read: No such file or directory\n"


def test_other_kinds_are_judged_by_their_own_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = []
    for cell, digest, accuracy, error in (("A", "x", 0.97, 1.0), ("B", "y", 0.90, 744.0)):
        content.append(json.dumps({"cell": cell, "metric": "digest", "value": digest}))
        content.append(json.dumps({"cell": cell, "metric": "err", "value": error, "kind": "error", "terms": 1792}))
        content += [
            json.dumps(
                {
                    "cell": cell,
                    "seed": s,
                    "metric": "acc",
                    "value": accuracy + s / 1e4,
                    "kind": "seeded",
                    "better": "higher",
                }
            )
            for s in range(4)
        ]
    code, shown, _ = judged(tmp_path, capsys, content)
    assert code == 1
    assert {c["metric"]: c["verdict"] for c in shown["comparisons"]} == dict.fromkeys(
        ("digest", "err", "acc"), "regressed"
    )
    assert shown["timing_comparisons"] == 0


def test_the_table_says_what_error_rate_it_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text("\n".join(lines(0.1)))
    assert run("judge", str(file)) == 1
    shown = capsys.readouterr().out
    assert re.search(r"^step_s +A +B +regressed +\+\d+\.\d% ", shown, re.MULTILINE)
    assert "1 timing comparison: at most 0.05 chance of any false alarm (Holm), 0.005 in each; floor 5%" in shown


def test_rounds_taken_in_looks_are_judged_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, fixed, _ = judged(tmp_path, capsys, lines(0.1))
    _, looks, _ = judged(tmp_path, capsys, lines(0.1), "--max-rounds", "20")
    assert (fixed["looks"], looks["looks"]) == ([20], [3, 5, 8, 11, 15, 20])
    assert looks["comparisons"][0]["evidence"]["p"] >= fixed["comparisons"][0]["evidence"]["p"]


# --- files of other tools ---------------------------------------------------------------------------------------------

TOOLS = Path(__file__).parents[1] / "results" / "tools" / "data"


def judged_files(capsys: pytest.CaptureFixture[str], *names: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the comparisons by probe and metric, and stderr."""
    words = [name.replace("=", f"={TOOLS}/") if "=" in name else str(TOOLS / name) for name in names]
    code = run("judge", *words, "--json")
    shown = capsys.readouterr()
    return code, {f"{c['probe']}:{c['metric']}": c for c in json.loads(shown.out)["comparisons"]}, shown.err


def test_files_of_a_tool_that_took_turns_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    code, found, err = judged_files(capsys, "before=pyperf-turns-before.json", "after=pyperf-turns-after.json")
    assert (code, found["sort:time"]["verdict"], found["sort:time"]["evidence"]["n"]) == (1, "regressed", 10)
    assert err == "before: pyperf, 1 benchmark, 10 samples each\nafter: pyperf, 1 benchmark, 10 samples each\n"
    code, found, _ = judged_files(capsys, "pyperf-turns-after.json", "pyperf-turns-before.json")
    assert (code, found["sort:time"]["verdict"]) == (0, "improved")


def test_commands_of_hyperfine_are_compared_with_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    code, found, _ = judged_files(capsys, "hyperfine-turns")
    assert (code, found[":time"]["verdict"], found[":time"]["baseline"]) == (1, "regressed", "python -S -c 1")


@pytest.mark.parametrize(
    ("names", "figure", "code", "says"),
    [
        (
            ("pytest-benchmark-before/1.json", "after=pytest-benchmark-after/1.json"),
            "test_sort.py::test_sort[300]:time",
            0,
            "one sample each; repeats inside one process are one sample",
        ),
        (
            ("google-benchmark-before.json", "google-benchmark-after.json"),
            "sort/300:items_per_second",
            3,  # the benchmark `refused` fails in both
            "one sample each; repeats inside one process are one sample",
        ),
        (
            ("asv-before.json", "asv-after.json"),
            "bench_sort.Sort.time_sort(300):time",
            3,  # the same
            "one sample each; asv does not write which repeats are from one process",
        ),
        (
            ("pyperf-before.json", "pyperf-after.json"),
            "sort:time",
            0,
            "the processes did not take turns, so they are one round",
        ),
    ],
)
def test_one_round_is_no_basis_for_a_verdict(
    capsys: pytest.CaptureFixture[str], names: tuple[str, ...], figure: str, code: int, says: str
) -> None:
    ended, found, _ = judged_files(capsys, *names)
    assert (ended, found[figure]["verdict"]) == (code, "inconclusive")
    assert found[figure]["reason"].endswith(f"%: {says}")


def test_few_rounds_of_a_tool_are_asked_for_more(capsys: pytest.CaptureFixture[str]) -> None:
    _, found, _ = judged_files(capsys, "pytest-benchmark-before", "pytest-benchmark-after")
    assert {c["evidence"]["n"] for c in found.values()} == {3}
    assert all("about" in c["reason"] for c in found.values())


def test_one_file_of_one_process_has_nothing_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    code, found, err = judged_files(capsys, "pytest-benchmark-before/1.json")
    assert (code, found) == (4, {})
    assert err == "1: pytest-benchmark, 2 benchmarks, 1 sample each: repeats inside one process are one sample\n"


def test_a_benchmark_that_fails_now_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (TOOLS / "hyperfine-failing.json").read_text(encoding="utf-8")
    ran = json.loads(text)
    ran["results"][0]["exit_codes"] = [0, 0, 0, 0]
    (tmp_path / "before.json").write_text(json.dumps(ran), encoding="utf-8")
    (tmp_path / "after.json").write_text(text, encoding="utf-8")
    code = run("judge", str(tmp_path / "before.json"), str(tmp_path / "after.json"), "--json")
    (broken,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert (code, broken["metric"], broken["verdict"]) == (1, "status", "broken")
    assert broken["reason"] == "crashed in 2 of 4 processes: exit code 1"
    code = run("judge", str(tmp_path / "after.json"), str(tmp_path / "before.json"), "--json")
    assert (code, json.loads(capsys.readouterr().out)["comparisons"][0]["verdict"]) == (3, "fixed")


def test_a_benchmark_that_is_gone_was_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    code, found, _ = judged_files(capsys, "before=pyperf-before.json", "after=pyperf-turns-after.json")
    assert (code, found["draw:status"]["verdict"]) == (3, "not-comparable")


def test_a_benchmark_whose_code_changed_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = (TOOLS / "asv-after.json").read_text(encoding="utf-8").replace("d2c2087d8f42", "000000000000")
    (tmp_path / "after.json").write_text(changed, encoding="utf-8")
    assert run("judge", str(TOOLS / "asv-before.json"), str(tmp_path / "after.json"), "--json") == 3
    found = {c["probe"]: c for c in json.loads(capsys.readouterr().out)["comparisons"]}
    assert found["bench_sort.Sort.time_sort(300)"]["verdict"] == "not-comparable"
    assert found["bench_sort.peakmem_sort"]["verdict"] == "inconclusive"


# --- results in folders ----------------------------------------------------------------------------------------------


def sample(cell: Cell, value: float, status: Status = Status.OK, number: int = 0, host: str = "here") -> Sample:
    made = Sample(cell, "", "mnist", {}, number, 0, "host", status, "" if status == Status.OK else "it fell")
    metrics = (Metric("parameters", 7, Kind.EXACT), Metric("step_s", value, Kind.TIMING, Better.LOWER, "s"))
    return replace(
        made,
        metrics=metrics if status == Status.OK else (),
        fingerprint={"host": host, "probe_hash": "p"},
        key=f"{cell.id}{number}{value}".ljust(12, "0"),
    )


def saved(folder: Path, samples: list[Sample]) -> Path:
    kept = store.Store(folder)
    kept.open()
    for one in samples:
        kept.save(one)
    return folder


def test_two_runs_are_compared_cell_by_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = saved(tmp_path / "a", [sample(OLD, 1.0, number=r) for r in range(8)])
    after = saved(tmp_path / "b", [sample(OLD, 1.5, number=r, host="there") for r in range(8)])
    assert run("compare", str(before), str(after), "--json") == 3
    found = {c["metric"]: c for c in json.loads(capsys.readouterr().out)["comparisons"]}
    assert (found["step_s"]["verdict"], found["parameters"]["verdict"]) == ("not-comparable", "same")
    assert (found["status"]["baseline"], found["status"]["candidate"]) == (f"A:{OLD.id}", f"B:{OLD.id}")


def test_a_cell_that_broke_between_two_runs_fails(tmp_path: Path) -> None:
    before = saved(tmp_path / "a", [sample(OLD, 1.0), sample(NEW, 1.0)])
    after = saved(tmp_path / "b", [sample(OLD, 1.0), sample(NEW, 1.0, Status.CRASHED)])
    assert run("compare", str(before), str(after)) == 1


EXPECTATIONS = """# what a person wrote

schema = 1

# about the old one
[[expect]]
cell = "torch-2.2.2_*"
status = "crashed"
issue = "https://example.org/1"
"""


def test_expect_says_what_is_out_of_date_and_writes_it_only_when_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "expectations.toml"
    file.write_text(EXPECTATIONS)
    results = saved(tmp_path / "run", [sample(OLD, 1.0), sample(NEW, 1.0, Status.CRASHED)])
    assert run("expect", str(results), "--file", str(file)) == 1
    assert file.read_text() == EXPECTATIONS
    assert f"+ {NEW.id} mnist crashed: it fell" in capsys.readouterr().out
    assert run("expect", str(results), "--file", str(file), "--update") == 0
    assert file.read_text() == (
        "# what a person wrote\n\nschema = 1\n\n"
        f'[[expect]]\ncell = "{NEW.id}"\nprobe = "mnist"\nstatus = "crashed"\nreason = "it fell"\n'
    )
    assert run("expect", str(results), "--file", str(file)) == 0


def test_expect_compares_with_the_baselines_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two Keras releases the set prefers the newer one as baseline; by age alone it would be the older one."""
    older = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
    error = {OLD: 1.0, older: 500.0}
    made = [
        replace(sample(cell, 1.0), metrics=(Metric("free.error", u, Kind.ERROR, Better.LOWER, "u", 64),))
        for cell, u in error.items()
    ]
    results = saved(tmp_path / "run", made)
    store.Store(results).record(store.RunRecord("quick", (OLD, older)))
    assert run("report", str(results)) == 1
    assert run("expect", str(results), "--file", str(tmp_path / "expectations.toml")) == 1
    assert f"+ {older.id} mnist free.error" in capsys.readouterr().out


def test_one_cell_is_calibrated_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("calibrate", "torch-*") == 2
    assert "'torch-*' matches 3 cells" in capsys.readouterr().err


# --- calibrations ----------------------------------------------------------------------------------------------------


def test_calibrations_are_kept_per_host(tmp_path: Path) -> None:
    here, there = [sample(OLD, 1.0)], [sample(OLD, 1.0, host="there")]
    calibration_file.save(here, {"a": 0.1}, tmp_path)
    calibration_file.save(here, {"b": 0.2}, tmp_path)
    assert calibration_file.noise_for(here, tmp_path) == {"a": 0.1, "b": 0.2}
    assert calibration_file.noise_for(there, tmp_path) == {}


def test_another_probe_hash_is_the_same_host(tmp_path: Path) -> None:
    calibration_file.save([sample(OLD, 1.0)], {"a": 0.1}, tmp_path)
    changed = [replace(sample(OLD, 1.0), fingerprint={"host": "here", "probe_hash": "q"})]
    assert calibration_file.noise_for(changed, tmp_path) == {"a": 0.1}


def test_a_broken_calibration_is_named(tmp_path: Path) -> None:
    path = calibration_file.save([sample(OLD, 1.0)], {"a": 0.1}, tmp_path)
    path.write_text("{")
    with pytest.raises(UsageError, match="delete it and calibrate again"):
        calibration_file.noise_for([sample(OLD, 1.0)], tmp_path)


def test_calibrate_tells_before_it_runs_that_it_cannot_keep_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("a file, where a folder should be")
    monkeypatch.setattr("runner.util.folders.state_dir", lambda: tmp_path / "home")
    assert run("calibrate", "torch-2.2.2_keras-3.11.3_py3.11_cpu", "--out", str(tmp_path / "out")) == 2
    assert "XDG_DATA_HOME names another place" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
