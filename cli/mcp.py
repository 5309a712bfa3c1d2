"""``personaagent mcp``: the user's memory for any client of the Model Context Protocol, over stdio."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from personaagent.cli.agent_runner import run_with_agent
from personaagent.cli.options import User
from personaagent.core.extras import requires_extra
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


def mcp(user: User) -> None:
    """Let MCP clients on this machine recall, remember and forget in the user's memory (stdio).

    A client starts this command itself, for example: `claude mcp add memory -- personaagent mcp --user
    ana`. Nothing is forgotten before the client has asked the user.
    """
    check_user_id(user)
    with requires_extra("mcp", "`personaagent mcp`"):
        from personaagent.tools.memory_server import MemoryAccess, MemoryServer

    async def serve(agent: "LocalAgent") -> None:
        async def forget(episode_ids: list[str]) -> Any:
            return await agent.forget(user, episode_ids)

        access = MemoryAccess(agent.memory(user), forget)
        await MemoryServer(lambda: access, version("personaagent")).run_stdio_async()

    run_with_agent(serve, embeddings=True)
