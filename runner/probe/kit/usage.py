"""Measures memory and use of the device while a probe works.

The memory is this process's, and a GPU's through NVML or nvidia-smi.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time


def rss_bytes():
    """Returns the resident set now, bytes, or None where the system hides it."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


class Gpu:
    """Samples a GPU's use and memory in a thread, every ``interval_s``.

    It does so between ``__enter__`` and ``__exit__``. ``busy``: mean utilisation from 0 to 1; ``memory_bytes``: largest
    memory of this process, or of the whole device where the driver does not tell processes apart (in containers). Both
    None where nothing answers.
    """

    def __init__(self, device, interval_s=0.2):
        self._read = reader() if device == "cuda" else None
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._samples = []
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        if self._read is not None:
            self._thread.start()
        return self

    def __exit__(self, *_error):
        if self._read is not None:
            self._stop.set()
            self._thread.join()

    def _watch(self):
        while not self._stop.is_set():
            try:
                self._samples.append(self._read())
            except Exception:  # a driver that stops answering ends the sampling, not the probe
                return
            self._stop.wait(self._interval_s)

    @property
    def busy(self):
        return sum(sample[0] for sample in self._samples) / len(self._samples) if self._samples else None

    @property
    def memory_bytes(self):
        return max((sample[1] for sample in self._samples), default=None)


def reader():
    """Returns a function that returns ``(utilisation, bytes)`` of the first GPU.

    The GPU is the first visible one. None where there is no way to read it.
    """
    try:
        import pynvml
    except ImportError:
        return _nvidia_smi if _answers() else None
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(_index())
    except Exception:  # a driver that does not fit, or an index that is not a number: nvidia-smi may still answer
        return _nvidia_smi if _answers() else None

    def read():
        busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100.0
        mine = [
            process.usedGpuMemory
            for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
            if process.pid == os.getpid() and process.usedGpuMemory
        ]
        return busy, mine[0] if mine else pynvml.nvmlDeviceGetMemoryInfo(handle).used

    return read


def _index():
    """Returns the index of the GPU that this process sees first."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    return int(first) if first.isdigit() else 0


def _nvidia_smi():
    """Returns one reading from ``nvidia-smi``: utilisation and memory.

    The utilisation is from 0 to 1, the memory the device's used bytes.
    """
    command = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
    text = subprocess.run([*command, "--id=%d" % _index()], stdout=subprocess.PIPE, check=True, timeout=10).stdout
    busy, mebibytes = text.decode().strip().splitlines()[0].split(",")
    return float(busy) / 100.0, int(mebibytes) * 1024 * 1024


def _answers():
    try:
        _nvidia_smi()
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return False
    return True


class Meter:
    """Measures wall and CPU time of a block.

    ``wall_s``, ``cpu_s``, and ``cpus``, how many CPUs were busy on average.
    """

    def __enter__(self):
        self._wall, self._cpu = time.perf_counter(), cpu_s()
        return self

    def __exit__(self, *_error):
        self.wall_s = time.perf_counter() - self._wall
        self.cpu_s = cpu_s() - self._cpu
        self.cpus = self.cpu_s / self.wall_s if self.wall_s else None


def peak_rss_bytes():
    """Returns the largest resident set so far, bytes.

    ``ru_maxrss`` counts kibibytes on Linux, bytes on macOS.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cpu_s():
    """Returns user and system time of all threads, seconds.

    It counts this process and the children that it has waited for.
    """
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def reset_peak_rss():
    """Starts a new peak of the resident set. Returns whether it could.

    Linux: /proc/self/clear_refs. Elsewhere peaks only grow.
    """
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def current_peak_rss_bytes():
    """Returns the largest resident set since ``reset_peak_rss``, bytes.

    It counts from the start of the process where that cannot be reset.
    """
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return peak_rss_bytes()
