"""Bodies that are too long to be held: a file that comes in, lines that go out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.exceptions import HTTPException
from starlette.requests import Request

from personaagent.memory.exchange.exporter import export_blocks
from personaagent.memory.exchange.importer import Imported, import_episodes
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.user import UserMemory

LINES = "application/x-ndjson"
UPLOAD = "the upload"
"""The name of the file that a body becomes, as errors call it."""


async def imported(memory: UserMemory, request: Request, max_bytes: int) -> Imported:
    """Import the body, of at most ``max_bytes``.

    It goes to a file first, since it is read twice: checked, then written.

    Raises:
        HTTPException: 413, it is too long; nothing was imported.
        DataError, ConfigurationError: as ``import_episodes`` raises them.
    """
    with storage_errors():
        folder = await asyncio.to_thread(TemporaryDirectory, prefix="personaagent-")
        try:
            file = Path(folder.name, UPLOAD)
            await _write(request, file, max_bytes)
            return await import_episodes(memory, file)
        finally:
            await asyncio.to_thread(folder.cleanup)


async def _write(request: Request, file: Path, max_bytes: int) -> None:
    if int(request.headers.get("content-length") or 0) > max_bytes:
        raise HTTPException(413)
    received = 0
    to = await asyncio.to_thread(file.open, "wb")
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise HTTPException(413)
            await asyncio.to_thread(to.write, chunk)
    finally:
        await asyncio.to_thread(to.close)


def exported(memory: UserMemory) -> AsyncIterator[bytes]:
    """The blocks of an export."""
    return (block async for block, _ in export_blocks(memory))


async def begun(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same blocks, of which the first is there already: what fails before it can still be told
    as a status."""
    first = await anext(blocks)

    async def stream() -> AsyncIterator[bytes]:
        yield first
        async for block in blocks:
            yield block

    return stream()
