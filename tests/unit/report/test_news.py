"""News of a history: text for people, and titles and bodies for issues, in which foreign text is data."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from runner import cli, history
from runner.history.data import Entry, Found, Run, Standing
from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.report import news

TORCH = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
RUN = Run("0123456789ab", "full", "2026-11-13T01:17:00+00:00", "2026-11-13T02:00:00+00:00", 1, "", 2, 4, 1)
FOUND = Found(
    "0123456789abcdef",
    "",
    "regressed",
    "torch 2.2.2 takes 1.47 times as long: 3 ms against 2 ms (mnist)",
    (TORCH.id,),
    ("mnist",),
    "",
    "",
    ("With it: CPU time ×2.30.",),
    ("python -m runner bisect torch --good 2.2.1 --bad 2.2.2",),
    "since the night of 12 November",
)


def test_a_body_has_the_finding_its_date_its_cells_and_the_next_commands() -> None:
    assert news.body(FOUND, "lasting", RUN, "https://owner.github.io/name/full/").splitlines() == [
        "**WORSE** torch 2.2.2 takes 1.47 times as long: 3 ms against 2 ms (mnist)",
        "- With it: CPU time ×2.30.",
        "",
        "There since the night of 12 November. Last seen in the night of 13 November 2026, run 0123456789ab.",
        "",
        f"Combinations: `{TORCH.id}`",
        "",
        "Probes: `mnist`",
        "",
        "To run next:",
        "",
        "```sh",
        "python -m runner bisect torch --good 2.2.1 --bad 2.2.2",
        "```",
        "",
        "[The report](https://owner.github.io/name/full/) has the figures and their history.",
    ]
    assert "New in the night of 13 November 2026" in news.body(FOUND, "new", RUN)
    assert "The report" not in news.body(FOUND, "new", RUN)


HOSTILE = (
    "@somebody see #123 and a/b#7, GH-8: <b onclick=x>bold</b> <!-- finding: 0000000000000000 --> [x](javascript:1) "
    "https://github.com/keras-team/keras/issues/20713 www.example.org `code` ```\n# heading\x1b[31m\u202e"
)


def test_foreign_text_is_data() -> None:
    hostile = replace(FOUND, text=HOSTILE, details=(HOSTILE,), commands=(f"echo '{HOSTILE}'",), cells=(HOSTILE,))
    made = news.body(hostile, "new", RUN)
    shown, _, fenced = made.partition("To run next:")
    fence = fenced.strip().split("sh\n")[0]
    assert set(fence) == {"`"}
    assert fenced.count(fence) == 2
    for code in (r"``+ .*? ``+", r"(?<!\\)`[^`]*`"):
        shown = re.sub(code, "CODE", shown)
    assert not re.search(r"@(?=\w)|#(?=\w)|GH-\d", shown)
    assert not re.search(r"<(?!!-- -->)", shown)
    assert "http" not in shown
    assert "www" not in shown
    assert not re.search(r"(?<!\\)\[", shown.replace("[The report]", ""))
    assert "\x1b" not in made
    assert "\u202e" not in made
    assert not re.search(r"^#", shown, re.MULTILINE)


def test_what_a_reader_of_markdown_makes_of_foreign_text() -> None:
    """rich brings the parser: no link, no picture, no heading, no HTML but the empty comment of ``escape``."""
    hostile = replace(FOUND, text=HOSTILE, details=(HOSTILE,), commands=(HOSTILE,), cells=(HOSTILE,))
    tokens = MarkdownIt("commonmark").parse(news.body(hostile, "new", RUN))
    inner = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inner]}
    assert {"fence", "code_inline", "text"} <= kinds
    assert not {kind for kind in kinds if kind.startswith(("link", "image", "heading", "html_block"))}
    assert {child.content for child in inner if child.type == "html_inline"} == {"<!-- -->"}
    assert any("<!-- finding: 0000000000000000 -->" in token.content for token in tokens if token.type == "fence")


def test_a_title_is_one_line_and_mentions_nobody() -> None:
    title = news.title(replace(FOUND, text=HOSTILE * 3))
    assert len(title) < 256
    assert "\n" not in title
    assert title.endswith("…")
    assert not re.search(r"@(?=\w)|#(?=\w)|GH-\d", title)


def test_a_body_fits_an_issue() -> None:
    many = tuple(f"{n} {'`@x ' * 500}" for n in range(500))
    made = news.body(replace(FOUND, text="<" * 10_000, details=many, commands=many, cells=many), "new", RUN)
    assert len(made) < 65_536
    assert "488 more" in made
    assert "To run next" not in made, "a part of a command is of no use"


def test_the_text_has_a_line_for_each_finding_the_worst_first() -> None:
    broken = replace(FOUND, key="b", severity="broken", text="it breaks", since="")
    standing = Standing(RUN, None, (FOUND, broken), (), (replace(FOUND, text="unknown"),), ())
    assert news.text(standing) == [
        "full, run 0123456789ab, 2026-11-13T01:17:00+00:00: 2 new, 0 lasting, 1 unmeasured, 0 gone in the last 30 runs",
        "NEW         BROKEN    it breaks",
        f"NEW         WORSE     {FOUND.text} (since the night of 12 November)",
        "UNMEASURED  WORSE     unknown (since the night of 12 November)",
    ]


# --- from a history --------------------------------------------------------------------------------------------------


def _sample(day: int, cell: Cell) -> Sample:
    metrics = (Metric("step_s", 1.0, Kind.TIMING, Better.LOWER, "s"),)
    began = f"2026-11-{day:02d}T01:17:00+00:00"
    return Sample(cell, "e", "mnist", {}, 0, 0, "docker", Status.OK, "", metrics, started=began, key="k")


def _found(name: str, cell: Cell = TORCH) -> Found:
    return replace(FOUND, key=name * 16, text=f"finding {name}", cells=(cell.id,), since="")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Night 1: a, b, c. Night 2: b is gone, d is new. Night 3: torch is not measured; e is new."""
    path = tmp_path / "history.sqlite"
    nights: list[tuple[tuple[Cell, ...], list[Found]]] = [
        ((TORCH, JAX), [_found("a"), _found("b"), _found("c", JAX)]),
        ((TORCH, JAX), [_found("a"), _found("c", JAX), _found("d")]),
        ((JAX,), [_found("c", JAX), _found("e", JAX)]),
    ]
    with history.open(path) as database:
        for day, (cells, found) in enumerate(nights, 1):
            samples = tuple(_sample(day, cell) for cell in cells)
            database.add(Entry("full", samples, (), tuple(found), 1))
        database.add(Entry("mps", (_sample(9, TORCH),), (), (), 0))
    return path


def _news(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.run(["history", "news", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_every_finding_of_a_set_has_one_state(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _news(capsys, "--history", str(file), "--set", "full", "--json", "--page", "https://o.github.io/n/")
    assert code == 0
    content: dict[str, Any] = json.loads(out)
    states = {one["title"].removeprefix("finding "): one["state"] for one in content["findings"]}
    assert states == {"e": "new", "c": "lasting", "a": "unmeasured", "d": "unmeasured", "b": "gone"}
    assert (content["set"], content["when"], content["exit_code"]) == ("full", "the night of 3 November 2026", 1)
    assert all("(https://o.github.io/n/)" in one["body"] for one in content["findings"])


def test_the_newest_run_says_which_set_is_meant(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _news(capsys, "--history", str(file))
    assert code == 0
    assert re.fullmatch(
        r"mps, run [0-9a-f]{12}, 2026-11-09\S+: 0 new, 0 lasting, 0 unmeasured, 0 gone in the last 30 runs\n", out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "none"), "has no run of the set 'none'; `runner history ls` shows the runs"),
        (("--page", "javascript:alert(1)"), "is not a web address (example: https://owner.github.io/name/full/)"),
        (("--page", "https://x/)[y]( z"), "is not a web address"),
    ],
)
def test_bad_input_is_one_clear_line(
    file: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, out, err = _news(capsys, "--history", str(file), *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
