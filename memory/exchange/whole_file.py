"""A file that is written whole, or not at all."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from personaagent.core.errors import DataError
from personaagent.memory.storage_errors import storage_errors


@asynccontextmanager
async def whole_file(path: Path) -> AsyncIterator[IO[bytes]]:
    """A new file, which takes the name ``path`` when the block is left; only its owner can read it.

    Raises:
        DataError: it cannot be written, or the disk is full; what was there before is intact.
    """
    try:
        with storage_errors(), NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                yield file
                await asyncio.to_thread(_move_into_place, file, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error


def _move_into_place(file: IO[bytes], path: Path) -> None:
    """Make sure that the whole file is on the disk, and give it its name."""
    file.flush()
    os.fsync(file.fileno())
    os.replace(file.name, path)
