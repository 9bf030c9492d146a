"""Lists, removes and evicts this project's images, and no others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runner import engine
from runner.errors import UnavailableError
from runner.images import disk, usage
from runner.images.recipe import LABELS

if TYPE_CHECKING:
    from docker.api.client import APIClient

GB = 10**9
_OURS = "/build/install.sh"
"""The description in the build cache of every layer and mount that the template makes contains this."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An image of this project on the engine."""

    id: str
    tags: tuple[str, ...]
    environment: str
    content: str
    """Digest of all it was made from."""
    layer: str
    """Digest of what its framework's layer was made from: see ``Recipe.framework_key``."""
    size_bytes: int
    unique_bytes: int
    """What no other image on the engine shares: about what removing it gives back."""
    created: float
    """Seconds since the epoch."""
    last_used: float | None

    @property
    def touched(self) -> float:
        """Used or at least built."""
        return max(self.created, self.last_used or 0.0)


@dataclass(frozen=True, slots=True)
class Removed:
    """The result of a clean-up."""

    environments: tuple[str, ...]
    in_use: tuple[str, ...]
    """Left alone: a container runs in them."""
    freed_bytes: int
    """At least."""


def ls(client: APIClient) -> list[Listed]:
    """Return this project's images, least recently used first.

    Raises UnavailableError where the engine does not answer.
    """
    found = [_listed(image) for image in _usage(client)["Images"] if _label(image, "environment")]
    return sorted(found, key=lambda image: image.touched)


def evictable(
    images: Iterable[Listed],
    *,
    keep: int | None = None,
    keep_free: int | None = None,
    free: int = 0,
    protected: Collection[str] = (),
) -> list[Listed]:
    """Which images have to go, least recently used first; pure.

    ``keep`` is how many may stay, ``keep_free`` how many bytes are to be free where ``free`` are now. What is in
    ``protected`` stays whatever is asked for, and counts among those kept: environments by their ids, and by
    ``Recipe.framework_key`` all images on a layer that something still to be built needs.
    """
    images = sorted(images, key=lambda image: image.touched)
    candidates = [image for image in images if not {image.environment, image.layer} & set(protected)]
    surplus = 0 if keep is None else max(0, len(images) - keep)
    chosen = candidates[:surplus]
    if keep_free is not None:
        free += sum(image.unique_bytes for image in chosen)
        for image in candidates[surplus:]:
            if free >= keep_free:
                break
            chosen.append(image)
            free += image.unique_bytes
    return chosen


def remove(client: APIClient, images: Iterable[Listed]) -> Removed:
    """Remove images and the build cache that only they used.

    An image that a container runs in stays. Raises UnavailableError where the engine does not answer.
    """
    import docker

    gone, busy = [], []
    for image in images:
        try:
            for reference in image.tags or (image.id,):
                client.remove_image(reference)
        except docker.errors.ImageNotFound:
            gone.append(image)
        except docker.errors.APIError as error:
            if error.response is not None and error.response.status_code == 409:
                busy.append(image)
                continue
            raise UnavailableError(f"the Docker engine refuses: {error.explanation}") from error
        else:
            gone.append(image)
    for image in gone:
        usage.forget(image.content)
    # without BuildKit there is no cache to give anything back, and the images themselves did
    freed = max(prune_cache(client), sum(image.unique_bytes for image in gone))
    return Removed(tuple(i.environment for i in gone), tuple(i.environment for i in busy), freed)


def prune_cache(client: APIClient, *, everything: bool = False) -> int:
    """Drop layers of this project's builds that no image holds any more; bytes freed.

    A removed image's layers stay in BuildKit's cache, so removing it alone gives nothing back. ``everything`` also
    drops uv, the download cache and what failed builds of the classic builder left, which the next build would make
    again; not while something is built.
    """
    freed = 0
    if everything:
        leftovers: dict[str, Any] = client.prune_images(  # type: ignore[no-untyped-call]
            filters={"dangling": True, "label": [LABELS]}
        )
        freed += int(leftovers.get("SpaceReclaimed") or 0)
    # a layer can go when what was built on it is gone, so leaves go first; the depth of the template bounds it
    for _ in range(6):
        doomed = [entry for entry in _usage(client).get("BuildCache") or () if _prunable(entry, everything=everything)]
        if not doomed:
            break
        freed += sum(_prune(client, entry["ID"]) for entry in doomed)
    return freed


def _prunable(entry: dict[str, Any], *, everything: bool) -> bool:
    if entry.get("InUse") or entry.get("Shared") or _OURS not in entry.get("Description", ""):
        return False
    kept = entry.get("Type") == "exec.cachemount" or "install.sh tools" in entry["Description"]
    return everything or not kept


def _prune(client: APIClient, entry: str) -> int:
    import docker

    try:
        answer: dict[str, Any] = client.prune_builds(filters={"id": [entry]}, all=True)  # type: ignore[arg-type]
    except docker.errors.APIError:
        # a build has just taken it into use
        return 0
    return int(answer.get("SpaceReclaimed") or 0)


def _usage(client: APIClient) -> dict[str, Any]:
    with engine.answering():
        found: dict[str, Any] = client.df()
    return found


def _listed(image: dict[str, Any]) -> Listed:
    size, shared = int(image["Size"]), max(0, int(image.get("SharedSize") or 0))
    created = image["Created"]
    if isinstance(created, str):
        created = dt.datetime.fromisoformat(created).timestamp()
    content = _label(image, "content")
    return Listed(
        id=image["Id"],
        tags=tuple(tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"),
        environment=_label(image, "environment"),
        content=content,
        layer=_label(image, "layer"),
        size_bytes=size,
        unique_bytes=size - shared,
        created=float(created),
        last_used=usage.last_used(content) if content else None,
    )


def _label(image: dict[str, Any], name: str) -> str:
    return str((image.get("Labels") or {}).get(f"{LABELS}.{name}", ""))


def evict(client: APIClient, keep: int | None, keep_free_gb: float | None, protected: Collection[str] = ()) -> Removed:
    """Remove images so that at most ``keep`` stay and that much disk is free.

    Raises UnavailableError where the engine does not answer.
    """
    free = disk.free(engine.describe(client).root) or 0
    wanted = None if keep_free_gb is None else int(keep_free_gb * GB)
    return remove(client, evictable(ls(client), keep=keep, keep_free=wanted, free=free, protected=protected))


def prune(client: APIClient, keep: int | None, keep_free_gb: float | None, *, cache: bool = False) -> Removed:
    """Remove images as ``evict`` does; without a limit all of them.

    With ``cache`` the build cache goes too. Raises UnavailableError where the engine does not answer.
    """
    if keep is None and keep_free_gb is None:
        keep = 0
    removed = evict(client, keep, keep_free_gb)
    freed = prune_cache(client, everything=True) if cache else 0
    return replace(removed, freed_bytes=removed.freed_bytes + freed)
