"""A shell is told what may stand next; in a chat, commands are completed behind a slash."""

from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from personaagent.cli.chat_commands import CHAT_COMMANDS
from personaagent.cli.chat_completion import SlashCompleter
from personaagent.cli.main import COMPLETE
from tests.support.command import Command, command_line
from tests.support.imports import import_json, opened


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    with command_line(monkeypatch, capsys, tmp_path / "home") as command:
        yield command


def offered(command: Command, *words: str) -> list[str]:
    """What bash may put in place of the last word."""
    command.monkeypatch.setenv(COMPLETE, "complete_bash")
    command.monkeypatch.setenv("COMP_WORDS", " ".join(("personaagent", *words)))
    command.monkeypatch.setenv("COMP_CWORD", str(len(words)))
    result = command()
    assert (result.code, result.err) == (0, "")
    return result.out.split()


def test_commands_and_options_are_completed(command: Command) -> None:
    assert offered(command, "me") == ["memory"]
    assert {"chat", "ask", "align", "persona"} <= set(offered(command, ""))
    assert offered(command, "memory", "exp") == ["export"]
    assert {"--user", "--json"} <= set(offered(command, "memory", "list", "--"))


async def test_users_with_a_memory_here_are_completed(command: Command, tmp_path: Path) -> None:
    async with opened(tmp_path / "home") as agent:
        for user in ("ann", "anton", "bea"):
            line = {"query": "q", "response": "r"}
            await import_json(agent, tmp_path / "given.jsonl", line, user=user)
    assert sorted(offered(command, "ask", "--user", "an")) == ["ann", "anton"]
    assert offered(command, "ask", "--user", "x") == []


def test_broken_settings_do_not_disturb_what_is_typed(command: Command, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text("user = [")
    assert offered(command, "ask", "--user", "") == []
    assert offered(command, "as") == ["ask"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str, command: Command) -> None:
    command.monkeypatch.setenv(COMPLETE, f"source_{shell}")
    result = command()
    assert (result.code, result.err) == (0, "")
    assert COMPLETE in result.out


def in_chat(before: str, after: str = "") -> list[str]:
    """The lines that are offered while this stands before and behind the cursor."""
    completer = SlashCompleter({name: each.help for name, each in CHAT_COMMANDS.items()})
    document = Document(before + after, len(before))
    return [
        before[: len(before) + each.start_position] + each.text
        for each in completer.get_completions(document, CompleteEvent())
    ]


def test_a_command_of_the_chat_is_completed_behind_the_slash() -> None:
    assert in_chat("/") == [f"/{name}" for name in CHAT_COMMANDS]
    assert in_chat("/p") == ["/profile", "/persona"]
    assert in_chat("/ex") == ["/export"]


def test_a_file_is_completed_for_the_command_that_takes_one(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").touch()
    assert in_chat(f"/export {tmp_path}/mi") == [f"/export {tmp_path}/mine.jsonl"]
    assert in_chat(f"/fix {tmp_path}/mi") == []


@pytest.mark.parametrize(
    "typed",
    ["", "p", " /p", "/quit", "/fix it", "/export /no/where/", "a\n/p", "/nonsense", "https://a/p"],
)
def test_nothing_else_is_completed_in_a_chat(typed: str) -> None:
    assert in_chat(typed) == []


def test_nothing_is_completed_within_a_line() -> None:
    assert in_chat("/p", " and more") == []
