"""What an MCP client is told of a failure."""

import pytest
from mcp import Client

from personaagent.core.audience import for_users_of_a_server
from personaagent.core.errors import IndexUnavailable, UsageError
from personaagent.tools.memory_server import MemoryAccess, MemoryServer

ADDRESS = "http://10.1.2.3:6333"


async def told(error: Exception) -> str:
    """What the official client gets of a tool and of a resource that fail with this error."""

    def access() -> MemoryAccess:
        raise error

    async with Client(MemoryServer(access, "1")) as client:
        answer = await client.call_tool("recall", {"text": "Rex"})
        assert answer.is_error
        try:
            read = str(await client.read_resource("persona://current"))
        except Exception as failure:
            read = str(failure)
        return f"{answer.content} {read}"


@pytest.mark.parametrize(
    "error", [IndexUnavailable(f"{ADDRESS} is down."), OSError(f"{ADDRESS} refused")], ids=repr
)
async def test_users_of_a_server_are_told_the_kind(error: Exception) -> None:
    with for_users_of_a_server():
        text = await told(error)
    assert ADDRESS not in text
    assert type(error).__name__ in text


async def test_what_is_wrong_with_what_was_asked_is_told() -> None:
    assert "Say what." in await told(UsageError("Say what."))


async def test_on_one_machine_all_is_told() -> None:
    assert ADDRESS in await told(IndexUnavailable(f"{ADDRESS} is down."))
