"""What a JSON file is shows its content: an export in several layouts, or lines of our own."""

import json
from pathlib import Path
from typing import Any

import pytest

from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.check_import import Refused
from tests.support.chat_exports import chatgpt, chatgpt_message, claude, parsed
from tests.support.imports import import_text

ONE = claude("one", ("human", "One?"), ("assistant", "1"))
TWO = chatgpt("two", chatgpt_message("user", "Two?"), chatgpt_message("assistant", "2"))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ONE, TWO]),
        "\ufeff \n" + json.dumps([ONE, TWO], indent=1),
        "\n".join(map(json.dumps, (ONE, TWO))),
        json.dumps(ONE, indent=2) + "\n" + json.dumps(TWO, indent=2),
        json.dumps({"version": 1, "conversations": [ONE, TWO]}),
        json.dumps({"data": [ONE, TWO], "query_count": 5}),
    ],
)
def test_conversations_are_found_in_a_list_one_after_the_other_or_in_an_object(text: str) -> None:
    assert parsed(text.encode()) == ({"One?": "1", "Two?": "2"}, [])


@pytest.mark.parametrize("conversation", [ONE, TWO])
def test_one_conversation_may_be_the_whole_file(conversation: dict[str, Any]) -> None:
    for text in (json.dumps(conversation), "\ufeff" + json.dumps(conversation, indent=1)):
        assert len(parsed(text.encode())[0]) == 1


def test_one_conversation_that_is_cut_off_is_one_problem() -> None:
    for indent in (None, 1):
        _, [problem] = parsed(json.dumps(TWO, indent=indent)[:-20].encode())
        assert problem == "conversation 1: it is not valid JSON, or cut off"


def test_a_null_in_the_list_does_not_end_it() -> None:
    found, left_out = parsed([ONE, None, 5, TWO])
    assert (len(found), len(left_out)) == (2, 2)


@pytest.mark.parametrize(
    "line",
    [
        {"mapping": {}, "query": "q", "response": "r"},
        {"query": "q", "response": "r", "chat_messages": []},
        {"foo": 1},
        {},
    ],
)
async def test_lines_of_our_own_stay_strict(agent: LocalAgent, file: Path, line: Any) -> None:
    good = json.dumps({"query": "q", "response": "r"})
    with pytest.raises(Refused, match="has 1 error"):
        await import_text(agent, file, f"{json.dumps(line)}\n{good}\n")
