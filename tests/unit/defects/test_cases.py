"""Records of the payload and the class that names their places."""

from __future__ import annotations

import pytest

from runner.defects import cases
from runner.defects.cases import Case
from runner.model import Cell, Sample, Status
from runner.probe.kit.records import Record, as_lists


def test_a_record_of_the_payload_is_read_by_the_same_names() -> None:
    written = Record("wrong", 1e6, [2.0, 1.0], "float32[3]", "expected [1.0]", "sg")  # type: ignore[no-untyped-call]
    (read,) = cases.read(as_lists({"ops.f(x)": written})).values()  # type: ignore[no-untyped-call]
    assert read == Case(
        status="wrong", figure=1e6, sketch=[2.0, 1.0], types="float32[3]", note="expected [1.0]", passed="sg"
    )
    assert Record.__slots__ == tuple(sorted(Case.__struct_fields__))
    assert Record("crashes").as_list() == ["crashes", None, "", "", "", ""]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "record",
    [["wrong", "inf", [1.0, "nan"], "x", "", ""], ["wrong", 1, [1, 2], "x", "", ""], ["ok"], ["ok", 0.5, "aa"]],
)
def test_texts_whole_numbers_and_shorter_records_are_read(record: list[object]) -> None:
    (read,) = cases.read({"a": record}).values()
    assert read.status == record[0]


@pytest.mark.parametrize(
    "record", [None, "ok", [], [1], ["ok", []], ["ok", 1, 2], ["ok", 1, "", 3], ["ok", 1, "", "", 4]]
)
def test_what_is_not_a_record_is_left_out(record: object) -> None:
    assert list(cases.read({"a": record, "b": ["ok"]})) == ["b"]


@pytest.mark.parametrize("records", [None, [], "x", {}])
def test_details_without_records_are_empty(records: object) -> None:
    assert cases.read(records) == {}


@pytest.mark.parametrize(
    ("status", "right", "silent"),
    [("ok", True, False), ("seen", True, False), ("unsupported", False, True), ("unspecified", False, True),
     ("wrong", False, False), ("raises", False, False), ("crashes", False, False)],
)  # fmt: skip
def test_a_status_is_right_silent_or_wrong(status: str, right: bool, silent: bool) -> None:
    assert (Case(status).right, Case(status).silent) == (right, silent)


def test_runs_are_grouped_by_cell_and_hold_the_samples_that_ended_well() -> None:
    def sample(framework: str, probe: str = "ops", status: Status = Status.OK, **details: object) -> Sample:
        cell = Cell(framework, "1", "3.8.0", "3.11", "cpu")
        return Sample(cell, "e", probe, {}, 0, 0, "host", status, "", details=details)

    first, second = sample("torch", cases={"a": ["ok"]}), sample("torch", cases={"a": ["wrong"]})
    others = [sample("torch", "training", cases={}), sample("jax", status=Status.CRASHED, cases={}), sample("jax")]
    (found,) = cases.runs([first, *others, second], "ops")
    assert [(run.sample, run.cases["a"].status, run.cell.framework) for run in found] == [
        (first, "ok", "torch"),
        (second, "wrong", "torch"),
    ]
