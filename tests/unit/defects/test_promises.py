"""Which promises that do not hold have one cause, by what they are about and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from runner.defects import causes, cells
from runner.defects.defect import Defect
from runner.model import Cell, Sample, Status

RELEASES = ("3.5.0", "3.8.0", "3.9.2", "3.10.0")
CELLS = [Cell(framework, "1.0", keras, "3.11", "cpu") for framework in ("jax", "torch") for keras in RELEASES]
SAMPLES = [Sample(cell, "e", "ops", {}, 0, 0, "host", Status.OK, "") for cell in CELLS]

JAX, TORCH = [0, 1, 2, 3], [4, 5, 6, 7]
BAD, GOOD = [5, 6], [4, 7]
"""torch with Keras 3.8.0 and 3.9.2; with 3.5.0 and 3.10.0"""
OTHER = [5], [4, 6, 7]
"""Wrong in one release less."""


def promise(
    op: str,
    observed: str = "the list: expected [], got [1]",
    where: tuple[Sequence[int], Sequence[int]] = (BAD, GOOD),
    kind: str = "is not so",
    text: str = "it holds",
) -> Defect:
    bad, good = where
    probe, _, name = op.partition(": ")
    return cells.defect(
        f"{probe}: {text}", kind, 7, bad, good, SAMPLES, op=op, kind=kind, pattern="", cases=(f"{name}(x=1)",),
        observed=observed, script="s",
    )  # fmt: skip


def swept(
    op: str,
    kind: str,
    pattern: str = "",
    observed: str = "o",
    where: tuple[Sequence[int], Sequence[int]] = (BAD, GOOD),
    signatures: tuple[str, ...] = (),
    check: str = "",
) -> Defect:
    bad, good = where
    case = f"{op}({pattern}) | x{check}"
    return cells.defect(
        op, kind, 6, bad, good, SAMPLES, op=op, kind=kind, pattern=pattern, cases=(case,), observed=observed,
        script="s", signatures=signatures,
    )  # fmt: skip


def lines(*found: Defect) -> int:
    return len(causes.joined(found, SAMPLES))


def test_promises_of_two_probes_about_one_thing() -> None:
    one, other = "fitting: recompiling_without_metrics_drops_them", "model: compile_again_replaces"
    assert lines(promise(one), promise(other, "the logs: expected 1, got 2")) == 1
    assert lines(promise(one), promise(other, "the logs: expected 1, got 2", OTHER)) == 2, "fixed in another release"
    assert lines(promise(one), promise("model: another", "the logs: expected 1, got 2")) == 2


def test_the_same_list_is_expected_and_the_same_found() -> None:
    seen = "names: expected ['a_loss', 'loss'], got ['loss']"
    assert lines(promise("callbacks: logs", seen), promise("fitting: reports", f"the {seen}")) == 1
    assert lines(promise("callbacks: logs", seen), promise("fitting: reports", f"the {seen}", OTHER)) == 2
    types = "the type: expected float32, got bfloat16"
    assert lines(promise("callbacks: logs", types), promise("fitting: reports", f"x {types}")) == 2, "says too little"
    always = (TORCH, JAX)
    assert lines(promise("callbacks: logs", seen, always), promise("fitting: reports", f"the {seen}", always)) == 2


def test_the_same_wrong_thing_is_accepted_in_one_part() -> None:
    kind = "is accepted without a word"
    loads = promise("saving: load_weights_refuses", "a virtual dataset: accepted without a word, gave None", kind=kind)
    opens = promise("saving: load_model_refuses", "a virtual dataset: accepted without a word, gave <M>", kind=kind)
    assert lines(loads, opens) == 1
    assert lines(loads, promise("data: fit_refuses", opens.observed, kind=kind)) == 2
    assert lines(loads, promise("saving: load_model_refuses", "a link: accepted without a word", kind=kind)) == 2


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("fit(steps_per_execution=2) is right", "predict with steps_per_execution=2 is right", 1),
        ("fit(steps_per_execution=2) is right", "predict with steps_per_execution=2, restore_best_weights=1", 2),
        ("RNN(return_sequences=True) is right", "GRU(return_sequences=True) predicts", 2),
        ("fit(batch=2) is right", "predict(batch=2) is right", 2),
    ],
)
def test_promises_that_pass_an_argument_that_few_functions_have(one: str, other: str, expected: int) -> None:
    assert lines(promise("data: one", "a: b", text=one), promise("data: other", "c: d", text=other)) == expected


def test_distributions_that_give_other_numbers_from_one_release_to_another() -> None:
    one, other = promise("distribution: one", "a: b"), promise("distribution: other", "c: d")
    assert lines(one, other) == 1
    since = ([6, 7], [4, 5])
    assert lines(promise("distribution: one", "a: b", since), promise("distribution: other", "c: d", since)) == 2


def test_a_promise_that_arguments_are_refused_which_a_call_accepts() -> None:
    accepts = "is accepted without a word"
    refused = promise("fitting: optimizer_refuses", kind=accepts, text="SGD refuses clipnorm and clipvalue")
    both = swept("optimizers.Adam", "accepts a wrong argument", "clipnorm=1.0, clipvalue=1.0")
    assert lines(refused, both) == 1
    assert lines(refused, swept("optimizers.Adam", "accepts a wrong argument", "clipnorm=1.0")) == 2
    assert lines(refused, swept("optimizers.Adam", "accepts a wrong argument", both.pattern, where=OTHER)) == 2


def test_a_promise_about_the_symbolic_call_that_is_wrong() -> None:
    always: tuple[list[int], list[int]] = (JAX, [])

    def wrong(op: str, kind: str) -> Defect:
        return swept(op, kind, where=always, check="#symbolic")

    text = "MultiHeadAttention(2, 3) has the symbolic call's shapes"
    scores = promise("model: scores", "a: b", always, text=text)
    assert lines(scores, wrong("layers.MultiHeadAttention", "symbolic shape is wrong")) == 1
    assert lines(scores, wrong("layers.MultiHeadAttention", "symbolic dtype is wrong")) == 2
    assert lines(scores, wrong("layers.Attention", "symbolic shape is wrong")) == 2


def test_a_promise_that_passes_the_argument_with_which_a_call_is_wrong() -> None:
    fills = promise("fitting: rnn_fills", "a: b", text="GRU(zero_output_for_mask=True) gives 0 at masked steps")
    wrong = swept("layers.RNN", "wrong value", "mask=m, zero_output_for_mask=True")
    assert lines(fills, wrong) == 1
    assert lines(fills, swept("layers.RNN", "wrong value", "mask=m")) == 2
    assert lines(fills, swept("layers.RNN", "wrong value", wrong.pattern, where=OTHER)) == 2


def test_one_wrong_value_of_an_argument_that_few_classes_have() -> None:
    kind, value = "accepts a wrong argument", "label_smoothing=-0.5"
    one = swept("losses.BinaryCrossentropy", kind, f"axis=-1, {value}", where=(JAX, TORCH))
    other = swept("losses.BinaryFocalCrossentropy", kind, f"alpha=0.25, {value}", where=(JAX, TORCH))
    assert lines(one, other) == 1
    assert lines(one, swept("losses.BinaryFocalCrossentropy", kind, "alpha=0.25", where=(JAX, TORCH))) == 2
    assert lines(one, swept("losses.Huber", kind, value, where=(JAX, TORCH))) == 2, "no word in common"


def test_functions_that_show_the_very_same() -> None:
    kind, seen = "symbolic shape is wrong", "float32[2,7,1,2]; actual: float32[2,1,2,2]"
    mean = swept("ops.adaptive_average_pool", kind, observed=seen, where=(JAX, []), check="#symbolic")
    top = swept("ops.adaptive_max_pool", kind, observed=seen, where=(JAX, []), check="#symbolic")
    assert lines(mean, top) == 1
    assert lines(mean, swept("ops.sort", kind, observed=seen, where=(JAX, []), check="#symbolic")) == 2


def test_one_exception_for_some_dtypes_and_for_mixed_ones() -> None:
    def raising(kind: str, message: str, check: str) -> Defect:
        return swept("ops.einsum", kind, where=(JAX, TORCH), signatures=(message,), check=check)

    mixed = raising("raises", "RuntimeError: expected scalar type but found", "")
    assert lines(mixed, raising("raises for some dtypes", "RuntimeError: expected scalar type but found", "1")) == 1
    assert lines(mixed, raising("raises for some dtypes", "TypeError: no such a thing here", "1")) == 2


def test_a_message_that_a_framework_has_for_all_functions_joins_nothing() -> None:
    general = ("InvalidArgumentError: Value for attr of is not in the list of allowed values",)
    clips = swept("ops.top_k", "raises", signatures=general)
    assert lines(clips, swept("ops.resize", "raises", signatures=general)) == 2
    told = promise("random: gamma_has_its_type", "InvalidArgumentError: Value for attr", kind="raises")
    assert lines(replace(told, signatures=general), clips) == 2
    own = ("InvalidArgumentError: the tensor is neither sorted nor unique",)
    assert lines(replace(told, signatures=own), replace(clips, signatures=own)) == 1
