"""Our routes as an application in this process, over a store in memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.settings import load_settings
from personaagent.nodes.dependencies import Dependencies
from personaagent.server.app import app
from personaagent.server.dependencies import server_dependencies
from personaagent.server.store import server_store
from tests.support.memories import index_in_memory
from tests.support.scripted_model import scripted_dependencies

TOKEN = "a token of whoever operates"


def serve_from(monkeypatch: pytest.MonkeyPatch, deps: Dependencies, store: Any) -> None:
    monkeypatch.setitem(app.dependency_overrides, server_dependencies, lambda: deps)
    monkeypatch.setitem(app.dependency_overrides, server_store, lambda: store)


@pytest.fixture
def deps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dependencies:
    settings = load_settings(home=tmp_path, metrics_token=TOKEN)
    deps, _ = scripted_dependencies(settings, lambda _: "An answer.", index_in_memory())
    serve_from(monkeypatch, deps, InMemoryStore())
    return deps


@pytest.fixture
async def http(deps: Dependencies) -> AsyncIterator[httpx.AsyncClient]:
    """Anna, at a development server on this machine."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers={"X-User-Id": "anna"}
    ) as http:
        yield http
