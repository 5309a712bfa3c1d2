"""Import: the episodes of a file are stored, all of them or, if the file has errors, none."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from personaagent.core.counting import counted
from personaagent.core.errors import DataError, IndexUnavailable, ServiceError
from personaagent.core.records import Episode, Record
from personaagent.memory.exchange.import_file import (
    ReportProgress,
    check,
    fingerprint,
    open_import,
    parse,
)
from personaagent.memory.exchange.leave_out import LeaveOut
from personaagent.memory.exchange.parse_results import ParsedEpisode, ParseProblem
from personaagent.memory.index.protocol import Entry
from personaagent.memory.journal import ImportEntry, Journal
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import StoreWrite

BATCH = 512
BATCH_CHARS = 4_000_000

ImportProgress = Callable[[str], AbstractContextManager[ReportProgress]]
"""Shows a step of that name while its block runs."""


class Imported(Record):
    """The result of an import.

    ``skipped`` episodes existed already and were left as they are. ``forgotten`` are those that the
    user has forgotten, which were left out. ``to_summarise`` is how many episodes the profile summary
    has yet to read, these included.
    """

    added: int
    skipped: int
    warnings: list[str]
    forgotten: int = 0
    to_summarise: int = 0


def no_progress(step: str) -> AbstractContextManager[ReportProgress]:
    """Shows nothing."""
    return nullcontext(lambda done, total, /: None)


async def import_episodes(
    memory: UserMemory,
    file: Path,
    progress: ImportProgress = no_progress,
    *,
    include_forgotten: bool = False,
) -> Imported:
    """Read the file twice: first to check all of it, then to store its episodes in batches.

    Nothing that is stored is overwritten. So importing the same file again adds nothing, and
    completes an import that was interrupted. If the index or the embedding model cannot be used
    now, the episodes are stored all the same and indexed later. What the user has forgotten is left
    out, unless ``include_forgotten`` brings it back.

    Raises:
        Refused: the file has errors; nothing was written.
        Unreadable: it contains nothing, or is a zip archive; nothing was written.
        DataError: it cannot be opened, or was changed meanwhile; or the disk is full.
        EmbeddingsChanged: the user's index was built with another model; nothing was written.
        ConfigurationError: the embedding model is refused; what was stored stays.
    """
    await memory.indexer.index.check_model()
    with open_import(file) as source:
        checked = fingerprint(source)
        with progress(f"Checking {file.name} (%)") as report:
            total = await asyncio.to_thread(check, source, file, memory.user_id, report)
        with progress("Importing episodes") as report:
            leave_out = LeaveOut(memory, include=include_forgotten)
            return await _store_all(memory, source, checked, total, report, leave_out)


async def _store_all(
    memory: UserMemory,
    source: BinaryIO,
    checked: tuple[int, int],
    total: int,
    report: ReportProgress,
    leave_out: LeaveOut,
) -> Imported:
    """Store the episodes of ``source``, whose fingerprint was ``checked``."""
    added = done = 0
    warnings: list[str] = []
    journal = ImportEntry(Journal(memory.store))
    parsed = parse(source, memory.user_id)
    while batch := await asyncio.to_thread(_next_batch, parsed):
        episodes = [item.episode for item in batch if isinstance(item, ParsedEpisode)]
        if fingerprint(source) != checked or len(episodes) < len(batch):
            raise DataError(
                "The file was changed while it was being imported: import it again. "
                f"{counted(added, 'episode is', 'episodes are')} stored."
            )
        new_episodes = await leave_out.forgotten(await _not_stored(memory, episodes))
        noted = await journal.adding(new_episodes, leave_out.brought_back)
        warnings += await _add(memory, new_episodes, noted, index=not warnings)
        added += len(new_episodes)
        done += len(batch)
        report(done, total)
    await memory.personas.begin()
    warnings = warnings or await _warnings_of(memory.indexer.refresh(sys.maxsize))
    forgotten = leave_out.count
    skipped = done - added - forgotten
    return Imported(
        added=added,
        skipped=skipped,
        warnings=warnings,
        forgotten=forgotten,
        to_summarise=len(await memory.profile.unsummarised()),
    )


def _next_batch(
    parsed: Iterator[ParsedEpisode | ParseProblem],
) -> list[ParsedEpisode | ParseProblem]:
    """The next 512 items, or fewer if their answers are long."""
    batch: list[ParsedEpisode | ParseProblem] = []
    chars = 0
    while len(batch) < BATCH and chars < BATCH_CHARS and (item := next(parsed, None)):
        batch.append(item)
        chars += len(item.episode.response) if isinstance(item, ParsedEpisode) else 0
    return batch


async def _not_stored(memory: UserMemory, episodes: Sequence[Episode]) -> list[Episode]:
    """The episodes that are not stored yet, each once."""
    by_id = {episode.id: episode for episode in reversed(episodes)}
    stored = {episode.id for episode in await memory.episodes.find(list(by_id))}
    return [episode for episode in reversed(by_id.values()) if episode.id not in stored]


async def _add(
    memory: UserMemory, episodes: Sequence[Episode], noted: Sequence[StoreWrite], *, index: bool
) -> list[str]:
    """Store these episodes, what the journal notes of them and, if the store holds the index, their
    rows in it: all in one transaction. Otherwise index them afterwards, or not now without ``index``.

    Returns:
        What the user should know.
    """
    entries: list[Entry] = []

    async def embed() -> None:
        entries.extend(await memory.indexer.entries(episodes))

    in_store = memory.indexer.index.in_store
    warnings = await _warnings_of(embed()) if index and in_store and episodes else []
    state = [memory.indexer.index.state_write()] if entries else []
    await memory.episodes.add(episodes, entries=entries, also=[*noted, *state])
    if index and not in_store:
        warnings = await _warnings_of(memory.indexer.refresh(len(episodes)))
    return warnings


async def _warnings_of(indexing: Awaitable[object]) -> list[str]:
    """Index; returns what the user should know if that cannot be done now."""
    try:
        await indexing
    except (IndexUnavailable, ServiceError) as error:
        return [f"The episodes are stored and will be indexed later: {error}"]
    return []
