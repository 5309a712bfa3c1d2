"""Bodies too long for memory: a file that comes in, lines that go out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.exceptions import HTTPException
from starlette.requests import Request

from personaagent.core.errors import Conflict
from personaagent.memory.exchange.exporter import export_blocks
from personaagent.memory.exchange.import_status import Imports
from personaagent.memory.exchange.importer import ImportCancelled, Imported, import_episodes
from personaagent.memory.exchange.preview import ImportPreview, preview_import
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.user import UserMemory

LINES = "application/x-ndjson"
UPLOAD = "the upload"
"""The name of the file that a body is written to, as errors show it."""


async def import_body(
    memory: UserMemory, request: Request, max_bytes: int, include_forgotten: bool
) -> Imported:
    """Import the body, of at most ``max_bytes``.

    The body goes to a file first, since it is read twice: to check it, and to import it.

    Raises:
        HTTPException: 413, the body is too long; nothing was imported.
        DataError, ConfigurationError: as ``import_episodes`` raises them.
    """
    async with uploaded(request, max_bytes) as file, Imports(memory.store).noting() as progress:
        return await import_episodes(memory, file, progress, include_forgotten=include_forgotten)


async def preview_body(memory: UserMemory, request: Request, max_bytes: int) -> ImportPreview:
    """What an import of the body, of at most ``max_bytes``, would add.

    Raises:
        HTTPException: 413, the body is too long.
        Conflict: the user cancelled it.
        DataError: as ``preview_import`` raises it.
    """
    async with uploaded(request, max_bytes) as file, Imports(memory.store).noting() as progress:
        try:
            return await preview_import(memory, file, progress)
        except ImportCancelled as error:
            raise Conflict("You cancelled it: nothing was imported.") from error


@asynccontextmanager
async def uploaded(request: Request, max_bytes: int) -> AsyncIterator[Path]:
    """The body, of at most ``max_bytes``, in a file that goes when the block is left.

    Raises:
        HTTPException: 413, the body is too long.
        DataError: the disk is full.
    """
    with storage_errors():
        async with temporary_folder() as folder:
            file = folder / UPLOAD
            await _save_body(request, file, max_bytes)
            yield file


@asynccontextmanager
async def temporary_folder() -> AsyncIterator[Path]:
    """A folder that goes, with all that is in it, when the block is left."""
    folder = await asyncio.to_thread(TemporaryDirectory, prefix="personaagent-")
    try:
        yield Path(folder.name)
    finally:
        await asyncio.to_thread(folder.cleanup)


async def _save_body(request: Request, file: Path, max_bytes: int) -> None:
    if int(request.headers.get("content-length") or 0) > max_bytes:
        raise HTTPException(413)
    received = 0
    output = await asyncio.to_thread(file.open, "wb")
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise HTTPException(413)
            await asyncio.to_thread(output.write, chunk)
    finally:
        await asyncio.to_thread(output.close)


def export_body(memory: UserMemory) -> AsyncIterator[bytes]:
    """The blocks of an export, as JSON lines."""
    return (block async for block, _ in export_blocks(memory))


async def start_stream(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same blocks, once the first is there: what fails before it still becomes a status."""
    first = await anext(blocks)

    async def stream() -> AsyncIterator[bytes]:
        yield first
        async for block in blocks:
            yield block

    return stream()
