"""The text of locks: what uv prints, split in two parts, written and read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.environments import lockfile
from runner.environments.lockfile import Recipe
from runner.errors import UsageError
from runner.util import folders

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
PRINTED = f"""\
absl-py==2.5.1 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via
    #   keras
    #   tensorflow-cpu
keras==3.11.3 \\
    --hash=sha256:{A}
    # via
    #   --override overrides.txt
    #   tensorflow-cpu
namex==0.1.0 \\
    --hash=sha256:{C}
    # via keras
numpy==2.4.6 \\
    --hash=sha256:{B}
    # via
    #   -r requirements.in
    #   keras
    #   tensorflow-cpu
six==1.17.0 \\
    --hash=sha256:{C}
    # via absl-py
tensorflow-cpu==2.21.0 \\
    --hash=sha256:{B}
    # via -r requirements.in
"""
RECIPE = Recipe(
    "tensorflow-2.21.0_keras-3.11.3_py3.11_cpu_linux-x86_64", "3.11", "x86_64-manylinux_2_36", "cpu",
    "2026-11-20T00:00:00Z", ("keras==3.11.3", "numpy", "tensorflow-cpu==2.21.0"), ("keras==3.11.3",),
)  # fmt: skip


def names(lines: tuple[str, ...]) -> list[str]:
    return [line.split("==")[0] for line in lines if "==" in line]


def written(notes: tuple[str, ...] = ("overridden",), backend: str = "") -> str:
    parts = lockfile.split(lockfile.parse_resolution(PRINTED), {"tensorflow-cpu", "numpy", "keras"})
    return lockfile.render(RECIPE, parts, notes, backend)


def test_the_framework_part_is_its_closure_without_keras() -> None:
    framework, rest = lockfile.split(lockfile.parse_resolution(PRINTED), {"tensorflow-cpu", "numpy", "keras"})
    assert names(framework) == ["absl-py", "numpy", "six", "tensorflow-cpu"]
    assert names(rest) == ["keras", "namex"]


def test_a_package_keeps_all_its_hashes() -> None:
    framework, _ = lockfile.split(lockfile.parse_resolution(PRINTED), {"tensorflow-cpu"})
    assert framework[:3] == ("absl-py==2.5.1 \\", f"    --hash=sha256:{A} \\", f"    --hash=sha256:{B}")


def test_the_framework_part_does_not_depend_on_the_keras_release() -> None:
    other = PRINTED.replace("keras==3.11.3", "keras==3.8.0").replace(
        f"namex==0.1.0 \\\n    --hash=sha256:{C}", f"namex==0.2.0 \\\n    --hash=sha256:{A}"
    )
    roots = {"tensorflow-cpu", "numpy", "keras"}
    one, one_rest = lockfile.split(lockfile.parse_resolution(PRINTED), roots)
    two, two_rest = lockfile.split(lockfile.parse_resolution(other), roots)
    assert one == two
    assert one_rest != two_rest


@pytest.mark.parametrize(
    "line", ["-e git+https://example.org/x.git", "torch @ https://example.org/torch.whl", "six>=1"]
)
def test_a_line_that_is_no_pinned_package_is_no_lock(line: str) -> None:
    with pytest.raises(UsageError, match="not a pinned package"):
        lockfile.parse_resolution(line + "\n")


def test_written_and_read_again(tmp_path: Path) -> None:
    found = lockfile.parse(written(), tmp_path / "x.txt")
    assert found.recipe == RECIPE
    assert found.notes == ("overridden",)
    assert found.packages["tensorflow-cpu"] == "2.21.0"
    assert len(found.packages) == 6
    assert not found.carries_cuda


def test_a_local_version_is_a_version(tmp_path: Path) -> None:
    text = written(backend="cpu").replace("tensorflow-cpu==2.21.0 \\", "tensorflow-cpu==2.21.0+cpu \\")
    digest = lockfile.digest(RECIPE, *_parts(text))
    text = text.replace(text.split("# sha256: ")[1][:64], digest)
    assert lockfile.parse(text, tmp_path / "x").packages["tensorflow-cpu"] == "2.21.0+cpu"


def _parts(text: str) -> tuple[list[str], list[str]]:
    framework, rest = text.split("# --- framework\n")[1].split("# --- rest\n")
    return framework.splitlines(), rest.splitlines()


def test_the_digest_is_of_what_gets_installed() -> None:
    one, two = lockfile.parse(written(), Path("x")), lockfile.parse(written(("another note",)), Path("x"))
    assert one.sha256 == two.sha256
    other = Recipe(**{**{f: getattr(RECIPE, f) for f in RECIPE.__slots__}, "python": "3.12"})
    assert lockfile.digest(other, one.framework_lines, one.rest_lines) != one.sha256


def test_a_lock_changed_by_hand_is_refused() -> None:
    with pytest.raises(UsageError, match="changed since it was made"):
        lockfile.parse(written().replace("numpy==2.4.6", "numpy==2.4.5"), Path("x.txt"))


@pytest.mark.parametrize(
    "extra", ["--index-url https://example.org", "-r other.txt", "six==1.17.0; rm -rf /", "six==1 --hash=md5:1"]
)
def test_nothing_but_packages_and_hashes_gets_in(extra: str) -> None:
    with pytest.raises(UsageError, match=r"x\.txt:\d+: not a line of a lock"):
        lockfile.parse(written() + extra + "\n", Path("x.txt"))


@given(st.text(max_size=40).filter(lambda line: line.strip() == line and line))
def test_hostile_lines_are_refused(line: str) -> None:
    text = written() + line + "\n"
    known = {entry for entry in text.splitlines() if "==" in entry or "--hash" in entry}
    try:
        found = lockfile.parse(text, Path("x"))
    except UsageError:
        return
    assert {*found.framework_lines, *found.rest_lines} <= known


@pytest.mark.parametrize("content", ["", "# Made by hand\n", "torch==2.2.2\n", "\x00"])
def test_something_else_is_no_lock(content: str) -> None:
    with pytest.raises(UsageError, match=r"no whole lock.*`runner lock` makes it again|not a line of a lock"):
        lockfile.parse(content, Path("x.txt"))


def test_committed_locks_name_no_host_and_no_place() -> None:
    locks = sorted((folders.matrix_dir() / "locks").glob("*.txt"))
    assert locks
    for path in locks:
        text = path.read_text()
        assert "://" not in text, path
        assert "/" not in text.split("# --- framework")[0].replace("PyTorch's", ""), path
        assert lockfile.parse(text, path).recipe.environment == path.stem


def test_committed_locks_of_one_framework_release_share_the_framework_part() -> None:
    seen: dict[str, set[tuple[str, ...]]] = {}
    for path in (folders.matrix_dir() / "locks").glob("*_keras-*.txt"):
        framework, _, rest = path.stem.partition("_keras-")
        key = f"{framework}_{rest.partition('_')[2]}"
        seen.setdefault(key, set()).add(lockfile.parse(path.read_text(), path).framework_lines)
    shared = [key for key, parts in seen.items() if len(parts) == 1]
    assert "torch-2.2.2_py3.11_cpu_linux-x86_64" in shared
    assert {key for key in seen if key not in shared} == set()
