"""Files of benchmark tools, recognised by their content, read and turned into samples.

The files in ``data`` were written by the tools (see ``data/README.md``).
"""

from __future__ import annotations

import gzip
import json
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from runner.errors import UsageError
from runner.model import Better, Kind, Sample, Status
from runner.results import tools
from runner.results.tools.process import Measured

DATA = Path(__file__).parent / "data"


def content(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def read(value: Any) -> Measured:
    return tools.read(json.dumps(value).encode(), "x.json")


def loaded(*names: str) -> list[Sample]:
    return tools.load([name.replace("=", f"={DATA}/") if "=" in name else str(DATA / name) for name in names]).samples


def in_rounds(samples: list[Sample], probe: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for sample in samples:
        if sample.probe == probe:
            found.setdefault(sample.cell.id, []).append(sample.round)
    return found


@pytest.mark.parametrize(
    ("name", "tool", "counts"),
    [
        ("pyperf-before.json", "pyperf", {"sort": 4, "draw": 4}),
        ("pyperf-turns-after.json", "pyperf", {"sort": 10}),
        (
            "pytest-benchmark-before/1.json",
            "pytest-benchmark",
            {"test_sort.py::test_sort[300]": 1, "test_sort.py::test_sort[3000]": 1},
        ),
        ("hyperfine-commands.json", "hyperfine", {"python -S -c 1": 5, 'python -S -c "import asyncio"': 5}),
        ("google-benchmark-before.json", "Google Benchmark", {"sort/300": 1, "sort/3000": 1, "refused": 1}),
        ("google-benchmark-cpp.json", "Google Benchmark", {"sort/256": 1, "sort/1024": 1, "refused": 1}),
        (
            "asv-before.json",
            "asv",
            {
                "bench_sort.Sort.time_sort(300)": 1,
                "bench_sort.Sort.time_sort(3000)": 1,
                "bench_sort.peakmem_sort": 1,
                "bench_sort.time_refused": 1,
                "bench_sort.track_length": 1,
            },
        ),
    ],
)
def test_every_tool_is_recognised_and_its_processes_are_counted(name: str, tool: str, counts: dict[str, int]) -> None:
    measured = tools.read((DATA / name).read_bytes(), name)
    found: dict[str, int] = {}
    for process in measured.processes:
        found[process.benchmark] = found.get(process.benchmark, 0) + 1
    assert (measured.tool, found) == (tool, counts)


# --- pyperf ----------------------------------------------------------------------------------------------------------


def test_a_run_of_pyperf_is_a_process_and_the_median_of_its_values() -> None:
    runs = content("pyperf-before.json")["benchmarks"][0]["runs"]
    assert "values" not in runs[0]  # it calibrates
    expected = [median(run["values"]) for run in runs[1:]]
    sorts = [one for one in tools.read((DATA / "pyperf-before.json").read_bytes(), "").processes if one.repeats == 3]
    found = [one.metrics[0].value for one in sorts if one.benchmark == "sort"]
    assert found == expected
    metric = sorts[0].metrics[0]
    assert (metric.name, metric.kind, metric.better, metric.unit) == ("time", Kind.TIMING, Better.LOWER, "s")
    assert sorts[0].fingerprint["host"] == "host"


@pytest.mark.parametrize(("unit", "shown"), [("byte", ("memory", "B")), ("integer", ("value", ""))])
def test_pyperf_measures_memory_and_counts_too(unit: str, shown: tuple[str, str]) -> None:
    suite = content("pyperf-turns-before.json")
    suite["metadata"]["unit"] = unit
    metric = read(suite).processes[0].metrics[0]
    assert (metric.name, metric.unit) == shown


def test_a_compressed_file_is_read_and_a_damaged_one_named(tmp_path: Path) -> None:
    packed = gzip.compress((DATA / "pyperf-before.json").read_bytes())
    (tmp_path / "a.json.gz").write_bytes(packed)
    assert tools.load([str(tmp_path / "a.json.gz")]).described == ["a: pyperf, 2 benchmarks, 4 samples each"]
    (tmp_path / "a.json.gz").write_bytes(packed[:50])
    with pytest.raises(UsageError, match=r"a\.json\.gz: damaged"):
        tools.load([str(tmp_path / "a.json.gz")])


# --- pytest-benchmark ------------------------------------------------------------------------------------------------


def test_rounds_of_pytest_benchmark_are_one_sample() -> None:
    file = content("pytest-benchmark-before/1.json")
    first = tools.read((DATA / "pytest-benchmark-before/1.json").read_bytes(), "").processes[0]
    assert (first.repeats, first.metrics[0].value) == (5, file["benchmarks"][0]["stats"]["median"])
    assert first.started == file["datetime"]


# --- hyperfine -------------------------------------------------------------------------------------------------------


def test_a_run_of_hyperfine_that_fails_is_a_failure() -> None:
    samples = loaded("hyperfine-failing.json")
    codes = content("hyperfine-failing.json")["results"][0]["exit_codes"]
    assert [one.status for one in samples] == [Status.CRASHED if code else Status.OK for code in codes]
    assert {one.reason for one in samples if one.status != Status.OK} == {"exit code 1"}
    assert all(not one.metrics for one in samples if one.status != Status.OK)


def test_a_run_that_a_signal_ended_is_a_failure_and_old_releases_write_no_exit_codes() -> None:
    file = content("hyperfine-failing.json")
    file["results"][0]["exit_codes"] = [0, None, 0, 0]
    assert [one.failure for one in read(file).processes] == ["", "ended by a signal", "", ""]
    del file["results"][0]["exit_codes"]
    assert [one.failure for one in read(file).processes] == [""] * 4
    file["results"][0]["exit_codes"] = [0]
    with pytest.raises(UsageError, match="4 times and 1 exit codes of 'python"):
        read(file)


def test_commands_of_files_with_one_name_are_compared_with_each_other() -> None:
    samples = loaded("hyperfine-turns")
    assert in_rounds(samples, "") == {
        "python -S -c 1": list(range(9)),
        'python -S -c "import asyncio"': list(range(9)),
    }
    named = loaded("a=hyperfine-turns/1.json", "b=hyperfine-turns/2.json")
    assert {(one.cell.id, one.probe) for one in named} == {
        (cell, probe) for cell in "ab" for probe in ("python -S -c 1", 'python -S -c "import asyncio"')
    }


# --- Google Benchmark ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "factor"), [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)])
def test_times_of_google_benchmark_are_seconds_and_items_per_second_are_better_when_more(
    unit: str, factor: float
) -> None:
    file = content("google-benchmark-before.json")
    repeats = [one for one in file["benchmarks"] if one["name"] == "sort/300"]
    assert len(repeats) == 3
    for one in repeats:
        one["time_unit"] = unit
    process = read(file).processes[0]
    assert process.repeats == 3
    assert process.metrics[0].value == pytest.approx(median(one["real_time"] for one in repeats) * factor)
    rate = process.metrics[1]
    assert (rate.name, rate.better, rate.unit) == ("items_per_second", Better.HIGHER, "items/s")
    assert rate.value == median(one["items_per_second"] for one in repeats)


def test_an_error_of_google_benchmark_is_a_failure() -> None:
    refused = [one for one in loaded("google-benchmark-cpp.json") if one.probe == "refused"]
    assert [(one.status, one.reason, one.metrics) for one in refused] == [(Status.CRASHED, "no such file", ())]


def test_aggregates_alone_are_refused() -> None:
    with pytest.raises(UsageError, match="aggregates alone, which are not measured"):
        loaded("google-benchmark-aggregates.json")


# --- asv -------------------------------------------------------------------------------------------------------------


def test_a_result_of_asv_is_one_sample_of_the_code_of_its_benchmark() -> None:
    results = content("asv-before.json")["results"]
    found = {one.probe: one for one in loaded("asv-before.json")}
    timing = found["bench_sort.Sort.time_sort(3000)"]
    assert timing.metrics[0].value == results["bench_sort.Sort.time_sort"][0][1]
    assert timing.fingerprint["probe_hash"] == results["bench_sort.Sort.time_sort"][2]
    assert timing.notes == ("asv does not write which repeats are from one process",)
    assert [(one.name, one.unit) for one in found["bench_sort.peakmem_sort"].metrics] == [("memory", "B")]
    assert [(one.name, one.unit) for one in found["bench_sort.track_length"].metrics] == [("value", "")]
    assert found["bench_sort.time_refused"].status == Status.CRASHED
    assert math.isnan(results["bench_sort.time_skipped"][0][0])
    assert "bench_sort.time_skipped" not in found


# --- cells and rounds ------------------------------------------------------------------------------------------------


def test_processes_that_took_turns_are_rounds_whatever_the_order_of_the_files() -> None:
    for names in (
        ("pyperf-turns-before.json", "pyperf-turns-after.json"),
        ("pyperf-turns-after.json", "pyperf-turns-before.json"),
    ):
        rounds = in_rounds(loaded(*names), "sort")
        assert list(rounds) == [name.removesuffix(".json") for name in names]
        assert set(map(tuple, rounds.values())) == {tuple(range(10))}


def test_processes_that_took_no_turns_are_one_round() -> None:
    rounds = in_rounds(loaded("pyperf-before.json", "pyperf-after.json"), "sort")
    assert rounds == {"pyperf-before": [0] * 4, "pyperf-after": [0] * 4}


def test_files_without_times_are_in_the_order_in_which_they_are_given() -> None:
    given = [f"{'ab'[place % 2]}=hyperfine-turns/{place + 1}.json" for place in range(6)]
    assert in_rounds(loaded(*given), "python -S -c 1") == {"a": [0, 1, 2], "b": [0, 1, 2]}
    assert in_rounds(loaded(*sorted(given)), "python -S -c 1") == {"a": [0, 0, 0], "b": [0, 0, 0]}


def test_files_of_a_folder_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = {"a-2": 1, "a-10": 2, "b-1": 3}
    for name, number in reversed(names.items()):
        file = content("hyperfine-turns/1.json")
        for one in file["results"]:
            one["times"] = [float(number)]
        (tmp_path / f"{name}.json").write_text(json.dumps(file), encoding="utf-8")
    values = [one.metrics[0].value for one in tools.load([str(tmp_path)]).samples]
    assert values == [1.0, 2.0, 3.0] * 2


def test_equal_file_names_in_two_folders_are_two_cells(tmp_path: Path) -> None:
    for side in ("before", "after"):
        (tmp_path / side).mkdir()
        shutil.copy(DATA / f"asv-{side}.json", tmp_path / side / "x.json")
    samples = tools.load([str(tmp_path / side / "x.json") for side in ("before", "after")]).samples
    assert list(dict.fromkeys(one.cell.id for one in samples)) == [
        str(tmp_path / "before/x"),
        str(tmp_path / "after/x"),
    ]


def test_a_path_with_an_equals_sign_that_exists_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DATA / "asv-before.json", "a=b.json")
    assert {one.cell.id for one in tools.load(["a=b.json"]).samples} == {"a=b"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["=x.json"], "'=x.json' is not NAME=PATH"),
        (["x="], "'x=' is not NAME=PATH"),
        (["asv-before.json", "x=asv-before.json"], "asv-before.json: given twice"),
        (["asv-before.json", "lines.jsonl"], "lines.jsonl: lines of JSON name their cells themselves"),
        (["empty"], "empty: a folder without .json files"),
        (["missing.json"], "missing.json: cannot be read: No such file"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DATA / "asv-before.json", "asv-before.json")
    Path("lines.jsonl").write_text('{"cell": "A", "round": 0, "metric": "t", "value": 1.0}\n' * 2, encoding="utf-8")
    Path("empty").mkdir()
    with pytest.raises(UsageError) as error:
        tools.load(words)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


KNOWN = "the JSON of asv, Google Benchmark, hyperfine, pyperf and pytest-benchmark is read"


ASV = {"commit_hash": "a", "version": 2}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]", f"not a file of a known tool; {KNOWN}, and lines of JSON"),
        ("{}", f"not a file of a known tool; {KNOWN}, and lines of JSON"),
        ('{"results": "none"}', "not a file of a known tool"),
        ('{"benchmarks": []}', "not a file of a known tool"),
        ('{"benchmarks": [\n{"runs": [', f"not JSON, or damaged: expecting value, line 2, column 11; {KNOWN}"),
        ("[" * 100_000, "not JSON, or damaged: nested too deeply"),
        ("\udcff", "not JSON, or damaged: not UTF-8"),
        ('{"benchmarks": [{"runs": [{"values": ["a"]}]}], "version": "1.0"}', "pyperf: Expected `float`, got `str`"),
        ('{"benchmarks": [{"runs": []}], "version": "0.9"}', "pyperf: format 0.9; format 1.0 is read"),
        (
            '{"benchmarks": [{"runs": [{"values": [1]}]}], "version": "1.0", "metadata": {"unit": "mile"}}',
            "pyperf: unit 'mile'; read are second, byte, integer",
        ),
        ('{"benchmarks": [{}], "machine_info": {}}', "pytest-benchmark: Object missing required field `fullname`"),
        ('{"benchmarks": [{"name": "a", "time_unit": "h"}], "context": {}}', "Google Benchmark: Invalid enum value"),
        ('{"results": [{"command": "a"}]}', "hyperfine: Object missing required field `times`"),
        ('{"results": {}, "commit_hash": "a", "version": 1}', "asv: format 1; format 2 is read"),
        (
            json.dumps({**ASV, "results": {"t": [[1], [["1", "2"]]]}, "result_columns": ["result", "params"]}),
            "asv: 1 results and 2 combinations of parameters of 't'",
        ),
    ],
)
def test_unknown_and_damaged_content_is_answered_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as error:
        tools.load([str(path)])
    assert says in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["asv-before", "google-benchmark-cpp", "hyperfine-commands", "pyperf-before"])
def test_a_file_that_is_cut_off_anywhere_is_an_error_of_the_user(tmp_path: Path, name: str) -> None:
    whole = (DATA / f"{name}.json").read_bytes().rstrip()
    path = tmp_path / "x.json"
    cuts = range(1, len(whole), max(1, len(whole) // 40))
    assert len(cuts) > 20
    for cut in cuts:
        path.write_bytes(whole[:cut])
        with pytest.raises(UsageError):
            tools.load([str(path)])


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value, as its container and the key; of a list the first two."""
    entries = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from _spots(inner)


@pytest.mark.parametrize(
    "name",
    ["asv-before", "google-benchmark-cpp", "hyperfine-failing", "pyperf-before", "pytest-benchmark-before/1"],
)
def test_a_file_with_any_value_replaced_is_read_or_refused(name: str) -> None:
    whole = content(f"{name}.json")
    junks: tuple[Any, ...] = (None, "x", -1, 1e300, [], {})
    outcomes = set()
    for holder, key in _spots(whole):
        before = holder[key]
        for junk in junks:
            holder[key] = junk
            try:
                outcomes.add(read(whole).tool)
            except UsageError as error:
                outcomes.add("refused" if "\n" not in str(error) else str(error))
        holder[key] = before
    assert outcomes == {read(whole).tool, "refused"}


def test_names_cannot_steer_a_terminal() -> None:
    file = content("hyperfine-commands.json")
    file["results"][0]["command"] = "a\x1b[31m\n b"
    assert read(file).processes[0].benchmark == "a\ufffd[31m b"


# --- for a history ---------------------------------------------------------------------------------------------------


def test_a_run_of_a_tool_without_times_has_that_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "night.json"
    shutil.copy(DATA / "hyperfine-commands.json", path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    tool, samples = tools.run(f"shell={path}")
    assert (tool, {one.cell.id for one in samples}) == ("hyperfine", {"shell"})
    assert {one.started for one in samples} == {"2023-11-14T22:13:20+00:00"}
    assert len({one.key for one in samples}) == 10
    assert tools.run(str(DATA / "pytest-benchmark-before/1.json"))[1][0].started.startswith("2026-11-30T01:18:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"cell": "A", "round": 0, "metric": "t", "value": 1.0}', "lines of JSON are for `runner judge`"),
        ('{"results": []}', "no benchmark"),
    ],
)
def test_a_history_keeps_files_of_tools_alone(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        tools.run(str(tmp_path / "x.json"))
