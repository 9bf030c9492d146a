"""Dockerfiles: what they say, what they share, and what never gets into them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import images
from runner.environments import lockfile, wheels
from runner.environments.lockfile import Lock
from runner.errors import BuildError, UsageError
from runner.images import recipe as recipes
from runner.images.recipe import Recipe, dockerfile, recipe
from runner.model import Custom, Environment
from runner.util import folders

TORCH = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
HOSTILE = (
    "2.2.2; curl evil|sh", "2.2.2\nRUN evil", "2.2.2`evil`", "$(evil)", '2.2.2"', "2.2.2 --index-url x", "2.2.2\\",
    "", " ", "2.2.2\n", "../2.2.2", "2.2.2#", "2.2.2 AS x", "{{ 7*7 }}", "2.2.2\x00", "2.2.2\u2028RUN evil", "２.2.2",
)  # fmt: skip


def lock_of(environment: Environment, framework: str = "a", company: str = "b", backend: str = "") -> Lock:
    made_from = lockfile.Recipe(environment.id, environment.python, "x", environment.build, "2026-11-20T00:00:00Z", ())
    keras = "keras==" + (environment.keras or "3.15.1")
    rest = (*package(f"{company}==1"), *package(keras), *package("zipp==1"))
    return lockfile.parse(lockfile.render(made_from, (package(f"{framework}==1"), rest), (), backend), Path("x.txt"))


def package(line: str) -> tuple[str, ...]:
    return (f"{line} \\", f"    --hash=sha256:{'0' * 64}")


def made(environment: Environment = TORCH, **parts: str) -> Recipe:
    return recipe(environment, lock_of(environment, **parts))


def upto_keras(text: str) -> str:
    """A Dockerfile up to the layer of Keras itself, less the comment that names the environment."""
    return text[text.index("FROM") : text.index("keras.txt")]


@pytest.mark.parametrize("buildkit", [True, False])
def test_keras_alone_changes_nothing_before_its_own_layer(buildkit: bool) -> None:
    one, two = made(), made(replace(TORCH, keras="3.8.0"))
    assert upto_keras(dockerfile(one, buildkit)) == upto_keras(dockerfile(two, buildkit))
    for part in ("framework.txt", "company.txt"):
        assert one.files[part] == two.files[part]
    assert one.framework_key == two.framework_key
    assert one.tag != two.tag


def test_every_package_of_the_lock_is_installed_once() -> None:
    files = made(company="c").files
    installed = "".join(files[f"{part}.txt"] for part in ("framework", "company", "keras"))
    assert re.findall(r"^(\w+)==", installed, re.MULTILINE) == ["a", "c", "zipp", "keras"]
    assert files["keras.txt"].startswith("keras==3.11.3 ")


def test_another_framework_lock_or_python_is_another_layer() -> None:
    keys = {
        made().framework_key,
        made(framework="c").framework_key,
        made(replace(TORCH, python="3.12")).framework_key,
        made(backend="cpu").framework_key,
    }
    assert len(keys) == 4


def test_the_tag_is_of_the_content() -> None:
    elsewhere = replace(lock_of(TORCH), path=Path("/elsewhere/y.txt"), notes=("another note",))
    assert recipe(TORCH, elsewhere).tag == made().tag
    assert re.fullmatch(r"keras-version-matrix:[\w.-]{1,128}", made().tag)
    assert len({made().tag, made(framework="c").tag, made(company="c").tag, made(backend="cpu").tag}) == 4


def test_labels_tell_what_is_inside() -> None:
    text = dockerfile(made())
    digest = lock_of(TORCH).sha256
    for line in (
        'org.opencontainers.image.base.name="python:3.11-slim-bookworm"',
        f'org.keras-version-matrix.environment="{TORCH.id}"',
        'org.keras-version-matrix.version="2.2.2"',
        'org.keras-version-matrix.keras="3.11.3"',
        f'org.keras-version-matrix.lock="{digest}"',
    ):
        assert line in text
    assert re.search(r'org\.keras-version-matrix\.template="[0-9a-f]{64}"', text)


def test_layers_of_a_build_that_fails_can_be_told_from_others() -> None:
    for buildkit in (True, False):
        text = dockerfile(made(), buildkit)
        assert text.index('LABEL org.keras-version-matrix="image"') < text.index("framework.txt")


def test_nobody_is_root_in_the_end() -> None:
    for buildkit in (True, False):
        assert dockerfile(made(), buildkit).rstrip().endswith("USER 65532:65532")


def test_the_classic_builder_gets_no_mounts_and_buildkit_no_copies() -> None:
    assert "--mount" not in dockerfile(made(), buildkit=False)
    assert "COPY" not in dockerfile(made(), buildkit=True)


def test_every_installation_verifies_hashes_and_runs_no_foreign_build() -> None:
    script = made().files["install.sh"]
    installs = re.findall(r"pip install(?:[^\n]*\\\n)*[^\n]*", script)
    assert len(installs) == 2
    for install in installs:
        assert "--require-hashes" in install
        assert "--only-binary :all:" in install
        assert "--no-deps" in install


def test_wheels_of_pytorchs_index_are_asked_for_where_the_lock_has_them() -> None:
    assert "framework.txt --torch-backend cpu" in dockerfile(made(backend="cpu"))
    assert "--torch-backend" not in dockerfile(made())


def test_a_framework_alone_has_one_layer() -> None:
    lock = replace(lock_of(TORCH), rest_lines=())
    text = images.render(replace(TORCH, keras=None), lock)
    assert text.count("install.sh packages") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("framework", "version", "keras", "python", "build", "platform")
        for value in HOSTILE
        if value or name != "keras"  # an empty Keras version is the native framework
    ],
)
def test_hostile_values_are_refused_wherever_they_stand(name: str, value: str) -> None:
    with pytest.raises(BuildError, match="may go into a Dockerfile"):
        recipe(replace(TORCH, **{name: value}), lock_of(TORCH))  # type: ignore[arg-type] # always a text field


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_lock_headers_are_refused(value: str) -> None:
    lock = lock_of(TORCH)
    for changed in (replace(lock, sha256=value), replace(lock, torch_backend=value or "x y")):
        with pytest.raises(BuildError, match="may go into a Dockerfile"):
            recipe(TORCH, changed)


SAFE = re.compile(r"[A-Za-z0-9._+-]+")


@given(st.sampled_from(["framework", "version", "keras", "python", "build", "platform"]), st.text(max_size=30))
def test_whatever_gets_through_is_a_plain_word(name: str, value: str) -> None:
    try:
        found = recipe(replace(TORCH, **{name: value}), lock_of(TORCH))  # type: ignore[arg-type] # always a text field
    except BuildError:
        return
    if name != "keras" or value:
        assert SAFE.fullmatch(value)
    for buildkit in (True, False):
        assert len(dockerfile(found, buildkit).splitlines()) == len(dockerfile(made(), buildkit).splitlines())


@given(st.text(alphabet="0123456789.;|&$`\n\\\"' abrcpostdev+#", max_size=20))
def test_versions_that_look_nearly_right_are_checked_as_a_whole(value: str) -> None:
    try:
        recipe(replace(TORCH, version=value), lock_of(TORCH))
    except BuildError:
        return
    assert re.fullmatch(r"[0-9][0-9a-z.]*(\+[0-9a-z]+(\.[0-9a-z]+)*)?", value)


def test_a_tag_has_no_plus_sign_and_at_most_128_characters() -> None:
    keras = "3.16.0.dev2026102704+g1a2b3c4.dirty1a2b3c4"
    own = Environment("tensorflow", "2.23.0.dev20261026", keras, "3.11", "cuda", "linux-aarch64", Custom(("scipy",)))
    tag = recipe(own, lock_of(own)).tag.removeprefix("keras-version-matrix:")
    assert re.fullmatch(r"\w[\w.-]{0,127}", tag)
    assert tag.startswith("tensorflow-2.23.0.dev20261026_keras-3.16.0.dev2026102704-g1a2b3c4.dirty1a2b3c4_")
    other = replace(own, custom=Custom(("scipy", "h5py")))
    assert recipe(other, lock_of(other)).tag != f"keras-version-matrix:{tag}"


def test_committed_dockerfiles_are_checked_against_template_and_lock(tmp_path: Path) -> None:
    pair = (TORCH, lock_of(TORCH))
    mac = (replace(TORCH, platform="macos-arm64", build="metal"), lock_of(TORCH))
    assert images.check([pair], tmp_path) == (f"{TORCH.id}.Dockerfile: missing",)
    assert images.render_all([pair, mac], tmp_path) == [tmp_path / f"{TORCH.id}.Dockerfile"]
    assert images.check([pair, mac], tmp_path) == ()
    assert images.render_all([pair], tmp_path) == []
    (tmp_path / f"{TORCH.id}.Dockerfile").write_text("FROM evil\n")
    assert images.check([pair], tmp_path) == (f"{TORCH.id}.Dockerfile: differs from template and lock",)


def test_dockerfiles_of_nothing_are_told_and_removed_only_when_all_are_asked_about(tmp_path: Path) -> None:
    left = tmp_path / "torch-1.0_native_py3.11_cpu_linux-x86_64.Dockerfile"
    left.write_text("FROM old\n")
    pair = (TORCH, lock_of(TORCH))
    images.render_all([pair], tmp_path)
    assert left.exists()
    assert images.check([pair], tmp_path) == ()
    assert images.check([pair], tmp_path, complete=True) == (f"{left.name}: no set uses it",)
    assert left in images.render_all([pair], tmp_path, complete=True)
    assert not left.exists()


def test_all_labels_of_an_image() -> None:
    found = made()
    lock = lock_of(TORCH)
    labels = dict(found.labels)
    template = labels["org.keras-version-matrix.template"]
    assert labels == {
        "org.opencontainers.image.title": f"keras-version-matrix {TORCH.id}",
        "org.opencontainers.image.base.name": "python:3.11-slim-bookworm",
        "org.keras-version-matrix.environment": TORCH.id,
        "org.keras-version-matrix.framework": "torch",
        "org.keras-version-matrix.version": "2.2.2",
        "org.keras-version-matrix.keras": "3.11.3",
        "org.keras-version-matrix.python": "3.11",
        "org.keras-version-matrix.build": "cpu",
        "org.keras-version-matrix.lock": lock.sha256,
        "org.keras-version-matrix.template": template,
        "org.keras-version-matrix.content": found.content,
        "org.keras-version-matrix.layer": found.framework_key,
    }
    assert dict(made(replace(TORCH, keras=None)).labels)["org.keras-version-matrix.keras"] == "native"
    assert found.tag == f"keras-version-matrix:{TORCH.id}-{found.content[:16]}"
    assert (found.platform, found.torch_backend) == ("linux/amd64", "")
    assert sorted(found.files) == ["company.txt", "framework.txt", "install.sh", "keras.txt", "uv.txt"]
    assert found.files["keras.txt"] == "\n".join([*package("keras==3.11.3"), ""])
    assert found.files["company.txt"] == "\n".join([*package("b==1"), *package("zipp==1"), ""])


def test_a_framework_that_the_table_does_not_have_needs_no_system_packages() -> None:
    assert made(replace(TORCH, framework="strange")).system == ()


def test_what_a_framework_needs_of_debian_is_installed_before_it() -> None:
    mxnet = Environment("mxnet", "1.9.1", None, "3.8", "cpu", "linux-x86_64")
    found = made(mxnet)
    assert found.system == ("libgomp1", "libquadmath0")
    for buildkit in (True, False):
        text = dockerfile(found, buildkit)
        assert text.index("install.sh system libgomp1 libquadmath0\n") < text.index("framework.txt")
        assert "install.sh system" not in dockerfile(made(), buildkit)


def test_a_template_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folders, "images_dir", lambda: tmp_path)
    recipes._text.cache_clear()
    try:
        with pytest.raises(UsageError, match=rf"^{tmp_path}/install\.sh: cannot be read: "):
            made()
    finally:
        recipes._text.cache_clear()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": "x"}, "'x' is not a version that may go into a Dockerfile"),
        ({"python": "3.123"}, "'3.123' is not a python that may go into a Dockerfile"),
        ({"build": "metal"}, "'metal' is not a build that may go into a Dockerfile"),
        ({"platform": "macos-arm64"}, "'macos-arm64' is not a platform that may go into a Dockerfile"),
        ({"framework": "Torch"}, "'Torch' is not a framework that may go into a Dockerfile"),
    ],
)
def test_a_value_that_is_refused_is_named(change: dict[str, str], text: str) -> None:
    with pytest.raises(BuildError) as caught:
        recipe(replace(TORCH, **change), lock_of(TORCH))  # type: ignore[arg-type] # always a text field
    assert str(caught.value) == text


def test_a_backend_that_is_refused_is_named() -> None:
    with pytest.raises(BuildError, match=r"^'rocm' is not a torch backend that may go into a Dockerfile$"):
        recipe(TORCH, replace(lock_of(TORCH), torch_backend="rocm"))
    assert recipe(TORCH, replace(lock_of(TORCH), torch_backend="cu121")).torch_backend == "cu121"


def test_all_dockerfiles_that_changed_are_written_in_order(tmp_path: Path) -> None:
    other = replace(TORCH, python="3.10")
    wanted = [(TORCH, lock_of(TORCH)), (other, lock_of(other))]
    written = images.render_all(wanted, tmp_path / "new" / "folder")
    assert written == [tmp_path / "new" / "folder" / f"{one.id}.Dockerfile" for one in (other, TORCH)]
    assert written[1].read_text() == images.render(TORCH, lock_of(TORCH))
    assert images.render_all(wanted, tmp_path / "new" / "folder") == []


def test_dockerfiles_are_kept_next_to_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = (TORCH, lock_of(TORCH))
    text = images.render(*pair)
    monkeypatch.setattr(folders, "images_dir", lambda: tmp_path)
    assert images.render_all([pair]) == [tmp_path / "rendered" / f"{TORCH.id}.Dockerfile"]
    assert (tmp_path / "rendered" / f"{TORCH.id}.Dockerfile").read_text() == text
    assert images.check([pair]) == ()


class TestWheelsOfThisMachine:
    """They are installed last, and all other layers are those of the release."""

    OWN = replace(TORCH, keras="3.16.0+g1a2b3c4")

    @pytest.fixture
    def wheel(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "keras-3.16.0+g1a2b3c4-py3-none-any.whl"
        kept = wheels.Kept("keras", "3.16.0+g1a2b3c4", path, wheels.Entry("0" * 64, "tree:1", "a note"))
        known = {("keras", kept.version): kept}
        monkeypatch.setattr(wheels, "find", lambda project, version: known.get((project, version)))
        return path

    @staticmethod
    def made(environment: Environment) -> Recipe:
        lock = lock_of(environment)
        asked = replace(lock.recipe, requirements=(f"keras=={environment.keras}", "torch==2.2.2"))
        return recipe(environment, replace(lock, recipe=asked))

    def test_the_wheel_is_in_a_layer_of_its_own(self, wheel: Path) -> None:
        found = self.made(self.OWN)
        assert found.wheels == (wheel,)
        assert found.files["own.txt"].startswith("keras==3.16.0+g1a2b3c4 \\\n")
        assert "keras.txt" not in found.files
        assert self.made(TORCH).wheels == ()
        assert "own.txt" not in self.made(TORCH).files

    @pytest.mark.parametrize("buildkit", [True, False])
    def test_the_layers_before_it_are_those_of_the_release(self, wheel: Path, buildkit: bool) -> None:
        own, release = self.made(self.OWN), self.made(TORCH)
        assert own.framework_key == release.framework_key
        text = dockerfile(own, buildkit)
        shared = upto_keras(dockerfile(release, buildkit)).rsplit("\n", 2)[0]
        assert shared.rsplit("RUN", 1)[0] in text
        last = text[text.rindex("USER 0:0") :]
        assert last.endswith("\nUSER 65532:65532\n")
        assert "/build/own.txt --no-index --find-links /build" in last
        assert wheel.name in last
        assert text.count(wheel.name) == (2 if buildkit else 1)

    @pytest.mark.usefixtures("wheel")
    def test_a_hostile_name_is_refused(self) -> None:
        found = self.made(self.OWN)
        with pytest.raises(BuildError, match="is not a wheel that may go into a Dockerfile"):
            dockerfile(replace(found, wheels=(Path("a b.whl"),)))


def test_the_index_of_a_nightly_build_is_asked_and_checked() -> None:
    def with_index(place: str) -> Recipe:
        lock = lock_of(TORCH)
        return recipe(TORCH, replace(lock, recipe=replace(lock.recipe, index=place)))

    found = with_index("https://nightly.example/whl/cpu")
    assert "framework.txt --index https://nightly.example/whl/cpu --index-strategy unsafe-best-match\n" in dockerfile(
        found
    )
    assert found.content != made().content
    for hostile in ("https://a b", "https://a;evil", "file:///x", "https://user:secret@a", "$(evil)"):
        with pytest.raises(BuildError, match="is not a package index that may go into a Dockerfile"):
            with_index(hostile)
