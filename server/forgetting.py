"""Forgetting on a server: in memory, and in the server's threads, crons and assistants."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import alignment_thread
from personaagent.memory.derived import Derived
from personaagent.memory.forget import Receipt, forget, forget_all
from personaagent.memory.forget_statement import forget_statement
from personaagent.memory.memory import Memory
from personaagent.memory.undo import Undoable, undo
from personaagent.memory.user import UserMemory
from personaagent.server.alignment_queue import cancel_alignment
from personaagent.server.checkpoints import is_uuid
from personaagent.server.data_folder import (
    delete_checkpoints,
    erase_deleted,
    exclusive,
    server_files,
)
from personaagent.server.removal import delete_thread, owned, remove_all

ALIGNMENT_ENDS = 5.0
"""Seconds to wait for an alignment that was cancelled to let go of the user."""


async def forget_episode(
    memory: UserMemory, api: LangGraphClient, episode_id: str, derived: Derived
) -> Receipt:
    """Forget an episode of the user, all that rested on it alone, and the threads that held it.

    Alignment is cancelled first: a run may have built on the episode without keeping its id. Another
    request may forget the same at the same time: then it is gone already, and the receipt is empty.

    Raises:
        UnknownEpisode, IndexUnavailable: nothing was forgotten.
        Conflict: the command is aligning the user; nothing was forgotten.
    """
    id = await memory.episodes.resolve(episode_id)
    async with _forgetting(memory, api):
        if not await memory.episodes.find([id]):
            return Receipt.of_nothing()
        receipt = await forget(memory, [id], partial(delete_threads, api), derived=derived)
        await delete_threads(api, [alignment_thread(memory.user_id)])
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
    async with _forgetting(memory, api):
        if statement_id not in {each.id for each in (await memory.profile.read()).summary}:
            return Receipt.of_nothing()
        receipt = await forget_statement(memory, statement_id, partial(delete_threads, api))
        await delete_threads(api, [alignment_thread(memory.user_id)])
    await erase_deleted()
    return receipt


async def undo_change(memory: UserMemory, api: LangGraphClient, change: Undoable) -> Undoable:
    """Take back this change of the user's; alignment is cancelled first.

    Raises:
        Conflict: it was undone already, what it changed has changed since, or the command is
            aligning the user; nothing was undone.
    """
    async with _forgetting(memory, api):
        undone = await undo(memory, change, partial(delete_threads, api))
    if change.kind == "import":
        await erase_deleted()
    return undone


async def forget_user(
    memory: UserMemory, api: LangGraphClient, shared: Memory, *, keep_tombstones: bool = False
) -> Receipt:
    """Forget everything of the user: memory, alignment, and their threads, crons and assistants.

    Once more, it finds nothing and succeeds. ``keep_tombstones`` as of ``forget_all``.

    Raises:
        IndexUnavailable: the embeddings cannot be removed now; only alignment and crons are gone.
        Conflict: the command is aligning the user; likewise.
        DataError: a run or a thread cannot be removed now; ask again.
    """
    user, delete = memory.user_id, partial(delete_threads, api)
    async with _forgetting(memory, api, remove_locks=shared):
        crons = partial(owned, api.crons.search, "cron_id", user)
        await remove_all(crons, api.crons.delete, "A schedule")
        threads = await _threads(memory, api)
        receipt = await forget_all(memory, threads, delete, keep_tombstones=keep_tombstones)
        await delete(await _threads(memory, api))  # those that began meanwhile
        assistants = partial(owned, api.assistants.search, "assistant_id", user)
        await remove_all(assistants, api.assistants.delete, "An assistant")
    await erase_deleted()
    return receipt


@asynccontextmanager
async def _forgetting(
    memory: UserMemory, api: LangGraphClient, *, remove_locks: Memory | None = None
) -> AsyncIterator[None]:
    """After other forgettings of the user, without any alignment of theirs.

    Raises:
        Conflict: the command is aligning the user.
        DataError: the alignment cannot be cancelled now.
    """
    remove = remove_locks is not None
    async with memory.forgetting():
        await cancel_alignment(api, memory.user_id)
        async with exclusive(memory.user_id, remove_lock=remove, patience=ALIGNMENT_ENDS):
            yield
            if remove_locks is not None:
                await remove_locks.drop_lock(memory.user_id)


async def _threads(memory: UserMemory, api: LangGraphClient) -> set[str]:
    """Every thread of the user: of the server, and of the command in the same data folder."""
    files = server_files()
    of_server = await owned(api.threads.search, "thread_id", memory.user_id)
    of_command = await files.threads(memory.user_id) if files else []
    return {*of_server, *of_command, *await memory.conversations.threads()}


async def delete_threads(api: LangGraphClient, threads: Collection[str]) -> None:
    """Delete these threads of the caller, those of the command included."""
    for thread in filter(is_uuid, threads):
        await delete_thread(api, thread)
    await delete_checkpoints(threads)
