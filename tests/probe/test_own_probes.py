"""A user's file as a probe: the payload's process runs it, with a stand-in for the framework next to it."""

from __future__ import annotations

import pytest

from runner.matrix import probes

TORCH = """
__version__ = "2.2.2"
class cuda:
    is_available = staticmethod(lambda: False)
class backends:
    pass
"""


@pytest.fixture
def own(payload, raw_request):
    """Runs a user's file as the probe ``mine``."""

    def run(text, settings=None, torch=TORCH):
        raw_request.update(probe="mine", settings=settings or {}, seed=7, round=2)
        raw_request["cell"]["keras"] = None
        return payload(raw_request, {"torch.py": torch, "probe/mine.py": probes._ADAPTER, "own_probes/mine.py": text})

    return run


def figures(process):
    return {metric["name"]: metric for metric in process.result["metrics"]}


def test_ten_lines_are_a_probe(own):
    process = own(
        "DEFAULTS = {'count': 3}\n"
        "def measure(report, settings):\n"
        "    report.timing('sort_s', 0.5)\n"
        "    report.exact('count', settings['count'])\n"
        "    report.exact('seed', [settings.seed, settings.round])\n"
        "    report.exact('cell', '%s %s %s' % (settings.framework, settings.version, settings.keras))\n",
        {"count": 5},
    )
    assert process.result["status"] == "ok", process.log
    found = figures(process)
    assert (found["sort_s"]["kind"], found["sort_s"]["better"], found["sort_s"]["unit"]) == ("timing", "lower", "s")
    assert found["count"]["value"] == 5
    assert found["seed"]["value"] == [7, 2]
    assert found["cell"]["value"] == "torch 2.2.2 None"


def test_every_method_is_a_kind_of_figure(own):
    process = own(
        "def measure(report, settings):\n"
        "    report.timing('rate', 9, unit='images/s', better='higher')\n"
        "    report.score('accuracy', 0.9)\n"
        "    report.error('error_max', 2.5, terms=64)\n"
        "    report.trajectory('loss_per_step', [2.0, 1.0])\n"
        "    report.info('note', 'x')\n"
        "    report.detail('why', {'a': 1})\n"
    )
    found = figures(process)
    assert {name: (one["kind"], one["better"]) for name, one in found.items()} == {
        "rate": ("timing", "higher"),
        "accuracy": ("seeded", "higher"),
        "error_max": ("error", "lower"),
        "loss_per_step": ("trajectory", "neither"),
        "note": ("info", "neither"),
    }
    assert (found["error_max"]["unit"], found["error_max"]["terms"]) == ("u", 64)
    assert process.result["details"] == {"why": {"a": 1}}


def test_several_functions_run_in_their_order_with_their_names_before_the_figures(own):
    process = own(
        "def measure_second(report, settings):\n    report.exact('n', 2)\n"
        "def measure_first(report, settings):\n    report.exact('n', 1)\n"
        "def measured(report, settings):\n    raise SystemExit\n"
    )
    assert [metric["name"] for metric in process.result["metrics"]] == ["second.n", "first.n"]


def test_what_it_prints_is_in_the_log_and_does_no_harm(own):
    process = own("print('at import')\ndef measure(report, settings):\n    print('{}')\n    report.exact('n', 1)\n")
    assert process.result["status"] == "ok"
    assert "at import" in process.log


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("import nonesuch\n", "crashed", "mine.py does not import: ModuleNotFoundError: No module named 'nonesuch'"),
        ("def measure(report:\n", "crashed", "mine.py does not import: SyntaxError"),
        ("raise SystemExit(3)\n", "crashed", "mine.py does not import: SystemExit: 3"),
        ("x = 1\n", "bad-output", "mine.py has no function measure(report, settings)"),
        ("def measure(report, settings):\n    return {'a': 1}\n", "bad-output", "mine.py: measure reported no figure"),
        ("def measure(report):\n    pass\n", "crashed", "TypeError: measure() takes 1 positional argument but 2"),
        ("PROTOCOL = 2\nimport nonesuch\n", "bad-output", "mine.py asks for protocol 2 of probes, this program has 1"),
        ("PROTOCOL: int = 9  # new\n", "bad-output", "mine.py asks for protocol 9 of probes, this program has 1"),
        ("PROTOCOL = 'new'\n", "bad-output", "mine.py: PROTOCOL is a whole number, such as 1"),
        ("DEFAULTS = [1]\ndef measure(r, s):\n    pass\n", "bad-output", "mine.py: DEFAULTS is a dict"),
        ("def measure(report, s):\n    report.exact('a b', 1)\n", "crashed", "ValueError: 'a b' is not a name"),
        (
            "def measure(report, s):\n    report.timing('process_s', 1)\n",
            "crashed",
            "ValueError: 'process_s' is measured",
        ),
        ("def measure(report, s):\n    report.unsupported('no GPU')\n", "unsupported", "no GPU"),
        ("def measure(report, s):\n    raise ValueError('boom')\n", "crashed", "ValueError: boom"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(own, text, status, reason):
    result = own(text).result
    assert (result["status"], result["reason"][: len(reason)]) == (status, reason)
    assert "\n" not in result["reason"]


@pytest.mark.parametrize("child", ["return", "raise ValueError('in the child')"])
def test_a_fork_that_comes_back_writes_no_second_result(own, child):
    process = own(
        "import os\n"
        "def measure(report, settings):\n"
        "    if os.fork() == 0:\n"
        f"        {child}\n"
        "    report.exact('n', 1)\n"
    )
    assert process.exit_code == 0
    assert process.result["status"] == "bad-output"
    assert process.result["reason"].startswith("mine.py forked, and the child returned too")


def test_a_fork_that_ends_by_itself_is_allowed(own):
    process = own(
        "import os\n"
        "def measure(report, settings):\n"
        "    if os.fork() == 0:\n"
        "        os._exit(0)\n"
        "    report.exact('n', 1)\n"
    )
    assert process.result["status"] == "ok", process.log


def test_a_cell_that_is_not_what_it_says_fails_before_the_file_is_run(own):
    result = own("raise SystemExit('run')\n", torch=TORCH.replace("2.2.2", "2.3.0")).result
    assert (result["status"], result["reason"]) == ("bad-output", "torch reports version 2.3.0, the cell says 2.2.2")
