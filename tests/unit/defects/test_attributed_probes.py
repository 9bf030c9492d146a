"""From the training probe, exact figures and failures to defects, each once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner import defects
from runner.defects import training
from runner.model import Cell, Kind, Metric, Sample, Status

FRAMEWORKS = ("torch", "jax", "tensorflow")
KERAS = ("3.0.5", "3.8.0", "3.9.2", "3.15.1")
OK = ["ok", 0.5, "abcd1234", "", "", ""]


def wrong(value: float = 2.0, note: str = "the figure[1] is 2 instead of 1") -> list[Any]:
    return ["wrong", 1e5, [value, value], "", note, ""]


def raises(message: str) -> list[Any]:
    return ["raises", None, "", "", message, ""]


def sample(framework: str, keras: str, cases: dict[str, Any], **changes: Any) -> Sample:
    made: dict[str, Any] = {
        "cell": Cell(framework, "1.0", keras, "3.11", "cpu", changes.pop("variant", "")),
        "environment_id": "e",
        "probe": "training",
        "settings": {},
        "round": 0,
        "seed": 0,
        "executor": "host",
        "status": Status.OK,
        "reason": "",
        "details": {"cases": cases, "scripts": {c.split("(")[0]: f"print({framework!r})" for c in cases}},
        "packages": {"keras": keras, "numpy": "1.26.4"},
    }
    return Sample(**{**made, **changes})


def history(says: Any) -> list[Sample]:
    """One sample per framework and Keras; ``says(framework, keras)`` gives its cases."""
    return [sample(f, k, says(f, tuple(int(p) for p in k.split(".")))) for f in FRAMEWORKS for k in KERAS]


def only(samples: list[Sample]) -> defects.Defect:
    (found,) = defects.defects(samples)
    return found


def test_a_defect_of_one_backend_is_told_once_with_its_bounds_and_script() -> None:
    found = only(
        history(lambda f, k: {"fit.ema(weights)": wrong() if f == "torch" and k < (3, 9) else OK, "fit.ema(loss)": OK})
    )
    assert found.where == "all torch cells with keras 3.0.5 - 3.8.0"
    assert found.axis == "framework, keras"
    assert (found.last_good, found.first_bad, found.first_good) == (None, "3.0.5", "3.9.2")
    assert found.packages == ("keras 3.8.0 -> 3.9.2",)
    assert found.kind == "wrong weights"
    assert found.title.startswith("training, EMA (fit.ema): wrong weights - all torch cells")
    assert found.script == "# Seen with torch 1.0, keras 3.8.0, Python 3.11, cpu.\nprint('torch')"
    assert "2 instead of 1" in found.observed


def test_packages_are_told_from_the_older_to_the_newer_wherever_the_defect_is() -> None:
    found = only(history(lambda f, k: {"fit.ema(weights)": wrong() if f == "torch" and k > (3, 9) else OK}))
    assert (found.last_good, found.first_bad, found.first_good) == ("3.8.0", "3.9.2", None)
    assert found.packages == ("keras 3.8.0 -> 3.9.2",)


def test_what_is_only_reported_wrongly_is_less_grave_and_says_so() -> None:
    reported = only(history(lambda f, _: {"fit.mask(mae)": wrong() if f == "jax" else OK, "fit.mask(weights)": OK}))
    trained = only(history(lambda f, _: {"fit.mask(weights)": wrong() if f == "jax" else OK}))
    assert reported.kind == "wrong mae as reported"
    assert reported.severity < trained.severity
    assert reported.where == "all jax cells"


def test_scenarios_about_one_promise_in_the_same_cells_are_one_defect() -> None:
    names = ("optimizer.Adam_1(weights)", "optimizer.Adam_2(weights)", "fit.Adam(weights)", "optimizer.Lion_1(weights)")
    found = defects.defects(history(lambda f, _: dict.fromkeys(names, wrong() if f == "torch" else OK)))
    assert [d.op.split(" (")[0] for d in found] == ["training: Adam", "training: Lion"]
    assert set(found[0].cases) == {"optimizer.Adam_1", "optimizer.Adam_2", "fit.Adam"}


def test_an_optimizer_that_the_sweep_finds_too_is_told_once() -> None:
    trained = history(lambda f, _: {"optimizer.Lion_1(weights)": wrong() if f == "torch" else OK})
    right = ["ok", 1.0, "aa", "float32[3]", "", ""]
    bad = ["wrong", 1e6, [1.0, 2.0], "float32[3]", "expected [1.0]", ""]
    case = "update(optimizers.Lion(0.1), x) | x=normal(3)"
    swept = [
        replace(one, probe="ops", details={"cases": {case: bad if one.cell.framework == "torch" else right}})
        for one in trained
    ]
    found = only([*trained, *swept])
    assert found.op == "training: Lion (optimizer.Lion_1)"
    assert found.cases == ("optimizer.Lion_1", case)
    assert found.also == ("optimizers.Lion: wrong value",)
    right_in_one = [
        replace(one, details={"cases": {case: right}}) if one.cell.keras == "3.0.5" else one for one in swept
    ]
    assert len(defects.defects([*trained, *right_in_one])) == 2


def test_another_wrong_figure_is_another_defect() -> None:
    def says(framework: str, _keras: object) -> dict[str, Any]:
        return {"fit.mask(mae)": {"torch": wrong(2.0), "jax": wrong(3.0)}.get(framework, OK)}

    assert {d.where for d in defects.defects(history(says))} == {"all torch cells", "all jax cells"}


def test_one_wrong_figure_on_several_backends_is_one_defect() -> None:
    found = only(
        history(lambda f, k: {"batch.train_repeated(loss)": wrong(2.0 + 1e-6 * len(f)) if k < (3, 15) else OK})
    )
    assert found.where == "all cells with keras 3.0.5 - 3.9.2"
    assert (found.axis, found.first_good) == ("keras", "3.15.1")


def test_one_exception_in_many_scenarios_is_one_defect() -> None:
    names = ("fit.ema(loss)", "outputs.two(loss)", "partial.fit(loss)")

    def says(framework: str, keras: tuple[int, ...]) -> dict[str, Any]:
        bad = framework == "jax" and keras == (3, 8, 0)
        return {n: raises(f"AttributeError: no attribute 'x{i}'") if bad else OK for i, n in enumerate(names)}

    found = only(history(says))
    assert found.kind == "raises"
    assert found.where == "all jax cells with keras 3.8.0"
    assert (found.last_good, found.first_good) == ("3.0.5", "3.9.2")


def test_where_nothing_can_be_trained_the_plainest_scenario_speaks_for_all() -> None:
    names = ("fit.basic(weights)", "fit.ema(weights)", "outputs.two(weights)")
    found = only(history(lambda f, k: dict.fromkeys(names, wrong() if f == "torch" and k < (3, 8) else OK)))
    assert found.cases == ("fit.basic",)


def test_what_a_version_lacks_says_nothing() -> None:
    lacking = ["unsupported", None, "", "", "no keras.optimizers.Muon", ""]
    found = only(
        history(lambda f, k: {"optimizer.Muon_1(weights)": lacking if k < (3, 9) else wrong() if f == "torch" else OK})
    )
    assert (found.where, found.axis) == ("all torch cells with keras 3.9.2 - 3.15.1", "framework")
    assert not any("3.8.0" in cell for cell in (*found.cells, *found.good))


@pytest.mark.parametrize("cases", [{"odd": OK}, {"fit.ema(loss)": "x"}, {"fit.ema(loss)": [1]}, {}])
def test_records_that_are_none_are_passed_over(cases: dict[str, Any]) -> None:
    assert defects.defects([sample("torch", "3.0.5", cases)]) == ()


def test_every_scenario_of_a_promise_has_one_subject() -> None:
    assert training.subject("partial.outputs") == training.subject("outputs.two") == "several outputs"
    assert (
        training.subject("update.accumulation") == training.subject("fit.accumulation_adam") == "gradient accumulation"
    )
    assert training.subject("fit.layer_loss") == "fit.layer_loss"


# --- exact figures ----------------------------------------------------------------------------------------------------


def measured(framework: str, keras: str, variant: str = "", probe: str = "conv2d", **figures: Any) -> Sample:
    kinds = {"error_max": (Kind.ERROR, "u", 576)}
    metrics = tuple(
        Metric(name.replace("__", "."), value, *_layout(kinds.get(name.rpartition("__")[2])))
        for name, value in figures.items()
    )
    settings = {"cases": "small"} if probe == "conv2d" else {}
    return sample(framework, keras, {}, variant=variant, probe=probe, details={}, metrics=metrics, settings=settings)


def _layout(kind: Any) -> tuple[Any, ...]:
    from runner.model import Better

    return (kind[0], Better.LOWER, kind[1], kind[2]) if kind else (Kind.EXACT,)


def test_a_wrong_shape_of_a_convolution_follows_its_axis() -> None:
    samples = [
        measured(f, k, same_odd__outcome="wrong shape" if f == "torch" and k in KERAS[:2] else "ok")
        for f in FRAMEWORKS
        for k in KERAS
    ]
    found = only(samples)
    assert found.title == "conv2d, same_odd: wrong shape - all torch cells with keras 3.0.5 - 3.8.0"
    assert found.first_good == "3.9.2"
    assert "'--probe', 'conv2d'" in found.script
    assert "'--setting', 'conv2d.cases=\"small\"'" in found.script
    compile(found.script, "script", "exec")


def test_an_error_beyond_rounding_is_named_and_rounding_is_none() -> None:
    errors = {"torch": 2.2e6, "jax": 1.1, "tensorflow": 700.0}
    found = defects.defects([measured(f, "3.9.2", same__error_max=errors[f]) for f in FRAMEWORKS])
    assert [(d.kind, d.cells[0].split("-")[0]) for d in found] == [
        ("wrong value", "torch"),
        ("tf32-like precision", "tensorflow"),
    ]


def test_a_name_that_changed_between_versions_is_told_as_a_change() -> None:
    samples = [
        measured("jax", k, probe="parity", shuffle__generator="jax" if k == "3.15.1" else "numpy") for k in KERAS
    ]
    found = only(samples)
    assert found.kind == "changed between versions"
    assert found.where == "all cells with keras 3.0.5 - 3.9.2"
    assert found.observed == "shuffle.generator was numpy and is jax"
    assert found.severity < 3


def test_frameworks_may_differ_in_names() -> None:
    samples = [measured(f, k, probe="parity", shuffle__generator=f) for f in FRAMEWORKS for k in KERAS]
    assert defects.defects(samples) == ()


def test_a_cell_that_does_not_repeat_itself_is_nondeterministic() -> None:
    found = only([measured(f, "3.9.2", probe="mnist", controlled__repeatable=f != "torch") for f in FRAMEWORKS])
    assert (found.kind, found.where) == ("nondeterministic", "all torch cells")


# --- agreement --------------------------------------------------------------------------------------------------------


def agreeing(no_onednn: str) -> list[Sample]:
    digests = {("tensorflow", ""): "a", ("torch", ""): "a", ("jax", ""): "b", ("tensorflow", "no-onednn"): no_onednn}
    return [measured(f, "3.8.0", v, a__digest=d * 64, b__digest=d * 64) for (f, v), d in digests.items()]


def test_agreement_by_kernel_library_is_said_where_it_is_seen() -> None:
    (text,) = defects.agreements(agreeing("b"))
    assert text.startswith("conv2d: agreement follows the kernel library.")
    assert "tensorflow 1.0 (oneDNN) and torch 1.0 (oneDNN) in 2 of 2 cases" in text
    assert "jax 1.0 (XLA and Eigen) and tensorflow 1.0 no-onednn (XLA and Eigen) in 2 of 2 cases" in text
    (text,) = defects.agreements(agreeing("a"))
    assert "does not follow the kernel library alone" in text


def test_without_two_cells_on_one_library_nothing_is_said_of_agreement() -> None:
    assert defects.agreements(agreeing("b")[1:3]) == ()
    assert defects.agreements([]) == ()


# --- cells that do not run --------------------------------------------------------------------------------------------


def test_cells_that_do_not_import_share_a_reason_and_a_script() -> None:
    reason = "register_pytree_node() got an unexpected keyword argument 'flatten_with_keys_fn'"
    failed = [
        sample("torch", "3.15.1", {}, probe=p, details={}, status=Status.IMPORT_FAILED, reason=reason)
        for p in ("mnist", "conv2d")
    ]
    ran = [sample("torch", "3.9.2", {}, probe=p, details={}) for p in ("mnist", "conv2d")]
    (found,) = defects.defects([*failed, *ran], whole=True)
    assert found.title == "import: does not import - all cells with keras 3.15.1"
    assert (found.last_good, found.first_bad) == ("3.9.2", "3.15.1")
    assert found.observed == reason
    assert 'os.environ["KERAS_BACKEND"] = "torch"' in found.script
    compile(found.script, "script", "exec")
    assert defects.defects([*failed, *ran]) == ()


def test_what_this_machine_cannot_do_is_no_defect() -> None:
    away = sample("torch", "3.9.2", {}, details={}, status=Status.UNAVAILABLE, reason="no GPU")
    assert defects.defects([away], whole=True) == ()
