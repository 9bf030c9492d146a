"""What really ran: versions, builds, device, threads, switches, CPU, packages.

Only what a probe has imported is asked; nothing is imported here. A question that fails is left out and named under
``errors``, since an old framework may lack what a new one offers. ``host`` is machine-wide, the rest this process's.
"""

from __future__ import annotations

import hashlib
import os
import sys

ENVIRONMENT = (
    "ATEN_",
    "CUBLAS_",
    "CUDA_",
    "CUDNN_",
    "DNNL_",
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
    """The facts as a JSON-ready dict. ``request`` may be None, where none could be read."""
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
        "threads": {"affinity": affinity(), "cpus": os.cpu_count(), "quota": _ask(errors, "quota", cpu_quota)},
        "switches": {},
    }
    seen["cpu"] = _ask(errors, "cpu", cpu) or {}
    seen["packages"] = _ask(errors, "packages", packages) or {}
    for name, ask in ASK.items():
        module = sys.modules.get(name)
        if module is not None and _complete(name, module):
            answers = _ask(errors, name, ask, module, kind, errors) or {}
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
    """Whether the import went through: a failed one can leave a half-made module behind, or other people's."""
    return hasattr(module, "__version__") and (name != "keras" or hasattr(module, "config"))


def _ask(errors, name, question, *arguments):
    try:
        return question(*arguments)
    except Exception as error:
        errors[name] = "%s: %s" % (type(error).__name__, str(error)[:200])
        return None


def _answers(errors, name, questions):
    """The answers to ``questions`` ({key: callable}), without those that failed."""
    found = {}
    for key, question in questions.items():
        value = _ask(errors, "%s.%s" % (name, key), question)
        if value is not None:
            found[key] = value if isinstance(value, (bool, int, float, dict, list)) else str(value)
    return found


# --- the process and the host -----------------------------------------------------------------------------------------


def probe_hash():
    """sha256 over the payload's files: relative path, NUL, content, NUL, in the order of the paths."""
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
    """The variables that change what a framework does, without any that look like a secret."""
    return {
        name: value
        for name, value in sorted(environ.items())
        if name.startswith(ENVIRONMENT)
        and name != "KERAS_HOME"  # another folder in every process, set by the payload itself
        and not name.startswith(("TF_CLI", "TF_VAR"))  # Terraform's
        and not any(word in name for word in ("TOKEN", "SECRET", "PASSWORD", "_KEY"))
    }


def affinity():
    """How many CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def cpu_quota(root="/sys/fs/cgroup"):
    """How many CPUs' worth of time the control group grants (a fraction of one too), or None without a limit."""
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
    """``model`` and the ``flags`` that decide which kernel runs."""
    if sys.platform == "darwin":
        import subprocess

        text = subprocess.run(
            ["/usr/sbin/sysctl", "machdep.cpu", "hw.optional"], stdout=subprocess.PIPE, check=False, timeout=10
        ).stdout
        return parse_sysctl(text.decode(errors="replace"))
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        return parse_cpuinfo(file.read(65536))


def parse_cpuinfo(text):
    """The first processor of Linux's /proc/cpuinfo (x86: "model name", "flags"; Arm: "CPU part", "Features")."""
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
    """The same from macOS's ``sysctl machdep.cpu hw.optional`` (Intel lists features, Apple one line for each)."""
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
    """Every installed distribution and its version, by normalised name.

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
    """A distribution's name as locks write it (PEP 503)."""
    for separator in "_.":
        name = name.replace(separator, "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name.lower()


# --- the frameworks ---------------------------------------------------------------------------------------------------


def _numpy(numpy, _kind, errors):
    def blas():
        if not hasattr(numpy.__config__, "CONFIG"):  # before NumPy 1.25
            return None
        found = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return "%s %s" % (found.get("name"), found.get("version"))

    return dict(_answers(errors, "numpy", {"blas": blas}), version=str(numpy.__version__))


def _keras(keras, _kind, errors):
    questions = {
        "backend": keras.config.backend,
        "floatx": keras.config.floatx,
        "image_data_format": keras.config.image_data_format,
    }
    return dict(_answers(errors, "keras", questions), version=str(keras.__version__))


def _torch(torch, kind, errors):
    config = torch.__config__.show()
    onednn = [line.strip(" -") for line in config.splitlines() if "MKL-DNN" in line or "oneDNN" in line]
    answers = _answers(
        errors,
        "torch",
        {
            "onednn": lambda: onednn[0] if onednn else None,
            "cpu_capability": torch.backends.cpu.get_cpu_capability,
            "cuda": lambda: torch.version.cuda,
            "cudnn": lambda: torch.backends.cudnn.version() if torch.version.cuda else None,
        },
    )
    answers["version"], answers["build"] = torch.__version__.split("+")[0], str(torch.__version__)
    answers["threads"] = _answers(
        errors, "torch", {"intra_op": torch.get_num_threads, "inter_op": torch.get_num_interop_threads}
    )
    answers["switches"] = _answers(
        errors,
        "torch",
        {
            "torch.mkldnn": torch.backends.mkldnn.is_available,
            "torch.mkldnn.enabled": lambda: getattr(torch.backends.mkldnn, "enabled", None),
            "torch.float32_matmul_precision": torch.get_float32_matmul_precision,
            "torch.cuda.matmul.allow_tf32": lambda: torch.backends.cuda.matmul.allow_tf32,
            "torch.cudnn.allow_tf32": lambda: torch.backends.cudnn.allow_tf32,
            "torch.cudnn.benchmark": lambda: torch.backends.cudnn.benchmark,
            "torch.cudnn.deterministic": lambda: torch.backends.cudnn.deterministic,
            "torch.deterministic_algorithms": torch.are_deterministic_algorithms_enabled,
        },
    )
    if kind == "cuda" and torch.cuda.is_available():
        answers["device"] = {
            "name": torch.cuda.get_device_name(),
            "capability": list(torch.cuda.get_device_capability()),
        }
    return answers


def _tensorflow(tf, kind, errors):
    def build_info(key):
        return lambda: tf.sysconfig.get_build_info().get(key)

    def internal(path, name):
        def ask():
            return getattr(sys.modules[path], name)()

        return ask

    answers = _answers(errors, "tensorflow", {"cuda": build_info("cuda_version"), "cudnn": build_info("cudnn_version")})
    answers["version"] = answers["build"] = str(tf.__version__)
    if answers.get("cuda"):
        answers["build"] += "+cuda" + answers["cuda"]
    answers["threads"] = _answers(
        errors,
        "tensorflow",
        {
            "intra_op": tf.config.threading.get_intra_op_parallelism_threads,  # 0: TensorFlow decides
            "inter_op": tf.config.threading.get_inter_op_parallelism_threads,
        },
    )
    answers["switches"] = _answers(
        errors,
        "tensorflow",
        {
            # no public question tells these two: whether oneDNN's kernels are in use, and op determinism
            "tf.onednn": internal("tensorflow.python.util._pywrap_util_port", "IsMklEnabled"),
            "tf.op_determinism": internal("tensorflow.python.framework.config", "is_op_determinism_enabled"),
            "tf.tf32": tf.config.experimental.tensor_float_32_execution_enabled,
            "tf.jit": lambda: tf.config.optimizer.get_jit() or False,
        },
    )
    gpus = [] if kind == "cpu" else tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        answers["device"] = {
            "device_name": details.get("device_name", gpus[0].name),
            "device_capability": list(details.get("compute_capability", ())),
        }
    return answers


def _jax(jax, kind, errors):
    config = jax.config
    answers = _answers(
        errors, "jax", {"jaxlib": lambda: sys.modules["jaxlib.version"].__version__, "backend": jax.default_backend}
    )
    answers["version"] = answers["build"] = str(jax.__version__)
    names = (
        "jax_enable_x64",
        "jax_default_matmul_precision",
        "jax_threefry_partitionable",
        "jax_default_prng_impl",
        "jax_numpy_dtype_promotion",
        "jax_disable_jit",
    )
    answers["switches"] = _answers(
        errors, "jax", {name: lambda name=name: _or_default(getattr(config, name)) for name in names}
    )
    if kind not in (None, "cpu"):
        answers["device"] = _answers(errors, "jax", {"device_name": lambda: jax.devices()[0].device_kind})
    return answers


def _or_default(value):
    return "default" if value is None else value


def _mxnet(mxnet, _kind, errors):
    enabled = mxnet.runtime.Features().is_enabled
    answers = {"version": str(mxnet.__version__), "build": str(mxnet.__version__)}
    answers["switches"] = _answers(
        errors, "mxnet", {"mxnet." + name.lower(): lambda name=name: enabled(name) for name in ("MKLDNN", "CUDA")}
    )
    return answers


def _openvino(openvino, _kind, errors):
    answers = _answers(errors, "openvino", {"build": lambda: openvino.__version__})
    return dict(answers, version=str(openvino.__version__).split("-")[0])


ASK = {
    "numpy": _numpy,
    "torch": _torch,
    "tensorflow": _tensorflow,
    "jax": _jax,
    "mxnet": _mxnet,
    "openvino": _openvino,
    "keras": _keras,
}
"""Module name to the function that asks it, given the module, the kind of device, and where to put errors."""
