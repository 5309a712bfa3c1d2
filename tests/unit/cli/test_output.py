"""What is printed where."""

import json
from io import StringIO

from rich.console import Console
from rich.text import Text

from personaagent.cli import output
from personaagent.core.records import Rule

RULE = Rule(id="r1", text="Sei kurz – ☺", evidence=["e1"])


def test_json_is_the_only_thing_on_standard_output(capsys) -> None:
    output.print_notice("a notice")
    output.print_warning("a warning")
    output.print_error("an error")
    output.print_result([RULE], True, str)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == [RULE.stored()]
    assert printed.err == "a notice\nWarning: a warning\nError: an error\n"


def test_off_a_terminal_there_is_no_colour_and_no_line_is_broken(capsys) -> None:
    output.print_result("word " * 100, False, lambda text: Text(text, "red"))
    assert capsys.readouterr().out == ("word " * 100).rstrip() + "\n"


def test_a_notice_on_a_terminal_breaks_between_words_and_leaves_paths_whole(monkeypatch) -> None:
    shown = StringIO()
    terminal = Console(file=shown, force_terminal=True, width=30, color_system=None)
    monkeypatch.setattr(output, "console", lambda stderr=False: terminal)
    path = "/a/very/long/path/to/a/file/that/is/wide.json"
    output.print_notice(f"The export of all episodes is in {path}.")
    assert shown.getvalue() == f"The export of all episodes is\nin\n{path}.\n"


def test_square_brackets_are_text(capsys) -> None:
    output.print_result("[red]no markup[/] :smile:", False, str)
    assert capsys.readouterr().out == "[red]no markup[/] :smile:\n"


def test_a_terminal_is_given_nothing_to_obey() -> None:
    assert output.printable("a\x1b]0;title\x07b\r\u009b2J\n\tc \udcff é") == "a]0;titleb2J\n\tc  é"


def test_progress_off_a_terminal_is_a_line_now_and_then(capsys, monkeypatch) -> None:
    clock = iter([0.0, 1.0, 11.0, 11.0, 12.0, 25.0, 25.0])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(clock))
    with output.progress_bar("model", bytes_=True) as advance:
        for done in (1e6, 2e6, 3e6, 4e6):
            advance(done, 2e9)
    assert capsys.readouterr().err == "model: 2 MB of 2,000 MB\nmodel: 4 MB of 2,000 MB\n"
