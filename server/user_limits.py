"""What a user may ask of a server: requests a minute, and what a day holds.

All is counted in the store, over all processes, and refused with 429 and the seconds to wait.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil

from langgraph.store.base import BaseStore
from langgraph_sdk import Auth

from personaagent.core.errors import LimitReached, PersonaAgentError
from personaagent.core.records import now
from personaagent.core.users import user_key
from personaagent.memory.shared_value import Value, change_value
from personaagent.memory.spending import REQUESTS, delete_old_accounts
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.user_meter import user_meter
from personaagent.server.store import on_server, server_store

PATH = ("spending", REQUESTS)
DAY = 24 * 3600.0
MINUTE = 60.0


async def count_request(store: BaseStore, user_id: str, per_minute: int) -> None:
    """Count a request of the user, who may make so many in a minute, and as many at once.

    The allowance fills up evenly, so that there is no moment at which it doubles.

    Raises:
        LimitReached: none is left.
    """
    seconds = await change_value(
        store, PATH, user_key(user_id), lambda value: _taken(value, per_minute, time.time())
    )
    if seconds:
        raise LimitReached(
            f"You may make {per_minute} requests in a minute: wait a little.", "requests", seconds
        )


def _taken(value: Value | None, per_minute: int, at: float) -> tuple[Value | None, int]:
    """The allowance after a request, and the seconds to wait if none was left."""
    left, before = (value["left"], value["at"]) if value else (float(per_minute), at)
    left = min(per_minute, left + max(0.0, at - before) * per_minute / MINUTE)
    if left < 1:
        return None, ceil((1 - left) * MINUTE / per_minute)
    return {"left": left - 1, "at": at, "day": now().toordinal()}, 0


async def refuse_if_spent(deps: Dependencies, store: BaseStore, user_id: str) -> None:
    """Refuse a turn of a user whose tokens of the day are spent: 429, before anything is stored."""
    meter = user_meter(deps.memory.of(store, user_id), deps.settings)
    try:
        if meter is not None:
            await meter.check()
    except LimitReached as reached:
        raise Auth.exceptions.HTTPException(429, str(reached), retry_after(reached)) from reached


def retry_after(reached: LimitReached) -> dict[str, str]:
    """The header that says when to try again."""
    return {"Retry-After": str(max(1, reached.retry_after))}


@asynccontextmanager
async def deleting_old_accounts() -> AsyncIterator[None]:
    """While the server runs, delete every day what users have spent on days before."""
    if not on_server():
        yield
        return
    deleting = asyncio.create_task(_delete_daily())
    try:
        yield
    finally:
        deleting.cancel()


async def _delete_daily() -> None:
    while True:
        try:
            await delete_old_accounts(await server_store())
        except PersonaAgentError as error:
            logging.getLogger(__name__).warning("What users have spent stays: %s", error)
        await asyncio.sleep(DAY)
