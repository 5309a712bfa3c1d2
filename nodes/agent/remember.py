"""``remember``: the turn becomes an episode."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph.message import push_message
from langgraph.runtime import Runtime

from personaagent.core.decision import DECIDED, Decided, Decision
from personaagent.core.records import Episode
from personaagent.core.states import AgentContext, AgentState, thread_to_note, zone_of
from personaagent.core.text import without_controls
from personaagent.core.thread_messages import episode_chunk, with_episode
from personaagent.core.turn_clock import end_turn_clock
from personaagent.memory.generation import Outdated
from personaagent.memory.remembering import Remembering
from personaagent.memory.turn_snapshots import decided_from, wanted_by_turn
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import Need
from personaagent.models.ending import ENDED, ending_of
from personaagent.nodes.agent.branches import (
    follow,
    read_conversation,
    to_discard,
    turn_to_note,
)
from personaagent.nodes.agent.conversation import question_of
from personaagent.nodes.agent.question import asks_to_choose
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.profile_refresh import refresh_if_due

TRIES = 3
"""How often the turn is remembered anew because others write what it was decided from."""
NOT_REMEMBERED = "This turn is not remembered: your message has no text."
PAUSED = "This turn is not remembered: remembering is paused."


async def remember(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """Store the user's message and the final answer as an episode, unless incognito or paused.

    Of tool calls only the names are stored. If alignment has published a version by itself, the
    warnings tell the user once, with the first answer of that version. If the index is down, the
    episode is stored and marked to be indexed later. A summary that is due is refreshed in the
    background: the turn waits for no model. What the conversation left behind is discarded. The
    answer's message carries the id of the episode, so that any client can give feedback on it. Run
    again on the same answer, it leaves the episode as it is, with the feedback that it has since.

    Raises:
        Forgotten: the user was forgotten since the turn began, or something that the thread holds.
    """
    end_turn_clock(state.get("episode_id", ""))
    memory = user_memory(deps.memory, runtime, state)
    deps.memory.turns.drop(memory.store.key, state.get("episode_id", ""))
    if runtime.context is not None and runtime.context.incognito:
        return {"episode_id": ""}
    wanted = wanted_by_turn(thread_to_note(runtime), deps.settings.summary_every)
    for _ in range(TRIES):
        await memory.store.prefetch(wanted)
        try:
            return await _remember(state, runtime, memory, deps)
        except Outdated:
            memory.store.have(None)
    return await _remember(state, runtime, memory, deps)  # whatever others write meanwhile


async def _remember(
    state: AgentState, runtime: Runtime[AgentContext], memory: UserMemory, deps: Dependencies
) -> dict[str, Any]:
    needs, pending = _needs(state), _pending(memory)
    if why_not := await _why_not(state, memory):
        memory.store.have(None)
        await memory.store.begin(needs=needs)
        branch = (await read_conversation(memory, state, runtime)).branch
        await follow(memory, await to_discard(memory, branch))
        return {"episode_id": "", "warnings": [*state["warnings"], why_not]}
    note = await turn_to_note(memory, state, runtime)
    discarding = await to_discard(memory, note.branch)
    news: list[str] = []
    if not (note.again and await memory.episodes.find([note.id])):
        news = await memory.remember(
            _episode(note.id, state, runtime, memory.user_id),
            state["persona"]["version"],
            needs,
            also=note.writes,
            decided_from=decided_from(thread_to_note(runtime)),
        )
    news += await follow(memory, discarding)
    if pending is None or pending + 1 >= deps.settings.summary_every:
        refresh_if_due(deps, memory, zone_of(runtime.context, deps.settings))
    return {
        "branch": {**state.get("branch", {}), "last": note.id},
        "episode_id": note.id,
        "messages": _answer_of(note.id, state),
        "warnings": state["warnings"] + news,
    }


def _pending(memory: UserMemory) -> int | None:
    """How many episodes the summary has not read; None if that is not known, or too many to count."""
    at_hand = memory.store.at_hand
    rows = None if at_hand is None else at_hand.whole("unsummarised")
    return None if rows is None else len(rows)


def _needs(state: AgentState) -> list[Need]:
    """What goes when something that the turn rests on is forgotten: the episodes that it recalled, and
    the note of its thread."""
    recalled: list[Need] = [("episodes", each["id"]) for each in state["recalled"]]
    note = (state.get("branch") or {}).get("note")
    return [*recalled, ("conversations", note)] if note else recalled


async def _why_not(state: AgentState, memory: UserMemory) -> str | None:
    """Why the turn is not remembered; None if it is."""
    if not question_of(state["messages"]):
        return NOT_REMEMBERED
    if not await Remembering(memory.store).is_paused():
        return None
    memory.store.have(None)  # it may have been resumed since the turn began
    return PAUSED if await Remembering(memory.store).is_paused() else None


def _answer_of(id: str, state: AgentState) -> list[AIMessage]:
    """The answer with the id of its episode, which clients that stream messages receive too.

    A choice came whole when it was decided, and had the id then (``react``).
    """
    answer = state["messages"][-1]
    if not isinstance(answer, AIMessage):
        return []
    if asks_to_choose(state) is None:
        push_message(episode_chunk(answer, id), state_key=None)
    return [with_episode(answer, id)]


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
            **_decided(state),
            **_ended(turn[-1]),
        },
    )


def _decided(state: AgentState) -> dict[str, Any]:
    """How sure the answer to a closed question was, so that it can be compared with what is right."""
    decision = state.get("decision")
    return {DECIDED: Decided.of(Decision.model_validate(decision)).stored()} if decision else {}


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
