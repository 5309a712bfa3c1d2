"""The console script: help at once, and one sentence and the right exit code whatever goes wrong."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from personaagent.cli import main as script
from personaagent.cli.app import app
from personaagent.core import errors
from tests.support.command import Command, Result, command_line


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    with command_line(monkeypatch, capsys, tmp_path) as command:
        yield command


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_is_what_typer_renders(arguments, command: Command, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        app(["--help"], prog_name="personaagent")
    rendered = command.capsys.readouterr().out
    assert "persona" in rendered
    assert command(*arguments) == Result(0, rendered, "")


def test_help_imports_neither_typer_nor_rich_nor_the_agent() -> None:
    code = (
        "import sys; from personaagent.cli.main import main; main(['--help']);"
        "print(sorted({'typer', 'rich', 'pydantic', 'langgraph'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.endswith("\n[]\n")


def test_inside_another_program_it_leaves_imports_and_the_collector_alone(command: Command) -> None:
    before = (gc.get_threshold(), gc.get_freeze_count(), [*sys.meta_path])
    assert command("--version").code == 0
    assert (gc.get_threshold(), gc.get_freeze_count(), sys.meta_path) == before


def test_version(command: Command) -> None:
    result = command("--version")
    assert (result.code, result.out.split()[0]) == (0, "personaagent")


@pytest.mark.parametrize(
    "arguments",
    [["aks"], ["ask", "hello"], ["ask", "--user", "ann"], ["persona", "diff", "one", "2"]],
)
def test_a_wrong_command_line_is_exit_code_2(arguments, command: Command) -> None:
    result = command(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError, 2),
        (errors.EmbeddingsChanged, 3),
        (errors.ModelUnavailable, 4),
        (errors.UnknownEpisode, 5),
    ],
)
def test_our_errors_are_one_line_and_their_exit_code(error, code, command, monkeypatch) -> None:
    def fail(arguments):
        raise error("It is\nbroken: \x1b[31mmend it.")

    monkeypatch.setattr(script, "_run", fail)
    assert command("ask") == Result(code, "", "Error: It is broken: [31mmend it.\n")


def test_an_unforeseen_error_is_one_line_that_says_how_to_see_more(command, monkeypatch) -> None:
    def fail(arguments):
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(script, "_run", fail)
    result = command("ask")
    assert result.code == 1
    assert "ZeroDivisionError: by nought" in result.err
    assert "PERSONAAGENT_DEBUG=1" in result.err
    assert result.err.count("\n") == 1
    monkeypatch.setenv("PERSONAAGENT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        command("ask")


def test_a_data_folder_that_cannot_be_is_exit_code_5(command: Command, monkeypatch) -> None:
    monkeypatch.setenv("PERSONAAGENT_HOME", "/dev/null/folder")
    result = command("persona", "show", "--user", "ann")
    assert (result.code, result.out) == (5, "")
    assert result.err.startswith(
        "Error: The data folder /dev/null/folder cannot be used (Not a directory)"
    )


def test_an_interrupt_is_130_without_a_word(command, monkeypatch) -> None:
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(script, "_run", interrupt)
    assert command("ask") == Result(130, "", "")


@pytest.mark.parametrize("argument", ["--help", "config"])
def test_a_reader_that_has_gone_is_no_error(argument: str, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    code = "from personaagent.cli.main import main; raise SystemExit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", code, argument],
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "PERSONAAGENT_HOME": str(tmp_path)},
        check=False,
    )
    os.close(write_end)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_what_it_writes_is_its_owners_alone(command: Command, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(script, "_run", lambda arguments: (tmp_path / "file").write_text("x"))
    os.umask(0)
    command("ask")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
