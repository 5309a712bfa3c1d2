# pyright: reportMissingImports=false
# aegra has an environment of its own.
"""Ends the runs of a killed process of the Postgres server that nobody would end or continue.

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
UNCLAIMED = "claimed_by IS NULL AND status = 'running'"
"""Runs of earlier versions of this server, which claimed none without a queue."""
EXPIRED = f"claimed_by LIKE '{PREFIX}%' AND lease_expires_at < now() OR {UNCLAIMED}"
OF_OTHERS = f"claimed_by LIKE '{PREFIX}%' OR claimed_by IS NULL"
"""What is unfinished when a server starts that is the only one."""


def end_lost_runs(*, alone: bool, queue: bool) -> None:
    """Have the server end lost runs when it starts and, without a queue, claim its own.

    Args:
        alone: no other server runs on this database: without a queue, what is unfinished at the
            start is lost.
        queue: runs go through a queue, where workers claim them.
    """
    if queue:
        from aegra_api.services.worker_executor import WorkerExecutor

        _end_at_start(WorkerExecutor, UNCLAIMED)
    else:
        from aegra_api.services.local_executor import LocalExecutor

        _claim_runs(LocalExecutor)
        _end_at_start(LocalExecutor, OF_OTHERS if alone else EXPIRED)


def _end_at_start(executor: Any, lost: str) -> None:
    start = executor.start

    async def end_and_start(self: Any) -> None:
        await _execute(END.format(lost=lost), problem=PROBLEM)
        await start(self)

    executor.start = end_and_start


def _claim_runs(executor: Any) -> None:
    from aegra_api.core.orm import Run

    process = f"{PREFIX}{uuid4()}"
    start, stop = executor.start, executor.stop

    @event.listens_for(Run, "before_insert")
    def claim(_mapper: Any, _connection: Any, run: Any) -> None:
        run.claimed_by, run.lease_expires_at = process, _expiry()

    async def start_claiming(self: Any) -> None:
        self.claiming = asyncio.create_task(_keep_claims(process))
        await start(self)

    async def stop_claiming(self: Any) -> None:
        await stop(self)
        self.claiming.cancel()
        with suppress(asyncio.CancelledError):
            await self.claiming

    executor.start, executor.stop = start_claiming, stop_claiming


async def _keep_claims(process: str) -> None:
    """Renew the claims of this process, and end runs whose claim has expired; never returns."""
    from aegra_api.settings import settings

    while True:
        await asyncio.sleep(settings.worker.HEARTBEAT_INTERVAL_SECONDS)
        try:
            await _execute(RENEW, process=process, until=_expiry())
            await _execute(END.format(lost=EXPIRED), problem=PROBLEM)
        except (SQLAlchemyError, OSError) as error:
            log.warning("The claims of runs cannot be renewed now: %s", type(error).__name__)


def _expiry() -> datetime:
    """When a claim of now expires, by the settings for workers of a queue."""
    from aegra_api.settings import settings

    return datetime.now(UTC) + timedelta(seconds=settings.worker.LEASE_DURATION_SECONDS)


async def _execute(statement: str, **parameters: Any) -> None:
    from aegra_api.core.orm import get_session_maker

    async with get_session_maker()() as session, session.begin():
        await session.execute(text(statement), parameters)
