"""MNIST, or what stands in for it."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from runner import data
from runner.data import daquar, digits, pm25
from runner.data.catalog import catalog
from runner.errors import UsageError


def _mnist(path: Path, **arrays: object) -> Path:
    blank = np.zeros((2, 28, 28), np.uint8)
    labels = np.zeros(2, np.uint8)
    parts = {"x_train": blank, "y_train": labels, "x_test": blank, "y_test": labels, **arrays}
    np.savez(path, **{name: part for name, part in parts.items() if part is not None})  # type: ignore[arg-type]
    return path


def _published(monkeypatch: pytest.MonkeyPatch, name: str, **changed: object) -> None:
    """The catalog with another entry."""
    entry = msgspec.structs.replace(catalog()[name], **changed)
    monkeypatch.setitem(catalog(), name, entry)


def test_the_users_file_is_taken_and_named_by_its_digest(tmp_path: Path) -> None:
    path = _mnist(tmp_path / "mine.npz")
    found = digits.prepare(path, tmp_path / "cache")
    assert found.path == path
    assert found.name == "mine"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_is_no_mnist_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        digits.prepare(tmp_path / "none.npz", tmp_path)
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(UsageError, match=r"not an \.npz file"):
        digits.prepare(tmp_path / "text.npz", tmp_path)
    with pytest.raises(UsageError, match="lacks y_test"):
        digits.prepare(_mnist(tmp_path / "half.npz", y_test=None), tmp_path)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x_train": np.zeros((2, 14, 28), np.uint8)}, r"x_train and y_train are \(2, 14, 28\) and \(2,\)"),
        ({"y_test": np.zeros(5, np.uint8)}, r"x_test and y_test are \(2, 28, 28\) and \(5,\)"),
        ({"x_test": np.zeros((0, 28, 28)), "y_test": np.zeros(0, int)}, r"\(0, 28, 28\) and \(0,\)"),
        ({"y_train": np.array([0, 90])}, "y_train holds other labels than the whole numbers from 0 to 9"),
        ({"y_train": np.array([0.5, 1])}, "y_train holds other labels"),
        ({"y_train": np.array([0, 1], object)}, "its arrays cannot be read"),
    ],
)
def test_arrays_that_are_no_digits_are_refused_before_anything_runs(
    tmp_path: Path, arrays: dict[str, object], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        digits.prepare(_mnist(tmp_path / "other.npz", **arrays), tmp_path)


def test_a_download_is_checked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _mnist(tmp_path / "real.npz").read_bytes()
    _published(monkeypatch, "mnist", sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr("urllib.request.urlopen", lambda *_a, **_k: io.BytesIO(content))
    found = digits.prepare(None, tmp_path / "cache")
    assert found.name == "mnist"
    assert found.path.read_bytes() == content

    def refuse(*_a: object, **_k: object) -> None:
        pytest.fail("downloaded again")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    assert digits.prepare(None, tmp_path / "cache") == found


@pytest.mark.parametrize("answer", ["garbage", "refused"])
def test_without_the_real_file_there_are_synthetic_digits_and_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    def fetch(*_a: object, **_k: object) -> io.BytesIO:
        if answer == "refused":
            raise urllib.error.URLError("no network")
        return io.BytesIO(b"<html>a login page</html>")

    monkeypatch.setattr("urllib.request.urlopen", fetch)
    found = digits.prepare(None, tmp_path)
    assert found.name == "synthetic-digits"
    assert "--data" in found.note
    assert sorted(path.name for path in tmp_path.iterdir()) == [found.path.name]
    with np.load(found.path) as arrays:
        assert arrays["x_train"].shape == (10_000, 28, 28)
        assert arrays["x_test"].shape == (2_000, 28, 28)


def test_offline_never_asks_the_network(tmp_path: Path) -> None:
    assert digits.prepare(None, tmp_path, offline=True).name == "synthetic-digits"  # sockets are poisoned


def test_synthetic_digits_are_the_same_bytes_everywhere() -> None:
    x_train, y_train, x_test, y_test = digits.synthetic()
    digest = hashlib.sha256(b"".join(a.tobytes() for a in (x_train, y_train, x_test, y_test))).hexdigest()
    assert digest == "16180f45c5d043b5b31b5625c6d634f8dc7db2bf10bff7636bec194f13630096"
    assert x_train.dtype == y_train.dtype == np.uint8
    assert set(y_train.tolist()) == set(range(10))


def test_synthetic_digits_can_be_learnt_but_not_by_the_nearest_mean() -> None:
    """The nearest mean gets far from all of them, nearest neighbours get most: there is something to learn."""
    x, y, xt, yt = digits.synthetic(4000, 500)
    flat, test = x.reshape(len(x), -1) / 255.0, xt.reshape(len(xt), -1) / 255.0
    means = np.stack([flat[y == d].mean(0) for d in range(10)])
    by_mean = (((test[:, None] - means) ** 2).sum(-1).argmin(1) == yt).mean()
    distance = (test**2).sum(1)[:, None] - 2 * test @ flat.T + (flat**2).sum(1)
    by_neighbour = (y[distance.argmin(1)] == yt).mean()
    assert 0.3 < by_mean < 0.85
    assert by_neighbour > 0.85
    assert by_neighbour > by_mean + 0.1


# --- which data for which probe --------------------------------------------------------------------------------------


def test_data_are_given_by_name_and_a_path_alone_is_mnist(tmp_path: Path) -> None:
    odd = tmp_path / "a=b.npz"
    odd.touch()
    assert data.parse(["x.npz", "beijing-pm25=p.csv"]) == {"mnist": Path("x.npz"), "beijing-pm25": Path("p.csv")}
    assert data.parse([str(odd)]) == {"mnist": odd}
    assert data.parse([]) == {}
    with pytest.raises(UsageError, match="daquar"):
        data.parse(["daqar=x"])
    with pytest.raises(UsageError, match="twice"):
        data.parse(["x.npz", "mnist=y.npz"])


def test_every_probe_gets_its_own_data(tmp_path: Path) -> None:
    given = {"beijing-pm25": _series(tmp_path), "mnist": _mnist(tmp_path / "mine.npz")}
    found = data.collect(["mnist", "ops", "lstm"], given, tmp_path / "cache", offline=True)
    assert {probe: file.name for probe, file in found.files.items()} == {"mnist": "mine", "lstm": "beijing-pm25"}
    assert data.collect(["ops"], {}, tmp_path, offline=True).files == {}
    with pytest.raises(UsageError, match="it is for vqa"):
        data.collect(["mnist"], {"daquar": tmp_path}, tmp_path, offline=True)


def test_what_is_not_there_has_a_stand_in_and_a_note(tmp_path: Path) -> None:
    found = data.collect(["lstm", "vqa"], {}, tmp_path, offline=True)
    assert found.files == {}
    assert [note.split()[0] for note in found.notes] == ["beijing-pm25", "daquar"]
    assert "synthetic-pm25" in found.notes[0]
    assert "--data daquar=PATH" in found.notes[1]


# --- Beijing PM2.5 ---------------------------------------------------------------------------------------------------

HEADER = "No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir"
HOURS = (
    "1,2010,1,1,0,NA,-21,-11,1021,NW,1.79,0,0",
    "2,2010,1,1,1,129,-20,-12,1020,SE,4.92,1,2",
    "3,2010,1,1,2,NA,-19,-13,1019,cv,6.71,0,0",
)


def _series(folder: Path) -> Path:
    path = folder / "PRSA_data.csv"
    path.write_text("\n".join([HEADER, *HOURS]) + "\n")
    return path


def test_the_published_series_starts_at_the_first_measurement_and_bridges_gaps(tmp_path: Path) -> None:
    found = data.collect(["lstm"], {"beijing-pm25": _series(tmp_path)}, tmp_path / "cache", offline=True)
    with np.load(found.files["lstm"].path) as file:
        assert file["hours"].tolist() == [
            [129, -20, -12, 1020, 4.92, 1, 2, 3],
            [129, -19, -13, 1019, 6.71, 0, 0, 0],
        ]
    assert "not checked" in found.files["lstm"].note
    packed = data.collect(["lstm"], {"beijing-pm25": found.files["lstm"].path}, tmp_path, offline=True)
    assert packed.files["lstm"].sha256 == found.files["lstm"].sha256


@pytest.mark.parametrize("text", ["a,b\n1,2\n", HEADER + "\n", HEADER + "\n" + HOURS[0], "\0"])
def test_another_csv_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match="is not the published CSV"):
        pm25.pack(path, tmp_path / "x.npz")


def test_a_known_digest_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _series(tmp_path)
    _published(monkeypatch, "beijing-pm25", sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert data.collect(["lstm"], {"beijing-pm25": path}, tmp_path, offline=True).notes == ()
    _published(monkeypatch, "beijing-pm25", sha256="0" * 64)
    with pytest.raises(UsageError, match="another file than the published one"):
        data.collect(["lstm"], {"beijing-pm25": path}, tmp_path, offline=True)


def test_the_series_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _series(tmp_path).read_bytes()
    asked: list[str] = []

    def answer(url: str, **_options: object) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(content)

    monkeypatch.setattr("urllib.request.urlopen", answer)
    first = data.collect(["lstm"], {}, tmp_path / "cache")
    assert data.collect(["lstm"], {}, tmp_path / "cache") == first
    assert asked == [catalog()["beijing-pm25"].url]
    assert first.files["lstm"].name == "beijing-pm25"


def test_a_login_page_is_no_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_a, **_k: io.BytesIO(b"<html>log in</html>"))
    assert data.collect(["lstm"], {}, tmp_path).files == {}
    assert list(tmp_path.iterdir()) == []


# --- DAQUAR ----------------------------------------------------------------------------------------------------------

QUESTIONS = """what is on the right side of the black telephone in the image2 ?
desk
how many chairs are there in the image10 ?
2
what is left of the desk in the image2 ?
chair, lamp
"""


def _rooms(folder: Path) -> Path:
    photographs = folder / "nyu_depth_images"
    photographs.mkdir(parents=True)
    for name, colour in (("image2", (255, 0, 0)), ("image10", (0, 0, 255)), ("image11", (9, 9, 9))):
        Image.new("RGB", (64, 48), colour).save(photographs / f"{name}.png")
    (folder / "qa.37.raw.train.txt").write_text(QUESTIONS)
    (folder / "qa.894.raw.train.txt").write_text("of another set in the image1 ?\nbed\n")
    return folder


def test_the_published_questions_become_numbers(tmp_path: Path) -> None:
    found = data.collect(["vqa"], {"daquar": _rooms(tmp_path / "rooms")}, tmp_path / "cache", offline=True)
    with np.load(found.files["vqa"].path) as file:
        assert file["images"].shape == (2, daquar.SIZE, daquar.SIZE, 3)
        assert file["images"][:, 0, 0].tolist() == [[255, 0, 0], [0, 0, 255]]
        assert file["image_of"].tolist() == [0, 1, 0]
        assert file["answers"].tolist() == [2, 0, 1]  # "2", "chair, lamp", "desk" by the alphabet
        questions = file["questions"]
    assert questions.shape == (3, 10)
    assert (questions > 0).sum(1).tolist() == [10, 5, 6]
    assert questions[0, 0] == questions[2, 0]  # "what"
    assert data.collect(["vqa"], {"daquar": tmp_path / "rooms"}, tmp_path / "cache", offline=True) == found


def test_what_a_folder_lacks_is_named(tmp_path: Path) -> None:
    folder = _rooms(tmp_path / "rooms")
    (folder / "nyu_depth_images" / "image10.png").unlink()
    with pytest.raises(UsageError, match=r"1 of 2 photographs, image10\.png first"):
        daquar.pack(folder, tmp_path / "x.npz")
    (folder / "qa.37.raw.train.txt").write_text("which colour?\nred\n")
    with pytest.raises(UsageError, match="names no image"):
        daquar.pack(folder, tmp_path / "x.npz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is not a folder with"):
        data.collect(["vqa"], {"daquar": tmp_path / "empty"}, tmp_path, offline=True)


def test_a_cache_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, where a folder should be")
    with pytest.raises(UsageError, match="XDG_CACHE_HOME names another place"):
        data.collect(["mnist"], {}, tmp_path / "home" / "data", offline=True)
