"""Removes the crons of earlier versions, which had one a user for the alignment at night."""

import sys
from typing import Any

from personaagent.core.alignment_state import NIGHTLY_TRIGGER, THREAD_UUID_VERSION

VERSION_DIGIT = 14
"""The place of a UUID's version in its text, from 0."""
IN_POSTGRES = """
    DELETE FROM crons
    WHERE payload #>> '{input,trigger}' = :trigger AND substr(thread_id, :place, 1) = :version
"""


async def remove_former_crons() -> int:
    """Delete every cron that an earlier version made, and no client's; returns how many."""
    if "aegra_api" in sys.modules:
        return await _remove_in_postgres()
    from langgraph_runtime_inmem.database import GLOBAL_STORE

    server: Any = GLOBAL_STORE
    before = server["crons"]
    server["crons"] = [cron for cron in before if not _is_ours(cron)]
    return len(before) - len(server["crons"])


async def _remove_in_postgres() -> int:
    from aegra_api.core.orm import get_session_maker  # pyright: ignore[reportMissingImports]
    from sqlalchemy import text  # pyright: ignore[reportMissingImports]

    values = {
        "trigger": NIGHTLY_TRIGGER,
        "place": VERSION_DIGIT + 1,
        "version": str(THREAD_UUID_VERSION),
    }
    async with get_session_maker()() as session:
        removed = await session.execute(text(IN_POSTGRES), values)
        await session.commit()
        return int(removed.rowcount)


def _is_ours(cron: dict[str, Any]) -> bool:
    """Whether it is on the thread of somebody's alignment, and asks for the run of the night."""
    thread = str(cron.get("thread_id") or "")
    run_input = (cron.get("payload") or {}).get("input")
    return (
        thread[VERSION_DIGIT : VERSION_DIGIT + 1] == str(THREAD_UUID_VERSION)
        and isinstance(run_input, dict)
        and run_input.get("trigger") == NIGHTLY_TRIGGER
    )
