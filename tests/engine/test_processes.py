"""Programs that are started and waited for, and shells on the host: real processes, no Docker engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.errors import UnavailableError
from runner.executors import Prepared, Shell, shell
from runner.model import Cell, Environment
from runner.util import commands

CELL = Cell("torch", "2.2.2", None, "3.11", "cpu")
ENVIRONMENT = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")


def python(code: str, **more: str) -> commands.Ended:
    return commands.run([sys.executable, "-c", code], timeout_s=20, **more)  # type: ignore[arg-type]


class TestCommands:
    def test_what_a_program_prints_and_its_exit_code_are_returned(self) -> None:
        ended = python("import sys; print(input()); print('why', file=sys.stderr); sys.exit(3)", typed="hello\n")
        assert (ended.code, ended.output, ended.errors, ended.late) == (3, "hello\n", "why\n", False)

    def test_a_program_sees_the_variables_that_it_is_given_and_no_others(self) -> None:
        code = "import os; print(os.environ.get('A'), os.environ.get('PATH'))"
        ended = commands.run([sys.executable, "-c", code], timeout_s=20, variables={"A": "b"})
        assert ended.output == "b None\n"

    def test_a_program_that_hangs_is_stopped(self) -> None:
        ended = commands.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.3)
        assert (ended.code, ended.late) == (None, True)

    def test_bytes_that_are_not_text_do_not_break_it(self) -> None:
        assert python("import os; os.write(1, b'a\\xff')").output == "a\N{REPLACEMENT CHARACTER}"

    def test_a_program_that_is_not_there_is_a_reason(self) -> None:
        ended = commands.run(["no-such-program"], timeout_s=1)
        assert (ended.code, ended.errors) == (None, "no-such-program is not installed")

    def test_a_file_that_cannot_be_started_is_a_reason(self, tmp_path: Path) -> None:
        path = tmp_path / "broken"
        path.write_text("#!/no/such/interpreter\n")
        path.chmod(0o755)
        ended = commands.run([str(path)], timeout_s=1)
        assert (ended.code, ended.errors) == (None, f"{path} cannot be started: No such file or directory")

    @pytest.mark.parametrize(("code", "printed"), [("print(' a ')", "a"), ("print('a'); raise SystemExit(1)", "")])
    def test_the_output_counts_only_where_the_program_succeeded(self, code: str, printed: str) -> None:
        assert commands.output(sys.executable, "-c", code, timeout_s=20) == printed


class TestHostShell:
    @pytest.mark.parametrize(
        ("code", "exit_code"),
        [
            ("import probe", 0),
            ("import runner.cli", 1),
            ("raise SystemExit(7)", 7),
            ("import os; os.kill(os.getpid(), 15)", 143),
        ],
    )
    def test_it_ends_as_its_command_does(self, code: str, exit_code: int, tmp_path: Path) -> None:
        words = (sys.executable, "-S", "-c", f"import os; os.chdir({str(tmp_path)!r}); {code}")
        assert shell.on_host(Shell(CELL, Prepared(ENVIRONMENT, sys.executable), words, {})) == exit_code

    def test_a_command_that_is_not_there_is_one_line(self, tmp_path: Path) -> None:
        prepared = Prepared(ENVIRONMENT, str(tmp_path / "bin" / "python"))
        with pytest.raises(UnavailableError, match="no-such-command cannot be started: No such file"):
            shell.on_host(Shell(CELL, prepared, ("no-such-command",), {}))
