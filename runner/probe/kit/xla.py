"""Makes XLA compile fast rather than well."""

from __future__ import annotations

import os


def compile_cheaply():
    """Makes XLA compile without LLVM's optimizer; to be called before JAX is imported.

    That takes a third of the compile time, which is what many small cases consist of.
    """
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") + " " + flags).strip()
