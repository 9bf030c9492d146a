"""``runner diagnose`` from its command line to its exit code, with made-up evidence in place of processes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from runner import cli
from runner.diagnose import session
from runner.diagnose.switches import switches
from runner.matrix import configuration, frameworks, probes
from runner.matrix.plan import Host, Offer
from runner.measure import host, scheduler
from runner.model import Cell, Custom, Environment, Job, Sample, Status
from runner.probe import diagnose as probe
from runner.probe.diagnose import faults
from runner.probe.diagnose import switches as toggles

JAX = "jax-0.10.2_keras-3.11.3_py3.11_cpu"
TENSORFLOW = "tensorflow-2.21.0_keras-3.11.3_py3.11_cpu"
FINE = [0.5, 0.1, 10, "abc", [0.0] * 16]
STEP: dict[str, Any] = {
    "inputs": "1",
    "left_out": 1,
    "samples": 8,
    "layers": {"conv1/output": FINE, "conv1/d-kernel": FINE},
    "whole": {"loss": [0.1, [0.0] * 16]},
    "update": {"conv1/kernel": FINE},
    "loss": [2.3, 2.3],
    "same optimizer": [0.1, [0.0] * 16],
    "no dropout": [0.1, [0.0] * 16],
    "float64": [0.0, [0.0] * 16],
}
SEEDS = {"loss": [0.30, 0.33, 0.31], "accuracy": [0.9, 0.91, 0.92], "first_epoch": [1.3, 1.31, 1.32]}
EVIDENCE: dict[str, Any] = {
    "network": "conv",
    "steps": [STEP],
    "seeded": dict.fromkeys(("as reported", "same weights", "same order"), SEEDS),
    "suspects": {"initial": [[0.1, 0.1, 1000]], "dropout": [0.2, 0.2, 1.25, 100000]},
    "double": "",
    "free": {"losses": [2.3, 2.2], "digest": "d"},
    "seconds": {"seeded": 1.0},
}


class Runs:
    """Stands in for ``run.run``: keeps the jobs, answers with the evidence of their cells."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.data: list[Any] = []
        self.evidence: dict[str, dict[str, Any]] = {}
        self.status: dict[str, Status] = {}

    def __call__(self, jobs: tuple[Job, ...], context: Any, _observe: Any) -> list[Sample]:
        self.jobs += jobs
        self.data += [context.data.get(job.probe.name) for job in jobs]
        return [self.sample(job) for job in jobs]

    def sample(self, job: Job) -> Sample:
        toggle = job.probe.settings.get("toggle") or ""
        status = self.status.get(str(toggle) or job.cell.id, Status.OK)
        found = self.evidence.get(job.cell.id, EVIDENCE)
        return Sample(
            cell=job.cell, environment_id=job.environment.id, probe="diagnose", settings=dict(job.probe.settings),
            round=job.round, seed=job.seed, executor=job.executor, status=status,
            reason="" if status == Status.OK else "no such thing", details={"evidence": found},
        )  # fmt: skip


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    monkeypatch.chdir(tmp_path)
    here = Host("linux-x86_64", "linux-x86_64", {"docker": Offer("containers", isolated=True)})
    monkeypatch.setattr(host, "host_facts", lambda _executor: here)
    made = Runs()
    monkeypatch.setattr(scheduler, "run", made)
    return made


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["diagnose", *arguments, "--offline"])
    out = capsys.readouterr()
    return code, " ".join(out.out.split()), out.err


def test_cells_that_agree_are_exit_code_0(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, JAX, TENSORFLOW)
    assert code == 0
    assert "compute the same bits" in out
    assert "The ladder" in out


class TestOwnModel:
    """The model of a user's probe."""

    TEXT = "DEFAULTS = {'units': 8}\ndef measure(report, settings): pass\ndef diagnose(settings): pass\n"

    @pytest.fixture(autouse=True)
    def written(self, tmp_path: Path, runs: Runs) -> None:
        assert runs.jobs == []  # the fixture has changed to the folder
        (tmp_path / "keras-matrix.toml").write_text('schema = 1\n[probes.mine]\nfile = "mine.py"\n')
        (tmp_path / "mine.py").write_text(self.TEXT)
        configuration.forget()

    def test_its_file_is_the_data_of_every_process(self, runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, _ = answer(capsys, JAX, TENSORFLOW, "--probe", "mine", "--setting", "mine.units=4", "--with", "scipy")
        assert code == 0
        for job in runs.jobs:
            assert (job.probe.name, job.probe.settings["own"]) == ("diagnose", "mine.py")
            assert json.loads(str(job.probe.settings["own_settings"])) == {"units": 4}
            assert job.environment.custom == Custom(("scipy",))
        assert {found and found.name for found in runs.data} == {"mine.py"}

    def test_a_model_that_no_cell_can_take_is_one_line(self, runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
        runs.status = {JAX: Status.UNSUPPORTED, TENSORFLOW: Status.UNSUPPORTED}
        code, _, err = answer(capsys, JAX, TENSORFLOW, "--probe", "mine")
        assert (code, err.splitlines()[-1]) == (2, "runner: --probe mine: no such thing")

    def test_cells_that_got_other_data_are_not_compared(self, runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
        runs.evidence = {JAX: {**EVIDENCE, "given": "a"}, TENSORFLOW: {**EVIDENCE, "given": "b"}}
        code, _, err = answer(capsys, JAX, TENSORFLOW, "--probe", "mine")
        assert code == 2
        assert "the two cells got another model or other data: make both with NumPy and settings.seed" in err

    @pytest.mark.parametrize(
        ("words", "text", "why"),
        [
            (
                ("--probe", "mine"),
                "def measure(report, settings): pass\n",
                "mine.py: has no function diagnose(settings)",
            ),
            (("--probe", "mine"), "x = (\n" + TEXT, "mine.py, line 1: '(' was never closed"),
            (("--probe", "mine"), "\ndef measure(:\n", "mine.py, line 2: invalid syntax"),
            (("--probe", "mnist"), TEXT, "the probe mnist: has no function diagnose(settings)"),
            (("--probe", "mime"), TEXT, "no probe 'mime' (did you mean 'mine'"),
            (("--probe", "mine", "--setting", "mine.unit=1"), TEXT, "mine has no setting 'unit'"),
            (("--setting", "mine.units=1"), TEXT, "--setting is for the probe of --probe"),
            (("--probe", "mine", "--data", "a.npz"), TEXT, "--data is for the program's networks"),
            (("--probe", "mine", "--with", "./x"), TEXT, "--with './x': it looks like scipy"),
        ],
    )
    def test_what_gives_no_model_is_one_line(
        self, words: tuple[str, ...], text: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "mine.py").write_text(text)
        code, _, err = answer(capsys, JAX, TENSORFLOW, *words)
        assert code == 2
        assert why in err
        assert err.count("\n") == 1


def test_every_cell_runs_its_ladder_a_second_run_and_its_switches(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, JAX, TENSORFLOW, "--seeds", "7")
    settings = [(job.cell.framework, job.probe.settings) for job in runs.jobs]
    assert [s["seeds"] for _, s in settings] == [7, 7, *[0] * 6]
    assert [(f, s["toggle"]) for f, s in settings if "toggle" in s] == [
        ("jax", "one-thread"),
        ("tensorflow", "no-onednn"),
        ("tensorflow", "one-thread"),
        ("tensorflow", "deterministic"),
    ]
    known = probes.settings("diagnose")
    assert all(set(s) <= set(known) for _, s in settings)
    assert [s["steps"] for _, s in settings] == [4, 4, *[2] * 6]
    slots = [(job.cell, job.round) for job in runs.jobs]
    assert len(set(slots)) == len(slots), "a result file each"


def test_a_difference_is_exit_code_1_and_names_the_layer(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    bad = copy.deepcopy(EVIDENCE)
    bad["steps"][0]["layers"]["conv1/output"] = [3e5, 2e5, 10, "xyz", [5e4] * 16]
    bad["steps"][0]["no dropout"] = bad["steps"][0]["same optimizer"] = [900.0, [225.0] * 16]
    bad["steps"][0]["float64"] = [900.0, [225.0] * 16]
    runs.evidence[TENSORFLOW] = bad
    code, out, _ = answer(capsys, JAX, TENSORFLOW, "--no-toggles", "--json")
    shown = json.loads(out)
    assert code == 1
    assert shown["first"]["quantity"] == "conv1/output"
    assert (shown["top"], shown["gone"]) == ("no dropout", None)
    assert "in float64 too" in shown["answer"]
    assert "the forward pass of conv1" in shown["answer"]


def test_markdown(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = answer(capsys, JAX, TENSORFLOW, "--format", "markdown")
    assert f"## {JAX} and {TENSORFLOW}" in out
    assert "| as reported |" in out


def test_a_cell_that_cannot_train_is_the_difference(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.status[TENSORFLOW] = Status.IMPORT_FAILED
    code, out, _ = answer(capsys, JAX, TENSORFLOW)
    assert code == 1
    assert f"{TENSORFLOW}: import-failed: no such thing" in out
    assert "only one of them trains" in out


@pytest.mark.parametrize(("cells", "code"), [((JAX,), 3), ((JAX, TENSORFLOW), 4)])
def test_what_could_not_be_measured(
    runs: Runs, capsys: pytest.CaptureFixture[str], cells: tuple[str, ...], code: int
) -> None:
    runs.status.update(dict.fromkeys(cells, Status.UNAVAILABLE))
    found, out, _ = answer(capsys, JAX, TENSORFLOW)
    assert found == code
    assert "unavailable: no such thing" in out


def test_a_switch_that_a_version_refuses_does_not_keep_the_others_from_being_tried(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.status["no-onednn"] = Status.CRASHED
    code, out, _ = answer(capsys, JAX, TENSORFLOW)
    assert code == 0
    assert "could not be run: crashed: no such thing" in out
    assert runs.jobs[-1].probe.settings["toggle"] == "deterministic"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((JAX, JAX), "both are the same cell"),
        ((JAX, "jax-0.10.2_native_py3.11_cpu"), "a native cell has no Keras layers"),
        ((JAX, "numpy-2.4.6_keras-3.11.3_py3.11_cpu"), "does not train; there are: tensorflow, torch, jax"),
        ((JAX, "tensorflow-2.21.0_keras-3.11.3_cpu"), f"did you mean '{TENSORFLOW}'"),
        ((JAX, TENSORFLOW + "+nosuch"), "no variant 'nosuch'"),
        ((JAX, TENSORFLOW, "--executor", "dokcer"), "did you mean 'docker'"),
        ((JAX, TENSORFLOW, "--fault", "half-layr"), "did you mean 'half-layer'"),
        ((JAX,), "Missing argument 'CELL_B'"),
    ],
)
def test_bad_usage_is_one_line(
    runs: Runs, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], line: str
) -> None:
    code, _, err = answer(capsys, *arguments)
    assert code == 2
    assert line in err
    assert err.count("\n") == 1
    assert not runs.jobs


@pytest.mark.parametrize(
    ("cells", "problem", "code", "line"),
    [
        ((JAX, TENSORFLOW), "no engine", 4, f"{JAX}: no engine"),
        ((JAX, JAX.replace("_cpu", "_mps")), "", 3, "MPS cannot be reached from a container"),
        ((JAX, JAX.replace("py3.11", "py3.7")), "", 2, "jax 0.10.2 needs Python >= 3.11, not 3.7"),
    ],
)
def test_cells_that_cannot_run_here_are_not_bad_usage(
    runs: Runs,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cells: tuple[str, str],
    problem: str,
    code: int,
    line: str,
) -> None:
    here = Host("linux-x86_64", "linux-x86_64", {"docker": Offer("containers", isolated=True, problem=problem)})
    monkeypatch.setattr(host, "host_facts", lambda _executor: here)
    found, _, err = answer(capsys, *cells)
    assert (found, runs.jobs) == (code, [])
    assert line in err
    assert err.count("\n") == 1


def test_a_cell_is_compared_with_itself_broken_on_purpose(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys, JAX, JAX, "--fault", "adam-epsilon", "--no-toggles")
    assert code == 0
    assert "jax-0.10.2 and jax-0.10.2 (adam-epsilon) (both keras-3.11.3, py3.11, cpu)" in out
    assert [job.probe.settings["fault"] for job in runs.jobs] == ["", "adam-epsilon", "", "adam-epsilon"]


def test_a_short_run_replays_no_more_steps_than_the_ladder(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, JAX, TENSORFLOW, "--steps", "1")
    assert {job.probe.settings["steps"] for job in runs.jobs} == {1}


def test_the_payload_has_every_switch_and_the_ladder_every_rung() -> None:
    tried = set()
    for framework in frameworks.training():
        for device in ("cpu", "cuda", "mps"):
            for name in switches(Cell(framework, "1", "3", "3.11", device)):
                toggles.before(name, framework, {})  # type: ignore[no-untyped-call]
                tried.add((framework, name))
    assert {framework for framework, _ in tried} == set(frameworks.training())
    assert ("torch", "no-onednn") in tried
    assert tuple(faults.FAULTS) == session.FAULTS
    assert [name for name, *_ in probe.RUNGS] == ["as reported", "same weights", "same order"]


def test_environments_are_those_of_the_matrix(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, JAX, TENSORFLOW)
    assert runs.jobs[0].environment == Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
    assert {job.executor for job in runs.jobs} == {"docker"}
