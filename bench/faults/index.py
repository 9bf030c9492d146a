"""A package index on this machine that serves the wheels of one folder, slowly if wished.

Run as a program where it must be in a network namespace of its own: ``python index.py FOLDER PORT``.
"""

from __future__ import annotations

import http.server
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers ``/simple/NAME/`` and ``/files/WHEEL``."""

    def __init__(self, folder: Path, delay_s: float, *arguments: object) -> None:
        self._folder = folder
        self._delay_s = delay_s
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Serve a list of wheels, or a wheel."""
        kind, _, name = self.path.strip("/").partition("/")
        try:
            if kind == "simple":
                wheels = sorted(path.name for path in self._folder.glob(f"{name.replace('-', '_')}-*.whl"))
                text = "".join(f'<a href="/files/{wheel}">{wheel}</a>\n' for wheel in wheels)
                self._answer(text.encode() if wheels else None, "text/html")
            else:
                time.sleep(self._delay_s)
                path = self._folder / Path(name).name
                self._answer(path.read_bytes() if path.is_file() else None, "application/octet-stream")
        except (BrokenPipeError, ConnectionResetError):  # the installer was killed
            return

    def _answer(self, content: bytes | None, kind: str) -> None:
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Nothing is logged."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error."""


@contextmanager
def serving(folder: Path, delay_s: float = 0.0, port: int = 0) -> Iterator[str]:
    """The address of an index in this process."""
    server = _Server(("127.0.0.1", port), partial(Handler, folder, delay_s))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    with serving(Path(sys.argv[1]), port=int(sys.argv[2])):
        threading.Event().wait()
