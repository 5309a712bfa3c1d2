"""Whom requests mean that cannot say it, where no token is needed."""

from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from personaagent.core.settings import Settings, load_settings
from personaagent.local.agent import open_local
from personaagent.server import machine_user
from personaagent.server.identity import Tokens
from personaagent.server.machine_user import MachineUser
from tests.support.memories import episode

SECRET = "a secret of the tests, and of nobody else"


class Given:
    """In place of what the process makes once."""

    def __init__(self, value: Any) -> None:
        self.value = value

    async def aget(self) -> Any:
        return self.value


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, recall_mode="bm25")


async def named(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, path: str = "/v1/models", **headers: str
) -> str | None:
    """The user whom the application is told of."""
    told: list[str | None] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        told.append(Request(scope).headers.get("x-user-id"))

    monkeypatch.setattr(machine_user, "dependencies", Given(type("_", (), {"settings": settings})))
    monkeypatch.setattr(machine_user, "tokens", Given(Tokens(settings)))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": path, "headers": raw}
    await MachineUser(app)(scope, None, None)  # type: ignore[arg-type]
    return told[0]


async def remember(settings: Settings, *users: str) -> None:
    async with open_local(settings) as agent:
        for user in users:
            await agent.memory(user).remember(episode("e1", "Hello?", user_id=user), 1)


async def test_it_is_the_user_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    chosen = settings.model_copy(update={"user": "ana"})
    assert await named(monkeypatch, chosen) == "ana"
    assert await named(monkeypatch, chosen, "/mcp") == "ana"
    assert await named(monkeypatch, chosen, **{"x-user-id": "ben"}) == "ben"


async def test_other_paths_name_nobody(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    chosen = settings.model_copy(update={"user": "ana"})
    for path in ("/me", "/v1x", "/threads"):
        assert await named(monkeypatch, chosen, path) is None


async def test_where_tokens_are_needed_nobody_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (
        await named(monkeypatch, load_settings(home=tmp_path, user="ana", auth_secret=SECRET))
        is None
    )


async def test_else_it_is_the_only_user_with_a_memory_here(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert await named(monkeypatch, settings) is None
    await remember(settings, "ana")
    assert await named(monkeypatch, settings) == "ana"
    await remember(settings, "ben")
    assert await named(monkeypatch, settings) is None


async def test_a_name_that_no_header_holds_is_not_told(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert await named(monkeypatch, settings.model_copy(update={"user": "Аня"})) is None
