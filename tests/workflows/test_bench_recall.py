"""The sample of fixes and its replay: what is drawn, what is tried, and the rate."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "recall"
if not BENCH.is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
sys.path.insert(0, str(BENCH))
draw: Any = __import__("draw")
replay: Any = __import__("replay")

CODE, TEST = "keras/src/layers/core/dense.py", "keras/src/layers/core/dense_test.py"


@pytest.mark.parametrize(
    ("subject", "fix"),
    [
        ("Fix Dense with a bias", True),
        ("Handle None in Masking", True),
        ("Fix typo in Dense", False),
        ("Fix docs of Dense", False),
        ("Add Dense", False),
        ("Fix flaky test", False),
    ],
)
def test_a_subject_says_whether_something_was_wrong(subject: str, fix: bool) -> None:
    assert bool(draw.FIX.search(subject) and not draw.OTHER.search(subject)) is fix


def test_a_fix_changes_code_and_a_test_of_it() -> None:
    assert draw.CODE.match(CODE)
    assert not draw.CODE.match(TEST)
    assert draw.TEST.match(TEST)
    assert not draw.CODE.match("keras/api/layers/__init__.py")


@pytest.mark.parametrize(
    ("files", "probe", "chosen"),
    [
        ([CODE], "ops", True),
        (["keras/src/callbacks/csv_logger.py"], "ops", False),
        (["keras/callbacks/csv_logger.py"], "callbacks", True),
        (["keras/src/layers/preprocessing/hashing.py"], "ops", True),
    ],
)
def test_a_folder_chooses_the_probes(files: list[str], probe: str, chosen: bool, tmp_path: Path) -> None:
    for name in replay.EVERY:
        (tmp_path / name).mkdir()
    monkeyed, replay.PAYLOAD = replay.PAYLOAD, tmp_path
    try:
        assert (probe in replay.chosen(files)) is chosen
    finally:
        replay.PAYLOAD = monkeyed


def test_a_backends_own_file_chooses_that_backend() -> None:
    assert replay.backends(["keras/src/backend/jax/nn.py"], ["torch"]) == ["jax"]
    assert replay.backends(["keras/src/backend/jax/nn.py", CODE], ["torch"]) == ["jax", "torch"]
    assert replay.backends([CODE], ["torch", "jax"]) == ["torch", "jax"]


def test_a_further_check_is_right_where_its_case_is_and_it_is_not_recorded() -> None:
    records = {"f(x)": ["ok"], "f(x)#gradient": ["wrong"], "g(x)": ["raises"]}
    assert replay.right(records, "f(x)")
    assert not replay.right(records, "f(x)#gradient")
    assert replay.right(records, "f(x)#symbolic")
    assert not replay.right(records, "g(x)")
    assert not replay.right(records, "h(x)")


FIX = {"before": "3.4.1", "with": "3.5.0"}


@pytest.mark.parametrize(
    ("releases", "turned"),
    [
        ({"3.3.3": "wrong", "3.5.0": "ok"}, True),
        ({"3.3.3": "wrong", "3.9.2": "ok"}, True),
        ({"3.3.3": "ok", "3.5.0": "ok"}, False),
        ({"3.3.3": "wrong", "3.5.0": "raises", "3.9.2": "ok"}, False),
        ({"3.3.3": "wrong"}, False),
        ({"3.4.2": "wrong", "3.10.0": "ok"}, False),
    ],
)
def test_a_case_that_turned_right_between_known_releases_is_tried(releases: dict[str, str], turned: bool) -> None:
    known = {release: {"f(x)": [status]} for release, status in releases.items()}
    assert replay.turned(known, FIX) == (["f(x)"] if turned else [])


def test_what_is_known_is_read_from_results(tmp_path: Path) -> None:
    cell = {"framework": "torch", "version": "2.13.0", "keras": "3.3.3", "variant": ""}
    for number, change in enumerate([{}, {"variant": "no-onednn"}, {"framework": "mxnet"}]):
        result = {"cell": {**cell, **change}, "probe": "model", "details": {"cases": {"f(x)": ["ok"]}}}
        path = tmp_path / "results" / f"cell{number}" / "model" / "000.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(result))
    assert replay.known(tmp_path, ["torch"]) == {"torch": {"model": {"3.3.3": {"f(x)": ["ok"]}}}}
    assert replay.known(None, ["torch"]) == {"torch": {}}


def test_a_probe_runs_in_a_fork_of_a_process_that_has_its_imports(tmp_path: Path) -> None:
    package = tmp_path / "probe"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import json, os, sys\n"
        "found = [os.getcwd(), os.getppid(), 'json' in sys.modules, os.environ['PYTHONPATH']]\n"
        "json.dump(found, open('result.json', 'w'))"
    )
    preloaded = replay.Preloaded(sys.executable)
    parents = []
    for _ in range(2):
        preloaded.run("none", tmp_path, tmp_path / "tree", 60)
        folder, parent, imported, tree = json.loads((tmp_path / "result.json").read_text())
        assert (folder, imported, tree) == (str(tmp_path), True, str(tmp_path / "tree"))
        parents.append(parent)
    assert parents[0] == parents[1]
    preloaded.close()


def test_the_rate_has_its_interval() -> None:
    outcomes = [{"flagged": place < 38} for place in range(150)]
    assert replay.rate(outcomes) == "38 of 150 fixes flagged: 25% (95 %: 19% - 33%)"


REPLAYS = ("third", "fourth")
"""The third sample was replayed in two parts."""


def test_committed_outcomes_are_of_the_committed_samples() -> None:
    samples = [path for path in BENCH.glob("*.jsonl") if not path.stem.endswith("-outcomes")]
    assert samples
    third, rest = ([entry["commit"] for entry in replay.lines(BENCH / f"{name}-outcomes.jsonl")] for name in REPLAYS)
    assert sorted(third + rest) == sorted(entry["commit"] for entry in replay.lines(BENCH / "third.jsonl"))
    for sample in samples:
        outcomes = [entry["commit"] for entry in replay.lines(sample.with_name(f"{sample.stem}-outcomes.jsonl"))]
        assert set(outcomes) <= {entry["commit"] for entry in replay.lines(sample)}
        assert len(outcomes) == len(set(outcomes))


class TestRepository:
    """A small history in a real repository."""

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Callable[..., str]:
        def git(*words: str) -> str:
            settings = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
            done = subprocess.run(
                ["git", *settings, "-C", str(tmp_path), *words], capture_output=True, text=True, check=True
            )
            return done.stdout.strip()

        git("init", "-q")

        def commit(subject: str, tag: str = "", **files: str) -> str:
            for name, text in files.items():
                path = tmp_path / {"code": CODE, "test": TEST}.get(name, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            git("add", "-A")
            git("commit", "-q", "--allow-empty", "-m", subject)
            if tag:
                git("tag", tag)
            return git("rev-parse", "HEAD")

        commit("Begin", "v3.0.0", code="class Dense:\n    a = 1\n\n\ndef helper():\n    return 1\n", test="1")
        return commit

    def test_population_bounds_and_words(self, repository: Callable[..., str], tmp_path: Path) -> None:
        text = "class Dense:\n    a = 2\n\n\ndef helper():\n    return 1\n"
        fix = repository("Fix Dense", code=text, test="2")
        repository("Fix Dense without a test", "v3.1.0", code=text + "\n# x\n")
        later = repository("Correct the helper", code=text.replace("return 1", "return 2"), test="3")
        assert draw.population(tmp_path, "v3.0.0", "HEAD") == [(fix, "Fix Dense"), (later, "Correct the helper")]
        assert draw.around(tmp_path, fix, draw.releases(tmp_path)) == ("3.0.0", "3.1.0")
        assert draw.around(tmp_path, later, draw.releases(tmp_path)) == ("3.1.0", None)
        assert replay.words(tmp_path, fix, [CODE]) == {"Dense", "dense"}
        assert replay.words(tmp_path, later, [CODE]) == {"helper"}
        assert replay.users(tmp_path, later, {"odd_helper_name"}) == set()
        code = "class Outer(Base):\n    pass\n\n\nclass Base:\n    def f(self):\n        return odd_helper_name()\n"
        used = repository("A user", code=code)
        assert replay.users(tmp_path, used, {"odd_helper_name"}) == {"Base", "Outer"}, "and what inherits from that"
        with replay.Tree(tmp_path, fix, sys.executable) as tree:
            assert (tree.folder / CODE).read_text() == text
            assert tree.version == "3.0.0"
        assert not tree.folder.exists()

    def test_a_sample_is_drawn_again_the_same_and_without_what_was_seen(
        self, repository: Callable[..., str], tmp_path: Path
    ) -> None:
        for number in range(8):
            repository(f"Fix number {number}", code=f"x = {number}\n", test=str(number))

        def drawn(*words: str) -> list[str]:
            command = [sys.executable, str(BENCH / "draw.py"), str(tmp_path), "--until", "HEAD", *words]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return [json.loads(line)["commit"] for line in done.stdout.splitlines()]

        first = drawn("--seed", "1", "--count", "4")
        assert drawn("--seed", "1", "--count", "4") == first
        seen = tmp_path / "seen.jsonl"
        seen.write_text("".join(json.dumps({"commit": commit}) + "\n" for commit in first))
        second = drawn("--seed", "2", "--count", "9", "--without", str(seen))
        assert len(second) == 4
        assert not set(first) & set(second)
