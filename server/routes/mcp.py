"""``/mcp``: the caller's memory for clients of the Model Context Protocol, over streamable HTTP."""

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from personaagent.server.dependencies import CurrentUserMemory, InternalClient
from personaagent.server.memory_server import MemoryResponse

router = APIRouter(tags=["mcp"])


@router.post("/mcp", include_in_schema=False)
async def serve_memory(memory: CurrentUserMemory, api: InternalClient) -> Response:
    """One message of the protocol; there are no sessions."""
    return MemoryResponse(memory, api)


@router.get("/mcp", include_in_schema=False)
@router.delete("/mcp", include_in_schema=False)
async def refuse() -> None:
    """What clients try that expect a stream of notices, or a session to end: they go on without."""
    raise HTTPException(
        405, "There are no sessions here: send messages by POST.", {"Allow": "POST"}
    )
