"""How an answer is printed: pieces on a terminal, marked where taken back; whole in a pipe."""

from collections.abc import AsyncIterator

import pytest

from personaagent.cli import answer_stream
from personaagent.cli.answer_stream import BROKE_OFF, WAS_REASONING, print_answer
from personaagent.core.answer import Answer
from personaagent.core.errors import ModelUnavailable
from personaagent.local.turn_events import NodeFinished, Reasoning, TakenBack, TurnEvent

ANSWER = Answer(
    reply="In Norway.",
    user_id="ann",
    thread_id="t",
    episode_id="e",
    persona_version=1,
    recalled=[],
    tool_calls=[],
    usage={},
    seconds=1.0,
    warnings=[],
)


async def stream(*events: TurnEvent | Exception) -> AsyncIterator[TurnEvent]:
    for event in events:
        if isinstance(event, Exception):
            raise event
        yield event


@pytest.fixture(params=["terminal", "pipe"])
def on_terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    is_terminal: bool = request.param == "terminal"
    monkeypatch.setattr(answer_stream, "is_live", lambda: is_terminal)
    return is_terminal


async def test_a_half_answer_never_runs_into_the_whole_one(on_terminal, capsys) -> None:
    await print_answer(stream("In ", TakenBack(True), "In ", "Norway.", ANSWER))

    shown = capsys.readouterr()
    assert shown.out == ("In \nIn Norway.\n" if on_terminal else "In Norway.\n")
    assert (BROKE_OFF in shown.err) == on_terminal


async def test_what_was_reasoning_is_marked_so(on_terminal, capsys) -> None:
    await print_answer(stream("Oslo?", TakenBack(False), "In Norway.", ANSWER))

    shown = capsys.readouterr()
    assert shown.out == ("Oslo?\nIn Norway.\n" if on_terminal else "In Norway.\n")
    assert (WAS_REASONING in shown.err) == on_terminal


async def test_reasoning_stands_on_standard_error_only(on_terminal, capsys) -> None:
    await print_answer(stream(Reasoning("Oslo?"), "In Norway.", ANSWER))

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("In Norway.\n", "Oslo?\n")


async def test_words_before_a_tool_are_a_line_of_their_own_on_a_terminal(
    on_terminal, capsys
) -> None:
    tool = NodeFinished("react", ["search_wikipedia"])
    await print_answer(stream("Let me look.", tool, "In Norway.", ANSWER))

    expected = "Let me look.\nIn Norway.\n" if on_terminal else "In Norway.\n"
    assert capsys.readouterr().out == expected


async def test_an_answer_that_does_not_come_leaves_nothing_in_a_pipe(on_terminal, capsys) -> None:
    with pytest.raises(ModelUnavailable):
        await print_answer(stream("In ", ModelUnavailable("It broke off.")))

    assert capsys.readouterr().out == ("In \n" if on_terminal else "")
