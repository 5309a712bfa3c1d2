"""A preview says what an import would do, and writes nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.check_import import Refused
from personaagent.memory.exchange.formats import programs
from personaagent.memory.exchange.preview import ImportPreview, preview_import
from tests.support.chat_exports import chatgpt, chatgpt_message, claude
from tests.support.imports import import_text, stored, write


async def test_it_counts_what_is_new_known_forgotten_and_left_out(
    agent: LocalAgent, file: Path
) -> None:
    old = [claude(each, ("human", each), ("assistant", "a")) for each in ("one", "two")]
    await import_text(agent, file, json.dumps(old))
    [first, _] = await stored(agent)
    await agent.forget("u", [first.id])
    picture, answer = chatgpt_message("user", {"size": 5}), chatgpt_message("assistant", "A cat.")
    new = chatgpt("new", chatgpt_message("user", "q"), answer, picture, answer)
    undated = chatgpt("u", chatgpt_message("user", "r"), answer) | {"create_time": None}
    write(file, json.dumps([*old, new, undated, {}, new]).encode())
    before = await stored(agent)
    assert await preview_import(agent.memory("u"), file) == ImportPreview(
        episodes=4,
        new=2,
        known=1,
        forgotten=1,
        sources={"claude": 2, "chatgpt": 2},
        oldest=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        newest=datetime(2025, 3, 1, 10, tzinfo=UTC),
        undated=1,
        left_out=1,
        problems=[f"conversation 5: it is not a conversation of {programs()}"],
        messages_left_out={"a message of yours without text, such as a picture or a file": 2},
    )
    assert await stored(agent) == before


async def test_it_writes_nothing_for_a_new_user(agent: LocalAgent, file: Path) -> None:
    write(file, b'{"query": "q", "response": "r"}\n')
    assert (await preview_import(agent.memory("u"), file)).new == 1
    assert not await agent.memory("u").exists()


async def test_it_refuses_what_an_import_refuses(agent: LocalAgent, file: Path) -> None:
    write(file, b'{"query": "q"}\n')
    with pytest.raises(Refused, match="has 1 error"):
        await preview_import(agent.memory("u"), file)
