"""What MCP clients are told when something fails: no more than they may know."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from personaagent.core.audience import for_users_of_a_server
from personaagent.core.errors import DataError, UsageError
from personaagent.memory.remembering import Remembering
from personaagent.tools.memory_server import MemoryAccess, MemoryServer
from tests.support.memories import memory_of

ADDRESS = "postgresql://inner:5432"


class Broken:
    """In place of a memory: all that is asked of it fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


async def failures(error: Exception) -> list[str]:
    """What a tool and a resource tell of it."""
    access = MemoryAccess(Broken(error), None)  # type: ignore[arg-type]
    async with Client(MemoryServer(lambda: access, "1")) as client:
        called = await client.call_tool("recall", {"text": "Hello?"})
        assert called.is_error
        with pytest.raises(Exception) as raised:
            await client.read_resource("persona://current")
    return [str(called.content), str(raised.value)]


async def test_the_owner_of_the_machine_is_told_all_of_our_errors() -> None:
    for told in await failures(DataError(f"{ADDRESS} is full.")):
        assert f"{ADDRESS} is full." in told


async def test_users_of_a_server_are_told_the_kind() -> None:
    with for_users_of_a_server():
        for told in await failures(DataError(f"{ADDRESS} is full.")):
            assert "DataError" in told
            assert ADDRESS not in told
        for told in await failures(UsageError("The text is empty.")):
            assert "The text is empty." in told


async def test_while_remembering_is_paused_clients_write_nothing(tmp_path: Path) -> None:
    memory = memory_of("anna", tmp_path)
    access = MemoryAccess(memory, None)  # type: ignore[arg-type]
    async with Client(MemoryServer(lambda: access, "1")) as client:
        for paused in (True, False):
            await Remembering(memory.store).pause(paused=paused)
            called = await client.call_tool("remember", {"text": "I row."})
            assert called.is_error is paused
            assert ("paused" in str(called.content)) is paused
    assert [each.query async for each in memory.episodes.scan()] == ["I row."]


async def test_nobody_is_told_what_is_unforeseen() -> None:
    for told in await failures(RuntimeError(f"{ADDRESS} is full.")):
        assert ADDRESS not in told
