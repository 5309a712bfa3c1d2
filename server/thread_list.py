"""The user's conversations on the server, by title and by what was said in them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from langgraph_sdk.client import LangGraphClient

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.records import Episode, Moment, Record
from personaagent.memory.episodes import TimeKey, time_key
from personaagent.memory.user import UserMemory
from personaagent.server.removal import owner_of
from personaagent.server.titles import TITLE, title_of

PAGE_SIZE = 100


class ThreadSummary(Record):
    """A conversation. ``title`` is null where there is neither a title nor a remembered question."""

    id: str
    title: str | None
    status: Literal["idle", "busy", "interrupted", "error"]
    created_at: Moment
    updated_at: Moment


async def find_threads(
    memory: UserMemory, api: LangGraphClient, search: str, before: TimeKey | None, limit: int
) -> list[ThreadSummary]:
    """The user's conversations, the latest first.

    Args:
        memory: of the user.
        api: as the user.
        search: what title, a question or an answer must hold, in any case; empty: all.
        before: only those that were updated before this one.
        limit: how many at most.
    """
    wanted = search.casefold().strip()
    first, holding = await _remembered(memory, wanted)
    remembered = {*first, *await memory.conversations.threads()}
    summaries = []
    async for thread in _threads(api):
        if not _is_conversation(thread, memory.user_id, remembered):
            continue
        summary = _summary(thread, first)
        matches = summary.id in holding or wanted in (summary.title or "").casefold()
        if matches and (before is None or place_of(summary) < before):
            summaries.append(summary)
    return sorted(summaries, key=place_of, reverse=True)[:limit]


def place_of(thread: ThreadSummary) -> TimeKey:
    """The conversation's place in the order of time."""
    return thread.updated_at, thread.id


async def _remembered(memory: UserMemory, wanted: str) -> tuple[dict[str, str], set[str]]:
    """The first remembered question of each thread, and the threads in which ``wanted`` was said."""
    first: dict[str, Episode] = {}
    holding = set()
    async for episode in memory.episodes.scan():
        thread = episode.metadata.get("thread_id")
        if not isinstance(thread, str):
            continue
        if thread not in first or time_key(episode) < time_key(first[thread]):
            first[thread] = episode
        if wanted in f"{episode.query}\n{episode.response}".casefold():
            holding.add(thread)
    return {thread: episode.query for thread, episode in first.items()}, holding


async def _threads(api: LangGraphClient) -> AsyncIterator[Mapping[str, Any]]:
    """Every thread that the caller may see."""
    offset = 0
    while page := await api.threads.search(limit=PAGE_SIZE, offset=offset, sort_by="created_at"):
        for thread in page:
            yield thread
        offset += len(page)


def _is_conversation(thread: Mapping[str, Any], user_id: str, remembered: set[str]) -> bool:
    """Whether it is one of the user's: without tokens, a server shows everybody's threads."""
    is_own = owner_of(thread) == user_id or thread["thread_id"] in remembered
    return is_own and thread["thread_id"] != alignment_thread(user_id)


def _summary(thread: Mapping[str, Any], first: Mapping[str, str]) -> ThreadSummary:
    id = thread["thread_id"]
    title = (thread["metadata"] or {}).get(TITLE)
    return ThreadSummary(
        id=id,
        title=title if isinstance(title, str) else title_of(first[id]) if id in first else None,
        status=thread["status"],
        created_at=thread["created_at"],
        updated_at=thread["updated_at"],
    )
