"""``/me/backup`` and ``/me/restore``: a user's whole memory in one file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from personaagent.memory.archive.reader import open_archive
from personaagent.memory.archive.restore import Restored, restore
from personaagent.memory.archive.writer import write_archive
from personaagent.server.alignment_queue import queue_alignment_if_due
from personaagent.server.data_folder import exclusive
from personaagent.server.dependencies import CurrentUserMemory, InternalClient, ServerDependencies
from personaagent.server.errors import error_responses
from personaagent.server.forgetting import forget_user
from personaagent.server.streams import temporary_folder, uploaded
from personaagent.server.upload_limits import count_upload

router = APIRouter(prefix="/me", tags=["me"])

ZIP = "application/zip"
BLOCK = 1 << 20
SCHEMA = {"schema": {"type": "string", "format": "binary"}}
ARCHIVE: dict[str, Any] = {"content": {ZIP: SCHEMA}, "description": "The archive."}
UPLOADED_ARCHIVE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {ZIP: SCHEMA},
        "description": "An archive of /me/backup or `personaagent backup`, not encrypted.",
    }
}


@router.get("/backup", response_class=StreamingResponse, responses={200: ARCHIVE})
async def backup(memory: CurrentUserMemory, deps: ServerDependencies) -> StreamingResponse:
    """Everything that is remembered of the user who calls, in one zip of JSON and Markdown.

    `/me/restore` and `personaagent restore` read it. It is not encrypted.
    """
    stack = ExitStack()
    async with temporary_folder() as folder:
        file = await asyncio.to_thread((folder / "backup.zip").open, "w+b")
        stack.enter_context(file)
        await write_archive(memory, deps.settings, file)
    await asyncio.to_thread(
        file.seek, 0
    )  # its name is gone, what is in it stays until it is closed
    return StreamingResponse(
        _blocks(file, stack),
        media_type=ZIP,
        headers={"Content-Disposition": 'attachment; filename="personaagent.zip"'},
    )


@router.post(
    "/restore",
    max_body_size=None,
    openapi_extra=UPLOADED_ARCHIVE,
    responses=error_responses(409, 413, 422),
    dependencies=[Depends(count_upload)],
)
async def restore_archive(
    request: Request,
    memory: CurrentUserMemory,
    deps: ServerDependencies,
    api: InternalClient,
    replace: Annotated[
        bool,
        Query(description="Forget everything of the user first; otherwise what is there stays."),
    ] = False,
) -> Restored:
    """Bring back what an archive holds, as the memory of the user who calls.

    All of it is checked before anything is written. The response comes once all is indexed.
    """
    with ExitStack() as stack:
        async with uploaded(request, deps.settings.max_import_bytes) as file:
            archive = await asyncio.to_thread(stack.enter_context, open_archive(file))
            if replace:
                await forget_user(memory, api, deps.memory, keep_tombstones=True)
            async with exclusive(memory.user_id):
                restored = await restore(memory, archive, deps.settings)
    await queue_alignment_if_due(api, memory, deps.settings)
    return restored


async def _blocks(file: IO[bytes], stack: ExitStack) -> AsyncIterator[bytes]:
    with stack:
        while block := await asyncio.to_thread(file.read, BLOCK):
            yield block
