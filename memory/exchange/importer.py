"""Import: a file becomes episodes, all of it or, where it has errors, nothing."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from personaagent.core.errors import DataError, IndexUnavailable, ServiceError
from personaagent.core.records import Episode, Record
from personaagent.memory.exchange.import_file import Advance, check, opened, read, stamp
from personaagent.memory.exchange.parse_results import ParsedEpisode, ParseProblem
from personaagent.memory.user import UserMemory

BATCH = 512
BATCH_CHARS = 4_000_000

Progress = Callable[[str], AbstractContextManager[Advance]]
"""Shows a step of that name while its block runs."""


class Imported(Record):
    """What an import did: ``skipped`` are episodes that were there already, and left as they are."""

    added: int
    skipped: int
    warnings: list[str]


def unseen(text: str) -> AbstractContextManager[Advance]:
    """A progress that nobody looks at."""
    return nullcontext(lambda done, total, /: None)


async def import_episodes(memory: UserMemory, file: Path, progress: Progress = unseen) -> Imported:
    """Read the file twice: to check all of it, then to write its episodes in batches.

    Nothing that is stored is overwritten, so that the same file again adds nothing, and an import
    that broke off is completed by another. Where the index or the embedding model cannot be used
    now, the episodes are stored all the same, to be indexed later.

    Raises:
        Refused: the file has errors; nothing was written.
        Unreadable: it holds nothing, or is a zip archive; nothing was written.
        DataError: it cannot be opened, or was changed meanwhile; or the disk is full.
        EmbeddingsChanged: the user's index was built with another model; nothing was written.
        ConfigurationError: the embedding model is refused; what was stored stays.
    """
    await memory.indexer.index.check_model()
    with opened(file) as source:
        before = stamp(source)
        with progress(f"Checking {file.name} (%)") as advance:
            total = await asyncio.to_thread(check, source, file, memory.user_id, advance)
        with progress("Importing episodes") as advance:
            return await _write(memory, source, before, total, advance)


async def _write(
    memory: UserMemory, source: BinaryIO, before: Any, total: int, advance: Advance
) -> Imported:
    added = done = 0
    warnings: list[str] = []
    found = read(source, memory.user_id)
    while batch := await asyncio.to_thread(_take, found):
        given = [each for each in batch if isinstance(each, ParsedEpisode)]
        if stamp(source) != before or len(given) < len(batch):
            raise DataError(
                "The file was changed while it was being imported: import it again. "
                f"{added:,} of its episodes are stored."
            )
        fresh = await _fresh(memory, [each.episode for each in given])
        await memory.episodes.add(fresh)
        added += len(fresh)
        if not warnings:
            warnings = await _index(memory, len(fresh))
        done += len(batch)
        advance(done, total)
    await memory.personas.begin()
    warnings = warnings or await _index(memory, sys.maxsize, settle=added > 0)
    return Imported(added=added, skipped=done - added, warnings=warnings)


def _take(found: Iterator[ParsedEpisode | ParseProblem]) -> list[ParsedEpisode | ParseProblem]:
    """The next of them: as many as are well written at once, or fewer where they are long."""
    batch: list[ParsedEpisode | ParseProblem] = []
    chars = 0
    while len(batch) < BATCH and chars < BATCH_CHARS and (each := next(found, None)):
        batch.append(each)
        chars += len(each.episode.response) if isinstance(each, ParsedEpisode) else 0
    return batch


async def _fresh(memory: UserMemory, episodes: Sequence[Episode]) -> list[Episode]:
    """Those that are not stored yet, each once."""
    by_id = {episode.id: episode for episode in reversed(episodes)}
    stored = {episode.id for episode in await memory.episodes.find(list(by_id))}
    return [episode for episode in reversed(by_id.values()) if episode.id not in stored]


async def _index(memory: UserMemory, limit: int, *, settle: bool = False) -> list[str]:
    """Index up to ``limit`` episodes; returns what the user should know."""
    try:
        await memory.indexer.refresh(limit)
        if settle:
            await memory.indexer.index.optimise()
    except (IndexUnavailable, ServiceError) as error:
        return [f"The episodes are stored and will be indexed later: {error}"]
    return []
