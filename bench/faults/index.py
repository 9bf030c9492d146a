"""Serves the wheels of one folder as a package index, slowly where wished.

Run as a program where it must be in a network namespace of its own: ``python index.py FOLDER PORT``.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import sys
import threading
import time
from contextlib import suppress
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
        with suppress(BrokenPipeError, ConnectionResetError):  # the installer was killed
            if kind == "simple":
                self._answer(self._listed(name.strip("/")), "application/vnd.pypi.simple.v1+json")
            else:
                time.sleep(self._delay_s)
                path = self._folder / Path(name).name
                self._answer(path.read_bytes() if path.is_file() else None, "application/octet-stream")

    do_HEAD = do_GET  # noqa: N815 - the name in the base class

    def _listed(self, name: str) -> bytes | None:
        """The wheels of a project. uv drops what states no date of its upload."""
        files = [
            {
                "filename": path.name,
                "url": f"/files/{path.name}",
                "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
                "upload-time": "2020-01-01T00:00:00Z",
            }
            for path in sorted(self._folder.glob(f"{name.replace('-', '_')}-*.whl"))
        ]
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode() if files else None

    def _answer(self, content: bytes | None, kind: str) -> None:
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Nothing is logged."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is not an error."""


class Index:
    """An index in this process.

    Once stopped, its port is closed until it is started again.
    """

    def __init__(self, folder: Path, delay_s: float = 0.0, port: int = 0) -> None:
        self._handler = partial(Handler, folder, delay_s)
        self._server: _Server | None = None
        self._port = port

    @property
    def address(self) -> str:
        """Its address, for ``UV_DEFAULT_INDEX``."""
        return f"http://127.0.0.1:{self._port}/simple"

    def start(self) -> None:
        """Open the port."""
        self._server = _Server(("127.0.0.1", self._port), self._handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Close the port. Does nothing where it is closed."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Index:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


if __name__ == "__main__":
    with Index(Path(sys.argv[1]), port=int(sys.argv[2])):
        threading.Event().wait()
