"""The answer's message carries the id of its episode, in the state and in each kind of stream."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from personaagent.core.settings import load_settings
from personaagent.core.thread_messages import EPISODE
from personaagent.graphs.agent import build
from personaagent.memory.remembering import Remembering
from personaagent.nodes.agent.remember import PAUSED
from tests.support.memories import index_in_memory
from tests.support.scripted_model import call, scripted_dependencies

OPEN = {"text": "My dog is called Rex."}
CHOICE = {"text": "What is my dog called?", "answers": ("Fido", "Rex")}


class Conversation:
    """Anna's conversation with a model that says ``reply``."""

    def __init__(self, home: Path, reply: Any) -> None:
        deps, _ = scripted_dependencies(load_settings(home=home), reply, index_in_memory())
        self.memory = deps.memory.of(store := InMemoryStore(), "anna")
        self.graph = build(deps).compile(store=store, checkpointer=InMemorySaver())

    async def stream(self, text: str, mode: str = "values", **context: Any) -> list[Any]:
        stream = self.graph.astream(
            {"messages": [HumanMessage(text)]},
            {"configurable": {"thread_id": "t"}},
            context={"user_id": "anna", **context},  # type: ignore[arg-type]
            stream_mode=mode,  # type: ignore[arg-type]
        )
        return [part async for part in stream]

    async def episodes(self) -> list[str]:
        return [each.id async for each in self.memory.episodes.oldest_first()]


def says(text: str) -> Any:
    return lambda prompt: text


def ids(messages: list[Any]) -> list[str | None]:
    return [each.additional_kwargs.get(EPISODE) for each in messages if isinstance(each, AIMessage)]


@pytest.mark.parametrize("asked", [OPEN, CHOICE], ids=["open", "choice"])
async def test_each_answer_of_a_thread_has_its_own(tmp_path: Path, asked: dict[str, Any]) -> None:
    anna = Conversation(tmp_path, says("Rex"))
    await anna.stream(**asked)
    state = (await anna.stream(**asked))[-1]
    assert ids(state["messages"]) == await anna.episodes()
    assert state["messages"][-1].additional_kwargs[EPISODE] == state["episode_id"]


@pytest.mark.parametrize("asked", [OPEN, CHOICE], ids=["open", "choice"])
async def test_whoever_streams_messages_is_told_too(tmp_path: Path, asked: dict[str, Any]) -> None:
    anna = Conversation(tmp_path, says("Rex"))
    parts = [message for message, _ in await anna.stream(**asked, mode="messages")]
    assert "".join(part.text for part in parts) == "Rex"
    assert len({part.id for part in parts}) == 1
    assert [id for id in ids(parts) if id] == await anna.episodes()


async def test_pieces_join_to_the_message_of_the_state(tmp_path: Path) -> None:
    anna = Conversation(tmp_path, says("It is Rex."))
    first, *rest = [message for message, _ in await anna.stream(**OPEN, mode="messages")]
    whole = sum(rest, first)
    state = (await anna.graph.aget_state({"configurable": {"thread_id": "t"}})).values
    assert isinstance(whole, AIMessageChunk)
    assert (whole.text, whole.additional_kwargs) == ("It is Rex.", {EPISODE: state["episode_id"]})


@pytest.mark.parametrize("asked", [OPEN, CHOICE], ids=["open", "choice"])
@pytest.mark.parametrize("mode", ["values", "messages"])
async def test_an_incognito_answer_has_none(
    tmp_path: Path, asked: dict[str, Any], mode: str
) -> None:
    anna = Conversation(tmp_path, says("Rex"))
    parts = await anna.stream(**asked, mode=mode, incognito=True)
    messages = parts[-1]["messages"] if mode == "values" else [message for message, _ in parts]
    assert ids(messages)
    assert set(ids(messages)) == {None}


@pytest.mark.parametrize("asked", [OPEN, CHOICE], ids=["open", "choice"])
async def test_while_remembering_is_paused_there_is_none(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    anna = Conversation(tmp_path, says("Rex"))
    await anna.stream("My dog is called Rex.")
    await Remembering(anna.memory.store).pause(paused=True)
    state = (await anna.stream(**asked))[-1]
    assert len(await anna.episodes()) == 1
    assert ids(state["messages"])[-1] is None
    assert state["episode_id"] == ""
    assert PAUSED in state["warnings"]
    assert len(state["recalled"]) == 1, "what is remembered stays recalled"
    await Remembering(anna.memory.store).pause(paused=False)
    await anna.stream(**asked)
    assert len(await anna.episodes()) == 2


async def test_a_call_of_a_tool_is_no_answer(tmp_path: Path) -> None:
    def reply(prompt: Any) -> Any:
        return "Rex." if prompt.observations else [call("recall_episodes", query="dog")]

    state = (await Conversation(tmp_path, reply).stream("Search for my dog."))[-1]
    assert ids(state["messages"]) == [None, state["episode_id"]]
