"""Figures in what scripts print, and how they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.matrix import scripts
from runner.model import Status
from runner.repro import compare, script


class TestFigures:
    def test_pairs_json_lines_and_patterns_are_read(self) -> None:
        output = 'epoch 1 acc=0.91, loss=1e-3 path=/x\n{"sum": 3, "deep": {"a": true}}\nfinal accuracy: 93.5 %\n'
        found = compare.values(output, [scripts.metric_pattern(r"accuracy: ([\d.]+)")])
        assert found == {
            "acc": 0.91, "loss": 0.001, "sum": 3.0, "deep.a": "True", r"accuracy: ([\d.]+)": 93.5
        }  # fmt: skip

    def test_the_last_value_of_a_name_counts(self) -> None:
        assert compare.values("acc=0.1\nacc=0.2") == {"acc": 0.2}

    def test_titles_and_the_clipboard_are_not_output(self) -> None:
        output = "\x1b]52;c;ZXZpbA==\x07acc=1\x1b]0;t\x1b\\\nb\x1b[?25l\x07\u202e"
        assert compare.clean(output) == "acc=1\nb\ufffd\ufffd"

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

    @pytest.mark.parametrize(("text", "why"), [("acc=(", "not a regular expression"), ("acc", "captures nothing")])
    def test_a_bad_pattern_is_refused(self, text: str, why: str) -> None:
        with pytest.raises(UsageError, match=why):
            scripts.metric_pattern(text)

    @given(st.lists(st.text(), min_size=1, max_size=3))
    def test_any_output_can_be_shown(self, outputs: list[str]) -> None:
        ran = [script.Ran(f"cell{n}", Status.OK, 0, "", text) for n, text in enumerate(outputs)]
        lines = compare.render(ran, [], 120)
        assert all(one.cell in "\n".join(lines) for one in ran)


class TestValues:
    @pytest.mark.parametrize(
        ("line", "found"),
        [
            ("a=1 b=-2.5e-3, c=.5; d=+7) [e=2.]", {"a": 1.0, "b": -0.0025, "c": 0.5, "d": 7.0, "e": 2.0}),
            ("loss=inf other=-inf", {"loss": float("inf"), "other": float("-inf")}),
            ("mode=fast v=1.2.3 t=12:30", {"mode": "fast", "v": "1.2.3", "t": "12:30"}),
            ("train.acc=0.5 _x=1", {"train.acc": 0.5, "_x": 1.0}),
            ("--lr=0.1 x-y=2 p=/tmp", {}),
            ("{'loss': 0.3}", {}),
            ("{broken}", {}),
            ('{"a": 1', {}),
            ('  {"a": [1, 2], "b": null, "c": false, "d": "x", "e": {"f": {"g": 2}}}  ',
             {"a": "[1, 2]", "b": "None", "c": "False", "d": "x", "e.f.g": 2.0}),
            ('{"huge": 1' + "0" * 400 + "}", {"huge": "1" + "0" * 400}),
        ],
    )  # fmt: skip
    def test_lines(self, line: str, found: dict[str, float | str]) -> None:
        assert compare.values(line) == found

    def test_json_that_is_nested_too_deep_is_no_figure(self) -> None:
        text = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
        assert compare.values(text) == {}

    @pytest.mark.parametrize("depth", [17, 600, 3000])
    def test_figures_beyond_sixteen_levels_are_left_out_and_the_others_stay(self, depth: int) -> None:
        text = '{"a": 1, "b": ' + '{"x": ' * depth + "2" + "}" * (depth + 1)
        found = compare.values(f"{text}\nc=3")
        assert found in ({"a": 1.0, "c": 3.0}, {"c": 3.0})  # some releases of Python read no JSON that is so deep
        assert "a" in found or depth > 600
        assert compare.values('{"b": ' + '{"x": ' * 14 + "2" + "}" * 15) == {"b" + ".x" * 14: 2.0}

    def test_a_pattern_names_its_figures(self) -> None:
        pattern = scripts.metric_pattern(r"epoch (?P<n>\d+)(?: acc (?P<acc>[\d.]+))?")
        assert compare.values("epoch 1\nepoch 2 acc 0.5", [pattern]) == {"n": 2.0, "acc": 0.5}
        plain = scripts.metric_pattern(r"(?:loss (\d+))|(?:none (\w+))")
        assert compare.values("none yet", [plain]) == {plain.pattern: "yet"}
        optional = scripts.metric_pattern(r"x(y)?")
        assert compare.values("x", [optional]) == {"x(y)?": ""}

    def test_colours_and_what_was_overwritten_do_not_count(self) -> None:
        assert compare.clean("\x1b[31mred\x1b[0m  \nold\rnew\r\nabc\b\bx") == "red\nnew\nx"
        assert compare.values("acc=0.1\racc=\x1b[1m0.2\x1b[0m") == {"acc": 0.2}


class TestRows:
    @pytest.mark.parametrize(
        ("values", "note"),
        [
            ([1.0, 1.0], "equal"), ([1.0, 1.5, 2.0], "differ by 50 %"), ([-1.0, 1.0], "differ by 200 %"),
            ([0.0, -0.0], "equal"), ([1.0, float("inf")], "differ"), ([1.0, float("nan")], "differ"),
            (["a", "a"], "equal"), (["a", "b"], "differ"), (["a", 1.0], "differ"),
            ([1.0, 1.0012345], "differ by 0.123 %"), ([float("nan"), 1.0], "differ"),
            ([1e308, -1e308], "differ by 200 %"),
            ([None, None], "not everywhere"), ([0.0, 5e-324], "differ by 100 %"),
        ],
    )  # fmt: skip
    def test_notes(self, values: list[float | str | None], note: str) -> None:
        given: list[dict[str, compare.Value]] = [{"x": value} if value is not None else {"y": 1.0} for value in values]
        found = {row.name: row for row in compare.rows(given)}
        if "x" in found:
            assert found["x"] == compare.Row("x", tuple(values), note)
        else:
            assert found["y"].note == "equal"

    def test_the_order_is_that_of_first_print(self) -> None:
        assert [row.name for row in compare.rows([{"b": 1.0, "a": 1.0}, {"c": 1.0, "a": 1.0}])] == ["b", "a", "c"]


class TestRender:
    RAN = (
        script.Ran("jax-1", Status.OK, 0, "", "acc=0.5\nline that is much too long for a column of this width\n", 1.25),
        script.Ran("torch-2", Status.CRASHED, 1, "exit code 1: oops", "oops", 2.0, command="again 2"),
    )

    def test_side_by_side_where_the_columns_are_wide_enough(self) -> None:
        assert compare.render(self.RAN, [], 79) == [
            f"{'jax-1: exit code 0, 1.2 s':38} | torch-2: exit code 1, 2.0 s",
            f"{'-' * 38} | {'-' * 38}",
            f"{'acc=0.5':38} | oops",
            f"{'line that is much too long for a ':38} |",
            f"{'column of this width':38} |",
            "torch-2: exit code 1: oops",
            "",
            "     jax-1         torch-2",
            "acc  0.5           -             not everywhere",
            "",
            "Run one cell again",
            "  again 2",
        ]

    def test_one_below_the_other_where_they_are_not(self) -> None:
        lines = compare.render(self.RAN, [], 78)
        assert lines[:6] == [
            "jax-1: exit code 0, 1.2 s",
            "-" * 25,
            "acc=0.5",
            "line that is much too long for a column of this width",
            "",
            "torch-2: exit code 1, 2.0 s",
        ]
        assert compare.render(self.RAN[:1], [], 10)[1] == "-" * 10

    def test_one_cell_has_figures_without_a_comparison(self) -> None:
        assert compare.render(self.RAN[:1], [], 120)[-3:] == ["", "     jax-1", "acc  0.5"]

    def test_without_figures_there_is_no_table(self) -> None:
        assert compare.render([script.Ran("c", Status.OK, 0, "", "hello")], [], 80) == [
            "c: exit code 0, 0.0 s", "-" * 21, "hello", ""
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("status", "code", "shown"),
        [
            (Status.OK, 0, "exit code 0, 1.0 s"),
            (Status.CRASHED, 3, "exit code 3, 1.0 s"),
            (Status.TIMEOUT, 137, "exit code 137, timeout, 1.0 s"),
            (Status.BUILD_FAILED, None, "build-failed"),
        ],
    )
    def test_how_it_ended(self, status: Status, code: int | None, shown: str) -> None:
        assert compare.render([script.Ran("c", status, code, "", "", 1.0)], [], 80)[0] == f"c: {shown}"

    def test_figures_are_shown_with_ten_digits(self) -> None:
        ran = [script.Ran("c", Status.OK, 0, "", "a=0.123456789012 b=3 c=text")]
        assert [line.split() for line in compare.render(ran, [], 80)[-3:]] == [
            ["a", "0.123456789"], ["b", "3"], ["c", "text"]
        ]  # fmt: skip
