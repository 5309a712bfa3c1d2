"""The cron that aligns a user at night, when too few new labels came to align at once."""

from typing import Any

from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import NIGHTLY_TRIGGER, alignment_thread
from personaagent.core.users import user_key
from personaagent.server.alignment_runs import GRAPH, run_options

NEVER = "never"
MINUTE_OF_THE_USER = "H"
"""Stands in a schedule for a minute that differs from user to user, so that not all begin at once."""


async def update_nightly_cron(api: LangGraphClient, user_id: str, schedule: str) -> None:
    """Let the user have exactly one cron, on this schedule; none if it is ``never``."""
    own_schedule = None if schedule == NEVER else schedule_of(user_id, schedule)
    crons = await api.crons.search(thread_id=alignment_thread(user_id))
    current = [cron for cron in crons if cron["schedule"] == own_schedule and cron["enabled"]][:1]
    for cron in crons:
        if cron not in current:
            await api.crons.delete(cron["cron_id"])
    if own_schedule and not current:
        await _create_cron(api, user_id, own_schedule)


async def _create_cron(api: LangGraphClient, user_id: str, schedule: str) -> None:
    cron: Any = await api.crons.create_for_thread(
        alignment_thread(user_id),
        GRAPH,
        schedule=schedule,
        input={"trigger": NIGHTLY_TRIGGER},
        enabled=False,  # aegra runs an enabled one at once, instead of waiting for the night
        **run_options(user_id),
    )
    await api.crons.update(cron["cron_id"], enabled=True)


async def delete_nightly_cron(api: LangGraphClient, user_id: str) -> None:
    """Delete the crons on the thread of the user's alignment."""
    for cron in await api.crons.search(thread_id=alignment_thread(user_id)):
        await api.crons.delete(cron["cron_id"])


def schedule_of(user_id: str, schedule: str) -> str:
    """The schedule with the user's own minute in place of ``H``."""
    minute = int(user_key(user_id)[:8], 16) % 60
    return schedule.replace(MINUTE_OF_THE_USER, str(minute), 1)
