"""Collects facts of PyTorch, and makes its tensors."""

from __future__ import annotations

from ..kit.questions import answers as answers_to


def facts(torch, kind, errors):
    """Returns version, build, threads, switches and the device.

    The device is there where one is used. See ``facts.collect``.
    """
    config = torch.__config__.show()
    onednn = [line.strip(" -") for line in config.splitlines() if "MKL-DNN" in line or "oneDNN" in line]
    answers = answers_to(
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
    answers["threads"] = answers_to(
        errors, "torch", {"intra_op": torch.get_num_threads, "inter_op": torch.get_num_interop_threads}
    )
    answers["switches"] = answers_to(
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
            "device_name": torch.cuda.get_device_name(),
            "device_capability": list(torch.cuda.get_device_capability()),
        }
    return answers


def select(torch, device):
    """Returns whether the device is available; nothing needs to be switched on."""
    mps = getattr(torch.backends, "mps", None)
    return {
        "cpu": lambda: True,
        "cuda": torch.cuda.is_available,
        "mps": lambda: mps is not None and mps.is_available(),
    }[device]()


def tensor(torch, array, device):
    """Returns a NumPy array as a tensor on the device."""
    return torch.from_numpy(array).to(device)


def block(torch, value, device):
    """Waits until ``value`` is computed, and returns it."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()
    return value


def array(_torch, value):
    """Returns a tensor as a NumPy array."""
    return value.detach().cpu().numpy()
