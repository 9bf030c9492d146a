"""From what every cell says of every case to defects, each once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runner import defects
from runner.defects import ops_script, plain
from runner.defects.cases import Case
from runner.model import Cell, Sample, Status

PRELUDE = """
import numpy as np


def odd(*shape, seed=0):
    return scaled(np.random.RandomState(seed).standard_normal(shape))


def scaled(x):
    return x.astype("float32")


def unused():
    return 1
"""

OK = ["ok", 1.0, "aa", "float32[3]", "", "sg"]
WRONG = ["wrong", 1e6, [1.0, 2.0], "float32[3]", "expected [1.0]", "s"]


def seen(*values: float, dtype: str = "float32") -> list[Any]:
    return ["seen", None, [sum(values), *values], f"{dtype}[{len(values)}]", "", ""]


def raises(message: str) -> list[Any]:
    return ["raises", None, "", message.partition(":")[0], message, ""]


def sample(framework: str, keras: str, cases: dict[str, Any], variant: str = "", round_: int = 0) -> Sample:
    return Sample(
        cell=Cell(framework, "1.0", keras, "3.11", "cpu", variant),
        environment_id="e",
        probe="ops",
        settings={},
        round=round_,
        seed=0,
        executor="host",
        status=Status.OK,
        reason="",
        details={"cases": cases, "prelude": PRELUDE},
        packages={"keras": keras, "numpy": "1.26.4"},
    )


def history(records: dict[tuple[str, str], Any], case: str = "ops.f(x, padding='same') | x=normal(3)") -> list[Sample]:
    return [sample(framework, keras, {case: record}) for (framework, keras), record in records.items()]


def only(samples: list[Sample]) -> defects.Defect:
    (found,) = defects.defects(samples)
    return found


def test_nothing_wrong_is_no_defect() -> None:
    assert defects.defects(history({("torch", "3.0.5"): OK, ("jax", "3.0.5"): OK})) == ()
    assert defects.defects([]) == ()


def test_a_defect_names_backend_versions_and_packages() -> None:
    found = only(
        history(
            {
                ("torch", "3.0.5"): WRONG,
                ("torch", "3.8.0"): WRONG,
                ("torch", "3.9.2"): OK,
                ("torch", "3.12.4"): OK,
                ("jax", "3.0.5"): OK,
                ("jax", "3.9.2"): OK,
            }
        )
    )
    assert found.where == "all torch cells with keras 3.0.5 - 3.8.0"
    assert found.axis == "framework, keras"
    assert (found.last_good, found.first_bad, found.first_good) == (None, "3.0.5", "3.9.2")
    assert found.packages == ("keras 3.8.0 -> 3.9.2",)
    assert found.kind == "wrong value"
    assert "expected [1.0]" in found.observed


def test_versions_are_ordered_by_number_and_gaps_are_told() -> None:
    found = only(
        history({("jax", v): WRONG if v in ("3.9.2", "3.15.1") else OK for v in ("3.9.2", "3.12.4", "3.15.1", "3.0.5")})
    )
    assert found.where == "all cells with keras 3.9.2, 3.15.1"
    assert (found.last_good, found.first_bad) == ("3.0.5", "3.9.2")


def test_cases_of_one_function_in_the_same_cells_are_one_defect_with_their_common_argument() -> None:
    names = [f"ops.pool(x, size={n}, padding='{p}') | x=normal(3)" for n in (1, 2, 3) for p in ("same", "valid")]
    samples = [
        sample("torch", "3.0.5", {n: WRONG if "same" in n else OK for n in names}),
        sample("jax", "3.0.5", dict.fromkeys(names, OK)),
    ]
    found = only(samples)
    assert len(found.cases) == 3
    assert found.pattern == "padding='same'"


def test_functions_that_fail_for_the_same_argument_in_the_same_cells_share_a_defect() -> None:
    names = [f"ops.{f}(x, keepdims={k}) | x=normal(3)" for f in ("amax", "amin") for k in (True, False)]
    samples = [
        sample("torch", "3.0.5", {n: WRONG if "True" in n else OK for n in names}),
        sample("jax", "3.0.5", dict.fromkeys(names, OK)),
    ]
    assert only(samples).op == "ops.amax, ops.amin"


def test_an_older_version_that_lacks_a_case_does_not_split_the_defect() -> None:
    early, late = "ops.f(x) | x=normal(3)", "ops.f(x, new=1) | x=normal(3)"
    gone = ["unsupported", None, "", "", "f takes no new", ""]
    samples = [
        sample("torch", "3.0.5", {early: WRONG, late: gone}),
        sample("torch", "3.5.0", {early: WRONG, late: WRONG}),
        sample("jax", "3.5.0", {early: OK, late: OK}),
    ]
    assert len(only(samples).cases) == 2


def test_what_no_cell_can_do_is_no_defect() -> None:
    assert (
        defects.defects(
            history({("torch", "3.0.5"): raises("TypeError: no"), ("jax", "3.0.5"): raises("TypeError: no")})
        )
        == ()
    )


def test_what_a_whole_version_refuses_was_not_offered_yet() -> None:
    refused = raises("ValueError: size must be a pair")
    records = {("torch", "3.0.5"): refused, ("jax", "3.0.5"): refused, ("torch", "3.5.0"): OK, ("jax", "3.5.0"): OK}
    assert defects.defects(history(records)) == ()
    crashed = {k: raises("TypeError: unsqueeze(): dim must be int") if v is refused else v for k, v in records.items()}
    assert only(history(crashed)).kind == "raises"


def test_one_backend_that_says_it_does_not_support_is_a_refusal() -> None:
    refused = {("tensorflow", "3.5.0"): raises("ValueError: strides > 1 not supported"), ("jax", "3.5.0"): OK}
    assert defects.defects(history(refused)) == (), "what a backend has always refused is its limit"
    found = only(history({**refused, ("tensorflow", "3.8.0"): OK}))
    assert found.kind == "refuses what works elsewhere"
    assert found.axis == "framework, keras"


def test_without_a_reference_backends_disagree_and_none_is_blamed() -> None:
    records = {("torch", "3.5.0"): seen(1.0, 2.0, 3.5), ("jax", "3.5.0"): seen(1.0, 2.0, 3.0)}
    records["tensorflow", "3.5.0"] = seen(1.0, 2.0, 3.0000001)
    found = only(history(records))
    assert len(found.cells) == 3
    assert found.kind == "backends disagree"
    assert found.sides == ("jax, tensorflow: [1.0, 2.0, 3.0]", "torch: [1.0, 2.0, 3.5]")
    assert (found.last_good, found.first_good) == (None, None)


def test_a_change_on_every_backend_is_told_as_a_change() -> None:
    records = {
        (f, v): seen(1.0, 2.0 if v == "3.0.5" else 9.0) for f in ("torch", "jax") for v in ("3.0.5", "3.5.0", "3.8.0")
    }
    found = only(history(records))
    assert found.kind == "changed between versions on every backend"
    assert found.where == "all cells with keras 3.0.5"


def test_another_type_than_most_backends_have_is_a_defect_but_64_bits_on_jax_are_not() -> None:
    records = {("torch", "3.5.0"): OK, ("tensorflow", "3.5.0"): OK, ("jax", "3.5.0"): OK}
    records["torch", "3.5.0"] = ["ok", 1.0, "aa", "float64[3]", "", ""]
    assert defects.defects(history(records)) == ()
    records["torch", "3.5.0"] = ["ok", 1.0, "aa", "float16[3]", "", ""]
    found = only(history(records))
    assert found.kind == "backends disagree on the dtype"
    assert found.sides == ("jax, tensorflow: float32[3]", "torch: float16[3]")


def test_further_checks_are_defects_of_their_own() -> None:
    name = "ops.f(x) | x=normal(3)"
    samples = [
        sample("torch", "3.0.5", {name: OK, name + "#gradient": ["nan", None, [0.0], "x", "expected 1, got nan", ""]}),
        sample("jax", "3.0.5", {name: OK}),
    ]
    samples[0].details["cases"][name] = ["ok", 1.0, "aa", "float32[3]", "", "s"]
    found = only(samples)
    assert found.kind == "gradient is NaN or infinite"
    assert found.good == ("jax-1.0_keras-3.0.5_py3.11_cpu",)


def test_a_cell_that_differs_from_itself_is_nondeterministic() -> None:
    name = "ops.f(x) | x=normal(3)"
    again = ["ok", 1.0, "bb", "float32[3]", "", "sg"]
    samples = [sample("torch", "3.0.5", {name: OK}), sample("torch", "3.0.5", {name: again}, round_=1)]
    assert only(samples).kind == "nondeterministic"


def test_agreement_by_kernel_library_is_said_where_it_is_seen() -> None:
    name = "ops.f(x) | x=normal(3)"
    samples = [
        sample("torch", "3.0.5", {name: WRONG}),
        sample("tensorflow", "3.0.5", {name: WRONG}),
        sample("tensorflow", "3.0.5", {name: OK}, variant="no-onednn"),
        sample("jax", "3.0.5", {name: OK}),
    ]
    found = only(samples)
    assert found.axis == "kernel library"
    assert "oneDNN" in found.where


def test_the_gravest_comes_first() -> None:
    a, b = "ops.a(x) | x=normal(3)", "ops.b(x) | x=normal(3)"
    samples = [
        sample(
            "torch",
            "3.0.5",
            {a: ["inaccurate", 99.0, [1.0], "float32[3]", "", ""], b: ["crashes", None, "", "", "signal 8", ""]},
        ),
        sample("jax", "3.0.5", {a: OK, b: OK}),
    ]
    assert [d.kind for d in defects.defects(samples)] == ["kills the process", "inaccurate"]


# scripts


@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax"])
@pytest.mark.parametrize("check", ["", "#symbolic", "#dynamic", "#gradient", "#graph", "#arguments"])
def test_scripts_are_whole_programs(framework: str, check: str) -> None:
    ident = "ops.f(x, ops.g(y)) | x=odd(3); y=normal(4, seed=1) | float16" + check
    text = plain.script(ident, framework, PRELUDE, "headline", msgspec.convert(WRONG, type=Case))
    compile(text, "script", "exec")
    assert f'os.environ["KERAS_BACKEND"] = "{framework}"' in text
    assert text.index("KERAS_BACKEND") < text.index("import keras")
    assert "def scaled" in text, "helpers of helpers come along"
    assert "def unused" not in text
    assert "ops.f(x, ops.g(y))" in text


def test_an_id_is_taken_apart() -> None:
    case = ops_script.parse("ops.f(x | y) | x=normal(3); y=array([1, 2])#graph")
    assert case.expression == "ops.f(x | y)"
    assert case.inputs == {"x": "normal(3)", "y": "array([1, 2])"}
    assert (case.dtype, case.check) == ("", "graph")
    assert ops_script.parse("ops.eye(3)").inputs == {}
