"""A run in which torch 2.2.2 learns to 88 %: what every format says about it first.

The results are the first round of a real run of ``quick`` (``real_quick.json.gz``: path below the folder -> content).
Only the accuracies are changed.
"""

from __future__ import annotations

import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from runner import cli

REAL = Path(__file__).parent / "real_quick.json.gz"
BAD = "torch-2.2.2_keras-3.11.3_py3.11_cpu"
ACCURACIES = {
    BAD: 0.88,
    "tensorflow-2.21.0_keras-3.11.3_py3.11_cpu": 0.99,
    "torch-2.15.0_keras-3.11.3_py3.11_cpu": 0.9935,
    "jax-0.10.2_keras-3.11.3_py3.11_cpu": 0.991,
}
SAID = "torch 2.2.2 with keras 3.11.3 reaches 88.00 % test accuracy - tensorflow 2.21.0 99.00 %"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of the run."""
    content: dict[str, Any] = json.loads(gzip.decompress(REAL.read_bytes()))
    for name, result in content.items():
        accuracy = ACCURACIES.get(Path(name).parts[1]) if "/mnist/" in name else None
        for metric in result.get("metrics", ()):
            if accuracy is not None and metric["name"] == "free.test_accuracy":
                metric["value"] = accuracy
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(result))
    return tmp_path


def report(run: Path, form: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.run(["report", str(run), "--format", form]) == 1
    return capsys.readouterr().out


def test_the_terminal_names_it_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = report(run, "terminal", capsys).splitlines()
    first = next(place for place, line in enumerate(lines) if not line.strip()) + 1
    assert lines[first].startswith(f"WORSE      {SAID}, torch 2.15.0 99.35 %, jax 0.10.2 99.10 %")
    below = " ".join(lines[first + 1 : first + 8])
    assert "11 points lower; runs with other seeds differ by about 0." in below
    assert "it follows tensorflow 2.21.0 for 186 steps: not the arithmetic" in " ".join(below.split())
    assert f"bisect torch --good 2.15.0 --bad 2.2.2 --find-fix --cell {BAD}" in below
    assert f"diagnose {BAD} tensorflow-2.21.0_keras-3.11.3_py3.11_cpu" in below
    assert any(line.startswith(f"WORSE      {SAID}") for line in lines[-4:]), "the end of the screen has no answer"
    assert lines[-1] == "exit code 1: something got worse or broke"
    assert "BETTER" not in "\n".join(lines)  # 2.15.0 is not better: 2.2.2 is worse
    tiles = next(line for line in lines if line.startswith("keras 3.11.3 ")).split()
    assert (tiles[3], tiles[4]) == ("✗", "?")  # torch 2.2.2, 2.15.0
    row = next(line for line in lines if line.strip().startswith("2.2.2   3.11.3"))
    assert "88.00 % ✗" in row


def test_markdown_names_it_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = report(run, "markdown", capsys)
    assert said.index("**WORSE** " + SAID) < said.index("**KNOWN**") < said.index("### mnist")
    assert "next: `python -m runner bisect torch" in said


class _Text(HTMLParser):
    text = ""

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def test_html_names_it_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = _Text()
    page.feed(report(run, "html", capsys))
    text = " ".join(page.text.split())
    assert text.index("WORSE " + SAID) < text.index("KNOWN")
    assert "python -m runner bisect torch" in text


def test_json_has_it_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(report(run, "json", capsys))
    first = said["findings"][0]
    assert (said["exit_code"], first["severity"], first["cells"]) == (1, "regressed", [BAD])
    assert first["text"].startswith(SAID)
    (judged,) = [
        c
        for c in said["comparisons"]
        if c["candidate"] == BAD and c["metric"] == "free.test_accuracy" and c["axis"] == "framework"
    ]
    assert judged["verdict"] == "regressed"
    assert 0.001 < judged["evidence"]["spread"] < 0.01


def test_the_run_as_it_was_has_no_finding_about_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, result in json.loads(gzip.decompress(REAL.read_bytes())).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(result))
    assert cli.run(["report", str(tmp_path)]) == 0
    assert "WORSE" not in capsys.readouterr().out
