"""``/sign-in``: how callers of this server say who they are."""

from fastapi import APIRouter

from personaagent.core.records import Record
from personaagent.server.auth import tokens

router = APIRouter(prefix="/sign-in", tags=["operation"])


class SignIn(Record):
    """Whether callers need a bearer token; without, the header ``X-User-Id`` names the user."""

    tokens: bool


@router.get("")
async def show_sign_in() -> SignIn:
    """How to say who you are. Needs no token."""
    return SignIn(tokens=(await tokens.aget()).required)
