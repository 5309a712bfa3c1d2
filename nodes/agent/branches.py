"""The branch of a conversation that a turn goes on: what it left behind is hidden from the turn, and
discarded when the turn is remembered. See ``memory/branches.py``."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.prebuilt.tool_node import ToolRuntime
from langgraph.runtime import Runtime

from personaagent.core.audience import audience_message
from personaagent.core.errors import PersonaAgentError
from personaagent.core.prometheus import count_failure
from personaagent.core.states import AgentContext, thread_to_note
from personaagent.memory.branches import (
    Branch,
    Exchange,
    Turn,
    branch_of,
    digest,
    end_of_emptied,
    with_turn,
    without_turns,
)
from personaagent.memory.conversations import turns_write
from personaagent.memory.memory import Memory
from personaagent.memory.snapshot import Wanted
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import StoreWrite
from personaagent.nodes.current_user import user_memory

AnyRuntime = Runtime[AgentContext] | ToolRuntime[Any, Any]
NO_BRANCH = Branch([], frozenset(), None)
FIRST_STEP = 1
"""The step of ``recall`` on a thread that has no checkpoint."""


class Discarding(NamedTuple):
    """Episodes that a branch ``left`` behind and that are not discarded yet, and discarded ones that
    stand ``again``, because they are in it."""

    left: frozenset[str]
    again: frozenset[str]


NOTHING_TO_DISCARD = Discarding(frozenset(), frozenset())


class TurnNote(NamedTuple):
    """How a turn is noted with its conversation.

    ``id`` is that of its episode, ``branch`` the one that it continues, and ``writes`` what is to be
    stored with the episode. ``again`` is whether the same texts were noted before.
    """

    id: str
    branch: Branch
    writes: list[StoreWrite]
    again: bool


class Conversation(NamedTuple):
    """The thread of a run, what is remembered of its turns, and the branch that the run goes on."""

    thread: str | None
    turns: list[Turn]
    branch: Branch


async def branch_memory(
    memory: Memory, state: Mapping[str, Any], runtime: AnyRuntime
) -> UserMemory:
    """The memory of the user whose run this is, without what their conversation has left behind."""
    users = user_memory(memory, runtime, state)
    conversation = await read_conversation(users, state, runtime)
    return users.also_hiding(conversation.branch.left)


async def read_conversation(
    memory: UserMemory, state: Mapping[str, Any], runtime: AnyRuntime
) -> Conversation:
    """What stands of the run's conversation before the user's present message."""
    thread = thread_to_note(runtime)
    turns = await memory.conversations.turns(thread) if thread else []
    if not turns:
        return Conversation(thread, [], NO_BRANCH)
    exchanges = [exchange for exchange, _ in _exchanges(state["messages"])[:-1]]
    branch = branch_of(turns, exchanges)
    last = (state.get("branch") or {}).get("last")
    if last and not branch.standing:
        branch = branch_of(turns, exchanges, await _end_of_emptied(memory, turns, last, state))
    return Conversation(thread, turns, branch)


async def begin_turn(
    memory: UserMemory,
    state: Mapping[str, Any],
    runtime: AnyRuntime,
    step: int | None,
    wanted: Wanted,
) -> tuple[UserMemory, dict[str, Any]]:
    """Begin a turn: what the user returned to stands again, if the turn may write.

    Args:
        memory: of the user.
        state: of the run.
        runtime: of the run.
        step: the number of this step of the graph on its thread, if it is known.
        wanted: what the turn reads in one trip.

    Returns:
        The memory without what was left behind, which has what is ``wanted`` at hand, and what the
        state is to hold of the branch.
    """
    thread, store = thread_to_note(runtime), memory.store
    await store.prefetch(wanted)
    if thread and step == FIRST_STEP and await memory.conversations.turns(thread):
        # its checkpoints are gone, so nothing was left behind
        await memory.conversations.forget_turns(thread)
    conversation = await read_conversation(memory, state, runtime)
    generation = ""
    if not (runtime.context is not None and runtime.context.incognito):
        generation = store.generation or await store.begin()
        standing = conversation.branch._replace(left=frozenset())
        await follow(memory, await to_discard(memory, standing))
    await store.prefetch(wanted)
    last = (state.get("branch") or {}).get("last")
    branch = {"last": last, "begun": time.time(), "generation": generation}
    return memory.also_hiding(conversation.branch.left), branch


async def turn_to_note(
    memory: UserMemory, state: Mapping[str, Any], runtime: AnyRuntime
) -> TurnNote:
    """How this turn, which has its answer, is noted with its conversation.

    The id is another than that of the state if the answer was made anew for a turn that is remembered
    already.
    """
    conversation = await read_conversation(memory, state, runtime)
    exchange, _ = _exchanges(state["messages"])[-1]
    noted = _noted_before(exchange, conversation.turns)
    id = (
        noted.episode
        if noted
        else _episode_id(state["episode_id"], exchange, conversation.turns, runtime)
    )
    if conversation.thread is None:
        return TurnNote(id, NO_BRANCH, [], again=False)
    begun = (state.get("branch") or {}).get("begun", 0.0)
    left = conversation.branch.left - {id}
    beside = {
        turn.episode
        for turn in conversation.turns
        if turn.episode in left and turn.at > begun and turn.human != exchange.human
    }  # asked at the same time: each stands, whichever the conversation goes on from
    turn = Turn(episode=id, follows=conversation.branch.last, at=time.time(), **exchange._asdict())
    others = without_turns(conversation.turns, beside)
    write = turns_write(conversation.thread, with_turn(others, turn))
    branch = conversation.branch._replace(left=left - beside)
    again = noted is not None and _texts(noted) == _texts(exchange)
    return TurnNote(id, branch, [write], again)


async def follow(memory: UserMemory, found: Discarding) -> list[str]:
    """Mark what a branch left behind as discarded, and what is in it as standing.

    Returns:
        What the user should know: it could not be done now. The next turn does it.
    """
    if not found.left and not found.again:
        return []
    try:
        await memory.episodes.discard(found.left, found.again)
    except PersonaAgentError as error:
        count_failure(error)
        reason = audience_message(error)
        return [f"Remembered; the other version of this conversation is in memory too: {reason}"]
    return []


async def to_discard(memory: UserMemory, branch: Branch) -> Discarding:
    """What ``follow`` has to do."""
    if not branch.left and not branch.standing:
        return NOTHING_TO_DISCARD
    discarded = await memory.episodes.discarded()
    return Discarding(branch.left - discarded, discarded.intersection(branch.standing))


def _exchanges(messages: Sequence[AnyMessage]) -> list[tuple[Exchange, str]]:
    """What the user's messages were answered with, in order, and the texts of the messages."""
    starts = [i for i, message in enumerate(messages) if isinstance(message, HumanMessage)]
    ends = [*starts[1:], len(messages)]
    return [
        (_exchange(messages[start:end]), messages[start].text)
        for start, end in zip(starts, ends, strict=True)
    ]


def _exchange(turn: Sequence[AnyMessage]) -> Exchange:
    first, answers = turn[0], [m for m in turn if isinstance(m, AIMessage) and not m.tool_calls]
    return Exchange(
        human=first.id or "",
        answer=(answers[-1].id or "") if answers else "",
        query=digest(first.text),
        response=digest(answers[-1].text) if answers else "",
    )


async def _end_of_emptied(
    memory: UserMemory, turns: Sequence[Turn], last: str, state: Mapping[str, Any]
) -> str | None:
    episodes = await memory.episodes.find([turn.episode for turn in turns])
    queries = {each.id: each.query for each in episodes}
    exchange, message = _exchanges(state["messages"])[-1]
    return end_of_emptied(turns, last, queries, message, exchange.human)


def _noted_before(exchange: Exchange, turns: Sequence[Turn]) -> Turn | None:
    """The turn that has this answer, by its id; its text may have been edited since.

    A turn that was noted and then killed is noted again by whatever run finishes it, and a client may
    have ``remember`` run again.
    """
    noted = (each for each in turns if exchange.answer and each.answer == exchange.answer)
    return next(noted, None)


def _texts(exchange: Exchange | Turn) -> tuple[str, str]:
    return exchange.query, exchange.response


def _episode_id(id: str, exchange: Exchange, turns: Sequence[Turn], runtime: AnyRuntime) -> str:
    """The id of the episode of a turn with a new answer.

    A client that has a message answered again may go on from the middle of its turn, whose state
    holds the id of the first answer. A run that a server repeats has its own id again.
    """
    run = runtime.execution_info and runtime.execution_info.run_id
    if run:
        return id_of_run(run)
    there = next((turn for turn in turns if turn.episode == id), None)
    if there is None:
        return id
    return uuid5(NAMESPACE_OID, f"{id}:{exchange.answer}").hex[:16]


def id_of_run(run: str) -> str:
    """The id of the episode of a run's turn.

    A server repeats a run from its start if the process was killed, and the turn must leave only one
    episode.
    """
    return uuid5(NAMESPACE_OID, run).hex[:16]
