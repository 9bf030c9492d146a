"""Makes the pages and the news of the nights on the branch ``results``.

    python .github/night/pages.py --results RESULTS --history FILE --out PAGES --news NEWS --url https://o.github.io/n/

The history is made again from the newest nights. Each set has a page of its newest night with the history of its
figures, and a file with its findings as new, lasting or gone; ``PAGES/index.html`` lists the sets. Exit code 0: done;
1: a set has no page; 3: there is nothing to show.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NIGHTS = 100
"""How many nights the history has: about 1.2 MB and 0.5 s each."""
TRENDS = ("step time", "test accuracy", "peak memory", "first step")
"""The figures with a page over all nights."""
REPORTS = frozenset({0, 1, 3, 4})
"""Exit codes of ``runner report`` with which it has printed a report."""
WORST_FIRST = ("BROKEN", "WORSE", "FAILED", "GONE", "KNOWN")
"""The findings that the index counts."""

_NIGHT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]+")
_SET = re.compile(r"[\w.-]*\w[\w.-]*")


class EmptyError(Exception):
    """There is no night, or no result in any."""


@dataclass(frozen=True)
class Row:
    """One set in the index."""

    name: str
    when: str
    exit_code: int
    meaning: str
    counts: tuple[tuple[str, int], ...]
    """Findings by their word, the worst first."""
    new: int
    page: bool
    newest: bool
    """Whether it was measured in the newest night."""


# --- the index. Pure -------------------------------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: start; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886 }
th { overflow-wrap: anywhere }
@media (max-width: 45rem) {
  thead { position: absolute; clip-path: inset(50%) }
  table, tbody, tr, th, td { display: block; border: 0; padding: 0 }
  tbody tr { padding: .6rem 0; border-bottom: 1px solid #8886 }
}
"""
POLICY = f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"


def row(news: dict[str, Any], night: str, *, page: bool, newest: str) -> Row:
    """A line of the index, from the news of a set."""
    there = [one for one in news["findings"] if one["state"] in ("new", "lasting")]
    counts = Counter(one["label"] for one in there)
    counted = tuple((label, counts[label]) for label in WORST_FIRST if counts[label])
    new = sum(one["state"] == "new" and one["label"] in WORST_FIRST for one in there)
    return Row(
        news["set"], news["when"], news["exit_code"], news["exit_meaning"], counted, new, page, night == newest
    )  # fmt: skip


def index(rows: Sequence[Row], trends: Sequence[tuple[str, str]], *, docs: bool) -> str:
    """The page that lists the sets, as HTML. ``trends``: name and file.

    A phone shows the cells of a row below each other. With their roles, it is still a table for screen readers.
    """
    lines = "\n".join(_line(one) for one in rows)
    links = [f'<li><a href="{html.escape(file)}">{html.escape(name)}</a></li>' for name, file in trends]
    over = ["<h2>Over all nights</h2>", "<ul>", *links, "</ul>"] if links else []
    read = ['<p><a href="docs/index.html">Documentation</a></p>'] if docs else []
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>keras-version-matrix: the newest night</title>
<style>{STYLE}</style>
</head>
<body>
<h1>The newest night</h1>
<table role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Set</th>
<th role="columnheader" scope="col">Measured</th><th role="columnheader" scope="col">Findings</th>
<th role="columnheader" scope="col">Result</th></tr></thead>
<tbody role="rowgroup">
{lines}
</tbody>
</table>
{chr(10).join([*over, *read])}
</body>
</html>
"""


def _line(one: Row) -> str:
    name = html.escape(one.name)
    link = f'<a href="{name}/index.html">{name}</a>' if one.page else f"{name} (the page could not be made)"
    found = ", ".join(f"{count} {label}" for label, count in one.counts) or "nothing worse"
    fresh = f"; {one.new} new" if one.new else ""
    old = "" if one.newest else "; not in the newest night"
    when, meaning = html.escape(one.when), html.escape(one.meaning)
    return (
        f'<tr role="row"><th role="rowheader" scope="row">{link}</th><td role="cell">{when}{old}</td>'
        f'<td role="cell">{found}{fresh}</td><td role="cell">exit code {one.exit_code}: {meaning}</td></tr>'
    )


# --- making them -----------------------------------------------------------------------------------------------------


def nights(results: Path) -> list[Path]:
    """The folders of the newest nights, the oldest first."""
    found = [path for path in results.iterdir() if path.is_dir() and _NIGHT.fullmatch(path.name)]
    return sorted(found, key=lambda path: (path.name[:10], int(path.name[11:])))[-NIGHTS:]


def runner(*words: str) -> subprocess.CompletedProcess[str]:
    """The program's own command; what it reports goes to the log."""
    command = [sys.executable, "-m", "runner", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)


def remember(history: Path, folders: Sequence[Path]) -> dict[str, Any]:
    """Make the history. Returns the newest run of every set. Raises EmptyError."""
    history.unlink(missing_ok=True)
    done = runner("history", "import", *map(str, folders), "--history", str(history)) if folders else None
    print(done.stdout if done else "", end="")
    if done is None or not history.is_file():
        raise EmptyError("the branch has no night with results")
    listed = json.loads(runner("history", "ls", "--json", "--history", str(history)).stdout or '{"runs": []}')
    runs = {run["set_name"]: run for run in listed["runs"] if _SET.fullmatch(run["set_name"])}
    if not runs:
        raise EmptyError("no night has results that could be read")
    return runs


def page(history: Path, folder: Path, target: Path) -> bool:
    """Make one set's page, and its badge next to it. Returns whether there is a page."""
    target.parent.mkdir(parents=True, exist_ok=True)
    done = runner("report", str(folder), "--history", str(history), "--format", "html")
    if done.returncode not in REPORTS or not done.stdout:
        return False
    target.write_text(done.stdout, encoding="utf-8")
    badge = runner("report", str(folder), "--no-history", "--format", "badge").stdout
    target.with_name("badge.json").write_text(badge, encoding="utf-8")
    return True


def trend_pages(history: Path, out: Path) -> list[tuple[str, str]]:
    """Make a page for each figure over all nights. Returns names and files.

    A figure that no night has is left out.
    """
    made = []
    for name in TRENDS:
        done = runner("trend", name, "--history", str(history), "--format", "html")
        if done.returncode == 0 and done.stdout:
            file = f"trend-{name.replace(' ', '-')}.html"
            (out / file).write_text(done.stdout, encoding="utf-8")
            made.append((name.capitalize(), file))
    return made


def make(results: Path, history: Path, out: Path, news: Path, url: str) -> list[str]:
    """Make all of it. Returns the sets without a page. Raises EmptyError."""
    folders = nights(results)
    runs = remember(history, folders)
    for folder in (out, news):
        folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in sorted(runs):
        mine = [night for night in folders if (night / f"report-{name}").is_dir()]
        there = bool(mine) and page(history, mine[-1] / f"report-{name}", out / name / "index.html")
        where = f"{url.rstrip('/')}/{name}/index.html" if url and there else ""
        words = ["history", "news", "--history", str(history), "--set", name, "--json"]
        told = runner(*words, *(["--page", where] if where else [])).stdout
        (news / f"{name}.json").write_text(told, encoding="utf-8")
        night = mine[-1].name if mine else ""
        rows.append(row(json.loads(told), night, page=there, newest=folders[-1].name))
    docs = (out / "docs/index.html").is_file()
    (out / "index.html").write_text(index(rows, trend_pages(history, out), docs=docs), encoding="utf-8")
    return [one.name for one in rows if not one.page]


def main(arguments: Sequence[str]) -> int:
    """The program; its exit code."""
    parser = argparse.ArgumentParser(description="The pages and the news of the nights.")
    parser.add_argument("--results", type=Path, required=True, help="a checkout of the branch `results`")
    parser.add_argument("--history", type=Path, required=True, help="the history, which is made again")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pages")
    parser.add_argument("--news", type=Path, required=True, help="folder for the findings of each set")
    parser.add_argument("--url", default="", help="where the pages will be, for links from issues")
    given = parser.parse_args(arguments)
    try:
        missing = make(given.results, given.history, given.out, given.news, given.url)
    except EmptyError as error:
        print(f"::error title=No pages::{error}")
        return 3
    for name in missing:
        print(f"::error title=No page::The report of the set {name} could not be made; the log shows the reason")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
