"""From the records of the sweep to wrong cases: kinds, words, agreement among cells, types and repeated runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from runner.defects import ops
from runner.defects.cases import Case, Run
from runner.defects.ops_records import WrongCase, wrong_cases
from runner.model import Cell, Sample, Status

OK = Case("ok", 1.0, "aa", "float32[3]", "", "sdgta")


def run(framework: str, cases: Mapping[str, Case], keras: str = "3.8.0") -> Run:
    cell = Cell(framework, "1.0", keras, "3.11", "cpu")
    return Run(Sample(cell, "e", "ops", {}, 0, 0, "host", Status.OK, ""), cases)


def found(*runs: Run) -> list[WrongCase]:
    return wrong_cases([[one] for one in runs])


def one_of(first: Case, *others: Case, ident: str = "ops.f(x)") -> WrongCase:
    """The wrong case that comes of cells (torch, jax, tensorflow) with these records."""
    names = ("torch", "jax", "tensorflow")
    records = [{ident: case} for case in (first, *others)]
    (wrong,) = found(*(run(name, record) for name, record in zip(names, records, strict=False)))
    return wrong


@pytest.mark.parametrize(
    ("case", "observed"),
    [
        (Case("wrong", 1234.5, [9.0, 1.0, 2.0], "float32[2]", "expected [1.0]"),
         "got [1.0, 2.0]; expected [1.0]"),
        (Case("wrong", "inf", [9.0, 1.0], "float32[1]", "expected [1.0]"), "got [1.0]; expected [1.0]"),
        (Case("inaccurate", 0.0, [9.0, 1.0], "", "x"), "got [1.0] (0 units); x"),
        (Case("nan", None, [0.0, "nan"], "float32[1]", "expected 1"), "got [nan]; expected 1"),
        (Case("nan", None, "none", "x", "expected 1"), "got [none]; expected 1"),
        (Case("shape", None, [1.0], "float32[2,3]", "expected [3,2]"), "float32[2,3]; expected [3,2]"),
        (Case("dtype", None, [1.0], "float16[2]", "expected float32"), "float16[2]; expected float32"),
        (Case("raises", None, "", "TypeError", "TypeError: no"), "TypeError: no"),
        (Case("crashes", None, "", "", "the process is killed by signal 11"), "the process is killed by signal 11"),
    ],
)  # fmt: skip
def test_what_a_cell_gave_is_told_by_the_kind(case: Case, observed: str) -> None:
    wrong = one_of(case, OK)
    assert (wrong.kind, set(wrong.bad), set(wrong.good)) == (case.status, {0}, {1})
    assert wrong.observed == {0: observed}
    assert (wrong.case, wrong.op) == ("ops.f(x)", "ops.f")


@pytest.mark.parametrize(
    ("ident", "kind", "op", "told"),
    [
        ("refused(lambda: ops.flip(symbol(3, 4), axis=5))", "accepts#symbolic", "ops.flip",
         "ops.flip(symbol(3, 4), axis=5) raises no error"),
        ("refused(lambda: ops.flip(x, axis=5)) | x=normal(3, 4)", "accepts", "ops.flip",
         "ops.flip(x, axis=5) raises no error"),
        ("dtype_of(lambda x: ops.exp(x), 'int8') == promised_dtype_of(lambda x: ops.exp(x), 'int8')", "dtype#symbolic",
         "ops.exp", "the symbolic call promises another type"),
        ("kind_of(ops.einsum(a, b)) == kind_of(ops.einsum(symbol(2), symbol(2)))", "dtype#symbolic", "ops.einsum",
         "the symbolic call promises another type"),
        ("fits(promised_shape(ops.exp(symbol(None))), promised_shape(ops.exp(x)))", "shape#symbolic", "ops.exp",
         "got [0.0]; expected [1.0]"),
        ("backend.standardize_dtype(initializers.HeNormal()((3, 4), dtype='float16').dtype) == 'float16'", "dtype",
         "initializers.HeNormal", "got [0.0]; expected [1.0]"),
    ],
)  # fmt: skip
def test_a_truth_value_is_told_as_what_it_is_about(ident: str, kind: str, op: str, told: str) -> None:
    wrong = one_of(Case("wrong", None, [0.0, 0.0], "python[]", "expected [1.0]"), OK, ident=ident)
    assert (wrong.kind, wrong.op, wrong.observed) == (kind, op, {0: told})


def test_a_refusal_of_what_is_right_raises() -> None:
    refuses = Case("wrong", None, [1.0, 1.0], "python[]", "expected [0.0]")
    wrong = one_of(refuses, OK, ident="refused(lambda: layers.Dense(np.int64(2)))")
    assert (wrong.kind, wrong.observed) == ("raises", {0: "layers.Dense(np.int64(2)) raises an error"})


def test_what_nothing_has_ever_refused_is_not_listed() -> None:
    bad = Case("wrong", None, [0.0, 0.0], "python[]", "expected [1.0]")
    ident = "refused(lambda: layers.Dense(0))"
    assert found(run("torch", {ident: bad}), run("jax", {ident: bad})) == []


@pytest.mark.parametrize(("other", "kind"), [("ok", "raises#dtype"), ("raises", "raises")])
def test_what_raises_for_every_type_is_not_about_types(other: str, kind: str) -> None:
    first, second = ("dtype_of(lambda x: ops.tile(x, 2), 'int8')", "dtype_of(lambda x: ops.tile(x, 2), 'float32')")
    bad = Case("raises", None, "", "TypeError", "TypeError: no")
    cells = [run("torch", {first: bad, second: Case(other)}), run("jax", {first: OK, second: OK})]
    assert {wrong.kind for wrong in found(*cells) if wrong.case == first} == {kind}


@pytest.mark.parametrize("status", ["ok", "seen", "unsupported", "unspecified"])
def test_a_record_that_is_right_or_silent_is_no_wrong_case(status: str) -> None:
    assert found(run("torch", {"a": Case(status)}), run("jax", {"a": OK})) == []


@pytest.mark.parametrize("other", [Case("unsupported"), Case("unspecified")])
def test_a_cell_that_is_silent_or_wrong_is_not_good(other: Case) -> None:
    assert one_of(Case("wrong", 1.0, [1.0, 1.0]), other).good == frozenset()


def test_only_a_reference_that_says_right_bounds_a_wrong_value() -> None:
    seen_ = Case("seen", None, [1.0, 1.0])
    assert one_of(Case("wrong", 1.0, [1.0, 1.0]), seen_).good == frozenset()
    assert one_of(Case("raises", None, "", "", "TypeError: x"), seen_).good == {1}, "the exception is gone"


@pytest.mark.parametrize(
    ("check", "letter"), [("symbolic", "s"), ("dynamic", "d"), ("gradient", "g"), ("graph", "t"), ("arguments", "a")]
)
def test_a_further_check_is_good_where_its_letter_is(check: str, letter: str) -> None:
    ident = f"ops.f(x)#{check}"
    bad = run("torch", {"ops.f(x)": OK, ident: Case("wrong", None, [1.0, 2.0])})
    without = Case("ok", 1.0, "aa", "float32[3]", "", "".join(set("sdgta") - {letter}))
    cells = [bad, run("jax", {"ops.f(x)": OK}), run("tensorflow", {"ops.f(x)": without}), run("torch", {}, "3.9.2")]
    (wrong,) = found(*cells)
    assert (wrong.kind, set(wrong.bad), set(wrong.good)) == (f"wrong#{check}", {0}, {1})


def test_a_check_and_a_status_that_nobody_knows_are_passed_over() -> None:
    odd = run("torch", {"ops.f(x)": OK, "ops.f(x)#odd": Case("wrong"), "ops.g(x)": Case("odd")})
    assert {wrong.kind for wrong in found(odd)} == {"wrong#odd", "odd"}
    sample = Sample(odd.cell, "e", "ops", {}, 0, 0, "host", Status.OK, "",
                    details={"cases": {"ops.f(x)#odd": ["wrong"], "ops.g(x)": ["odd"]}})  # fmt: skip
    assert ops.defects([sample]) == ()


@pytest.mark.parametrize(
    ("ident", "case", "kind"),
    [
        ("missing_in_config(layers.A)", Case("wrong"), "configuration"),
        ("missing_in_config(layers.A)", Case("raises", note="TypeError: x"), "raises"),
        ("dtype_of(ops.f, 'int8')", Case("raises", note="TypeError: x"), "raises#dtype"),
        ("dtype_of(ops.f, 'int8')", Case("wrong"), "wrong"),
        ("ops.f(x)", Case("raises", note="TypeError: not SUPPORTED"), "refuses"),
        ("ops.f(x)", Case("raises", note="E: this is not implemented"), "refuses"),
        ("ops.f(x)", Case("raises", note="E: x is not available"), "refuses"),
        ("ops.f(x)", Case("raises", note="E: when using the jax backend"), "refuses"),
        ("ops.f(x)", Case("raises", note="E: expected one of 'a', 'b'"), "refuses"),
        ("ops.f(x)", Case("raises", note="E: expected two of"), "raises"),
        ("ops.f(x)", Case("crashes", note="not supported"), "crashes"),
    ],
)
def test_a_kind_is_refined_by_case_and_message(ident: str, case: Case, kind: str) -> None:
    later = run("torch", {ident: OK}, "3.9.2")
    (wrong,) = found(run("torch", {ident: case}), run("jax", {ident: OK}), later)
    assert wrong.kind == kind


def test_a_refusal_is_one_only_where_every_message_says_so() -> None:
    refused, broken = Case("raises", note="E: not supported"), Case("raises", note="E: broken")

    def kinds(torch: Case, jax: Case) -> list[str]:
        runs = [run("torch", {"a": torch}), run("jax", {"a": jax}), run("tensorflow", {"a": OK})]
        return [wrong.kind for wrong in found(*runs, run("torch", {"a": OK}, "3.9.2"))]

    assert kinds(refused, broken) == ["raises"]
    assert kinds(refused, refused) == ["refuses"]


def test_what_a_backend_has_always_refused_is_its_limit() -> None:
    refused = {"a": Case("raises", note="E: not supported")}
    always = [run("torch", refused), run("torch", refused, "3.9.2"), run("jax", {"a": OK})]
    assert found(*always) == []
    assert len(found(*always, run("torch", {"a": OK}, "3.10.0"))) == 1


def test_an_exception_is_a_defect_only_where_the_call_works_somewhere() -> None:
    broken = Case("raises", note="TypeError: x")
    assert found(run("torch", {"a": broken}), run("jax", {"a": Case("unsupported")})) == []
    assert len(found(run("torch", {"a": broken}), run("jax", {"a": OK}))) == 1


def test_what_every_backend_of_a_version_refuses_with_a_value_error_was_not_offered() -> None:
    refused = {"a": Case("raises", note="ValueError: x")}
    newer = [run("torch", {"a": OK}, "3.9.2"), run("jax", {"a": OK}, "3.9.2")]
    assert found(run("torch", refused), run("jax", refused), *newer) == []
    assert len(found(run("torch", refused), run("jax", {"a": OK}), *newer)) == 1
    assert len(found(run("torch", refused), run("torch", {"a": OK}, "3.9.2"))) == 1, "there is one backend only"
    other = {"a": Case("raises", note="TypeError: x")}
    assert len(found(run("torch", refused), run("jax", other), *newer)) == 1


# --- without a reference ----------------------------------------------------------------------------------------------


def seen(*values: float | str, types: str = "float32[2]") -> Case:
    return Case("seen", None, [1.0, *values], types)


def test_where_backends_disagree_no_one_is_blamed() -> None:
    wrong = one_of(seen(5.0), seen(1.0), seen(1.0))
    assert (wrong.kind, set(wrong.bad), set(wrong.good)) == ("disagree", {0, 1, 2}, set())
    assert wrong.sides == ("jax, tensorflow: [1.0]", "torch: [5.0]")
    assert wrong.parties == "jax, tensorflow | torch"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (seen(1.0), seen(1.00099), True),
        (seen(1.0), seen(1.0011), False),
        (seen(100.0, 0.05), seen(100.0, 0.0), True),
        (seen(0.0), seen(0.0), True),
        (seen("nan"), seen("nan"), True),
        (seen("nan"), seen(1.0), False),
        (seen(1.0), seen(1.0, 1.0), False),
        (seen(1.0), seen(1.0, types="float16[2]"), True),
        (seen(1.0), seen(1.0, types="float32[2,1]"), False),
        (seen(1.0), Case("seen", None, "text", "float32[2]"), True),
        (seen(-5.0), seen(-5.004), True),
    ],
)
def test_results_agree_by_shape_and_within_a_thousandth_of_the_largest_number(
    one: Case, other: Case, alike: bool
) -> None:
    kinds = [wrong.kind for wrong in found(run("torch", {"a": one}), run("jax", {"a": other}))]
    assert ("disagree" in kinds) == (not alike)


def test_backends_disagree_in_the_releases_in_which_they_do_and_agree_in_the_others() -> None:
    older = [run("torch", {"a": seen(5.0)}, "3.0.5"), run("jax", {"a": seen(1.0)}, "3.0.5")]
    newer = [run(name, {"a": seen(1.0)}, "3.8.0") for name in ("torch", "jax")]
    (wrong,) = found(*older, *newer, run("jax", {"a": seen(1.0)}, "3.9.2"))
    assert (wrong.kind, set(wrong.bad), set(wrong.good)) == ("disagree", {0, 1}, {2, 3})
    assert wrong.sides == ("jax: [1.0]", "torch: [5.0]")


def test_what_changed_on_the_only_backend_is_a_change() -> None:
    (wrong,) = found(run("torch", {"a": seen(5.0)}, "3.9.2"), run("torch", {"a": seen(1.0)}, "3.10.0"))
    assert (set(wrong.bad), wrong.kind) == ({0}, "changed")
    assert wrong.observed == {0: "was [5.0], is [1.0]"}


def test_a_change_on_every_framework_is_a_change() -> None:
    older = [run(name, {"a": seen(5.0)}, "3.0.5") for name in ("torch", "jax")]
    newer = [run(name, {"a": seen(1.0)}, "3.8.0") for name in ("torch", "jax")]
    (wrong,) = found(*older, *newer)
    assert (wrong.kind, set(wrong.bad), set(wrong.good)) == ("changed", {0, 1}, {2, 3})


# --- types ------------------------------------------------------------------------------------------------------------


def typed(*types: str) -> list[WrongCase]:
    names = ("torch", "jax", "tensorflow", "numpy")
    return found(*(run(name, {"a": Case("ok", 1.0, "aa", one)}) for name, one in zip(names, types, strict=False)))


def test_a_type_unlike_that_of_most_backends_is_a_disagreement() -> None:
    (wrong,) = typed("float16[2]", "float32[2]", "float32[2]")
    assert (wrong.kind, set(wrong.bad), set(wrong.good)) == ("disagree#dtype", {0, 1, 2}, set())
    assert wrong.sides == ("jax, tensorflow: float32[2]", "torch: float16[2]")


def test_a_type_that_the_symbolic_call_denies_is_told_as_that() -> None:
    cases = [{"a": Case("ok", 1.0, "aa", f"{name}[2]")} for name in ("float16", "float32", "float32")]
    cases[0]["a#symbolic"] = Case("dtype", None, "", "float32[2]", "actual: float16[2]")
    runs = [run(name, records) for name, records in zip(("torch", "jax", "tensorflow"), cases, strict=True)]
    assert [wrong.kind for wrong in found(*runs)] == ["dtype#symbolic"]


@pytest.mark.parametrize(
    "types",
    [
        ("float64[2]", "float32[2]", "float32[2]"),
        ("int64[2]", "int32[2]", "uint64[2]", "uint32[2]"),
        ("complex128[2]", "complex64[2]", "complex64[2]"),
        ("float16[2]", "float32[2]"),
        ("float16[2]", "float16[2]", "float32[2]", "float32[2]"),
        ("python[1]", "float32[2]", "float32[2]"),
        ("float32[2]", "float32[3]", "float32[2]"),
    ],
)
def test_narrow_types_ties_and_shapes_are_no_difference_of_types(types: tuple[str, ...]) -> None:
    assert typed(*types) == []


def test_types_are_compared_within_one_release_of_keras() -> None:
    runs = [run("torch", {"a": Case("ok", 1.0, "aa", "float16[2]")}, keras) for keras in ("3.0.5", "3.8.0")]
    runs += [run("jax", {"a": Case("ok", 1.0, "aa", "float32[2]")}, "3.8.0")]
    assert found(*runs) == []


# --- repeated runs ----------------------------------------------------------------------------------------------------


def repeated(*cells: Sequence[Case]) -> list[WrongCase]:
    names = ("torch", "jax", "tensorflow")
    return wrong_cases([[run(n, {"a": case}) for case in of_cell] for n, of_cell in zip(names, cells, strict=False)])


def test_a_cell_whose_processes_disagree_is_nondeterministic() -> None:
    again = Case("ok", 1.0, "bb", "float32[3]", "", "sdgta")
    (wrong,) = repeated([OK, OK, again], [OK, OK], [OK])
    assert (wrong.kind, set(wrong.bad), set(wrong.good)) == ("nondeterministic", {0}, {1})
    assert wrong.observed == {0: "ok aa, then ok bb"}
    assert repeated([OK, Case("ok", 2.0, "aa", "float32[3]", "another note", "")]) == []
    (wrong,) = repeated([OK, Case("unsupported", None, "aa")])
    assert wrong.observed == {0: "ok aa, then unsupported aa"}


def test_what_the_probe_could_not_trace_is_no_defect() -> None:
    ident = "dtype_of(lambda x: ops.bincount(x[0]), 'int8') == promised_dtype_of(lambda x: ops.bincount(x[0]), 'int8')"
    traced = Case("raises", None, "", "", "ConcretizationTypeError: Abstract tracer value encountered")
    right = Case("ok", None, "", "", "")
    assert not found(run("jax", {ident: traced}), run("torch", {ident: right}))
    other = Case("raises", None, "", "", "TypeError: no")
    assert found(run("jax", {ident: other}), run("torch", {ident: right}))
