"""The words and severity of each kind, and which wrong cases are one defect."""

from __future__ import annotations

from typing import Any

import pytest

from runner.defects import ops
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

OK = ["ok", 1.0, "aa", "float32[3]", "", "sdgta"]
WRONG = ["wrong", 1e6, [1.0, 2.0], "float32[3]", "expected [1.0]", ""]
GONE = ["unsupported", None, "", "", "", ""]


def sample(framework: str, cases: dict[str, Any], keras: str = "3.8.0", **details: Any) -> Sample:
    cell = Cell(framework, "1.0", keras, "3.11", "cpu")
    return Sample(cell, "e", "ops", {}, 0, 0, "host", Status.OK, "", details={"cases": cases, **details})


def found(*by_framework: dict[str, Any]) -> tuple[Defect, ...]:
    """The defects of cells of torch, jax and tensorflow with these records."""
    names = ("torch", "jax", "tensorflow")
    return ops.defects(sample(name, cases) for name, cases in zip(names, by_framework, strict=False))


@pytest.mark.parametrize(
    ("ident", "status", "words", "severity"),
    [
        ("ops.f(x)", "crashes", "kills the process", 10),
        ("ops.f(x)", "wrong", "wrong value", 8),
        ("ops.f(x)", "nan", "NaN or infinity", 8),
        ("ops.f(x)#gradient", "wrong", "wrong gradient", 8),
        ("ops.f(x)#gradient", "nan", "gradient is NaN or infinite", 8),
        ("ops.f(x)", "shape", "wrong shape", 7),
        ("ops.f(x)", "raises", "raises", 6),
        ("ops.f(x)#gradient", "raises", "raises in the gradient", 6),
        ("ops.f(x)#arguments", "wrong", "changes its argument", 7),
        ("ops.f(x)#graph", "wrong", "graph differs from eager", 6),
        ("ops.f(x)#graph", "shape", "graph differs from eager in shape", 5),
        ("ops.f(x)#graph", "raises", "raises in a graph", 5),
        ("ops.f(x)", "inaccurate", "inaccurate", 4),
        ("missing_in_config(layers.A)", "wrong", "configuration leaves out arguments", 4),
        ("dtype_of(ops.f)", "raises", "raises for some dtypes", 3),
        ("ops.f(x)", "dtype", "wrong dtype", 3),
        ("ops.f(x)#symbolic", "shape", "symbolic shape is wrong", 3),
        ("ops.f(x)#dynamic", "shape", "symbolic shape is wrong (unknown batch)", 3),
        ("ops.f(x)#symbolic", "dtype", "symbolic dtype is wrong", 1),
        ("ops.f(x)#dynamic", "dtype", "symbolic dtype is wrong (unknown batch)", 1),
        ("ops.f(x)#symbolic", "raises", "raises on symbolic input", 2),
        ("ops.f(x)#dynamic", "raises", "raises on symbolic input (unknown batch)", 2),
    ],
)
def test_every_kind_has_words_and_a_severity(ident: str, status: str, words: str, severity: int) -> None:
    body = ident.partition("#")[0]
    bad = [status, None, [1.0, 2.0], "x", "a note", ""]
    (one,) = found({body: OK, ident: bad}, {body: OK})
    assert (one.kind, one.severity) == (words, severity)
    assert one.where == "all torch cells"


@pytest.mark.parametrize(
    ("records", "words", "severity"),
    [
        ([["seen", None, [1.0, 1.0], "f[1]", "", ""], ["seen", None, [9.0, 9.0], "f[1]", "", ""]],
         "backends disagree", 4),
    ],
)  # fmt: skip
def test_kinds_that_other_cells_decide(records: list[Any], words: str, severity: int) -> None:
    (one,) = found(*({"ops.f(x)": record} for record in records))
    assert (one.kind, one.severity) == (words, severity)


def test_what_a_later_release_accepts_is_refused_by_the_older_one() -> None:
    refused = sample("torch", {"ops.f(x)": ["raises", None, "", "", "E: not supported", ""]})
    (one,) = ops.defects([refused, sample("torch", {"ops.f(x)": OK}, "3.9.2")])
    assert (one.kind, one.severity) == ("refuses what works elsewhere", 3)


def test_the_simplest_case_is_shown_with_its_script() -> None:
    short, long_ = "ops.f(x) | x=normal(3)", "ops.f(x, axis=1) | x=normal(3)"
    note = ["wrong", 1e6, [1.0, 2.0], "float32[3]", "expected [3.0]", ""]
    (one,) = found({long_: WRONG, short: note}, {long_: OK, short: OK})
    assert one.cases == (short, long_)
    assert one.observed == "got [2.0]; expected [3.0]"
    assert one.script.startswith('"""ops.f: wrong value. Seen with torch 1.0, keras 3.8.0, Python 3.11, cpu."""')
    assert 'os.environ["KERAS_BACKEND"] = "torch"' in one.script
    assert "found = ops.f(x)\n" in one.script
    assert one.script.endswith("raise SystemExit('defect: not what was expected')\n")


def test_the_newest_cell_is_shown_with_its_own_prelude() -> None:
    case = "helper(x) | x=normal(3)"
    samples = [
        sample("torch", {case: WRONG}, keras, prelude=f"def helper(x):\n    return {keras!r}\n")
        for keras in ("3.10.0", "3.9.2")
    ]
    (one,) = ops.defects([*samples, sample("jax", {case: OK})])
    assert "return '3.10.0'" in one.script


def test_two_kinds_of_one_function_are_two_defects() -> None:
    shape = ["shape", None, [1.0], "float32[2]", "expected [3]", ""]
    assert len(found({"ops.f(x)": WRONG, "ops.f(x, 1)": shape}, {"ops.f(x)": OK, "ops.f(x, 1)": OK})) == 2


def test_a_case_wrong_in_fewer_cells_joins_where_the_others_say_nothing_and_not_where_they_are_right() -> None:
    one, other = "ops.f(x)", "ops.f(x, new=1)"
    silent = found({one: WRONG, other: GONE}, {one: WRONG, other: WRONG}, {one: OK, other: OK})
    assert [d.cases for d in silent] == [(one, other)]
    right = found({one: WRONG, other: OK}, {one: WRONG, other: WRONG}, {one: OK, other: OK})
    assert sorted(len(d.cells) for d in right) == [1, 2]


def test_the_good_cells_of_a_defect_are_those_in_which_the_case_that_is_shown_is_right() -> None:
    one, other = "ops.f(x)", "ops.f(x, 1)"
    (both,) = found({one: WRONG, other: WRONG}, {one: OK, other: OK}, {one: GONE, other: OK})
    assert both.cases == (other, one), "the case that is right in more cells says more"
    assert len(both.good) == 2
    (half,) = found({one: WRONG, other: WRONG}, {one: OK, other: GONE}, {one: GONE, other: OK})
    assert half.cases == (one, other)
    assert half.good == ("jax-1.0_keras-3.8.0_py3.11_cpu",), "what the other case says is no bound of this one"


def test_a_case_that_was_not_run_bounds_nothing_and_is_named() -> None:
    case = "ops.f(x) | x=normal(3)"
    samples = [sample("torch", cases, keras) for keras, cases in (("3.8.0", {case: WRONG}), ("3.9.2", {}))]
    (one,) = ops.defects([*samples, sample("torch", {case: OK}, "3.10.0")])
    assert one.untried == ("torch 3.9.2",)
    assert one.first_good == "3.10.0"


def test_a_call_around_a_wrong_one_is_not_blamed() -> None:
    inner, outer, own = "ops.g(x) | x=normal(3)", "ops.isinf(ops.g(x)) | x=normal(3)", "ops.isinf(x) | x=normal(3)"
    torch = {inner: WRONG, outer: WRONG, own: OK}
    (one,) = found(torch, dict.fromkeys(torch, OK))
    assert one.op == "ops.g"
    (other,) = found({**torch, inner: OK}, dict.fromkeys(torch, OK))
    assert other.op == "ops.g", "the sweep asks isinf what a comparison overlooks"
    (itself,) = found({"ops.f(ops.g(x)) | x=normal(3)": WRONG, inner: OK}, dict.fromkeys(torch, OK))
    assert itself.op == "ops.f"


def test_a_traced_call_of_jax_raises_with_and_without_a_gradient() -> None:
    case = "ops.f(x) | x=normal(3)"
    bad = ["raises", None, "", "", "TracerIntegerConversionError: no", ""]
    ok = ["ok", 1.0, "aa", "float32[3]", "", "sg"]
    older = sample("jax", {case: ["ok", 1.0, "aa", "float32[3]", "", "s"], f"{case}#gradient": bad})
    (one,) = ops.defects([older, sample("jax", {case: ok}, "3.9.2")])
    assert (one.kind, one.first_good) == ("raises under jit", "3.9.2")
    assert "jax.jit(f)(x)" in one.script


@pytest.mark.parametrize(
    ("wrong", "right", "pattern"),
    [
        (["ops.f(x, axis=1)"], ["ops.f(x, axis=2)"], "axis=1"),
        (["ops.f(x, axis=1, k='a')"], ["ops.f(x)"], "axis=1, k='a'"),
        (["ops.f(x, axis=(1, 2))"], ["ops.f(x, axis=(1, 3))"], "axis=(1, 2)"),
        (["ops.f(x, axis=1)", "ops.f(x, axis=2)"], ["ops.f(x)"], ""),
        (["ops.f(x, axis=1)"], ["ops.f(x, axis=1, k=2)"], ""),
        (["ops.f(x) | x=normal(3) | float16"], ["ops.f(x) | x=normal(3)"], "float16"),
        (["ops.f(x, weights=[1, 2])"], ["ops.f(x)"], ""),
        (["ops.f(x, axis=1)"], [], ""),
    ],
)
def test_the_pattern_is_what_all_wrong_calls_have_and_some_right_one_lacks(
    wrong: list[str], right: list[str], pattern: str
) -> None:
    torch = {**dict.fromkeys(wrong, WRONG), **dict.fromkeys(right, OK)}
    (one,) = found(torch, dict.fromkeys([*wrong, *right], OK))
    assert one.pattern == pattern
    assert one.title.startswith(f"ops.f: wrong value{f' with {pattern}' if pattern else ''} - ")


def test_functions_of_one_module_share_a_defect_by_pattern_and_others_do_not() -> None:
    def defects(*calls: str) -> list[str]:
        torch = {f"{call}({'x, a=1' if bad else 'x'})": WRONG if bad else OK for call in calls for bad in (True, False)}
        return [one.op for one in found(torch, dict.fromkeys(torch, OK))]

    assert defects("ops.f", "ops.g") == ["ops.f, ops.g"]
    assert sorted(defects("ops.f", "layers.g")) == ["layers.g", "ops.f"]


def test_samples_of_other_probes_and_without_records_are_passed_over() -> None:
    assert ops.defects([]) == ()
    assert ops.defects([sample("torch", {})]) == ()
