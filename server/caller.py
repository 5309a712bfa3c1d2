"""Who calls a route of our own."""

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from personaagent.core.errors import UsageError
from personaagent.core.records import check_user_id


def user_of(request: HTTPConnection) -> str:
    """The user whom the caller's token names, whatever else the request says.

    Raises:
        HTTPException: 401, nobody is named.
    """
    user = request.scope.get("user")
    if user is None or not user.is_authenticated:
        raise HTTPException(
            401,
            "Say who you are: with a bearer token, or in development with the header X-User-Id.",
        )
    try:
        return check_user_id(user.identity)
    except UsageError as error:
        raise HTTPException(401, str(error)) from error
