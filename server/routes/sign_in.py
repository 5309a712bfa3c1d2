"""``/sign-in``: how callers of this server say who they are."""

from fastapi import APIRouter

from personaagent.core.records import Record
from personaagent.server.auth import tokens
from personaagent.server.openid import OpenId

router = APIRouter(prefix="/sign-in", tags=["operation"])


class SignIn(Record):
    """Whether callers need a bearer token; without, the header ``X-User-Id`` names the user.

    ``openid`` says at which issuer a page gets one; null: people have one already.
    """

    tokens: bool
    openid: OpenId | None = None


@router.get("")
async def show_sign_in() -> SignIn:
    """How to say who you are. Needs no token."""
    verifier = await tokens.aget()
    return SignIn(tokens=verifier.required, openid=verifier.openid)
