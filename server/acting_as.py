"""Calls that the server itself makes as one of its users, where no request of theirs is there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from langgraph_sdk.client import LangGraphClient
from starlette.types import ASGIApp

from personaagent.server.internal_client import client_within, whole_responses

_user: ContextVar[str] = ContextVar("acting_as", default="")
"""Seen by authentication in calls within this process, and never set by anything in a request."""


def acting_user() -> str:
    """The user whom the server acts as in this call; empty in every request from outside."""
    return _user.get()


@asynccontextmanager
async def client_as(app: ASGIApp, user_id: str) -> AsyncIterator[LangGraphClient]:
    """A client of this process's own server that is that user, authorised as they are.

    No connection is made: the client calls the application.
    """
    token = _user.set(user_id)
    try:
        async with client_within(whole_responses(app)) as api:
            yield api
    finally:
        _user.reset(token)
