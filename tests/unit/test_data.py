"""MNIST, or what stands in for it."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from pathlib import Path

import numpy as np
import pytest

from runner import data
from runner.errors import UsageError


def _mnist(path: Path, **arrays: object) -> Path:
    blank = np.zeros((2, 28, 28), np.uint8)
    labels = np.zeros(2, np.uint8)
    parts = {"x_train": blank, "y_train": labels, "x_test": blank, "y_test": labels, **arrays}
    np.savez(path, **{name: part for name, part in parts.items() if part is not None})  # type: ignore[arg-type]
    return path


def test_the_users_file_is_taken_and_named_by_its_digest(tmp_path: Path) -> None:
    path = _mnist(tmp_path / "mine.npz")
    found = data.prepare(path, tmp_path / "cache")
    assert found.path == path
    assert found.name == "mine"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_is_no_mnist_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        data.prepare(tmp_path / "none.npz", tmp_path)
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(UsageError, match=r"no \.npz file"):
        data.prepare(tmp_path / "text.npz", tmp_path)
    with pytest.raises(UsageError, match="lacks y_test"):
        data.prepare(_mnist(tmp_path / "half.npz", y_test=None), tmp_path)


def test_a_download_is_checked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _mnist(tmp_path / "real.npz").read_bytes()
    monkeypatch.setattr(data, "MNIST_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr("urllib.request.urlopen", lambda *_a, **_k: io.BytesIO(content))
    found = data.prepare(None, tmp_path / "cache")
    assert found.name == "mnist"
    assert found.path.read_bytes() == content

    def refuse(*_a: object, **_k: object) -> None:
        pytest.fail("downloaded again")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    assert data.prepare(None, tmp_path / "cache") == found


@pytest.mark.parametrize("answer", ["garbage", "refused"])
def test_without_the_real_file_there_are_synthetic_digits_and_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    def fetch(*_a: object, **_k: object) -> io.BytesIO:
        if answer == "refused":
            raise urllib.error.URLError("no network")
        return io.BytesIO(b"<html>a login page</html>")

    monkeypatch.setattr("urllib.request.urlopen", fetch)
    found = data.prepare(None, tmp_path)
    assert found.name == "synthetic-digits"
    assert "--data" in found.note
    assert sorted(path.name for path in tmp_path.iterdir()) == [found.path.name]
    with np.load(found.path) as arrays:
        assert arrays["x_train"].shape == (10_000, 28, 28)
        assert arrays["x_test"].shape == (2_000, 28, 28)


def test_offline_never_asks_the_network(tmp_path: Path) -> None:
    assert data.prepare(None, tmp_path, offline=True).name == "synthetic-digits"  # sockets are poisoned


def test_synthetic_digits_are_the_same_bytes_everywhere() -> None:
    x_train, y_train, x_test, y_test = data.synthetic()
    digest = hashlib.sha256(b"".join(a.tobytes() for a in (x_train, y_train, x_test, y_test))).hexdigest()
    assert digest == "16180f45c5d043b5b31b5625c6d634f8dc7db2bf10bff7636bec194f13630096"
    assert x_train.dtype == y_train.dtype == np.uint8
    assert set(y_train.tolist()) == set(range(10))


def test_synthetic_digits_can_be_learnt_but_not_by_the_nearest_mean() -> None:
    """The nearest mean gets far from all of them, nearest neighbours get most: there is something to learn."""
    x, y, xt, yt = data.synthetic(4000, 500)
    flat, test = x.reshape(len(x), -1) / 255.0, xt.reshape(len(xt), -1) / 255.0
    means = np.stack([flat[y == d].mean(0) for d in range(10)])
    by_mean = (((test[:, None] - means) ** 2).sum(-1).argmin(1) == yt).mean()
    distance = (test**2).sum(1)[:, None] - 2 * test @ flat.T + (flat**2).sum(1)
    by_neighbour = (y[distance.argmin(1)] == yt).mean()
    assert 0.3 < by_mean < 0.85
    assert by_neighbour > 0.85
    assert by_neighbour > by_mean + 0.1
