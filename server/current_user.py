"""The user who calls a route of ours."""

from fastapi import HTTPException
from langgraph_sdk import Auth
from starlette.requests import HTTPConnection

from personaagent.core.audience import audience_message
from personaagent.core.errors import UsageError
from personaagent.core.users import check_user_id
from personaagent.server.auth import authenticate

BEARER = {"WWW-Authenticate": "Bearer"}


async def current_user(request: HTTPConnection) -> str:
    """The id of the user whom the caller's token names, whatever else the request says.

    Our routes call the server's authentication themselves, because servers differ in which routes
    they put it before.

    Raises:
        HTTPException: 401, the request names no user; 503, the token cannot be checked now.
    """
    try:
        user = await authenticate(request.headers, request.scope)
    except Auth.exceptions.HTTPException as refused:
        raise HTTPException(refused.status_code, str(refused.detail), BEARER) from refused
    if not user.get("is_authenticated", True):
        raise HTTPException(
            401,
            "Say who you are: with a bearer token, or in development with the header X-User-Id.",
            BEARER,
        )
    try:
        return check_user_id(user["identity"])
    except UsageError as error:
        raise HTTPException(401, audience_message(error), BEARER) from error
