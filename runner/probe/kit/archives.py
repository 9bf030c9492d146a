"""Unpacks what the host packed for a cell."""

from __future__ import annotations

import os


def extract(archive, folder):
    """Writes the regular files of a tar archive below ``folder``, an absolute path.

    A name that leads elsewhere is left out.
    """
    for member in archive:
        path = os.path.abspath(os.path.join(folder, member.name))
        if member.isfile() and path.startswith(folder + os.sep):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(archive.extractfile(member).read())
