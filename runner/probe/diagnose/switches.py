"""Sets switches of a framework that may change its results.

Each switch is tried in its own process.
"""

from __future__ import annotations

from ..protocol import UnsupportedError

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)

ENVIRONMENT = {
    ("no-onednn", "tensorflow"): {"TF_ENABLE_ONEDNN_OPTS": "0"},
    ("onednn", "tensorflow"): {"TF_ENABLE_ONEDNN_OPTS": "1"},
    ("no-onednn", "mxnet"): {"MXNET_MKLDNN_ENABLED": "0", "MXNET_ONEDNN_ENABLED": "0"},
    ("deterministic", "jax"): {"XLA_FLAGS": "--xla_gpu_deterministic_ops=true"},
    ("deterministic", "torch"): {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
    ("one-thread", "jax"): {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"},
    ("fallback", "torch"): {"PYTORCH_ENABLE_MPS_FALLBACK": "1"},
    ("no-fallback", "torch"): {"PYTORCH_ENABLE_MPS_FALLBACK": "0"},
}
"""What must be in the environment before the framework is imported."""


def _torch_tf32(torch, on):
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on


def _deterministic(tf):
    tf.random.set_seed(0)  # which determinism asks for
    tf.config.experimental.enable_op_determinism()


CALLS = {
    ("no-onednn", "torch"): lambda torch: setattr(torch.backends.mkldnn, "enabled", False),
    ("one-thread", "torch"): lambda torch: torch.set_num_threads(1),
    ("deterministic", "torch"): lambda torch: torch.use_deterministic_algorithms(True),
    ("no-tf32", "torch"): lambda torch: _torch_tf32(torch, False),
    ("tf32", "torch"): lambda torch: _torch_tf32(torch, True),
    ("deterministic", "tensorflow"): _deterministic,
    ("no-tf32", "tensorflow"): lambda tf: tf.config.experimental.enable_tensor_float_32_execution(False),
    ("no-tf32", "jax"): lambda jax: jax.config.update("jax_default_matmul_precision", "highest"),
}
"""What is called once it is."""


def before(toggle, framework, environ):
    """Sets the environment for a switch.

    Raises UnsupportedError for a switch that the framework does not have.
    """
    if not toggle:
        return
    if (toggle, framework) not in ENVIRONMENT and (toggle, framework) not in CALLS and toggle != "one-thread":
        raise UnsupportedError("%s has no switch %r" % (framework, toggle))
    if toggle == "one-thread":
        environ.update(dict.fromkeys(THREADS, "1"))
    for name, value in ENVIRONMENT.get((toggle, framework), {}).items():
        there = environ.get(name, "") if name == "XLA_FLAGS" else ""
        environ[name] = ("%s %s" % (there, value)).strip()


def after(toggle, framework, lib):
    """Calls what must be called in the imported framework."""
    if (toggle, framework) in CALLS:
        CALLS[toggle, framework](lib)
