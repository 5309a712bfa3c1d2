"""Calls of the server as one of its users: only within the process, and only as long as they last."""

import asyncio
from typing import Any

import pytest
from langgraph_sdk import Auth

from personaagent.core.once import Once
from personaagent.core.settings import load_settings
from personaagent.server import auth
from personaagent.server.acting_as import acting_user, client_as
from personaagent.server.identity import Tokens

SECRET = "a secret of the tests, and of nobody else"


@pytest.fixture(autouse=True)
def with_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "tokens", Once(lambda: Tokens(load_settings(auth_secret=SECRET))))


async def who(scope: Any, _: Any, send: Any) -> None:
    """Answers with the user whom authentication sees, or 401."""
    try:
        user: Any = await auth.authenticate(dict(scope["headers"]), scope)
        status, body = 200, f'["{user["identity"]}"]'
    except Auth.exceptions.HTTPException as refused:
        status, body = refused.status_code, "[]"
    await send({"type": "http.response.start", "status": status, "headers": JSON})
    await send({"type": "http.response.body", "body": body.encode()})


JSON = [(b"content-type", b"application/json")]


async def test_a_call_is_seen_as_that_users() -> None:
    async with client_as(who, "anna") as api:
        assert await api.http.get("/whoever") == ["anna"]
    assert acting_user() == ""


async def test_calls_at_the_same_time_are_each_seen_as_their_own_users() -> None:
    async def asked(user: str) -> Any:
        async with client_as(who, user) as api:
            await asyncio.sleep(0)
            return await api.http.get("/whoever")

    users = ["anna", "bruno", "carla"]
    assert await asyncio.gather(*map(asked, users)) == [[user] for user in users]


async def test_a_request_beside_it_needs_its_own_token() -> None:
    async def from_outside() -> str:
        await begun.wait()
        with pytest.raises(Auth.exceptions.HTTPException):
            await auth.authenticate({"x-user-id": "anna", "personaagent.internal": "true"}, {})
        return acting_user()

    begun = asyncio.Event()
    request = asyncio.create_task(from_outside())
    async with client_as(who, "anna"):
        begun.set()
        assert await request == ""
