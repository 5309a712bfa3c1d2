"""A turn that did not end does not shape the next one; the endpoint demands roles that alternate."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    convert_to_openai_messages,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import ModelError, PersonaAgentError, UsageError
from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.graphs import agent as agent_module
from personaagent.graphs.agent import build, recursion_limit
from personaagent.nodes.agent import recall as recall_module
from personaagent.nodes.agent.branches import id_of_run
from personaagent.nodes.agent.noting import Noted, note_recalled
from personaagent.nodes.agent.question import question
from tests.support.memories import index_in_memory
from tests.support.scripted_model import Prompt, Reply, Responder, call, scripted_dependencies
from tests.support.strict_roles import shape_problem

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CONFIG: Any = {"configurable": {"thread_id": "t1"}}


class Thread:
    """A thread of the agent's graph, with a model that refuses what is not well formed."""

    def __init__(self, home: Path, responder: Responder) -> None:
        def strict(prompt: Prompt) -> Reply:
            problem = shape_problem(convert_to_openai_messages(prompt.messages))
            return ModelError(problem) if problem else responder(prompt)

        settings = load_settings(home=home, max_query_chars=200)
        self.deps, self.prompts = scripted_dependencies(settings, strict, index_in_memory())
        self.store = InMemoryStore()
        graph = build(self.deps).compile(store=self.store, checkpointer=InMemorySaver())
        self.graph: Any = graph.with_config(recursion_limit=recursion_limit(settings))

    async def ask(self, *messages: Any, durability: str = "async") -> str:
        asked = [HumanMessage(each) if isinstance(each, str) else each for each in messages]
        state = await self.graph.ainvoke(
            {"messages": asked}, CONFIG, context={"user_id": "anna"}, durability=durability
        )
        self.state: dict[str, Any] = state
        return str(state["messages"][-1].text)

    async def put(self, *messages: Any) -> None:
        """Put messages into the thread, as a client may."""
        await self.graph.aupdate_state(CONFIG, {"messages": list(messages)}, as_node="remember")

    def said(self) -> list[tuple[str, Any]]:
        """What the model was told in the last call, without the system prompt."""
        return [(each.type, each.content) for each in self.prompts[-1].messages[1:]]

    async def episodes(self) -> list[Episode]:
        memory = self.deps.memory.of(self.store, "anna")
        return [each async for each in memory.episodes.oldest_first()]


@pytest.fixture
def thread(tmp_path: Path) -> Callable[[Responder], Thread]:
    return lambda responder: Thread(tmp_path, responder)


MakeThread = Callable[[Responder], Thread]


def poisoned(prompt: Prompt) -> Reply:
    """Refuses whatever holds the word, now or earlier, and every picture."""
    said = str(prompt.messages)
    return ModelError("refused") if "poison" in said or "image_url" in said else "fine"


@pytest.mark.parametrize("durability", ["exit", "sync"])
@pytest.mark.parametrize(
    "refused",
    [
        "poison",
        "bell \x07",
        "lone \ud800",
        "long " * 100,
        " ",
        [{"type": "text", "text": "What is it?"}, PICTURE],
        [PICTURE],
        [{"type": "surprise", "surprise": "!"}],
    ],
)
async def test_what_was_refused_is_not_sent_again(
    thread: MakeThread, refused: Any, durability: str
) -> None:
    anna = thread(poisoned)
    for before in (False, True):  # as the first message, and as a later one
        with pytest.raises(PersonaAgentError):
            await anna.ask(HumanMessage(refused), durability=durability)
        assert await anna.ask(f"hello {before}") == "fine"
    said = [("human", "hello False"), ("ai", "fine"), ("human", "hello True")]
    assert anna.said() == said
    assert [each.query for each in await anna.episodes()] == ["hello False", "hello True"]


async def test_a_turn_that_broke_off_after_its_tools_is_not_sent_again(thread: MakeThread) -> None:
    def answer(prompt: Prompt) -> Reply:
        if prompt.last == "look":
            return [call("recall_episodes", query="x")]
        return ModelError("refused") if prompt.observations else "fine"

    anna = thread(answer)
    with pytest.raises(ModelError):
        await anna.ask("look", durability="sync")
    assert await anna.ask("hello") == "fine"
    assert anna.said() == [("human", "hello")]


async def test_a_cancelled_turn_is_not_sent_again(thread: MakeThread) -> None:
    anna, asked = thread(lambda prompt: "fine"), asyncio.Event()
    chat = anna.deps.models.chat

    async def stalls(role: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    anna.deps.models.chat = stalls  # type: ignore[method-assign]
    turn = asyncio.create_task(anna.ask("stop", durability="exit"))
    await asked.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    anna.deps.models.chat = chat  # type: ignore[method-assign]
    assert await anna.ask("hello") == "fine"
    assert anna.said() == [("human", "hello")]


async def test_the_same_message_can_be_sent_again(thread: MakeThread) -> None:
    down = [ModelError("down")]
    anna = thread(lambda prompt: down.pop() if down else prompt.last)
    with pytest.raises(ModelError):
        await anna.ask(HumanMessage("hello", id="m1"))
    assert await anna.ask(HumanMessage("hello", id="m1")) == "hello"
    assert anna.said() == [("human", "hello")]


async def test_several_messages_at_once_are_one_question(thread: MakeThread) -> None:
    anna = thread(lambda prompt: "fine")
    await anna.ask("My text:", "The sea is blue.", "Shorten it.")
    question = "My text:\n\nThe sea is blue.\n\nShorten it."
    assert anna.said() == [("human", question)]
    assert [each.query for each in await anna.episodes()] == [question]


async def test_the_clients_system_messages_stand_in_the_system_prompt(thread: MakeThread) -> None:
    anna = thread(lambda prompt: "fine")
    await anna.ask(SystemMessage("Speak Swedish."), "hello", SystemMessage("Be brief."))
    await anna.ask({"role": "developer", "content": "Speak Swedish."}, "and now?")
    system = anna.prompts[-1].system
    assert system.index("</memories>") < system.index("Speak Swedish.\n\nBe brief.")
    assert system.count("Speak Swedish.") == 1
    assert [role for role, _ in anna.said()] == ["human", "ai", "human"]


async def test_a_long_system_message_of_the_client_is_shortened(thread: MakeThread) -> None:
    anna = thread(lambda prompt: "fine")
    await anna.ask(SystemMessage("word " * 10_000), "hello")
    assert 0 < anna.prompts[-1].system.count("word") < 60


async def test_results_of_tools_that_nobody_called_are_left_out(thread: MakeThread) -> None:
    anna = thread(lambda prompt: "fine")
    calls = [ToolCall(name="look", args={}, id="c", type="tool_call")]
    await anna.put(
        AIMessage("Welcome!"),
        HumanMessage("q1", name="Anna Svensson"),
        ToolMessage("stray", tool_call_id="x"),
        AIMessage("a1", tool_calls=calls),
        AIMessage("a2"),
    )
    await anna.ask("q2")
    assert anna.said() == [("human", "q1"), ("ai", "a1\n\na2"), ("human", "q2")]


async def test_without_tools_earlier_calls_are_told_in_words(thread: MakeThread) -> None:
    def answer(prompt: Prompt) -> Reply:
        if prompt.last == "look" and prompt.tools:
            return [call("recall_episodes", query="x")]
        return "fine"

    anna = thread(answer)
    await anna.ask("look")
    await anna.ask("and now?")
    assert [role for role, _ in anna.said()] == ["human", "ai", "tool", "ai", "human"]
    await anna.ask("My sister got a new job.")
    assert anna.prompts[-1].tools == []
    assert [role for role, _ in anna.said()] == ["human", "ai"] * 2 + ["human"]


async def test_a_picture_alone_is_answered_and_not_remembered(thread: MakeThread) -> None:
    anna = thread(lambda prompt: f"I see {prompt.messages[1].content[0]['type']}")  # type: ignore[index]
    assert await anna.ask(HumanMessage([PICTURE])) == "I see image_url"  # type: ignore[list-item]
    assert anna.state["episode_id"] == ""
    assert anna.state["warnings"] == ["This turn is not remembered: your message has no text."]
    assert await anna.episodes() == []
    await anna.ask("What colour is it?")
    assert [role for role, _ in anna.said()] == ["human", "ai", "human"]


async def test_a_page_break_in_a_message_is_replaced(thread: MakeThread) -> None:
    anna = thread(lambda prompt: prompt.last)
    assert await anna.ask("one\x0ctwo") == "one\ufffdtwo"
    assert [each.query for each in await anna.episodes()] == ["one\ufffdtwo"]


async def test_a_thread_that_ends_with_an_answer_asks_nothing(thread: MakeThread) -> None:
    anna = thread(lambda prompt: "fine")
    for messages in ((), (AIMessage("I am the user."),)):
        with pytest.raises(UsageError, match="must end with a message of the user"):
            await anna.ask("hello", *messages) if messages else await anna.ask(*messages)
    assert await anna.ask("hello") == "fine"


async def test_a_run_that_is_repeated_does_not_go_on_from_what_it_read_before(
    thread: MakeThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = thread(poisoned)
    await there.ask("Hello?")  # of a new user the first turn keeps nothing
    run: Any = {"configurable": {"thread_id": "t2"}, "run_id": uuid4()}
    place = user_key("anna"), id_of_run(str(run["run_id"])), ""
    turns = there.deps.memory.turns

    async def ask(message: str) -> None:
        messages = {"messages": [HumanMessage(message)]}
        await there.graph.ainvoke(messages, run, context={"user_id": "anna"})

    with pytest.raises(PersonaAgentError):
        await ask("poison")
    assert turns.of(*place) is not None
    kept = []

    async def something_changed(*read: Any) -> Noted:
        return (await note_recalled(*read))._replace(read=None)

    async def look(*asked: Any, **options: Any) -> Any:
        kept.append(turns.of(*place))
        return await question(*asked, **options)

    monkeypatch.setattr(recall_module, "note_recalled", something_changed)
    monkeypatch.setattr(agent_module, "question", look)
    there.graph = build(there.deps).compile(store=there.store)
    await ask("Hello again?")
    assert kept == [None]
