"""From made-up evidence of two cells to rungs, places, hints and switches."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from runner.diagnose import Evidence, Found, Rung, Side, diagnose, ladder
from runner.diagnose.evidence import Dropped, Elementwise, Free, Seeded, Step, Suspects, Together
from runner.errors import BadOutputError
from runner.model import Cell, Sample, Status

RIGHT = Elementwise(0.5, 0.1, 100, "right", [0.0] * 16)
WRONG = Elementwise(3e6, 1e6, 100, "wrong", [1e6, *[0.0] * 15])
NONE = Together(0.1, [0.0] * 16)
FAR = Together(900.0, [900.0, *[0.0] * 15])
SAME_SEEDS = Seeded([0.30, 0.33, 0.31, 0.32], [0.90, 0.91, 0.92, 0.91], [1.30, 1.31, 1.32, 1.29])
OTHER_SEEDS = Seeded([0.60, 0.63, 0.61, 0.62], [0.80, 0.81, 0.82, 0.81], [1.90, 1.91, 1.92, 1.89])
BETWEEN = Seeded([0.30, 0.50, 0.20, 0.45], [0.90, 0.80, 0.95, 0.85], [1.30, 1.60, 1.10, 1.50])
RUNGS = ("as reported", "same weights", "same order")


def step(**changes: Any) -> Step:
    made: dict[str, Any] = {
        "inputs": "1",
        "left_out": 1,
        "samples": 8,
        "layers": {"conv1/output": RIGHT, "conv1/d-kernel": RIGHT},
        "whole": {"loss": NONE, "conv1/kernel": NONE},
        "update": {"conv1/kernel": RIGHT, "conv1/bias": RIGHT},
        "loss": [2.3, 2.3],
        "same_optimizer": NONE,
        "no_dropout": NONE,
        "float64": NONE,
    }
    return Step(**{**made, **changes})


def evidence(*steps: Step, **changes: Any) -> Evidence:
    made: dict[str, Any] = {
        "network": "conv",
        "steps": list(steps) or [step()],
        "seeded": dict.fromkeys(RUNGS, SAME_SEEDS),
        "suspects": Suspects(),
        "double": "",
        "free": Free([2.3, 2.2], "d"),
    }
    return Evidence(**{**made, **changes})


def side(cell: str = "a", ladder: Evidence | None = None, **changes: Any) -> Side:
    return replace(Side(cell, ladder or evidence(), None, {}), **changes)


def rungs(a: Evidence, b: Evidence) -> dict[str, Rung]:
    return {rung.name: rung for rung in diagnose(side("a", a), side("b", b)).rungs}


# --- reading ----------------------------------------------------------------------------------------------------------


def sample(details: dict[str, Any]) -> Sample:
    cell = Cell("jax", "0.4.35", "3.8.0", "3.11", "cpu")
    return Sample(cell, "e", "diagnose", {}, 0, 0, "host", Status.OK, "", details=details)


def test_evidence_is_read_as_the_probe_writes_it() -> None:
    written = msgspec.to_builtins(evidence(suspects=Suspects([], Dropped(0.2, 0.2, 1.25, 1000))))
    assert written["steps"][0]["layers"]["conv1/output"] == [0.5, 0.1, 100, "right", [0.0] * 16]
    assert written["steps"][0]["same optimizer"] == [0.1, [0.0] * 16]
    assert written["suspects"]["dropout"] == [0.2, 0.2, 1.25, 1000]
    assert ladder.diagnose(side("a", evidence()), side("b", evidence())).bit_equal
    from runner.diagnose import read

    assert read(sample({"evidence": written})).suspects.dropout == Dropped(0.2, 0.2, 1.25, 1000)


@pytest.mark.parametrize("details", [{}, {"evidence": 3}, {"evidence": {"network": "conv"}}])
def test_other_evidence_is_an_error_of_the_cell(details: dict[str, Any]) -> None:
    from runner.diagnose import read

    with pytest.raises(BadOutputError, match=r"^jax-0\.4\.35_keras-3\.8\.0_py3\.11_cpu: the evidence cannot be read: "):
        read(sample(details))


def test_sketches_without_numbers_or_of_another_length_are_infinitely_far_apart() -> None:
    from runner.diagnose.evidence import distance, number

    assert distance([0.0, 3.0], [4.0, 0.0]) == 5.0
    assert distance([1.0], [1.0, 2.0]) == distance([], []) == math.inf
    assert (number(2), number("nan") != number("nan"), number(None)) == (2.0, True, math.inf)


# --- rungs ------------------------------------------------------------------------------------------------------------


def test_every_rung_names_what_it_takes_away_in_order() -> None:
    found = diagnose(side("a"), side("b")).rungs
    assert [(rung.name, rung.suspect, rung.found) for rung in found] == [
        ("as reported", "", Found.AGREES),
        ("same weights", "the initial weights", Found.AGREES),
        ("same order", "the order of the batches", Found.AGREES),
        ("no dropout", "dropout", Found.AGREES),
        ("same optimizer", "the optimizer's arithmetic", Found.AGREES),
        ("float64", "precision", Found.AGREES),
    ]


def test_a_seeded_rung_shows_both_means_the_judges_reason_and_the_largest_gap_of_one_seed() -> None:
    rung = rungs(evidence(), evidence(seeded=dict.fromkeys(RUNGS, OTHER_SEEDS)))["as reported"]
    assert rung.found == Found.DIFFERS
    assert (rung.a, rung.b) == ("loss 0.315, accuracy 0.910", "loss 0.615, accuracy 0.810")
    assert rung.gap == "0.315 -> 0.615 over 4 seeds, p 0; one seed: up to 0.3"
    assert rung.note == ""


def test_a_difference_that_the_first_epoch_alone_shows_is_one() -> None:
    early = Seeded(SAME_SEEDS.loss, SAME_SEEDS.accuracy, OTHER_SEEDS.first_epoch)
    assert rungs(evidence(), evidence(seeded=dict.fromkeys(RUNGS, early)))["as reported"].found == Found.DIFFERS


def test_a_better_cell_differs_too() -> None:
    found = rungs(evidence(seeded=dict.fromkeys(RUNGS, OTHER_SEEDS)), evidence())
    assert found["as reported"].found == Found.DIFFERS


def test_too_few_seeds_are_unclear_and_more_are_advised() -> None:
    rung = rungs(evidence(), evidence(seeded=dict.fromkeys(RUNGS, BETWEEN)))["as reported"]
    assert (rung.found, rung.note) == (Found.UNCLEAR, "more seeds (--seeds) would tell")


def test_an_unclear_rung_agrees_where_most_of_an_earlier_difference_is_gone() -> None:
    far = Seeded([9.30, 9.33, 9.31, 9.32], [0.1, 0.11, 0.12, 0.11], [9.3, 9.31, 9.32, 9.29])
    found = rungs(evidence(), evidence(seeded=dict(zip(RUNGS, (far, BETWEEN, SAME_SEEDS), strict=True))))
    assert (found["same weights"].found, found["same weights"].note) == (Found.AGREES, "less than 50% of what it was")
    near = Seeded([0.40, 0.43, 0.41, 0.42], SAME_SEEDS.accuracy, SAME_SEEDS.first_epoch)
    found = rungs(evidence(), evidence(seeded=dict(zip(RUNGS, (near, BETWEEN, SAME_SEEDS), strict=True))))
    assert (found["as reported"].found, found["same weights"].found) == (Found.DIFFERS, Found.UNCLEAR)


def test_without_trainings_the_seeded_rungs_are_not_run() -> None:
    found = rungs(evidence(seeded={}), evidence())
    assert {found[name].found for name in RUNGS} == {Found.NOT_RUN}
    assert found["same order"].note == "no trainings were asked for"
    assert rungs(evidence(), evidence(seeded={}))["as reported"].found == Found.NOT_RUN


def test_a_figure_that_is_not_finite_is_a_difference() -> None:
    lost = Seeded(["nan", "inf", 0.31, 0.32], SAME_SEEDS.accuracy, SAME_SEEDS.first_epoch)
    rung = rungs(evidence(), evidence(seeded=dict.fromkeys(RUNGS, lost)))["as reported"]
    assert rung.found == Found.DIFFERS
    assert "not finite for 2 of 4 seeds" in rung.gap
    assert rung.b == "loss nan, accuracy 0.910"
    endless = Seeded(["inf", 0.33, 0.31, 0.32], SAME_SEEDS.accuracy, SAME_SEEDS.first_epoch)
    rung = rungs(evidence(), evidence(seeded=dict.fromkeys(RUNGS, endless)))["as reported"]
    assert rung.b == "loss nan, accuracy 0.910"


def test_an_exact_rung_shows_the_largest_step_of_each_and_their_distance() -> None:
    small = Together(3.0, [3.0, *[0.0] * 15])
    rung = rungs(evidence(step(), step(no_dropout=small)), evidence(step(no_dropout=FAR), step()))["no dropout"]
    assert rung.found == Found.DIFFERS
    assert (rung.a, rung.b) == ("3x rounding off", "9e+02x rounding off")
    assert rung.gap == "9e+02x rounding apart, largest of 2 steps"


@pytest.mark.parametrize(("gap", "found"), [(8.0, Found.AGREES), (8.1, Found.DIFFERS)])
def test_eight_times_rounding_is_no_difference_yet(gap: float, found: Found) -> None:
    off = Together(gap, [gap, *[0.0] * 15])
    assert rungs(evidence(), evidence(step(same_optimizer=off)))["same optimizer"].found == found


def test_a_result_that_is_not_finite_is_named() -> None:
    rung = rungs(evidence(), evidence(step(no_dropout=Together(None, []))))["no dropout"]
    assert (rung.found, rung.b) == (Found.DIFFERS, "not finite")
    assert rung.gap == "not finite, largest of 1 steps"


@pytest.mark.parametrize(("why", "note"), [("no float64 here", "no float64 here"), ("", "not asked for")])
def test_a_rung_that_one_cell_lacks_is_not_run_and_says_why(why: str, note: str) -> None:
    lacking = evidence(step(float64=None), double=why)
    for pair in ((lacking, evidence()), (evidence(), lacking)):
        rung = rungs(*pair)["float64"]
        assert (rung.found, rung.note, rung.suspect) == (Found.NOT_RUN, note, "precision")


def test_the_rung_at_which_the_difference_is_gone_is_the_next_that_agrees() -> None:
    def ladder_of(*found: Found) -> tuple[str | None, str | None]:
        return ladder.verdict([Rung(str(place), "", one) for place, one in enumerate(found)])

    assert ladder_of(Found.AGREES, Found.UNCLEAR) == (None, None)
    assert ladder_of(Found.DIFFERS, Found.AGREES, Found.AGREES) == ("0", "1")
    assert ladder_of(Found.DIFFERS, Found.UNCLEAR, Found.NOT_RUN, Found.AGREES) == ("0", "3")
    assert ladder_of(Found.AGREES, Found.DIFFERS, Found.AGREES, Found.DIFFERS) == ("1", None)


# --- suspects looked at directly --------------------------------------------------------------------------------------


def suspects(rms: float = 0.1, zeros: float = 0.2, kept: float = 1.25) -> Evidence:
    return evidence(suspects=msgspec.convert({"initial": [[rms, 0.1, 1000]], "dropout": [0.2, zeros, kept, 10000]},
                                             type=Suspects))  # fmt: skip


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (suspects(rms=0.1099), {}),  # five standard errors of the difference are 0.01
        (suspects(rms=0.1101), {"initial": "weight 0 starts with an RMS of 0.1 against 0.1101"}),
        (suspects(rms=0.0899), {"initial": "weight 0 starts with an RMS of 0.1 against 0.0899"}),
        (suspects(zeros=0.2282), {}),  # 0.02828
        (suspects(zeros=0.2284), {"dropout": "dropout drops 0.200 against 0.228"}),
        (suspects(kept=1.2512), {}),
        (suspects(kept=1.2514), {"dropout": "dropout scales by 1.25 against 1.251"}),
        (evidence(), {}),
    ],
)
def test_suspects_of_two_cells_differ_beyond_five_standard_errors(other: Evidence, found: dict[str, str]) -> None:
    assert ladder.direct(suspects(), other) == found


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (suspects(), ()),
        (suspects(rms=0.107), ()),  # 0.00707
        (suspects(rms=0.1072), ("a draws weight 0 with an RMS of 0.1072, not 0.1",)),
        (suspects(zeros=0.2199), ()),  # 0.02
        (suspects(zeros=0.2201), ("a drops 0.220 where the rate is 0.2",)),
        (suspects(kept=1.0), ("a scales what dropout keeps by 1, not 1.25",)),
        (suspects(kept=1.2512), ()),
        (suspects(zeros=0.5, kept=2.0), ("a drops 0.500 where the rate is 0.2",
                                         "a scales what dropout keeps by 2, not 1.25")),
    ],
)  # fmt: skip
def test_a_suspect_of_one_cell_is_a_hint_beyond_five_standard_errors(one: Evidence, told: tuple[str, ...]) -> None:
    assert ladder.hints(side("a", one)) == told


def test_a_weight_that_should_be_zero_and_is_not_is_a_hint() -> None:
    biased = evidence(suspects=msgspec.convert({"initial": [[0.5, 0.0, 10]]}, type=Suspects))
    assert ladder.hints(side("b", biased)) == ("b draws weight 0 with an RMS of 0.5, not 0",)


def test_initial_weights_count_on_the_first_rung_only_and_dropout_on_three() -> None:
    found = rungs(suspects(), suspects(rms=0.2))
    assert [found[name].found for name in RUNGS] == [Found.DIFFERS, Found.AGREES, Found.AGREES]
    assert found["as reported"].note == "weight 0 starts with an RMS of 0.1 against 0.2"
    found = rungs(suspects(), suspects(kept=1.0))
    assert [found[name].found for name in RUNGS] == [Found.DIFFERS] * 3
    found = rungs(suspects(), suspects(rms=0.2, kept=1.0))
    assert found["as reported"].note.split("; ")[1] == "dropout scales by 1.25 against 1"


def test_an_unclear_rung_agrees_once_what_differs_directly_is_taken_away() -> None:
    unclear = {"seeded": dict.fromkeys(RUNGS, BETWEEN)}
    other = msgspec.structs.replace(suspects(rms=0.2), **unclear)
    found = rungs(suspects(), other)
    assert (found["same weights"].found, found["same weights"].note) == (
        Found.AGREES, "what differed is taken away, and seeds never showed more",
    )  # fmt: skip


def test_what_was_not_run_is_not_decided_by_a_direct_look() -> None:
    other = msgspec.structs.replace(suspects(rms=0.2), seeded={})
    assert rungs(suspects(), other)["as reported"].found == Found.NOT_RUN


# --- replay -----------------------------------------------------------------------------------------------------------


def test_the_first_place_is_the_first_layer_of_the_first_step_that_is_off() -> None:
    bad = step(layers={"conv1/output": WRONG, "conv1/d-kernel": WRONG})
    d = diagnose(side("a", evidence(step(), step())), side("b", evidence(step(), bad)))
    assert d.first is not None
    assert (d.first.step, d.first.part, d.first.quantity) == (2, "layers", "conv1/output")
    assert (d.first.a, d.first.b, d.first.class_a, d.first.class_b) == (0.5, 3e6, "rounding", "wrong")
    assert d.first.terms == 100
    assert [place.quantity for place in d.others] == ["conv1/d-kernel"]
    assert d.differs


def test_other_places_are_those_of_the_same_step() -> None:
    bad = step(layers={"conv1/output": WRONG, "conv1/d-kernel": RIGHT})
    d = diagnose(side("a", evidence(step(), step())), side("b", evidence(bad, bad)))
    assert d.first is not None
    assert (d.first.step, d.others) == (1, ())


def test_the_whole_step_is_shown_only_where_no_layer_is_off() -> None:
    whole = {"loss": FAR, "conv1/kernel": NONE}
    found, _ = ladder.replay(evidence(), evidence(step(whole=whole)))
    assert [(place.part, place.quantity) for place in found] == [("whole", "loss")]
    assert (found[0].a, found[0].b, found[0].class_a, found[0].class_b) == (0.1, 900.0, "rounding", "wrong")
    found, _ = ladder.replay(evidence(), evidence(step(whole=whole, layers={"conv1/output": WRONG})))
    assert [place.part for place in found] == ["layers"]


def test_the_whole_step_comes_before_the_optimizer() -> None:
    bad = step(whole={"loss": FAR}, update={"conv1/kernel": WRONG, "conv1/bias": WRONG})
    found, _ = ladder.replay(evidence(), evidence(bad))
    assert [(place.part, place.quantity) for place in found] == [
        ("whole", "loss"),
        ("update", "conv1/kernel"),
        ("update", "conv1/bias"),
    ]


def test_a_quantity_that_one_cell_lacks_is_passed_over() -> None:
    assert ladder.replay(evidence(), evidence(step(layers={}))) == ([], ())


@pytest.mark.parametrize(("apart", "alike"), [(1e5, True), (1.1e5, False)])
def test_two_deviations_are_the_same_where_a_tenth_of_the_larger_parts_them(apart: float, alike: bool) -> None:
    def off(value: float) -> Evidence:
        wrong = Elementwise(3e6, 1e6, 100, "w", [value, *[0.0] * 15])
        return evidence(step(layers={"conv1/output": wrong}))

    found, shared = ladder.replay(off(1e6), off(1e6 + apart))
    assert (shared == ("conv1/output",), found == []) == (alike, alike)


def test_a_deviation_of_one_cell_alone_is_never_shared() -> None:
    small = Elementwise(3e6, 1e6, 100, "w", [0.0] * 16)
    found, shared = ladder.replay(evidence(), evidence(step(layers={"conv1/output": small})))
    assert (len(found), shared) == (1, ())


def test_two_results_that_are_not_finite_are_not_called_the_same() -> None:
    lost = evidence(step(layers={"conv1/output": Elementwise(None, None, 100, "n", [])}))
    (place,), shared = ladder.replay(lost, lost)
    assert (place.a, place.class_a, shared) == (math.inf, "wrong", ())


def test_a_reduced_format_is_named_in_a_layer_and_wrong_in_an_update() -> None:
    tf32 = Elementwise(3e3, 1e3, 100, "w", [1e3, *[0.0] * 15])
    found, _ = ladder.replay(evidence(), evidence(step(layers={"conv1/output": tf32}, update={"conv1/kernel": tf32})))
    assert [(place.part, place.class_b) for place in found] == [("layers", "tf32-like"), ("update", "wrong")]


# --- the rest of a diagnosis ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ("torch-2.2.2_keras-3.8.0_py3.11_cpu", "torch-2.2.2_keras-3.9.2_py3.11_cpu",
         ("torch-2.2.2_keras-3.8.0", "torch-2.2.2_keras-3.9.2", "py3.11, cpu")),
        ("torch-2.2.2_keras-3.8.0_py3.11_cpu", "torch-2.2.2_keras-3.8.0_py3.11_cuda",
         ("torch-2.2.2_cpu", "torch-2.2.2_cuda", "keras-3.8.0, py3.11")),
        ("jax-1_keras-3_py3.11_cpu", "jax-1_keras-3_py3.11_cpu (half-layer)",
         ("jax-1", "jax-1 (half-layer)", "keras-3, py3.11, cpu")),
        ("jax-1_keras-3_py3.11_cpu", "torch-2_keras-3_py3.11_cpu (half-layer)",
         ("jax-1", "torch-2 (half-layer)", "keras-3, py3.11, cpu")),
        ("jax-1_keras-3_py3.11_cpu", "torch-2_keras-4_py3.12_cuda",
         ("jax-1_keras-3_py3.11_cpu", "torch-2_keras-4_py3.12_cuda", "")),
        ("a", "b_c", ("a", "b_c", "")),
    ],
)  # fmt: skip
def test_cells_are_called_by_what_their_ids_do_not_share(a: str, b: str, found: tuple[str, str, str]) -> None:
    assert ladder.labels(a, b) == found


def test_a_diagnosis_counts_samples_and_compares_inputs() -> None:
    d = diagnose(side("a", evidence(step(), step(samples=4, left_out=2))), side("b"))
    assert (d.samples, d.left_out, d.network, d.same_inputs) == (12, 3, "conv", False)
    assert diagnose(side("a"), side("b")).same_inputs
    assert not diagnose(side("a"), side("b", evidence(step(inputs="2")))).same_inputs


def test_losses_drift_until_one_is_not_finite() -> None:
    a, b = evidence(free=Free([2.0, 1.0, 0.5, 0.1], "d")), evidence(free=Free([2.0, 0.5, 0.5, 0.1], "d"))
    assert ladder.trajectory(a, b) == (0.0, 0.5, 0.0, 0.0)
    for lost in ("nan", "inf"):
        assert ladder.trajectory(a, evidence(free=Free([2.0, lost, 0.5], "d"))) == (0.0,)
        assert ladder.trajectory(evidence(free=Free([2.0, lost, 0.5], "d")), a) == (0.0,)
    assert ladder.trajectory(evidence(free=Free([0.0], "d")), evidence(free=Free([0.0], "d"))) == (0.0,)


def test_a_second_process_with_other_bits_makes_a_cell_nondeterministic() -> None:
    other = evidence(step(layers={"conv1/output": msgspec.structs.replace(RIGHT, digest="other")}))
    assert side(again=None).nondeterministic is False
    assert side(again=evidence()).nondeterministic is False
    assert side(again=other).nondeterministic is True
    assert diagnose(side("a", again=other), side("b", again=evidence())).nondeterministic == ("a",)
    assert side(ladder=evidence(step(), step()), again=evidence()).nondeterministic is False, "it replays fewer steps"
    assert side(again=evidence(free=Free([2.3], "e"))).nondeterministic is True


def test_bits_are_those_of_layers_and_free_steps() -> None:
    assert diagnose(side("a"), side("b")).bit_equal
    other = evidence(step(layers={"conv1/output": RIGHT, "conv1/d-kernel": WRONG}))
    assert not diagnose(side("a"), side("b", other)).bit_equal


def test_what_a_switch_does() -> None:
    right, other = evidence(), evidence(step(layers={"conv1/output": msgspec.structs.replace(RIGHT, digest="b")}))
    wrong = evidence(step(layers={"conv1/output": WRONG}))
    switches = {"equal": other, "none": right, "wrong": wrong, "failed": "crashed: no"}
    found = ladder.toggled(side("a", right, toggles=switches), side("b", other))
    assert [(one.toggle, one.bits, one.equals_other, one.outcome, one.note) for one in found] == [
        ("equal", True, True, False, ""),
        ("none", False, False, False, ""),
        ("wrong", True, False, True, ""),
        ("failed", None, False, False, "crashed: no"),
    ]
    assert {one.cell for one in found} == {"a"}
    same = ladder.toggled(side("a", right, toggles={"none": right}), side("b", right))
    assert not same[0].equals_other, "two cells that are equal need no switch"


def test_an_update_that_a_switch_makes_right_is_another_outcome() -> None:
    wrong = evidence(step(update={"conv1/kernel": WRONG}))
    (found,) = ladder.toggled(side("a", wrong, toggles={"x": evidence()}), side("b"))
    assert (found.bits, found.outcome) == (False, True)
