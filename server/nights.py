"""The nightly alignment of the running server: begun with it, and ended with it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial

from starlette.types import ASGIApp

from personaagent.core.settings import Settings
from personaagent.server.acting_as import client_as
from personaagent.server.alignment_queue import queue_nightly
from personaagent.server.alignment_runs import GRAPH
from personaagent.server.due_users import DueUser
from personaagent.server.former_crons import remove_former_crons
from personaagent.server.nightly_alignment import NightlySweep
from personaagent.server.nightly_schedule import NightlySchedule
from personaagent.server.run_counts import pace
from personaagent.server.store import server_store

log = logging.getLogger(__name__)


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
    store, hand_over = await server_store(), partial(_hand_over, app)
    sweep = NightlySweep(
        store, settings.home, schedule, hand_over, partial(pace, GRAPH), settings.align_nightly_runs
    )
    await sweep.run()


async def _hand_over(app: ASGIApp, user: DueUser, since: datetime) -> bool:
    async with client_as(app, user.id) as api:
        return await queue_nightly(api, user.id, since) is not None
