"""Lists and tables fit their terminal, and have no filling in a pipe."""

import pytest
from rich.console import Console
from rich.text import Text

from personaagent.cli.output import COLOURS, drawn
from personaagent.cli.tables import ANY_WIDTH, Figures, listing

FIGURES = Figures(
    ["", "mean loss", "95% interval", "against none, in pairs"],
    [
        ["no persona, no memory", "0.512", "[0.401, 0.623]", ""],
        ["persona of that time", "0.250", "[0.101, 0.399]", "-0.262 [-0.400, -0.124]"],
    ],
)
ADDRESS = "https://example.org/" + "a" * 100


def lines(view: object, width: int, *, terminal: bool = True) -> list[str]:
    on = Console(
        width=width, force_terminal=terminal, color_system="standard" if terminal else None
    )
    return [COLOURS.sub("", line) for line in drawn(view, on)]  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [80, 60, 40, 30])
def test_every_figure_is_whole_at_any_width(width: int) -> None:
    shown = lines(FIGURES, width)
    assert max(map(len, shown)) <= width
    text = "\n".join(shown)
    for figure in ("[0.401, 0.623]", "-0.262 [-0.400, -0.124]", "persona of that time"):
        assert figure in text


def test_at_80_columns_it_is_a_table() -> None:
    assert len(lines(FIGURES, 80)) == 3
    assert lines(FIGURES, 50)[:2] == ["no persona, no memory", "  mean loss     0.512"]


def test_a_list_in_a_pipe_has_no_filling() -> None:
    items = [(Text("r1"), Text("short")), (Text("weights:genre"), Text("x" * 500))]
    assert lines(listing(items), ANY_WIDTH, terminal=False) == [
        "r1             short",
        "weights:genre  " + "x" * 500,
    ]


def test_a_list_on_a_terminal_breaks_between_words_and_cuts_nothing() -> None:
    shown = lines(listing([(Text("r1"), Text("word " * 30 + ADDRESS))]), 40)
    assert max(map(len, shown)) <= 40
    joined = "".join(line.strip() for line in shown)
    assert ADDRESS in joined
    assert shown[0] == "r1  word word word word word word word"


def test_colours_end_where_the_text_does() -> None:
    on = Console(width=40, force_terminal=True, color_system="standard")
    [line, *_] = drawn(listing([(Text("r1", "cyan"), Text("red", "on red"))]), on)
    assert line.endswith("red\x1b[0m")
