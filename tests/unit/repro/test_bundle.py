"""A folder that reproduces one result without this project."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.environments.lockfile import Lock, Recipe
from runner.model import Cell, Kind, Metric, Sample, Status
from runner.repro import bundle

CELL = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
LOCK = Lock(
    Path("x"), Recipe("e", "3.11", "p", "cpu", "2026-01-01T00:00:00Z", ("jax==0.10.2",)), ("a note",), "",
    ("jax==0.10.2",), ("keras==3.11.3",), "0" * 64, {"jax": "0.10.2"},
)  # fmt: skip
SAMPLE = Sample(
    CELL, "e", "conv2d", {}, 0, 0, "docker", Status.OK, "",
    (
        Metric("digest", "ab", Kind.EXACT), Metric("error", 1.5, Kind.ERROR), Metric("time_s", 0.1, Kind.TIMING),
        Metric("process_s", 7.0, Kind.TIMING),
    ),
)  # fmt: skip


def _bundle(**more: object) -> bundle.Bundle:
    given = {"request": {"probe": "conv2d"}, "sample": SAMPLE, **more}
    return bundle.Bundle(CELL, LOCK, {"Dockerfile": "FROM x\n"}, **given)  # type: ignore[arg-type]


def test_the_folder_holds_all_it_takes() -> None:
    files = bundle.files(_bundle())
    assert set(files) == {
        "Dockerfile", "lock.txt", "expected.json", "check.py", "reproduce.sh", "README.md", "request.json"
    }  # fmt: skip
    assert files["lock.txt"] == "jax==0.10.2\nkeras==3.11.3\n"
    assert "a note" in files["README.md"]


def test_exact_figures_must_be_repeated_timings_are_shown_and_the_wall_time_is_left_out() -> None:
    """The wall time is measured around the process: what runs in the container cannot report it."""
    assert bundle.expected(SAMPLE) == {
        "status": "ok", "same": {"digest": "ab", "error": 1.5}, "shown": {"time_s": 0.1}
    }  # fmt: skip


def test_it_runs_without_a_network_and_its_words_are_quoted() -> None:
    text = bundle.reproduce(_bundle(request=None, script="print()", arguments=("it's; rm -rf x",)))
    assert "--network none" in text
    assert "'it'\\''s; rm -rf x'" in text
    assert "--env 'KERAS_BACKEND=jax'" in text


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, ["--env 'KERAS_BACKEND=jax'"]),
        ({"KERAS_BACKEND": "numpy", "XLA_FLAGS": "--a b"}, ["--env 'KERAS_BACKEND=numpy'", "--env 'XLA_FLAGS=--a b'"]),
    ],
)
def test_a_script_gets_the_backend_and_the_variables_of_its_cell(variables: dict[str, str], words: list[str]) -> None:
    text = bundle.reproduce(_bundle(request=None, script="print()", variables=variables))
    assert all(word in text for word in words)
    assert text.count("KERAS_BACKEND") == 1
    assert "--env 'HOME=/tmp'" in text


def test_a_script_without_keras_has_no_backend() -> None:
    native = replace(_bundle(request=None, script="print()"), cell=replace(CELL, keras=None))
    assert "KERAS_BACKEND" not in bundle.reproduce(native)


def test_a_probe_is_copied_into_the_folder_it_runs_in_and_checked() -> None:
    text = bundle.reproduce(_bundle())
    assert "\ncp -R probe request.json out/\n" in text
    assert (
        '"$image" python -m probe\ndocker run $limits --volume "$PWD:/bundle:ro" "$image" python /bundle/check.py'
        in text
    )
    assert "image=reproduce-jax-0-10-2-keras-3-11-3-py3-11-cpu\n" in text
    assert "KERAS_BACKEND" not in text
    assert "mnist.npz" not in text
    assert "--gpus" not in text


def test_a_script_is_mounted_read_only_and_its_end_is_the_answer() -> None:
    text = bundle.reproduce(_bundle(request=None, script="print()", arguments=("a b",)))
    assert '--volume "$PWD/script.py:/script/script.py:ro"' in text
    assert text.endswith("\"$image\" python /script/script.py 'a b'\n")
    assert "cp -R" not in text


def test_a_cuda_cell_gets_the_gpus_and_data_is_mounted() -> None:
    text = bundle.reproduce(replace(_bundle(data_name="MNIST"), cell=replace(CELL, device="cuda")))
    assert "--gpus all" in text
    assert '--volume "$PWD/data/mnist.npz:/data/mnist.npz:ro"' in text


def test_the_description_names_versions_machine_result_and_notes() -> None:
    sample = replace(
        SAMPLE, fingerprint={"cpu": "EPYC", "cores": 8}, started="2026-02-03", status=Status.CRASHED, reason="x"
    )
    text = bundle.readme(_bundle(sample=sample, data_name="MNIST", notes=("other lock",)))
    for line in (
        "# jax-0.10.2_keras-3.11.3_py3.11_cpu",
        "This folder reproduces the probe conv2d in one pinned environment. It needs Docker and a POSIX shell:",
        "| jax | 0.10.2 |",
        "| keras | 3.11.3 |",
        "| Python | 3.11 |",
        "| device | cpu |",
        "| packages as of | 2026-01-01T00:00:00Z |",
        "| measured | 2026-02-03, EPYC, 8 cores |",
        "| result | crashed x |",
        "`data/mnist.npz` is the data set MNIST.",
        "- a note",
        "- other lock",
    ):
        assert f"{line}\n" in text


def test_the_description_of_a_script_has_no_result() -> None:
    native = replace(_bundle(request=None, script="print()", sample=None), cell=replace(CELL, keras=None))
    text = bundle.readme(native)
    assert "This folder reproduces a script" in text
    assert "| keras | none |" in text
    assert "| measured |" not in text
    assert "is the data set" not in text
    assert bundle.files(native)["script.py"] == "print()"
    assert "request.json" not in bundle.files(native)
    assert json.loads(bundle.files(native)["expected.json"]) == {"status": None, "same": {}, "shown": {}}


def _check(tmp_path: Path, sample: Sample, found: dict[str, Any], status: str = "ok") -> int:
    """The exit code of check.py where a second run reports these figures."""
    files = bundle.files(_bundle(sample=sample))
    (tmp_path / "out").mkdir()
    (tmp_path / "expected.json").write_text(files["expected.json"])
    metrics = [{"name": name, "value": value} for name, value in found.items()]
    (tmp_path / "out" / "result.json").write_text(json.dumps({"status": status, "reason": "", "metrics": metrics}))
    with pytest.raises(SystemExit) as end:
        exec(compile(files["check.py"], "check.py", "exec"), {"__file__": f"{tmp_path}/check.py"})  # noqa: S102
    return int(end.value.code or 0)


def test_the_check_ends_with_0_where_all_figures_are_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check(tmp_path, SAMPLE, {"digest": "ab", "error": 1.5, "time_s": 3}) == 0
    assert capsys.readouterr().out.splitlines() == [
        "status ok ", "same   digest ab ", "same   error 1.5 ", "shown  time_s 3 was 0.1", "all 2 figures are the same"
    ]  # fmt: skip


def test_the_check_names_the_figures_and_the_status_that_are_not_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check(tmp_path, SAMPLE, {"digest": "cd", "time_s": 3}, "crashed") == 1
    assert capsys.readouterr().out.splitlines() == [
        "status crashed ", "expected status ok", "DIFFER digest cd expected 'ab'", "DIFFER error None expected 1.5",
        "shown  time_s 3 was 0.1", "not the same: status, digest, error",
    ]  # fmt: skip


def test_nan_is_the_same_as_nan(tmp_path: Path) -> None:
    sample = replace(SAMPLE, metrics=(Metric("loss", [1.0, math.nan], Kind.TRAJECTORY),))
    assert _check(tmp_path, sample, {"loss": [1.0, math.nan]}) == 0


def test_the_whole_script_of_a_probe() -> None:
    assert bundle.reproduce(_bundle(data_name="MNIST")) == (
        "#!/bin/sh\n"
        "# Build the image, run in it, check the figures. BUILD_ARGUMENTS goes to docker build.\n"
        "set -eu\n"
        'cd "$(dirname "$0")"\n'
        "image=reproduce-jax-0-10-2-keras-3-11-3-py3-11-cpu\n"
        'limits="--rm --init --network none --cap-drop ALL --security-opt no-new-privileges --shm-size 1g"\n'
        'docker build ${BUILD_ARGUMENTS:-} --tag "$image" .\n'
        "rm -rf out\n"
        "mkdir out\n"
        "cp -R probe request.json out/\n"
        'docker run $limits --user "$(id -u):$(id -g)" --volume "$PWD/out:/io" --workdir /io \\\n'
        "  --env 'HOME=/tmp' \\\n"
        "  --env 'TMPDIR=/tmp' \\\n"
        "  --env 'XDG_CACHE_HOME=/tmp/.cache' \\\n"
        "  --env 'USER=cell' \\\n"
        "  --env 'PYTHONDONTWRITEBYTECODE=1' \\\n"
        "  --env 'PYTHONUNBUFFERED=1' \\\n"
        "  --env 'PYTHONFAULTHANDLER=1' \\\n"
        '  --volume "$PWD/data/mnist.npz:/data/mnist.npz:ro" \\\n'
        '  "$image" python -m probe\n'
        'docker run $limits --volume "$PWD:/bundle:ro" "$image" python /bundle/check.py\n'
    )


def test_the_whole_description() -> None:
    sample = replace(SAMPLE, started="2026-02-03", status=Status.CRASHED, reason="x")
    assert bundle.readme(_bundle(sample=sample, notes=("other lock",))).splitlines() == [
        "# jax-0.10.2_keras-3.11.3_py3.11_cpu",
        "",
        "This folder reproduces the probe conv2d in one pinned environment. It needs Docker and a POSIX shell:",
        "",
        "```",
        "sh reproduce.sh",
        "```",
        "",
        "It builds the image (`Dockerfile`; every package with its hash, `lock.txt` has them all in one), runs in it",
        "without a network, and prints whether the figures are those of `expected.json`. Exit code 0: yes; 1: no.",
        "Behind a proxy, give `docker build` what it needs in `BUILD_ARGUMENTS`.",
        "",
        "| | |",
        "|---|---|",
        "| jax | 0.10.2 |",
        "| keras | 3.11.3 |",
        "| Python | 3.11 |",
        "| device | cpu |",
        "| packages as of | 2026-01-01T00:00:00Z |",
        "| measured | 2026-02-03, unknown CPU, ? cores |",
        "| result | crashed x |",
        "",
        "Exact figures depend on which kernels the CPU's instruction sets choose; on another CPU they may differ",
        "in rounding.",
        "",
        "- a note",
        "- other lock",
    ]
