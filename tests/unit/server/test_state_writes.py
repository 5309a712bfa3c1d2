"""What clients may write into the state of a thread."""

from typing import Any

import pytest

from personaagent.core.alignment_state import AlignmentState
from personaagent.core.states import AgentState
from personaagent.server.state_writes import CLIENTS, EDITED, without_server_made

FORGED: dict[str, Any] = {"episode_id": "0123456789abcdef"}
FIELDS = sorted(
    {*AgentState.__annotations__, *AlignmentState.__annotations__} - {"messages", "trigger", EDITED}
)


def test_clients_write_messages_why_an_alignment_is_asked_for_and_its_candidates() -> None:
    assert sorted(CLIENTS) == ["candidates", "messages", "trigger"]


@pytest.mark.parametrize("field", FIELDS)
def test_every_other_field_of_a_state_is_the_servers(field: str) -> None:
    told = {"values": {"messages": [], field: None}, "as_node": "react"}
    assert without_server_made(told) == {"values": {"messages": []}, "as_node": "react"}


@pytest.mark.parametrize(
    "body",
    [
        {"values": FORGED, "as_node": "decide"},
        {"values": [{"messages": []}, FORGED]},
        {"command": {"update": FORGED}},
        {"command": {"update": [["messages", []], ["episode_id", "x"]]}},
        {"command": {"update": {"node": "react", "input": {}, **FORGED}}},
        {"command": {"goto": {"node": "remember", "input": FORGED}}},
        {"command": {"goto": ["react", {"node": "remember", "input": FORGED}]}},
        [{"assistant_id": "agent"}, {"assistant_id": "agent", "command": {"update": FORGED}}],
        {"supersteps": [{"updates": [{"values": FORGED, "as_node": "decide"}]}]},
        {"supersteps": [{"updates": [{"command": {"update": FORGED}, "as_node": "decide"}]}]},
        {"id": 1, "method": "input.respond", "params": {"update": FORGED}},
        {"id": 1, "method": "input.respond", "params": {"goto": [{"node": "a", "input": FORGED}]}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_a_field_of_the_server_is_left_out_wherever_it_is_written(body: Any) -> None:
    before = str(body)
    left = without_server_made(body)
    assert "episode_id" not in str(left)
    assert ("messages" in str(left), "node" in str(left)) == (
        "messages" in before,
        "node" in before,
    )
    assert str(body) == before


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        {"values": None, "as_node": "__copy__"},
        {"values": {"messages": [{"role": "user", "content": "profile"}]}},
        {"command": {"resume": {"rules": [{"text": "Be brief."}]}}},
        {"command": {"goto": "question"}},
        {"command": {"goto": ["question"]}},
        {"input": {"messages": [], "profile": {}}},  # the graph takes messages only
        {"metadata": {"values": {"profile": 1}}},
        {"config": {"configurable": {"update": {"plan": 1}}}},
    ],
    ids=str,
)
def test_what_writes_no_field_of_the_server_stays_as_it_is(body: Any) -> None:
    assert without_server_made(body) == body
