"""What ``runner images`` prints."""

from __future__ import annotations

import json

import pytest

from runner.images.manage import Listed, Removed
from runner.report import images

NOW = 1_000_000.0


def listed(last_used: float | None = None, size: int = 1_560_000_000, unique: int = 20_000_000) -> Listed:
    return Listed("id", ("x:1",), "jax-0.10.2", "c", "l", size, unique, created=0.0, last_used=last_used)


@pytest.mark.parametrize(
    ("seconds", "used"),
    [
        (-5, " just now"),
        (59, " just now"),
        (60, "1 min ago"),
        (3599, "60 min ago"),
        (3600, "  1 h ago"),
        (86399, " 24 h ago"),
        (86400, "  1 d ago"),
        (9 * 86400, "  9 d ago"),
        (None, "    never"),
    ],
)
def test_an_image_is_a_line_with_its_sizes_and_last_use(seconds: float | None, used: str) -> None:
    image = listed(None if seconds is None else NOW - seconds)
    assert images.listed([image], (), NOW)[0] == f"  1.56 GB   0.02 GB  {used}  jax-0.10.2"


def test_kept_containers_and_a_total_follow() -> None:
    kept = [{"Names": ["/runner-kept-1"], "Labels": {"org.keras-version-matrix.cell": "torch-2.2.2"}}]
    assert images.listed([listed(), listed()], kept, NOW)[2:] == [
        "kept container runner-kept-1 of torch-2.2.2; `prune` removes it",
        "2 images (size, not shared, last use); 0.04 GB are not shared by any two",
    ]


def test_programs_get_every_field() -> None:
    (found,) = json.loads(images.to_json([listed(3.0)]))
    assert found["environment"] == "jax-0.10.2"
    assert (found["size_bytes"], found["unique_bytes"], found["last_used"]) == (1_560_000_000, 20_000_000, 3.0)


def test_a_clean_up_lists_what_went_and_what_stayed() -> None:
    assert images.pruned(["cell"], Removed(("a", "b"), ("c",), 2_340_000_000)) == [
        "removed  the kept container of cell",
        "removed  a",
        "removed  b",
        "in use   c",
        "2 images removed; the build cache gave back 2.34 GB",
    ]
