"""Takes back what runs of the Postgres server wrote, as ``multitask_strategy="rollback"`` asks."""

import asyncio
from typing import Any

from fastapi import HTTPException
from sqlalchemy import text

LOOKS, LOOK_SECONDS = 50, 0.2
"""How often, and how far apart, it is looked whether the runs have ended."""

UNFINISHED = """
    SELECT count(*) FROM runs WHERE run_id = ANY(:runs) AND status IN ('pending', 'running')
"""
TAKE_BACK = (
    """
    DELETE FROM checkpoint_writes AS write USING checkpoints AS own
    WHERE own.thread_id = :thread AND own.metadata ->> 'run_id' = ANY(:runs)
        AND (write.thread_id, write.checkpoint_ns, write.checkpoint_id)
            = (own.thread_id, own.checkpoint_ns, own.checkpoint_id)
    """,
    "DELETE FROM checkpoints WHERE thread_id = :thread AND metadata ->> 'run_id' = ANY(:runs)",
    "DELETE FROM runs WHERE thread_id = :thread AND run_id = ANY(:runs)",
)


async def roll_back(session: Any, thread_id: str, runs: list[str]) -> None:
    """Delete these runs of the thread, once they have ended, with all checkpoints that they wrote.

    An episode that one of them remembered is left behind by the conversation: the next turn marks it
    as discarded.

    Raises:
        HTTPException: 409, one has not ended within ten seconds.
    """
    for _ in range(LOOKS):
        if not await session.scalar(text(UNFINISHED), {"runs": runs}):
            break
        await asyncio.sleep(LOOK_SECONDS)
    else:
        raise HTTPException(409, "A run on this thread has not ended yet: try again.")
    for statement in TAKE_BACK:
        await session.execute(text(statement), {"thread": thread_id, "runs": runs})
    await session.commit()
