"""``remember``: the turn becomes an episode."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.runtime import Runtime

from personaagent.core.records import Episode
from personaagent.core.states import AgentContext, AgentState, zone_of
from personaagent.core.text import without_controls
from personaagent.core.turn_clock import end_turn_clock
from personaagent.models.ending import ENDED, ending_of
from personaagent.nodes.agent.branches import follow, note_turn, read_conversation
from personaagent.nodes.agent.conversation import question_of
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.profile_refresh import refresh_if_due

NOT_REMEMBERED = "This turn is not remembered: your message has no text."


async def remember(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """Store the user's message and the final answer as an episode, unless incognito.

    Of tool calls only the names are stored. If alignment has published a version by itself, the
    warnings tell the user once, with the first answer of that version. If the index is down, the
    episode is stored and marked to be indexed later. A summary that is due is refreshed in the
    background: the turn waits for no model. What the conversation left behind is discarded.

    Raises:
        Forgotten: the user was forgotten since the turn began, or an episode that it recalled.
    """
    end_turn_clock(state["episode_id"])
    if runtime.context is not None and runtime.context.incognito:
        return {"episode_id": ""}
    memory = user_memory(deps.memory, runtime, state)
    if not question_of(state["messages"]):
        await follow(memory, (await read_conversation(memory, state, runtime)).branch)
        return {"episode_id": "", "warnings": [*state["warnings"], NOT_REMEMBERED]}
    id, branch = await note_turn(memory, state, runtime)
    episode = _episode(id, state, runtime, memory.user_id)
    recalled = [each["id"] for each in state["recalled"]]
    news = await memory.remember(episode, state["persona"]["version"], needs=recalled)
    news += await follow(memory, branch)
    refresh_if_due(deps, memory, zone_of(runtime.context, deps.settings))
    return {
        "branch": {**state.get("branch", {}), "last": id},
        "episode_id": id,
        "warnings": state["warnings"] + news,
    }


def _episode(id: str, state: AgentState, runtime: Runtime[AgentContext], user_id: str) -> Episode:
    turn = this_turn(state["messages"])
    info = runtime.execution_info
    return Episode(
        id=id,
        user_id=user_id,
        query=question_of(state["messages"]),
        response=without_controls(turn[-1].text),
        task=runtime.context.task if runtime.context is not None else None,
        metadata={
            "thread_id": info.thread_id if info else None,
            "persona_version": state["persona"]["version"],
            "tools": [call["name"] for call in tool_calls(turn)],
            "recalled": [each["id"] for each in state["recalled"]],
            **_ended(turn[-1]),
        },
    )


def _ended(answer: AnyMessage) -> dict[str, str]:
    """Why the answer ended, where it is not known to be whole."""
    ending = ending_of(answer) if isinstance(answer, AIMessage) else "whole"
    return {} if ending == "whole" else {ENDED: ending}


def this_turn(messages: list[AnyMessage]) -> list[AnyMessage]:
    """The messages from the user's last one on."""
    start = max(i for i, message in enumerate(messages) if isinstance(message, HumanMessage))
    return messages[start:]


def tool_calls(turn: list[AnyMessage]) -> list[dict[str, Any]]:
    """Every tool call of a turn, in order: ``{name, args, id}``."""
    return [dict(call) for m in turn if isinstance(m, AIMessage) for call in m.tool_calls]
