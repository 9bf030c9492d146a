"""A client of GitHub's REST API: pages, limits, failures. Standard library only."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

TIMEOUT_S = 30.0
ATTEMPTS = 6
"""How often one request is sent at most."""
LONGEST_WAIT_S = 900.0
"""A limit that lasts longer ends the nightly program; the next night does the rest."""
WITHOUT_A_DATE_S = 60.0
"""What GitHub asks for where a limit comes without the time at which it ends."""
BETWEEN_WRITES_S = 1.0
"""GitHub asks for a second between requests that write."""
PAGES = 200
"""More pages than any list here has: a list that goes on for ever ends the program."""

Answer = Any
"""Decoded JSON."""


class GitHubError(Exception):
    """GitHub refused a request, or did not answer it. Its text is one line."""

    def __init__(self, line: str, status: int = 0) -> None:
        super().__init__(line)
        self.status = status


@dataclass
class GitHub:
    """One repository, with a token that may write its issues or comments."""

    api: str
    """The address of the API, such as ``https://api.github.com``."""
    repository: str
    token: str
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    longest_wait_s: float = LONGEST_WAIT_S
    _wrote: float = field(default=0.0, init=False)

    def get(self, path: str, **query: str | int) -> Answer:
        """One object below ``repos/OWNER/NAME``. Raises GitHubError."""
        return self._send("GET", self._url(path, query), None)[0]

    def pages(self, path: str, **query: str | int) -> Iterator[Answer]:
        """The entries of a list, from all of its pages. Raises GitHubError."""
        url = self._url(path, {"per_page": 100, **query})
        for _ in range(PAGES):
            entries, headers = self._send("GET", url, None)
            yield from entries
            following = _following(headers.get("Link", ""))
            if not following:
                return
            # the token goes to no other place than the one the user named
            url = urllib.parse.urljoin(url, following)
            if urllib.parse.urlsplit(url)[:2] != urllib.parse.urlsplit(self.api)[:2]:
                raise GitHubError(f"{path}: the next page is on another host")
        raise GitHubError(f"{path}: more than {PAGES} pages")

    def patch(self, path: str, content: Answer) -> Answer:
        """Change an object: the same request twice does no harm. Raises GitHubError."""
        return self._write("PATCH", path, content, None)

    def delete(self, path: str) -> None:
        """Remove an object; one that is gone already is removed too. Raises GitHubError."""
        try:
            self._write("DELETE", path, None, None)
        except GitHubError as error:
            if error.status != 404:
                raise

    def post(self, path: str, content: Answer, there: Callable[[], Answer | None]) -> Answer:
        """Make an object, once.

        A request without an answer may have been done: ``there`` looks whether the object exists, before the request
        is sent again. Raises GitHubError.
        """
        return self._write("POST", path, content, there)

    def _write(self, method: str, path: str, content: Answer, there: Callable[[], Answer | None] | None) -> Answer:
        pause = self._wrote + BETWEEN_WRITES_S - self.now()
        if 0 < pause <= BETWEEN_WRITES_S:
            self.sleep(pause)
        try:
            return self._send(method, self._url(path, {}), content, there)[0]
        finally:
            self._wrote = self.now()

    def _url(self, path: str, query: dict[str, str | int]) -> str:
        words = f"?{urllib.parse.urlencode(query)}" if query else ""
        return f"{self.api.rstrip('/')}/repos/{self.repository}/{path}{words}"

    def _send(
        self, method: str, url: str, content: Answer, there: Callable[[], Answer | None] | None = None
    ) -> tuple[Answer, Message]:
        said, unsure = "not sent", False
        for attempt in range(ATTEMPTS):
            if unsure and there is not None and (found := there()) is not None:
                return found, Message()
            try:
                return self._once(method, url, content)
            except urllib.error.HTTPError as error:
                with error:
                    detail = _message(error)
                said = f"{method} {urllib.parse.urlsplit(url).path}: {error.code} {detail}"
                wait = self._pause(error.code, error.headers, detail, attempt)
                unsure = unsure or error.code >= 500
                if wait is None:
                    raise GitHubError(said, error.code) from None
                if wait > self.longest_wait_s:
                    raise GitHubError(f"{said}; the limit lasts {wait / 60:.0f} more minutes", error.code) from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                said = f"{method} {urllib.parse.urlsplit(url).path}: {error!r}"
                wait, unsure = float(2**attempt), True
            if attempt < ATTEMPTS - 1:
                self.sleep(wait)
        raise GitHubError(f"{said}; sent {ATTEMPTS} times")

    def _once(self, method: str, url: str, content: Answer) -> tuple[Answer, Message]:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "User-Agent": "keras-version-matrix",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - the address is the job's own
        with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
            text = answer.read()
            return (json.loads(text) if text else None), answer.headers

    def _pause(self, status: int, headers: Message, detail: str, attempt: int) -> float | None:
        """Seconds until the next attempt, or None for an answer that will not change."""
        if status >= 500:
            return float(2**attempt)
        if status not in (403, 429):
            return None
        if (after := headers.get("Retry-After", "")).isdigit():
            return float(after)
        if headers.get("X-RateLimit-Remaining") == "0" and (end := headers.get("X-RateLimit-Reset", "")).isdigit():
            return max(1.0, float(end) - self.now() + 1.0)
        if status == 429 or "rate limit" in detail.lower():
            return WITHOUT_A_DATE_S * float(2**attempt)
        return None


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the token would go along, to whatever host is named."""

    def redirect_request(self, *_: Any) -> None:
        """Nothing to follow, which makes the answer an error."""
        return


_OPENER = urllib.request.build_opener(_Stay)


def _following(link: str) -> str:
    """The address of the next page in a ``Link`` header, or nothing."""
    for part in link.split(","):
        found = re.fullmatch(r'\s*<([^>]*)>\s*;\s*rel="next"\s*', part)
        if found:
            return found[1]
    return ""


def _message(error: urllib.error.HTTPError) -> str:
    """What GitHub says about a failure, on one line."""
    try:
        read = json.loads(error.read(10_000))
        said = read.get("message", "") if isinstance(read, dict) else ""
    except (OSError, http.client.HTTPException, ValueError):
        said = ""
    return " ".join(str(said or error.reason).split())[:300]
