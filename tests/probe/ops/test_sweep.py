"""The sweep over a Keras made of NumPy: every outcome, limits, and going on after a crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from runner.probe.cases import supervise
from runner.probe.ops import engines, gradients, prelude, sweep, truth
from runner.probe.ops.case import Case, Sweep, operation

PAYLOAD = Path(supervise.__file__).parents[2]


class Tensor(np.ndarray):
    """An array that is not a plain one, as a framework's tensor is not."""


def tensor(value: object) -> Tensor:
    return np.asarray(value).view(Tensor)


def fake_keras() -> types.SimpleNamespace:
    def symbolic(function):
        def call(x, *rest):
            return Symbol(x.shape, x.dtype) if isinstance(x, Symbol) else tensor(function(x, *rest))

        return call

    def crash(_):
        os.kill(os.getpid(), 11)

    def boom(_):
        raise RuntimeError("at 0x7f12 in /some/where/x.py: conv_12 broke\nmore")

    def limited(_):
        raise NotImplementedError("not here")

    class Symbol:
        def __init__(self, shape, dtype):
            self.shape, self.dtype = shape, dtype

    ops = types.SimpleNamespace(
        convert_to_tensor=tensor,
        convert_to_numpy=np.asarray,
        cast=lambda x, dtype: tensor(np.asarray(x).astype(dtype)),
        exp=symbolic(lambda x: np.exp(np.asarray(x, "float64")).astype("float32")),
        square=symbolic(lambda x: np.asarray(x) ** 2 + 1),
        sum=symbolic(np.asarray),
        sqrt=symbolic(lambda x: np.where(np.asarray(x) > 1, np.nan, np.sqrt(x))),
        sin=boom,
        cos=limited,
        tan=crash,
        tanh=lambda x: x if isinstance(x, Symbol) else tensor(np.tanh(np.asarray(x))[..., :0]),
    )
    return types.SimpleNamespace(
        ops=ops,
        KerasTensor=Symbol,
        backend=types.SimpleNamespace(standardize_dtype=str),
        config=types.SimpleNamespace(backend=lambda: "numpy"),
        optimizers=types.SimpleNamespace(),
    )


class Journal:
    """Keeps nothing."""

    def __init__(self):
        self.records, self.done, self.fatal, self.careful, self.cpu_s = {}, 0, {}, set(), 0.0
        self.begun = []

    def chunk(self, records, _done):
        json.dumps(records)

    def begin(self, name, _alone):
        self.begun.append(name)


def swept(*cases, journal=None, budget_s=60.0):
    sweeper = sweep.Sweeper(engines.Engine(fake_keras()), budget_s, journal or Journal())
    sweeper.run(list(cases))
    return sweeper


def case(expr, ref, **options):
    return Case(expr, {"x": "array([0.5, 2.0])"}, ref, **options)


@pytest.mark.parametrize(
    ("expr", "ref", "status"),
    [
        ("ops.exp(x)", "np.exp(x)", "ok"),
        ("ops.exp(x)", None, "seen"),
        ("ops.square(x)", "x ** 2", "wrong"),
        ("ops.sum(x)", "np.sum(x)", "shape"),
        ("ops.sqrt(x)", "np.sqrt(x)", "nan"),
        ("ops.sin(x)", "np.sin(x)", "raises"),
        ("ops.cos(x)", "np.cos(x)", "unsupported"),
        ("ops.no_such(x)", "x", "unsupported"),
        ("ops.exp(x)", "np.no_such(x)", "seen"),
        ("ops.exp(x) == 1", "np.exp(x) == 1", "ok"),
        ("ops.exp(x) < 3", "x > 1", "wrong"),
    ],
)
def test_every_outcome_has_its_name(expr: str, ref: str | None, status: str) -> None:
    one = case(expr, ref)
    assert swept(one).records[one.ident].status == status


def test_a_message_is_kept_without_what_changes_from_run_to_run() -> None:
    one = case("ops.sin(x)", "np.sin(x)")
    assert swept(one).records[one.ident].note == "RuntimeError: at 0x in x.py: conv broke"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Resizing with Lanczos interpolation is not supported by the PyTorch backend. Received: x", "unsupported"),
        ("Argument `num_segments` must be set when using the JAX backend. Received: None", "unsupported"),
        ("torch.linspace does not support an `axis` argument. Received axis=-1", "unsupported"),
        ("`strides > 1` not supported in conjunction with `dilation_rate > 1`", "raises"),
        ("The size of tensor a (6) must match the size of tensor b (5)", "raises"),
    ],
)
def test_a_limit_that_names_its_backend_is_no_failure(message: str, status: str) -> None:
    def limited(_):
        raise ValueError(message)

    sweeper = sweep.Sweeper(engines.Engine(fake_keras()), 60.0, Journal())
    sweeper.engine.keras.ops.cos = limited
    one = case("ops.cos(x)", "np.cos(x)")
    sweeper.run([one])
    assert sweeper.records[one.ident].status == status


@pytest.mark.parametrize(
    ("expr", "status"),
    [("dtype_of(ops.exp, 'int8')", "dtype"), ("missing_in_config(losses.Huber, delta=0.5)", "wrong")],
)
def test_a_wrong_text_is_named_with_what_came(expr: str, status: str) -> None:
    output = engines.Output([np.asarray("int8")], ["python"])
    found = truth.verdict(Case(expr, {}, "'float32'"), output, truth.Truth([np.asarray("float32")], [None]))
    assert found[0] == status
    assert found[2] == "expected ['float32'], got ['int8']"


def test_gradients_are_held_against_differences_of_the_reference() -> None:
    one = case("ops.square(x)", "x ** 2", wrt=("x",))
    exact, cotangents = {"x": np.array([0.5, 2.0])}, [np.array([1.0, 1.0])]
    assert gradients.judge(one, exact, cotangents, [np.array([1.0, 4.0])]) is None
    assert gradients.judge(one, exact, cotangents, [np.array([1.0, 4.1])]).status == "wrong"
    assert gradients.judge(one, exact, cotangents, [np.array([1.0, np.nan])]).status == "nan"
    assert gradients.judge(one, exact, cotangents, [None]).status == "wrong"


def test_a_symbolic_call_must_promise_what_comes_out() -> None:
    good, bad = case("ops.exp(x)", "np.exp(x)"), case("ops.tanh(x)", None)
    records = swept(good, bad).records
    assert "s" in records[good.ident].passed
    assert records[bad.ident + "#symbolic"].status == "shape"


def test_unspecified_results_are_never_wrong() -> None:
    one = case("ops.square(x)", "x ** 2", unspecified="no order is promised")
    assert swept(one).records[one.ident].status == "unspecified"


def test_the_budget_ends_the_sweep_and_says_so() -> None:
    sweeper = swept(case("ops.exp(x)", "np.exp(x)"), budget_s=-1.0)
    assert sweeper.not_run == 1
    assert sweeper.records == {}


def test_a_case_that_killed_a_process_is_not_run_again() -> None:
    journal, one, two = Journal(), case("ops.tan(x)", "np.tan(x)"), case("ops.exp(x)", "np.exp(x)")
    journal.fatal[one.ident] = 11
    records = swept(one, two, journal=journal).records
    assert records[one.ident].status == "crashes"
    assert records[two.ident].status == "ok"


SURVIVOR = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no dump of memory in the folder
sys.path.insert(0, {payload!r})
from probe.cases import supervise
journal = supervise.Journal()
supervise.survive(journal)
journal.load()
for i, name in enumerate(["a", "b", "c", "d"]):
    if i < journal.done:
        continue
    if name in journal.fatal:
        journal.chunk({{name: ["crashes", journal.fatal[name]]}}, i + 1)
        continue
    journal.begin(name, True)
    if name in ("b", "c"):
        os.kill(os.getpid(), 11)
    journal.chunk({{name: ["ok"]}}, i + 1)
journal.load()
import json
print(json.dumps(journal.records))
journal.close()
sys.exit(7)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_sweep_goes_on_after_a_crash(tmp_path: Path) -> None:
    script = SURVIVOR.format(payload=str(PAYLOAD))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    killed = ["crashes", "the process is killed by signal 11"]
    assert json.loads(done.stdout) == {"a": ["ok"], "b": killed, "c": killed, "d": ["ok"]}
    assert done.returncode == 7
    assert list(tmp_path.iterdir()) == []


# cases


def test_lines_become_cases_with_references() -> None:
    collected = Sweep(lambda expr: expr.replace("ops.", "np."))
    collected.add(
        """
        ops.exp(x)
        ops.sin(y) ==> np.sin(y)
        ops.cos(x) ==> ?
        """,
        {"x": "normal(3)", "y": "normal(4)"},
        wrt=("x",),
        dtypes=("", "float16"),
    )
    found = list(collected.cases.values())
    assert [c.ident for c in found[:2]] == ["ops.exp(x) | x=normal(3)", "ops.exp(x) | x=normal(3) | float16"]
    assert [c.ref for c in found[::2]] == ["np.exp(x)", "np.sin(y)", None]
    assert [c.wrt for c in found[::2]] == [("x",), (), ("x",)]


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(TypeError, match="pointwize"):
        case("ops.exp(x)", None, pointwize=True)


def test_a_case_is_about_its_first_public_name_that_is_no_array_function() -> None:
    assert operation("apply(layers.Dense(3), ops.exp(x))") == "layers.Dense"
    assert operation("ops.sort(random.shuffle(ops.arange(12)))") == "random.shuffle"
    assert operation("ops.istft(ops.stft(x))") == "ops.istft"


@pytest.mark.parametrize(
    ("expr", "exact"),
    [
        ("ops.floor(x)", True),
        ("ops.nextafter(x, y)", True),
        ("ops.maximum(x, 1.0)", True),
        ("ops.round(x)", True),
        ("ops.round(y, decimals=1)", False),
        ("ops.round(x, 2)", False),
        ("ops.floor(100 * x)", False),
        ("ops.exp(x)", False),
    ],
)
def test_functions_that_do_not_round_are_compared_exactly(expr: str, exact: bool) -> None:
    assert Case(expr, {}, None).exact is exact


def test_one_rounding_is_wrong_where_nothing_is_rounded() -> None:
    near = np.nextafter(np.float32(3.0), np.float32(4.0))
    output = engines.Output([np.asarray([near])], ["float32"])
    wanted = truth.Truth([np.asarray([3.0])], [np.asarray([3.0])])
    assert truth.verdict(Case("ops.floor(x)", {}, "x"), output, wanted)[0] == "wrong"
    assert truth.verdict(Case("ops.exp(x)", {}, "x"), output, wanted)[0] == "ok"


def test_a_tracer_without_room_for_a_mask_is_not_held_against_keras() -> None:
    class Tracer:
        __slots__ = ()

    with pytest.raises(NotImplementedError, match="Tracer"):
        prelude.masked(Tracer(), None)


def test_any_error_is_a_refusal() -> None:
    assert prelude.refused(lambda: 1 / 0)
    assert not prelude.refused(lambda: 1)


def test_a_value_that_a_release_does_not_know_is_not_a_failure() -> None:
    message = "Invalid value for argument `reduction`. Expected one of {...}"
    assert sweep._unknown_argument("losses.Huber(reduction='mean')", message)
    assert not sweep._unknown_argument("losses.Huber()", message)
