"""``remember``: the turn becomes an episode."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.runtime import Runtime

from personaagent.core.prometheus import TURNS
from personaagent.core.records import Episode
from personaagent.core.states import AgentContext, AgentState
from personaagent.core.text import without_controls
from personaagent.memory.hiding import NOTHING_HIDDEN
from personaagent.memory.summary import refresh_summary
from personaagent.memory.user import UserMemory
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies


async def remember(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """Store the user's message and the final answer as an episode, unless incognito.

    What tools gave is not kept, only their names. What alignment has learned by itself, and put into
    the persona that spoke, the user is told now, once. An index that is down costs nothing here: the
    episode is stored first, and bears the mark to be indexed later. No model is waited for: a summary
    that is due is brought up to date beside the conversation.
    """
    TURNS.inc()
    if runtime.context is not None and runtime.context.incognito:
        return {"episode_id": ""}
    memory = user_memory(deps.memory, runtime)
    turn = this_turn(state["messages"])
    info = runtime.execution_info
    episode = Episode(
        id=state["episode_id"],
        user_id=memory.user_id,
        query=turn[0].text,
        response=without_controls(turn[-1].text),
        task=runtime.context.task if runtime.context is not None else None,
        metadata={
            "thread_id": info.thread_id if info else None,
            "persona_version": state["persona"]["version"],
            "tools": [call["name"] for call in tool_calls(turn)],
            "recalled": [each["id"] for each in state["recalled"]],
        },
    )
    news = await memory.remember(episode, state["persona"]["version"])
    if deps.settings.summary_every and deps.refreshing.free(memory.user_id):
        deps.refreshing.begin(memory.user_id, lambda: _refresh_if_due(deps, memory))
    return {"warnings": state["warnings"] + news}


async def _refresh_if_due(deps: Dependencies, memory: UserMemory) -> None:
    every = memory.hiding(NOTHING_HIDDEN)  # of all that is known, whatever this run was not to see
    if await every.profile.summary_due(deps.settings.summary_every):
        await refresh_summary(every, await deps.models.chat("critic"))


def this_turn(messages: list[AnyMessage]) -> list[AnyMessage]:
    """The messages from the user's last one on."""
    start = max(i for i, message in enumerate(messages) if isinstance(message, HumanMessage))
    return messages[start:]


def tool_calls(turn: list[AnyMessage]) -> list[dict[str, Any]]:
    """Every tool call of a turn, in order: ``{name, args, id}``."""
    return [dict(call) for m in turn if isinstance(m, AIMessage) for call in m.tool_calls]
