"""MNIST: the user's file, the cache, a download, or - offline - synthetic digits."""

from __future__ import annotations

import itertools
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from runner.data.catalog import catalog
from runner.data.files import DataFile, fetch, save, sha256
from runner.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ARRAYS = ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy")


def prepare(path: Path | None, cache: Path, *, offline: bool = False) -> DataFile:
    """The digits for a run: the user's, else Keras's MNIST, else synthetic ones.

    Raises UsageError where ``path`` is given and is not like MNIST.
    """
    published = catalog()["mnist"]
    if path is not None:
        return _users(path, published.sha256)
    real = cache / "mnist.npz"
    here = real.is_file() and sha256(real) == published.sha256
    if here or (not offline and fetch(published.url, real, published.sha256)):
        return DataFile(real, "mnist", published.sha256)
    drawn = cache / f"{published.stand_in}-{_SYNTHETIC_VERSION}.npz"
    if not drawn.is_file():
        save(drawn, **dict(zip(("x_train", "y_train", "x_test", "y_test"), synthetic(), strict=True)))
    note = "MNIST could not be downloaded; these are synthetic digits: --data FILE takes a real mnist.npz"
    return DataFile(drawn, published.stand_in, sha256(drawn), note)


def _users(path: Path, published: str) -> DataFile:
    path = path.expanduser().resolve()
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except FileNotFoundError:
        raise UsageError(f"--data {path}: no such file") from None
    except (OSError, zipfile.BadZipFile):
        raise UsageError(f"--data {path}: is not an .npz file") from None
    missing = [name.removesuffix(".npy") for name in _ARRAYS if name not in names]
    if missing:
        raise UsageError(f"--data {path}: lacks {', '.join(missing)}; it needs the arrays of Keras's mnist.npz")
    if problem := _problem(path):
        raise UsageError(f"--data {path}: {problem}")
    digest = sha256(path)
    return DataFile(path, "mnist" if digest == published else path.stem, digest)


def _problem(path: Path) -> str:
    """How the file differs from Keras's mnist.npz, or empty.

    Of the images only the headers are read.
    """
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            for part in ("train", "test"):
                with archive.open(f"x_{part}.npy") as file:
                    np.lib.format.read_magic(file)
                    images = np.lib.format.read_array_header_1_0(file)[0]
                with archive.open(f"y_{part}.npy") as file:
                    labels = np.lib.format.read_array(file, allow_pickle=False)
                if len(images) != 3 or images[1:] != (28, 28) or not images[0] or labels.shape != images[:1]:
                    return f"x_{part} and y_{part} are {images} and {labels.shape}, not (n, 28, 28) and (n,)"
                if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
                    return f"y_{part} holds other labels than the whole numbers from 0 to 9"
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        return f"its arrays cannot be read: {error}"
    return ""


# --- synthetic digits -------------------------------------------------------------------------------------

_SYNTHETIC_VERSION = 1
_SIZE = 28
_TRAIN, _TEST = 10_000, 2_000

# Strokes of each digit as polylines in a unit square, x to the right and y down.
_STROKES: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (
        (
            (0.5, 0.1),
            (0.25, 0.25),
            (0.2, 0.55),
            (0.3, 0.8),
            (0.5, 0.9),
            (0.7, 0.8),
            (0.8, 0.5),
            (0.72, 0.22),
            (0.5, 0.1),
        ),
    ),
    (((0.35, 0.25), (0.52, 0.1), (0.52, 0.9)),),
    (((0.25, 0.28), (0.4, 0.12), (0.65, 0.13), (0.74, 0.32), (0.6, 0.55), (0.25, 0.88), (0.78, 0.88)),),
    (((0.27, 0.17), (0.55, 0.1), (0.72, 0.27), (0.5, 0.46), (0.74, 0.66), (0.58, 0.88), (0.25, 0.84)),),
    (((0.62, 0.9), (0.62, 0.1), (0.2, 0.62), (0.82, 0.62)),),
    (((0.74, 0.12), (0.32, 0.12), (0.28, 0.45), (0.58, 0.42), (0.74, 0.64), (0.58, 0.88), (0.25, 0.84)),),
    (((0.68, 0.12), (0.38, 0.35), (0.26, 0.65), (0.42, 0.89), (0.68, 0.8), (0.68, 0.58), (0.46, 0.5), (0.28, 0.66)),),
    (((0.22, 0.13), (0.77, 0.13), (0.45, 0.9)), ((0.36, 0.5), (0.66, 0.5))),
    (
        ((0.5, 0.1), (0.3, 0.22), (0.36, 0.42), (0.64, 0.54), (0.72, 0.74), (0.5, 0.9), (0.28, 0.75), (0.36, 0.54)),
        ((0.36, 0.54), (0.64, 0.42), (0.7, 0.22), (0.5, 0.1)),
    ),
    (((0.7, 0.36), (0.48, 0.48), (0.3, 0.34), (0.42, 0.12), (0.66, 0.15), (0.7, 0.36), (0.62, 0.9)),),
)


def synthetic(
    train: int = _TRAIN, test: int = _TEST
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw digits as thick, distorted strokes on a noisy ground.

    Returns ``x_train, y_train, x_test, y_test``. uint8; images (n, 28, 28). The same bytes on every platform and NumPy:
    only RandomState's frozen stream and the correctly rounded operations + - * / sqrt are used (no sin, exp or matrix
    product).
    """
    import numpy as np

    random = np.random.RandomState(20713)
    total = train + test
    labels = random.randint(0, 10, total).astype(np.uint8)
    images = np.empty((total, _SIZE, _SIZE), np.uint8)
    segments = [np.array([[*a, *b] for line in strokes for a, b in itertools.pairwise(line)]) for strokes in _STROKES]
    ys, xs = np.divmod(np.arange(_SIZE * _SIZE), _SIZE)
    for digit, strokes in enumerate(segments):
        chosen = np.flatnonzero(labels == digit)
        # one distortion per image, drawn in label order so that the stream does not depend on the batch size
        u = random.random_sample((len(chosen), 10))
        noise = random.randint(0, 48, (len(chosen), _SIZE * _SIZE))
        jitter = (random.random_sample((len(chosen), len(strokes), 4)) - 0.5) * 0.09
        lines = strokes + jitter - 0.5
        tangent = (u[:, 0] - 0.5) * 0.36  # half-angle tangent: a rotation by up to about 20 degrees
        cosine = (1 - tangent**2) / (1 + tangent**2)
        sine = 2 * tangent / (1 + tangent**2)
        scale_x, scale_y = 15 + 8 * u[:, 1], 17 + 7 * u[:, 2]
        shear = (u[:, 3] - 0.5) * 0.7
        shift_x, shift_y = 13.5 + (u[:, 4] - 0.5) * 5, 13.5 + (u[:, 5] - 0.5) * 5
        width = 0.7 + 1.3 * u[:, 6]
        ink = 150 + 105 * u[:, 7]

        def place(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            x, y = x * scale_x[:, None], y * scale_y[:, None]  # noqa: B023 - used within this turn of the loop only
            x = x + shear[:, None] * y  # noqa: B023
            return (
                x * cosine[:, None] - y * sine[:, None] + shift_x[:, None],  # noqa: B023
                x * sine[:, None] + y * cosine[:, None] + shift_y[:, None],  # noqa: B023
            )

        ax, ay = place(lines[:, :, 0], lines[:, :, 1])
        bx, by = place(lines[:, :, 2], lines[:, :, 3])
        nearest = np.full((len(chosen), _SIZE * _SIZE), 1e9)
        for s in range(len(strokes)):
            dx, dy = (bx - ax)[:, s, None], (by - ay)[:, s, None]
            px, py = xs - ax[:, s, None], ys - ay[:, s, None]
            along = np.clip((px * dx + py * dy) / (dx * dx + dy * dy + 1e-9), 0.0, 1.0)
            nearest = np.minimum(nearest, (px - along * dx) ** 2 + (py - along * dy) ** 2)
        cover = np.clip(width[:, None] + 0.5 - np.sqrt(nearest), 0.0, 1.0)
        speckle = np.where(random.random_sample(noise.shape) < 0.08, noise * 3, noise * 0)
        drawn = np.minimum(cover * ink[:, None] + speckle, 255.0)
        images[chosen] = np.floor(drawn).astype(np.uint8).reshape(-1, _SIZE, _SIZE)
    return images[:train], labels[:train], images[train:], labels[train:]
