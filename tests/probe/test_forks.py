"""Many scripts in forks of one process: how each ends, and that none touches another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.repro import verify

FORKS = Path(verify.__file__).parent / "in_cell" / "forks.py"

SCRIPTS = {
    "aborts": "import os; print('before', flush=True); os.abort()",
    "asserts": "assert 0, 'defect: x'",
    "ends": "import sys; sys.exit(3)",
    "last": "import sys; sys.exit('the last word')",
    "left": "from pathlib import Path; Path('file').touch(); print(__name__, sorted(p.name for p in Path().iterdir()))",
    "prints": "print('x' * 10_000); print('end')",
    "sees": "import json, os; print(os.getcwd() != os.path.dirname(__file__), 'wrong' not in dir(json), os.listdir())",
    "sets": "import json, os; json.wrong = 1; os.environ['KERAS_BACKEND'] = 'torch'",
    "waits": "import time; time.sleep(600)",
    "well": "import os; print(os.environ.get('KERAS_BACKEND'))",
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("scripts")
    for name, text in SCRIPTS.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, str(FORKS), "json,no_such_module", "5", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": ""}, timeout=120)
    found = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert [one["name"] for one in found] == [f"{name}.py" for name in SCRIPTS], "in the order of their names"
    return {one["name"].removesuffix(".py"): one for one in found}


def test_each_script_says_how_it_ended(ended: dict[str, dict[str, Any]]) -> None:
    codes = {name: one["exit_code"] for name, one in ended.items() if one["signal"] is None}
    assert codes == {"asserts": 1, "ends": 3, "last": 1, "left": 0, "prints": 0, "sees": 0, "sets": 0, "well": 0}
    assert (ended["aborts"]["signal"], ended["aborts"]["output"]) == (6, "before\n")
    assert "defect: x" in ended["asserts"]["output"]
    assert ended["last"]["output"] == "the last word\n"


def test_a_script_that_does_not_end_is_killed_and_the_next_one_runs(ended: dict[str, dict[str, Any]]) -> None:
    assert (ended["waits"]["timed_out"], ended["waits"]["signal"]) == (True, 9)
    assert not ended["well"]["timed_out"]


def test_a_script_runs_as_main_in_an_empty_folder_and_leaves_nothing(ended: dict[str, dict[str, Any]]) -> None:
    assert ended["left"]["output"] == "__main__ ['file']\n"
    assert ended["sees"]["output"] == "True True []\n"
    assert ended["well"]["output"] == "None\n", "what another script sets is not seen"


def test_the_end_of_a_long_output_is_kept(ended: dict[str, dict[str, Any]]) -> None:
    assert ended["prints"]["output"].endswith("x\nend\n")
    assert len(ended["prints"]["output"]) == 4000
