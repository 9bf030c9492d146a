"""Which lock an environment gets; uv is played by a stand-in here (tests/engine has the real one)."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.environments import lock, lockfile, resolve
from runner.environments.lockfile import Recipe
from runner.errors import BuildError, CellError, OutageError, UnavailableError, UsageError
from runner.matrix import compat
from runner.model import Custom, Environment
from runner.util import folders, outage

CUDA = """\
numpy==1.26.4 \\
    --hash=sha256:{h}
    # via -r requirements.in
nvidia-cudnn==9.1 \\
    --hash=sha256:{h}
    # via torch
torch==2.2.2 \\
    --hash=sha256:{h}
    # via -r requirements.in
""".format(h="a" * 64)
CPU = """\
numpy==1.26.4 \\
    --hash=sha256:{h}
    # via -r requirements.in
torch==2.2.2+cpu \\
    --hash=sha256:{h}
    # via -r requirements.in
""".format(h="b" * 64)


def _lost(address: str) -> OutageError:
    """What uv says of an index that cannot be reached."""
    said = (
        f"error: Failed to fetch: {address}torch/\n  cause: error sending request for url ({address}torch/)\n"
        "  cause: dns error"
    )
    found = outage.of(said)
    assert found is not None
    return found


NO_PYTORCH_INDEX = _lost("https://download.pytorch.org/whl/cpu/")
NO_DEFAULT_INDEX = _lost("https://index.example/simple/")
TORCH = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")


class Uv:
    """Plays uv: what it was asked, what it answers with and without PyTorch's own index."""

    def __init__(self) -> None:
        self.asked: list[tuple[Recipe, list[str]]] = []
        self.cpu: str | CellError = NO_PYTORCH_INDEX
        self.default: str | CellError = CUDA

    def __call__(self, asked: Recipe, extra: Iterable[str], *_rest: object) -> str:
        self.asked.append((asked, list(extra)))
        answer = self.cpu if "--torch-backend" in self.asked[-1][1] else self.default
        if isinstance(answer, CellError):
            raise answer
        return answer


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> Uv:
    stand_in = Uv()
    monkeypatch.setattr(resolve, "compile_", stand_in)
    return stand_in


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A matrix folder of its own, with today's facts and no locks."""
    for name in ("compat.toml", "latest.toml"):
        (tmp_path / name).write_text((folders.matrix_dir() / name).read_text())
    monkeypatch.setattr(folders, "matrix_dir", lambda: tmp_path)
    compat.forget()
    yield tmp_path
    compat.forget()


def test_a_committed_lock_is_used_as_it_is(uv: Uv, matrix: Path) -> None:
    jax = Environment("jax", "0.10.2", None, "3.11", "cpu", "linux-x86_64")
    uv.default = CPU.replace("torch==2.2.2+cpu", "jax==0.10.2")
    made = lock.make(jax, matrix / "locks")
    uv.asked.clear()
    assert lock.locked(jax) == made
    assert uv.asked == []


def test_without_a_lock_one_is_made_in_the_cache_once(uv: Uv, matrix: Path) -> None:
    uv.cpu = CPU
    first = lock.locked(TORCH)
    assert first.path.parent == lock.cache_dir()
    assert first.torch_backend == "cpu"
    assert lock.locked(TORCH) == first
    assert len(uv.asked) == 1


def test_a_cached_lock_made_from_other_requirements_is_made_again(uv: Uv, matrix: Path) -> None:
    uv.cpu = CPU
    first = lock.locked(TORCH)
    facts = matrix / "compat.toml"
    facts.write_text(facts.read_text().replace('requires = ["numpy<2"]', 'requires = ["numpy<1.27"]'))
    compat.forget()
    assert lock.locked(TORCH).recipe.requirements == ("numpy<1.27", "torch==2.2.2")
    assert first.recipe.requirements == ("numpy<2", "torch==2.2.2")


def test_where_pytorchs_index_is_reachable_its_wheels_take_the_place_of_a_committed_cuda_build(
    uv: Uv, matrix: Path
) -> None:
    committed = lock.make(TORCH, matrix / "locks")
    assert committed.carries_cuda
    assert lock.DEFAULT_BUILD in committed.notes
    _forget_that_it_was_unreachable()
    uv.cpu = CPU
    found = lock.locked(TORCH)
    assert not found.carries_cuda
    assert found.packages["torch"] == "2.2.2+cpu"
    assert lock.DEFAULT_BUILD not in found.notes
    assert lock.install_arguments(found)[-2:] == ["--torch-backend", "cpu"]


def test_where_it_is_not_the_committed_lock_is_used_and_nobody_asks_again_that_day(uv: Uv, matrix: Path) -> None:
    committed = lock.make(TORCH, matrix / "locks")
    uv.asked.clear()
    assert lock.locked(TORCH) == committed
    assert uv.asked == []
    _forget_that_it_was_unreachable(days=2)
    assert lock.locked(TORCH) == committed
    assert uv.asked


def test_a_release_that_pytorchs_index_lacks_is_asked_for_once_a_day(uv: Uv, matrix: Path) -> None:
    uv.cpu = BuildError("no", "error: No solution found when resolving dependencies")
    committed = lock.make(TORCH, matrix / "locks")
    for _ in range(3):
        assert lock.locked(TORCH) == committed
    assert len(uv.asked) == 4  # with and without PyTorch's index, for the repository and once for the cache


def test_a_release_that_pytorchs_index_lacks_says_nothing_about_the_index(uv: Uv, matrix: Path) -> None:
    uv.cpu = BuildError("no", "error: No solution found when resolving dependencies")
    assert lock.locked(TORCH).carries_cuda
    uv.cpu = CPU
    other = Environment("torch", "2.2.2", None, "3.10", "cpu", "linux-x86_64")
    assert not lock.locked(other).carries_cuda


def test_an_installation_verifies_hashes_and_follows_nothing_but_the_lock(uv: Uv, matrix: Path) -> None:
    found = lock.make(TORCH, matrix / "locks")
    assert lock.install_arguments(found) == ["--require-hashes", "--no-deps", "--only-binary", ":all:"]


def test_wheels_without_an_upload_time_are_not_lost_to_the_date(uv: Uv, matrix: Path) -> None:
    """PyTorch's index names no upload times; of other frameworks, a file without one is left out."""
    lock.make(TORCH, matrix / "locks")
    lock.make(Environment("jax", "0.10.2", None, "3.11", "cpu", "linux-x86_64"), matrix / "locks")
    said = ["--exclude-newer-package" in extra for _, extra in uv.asked]
    assert len(said) > 1
    assert said[:-1] == [True] * len(said[:-1])
    assert said[-1] is False


def test_cuda_cells_and_macs_take_the_default_wheels(uv: Uv, matrix: Path) -> None:
    uv.cpu = CPU
    assert lock.locked(Environment("torch", "2.2.2", None, "3.11", "cuda", "linux-x86_64")).carries_cuda
    lock.locked(Environment("torch", "2.2.2", None, "3.11", "metal", "macos-arm64"))
    assert len(uv.asked) == 2
    assert all("--torch-backend" not in extra for _, extra in uv.asked)


def test_the_date_and_the_platform_are_recorded(uv: Uv, matrix: Path) -> None:
    found = lock.locked(TORCH).recipe
    assert found.exclude_newer == f"{compat.load_latest().date.isoformat()}T00:00:00Z"
    assert (found.python, found.platform, found.build) == ("3.11", "x86_64-manylinux_2_36", "cpu")


def test_many_at_once_one_that_fails_does_not_stop_the_others(matrix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def picky(asked: Recipe, *_rest: object) -> str:
        if asked.python == "3.9":
            raise BuildError("cannot resolve", "No solution found")
        return CUDA

    monkeypatch.setattr(resolve, "compile_", picky)
    pythons = ("3.9", "3.10", "3.11")
    wanted = [Environment("torch", "2.2.2", None, python, "cuda", "linux-x86_64") for python in pythons]
    made = lock.make_all(wanted)
    assert [type(made[e.id]).__name__ for e in wanted] == ["BuildError", "Lock", "Lock"]
    assert sorted(p.stem for p in (matrix / "locks").glob("*.txt")) == sorted(e.id for e in wanted[1:])


def test_check_tells_missing_stale_changed_and_unused(uv: Uv, matrix: Path) -> None:
    pythons = ("3.8", "3.9", "3.10", "3.11")
    missing, stale, changed, good = (
        Environment("torch", "2.2.2", None, python, "cuda", "linux-x86_64") for python in pythons
    )
    for environment in (stale, changed, good):
        lock.make(environment, matrix / "locks")
    unused = lock.make(TORCH, matrix / "locks")
    for environment, old, new in (
        (stale, "# requirement: numpy<2", "# requirement: numpy<1.20"),
        (changed, "numpy==1.26.4", "numpy==1.26.3"),
    ):
        path = lock.committed_path(environment)
        path.write_text(path.read_text().replace(old, new))
    told = lock.check([missing, stale, changed, good], complete=True)
    assert len(told) == 4
    assert f"{missing.id} has no lock" in told[0]
    assert told[1] == f"{stale.id}: made from numpy<1.20; now numpy<2"
    assert "changed since it was made" in told[2]
    assert told[3] == f"{unused.path.stem}: no set uses it"
    assert lock.check([good]) == ()


def test_a_later_date_alone_makes_no_lock_stale(uv: Uv, matrix: Path) -> None:
    lock.make(TORCH, matrix / "locks", exclude_newer="2020-01-01T00:00:00Z")
    assert lock.check([TORCH]) == ()


def test_committed_says_how_to_get_a_missing_lock(matrix: Path) -> None:
    with pytest.raises(UsageError, match="runner lock"):
        lock.committed(TORCH)


def test_upgrade_moves_latest_and_the_date(uv: Uv, matrix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "images_dir", lambda: matrix)

    def answer(asked: Recipe, *_rest: object) -> str:
        version = {"torch": "2.99.0+cpu", "uv": "0.99.1"}.get(asked.requirements[0])
        version = version or compat.latest(asked.requirements[0])
        return f"{asked.requirements[0]}=={version} \\\n    --hash=sha256:{'a' * 64}\n    # via -r requirements.in\n"

    monkeypatch.setattr(resolve, "compile_", answer)
    old = compat.latest("torch")
    began = dt.datetime.now(dt.UTC).date()
    lines = lock.upgrade()
    assert lines[0] == f"torch: {old} -> 2.99.0"
    assert compat.latest("torch") == "2.99.0"
    assert began <= compat.load_latest().date <= dt.datetime.now(dt.UTC).date()
    assert (matrix / "uv.txt").read_text().startswith("uv==0.99.1 \\\n    --hash=sha256:")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\xff\xfe\x00", "cannot be read: 'utf-8'"), (b"# environment: x\nkeras=3\n", "not a line of a lock"), (b"", "")],
)
def test_a_lock_that_cannot_be_read_stops_its_own_environment(matrix: Path, content: bytes, why: str) -> None:
    path = lock.committed_path(TORCH)
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UnavailableError, match=path.name) as caught:
        lock.locked(TORCH)
    assert why in str(caught.value)
    (line,) = lock.check([TORCH])
    assert path.name in line


@pytest.mark.parametrize("kind", ["fifo", "folder", "link"])
def test_what_is_not_a_file_is_no_lock_and_nobody_waits_for_it(matrix: Path, kind: str) -> None:
    path = lock.committed_path(TORCH)
    path.parent.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    with pytest.raises(UnavailableError, match=rf"{path.name}: cannot be read"):
        lock.locked(TORCH)
    (line,) = lock.check([TORCH])
    assert path.name in line


def test_a_cached_lock_that_cannot_be_read_is_made_again(uv: Uv, matrix: Path) -> None:
    uv.cpu = CPU
    first = lock.locked(TORCH)
    first.path.write_bytes(b"\xff")
    assert lock.locked(TORCH) == first
    assert len(uv.asked) == 2


def test_a_lost_default_index_is_not_remembered_as_a_lost_pytorch_index(uv: Uv, matrix: Path) -> None:
    uv.cpu = uv.default = NO_DEFAULT_INDEX
    with pytest.raises(OutageError):
        lock.locked(TORCH)
    uv.cpu, uv.default = CPU, CUDA
    assert not lock.locked(TORCH).carries_cuda


def test_a_lost_network_is_not_remembered(uv: Uv, matrix: Path) -> None:
    uv.cpu, uv.default = NO_PYTORCH_INDEX, NO_DEFAULT_INDEX
    with pytest.raises(OutageError):
        lock.locked(TORCH)
    uv.cpu, uv.default = CPU, CUDA
    assert not lock.locked(TORCH).carries_cuda


def test_a_network_that_comes_back_during_a_resolution_is_not_remembered_as_lost(
    matrix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[str | CellError] = iter([NO_PYTORCH_INDEX, CUDA, CPU])

    def answer(*_: object) -> str:
        one = next(answers)
        if isinstance(one, CellError):
            raise one
        return one

    monkeypatch.setattr(resolve, "compile_", answer)
    assert not lock.locked(TORCH).carries_cuda


@pytest.mark.parametrize("default", [CUDA, NO_DEFAULT_INDEX])
def test_an_outage_during_the_search_for_something_better_leaves_the_committed_lock(
    uv: Uv, matrix: Path, default: str | OutageError
) -> None:
    committed = lock.make(TORCH, matrix / "locks")
    _forget_that_it_was_unreachable()
    uv.cpu, uv.default = NO_DEFAULT_INDEX, default
    assert lock.locked(TORCH) == committed
    uv.cpu = CPU
    assert not lock.locked(TORCH).carries_cuda


def test_uvs_explanation_is_one_line() -> None:
    said = """error: No solution found when resolving dependencies
  cause: Because there is no version of keras==3.99 and you require keras==3.99,
         we can conclude that your requirements are unsatisfiable.

hint: something long
"""
    assert resolve.explain(said) == (
        "Because there is no version of keras==3.99 and you require keras==3.99, "
        "we can conclude that your requirements are unsatisfiable."
    )


def test_a_pin_newer_than_the_date_asked_for_is_told_with_its_day() -> None:
    said = """error: No solution found when resolving dependencies
  cause: Because there is no version of keras==3.8.0 and you require keras==3.8.0, requirements are unsatisfiable.

hint: `keras` was filtered by `exclude-newer` to only include packages uploaded before 2025-01-03T00:00:00Z. The
      requested version, v3.8.0, was published at 2025-01-07T18:27:14.726Z. Consider using `exclude-newer-package`.
"""
    assert resolve.explain(said).startswith("3.8.0 was published on 2025-01-07 only: Because there is no version")


def test_switches_that_change_the_answer_do_not_reach_uv_and_mirrors_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_EXCLUDE_NEWER", "2001-01-01")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")
    recipe = lock.recipe(Environment("torch", "2.2.2", None, "3.11", "metal", "macos-arm64"))
    found = resolve._environment(recipe, {})
    assert "UV_EXCLUDE_NEWER" not in found
    assert found["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert found["MACOSX_DEPLOYMENT_TARGET"] == "14.0"


def _forget_that_it_was_unreachable(days: int = 3) -> None:
    mark = lock.cache_dir() / "pytorch-index-unreachable"
    old = time.time() - days * 24 * 3600
    os.utime(mark, (old, old))


def test_the_parts_of_lockfile_are_what_lock_hands_out(uv: Uv, matrix: Path) -> None:
    made = lock.locked(TORCH)
    assert lockfile.parse(made.path.read_text(), made.path) == made


class TestWords:
    """The whole texts of what is said about locks."""

    def test_a_missing_lock(self, matrix: Path) -> None:
        with pytest.raises(UsageError) as caught:
            lock.committed(TORCH)
        assert str(caught.value) == f"{TORCH.id} has no lock in {matrix / 'locks'}; `runner lock` makes it"

    @pytest.mark.usefixtures("matrix")
    def test_a_lock_that_is_no_text(self) -> None:
        path = lock.committed_path(TORCH)
        path.parent.mkdir()
        path.write_bytes(b"\xff")
        with pytest.raises(UsageError, match=rf"^{path}: cannot be read: 'utf-8' codec"):
            lock.committed(TORCH)

    @pytest.mark.parametrize(
        ("old", "new", "text"),
        [
            ("# requirement: numpy<2\n", "", "made from less; now numpy<2"),
            (
                "# requirement: numpy<2\n",
                "# requirement: numpy<2\n# override: six==1\n",
                "made from six==1; now no longer asked for",
            ),
            ("# python: 3.10", "# python: 3.11", None),
        ],
    )
    @pytest.mark.usefixtures("uv")
    def test_a_stale_lock(self, matrix: Path, old: str, new: str, text: str | None) -> None:
        environment = Environment("torch", "2.2.2", None, "3.10", "cuda", "linux-x86_64")
        made = lock.make(environment, matrix / "locks")
        content = made.path.read_text()
        assert old in content
        other = lockfile.Recipe(
            made.recipe.environment, "3.11", made.recipe.platform, "cuda", made.recipe.exclude_newer, ()
        )
        digest = lockfile.digest(other, made.framework_lines, made.rest_lines)
        changed = content.replace(old, new)
        made.path.write_text(changed if text else changed.replace(made.sha256, digest))
        text = text or f"made for Python 3.11 on {made.recipe.platform} (cuda)"
        assert lock.check([environment]) == (f"{environment.id}: {text}",)

    @pytest.mark.usefixtures("uv")
    def test_latest(self, matrix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folders, "images_dir", lambda: matrix)
        before = compat.load_latest()
        asked: list[tuple[Any, ...]] = []

        def answer(*arguments: Any) -> str:
            asked.append(arguments)
            return f"{arguments[2]}==9.9 \\\n    --hash=sha256:{'a' * 64}\n"

        monkeypatch.setattr(resolve, "compile_", answer)
        lines = lock.upgrade()
        today = compat.load_latest().date
        assert lines[-1] == f"as of {today.isoformat()}, was {before.date.isoformat()}"
        assert lines[:-1] == tuple(f"{name}: {release} -> 9.9" for name, release in before.releases.items())
        assert (matrix / "latest.toml").read_text() == (
            "# What `latest` stands for. `runner lock --upgrade` moves it; results always name the release itself.\n"
            f"\nschema = 1\ndate = {today.isoformat()}\n\n[releases]\n"
            + "".join(f'{name} = "9.9"\n' for name in before.releases)
        )
        assert [arguments[1] for arguments in asked] == [["--no-deps"]] * len(asked)
        platform = compat.load().platform("linux-x86_64").uv
        preferred = compat.load().python.preferred
        for recipe, _, label in asked:
            python = "3.8" if label == "uv" else preferred
            moment = f"{today.isoformat()}T00:00:00Z"
            assert recipe == Recipe("", python, platform, "cpu", moment, (label,))
        assert asked[-1][2] == "uv"


class TestAsked:
    """What is handed to the resolution."""

    def test_pytorchs_index_is_tried_quickly_and_then_the_default(
        self, matrix: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[Any, ...]] = []

        def compile_(*arguments: Any) -> str:
            asked.append(arguments)
            if "--torch-backend" in arguments[1]:
                raise NO_PYTORCH_INDEX
            return CUDA

        monkeypatch.setattr(resolve, "compile_", compile_)
        made = lock.make(TORCH, matrix / "locks", "2025-01-01T00:00:00Z")
        newer = ["--exclude-newer-package", "torch=false"]
        quick = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "15"}
        assert made.recipe.exclude_newer == "2025-01-01T00:00:00Z"
        assert asked == [
            (made.recipe, ["--torch-backend", "cpu", *newer], TORCH.id, quick, ()),
            (made.recipe, newer, TORCH.id, {}, ()),
            (made.recipe, ["--torch-backend", "cpu", *newer], TORCH.id, quick, ()),
        ]
        mark = lock.cache_dir() / "pytorch-index-unreachable"
        assert mark.read_text() == NO_PYTORCH_INDEX.log
        assert made.notes[-1] == (
            "PyTorch's own index could not be reached: this is the default index's build, which carries CUDA"
        )

    def test_a_users_pins_stay_close_to_another_lock_as_of_a_date(
        self, matrix: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[Any, ...]] = []

        def compile_(*arguments: Any) -> str:
            asked.append(arguments)
            return CUDA.replace("torch==2.2.2", "jax==0.10.2")

        monkeypatch.setattr(resolve, "compile_", compile_)
        custom = Custom(as_of="2025-03-04T00:00:00Z", prefer=("numpy==1.26.4",))
        environment = Environment("jax", "0.10.2", None, "3.11", "cpu", "linux-x86_64", custom)
        made = lock.make(environment, matrix / "locks")
        assert made.recipe.exclude_newer == "2025-03-04T00:00:00Z"
        assert asked == [(made.recipe, [], environment.id, {}, ("numpy==1.26.4",))]

    @pytest.mark.usefixtures("matrix")
    def test_it_says_when_it_resolves(self, uv: Uv) -> None:
        said: list[str] = []
        uv.cpu = CPU
        lock.locked(TORCH, said.append)
        lock.locked(TORCH, said.append)
        assert said == ["resolving"]

    @pytest.mark.usefixtures("uv")
    def test_a_lock_is_written_whole_or_not_at_all(self, matrix: Path) -> None:
        made = lock.make(TORCH, matrix / "locks")
        assert [path.name for path in made.path.parent.iterdir()] == [f"{TORCH.id}.txt"]


def test_a_nightly_build_may_be_newer_than_the_date_of_the_lock_and_nothing_else(uv: Uv, matrix: Path) -> None:
    version = "3.16.0.dev2026102704"
    uv.default = (
        "absl-py==2.5.1 \\\n    --hash=sha256:{h}\n    # via keras-nightly\n"
        "jax==0.10.2 \\\n    --hash=sha256:{h}\n    # via -r requirements.in\n"
        "keras-nightly=={version} \\\n    --hash=sha256:{h}\n    # via -r requirements.in\n"
    ).format(h="c" * 64, version=version)
    found = lock.locked(Environment("jax", "0.10.2", version, "3.11", "cpu", "linux-x86_64"))
    assert [extra for _, extra in uv.asked] == [["--exclude-newer-package", "keras-nightly=false"]]
    assert found.packages == {"absl-py": "2.5.1", "jax": "0.10.2", "keras-nightly": version}
    assert [line for line in found.framework_lines if "==" in line] == ["jax==0.10.2 \\"]
    assert len(found.rest_lines) == 4
