"""Issues of the nightly findings, against an HTTP server on this machine that keeps issues as GitHub's API does."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import issues
import pytest
import rest

BOT = issues.BOT
KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
TOKEN = "a token of this test"  # noqa: S105 - a server of this test takes it


@dataclass
class Fault:
    """An answer in place of the right one, once."""

    request: str
    """``POST /issues``: the method and the end of the path, as a pattern."""
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False
    """Whether the request is done all the same."""
    message: str = "no"


class Server:
    """One repository ``owner/name``: its issues, comments and labels, and every request."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.labels: set[str] = set()
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.page = 100
        self.next_host = ""
        self.url = ""

    def add(self, body: str, **more: Any) -> dict[str, Any]:
        """An issue, by the bot and with the label unless the test says otherwise."""
        made = {
            "number": len(self.issues) + 1,
            "title": "a title",
            "body": body,
            "state": "open",
            "state_reason": None,
            "user": {"login": BOT},
            "labels": [{"name": issues.LABEL}],
            **more,
        }
        self.issues.append(made)
        return made

    def writes(self) -> list[str]:
        return [line for line in self.asked if not line.startswith("GET")]

    def answer(self, method: str, path: str, query: dict[str, list[str]], content: Any) -> tuple[int, Any, str]:
        """Status, content, and the ``Link`` header."""
        if path == "/issues" and method == "GET":
            mine = [one for one in self.issues if one["user"]["login"] in query.get("creator", [one["user"]["login"]])]
            if query.get("state") != ["all"]:
                mine = [one for one in mine if one["state"] == "open"]
            return self._page(path, query, mine[::-1])  # the newest first
        if path == "/issues" and method == "POST":
            assert set(content) == {"title", "body", "labels"}
            labels = [{"name": name} for name in content.pop("labels")]
            return 201, self.add(**content, labels=labels), ""
        if found := re.fullmatch(r"/issues/(\d+)", path):
            issue = self.issues[int(found[1]) - 1]
            assert method == "PATCH"
            assert set(content) <= {"title", "body", "state", "state_reason"}
            issue.update(content)
            issue["state_reason"] = "reopened" if content.get("state") == "open" else issue["state_reason"]
            return 200, issue, ""
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            kept = self.comments.setdefault(int(found[1]), [])
            if method == "GET":
                return self._page(path, query, kept)
            kept.append({"id": 1000 + len(kept), "body": content["body"], "user": {"login": BOT}})
            return 201, kept[-1], ""
        if path == "/labels":
            self.labels.add(content["name"])
            return 201, content, ""
        name = path.removeprefix("/labels/")
        return (200, {"name": name}, "") if name in self.labels else (404, {"message": "Not Found"}, "")

    def _page(self, path: str, query: dict[str, list[str]], entries: list[Any]) -> tuple[int, Any, str]:
        size, number = min(self.page, int(query["per_page"][0])), int(query.get("page", ["1"])[0])
        link = ""
        if len(entries) > size * number:
            words = "&".join(f"{name}={value[0]}" for name, value in query.items() if name != "page")
            following = f"{self.next_host or self.url}/repos/owner/name{path}?{words}&page={number + 1}"
            link = f'<{self.url}/x>; rel="last", <{following}>; rel="next"'
        return 200, entries[size * (number - 1) : size * number], link


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    kept = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/repos/owner/name")
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = json.loads(text) if text else None
            kept.asked.append(f"{self.command} {path}")
            kept.tokens.add(self.headers.get("Authorization"))
            fault = next((one for one in kept.faults if re.fullmatch(one.request, f"{self.command} {path}")), None)
            if fault is not None:
                kept.faults.remove(fault)
            if fault is None or fault.done:
                status, sent, link = kept.answer(self.command, path, parse_qs(parts.query), content)
            if fault is not None:
                status, sent, link = fault.status, {"message": fault.message}, ""
            if status == 0:  # the connection ends without an answer
                self.close_connection = True
                return
            body = json.dumps(sent).encode()
            self.send_response(status)
            for name, value in (fault.headers if fault else {}).items():
                self.send_header(name, value)
            if link:
                self.send_header("Link", link)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the names are the library's

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests look at ``asked``."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    kept.url = f"http://127.0.0.1:{web.server_address[1]}"
    thread = threading.Thread(target=web.serve_forever, args=(0.02,))
    thread.start()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield kept
    web.shutdown()
    thread.join()
    web.server_close()


@dataclass
class Night:
    """Runs the program on findings, with a clock that only its pauses move."""

    server: Server
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    slept: list[float] = field(default_factory=list)

    def __call__(self, *findings: dict[str, Any], sets: str = "full", when: str = "a night", more: str = "") -> int:
        """``sets``: those that were measured; a finding may name its own. Returns the exit code."""
        files = []
        for name in sets.split():
            mine = [{k: v for k, v in one.items() if k != "set"} for one in findings if one.get("set", name) == name]
            content = {"schema": 1, "set": name, "started": "2026-11-12", "when": when, "findings": mine}
            files.append(self.folder / f"{name}.json")
            files[-1].write_text(json.dumps(content))
        self.monkeypatch.setenv("GH_TOKEN", TOKEN)
        clock = [1000.0]

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            clock[0] += seconds

        made = rest.GitHub
        self.monkeypatch.setattr(
            rest, "GitHub", lambda api, name, token: made(api, name, token, sleep=sleep, now=lambda: clock[0])
        )
        try:
            words = ["--api", self.server.url, "--repository", "owner/name", *more.split()]
            return issues.main([*map(str, files), *words])
        finally:
            self.monkeypatch.setattr(rest, "GitHub", made)


@pytest.fixture
def night(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    return Night(server, tmp_path, monkeypatch)


def finding(key: str = KEY, state: str = "new", severity: str = "regressed", **more: Any) -> dict[str, Any]:
    label = {"regressed": "WORSE", "broken": "BROKEN", "expected": "KNOWN"}.get(severity, severity.upper())
    told = {"title": f"finding {key[:4]}", "body": f"**{label}** {key[:4]}"}
    return {"key": key, "state": state, "severity": severity, "label": label, **told, **more}


# --- one issue per finding -------------------------------------------------------------------------------------------


def test_a_new_finding_opens_one_issue_and_the_next_night_no_other(server: Server, night: Night) -> None:
    assert night(finding()) == 0
    (issue,) = server.issues
    assert issue["title"] == "finding 0123"
    assert issue["labels"] == [{"name": "keras-version-matrix"}]
    assert issue["body"].startswith(f"<!-- finding: {KEY}; sets: full; severity: regressed -->\n**WORSE** 0123\n")
    assert server.labels == {"keras-version-matrix"}
    assert server.tokens == {f"Bearer {TOKEN}"}
    before = len(server.writes())
    assert night(finding()) == 0
    assert len(server.issues) == 1
    assert len(server.writes()) == before


def test_a_lasting_finding_has_its_text_brought_up_to_date_without_a_comment(server: Server, night: Night) -> None:
    night(finding())
    server.issues[0]["title"] = "a name that people gave it"
    assert night(finding(state="lasting", title="other figures", body="**WORSE** 1.47 times")) == 0
    assert "1.47 times" in server.issues[0]["body"]
    assert server.issues[0]["title"] == "a name that people gave it"
    assert server.comments == {}


def test_a_finding_that_gets_worse_is_a_comment(server: Server, night: Night) -> None:
    night(finding())
    night(finding(state="lasting", severity="broken"), when="the night of 13 November 2026")
    assert [one["body"] for one in server.comments[1]] == ["BROKEN as of the night of 13 November 2026."]
    night(finding(state="lasting", severity="broken"), when="a later night")
    assert len(server.comments[1]) == 1


def test_a_finding_that_is_gone_closes_its_issue_with_a_comment_and_reopens_it_later(
    server: Server, night: Night
) -> None:
    night(finding())
    night(finding(state="gone"), when="the night of 13 November 2026")
    assert (server.issues[0]["state"], server.issues[0]["state_reason"]) == ("closed", "completed")
    assert [one["body"] for one in server.comments[1]] == [
        "The finding is not there any more, as of the night of 13 November 2026."
    ]
    before = len(server.writes())
    night(finding(state="gone"))
    assert len(server.writes()) == before
    night(finding(state="new"), when="the night of 20 November 2026")
    assert [issue["state"] for issue in server.issues] == ["open"]
    assert server.comments[1][-1]["body"] == "There again as of the night of 20 November 2026: WORSE."


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
def test_an_issue_that_people_closed_for_good_stays_as_it_is(server: Server, night: Night, reason: str) -> None:
    night(finding())
    server.issues[0].update(state="closed", state_reason=reason)
    before = len(server.writes())
    for state in ("lasting", "gone", "new"):
        assert night(finding(state=state, body="other words")) == 0
    assert len(server.writes()) == before
    assert len(server.issues) == 1


def test_an_issue_without_the_label_was_taken_over_by_people(server: Server, night: Night) -> None:
    night(finding())
    server.issues[0]["labels"] = [{"name": "bug"}]
    before = len(server.writes())
    night(finding(state="lasting", body="other words"))
    night(finding(state="gone"))
    assert len(server.writes()) == before
    assert len(server.issues) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"user": {"login": "somebody"}},
        {"pull_request": {"url": "x"}},
        {"body": f"see below\n<!-- finding: {KEY}; sets: full; severity: regressed -->"},
        {"body": None},
        {"body": f"<!-- finding: {KEY}; sets: full -->"},
    ],
)
def test_issues_of_others_are_never_touched(server: Server, night: Night, other: dict[str, Any]) -> None:
    theirs = server.add(**{"body": f"<!-- finding: {KEY}; sets: full; severity: regressed -->", **other})
    kept = json.dumps(theirs)
    night(finding())
    night(finding(state="gone"))
    assert json.dumps(theirs) == kept
    assert 1 not in server.comments
    assert [issue["number"] for issue in server.issues] == [1, 2]


@pytest.mark.parametrize("severity", ["different", "undecided", "failed", "fixed", "expected", "fine"])
def test_only_worse_and_broken_findings_open_an_issue(server: Server, night: Night, severity: str) -> None:
    assert night(finding(severity=severity)) == 0
    assert server.writes() == []


def test_a_finding_that_is_undecided_for_a_night_keeps_its_issue(server: Server, night: Night) -> None:
    night(finding())
    night(finding(state="lasting", severity="undecided"))
    assert server.issues[0]["state"] == "open"
    server.issues[0].update(state="closed", state_reason="completed")
    night(finding(state="lasting", severity="undecided"))
    assert server.issues[0]["state"] == "closed"


def test_a_failure_that_became_a_known_one_closes_its_issue(server: Server, night: Night) -> None:
    night(finding())
    night(finding(state="lasting", severity="expected"), when="a night")
    assert server.issues[0]["state"] == "closed"
    assert server.comments[1][-1]["body"] == "The finding is KNOWN now, as of a night."


def test_a_finding_whose_cells_were_not_measured_keeps_its_issue(server: Server, night: Night) -> None:
    night(finding())
    before = len(server.writes())
    night(finding(state="unmeasured"))
    assert len(server.writes()) == before


def test_a_finding_that_the_history_does_not_know_any_more_closes_its_issue(server: Server, night: Night) -> None:
    night(finding(OTHER), finding())
    night(finding(OTHER, state="lasting"))
    assert {issue["body"][14:30]: issue["state"] for issue in server.issues} == {KEY: "closed", OTHER: "open"}
    (comment,) = (one for some in server.comments.values() for one in some)
    assert "not known any more" in comment["body"]


# --- several sets ----------------------------------------------------------------------------------------------------


def test_a_finding_of_two_sets_is_one_issue_until_both_are_rid_of_it(server: Server, night: Night) -> None:
    full, mac = finding(set="full"), finding(set="mps", severity="broken", body="**BROKEN** on a Mac")
    night(full, mac, sets="full mps")
    (issue,) = server.issues
    assert issue["body"].startswith(f"<!-- finding: {KEY}; sets: full mps; severity: broken -->\n**BROKEN** on a Mac")
    night({**full, "state": "gone"}, {**mac, "state": "lasting"}, sets="full mps")
    assert issue["state"] == "open"
    assert issue["body"].startswith(f"<!-- finding: {KEY}; sets: mps; severity: broken -->")
    night({**full, "state": "gone"}, {**mac, "state": "unmeasured"}, sets="full mps")
    night({**full, "state": "gone"}, sets="full")  # the Mac has no history that night
    assert issue["state"] == "open"
    night({**full, "state": "gone"}, {**mac, "state": "gone"}, sets="full mps")
    assert issue["state"] == "closed"


# --- many ------------------------------------------------------------------------------------------------------------


def _many(count: int, **more: Any) -> list[dict[str, Any]]:
    return [finding(f"{number:016x}", title=f"finding {number} of `@many` #1", **more) for number in range(count)]


def test_a_night_opens_ten_issues_the_worst_first_and_names_the_others_in_one(server: Server, night: Night) -> None:
    worst = finding("f" * 16, severity="broken", state="lasting")
    assert night(*_many(12), worst) == 0
    titles = [issue["title"] for issue in server.issues]
    assert len(titles) == 11
    assert titles[0] == "finding ffff"
    assert titles[-1] == "More findings than issues of one night"
    body = server.issues[-1]["body"]
    assert body.startswith("<!-- finding: summary -->\n3 findings have no issue yet")
    assert [line for line in body.splitlines() if line.startswith("- ")] == [
        f"- `` finding {number} of `@many` #1 ``" for number in (9, 10, 11)
    ]
    assert night(*_many(12, state="lasting"), worst) == 0
    assert len(server.issues) == 14
    assert server.issues[10]["state"] == "closed"
    assert night(*_many(12, state="lasting"), worst, *(finding(f"{n:016x}") for n in range(50, 61))) == 0
    assert server.issues[10]["state"] == "open"


def test_all_pages_are_read(server: Server, night: Night) -> None:
    server.page = 2
    night(*_many(7))
    night(*_many(7, state="gone"))
    assert [issue["state"] for issue in server.issues] == ["closed"] * 7


def test_a_token_does_not_go_to_another_host(server: Server, night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    server.page = 1
    night(*_many(2))
    server.next_host = "http://localhost:9"
    assert night(*_many(2)) == 1
    assert "the next page is on another host" in capsys.readouterr().err


# --- limits and failures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault("POST /issues", 403, {"Retry-After": "7"}, message="You have exceeded a secondary rate limit"), 7),
        (Fault("POST /issues", 429, {"Retry-After": "5"}), 5),
        (Fault("POST /issues", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1100"}), 101),
        (Fault("POST /issues", 403, message="You have exceeded a secondary rate limit."), 60),
        (Fault("POST /issues", 429), 60),
        (Fault("POST /issues", 502), 1),
        (Fault("POST /issues", 0), 1),
        (Fault("GET /issues", 503), 1),
        (Fault("GET /issues", 0), 1),
    ],
)
def test_a_limit_is_waited_for_and_a_failure_is_tried_again(
    server: Server, night: Night, fault: Fault, wait: int
) -> None:
    server.faults = [fault]
    assert night(finding()) == 0
    assert len(server.issues) == 1
    assert any(wait - 2 <= pause <= wait for pause in night.slept), night.slept


@pytest.mark.parametrize("status", [502, 0])
def test_a_request_that_was_done_without_an_answer_is_not_done_twice(server: Server, night: Night, status: int) -> None:
    server.faults = [Fault("POST /issues", status, done=True), Fault("POST .*/comments", status, done=True)]
    assert night(finding()) == 0
    assert len(server.issues) == 1
    assert night(finding(state="gone")) == 0
    assert len(server.comments[1]) == 1
    assert server.faults == []


def test_a_server_that_stays_down_ends_the_night_with_one_line(
    server: Server, night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults = [Fault("GET /issues", 500) for _ in range(rest.ATTEMPTS)]
    assert night(finding()) == 1
    assert server.issues == []
    assert capsys.readouterr().err == "issues: GET /repos/owner/name/issues: 500 no; sent 6 times\n"


def test_a_limit_that_lasts_an_hour_is_left_to_the_next_night(
    server: Server, night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults = [Fault("GET /issues", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4600"})]
    assert night(finding()) == 1
    assert "the limit lasts 60 more minutes" in capsys.readouterr().err
    assert sum(night.slept) == 0


def test_what_is_refused_for_one_issue_stops_no_other(
    server: Server, night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults = [Fault("POST /issues", 422, message="Validation Failed")]
    assert night(finding(), finding(OTHER)) == 1
    assert [issue["title"] for issue in server.issues] == ["finding fedc"]
    assert "422 Validation Failed" in capsys.readouterr().err


def test_a_token_that_may_not_write_is_one_line(
    server: Server, night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults = [Fault("POST /labels", 403, message="Resource not accessible by integration")]
    assert night(*_many(3)) == 1
    assert server.writes() == ["POST /labels"]
    assert capsys.readouterr().err.count("\n") == 1


def test_a_redirection_is_not_followed(server: Server, night: Night) -> None:
    server.faults = [Fault("GET /issues", 301, {"Location": f"{server.url}/repos/owner/other/issues"})]
    assert night(finding()) == 1
    assert server.asked == ["GET /issues"]


def test_writes_are_a_second_apart(server: Server, night: Night) -> None:
    night(*_many(4))
    assert len(server.writes()) == 5  # the label too
    assert [pause for pause in night.slept if 0.9 < pause <= 1] == [1.0] * 4


def test_a_dry_run_writes_nothing(server: Server, night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    assert night(finding(), more="--dry-run") == 0
    assert server.writes() == []
    assert capsys.readouterr().out == "open    an issue: finding 0123\n"


# --- input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not from `runner history news --json`"),
        ("[]", "not from `runner history news --json`"),
        ('{"schema": 2}', "has schema 2; this program reads 1"),
        ('{"schema": 1, "set": "full", "when": "a", "started": "b", "findings": [{"key": "-->"}]}', "not from"),
        (
            json.dumps(
                {"schema": 1, "set": "x", "when": "a", "started": "b", "findings": [finding("<!-- x", title="t")]}
            ),
            "not from",
        ),
        ("[" * 100_000, "not from"),
    ],
)
def test_a_file_of_something_else_is_named_and_nothing_is_asked(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    said: str,
) -> None:
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    (tmp_path / "news.json").write_text(text)
    words = ["--api", server.url, "--repository", "owner/name"]
    assert issues.main([str(tmp_path / "news.json"), *words]) == 2
    assert issues.main([str(tmp_path / "missing.json"), *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert said in lines[0]
    assert len(lines) == 2
    assert server.asked == []


@pytest.mark.parametrize("words", ["--repository owner", "--repository owner/name/x", "--api ftp://x", "--at-most -1"])
def test_a_repository_or_address_that_is_none_is_refused(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    assert issues.main(["news.json", "--repository", "owner/name", *words.split()]) == 2


def test_a_set_with_a_strange_name_stays_one_word() -> None:
    content = {"schema": 1, "set": "a --> b", "started": "", "when": "", "findings": [finding()]}
    assert issues.read([("x", json.dumps(content))]).sets == {"a----b"}
