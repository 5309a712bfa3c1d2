"""Who calls a route of our own."""

from fastapi import HTTPException
from langgraph_sdk import Auth
from starlette.requests import HTTPConnection

from personaagent.core.errors import UsageError
from personaagent.core.users import check_user_id
from personaagent.server.auth import authenticate

BEARER = {"WWW-Authenticate": "Bearer"}


async def user_of(request: HTTPConnection) -> str:
    """The user whom the caller's token names, whatever else the request says.

    Our routes ask the same authentication as the server's own, and do so themselves: which routes
    a server puts its authentication before, and how, is different from server to server.

    Raises:
        HTTPException: 401, nobody is named; 503, the token cannot be checked now.
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
        raise HTTPException(401, str(error), BEARER) from error
