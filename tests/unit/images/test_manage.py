"""Which images go first, and how they go. No engine."""

from __future__ import annotations

import time
from typing import Any

import docker
import pytest
import requests

from runner.errors import UnavailableError
from runner.images import disk, manage, usage
from runner.images.manage import Listed
from runner.images.recipe import LABELS
from runner.util import folders


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
    began = time.time()
    usage.mark("abc")
    # a file's time may be kept in whole seconds, or on a server with its own clock
    assert began - 5 <= (usage.last_used("abc") or 0.0) <= time.time() + 5
    usage.forget("abc")
    assert usage.last_used("abc") is None


class Client:
    """Stands in for docker-py's APIClient: images by id, and the build cache."""

    def __init__(self, *images: dict[str, Any], cache: list[dict[str, Any]] | None = None) -> None:
        self.images = {image["Id"]: image for image in images}
        self.cache = cache
        self.refusals: dict[str, Exception] = {}
        self.asked: list[Any] = []
        self.root = "/"

    def info(self) -> dict[str, Any]:
        return {"DockerRootDir": self.root}

    def version(self) -> dict[str, Any]:
        return {}

    def df(self) -> dict[str, Any]:
        if "df" in self.refusals:
            raise self.refusals["df"]
        return {"Images": list(self.images.values()), "BuildCache": self.cache}

    def remove_image(self, reference: str) -> None:
        if reference in self.refusals:
            raise self.refusals[reference]
        self.asked.append(reference)
        found = [key for key, image in self.images.items() if reference in (key, *(image.get("RepoTags") or ()))]
        for key in found:
            del self.images[key]

    def prune_images(self, filters: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(filters)
        return {"SpaceReclaimed": 7}

    def prune_builds(self, filters: dict[str, list[str]], all: bool) -> dict[str, Any]:  # noqa: A002
        assert all
        (entry,) = filters["id"]
        if entry in self.refusals:
            raise self.refusals[entry]
        assert self.cache is not None
        self.cache = [one for one in self.cache if one["ID"] != entry]
        for one in self.cache:
            one["InUse"] = one.get("InUse") and one["InUse"] != entry
        return {"SpaceReclaimed": 100}

    @property
    def api(self) -> Any:
        """Itself, as the functions' parameter type would have it."""
        return self


def image(name: str, created: Any = 1.0, *, size: int = 100, shared: int = 90, **more: Any) -> dict[str, Any]:
    labels = {f"{LABELS}.environment": name, f"{LABELS}.content": f"content-{name}", f"{LABELS}.layer": "layer"}
    return {"Id": name, "RepoTags": [f"x:{name}"], "Labels": labels, "Size": size, "SharedSize": shared,
            "Created": created, **more}  # fmt: skip


def refused(status: int) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    return docker.errors.APIError("refused", response=response, explanation="conflict")


class TestList:
    def test_images_of_this_project_are_listed_by_their_last_use(self) -> None:
        usage.mark("content-used")
        strange = {**image("strange"), "Labels": None}
        client = Client(image("used", 1.0), image("new", 9.0), image("old", 2.0), strange)
        assert [one.id for one in manage.ls(client.api)] == ["old", "new", "used"]

    def test_every_field_is_read(self) -> None:
        (found,) = manage.ls(Client(image("a", "1970-01-01T00:00:05+00:00", RepoTags=["x:a", "<none>:<none>"])).api)
        assert found == Listed("a", ("x:a",), "a", "content-a", "layer", 100, 10, created=5.0, last_used=None)

    @pytest.mark.parametrize(("shared", "unique"), [(-1, 100), (None, 100), (100, 0)])
    def test_an_unknown_shared_size_is_none(self, shared: int | None, unique: int) -> None:
        (found,) = manage.ls(Client(image("a", SharedSize=shared)).api)
        assert found.unique_bytes == unique

    def test_an_engine_that_does_not_answer_is_unavailable(self) -> None:
        client = Client()
        client.refusals["df"] = requests.ReadTimeout("slow")
        with pytest.raises(UnavailableError, match=r"does not answer \(slow\)"):
            manage.ls(client.api)


class TestRemove:
    def test_every_tag_goes_and_its_use_is_forgotten(self) -> None:
        usage.mark("content-a")
        client = Client(image("a", RepoTags=["x:a", "y:a"]), image("b", RepoTags=None))
        removed = manage.remove(client.api, manage.ls(client.api))
        assert client.asked == ["b", "x:a", "y:a"]
        assert removed == manage.Removed(("b", "a"), (), 20)
        assert usage.last_used("content-a") is None

    def test_an_image_in_use_stays_and_one_that_is_gone_is_gone(self) -> None:
        client = Client(image("busy"), image("gone"))
        client.refusals = {"x:busy": refused(409), "x:gone": docker.errors.ImageNotFound("gone")}
        removed = manage.remove(client.api, manage.ls(client.api))
        assert (removed.environments, removed.in_use, removed.freed_bytes) == (("gone",), ("busy",), 10)

    def test_another_refusal_is_unavailable(self) -> None:
        client = Client(image("a"))
        client.refusals = {"x:a": refused(500)}
        with pytest.raises(UnavailableError, match="the Docker engine refuses: conflict"):
            manage.remove(client.api, manage.ls(client.api))


STEP = "mount / from exec /bin/sh -c sh /build/install.sh packages"


class TestCache:
    def test_leaves_go_first_and_then_what_they_stood_on(self) -> None:
        cache = [{"ID": "base", "Description": STEP, "InUse": "leaf"}, {"ID": "leaf", "Description": STEP}]
        client = Client(cache=cache)
        assert manage.prune_cache(client.api) == 200
        assert client.cache == []

    def test_what_a_build_has_just_taken_stays(self) -> None:
        client = Client(cache=[{"ID": "taken", "Description": STEP}])
        client.refusals["taken"] = refused(409)
        assert manage.prune_cache(client.api) == 0

    def test_everything_includes_what_failed_builds_left(self) -> None:
        client = Client(cache=None)
        assert manage.prune_cache(client.api, everything=True) == 7
        assert client.asked == [{"dangling": True, "label": [LABELS]}]


class TestEvict:
    @pytest.mark.parametrize(
        ("keep", "keep_free_gb", "left"),
        [
            (None, None, ["a", "b", "c"]),
            (2, None, ["b", "c"]),
            (0, None, []),
            (None, 1.0, ["c"]),
            (None, 0.9, ["a", "b", "c"]),
        ],
    )
    def test_images_go_until_the_limits_hold(
        self, monkeypatch: pytest.MonkeyPatch, keep: int | None, keep_free_gb: float | None, left: list[str]
    ) -> None:
        monkeypatch.setattr(disk, "free", lambda root: 900_000_000 if root == "/" else None)
        client = Client(*(image(name, n, size=50_000_000, shared=0) for n, name in enumerate("abc")))
        manage.evict(client.api, keep, keep_free_gb)
        assert sorted(client.images) == left

    def test_what_is_protected_stays(self) -> None:
        client = Client(image("a"), image("b"))
        removed = manage.evict(client.api, 0, None, ("a",))
        assert removed.environments == ("b",)

    @pytest.mark.parametrize(
        ("keep", "cache", "left", "freed"), [(None, False, [], 20), (1, False, ["b"], 10), (None, True, [], 27)]
    )
    def test_pruning_without_a_limit_takes_all(
        self, keep: int | None, cache: bool, left: list[str], freed: int
    ) -> None:
        client = Client(image("a", 1), image("b", 2))
        assert manage.prune(client.api, keep, None, cache=cache).freed_bytes == freed
        assert sorted(client.images) == left


class TestDetails:
    def test_another_refusal_names_the_engines_reason(self) -> None:
        client = Client(image("a"))
        client.refusals = {"x:a": refused(500)}
        with pytest.raises(UnavailableError) as caught:
            manage.remove(client.api, manage.ls(client.api))
        assert str(caught.value) == "the Docker engine refuses: conflict"

    def test_a_refusal_without_an_answer_is_unavailable(self) -> None:
        client = Client(image("a"))
        client.refusals = {"x:a": docker.errors.APIError("odd", explanation="conflict")}
        with pytest.raises(UnavailableError, match="refuses: conflict"):
            manage.remove(client.api, manage.ls(client.api))

    def test_what_a_busy_image_holds_up_does_not_hold_up_the_others(self) -> None:
        usage.mark("content-busy")
        client = Client(image("busy", 1), image("free", 2))
        client.refusals = {"x:busy": refused(409)}
        removed = manage.remove(client.api, manage.ls(client.api))
        assert removed == manage.Removed(("free",), ("busy",), 10)
        assert usage.last_used("content-busy") is not None

    def test_the_cache_may_give_back_more_than_the_images(self) -> None:
        client = Client(image("a"), cache=[{"ID": "layer", "Description": STEP}])
        assert manage.remove(client.api, manage.ls(client.api)).freed_bytes == 100

    def test_an_answer_without_a_size_counts_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = Client(cache=[{"ID": "layer", "Description": STEP}])
        monkeypatch.setattr(client, "prune_images", lambda filters: {"SpaceReclaimed": None})  # noqa: ARG005
        monkeypatch.setattr(client, "prune_builds", lambda **_: {})
        assert manage.prune_cache(client.api, everything=True) == 0

    def test_a_cache_that_does_not_get_smaller_is_left_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = Client(cache=[{"ID": "layer", "Description": STEP}])
        asked: list[dict[str, Any]] = []

        def prune_builds(**arguments: Any) -> dict[str, Any]:
            asked.append(arguments)
            return {"SpaceReclaimed": 1}

        monkeypatch.setattr(client, "prune_builds", prune_builds)
        assert manage.prune_cache(client.api) == 6
        assert asked == [{"filters": {"id": ["layer"]}, "all": True}] * 6

    def test_an_image_without_labels_or_use_is_read(self) -> None:
        labels = {f"{LABELS}.environment": "e"}
        (found,) = manage.ls(Client(image("a", 7, Labels=labels, RepoTags=None)).api)
        assert found == Listed("a", (), "e", "", "", 100, 10, created=7.0, last_used=None)
        assert found.touched == 7.0
        assert listed("x", 3.0).touched == 3.0

    def test_pruning_to_free_space_alone_keeps_what_fits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(disk, "free", lambda _root: 10**9)
        client = Client(image("a"))
        assert manage.prune(client.api, None, 1.0) == manage.Removed((), (), 0)
        assert list(client.images) == ["a"]

    def test_a_disk_elsewhere_counts_as_full(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(disk, "free", lambda _root: None)
        client = Client(image("a"))
        assert manage.evict(client.api, None, 1e-9).environments == ("a",)


def test_a_cache_that_cannot_be_written_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(folders, "cache_dir", lambda: tmp_path / "file")
    usage.mark("x")
    usage.forget("x")
    assert usage.last_used("x") is None
    monkeypatch.setattr(folders, "cache_dir", lambda: tmp_path)
    usage.mark("x")
    assert (tmp_path / "images" / "x").is_file()
    usage.mark("x")
    usage.forget("x")
    assert not (tmp_path / "images" / "x").exists()
