"""Reads facts about this machine. Every ``parse_`` function is pure.

``here()`` costs a few milliseconds. What needs another program (``nvidia-smi``, a tool of macOS) is asked when it is
first looked at.
"""

from __future__ import annotations

import functools
import os
import platform as host
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.model import Scalar
from runner.util import commands

_TIMEOUT_S = 3.0
"""``nvidia-smi`` takes a second or two where no driver daemon keeps the GPU awake."""
_SYSTEMS = {"Linux": "linux", "Darwin": "macos"}
_ARCHITECTURES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU."""

    name: str
    driver: str
    """``535.104.05``"""
    compute_capability: str | None
    """``9.0``; None where nvidia-smi is too old to tell."""
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Machine:
    """What this machine is. GPUs and power source are read on first use."""

    platform: str
    """As in an environment's name: ``linux-x86_64``, ``linux-aarch64``, ``macos-arm64``, ``macos-x86_64``."""
    name: str
    cpu: str
    """The CPU's model in the maker's words."""
    cpu_flags: tuple[str, ...]
    """Instruction sets, sorted; empty where the system does not list them."""
    cores: int
    """Logical cores this process may use."""
    memory_bytes: int
    """What processes here may use together: physical memory, or less in a container. 0: unknown."""

    @property
    def mps(self) -> bool:
        """Whether Metal Performance Shaders can be there: macOS on Apple silicon."""
        return self.platform == "macos-arm64"

    @functools.cached_property
    def gpus(self) -> tuple[Gpu, ...]:
        """The NVIDIA GPUs, none where there is no driver."""
        return parse_gpus(_output("nvidia-smi", f"--query-gpu={_GPU_QUERY}", "--format=csv,noheader,nounits"))

    @functools.cached_property
    def power(self) -> str:
        """``mains``, ``battery``, or empty (most desktops and servers)."""
        if self.platform.startswith("macos"):
            return parse_pmset(_output("pmset", "-g", "batt"))
        return parse_power_supplies(_power_supplies())


@functools.cache
def here() -> Machine:
    """This machine."""
    name = platform_name(host.system(), host.machine())
    cpuinfo = _read("/proc/cpuinfo")
    return Machine(
        platform=name,
        name=host.node(),
        cpu=parse_cpu_model(cpuinfo) or _output("sysctl", "-n", "machdep.cpu.brand_string") or host.machine(),
        cpu_flags=parse_cpu_flags(cpuinfo),
        cores=_cores(),
        memory_bytes=_memory(),
    )


def container_platform(machine: Machine) -> str:
    """Return the platform of containers here: Linux on the same processor.

    On macOS they run in a virtual machine.

    >>> container_platform(Machine("macos-arm64", "mac", "Apple M3", (), 8, 1 << 34))
    'linux-aarch64'
    """
    architecture = machine.platform.partition("-")[2]
    return f"linux-{_ARCHITECTURES.get(architecture, architecture)}"


def fingerprint(machine: Machine) -> dict[str, Scalar]:
    """What two timings must share of the machine they were taken on.

    No free memory or load: those change by the minute. The flags come in because a hypervisor may hide some, and a
    math library then runs other kernels on the same model.
    """
    return {
        "host": machine.name,
        "platform": machine.platform,
        "cpu": machine.cpu,
        "cpu_flags": ",".join(flag for flag in machine.cpu_flags if _KERNEL_FLAGS.match(flag)),
        "cores": machine.cores,
        "memory_gib": round(machine.memory_bytes / (1 << 30)),
    }


_KERNEL_FLAGS = re.compile(r"avx|amx|fma|f16c|sse4|asimd|sve|bf16|i8mm|sme(?!p)")
"""Flags that math libraries choose their kernels by (oneDNN, XLA, OpenBLAS)."""


def free_bytes(folder: Path) -> int:
    """Bytes a user may still write where ``folder`` is or would be made."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return 0


def platform_name(system: str, machine: str) -> str:
    """The project's name of a platform.

    >>> platform_name("Darwin", "arm64"), platform_name("Linux", "aarch64"), platform_name("Linux", "AMD64")
    ('macos-arm64', 'linux-aarch64', 'linux-x86_64')
    """
    short = _SYSTEMS.get(system, system.lower())
    architecture = _ARCHITECTURES.get(machine.lower(), machine.lower())
    if short == "macos" and architecture == "aarch64":
        architecture = "arm64"
    return f"{short}-{architecture}"


_GPU_QUERY = "name,driver_version,compute_cap,memory.total"


def parse_gpus(output: str) -> tuple[Gpu, ...]:
    """Read GPUs from the CSV of ``nvidia-smi``.

    The columns are name, driver, compute capability, memory in MiB. No line: no GPU.

    >>> parse_gpus("NVIDIA H200, 570.124.06, 9.0, 143771\\n")
    (Gpu(name='NVIDIA H200', driver='570.124.06', compute_capability='9.0', memory_bytes=150754820096),)
    >>> parse_gpus("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
    ()
    """
    gpus = []
    for line in output.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 4 or not re.fullmatch(r"\d+(\.\d+)+", fields[1]):
            continue
        name, driver, capability, memory = fields
        known = capability if re.fullmatch(r"\d+\.\d+", capability) else None
        gpus.append(Gpu(name, driver, known, int(memory) << 20 if memory.isdecimal() else None))
    return tuple(gpus)


def parse_cpu_model(cpuinfo: str) -> str:
    """Read the model of the first CPU of ``/proc/cpuinfo``; Arm's is numbers."""
    fields = _first_cpu(cpuinfo)
    if model := fields.get("model name") or fields.get("Model"):
        return " ".join(model.split())
    arm = [fields[key] for key in ("CPU implementer", "CPU part", "CPU variant") if key in fields]
    return f"Arm {' '.join(arm)}" if arm else ""


def parse_cpu_flags(cpuinfo: str) -> tuple[str, ...]:
    """The flags (x86) or features (Arm) of the first CPU of ``/proc/cpuinfo``, sorted."""
    fields = _first_cpu(cpuinfo)
    return tuple(sorted((fields.get("flags") or fields.get("Features") or "").split()))


def _first_cpu(cpuinfo: str) -> dict[str, str]:
    first, _, _ = cpuinfo.partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def parse_memory_total(meminfo: str) -> int:
    """Bytes of physical memory from ``/proc/meminfo``; 0 where it does not say.

    >>> parse_memory_total("MemTotal:       24645168 kB\\nMemFree: 1 kB\\n")
    25236652032
    """
    found = re.search(r"^MemTotal:\s+(\d+) kB$", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def parse_cgroup_limit(text: str) -> int | None:
    """Read a cgroup's limit of memory, in bytes; None for no limit.

    The text is that of ``memory.max`` (v2) or ``memory.limit_in_bytes`` (v1).

    >>> parse_cgroup_limit("max\\n"), parse_cgroup_limit("9223372036854771712\\n"), parse_cgroup_limit("1048576")
    (None, None, 1048576)
    """
    if not text.strip().isdecimal():
        return None
    limit = int(text)
    return limit if limit < 1 << 60 else None  # v1 writes "no limit" as the largest whole number of pages


def parse_pmset(output: str) -> str:
    """The power source from macOS's ``pmset -g batt``.

    >>> parse_pmset("Now drawing from 'Battery Power'\\n -InternalBattery-0 ...")
    'battery'
    """
    return {"'AC Power'": "mains", "'Battery Power'": "battery"}.get(
        output.partition("\n")[0].rpartition("from ")[2], ""
    )


def parse_power_supplies(supplies: Sequence[tuple[str, str]]) -> str:
    """The power source from Linux's supplies as (type, ``online`` or ``status``).

    >>> parse_power_supplies([("Mains", "0"), ("Battery", "Discharging")])
    'battery'
    """
    if ("Mains", "1") in supplies or ("USB", "1") in supplies:
        return "mains"
    return "battery" if ("Battery", "Discharging") in supplies else ""


def _power_supplies(root: Path = Path("/sys/class/power_supply")) -> list[tuple[str, str]]:
    found = []
    for supply in sorted(root.glob("*")):
        kind = _read(supply / "type").strip()
        found.append((kind, _read(supply / ("status" if kind == "Battery" else "online")).strip()))
    return found


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _memory() -> int:
    physical = parse_memory_total(_read("/proc/meminfo"))
    if not physical:
        text = _output("sysctl", "-n", "hw.memsize").strip()
        physical = int(text) if text.isdecimal() else 0
    limits = (_read("/sys/fs/cgroup/memory.max"), _read("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
    return min([physical, *(limit for text in limits if (limit := parse_cgroup_limit(text)))])


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    """Return what a program prints; empty where it is missing, fails or hangs."""
    return commands.output(*command, timeout_s=_TIMEOUT_S)
