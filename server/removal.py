"""Removing what the server keeps of a user over its own API: until it is gone, whatever else happens.

"Not there" is what is wanted, so it is success in every step. Servers answer 404, 400, 409 or 500 for
what ends or goes at the same moment; so an answer decides nothing, and each step looks again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from httpx import HTTPError
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError
from langgraph_sdk.schema import RunStatus

from personaagent.core.errors import DataError

log = logging.getLogger(__name__)

UNFINISHED: tuple[RunStatus, ...] = ("pending", "running")
PAGE_SIZE = 100
PATIENCE = 30.0
"""Seconds until something that does not go is an error."""
RUN_ENDS = 10.0
"""Seconds that a run may take to end before its thread is deleted all the same."""
PAUSE = 0.2
"""Seconds between two looks."""

Search = Callable[..., Awaitable[Sequence[Any]]]
Find = Callable[[], Awaitable[Sequence[str]]]
Remove = Callable[[str], Awaitable[Any]]


async def remove_all(find: Find, remove: Remove, what: str, patience: float | None = None) -> None:
    """Remove what ``find`` returns, until it returns nothing.

    Raises:
        DataError: something is still there, or cannot be looked for, after so many seconds.
    """
    loop = asyncio.get_running_loop()
    end, failed = loop.time() + (PATIENCE if patience is None else patience), None
    for attempt in count():
        await asyncio.sleep(PAUSE if attempt > 1 else 0)
        there: Sequence[str] = ()
        try:
            if not (there := await find()):
                return
        except HTTPError as error:
            failed = error
        if attempt and loop.time() > end:
            log.warning("What cannot be removed: %s (%s)", what, failed)
            raise DataError(f"{what} cannot be removed now: try again later.") from failed
        for id in there:
            failed = await _failure(remove, id) or failed


async def delete_thread(api: LangGraphClient, thread: str) -> None:
    """Cancel the unfinished runs on a thread of the caller, and delete it; errors as of ``remove_all``."""

    async def find() -> list[str]:
        try:
            await api.threads.get(thread)
        except NotFoundError:
            return []
        return [thread]

    async def remove(id: str) -> None:
        with suppress(DataError):  # a run whose process was killed may never end
            await cancel_runs(api, id)
        await api.threads.delete(id)

    await remove_all(find, remove, "A conversation")


async def cancel_runs(api: LangGraphClient, thread: str) -> None:
    """Cancel the running and the queued runs on a thread of the caller, and wait until they have
    ended; errors as of ``remove_all``."""

    async def find() -> list[str]:
        try:
            return [run["run_id"] for run in await unfinished_on(api, thread)]
        except NotFoundError:
            return []

    async def cancel(id: str) -> None:
        with suppress(TimeoutError):  # calls within the process have no limit of their own
            async with asyncio.timeout(RUN_ENDS):
                await api.runs.cancel(thread, id, wait=True)

    await remove_all(find, cancel, "A run", RUN_ENDS)


async def unfinished_on(api: LangGraphClient, thread: str) -> list[Any]:
    """The runs on the thread that are queued or running.

    Raises:
        NotFoundError: there is no such thread of the caller.
    """
    return [
        run
        for status in UNFINISHED
        for run in await api.runs.list(thread, limit=PAGE_SIZE, status=status)
    ]


async def owned(search: Search, id: str, owner: str) -> list[str]:
    """The ids of all that ``search`` finds of the owner."""
    ids: list[str] = []
    offset = 0
    while page := await search(limit=PAGE_SIZE, offset=offset):
        ids += [resource[id] for resource in page if owner_of(resource) == owner]
        offset += len(page)
    return ids


async def _failure(remove: Remove, id: str) -> HTTPError | None:
    """What went wrong, if anything."""
    try:
        await remove(id)
    except HTTPError as error:
        return error
    return None


def owner_of(resource: Mapping[str, Any]) -> str | None:
    """Its owner: authentication wrote them into the metadata, or aegra beside the metadata."""
    return (resource["metadata"] or {}).get("owner") or resource.get("user_id")
