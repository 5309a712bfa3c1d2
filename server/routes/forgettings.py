"""``/me/forgettings``: what the user forgot: when and how much, never what."""

from fastapi import APIRouter
from pydantic import Field

from personaagent.memory.forgettings import Forgetting, Forgettings
from personaagent.server.dependencies import CurrentUserMemory
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, decode_cursor, make_page

router = APIRouter(prefix="/me/forgettings", tags=["me"])


class ListedForgettings(Page[Forgetting]):
    """A page of the list, and how much was forgotten that it does not have."""

    unlisted: int = Field(
        description="Episodes that stay forgotten, from before there was a list or from elsewhere."
    )


@router.get("")
async def list_forgettings(
    memory: CurrentUserMemory, limit: Limit = 20, cursor: Cursor = None
) -> ListedForgettings:
    """What was forgotten, newest first: when, and how much of each kind; never a text.

    Forgetting everything forgets the list, too.
    """
    forgettings = Forgettings(memory.store)
    newest = await forgettings.newest(limit + 1, decode_cursor(cursor, str))
    page = make_page(newest, limit, lambda each: each.key)
    return ListedForgettings(
        items=page.items, next=page.next, unlisted=await forgettings.unlisted()
    )
