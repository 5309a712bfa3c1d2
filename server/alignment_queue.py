"""Alignment in the background: when it begins by itself, and how it is broken off.

Each user has one thread for it, on which their runs stand, one at a time, under their own name.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from httpx import HTTPError
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError, NotFoundError, UnprocessableEntityError
from langgraph_sdk.schema import Run, RunStatus

from personaagent.core.alignment import Decision
from personaagent.core.alignment_state import LABELS, NIGHTLY, alignment_thread
from personaagent.core.errors import Conflict
from personaagent.core.settings import Settings
from personaagent.core.users import user_key
from personaagent.memory.user import UserMemory

log = logging.getLogger(__name__)

GRAPH = "alignment"
GOING_ON: tuple[RunStatus, ...] = ("pending", "running")
MANY = 100
NEVER = "never"

_beginning: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def queue_alignment_if_due(
    api: LangGraphClient, memory: UserMemory, settings: Settings
) -> Run | None:
    """The user has labelled something: queue an alignment if it is due, and see to the nightly one.

    To be called after feedback and import, with ``api`` as the user calls it. What fails is logged:
    the labels are stored, and whatever did not begin is due with the next one. Where a run goes on,
    or its proposal waits for the user's word, none is queued: the marks of the labels stay, and
    count with the next.

    Returns:
        The run that was queued, if any.
    """
    if not settings.align_after or not await memory.unaligned.due(1):
        return None
    try:
        async with _one_at_a_time(memory.user_id):
            return await _begin_if_due(api, memory, settings)
    except HTTPError as error:
        log.warning("No alignment could be queued: %s", error)
        return None


async def _begin_if_due(api: LangGraphClient, memory: UserMemory, settings: Settings) -> Run | None:
    await _thread(api, memory.user_id)
    try:
        await _see_to_nightly(api, memory.user_id, settings.align_nightly)
    except UnprocessableEntityError as error:
        log.warning("PERSONAAGENT_ALIGN_NIGHTLY is no schedule to this server: %s", error)
    if not await memory.unaligned.due(settings.align_after):
        return None
    if await going_on(api, memory.user_id) or await _proposal_waits(api, memory.user_id):
        return None
    return await _begin(api, memory.user_id, LABELS)


async def begin(api: LangGraphClient, user_id: str, trigger: str, **options: Any) -> Run | None:
    """Queue a run on the user's thread; None where one is queued or going on already.

    A proposal that waits for the user's word is dropped for the new run.

    Args:
        trigger: who asks for it, for the record.
        options: as of ``AlignmentContext``.
    """
    async with _one_at_a_time(user_id):
        await _thread(api, user_id)
        if await going_on(api, user_id):
            return None  # a server that does not reject, as it is asked to below, would queue it
        return await _begin(api, user_id, trigger, **options)


async def _begin(api: LangGraphClient, user_id: str, trigger: str, **options: Any) -> Run | None:
    try:
        return await api.runs.create(
            alignment_thread(user_id),
            GRAPH,
            input={"trigger": trigger},
            **_as(user_id, **options),
        )
    except ConflictError:
        return None


def _one_at_a_time(user_id: str) -> asyncio.Lock:
    """Keeps two requests of a user from beginning or answering something twice."""
    return _beginning.setdefault(user_id, asyncio.Lock())


async def decide(api: LangGraphClient, user_id: str, decision: Decision) -> Run:
    """Let the run that waits for the user's word on its proposal go on with it, as a new run.

    Raises:
        Conflict: no proposal waits, or a run is queued or going on.
    """
    async with _one_at_a_time(user_id):
        await _thread(api, user_id)
        if await going_on(api, user_id):
            raise Conflict("An alignment is going on: answer when it has ended, if it asks you.")
        if not await _proposal_waits(api, user_id):
            raise Conflict(
                "No proposal waits for your word: it was answered, or dropped for another run."
            )
        return await api.runs.create(
            alignment_thread(user_id), GRAPH, command={"resume": decision.stored()}, **_as(user_id)
        )


async def _proposal_waits(api: LangGraphClient, user_id: str) -> bool:
    """By the thread's state, to be read while nothing goes on: its status is the same where a run was
    cancelled, or stopped at a breakpoint."""
    state = await api.threads.get_state(alignment_thread(user_id))
    return any(task["interrupts"] for task in state["tasks"])


async def going_on(api: LangGraphClient, user_id: str) -> list[Run]:
    """The runs of the user's alignment that are queued or going on."""
    return await _unfinished(api, alignment_thread(user_id))


async def break_off(api: LangGraphClient, user_id: str) -> None:
    """End all of the user's alignment: the nightly cron, what goes on, and the thread with its state.

    To be called before anything is forgotten: the thread holds the text of episodes. The next label
    makes a new one.
    """
    thread = alignment_thread(user_id)
    for cron in await api.crons.search(thread_id=thread):
        await api.crons.delete(cron["cron_id"])
    await end_thread(api, thread)


async def end_thread(api: LangGraphClient, thread: str) -> None:
    """Break off what runs on a thread of the caller, and delete it; it may be gone already."""
    await stop(api, thread)
    with suppress(NotFoundError):
        await api.threads.delete(thread)


async def stop(api: LangGraphClient, thread: str) -> None:
    """Break off what runs on a thread of the caller, and what is queued there."""
    with suppress(NotFoundError):
        for run in await _unfinished(api, thread):
            await _cancel(api, thread, run["run_id"])


async def _cancel(api: LangGraphClient, thread: str, run_id: str) -> None:
    with suppress(NotFoundError, ConflictError):  # it has just ended
        await api.runs.cancel(thread, run_id, wait=True)


async def _unfinished(api: LangGraphClient, thread: str) -> list[Run]:
    return [
        run for status in GOING_ON for run in await api.runs.list(thread, limit=MANY, status=status)
    ]


async def _thread(api: LangGraphClient, user_id: str) -> Any:
    return await api.threads.create(
        thread_id=alignment_thread(user_id),
        if_exists="do_nothing",
        graph_id=GRAPH,
        metadata={"owner": user_id},  # the server's own word on it, where there is no token
    )


async def _see_to_nightly(api: LangGraphClient, user_id: str, schedule: str) -> None:
    """See that the user has one cron, by the schedule as it is set now; none, where none is set."""
    thread = alignment_thread(user_id)
    wanted = None if schedule == NEVER else _own(schedule, user_id)
    found = await api.crons.search(thread_id=thread)
    as_wanted = [cron for cron in found if cron["schedule"] == wanted and cron["enabled"]]
    right = [cron["cron_id"] for cron in as_wanted[:1]]
    for cron in found:
        if cron["cron_id"] not in right:
            await api.crons.delete(cron["cron_id"])
    if wanted and not right:
        made: Any = await api.crons.create_for_thread(
            thread,
            GRAPH,
            schedule=wanted,
            input={"trigger": NIGHTLY},
            enabled=False,  # aegra would run it at once, and not wait for the night
            **_as(user_id),
        )
        await api.crons.update(made["cron_id"], enabled=True)


def _as(user_id: str, **options: Any) -> dict[str, Any]:
    """How a run goes: alone, as this user (of whom a server with tokens knows by itself)."""
    return {
        "context": {"user_id": user_id, **options},
        "multitask_strategy": "reject",
        "durability": "sync",
    }


def _own(schedule: str, user_id: str) -> str:
    """The schedule with a minute of the user's own for ``H``, so that not all begin at once."""
    return schedule.replace("H", str(int(user_key(user_id)[:8], 16) % 60), 1)
