"""The tool ``recall_episodes``, with which the model searches the user's own episodes."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from langchain_core.tools import BaseTool, tool
from langgraph.prebuilt.tool_node import ToolRuntime
from pydantic import Field

from personaagent.core.settings import Settings
from personaagent.core.states import thread_to_note, zone_of
from personaagent.memory.earlier_answers import asks_about_answers, without_unconfirmed
from personaagent.memory.format import format_within
from personaagent.memory.reading import parse_place, read_on
from personaagent.memory.user import UserMemory

MAX_EPISODES = 20
NO_PLACE = "There is no such place: take what a memory gives as its rest."


def recall_tool(
    memory_of: Callable[[ToolRuntime[Any, Any]], Awaitable[UserMemory]], settings: Settings
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
        rest: Annotated[
            str, Field(description="to read on in a memory, what it gives as its rest")
        ] = "",
    ) -> str:
        """Search the user's own past: what they asked, said, chose, liked or wanted before."""
        memory = await memory_of(runtime)
        if rest:
            return await _read_on(memory, rest, runtime, settings)
        answers = answers or asks_about_answers(query)
        result = await memory.recall(query, k, answers=answers)
        if result.failed:
            return " ".join(result.warnings)
        if not result.episodes:
            return "Nothing in the user's memory matches."
        if thread := thread_to_note(runtime):
            await memory.conversations.note(thread, [episode.id for episode in result.episodes])
        shown = result.episodes if answers else without_unconfirmed(result.episodes)
        zone = zone_of(runtime.context, settings)
        return format_within(shown, settings.observation_chars, zone)

    return recall_episodes


async def _read_on(
    memory: UserMemory, place: str, runtime: ToolRuntime[Any, Any], settings: Settings
) -> str:
    """The text of one of the user's episodes from ``place`` on."""
    try:
        id, offset = parse_place(place)
    except ValueError:
        return NO_PLACE
    hidden = await memory.recaller.hidden_now()
    found = [each for each in await memory.episodes.find([id]) if not hidden.hides(each)]
    if not found:
        return NO_PLACE
    if thread := thread_to_note(runtime):
        await memory.conversations.note(thread, [id])
    zone = zone_of(runtime.context, settings)
    return read_on(found[0], offset, settings.observation_chars, zone)
