"""Exports of ChatGPT and Claude become episodes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.check_import import Refused
from tests.support.chat_exports import chatgpt, chatgpt_message, claude, parsed
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
    assert first.metadata == {"conversation_id": "c1", "title": "A title"}
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


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (chatgpt("c") | {"mapping": None}, '("A title"): it has no messages'),
        (chatgpt("c") | {"mapping": {"a": {"message": {"id": 5}}}}, "no message of yours"),
        (chatgpt("c", chatgpt_message("user", "q")), "no message of yours with an answer"),
        (claude("c"), '("A name"): it has no messages'),
        (claude("c") | {"chat_messages": [{}, None]}, "no message of yours with an answer"),
        ({"query": "q", "response": "r"}, "it is not a conversation of ChatGPT"),
        ("text", "it is not a conversation of"),
        (None, "it is not a conversation of"),
    ],
)
async def test_a_bad_conversation_is_named_and_the_others_come_in(
    agent: LocalAgent, file: Path, bad: Any, expected: str
) -> None:
    one, other = (claude(each, ("human", each), ("assistant", "a")) for each in ("one", "other"))
    imported = await import_text(agent, file, json.dumps([one, bad, other]))
    assert (imported.added, imported.left_out) == (2, 1)
    [problem] = imported.problems
    assert problem.startswith("conversation 2")
    assert expected in problem


async def test_an_export_of_which_nothing_can_be_read_is_refused(
    agent: LocalAgent, file: Path
) -> None:
    with pytest.raises(Refused, match=r"given\.jsonl holds no conversation that") as refused:
        await import_text(agent, file, json.dumps([{}] * 30))
    assert len(refused.value.problems) == 20
    assert refused.value.problems[0].startswith("given.jsonl, conversation 1: it is not")
    assert not await agent.memory("u").exists()


@pytest.mark.parametrize("end", [b"", b', {"uuid": "x', b", nonsense]"])
async def test_an_export_is_read_up_to_where_it_is_cut_off_or_no_json(
    agent: LocalAgent, file: Path, end: bytes
) -> None:
    good = json.dumps(claude("good", ("human", "q"), ("assistant", "a"))).encode()
    imported = await import_text(agent, file, b"[" + good + end)
    assert (imported.added, imported.left_out) == (1, 1)
    assert imported.problems[0].startswith("conversation 2: ")
    assert imported.problems[0].endswith("not valid JSON, or cut off")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'"b"', b"b", None),
        (b'"created_at"', b'"odd": [1,], "created_at"', None),
        (b'"b"', b'"caf\xe9"', "caf\ufffd"),
        (b'"b"', b'"one\nline"', "one\nline"),
        (b'"b"', b'"an {odd [text \\"\\\\"', 'an {odd [text "\\'),
        (b'"created_at"', b'"odd": NaN, "created_at"', "b"),
        (b'"created_at"', b'"odd": ' + b"9" * 5000 + b', "created_at"', None),
        (b'"created_at"', b'"odd": 1e999, "created_at"', "b"),
    ],
)
@pytest.mark.parametrize("wrapper", [b"[%s]", b'{"conversations": [%s]}', b"%s"])
def test_a_conversation_that_is_no_json_costs_no_other(
    wrapper: bytes, old: bytes, new: bytes, expected: str | None
) -> None:
    texts = [
        json.dumps(claude(each, ("human", each), ("assistant", each))).encode() for each in "abc"
    ]
    broken = texts[1].replace(old, new)
    assert broken != texts[1]
    separator = b"\n" if wrapper == b"%s" else b","
    found, left_out = parsed(wrapper % separator.join([texts[0], broken, texts[2]]))
    assert (found["a"], found["c"]) == ("a", "c")
    if expected is None:
        assert [each.split(":")[0] for each in left_out] == ["conversation 2"]
    else:
        assert (expected in found.values(), left_out) == (True, [])
