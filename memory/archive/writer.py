"""Writes an archive."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

import orjson

from personaagent.core.errors import UsageError
from personaagent.core.records import now
from personaagent.core.settings import Settings
from personaagent.memory.archive.encryption import encrypt
from personaagent.memory.archive.layout import (
    CACHED_KEYS,
    EPISODES,
    FORMAT,
    MANIFEST,
    PERSONA,
    PROFILE,
    README,
    RECORDS,
    SETTINGS,
    Manifest,
    records_member,
)
from personaagent.memory.archive.readable import about, persona_page, profile_page
from personaagent.memory.archive.reader import open_archive
from personaagent.memory.exchange.exporter import export_blocks
from personaagent.memory.exchange.whole_file import whole_file
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import Namespace

Blocks = AsyncIterator[tuple[bytes, int]]
"""Blocks of a member, with the number of lines in each."""


async def backup_file(
    memory: UserMemory,
    settings: Settings,
    path: Path,
    *,
    passphrase: str | None = None,
    replace: bool = False,
) -> Manifest:
    """Write an archive of the user to ``path``, all of it or nothing; only its owner can read it.

    It is read back and checked before it takes its name.

    Args:
        memory: the memory of the user.
        settings: those that shape the prompt are noted in it.
        path: the file to write.
        passphrase: encrypt the archive with it (age).
        replace: replace a file of that name.

    Raises:
        UsageError: there is a file of that name; nothing was written.
        DataError: it cannot be written, or the disk is full; what was there before is intact.
        ConfigurationError: encryption is not installed; nothing was written.
    """
    if not replace and await asyncio.to_thread(path.exists):
        raise UsageError(f"{path} exists already: choose another name, or add --force.")
    async with whole_file(path) as file:
        manifest = await write_archive(memory, settings, file)
        await asyncio.to_thread(_seal, file, passphrase)
    return manifest


async def write_archive(memory: UserMemory, settings: Settings, file: IO[bytes]) -> Manifest:
    """Write an archive of the user, not encrypted, to an open file."""
    counts: dict[str, int] = {}
    hashes: dict[str, str] = {}
    written_by = await asyncio.to_thread(version, "personaagent")
    history, profile = await memory.personas.history(), await memory.profile.read()
    pages = {
        README: about(memory.user_id, written_by),
        PERSONA: persona_page(history),
        PROFILE: profile_page(profile),
    }
    members: dict[str, Blocks] = {name: _text(page) for name, page in pages.items()}
    members |= {records_member(namespace): _records(memory, namespace) for namespace in RECORDS}
    members[EPISODES] = export_blocks(memory)
    archive = await asyncio.to_thread(ZipFile, file, "w", ZIP_DEFLATED)
    try:
        for name, blocks in members.items():
            counts[name], hashes[name] = await _write_member(archive, name, blocks)
        shown = settings.model_dump(mode="json", include=set(SETTINGS))
        manifest = Manifest(
            format=FORMAT,
            version=written_by,
            user=memory.user_id,
            created_at=now(),
            counts=counts,
            sha256=hashes,
            settings=shown,
        )
        await asyncio.to_thread(archive.writestr, MANIFEST, manifest.model_dump_json(indent=2))
    finally:
        await asyncio.to_thread(archive.close)
    return manifest


async def _write_member(archive: ZipFile, name: str, blocks: Blocks) -> tuple[int, str]:
    """Write one member; returns its number of lines, and its SHA-256."""
    lines, digest = 0, hashlib.sha256()
    member = await asyncio.to_thread(archive.open, name, "w", force_zip64=True)
    try:
        async for block, count in blocks:
            lines += count
            digest.update(block)
            await asyncio.to_thread(member.write, block)
    finally:
        await asyncio.to_thread(member.close)
    return lines, digest.hexdigest()


async def _text(page: str) -> Blocks:
    yield page.encode(), page.count("\n")


async def _records(memory: UserMemory, namespace: Namespace) -> Blocks:
    """The records of a namespace, by key."""
    cached = CACHED_KEYS.get(namespace, set())
    records = {key: value async for key, value in memory.store.scan(namespace) if key not in cached}
    for key in sorted(records):
        line = {"key": key, "value": records[key]}
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), 1


def _seal(file: IO[bytes], passphrase: str | None) -> None:
    """Encrypt the file if asked to, and read it back."""
    file.flush()
    if passphrase:
        file.seek(0)
        encrypted = encrypt(file.read(), passphrase)
        file.seek(0)
        file.truncate()
        file.write(encrypted)
        file.flush()
    with open_archive(Path(file.name), passphrase):
        pass
