"""Puts what an archive holds into a user's memory."""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Literal

from pydantic import Field

from personaagent.core.audience import audience_message
from personaagent.core.errors import IndexUnavailable, ServiceError
from personaagent.core.records import Episode, Persona, Record
from personaagent.core.settings import Settings
from personaagent.memory.archive.layout import EPISODES, SETTINGS
from personaagent.memory.archive.reader import Archive
from personaagent.memory.derived import derived_from
from personaagent.memory.episode_writes import discarded_writes, new_label_revision, value_write
from personaagent.memory.exchange.importer import ImportProgress, no_progress
from personaagent.memory.keyed_hash import KEY
from personaagent.memory.personas import CURRENT, initial_persona
from personaagent.memory.profile_history import ProfileChange
from personaagent.memory.stored_statements import StoredStatements
from personaagent.memory.tombstones import OTHER_KEYS, Tombstones
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import Namespace, StoredValue, StoreWrite

BATCH = 256
PENDING: tuple[Namespace, ...] = ("unsummarised", "unaligned")
Outcome = Literal["restored", "the same", "kept"]


class Restored(Record):
    """What a restore did.

    ``persona`` and ``profile`` were restored, were the same already, or (where both have grown
    apart) what was there was kept; statements that were missing are added all the same.
    ``forgotten`` is how many episodes were left out because the user has forgotten them here.
    ``settings`` are those that differ from the archive's, as ``{name: [archived, here]}``: they
    shape what the model sees.
    """

    user: str
    added: int
    skipped: int
    forgotten: int
    persona: Outcome
    version: int
    profile: Outcome
    statements: int
    settings: dict[str, list[Any]] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)


async def restore(
    memory: UserMemory,
    archive: Archive,
    settings: Settings,
    progress: ImportProgress = no_progress,
) -> Restored:
    """Add what the archive holds to the user's memory. What is there stays as it is.

    To replace it, forget the user first, with ``keep_tombstones``. What was interrupted is completed
    by another restore.

    Raises:
        DataError: the disk is full, or the database cannot be written; what was stored stays.
        Forgotten: the user was forgotten meanwhile; nothing that was restored stays.
    """
    await memory.store.begin()
    added, skipped, forgotten = await _restore_episodes(memory, archive, progress)
    await _restore_tombstones(memory, archive)
    profile, statements = await _restore_profile(memory, archive)
    persona = await _restore_persona(memory, archive)
    await memory.personas.begin()
    if forgotten:
        await memory.profile.forget(forgotten)
        await memory.personas.forget(forgotten)
        await memory.episodes.blank([each.id for each in await derived_from(memory, forgotten)])
    await _fill(memory, archive, "news")
    return Restored(
        user=memory.user_id,
        added=added,
        skipped=skipped,
        forgotten=len(forgotten),
        persona=persona,
        version=(await memory.personas.current()).version,
        profile=profile,
        statements=statements,
        settings=_differing(archive.manifest.settings, settings),
        warnings=await _index(memory, added, progress),
    )


async def _restore_episodes(
    memory: UserMemory, archive: Archive, progress: ImportProgress
) -> tuple[int, int, set[str]]:
    """Store the episodes that are not there, and were not forgotten here.

    Of the new ones those are pending that were pending when the archive was written.

    Returns:
        How many were stored, how many were there, and the ids of those that were forgotten.
    """
    pending: dict[Namespace, dict[str, StoredValue]] = {
        namespace: await _records(archive, namespace) for namespace in PENDING
    }
    total, added, done = archive.manifest.counts[EPISODES], 0, 0
    forgotten: set[str] = set()
    with progress("Restoring episodes") as report:
        episodes = archive.episodes(memory.user_id)
        while batch := await asyncio.to_thread(lambda: [*islice(episodes, BATCH)]):
            stored = {each.id for each in await memory.episodes.find([each.id for each in batch])}
            missing = [episode for episode in batch if episode.id not in stored]
            tombstones = await Tombstones(memory.store).read()  # also of what goes meanwhile
            forgotten |= {episode.id for episode in missing if tombstones.of(episode)}
            new = [episode for episode in missing if episode.id not in forgotten]
            await memory.store.write(_episode_writes(new, pending))
            added, done = added + len(new), done + len(batch)
            report(done, total)
    return added, done - added - len(forgotten), forgotten


def _episode_writes(
    episodes: Sequence[Episode], pending: dict[Namespace, dict[str, StoredValue]]
) -> Iterable[StoreWrite]:
    for episode in episodes:
        yield value_write(episode)
        yield from discarded_writes(episode)
        yield "unindexed", episode.id, {}
        for namespace, entries in pending.items():
            if entry := entries.get(episode.id):
                yield namespace, episode.id, entry
    if any(episode.labelled for episode in episodes):
        yield new_label_revision()


async def _restore_tombstones(memory: UserMemory, archive: Archive) -> None:
    """Add what was forgotten there, so that no import brings it back here."""
    key = (await _records(archive, KEY[0])).get(KEY[1])
    if key is None:
        return
    await _fill(memory, archive, KEY[0])
    hashes = await _records(archive, "tombstones")
    others = hashes.pop(OTHER_KEYS, {"keys": []})["keys"]
    await Tombstones(memory.store).merge(key["key"], others, hashes)


async def _restore_profile(memory: UserMemory, archive: Archive) -> tuple[Outcome, int]:
    """Restore the statements with their history, or add those that are missing."""
    archived = StoredStatements.of((await _records(archive, "profile")).get("summary"))
    here = await memory.profile.statements.read()
    if here == archived:
        return "the same", 0
    if here.changes or here.statements:
        added = await memory.profile.statements.merge(archived.statements)
        return "kept", len(added)
    records = await _records(archive, "profile_history")
    changes = [ProfileChange.model_validate(value) for _, value in sorted(records.items())]
    return "restored", len(await memory.profile.statements.restore(archived, changes))


async def _restore_persona(memory: UserMemory, archive: Archive) -> Outcome:
    """Restore all versions, unless the persona here has versions that the archive does not have."""
    records = await _records(archive, "persona")
    current = records.pop(CURRENT, None)
    archived = [Persona.model_validate(value) for _, value in sorted(records.items())]
    async with memory.personas.lock():
        here = await memory.personas.history()
        if here == archived:
            return "the same"
        if current is None or not _continues(here, archived):
            return "kept"
        await memory.store.write_in_batches(
            ("persona", key, value) for key, value in sorted(records.items())
        )
        await memory.store.write([("persona", CURRENT, current)])
        await memory.store.write([("profile", "user", {"user_id": memory.user_id})])
    return "restored"


def _continues(here: Sequence[Persona], archived: Sequence[Persona]) -> bool:
    """Whether nothing is lost here if the archived versions take the place of those here."""
    untouched = len(here) == 1 and here[0].rules == initial_persona().rules
    return untouched or [*here] == [*archived[: len(here)]]


async def _fill(memory: UserMemory, archive: Archive, namespace: Namespace) -> None:
    """Write the records of a namespace in which there is nothing yet."""
    if not await memory.store.keys(namespace, 1):
        await memory.store.write_in_batches(
            (namespace, key, value) for key, value in (await _records(archive, namespace)).items()
        )


async def _records(archive: Archive, namespace: Namespace) -> dict[str, StoredValue]:
    return await asyncio.to_thread(lambda: dict(archive.records(namespace)))


async def _index(memory: UserMemory, added: int, progress: ImportProgress) -> list[str]:
    """Index the new episodes; returns what the user should know."""
    try:
        with progress("Indexing episodes") as report:
            await memory.indexer.refresh(sys.maxsize, lambda done, _: report(done, added))
    except (IndexUnavailable, ServiceError) as error:
        return [f"The episodes are stored and will be indexed later: {audience_message(error)}"]
    return []


def _differing(archived: dict[str, Any], settings: Settings) -> dict[str, list[Any]]:
    here = settings.model_dump(mode="json", include=set(SETTINGS))
    return {
        name: [archived[name], here[name]]
        for name in SETTINGS
        if name in archived and archived[name] != here[name]
    }
