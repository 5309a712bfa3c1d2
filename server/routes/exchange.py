"""``/me/import`` and ``/me/export``: all episodes in and out, streamed both ways."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from personaagent.memory.exchange.importer import Imported
from personaagent.server.alignment_queue import queue_alignment_if_due
from personaagent.server.dependencies import CurrentUserMemory, InternalClient, ServerDependencies
from personaagent.server.errors import Refusal, answers
from personaagent.server.streams import LINES, begun, exported, imported

router = APIRouter(prefix="/me", tags=["episodes"])

A_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {LINES: {"schema": {"type": "string"}}},
        "description": "JSON lines as the export gives them, or the conversations.json of a chat "
        "export of ChatGPT or Claude.",
    }
}
SOME_LINES: dict[str, Any] = {
    "content": {LINES: {"schema": {"type": "string"}}},
    "description": "An episode a line, oldest first.",
}


@router.post(
    "/import",
    max_body_size=None,
    openapi_extra=A_FILE,
    responses={**answers(409, 413), 422: {"model": Refusal}},
)
async def import_file(
    request: Request, mine: CurrentUserMemory, process: ServerDependencies, api: InternalClient
) -> Imported:
    """Remember the episodes of the body: all of them or, where it has errors, none.

    The same again adds nothing. An answer comes when all is written and indexed.
    """
    done = await imported(mine, request, process.settings.max_import_bytes)
    await queue_alignment_if_due(api, mine, process.settings)
    return done


@router.get("/export", response_class=StreamingResponse, responses={200: SOME_LINES})
async def export(mine: CurrentUserMemory) -> StreamingResponse:
    """All episodes as JSON lines, which the import reads back."""
    return StreamingResponse(
        await begun(exported(mine)),
        media_type=LINES,
        headers={"Content-Disposition": 'attachment; filename="episodes.jsonl"'},
    )
