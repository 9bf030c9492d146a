"""Which images go first, and how they go. No engine."""

from __future__ import annotations

import time

import pytest

from runner.images import manage, usage
from runner.images.manage import Listed


def listed(name: str, used: float, unique: int = 10) -> Listed:
    return Listed(name, (f"x:{name}",), name, name, f"layer-{name}", 100, unique, created=0.0, last_used=used)


IMAGES = [listed("new", 3.0), listed("old", 1.0), listed("mid", 2.0)]


def test_the_least_recently_used_go_first() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep=1)] == ["old", "mid"]


def test_protected_images_stay_whatever_is_asked_for() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep=0, protected={"old", "new"})] == ["mid"]
    assert [i.id for i in manage.evictable(IMAGES, keep=0, protected={"layer-old"})] == ["mid", "new"]


def test_only_as_many_go_as_must() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep_free=115, free=100)] == ["old", "mid"]
    assert manage.evictable(IMAGES, keep_free=100, free=100) == []
    assert manage.evictable(IMAGES) == []
    assert manage.evictable(IMAGES, keep=5) == []


def test_both_limits_hold() -> None:
    assert [i.id for i in manage.evictable(IMAGES, keep=2, keep_free=120, free=100)] == ["old", "mid"]


def test_an_image_that_was_never_used_counts_from_when_it_was_built() -> None:
    fresh = Listed("fresh", (), "fresh", "f", "l", 1, 1, created=9.0, last_used=None)
    assert [i.id for i in manage.evictable([fresh, *IMAGES], keep=3)] == ["old"]


@pytest.mark.parametrize(
    ("description", "kind", "flags", "normal", "everything"),
    [
        ("mount / from exec /bin/sh -c sh /build/install.sh packages /tools", "regular", {}, True, True),
        ("mount / from exec /bin/sh -c sh /build/install.sh packages", "regular", {"Shared": True}, False, False),
        ("mount / from exec /bin/sh -c sh /build/install.sh packages", "regular", {"InUse": True}, False, False),
        ("mount / from exec /bin/sh -c sh /build/install.sh tools /tools", "regular", {}, False, True),
        ("cached mount /var/cache/uv from exec sh /build/install.sh", "exec.cachemount", {}, False, True),
        ("mount / from exec /bin/sh -c make somebody's", "regular", {}, False, False),
    ],
)
def test_only_what_this_project_made_leaves_the_build_cache(
    description: str, kind: str, flags: dict[str, bool], normal: bool, everything: bool
) -> None:
    entry = {"ID": "x", "Description": description, "Type": kind, "InUse": False, "Shared": False} | flags
    assert manage._prunable(entry, everything=False) is normal
    assert manage._prunable(entry, everything=True) is everything


def test_last_use_is_remembered() -> None:
    assert usage.last_used("abc") is None
    usage.mark("abc")
    assert abs((usage.last_used("abc") or 0.0) - time.time()) < 10
    usage.forget("abc")
    assert usage.last_used("abc") is None
