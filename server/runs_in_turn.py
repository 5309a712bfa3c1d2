# pyright: reportMissingImports=false
# aegra has an environment of its own.
"""Runs on one thread of the Postgres server, one at a time, as ``multitask_strategy`` says.

aegra 0.11 stores the strategy and begins each run at once: of two on a thread, the messages of one are
lost. Here a run that finds others unfinished is refused, waits for them, or ends them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import HTTPException
from sqlalchemy import select, text

from personaagent.server.rollback import roll_back

STRATEGIES = ("enqueue", "reject", "interrupt", "rollback")
MOST_UNFINISHED = 20
"""How many runs of a thread may be unfinished: each that waits is looked at again and again."""
WAIT_SECONDS = 0.2
"""After which a run that waits looks again."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('personaagent_thread ' || :thread, 0))"
UNFINISHED = """
    SELECT run_id FROM runs WHERE thread_id = :thread AND status IN ('pending', 'running')
"""
WAITS = """
    SELECT EXISTS (
        SELECT FROM runs AS own JOIN runs AS other USING (thread_id)
        WHERE own.run_id = :run AND own.status IN ('pending', 'running') AND other.run_id <> :run
            AND (other.status = 'running' OR other.status = 'pending'
                AND (other.created_at, other.run_id) < (own.created_at, own.run_id))
    )
"""
NEXT = """
    SELECT other.run_id FROM runs AS own JOIN runs AS other USING (thread_id)
    WHERE own.run_id = :run AND other.status = 'pending'
    ORDER BY other.created_at, other.run_id LIMIT 1
"""

_waiting: set[asyncio.Task[None]] = set()


def take_turns(*, queue: bool) -> None:
    """Have aegra begin a run only when those before it on its thread have ended.

    Args:
        queue: whether runs go through a queue: there a run that waits goes back to the queue, so
            that it keeps no worker from others; else it waits in its own task.
    """
    _prepare_in_turn()
    if queue:
        _take_from_queue_in_turn()
    else:
        _start_in_turn()


def _prepare_in_turn() -> None:
    from aegra_api.api import crons, runs
    from aegra_api.services import cron_scheduler, run_preparation
    from aegra_api.services.event_streaming import commands

    prepare = run_preparation._prepare_run

    async def prepare_in_turn(
        session: Any, thread_id: str, request: Any, user: Any, **options: Any
    ) -> Any:
        await _admit(session, thread_id, request.multitask_strategy or "enqueue", user.identity)
        return await prepare(session, thread_id, request, user, **options)

    for module in (run_preparation, runs, crons, cron_scheduler, commands):
        module._prepare_run = prepare_in_turn


async def _admit(session: Any, thread_id: str, strategy: str, user_id: str) -> None:
    """Let the run be stored, or refuse it; until then no other is stored on the thread."""
    if strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise HTTPException(422, f"There is no multitask_strategy '{strategy}': use {known}.")
    ended = []
    if strategy in ("interrupt", "rollback"):
        ended = await _interrupt_unfinished(thread_id, user_id)
    if ended and strategy == "rollback":
        await roll_back(session, thread_id, ended)
    await session.execute(text(LOCK), {"thread": thread_id})
    unfinished = len((await session.scalars(text(UNFINISHED), {"thread": thread_id})).all())
    if unfinished and strategy == "reject":
        raise HTTPException(409, "Another run on this thread is unfinished: wait until it ends.")
    if unfinished >= MOST_UNFINISHED:
        raise HTTPException(409, f"{unfinished} runs wait on this thread: wait until they end.")


async def _interrupt_unfinished(thread_id: str, user_id: str) -> list[str]:
    """Ask the unfinished runs to end; their ids."""
    from aegra_api.api.runs import _request_run_interruption
    from aegra_api.core.orm import Run, get_session_maker

    unfinished = select(Run).where(
        Run.thread_id == thread_id, Run.user_id == user_id, Run.status.in_(["pending", "running"])
    )
    async with get_session_maker()() as session:
        runs = (await session.scalars(unfinished)).all()
        for run in runs:
            await _request_run_interruption(session, run, "interrupt")
    return [run.run_id for run in runs]


def _start_in_turn() -> None:
    from aegra_api.services import run_executor

    start: Callable[..., Awaitable[bool]] = run_executor.start_run

    async def start_in_turn(run_id: str, *, user_id: str) -> bool:
        while True:
            if not await _waits(run_id):
                return await start(run_id, user_id=user_id)
            await asyncio.sleep(WAIT_SECONDS)

    run_executor.start_run = start_in_turn


def _take_from_queue_in_turn() -> None:
    from aegra_api.services import run_executor, worker_executor

    acquire, signal = worker_executor._acquire_and_load, run_executor._signal_run_done

    async def acquire_in_turn(run_id: str, worker_name: str) -> Any:
        if not await _waits(run_id):
            return await acquire(run_id, worker_name)
        back = asyncio.create_task(_queue_again(run_id))
        _waiting.add(back)
        back.add_done_callback(_waiting.discard)
        return None

    async def signal_to_next(run_id: str) -> None:
        await signal(run_id)
        if next_run := await _value(NEXT, run_id):
            await worker_executor._push_back(next_run)

    worker_executor._acquire_and_load = acquire_in_turn
    run_executor._signal_run_done = signal_to_next


async def _queue_again(run_id: str) -> None:
    """A run that is lost here, with its process, is queued again when the one before it ends."""
    from aegra_api.services.worker_executor import _push_back

    await asyncio.sleep(WAIT_SECONDS)
    await _push_back(run_id)


async def _waits(run_id: str) -> bool:
    """Whether another run on the thread is running, or was there before this one."""
    return bool(await _value(WAITS, run_id))


async def _value(query: str, run_id: str) -> Any:
    from aegra_api.core.orm import get_session_maker

    async with get_session_maker()() as session:
        return await session.scalar(text(query), {"run": run_id})
