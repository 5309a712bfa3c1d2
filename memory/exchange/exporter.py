"""Export: a user's episodes as JSON lines, oldest first, which import reads back."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from personaagent.core.errors import DataError
from personaagent.memory.exchange.import_file import Advance
from personaagent.memory.exchange.jsonlines import write_line
from personaagent.memory.storage_errors import storage_errors
from personaagent.memory.user import UserMemory

BLOCK = 1 << 20


async def export_blocks(memory: UserMemory) -> AsyncIterator[tuple[bytes, int]]:
    """Some lines at a time, about 1 MiB, and how many they are."""
    block, lines = bytearray(), 0
    async for episode in memory.episodes.oldest_first():
        block += write_line(episode)
        lines += 1
        if len(block) >= BLOCK:
            yield bytes(block), lines
            block, lines = bytearray(), 0
    yield bytes(block), lines


async def export_file(memory: UserMemory, path: Path, advance: Advance) -> int:
    """Write the file, readable by its owner alone, whole or not at all; returns the episodes in it.

    Raises:
        DataError: it cannot be written, or the disk is full; what was there before is intact.
    """
    count = 0
    try:
        with storage_errors(), NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                async for block, lines in export_blocks(memory):
                    await asyncio.to_thread(file.write, block)
                    count += lines
                    advance(count, None)
                await asyncio.to_thread(_keep, file, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error
    return count


def _keep(file: IO[bytes], path: Path) -> None:
    """Put the file, all of it on the disk, in its place."""
    file.flush()
    os.fsync(file.fileno())
    os.replace(file.name, path)
