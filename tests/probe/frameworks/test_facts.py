from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.matrix import probes
from runner.probe.frameworks import backend, facts
from runner.probe.kit import questions

X86 = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8481C
flags\t\t: fpu vme smep sse sse2 ssse3 fma avx avx2 avx512f amx_bf16 amx_tile avx512_bf16 f16c sme

processor\t: 1
model name\t: another
"""
ARM = """processor\t: 0
Features\t: fp asimd sha1 asimdhp sve bf16 i8mm
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""
APPLE = """machdep.cpu.brand_string: Apple M2 Pro
machdep.cpu.core_count: 12
hw.optional.neon: 1
hw.optional.arm.FEAT_BF16: 1
hw.optional.arm.FEAT_SME: 0
hw.optional.floatingpoint: 1
"""
INTEL_MAC = """machdep.cpu.brand_string: Intel(R) Core(TM) i7
machdep.cpu.features: FPU SSE SSE2 AVX1.0 FMA
machdep.cpu.leaf7_features: AVX2 SMEP
"""


@pytest.mark.parametrize(
    ("parse", "text", "model", "flags"),
    [
        (
            facts.parse_cpuinfo,
            X86,
            "Intel(R) Xeon(R) Platinum 8481C",
            "amx_bf16 amx_tile avx avx2 avx512_bf16 avx512f f16c fma sse sse2 ssse3",
        ),
        (facts.parse_cpuinfo, ARM, "CPU implementer 0x41 CPU part 0xd40", "asimd asimdhp bf16 i8mm sve"),
        (facts.parse_cpuinfo, "", "", ""),
        (facts.parse_sysctl, APPLE, "Apple M2 Pro", "feat_bf16 neon"),
        (facts.parse_sysctl, INTEL_MAC, "Intel(R) Core(TM) i7", "avx1.0 avx2 fma sse sse2"),
    ],
)
def test_cpu_model_and_the_flags_that_choose_kernels(parse, text, model, flags):
    assert parse(text) == {"model": model, "flags": flags.split()}


def test_packages_are_named_as_locks_name_them(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (
        first / "torch-2.2.2+cu121.dist-info",
        first / "typing_extensions-4.12.2.dist-info",
        first / "ruamel.yaml-0.18.0.dist-info",
        first / "numpy",
        second / "torch-1.0.dist-info",
        second / "old-0.1-py3.8.egg-info",
    ):
        folder.mkdir(parents=True)
    found = facts.packages([str(first), str(tmp_path / "nowhere"), str(second)])
    assert found == {"old": "0.1", "ruamel-yaml": "0.18.0", "torch": "2.2.2+cu121", "typing-extensions": "4.12.2"}


def test_packages_agree_with_the_metadata_of_this_environment():
    from importlib.metadata import distributions

    expected: dict = {}
    for found in distributions():  # of two on the path the first one is imported
        expected.setdefault(facts.normalised(found.metadata["Name"]), found.version)
    assert facts.packages() == expected


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("cpu.max", "max 100000\n", None),
        ("cpu.max", "150000 100000\n", 1.5),
        ("cpu/cpu.cfs_quota_us", "-1\n", None),
        ("cpu/cpu.cfs_quota_us", "200000\n", 2.0),
    ],
)
def test_the_cpu_quota_of_either_kind_of_control_group(tmp_path, name, content, expected):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / name).write_text(content)
    assert facts.cpu_quota(str(tmp_path)) == expected


def test_no_control_group_is_no_quota(tmp_path):
    assert facts.cpu_quota(str(tmp_path)) is None


def test_the_environment_shows_switches_and_no_secrets():
    shown = facts.relevant_environment(
        {
            "TF_ENABLE_ONEDNN_OPTS": "0",
            "OMP_NUM_THREADS": "2",
            "TORCH_TOKEN": "t",
            "TF_CLI_CONFIG_FILE": "/t",
            "KERAS_HOME": "/k",
        }
    )
    assert shown == {"OMP_NUM_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}


def test_the_payload_and_the_runner_hash_it_alike(tmp_path, monkeypatch):
    for name in probes.files("mnist"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((Path(facts.__file__).parents[1] / name).read_bytes())
    monkeypatch.setattr(facts, "__file__", str(tmp_path / "frameworks" / "facts.py"))
    assert facts.probe_hash() == probes.probe_hash("mnist") != probes.probe_hash("conv2d")


def test_the_payload_and_the_runner_know_the_same_probes():
    from runner.probe import __main__ as main

    assert main.probes() == list(probes.probes())
    assert {"hello", "mnist", "conv2d"} <= set(main.probes())


def test_a_question_that_fails_is_named_and_the_others_are_answered():
    errors = {}
    found = questions.answers(errors, "torch", {"good": lambda: 2, "none": lambda: None, "bad": lambda: {}["x"]})
    assert found == {"good": 2}
    assert list(errors) == ["torch.bad"]


@pytest.mark.parametrize(
    ("reported", "plain"),
    [
        ("2.2.2+cu121", "2.2.2"),
        ("2.16.0-rc1", "2.16.0rc1"),
        ("2.23.0-dev20261026", "2.23.0.dev20261026"),
        ("2.23.0.dev20261026", "2.23.0.dev20261026"),
        ("2.21.0", "2.21.0"),
        ("2025.0.0-17942-1f68be9f594-releases/2025/0", "2025.0.0"),
        ("0.10.2", "0.10.2"),
    ],
)
def test_versions_without_their_build(reported, plain):
    assert backend.plain_version(reported) == plain


def test_threads_are_those_of_the_cells_own_framework_where_keras_imported_another(monkeypatch):
    from types import SimpleNamespace

    from runner.probe import frameworks

    for name in ("torch", "jax"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(__version__="1.0"))
    answers = {
        "torch": {"version": "1.0", "threads": {"intra_op": 7}},
        "jax": {"version": "1.0", "threads": {"intra_op": 3}},
    }
    monkeypatch.setattr(
        frameworks, "module", lambda name: SimpleNamespace(facts=lambda *_: dict(answers.get(name, {})))
    )
    for name, threads in (("torch", 7), ("jax", 3)):
        seen = facts.collect(SimpleNamespace(framework=name, device="cpu"))
        assert seen["threads"]["intra_op"] == threads
        assert seen["framework_version"] == "1.0"


def test_every_framework_has_a_module_with_the_same_functions():
    from runner.probe import frameworks

    folder = Path(frameworks.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "backend", "facts"}
    assert set(frameworks.MODULES_BY_NAME.values()) == modules
    for name in frameworks.MODULES_BY_NAME:
        module = frameworks.module(name)
        for function in ("facts", "select", "tensor", "block", "array"):
            assert callable(getattr(module, function)), f"{name}.{function}"
