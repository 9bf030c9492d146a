"""Sources from real git repositories, built into wheels on the host and in a real container."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner import sources
from runner.environments import lockfile, wheels
from runner.errors import UsageError
from runner.images import Builder
from runner.model import Environment
from runner.util import folders, wheel_file
from tests.engine import git_server

PYPROJECT = """\
[build-system]
requires = []
build-backend = "own_backend"
backend-path = ["tools"]
"""
BACKEND = """\
import os, zipfile, pathlib
{before}
VERSION = {version!r}
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "own_package-%s-py3-none-any.whl" % VERSION
    info = "own_package-%s.dist-info/" % VERSION
    user = "%d %s" % (os.getuid(), pathlib.Path("/proc/self/status").read_text())
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("own_package/__init__.py", pathlib.Path("own_package.py").read_text())
        archive.writestr("own_package/user.txt", user)
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: own-package\\nVersion: %s\\n" % VERSION)
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "RECORD", "")
    return name
"""


def git(folder: Path, *words: str) -> str:
    own = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *own, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def source(folder: Path, version: str = "1.2.0", before: str = "") -> Path:
    """A project with a build backend that needs no package."""
    (folder / "tools").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "tools" / "own_backend.py").write_text(BACKEND.format(version=version, before=before))
    (folder / "own_package.py").write_text("x = 1\n")
    (folder / ".gitignore").write_text("ignored\n")
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """That project with one commit, tagged v1."""
    folder = source(tmp_path / "own")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one")
    git(folder, "tag", "v1")
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(text: str, executor: str = "host", say: Callable[[str], None] = lambda _: None) -> wheels.Kept:
    (one,) = sources.made(sources.parse([], [f"own-package={text}"]), executor, say)
    found = wheels.find("own-package", one.version)
    assert found is not None
    return found


def inside(wheel: wheels.Kept, name: str) -> str:
    with zipfile.ZipFile(wheel.path) as archive:
        return archive.read(name).decode()


class TestVersions:
    def test_a_commit_is_a_local_version_and_is_built_once(self, repository: Path) -> None:
        said: list[str] = []
        first = made(str(repository), say=said.append)
        assert first.version == f"1.2.0+g{git(repository, 'rev-parse', 'HEAD')[:7]}"
        assert first.entry.note == f"own-package {first.version} is built from commit {first.version[7:]} of own"
        assert [line for line in said if line.startswith("building")]
        said.clear()
        assert made(f"{repository}@v1", say=said.append) == first
        assert said == [first.entry.note]

    def test_uncommitted_changes_are_built_and_named(self, repository: Path) -> None:
        clean = made(str(repository))
        (repository / "own_package.py").write_text("x = 2\n")
        (repository / "ignored").write_text("not a part of it")
        dirty = made(str(repository))
        assert dirty.version.startswith(f"{clean.version}.dirty")
        assert dirty.entry.note.endswith("of own with uncommitted changes")
        assert inside(dirty, "own_package/__init__.py") == "x = 2\n"
        (repository / "own_package.py").write_text("x = 3\n")
        other = made(str(repository))
        assert other.version.startswith(f"{clean.version}.dirty")
        assert other.version != dirty.version
        assert made(f"{repository}@v1") == clean

    def test_a_new_file_is_a_change(self, repository: Path) -> None:
        (repository / "new.py").write_text("")
        assert ".dirty" in made(str(repository)).version

    def test_the_repository_of_the_user_is_only_read(self, repository: Path) -> None:
        (repository / "own_package.py").write_text("x = 2\n")
        (repository / "new.py").write_text("new")
        git(repository, "status")  # writes the index
        before = contents(repository)
        made(str(repository))
        assert contents(repository) == before

    def test_a_folder_without_git_is_a_version_of_its_files(self, tmp_path: Path) -> None:
        found = made(str(source(tmp_path / "plain")))
        assert found.version.startswith("1.2.0+t")
        (tmp_path / "plain" / "own_package.py").write_text("x = 2\n")
        assert made(str(tmp_path / "plain")).version != found.version

    def test_a_folder_of_a_repository_is_built_by_itself(self, tmp_path: Path) -> None:
        source(tmp_path / "whole" / "part")
        (tmp_path / "whole" / "other.py").write_text("")
        git(tmp_path / "whole", "init", "--quiet")
        git(tmp_path / "whole", "add", "--all")
        git(tmp_path / "whole", "commit", "--quiet", "--message", "one")
        (tmp_path / "whole" / "other.py").write_text("a change elsewhere")
        found = made(str(tmp_path / "whole" / "part"))
        assert found.version == f"1.2.0+g{git(tmp_path / 'whole', 'rev-parse', 'HEAD')[:7]}"

    def test_a_repository_elsewhere_is_fetched(self, repository: Path) -> None:
        local = made(str(repository))
        assert made(f"git+file://{repository}@v1").version == local.version
        assert made(f"git+file://{repository}").version == local.version
        assert made(f"git+file://{repository}@{git(repository, 'rev-parse', 'HEAD')}").version == local.version
        assert (
            made(f"git+file://{repository}@{git(repository, 'rev-parse', '--short', 'HEAD')}").version == local.version
        )


class TestServer:
    """A repository on a server: one that hands out single commits, and one that only has files."""

    @pytest.fixture(params=[True, False], ids=["smart", "dumb"])
    def address(
        self, request: pytest.FixtureRequest, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[str]:
        git(repository, "branch", "--move", "trunk")  # not the name that git gives a new repository
        bare = tmp_path / "served" / "own.git"
        git(tmp_path, "clone", "--quiet", "--bare", str(repository), str(bare))
        git(bare, "update-server-info")
        with git_server.served(bare.parent, tmp_path, smart=request.param) as (address, certificate):
            monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
            yield f"git+{address}/own.git"

    def test_its_commits_tags_and_branches_are_versions(self, address: str, repository: Path) -> None:
        local = made(str(repository)).version
        (repository / "own_package.py").write_text("x = 2\n")
        git(repository, "commit", "--quiet", "--all", "--message", "two")
        git(repository, "push", "--quiet", str(repository.parent / "served" / "own.git"), "HEAD:next")
        git(repository.parent / "served" / "own.git", "update-server-info")
        assert made(address).version == local
        assert made(f"{address}@trunk").version == local
        assert made(f"{address}@v1").version == local
        new = git(repository, "rev-parse", "HEAD")
        for revision in ("next", new, new[:9]):
            assert made(f"{address}@{revision}").version == f"1.2.0+g{new[:7]}"

    def test_what_it_does_not_have_is_one_line(self, address: str) -> None:
        with pytest.raises(UsageError, match=r"own\.git@v9: no commit 'v9' in own \(did you mean 'v1'\?\); name a"):
            made(f"{address}@v9")
        with pytest.raises(UsageError, match=r"nothing\.git: git fetch failed: .*not found"):
            made(address.replace("own.git", "nothing.git"))

    def test_a_certificate_that_is_not_known_is_one_line(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GIT_SSL_CAINFO")
        with pytest.raises(UsageError, match=r"git fetch failed: unable to access .*certificate") as caught:
            made(address)
        assert "\n" not in str(caught.value)


class TestRefusals:
    """Each is one clear line that begins with the option."""

    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("{0}x", "{0}x: no such folder (did you mean 'own'?)"),
            ("{0}@v9", "no commit 'v9' in own (did you mean 'v1'?); name a commit, a tag or a branch"),
            ("{0}@", "no commit after the @"),
            ("{0}@--all", "no commit '--all' in own; name a commit, a tag or a branch"),
            ("{0}/pyproject.toml", "is a file; a wheel goes with --wheel, and --source takes a folder"),
            ("{0}/tools", "no build backend: it has neither pyproject.toml with [build-system] nor setup.py"),
            ("git+http://example.org/x", "it looks like git+https://github.com/keras-team/keras@v3.15.1"),
            ("git+file://{0}x", "git fetch failed: "),
            ("git+file://{0}@v9", "no commit 'v9' in own (did you mean 'v1'?); name a commit, a tag or a branch"),
        ],
    )
    def test_a_place_that_is_not_there(self, repository: Path, place: str, reason: str) -> None:
        with pytest.raises(UsageError) as caught:
            made(place.format(repository))
        assert str(caught.value).startswith(f"--source own-package={place.format(repository)}: ")
        assert reason.format(repository) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_commit_of_what_has_none(self, tmp_path: Path) -> None:
        source(tmp_path / "plain")
        with pytest.raises(UsageError, match="is not a git repository, so it has no commit 'v1'"):
            made(f"{tmp_path / 'plain'}@v1")

    def test_another_name(self, repository: Path) -> None:
        with pytest.raises(UsageError, match=r"that is own-package 1\.2\.0, not keras; give --source own-package="):
            sources.made(sources.parse([], [f"keras={repository}"]), "host", lambda _: None)

    def test_a_version_that_is_not_one(self, tmp_path: Path) -> None:
        folder = source(tmp_path / "own", version="main")
        for _ in range(2):  # the second time its wheel is in the cache
            with pytest.raises(UsageError) as caught:
                made(str(folder))
            told = f"--source own-package={folder}: its version 'main' is not one by PEP 440 (example: 3.16.0)"
            assert str(caught.value) == told


def _wheel(folder: Path) -> Path:
    path = folder / "own_package-1.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("own_package.py", "x = 1\n")
        archive.writestr("own_package-1.2.0.dist-info/METADATA", "Name: own-package\nVersion: 1.2.0\n")
    return path


def test_a_wheel_is_a_local_version(tmp_path: Path) -> None:
    path = _wheel(tmp_path)
    (one,) = sources.made(sources.parse([f"own-package={path}"], []), "host", lambda _: None)
    sha256 = wheel_file.digest(path)
    assert one.version == f"1.2.0+w{sha256[:7]}"
    assert one.note == f"own-package {one.version} is the wheel {path.name} (sha256 {sha256[:16]}...)"


NEEDS_NETWORK = "import urllib.request; urllib.request.urlopen('http://example.org')"


class TestInContainer:
    pytestmark = pytest.mark.engine

    def test_the_build_runs_without_privileges(self, repository: Path) -> None:
        found = made(str(repository), "docker")
        status = dict(
            line.split(":", 1) for line in inside(found, "own_package/user.txt").splitlines()[1:] if ":" in line
        )
        assert status["CapEff"].strip() == "0" * 16
        assert status["NoNewPrivs"].strip() == "1"

    def test_the_same_tree_is_the_same_version_wherever_it_is_built(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        contained = made(str(repository), "docker")
        monkeypatch.setattr(folders, "cache_dir", lambda: tmp_path / "other cache")
        there = made(str(repository), "host")
        assert (there.version, there.entry.origin) == (contained.version, contained.entry.origin)
        assert inside(there, "own_package/__init__.py") == inside(contained, "own_package/__init__.py")

    @pytest.mark.parametrize("how", ["buildkit", "classic"])
    def test_its_wheel_is_installed_in_an_image(self, repository: Path, how: str) -> None:
        kept = made(str(repository), "docker")
        environment = Environment("tiny", kept.version, None, "3.11", "cpu", "linux-x86_64")
        asked = (f"own-package=={kept.version}",)
        lines = (f"{asked[0]} \\", f"    --hash=sha256:{kept.entry.sha256}")
        text = lockfile.render(
            lockfile.Recipe(environment.id, "3.11", "x", "cpu", "2026-11-20T00:00:00Z", asked, wheels=(kept.pin,)),
            (lines, ()), (), "",
        )  # fmt: skip
        image = Builder(how=how).build(environment, lockfile.parse(text, Path("tiny.txt")))
        show = "import own_package, importlib.metadata as m; print(own_package.x, m.version('own-package'))"
        try:
            ran = ["docker", "run", "--rm", "--network", "none", image.id, "python", "-c", show]
            shown = subprocess.run(ran, capture_output=True, text=True, check=True).stdout
        finally:
            subprocess.run(["docker", "rmi", "--no-prune", image.tag], capture_output=True, check=False)
        assert shown == f"1 {kept.version}\n"

    def test_a_build_that_needs_the_network_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"its build needs the network, and a build has none: name all packages"):
            made(str(source(tmp_path / "own", before=NEEDS_NETWORK)), "docker")
