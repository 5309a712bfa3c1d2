"""Alignment in the background: what queues a run, and what cancels it.

Each user has one thread for alignment, on which their runs are queued one at a time.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from httpx import HTTPError
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError
from langgraph_sdk.schema import Run

from personaagent.core.alignment import ProposalDecision
from personaagent.core.alignment_state import LABELS_TRIGGER, NIGHTLY_TRIGGER, alignment_thread
from personaagent.core.errors import Conflict
from personaagent.core.settings import Settings
from personaagent.core.telling import labels_missing
from personaagent.memory.user import UserMemory
from personaagent.server.alignment_runs import GRAPH, alignment_run, run_options
from personaagent.server.data_folder import exclusive
from personaagent.server.removal import delete_thread, unfinished_on

log = logging.getLogger(__name__)

_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def queue_alignment_if_due(
    api: LangGraphClient, memory: UserMemory, settings: Settings
) -> Run | None:
    """Queue an alignment if the user's new labels make it due.

    Call it after feedback and after an import, with ``api`` as the user. A failure is logged only:
    the labels are stored, and the next one makes the alignment due again. While a run is unfinished
    or a proposal waits for the user, nothing is queued: the labels count towards the next run.

    Returns:
        The run that was queued, if any.
    """
    if not await memory.unaligned.due(settings.align_after):
        return None
    try:
        async with memory.forgetting(), _user_lock(memory.user_id):
            if not await memory.unaligned.due(settings.align_after):
                return None  # it was forgotten meanwhile, and its thread must not come back
            return await _queue_if_free(api, memory.user_id)
    except HTTPError as error:
        log.warning("No alignment could be queued: %s", error)
        return None


async def _queue_if_free(api: LangGraphClient, user_id: str) -> Run | None:
    await _ensure_thread(api, user_id)
    if await unfinished_runs(api, user_id) or await _proposal_waits(api, user_id):
        return None
    return await _create_run(api, user_id, LABELS_TRIGGER)


async def queue_nightly(api: LangGraphClient, user_id: str, since: datetime) -> Run | None:
    """Queue the run of the night that began ``since`` then, with ``api`` as the user.

    None if they had a run since, one is unfinished, or a proposal waits for them.
    """
    async with _user_lock(user_id):
        await _ensure_thread(api, user_id)
        latest = await api.runs.list(alignment_thread(user_id), limit=1)
        if latest and alignment_run(latest[0]).created_at >= since:
            return None
        if await unfinished_runs(api, user_id) or await _proposal_waits(api, user_id):
            return None
        return await _create_run(api, user_id, NIGHTLY_TRIGGER)


async def tell_missing_labels(memory: UserMemory, settings: Settings) -> None:
    """Leave a notice of how many corrections are missing until an alignment is queued by itself."""
    if text := labels_missing(await memory.unaligned.missing(settings.align_after)):
        await memory.notices.add(0, text, about="missing")
    else:
        await memory.notices.remove(0, about="missing")


async def queue_alignment(
    api: LangGraphClient, user_id: str, trigger: str, **options: Any
) -> Run | None:
    """Queue a run on the user's thread; None if one is unfinished there.

    A proposal that waits for the user is dropped for the new run.

    Args:
        trigger: what the record says of who asked for the run.
        options: as of ``AlignmentContext``.

    Raises:
        Conflict: the command is aligning the user.
    """
    async with _user_lock(user_id):
        await _ensure_thread(api, user_id)
        if await unfinished_runs(api, user_id):
            return None
        await _check_not_exclusive(user_id)
        return await _create_run(api, user_id, trigger, **options)


async def _create_run(
    api: LangGraphClient, user_id: str, trigger: str, **options: Any
) -> Run | None:
    try:
        return await api.runs.create(
            alignment_thread(user_id),
            GRAPH,
            input={"trigger": trigger},
            **run_options(user_id, **options),
        )
    except ConflictError:
        return None


async def resume_alignment(api: LangGraphClient, user_id: str, decision: ProposalDecision) -> Run:
    """Resume the run whose proposal waits for the user's decision; it continues as a new run.

    Raises:
        Conflict: no proposal waits, a run is unfinished, or the command is aligning the user.
    """
    async with _user_lock(user_id):
        await _ensure_thread(api, user_id)
        if await unfinished_runs(api, user_id):
            raise Conflict("An alignment is running: answer once it has ended, if it asks you.")
        if not await _proposal_waits(api, user_id):
            raise Conflict(
                "No proposal is waiting for your decision: it was answered, or dropped for another run."
            )
        await _check_not_exclusive(user_id)
        return await api.runs.create(
            alignment_thread(user_id),
            GRAPH,
            command={"resume": decision.stored()},
            **run_options(user_id),
        )


async def unfinished_runs(api: LangGraphClient, user_id: str) -> list[Run]:
    """The runs of the user's alignment that are queued or running."""
    return await unfinished_on(api, alignment_thread(user_id))


async def cancel_alignment(api: LangGraphClient, user_id: str) -> None:
    """End all of the user's alignment: unfinished runs, and the thread's state.

    Call it before anything is forgotten: the thread holds the text of episodes. The next label
    makes a new thread. What is gone already is success.

    Raises:
        DataError: a run or the thread cannot be removed now.
    """
    await delete_thread(api, alignment_thread(user_id))


async def _proposal_waits(api: LangGraphClient, user_id: str) -> bool:
    """Whether the thread's state holds an interrupt; ask only while no run is unfinished.

    The thread's status does not tell: it is the same after a cancelled run, or at a breakpoint.
    """
    state = await api.threads.get_state(alignment_thread(user_id))
    return any(task["interrupts"] for task in state["tasks"])


async def _ensure_thread(api: LangGraphClient, user_id: str) -> None:
    await api.threads.create(
        thread_id=alignment_thread(user_id),
        if_exists="do_nothing",
        graph_id=GRAPH,
        metadata={"owner": user_id},  # written by authentication too, where there are tokens
    )


async def _check_not_exclusive(user_id: str) -> None:
    """Refuse at once what would fail as a run: see ``exclusive``."""
    async with exclusive(user_id):
        pass


def _user_lock(user_id: str) -> asyncio.Lock:
    """Keeps two requests of a user from queueing a run or answering a proposal twice."""
    return _locks.setdefault(user_id, asyncio.Lock())
