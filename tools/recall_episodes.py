"""The tool ``recall_episodes``: the agent looks into its user's own past."""

from collections.abc import Callable
from typing import Annotated, Any

from langchain_core.tools import BaseTool, tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from personaagent.core.settings import Settings
from personaagent.core.states import thread_to_note
from personaagent.memory.format import format_within
from personaagent.memory.user import UserMemory

MOST = 20


def recall_tool(
    memory_of: Callable[[ToolRuntime[Any, Any]], UserMemory], settings: Settings
) -> BaseTool:
    """The tool, over the memory that ``memory_of`` finds for a run: user and store are injected
    from it and invisible to the model."""

    @tool
    async def recall_episodes(
        query: Annotated[
            str, Field(description="what to look for, in a few words", max_length=500)
        ],
        runtime: ToolRuntime[Any, Any],
        k: Annotated[int, Field(description="how many to recall", ge=1, le=MOST)] = 4,
    ) -> str:
        """Search the user's own past: what they asked, said, chose, liked or wanted before."""
        memory = memory_of(runtime)
        recalled = await memory.recall(query, k)
        if recalled.warnings:
            return " ".join(recalled.warnings)
        if not recalled.episodes:
            return "Nothing in the user's memory matches."
        thread = thread_to_note(runtime)
        if thread:
            await memory.conversations.note(thread, [each.id for each in recalled.episodes])
        return format_within(recalled.episodes, settings.observation_chars)

    return recall_episodes
