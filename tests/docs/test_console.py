"""What the reader of console blocks accepts and refuses."""

from __future__ import annotations

import console
import pytest


def read(*lines: str) -> list[console.Block]:
    return list(console.blocks("\n".join(lines) + "\n"))


def test_a_console_block_has_commands_and_their_output() -> None:
    (block,) = read("# A page", "```console run exit=1", "$ one \\", "    more", "printed", "", "$ two", "```")
    assert (block.line, block.kind, block.exit_codes) == (2, "run", (1,))
    assert block.commands == (console.Command("one \\\n    more", ("printed", "")), console.Command("two", ()))


def test_a_block_of_sh_has_commands_alone_and_its_comments_are_left_out() -> None:
    (block,) = read("```sh engine", "# first", "one  # why", "two \\", "  more", "```")
    assert [command.text for command in block.commands] == ["one", "two    more"]
    assert all(command.output is None for command in block.commands)


def test_a_file_is_a_block_of_another_language() -> None:
    (block,) = read("```python file=a.py", "print(1)", "```", "```text", "$ not a command", "```")
    assert (block.kind, block.file, block.text) == ("file", "a.py", "print(1)\n")


def test_a_block_in_a_list_loses_the_indentation_of_the_list() -> None:
    (block,) = read("1. First:", "", "   ```console run", "   $ one", "   printed", "   ```")
    assert block.commands == (console.Command("one", ("printed",)),)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ("sh", "without a class"),
        ("console later", "without a class"),
        ("", "language ''"),
        ("sh never", "say why"),
        ("sh run: because", "takes no reason"),
        ("sh run exits=1", "exits"),
        ("sh long: `quick` is long", "backtick"),
    ],
)
def test_a_block_without_a_class_that_is_known_is_refused(info: str, message: str) -> None:
    with pytest.raises(console.ClassError, match=f"line 3: .*{message}"):
        read("", "", f"```{info}", "one", "```")


def test_a_console_block_without_a_dollar_sign_is_refused() -> None:
    with pytest.raises(console.ClassError, match="is missing"):
        read("```console run", "one", "```")


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a", "b"], "a  \nb", True),
        (["a"], "a\nb\n", False),
        (["a", "..."], "a\nb\nc\n", True),
        (["a", "..."], "a\n", True),
        (["...", "c"], "a\nb\n", False),
        (["took ... s"], "took 1.5 s\n", True),
        (["took ... s"], "took 1.5\nmore s\n", False),
        (["a.c"], "abc\n", False),
        ([], "", True),
        ([], "a\n", False),
    ],
)
def test_output_fits_what_is_shown(shown: list[str], printed: str, *, fits: bool) -> None:
    assert console.fits(tuple(shown), printed) is fits


def test_numbers_stand_for_any_numbers_where_the_output_varies() -> None:
    shown = ("start_s  json  regressed  +216.8%  +208.9% .. +226.6%  0.00049",)
    assert console.fits(shown, "start_s  json regressed +98.1%  +9% .. +226.63%  4.9e-05", varies=True)
    assert not console.fits(shown, "start_s  json  improved  +216.8%  +208.9% .. +226.6%  0.00049", varies=True)
