"""The action in the root: its inputs, its comment against GitHub's API on loopback, and its steps as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import comment
import msgspec
import pytest
import rest
import words

from runner import cli
from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.results.store import RunRecord, Store
from tests.engine import actions

ROOT = Path(__file__).resolve().parents[2]
ACTION = msgspec.yaml.decode((ROOT / "action.yml").read_bytes())
BOT = comment.BOT
TOKEN = "a token of this test"  # noqa: S105 - a server of this test takes it


# --- the inputs ------------------------------------------------------------------------------------------------------


def test_there_are_four_inputs_and_each_has_a_default() -> None:
    assert set(ACTION["inputs"]) == {"arguments", "folder", "images", "comment"}
    for name, one in ACTION["inputs"].items():
        assert set(one) == {"description", "default"}, name


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", []),
        ("--source keras=. --against release", ["--source", "keras=.", "--against", "release"]),
        ("--only 'jax-*'\n--setting 'ops.only=\"x\"'", ["--only", "jax-*", "--setting", 'ops.only="x"']),
        ("--source keras=git+https://x#y", ["--source", "keras=git+https://x#y"]),
        ("--metric $(touch /tmp/x) `id` $HOME", ["--metric", "$(touch", "/tmp/x)", "`id`", "$HOME"]),
    ],
)
def test_arguments_are_read_as_a_shell_reads_them_and_nothing_is_run(given: str, expected: list[str]) -> None:
    assert words.words({"ARGUMENTS": given}) == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ARGUMENTS": "--only 'jax-*"}, "arguments: cannot be read as a shell reads them: no closing quotation"),
        ({"ARGUMENTS": "--out here"}, "arguments: leave out --out: the action chooses --out, --format, --dry-run"),
        ({"ARGUMENTS": "--format=json"}, "arguments: leave out --format=json"),
        ({"ARGUMENTS": "--probe ops --help"}, "arguments: leave out --help: nothing would run"),
        ({"COMMENT": "a/b"}, "comment: true, false, or a name of letters"),
        ({"COMMENT": "x -->"}, "comment: true, false, or a name of letters"),
        ({"COMMENT": ""}, "comment: true, false, or a name of letters"),
        ({"COMMENT": "no"}, "comment: 'no' is not the name of a comment; write true or false"),
        ({"COMMENT": "OFF"}, "comment: 'OFF' is not the name of a comment; write true or false"),
        ({"IMAGES": "never"}, "images: 'never' is neither none nor REGISTRY/OWNER, such as ghcr.io/owner"),
        ({"IMAGES": "ghcr.io"}, "images: 'ghcr.io' is neither none nor REGISTRY/OWNER, such as ghcr.io/owner"),
    ],
)
def test_an_input_that_cannot_be_used_is_one_line(given: dict[str, str], says: str) -> None:
    with pytest.raises(words.InputError, match=f"^{re.escape(says)}"):
        words.words(given)


FETCHED = "/runner/_actions/Owner/keras-version-matrix/0123abc"


@pytest.mark.parametrize(
    ("images", "path", "arguments", "expected"),
    [
        ("", FETCHED, "", ["--pull-from", "ghcr.io/owner"]),
        ("", f"{FETCHED}/", "", ["--pull-from", "ghcr.io/owner"]),
        ("", "/runner/x/x", "", []),
        ("none", FETCHED, "", []),
        ("NONE", FETCHED, "", []),
        ("ghcr.io/other", FETCHED, "", ["--pull-from", "ghcr.io/other"]),
        ("", FETCHED, "--executor host", []),
        ("", FETCHED, "--pull-from=x.org/y", []),
    ],
)
def test_images_come_from_the_actions_owner_unless_said_otherwise(
    images: str, path: str, arguments: str, expected: list[str]
) -> None:
    found = words.words({"IMAGES": images, "GITHUB_ACTION_PATH": path, "ARGUMENTS": arguments})
    assert found == [*expected, *arguments.split()]


# --- the comment -----------------------------------------------------------------------------------------------------


class Server:
    """One pull request, number 7 of ``owner/name``: its comments, and every request."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.refuses: dict[str, tuple[int, str]] = {}
        """Method -> status and message."""
        self.breaks_after: set[str] = set()
        """Methods that are done, and answered by an error of the server, once."""
        self.page = 100
        self.url = ""

    def add(self, body: str, login: str = BOT) -> dict[str, Any]:
        made = {"id": 1000 + len(self.comments), "body": body, "user": {"login": login}}
        self.comments.append(made)
        return made

    def answer(self, method: str, path: str, query: dict[str, list[str]], content: Any) -> tuple[int, Any, str]:
        if method in self.refuses:
            status, message = self.refuses[method]
            return status, {"message": message}, ""
        if path == "/issues/7/comments" and method == "GET":
            size, number = min(self.page, int(query["per_page"][0])), int(query.get("page", ["1"])[0])
            following = f"{self.url}/repos/owner/name{path}?per_page={size}&page={number + 1}"
            link = f'<{following}>; rel="next"' if len(self.comments) > size * number else ""
            return 200, self.comments[size * (number - 1) : size * number], link
        if path == "/issues/7/comments" and method == "POST":
            assert set(content) == {"body"}
            assert len(content["body"]) <= 65_536
            return 201, self.add(content["body"]), ""
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            one = next((one for one in self.comments if one["id"] == int(found[1])), None)
            if one is None:
                return 404, {"message": "Not Found"}, ""
            if method == "DELETE":
                self.comments.remove(one)
                return 204, None, ""
            assert method == "PATCH"
            one.update(content)
            return 200, one, ""
        return 404, {"message": "Not Found"}, ""


@pytest.fixture
def server() -> Iterator[Server]:
    kept = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/repos/owner/name")
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept.asked.append(f"{self.command} {path}")
            kept.tokens.add(self.headers.get("Authorization"))
            answer = kept.answer(self.command, path, parse_qs(parts.query), json.loads(text) if text else None)
            if self.command in kept.breaks_after:
                kept.breaks_after.remove(self.command)
                answer = 502, {"message": "Bad Gateway"}, ""
            status, sent, link = answer
            body = b"" if sent is None else json.dumps(sent).encode()
            self.send_response(status)
            if link:
                self.send_header("Link", link)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the names that the base class calls

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        kept.url = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield kept
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between requests."""
    monkeypatch.setattr(rest, "BETWEEN_WRITES_S", 0.0)
    monkeypatch.setattr(rest, "GitHub", partial(rest.GitHub, sleep=lambda _: None))


def event(folder: Path, fork: str = "owner/name", sha: str = "0123456789abcdef") -> Path:
    """The file of an event about pull request 7, from a branch of a repository."""
    head = {"sha": sha, "repo": {"full_name": fork} if fork else None}
    path = folder / "event.json"
    pull = {"number": 7, "head": head, "base": {"repo": {"full_name": "owner/name"}}}
    path.write_text(json.dumps({"pull_request": pull}))
    return path


def said(server: Server, folder: Path, report: str = "## the report\n", **more: str) -> int:
    """One run of the program that comments; its exit code."""
    (folder / "comment.md").write_text(report, encoding="utf-8")
    environment = {
        "GH_TOKEN": TOKEN,
        "GITHUB_API_URL": server.url,
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_RUN_ID": "10",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_EVENT_PATH": str(event(folder)),
        **more,
    }
    return comment.main([str(folder / "comment.md")], environment)


def marker(run: str = "9.1", name: str = "matrix") -> str:
    return f"<!-- keras-version-matrix: {name}; run: {run} -->\n"


def test_the_first_run_writes_a_comment(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.add("Please have a look", "somebody")
    assert said(server, tmp_path) == 0
    assert server.asked == ["GET /issues/7/comments", "POST /issues/7/comments"]
    assert server.tokens == {f"Bearer {TOKEN}"}
    body = server.comments[1]["body"]
    assert body.startswith(f"{marker('10.1')}## the report\n")
    url = "https://github.com/owner/name/actions/runs/10"
    assert f"Commit 012345678 · [the run, with the page of all figures]({url})" in body
    assert capsys.readouterr().out == "comment: the comment is new\n"


def test_later_runs_replace_its_text(server: Server, tmp_path: Path) -> None:
    for number in ("10", "11", "12"):
        assert said(server, tmp_path, f"report {number}\n", GITHUB_RUN_ID=number) == 0
    (one,) = server.comments
    assert one["body"].startswith(f"{marker('12.1')}report 12\n")
    assert "report 11" not in one["body"]


@pytest.mark.parametrize(("given", "count"), [("True", 1), ("TRUE", 1), ("False", 0), ("no", 0), ("Nightly", 2)])
def test_true_and_false_are_taken_in_any_case(
    server: Server, tmp_path: Path, given: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(f"{marker()}old")
    assert said(server, tmp_path, COMMENT=given) == 0
    assert len(server.asked) == (2 if count else 0)
    assert len(server.comments) == max(count, 1)
    assert ("::notice title=No comment::comment: 'no' is not" in capsys.readouterr().out) is (given == "no")


def test_it_is_found_on_later_pages(server: Server, tmp_path: Path) -> None:
    server.page = 2
    for number in range(5):
        server.add(f"comment {number}", "somebody")
    mine = server.add(f"{marker()}old")
    server.add("and one more", "somebody")
    assert said(server, tmp_path, "new\n") == 0
    assert server.asked == [*["GET /issues/7/comments"] * 4, f"PATCH /issues/comments/{mine['id']}"]
    assert mine["body"].startswith(f"{marker('10.1')}new\n")


@pytest.mark.parametrize(
    ("body", "login"),
    [
        (f"{marker()}pasted by a person", "somebody"),
        (f"> quoted\n{marker()}", BOT),
        (f"{marker(name='other')}another comment of this action", BOT),
        ("<!-- keras-version-matrix: matrix -->\nwithout a run", BOT),
        (None, BOT),
    ],
)
def test_other_comments_are_left_alone(server: Server, tmp_path: Path, body: Any, login: str) -> None:
    other = dict(server.add(body, login))
    assert said(server, tmp_path) == 0
    assert server.comments[0] == other
    assert len(server.comments) == 2


def test_comments_of_other_names_live_side_by_side(server: Server, tmp_path: Path) -> None:
    for name in ("true", "tests", "true", "tests"):
        assert said(server, tmp_path, f"{name}\n", COMMENT=name) == 0
    assert [one["body"].partition("\n")[0] + "\n" for one in server.comments] == [
        marker("10.1"),
        marker("10.1", "tests"),
    ]


def test_what_two_runs_at_once_wrote_becomes_one_comment(server: Server, tmp_path: Path) -> None:
    first, second = server.add(f"{marker('8.1')}a"), server.add(f"{marker('9.1')}b")
    assert said(server, tmp_path, "new\n") == 0
    assert server.comments == [first]
    assert "new" in first["body"]
    assert f"DELETE /issues/comments/{second['id']}" in server.asked


@pytest.mark.parametrize(("there", "replaced"), [("11.1", False), ("10.2", False), ("10.1", True), ("9.3", True)])
def test_an_older_run_that_ends_later_replaces_nothing(
    server: Server, tmp_path: Path, there: str, replaced: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(f"{marker(there)}text")
    assert said(server, tmp_path) == 0
    assert ("## the report" in server.comments[0]["body"]) is replaced
    assert ("a later run has reported already" in capsys.readouterr().out) is not replaced


@pytest.mark.parametrize("fork", ["somebody/name", ""])
def test_from_a_fork_nothing_is_asked(
    server: Server, tmp_path: Path, fork: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(server, tmp_path, GITHUB_EVENT_PATH=str(event(tmp_path, fork))) == 0 or fork
    server.asked.clear()
    (tmp_path / "other").mkdir()
    path = event(tmp_path / "other", fork)
    assert said(server, tmp_path, GITHUB_EVENT_PATH=str(path)) == 0
    assert server.asked == []
    assert "::notice title=No comment::A pull request of a fork has a read-only token" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("method", "status", "message"),
    [
        ("POST", 403, "Resource not accessible by integration"),
        ("GET", 404, "Not Found"),
        ("GET", 401, "Bad credentials"),
    ],
)
def test_a_token_that_may_not_comment_fails_nothing_and_is_said(
    server: Server, tmp_path: Path, method: str, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuses[method] = (status, message)
    assert said(server, tmp_path) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::notice title=No comment::")
    assert f"{status} {message}: this token may not comment; give the job the permission pull-requests: write" in line
    assert server.comments == []


def test_a_server_that_fails_for_good_is_a_warning(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuses["GET"] = (502, "Bad Gateway")
    assert said(server, tmp_path) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::warning title=No comment::GET /repos/owner/name/issues/7/comments: 502")
    assert len(server.asked) == rest.ATTEMPTS


def test_a_request_without_an_answer_makes_no_second_comment(server: Server, tmp_path: Path) -> None:
    server.breaks_after.add("POST")
    assert said(server, tmp_path) == 0
    assert len(server.comments) == 1
    assert server.asked.count("POST /issues/7/comments") == 1


def test_a_limit_that_lasts_is_not_waited_for(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.refuses["GET"] = (429, "API rate limit exceeded")
    monkeypatch.setattr(rest, "WITHOUT_A_DATE_S", 61.0)
    assert said(server, tmp_path) == 0
    assert "the limit lasts 1 more minutes" in capsys.readouterr().out
    assert len(server.asked) == 1


@pytest.mark.parametrize("report", ["x" * 70_000, "ä€\n" * 40_000])
def test_a_report_that_is_too_long_is_cut(server: Server, tmp_path: Path, report: str) -> None:
    assert said(server, tmp_path, report) == 0
    (one,) = server.comments
    assert len(one["body"]) <= 65_536
    assert comment.CUT in one["body"]
    assert one["body"].endswith("</sub>\n")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"GITHUB_EVENT_PATH": "nowhere"}, "No such file or directory"),
        ({"GITHUB_RUN_ID": "x"}, "invalid literal"),
    ],
)
def test_an_environment_that_cannot_be_used(
    server: Server, tmp_path: Path, more: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(server, tmp_path, **more) == 2
    assert says in capsys.readouterr().err
    assert server.asked == []


def test_an_event_without_a_pull_request(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "push.json"
    path.write_text('{"ref": "refs/heads/main"}')
    assert said(server, tmp_path, GITHUB_EVENT_PATH=str(path)) == 2
    assert capsys.readouterr().err == "comment: the event is not about a pull request\n"


# --- the steps -------------------------------------------------------------------------------------------------------

OLD, NEW = (Cell("jax", "0.10.2", keras, "3.11", "cpu") for keras in ("3.11.3", "3.15.1"))
MEASURED = """#!/bin/sh
if [ "$1" = matrix ]; then
  printf '%s\\n' "$@" >{folder}/asked
  pwd >{folder}/where
  echo '::error::of a script'
  for word; do if [ "$last" = --out ]; then out=$word; fi; last=$word; done
  if [ -d {folder}/results ]; then cp -R {folder}/results "$out"; fi
  echo 'runner: a line about the end' >&2
  exit {code}
fi
exec {python} -m runner "$@"
"""


def measured(folder: Path, new: Status) -> None:
    """Results of two cells as a run leaves them; the newer one may not run."""
    metric = Metric("import_s", 1.0, Kind.TIMING, Better.LOWER, "s")
    store = Store(folder / "results")
    for cell, status in ((OLD, Status.OK), (NEW, new)):
        metrics = (metric,) if status is Status.OK else ()
        reason = "" if status is Status.OK else "ImportError: ::error::no @somebody"
        store.save(Sample(cell, "lock", "hello", {}, 0, 0, "host", status, reason, metrics=metrics))
    store.record(RunRecord("mine", (OLD, NEW)))


CONFIGURATION = """schema = 1
default = "mine"
[sets.mine]
description = "two releases of Keras"
prefer = ["*_keras-3.11.3_*"]
[[sets.mine.product]]
framework = ["jax"]
version = ["0.10.2"]
keras = ["3.11.3", "3.15.1"]
device = ["cpu"]
[sets.mine.probes.hello]
"""


def stepped(at: Path, server: Server, code: int, event_name: str, fork: str = "owner/name", **given: str) -> Any:
    """The steps of a job that uses the action, with a program in the place of ``runner matrix``."""
    run = actions.Run(
        {"jobs": {"job": {"steps": [{"uses": "$/", "with": given}]}}},
        {},
        at,
        {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GH_"))},
            "PATH": actions.programs(at / "bin"),
            "PYTHONPATH": str(ROOT),
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_RUN_ID": "10",
            "GITHUB_API_URL": server.url,
            "GITHUB_EVENT_PATH": str(event(at, fork)),
        },
        github={"event_name": event_name, "job": "job", "token": TOKEN},
    )
    (at / "artifacts").mkdir()
    program = at / "bin/runner"
    program.write_text(MEASURED.format(folder=at, code=code, python=sys.executable))
    job = actions.Job(run, "job")
    (job.workspace / "keras").mkdir()
    (job.workspace / "keras/keras-matrix.toml").write_text(CONFIGURATION)
    job.start()
    return job


def test_a_pull_request_gets_summary_comment_artifact_and_exit_code(server: Server, tmp_path: Path) -> None:
    measured(tmp_path, Status.IMPORT_FAILED)
    job = stepped(tmp_path, server, 1, "pull_request", folder="keras", arguments="--only 'jax-*' --probe hello")
    assert job.failed
    asked = (tmp_path / "asked").read_text().split("\n")
    assert asked[:5] == ["matrix", "--only", "jax-*", "--probe", "hello"]
    assert asked[5] == "--out"
    assert (tmp_path / "where").read_text() == f"{job.workspace}/keras\n"
    (one,) = server.comments
    summary = job.summary.read_text()
    for text in (one["body"], summary):
        assert "❌ **exit code 1: something got worse or broke**" in text
        assert "**BROKEN** jax 0.10.2 with keras 3.15.1 does not import" in text
        assert "@<!-- -->somebody" in text  # nobody is mentioned
        assert "next: `uvx keras-version-matrix bisect keras " in text
    assert one["body"].startswith(marker("10.1"))
    assert server.tokens == {f"Bearer {TOKEN}"}
    kept = tmp_path / "artifacts/keras-version-matrix-job-0-true"
    names = {path.name for path in (kept / "report").iterdir()}
    assert names == {"summary.md", "report.json", "report.html", "junit.xml", "badge.json"}
    assert json.loads((kept / "report/badge.json").read_text())["message"] == "1 broken"
    assert (kept / "out/run.json").is_file()
    # what the run printed is no command; the annotation of the finding is one
    stopped = re.search(r"::stop-commands::([0-9a-f]{32})\n(.*)\n::\1::\n", job.log, re.DOTALL)
    assert stopped is not None
    assert "::error::of a script" in stopped[2]
    rest_of_log = job.log.replace(stopped[0], "")
    assert re.findall(r"^::error.*", rest_of_log, re.MULTILINE)[0].startswith("::error file=")
    assert "of a script" not in rest_of_log


def test_a_second_run_updates_the_comment(server: Server, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    measured(tmp_path / "1", Status.IMPORT_FAILED)
    measured(tmp_path / "2", Status.OK)
    assert stepped(tmp_path / "1", server, 1, "pull_request", folder="keras").failed
    second = stepped(tmp_path / "2", server, 0, "pull_request", folder="keras")
    assert not second.failed, second.log
    (one,) = server.comments
    assert "exit code 0: nothing got worse" in one["body"]


def test_a_push_gets_the_summary_alone(server: Server, tmp_path: Path) -> None:
    measured(tmp_path, Status.OK)
    job = stepped(tmp_path, server, 0, "push", folder="keras")
    assert not job.failed, job.log
    assert server.asked == []
    assert "exit code 0" in job.summary.read_text()


def test_a_fork_gets_the_summary_alone(server: Server, tmp_path: Path) -> None:
    measured(tmp_path, Status.OK)
    job = stepped(tmp_path, server, 0, "pull_request", fork="somebody/name", folder="keras")
    assert not job.failed, job.log
    assert server.asked == []
    assert "::notice title=No comment::" in job.log
    assert "exit code 0" in job.summary.read_text()


@pytest.mark.parametrize("given", ["false", "False"])
def test_without_a_comment_nothing_is_asked(server: Server, tmp_path: Path, given: str) -> None:
    measured(tmp_path, Status.OK)
    job = stepped(tmp_path, server, 0, "pull_request", folder="keras", comment=given)
    assert not job.failed, job.log
    assert server.asked == []


def test_a_comment_that_cannot_be_written_does_not_fail_the_job(tmp_path: Path, server: Server) -> None:
    measured(tmp_path, Status.OK)
    server.refuses["POST"] = (403, "Resource not accessible by integration")
    job = stepped(tmp_path, server, 0, "pull_request", folder="keras")
    assert not job.failed, job.log
    assert "this token may not comment" in job.log


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ({"folder": "keras"}, 2, "    runner: a line about the end"),
        ({"folder": "keras"}, 130, "    runner: a line about the end"),
        ({"folder": "nowhere"}, 2, "nowhere: No such file or directory"),
        ({"arguments": "--out x"}, 2, "    keras-version-matrix: arguments: leave out --out"),
        ({"arguments": "'"}, 2, "    keras-version-matrix: arguments: cannot be read"),
    ],
)
def test_a_run_without_a_result_is_red_and_says_why(
    server: Server, tmp_path: Path, given: dict[str, str], code: int, says: str
) -> None:
    server.add(f"{marker()}an older report that was fine")
    job = stepped(tmp_path, server, code, "pull_request", **given)
    assert job.failed
    (one,) = server.comments
    for text in (one["body"], job.summary.read_text()):
        assert f"**exit code {code}: the run has no result**" in text
        assert says in text
    assert "that was fine" not in one["body"]
    refused = "::error title=An input cannot be used::keras-version-matrix: arguments: " in job.log
    assert refused is ("arguments" in given)
    assert (tmp_path / "asked").exists() is ("nowhere" not in given.values() and "arguments" not in given)


# --- the workflows in the documentation -------------------------------------------------------------------------------

PAGE = (ROOT / "docs/adopt.md").read_text("utf-8")
EXAMPLES = [
    text for text in re.findall(r"^```yaml[^\n]*\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if "jobs:" in text
]


def test_the_page_has_a_workflow_for_a_project_and_for_a_library() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_workflow_of_the_page_fits_the_action_and_githubs_schema(text: str, tmp_path: Path) -> None:
    path = tmp_path / "keras-matrix.yml"
    path.write_text(text)
    tool = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent)) or "check-jsonschema"
    command = [tool, "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    workflow = msgspec.yaml.decode(text)
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    checkout, step = job["steps"]
    assert checkout["with"]["persist-credentials"] is False
    assert step["uses"] == "OWNER/keras-version-matrix@COMMIT"
    assert set(step["with"]) <= set(ACTION["inputs"])
    found = words_of(step["with"]["arguments"])
    assert cli.run(["matrix", *found, "--help"]) == 0
    assert found == words.words({"ARGUMENTS": step["with"]["arguments"]})


def words_of(arguments: str) -> list[str]:
    """What a shell makes of them."""
    script = f"for word in {arguments}; do printf '%s\\n' \"$word\"; done"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
