"""A conversation on one machine that goes on from any of its checkpoints, as clients branch it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.graphs.agent import build, recursion_limit
from personaagent.memory.data_folder import Files, open_files
from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies
from tests.support.scripted_model import Prompt, Responder, scripted_dependencies


class Branching:
    """The agent over a data folder, with every step of a turn in the checkpoints."""

    def __init__(self, deps: Dependencies, files: Files, prompts: list[Prompt]) -> None:
        self.deps, self.files, self.prompts = deps, files, prompts
        graph: Any = build(deps).compile(store=files.store, checkpointer=files.saver)
        self.graph = graph.with_config(recursion_limit=recursion_limit(deps.settings))

    @property
    def memory(self) -> UserMemory:
        """Anna's."""
        return self.deps.memory.of(self.files.store, "anna")

    async def ask(
        self,
        text: str | Sequence[AnyMessage] | None,
        thread: str | RunnableConfig = "t1",
        **context: Any,
    ) -> dict[str, Any]:
        """A turn with this message (or these; None: with what is there), at the end of a thread or
        from a checkpoint."""
        given = [HumanMessage(text)] if isinstance(text, str) else text
        where = {"configurable": {"thread_id": thread}} if isinstance(thread, str) else thread
        state: dict[str, Any] = await self.graph.ainvoke(
            None if given is None else {"messages": [*given]},
            where,
            context={"user_id": "anna", **context},
        )
        return state

    async def at(self, *said: str, next: str = "", thread: str = "t1") -> RunnableConfig:
        """The latest checkpoint in which the messages have these texts, before the node ``next``."""

        def matches(state: StateSnapshot) -> bool:
            texts = [each.text for each in state.values.get("messages", [])]
            return texts == [*said] and state.next == ((next,) if next else ())

        where: RunnableConfig = {"configurable": {"thread_id": thread}}
        found = [each async for each in self.graph.aget_state_history(where) if matches(each)]
        return RunnableConfig(found[0].config)

    async def state(self, where: RunnableConfig) -> dict[str, Any]:
        """The state at a checkpoint."""
        values: dict[str, Any] = (await self.graph.aget_state(where)).values
        return values

    async def standing(self) -> list[str]:
        """What was asked in the episodes that stand, oldest first."""
        return [each.query for each in await self.episodes() if not each.discarded]

    async def left(self) -> list[str]:
        """What was asked in those that are discarded, oldest first."""
        return [each.query for each in await self.episodes() if each.discarded]

    async def episodes(self) -> list[Episode]:
        """All of Anna's, oldest first."""
        return [each async for each in self.memory.episodes.oldest_first()]


@asynccontextmanager
async def branching(home: Path, responder: Responder, **settings: Any) -> AsyncIterator[Branching]:
    """The agent over the data folder ``home``."""
    async with open_files(home) as files:
        deps, prompts = scripted_dependencies(load_settings(home=home, **settings), responder)
        yield Branching(deps, files, prompts)
