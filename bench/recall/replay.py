"""Replays fixes of Keras: which of them do the probes notice?

``python bench/recall/replay.py SAMPLE --repository KERAS --python PYTHON --out OUTCOMES`` takes the JSON lines of
``draw.py``. For every fix it runs the probes on the commit's parent, then what was bad there on the commit itself.
A fix is flagged where a case of the plain set is bad before it and right with it. ``OUTCOMES`` gets one JSON line per
fix, as they come; fixes that it has already are not run again. ``python bench/recall/replay.py --rate OUTCOMES``
prints the share that is flagged, with its 95 % interval.

PYTHON has tensorflow, torch and jax installed, and no Keras: that is the commit's own tree, on the path. To save time,
a fix is tried with the cases that name what it changed (``words``): first those that turned right between the releases
around it in ``--known``, results of a run of the plain set, then those of the probes that its folder concerns
(``PROBES``). Where it changes what everything uses, ``--whole`` tries all cases of these probes. It is tried on the
backend whose files it changed, or ``--backends``. What is left out can only lower the rate. A case flags a fix where
that holds in two runs.
"""

from __future__ import annotations

import argparse
import ast
import functools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import NormalDist

ROOT = Path(__file__).resolve().parents[2]
PAYLOAD = ROOT / "runner" / "probe"
VERSIONS = {"tensorflow": "2.18.1", "torch": "2.13.0", "jax": "0.4.35", "numpy": "2.0.2"}
BAD = ("wrong", "raises", "crashes", "nan", "inaccurate", "shape", "dtype")
RIGHT = ("ok", "seen")

EVERY = ("model", "saving", "fitting", "precision", "compiled", "preprocessing", "data", "callbacks", "export", "ops")
PROBES = (
    (r"layers/preprocessing/", ("preprocessing", "data", "saving", "model", "export", "ops")),
    (
        r"layers/layer\.py|layers/input_spec|backend/common/(keras_tensor|variables)",
        ("model", "saving", "precision", "fitting"),
    ),
    (r"layers/", ("ops", "model", "fitting", "saving", "precision", "compiled", "preprocessing")),
    (r"callbacks/", ("callbacks",)),
    (r"saving/|legacy/saving", ("saving", "export")),
    (r"export/", ("export", "saving")),
    (r"trainers/data_adapters|utils/.*dataset|utils/.*generator|distribute", ("data", "preprocessing", "distribution")),
    (r"trainers/", ("fitting", "callbacks", "data", "compiled", "model", "training")),
    (r"distribution/", ("distribution",)),
    (r"(losses|metrics)/", ("ops", "fitting", "training", "saving")),
    (r"optimizers/", ("ops", "fitting", "training", "precision", "saving")),
    (r"quantizers/|dtype_policies/", ("precision", "saving", "model")),
    (r"models/|legacy/|applications/", ("model", "saving", "compiled")),
    (r"utils/", ("model", "data", "callbacks", "preprocessing", "saving")),
    (r"backend/\w+/trainer", ("fitting", "callbacks", "data", "compiled", "training")),
    (r"backend/\w+/(rnn|nn|numpy|math|linalg|image|core)\.py|ops/", ("ops", "model", "compiled", "fitting")),
    (r"(initializers|random|backend/\w+/random)", ("ops", "random", "saving", "model")),
    (r"(activations|constraints|regularizers)", ("ops", "saving", "fitting")),
    (r"backend/", ("ops", "model", "fitting", "compiled")),
)
"""Folder of a changed file -> the probes that run it."""

SLOW = ("distribution", "memory", "reading", "training")
"""Probes that take long or waver: only for a fix in their folder."""

INFRASTRUCTURE = re.compile(
    r"(Layer|Operation|Trainer|\w*Variable|Functional|Model|Sequential|KerasTensor|\w*DataAdapter|EpochIterator"
    r"|CallbackList|Callback|Optimizer|BaseOptimizer|\w*Trainer|Loss|Metric|_\w+|Function|\w*IOStore|RNN|Wrapper)"
)
"""Names that cases use without naming them."""


def git(repository: Path, *words: str) -> str:
    """Returns what git prints."""
    return subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True, check=True).stdout


def words(repository: Path, commit: str, files: list[str]) -> frozenset[str]:
    """Returns the names of classes and functions that a commit changes.

    With those of what uses them (``users``). Empty where that says nothing.

    ``Dense`` for a change in any method of it, ``argmax`` for a function of that name on any backend.
    """
    found: set[str] = set()
    for name in files:
        try:
            tree = ast.parse(git(repository, "show", f"{commit}:{name}"))
        except (subprocess.CalledProcessError, SyntaxError):
            continue
        diff = git(repository, "diff", "-U0", f"{commit}^", commit, "--", name)
        spans = [
            (int(a), int(a) + int(n or 1)) for a, n in re.findall(r"^@@ .*\+(\d+)(?:,(\d+))? @@", diff, re.MULTILINE)
        ]
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if any(first <= last and start <= (node.end_lineno or first) for start, last in spans):
                    found.add(node.name)
    if any(INFRASTRUCTURE.fullmatch(name) for name in found):
        return frozenset()
    return frozenset(found | users(repository, commit, found))


def users(repository: Path, commit: str, names: set[str]) -> set[str]:
    """Returns how cases can name what uses these classes and functions.

    ``nonzero`` for the class ``Nonzero``; the classes that inherit from ``IndexLookup``; the functions that call a
    helper that no case names.
    """
    found = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in names if name[0].isupper()}
    wanted, seen = set(names), set(names)
    for _ in range(LEVELS):
        wanted = {name for name in wanted if not any(only(probe, frozenset({name})).count("|") for probe in EVERY)}
        wanted = {user for name in wanted for user in _users(repository, commit, name)} - seen
        seen |= wanted
    found |= {name for name in seen if not INFRASTRUCTURE.fullmatch(name)}
    return found - names if len(found) <= MANY else set()


LEVELS, MANY = 2, 60
"""How far users of users are followed; and the names that say nothing any more."""


def _users(repository: Path, commit: str, name: str) -> set[str]:
    """Returns the functions that call it, and the classes that use it."""
    used = rf"\b{name}\(|^class \w+\(.*\b{name}\b"
    grep = ["git", "-C", str(repository), "grep", "-lP", used, commit, "--", "keras/*.py"]
    found: set[str] = set()
    for path in subprocess.run(grep, capture_output=True, text=True, check=False).stdout.split():
        if path.endswith("_test.py"):
            continue
        text = git(repository, "show", path)
        for node in ast.parse(text).body:
            whole = ast.get_source_segment(text, node) or ""
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and re.search(used, whole, re.MULTILINE):
                found.add(node.name)
    return found


def chosen(files: list[str]) -> list[str]:
    """Returns the probes that a fix in these files is tried with."""
    found: dict[str, None] = {}
    for name in files:
        inside = name.removeprefix("keras/").removeprefix("src/")
        probes = next((probes for pattern, probes in PROBES if re.match(pattern, inside)), EVERY)
        found.update(dict.fromkeys(probes))
    return [probe for probe in found if (PAYLOAD / probe).is_dir()]


def backends(files: list[str], usual: list[str]) -> list[str]:
    """Returns the backends whose own files are changed, or the usual ones."""
    own = [m[1] for name in files if (m := re.match(r"keras/(?:src/)?backend/(tensorflow|torch|jax)/", name))]
    general = [name for name in files if "/backend/" not in name or "/backend/common/" in name]
    return list(dict.fromkeys(own if own and not general else [*own, *usual]))


@functools.cache
def _cases(probe: str) -> list[tuple[str, str]]:
    """Returns the name and the source of every function that makes a probe's cases."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((PAYLOAD / probe).rglob("*.py"))]
    functions = [(text, node) for text in texts for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return [(f.name, ast.get_source_segment(text, f) or "") for text, f in functions if not f.name.startswith("_")]


@functools.cache
def only(probe: str, names: frozenset[str]) -> str:
    """Returns a pattern over the ids of cases that name any of ``names``.

    A case names one in its id or its source. Empty for all cases.
    """
    if not names or probe in ("training", "distribution", "memory"):
        return ""
    listed = "|".join(sorted(map(re.escape, names)))
    kinds = [rf"\b({listed})\b"]
    if probe != "ops":
        kinds += [rf"^{name}\(" for name, source in _cases(probe) if re.search(kinds[0], source)]
    return "|".join(kinds)


NAMEX = """import namex
namex.convert_codebase("keras", code_directory="src")
namex.generate_api_files("keras", code_directory="src")
from pathlib import Path
init = Path("keras/__init__.py")
init.write_text(init.read_text() + "__version__ = %r")
"""
"""What ``pip_build.py`` did before 3.3, when the public interface was not in the repository."""


class Tree:
    """The sources of Keras at a commit, in a folder that goes away at the end.

    They are unpacked when first asked for.
    """

    def __init__(self, repository: Path, commit: str, python: str) -> None:
        self._repository, self._commit, self._python = repository, commit, python
        self._made = Path(tempfile.mkdtemp(prefix="keras-"))

    @functools.cached_property
    def folder(self) -> Path:
        """What goes on the path: it holds ``keras`` as a release does."""
        archive = ["git", "-C", str(self._repository), "archive", self._commit, "keras"]
        packed = subprocess.run(archive, capture_output=True, check=True).stdout
        subprocess.run(["tar", "x", "-C", str(self._made)], input=packed, check=True)
        if not (self._made / "keras" / "src").is_dir():
            for path in self._made.rglob("*_test.py"):
                path.unlink()
            env = {**os.environ, "KERAS_BACKEND": "jax", "CUDA_VISIBLE_DEVICES": ""}
            script = NAMEX % _version(self._made)
            subprocess.run([self._python, "-c", script], cwd=self._made, env=env, capture_output=True, check=True)
        return self._made

    @functools.cached_property
    def version(self) -> str:
        """The version that the sources name."""
        return _version(self.folder)

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._made, ignore_errors=True)


def _version(folder: Path) -> str:
    """Returns the version that the sources name."""
    for name in ("keras/src/version.py", "keras/version.py", "keras/__init__.py"):
        path = folder / name
        found = re.search(r'__version__ = "([^"]+)"', path.read_text()) if path.exists() else None
        if found:
            return found[1]
    return "3.0.0"


class Preloaded:
    """Processes that have imported a framework each, and run probes in forks.

    Every thread has one for each framework.
    """

    def __init__(self, python: str) -> None:
        self._python = python
        self._here = threading.local()

    def run(self, backend: str, folder: Path, tree: Path, seconds: float) -> None:
        """Runs the probe in ``folder`` with Keras's sources in ``tree``.

        It leaves its ``result.json`` there.
        """
        servers = self._here.__dict__.setdefault("servers", {})
        if backend not in servers or servers[backend].poll() is not None:
            hidden = {"KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
            servers[backend] = subprocess.Popen(
                [self._python, str(Path(__file__).with_name("preload.py")), backend],
                env={**os.environ, **hidden, "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        server = servers[backend]
        server.stdin.write(json.dumps({"folder": str(folder), "tree": str(tree), "seconds": seconds}) + "\n")
        server.stdin.flush()
        server.stdout.readline()

    def close(self) -> None:
        """Ends this thread's processes."""
        for server in self._here.__dict__.pop("servers", {}).values():
            server.communicate()


def measured(
    preloaded: Preloaded, tree: Tree, backend: str, probe: str, pattern: str, seconds: float
) -> dict[str, list]:
    """Returns the records of one process of a probe; empty where it failed."""
    with tempfile.TemporaryDirectory(prefix="recall-") as name:
        folder = Path(name)
        shutil.copytree(PAYLOAD, folder / "probe", ignore=shutil.ignore_patterns("__pycache__"))
        cell = {"framework": backend, "version": VERSIONS[backend], "keras": tree.version, "device": "cpu"}
        cell |= {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", "variant": ""}
        settings: dict[str, object] = {"budget_s": seconds}
        if probe != "training":
            settings["only"] = pattern
        request = {"schema": 1, "probe": probe, "cell": cell, "settings": settings, "seed": 0, "round": 0, "data": None}
        (folder / "request.json").write_text(json.dumps(request))
        preloaded.run(backend, folder, tree.folder, 20 * seconds + 300)
        try:
            result = json.loads((folder / "result.json").read_text())
        except (OSError, ValueError):
            return {}
    if result["status"] != "ok":
        sys.stderr.write(f"{backend} {tree.version} {probe}: {result['status']}: {result['reason']}\n")
    return result["details"].get("cases", {})


Known = dict[str, dict[str, dict[str, dict[str, list]]]]
"""Backend -> probe -> release of Keras -> records by case."""


def known(folder: Path | None, given: Iterable[str]) -> Known:
    """Returns the records of a run of the plain set, which ``--known`` names."""
    found: Known = {backend: defaultdict(dict) for backend in given}
    for path in sorted(folder.rglob("results/*/*/*.json")) if folder else ():
        result = json.loads(path.read_text())
        cell, cases = result["cell"], result["details"].get("cases")
        if cases and cell["framework"] in found and not cell["variant"]:
            found[cell["framework"]][result["probe"]][cell["keras"]] = cases
    return found


def order(release: str) -> tuple[int, ...]:
    """Returns what sorts releases."""
    return tuple(map(int, release.split(".")))


def turned(releases: dict[str, dict[str, list]], fix: dict) -> list[str]:
    """Returns the cases that are bad before a fix and right with it.

    Compared are the newest known release without the fix, and the oldest known one with it.
    """
    early = [name for name in releases if fix["before"] and order(name) <= order(fix["before"])]
    late = [name for name in releases if fix["with"] and order(name) >= order(fix["with"])]
    if not early or not late:
        return []
    old, new = releases[max(early, key=order)], releases[min(late, key=order)]
    return [ident for ident, record in old.items() if record[0] in BAD and right(new, ident)]


def exactly(idents: Iterable[str]) -> str:
    """Returns a pattern for these cases, with their further checks."""
    return "|".join(sorted({"^" + re.escape(ident.partition("#")[0]) + "$" for ident in idents}))


def replayed(fix: dict, given: argparse.Namespace, preloaded: Preloaded, seen: Known) -> dict:
    """Returns the outcome of one fix: the cases that flag it, by backend and probe.

    First the cases that turned right between the known releases around it, then those that name what it changed. Where
    that is everything, all cases of its probes: with ``--whole`` only.
    """
    commit, files = fix["commit"], fix["files"]
    names = words(given.repository, commit, files)
    flagging: list[str] = []
    tried = 0
    usual = backends(files, given.backends)
    trees = (Tree(given.repository, name, given.python) for name in (commit + "^", commit))
    with next(trees) as before, next(trees) as after:

        def attempt(backend: str, probe: str, pattern: str) -> None:
            nonlocal tried
            old = measured(preloaded, before, backend, probe, pattern, given.budget)
            tried += len(old)
            bad = [ident for ident, record in old.items() if record[0] in BAD]
            if bad:
                new = measured(preloaded, after, backend, probe, exactly(bad), given.budget)
                turned_right = [ident for ident in bad if right(new, ident)]
                if turned_right:  # once more: what wavers flags nothing
                    again = measured(preloaded, before, backend, probe, exactly(turned_right), given.budget)
                    new = measured(preloaded, after, backend, probe, exactly(turned_right), given.budget)
                    turned_right = [i for i in turned_right if i in again and again[i][0] in BAD and right(new, i)]
                flagging.extend(f"{backend} {probe} {ident}" for ident in turned_right)

        first = chosen(files)
        for backend in usual:
            for probe, releases in sorted(seen.get(backend, {}).items(), key=lambda item: item[0] not in first):
                cases = turned(releases, fix)
                named = re.compile(only(probe, names) if cases else "")
                cases = [ident for ident in cases if named.search(ident)]
                slow = probe in SLOW or not names  # concerns everything: the probes of its folder
                if cases and not flagging and (probe in first or not slow):
                    attempt(backend, probe, exactly(cases))
        for backend in usual if (names and not given.quick) or given.whole else ():
            for probe in first:
                if not flagging or given.all:
                    attempt(backend, probe, only(probe, names))
    return {"commit": commit, "subject": fix["subject"], "flagged": bool(flagging), "tried": tried,
            "words": sorted(names), "cases": flagging[:20]}  # fmt: skip


def right(records: dict[str, list], ident: str) -> bool:
    """Returns whether a case, or a further check of one, is right there."""
    body, _, check = ident.partition("#")
    record = records.get(body)
    if record is None:
        return False
    return ident not in records and record[0] in RIGHT if check else record[0] in RIGHT


def rate(outcomes: list[dict]) -> str:
    """Returns the share of fixes flagged, with the 95 % interval of Wilson's score."""
    n, k = len(outcomes), sum(outcome["flagged"] for outcome in outcomes)
    z = NormalDist().inv_cdf(0.975)
    middle, width = (k + z * z / 2) / (n + z * z), z * math.sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    return f"{k} of {n} fixes flagged: {k / n:.0%} (95 %: {middle - width:.0%} - {middle + width:.0%})"


def lines(path: Path) -> list[dict]:
    """Returns the JSON lines of a file; none where it does not exist."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    """Replays the sample, or prints a rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, nargs="?")
    parser.add_argument("--rate", type=Path, help="print the rate of these outcomes and stop")
    parser.add_argument("--repository", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--out", type=Path, default=Path("outcomes.jsonl"))
    parser.add_argument("--backends", nargs="+", default=["torch", "tensorflow", "jax"], choices=sorted(VERSIONS))
    parser.add_argument("--budget", type=float, default=150.0, help="CPU seconds per process")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--known", type=Path, help="results of the plain set on several releases")
    parser.add_argument("--quick", action="store_true", help="try only what --known saw turn right")
    parser.add_argument("--whole", action="store_true", help="try all cases for a fix that concerns everything")
    parser.add_argument("--all", action="store_true", help="go on with further backends where one has flagged a fix")
    given = parser.parse_args()
    if given.rate:
        print(rate(lines(given.rate)))
        return
    done = {outcome["commit"] for outcome in lines(given.out)}
    todo = [fix for fix in lines(given.sample) if fix["commit"] not in done]
    preloaded = Preloaded(given.python)
    seen = known(given.known, given.backends)
    with ThreadPoolExecutor(given.jobs) as pool, given.out.open("a") as file:
        due = [pool.submit(replayed, fix, given, preloaded, seen) for fix in todo]
        for outcome in (one.result() for one in as_completed(due)):
            file.write(json.dumps(outcome) + "\n")
            file.flush()
            print("flagged" if outcome["flagged"] else "-      ", outcome["subject"], *outcome["cases"][:1], sep="  ")
    found = lines(given.out)
    print(rate(found))
    print(Counter(case.split()[1] for outcome in found for case in outcome["cases"][:1]))


if __name__ == "__main__":
    main()
