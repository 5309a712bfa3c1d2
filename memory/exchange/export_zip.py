"""The files with conversations in a zip archive, as a program's users download it."""

import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from personaagent.core.errors import Unreadable
from personaagent.memory.exchange.claude_notes import NOTES
from personaagent.memory.exchange.foreign import is_export, read_export
from personaagent.memory.exchange.formats import programs
from personaagent.memory.exchange.parse_results import LeftOut, ParsedEpisode

MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""How a zip archive begins; an empty one, and one in parts."""
MAX_UNPACKED_BYTES = 8 << 30
UNSUSPICIOUS_BYTES = 100 << 20
LARGEST_RATIO = 100
"""Conversations shrink to a tenth; what shrinks to less than a hundredth was made to fill a memory."""
SPOOLED_BYTES = 64 << 20
ENDINGS = (".json", ".jsonl", ".html", ".htm")
_CHATS = re.compile(r"(?:^|/)conversations[^/]*\.json$")
_NOTES = re.compile(r"(?:^|/)(?:projects|memories)(?:/[^/]+)?\.json$")
_DAMAGE = (BadZipFile, zlib.error, EOFError)


def read_zip(file: BinaryIO, user_id: str) -> Iterator[ParsedEpisode | LeftOut]:
    """The episodes of all files in the archive that hold conversations; the others are passed over.

    A file that is damaged is read up to where it is.

    Raises:
        Unreadable: it is no archive, is locked, holds no conversations, or too much.
    """
    with opened_zip(file) as archive:
        is_empty = True
        for member in _members(archive):
            if _NOTES.search(member.filename):
                yield LeftOut(member.filename, NOTES, "message")
        for place, export in _exports(archive):
            is_empty = False
            try:
                yield from read_export(export, user_id, f"{place}, ") or ()
            except _DAMAGE:
                yield LeftOut(place, "the rest of it is damaged: download the archive again")
        if is_empty:
            raise Unreadable(_nothing_in(archive))


def json_members(archive: ZipFile) -> Iterator[BinaryIO]:
    """Each JSON file of the archive, open until the next one is."""
    for member in _members(archive):
        if member.filename.lower().endswith(".json"):
            with archive.open(member) as file:
                yield cast(BinaryIO, file)


@contextmanager
def opened_zip(file: BinaryIO) -> Iterator[ZipFile]:
    """The archive, if its size is reasonable.

    Raises:
        Unreadable: it is damaged, locked, or unpacks to too much.
    """
    try:
        with ZipFile(file) as archive:
            _check_size(archive)
            yield archive
    except _DAMAGE as error:
        raise Unreadable("The zip archive is damaged, or cut off: download it again.") from error
    except (RuntimeError, NotImplementedError) as error:  # as zipfile says "encrypted", "unknown"
        raise Unreadable(
            "The zip archive is encrypted or of an unusual kind: unpack it, and import the file "
            "with the conversations."
        ) from error


def _check_size(archive: ZipFile) -> None:
    unpacked = sum(each.file_size for each in archive.infolist())
    packed = sum(each.compress_size for each in archive.infolist())
    is_bomb = unpacked > UNSUSPICIOUS_BYTES and unpacked > LARGEST_RATIO * packed
    if is_bomb or unpacked > MAX_UNPACKED_BYTES:
        raise Unreadable(
            f"The zip archive unpacks to {unpacked:,} bytes, which is too much: unpack it, and import "
            "its files one by one."
        )


def _members(archive: ZipFile) -> list[ZipInfo]:
    """All files in the order of their names and numbers, without what macOS adds."""
    files = [each for each in archive.infolist() if not each.is_dir() and each.file_size]
    own = [each for each in files if not re.search(r"(?:^|/)(?:__MACOSX/|\._)", each.filename)]
    return sorted(own, key=lambda each: _natural(each.filename))


def _natural(name: str) -> list[tuple[int, str]]:
    """``part-2`` before ``part-10``."""
    return [(int(digits or 0), text) for digits, text in re.findall(r"(\d+)|(\D+)", name)]


def _exports(archive: ZipFile, within: str = "") -> Iterator[tuple[str, BinaryIO]]:
    """The files with conversations, open, with their places; also those of archives in this one."""
    for member in _members(archive):
        name, place = member.filename.lower(), f"{within}{member.filename}"
        if name.endswith(".zip") and not within:
            yield from _exports_of_inner(archive, member, f"{place}, ")
        elif name.endswith(ENDINGS) and (_CHATS.search(name) or _is_export(archive, member)):
            with archive.open(member) as file:
                yield place, cast(BinaryIO, file)


def _exports_of_inner(
    archive: ZipFile, member: ZipInfo, within: str
) -> Iterator[tuple[str, BinaryIO]]:
    """Some programs send their files in several archives; one that cannot be read holds none."""
    with archive.open(member) as packed, SpooledTemporaryFile(SPOOLED_BYTES) as copy:
        shutil.copyfileobj(packed, copy)
        try:
            with opened_zip(cast(BinaryIO, copy)) as inner:
                yield from _exports(inner, within)
        except Unreadable:
            return


def _is_export(archive: ZipFile, member: ZipInfo) -> bool:
    try:
        with archive.open(member) as file:
            return is_export(cast(BinaryIO, file))
    except _DAMAGE:
        return False


def _nothing_in(archive: ZipFile) -> str:
    names = archive.namelist()
    if "manifest.json" in names and "episodes.jsonl" in names:
        return "The file is a backup of this program: `personaagent restore` reads it."
    if any(map(_NOTES.search, names)):
        return f"The zip archive holds no conversations, but {NOTES}."
    return f"The zip archive holds no conversations of {programs()}."
