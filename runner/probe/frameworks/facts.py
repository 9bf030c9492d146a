"""Collects what really ran: versions, builds, device, threads, switches, CPU.

It also lists the packages.

Only what a probe has imported is asked; nothing is imported here. A question that fails is left out and named under
``errors``, since an old framework may lack what a new one offers. ``host`` is machine-wide, the rest this process's.
"""

from __future__ import annotations

import hashlib
import os
import sys

from .. import frameworks
from ..kit.questions import answers as answers_to
from ..kit.questions import ask

ENVIRONMENT = (
    "ATEN_",
    "CUBLAS_",
    "CUDA_",
    "CUDNN_",
    "DNNL_",
    "FLAGS_",
    "JAX_",
    "KERAS_",
    "KMP_",
    "LD_PRELOAD",
    "MALLOC_",
    "MKL_",
    "MXNET_",
    "NVIDIA_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "PYTHONHASHSEED",
    "PYTORCH_",
    "TF_",
    "TORCH_",
    "XLA_",
)
"""Beginnings of the names of variables that change what a framework does."""

CPU_FLAGS = (
    "amx",
    "asimd",
    "avx",
    "bf16",
    "f16c",
    "feat_",
    "fma",
    "fp16",
    "i8mm",
    "neon",
    "sse",
    "ssse",
    "sve",
    "vnni",
)
"""Beginnings of the names of CPU features that decide which kernel runs."""


def collect(request):
    """Returns the facts as a JSON-ready dict.

    ``request`` may be None, where none could be read.
    """
    errors = {}
    kind = request.device if request else None
    seen = {
        "python": "%d.%d.%d" % sys.version_info[:3],
        "implementation": sys.implementation.name,
        "platform": "%s-%s" % (sys.platform, os.uname().machine),
        "probe_hash": probe_hash(),
        "environment": relevant_environment(os.environ),
        "framework": request.framework if request else None,
        "device": kind,
        "device_name": "",
        "threads": {"affinity": affinity(), "cpus": os.cpu_count(), "quota": ask(errors, "quota", cpu_quota)},
        "switches": {},
    }
    seen["cpu"] = ask(errors, "cpu", cpu) or {}
    seen["packages"] = ask(errors, "packages", packages) or {}
    # Keras may have imported other frameworks too: the cell's own speaks last, so that threads and device are its own
    own = request.framework if request else ""
    for name in sorted((*frameworks.MODULES_BY_NAME, "keras"), key=lambda name: name == own):
        lib = sys.modules.get(name)
        if lib is not None and _complete(name, lib):
            question = _keras if name == "keras" else frameworks.module(name).facts
            answers = ask(errors, name, question, lib, kind, errors) or {}
            seen["threads"].update(answers.pop("threads", {}))
            seen.update(answers.pop("device", {}))
            seen["switches"].update(answers.pop("switches", {}))
            seen[name] = answers
    if request is not None:
        framework = seen.get(request.framework, {})
        seen["framework_version"] = framework.get("version")
        seen["build"] = framework.get("build", framework.get("version"))
    seen["device_name"] = seen["device_name"] or seen["cpu"].get("model", "")
    seen["errors"] = errors
    return seen


def _complete(name, module):
    """Returns whether the import of a module completed.

    A failed one can leave a half-made module behind, or other people's.
    """
    return hasattr(module, "__version__") and (name != "keras" or hasattr(module, "config"))


# --- the process and the host -----------------------------------------------------------------------------------------


def probe_hash():
    """Returns the sha256 over the payload's files.

    It hashes relative path, NUL, content, NUL of each, in the order of the paths.
    """
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    files = {}
    for folder, folders, names in os.walk(here):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = os.path.join(folder, name)
            files[os.path.relpath(path, here).replace(os.sep, "/")] = path
    digest = hashlib.sha256()
    for name in sorted(files):
        with open(files[name], "rb") as file:
            digest.update(name.encode() + b"\0" + file.read() + b"\0")
    return digest.hexdigest()


def relevant_environment(environ):
    """Returns the variables that change what a framework does.

    Variables that look like a secret are left out.
    """
    return {
        name: value
        for name, value in sorted(environ.items())
        if name.startswith(ENVIRONMENT)
        and name != "KERAS_HOME"  # another folder in every process, set by the payload itself
        and not name.startswith(("TF_CLI", "TF_VAR"))  # Terraform's
        and not any(word in name for word in ("TOKEN", "SECRET", "PASSWORD", "_KEY"))
    }


def affinity():
    """Returns how many CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def cpu_quota(root="/sys/fs/cgroup"):
    """Returns how many CPUs' worth of time the control group grants.

    It can be a fraction of one too. None without a limit.
    """
    try:
        with open(os.path.join(root, "cpu.max")) as file:
            quota, period = file.read().split()
    except OSError:
        try:
            with open(os.path.join(root, "cpu/cpu.cfs_quota_us")) as file:
                quota = file.read().strip()
            with open(os.path.join(root, "cpu/cpu.cfs_period_us")) as file:
                period = file.read().strip()
        except OSError:
            return None
    return None if quota in ("max", "-1") else int(quota) / int(period)


def cpu():
    """Returns the processor's ``model`` and ``flags``.

    The flags decide which kernel runs.
    """
    if sys.platform == "darwin":
        import subprocess

        text = subprocess.run(
            ["/usr/sbin/sysctl", "machdep.cpu", "hw.optional"], stdout=subprocess.PIPE, check=False, timeout=10
        ).stdout
        return parse_sysctl(text.decode(errors="replace"))
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        return parse_cpuinfo(file.read(65536))


def parse_cpuinfo(text):
    """Reads the first processor of Linux's /proc/cpuinfo.

    x86 has the lines "model name" and "flags"; Arm has "CPU part" and "Features".
    """
    fields = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    model = fields.get("model name")
    if not model:
        model = " ".join("%s %s" % (name, fields[name]) for name in ("CPU implementer", "CPU part") if name in fields)
    return {"model": model, "flags": _kernel_flags((fields.get("flags") or fields.get("Features") or "").split())}


def parse_sysctl(text):
    """Reads the processor from macOS's ``sysctl machdep.cpu hw.optional``.

    Intel lists features, Apple has one line for each.
    """
    model, flags = "", []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon:
            continue
        value = value.strip()
        if name == "machdep.cpu.brand_string":
            model = value
        elif name in ("machdep.cpu.features", "machdep.cpu.leaf7_features"):
            flags += value.lower().split()
        elif name.startswith("hw.optional.") and value == "1":
            flags.append(name.rsplit(".", 1)[1].lower())
    return {"model": model, "flags": _kernel_flags(flags)}


def _kernel_flags(flags):
    return sorted({flag for flag in flags if flag.startswith(CPU_FLAGS)})


def packages(paths=None):
    """Returns every installed distribution and its version, by normalised name.

    Read from the folder names ``<name>-<version>.dist-info``, which the wheel format fixes: ten times as fast as
    opening every METADATA file through importlib.metadata. The first on the path counts, as for an import.
    """
    found = {}
    for path in sys.path if paths is None else paths:
        try:
            entries = [entry.name for entry in os.scandir(path or ".")]
        except OSError:
            continue
        for entry in entries:
            stem, extension = os.path.splitext(entry)
            if extension in (".dist-info", ".egg-info") and "-" in stem:
                name, version = stem.split("-")[:2]
                found.setdefault(normalised(name), version.replace("_", "-"))
    return dict(sorted(found.items()))


def normalised(name):
    """Returns a distribution's name as locks write it (PEP 503)."""
    for separator in "_.":
        name = name.replace(separator, "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name.lower()


def _keras(keras, _kind, errors):
    questions = {
        "backend": keras.config.backend,
        "floatx": keras.config.floatx,
        "image_data_format": keras.config.image_data_format,
    }
    return dict(answers_to(errors, "keras", questions), version=str(keras.__version__))
