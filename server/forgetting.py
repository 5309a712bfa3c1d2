"""Forgetting on a server: what stands in memory, and what stands in its threads."""

from collections.abc import Collection
from functools import partial

from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError

from personaagent.memory.forget import Receipt, forget, forget_all
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.server.background import GOING_ON, break_off

MANY = 100


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
    """Forget everything of the user: memory, alignment, and all that the server keeps of theirs.

    Raises:
        IndexUnavailable: the embeddings cannot be removed now; nothing was forgotten but alignment.
    """
    await break_off(api, memory.user_id)
    threads = await memory.conversations.threads() | await _threads(api, memory.user_id)
    receipt = await forget_all(memory, threads, partial(delete_threads, api))
    await _delete_assistants(api, memory.user_id)
    await shared.drop_lock(memory.user_id)
    return receipt


async def delete_threads(api: LangGraphClient, threads: Collection[str]) -> None:
    """Delete these threads of the caller, and break off what runs on them first."""
    for thread in threads:
        try:
            for status in GOING_ON:
                for run in await api.runs.list(thread, status=status):
                    await api.runs.cancel(thread, run["run_id"], wait=True)
            await api.threads.delete(thread)
        except NotFoundError:
            pass  # gone already, or a run without a thread


async def _threads(api: LangGraphClient, user_id: str) -> set[str]:
    """The user's threads, by the owner that authentication wrote into them."""
    threads: set[str] = set()
    while page := await api.threads.search(
        metadata={"owner": user_id}, limit=MANY, offset=len(threads), select=["thread_id"]
    ):
        threads |= {each["thread_id"] for each in page}
    return threads


async def _delete_assistants(api: LangGraphClient, user_id: str) -> None:
    """The user's assistants, whose context or configuration may say anything of them."""
    while page := await api.assistants.search(metadata={"owner": user_id}, limit=MANY):
        for each in page:
            await api.assistants.delete(each["assistant_id"])
