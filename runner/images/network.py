"""Passes proxies, mirrors and certificates to a build. No layer keeps them.

BuildKit mounts them as secret files. The classic builder has no secrets; of all build arguments only the predefined
proxy ones are neither written to the image's history nor part of the cache key (Docker's Dockerfile reference,
"Predefined ARGs"), so everything travels packed in four of those that nothing here needs, and install.sh unpacks it.
"""

from __future__ import annotations

import base64
import json
import lzma
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError

_PASSED = re.compile(
    r"(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy"
    r"|UV_(?:DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|INDEX_STRATEGY|INSECURE_HOST|HTTP_TIMEOUT"
    r"|HTTP_RETRIES|SYSTEM_CERTS|NATIVE_TLS|INDEX_[A-Z0-9_]+_(?:USERNAME|PASSWORD))"
    r"|PIP_(?:INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT)"
)
_CHANNELS = ("FTP_PROXY", "ftp_proxy", "ALL_PROXY", "all_proxy")
_CHANNEL_BYTES = 120_000
"""Linux refuses a single environment string of more than 128 KiB."""
_LOOPBACK = re.compile(r"://(?:[^@/]*@)?(?:localhost|127\.[0-9.]+|\[::1\])(?=[:/]|$)")


@dataclass(frozen=True, slots=True)
class Network:
    """What a build needs to reach a package index from here."""

    variables: Mapping[str, str]
    certificates: str = ""
    """PEM, or empty: what the base image trusts."""

    @classmethod
    def here(cls, environ: Mapping[str, str] | None = None) -> Network:
        """From the environment variables of this process.

        Raises UsageError where SSL_CERT_FILE names a file that cannot be read.
        """
        environ = os.environ if environ is None else environ
        variables = {key: value for key, value in sorted(environ.items()) if value and _PASSED.fullmatch(key)}
        # a folder of this machine is not there in a build
        if "://" not in variables.get("UV_FIND_LINKS", "://"):
            del variables["UV_FIND_LINKS"]
        if "PIP_INDEX_URL" not in variables:
            index = variables.get("UV_DEFAULT_INDEX") or variables.get("UV_INDEX_URL")
            if index:
                variables["PIP_INDEX_URL"] = index.split("=", maxsplit=1)[-1] if "=" in index.split("://")[0] else index
        bundle = environ.get("SSL_CERT_FILE", "")
        try:
            certificates = Path(bundle).read_text(encoding="utf-8") if bundle else ""
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"SSL_CERT_FILE={bundle}: cannot be read: {error}") from None
        return cls(variables, certificates)

    @property
    def mode(self) -> str | None:
        """``host`` where a proxy or mirror listens on this machine's loopback.

        A build's own network does not reach that.
        """
        return "host" if any(_LOOPBACK.search(value) for value in self.variables.values()) else None

    def files(self) -> dict[str, str]:
        """Return the secrets that are not empty: shell lines, certificates."""
        lines = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in self.variables.items())
        found = {"network": lines, "certificates": self.certificates}
        return {name: content for name, content in found.items() if content}

    def build_arguments(self) -> dict[str, str]:
        """Pack them for the classic builder. Raises UsageError if too large."""
        files = self.files()
        if not files:
            return {}
        packed = base64.b64encode(lzma.compress(json.dumps(files).encode(), preset=9)).decode()
        pieces = [packed[start : start + _CHANNEL_BYTES] for start in range(0, len(packed), _CHANNEL_BYTES)]
        if len(pieces) > len(_CHANNELS):
            raise UsageError("SSL_CERT_FILE is too large for the classic builder; install Docker's buildx")
        return dict(zip(_CHANNELS, pieces, strict=False))
