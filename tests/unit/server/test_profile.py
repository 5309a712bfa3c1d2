"""The refresh of the profile on a server: a request does not wait for all calls of the critic."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langgraph.store.memory import InMemoryStore

from personaagent.core.settings import Role, load_settings
from personaagent.nodes.dependencies import Dependencies
from personaagent.server.app import app
from personaagent.server.routes import profile
from tests.support.memories import episode, index_in_memory
from tests.support.scripted_model import Prompt, ScriptedModels, scripted_dependencies
from tests.unit.server.conftest import serve_from

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def rows(prompt: Prompt) -> str:
    change = {"statement": "new", "text": "The user rows.", "evidence": ["E1"]}
    return json.dumps({"changes": [change]})


@pytest.fixture
def may_answer() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def deps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, may_answer: asyncio.Event
) -> Dependencies:
    class WaitingCritic(ScriptedModels):
        async def chat(self, role: Role) -> BaseChatModel:
            await may_answer.wait()
            return await super().chat(role)

    made, _ = scripted_dependencies(load_settings(home=tmp_path), rows, index_in_memory())
    deps = replace(made, models=WaitingCritic(made.models.model))  # type: ignore[attr-defined,arg-type]
    store = InMemoryStore()
    serve_from(monkeypatch, deps, store)
    anna = deps.memory.of(store, "anna")
    await anna.episodes.add([episode(f"e{day}", "I row.", day) for day in range(12)])
    return deps


async def refreshed() -> dict[str, Any]:
    transport = httpx.ASGITransport(app=app)
    headers = {"X-User-Id": "anna"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=headers
    ) as http:
        answer = (await http.post("/me/profile/refresh")).raise_for_status().json()
    return {
        "summary": [each["text"] for each in answer["summary"]],
        **{name: answer[name] for name in ("remaining", "refreshing")},
    }


async def test_a_request_tells_what_remains_and_the_refresh_goes_on(
    deps: Dependencies, may_answer: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_yet = {"summary": [], "remaining": 12, "refreshing": True}
    with monkeypatch.context() as patch:
        patch.setattr(profile, "REFRESH_WAIT", 0)
        assert await refreshed() == not_yet
        assert await refreshed() == not_yet, "there is no second one beside it"
    may_answer.set()
    await deps.refreshing.finish()
    again = await refreshed()
    assert (again["summary"], again["refreshing"]) == (["The user rows."], False)
    assert again["remaining"] == 0


async def test_a_short_refresh_is_done_when_the_response_comes(
    deps: Dependencies, may_answer: asyncio.Event
) -> None:
    may_answer.set()
    assert await refreshed() == {
        "summary": ["The user rows."],
        "remaining": 0,
        "refreshing": False,
    }
