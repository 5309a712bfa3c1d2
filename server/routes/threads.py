"""``/me/threads``: the user's conversations, with their titles."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from personaagent.server.dependencies import CurrentUserMemory, InternalClient
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, decode_cursor, make_page
from personaagent.server.thread_list import ThreadSummary, find_threads, place_of

router = APIRouter(prefix="/me/threads", tags=["threads"])

Search = Annotated[
    str,
    Query(max_length=200, description="What title, a question or an answer holds; empty: all."),
]


@router.get("")
async def list_threads(
    memory: CurrentUserMemory,
    api: InternalClient,
    search: Search = "",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[ThreadSummary]:
    """The conversations, the latest first. LangGraph's own routes read, rename and delete them."""
    before = decode_cursor(cursor, tuple[AwareDatetime, str])
    threads = await find_threads(memory, api, search, before, limit + 1)
    return make_page(threads, limit, place_of)
