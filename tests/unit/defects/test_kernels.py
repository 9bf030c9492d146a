"""Agreement bit by bit, and whether it follows the kernel library."""

from __future__ import annotations

from typing import Any

import pytest

from runner.defects import kernels
from runner.model import Cell, Kind, Metric, Sample, Status


def sample(framework: str, digests: str, **changes: Any) -> Sample:
    cell = Cell(framework, changes.pop("version", "1"), changes.pop("keras", "3.8.0"), "3.11",
                changes.pop("device", "cpu"), changes.pop("variant", ""))  # fmt: skip
    metrics = tuple(Metric(f"case{i}.digest", digest, Kind.EXACT) for i, digest in enumerate(digests))
    metrics += (Metric("case0.outcome", framework, Kind.EXACT),)
    return Sample(cell, "e", changes.pop("probe", "conv2d"), {}, 0, 0, "host", changes.pop("status", Status.OK), "",
                  metrics)  # fmt: skip


BASE = [sample("torch", "abc"), sample("tensorflow", "abd"), sample("jax", "xyz")]


def test_the_sentence_names_pairs_shares_and_the_best_pair_of_two_libraries() -> None:
    eigen = sample("tensorflow", "xyd", variant="no-onednn")
    (text,) = kernels.agreements([*BASE, eigen])
    assert text == (
        "conv2d: agreement follows the kernel library. Bit by bit equal on the same library: torch 1 (oneDNN) and "
        "tensorflow 1 (oneDNN) in 2 of 3 cases; jax 1 (XLA and Eigen) and tensorflow 1 no-onednn (XLA and Eigen) in 2 "
        "of 3 cases. The best pair on different libraries: tensorflow 1 (oneDNN) and tensorflow 1 no-onednn "
        "(XLA and Eigen) in 1 of 3 cases"
    )


def test_agreement_across_libraries_as_good_as_within_one_does_not_follow_it() -> None:
    (text,) = kernels.agreements([sample("torch", "ab"), sample("tensorflow", "ac"), sample("jax", "ad")])
    assert "does not follow the kernel library alone" in text
    (text,) = kernels.agreements([sample("torch", "abc"), sample("tensorflow", "abd"), sample("jax", "axy")])
    assert ": agreement follows the kernel library." in text


@pytest.mark.parametrize(
    "change", [{"device": "cuda"}, {"status": Status.CRASHED}, {"probe": "other"}, {"variant": "fallback"}]
)
def test_only_good_runs_of_one_probe_on_the_cpu_count(change: dict[str, Any]) -> None:
    lone = [sample("torch", "abc"), sample("jax", "abc")]
    found = kernels.agreements([*lone, sample("tensorflow", "abc", **change)])
    assert bool(found) == ("variant" in change)


def test_cells_that_differ_in_keras_alone_are_one_side_and_must_agree_among_themselves() -> None:
    (text,) = kernels.agreements([*BASE, sample("torch", "azc", keras="3.9.2")])
    assert "torch 1 (oneDNN) and tensorflow 1 (oneDNN) in 1 of 3 cases" in text


def test_two_releases_of_one_framework_are_not_compared_and_cases_must_be_in_both() -> None:
    (text,) = kernels.agreements([*BASE, sample("torch", "abc", version="2")])
    assert "torch 1 (oneDNN) and torch 2 (oneDNN)" not in text
    (text,) = kernels.agreements([sample("torch", "ab"), sample("tensorflow", "abd"), sample("jax", "xyz")])
    assert "torch 1 (oneDNN) and tensorflow 1 (oneDNN) in 2 of 2 cases" in text
    assert kernels.agreements([sample("torch", ""), sample("tensorflow", "abd"), sample("jax", "xyz")]) == ()


def test_without_pairs_of_both_sorts_nothing_is_said() -> None:
    assert kernels.agreements(BASE[:2]) == ()
    assert kernels.agreements(BASE[1:]) == ()
