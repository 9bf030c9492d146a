"""Which defects share a cause, and how the one line that is left reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runner.defects import causes, cells
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

RELEASES = ("3.5.0", "3.8.0", "3.9.2", "3.10.0")
CELLS = [Cell(framework, "1.0", keras, "3.11", "cpu") for framework in ("jax", "torch") for keras in RELEASES]
SAMPLES = [Sample(cell, "e", "ops", {}, 0, 0, "host", Status.OK, "") for cell in CELLS]


def at(framework: str, *releases: str) -> list[int]:
    return [i for i, cell in enumerate(CELLS) if cell.framework == framework and cell.keras in (releases or RELEASES)]


TORCH = at("torch", "3.8.0", "3.9.2")
RIGHT = [i for i in range(len(CELLS)) if i not in TORCH]


def defect(
    op: str,
    kind: str = "wrong value",
    bad: Sequence[int] = TORCH,
    good: Sequence[int] = RIGHT,
    **more: object,
) -> Defect:
    fields: dict[str, object] = {
        "op": op, "kind": kind, "pattern": "", "cases": (f"{op}(x)",), "observed": "o", "script": "s", **more,
    }  # fmt: skip
    pattern = f" with {fields['pattern']}" if fields["pattern"] else ""
    severity = {"wrong weights": 9, "wrong value": 8, "wrong shape": 7, "raises": 6}.get(kind, 3)
    return cells.defect(op, f"{kind}{pattern}", severity, bad, good, SAMPLES, **fields)


def joined(*found: Defect) -> list[Defect]:
    return causes.joined(found, SAMPLES)


def test_defects_that_have_nothing_in_common_stay_apart() -> None:
    assert len(joined(defect("ops.f"), defect("ops.g"))) == 2
    assert joined() == []


def test_one_message_in_the_same_cells_is_one_cause() -> None:
    both = [defect(op, "raises", signatures=("TypeError: got a list",)) for op in ("ops.f", "ops.g")]
    (one,) = joined(*both)
    assert one.op == "ops.f, ops.g"
    assert one.title == "ops.f, ops.g: raises - all torch cells with keras 3.8.0 - 3.9.2"
    assert one.cases == ("ops.f(x)", "ops.g(x)")
    assert one.also == ()


def test_one_message_in_other_cells_or_modules_is_two() -> None:
    message = ("TypeError: got a list",)
    a = defect("ops.f", "raises", signatures=message)
    other = defect("ops.g", "raises", at("torch", "3.8.0"), at("torch", "3.9.2"), signatures=message)
    assert len(joined(a, other)) == 2, "3.9.2 raises in one and is right in the other"
    assert len(joined(a, defect("layers.G", "raises", signatures=message))) == 2
    assert len(joined(a, defect("training: G (fit.g)", "raises", signatures=message))) == 1, "whatever people do"


def test_arrays_that_do_not_fit_together_have_many_causes() -> None:
    message = ("ValueError: incompatible shapes for broadcasting",)
    found = [defect(op, "raises", signatures=message) for op in ("ops.f_pool", "ops.dot")]
    assert len(joined(*found)) == 2
    related = [defect(op, "raises", signatures=message) for op in ("ops.max_pool", "ops.average_pool")]
    assert len(joined(*related)) == 1


def test_a_layer_folds_into_the_function_that_it_calls() -> None:
    (one,) = joined(defect("layers.Conv2DTranspose"), defect("ops.conv_transpose"))
    assert one.op == "ops.conv_transpose, layers.Conv2DTranspose"
    assert one.cases[0] == "ops.conv_transpose(x)"
    wrong = defect("ops.conv_transpose", bad=at("jax"), good=at("torch"))
    assert len(joined(defect("layers.Conv2DTranspose"), wrong)) == 2


def test_a_layer_that_raises_something_else_than_its_function_is_apart() -> None:
    a = defect("layers.Conv2DTranspose", "raises", signatures=("TypeError: of the layer",))
    b = defect("ops.conv_transpose", "raises", signatures=("ValueError: of the function",))
    assert len(joined(a, b)) == 2


def test_a_name_in_another_spelling_is_the_same() -> None:
    (one,) = joined(defect("losses.OddLoss"), defect("losses.odd_loss"))
    assert one.op == "losses.OddLoss, losses.odd_loss"


def test_checks_of_one_case_are_one_line_led_by_the_gravest() -> None:
    case = "ops.f(x) | x=normal(3)"
    checks = [
        defect("ops.f", "raises", cases=(f"{case}#gradient",)),
        defect("ops.f", cases=(case,)),
        defect("ops.f", "symbolic shape is wrong", [*TORCH, *at("jax", "3.8.0", "3.9.2")], at("torch", "3.5.0"),
               cases=(f"{case}#symbolic",)),
    ]  # fmt: skip
    (one,) = joined(*checks)
    assert one.kind == "wrong value"
    assert one.also == ("raises", "symbolic shape is wrong - all cells with keras 3.8.0 - 3.9.2")


def test_ranges_that_follow_each_other_are_one_story() -> None:
    early = defect("ops.f", bad=at("torch", "3.5.0"), good=at("torch", "3.10.0"))
    late = defect("ops.f", "raises", at("torch", "3.8.0", "3.9.2"), at("torch", "3.10.0"))
    (one,) = joined(early, late)
    phases = "wrong value with keras 3.5.0, then raises with keras 3.8.0 - 3.9.2"
    assert one.title == f"ops.f: {phases} - all torch cells with keras 3.5.0 - 3.9.2"
    assert (one.first_bad, one.first_good) == ("3.5.0", "3.10.0")
    assert len(one.cells) == 3


def test_phases_that_read_the_same_are_one() -> None:
    early = defect("ops.f", "raises", at("jax", "3.5.0"), at("torch"), cases=("ops.f(x)",), signatures=("A b c",))
    late = defect("ops.f", "raises", at("jax", "3.8.0"), at("torch"), cases=("ops.f(x)",), signatures=("D e f",))
    (one,) = joined(early, late)
    assert one.title == "ops.f: raises - all jax cells with keras 3.5.0 - 3.8.0"


def test_what_is_accepted_is_one_cause_where_the_same_argument_is_wrong() -> None:
    kind = "accepts a wrong argument"
    (one,) = joined(*(defect(op, kind, signatures=("axis",)) for op in ("ops.flip", "ops.sort")))
    assert one.op == "ops.flip, ops.sort"
    unlike = [defect("ops.transpose", kind), defect("layers.MultiHeadAttention", kind)]
    assert len(joined(*unlike)) == 2, "a layer that accepts too much does not do so by what it calls"


def test_many_sides_of_a_cause_are_counted() -> None:
    found = [defect(f"fitting: f{n} (x)", "raises", signatures=("TypeError: got a list",)) for n in range(7)]
    (one,) = joined(*found)
    assert len(one.also) == causes.SHOWN_ALSO + 1
    assert one.also[-1] == "2 more"


def test_what_a_layer_accepts_is_one_cause_with_the_promise_about_it() -> None:
    swept = defect("layers.Dense", "accepts a wrong argument", signatures=("accepts Dense",))
    promised = defect("model: layers_refuse (x)", "is accepted without a word", signatures=("accepts Dense",))
    assert len(joined(swept, promised)) == 1


def test_an_argument_that_does_not_come_back_is_one_cause() -> None:
    shared = ("configuration Huber delta",)
    swept = defect("losses.Huber", "configuration leaves out arguments", signatures=shared)
    saved = defect("saving: loss_survives (x)", "is not so", signatures=(*shared, "configuration Huber name"))
    assert len(joined(saved, swept)) == 1


def promised(promise: str, kind: str = "is not so") -> Defect:
    return cells.defect(
        f"fitting: {promise}", kind, 7, TORCH, RIGHT, SAMPLES, op="fitting: holds", kind=kind, pattern="",
        cases=("holds()",), observed="o", script="s",
    )  # fmt: skip


def test_a_promise_about_the_function_that_is_wrong_is_the_same_cause() -> None:
    wrong = defect("losses.Tversky")
    assert len(joined(wrong, promised("losses.Tversky weights false positives by alpha"))) == 1
    assert len(joined(wrong, promised("Tversky(alpha=0.3) of two batches is their mean"))) == 1
    assert len(joined(wrong, promised("fit with Tversky stops"))) == 2
    assert len(joined(wrong, promised("losses.Tversky weights false positives", "raises"))) == 2


def test_ranges_with_a_right_release_between_them_are_two() -> None:
    early = defect("ops.f", bad=at("torch", "3.5.0"), good=at("torch", "3.8.0", "3.10.0"))
    late = defect("ops.f", "raises", at("torch", "3.9.2"), at("torch", "3.8.0", "3.10.0"))
    assert len(joined(early, late)) == 2
    elsewhere = defect("ops.f", "raises", at("jax", "3.8.0"), at("jax", "3.10.0"))
    assert len(joined(early, elsewhere)) == 2


def test_one_rare_argument_that_goes_wrong_in_several_ways_is_one_cause() -> None:
    def ways(argument: str) -> list[Defect]:
        kinds: Mapping[str, str] = {"wrong value": "ops.max_pool", "wrong shape": "ops.average_pool"}
        return joined(*(defect(op, kind, pattern=argument) for kind, op in kinds.items()))

    (one,) = ways("padding='same'")
    assert one.also == ("ops.average_pool: wrong shape",)
    assert len(ways("axis=1")) == 2


def test_a_traced_call_and_a_graph_of_two_frameworks_are_one_cause() -> None:
    case = "ops.f(x) | x=normal(3)"
    jit = defect("ops.f", "raises under jit", at("jax", "3.8.0"), at("jax", "3.9.2"), cases=(f"{case}#gradient",))
    graph = defect("ops.f", "raises in a graph", at("torch", "3.8.0"), at("torch", "3.9.2"), cases=(f"{case}#graph",))
    assert len(joined(jit, graph)) == 1
    later = defect("ops.f", "raises in a graph", at("torch", "3.9.2"), at("torch", "3.8.0"), cases=(f"{case}#graph",))
    assert len(joined(jit, later)) == 2


def test_types_that_are_wrong_in_a_part_of_the_cells_are_the_same_wrong_types() -> None:
    few = defect("ops.f", "symbolic dtype is wrong", at("torch", "3.9.2"), at("jax", "3.10.0"))
    many = defect("ops.f", "wrong dtype", cases=("promised_dtype_of(ops.f)",), good=[])
    assert len(joined(many, few)) == 1
    right = replace(few, good=(CELLS[TORCH[0]].id,))
    assert len(joined(many, right)) == 2


def test_a_training_is_joined_with_the_argument_that_it_is_about() -> None:
    trained = defect("training: gradient accumulation (fit.accumulation_adam)", "wrong weights")
    swept = defect("optimizers.Adam", pattern="gradient_accumulation_steps=3")
    (one,) = joined(trained, swept)
    assert one.also == ("optimizers.Adam: wrong value with gradient_accumulation_steps=3",)


def test_changes_are_never_part_of_a_defect() -> None:
    assert len(joined(defect("ops.f"), defect("ops.f", "changed between versions on every backend"))) == 2
