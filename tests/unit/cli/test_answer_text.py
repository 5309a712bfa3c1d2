"""An answer while it is written: drawn from Markdown on a terminal, as it is in a pipe."""

import re
import sys
from collections.abc import Iterable, Iterator
from io import StringIO

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from personaagent.cli import answer_text
from personaagent.cli.answer_text import TO_LINE_START, DrawnText, open_answer

WIDTH = 40
PIECES = [
    *("one", "two words", "\n", "\n\n", "- item ", "1. first ", "10. tenth ", "**", "*", "_", "`"),
    *(
        "```",
        "\n```py\n",
        "    ",
        "# head\n",
        "\n| x",
        "\n|-|-|\n",
        "\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    ),
    *(
        "[a](http://x.y)",
        "[r]: http://z\n",
        "<b>",
        "&amp;",
        "\\*",
        "\n---\n",
        "\n===\n",
        "> quote ",
    ),
    *(
        "a much longer piece of text that goes over the end of the row",
        "你好",
        "é",
        "~~",
        "![i](u)",
    ),
]


@pytest.fixture(autouse=True)
def terminal(monkeypatch) -> None:
    def console(*, stderr: bool = False) -> Console:
        return Console(force_terminal=True, width=WIDTH, highlight=False, color_system="standard")

    monkeypatch.setattr(answer_text, "console", console)
    monkeypatch.setattr(answer_text, "SECONDS_BETWEEN_DRAWINGS", 0)
    monkeypatch.setattr(answer_text, "REST", 0)


def written(pieces: Iterable[str]) -> str:
    """All that is written to the terminal for these pieces of an answer."""
    shown = StringIO()
    before, sys.stdout = sys.stdout, shown
    try:
        answer = DrawnText()
        for piece in pieces:
            answer.write(piece)
        answer.end()
    finally:
        sys.stdout = before
    return shown.getvalue()


def screen(pieces: Iterable[str]) -> list[str]:
    """What stands on the terminal in the end, without colours."""
    shown = [row.rpartition(TO_LINE_START)[2] for row in written(pieces).split("\n")]
    assert shown.pop() == "", "the last row is ended"
    return [re.sub(r"\x1b\[[0-9;]*m", "", row) for row in shown]


def cut(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def test_markdown_is_drawn() -> None:
    assert screen(["# Plan\n\nUse **all** of `it`:\n\n- one\n- two\n\n```py\nx  =  1\n```"]) == [
        *("Plan", "", "Use all of it:", "", " • one", " • two", "", "x  =  1")
    ]


def test_rows_break_between_words_and_where_the_answer_breaks_them() -> None:
    full = "word word word word word word word word"
    shown = screen(["word " * 20 + "\nnext\nline"])
    assert shown == [full, full, "word word word word", "next", "line"]


def test_nothing_of_an_answer_is_lost() -> None:
    text = "Use <b>bold</b>, see [docs](http://x.y/z) ![map](m.png)\n\n[1]: http://note"
    shown = " ".join(screen([text]))
    for each in ("<b>bold</b>", "docs (http://x.y/z)", "map (m.png)", "[1]: http://note"):
        assert each in shown


def test_the_head_of_a_table_that_looked_like_a_paragraph_is_rather_shown_twice() -> None:
    head = "a head of a table that goes over the end of the row"
    shown = " ".join(screen(cut(f"{head} | b\n---|---\n1 | 2", 1)))
    assert not set(head.split()) - set(shown.split())


def test_a_plain_answer_is_written_once_as_it_comes() -> None:
    assert written(["You ", "live in ", "Lisbon", "."]) == "You live in Lisbon.\n"


def test_the_rows_above_the_last_one_never_move() -> None:
    assert "\x1b[A" not in written(cut("some words that go on " * 40, 3))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(PIECES), max_size=25), st.integers(1, 9))
@example(["word " * 7, "**much longer bold text that goes on** and on"], 1)
@example(["\n```py\n", "one", "\n\n", "```"], 1)
@example(["text\n", "| a | b |\n|---|---|\n| 1 | 2 |\n| a wide cell | 3 |"], 2)
def test_how_the_text_is_cut_into_pieces_does_not_matter(texts: list[str], size: int) -> None:
    text = "".join(texts)
    assert screen(cut(text, size)) == screen([text])


def test_a_terminal_that_becomes_wider_meanwhile_loses_nothing(monkeypatch) -> None:
    words = [f"word{number} " for number in range(40)]

    def widening() -> Iterator[str]:
        yield from words[:30]
        wide = Console(force_terminal=True, width=200, color_system="standard")
        monkeypatch.setattr(answer_text, "console", lambda: wide)
        yield from words[30:]

    assert " ".join(screen(widening())).split() == "".join(words).split()


def test_nothing_is_written_for_no_answer() -> None:
    assert written([]) == ""


def test_in_a_pipe_the_text_stays_as_it_is(capsys, monkeypatch) -> None:
    monkeypatch.setattr(answer_text, "console", lambda: Console(file=StringIO()))
    answer = open_answer()
    for piece in ("**a**\n", "- b  " * 50, "\x1b[31m"):
        answer.write(piece)
    answer.end()
    assert capsys.readouterr().out == "**a**\n" + "- b  " * 50 + "[31m\n"
