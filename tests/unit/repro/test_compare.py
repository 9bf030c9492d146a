"""Figures in what scripts print, and how they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.model import Status
from runner.repro import compare, script


class TestFigures:
    def test_pairs_json_lines_and_patterns_are_read(self) -> None:
        output = 'epoch 1 acc=0.91, loss=1e-3 path=/x\n{"sum": 3, "deep": {"a": true}}\nfinal accuracy: 93.5 %\n'
        found = compare.values(output, [compare.metric_pattern(r"accuracy: ([\d.]+)")])
        assert found == {
            "acc": 0.91, "loss": 0.001, "sum": 3.0, "deep.a": "True", r"accuracy: ([\d.]+)": 93.5
        }  # fmt: skip

    def test_the_last_value_of_a_name_counts(self) -> None:
        assert compare.values("acc=0.1\nacc=0.2") == {"acc": 0.2}

    def test_a_progress_bar_leaves_its_end(self) -> None:
        assert compare.clean("1/3\r2/3\r3/3 done\x1b[0m\n") == "3/3 done\n"

    def test_differences_are_named(self) -> None:
        found = compare.rows([{"a": 1.0, "b": 2.0, "c": "x"}, {"a": 1.0, "b": 1.0}])
        assert [(row.name, row.note) for row in found] == [
            ("a", "equal"),
            ("b", "differ by 50 %"),
            ("c", "not everywhere"),
        ]

    def test_no_number_equals_itself(self) -> None:
        assert compare.rows([{"a": float("nan")}, {"a": float("nan")}])[0].note == "equal"

    @pytest.mark.parametrize(("text", "why"), [("acc=(", "no regular expression"), ("acc", "captures nothing")])
    def test_a_bad_pattern_is_refused(self, text: str, why: str) -> None:
        with pytest.raises(UsageError, match=why):
            compare.metric_pattern(text)

    @given(st.lists(st.text(), min_size=1, max_size=3))
    def test_any_output_can_be_shown(self, outputs: list[str]) -> None:
        ran = [script.Ran(f"cell{n}", Status.OK, 0, "", text) for n, text in enumerate(outputs)]
        lines = compare.render(ran, [], 120)
        assert all(one.cell in "\n".join(lines) for one in ran)
