"""A diagnosis as tables, Markdown and JSON, and the lines where a cell could not be measured."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from runner.diagnose import Diagnosis, Found, Place, Rung, Toggled
from runner.model import Cell, Sample, Status
from runner.report import diagnosis as report

PLACE = Place(2, "layers", "conv1/output", 0.512, 3.12e6, "rounding", "wrong", 100)
D = Diagnosis(
    cells=("jax-1", "torch-2"), a="jax", b="torch", common="", network="conv",
    rungs=(
        Rung("as reported", "", Found.DIFFERS, "loss 1", "loss 2", "0.5 apart", "a note"),
        Rung("float64", "precision", Found.NOT_RUN, note="not asked for"),
    ),
    top="as reported", gone=None, first=PLACE, others=(replace(PLACE, part="whole", quantity="loss", b=math.inf),),
    shared=(), hints=(),
    toggles=(
        Toggled("jax", "one", True, True, False),
        Toggled("jax", "two", True, False, True),
        Toggled("jax", "three", True, False, False),
        Toggled("jax", "four", False, False, False),
        Toggled("jax", "five", None, False, False, "crashed: a|b"),
    ),
    nondeterministic=(), trajectory=(0.1, math.nan), bit_equal=False, left_out=3, samples=8, same_inputs=True,
)  # fmt: skip


def test_markdown_has_every_table_and_escapes_what_would_end_a_column() -> None:
    lines = report.markdown(D).splitlines()
    assert lines[0] == "## jax-1 and torch-2"
    assert "| rung | takes away | jax | torch | apart |  |" in lines
    assert "| as reported |  | loss 1 | loss 2 | 0.5 apart a note | differs |" in lines
    assert "| float64 | precision |  |  | not asked for | not run |" in lines
    assert "| step | quantity | jax | torch |" in lines
    assert "| 2 | the forward pass of conv1 | 0.512 u (rounding) | 3.12e+06 u (wrong) |" in lines
    assert "| 2 | the loss of the whole step | 0.512x rounding (rounding) | not finite (wrong) |" in lines
    assert "| jax | one | makes it equal to the other cell, bit by bit |" in lines
    assert "| jax | two | changes where it leaves the reference |" in lines
    assert "| jax | three | other bits, same outcome |" in lines
    assert "| jax | four | nothing |" in lines
    assert "| jax | five | could not be run: crashed: a\\|b |" in lines
    assert [line for line in lines if line.startswith("**")] == [
        "**The ladder**",
        "**Where they differ**",
        "**Switches**",
    ]
    assert lines[-1].startswith("Network conv, 8 samples replayed, 3 skipped because")


def test_tables_without_rows_are_left_out() -> None:
    plain = replace(D, first=None, others=(), toggles=())
    assert [line for line in report.markdown(plain).splitlines() if line.startswith("**")] == ["**The ladder**"]
    assert "Switches" not in _terminal(plain)


def test_the_legend_says_how_far_free_losses_drift_and_where_references_differ() -> None:
    drifted = replace(D, trajectory=(0.1, 0.03))
    assert report.markdown(drifted).endswith(" Free-running losses: 0.1 apart at most.")
    other = report.markdown(replace(D, trajectory=(), same_inputs=False))
    assert other.endswith("(another NumPy), so bits of the two cells do not compare.")
    assert report.markdown(replace(D, trajectory=())).endswith("the length of random roundings of two units.")


def test_no_more_than_twelve_places_are_shown() -> None:
    assert len(report.places(replace(D, others=(PLACE,) * 20))[1]) == 12
    assert len(report.places(replace(D, others=(PLACE,) * 11))[1]) == 12


def test_json_holds_the_answer_and_null_for_what_is_not_finite() -> None:
    shown = json.loads(report.text(D, "json"))
    assert (shown["schema"], shown["differs"], shown["cells"]) == (1, True, ["jax-1", "torch-2"])
    assert shown["answer"].startswith("jax and torch differ beyond seeds and rounding: a note.")
    assert shown["others"][0]["b"] is None
    assert shown["trajectory"] == [0.1, None]
    assert shown["rungs"][0]["found"] == "differs"
    assert report.text(D, "markdown") == report.markdown(D)


def _terminal(d: Diagnosis, **options: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=100, **options).print(report.render(d, 100))
    return out.getvalue()


def test_a_terminal_shows_the_same_with_the_result_in_colour() -> None:
    text = _terminal(D)
    assert text.splitlines()[0].startswith("jax and torch differ beyond seeds and rounding: a note.")
    assert all(len(line) <= 100 for line in text.splitlines())
    for title in ("The ladder", "Where they differ", "Switches"):
        assert f"\n{title}" in text
    assert "\x1b[1;31mdiffers" in _terminal(D, force_terminal=True, color_system="standard")


JAX = Cell("jax", "1", "3.8.0", "3.11", "cpu")


def _sample(status: Status, framework: str) -> Sample:
    cell = replace(JAX, framework=framework)
    return Sample(cell, "e", "diagnose", {}, 0, 0, "host", status, "" if status == Status.OK else "no such thing")


@pytest.mark.parametrize(
    ("statuses", "lines"),
    [
        ((Status.OK, Status.CRASHED),
         ["a-1_keras-3.8.0_py3.11_cpu: runs", "b-1_keras-3.8.0_py3.11_cpu: crashed: no such thing",
          "They differ in that only one of them trains: b-1_keras-3.8.0_py3.11_cpu does not."]),
        ((Status.CRASHED, Status.CRASHED),
         ["a-1_keras-3.8.0_py3.11_cpu: crashed: no such thing", "b-1_keras-3.8.0_py3.11_cpu: crashed: no such thing"]),
        ((Status.UNAVAILABLE, Status.OK),
         ["a-1_keras-3.8.0_py3.11_cpu: unavailable: no such thing", "b-1_keras-3.8.0_py3.11_cpu: runs"]),
    ],
)  # fmt: skip
def test_a_cell_that_fails_by_itself_is_the_difference(statuses: tuple[Status, ...], lines: list[str]) -> None:
    samples = [_sample(status, name) for status, name in zip(statuses, "ab", strict=True)]
    assert report.unmeasured(samples).splitlines() == lines
