"""Events of a turn: what a stream took back is said, so that half and whole are never one."""

from langchain_core.messages import AIMessage, AIMessageChunk

from personaagent.local.turn_events import (
    NodeFinished,
    Reasoning,
    TakenBack,
    TurnEvent,
    TurnEvents,
)
from personaagent.models.reply_reader import REASONING, TAKEN_BACK


def read(events: TurnEvents, *chunks: AIMessage) -> list[TurnEvent]:
    return [event for chunk in chunks for event in events.read("messages", (chunk, {}))]


def piece(text: str, id: str = "1", **more: object) -> AIMessageChunk:
    return AIMessageChunk(content=text, id=id, additional_kwargs=more)


def test_pieces_of_an_answer_pass_through() -> None:
    events = TurnEvents()

    assert read(events, piece("In "), piece("Norway."), piece("")) == ["In ", "Norway."]
    assert events.read("updates", {"react": {"messages": []}}) == [NodeFinished("react")]


def test_an_answer_that_is_asked_for_again_takes_the_half_one_back() -> None:
    again = piece("In Norway.", "2")

    assert read(TurnEvents(), piece("In "), again) == ["In ", TakenBack(True), "In Norway."]


def test_an_answer_that_comes_whole_the_second_time_takes_the_half_one_back() -> None:
    assert read(TurnEvents(), piece("In "), AIMessage("In Norway.", id="2")) == [
        "In ",
        TakenBack(True),
    ]


def test_a_second_step_takes_nothing_back() -> None:
    events = TurnEvents()
    read(events, piece("Let me look."))
    events.read("updates", {"react": {"messages": [AIMessage("Let me look.")]}})

    assert read(events, piece("In Norway.", "2")) == ["In Norway."]


def test_pieces_that_were_reasoning_are_taken_back() -> None:
    ends = piece("In Norway.", **{TAKEN_BACK: 5})

    assert read(TurnEvents(), piece("Oslo?"), ends) == ["Oslo?", TakenBack(False), "In Norway."]


def test_reasoning_is_an_event_of_its_own() -> None:
    events = TurnEvents()

    assert read(events, piece("", **{REASONING: "Oslo?"}), piece("In Norway.")) == [
        Reasoning("Oslo?"),
        "In Norway.",
    ]
    assert events.reasoning == "Oslo?"
