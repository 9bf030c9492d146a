"""What the small commands print, whole: on stdout, on stderr, and their exit codes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runner import cli, images
from runner.environments import lock
from runner.errors import BuildError, UnavailableError
from runner.executors import Shell
from runner.images.manage import Listed, Removed
from runner.machine.checks import Check, State
from runner.matrix import selection, sets
from runner.model import Cell, Environment, Sample, Skip, Status
from runner.report.formats import FORMATS
from runner.results import schema, store
from runner.results.store import Store

TORCH, JAX = "torch-2.2.2_keras-3.11.3_py3.11_cpu", "jax-0.10.2_keras-3.11.3_py3.11_cpu"
TORCH_LINUX = "torch-2.2.2_keras-3.11.3_py3.11_cpu_linux-x86_64"
JAX_LINUX = "jax-0.10.2_keras-3.11.3_py3.11_cpu_linux-x86_64"
BOTH = ("--only", TORCH, "--only", JAX)
QUICK = 7
"""Cells of the set ``quick``."""
BUDGET = "note: budget: 10 min of measuring (--budget)\n"
"""What ``list`` adds about that set."""


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command. Returns its exit code, stdout and stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        code = cli.run(list(argv))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


# --- list ------------------------------------------------------------------------------------------------------------


BUDGET = "note: budget: 10 min of measuring (--budget)\n"


def test_list_prints_an_id_per_cell(command: Any) -> None:
    cells = selection.choose("quick", ()).cells
    assert command("list") == (0, "".join(f"{cell.id}\n" for cell in cells), BUDGET)
    assert command("list", *BOTH) == (0, f"{TORCH}\n{JAX}\n", BUDGET)


def test_list_sets_marks_the_default(command: Any) -> None:
    code, out, err = command("list", "--sets")
    loaded = sets.load().sets
    told = {name: f" (budget {one.budget})" if one.budget else "" for name, one in loaded.items()}
    told["quick"] = " (default, budget 10m)"
    lines = [f"{name:<14} {one.description}{told[name]}" for name, one in loaded.items()]
    assert lines[0].startswith("quick          every backend once")
    assert (code, out.splitlines(), err) == (0, lines, "")
    code, out, _ = command("list", "--sets", "--json")
    assert code == 0
    assert json.loads(out) == {
        "default": "quick",
        "sets": {name: one.description for name, one in loaded.items()},
        "budgets_s": {name: one.budget_s for name, one in loaded.items()},
    }
    assert json.loads(out)["budgets_s"]["quick"] == 600.0
    assert out.startswith('{\n "default"')


@pytest.fixture
def narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set with a cell, a cell left out and a note."""
    chosen = selection.choose("quick", (TORCH,))
    skip = Skip(dataclasses.replace(chosen.cells[0], device="cuda"), Status.SKIPPED, "no wheels")
    made = dataclasses.replace(chosen, skips=(skip,), notes=("torch 2.2.2 is old",))
    monkeypatch.setattr(selection, "choose", lambda *_: made)


@pytest.mark.usefixtures("narrowed")
def test_list_shows_what_is_left_out_and_why(command: Any) -> None:
    left_out = TORCH.replace("_cpu", "_cuda")
    assert command("list") == (
        0,
        f"{TORCH}\n{left_out}  (left out: no wheels)\n",
        f"note: torch 2.2.2 is old\n{BUDGET}",
    )
    code, out, err = command("list", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "set": "quick",
        "cells": [
            {
                "id": TORCH,
                "framework": "torch",
                "version": "2.2.2",
                "keras": "3.11.3",
                "python": "3.11",
                "device": "cpu",
                "variant": "",
            }
        ],
        "skipped": [{"id": left_out, "reason": "no wheels"}],
        "notes": ["torch 2.2.2 is old"],
        "budget_s": 600.0,
    }
    assert out.startswith('{\n "set"')


# --- render and lock -------------------------------------------------------------------------------------------------


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder in place of images/rendered/."""
    monkeypatch.setattr("runner.images.rendered._folder", lambda: tmp_path / "rendered")
    return tmp_path / "rendered"


def test_render_writes_a_dockerfile_per_environment_and_prints_what_changed(command: Any, rendered: Path) -> None:
    files = [rendered / f"{name}.Dockerfile" for name in (JAX_LINUX, TORCH_LINUX)]
    assert command("render", *BOTH) == (0, "".join(f"{file}\n" for file in files), "")
    assert sorted(rendered.iterdir()) == files
    assert command("render", *BOTH) == (0, "", "")


def test_render_check_counts_what_differs(command: Any, rendered: Path) -> None:
    rendered.mkdir()
    missing = f"{JAX_LINUX}.Dockerfile: missing"
    changed = f"{TORCH_LINUX}.Dockerfile: differs from template and lock"
    (rendered / f"{TORCH_LINUX}.Dockerfile").write_text("FROM scratch\n")
    (rendered / "old.Dockerfile").write_text("FROM scratch\n")
    code, out, err = command("render", *BOTH, "--check")
    assert (code, sorted(out.splitlines()[:-1]), err) == (1, [missing, changed], "")
    assert out.splitlines()[-1] == "2 Dockerfiles, 2 differ"
    code, out, _ = command("render", "--all", "--check")
    assert code == 1
    assert "old.Dockerfile: no set uses it" in out.splitlines()
    command("render", *BOTH)
    assert command("render", *BOTH, "--check") == (0, "2 Dockerfiles, 0 differ\n", "")


def test_a_lock_that_cannot_be_read_stops_no_other_dockerfile(
    command: Any, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, really = tmp_path / "bad.txt", lock.committed_path
    bad.write_bytes(b"# environment: cut off")
    monkeypatch.setattr(lock, "committed_path", lambda one: bad if one.id == TORCH_LINUX else really(one))
    said = f"runner: {bad}: no whole lock: its header must name python once; `runner lock` makes it again\n"
    made = rendered / f"{JAX_LINUX}.Dockerfile"
    assert command("render", *BOTH) == (3, f"{made}\n", said)
    assert command("render", *BOTH, "--check") == (3, "1 Dockerfiles, 0 differ\n", said)
    (rendered / f"{TORCH_LINUX}.Dockerfile").write_text("of the bad lock")
    command("render", "--all")
    assert (rendered / f"{TORCH_LINUX}.Dockerfile").read_text() == "of the bad lock"
    made.write_text("")
    assert command("render", *BOTH, "--check")[0] == 1
    assert command("render", *BOTH, "--stdout")[::2] == (3, said)


def test_render_stdout_writes_no_file(command: Any, rendered: Path) -> None:
    (environment,) = selection.environments("quick", (TORCH,), every=False)
    text = images.render(environment, lock.committed(environment))
    assert command("render", "--only", TORCH, "--stdout") == (0, f"{text}\n", "")
    assert not rendered.exists()


def test_render_leaves_out_what_runs_in_no_container(command: Any, rendered: Path) -> None:
    code, out, _ = command("render", "--set", "mps")
    assert (code, out) == (0, "")
    assert not list(rendered.glob("*"))


@dataclasses.dataclass
class Locks:
    """What ``runner lock`` asked for, and what it is answered."""

    wanted: list[str] = dataclasses.field(default_factory=list)
    folder: Path | None = None
    complete: bool | None = None
    upgraded: bool = False
    stale: tuple[str, ...] = ()
    failing: str = "nothing"

    def make_all(self, wanted: Any, folder: Path | None) -> dict[str, Any]:
        self.wanted, self.folder = [one.id for one in wanted], folder
        made = SimpleNamespace(path="locks/a.txt", packages=(1, 2, 3))
        return {name: BuildError("no solution") if self.failing in name else made for name in self.wanted}

    def check(self, wanted: Any, *, complete: bool) -> tuple[str, ...]:
        self.wanted, self.complete = [one.id for one in wanted], complete
        return self.stale

    def upgrade(self) -> tuple[str, ...]:
        self.upgraded = True
        return ("keras 3.15.0 -> 3.15.1",)


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Locks:
    made = Locks()
    for name in ("make_all", "check", "upgrade"):
        monkeypatch.setattr(lock, name, getattr(made, name))
    return made


def test_lock_prints_a_line_per_environment(command: Any, locks: Locks) -> None:
    assert command("lock", *BOTH) == (0, "locks/a.txt: 3 packages\n" * 2, "")
    assert (locks.wanted, locks.folder, locks.upgraded) == ([TORCH_LINUX, JAX_LINUX], None, False)


def test_lock_goes_on_after_an_environment_that_cannot_be_resolved(command: Any, locks: Locks) -> None:
    locks.failing = "torch"
    assert command("lock", *BOTH) == (3, "locks/a.txt: 3 packages\n", f"{TORCH_LINUX}: no solution\n")


def test_lock_check_lists_what_is_stale(command: Any, locks: Locks) -> None:
    assert command("lock", *BOTH, "--check") == (0, "2 environments, 0 stale locks\n", "")
    assert locks.complete is False
    locks.stale = ("a: missing",)
    assert command("lock", "--all", "--check")[::2] == (1, "")
    assert locks.complete is True
    assert len(locks.wanted) > QUICK
    assert command("lock", *BOTH, "--check")[1] == "a: missing\n2 environments, 1 stale locks\n"


def test_lock_upgrade_comes_first(command: Any, locks: Locks) -> None:
    code, out, err = command("lock", "--only", TORCH, "--upgrade")
    assert (code, out, err) == (0, "keras 3.15.0 -> 3.15.1\nlocks/a.txt: 3 packages\n", "")


def test_lock_here_is_for_this_platform_and_the_cache(
    command: Any, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.machine.facts.here", lambda: SimpleNamespace(platform="macos-arm64"))
    assert command("lock", *BOTH, "--here")[0] == 0
    assert locks.wanted == [
        TORCH_LINUX.replace("linux-x86_64", "macos-arm64"),
        JAX_LINUX.replace("linux-x86_64", "macos-arm64"),
    ]
    assert locks.folder == lock.cache_dir()


# --- schema ----------------------------------------------------------------------------------------------------------


def test_schema_writes_a_file_per_kind(command: Any, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    files = [folder / "sample-1.schema.json", folder / "run-1.schema.json"]
    assert command("schema", str(folder)) == (0, "".join(f"{file}\n" for file in files), "")
    assert [file.read_text("utf-8") for file in files] == [schema.text("sample"), schema.text("run")]
    assert command("schema", str(folder))[0] == 0
    assert command("schema", str(folder), "--check") == (0, "", "")


def test_schema_check_names_what_is_stale_and_writes_nothing(command: Any, tmp_path: Path) -> None:
    stale, missing = tmp_path / "sample-1.schema.json", tmp_path / "run-1.schema.json"
    stale.write_text("{}")
    lines = [f"{file}: not what the types make; run: python -m runner schema {tmp_path}\n" for file in (stale, missing)]
    assert command("schema", str(tmp_path), "--check") == (1, "".join(lines), "")
    assert (stale.read_text(), missing.exists()) == ("{}", False)


# --- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_shows_what_to_do_and_fails_where_something_is_missing(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Environment, ...]] = []
    found = [Check("disk", State.OK, "80 GB free"), Check("engine", State.FAIL, "no answer", "start Docker")]

    def examine(environments: Any) -> list[Check]:
        asked.append(tuple(environments))
        return found

    monkeypatch.setattr("runner.machine.doctor.examine", examine)
    shown = "✓ disk   80 GB free\n✗ engine no answer\n         start Docker\n\n1 missing, 0 to know about.\n"
    assert command("doctor", "--only", TORCH) == (3, shown, "")
    assert [one.id for one in asked[0]] == [TORCH_LINUX]
    code, out, err = command("doctor", "--json")
    assert (code, err) == (3, "")
    assert [(one["name"], one["state"]) for one in json.loads(out)] == [("disk", "ok"), ("engine", "fail")]
    assert len(asked[1]) == QUICK
    del found[1]
    assert command("doctor") == (0, "✓ disk 80 GB free\n\nAll is in place.\n", "")


# --- images ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> str:
    """A client that the commands hand on, on Linux."""
    monkeypatch.setattr("runner.engine.connect", lambda: "client")
    monkeypatch.setattr("runner.machine.facts.container_platform", lambda _: "linux-x86_64")
    monkeypatch.setattr(lock, "locked", lambda environment: f"lock of {environment.id}")
    return "client"


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Listed:
    one = Listed("id", ("x:1",), "jax-0.10.2", "c", "l", 1_560_000_000, 20_000_000, created=0.0, last_used=None)
    kept = [{"Names": ["/runner-kept-1"], "Labels": {"org.keras-version-matrix.cell": "torch-2.2.2"}}]
    monkeypatch.setattr("runner.images.manage.ls", lambda client: [one] if client else [])
    monkeypatch.setattr("runner.executors.docker.kept", lambda client: kept if client else [])
    return one


@pytest.mark.usefixtures("engine", "listed")
def test_images_ls_has_a_line_per_image_and_kept_container(command: Any) -> None:
    shown = (
        "  1.56 GB   0.02 GB      never  jax-0.10.2\n"
        "kept container runner-kept-1 of torch-2.2.2; `prune` removes it\n"
        "1 images (size, not shared, last use); 0.02 GB are not shared by any two\n"
    )
    assert command("images", "ls") == (0, shown, "")
    code, out, _ = command("images", "ls", "--json")
    assert code == 0
    assert [one["environment"] for one in json.loads(out)] == ["jax-0.10.2"]


def test_images_prune_removes_kept_containers_first(command: Any, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def remove_kept(client: str) -> list[str]:
        calls.append(client)
        return ["torch-2.2.2"]

    def prune(client: str, keep: int | None, keep_free: float | None, *, cache: bool) -> Removed:
        calls.append((client, keep, keep_free, cache))
        return Removed(("a",), ("b",), 2_340_000_000)

    monkeypatch.setattr("runner.executors.docker.remove_kept", remove_kept)
    monkeypatch.setattr("runner.images.manage.prune", prune)
    shown = (
        "removed  the kept container of torch-2.2.2\nremoved  a\nin use   b\n"
        "1 images removed; the build cache gave back 2.34 GB\n"
    )
    assert command("images", "prune") == (0, shown, "")
    assert calls == [engine, (engine, None, None, False)]
    assert command("images", "prune", "--keep", "2", "--keep-free", "5", "--cache")[0] == 0
    assert calls[3] == (engine, 2, 5.0, True)


def test_images_pin_asks_for_each_base_once(command: Any, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def pin(client: str, bases: list[str]) -> Path:
        asked.append((client, bases))
        return Path("images/bases.toml")

    monkeypatch.setattr("runner.images.registry.pin", pin)
    assert command("images", "pin") == (0, "images/bases.toml\n", "")
    assert asked == [(engine, ["python:3.11-slim-bookworm"])]


def test_images_push_prints_each_name(command: Any, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def push(client: str, prefix: str, environment: Environment, pinned: Any) -> str:
        return f"{client} {prefix} {environment.id} with {pinned}"

    monkeypatch.setattr("runner.images.registry.push", push)
    lines = [f"{engine} ghcr.io/me {name} with lock of {name}\n" for name in (TORCH_LINUX, JAX_LINUX)]
    assert command("images", "push", "ghcr.io/me", *BOTH) == (0, "".join(lines), "")


def test_a_lock_that_cannot_be_read_stops_no_other_image(
    command: Any, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(environment: Environment) -> str:
        if environment.id == TORCH_LINUX:
            raise UnavailableError("a.txt: changed since it was made")
        return "a lock"

    monkeypatch.setattr(lock, "locked", locked)
    monkeypatch.setattr("runner.images.registry.push", lambda _client, _prefix, environment, _lock: environment.id)
    monkeypatch.setattr("runner.images.registry.pull", lambda *_: True)
    said = "runner: a.txt: changed since it was made\n"
    assert command("images", "push", "ghcr.io/me", *BOTH) == (3, f"{JAX_LINUX}\n", said)
    assert command("images", "pull", "ghcr.io/me", *BOTH) == (3, f"pulled   {JAX_LINUX}\n", said)
    monkeypatch.setattr("runner.images.registry.pin", lambda *_: Path("bases.toml"))
    assert command("images", "pin", *BOTH) == (0, "bases.toml\n", "")


@pytest.mark.parametrize(("missing", "code"), [("jax", 3), ("nothing", 0)])
def test_images_pull_fails_where_one_is_missing(
    command: Any, engine: str, monkeypatch: pytest.MonkeyPatch, missing: str, code: int
) -> None:
    def pull(client: str, prefix: str, environment: Environment, pinned: Any) -> bool:
        assert (client, prefix, pinned) == (engine, "ghcr.io/me", f"lock of {environment.id}")
        return environment.framework != missing

    monkeypatch.setattr("runner.images.registry.pull", pull)
    last = "missing" if code else "pulled "
    assert command("images", "pull", "ghcr.io/me", *BOTH) == (
        code,
        f"pulled   {TORCH_LINUX}\n{last}  {JAX_LINUX}\n",
        "",
    )


@pytest.mark.usefixtures("engine")
def test_images_have_no_mps(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.images.registry.push", lambda _client, _prefix, environment, _lock: environment.id)
    code, out, _ = command("images", "push", "ghcr.io/me", "--set", "mps")
    assert code == 0
    assert out.splitlines()
    assert "mps" not in out


@pytest.mark.usefixtures("engine")
def test_images_sbom_takes_one_environment(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.images.sbom.cyclonedx", lambda environment, pinned: f"{environment.id} {pinned}")
    assert command("images", "sbom", "--only", TORCH) == (0, f"{TORCH_LINUX} lock of {TORCH_LINUX}\n", "")
    message = "runner: one environment at a time, and these are 2: narrow it down with --only\n"
    assert command("images", "sbom", *BOTH) == (2, "", message)


# --- compare, expect, calibrate --------------------------------------------------------------------------------------

CELL = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")


def _sample(status: Status = Status.OK) -> Sample:
    reason = "" if status is Status.OK else "it fell"
    return Sample(CELL, "e", "mnist", {}, 0, 0, "docker", status, reason, key="k" * 64, started="2026-01-01")


def _run(out: Path, status: Status) -> str:
    Store(out).save(_sample(status))
    return str(out)


def _bad(out: str) -> Path:
    """A result file of the folder that is cut off."""
    path = Path(out) / "results" / TORCH / "mnist" / "009-x.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"schema": 1, ')
    return path


BAD = "runner: {path}: not a whole result file (Input data was truncated); the next run measures that again\n"


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_one_bad_file_stops_neither_compare_nor_defects_nor_expect(
    command: Any, tmp_path: Path, more: tuple[str, ...]
) -> None:
    a, b = (_run(tmp_path / name, Status.OK) for name in "ab")
    whole = [command("compare", a, b, *more), command("defects", a, *more)]
    file = tmp_path / "expectations.toml"
    assert command("expect", a, "--file", str(file))[0] == 0
    said = BAD.format(path=_bad(a))
    for (code, out, _), words in zip(whole, (("compare", a, b), ("defects", a)), strict=True):
        assert code == 0
        assert command(*words, *more) == (3, out, said)
    assert command("expect", a, "--file", str(file)) == (3, f"{file} is up to date\n", said)


def test_a_regression_outranks_a_bad_file(command: Any, tmp_path: Path) -> None:
    a, b = _run(tmp_path / "a", Status.OK), _run(tmp_path / "b", Status.CRASHED)
    Store(Path(b)).save(dataclasses.replace(_sample(), cell=dataclasses.replace(CELL, version="2.3.0")))
    _bad(b)
    assert command("compare", a, b)[0] == 1


def test_a_file_that_is_read_by_no_name_has_a_line_without_escapes(command: Any, tmp_path: Path) -> None:
    a = _run(tmp_path / "\x1b[2Jout", Status.OK)
    _bad(a)
    _, _, err = command("compare", a, a)
    assert err.strip().replace("\n", " ").isprintable()


def test_runs_without_a_common_cell_are_told_how_to_compare_them(command: Any, tmp_path: Path) -> None:
    a = _run(tmp_path / "a", Status.OK)
    cell = dataclasses.replace(CELL, version="2.15.0")
    (one,) = store.load([Path(a)])
    Store(tmp_path / "b c").save(dataclasses.replace(one, cell=cell))
    b = str(tmp_path / "b c")
    code, out, err = command("compare", a, b)
    assert (code, out) == (2, "")
    here = one.cell.id
    assert err == (
        f"runner: no cell is in both runs: {a} has {here}, {b} has {cell.id}; "
        f"`runner report {a} '{b}' --baseline {here}` compares those that differ in one axis\n"
    )
    _, report, _ = command("report", a, b, "--baseline", here, "--format", "json")
    assert (here, cell.id) in [(c["baseline"], c["candidate"]) for c in json.loads(report)["comparisons"]]


def test_runs_of_which_no_cells_can_be_compared_say_so(command: Any, tmp_path: Path) -> None:
    a = _run(tmp_path / "a", Status.OK)
    for number in range(5):
        cell = Cell("jax", f"0.{number}", "3.11.3", "3.11", "cpu")
        Store(tmp_path / "b").save(dataclasses.replace(_sample(), cell=cell))
    code, _, err = command("compare", a, str(tmp_path / "b"))
    assert code == 2
    assert "jax-0.2_keras-3.11.3_py3.11_cpu and 2 more; cells can be compared where they differ in one axis" in err


def test_compare_prints_a_table_and_fails_where_the_second_run_broke(command: Any, tmp_path: Path) -> None:
    Store(tmp_path / "a").save(_sample())
    Store(tmp_path / "b").save(_sample(Status.CRASHED))
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    code, out, err = command("compare", a, b)
    assert (code, err) == (4, "")
    head, row, empty, counts = out.splitlines()
    assert head.split()[:4] == ["metric", "baseline", "candidate", "verdict"]
    assert row.split()[:4] == ["mnist:status", f"A:{CELL.id}", f"B:{CELL.id}", "broken"]
    assert (empty, counts) == ("", "1 broken")
    assert command("compare", a, a)[0] == 0


def test_expect_prints_every_change_and_what_to_do(command: Any, tmp_path: Path) -> None:
    file = tmp_path / "expectations.toml"
    file.write_text('schema = 1\n\n[[expect]]\ncell = "torch-2.2.2_*"\nstatus = "oom"\nreason = "large"\n')
    Store(tmp_path / "run").save(_sample(Status.CRASHED))
    run, named = str(tmp_path / "run"), ("--file", str(file))
    changes = f"- torch-2.2.2_* * oom: large\n+ {CELL.id} mnist crashed: it fell\n"
    assert command("expect", run, *named) == (1, f"{changes}run again with --update to write that\n", "")
    written = f"{changes}{file} written; 1 new entries lack the address of an issue\n"
    assert command("expect", run, *named, "--update") == (0, written, "")
    assert command("expect", run, *named) == (0, f"{file} is up to date\n", "")
    Store(tmp_path / "fine").save(_sample())
    gone = f"- {CELL.id} mnist crashed: it fell\n{file} written\n"
    assert command("expect", str(tmp_path / "fine"), *named, "--update") == (0, gone, "")


# --- report, shell, bisect -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", FORMATS)
def test_a_report_ends_with_one_line_end(command: Any, tmp_path: Path, format_: str) -> None:
    Store(tmp_path).save(_sample(Status.CRASHED))
    code, out, err = command("report", str(tmp_path), "--format", format_)
    assert (code, err) == (4, "")
    assert out.endswith("\n")
    assert not out.endswith("\n\n")


def test_a_report_shows_the_command_of_every_cell_where_asked(command: Any, tmp_path: Path) -> None:
    for number in range(13):
        cell = dataclasses.replace(CELL, version=f"2.{number}.0")
        Store(tmp_path).save(dataclasses.replace(_sample(), cell=cell))
    assert command("report", str(tmp_path))[1].count("--only '") == 1
    assert command("report", str(tmp_path), "--commands")[1].count("--only '") == 13


def test_a_shell_gets_the_cell_and_its_exit_code_is_the_commands(
    command: Any, fake_executor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Shell] = []

    def shell(_: Any, wanted: Shell) -> int:
        opened.append(wanted)
        return 7

    monkeypatch.setattr(type(fake_executor), "shell", shell)
    assert command("shell", TORCH) == (7, "", f"{TORCH}: installing\n")
    assert command("shell", TORCH, "--python", "--network")[0] == 7
    assert command("shell", TORCH, "--", "pip", "list")[0] == 7
    assert command("shell", "torch-2.2.2_native_py3.11_cpu")[0] == 7
    assert [one.words for one in opened] == [(), ("python",), ("pip", "list"), ()]
    assert [one.network for one in opened] == [False, True, False, False]
    assert [one.variables.get("KERAS_BACKEND") for one in opened] == ["torch", "torch", "torch", None]
    assert opened[0].cell.id == TORCH
    assert opened[0].prepared.environment.id == TORCH_LINUX


def test_a_bisection_repeats_its_command_line(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def bisect(request: Any, words: list[str], say: Any, print_: Any) -> int:
        say("looking")
        print_(f"{' '.join(words)}: {request.package} {request.good} {request.bad} {request.arguments}")
        return 3

    monkeypatch.setattr("runner.repro.bisect.session.bisect", bisect)
    monkeypatch.setattr("sys.argv", ["/bin/runner", "bisect", "keras"])
    found = command("bisect", "keras", "--good", "3.8.0", "--bad", "3.9.0", "--", "-x")
    assert found == (3, "runner bisect keras: keras 3.8.0 3.9.0 ('-x',)\n", "looking\n")
