"""What is forgotten while a turn recalls does not get into its thread."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from personaagent.core.records import Profile, Statement
from personaagent.core.settings import load_settings
from personaagent.graphs.agent import build
from personaagent.memory.facts import named_labels
from personaagent.memory.forget import forget
from personaagent.nodes.agent import recall as recall_module
from personaagent.nodes.agent.noting import Noted, note_recalled
from tests.support.memories import episode, index_in_memory, remember
from tests.support.scripted_model import scripted_dependencies
from tests.unit.memory.test_forget import Threads

BREAD = Statement(text="The user bakes.", evidence=["e1"])
DOG = Statement(text="The user has a dog.", evidence=["e2"])


async def test_what_is_forgotten_before_it_is_noted_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps, prompts = scripted_dependencies(
        load_settings(home=tmp_path, top_k=5), lambda _: "fine", index_in_memory()
    )
    store = InMemoryStore()
    anna = deps.memory.of(store, "anna")
    await remember(
        anna,
        episode("e1", "rye bread", ground_truth="yes", task="bake"),
        episode("e2", "my dog", day=1, ground_truth="no", task="dogs"),
    )
    await anna.profile.write_summary([BREAD, DOG], await anna.profile.unsummarised())
    named = named_labels((await anna.profile.read()).facts)

    async def meanwhile(*read: Any) -> Noted:
        await forget(deps.memory.of(store, "anna"), ["e1"], Threads().delete)
        return await note_recalled(*read)

    monkeypatch.setattr(recall_module, "note_recalled", meanwhile)
    graph: Any = build(deps).compile(store=store, checkpointer=InMemorySaver())
    state = await graph.ainvoke(
        {"messages": [HumanMessage("rye bread or my dog?")]},
        {"configurable": {"thread_id": "t1"}},
        context={"user_id": "anna"},
    )
    profile = Profile.model_validate(state["profile"])
    assert [each["id"] for each in state["recalled"]] == ["e2"]
    assert BREAD.text not in [each.text for each in profile.summary]
    assert ("bake", "yes") in named
    assert {task for task, _ in named_labels(profile.facts)} == {"dogs"}
    assert "bake" not in str(prompts[0].messages)
