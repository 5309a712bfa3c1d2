"""``/me/tokens``: a user ends tokens of theirs before they expire."""

from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field
from starlette.requests import Request

from personaagent.core.records import Record
from personaagent.server.auth import tokens, valid_claims
from personaagent.server.dependencies import ServerStore
from personaagent.server.errors import error_responses
from personaagent.server.revocation import revoke_all, revoke_token

router = APIRouter(prefix="/me/tokens", tags=["me"])


class Revocation(Record):
    """``this``: the token that the request shows; ``all``: every token of the user up to now."""

    which: Literal["this", "all"] = Field("this")


@router.post("/revoke", responses=error_responses(409))
async def revoke(revocation: Revocation, request: Request, store: ServerStore) -> Revocation:
    """Let tokens of the user who calls count no more, on any server of this database.

    Runs that go on, and streams that are open, are not ended.
    """
    if not (await tokens.aget()).required:
        raise HTTPException(409, "This server asks for no tokens, so there is none to revoke.")
    claims = await valid_claims(request.headers["authorization"].partition(" ")[2].strip())
    if revocation.which == "all":
        await revoke_all(store, claims.user_id)
    else:
        await revoke_token(store, claims)
    return revocation
