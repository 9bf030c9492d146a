"""The probe that runs a user's script, as the runner starts it."""

import re
import signal

import pytest

from runner.probe import protocol, script
from runner.repro import compare

FIGURES = [r"acc=([\d.]+|nan) seeded higher", r"step: (\S+) ms timing lower", r"digest=(\w+) exact neither"]
NAMES = ["acc", "step", "digest"]
PRINTS = 'print("\\x1b[32macc\\x1b[0m=0.5\\nacc=0.75\\r\\nstep: 9 ms\\rstep: 4.5 ms", "\\ndigest=12")\n'


@pytest.fixture
def run(raw_request, tmp_path, monkeypatch):
    """Runs a script in this process. Returns its metrics by name."""
    monkeypatch.chdir(tmp_path)

    def call(text, metrics=FIGURES, names=NAMES, **settings):
        path = tmp_path / "data"
        path.write_text(text, encoding="utf-8")
        raw_request.update(
            probe="script",
            seed=7,
            settings={"script": "train.py", "metrics": metrics, "names": names, **settings},
            data={"path": str(path), "name": "train.py", "sha256": ""},
        )
        report = protocol.Report()
        script.run(protocol.Request(raw_request), report)
        return {metric["name"]: metric for metric in report.metrics}

    return call


def test_the_last_figure_that_a_pattern_matches_counts(run, capfdbinary):
    found = run(PRINTS)
    assert {name: metric["value"] for name, metric in found.items() if name != "peak_rss_bytes"} == {
        "printed.acc": 0.75,
        "printed.step": 4.5,
        "printed.digest": "12",
    }
    assert (found["printed.acc"]["kind"], found["printed.acc"]["better"]) == ("seeded", "higher")
    assert found["peak_rss_bytes"]["value"] > 1 << 20


@pytest.mark.parametrize(
    "text", ["acc=1\r\nacc=2", "acc=1\racc=3\n", "\x1b[1macc=4\x1b[0m", "a\b\bacc=5  ", "acc=.5acc=7"]
)
def test_figures_are_those_that_repro_finds(text):
    pattern = re.compile(r"acc=([\d.]+)")
    theirs = compare.values(text, [pattern])[pattern.pattern]
    assert script.value(script.clean(text), pattern, "seeded") == theirs


def test_a_script_sees_an_empty_folder_its_arguments_its_name_and_the_seed(run):
    text = (
        "import os, sys\n"
        "print('acc=1', os.listdir('.'), sys.argv[1:], os.path.basename(__file__), __name__)\n"
        "print('all=[', os.environ['RUNNER_SEED'], os.listdir('.'), sys.argv[1:], os.path.basename(__file__),"
        " __name__, repr(sys.stdin.read()), sep='|')\n"
    )
    found = run(text, [r"all=\[(.*) exact neither"], ["all"], arguments=["--epochs", "1"])
    assert found["printed.all"]["value"] == "|7|[]|['--epochs', '1']|train.py|__main__|''"


def test_a_script_without_metrics_has_its_memory(run):
    assert list(run("pass\n", [], [])) == ["peak_rss_bytes"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("print('nothing')", r"the script printed nothing that matches acc=\(\[\\d\.\]\+\|nan\)"),
        ("print('acc=1 step: fast ms')", "captured 'fast', not a number"),
    ],
)
def test_a_figure_that_is_missing_ends_the_probe(run, text, says):
    with pytest.raises(protocol.BadOutputError, match=says):
        run(text)


def test_a_pattern_that_this_python_does_not_know_is_named(run):
    with pytest.raises(protocol.BadOutputError, match="is not a metric for this Python"):
        run("pass", ["acc=([ seeded higher"], ["acc"])


def test_a_figure_that_is_not_finite_is_told(run):
    found = run("print('acc=nan step: inf ms digest=a')")
    assert (found["printed.acc"]["value"], found["printed.step"]["value"]) == (None, None)


def test_what_a_script_leaves_running_does_not_hold_the_probe(run, monkeypatch):
    monkeypatch.setattr(script, "AFTERWARDS_S", 0.1)
    text = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3)'])\n"
    found = run(text + "print('acc=1', flush=True)\n", FIGURES[:1], NAMES[:1])
    assert found["printed.acc"]["value"] == 1.0


def test_a_request_without_a_script_is_refused(raw_request):
    raw_request.update(probe="script", settings={})
    with pytest.raises(protocol.UnavailableError, match="there is no script to run"):
        script.run(protocol.Request(raw_request), protocol.Report())


@pytest.fixture
def staged(raw_request, payload):
    """Runs the probe in a process of its own, by the Python of these tests and by the oldest one."""

    def call(text):
        raw_request.update(
            probe="script",
            settings={"script": "train.py", "metrics": FIGURES[:1], "names": NAMES[:1]},
            data={"path": "data", "name": "train.py", "sha256": ""},
        )
        return payload(raw_request, {"data": text})

    return call


def test_the_output_of_a_script_is_that_of_its_process(staged):
    ended = staged("import sys\nprint('acc=1')\nprint('odd', file=sys.stderr)\n")
    assert (ended.exit_code, ended.result["status"], ended.result["metrics"][0]["value"]) == (0, "ok", 1.0)
    assert set(ended.log.split()) == {"acc=1", "odd"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("raise SystemExit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_a_process_ends_as_its_script_does(staged, text, code):
    ended = staged(text)
    assert (ended.exit_code, ended.result) == (code, None)
