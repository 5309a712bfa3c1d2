"""Whether what a turn needs can be reached."""

import asyncio
from collections.abc import Awaitable

import httpx
from langgraph.store.base import BaseStore

from personaagent.core.records import Record
from personaagent.core.settings import Settings
from personaagent.models.chat import endpoint_of
from personaagent.nodes.dependencies import Dependencies

PATIENCE = 5.0
"""Seconds that each of them has to answer."""


class Readiness(Record):
    """Which of them answers. ``models``: the endpoint; the embedded models need none."""

    store: bool
    index: bool
    models: bool

    @property
    def all(self) -> bool:
        """Whether every one does."""
        return self.store and self.index and self.models


async def readiness(deps: Dependencies, store: BaseStore) -> Readiness:
    """Ask each of them something that costs nothing; no failure is told but as that."""
    asked = await asyncio.gather(
        _answers(store.aget(("health",), "health")),
        _answers(deps.memory.check_index()),
        _answers(_endpoint(deps.settings)),
    )
    return Readiness(store=asked[0], index=asked[1], models=asked[2])


async def _answers(asked: Awaitable[object]) -> bool:
    try:
        await asyncio.wait_for(asked, PATIENCE)
    except Exception:  # whatever a store's or index's driver raises
        return False
    return True


async def _endpoint(settings: Settings) -> None:
    """Any answer of the endpoint will do: what it says to no request of its own is not asked."""
    if not settings.embedded:
        address, _ = endpoint_of(settings)
        async with httpx.AsyncClient() as http:
            await http.get(address)
