"""What the probe ``parity`` says of seeds, in every format."""

from __future__ import annotations

import io
from typing import Any

import pytest

from runner.model import Cell, Sample, Status
from runner.report import Report
from runner.report.formats import html, jsonout, markdown, terminal
from runner.report.seeding import HEADING, seeding

TF = Cell("tensorflow", "2.18.1", "3.8.0", "3.11", "cpu")
JAX = Cell("jax", "0.4.35", "3.8.0", "3.11", "cpu")
NEWER = Cell("jax", "0.4.35", "3.15.1", "3.11", "cpu")


def sample(cell: Cell, status: Status = Status.OK, **differences: float) -> Sample:
    def remedy(difference: float) -> dict[str, Any]:
        return {"verdict": "differs" if difference else "equal", "difference": difference}

    details = {
        "remedies": {name: remedy(difference) for name, difference in differences.items()},
        "verdicts": {"once": "Seeding once: any", "build": "Seeding before each model is built: anything"},
        "shuffle": {"follows": ["numpy"] if cell.framework == "jax" else [], "continues": cell.framework == "jax"},
    }
    return Sample(cell, "e", "parity", {}, 0, 0, "docker", status, "", (), details=details)


def test_a_remedy_is_told_with_where_it_works() -> None:
    said = seeding(Report((sample(TF, once=0, build=0), sample(JAX, once=0.209, build=0)), ()))
    assert said == (
        "Seeding once: works on tensorflow; not on jax, the losses are up to 21 % apart",
        "Seeding before each model is built: works everywhere",
        "fit's shuffle on tensorflow: follows no generator that can be seeded and starts over in every fit",
        "fit's shuffle on jax: follows the generator of numpy and goes on in the next fit",
    )


def test_a_framework_of_which_one_version_fails_is_told_by_version() -> None:
    samples = (sample(TF, once=0.1), sample(JAX, once=0.2), sample(NEWER, once=0))
    (first, *_) = seeding(Report(samples, ()))
    assert first.startswith(
        "Seeding once: works on jax 0.4.35 with keras 3.15.1; not on tensorflow and jax 0.4.35 with"
    )


@pytest.mark.parametrize("apart", [0.0, 0.04])
def test_one_cell_is_no_everywhere(apart: float) -> None:
    (first, *_) = seeding(Report((sample(JAX, once=apart),), ()))
    assert first == "Seeding once: " + ("does not work, the losses are up to 4 % apart" if apart else "works")


def test_what_failed_or_is_of_another_version_says_nothing() -> None:
    old = Sample(JAX, "e", "parity", {}, 0, 0, "docker", Status.OK, "", (), details={"remedies": 1})
    assert seeding(Report((sample(TF, Status.CRASHED, once=0), old), ())) == ()


def test_every_format_has_it() -> None:
    report = Report((sample(TF, once=0), sample(JAX, once=0.2)), ())
    line = "works on tensorflow; not on jax, the losses are up to 20 % apart"
    assert jsonout.to_dict(report)["seeding"][0].endswith(line)
    assert HEADING in markdown.render(report)
    assert "works on tensorflow; not on jax" in markdown.render(report)
    assert HEADING.partition(":")[2] in html.render(report)
    from rich.console import Console

    out = io.StringIO()
    terminal.print(report, Console(file=out, width=160))
    assert f"- Seeding once: {line}" in out.getvalue()
