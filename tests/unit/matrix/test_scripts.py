"""The figures of a user's script: what ``--metric`` says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.matrix import scripts, selection


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        (r"accuracy=([\d.]+)", "accuracy", r"accuracy=([\d.]+) seeded higher"),
        (r"step_ms=([\d.]+) lower", "step_ms", r"step_ms=([\d.]+) timing lower"),
        (r"step_ms=([\d.]+)", "step_ms", r"step_ms=([\d.]+) timing lower"),
        (r"val loss: ([\d.]+)", "val_loss", r"val loss: ([\d.]+) seeded lower"),
        (r"images_per_s=(\S+)", "images_per_s", r"images_per_s=(\S+) timing higher"),
        (r"reward=(\S+) higher", "reward", r"reward=(\S+) timing higher"),
        (r"reward=(\S+)  higher   seeded", "reward", r"reward=(\S+) seeded higher"),
        (r"reward=(\S+) seeded higher ", "reward", r"reward=(\S+) seeded higher"),
        (r"digest=(\w+) exact", "digest", r"digest=(\w+) exact neither"),
        (r'"acc":\s*([\d.]+)', "acc", r'"acc":\s*([\d.]+) seeded higher'),
        (r"\bloss\s+is ([\d.]+) lower", "loss_is", r"\bloss\s+is ([\d.]+) seeded lower"),
        (r"(?P<error>[\d.]+) %", "error", r"(?P<error>[\d.]+) % seeded lower"),
        (r"accuracy=([\d.]+) lower", "accuracy", r"accuracy=([\d.]+) seeded lower"),
    ],
)
def test_a_figure_has_a_name_a_kind_and_a_direction(text: str, name: str, rest: str) -> None:
    assert scripts.metric(text) == (name, rest)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accuracy=(", "is not a regular expression: missing \\), unterminated subpattern"),
        ("accuracy", "captures nothing: put parentheses around the figure"),
        ("([0-9]+)", "has no name: name its group"),
        (r"(?P<a>\d) (?P<b>\d) lower", "names several figures"),
        (r"reward=(\d+)", "add `lower` or `higher`, which is better, or `exact`"),
        (r"a=(\d+) lower higher", "says two things of one figure: lower and higher"),
        (r"a=(\d+) lower timing exact", "says two things of one figure"),
        (r"a=(\d+) lower exact", "an exact figure is equal or not"),
    ],
)
def test_a_figure_that_cannot_be_judged_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        scripts.metric(text)


def test_two_figures_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two are called 'loss'"):
        scripts.settings(Path("train.py"), [r"loss=(\d+)", r"loss: (\d+)"])


def test_a_script_runs_alone_or_next_to_the_probes_that_are_named() -> None:
    chosen = selection.choose(None, ())
    own = scripts.settings(Path("a/train.py"), [r"loss=(\d+)"])
    (alone,) = selection.probe_specs(chosen, (), (), own)
    assert (alone.name, alone.timed, alone.cells) == ("script", True, ())
    assert alone.settings == {"script": "train.py", "metrics": [r"loss=(\d+) seeded lower"], "names": ["loss"]}
    both = selection.probe_specs(chosen, ("mnist",), ('script.arguments=["--fast"]',), own)
    assert [probe.name for probe in both] == ["mnist", "script"]
    assert both[1].settings["arguments"] == ["--fast"]


def test_the_probe_of_scripts_needs_a_script() -> None:
    with pytest.raises(UsageError, match="the probe 'script' runs your script: `runner matrix --script FILE`"):
        selection.probe_specs(selection.choose(None, ()), ("script",), ())
