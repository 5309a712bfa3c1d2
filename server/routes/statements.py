"""``/me/profile/statements`` and ``/me/profile/history``: the user mends what is known about them."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from personaagent.core.records import Record, Statement
from personaagent.memory.forget import Receipt
from personaagent.memory.profile_history import ProfileChange
from personaagent.memory.statement_checks import STATEMENT_CHARS
from personaagent.server.dependencies import CurrentUserMemory, InternalClient
from personaagent.server.errors import error_responses
from personaagent.server.forgetting import forget_profile_statement
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, decode_cursor, make_page

router = APIRouter(prefix="/me/profile", tags=["profile"])

StatementId = Annotated[str, Path(max_length=128, description="Id of the statement, as s2.")]
ChangeNumber = Annotated[int, Path(ge=1, le=999_999, description="Number of the change.")]
StatementText = Annotated[str, Field(min_length=1, max_length=STATEMENT_CHARS)]
MAX_ADDED = 100


class Additions(Record):
    """One sentence each, in the user's own words."""

    texts: list[StatementText] = Field(min_length=1, max_length=MAX_ADDED)


class Correction(Record):
    """What the statement should say."""

    text: StatementText


@router.post("/statements")
async def add(additions: Additions, memory: CurrentUserMemory) -> list[Statement]:
    """Add statements; those that the profile has already are left out."""
    added = await memory.profile.statements.add(additions.texts)
    await memory.personas.begin()
    return added


@router.put("/statements/{statement}", responses=error_responses(404))
async def edit(
    statement: StatementId, correction: Correction, memory: CurrentUserMemory
) -> Statement:
    """Correct a statement: no summary changes it from then on."""
    return await memory.profile.statements.edit(statement, correction.text)


@router.delete("/statements/{statement}", responses=error_responses(404))
async def forget(statement: StatementId, memory: CurrentUserMemory, api: InternalClient) -> Receipt:
    """Forget a statement for good, in the history too; the episodes that it rests on stay."""
    return await forget_profile_statement(memory, api, statement)


@router.put("/statements/{statement}/lock", responses=error_responses(404))
async def lock(statement: StatementId, memory: CurrentUserMemory) -> Statement:
    """Lock a statement: nobody but the user changes it."""
    return await memory.profile.statements.set_lock(statement, locked=True)


@router.delete("/statements/{statement}/lock", responses=error_responses(404))
async def unlock(statement: StatementId, memory: CurrentUserMemory) -> Statement:
    """Unlock a statement: a summary may change it again, unless its text is the user's."""
    return await memory.profile.statements.set_lock(statement, locked=False)


@router.get("/history")
async def history(
    memory: CurrentUserMemory, limit: Limit = 20, cursor: Cursor = None
) -> Page[ProfileChange]:
    """The latest changes of the statements, newest first."""
    before = decode_cursor(cursor, int)
    changes = [
        change
        for change in await memory.profile.statements.history.changes()
        if before is None or change.number < before
    ]
    return make_page(changes[::-1], limit, lambda change: change.number)


@router.post("/history/{change}/undo", responses=error_responses(404, 409))
async def undo(change: ChangeNumber, memory: CurrentUserMemory) -> ProfileChange:
    """Take a change back, as a new change."""
    return await memory.profile.statements.undo(change)
