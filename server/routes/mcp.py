"""``/mcp``: the caller's memory for clients of the Model Context Protocol, over streamable HTTP."""

from fastapi import APIRouter
from starlette.responses import Response

from personaagent.server.dependencies import CurrentUserMemory, InternalClient
from personaagent.server.memory_server import MemoryResponse

router = APIRouter(tags=["mcp"])


@router.post("/mcp", include_in_schema=False)
async def serve_memory(memory: CurrentUserMemory, api: InternalClient) -> Response:
    """One message of the protocol; there are no sessions."""
    return MemoryResponse(memory, api)
