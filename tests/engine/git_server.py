"""A server of git repositories on loopback, by HTTPS: with git's own backend, or as plain files."""

from __future__ import annotations

import http.server
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Handler = type[http.server.SimpleHTTPRequestHandler]


@contextmanager
def served(root: Path, folder: Path, *, smart: bool) -> Iterator[tuple[str, Path]]:
    """Serve the repositories below ``root``; ``folder`` is for the server's certificate.

    Yields the address and the file of the certificate, which git takes as ``GIT_SSL_CAINFO``.
    """
    certificate, key = _certificate(folder)
    handler = _smart(root) if smart else _plain(root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}", certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate for the server")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def _plain(root: Path) -> Handler:
    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(root))

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Files


def _smart(root: Path) -> Handler:
    """git's CGI program behind the server."""

    class Backend(_plain(root)):  # type: ignore[misc] # a class of this call
        def do_GET(self) -> None:  # noqa: N802 - the name that http.server asks for
            self._ask(b"")

        def do_POST(self) -> None:  # noqa: N802 - the name that http.server asks for
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._ask(body)

        def _ask(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            variables = {
                **os.environ, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_TYPE": self.headers.get("Content-Type") or "", "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            }  # fmt: skip
            answer = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=True)
            head, _, content = answer.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Backend
