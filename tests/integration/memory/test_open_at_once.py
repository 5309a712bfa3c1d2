"""A new data folder that many open at the same moment: one makes the tables, the others wait."""

import asyncio
from pathlib import Path

from personaagent.memory.data_folder import open_files


async def test_many_open_a_new_folder_at_once(tmp_path: Path) -> None:
    async def open_and_read() -> list[str]:
        async with open_files(tmp_path / "home") as files:
            return await files.threads("anna")

    assert await asyncio.gather(*(open_and_read() for _ in range(8))) == [[]] * 8
