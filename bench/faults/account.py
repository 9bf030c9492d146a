"""Makes the ordinary user of a rootless engine, and runs programs as that user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_NEEDED = ("useradd", "userdel", "setpriv", "newuidmap", "newgidmap")
_SWITCHES = {"user/max_user_namespaces": "0", "kernel/unprivileged_userns_clone": "0"}
"""Settings of the kernel, and the value with which no user has a namespace of users."""


def obstacle() -> str:
    """Why no engine can run as an ordinary user here; empty where one can."""
    if os.geteuid() != 0:
        return "only root may add a user"
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        return f"{' '.join(missing)} is not installed"
    for name, off in _SWITCHES.items():
        with suppress(OSError):
            if (Path("/proc/sys") / name).read_text().strip() == off:
                return f"/proc/sys/{name} is {off}"
    return ""


def make(name: str, home: Path) -> str:
    """Add a user with a range of subordinate users.

    Returns why that fails; empty where the user is there.
    """
    words = ["useradd", "--no-create-home", "--home-dir", str(home), "--shell", "/bin/sh", name]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        return f"no user can be added: {done.stderr.strip()[:80]}"
    for path in (Path("/etc/subuid"), Path("/etc/subgid")):
        if not path.is_file() or f"{name}:" not in path.read_text():
            return f"a new user gets no range in {path}"
    return ""


def remove(name: str) -> None:
    """Delete the user and the lock file of its Podman.

    Does nothing where there is none.
    """
    with suppress(KeyError):
        number = pwd.getpwnam(name).pw_uid
        subprocess.run(["userdel", "--force", name], check=False, capture_output=True)
        Path(f"/dev/shm/libpod_rootless_lock_{number}").unlink(missing_ok=True)


def give(name: str, folder: Path) -> None:
    """Let the user own a folder and all that is in it."""
    subprocess.run(["chown", "--recursive", f"{name}:", str(folder)], check=True)


def command(name: str, *words: str) -> list[str]:
    """A command line that runs as that user."""
    return [*_switch(name), *words]


def python(name: str) -> list[str]:
    """This Python, as that user.

    One below a folder that is root's alone runs with the right to read it.
    """
    ordinary = command(name, sys.executable)
    if subprocess.run([*ordinary, "-c", ""], check=False, capture_output=True, cwd="/").returncode == 0:
        return ordinary
    reads = "+dac_read_search"
    return [*_switch(name), "--inh-caps", reads, "--ambient-caps", reads, sys.executable]


def _switch(name: str) -> list[str]:
    return ["setpriv", "--reuid", name, "--regid", name, "--init-groups"]
