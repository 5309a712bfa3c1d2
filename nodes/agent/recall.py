"""``recall``: finds the past episodes that are nearest to the user's latest message.

Nearest is by dense embedding and by BM25, fused (``memory/fusion.py``); the search itself is
``memory/recall.py``. The user's profile is read beside it. Episodes and statements that have nothing
to do with the question are left out (``relevance.py``).
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from personaagent.core.errors import ConfigurationError, DataError, ServiceError, UsageError
from personaagent.core.prometheus import RECALL_SECONDS, count_failure
from personaagent.core.records import Profile, Usage, new_id
from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext, AgentState, SimulatedContext, thread_to_note
from personaagent.core.text import check_message
from personaagent.core.turn_clock import begin_turn_clock
from personaagent.memory.earlier_answers import as_shown_for
from personaagent.memory.recall import RecallResult
from personaagent.memory.turn_snapshots import wanted_by_turn
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.branches import begin_turn, id_of_run
from personaagent.nodes.agent.conversation import conversation, questions_of
from personaagent.nodes.agent.noting import note_recalled
from personaagent.nodes.agent.relevance import relevant_episodes, relevant_profile
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies


async def recall(
    state: AgentState,
    runtime: Runtime[AgentContext],
    config: RunnableConfig | None = None,
    *,
    deps: Dependencies,
) -> dict[str, Any]:
    """Begin a turn: recall the ``top_k`` nearest episodes (paper: R^u(q*)) and read the profile.

    If the search fails, ``recalled`` is empty and ``warnings`` says why. A picture without text
    recalls nothing.

    Raises:
        UsageError: the last message is not the user's, or its text cannot be used.
    """
    episode_id = _episode_id(runtime)
    simulated = isinstance(runtime.context, SimulatedContext)
    if not simulated:  # which would not end as a turn
        begin_turn_clock(episode_id)
    query = latest_query(state["messages"], deps.settings.max_query_chars)
    step = (config or {}).get("metadata", {}).get("langgraph_step")
    wanted = wanted_by_turn(thread_to_note(runtime), deps.settings.summary_every)
    users = user_memory(deps.memory, runtime)
    memory, branch = await begin_turn(users, state, runtime, step, wanted)
    if simulated:
        memory = memory.patient()
    top_k = _top_k(runtime, deps.settings) if query else 0
    profile = await memory.profile.read()
    recalled = await _recall_timed(memory, query, top_k)
    if query:
        seconds = memory.recaller.timeout
        recalled, profile = await _relevant(recalled, profile, state["messages"], deps, seconds)
    noted = await note_recalled(runtime, memory, episode_id, recalled.episodes, profile)
    turns, user = deps.memory.turns, memory.store.key
    if noted.read:
        turns.keep(user, episode_id, noted.read)
    else:
        turns.drop(user, episode_id)  # what an earlier attempt of the same run has read
    return {
        "branch": branch | {"note": noted.note},
        "episode_id": episode_id,
        "recalled": [each.stored() for each in as_shown_for(query, noted.episodes)],
        "profile": noted.profile.stored(),
        "steps": 0,
        "usage": Usage().stored(),
        "warnings": _warnings(recalled),
    }


def latest_query(messages: Sequence[BaseMessage], limit: int) -> str:
    """The text of the user's message at the end of the thread; empty if it is only a picture.

    Raises:
        UsageError: there is no such message, or its text cannot be used.
    """
    said = [message for message in messages if not isinstance(message, SystemMessage)]
    if not said or not isinstance(said[-1], HumanMessage):
        raise UsageError("The conversation must end with a message of the user.")
    talk = conversation(said)
    is_picture_alone = talk.has_media and not talk.question
    return "" if is_picture_alone else check_message(talk.question, limit)


async def _relevant(
    recalled: RecallResult,
    profile: Profile,
    messages: list[AnyMessage],
    deps: Dependencies,
    seconds: float,
) -> tuple[RecallResult, Profile]:
    """What of both bears on the question; all of it if that cannot be computed in so many seconds."""
    if deps.settings.recall_mode == "bm25":
        return recalled, profile
    questions = questions_of(messages)
    try:
        async with asyncio.timeout(seconds):
            statements = await relevant_profile(profile, questions, deps.vectors)
            episodes = await relevant_episodes(recalled.episodes, questions, deps.vectors)
    except (TimeoutError, ServiceError, ConfigurationError, DataError) as error:
        count_failure(error)
        return recalled, profile
    return RecallResult(episodes, recalled.warnings), statements


def _warnings(recalled: RecallResult) -> list[str]:
    if recalled.failed:
        return [f"Answered without recall: {warning}" for warning in recalled.warnings]
    return recalled.warnings


async def _recall_timed(memory: UserMemory, query: str, top_k: int) -> RecallResult:
    with RECALL_SECONDS.time():
        return await memory.recall(query, top_k)


def _top_k(runtime: Runtime[AgentContext], settings: Settings) -> int:
    context = runtime.context
    return settings.top_k if context is None or context.top_k is None else context.top_k


def _episode_id(runtime: Runtime[AgentContext]) -> str:
    """The id of this turn's episode; it derives from the run's id, if there is one."""
    run = runtime.execution_info and runtime.execution_info.run_id
    return id_of_run(run) if run else new_id()
