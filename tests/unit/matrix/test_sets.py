"""matrix.toml -> cells."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.matrix import probes, sets
from runner.model import Cell, Custom, Status

RESOLVE = sets.Resolver(
    latest=lambda name: {"torch": "2.15.0", "keras": "3.15.1", "tensorflow": "2.21.0", "jax": "0.10.2"}.get(
        name, "9.9"
    ),
    python_for=lambda _framework, _version: "3.11",
)

HEAD = 'schema = 1\ndefault = "s"\n[sets.s]\ndescription = "d"\n'


def _load(tmp_path: Path, text: str) -> sets.Matrix:
    path = tmp_path / "matrix.toml"
    path.write_text(text)
    return sets.load(path)


def _ids(loaded: sets.Matrix, name: str = "s") -> list[str]:
    return [cell.id for cell in sets.cells(loaded, loaded.sets[name], RESOLVE)[0]]


def test_a_product_is_every_combination_with_latest_made_concrete(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        HEAD
        + '[[sets.s.product]]\nframework=["torch"]\nversion=["2.2.2","latest"]\n'
        + 'keras=["3.8.0","native"]\ndevice=["cpu"]\n',
    )
    assert _ids(loaded) == [
        "torch-2.2.2_keras-3.8.0_py3.11_cpu",
        "torch-2.2.2_native_py3.11_cpu",
        "torch-2.15.0_keras-3.8.0_py3.11_cpu",
        "torch-2.15.0_native_py3.11_cpu",
    ]


def test_the_quick_set_holds_what_the_project_promises() -> None:
    loaded = sets.load()
    ids = _ids(loaded, loaded.default)
    assert loaded.default == "quick"
    assert "torch-2.2.2_keras-3.11.3_py3.11_cpu" in ids
    assert "torch-2.2.2_keras-3.15.1_py3.11_cpu" in ids
    assert "jax-0.10.2_keras-3.8.0_py3.11_cpu" in ids
    assert len(ids) == len(set(ids)) == 7


@pytest.mark.parametrize("name", sorted(sets.load().sets))
def test_every_shipped_set_makes_valid_cells_and_runs_known_probes(name: str) -> None:
    loaded = sets.load()
    cells, _ = sets.cells(loaded, loaded.sets[name], RESOLVE)
    assert cells
    for cell in cells:
        sets.check(cell)
        assert sets.parse_cell(cell.id) == cell
    assert set(loaded.sets[name].probes) <= set(loaded.probes) <= set(probes.probes())


def test_an_exclude_takes_cells_out_and_keeps_the_reason(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        HEAD + '[[sets.s.product]]\nframework=["torch"]\nversion=["2.2.2"]\nkeras=["3.8.0","3.9.0"]\ndevice=["cpu"]\n'
        '[[sets.s.exclude]]\ncell="*_keras-3.9.0_*"\nreason="too new"\n',
    )
    cells, skips = sets.cells(loaded, loaded.sets["s"], RESOLVE)
    assert [cell.keras for cell in cells] == ["3.8.0"]
    assert [(skip.cell.keras, skip.status, skip.reason) for skip in skips] == [("3.9.0", Status.SKIPPED, "too new")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + "[[sets.s.product]]\nframwork=[]\n",
            "'framwork' in sets.s.product[0], line 6 (did you mean 'framework'",
        ),
        (
            HEAD + '[[sets.s.product]]\nframework=["torch"]\nversion=[2.2]\nkeras=[]\ndevice=[]\n',
            "sets.s.product[0].version[0] is a number; it has to be a text in quotes",
        ),
        (HEAD + "[probes.m]\ndescription='d'\ntimed=true\ntimeout_s=1\nschema = 1\n", "'schema' in probes.m"),
        (
            HEAD + "[sets.s.probes.minst]\n[probes.mnist]\ndescription='d'\ntimed=true\ntimeout_s=1\n",
            "sets.s: no probe 'minst' (did you mean 'mnist'?)",
        ),
        (HEAD + "[broken", "at the end, line 5"),
        (HEAD + '[[sets.s.include]]\nframework="torch"\nversion="1"\nkeras="1"\ndevice="cpu"\n', "reason"),
        ("schema = \n", "line 1"),
        (HEAD + 'packages = ["numpy; curl evil"]\n', "sets.s.packages: 'numpy; curl evil' is not a requirement"),
        (HEAD + 'system = ["g++; rm"]\n', "sets.s.system: 'g++; rm' is not a Debian package (example: g++)"),
        ('schema = 1\ndefault = "x"\n[sets.s]\ndescription="d"\n', "no set 'x'"),
        ('schema = 2\ndefault = "s"\n[sets.s]\ndescription="d"\n', "schema 2"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line_that_names_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        _load(tmp_path, text)
    told = str(caught.value)
    assert "matrix.toml" in told
    assert "\n" not in told
    for part in message.split("*"):
        assert part in told


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('framework=["torhc"]\nversion=["1.0"]\nkeras=["3.8.0"]\ndevice=["cpu"]', "did you mean 'torch'"),
        (
            'framework=["torch"]\nversion=["2.2.2; curl evil|sh"]\nkeras=["3.8.0"]\ndevice=["cpu"]',
            "not a release number",
        ),
        ('framework=["torch"]\nversion=["1.0"]\nkeras=["3.8.0"]\ndevice=["gpu"]', "unknown device 'gpu'"),
        ('framework=["torch"]\nversion=["1.0"]\nkeras=["3.8.0"]\ndevice=["cpu"]\nvariant=["x"]', "unknown variant"),
        ('framework=["torch"]\nversion=["1.0"]\nkeras=["3.8.0"]\ndevice=["cpu"]\npython=["2.7"]', "python '2.7'"),
        ('framework=["torch"]\nversion=["1.0"]\nkeras=["3.8.0"]\ndevice=["cpu"]\npython=["3.8/../x"]', "python '3.8/"),
    ],
)
def test_a_value_that_no_axis_has_is_refused(tmp_path: Path, line: str, message: str) -> None:
    loaded = _load(tmp_path, HEAD + "[[sets.s.product]]\n" + line + "\n")
    with pytest.raises(UsageError, match=message.replace("|", r"\|")):
        _ids(loaded)


def test_pytorch_on_mps_runs_twice_without_and_with_the_fallback() -> None:
    loaded = sets.load()
    ids = [i for i in _ids(loaded, "mps") if i.startswith("torch-2.2.2") and "_mps" in i]
    assert ids == [f"torch-2.2.2_keras-3.8.0_py3.11_mps+{variant}" for variant in ("no-fallback", "fallback")]
    assert [loaded.variants[i.split("+")[1]].env["PYTORCH_ENABLE_MPS_FALLBACK"] for i in ids] == ["0", "1"]
    assert "tensorflow-2.18.1_keras-3.8.0_py3.11_mps" in _ids(loaded, "mps")


def test_an_unknown_set_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'quick'"):
        sets.named_set(sets.load(), "quik")


def test_selection_keeps_order_and_refuses_a_pattern_that_matches_nothing() -> None:
    cells = [Cell("torch", v, "3.8.0", "3.11", "cpu") for v in ("2.2.2", "2.6.0")]
    assert sets.select(cells, []) == tuple(cells)
    assert sets.select(cells, ["*2.6.0*"]) == (cells[1],)
    with pytest.raises(UsageError, match="matches no cell"):
        sets.select(cells, ["torch-2.2.2_*", "tensorflow-*"])


@given(st.text(min_size=1, max_size=40))
def test_no_text_becomes_a_cell_unless_it_is_one(text: str) -> None:
    """Whatever passes has only harmless characters: it goes into paths, labels, tags and commands."""
    try:
        cell = sets.parse_cell(f"torch-{text}_native_py3.11_cpu")
    except UsageError:
        return
    assert set(cell.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_+")


@pytest.mark.parametrize("line", ["numpy", "numpy==2.0.2", "jax[cuda12]>=0.4,<0.5", "a.b-c~=1.2", "torch==2.2.2+cpu"])
def test_a_set_can_add_requirement_lines(tmp_path: Path, line: str) -> None:
    assert _load(tmp_path, HEAD + f'packages = ["{line}"]\n').sets["s"].packages == [line]


def test_a_set_can_add_debian_packages_which_make_another_environment(tmp_path: Path) -> None:
    loaded = _load(tmp_path, HEAD + 'system = ["g++"]\n').sets["s"].custom
    assert loaded == Custom(system=("g++",))
    assert loaded.digest != Custom().digest
    assert _load(tmp_path, HEAD).sets["s"].custom is None


class TestNightlyBuilds:
    """The words `nightly` and `nightly-DAY` stand for exact versions before anything else sees them."""

    @staticmethod
    def nightly(package: str, wanted: str) -> str:
        return {"keras": "3.16.0.dev2026102704", "tensorflow": "2.23.0.dev20261026"}[package] + (
            "" if wanted == "nightly" else "9"
        )

    TEXT = (
        HEAD + '[[sets.s.product]]\nframework=["tensorflow"]\nversion=["latest","nightly"]\n'
        'keras=["nightly-2026-10-01"]\ndevice=["cpu"]\n'
    )

    def test_a_set_names_them(self, tmp_path: Path) -> None:
        loaded = _load(tmp_path, self.TEXT)
        resolver = sets.Resolver(RESOLVE.latest, RESOLVE.python_for, self.nightly)
        found, _ = sets.cells(loaded, loaded.sets["s"], resolver)
        assert [cell.id for cell in found] == [
            "tensorflow-2.21.0_keras-3.16.0.dev20261027049_py3.11_cpu",
            "tensorflow-2.23.0.dev20261026_keras-3.16.0.dev20261027049_py3.11_cpu",
        ]

    def test_without_an_index_they_are_refused(self, tmp_path: Path) -> None:
        loaded = _load(tmp_path, self.TEXT)
        with pytest.raises(UsageError, match=r"keras@nightly-2026-10-01: .*give the exact version"):
            sets.cells(loaded, loaded.sets["s"], RESOLVE)

    @pytest.mark.parametrize(
        ("pattern", "exact"),
        [
            ("torch-*_keras-nightly_*", "torch-*_keras-3.16.0.dev2026102704_*"),
            ("*keras-nightly*", "*keras-3.16.0.dev2026102704*"),
            (
                "tensorflow-nightly_keras-nightly-2026-10-01_py3.11_cpu",
                "tensorflow-2.23.0.dev20261026_keras-3.16.0.dev20261027049_py3.11_cpu",
            ),
            ("torch-2.2.2_keras-3.11.3_py3.11_cpu", "torch-2.2.2_keras-3.11.3_py3.11_cpu"),
            ("*_keras-nightlyish_*", "*_keras-nightlyish_*"),
        ],
    )
    def test_so_do_ids_and_patterns(self, pattern: str, exact: str) -> None:
        assert sets.exact_id(pattern, self.nightly) == exact
