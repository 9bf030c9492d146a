"""Which defects have one cause by their releases and what they are about."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runner.defects import causes, cells
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

RELEASES = ("3.5.0", "3.8.0", "3.9.2", "3.10.0")
CELLS = [Cell(framework, "1.0", keras, "3.11", "cpu") for framework in ("jax", "torch") for keras in RELEASES]
SAMPLES = [Sample(cell, "e", "ops", {}, 0, 0, "host", Status.OK, "") for cell in CELLS]


def at(framework: str, *releases: str) -> list[int]:
    return [i for i, cell in enumerate(CELLS) if cell.framework == framework and cell.keras in releases]


BAD, GOOD = at("torch", "3.8.0", "3.9.2"), at("torch", "3.5.0", "3.10.0")


def promise(
    case: str,
    bad: Sequence[int] = BAD,
    good: Sequence[int] = GOOD,
    kind: str = "is not so",
    observed: str = "o",
    signatures: tuple[str, ...] = (),
    text: str = "It holds",
) -> Defect:
    return cells.defect(
        f"saving: {text}", kind, 7, bad, good, SAMPLES, op=f"saving: {case.partition('(')[0]}", kind=kind, pattern="",
        cases=(case,), observed=observed, script="s", signatures=signatures,
    )  # fmt: skip


def swept(op: str, case: str, bad: Sequence[int] = BAD, good: Sequence[int] = GOOD, kind: str = "raises") -> Defect:
    return cells.defect(
        op, kind, 6, bad, good, SAMPLES, op=op, kind=kind, pattern="", cases=(case,), observed="o", script="s"
    )


def lines(*found: Defect) -> int:
    return len(causes.joined(found, SAMPLES))


def test_promises_about_one_class_that_broke_and_were_fixed_together() -> None:
    saved = promise("json_restores(layer='v Bidirectional(keras.layers.GRU(3))')")
    built = promise("builds(layer='Bidirectional(keras.layers.LSTM(2))')")
    assert lines(saved, built) == 1
    assert lines(saved, swept("layers.Bidirectional", "layers.Bidirectional(x)")) == 1
    assert lines(saved, promise("builds(layer='RNN(keras.layers.LSTMCell(2))')")) == 2
    earlier = promise("builds(layer='Bidirectional(keras.layers.LSTM(2))')", at("torch", "3.8.0"), at("torch", "3.9.2"))
    assert lines(saved, earlier) == 2, "it was fixed in another release"


def test_what_was_always_wrong_says_too_little() -> None:
    every = at("torch", *RELEASES)
    both = [promise(f"{name}(layer='Bidirectional(x)')", every, ()) for name in ("restores", "builds")]
    assert lines(*both) == 2


@pytest.mark.parametrize("layer", ["Dense(2)", "LSTM(2)"])
def test_a_class_that_cases_use_as_an_example_is_not_the_cause(layer: str) -> None:
    assert lines(promise(f"f(layer='{layer}')"), promise(f"g(layer='{layer}')")) == 2


def test_a_class_in_the_promise_counts() -> None:
    both = [promise(name, text=f"ModelCheckpoint {name}") for name in ("keeps_the_best()", "counts_files()")]
    assert lines(*both) == 1


def test_one_message_of_promises_of_equal_bounds() -> None:
    message = ("ValueError: Sequential model has no defined input shape yet",)
    both = [promise(name, kind="raises", signatures=message) for name in ("a()", "b()")]
    assert lines(*both) == 1


def test_one_figure_of_one_promise_is_one_cause_where_the_same_releases_are_right() -> None:
    def resumes(optimizer: str, bad: Sequence[int], figure: str = "the number of variables") -> Defect:
        return promise(f"resumes(optimizer='{optimizer}(0.1)')", bad, (), observed=f"{figure}: expected 6, got 2")

    every, late = at("torch", *RELEASES), at("torch", "3.9.2", "3.10.0")
    assert lines(resumes("Lion", every), resumes("Muon", late)) == 1
    assert lines(resumes("Lion", every), resumes("Muon", late, "the loss")) == 2


def test_one_promise_on_two_frameworks_is_one_line_with_all_cells() -> None:
    torch = promise("repeats(layer='AugMix')", observed="a")
    jax = promise("repeats(layer='AugMix')", at("jax", "3.9.2"), at("jax", "3.10.0"), observed="b")
    (one,) = causes.joined([torch, jax], SAMPLES)
    assert set(one.cells) == {CELLS[i].id for i in (*BAD, *at("jax", "3.9.2"))}
    assert one.also == ()
    raises = promise("repeats(layer='AugMix')", at("jax", "3.9.2"), at("jax", "3.10.0"), kind="raises")
    assert lines(torch, raises) == 1, "the same release fixed the same class there"
    still = promise("repeats(layer='AugMix')", at("jax", "3.10.0"), at("jax", "3.5.0"), kind="raises")
    assert lines(torch, still) == 2, "another symptom in other releases has another cause"


def test_a_fraction_for_a_whole_number_is_one_cause_on_one_framework() -> None:
    kind = "accepts a wrong argument on symbolic input"

    def accepts(name: str, value: str) -> Defect:
        return swept(f"layers.{name}", f"refused(lambda: layers.{name}(units={value})(symbol(2, 3)))", kind=kind)

    assert lines(accepts("CenterCrop", "2.5"), accepts("Resizing", "2.5")) == 1
    assert lines(accepts("CenterCrop", "0"), accepts("Resizing", "0")) == 2


def test_values_that_lost_half_their_bits_on_one_framework_in_one_release() -> None:
    def narrowed(op: str, observed: str, kind: str = "symbolic dtype is wrong") -> Defect:
        return cells.defect(
            op, kind, 3, BAD, at("torch", "3.5.0"), SAMPLES, op=op, kind=kind, pattern="", cases=(f"{op}(x)",),
            observed=observed, script="s",
        )  # fmt: skip

    whole = narrowed("ops.add", "int32[3]; actual: int64[3]")
    assert lines(whole, narrowed("losses.mean", "float64: got 2.587", "inaccurate")) == 1
    assert lines(whole, narrowed("ops.mod", "float32[3]; actual: float16[3]")) == 2


def test_classes_whose_results_differ_in_one_promise_are_two() -> None:
    def repeats(layer: str) -> Defect:
        return promise(
            f"repeats(layer='{layer}(seed=S)')", at("torch", *RELEASES), (), observed="the result: expected 1"
        )

    assert lines(repeats("AugMix"), repeats("RandomElasticTransform")) == 2


def test_a_class_that_is_wrong_on_one_framework_in_the_same_cells() -> None:
    late, right = at("torch", "3.9.2", "3.10.0"), at("jax", "3.9.2", "3.10.0")
    both = [promise(f"{name}(layer='RandomElasticTransform(seed=S)')", late, right) for name in ("repeats", "keeps")]
    assert lines(*both) == 1
    assert lines(both[0], promise("keeps(layer='AugMix(seed=S)')", late, right)) == 2


def test_functions_that_go_wrong_alike_on_the_same_arguments_in_the_same_cells() -> None:
    whole = [
        swept(f"ops.{name}", f"ops.{name}(f, axis=(0, 1)) | f=normal(2, 0, 3)", kind="wrong shape")
        for name in ("all", "prod")
    ]
    assert lines(*whole) == 1
    other = swept("ops.prod", "ops.prod(f, axis=2) | f=normal(2, 0, 3)", kind="wrong shape")
    assert lines(whole[0], other) == 2, "other arguments"
    later = swept("ops.prod", "ops.prod(f, axis=(0, 1)) | f=normal(2, 0, 3)", BAD[:1], GOOD, "wrong shape")
    assert lines(whole[0], later) == 2, "other cells"


def test_functions_whose_names_share_a_word_broke_and_were_fixed_together() -> None:
    pooled = [
        swept(f"layers.AveragePooling{n}D", f"layers.AveragePooling{n}D(2)({n})", kind="wrong value") for n in (1, 2)
    ]
    assert lines(*pooled) == 1
    every = [
        swept(
            f"layers.MaxPooling{n}D",
            f"layers.MaxPooling{n}D(2)({n})",
            at("torch", *RELEASES),
            (),
            "accepts a wrong argument",
        )
        for n in (1, 2)
    ]
    assert lines(*every) == 2, "it was always so"


def test_one_wrong_argument_that_is_taken_here_and_refused_by_chance_there() -> None:
    case = "refuses_a_mask(shape='(2, 4)')"
    taken = promise(case, kind="is accepted without a word")
    by_chance = "is refused by an unrelated error"
    jax = promise(case, at("jax", "3.9.2"), at("jax", "3.10.0"), by_chance, observed="p")
    assert lines(taken, jax) == 1
    later = promise(case, at("jax", "3.8.0"), at("jax", "3.9.2"), by_chance, observed="p")
    assert lines(taken, later) == 2, "it was fixed in another release"


def test_a_function_that_went_wrong_in_two_ways_and_is_right_since_one_release() -> None:
    def solves(rcond: str, bad: Sequence[int], good: Sequence[int] = at("torch", "3.10.0")) -> Defect:
        return swept("ops.lstsq", f"ops.lstsq(a, b, rcond={rcond}) | a=normal(3, 2)", bad, good, "wrong value")

    assert lines(solves("0.1", at("torch", "3.8.0", "3.9.2")), solves("0.02", at("torch", "3.9.2"))) == 1
    apart = solves("0.02", at("torch", "3.5.0"), at("torch", "3.8.0"))
    assert lines(solves("0.1", at("torch", "3.9.2")), apart) == 2, "the other one was fixed before"


def test_types_that_one_framework_refuses_and_another_changes() -> None:
    case = "kind_of(ops.clip(x, i)) == kind_of(ops.clip(s, t))"
    refused = swept("ops.clip", case, at("torch", "3.9.2"), (), "raises for some dtypes")
    changed = swept("ops.clip", case, at("jax", "3.9.2"), (), "symbolic dtype is wrong")
    assert lines(refused, changed) == 1
    assert lines(refused, swept("ops.mod", "ops.mod(x)", at("jax", "3.9.2"), (), "symbolic dtype is wrong")) == 2
