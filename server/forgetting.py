"""Forgetting on a server: what stands in memory, and what stands in its threads."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from langgraph_sdk.client import LangGraphClient

from personaagent.memory.forget import Receipt, forget, forget_all
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.server.alignment_queue import MANY, break_off, end_thread, stop

Search = Callable[..., Awaitable[Sequence[Any]]]


async def forget_episode(memory: UserMemory, api: LangGraphClient, episode_id: str) -> Receipt:
    """Forget an episode of the user, all that rested on it alone, and the threads that held it.

    Their alignment is broken off first: its rules and facts rest on more than the episodes that it
    is known to hold.

    Raises:
        UnknownEpisode, IndexUnavailable: nothing was forgotten.
    """
    await memory.episodes.get(episode_id)
    await break_off(api, memory.user_id)
    return await forget(memory, [episode_id], partial(delete_threads, api))


async def forget_user(memory: UserMemory, api: LangGraphClient, shared: Memory) -> Receipt:
    """Forget everything of the user: memory, alignment, and all that the server keeps of theirs,
    threads, crons and assistants.

    Raises:
        IndexUnavailable: the embeddings cannot be removed now; nothing was forgotten but alignment
            and crons.
    """
    await break_off(api, memory.user_id)
    for cron in await _owned(api.crons.search, "cron_id", memory.user_id):
        await api.crons.delete(cron)
    busy = partial(api.threads.search, status="busy")
    for thread in await _owned(busy, "thread_id", memory.user_id):
        await stop(api, thread)  # else a turn that is about to end would be remembered
    owned = await _owned(api.threads.search, "thread_id", memory.user_id)
    threads = {*owned, *await memory.conversations.threads()}
    receipt = await forget_all(memory, threads, partial(delete_threads, api))
    for assistant in await _owned(api.assistants.search, "assistant_id", memory.user_id):
        await api.assistants.delete(assistant)
    await shared.drop_lock(memory.user_id)
    return receipt


async def delete_threads(api: LangGraphClient, threads: Collection[str]) -> None:
    """Delete these threads of the caller."""
    for thread in threads:
        await end_thread(api, thread)


async def _owned(search: Search, id: str, owner: str) -> list[str]:
    """The ids of all that ``search`` finds of the owner."""
    found: list[str] = []
    offset = 0
    while page := await search(limit=MANY, offset=offset):
        found += [each[id] for each in page if _owner(each) == owner]
        offset += len(page)
    return found


def _owner(thing: Mapping[str, Any]) -> str | None:
    """Whom it belongs to: authentication wrote it into the metadata, or aegra beside them."""
    return (thing["metadata"] or {}).get("owner") or thing.get("user_id")
