"""What steps do that need no engine, by their own commands; GitHub and its programs are stood in for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.engine import actions

ROOT = Path(__file__).resolve().parents[2]
SUMMARY_BYTES = 1 << 20
BODY_CHARACTERS = 65_536

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed; hosted machines have it")


def _without_gits() -> dict[str, str]:
    """This environment with neither git's own variables, which a hook has, nor the settings of the user's git."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """``start("ci.yml", **inputs)``: a run of that workflow; ``program`` puts a stand-in on its PATH."""

    def made(workflow: str, **given: Any) -> Any:
        content = msgspec.yaml.decode((ROOT / ".github/workflows" / workflow).read_bytes())
        trigger = content[True].get("workflow_call") or content[True].get("workflow_dispatch") or {}
        declared = trigger.get("inputs", {})
        assert set(given) <= set(declared)
        folder = tmp_path / workflow.removesuffix(".yml")
        (folder / "artifacts").mkdir(parents=True)
        environment = {
            **{name: value for name, value in _without_gits().items() if not name.startswith("GITHUB_")},
            "PATH": actions.programs(folder / "bin"),
            "PYTHONPATH": str(ROOT),
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_RUN_ID": "1",
            "GITHUB_REF_NAME": "main",
            "POLL_SECONDS": "0",
        }
        inputs = {name: given.get(name, one.get("default")) for name, one in declared.items()}
        return actions.Run(content, inputs, folder, environment)

    return made


def program(run: Any, name: str, script: str) -> None:
    """A program of that name comes first on the run's PATH."""
    path = run.folder / "bin" / name
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)


def states(run: Any, *answers: str) -> Path:
    """``gh`` answers one after the other, the last one for ever; what it was asked to do is in the file returned."""
    asked: Path = run.folder / "asked"
    (run.folder / "answers").write_text("".join(f"{answer}\n" for answer in answers))
    program(
        run,
        "gh",
        f"""echo "$*" >>{asked}
        case "$*" in *POST*) exit 0 ;; esac
        answer=$(head -n1 {run.folder}/answers)
        if [[ $(wc -l <{run.folder}/answers) -gt 1 ]]; then sed -i 1d {run.folder}/answers; fi
        if [[ "$answer" == fails ]]; then echo 'half an answer'; exit 1; fi
        tr ';' '\\n' <<<"$answer" """,
    )
    return asked


# --- matrix.yml ------------------------------------------------------------------------------------------------------


def test_a_plan_is_made_with_what_is_given_by_default(start: Any) -> None:
    job = actions.Job(start("matrix.yml"), "plan")
    planned = job.start()
    assert not job.failed, job.log
    assert json.loads(planned["linux"])
    assert json.loads(planned["cuda"]) == []


def test_without_a_plan_the_collector_fails_and_says_so(start: Any) -> None:
    run = start("matrix.yml")
    run.needs["plan"] = {"result": "failure", "outputs": {}}
    collect = actions.Job(run, "collect", only=frozenset({"Nothing was planned", "Report"}))
    assert collect.start() == {"exit-code": "4"}
    assert collect.failed
    assert "::error title=Nothing was measured::" in collect.log


def _waited(run: Any, minutes: int, *answers: str) -> tuple[str, Any]:
    run.inputs["cuda-wait-minutes"] = minutes
    shards = [{"id": "cuda-01"}, {"id": "cuda-02"}]
    run.needs["plan"] = {"result": "success", "outputs": {"cuda": json.dumps(shards)}}
    states(run, *answers)
    job = actions.Job(run, "cuda-wait")
    found: dict[str, str] = job.start()
    assert not job.failed, job.log
    return found["unanswered"], job


def test_shards_that_end_are_waited_for_beyond_the_deadline(start: Any) -> None:
    unanswered, _ = _waited(
        start("matrix.yml"),
        0,
        "in_progress matrix / cuda-01;in_progress matrix / cuda-02",
        "completed matrix / cuda-01;in_progress matrix / cuda-02",
        "completed matrix / cuda-01;completed matrix / cuda-02",
    )
    assert unanswered == ""


def test_a_shard_that_no_runner_took_is_named(start: Any) -> None:
    unanswered, job = _waited(start("matrix.yml"), 0, "completed cuda-01;queued cuda-02")
    assert unanswered == "cuda-02"
    assert "::warning title=CUDA not run::No runner took cuda-02 in time" in job.log


def test_an_answer_that_fails_ends_no_shard_that_is_running(start: Any) -> None:
    running = "in_progress a / cuda-01;completed a / cuda-02"
    unanswered, _ = _waited(start("matrix.yml"), 0, running, "fails", "completed a / cuda-01;completed a / cuda-02")
    assert unanswered == ""


def test_a_run_is_ended_only_when_nothing_else_is_at_work(start: Any) -> None:
    run = start("matrix.yml")
    run.needs["cuda-wait"] = {"result": "success", "outputs": {"unanswered": "cuda-01"}}
    own = "in_progress a / end what no runner took;queued a / cuda-01;completed a / linux-01"
    asked = states(run, f"{own};in_progress b / macos-01", f"{own};queued b / collect", "fails", own)
    job = actions.Job(run, "cuda-end")
    job.start()
    assert not job.failed, job.log
    calls = asked.read_text().splitlines()
    assert ["POST" in call for call in calls] == [False, False, False, False, True]
    assert calls[-1].endswith("/actions/runs/1/cancel")


# --- reproduce.yml ---------------------------------------------------------------------------------------------------

REPORT = """# Loss differs

opened on 2025-01-20

Keras 3.7.0, torch 2.2.2, Python 3.11

```
Traceback
```

```python
import keras
print(keras.__version__)
```

```python
print("a second block")
```
"""


def _asked(start: Any, **inputs: Any) -> Any:
    run = start("reproduce.yml", **inputs)
    program(run, "gh", f'echo "$*" >>{run.folder}/asked; cat {run.folder}/issue')
    program(run, "curl", f"echo \"$*\" >>{run.folder}/fetched; echo 'print(1)' >script.py")
    (run.folder / "issue").write_text(REPORT)
    job = actions.Job(run, "reproduce", only=frozenset({"What was asked"}))
    (job.workspace / ".github").mkdir()
    shutil.copy(ROOT / ".github/example.py", job.workspace / ".github")
    job.start()
    return job


def test_an_issue_is_read_and_its_first_python_block_is_the_script(start: Any) -> None:
    job = _asked(start, issue="https://github.com/keras-team/keras/issues/20713")
    assert (job.run.folder / "asked").read_text().startswith("api repos/keras-team/keras/issues/20713 ")
    assert (job.workspace / "reproduction/report.md").read_text() == REPORT
    assert (job.workspace / "reproduction/script.py").read_text() == "import keras\nprint(keras.__version__)\n"


@pytest.mark.parametrize(
    "issue", ["https://example.org/keras-team/keras/issues/1", "https://github.com/a/b/issues/1/../../x", "20713"]
)
def test_an_address_that_is_no_issue_is_refused(start: Any, issue: str) -> None:
    job = _asked(start, issue=issue)
    assert job.failed
    assert not (job.run.folder / "asked").exists()


@pytest.mark.parametrize(
    ("given", "fetched"),
    [
        ("https://gist.github.com/somebody/0123abcd", "https://gist.github.com/somebody/0123abcd/raw"),
        ("https://github.com/a/b/blob/main/x.py", "https://github.com/a/b/raw/main/x.py"),
        ("https://raw.githubusercontent.com/a/b/main/x.py", "https://raw.githubusercontent.com/a/b/main/x.py"),
    ],
)
def test_a_script_is_fetched_from_the_page_that_shows_it(start: Any, given: str, fetched: str) -> None:
    job = _asked(start, script=given)
    assert (job.run.folder / "fetched").read_text().rstrip().endswith(f"-- {fetched}")
    assert (job.workspace / "reproduction/script.py").read_text() == "print(1)\n"


def test_a_script_may_be_given_as_it_is_and_may_be_left_out(start: Any, tmp_path: Path) -> None:
    job = _asked(start, script='print("$(id)")\nprint(2)', report="keras 3.8.0")
    assert (job.workspace / "reproduction/script.py").read_text() == 'print("$(id)")\nprint(2)\n'
    assert (job.workspace / "reproduction/report.md").read_text() == "keras 3.8.0\n"
    shutil.rmtree(tmp_path / "reproduce")
    job = _asked(start, pins="keras==3.8.0")
    assert (job.workspace / "reproduction/script.py").read_text() == (ROOT / ".github/example.py").read_text()


def test_what_a_script_prints_fits_the_summary_and_colours_nothing(start: Any) -> None:
    run = start("reproduce.yml", pins="torch==2.2.2 keras==3.8.0", network=True, **{"as-of": "2025-01-02"})
    program(
        run, "runner", "printf '%s\\n' \"$@\" >arguments; yes '' | head -n 500000; printf '\\033[31mred\\n'; exit 3"
    )
    job = actions.Job(run, "reproduce", only=frozenset({"Reproduce"}))
    folder = job.workspace / "reproduction"
    folder.mkdir()
    (folder / "report.md").write_text(REPORT)
    (folder / "script.py").write_text("#\n" * 400_000)
    job.start()
    assert job.failed
    words = "--pin torch==2.2.2 --pin keras==3.8.0 --as-of 2025-01-02 --from report.md --network"
    assert (folder / "arguments").read_text().split() == ["repro", "script.py", "--executor", "docker", *words.split()]
    summary = job.summary.read_text()
    assert len(summary.encode()) < SUMMARY_BYTES
    assert "(exit code 3)" in summary
    assert "    [31mred\n" in summary
    assert "\x1b" not in summary
    stopped = re.search(r"::stop-commands::([0-9a-f]{32})\n(.*)\n::\1::\n", job.log, re.DOTALL)
    assert stopped is not None
    assert "red\n" in stopped[2]
    assert "red" not in job.log.replace(stopped[0], "")
    assert summary.count("<details") == summary.count("</details>") == 3


# --- nightly.yml, upgrade.yml: what is written to the repository -----------------------------------------------------


def _git(*words: str, where: Path) -> str:
    done = subprocess.run(["git", *words], cwd=where, env=_without_gits(), check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _repository(run: Any, checkout: Path) -> Path:
    """A repository in place of GitHub's, and a clone of it as the job's workspace."""
    remote: Path = run.folder / "server/owner/name.git"
    remote.parent.mkdir(parents=True)
    _git("init", "--quiet", "--bare", "-b", "main", str(remote), where=run.folder)
    checkout.mkdir(exist_ok=True)
    _git("init", "--quiet", "-b", "main", where=checkout)
    (checkout / "matrix").mkdir()
    (checkout / "images").mkdir()
    for name in ("matrix/latest.toml", "images/x.Dockerfile"):
        (checkout / name).write_text("old\n")
    own = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    _git("add", ".", where=checkout)
    _git(*own, "commit", "--quiet", "--message", "one", where=checkout)
    _git("push", "--quiet", str(remote), "main", where=checkout)
    run.environment["GITHUB_SERVER_URL"] = str(run.folder / "server")
    return remote


def _published(start: Any, *nights: str, **step: Any) -> tuple[Any, Path]:
    """The step that publishes, once per night, each on a machine of its own. Returns the last job and the remote."""
    run = start("nightly.yml")
    publish = next(one for one in run.workflow["jobs"]["publish"]["steps"] if one["name"] == "Publish")
    publish["env"].update(step)
    remote = None
    for night in nights:
        run.environment["GITHUB_RUN_ID"] = night
        job = actions.Job(run, "publish", only=frozenset({"Publish"}))
        remote = remote or _repository(run, job.workspace)
        folder = job.workspace / "reports/report-full"
        for name in ("report/summary.md", "report/report.json", "report/report.html", "merged/plan/run.json"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(night)
        job.start()
        shutil.rmtree(job.workspace)
        assert not job.failed, job.log
    assert remote is not None
    return job, remote


def _nights(remote: Path) -> list[str]:
    """Every file of the branch, by the number of its night."""
    files = _git("ls-tree", "-r", "--name-only", "results", where=remote).splitlines()
    assert all(re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-", name) for name in files)
    return [name[11:] for name in files]


def test_the_results_of_every_night_are_added_to_a_branch_of_their_own(start: Any) -> None:
    _, remote = _published(start, "1", "2")
    kept = ("report-full/merged/plan/run.json", "report-full/report/summary.md")
    assert _nights(remote) == [f"{night}/{name}" for night in "12" for name in kept]
    assert _git("rev-list", "--count", "results", where=remote) == "2"
    assert _git("rev-list", "--count", "main", where=remote) == "1"


def test_the_branch_shows_the_newest_nights_and_its_history_has_the_others(start: Any) -> None:
    _, remote = _published(start, "1", "2", "3", NIGHTS=2)
    assert {name[0] for name in _nights(remote)} == {"2", "3"}
    assert "1" in _git("show", "results~1", "--stat", "--format=%s", where=remote)


def test_a_night_that_is_run_again_takes_the_place_of_the_first_attempt(start: Any) -> None:
    _, remote = _published(start, "1", "1")
    assert {name[0] for name in _nights(remote)} == {"1"}


PUSHES_FIRST = """case "$*" in
  *' push '*)
    if [[ $(cat {folder}/left) -gt 0 ]]; then
      echo $(($(cat {folder}/left) - 1)) >{folder}/left
      rm -rf {folder}/other && {git} clone --quiet --branch results {remote} {folder}/other
      mkdir -p {folder}/other/2026-01-01-9 && date +%N >{folder}/other/2026-01-01-9/x
      {git} -C {folder}/other add .
      {git} -C {folder}/other -c user.name=a -c user.email=a@example.org commit --quiet --message other
      {git} -C {folder}/other push --quiet origin results
    fi ;;
esac
exec {git} "$@" """


@pytest.mark.parametrize(("conflicts", "failed"), [(1, False), (4, False), (5, True)])
def test_a_push_of_somebody_else_in_between_is_kept(start: Any, conflicts: int, failed: bool) -> None:
    job, remote = _published(start, "1")
    run = job.run
    (run.folder / "left").write_text(str(conflicts))
    program(run, "git", PUSHES_FIRST.format(folder=run.folder, git=shutil.which("git"), remote=remote))
    run.environment["GITHUB_RUN_ID"] = "2"
    job = actions.Job(run, "publish", only=frozenset({"Publish"}))
    (job.workspace / "reports/report-full").mkdir(parents=True)
    (job.workspace / "reports/report-full/x").write_text("2")
    job.start()
    assert job.failed is failed, job.log
    assert ("could not be pushed" in job.log) is failed
    assert {name[0] for name in _nights(remote)} == ({"1", "9"} if failed else {"1", "2", "9"})
    commits = _git("rev-list", "--count", "results", where=remote)
    assert int(commits) == 1 + conflicts + (not failed)


@pytest.mark.parametrize(("code", "made"), [(0, "true"), (1, "true"), (3, "")])
@pytest.mark.parametrize("published", ["true", ""])
def test_pages_are_made_with_links_to_where_they_will_be(start: Any, code: int, made: str, published: str) -> None:
    run = start("nightly.yml")
    program(run, "gh", f'echo "$*" >>{run.folder}/asked; echo https://owner.github.io/name/')
    program(run, "python", f'printf "%s\\n" "$@" >{run.folder}/ran; exit {code}')
    step = next(one for one in run.workflow["jobs"]["pages"]["steps"] if one["name"] == "Pages and news")
    step["env"]["PUBLISHED"] = published
    job = actions.Job(run, "pages", only=frozenset({"Pages and news"}))
    assert job.start() == {"made": made}
    assert job.failed is (code != 0)
    ran = (run.folder / "ran").read_text().splitlines()
    assert ran[0] == ".github/night/pages.py"
    assert (ROOT / ran[0]).is_file()
    assert ran[-2:] == ["--url", "https://owner.github.io/name/" if published else ""]
    assert (run.folder / "asked").is_file() is bool(published)


def test_the_news_of_every_set_are_what_issues_are_made_of(start: Any) -> None:
    run = start("nightly.yml")
    program(run, "python", f'printf "%s\\n" "$@" >{run.folder}/ran')
    job = actions.Job(run, "issues", only=frozenset({"The news", "Issues"}))
    for name in ("full", "mps"):
        (run.artifacts / "history/news").mkdir(parents=True, exist_ok=True)
        (run.artifacts / f"history/news/{name}.json").write_text("{}")
    job.start()
    assert not job.failed, job.log
    ran = (run.folder / "ran").read_text().splitlines()
    assert ran == [".github/night/issues.py", "history/news/full.json", "history/news/mps.json"]
    assert (ROOT / ran[0]).is_file()


def test_pages_and_issues_are_off_until_a_variable_switches_them_on() -> None:
    jobs = msgspec.yaml.decode((ROOT / ".github/workflows/nightly.yml").read_bytes())["jobs"]
    assert "vars.NIGHTLY_PAGES == 'true'" in jobs["deploy"]["if"]
    assert "vars.FINDINGS_TO_ISSUES == 'true'" in jobs["issues"]["if"]
    assert all("needs.pages.outputs.made == 'true'" in jobs[name]["if"] for name in ("deploy", "issues"))


def test_a_night_without_a_report_is_red(start: Any) -> None:
    job = actions.Job(start("nightly.yml"), "publish", only=frozenset({"Publish"}))
    job.start()
    assert job.failed
    assert "no report to publish" in job.log


def _in_turns(start: Any, codes: str) -> tuple[Any, list[str]]:
    """The step with a runner that ends by these exit codes, one after the other; what was run, and where."""
    run = start("upgrade.yml")
    (run.folder / "codes").write_text("\n".join(codes.split()) + "\n")
    program(
        run,
        "python",
        f"""echo "${{PWD##*/}} $*" >>{run.folder}/ran
        code=$(head -n1 {run.folder}/codes) && sed -i 1d {run.folder}/codes
        exit "${{code:-0}}" """,
    )
    step = next(s for s in run.workflow["jobs"]["upgrade"]["steps"] if s["name"].startswith("Measure"))
    step.pop("if")
    step["env"]["ROUNDS"] = "2"
    job = actions.Job(run, "upgrade", only=frozenset({step["name"]}))
    (job.workspace / "old").mkdir()
    job.start()
    return job, (run.folder / "ran").read_text().splitlines()


def test_old_and_new_are_measured_in_turns(start: Any) -> None:
    job, ran = _in_turns(start, "1 3 0 4")
    assert not job.failed, job.log
    said = "-m runner matrix --set quick --rounds"
    out = f"--out {job.workspace}/out"
    assert ran == [
        f"old {said} 1 {out}/old",
        f"upgrade {said} 1 {out}/new",
        f"old {said} 2 {out}/old",
        f"upgrade {said} 2 {out}/new",
    ]


@pytest.mark.parametrize(("codes", "runs"), [("4", 1), ("0 2", 2), ("130", 1)])
def test_an_upgrade_with_nothing_to_compare_with_is_red(start: Any, codes: str, runs: int) -> None:
    job, ran = _in_turns(start, codes)
    assert job.failed
    assert len(ran) == runs


VERDICTS = frozenset({"The verdicts of old against new"})


@pytest.mark.parametrize(("same", "folded"), [(10, 2), (5000, 1)])
def test_the_text_of_an_upgrade_fits_a_pull_request(start: Any, same: int, folded: int) -> None:
    """The verdicts always; what did not move only where there is room for it, and whole."""
    run = start("upgrade.yml")
    program(
        run,
        "runner",
        f"""case "$*" in
          compare*) yes 'a line of the same' | head -n {same}; exit 1 ;;
          *comment) yes '| verdict |' | head -n 5000; exit 1 ;;
          *markdown) yes '| verdict |' | head -n 60000; exit 1 ;;
        esac""",
    )
    (run.folder / "upgrade-").mkdir()
    job = actions.Job(run, "upgrade", only=VERDICTS)
    (job.workspace / "upgrade.txt").write_text("keras 3.15.0 -> 3.15.1\n" * 500)
    run.workflow["jobs"]["upgrade"]["steps"] = [
        {name: value for name, value in step.items() if name != "if"}
        for step in run.workflow["jobs"]["upgrade"]["steps"]
    ]
    job.start()
    assert not job.failed, job.log
    body = (job.workspace / "body.md").read_text()
    assert len(body) < BODY_CHARACTERS
    assert body.count("| verdict |") == 5000
    assert body.count("<details>") == body.count("</details>") == folded
    assert job.summary.read_text().count("| verdict |") == 60_000
    assert len(job.summary.read_bytes()) < SUMMARY_BYTES


@pytest.mark.parametrize(("there", "called"), [("", "pr create"), ("7", "pr edit")])
def test_an_upgrade_is_one_pull_request(start: Any, there: str, called: str) -> None:
    run = start("upgrade.yml")
    program(run, "gh", f"echo \"$*\" >>{run.folder}/asked; case \"$*\" in 'pr list'*) echo '{there}' ;; esac")
    job = actions.Job(run, "upgrade", only=frozenset({"Pull request"}))
    for step in run.workflow["jobs"]["upgrade"]["steps"]:
        step.pop("if", None)
    remote = _repository(run, job.workspace)
    (job.workspace / "matrix/latest.toml").write_text("new\n")
    (job.workspace / "matrix/added.toml").write_text("new\n")
    (job.workspace / "images/x.Dockerfile").unlink()
    (job.workspace / "body.md").write_text("words\n")
    job.start()
    assert not job.failed, job.log
    changed = _git("diff", "--name-status", "main", "upgrade/latest", where=remote).split()
    assert changed == ["D", "images/x.Dockerfile", "A", "matrix/added.toml", "M", "matrix/latest.toml"]
    calls = (run.folder / "asked").read_text().splitlines()
    assert [" ".join(call.split()[:2]) for call in calls] == ["pr list", called]


# --- ci.yml ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("result", "failed"), [("success", False), ("failure", True), ("skipped", True)])
def test_the_required_check_is_red_unless_every_job_succeeded(start: Any, result: str, failed: bool) -> None:
    run = start("ci.yml")
    step = run.workflow["jobs"]["required"]["steps"][0]
    step["env"]["NEEDS"] = json.dumps({"lint": {"result": "success"}, "unit": {"result": result}})
    job = actions.Job(run, "required")
    job.start()
    assert job.failed is failed
    assert f"{result}\tunit" in job.log
