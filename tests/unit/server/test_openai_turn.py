"""A turn of the agent as a client of OpenAI's API sees it: from the events of a run."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastapi import HTTPException
from langgraph_sdk.schema import StreamPart

from personaagent.server.routes.openai_turn import Turn, failure


def message(
    text: Any, id: str = "a", type: str = "AIMessageChunk", node: str = "react"
) -> StreamPart:
    data: Any = ({"type": type, "id": id, "content": text}, {"langgraph_node": node})
    return StreamPart("messages", data)


def update(node: str, **fields: Any) -> StreamPart:
    return StreamPart("updates", {node: fields or None})


def answer(text: str, **metadata: Any) -> dict[str, Any]:
    return {"type": "ai", "id": "a", "content": text, "response_metadata": metadata}


async def events(*parts: StreamPart) -> AsyncGenerator[StreamPart, None]:
    for part in parts:
        yield part


async def said(turn: Turn, *parts: StreamPart) -> list[str]:
    return [piece async for piece in turn.pieces(events(*parts))]


async def test_pieces_come_as_they_are_written_and_the_whole_message_not_again() -> None:
    turn = Turn()
    whole = message("Hello.", type="ai", node="decide")
    assert await said(turn, message("Hel"), message(""), message("lo."), whole) == ["Hel", "lo."]
    assert turn.text == "Hello."


async def test_what_was_said_before_a_tool_stands_apart_and_is_not_the_answer() -> None:
    turn = Turn()
    call = answer("Let me see.") | {"tool_calls": [{"name": "recall_episodes"}]}
    parts = [message("Let me see."), update("react", messages=[call])]
    parts += [message("A result.", "t", "tool", "tools"), message("It is Rex.", "b")]
    parts += [update("react", messages=[answer("It is Rex.")])]
    assert await said(turn, *parts) == ["Let me see.", "\n\nIt is Rex."]
    assert turn.text == "It is Rex."


async def test_an_answer_that_nobody_streamed_comes_at_its_end() -> None:
    assert await said(Turn(), update("decide", messages=[answer("7")])) == ["7"]
    assert await said(Turn(), message([{"type": "text", "text": "7"}], type="ai")) == ["7"]
    assert await said(Turn(), message("A question.", type="human")) == []


async def test_a_turn_tells_its_tokens_episode_warnings_and_end() -> None:
    turn, usage = Turn(), {"by_role": {"actor": {"input_tokens": 5, "output_tokens": 2}}}
    cut = answer("Half", finish_reason="length")
    await said(
        turn,
        update("recall", episode_id="e1", warnings=[]),
        update("question"),
        update("react", messages=[cut], usage=usage, warnings=["It was cut off."]),
    )
    assert turn.tokens.model_dump() == {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
    }
    assert turn.details.model_dump() == {"episode_id": "e1", "warnings": ["It was cut off."]}
    assert turn.finish_reason == "length"


async def test_a_run_that_fails_raises() -> None:
    failed = StreamPart("error", {"error": "UsageError", "message": "Say something."})
    with pytest.raises(HTTPException) as raised:
        await said(Turn(), message("Half"), failed)
    assert (raised.value.status_code, raised.value.detail) == (422, "Say something.")


@pytest.mark.parametrize(
    ("kind", "status"), [("ModelUnavailable", 503), ("ConfigurationError", 500), ("KeyError", 500)]
)
def test_of_the_servers_failures_only_the_kind_is_told(kind: str, status: int) -> None:
    told = failure({"error": kind, "message": "http://inner:8000 refused"})
    assert told.status_code == status
    assert kind in told.detail
    assert "inner" not in told.detail
