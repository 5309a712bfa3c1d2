"""A whole agent in memory, and what its turns left in the state."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.graphs.agent import build, recursion_limit
from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies
from tests.support.memories import index_in_memory
from tests.support.scripted_model import Responder, scripted_dependencies


class Agent:
    """A compiled graph with everything in memory."""

    def __init__(self, home: Path, responder: Responder, **settings: Any) -> None:
        self.settings = load_settings(home=home, **settings)
        self.deps, self.prompts = scripted_dependencies(self.settings, responder, index_in_memory())
        self.store, self.saver = InMemoryStore(), InMemorySaver()
        self.graph = self.compiled(self.deps)

    def compiled(self, deps: Dependencies) -> Any:
        graph = build(deps).compile(store=self.store, checkpointer=self.saver)
        return graph.with_config(recursion_limit=recursion_limit(self.settings))

    def memory(self, user: str = "anna") -> UserMemory:
        return self.deps.memory.of(self.store, user)

    def arguments(self, text: str, thread: str, **context: Any) -> dict[str, Any]:
        return {
            "input": {"messages": [HumanMessage(text)]},
            "config": {"configurable": {"thread_id": thread}},
            "context": {"user_id": "anna", **context},
        }

    async def ask(self, text: str, thread: str = "t1", **context: Any) -> dict[str, Any]:
        state: dict[str, Any] = await self.graph.ainvoke(**self.arguments(text, thread, **context))
        return state

    async def episodes(self, user: str = "anna") -> list[Episode]:
        return [each async for each in self.memory(user).episodes.oldest_first()]


MakeAgent = Callable[..., Agent]


def reply(state: dict[str, Any]) -> str:
    return str(state["messages"][-1].text)


def observations(state: dict[str, Any]) -> list[ToolMessage]:
    return [each for each in state["messages"] if isinstance(each, ToolMessage)]
