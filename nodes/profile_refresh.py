"""The refresh of the profile summary in the background: nobody waits for the critic's calls."""

import asyncio
from datetime import tzinfo

from personaagent.memory.hiding import NOTHING_HIDDEN
from personaagent.memory.summary import refresh_summary
from personaagent.memory.user import UserMemory
from personaagent.models.metering import metered
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.user_meter import summary_meter


def refresh_if_due(deps: Dependencies, memory: UserMemory, zone: tzinfo) -> None:
    """Start a refresh if the settings ask for one, none is running, and none failed lately."""
    if deps.settings.summary_every and deps.refreshing.may_start(memory.user_id):
        deps.refreshing.start(memory.user_id, lambda: _refresh_if_due(deps, memory, zone))


def start_refresh(
    deps: Dependencies, memory: UserMemory, zone: tzinfo
) -> asyncio.Task[None] | None:
    """Start a refresh, due or not; None if one is running already."""
    if deps.refreshing.is_running(memory.user_id):
        return None
    return deps.refreshing.start(memory.user_id, lambda: _refresh(deps, memory, zone))


async def _refresh_if_due(deps: Dependencies, memory: UserMemory, zone: tzinfo) -> None:
    if await memory.profile.summary_due(deps.settings.summary_every):
        await _refresh(deps, memory, zone)


async def _refresh(deps: Dependencies, memory: UserMemory, zone: tzinfo) -> None:
    """Refresh the summary, until the process is to end: then only the call under way is finished.

    It covers also what is hidden from the run that starts it.
    """
    with metered(summary_meter(memory, deps.settings)):
        await refresh_summary(
            memory.hiding(NOTHING_HIDDEN),
            await deps.models.chat("critic"),
            max_calls=deps.settings.summary_calls,
            zone=zone,
            may_continue=lambda: not deps.refreshing.finishing,
        )
