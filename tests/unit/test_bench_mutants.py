"""bench/mutants.py: what it may change, what it draws, and how it counts."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"

SOURCE = '''\
"""A docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    import inside

    CHECKED = 11

__all__ = ["exported"]

TABLE: dict[Literal["annotated"], "quoted"] = {"row": 1, "other": None}
"""The text below a constant."""


@decorated(flag=True)
def first(size: "int" = 3, *, name: str | None = None) -> "str":
    """Another docstring."""
    total = 0
    for index in range(size):
        if index in (1, 2) and not name:
            continue
        total += index
    try:
        run(total, strict=zip(a, b, strict=True))
    except (OSError, ValueError) as error:
        raise Failed(f"it's {error!r:>{size}} of {total + 1:.3f}") from error
    while total < 0.5 or size is None:
        total = cast("Number", total)
    return f"{name}: {[x for x in TABLE if x != 'ä']}" "é" if total else name


class Second:
    field: int = 5

    def ready(self) -> bool:
        return self.field == 1 or not self.field
'''


@pytest.fixture
def mutants(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("mutants")


@pytest.fixture
def sites(mutants: ModuleType) -> Any:
    return mutants.sites


def test_the_same_seed_draws_the_same_sample(sites: Any) -> None:
    texts = {"runner/b.py": SOURCE, "runner/a.py": SOURCE}
    drawn = sites.draw(texts, 7, 20)
    assert drawn == sites.draw(dict(reversed(texts.items())), 7, 20)
    assert drawn != sites.draw(texts, 8, 20)
    assert len({(mutant.path, mutant.number) for mutant in drawn}) == 20
    assert {mutant.path for mutant in drawn} == set(texts)


def test_no_more_than_there_is_is_drawn(sites: Any) -> None:
    assert [str(mutant) for mutant in sites.draw({"runner/a.py": "x = 1\n"}, 1, 9)] == ["runner/a.py:1: 1 -> 2"]


def test_every_operator_changes_something_and_gives_python(sites: Any) -> None:
    seen = set()
    for mutant in sites.every({"runner/a.py": SOURCE}):
        changed = sites.mutated(SOURCE, mutant.number, mutant.variant)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(SOURCE)), mutant
        compile(changed, "changed", "exec")
        seen.add(mutant.operator)
    assert seen == set(sites.OPERATORS)


@pytest.mark.parametrize(
    "text", ["docstring", "exported", "annotated", "quoted", "11", "text below", "Number", "'int'"]
)
def test_what_is_not_run_is_not_changed(sites: Any, text: str) -> None:
    befores = [mutant.before for mutant in sites.every({"runner/a.py": SOURCE}) if mutant.operator == "constant"]
    assert "'row'" in befores
    assert not [before for before in befores if text in before]


def test_flags_against_mistakes_of_the_programmer_are_not_changed(sites: Any) -> None:
    changes = [m for m in sites.every({"runner/a.py": SOURCE}) if (m.before, m.after) == ("True", "False")]
    assert [mutant.line for mutant in changes] == [18]  # flag=True; strict=True of zip is left alone


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if a < b:\n    f()\n", {"a < b -> a <= b", "a < b -> not a < b", "a < b -> True", "a < b -> False"}),
        ("if a == b:\n    pass\n", {"a == b -> a != b", "a == b -> True", "a == b -> False"}),
        ("x = a and not b\n", {"a and (not b) -> a or not b", "not b -> b"}),
        ("x = [1.5, 'text', b'', True]\n", {"1.5 -> 2.5", "'text' -> 'XXtextXX'", "b'' -> b'XXXX'", "True -> False"}),
        ("f(None)\n", {"None -> 'XX'", "f(None) -> pass"}),
        ("x = a is None\n", {"a is None -> a is not None"}),
        ("def f():\n    return g(a)\n", {"return g(a) -> return None"}),
        ("def f():\n    return a or b\n", {"a or b -> a and b", "return a or b -> return not (a or b)"}),
        ("def f():\n    raise g\n", {"raise g -> pass"}),
        ("def f():\n    x = y\n", {"x = y -> pass"}),
        ("x = y\n", set()),
        ("try:\n    pass\nexcept OSError:\n    pass\n", {"OSError -> StopAsyncIteration"}),
        ("x = f'{a:.3g}b'\n", {"'.3g' -> '.4g'", "'b' -> 'XXbXX'"}),
    ],
)
def test_variants(sites: Any, source: str, expected: set[str]) -> None:
    found = {f"{mutant.before} -> {mutant.after}" for mutant in sites.every({"runner/a.py": source})}
    assert found - {"f() -> pass"} == expected


def test_a_change_keeps_the_rest_of_the_file(sites: Any) -> None:
    source = "x = 'ä', (1   +  # one\n    2)\n"
    (two,) = [mutant for mutant in sites.every({"runner/a.py": source}) if mutant.before == "2"]
    assert sites.mutated(source, two.number, two.variant) == "x = 'ä', (1   +  # one\n    3)\n"


def test_the_function_is_named_as_its_code_object_has_it(sites: Any) -> None:
    code = compile(SOURCE, "runner/a.py", "exec", dont_inherit=True)
    first = next(each for each in code.co_consts if getattr(each, "co_name", "") == "first")
    inside = {mutant.entry for mutant in sites.every({"runner/a.py": SOURCE}) if mutant.scope == "first"}
    # defaults and decorators run where the function is defined, at the top of the module
    assert inside == {0, first.co_firstlineno}


@pytest.mark.parametrize(
    ("path", "stratum"),
    [
        ("runner/judge/ranks.py", "judge and core"),
        ("runner/store.py", "judge and core"),
        ("runner/export.py", "defects, diagnose, repro, bisect, export"),
        ("runner/executors/host.py", "executors and images"),
        ("runner/cli/__init__.py", "cli"),
        ("runner/probe/mnist.py", "payload"),
    ],
)
def test_strata(mutants: Any, path: str, stratum: str) -> None:
    assert mutants.stratum(path) == stratum


def test_the_interval_is_wilsons(mutants: Any) -> None:
    low, high = mutants.wilson(64, 97)
    assert (round(low, 3), round(high, 3)) == (0.561, 0.746)
    assert mutants.wilson(5, 5)[1] == 1.0
    assert mutants.wilson(0, 0) == (0.0, 1.0)


def test_a_timeout_counts_as_killed(mutants: Any, sites: Any) -> None:
    (mutant,) = sites.draw({"runner/report/a.py": "x = 1\n"}, 1, 1)
    results = [mutants.Result(mutant, outcome, "", 1.0) for outcome in ("killed", "timeout", "survived", "survived")]
    last = list(mutants.table(results))[-2:]
    assert last[0].split()[:4] == ["all", "2", "2", "50"]
    assert last[1] == "1 of the killed ones by a limit of time"


def test_survivors_are_found_again_where_lines_and_files_have_moved(mutants: Any, sites: Any) -> None:
    source = "def f(a):\n    return a < 1\n"
    drawn = sites.draw({"runner/old.py": source}, 3, 4)
    recorded = [{**vars(mutant), "outcome": "survived"} for mutant in drawn]
    found, gone = mutants.found_again(recorded, {"runner/new.py": f"import os\n\n\n{source}"})
    assert [(mutant.before, mutant.after, mutant.line) for mutant in found] == [(m.before, m.after, 5) for m in drawn]
    assert not gone
    found, gone = mutants.found_again(recorded[:1], {"runner/new.py": "x = 5\n"})
    assert not found
    assert gone == [str(drawn[0])]


def test_equivalent_mutants_are_named_as_they_are_printed(mutants: Any, sites: Any, tmp_path: Path) -> None:
    one, two = sites.draw({"runner/a.py": "x = 1\ny = 12\n"}, 3, 2)
    file = tmp_path / "equivalent.txt"
    file.write_text(f"{one}  nobody reads it\n", encoding="utf-8")
    equivalents = mutants.Equivalents.load(file)
    assert one in equivalents
    assert two not in equivalents


def test_tests_that_can_notice_a_mutant_come_first(mutants: Any, sites: Any) -> None:
    inside, top = sites.every({"runner/a.py": "def f():\n    return g()\n\n\nx = 1\n"})
    calls = {
        "far": {("runner/b.py", 1)},
        "broad": {("runner/a.py", 1), ("runner/b.py", 1)},
        "near": {("runner/a.py", 1)},
        "other": {("runner/a.py", 9), ("runner/b.py", 1), ("runner/b.py", 2)},
        "reader": {("runner/a.py", 0), ("runner/b.py", 1), ("runner/b.py", 2), ("runner/b.py", 3)},
    }
    seconds = dict.fromkeys([*calls, "unknown"], 0.01)
    base = mutants.running.Baseline((), seconds, calls, set(), 100, 60.0)
    assert mutants.running.related(inside, base) == ["unknown", "near", "broad", "reader"]
    assert mutants.running.related(top, base) == ["unknown", "near", "broad", "other", "reader"]


def test_all_tests_run_where_an_import_can_carry_the_change(mutants: Any, sites: Any) -> None:
    inside, top = sites.every({"runner/a.py": "def f():\n    return g()\n\n\nx = 1\n"})
    (payload,) = sites.every({"runner/probe/a.py": "def f():\n    return g()\n"})
    base = mutants.running.Baseline((), {}, {}, set(), 100, 60.0)
    assert mutants.running.is_confined(inside, base)
    assert not mutants.running.is_confined(top, base)
    assert not mutants.running.is_confined(payload, base)
    imported = mutants.running.Baseline((), {}, {}, {("runner/a.py", 1)}, 100, 60.0)
    assert not mutants.running.is_confined(inside, imported)


def test_what_tests_call_is_kept_until_their_file_changes(mutants: Any, tmp_path: Path) -> None:
    file = tmp_path / "calls.json"
    calls = {"tests/unit/test_a.py::one": {("runner/a.py", 1)}, "tests/unit/test_b.py::two": {("runner/a.py", 0)}}
    base = mutants.running.Baseline(("tests/unit",), dict.fromkeys(calls, 0.5), calls, {("runner/c.py", 3)}, 100, 60.0)
    then = {"tests/unit/test_a.py": "A", "tests/unit/test_b.py": "B", "": "others"}
    memory = mutants.memory
    assert memory.load(file, ["tests/unit"], then) is None
    memory.save(file, base, then)
    assert memory.load(file, ["tests/unit"], then) == (base, [])
    assert memory.load(file, ["tests/unit"], {**then, "": "changed"}) is None
    assert memory.load(file, ["tests/probe"], then) is None

    now = {**then, "tests/unit/test_b.py": "new", "tests/unit/test_c.py": "C", "tests/probe/test_d.py": "D"}
    known, changed = memory.load(file, ["tests/unit"], now)
    assert changed == ["tests/unit/test_b.py", "tests/unit/test_c.py"]
    assert list(known.calls) == list(known.seconds) == ["tests/unit/test_a.py::one"]
