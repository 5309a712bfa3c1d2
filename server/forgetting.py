"""Forgetting on a server: in memory, and in the server's threads, crons and assistants."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import alignment_thread
from personaagent.memory.derived import Derived
from personaagent.memory.forget import Receipt, forget, forget_all
from personaagent.memory.forget_statement import forget_statement
from personaagent.memory.memory import Memory
from personaagent.memory.undo import Undoable, undo
from personaagent.memory.user import UserMemory
from personaagent.server.alignment_queue import cancel_alignment, cancel_runs, delete_thread
from personaagent.server.checkpoints import is_uuid
from personaagent.server.data_folder import (
    delete_checkpoints,
    erase_deleted,
    exclusive,
    server_files,
)

PAGE_SIZE = 100

Search = Callable[..., Awaitable[Sequence[Any]]]


async def forget_episode(
    memory: UserMemory, api: LangGraphClient, episode_id: str, derived: Derived
) -> Receipt:
    """Forget an episode of the user, all that rested on it alone, and the threads that held it.

    Alignment is cancelled first: a run may have built on the episode without keeping its id.

    Raises:
        UnknownEpisode, IndexUnavailable: nothing was forgotten.
        Conflict: the command is aligning the user; nothing was forgotten.
    """
    await memory.episodes.get(episode_id)
    await cancel_alignment(api, memory.user_id)
    async with exclusive(memory.user_id):
        receipt = await forget(memory, [episode_id], partial(delete_threads, api), derived=derived)
        await delete_checkpoints([alignment_thread(memory.user_id)])
    await erase_deleted()
    return receipt


async def forget_profile_statement(
    memory: UserMemory, api: LangGraphClient, statement_id: str
) -> Receipt:
    """Forget a statement of the profile for good, and the threads that held its text.

    Raises:
        Unknown: there is no such statement; nothing was forgotten.
        Conflict: the command is aligning the user; nothing was forgotten.
    """
    await memory.profile.statements.get(statement_id)
    await cancel_alignment(api, memory.user_id)
    async with exclusive(memory.user_id):
        receipt = await forget_statement(memory, statement_id, partial(delete_threads, api))
        await delete_checkpoints([alignment_thread(memory.user_id)])
    await erase_deleted()
    return receipt


async def undo_change(memory: UserMemory, api: LangGraphClient, change: Undoable) -> Undoable:
    """Take back this change of the user's; alignment is cancelled first.

    Raises:
        Conflict: it was undone already, what it changed has changed since, or the command is
            aligning the user; nothing was undone.
    """
    await cancel_alignment(api, memory.user_id)
    async with exclusive(memory.user_id):
        undone = await undo(memory, change, partial(delete_threads, api))
    if change.kind == "import":
        await erase_deleted()
    return undone


async def forget_user(
    memory: UserMemory, api: LangGraphClient, shared: Memory, *, keep_tombstones: bool = False
) -> Receipt:
    """Forget everything of the user: memory, alignment, and their threads, crons and assistants.

    ``keep_tombstones`` as of ``forget_all``.

    Raises:
        IndexUnavailable: the embeddings cannot be removed now; only alignment and crons are gone.
        Conflict: the command is aligning the user; likewise.
    """
    await cancel_alignment(api, memory.user_id)
    for cron in await _owned(api.crons.search, "cron_id", memory.user_id):
        await api.crons.delete(cron)
    busy = partial(api.threads.search, status="busy")
    for thread in await _owned(busy, "thread_id", memory.user_id):
        await cancel_runs(api, thread)  # else a turn that is about to end would be remembered
    async with exclusive(memory.user_id, remove_lock=True):
        threads = await _threads(memory, api)
        receipt = await forget_all(
            memory, threads, partial(delete_threads, api), keep_tombstones=keep_tombstones
        )
        for assistant in await _owned(api.assistants.search, "assistant_id", memory.user_id):
            await api.assistants.delete(assistant)
        await shared.drop_lock(memory.user_id)
    await erase_deleted()
    return receipt


async def _threads(memory: UserMemory, api: LangGraphClient) -> set[str]:
    """Every thread of the user: of the server, and of the command in the same data folder."""
    files = server_files()
    owned = await _owned(api.threads.search, "thread_id", memory.user_id)
    of_command = await files.threads(memory.user_id) if files else []
    return {*owned, *of_command, *await memory.conversations.threads()}


async def delete_threads(api: LangGraphClient, threads: Collection[str]) -> None:
    """Delete these threads of the caller, those of the command included."""
    for thread in filter(is_uuid, threads):
        await delete_thread(api, thread)
    await delete_checkpoints(threads)


async def _owned(search: Search, id: str, owner: str) -> list[str]:
    """The ids of all that ``search`` finds of the owner."""
    ids: list[str] = []
    offset = 0
    while page := await search(limit=PAGE_SIZE, offset=offset):
        ids += [resource[id] for resource in page if _owner(resource) == owner]
        offset += len(page)
    return ids


def _owner(resource: Mapping[str, Any]) -> str | None:
    """Authentication wrote the owner into the metadata, or aegra beside the metadata."""
    return (resource["metadata"] or {}).get("owner") or resource.get("user_id")
