"""Ends the runs of a killed process of the Postgres server, where there is no queue.

With a queue, aegra 0.11 gives each run a lease and hands an expired one to another worker. Without one,
a run whose process was killed would be running for ever, and its thread busy.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEW_SECONDS = 10.0
PREFIX = "process-"
"""What the name of a process begins with: workers of a queue have other names."""
PROBLEM = "The server ended during this run: ask again, or continue from the last checkpoint."

RENEW = """
    UPDATE runs SET lease_expires_at = :until
    WHERE claimed_by = :process AND status IN ('pending', 'running')
"""
END = """
    WITH ended AS (
        UPDATE runs SET status = 'error', error_message = :problem, updated_at = now(),
            claimed_by = NULL, lease_expires_at = NULL
        WHERE status IN ('pending', 'running') AND ({lost})
        RETURNING run_id, thread_id
    )
    UPDATE thread SET status = 'error', updated_at = now()
    WHERE thread_id IN (SELECT thread_id FROM ended) AND NOT EXISTS (
        SELECT FROM runs WHERE runs.thread_id = thread.thread_id
            AND status IN ('pending', 'running') AND run_id NOT IN (SELECT run_id FROM ended)
    )
"""
EXPIRED = f"""
    claimed_by LIKE '{PREFIX}%' AND lease_expires_at < now()
    OR claimed_by IS NULL AND status = 'running'
"""
"""The second are runs of earlier versions, which claimed none."""
OF_OTHERS = f"claimed_by LIKE '{PREFIX}%' OR claimed_by IS NULL"
"""What is unfinished when a server starts that is the only one."""


def end_lost_runs(*, alone: bool) -> None:
    """Have a server without a queue claim its runs, and end those that nobody claims any more.

    Args:
        alone: no other server runs on this database: what is unfinished at the start is lost.
    """
    from aegra_api.core.orm import Run
    from aegra_api.services.local_executor import LocalExecutor

    process = f"{PREFIX}{uuid4()}"
    start, stop = LocalExecutor.start, LocalExecutor.stop

    @event.listens_for(Run, "before_insert")
    def claim(_mapper: Any, _connection: Any, run: Any) -> None:
        run.claimed_by, run.lease_expires_at = process, datetime.now(UTC) + LEASE

    async def start_claiming(executor: Any) -> None:
        await _execute(END.format(lost=OF_OTHERS if alone else EXPIRED), problem=PROBLEM)
        executor.claiming = asyncio.create_task(_keep_claims(process))
        await start(executor)

    async def stop_claiming(executor: Any) -> None:
        await stop(executor)
        executor.claiming.cancel()
        with suppress(asyncio.CancelledError):
            await executor.claiming

    LocalExecutor.start, LocalExecutor.stop = start_claiming, stop_claiming


async def _keep_claims(process: str) -> None:
    """Renew the claims of this process, and end runs whose claim has expired; never returns."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await _execute(RENEW, process=process, until=datetime.now(UTC) + LEASE)
            await _execute(END.format(lost=EXPIRED), problem=PROBLEM)
        except (SQLAlchemyError, OSError) as error:
            log.warning("The claims of runs cannot be renewed now: %s", type(error).__name__)


async def _execute(statement: str, **parameters: Any) -> None:
    from aegra_api.core.orm import get_session_maker

    async with get_session_maker()() as session, session.begin():
        await session.execute(text(statement), parameters)
