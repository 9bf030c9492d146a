"""Draws a random sample of the behaviour fixes in Keras's history.

``python bench/recall/draw.py REPOSITORY --seed 1 --count 80`` prints JSON lines, one per fix: the commit, its subject,
the release before it and the first one with it. ``--without FILE`` leaves out the fixes of another sample.

The population: commits between ``--since`` and ``--until`` that change Keras's code and a test of it, and whose subject
says that something was wrong. Documentation, tests alone, builds and typing are left out by their subjects. The rule
is this file's and was written before any sample was looked at.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from pathlib import Path

FIX = re.compile(
    r"\bfix|\bbug|\bcorrect|\bwrong|\bincorrect|\berror|\bcrash|\bissue|\bhandle|\bprevent|\bavoid|\bensure|\bproper"
    r"|\bmismatch|\bbroken|\bregression|\brestore|\brevert|\brespect|\bdtype|\bshape|\bleak|\bsupport .*none"
    r"|\bno longer",
    re.IGNORECASE,
)
"""Words by which a subject says that something was wrong."""

OTHER = re.compile(
    r"\bdoc(s|string|strings|umentation|umented)?\b|\btypo|\bci\b|\bgithub\b|\bworkflow|\bflaky|\bexample|\bguide"
    r"|\bbenchmark|\bpip\b|\bbump|\bbuild\(|\blint|\bformat(ting)?\b(?!.*data_format)|\bversion bump|\btype hint"
    r"|\bunit tests?$|\bfix(ed|es)? (the )?(failing |broken )?tests?\b|\badd(ed|s)? tests?\b|\btest cases?\b"
    r"|\bsecurity|\bsentinel|\breadme|\bcodespell|\bpylint|\bskip\b|\bnightly\b|\bpre-commit",
    re.IGNORECASE,
)
"""Words by which a subject is about something else than behaviour."""

CODE = re.compile(r"^keras/(?!api/)(?!.*(_test\.py$|/api/|datasets/)).*\.py$")
TEST = re.compile(r"^(keras|integration_tests)/.*_test\.py$")


def git(repository: Path, *words: str) -> str:
    """Returns what git prints."""
    done = subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True, check=True)
    return done.stdout


def population(repository: Path, since: str, until: str) -> list[tuple[str, str]]:
    """Returns (commit, subject) of every fix, the oldest first."""
    text = git(
        repository, "log", "--no-merges", "--reverse", "--name-only", "--format=%x00%H%x01%s", f"{since}..{until}"
    )
    found = []
    for entry in text.split("\0")[1:]:
        head, *names = entry.strip().splitlines()
        commit, _, subject = head.partition("\1")
        files = [name for name in names if name]
        if not any(CODE.match(name) for name in files) or not any(TEST.match(name) for name in files):
            continue
        if FIX.search(subject) and not OTHER.search(subject):
            found.append((commit, subject))
    return found


def releases(repository: Path) -> list[str]:
    """Returns the tags of releases, the oldest first."""
    tags = [tag for tag in git(repository, "tag").split() if re.fullmatch(r"v3\.\d+\.\d+", tag)]
    return sorted(tags, key=lambda tag: tuple(map(int, tag[1:].split("."))))


def around(repository: Path, commit: str, tags: list[str]) -> tuple[str | None, str | None]:
    """Returns the newest release without the fix, and the first with it."""
    having = set(git(repository, "tag", "--contains", commit).split())
    first = next((place for place, tag in enumerate(tags) if tag in having), None)
    if first is None:
        return tags[-1][1:], None
    before = next((tag for tag in reversed(tags[:first]) if tag not in having), None)
    return (before[1:] if before else None), tags[first][1:]


def main() -> None:
    """Prints the sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--since", default="v3.0.0")
    parser.add_argument("--until", default="v3.15.1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--without", type=Path, action="append", default=[], help="a sample that was looked at")
    given = parser.parse_args()
    seen = {json.loads(line)["commit"] for path in given.without for line in path.read_text().splitlines()}
    fixes = population(given.repository, given.since, given.until)
    left = [fix for fix in fixes if fix[0] not in seen]
    sys.stderr.write(f"{len(fixes)} fixes from {given.since} to {given.until}, {len(left)} not looked at\n")
    drawn = sorted(random.Random(given.seed).sample(range(len(left)), min(given.count, len(left))))  # noqa: S311
    tags = releases(given.repository)
    for place in drawn:
        commit, subject = left[place]
        before, after = around(given.repository, commit, tags)
        files = git(given.repository, "show", "--name-only", "--format=", commit).split()
        changed = [name for name in files if CODE.match(name)]
        entry = {"commit": commit, "subject": subject, "before": before, "with": after, "files": changed}
        sys.stdout.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
