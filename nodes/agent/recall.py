"""``recall``: the episodes nearest to the latest query, and the user's profile."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.runtime import Runtime

from personaagent.core.errors import UsageError
from personaagent.core.prometheus import RECALL_SECONDS
from personaagent.core.records import Usage, new_id
from personaagent.core.states import AgentContext, AgentState, thread_to_note
from personaagent.core.text import check_text
from personaagent.memory.facts import named_labels
from personaagent.memory.recall import RecallResult
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies


async def recall(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """Begin a turn: recall the k nearest episodes (paper: R^u(q*)) and read the profile.

    Raises:
        UsageError: the last message is not the user's, or its text cannot be used.
    """
    settings, context = deps.settings, runtime.context
    query = latest_query(state["messages"])
    check_text(query, "message", settings.max_query_chars)
    memory = user_memory(deps.memory, runtime)
    top_k = settings.top_k if context is None or context.top_k is None else context.top_k
    result, profile = await asyncio.gather(
        _timed(memory.recall(query, top_k)), memory.profile.read()
    )
    episode_id = _episode_id(runtime)
    if thread := thread_to_note(runtime):
        await memory.conversations.note(thread, [episode_id, *(e.id for e in result.episodes)])
        if labels := sorted(named_labels(profile.facts)):
            await memory.conversations.note(thread, named=labels, key=str(labels))
    return {
        "episode_id": episode_id,
        "recalled": [episode.stored() for episode in result.episodes],
        "profile": profile.stored(),
        "steps": 0,
        "usage": Usage().stored(),
        "warnings": [f"Answered without recall: {warning}" for warning in result.warnings],
    }


async def _timed(recall: Awaitable[RecallResult]) -> RecallResult:
    with RECALL_SECONDS.time():
        return await recall


def _episode_id(runtime: Runtime[AgentContext]) -> str:
    """The id of this turn's episode, derived from the run's id if there is one: a server repeats a
    run whose process was killed, and both must lead to the same episode."""
    run = runtime.execution_info and runtime.execution_info.run_id
    return uuid5(NAMESPACE_OID, run).hex[:16] if run else new_id()


def latest_query(messages: list[AnyMessage]) -> str:
    """The text of the last message, which must be the user's."""
    if not messages or not isinstance(messages[-1], HumanMessage):
        raise UsageError("The conversation must end with a message of the user.")
    return messages[-1].text
