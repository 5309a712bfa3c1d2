"""What an import would add, before anything is written."""

import asyncio
from pathlib import Path
from typing import BinaryIO

from pydantic import Field

from personaagent.core.errors import DataError
from personaagent.core.records import Moment, Record
from personaagent.memory.exchange.batches import Changed, batches, not_stored
from personaagent.memory.exchange.check_import import ReportProgress, check
from personaagent.memory.exchange.import_file import open_import
from personaagent.memory.exchange.importer import ImportProgress, no_progress
from personaagent.memory.exchange.leave_out import LeaveOut
from personaagent.memory.user import UserMemory


class ImportPreview(Record):
    """What the file holds, and what an import of it would do; nothing is written.

    ``episodes`` are in the file, by ``sources``; ``oldest`` and ``newest`` are their times, except
    of ``undated`` ones. An import would add ``new`` of them; ``known`` exist already, ``forgotten``
    are those that the user has forgotten. ``left_out``, ``problems`` and ``messages_left_out`` as an
    import says them.
    """

    episodes: int
    new: int
    known: int
    forgotten: int
    sources: dict[str, int]
    oldest: Moment | None = None
    newest: Moment | None = None
    undated: int = 0
    left_out: int = 0
    problems: list[str] = Field(default_factory=list)
    messages_left_out: dict[str, int] = Field(default_factory=dict)


async def preview_import(
    memory: UserMemory, file: Path, progress: ImportProgress = no_progress
) -> ImportPreview:
    """Read the file as an import does, and compare it with what is stored.

    Raises:
        Refused, Unreadable: as an import raises them.
        DataError: it cannot be opened, or was changed meanwhile.
        ImportCancelled: as ``progress`` raises it.
    """
    with open_import(file) as source, progress(f"Checking {file.name} (%)") as report:
        checked = await asyncio.to_thread(check, source, file, memory.user_id, report)
        new, forgotten = await _count_new(memory, source, report)
    return ImportPreview(
        episodes=checked.episodes,
        new=new,
        known=checked.episodes - new - forgotten,
        forgotten=forgotten,
        sources=dict(checked.sources.most_common()),
        oldest=checked.oldest,
        newest=checked.newest,
        undated=checked.undated,
        left_out=checked.left_out,
        problems=checked.why,
        messages_left_out=dict(checked.messages_left_out.most_common()),
    )


async def _count_new(
    memory: UserMemory, source: BinaryIO, report: ReportProgress
) -> tuple[int, int]:
    """How many episodes are new, and how many the user has forgotten."""
    leave_out = LeaveOut(memory, include=False)
    new: set[str] = set()
    remaining = batches(source, memory.user_id)
    try:
        while batch := await asyncio.to_thread(next, remaining, None):
            unknown = await leave_out.forgotten(await not_stored(memory, batch))
            new.update(each.id for each in unknown)
            report(100, 100)
    except Changed as error:
        raise DataError("The file was changed while it was being read: try again.") from error
    return len(new), leave_out.count
