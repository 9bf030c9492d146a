"""Keys for TLS: those in a folder, or new ones for one run."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from typing import Any

from runner.errors import UsageError

NAMES = ("ca.pem", "cert.pem", "key.pem")
_AGAIN = "docs/cluster.md says how to make new ones"
_ROLES = ("client", "scheduler", "worker")


def check_installed() -> None:
    """Raise UsageError where the extra is not installed."""
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError:
        raise UsageError("this needs Dask: pip install 'keras-version-matrix[cluster]'") from None


def of_folder(folder: Path | None) -> Any:
    """The keys of a folder, or those of Dask's configuration.

    Raises UsageError where there are none, and where they cannot be used.
    """
    from distributed import Security

    if folder is None:
        security = Security(require_encryption=True)
        if security.tls_client_cert and security.tls_ca_file:
            try:
                context(security)
            except OSError as error:
                what = error.strerror or str(error)
                raise UsageError(f"distributed.comm.tls in Dask's configuration: cannot be used: {what}") from None
            return security
        raise UsageError(
            f"tls:// needs keys: give --tls FOLDER with {', '.join(NAMES)} (docs/cluster.md says how to make them), "
            "or set distributed.comm.tls in Dask's configuration"
        )
    for name in NAMES:
        if not (folder / name).is_file():
            raise UsageError(f"--tls {folder}: no {name} there; it needs {', '.join(NAMES)}")
    _check(folder)
    ca, cert, key = (str(folder / name) for name in NAMES)
    return _security(ca, cert, key)


def context(security: Any) -> ssl.SSLContext | None:
    """The keys as the standard library takes them; None for plain TCP.

    Raises OSError where they cannot be used.
    """
    found: ssl.SSLContext | None = security.get_connection_args("client").get("ssl_context") if security else None
    return found


def _check(folder: Path) -> None:
    """Raise UsageError for the first file of a folder that cannot be used.

    The messages of OpenSSL name neither the file nor what to do.
    """
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca, cert, key = (folder / name for name in NAMES)

    def no_passphrase() -> str:
        raise UsageError(f"--tls {folder}: {key.name} has a passphrase, which nobody can type for a worker; {_AGAIN}")

    for path in (ca, cert, key):
        try:
            if path is key:
                probe.load_cert_chain(cert, key, no_passphrase)
            else:
                probe.load_verify_locations(path)
        except ssl.SSLError as error:
            if path is key and "MISMATCH" in (error.reason or ""):
                raise UsageError(
                    f"--tls {folder}: {cert.name} and {key.name} do not belong together; {_AGAIN}"
                ) from None
            what = "private key" if path is key else "certificate"
            raise UsageError(f"--tls {folder}: {path.name} has no {what} in PEM form; {_AGAIN}") from None
        except OSError as error:
            raise UsageError(f"--tls {folder}: {path.name} cannot be read: {error.strerror}") from None


def new() -> tuple[Any, str]:
    """Keys for one run, and the same as a line for workers.

    They are in memory only. Raises UsageError without the package ``cryptography``.
    """
    from distributed import Security

    try:
        made = Security.temporary()
    except ImportError:
        raise UsageError("keys need a package: pip install 'keras-version-matrix[cluster]'") from None
    line = json.dumps([made.tls_ca_file, made.tls_client_cert, made.tls_client_key])
    return made, line


def from_line() -> Any:
    """The keys on standard input: the line that ``new`` has made.

    None for an empty line.

    Raises UsageError for anything else.
    """
    line = sys.stdin.readline().strip()
    if not line:
        return None
    try:
        ca, cert, key = json.loads(line)
    except (ValueError, TypeError):
        raise UsageError("standard input has no keys: --attached is for workers that `--cluster` starts") from None
    return _security(ca, cert, key)


def _security(ca: str, cert: str, key: str) -> Any:
    from distributed import Security

    given = {f"tls_{role}_{what}": value for role in _ROLES for what, value in (("cert", cert), ("key", key))}
    return Security(require_encryption=True, tls_ca_file=ca, **given)
