"""Export: a user's episodes as JSON lines, oldest first. Import reads them back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from personaagent.memory.exchange.check_import import ReportProgress
from personaagent.memory.exchange.jsonlines import write_line
from personaagent.memory.exchange.whole_file import whole_file
from personaagent.memory.user import UserMemory

BLOCK = 1 << 20


async def export_blocks(memory: UserMemory) -> AsyncIterator[tuple[bytes, int]]:
    """Blocks of lines, about 1 MiB each, with the number of lines in each."""
    block, lines = bytearray(), 0
    async for episode in memory.episodes.oldest_first():
        block += write_line(episode)
        lines += 1
        if len(block) >= BLOCK:
            yield bytes(block), lines
            block, lines = bytearray(), 0
    yield bytes(block), lines


async def export_file(memory: UserMemory, path: Path, report: ReportProgress) -> int:
    """Write the whole file or nothing, readable by its owner only; returns the number of episodes.

    Raises:
        DataError: it cannot be written, or the disk is full; what was there before is intact.
    """
    count = 0
    async with whole_file(path) as file:
        async for block, lines in export_blocks(memory):
            await asyncio.to_thread(file.write, block)
            count += lines
            report(count, None)
    return count
