"""What texts of the system mean. Nothing here looks at the machine but the last tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.machine import facts as machine
from runner.machine.facts import Gpu, Machine

X86 = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 7763  64-Core Processor
flags\t\t: fpu avx2 avx512_bf16 smep sse4_2

processor\t: 1
model name\t: another
"""
ARM = """processor\t: 0
Features\t: fp asimd sve bf16
CPU implementer\t: 0x41
CPU variant\t: 0x1
CPU part\t: 0xd40
"""


def a_machine(**changes: object) -> Machine:
    facts = {"platform": "linux-x86_64", "name": "box", "cpu": "AMD EPYC", "cpu_flags": ("avx2", "fpu", "smep")}
    return Machine(**{**facts, "cores": 8, "memory_bytes": 16 << 30, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("system", "processor", "name"),
    [
        ("Linux", "x86_64", "linux-x86_64"),
        ("Linux", "aarch64", "linux-aarch64"),
        ("Linux", "arm64", "linux-aarch64"),
        ("Darwin", "arm64", "macos-arm64"),
        ("Darwin", "x86_64", "macos-x86_64"),
        ("FreeBSD", "amd64", "freebsd-x86_64"),
    ],
)
def test_a_platform_has_one_name(system: str, processor: str, name: str) -> None:
    assert machine.platform_name(system, processor) == name


@pytest.mark.parametrize(
    ("platform", "containers"),
    [("macos-arm64", "linux-aarch64"), ("macos-x86_64", "linux-x86_64"), ("linux-aarch64", "linux-aarch64")],
)
def test_containers_are_linux_on_the_same_processor(platform: str, containers: str) -> None:
    assert machine.container_platform(a_machine(platform=platform)) == containers


@pytest.mark.parametrize(
    ("platform", "mps"), [("macos-arm64", True), ("macos-x86_64", False), ("linux-aarch64", False)]
)
def test_mps_is_apple_silicons(platform: str, mps: bool) -> None:
    assert a_machine(platform=platform).mps is mps


def test_the_first_processor_names_the_model() -> None:
    assert machine.parse_cpu_model(X86) == "AMD EPYC 7763 64-Core Processor"
    assert machine.parse_cpu_model(ARM) == "Arm 0x41 0xd40 0x1"
    assert machine.parse_cpu_model("") == ""


def test_flags_are_sorted_whatever_they_are_called() -> None:
    assert machine.parse_cpu_flags(X86) == ("avx2", "avx512_bf16", "fpu", "smep", "sse4_2")
    assert machine.parse_cpu_flags(ARM) == ("asimd", "bf16", "fp", "sve")
    assert machine.parse_cpu_flags("") == ()


def test_gpus_are_read_from_nvidia_smi() -> None:
    output = "NVIDIA H200, 570.124.06, 9.0, 143771\nTesla K80, 470.57.02, [N/A], [N/A]\n"
    assert machine.parse_gpus(output) == (
        Gpu("NVIDIA H200", "570.124.06", "9.0", 143771 << 20),
        Gpu("Tesla K80", "470.57.02", None, None),
    )


@pytest.mark.parametrize(
    "output",
    [
        "",
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
        "No devices were found",
        'Field "compute_cap" is not a valid field to query.',
        "Failed to initialize NVML: Driver/library version mismatch, a, b, c",
    ],
)
def test_no_driver_is_no_gpu(output: str) -> None:
    assert machine.parse_gpus(output) == ()


def test_gpus_are_asked_for_once_and_only_when_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def output(*command: str) -> str:
        asked.append(command[0])
        return "NVIDIA L4, 550.54.15, 8.9, 23034"

    monkeypatch.setattr(machine, "_output", output)
    here = a_machine()
    assert asked == []
    assert here.gpus[0].name == here.gpus[0].name == "NVIDIA L4"
    assert asked == ["nvidia-smi"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [("max\n", None), ("", None), ("1073741824\n", 1 << 30), ("9223372036854771712\n", None), ("nonsense", None)],
)
def test_a_cgroups_limit(text: str, limit: int | None) -> None:
    assert machine.parse_cgroup_limit(text) == limit


def test_memory_is_that_of_the_machine_or_of_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/meminfo": "MemFree: 1 kB\nMemTotal:  16777216 kB\n", "/sys/fs/cgroup/memory.max": "max\n"}
    monkeypatch.setattr(machine, "_read", lambda path: files.get(str(path), ""))
    assert machine._memory() == 16 << 30
    files["/sys/fs/cgroup/memory.max"] = str(4 << 30)
    assert machine._memory() == 4 << 30


def test_a_mac_tells_its_memory_by_sysctl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_read", lambda _path: "")
    monkeypatch.setattr(machine, "_output", lambda *command: {"hw.memsize": "17179869184"}.get(command[-1], ""))
    assert machine._memory() == 16 << 30


def test_a_battery_has_a_status_and_every_other_supply_is_online_or_not(tmp_path: Path) -> None:
    for name, files in {
        "AC": {"type": "Mains\n", "online": "0\n"},
        "BAT0": {"type": "Battery\n", "status": "Discharging\n", "online": "1\n"},
    }.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    assert machine._power_supplies(tmp_path) == [("Mains", "0"), ("Battery", "Discharging")]


@pytest.mark.parametrize(
    ("supplies", "power"),
    [
        ([], ""),
        ([("Mains", "1"), ("Battery", "Charging")], "mains"),
        ([("Mains", "0"), ("Battery", "Discharging")], "battery"),
        ([("Mains", "0"), ("USB", "1"), ("Battery", "Charging")], "mains"),
        ([("Battery", "Full")], ""),
    ],
)
def test_power_on_linux(supplies: list[tuple[str, str]], power: str) -> None:
    assert machine.parse_power_supplies(supplies) == power


@pytest.mark.parametrize(
    ("output", "power"),
    [("Now drawing from 'AC Power'\n", "mains"), ("Now drawing from 'Battery Power'\n x", "battery"), ("", "")],
)
def test_power_on_a_mac(output: str, power: str) -> None:
    assert machine.parse_pmset(output) == power


def test_the_fingerprint_holds_what_decides_timings_and_nothing_that_wanders() -> None:
    assert machine.fingerprint(a_machine()) == {
        "host": "box",
        "platform": "linux-x86_64",
        "cpu": "AMD EPYC",
        "cpu_flags": "avx2",
        "cores": 8,
        "memory_gib": 16,
    }


def test_flags_that_choose_kernels_count() -> None:
    flags = machine.fingerprint(a_machine(cpu_flags=("amx_bf16", "asimd", "sme", "smep", "ssse3", "sse4_1", "vmx")))
    assert flags["cpu_flags"] == "amx_bf16,asimd,sme,sse4_1"


def test_free_space_is_that_of_the_nearest_folder_there_is(tmp_path: Path) -> None:
    assert machine.free_bytes(tmp_path / "not" / "yet" / "made") == pytest.approx(machine.free_bytes(tmp_path), rel=0.1)
    assert machine.free_bytes(tmp_path) > 0


def test_a_program_that_is_not_there_says_nothing() -> None:
    assert machine._output("no-such-program-anywhere") == ""
