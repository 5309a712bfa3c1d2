"""Exports of ChatGPT and Claude become episodes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.import_file import Refused
from tests.support.chat_exports import chatgpt, chatgpt_message, claude
from tests.support.imports import import_text, stored


async def test_conversations_of_chatgpt_are_imported(agent: LocalAgent, file: Path) -> None:
    said = chatgpt_message
    export = [
        chatgpt(
            "c1",
            said("system", ""),
            said("user", "Where do I live?", at=1_600_000_000.5),
            said("assistant", "searching()", recipient="browser"),
            said("tool", "tool text"),
            said("assistant", "You live"),
            said("assistant", "in Oslo.\x07"),
            said("user", "hidden", metadata={"is_visually_hidden_from_conversation": True}),
            said("user", {"content_type": "image_asset_pointer"}, "And this?"),
            said("assistant", "A fjord."),
            said("user", "Unanswered"),
            aside=said("assistant", "a branch that was edited away"),
        ),
        chatgpt("c2", said("user", "Hi"), said("assistant", "Hello")),
    ]
    assert (await import_text(agent, file, json.dumps(export))).added == 3
    found = {each.query: each for each in await stored(agent)}
    assert {q: e.response for q, e in found.items()} == {
        "Where do I live?": "You live\n\nin Oslo.\N{REPLACEMENT CHARACTER}",
        "And this?": "A fjord.",
        "Hi": "Hello",
    }
    first = found["Where do I live?"]
    assert first.created_at == datetime.fromtimestamp(1_600_000_000.5, UTC)
    assert found["Hi"].created_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (first.source, first.ground_truth) == ("chatgpt", None)
    longer = [export[1], export[0]]
    assert (await import_text(agent, file, json.dumps(longer))).added == 0


async def test_conversations_of_claude_are_imported(agent: LocalAgent, file: Path) -> None:
    export = [
        claude("c1", ("human", "One?"), ("assistant", "1"), ("human", "Two?"), ("assistant", "2")),
        claude("c2"),
    ]
    export[0]["chat_messages"][1]["content"].append({"type": "tool_result", "text": "secret"})
    del export[0]["chat_messages"][3]["content"]
    assert (await import_text(agent, file, "\ufeff" + json.dumps(export))).added == 2
    assert [(e.query, e.response, e.source, e.created_at.minute) for e in await stored(agent)] == [
        ("One?", "1", "claude", 0),
        ("Two?", "2", "claude", 2),
    ]


def looping() -> dict[str, Any]:
    conversation = chatgpt("c", chatgpt_message("user", "q"), chatgpt_message("assistant", "a"))
    conversation["mapping"]["root"]["parent"] = "c-m1"
    return conversation


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (looping(), "do not lead from current_node"),
        (looping() | {"current_node": "gone"}, "do not lead from current_node"),
        (looping() | {"current_node": None}, "no current_node"),
        (looping() | {"mapping": {"a": {"message": {"id": 5}}}}, "mapping.a.message.id"),
        (claude("c") | {"chat_messages": [{}]}, "chat_messages.0.uuid: Field required"),
        ({"query": "q", "response": "r"}, "is not a conversation"),
        ("text", "is not a conversation"),
    ],
)
async def test_a_bad_conversation_is_named(
    agent: LocalAgent, file: Path, second: Any, expected: str
) -> None:
    good = claude("good", ("human", "q"), ("assistant", "a"))
    with pytest.raises(Refused) as refused:
        await import_text(agent, file, json.dumps([good, second, good]))
    [problem] = refused.value.problems
    assert problem.startswith("given.jsonl, conversation 2: ")
    assert expected in problem
    assert not await agent.memory("u").exists()


@pytest.mark.parametrize("end", [b"", b', {"uuid": "\xff"}]', b", nonsense]"])
async def test_an_export_that_is_cut_off_or_not_json_is_refused(
    agent: LocalAgent, file: Path, end: bytes
) -> None:
    good = json.dumps(claude("good", ("human", "q"), ("assistant", "a"))).encode()
    with pytest.raises(Refused) as refused:
        await import_text(agent, file, b"[" + good + end)
    assert "conversation 2: the file from here on is not valid" in refused.value.problems[0]
