"""Which threads are noted as holding what is recalled, where a server keeps what runs leave."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from personaagent.core.alignment_state import AlignmentContext
from personaagent.core.states import AgentContext
from personaagent.graphs import agent, alignment
from tests.support.alignment import Scripted, act, walks, world
from tests.support.memories import episode
from tests.support.scripted_model import Prompt, Reply, call

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")


def on_a_server(graph: str) -> Any:
    """The configuration of a run, by which a server shows itself."""
    return {"configurable": {"thread_id": "t1", "graph_id": graph}, "recursion_limit": 400}


async def test_forgetting_finds_an_incognito_turn(tmp_path: Path) -> None:
    there = world(tmp_path, lambda prompt: "rye" if "rye" in prompt.system else "unknown")
    await there.remember(episode("e1", "rye bread"))
    graph = agent.build(there.deps).compile(store=there.store, checkpointer=there.saver)
    state = await graph.ainvoke(
        {"messages": [HumanMessage("bread")]},
        on_a_server("agent"),
        context=AgentContext(user_id="anna", incognito=True),
    )
    assert state["messages"][-1].text == "rye"
    assert await there.memory.conversations.threads_with(["e1"], []) == {"t1"}


async def test_an_alignment_notes_its_thread_once_and_no_simulation(tmp_path: Path) -> None:
    def looks_it_up(prompt: Prompt) -> Reply:
        return act(prompt) if prompt.observations else [call("recall_episodes", query="a walk")]

    there = world(tmp_path, Scripted(actor=looks_it_up))
    await there.remember(*walks(8, ["Give distances in kilometres."]))
    graph = alignment.build(there.deps).compile(store=there.store, checkpointer=there.saver)
    await graph.ainvoke(
        {"trigger": "test"},
        on_a_server("alignment"),
        context=AlignmentContext(user_id="anna", tools=True, rounds=1),
    )
    assert any("The walk to" in each for p in there.prompts for each in p.observations)
    noted = [seen async for _, seen in there.memory.store.scan("conversations")]
    assert [seen["thread"] for seen in noted] == ["t1"]
