"""Import: the episodes of a file are stored. Of JSON lines all or, if there are errors, none; of
another program's export all that can be read."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from pydantic import Field

from personaagent.core.audience import audience_message
from personaagent.core.counting import counted
from personaagent.core.errors import DataError, IndexUnavailable, ServiceError
from personaagent.core.records import Episode, Record
from personaagent.memory.exchange.batches import Changed, batches, not_stored
from personaagent.memory.exchange.check_import import Checked, ReportProgress, check
from personaagent.memory.exchange.import_file import fingerprint, open_import
from personaagent.memory.exchange.leave_out import LeaveOut
from personaagent.memory.index.protocol import Entry
from personaagent.memory.journal import ImportEntry, Journal
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import StoreWrite

ImportProgress = Callable[[str], AbstractContextManager[ReportProgress]]
"""Shows a step of that name while its block runs."""


class Imported(Record):
    """The result of an import.

    ``skipped`` episodes existed already and were left as they are. ``forgotten`` are those that the
    user has forgotten, which were left out. ``to_summarise`` is how many episodes the profile summary
    has yet to read, these included.

    Of another program's export, ``left_out`` is how many conversations cannot be read; ``problems``
    names the first 20 of them, with the reason. ``messages_left_out`` says how many messages of the
    others are not in an episode, by reason. ``cancelled`` says that the user ended it before its end.
    """

    added: int
    skipped: int
    warnings: list[str]
    forgotten: int = 0
    to_summarise: int = 0
    left_out: int = 0
    problems: list[str] = Field(default_factory=list)
    messages_left_out: dict[str, int] = Field(default_factory=dict)
    cancelled: bool = False


class ImportCancelled(Exception):
    """Raised by the reporter of a progress: the import is to end."""


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
    out, unless ``include_forgotten`` brings it back. If ``progress`` raises ``ImportCancelled``, the
    batches that are stored by then stay.

    Raises:
        Refused: the file has errors; nothing was written.
        Unreadable: it contains nothing, or is a zip archive; nothing was written.
        DataError: it cannot be opened, or was changed meanwhile; or the disk is full.
        EmbeddingsChanged: the user's index was built with another model; nothing was written.
        ConfigurationError: the embedding model is refused; what was stored stays.
        Forgotten: the user was forgotten meanwhile; nothing that was imported stays.
    """
    await memory.indexer.index.check_model()
    with open_import(file) as source:
        before = fingerprint(source)
        try:
            with progress(f"Checking {file.name} (%)") as report:
                checked = await asyncio.to_thread(check, source, file, memory.user_id, report)
        except ImportCancelled:
            return Imported(added=0, skipped=0, warnings=[], cancelled=True)
        with progress("Importing episodes") as report:
            leave_out = LeaveOut(memory, include=include_forgotten)
            return await _store_all(memory, source, before, checked, report, leave_out)


async def _store_all(
    memory: UserMemory,
    source: BinaryIO,
    before: tuple[int, int],
    checked: Checked,
    report: ReportProgress,
    leave_out: LeaveOut,
) -> Imported:
    """Store the episodes of ``source``, whose fingerprint was ``before``."""
    added = done = 0
    cancelled = False
    warnings: list[str] = []
    journal = ImportEntry(Journal(memory.store))
    remaining = batches(source, memory.user_id)
    await memory.store.begin()
    try:
        while batch := await asyncio.to_thread(next, remaining, None):
            if fingerprint(source) != before:
                raise Changed
            new_episodes = await leave_out.forgotten(await not_stored(memory, batch))
            noted = await journal.adding(new_episodes, leave_out.brought_back)
            warnings += await _add(memory, new_episodes, noted, index=not warnings)
            added += len(new_episodes)
            done += len(batch)
            report(done, checked.total)
    except ImportCancelled:
        cancelled = done < checked.total
    except Changed as error:
        raise DataError(
            "The file was changed while it was being imported: import it again. "
            f"{counted(added, 'episode is', 'episodes are')} stored."
        ) from error
    await memory.personas.begin()
    warnings = warnings or await _warnings_of(memory.indexer.refresh(sys.maxsize))
    return Imported(
        added=added,
        skipped=done - added - leave_out.count,
        warnings=warnings,
        forgotten=leave_out.count,
        to_summarise=len(await memory.profile.unsummarised()),
        left_out=checked.left_out,
        problems=checked.why,
        messages_left_out=dict(checked.messages_left_out.most_common()),
        cancelled=cancelled,
    )


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
        return [f"The episodes are stored and will be indexed later: {audience_message(error)}"]
    return []
