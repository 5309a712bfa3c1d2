"""What commands show on a terminal of 80 columns, and the same in a pipe."""

import re
from typing import Any

import pytest

from tests.support.command import Command
from tests.support.endpoint import Reply
from tests.support.terminal import Terminal

ANSWER = "Use **these** words:\n\n- " + "reasonable words " * 12 + "\n- `code`"

ERASE, CONTROL = re.compile(r"\x1b\[2?K"), re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def script(body: dict[str, Any]) -> Reply:
    return ANSWER


def shown(*arguments: str, columns: int = 80, **variables: str) -> list[str]:
    """The rows that stand there when the command has ended well, without colours."""
    terminal = Terminal(*arguments, "--user", "ann", columns=columns, **variables)
    try:
        assert terminal.end() == 0
    finally:
        terminal.kill()
    rows = [ERASE.split(row)[-1] for row in terminal.passed.replace("\r\n", "\n").split("\n")]
    return [CONTROL.sub("", row) for row in rows]


def test_an_answer_is_drawn_and_its_rows_break_between_words(command: Command) -> None:
    rows = shown("ask", "Which words?")
    assert {"Use these words:", " • code"} <= set(rows)
    assert "   reasonable words" in "\n".join(rows)
    assert all(re.fullmatch(r"[ •]*(reasonable words ?)+", row) for row in rows if "reason" in row)
    assert max(map(len, rows)) <= 80


def test_an_answer_in_a_pipe_is_what_the_model_wrote(command: Command) -> None:
    result = command("ask", "Which words?", "--user", "ann")
    assert (result.out, result.err) == (f"{ANSWER}\n", "")


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"])
def test_a_pipe_is_a_pipe_whatever_the_environment_says(
    variable: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    result = command("ask", "Which words?", "--user", "ann")
    assert (result.out, result.err) == (f"{ANSWER}\n", "")


@pytest.mark.parametrize("listing", [("memory", "list"), ("persona", "show"), ("profile", "show")])
def test_a_listing_fits_and_has_no_filling(listing: tuple[str, ...], command: Command) -> None:
    command("ask", "Which words? " * 12, "--user", "ann")
    rows, piped = shown(*listing), command(*listing, "--user", "ann").out.split("\n")
    assert not [row for row in [*rows, *piped] if row != row.rstrip()]
    assert 40 < max(map(len, rows)) <= 80
