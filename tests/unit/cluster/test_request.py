"""Requests: what makes a result another one, and files in messages of bounded size."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cluster import objects, program, request
from runner.cluster.request import Data, File
from runner.matrix import plan
from runner.model import Cell, ProbeSpec
from tests.unit.cluster.shares import CELL, PLAIN


def test_a_request_survives_its_journey() -> None:
    sent = msgspec.structs.replace(PLAIN, most=20, unlimited=True, data={"mnist": Data("mnist", "a", "", "b")})
    found = request.decode(request.encode(sent))
    assert found == sent
    assert found.further.budget_s == float("inf")
    assert found.digests == {"b"}


@pytest.mark.parametrize(
    "change",
    [
        {"wanted": plan.Selection((ProbeSpec("hello"),), rounds=3, seed=3)},
        {"wanted": plan.Selection((ProbeSpec("hello"),), rounds=2, seed=4)},
        {"wanted": plan.Selection((ProbeSpec("hello", {"x": 1}),), rounds=2, seed=3)},
        {"cells": (CELL, Cell("jax", "0.5.0", "3.8.0", "3.11", "cpu"))},
        {"data": {"hello": Data("d", "a", "", "b")}},
        {"project": {"probes/x.py": "0"}},
        {"apart": False},
        {"jobs": 2},
        {"budget_s": 60.0},
        {"wheels": {"keras-3.16.0+g1/keras.whl": "0"}},
    ],
    ids=str,
)
def test_what_decides_the_result_is_in_the_key(change: dict[str, Any]) -> None:
    assert request.key(msgspec.structs.replace(PLAIN, **change)) != request.key(PLAIN)


@pytest.mark.parametrize("change", [{"locks": {"e": "0"}}, {"pull_from": "ghcr.io/x"}, {"builds": 4}], ids=str)
def test_what_does_not_decide_it_is_not(change: dict[str, Any]) -> None:
    assert request.key(msgspec.structs.replace(PLAIN, **change)) == request.key(PLAIN)


def test_another_probe_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = request.key(PLAIN)
    monkeypatch.setattr("runner.matrix.probes.probe_hash", lambda _name: "changed")
    assert request.key(PLAIN) != before


@given(st.lists(st.integers(0, 50), max_size=12), st.integers(1, 20))
def test_messages_hold_every_byte_once_and_none_is_too_large(sizes: list[int], most: int) -> None:
    files = tuple(File(f"results/{n}", f"d{n}", size) for n, size in enumerate(sizes))
    seen = {file.sha256: 0 for file in files}
    for batch in request.chunks(files, most):
        assert 0 < sum(length for _, _, length in batch) <= most
        for name, offset, length in batch:
            assert offset == seen[name]
            seen[name] += length
    assert list(seen.values()) == sizes


@pytest.mark.parametrize("size", [0, 1, objects.MOST_BYTES, objects.MOST_BYTES + 1])
def test_a_file_for_a_worker_arrives_as_it_was(tmp_path: Any, size: int) -> None:
    from runner.cluster.receipts import digest

    content = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    content = content[:size]
    there = objects.Objects(tmp_path)
    name = digest(content)
    assert there.missing([name]) == [name]
    for offset, part, last in objects.parts(content):
        assert there.put(name, offset, part, last=last)
    assert there.missing([name]) == []
    assert (there.folder / name).read_bytes() == content


def test_a_damaged_file_for_a_worker_is_not_kept(tmp_path: Any) -> None:
    there = objects.Objects(tmp_path)
    assert not there.put("0" * 64, 0, b"something else", last=True)
    assert there.missing(["0" * 64]) == ["0" * 64]


def test_versions_must_match() -> None:
    same = program.Worker("0.1.0", program.digest(), program.python(), "2026.8.0", "linux-x86_64", "linux-x86_64", {})
    same = msgspec.structs.replace(same, version=__import__("runner").__version__)
    assert program.mismatch(same, "2026.8.0") == ""
    other = msgspec.structs.replace(same, python="3.9", distributed="2025.1.0")
    said = program.mismatch(other, "2026.8.0")
    assert f"Python 3.9 there, {program.python()} here" in said
    assert "distributed 2025.1.0 there, 2026.8.0 here" in said
    changed = msgspec.structs.replace(same, program="0123456789abcdef")
    assert program.mismatch(changed, "2026.8.0").startswith("program ")
