"""The agent's graph with a scripted model that answers by its prompt: whole turns."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from personaagent.core.errors import ModelUnavailable
from personaagent.graphs.agent import build
from personaagent.memory.user import UserMemory
from tests.support.agent import MakeAgent, reply
from tests.support.memories import episode, remember
from tests.support.scripted_model import call

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

SNAPSHOT = Path(__file__).parent / "agent.mmd"


def test_the_drawing(agent: MakeAgent) -> None:
    drawing = agent(lambda prompt: "").graph.get_graph().draw_mermaid()
    assert drawing == SNAPSHOT.read_text(encoding="utf-8")


async def test_incognito_writes_nothing(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: "rye" if "rye" in prompt.system else "unknown")
    await remember(anna.memory(), episode("e1", "rye bread"))
    before = {(i.namespace, i.key): i.value for i in await anna.store.asearch((), limit=99)}
    anna.graph = build(anna.deps).compile(store=anna.store, checkpointer=InMemorySaver())
    state = await anna.ask("bread", incognito=True)
    assert (reply(state), state["episode_id"]) == ("rye", ""), (
        "it still remembers, but keeps nothing"
    )
    after = {(i.namespace, i.key): i.value for i in await anna.store.asearch((), limit=99)}
    assert after == before
    assert [each async for each in anna.saver.alist(None)] == []


async def test_a_conversation_goes_on_within_its_budget(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: f"{len(prompt.messages)}", history_tokens=100, top_k=0)
    replies = [reply(await anna.ask(f"question {n} {'word ' * 20}")) for n in range(8)]
    assert replies[:2] == ["2", "4"]
    assert replies[-1] == replies[-2], "what is older than the budget is left out"
    assert isinstance(anna.prompts[-1].messages[1], HumanMessage)


async def test_a_broken_answer_is_asked_for_once_more_and_remembered_once(agent: MakeAgent) -> None:
    failures = [ModelUnavailable("It broke off.", retried=False)]
    anna = agent(lambda prompt: failures.pop() if failures else "ok")
    assert reply(await anna.ask("hello")) == "ok"
    assert len(anna.prompts) == 2
    assert [each.query for each in await anna.episodes()] == ["hello"]


async def test_what_was_retried_already_is_not_retried_again(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: ModelUnavailable("Down."))
    with pytest.raises(ModelUnavailable):
        await anna.ask("hello")
    assert len(anna.prompts) == 1
    assert await anna.episodes() == []


async def test_a_resumed_run_leaves_the_episode_that_it_wrote_as_it_is_now(
    agent: MakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = agent(lambda prompt: "ok")
    remember_it = UserMemory.remember

    async def then_die(*written: Any, **options: Any) -> list[str]:
        await remember_it(*written, **options)
        raise ConnectionResetError("killed after the write")

    monkeypatch.setattr(UserMemory, "remember", then_die)
    with pytest.raises(ConnectionResetError):
        await anna.ask("hello")
    monkeypatch.undo()
    (written,) = await anna.episodes()
    corrected = await anna.memory().episodes.give_feedback(written.id, "edit", "hello, Anna")
    arguments = anna.arguments("", "t1") | {"input": None}
    state = await anna.graph.ainvoke(**arguments)
    assert await anna.episodes() == [corrected]
    assert state["episode_id"] == corrected.id
    assert len(anna.prompts) == 1, "the model is not asked again"
    assert len((await anna.memory().recall("hello", 5)).episodes) == 1


async def test_tokens_and_nodes_are_streamed(agent: MakeAgent) -> None:
    anna = agent(
        lambda prompt: (
            "one two three" if prompt.observations else [call("recall_episodes", query="x")]
        )
    )
    tokens, nodes = [], []
    async for mode, part in anna.graph.astream(
        **anna.arguments("go", "t1"), stream_mode=["messages", "updates"]
    ):
        if mode == "updates":
            nodes += list(part)
        elif isinstance(part[0], AIMessageChunk) and part[0].text:
            tokens.append(part[0].text)
    assert tokens == ["one", " two", " three"]
    steps = "recall question inject_persona react tools react decide remember"
    assert nodes == steps.split()


async def test_usage_is_counted_by_turn(agent: MakeAgent) -> None:
    anna = agent(
        lambda prompt: "one two" if prompt.observations else [call("recall_episodes", query="x")]
    )
    for thread in ("t1", "t2"):
        state = await anna.ask("go", thread)
        assert state["usage"]["by_role"] == {
            "actor": {"llm_calls": 2, "input_tokens": 20, "output_tokens": 2}
        }
    state = await anna.ask("go", "t2")
    assert state["usage"]["by_role"]["actor"]["llm_calls"] == 1, "of this turn alone"


async def test_top_k(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: "ok", top_k=2)
    await remember(anna.memory(), *[episode(f"e{n}", f"bread {n}") for n in range(5)])
    for context, count in (({}, 2), ({"top_k": 4}, 4), ({"top_k": 0}, 0)):
        assert len((await anna.ask("bread", incognito=True, **context))["recalled"]) == count


async def test_the_turns_of_many_users_at_once(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: prompt.last if prompt.last in prompt.system else "alien")
    users = [f"user{n}" for n in range(6)]
    for user in users:
        await remember(anna.memory(user), episode("e1", f"secret of {user}", user_id=user))
    states = await asyncio.gather(
        *[anna.ask(f"secret of {user}", user, user_id=user) for user in users]
    )
    assert [reply(each) for each in states] == [f"secret of {user}" for user in users]
    assert [len(each["recalled"]) for each in states] == [1] * 6
