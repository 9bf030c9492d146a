"""What compat.toml says, and how strictly it is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.matrix import compat
from runner.model import Custom, Environment
from runner.util import folders, versions

FACTS = compat.load()


def environment(
    framework: str, version: str, keras: str | None = "3.11.3", python: str = "3.11", build: str = "cpu",
    platform: str = "linux-x86_64",
) -> Environment:  # fmt: skip
    return Environment(framework, version, keras, python, build, platform)


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (environment("torch", "2.2.2"), ("keras==3.11.3", "numpy<2", "torch==2.2.2")),
        (environment("torch", "2.15.0", None), ("numpy", "torch==2.15.0")),
        (environment("tensorflow", "2.18.1"), ("keras==3.11.3", "numpy", "tensorflow-cpu==2.18.1")),
        (
            environment("tensorflow", "2.18.1", platform="linux-aarch64"),
            ("keras==3.11.3", "numpy", "tensorflow==2.18.1"),
        ),
        (
            environment("tensorflow", "2.18.1", build="cuda"),
            ("keras==3.11.3", "numpy", "tensorflow[and-cuda]==2.18.1"),
        ),
        (
            environment("tensorflow", "2.18.1", build="metal", platform="macos-arm64"),
            ("keras==3.11.3", "numpy", "tensorflow-metal==1.2.0", "tensorflow==2.18.1"),
        ),
        (environment("jax", "0.6.2", None, build="cuda"), ("jax[cuda12]==0.6.2", "numpy")),
        (environment("jax", "0.10.2", None, build="cuda"), ("jax[cuda13]==0.10.2", "numpy")),
        (environment("jax", "0.4.20", None), ("jax==0.4.20", "numpy<2", "scipy<1.12")),
        (environment("numpy", "2.4.6"), ("jax", "keras==3.11.3", "numpy==2.4.6", "scipy")),
        (environment("openvino", "2026.4.1"), ("keras==3.11.3", "numpy", "openvino==2026.4.1", "scipy")),
        (environment("mxnet", "1.9.1", None, "3.8"), ("mxnet==1.9.1", "numpy<1.24")),
        (environment("paddle", "3.3.1", None), ("numpy", "paddlepaddle==3.3.1", "setuptools")),
    ],
    ids=lambda value: value.id if isinstance(value, Environment) else "",
)
def test_requirement_lines(wanted: Environment, lines: tuple[str, ...]) -> None:
    assert FACTS.requirements(wanted).requirements == lines


def test_an_older_keras_than_tensorflow_declares_is_overridden_and_said() -> None:
    found = FACTS.requirements(environment("tensorflow", "2.21.0", "3.11.3"))
    assert found.overrides == ("keras==3.11.3",)
    assert found.notes == ("tensorflow 2.21.0 declares keras >= 3.12; overridden",)


def test_a_keras_that_tensorflow_allows_needs_no_override() -> None:
    found = FACTS.requirements(environment("tensorflow", "2.21.0", "3.15.1"))
    assert (found.overrides, found.notes) == ((), ())


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (environment("torch", "2.15.0", python="3.10"), "torch 2.15.0 needs Python >= 3.11"),
        (environment("torch", "2.2.2", None, "3.13"), "torch 2.2.2 has wheels up to Python 3.12"),
        (environment("torch", "2.9.1", "3.15.1", "3.10"), "keras 3.15.1 needs Python >= 3.11"),
        (environment("tensorflow", "2.15.1"), "brings Keras 2.14 and cannot be a Keras 3.11.3 cell"),
        (environment("mxnet", "1.9.1", "3.0.5", "3.8"), "no backend for mxnet"),
        (environment("paddle", "3.3.1"), "no backend for paddle"),
        (environment("paddle", "3.3.1", None, build="cuda"), "no CUDA build"),
        (environment("numpy", "2.4.6", None), "backend of Keras"),
        (environment("torch", "2.2.2", build="cuda", platform="macos-arm64"), "no CUDA build for macos-arm64"),
        (environment("openvino", "2026.4.1", build="cuda"), "no CUDA build"),
        (environment("jax", "0.5.0", build="metal", platform="macos-arm64"), "no Metal plug-in is known for jax 0.5.0"),
    ],
    ids=lambda value: value.id if isinstance(value, Environment) else "",
)
def test_what_cannot_work_is_said_before_it_is_tried(wanted: Environment, reason: str) -> None:
    assert reason in " | ".join(FACTS.problems(wanted))


def test_torch_needs_no_plug_in_for_metal() -> None:
    assert FACTS.problems(environment("torch", "2.2.2", build="metal", platform="macos-arm64")) == ()


@pytest.mark.parametrize(
    ("framework", "version", "python"),
    [("torch", "2.2.2", "3.11"), ("mxnet", "1.9.1", "3.8"), ("torch", "1.13.1", "3.11"), ("torch", "99.0", "3.11")],
)
def test_python_for(framework: str, version: str, python: str) -> None:
    assert FACTS.python_for(framework, version) == python


@pytest.mark.parametrize("version", ["2.2.2", "2.0.0", "2.15.0"])
def test_a_release_that_was_looked_at_is_no_news(version: str) -> None:
    assert FACTS.warn("torch", version) is None


@pytest.mark.parametrize("version", ["2.99.0", "2.2.7", "0.4.1"])
def test_an_unknown_release_warns_and_is_tried(version: str) -> None:
    assert f"torch {version} is not in compat.toml" in (FACTS.warn("torch", version) or "")
    assert FACTS.problems(environment("torch", version, None)) == ()


def test_an_unknown_framework_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="tensorflow"):
        FACTS.row("tensorflwo", "2.18.1")


@pytest.mark.parametrize(
    ("driver", "capability", "reason"),
    [
        ("580.65.06", "9.0", None),
        ("535.54.03", "9.0", "needs a driver >= 580"),
        ("580.65.06", "7.0", "starts at compute capability 7.5"),
        ("580.65.06", "13.0", "ends at compute capability 12.0"),
        ("580.65.06", None, None),
    ],
)
def test_a_cuda_build_is_checked_against_driver_and_gpu(
    driver: str, capability: str | None, reason: str | None
) -> None:
    cuda = FACTS.cuda("torch", "2.15.0")
    assert cuda is not None
    assert cuda.major == 13
    objection = cuda.objection(driver, capability)
    assert (reason is None and objection is None) or (reason is not None and reason in (objection or ""))


def test_drivers_compare_as_numbers() -> None:
    cuda = FACTS.cuda("torch", "2.2.2")
    assert cuda is not None
    assert cuda.objection("1000.1", "8.0") is None


def test_without_a_cuda_build_there_is_nothing_to_check() -> None:
    assert FACTS.cuda("mxnet", "1.9.1") is None


def test_rows_are_in_order_and_tell_source_and_date() -> None:
    for name, rows in [*FACTS.frameworks.items(), ("keras", FACTS.keras)]:
        assert rows, name
        starts = [versions.release(row.since) for row in rows]
        assert starts == sorted(starts), name
        for row in rows:
            assert row.source, row
            assert versions.release(row.since) <= versions.release(row.through), row
            assert versions.release(row.python[0]) <= versions.release(row.python[1]), row


def test_latest_is_concrete_and_known() -> None:
    for package in ("tensorflow", "torch", "jax", "keras", "numpy", "openvino"):
        assert FACTS.warn(package, compat.latest(package)) is None


def test_latest_of_an_unknown_package() -> None:
    with pytest.raises(UsageError, match="did you mean 'torch'"):
        compat.latest("tourch")


def test_an_unknown_key_names_file_and_suggestion(tmp_path: Path) -> None:
    text = (folders.matrix_dir() / "compat.toml").read_text().replace("cpu-wheel =", "cpu-weel =", 1)
    path = tmp_path / "compat.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"compat\.toml.*cpu-weel.*cpu-wheel"):
        compat.load(path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "compat.toml"
    path.write_text((folders.matrix_dir() / "compat.toml").read_text().replace("schema = 1", "schema = 2", 1))
    with pytest.raises(UsageError, match="schema 2"):
        compat.load(path)


def test_what_an_early_keras_imports_and_does_not_declare_is_installed() -> None:
    early = Environment("jax", "0.4.35", "3.0.5", "3.11", "cpu", "linux-x86_64")
    assert "packaging" in compat.load().requirements(early).requirements
    assert "packaging" not in compat.load().requirements(replace(early, keras="3.8.0")).requirements


def test_a_package_of_a_set_that_declares_a_newer_keras_is_overridden_too() -> None:
    added = Custom(("numpy==2.0.2", "tensorflow-cpu==2.18.1"))
    early = replace(environment("jax", "0.4.35", "3.0.5"), custom=added)
    assert FACTS.requirements(early).overrides == ("keras==3.0.5",)
    assert FACTS.requirements(replace(early, keras="3.8.0")).overrides == ()


class TestNightlyBuilds:
    """Keras's and TensorFlow's nightly builds are packages of other names with the same modules."""

    KERAS, TF = "3.16.0.dev2026102704", "2.23.0.dev20261026"

    @pytest.mark.parametrize(
        ("wanted", "lines", "overrides"),
        [
            (
                environment("jax", "0.10.2", KERAS),
                ("jax==0.10.2", f"keras-nightly=={KERAS}", "numpy"),
                (f"keras-nightly=={KERAS}", "keras; python_version < '0'"),
            ),
            (
                environment("tensorflow", TF, "3.15.1"),
                ("keras==3.15.1", "numpy", f"tf-nightly=={TF}"),
                ("keras==3.15.1", "keras-nightly; python_version < '0'"),
            ),
            (
                environment("tensorflow", TF, KERAS, build="cuda"),
                (f"keras-nightly=={KERAS}", "numpy", f"tf-nightly[and-cuda]=={TF}"),
                (f"keras-nightly=={KERAS}", "keras; python_version < '0'"),
            ),
            (environment("tensorflow", TF, None), ("numpy", f"tf-nightly=={TF}"), ()),
            (
                environment("jax", "0.11.0.dev20261112", None),
                ("jax==0.11.0.dev20261112", "jaxlib>=0.dev0", "numpy"),
                (),
            ),
        ],
    )
    def test_there_is_one_keras_and_it_is_the_one_asked_for(
        self, wanted: Environment, lines: tuple[str, ...], overrides: tuple[str, ...]
    ) -> None:
        found = FACTS.requirements(wanted)
        assert (found.requirements, found.overrides) == (lines, overrides)

    def test_it_is_said_where_the_framework_declares_another(self) -> None:
        assert FACTS.requirements(environment("tensorflow", "2.21.0", self.KERAS)).notes == (
            f"tensorflow 2.21.0 declares another package of Keras; overridden by keras-nightly=={self.KERAS}",
        )
        assert FACTS.requirements(environment("jax", "0.10.2", self.KERAS)).notes == ()
