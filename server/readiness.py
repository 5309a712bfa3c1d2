"""Whether what a turn needs can be reached."""

import asyncio
import logging
from collections.abc import Awaitable

from langgraph.store.base import BaseStore

from personaagent.core.records import Record
from personaagent.core.settings import Settings
from personaagent.models.chat import endpoint_of
from personaagent.models.connection import http_client
from personaagent.nodes.dependencies import Dependencies

log = logging.getLogger(__name__)

READY_TIMEOUT = 5.0
"""Seconds that each service has to answer."""


class Readiness(Record):
    """Which services answer. ``models``: the endpoint; always true for embedded models."""

    store: bool
    index: bool
    models: bool

    @property
    def all(self) -> bool:
        """Whether all of them answer."""
        return self.store and self.index and self.models


async def check_readiness(deps: Dependencies, store: BaseStore) -> Readiness:
    """Send each service a request that costs nothing. Only the log says why one fails."""
    store_answers, index_answers, models_answer = await asyncio.gather(
        _succeeds("store", store.aget(("health",), "health")),
        _succeeds("index", deps.memory.check_index(store)),
        _succeeds("models", _reach_endpoint(deps.settings)),
    )
    return Readiness(store=store_answers, index=index_answers, models=models_answer)


async def _succeeds(service: str, request: Awaitable[object]) -> bool:
    try:
        await asyncio.wait_for(request, READY_TIMEOUT)
    except Exception as error:  # drivers of stores and indexes have no base class in common
        log.warning("Not ready: the %s: %r", service, error)
        return False
    return True


async def _reach_endpoint(settings: Settings) -> None:
    """Any answer will do, also an error: the request is none that the endpoint knows."""
    if not settings.embedded:
        address, _ = endpoint_of(settings)
        async with await asyncio.to_thread(http_client, address, READY_TIMEOUT) as http:
            await http.get(address)
