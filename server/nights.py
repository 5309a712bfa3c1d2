"""The nightly alignment of the running server: begun with it, and ended with it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from functools import partial

from langgraph.store.base import BaseStore
from starlette.types import ASGIApp

from personaagent.core.settings import Settings
from personaagent.memory.memory import Memory
from personaagent.server.acting_as import client_as
from personaagent.server.alignment_queue import queue_nightly
from personaagent.server.alignment_runs import GRAPH
from personaagent.server.due_users import DueUser
from personaagent.server.former_crons import remove_former_crons
from personaagent.server.graphs import dependencies
from personaagent.server.nightly_alignment import NightlySweep
from personaagent.server.nightly_schedule import NightlySchedule
from personaagent.server.run_counts import pace
from personaagent.server.store import server_store

log = logging.getLogger(__name__)

FORGETTING_PATIENCE = 5.0
"""Seconds that the night waits for one user's forgetting, before it goes on to the next user."""


@asynccontextmanager
async def nightly_alignment(
    app: ASGIApp, settings: Settings, schedule: NightlySchedule
) -> AsyncIterator[None]:
    """While the server runs, align at night whoever is due."""
    nights = asyncio.create_task(_nights(app, settings, schedule))
    try:
        yield
    finally:
        nights.cancel()
        with suppress(asyncio.CancelledError):
            await nights


async def _nights(app: ASGIApp, settings: Settings, schedule: NightlySchedule) -> None:
    try:
        await remove_former_crons()
    except Exception as error:  # they only align somebody once more
        log.warning("Nightly crons of an earlier version could not be removed: %s", error)
    if schedule.off:
        return
    store, shared = await server_store(), (await dependencies.aget()).memory
    hand_over, at_once = partial(_hand_over, app, shared, store), settings.align_nightly_runs
    sweep = NightlySweep(store, settings.home, schedule, hand_over, partial(pace, GRAPH), at_once)
    await sweep.run()


async def _hand_over(
    app: ASGIApp, shared: Memory, store: BaseStore, user: DueUser, since: datetime
) -> bool:
    """Queue the user's run, unless they have just been forgotten, or are being forgotten now.

    Else a thread of theirs would come back after a receipt says that all went.
    """
    memory = shared.of(store, user.id)
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(FORGETTING_PATIENCE):
                await stack.enter_async_context(memory.forgetting())
        except TimeoutError:
            return False
        if not await memory.unaligned.due(1):
            await shared.drop_lock(user.id)  # just made: its name shows that the user existed
            return False
        api = await stack.enter_async_context(client_as(app, user.id))
        return await queue_nightly(api, user.id, since) is not None
