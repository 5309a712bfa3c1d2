"""The tool ``recall_episodes``, with which the model searches the user's own episodes."""

from collections.abc import Callable
from typing import Annotated, Any

from langchain_core.tools import BaseTool, tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from personaagent.core.settings import Settings
from personaagent.core.states import thread_to_note, zone_of
from personaagent.memory.earlier_answers import asks_about_answers, without_unconfirmed
from personaagent.memory.format import format_within
from personaagent.memory.user import UserMemory

MAX_EPISODES = 20


def recall_tool(
    memory_of: Callable[[ToolRuntime[Any, Any]], UserMemory], settings: Settings
) -> BaseTool:
    """The tool, which searches the memory that ``memory_of`` returns for a run.

    The model sees neither user nor store: they come from the run.
    """

    @tool
    async def recall_episodes(
        query: Annotated[
            str, Field(description="what to look for, in a few words", max_length=500)
        ],
        runtime: ToolRuntime[Any, Any],
        k: Annotated[int, Field(description="how many to recall", ge=1, le=MAX_EPISODES)] = 4,
        answers: Annotated[
            bool, Field(description="whether to show also what you answered, which may be wrong")
        ] = False,
    ) -> str:
        """Search the user's own past: what they asked, said, chose, liked or wanted before."""
        memory = memory_of(runtime)
        answers = answers or asks_about_answers(query)
        result = await memory.recall(query, k, answers=answers)
        if result.failed:
            return " ".join(result.warnings)
        if not result.episodes:
            return "Nothing in the user's memory matches."
        if thread := thread_to_note(runtime):
            await memory.conversations.note(thread, [episode.id for episode in result.episodes])
        shown = result.episodes if answers else without_unconfirmed(result.episodes)
        return format_within(shown, settings.observation_chars, zone_of(runtime.context, settings))

    return recall_episodes
