"""``/me/import`` and ``/me/export``: all episodes in and out, streamed both ways."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from personaagent.memory.exchange.import_status import Imports, ImportStatus
from personaagent.memory.exchange.importer import Imported
from personaagent.memory.exchange.preview import ImportPreview
from personaagent.nodes.profile_refresh import refresh_if_due
from personaagent.server.alignment_queue import queue_alignment_if_due
from personaagent.server.dependencies import CurrentUserMemory, InternalClient, ServerDependencies
from personaagent.server.errors import Refusal, error_responses
from personaagent.server.streams import LINES, export_body, import_body, preview_body, start_stream
from personaagent.server.upload_limits import count_upload

router = APIRouter(prefix="/me", tags=["episodes"])

UPLOADED_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {LINES: {"schema": {"type": "string"}}},
        "description": "JSON lines as the export gives them, or another assistant's export, such as "
        "the zip archive that ChatGPT or Claude sends.",
    }
}
EPISODE_LINES: dict[str, Any] = {
    "content": {LINES: {"schema": {"type": "string"}}},
    "description": "An episode a line, oldest first.",
}


@router.post(
    "/import",
    max_body_size=None,
    openapi_extra=UPLOADED_FILE,
    responses={**error_responses(409, 413), 422: {"model": Refusal}},
    dependencies=[Depends(count_upload)],
)
async def import_file(
    request: Request,
    memory: CurrentUserMemory,
    deps: ServerDependencies,
    api: InternalClient,
    include_forgotten: Annotated[
        bool, Query(description="Bring back what the user has forgotten.")
    ] = False,
    dry_run: Annotated[
        bool, Query(description="Write nothing; say what would be added, and what left out.")
    ] = False,
) -> Imported | ImportPreview:
    """Remember the episodes of the body: of JSON lines all or, if they have errors, none; of another
    assistant's export what can be read.

    Importing the same again adds nothing, and what the user has forgotten is left out. The
    response comes once all is written and indexed; the profile reads it afterwards. Meanwhile `GET`
    tells how far it is, and `DELETE` cancels it: what is stored by then stays.
    """
    if dry_run:
        return await preview_body(memory, request, deps.settings.max_import_bytes)
    imported = await import_body(memory, request, deps.settings.max_import_bytes, include_forgotten)
    refresh_if_due(deps, memory, deps.settings.zone)
    await queue_alignment_if_due(api, memory, deps.settings)
    return imported


@router.get("/import")
async def show_imports(memory: CurrentUserMemory) -> list[ImportStatus]:
    """The imports under way, and previews, with how far they are; those of the first second are not
    shown."""
    return await Imports(memory.store).running()


@router.delete("/import")
async def cancel_imports(memory: CurrentUserMemory) -> list[ImportStatus]:
    """Cancel the imports under way; the response has them. What is stored by then stays, and can be
    undone as one change."""
    return await Imports(memory.store).cancel()


@router.get("/export", response_class=StreamingResponse, responses={200: EPISODE_LINES})
async def export(memory: CurrentUserMemory) -> StreamingResponse:
    """All episodes as JSON lines, which the import reads back."""
    return StreamingResponse(
        await start_stream(export_body(memory)),
        media_type=LINES,
        headers={"Content-Disposition": 'attachment; filename="episodes.jsonl"'},
    )
