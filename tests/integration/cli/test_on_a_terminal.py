"""What commands show on a terminal of 80 columns, and the same in a pipe."""

import re
from typing import Any

import pytest

from tests.support.command import Command
from tests.support.endpoint import Reply
from tests.support.terminal import Terminal

ANSWER = "Use **these** words:\n\n- " + "reasonable words " * 12 + "\n- `code`"


def script(body: dict[str, Any]) -> Reply:
    return ANSWER


def shown(*arguments: str, columns: int = 80, **variables: str) -> str:
    """All that the command shows on a terminal, without colours; it ends well."""
    terminal = Terminal(*arguments, "--user", "ann", columns=columns, **variables)
    try:
        assert terminal.end() == 0
    finally:
        terminal.kill()
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.passed).replace("\r\n", "\n")


def test_an_answer_is_drawn_and_its_rows_break_between_words(command: Command) -> None:
    text = shown("ask", "Which words?")
    rows = [row.rpartition("\x1b[K")[2].rstrip() for row in text.split("\n")]
    assert "Use these words:" in rows
    assert "   reasonable words reasonable words" in "\n".join(rows)
    assert " • code" in rows
    assert all(len(row) <= 80 for row in rows)


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
    for text in (shown(*listing), command(*listing, "--user", "ann").out):
        assert not re.search(r"[ \t]$", text, re.MULTILINE)
    rows = shown(*listing).split("\n")
    assert 40 < max(map(len, rows)) <= 80
