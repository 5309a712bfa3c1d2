"""``personaagent mcp`` as a client meets it: the official client, a process, and its pipes."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import ElicitRequestParams, ElicitResult

from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local
from personaagent.local.persona_agent import PersonaAgent
from tests.support.memories import episode

Answer = Callable[[str], ElicitResult]


def refuses(question: str) -> ElicitResult:
    return ElicitResult(action="decline")


def agrees(question: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"forget": True})


@asynccontextmanager
async def connected(home: Path, user: str, answer: Answer | None = None) -> AsyncIterator[Client]:
    """A client of the command for this user; ``answer`` is what the person says when asked."""

    async def asked(_: Any, params: ElicitRequestParams) -> ElicitResult:
        assert answer is not None
        return answer(params.message)

    server = StdioServerParameters(
        command=str(Path(sys.executable).with_name("personaagent")),
        args=["mcp", "--user", user],
        env={**os.environ, "PERSONAAGENT_HOME": str(home), "PERSONAAGENT_RECALL_MODE": "bm25"},
    )
    async with Client(server, elicitation_callback=asked if answer else None) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def failure(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content)


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    settings = load_settings(home=tmp_path / "home", recall_mode="bm25")
    async with open_local(settings) as agent:
        for user, pet in (("ana", "a heron"), ("ben", "a badger")):
            told = episode(f"pet-{user}", f"My pet is {pet}.", user_id=user, ground_truth="Noted.")
            await agent.memory(user).remember(told, version=1)
    return tmp_path / "home"


async def test_a_client_recalls_what_its_user_said_and_nobody_elses(home: Path) -> None:
    async with connected(home, "ana") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() == {"recall", "remember", "why", "forget"}
        assert tools["forget"].annotations is not None
        assert tools["forget"].annotations.destructive_hint
        [found] = (await call(client, "recall", text="Which pet?"))["result"]
        assert (found["id"], found["wanted"]) == ("pet-ana", "Noted.")
        assert "There is no episode" in await failure(client, "why", episode_id="pet-ben")


async def test_what_a_client_writes_is_recalled_and_is_no_ground_truth(home: Path) -> None:
    async with connected(home, "ana") as client:
        written = await call(client, "remember", text="I live in Graz.", answer="Noted, Graz.")
        found = (await call(client, "recall", text="Graz"))["result"]
        assert written["id"] in [each["id"] for each in found]
        assert "The text is empty" in await failure(client, "remember", text=" ")
    async with PersonaAgent(load_settings(home=home, recall_mode="bm25")) as agent:
        stored = await agent.memory("ana").get(written["id"])
        assert (stored.ground_truth, stored.signal, stored.source) == (None, None, "mcp")


async def test_nothing_is_forgotten_unless_the_person_agrees(home: Path) -> None:
    async with connected(home, "ana", refuses) as client:
        await failure(client, "forget", episode_ids=["pet-ana"])
    async with connected(home, "ana") as client:  # it cannot ask
        with pytest.raises(Exception, match=r"(?i)elicit"):
            await client.call_tool("forget", {"episode_ids": ["pet-ana"]})
        assert (await call(client, "recall", text="pet"))["result"]
    shown: list[str] = []
    async with connected(home, "ana", lambda text: shown.append(text) or agrees(text)) as client:
        gone = await call(client, "forget", episode_ids=["pet-ana"])
        assert gone["episodes"] == ["pet-ana"]
        assert (await call(client, "recall", text="pet"))["result"] == []
    assert "My pet is a heron." in shown[0]


async def test_persona_and_profile_are_resources(home: Path) -> None:
    async with connected(home, "ana") as client:
        uris = {str(each.uri) for each in (await client.list_resources()).resources}
        assert uris == {"persona://current", "profile://current"}
        [persona] = (await client.read_resource("persona://current")).contents
        assert json.loads(persona.text)["rules"]
