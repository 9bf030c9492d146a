"""What is asked of the package index, and how its answers are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.environments import index, lock, resolve
from runner.environments.lockfile import Recipe
from runner.errors import Cause, CellError, OutageError, UnavailableError, UsageError
from runner.matrix import compat
from runner.model import Environment
from runner.util import commands, folders, versions

PIP_WITHOUT_NETWORK = (
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken "
    "by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a "
    "new connection: [Errno -3] Temporary failure in name resolution')': /simple/keras/\n"
    "ERROR: Could not find a version that satisfies the requirement keras (from versions: none)\n"
    "ERROR: No matching distribution found for keras\n"
)
UV_WITHOUT_NETWORK = (
    "error: Request failed after 3 retries in 3.9s\n  cause: Failed to fetch: https://index.example/keras/\n"
    "  cause: error sending request for url (https://index.example/keras/)\n  cause: dns error\n"
)


class TestReleases:
    def test_upload_dates_are_the_earliest_files(self) -> None:
        lock = (
            '[[package]]\nname = "keras"\nversion = "3.8.0"\nwheels = [\n'
            '{ url = "x", upload-time = "2025-01-08T01:02Z" }, { url = "y", upload-time = "2025-01-07T01:02Z" }]\n'
        )
        assert index.upload_date(lock, "keras") == "2025-01-07"
        assert index.upload_date(lock, "torch") == ""

    def test_prereleases_are_known(self) -> None:
        assert [v for v in ("2.0", "2.0rc1", "2.0.dev3", "2.0.post1", "2.0a1") if versions.is_prerelease(v)] == [
            "2.0rc1", "2.0.dev3", "2.0a1"
        ]  # fmt: skip

    @pytest.mark.parametrize(("version", "found"), [("2.2.9", "2.2.2"), ("1.0", "2.1.0"), ("9", "2.3.0")])
    def test_the_nearest_release_is_offered(self, version: str, found: str) -> None:
        assert index.nearest(version, ["2.1.0", "2.2.2", "2.3.0"]) == found

    def test_what_the_index_does_not_have_is_told_with_the_nearest_that_it_has(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def published(package: str, _python: str, *, prereleases: bool = False) -> tuple[str, ...]:
            assert prereleases
            if package != "torch":
                raise UsageError(f"the package index has no {package!r}")
            return ("2.1.0", "2.2.2", "2.3.0rc1", "2.3.0")

        monkeypatch.setattr(index, "published", published)
        assert index.unknown(("torch==2.2.2+cpu", "torch==2.3", "torch"), "3.11") == []
        assert index.unknown(("torch==2.2.9", "scipyy"), "3.11") == [
            "torch 2.2.9: no such release with a wheel for Python 3.11; the nearest is 2.2.2",
            "the package index has no 'scipyy'",
        ]

    def test_the_index_is_asked_for_a_framework_by_its_name_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def run(command: list[str], *_: object) -> commands.Ended:
            asked.extend(command)
            return commands.Ended(0, "paddlepaddle (3.3.1)\nAvailable versions: 3.3.1, 3.3.0\n")

        monkeypatch.setattr(index, "_run", run)
        assert index.published("paddle", "3.11", prereleases=True) == ("3.3.0", "3.3.1")
        assert "paddlepaddle" in asked
        assert "paddle" not in asked

    def test_a_name_that_is_none_asks_nobody(self) -> None:
        with pytest.raises(UsageError, match="not a name of a package"):
            index.published("--index-url", "3.11")


class Uv:
    """Stands in for ``commands.guarded``: what uv was asked, and what it answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], dict[str, Any]]] = []
        self.answers: Callable[[Path], tuple[int, str, str]] = lambda _folder: (0, "", "")
        self.files: list[dict[str, str]] = []
        self.late = False

    def __call__(self, command: list[str], **options: Any) -> commands.Ended:
        self.calls.append((list(command), options))
        folder = Path(options["folder"] or "/nowhere")
        self.files.append({path.name: path.read_text() for path in folder.iterdir()} if folder.is_dir() else {})
        code, out, errors = self.answers(folder)
        return commands.Ended(None if self.late else code, out, errors, self.late)


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Uv]:
    made = Uv()
    monkeypatch.setattr(commands, "guarded", made)
    monkeypatch.setattr(folders, "uv_program", lambda: "/bin/uv")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    index.published.cache_clear()
    yield made
    index.published.cache_clear()


class TestPublished:
    def test_pip_is_asked_through_uv(self, uv: Uv, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VIRTUAL_ENV", "/mine")
        uv.answers = lambda _folder: (0, "x\nAvailable versions: 2.0, 1.0\n", "")
        assert index.published("torch", "3.11") == ("1.0", "2.0")
        ((command, options),) = uv.calls
        assert command == [
            *("/bin/uv", "tool", "run", "--quiet", "pip", "index", "versions", "torch", "--only-binary", ":all:"),
            *("--python-version", "3.11", "--disable-pip-version-check"),
        ]
        variables = options.pop("variables")
        assert variables == {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        assert options == {"timeout_s": 180, "folder": None}

    def test_prereleases_are_asked_for_by_name(self, uv: Uv) -> None:
        index.published("torch", "3.11", prereleases=True)
        assert uv.calls[0][0][-1] == "--pre"

    @pytest.mark.parametrize(
        ("variables", "index_url"),
        [
            ({"UV_DEFAULT_INDEX": "https://a", "UV_INDEX_URL": "https://b"}, "https://a"),
            ({"UV_INDEX_URL": "https://b"}, "https://b"),
            ({"UV_INDEX_URL": "https://b", "PIP_INDEX_URL": "https://c"}, "https://c"),
            ({}, None),
        ],
    )
    def test_pip_gets_uvs_mirror_unless_it_has_its_own(
        self, uv: Uv, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], index_url: str | None
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        index.published("torch", "3.11")
        assert uv.calls[0][1]["variables"].get("PIP_INDEX_URL") == index_url

    def test_a_package_that_is_not_there_is_named_with_its_neighbour(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (1, "", "ERROR: No matching distribution found for kerass\n")
        with pytest.raises(UsageError) as caught:
            index.published("kerass", "3.11")
        assert str(caught.value).startswith(
            "the package index has no 'kerass' with a wheel for Python 3.11 (did you mean 'keras'"
        )

    @pytest.mark.parametrize(
        ("errors", "reason"),
        [
            ("WARNING: x\nERROR: dns \n\nWARNING: y\n", "ERROR: dns"),
            ("", "no reason given"),
            ("WARNING", "no reason given"),
        ],
    )
    def test_an_index_that_cannot_be_asked_gives_its_last_word(self, uv: Uv, errors: str, reason: str) -> None:
        uv.answers = lambda _folder: (1, "", errors)
        with pytest.raises(UnavailableError) as caught:
            index.published("torch", "3.11")
        assert str(caught.value) == f"the releases of torch cannot be listed: {reason}"
        assert caught.value.log == errors

    def test_an_index_that_hangs_is_given_up(self, uv: Uv) -> None:
        uv.late = True
        with pytest.raises(OutageError, match=r"^the package index did not answer within 180 s$"):
            index.published("torch", "3.11")

    @pytest.mark.parametrize("code", [None, -15])
    def test_a_program_that_somebody_ended_is_no_answer(self, uv: Uv, code: Any) -> None:
        uv.answers = lambda _folder: (code, "", "")
        with pytest.raises(UnavailableError, match="something ended the program that asked the package index"):
            index.published("torch", "3.11")

    def test_without_a_network_it_is_not_the_package_that_is_missing(self, uv: Uv) -> None:
        """What pip prints for a known package where no name can be resolved."""
        uv.answers = lambda _folder: (1, "", PIP_WITHOUT_NETWORK)
        with pytest.raises(OutageError, match="the package index cannot be reached"):
            index.published("keras", "3.11")

    @pytest.mark.parametrize("name", ["", "a b", "-x", "x-", "a/b", "é"])
    def test_what_is_no_name_is_refused(self, uv: Uv, name: str) -> None:
        with pytest.raises(UsageError) as caught:
            index.published(name, "3.11")
        assert str(caught.value) == f"{name!r} is not a name of a package (example: torch)"
        assert uv.calls == []

    def test_an_answer_without_versions_is_empty(self) -> None:
        assert index.parse_versions("nothing\n") == ()
        assert index.parse_versions("x\nAvailable versions: 1.0+cpu, 1.0, 0.9\n") == ("0.9", "1.0")
        assert index.nearest("1.0", []) == ""


class TestUnknown:
    @pytest.mark.parametrize("error", [UnavailableError("no"), OutageError(Cause.NETWORK, "no", "")])
    def test_an_index_that_cannot_be_asked_says_nothing(
        self, error: CellError, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(index, "published", refuse)
        assert index.unknown(["torch==9.9"], "3.11") == []

    def test_any_release_will_do_for_a_pattern(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index, "published", lambda *_, **__: ("1.0rc1", "1.0rc2"))
        assert index.unknown(["torch==2.*", "torch==1.0rc2"], "3.11") == []
        (line,) = index.unknown(["torch==0.1"], "3.8")
        assert line == "torch 0.1: no such release with a wheel for Python 3.8; the nearest is 1.0rc1"


class TestNewest:
    @pytest.mark.parametrize(
        ("package", "as_of", "below", "line", "extra"),
        [
            ("torch", "", "", "torch", ["--no-deps", "--exclude-newer-package", "torch=false"]),
            ("torch", "2025-01-01T00:00:00Z", "<2", "torch<2", ["--no-deps"]),
            ("paddle", "", "", "paddlepaddle", ["--no-deps"]),
            ("scipy", "", "<1", "scipy<1", ["--no-deps"]),
        ],
    )
    def test_uv_chooses(
        self, monkeypatch: pytest.MonkeyPatch, package: str, as_of: str, below: str, line: str, extra: list[str]
    ) -> None:
        asked: list[tuple[Any, ...]] = []

        def compile_(*arguments: Any) -> str:
            asked.append(arguments)
            return f"{line.partition('<')[0]}==2.2.2+cpu \\\n    --hash=sha256:{'a' * 64}\n"

        monkeypatch.setattr(resolve, "compile_", compile_)
        assert index.newest(package, "3.11", as_of, below) == "2.2.2"
        moment = as_of or f"{compat.load_latest().date}T00:00:00Z"
        recipe = Recipe("", "3.11", compat.load().platform("linux-x86_64").uv, "cpu", moment, (line,))
        assert asked == [(recipe, extra, line)]


class TestYanked:
    @pytest.mark.parametrize(
        ("errors", "why"),
        [
            ('warning: `torch==2.0.1` is yanked (reason: "broken, sorry")\n', "broken, sorry"),
            ("warning: `torch==2.0.1` is yanked (reason: broken)\n", "broken"),
            ("warning: `torch==2.0.1` is yanked.\n", "no reason given"),
            ("warning: `torch==2.0.1` is yanked\nmore", "no reason given"),
            ("warning: something else", ""),
        ],
    )
    def test_uvs_warning_has_the_reason(self, uv: Uv, errors: str, why: str) -> None:
        uv.answers = lambda _folder: (0, "", errors)
        assert index.yanked("paddle", "2.0.1", "3.11") == why
        ((command, options),) = uv.calls
        assert command == [
            *("/bin/uv", "pip", "compile", "requirements.in", "--no-deps", "--no-header"),
            *("--python-version", "3.11", "--no-python-downloads", "--color", "never"),
        ]
        assert uv.files == [{"requirements.in": "paddlepaddle==2.0.1\n"}]
        assert Path(options["folder"]).name.startswith("yanked-")
        assert not Path(options["folder"]).exists()

    def test_an_index_that_cannot_be_reached_has_not_said_that_it_was_not_yanked(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (2, "", UV_WITHOUT_NETWORK)
        with pytest.raises(OutageError, match="the package index cannot be reached"):
            index.yanked("keras", "3.8.0", "3.11")
        uv.answers = lambda _folder: (2, "", "")
        with pytest.raises(
            UnavailableError, match=r"^whether keras 3\.8\.0 was yanked cannot be asked: no reason given$"
        ):
            index.yanked("keras", "3.8.0", "3.11")

    def test_a_release_that_the_index_does_not_have_was_not_yanked(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (1, "", "  x No solution found when resolving dependencies:\n")
        assert index.yanked("keras", "3.99", "3.11") == ""


class TestUploaded:
    def test_an_index_that_cannot_be_reached_is_an_outage(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (2, "", UV_WITHOUT_NETWORK)
        with pytest.raises(OutageError, match="the package index cannot be reached"):
            index.uploaded("keras", ["3.8.0"], "3.11")

    def test_a_framework_is_asked_for_by_its_name_on_the_index(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (1, "", "no such release")
        assert index.uploaded("paddle", ["3.3.1"], "3.11") == {}
        (files,) = uv.files
        assert 'one = ["paddlepaddle==3.3.1"]' in files["pyproject.toml"]

    def test_each_release_is_asked_for_by_itself(self, uv: Uv) -> None:
        def answer(folder: Path) -> tuple[int, str, str]:
            text = (folder / "pyproject.toml").read_text()
            if "==3.0" in text:
                return 1, "", "no such release"
            times = '"2025-01-08T01:02Z"' if "==1.0" in text else ""
            wheel = f'{{ url = "x", upload-time = {times} }}' if times else '{ url = "x" }'
            (folder / "uv.lock").write_text(f'[[package]]\nname = "keras"\nwheels = [{wheel}]\n')
            return 0, "", ""

        uv.answers = answer
        assert index.uploaded("keras", ["1.0", "2.0", "3.0"], "3.11") == {"1.0": "2025-01-08"}
        assert uv.files[0] == {
            "pyproject.toml": (
                '[project]\nname = "kvm-dates"\nversion = "0"\nrequires-python = "==3.11.*"\n'
                'dependencies = []\n[dependency-groups]\none = ["keras==1.0"]\n'
            )
        }
        assert [command for command, _ in uv.calls] == [["/bin/uv", "lock", "--quiet", "--no-python-downloads"]] * 3
        assert all(Path(options["folder"]).name.startswith("dates-") for _, options in uv.calls)

    @pytest.mark.parametrize(
        "lock", ["", '[[package]]\nname = "keras"\n', '[[package]]\nname = "keras"\nwheels = []\n']
    )
    def test_an_index_without_dates_has_none(self, lock: str) -> None:
        assert index.upload_date(lock, "Keras") == ""


def test_the_frameworks_and_their_neighbours_can_be_suggested() -> None:
    known = index.known_packages()
    assert {"torch", "tensorflow-cpu", "jaxlib", "paddlepaddle"} <= set(known)
    assert known[-8:] == ("keras", "scipy", "h5py", "ml-dtypes", "torchvision", "optree", "protobuf", "absl-py")


class TestNightly:
    """Nightly builds by name and by day."""

    BUILDS = (
        "keras-nightly (3.16.0.dev2026102704)\nAvailable versions: 3.16.0.dev2026102704, 3.16.0.dev2026102605, "
        "3.16.0.dev2026102604, 3.15.1.dev2026102603, 3.16.0.dev2026102004, 3.16.0.dev1\n"
    )

    @pytest.mark.parametrize(
        ("wanted", "version"),
        [
            ("nightly", "3.16.0.dev2026102704"),
            ("nightly-2026-10-26", "3.16.0.dev2026102605"),
            ("nightly-2026-10-20", "3.16.0.dev2026102004"),
        ],
    )
    def test_the_last_build_of_the_day_counts(self, uv: Uv, wanted: str, version: str) -> None:
        uv.answers = lambda _folder: (0, self.BUILDS, "")
        assert index.nightly("keras", wanted) == version
        assert "keras-nightly" in uv.calls[0][0]
        assert "--pre" in uv.calls[0][0]

    def test_a_day_without_a_build_is_answered_with_its_neighbours(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (0, self.BUILDS, "")
        with pytest.raises(UsageError) as caught:
            index.nightly("keras", "nightly-2026-10-21")
        assert str(caught.value) == (
            "keras@nightly-2026-10-21: keras-nightly has no build of that day; "
            "the nearest are of 2026-10-20 and 2026-10-26"
        )

    @pytest.mark.parametrize("day", ["2026-13-01", "2026-10", "20261012", "", "2026-10-01-"])
    def test_what_is_not_a_day_is_refused(self, uv: Uv, day: str) -> None:
        with pytest.raises(UsageError, match=r"is not a day \(example: nightly-2026-10-12\)"):
            index.nightly("keras", f"nightly-{day}")
        assert uv.calls == []

    def test_a_package_without_them_is_refused_with_those_that_have_some(self, uv: Uv) -> None:
        with pytest.raises(UsageError) as caught:
            index.nightly("mxnet", "nightly")
        assert str(caught.value) == (
            "mxnet@nightly: compat.toml names no package with nightly builds of mxnet; "
            "it does for keras, tensorflow, torch, jax"
        )
        assert index.nightly_builds("mxnet", "3.11") == ()
        assert uv.calls == []

    @pytest.mark.parametrize("package", ["torch", "jax"])
    def test_builds_of_another_index_need_its_address(self, uv: Uv, package: str) -> None:
        with pytest.raises(UsageError) as caught:
            index.nightly(package, "nightly")
        assert str(caught.value) == (
            f"{package}@nightly: nightly builds of {package} are on another package index; "
            "name its address in the table [nightly-index] of matrix/compat.toml"
        )
        assert uv.calls == []

    @pytest.fixture
    def named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
        """compat.toml names the index of PyTorch's nightly builds."""
        text = (folders.matrix_dir() / "compat.toml").read_text()
        assert text.count("[nightly-index]\n") == 1
        address = '[nightly-index]\ntorch = "https://nightly.example/whl"\n'
        (tmp_path / "compat.toml").write_text(text.replace("[nightly-index]\n", address))
        (tmp_path / "latest.toml").write_text((folders.matrix_dir() / "latest.toml").read_text())
        monkeypatch.setattr(folders, "matrix_dir", lambda: tmp_path)
        compat.forget()
        yield
        compat.forget()

    @pytest.mark.usefixtures("named")
    def test_the_index_that_compat_names_is_asked(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (0, "torch\nAvailable versions: 2.16.0.dev20261112+cpu, 2.15.0+cpu\n", "")
        assert index.nightly("torch", "nightly-2026-11-12") == "2.16.0.dev20261112"
        assert uv.calls[0][0][-3:] == ["--pre", "--index-url", "https://nightly.example/whl"]

    @pytest.mark.usefixtures("named")
    def test_one_that_cannot_be_reached_is_named_in_one_line(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (1, "", PIP_WITHOUT_NETWORK)
        with pytest.raises(OutageError) as caught:
            index.nightly("torch", "nightly")
        assert caught.value.sentence == (
            "the package index with nightly builds of torch cannot be reached: "
            "check its address in matrix/compat.toml and the network"
        )

    @pytest.mark.usefixtures("named")
    def test_a_lock_asks_and_names_that_index(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[list[str]] = []

        def compile_(_recipe: Recipe, extra: list[str], *_: object) -> str:
            asked.append(list(extra))
            return f"torch==2.16.0.dev20261112+cpu \\\n    --hash=sha256:{'0' * 64}\n    # via -r requirements.in\n"

        monkeypatch.setattr(resolve, "compile_", compile_)
        found = lock.locked(Environment("torch", "2.16.0.dev20261112", None, "3.11", "cpu", "linux-x86_64"))
        place = ["--index", "https://nightly.example/whl", "--index-strategy", "unsafe-best-match"]
        assert asked == [[*place, "--exclude-newer-package", "torch=false"]]
        assert found.recipe.index == "https://nightly.example/whl"
        assert lock.install_arguments(found)[-4:] == place
        release = lock.recipe(Environment("torch", "2.15.0", None, "3.11", "cpu", "linux-x86_64"))
        assert release.index == ""

    def test_an_index_that_cannot_be_reached_is_an_outage(self, uv: Uv) -> None:
        uv.answers = lambda _folder: (1, "", PIP_WITHOUT_NETWORK)
        with pytest.raises(OutageError, match="the package index cannot be reached"):
            index.nightly("keras", "nightly")
