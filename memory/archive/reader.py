"""Reads an archive: all of it is checked before anything of it is used."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

import orjson
from pydantic import ValidationError

from personaagent.core.errors import DataError, Unreadable, UsageError
from personaagent.core.records import Episode
from personaagent.memory.archive.encryption import AGE, decrypt, is_encrypted
from personaagent.memory.archive.layout import (
    EPISODES,
    FORMAT,
    MANIFEST,
    RECORDS,
    Manifest,
    members,
    records_member,
)
from personaagent.memory.archive.record_checks import check_record
from personaagent.memory.exchange.jsonlines import read_lines
from personaagent.memory.exchange.parse_results import ParseProblem
from personaagent.memory.user_store import Namespace, StoredValue

MAX_BYTES = 8 << 30
"""Of all members together, unpacked: a small file may unpack to more than the disk holds."""
MAX_MANIFEST_BYTES = 1 << 20
LONGEST_RECORD = 8 << 20
BLOCK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """An open archive that was checked."""

    manifest: Manifest
    _zip: ZipFile

    def episodes(self, user_id: str) -> Iterator[Episode]:
        """The episodes, oldest first, as those of ``user_id``."""
        with self._zip.open(EPISODES) as lines:
            for parsed in read_lines(cast(BinaryIO, lines), user_id):
                if isinstance(parsed, ParseProblem):
                    raise Unreadable(f"The archive cannot be used: {EPISODES}, {parsed}.")
                yield parsed.episode

    def records(self, namespace: Namespace) -> Iterator[tuple[str, StoredValue]]:
        """The keys and values of a namespace."""
        with self._zip.open(records_member(namespace)) as lines:
            while line := lines.readline(LONGEST_RECORD + 1):
                yield _record(line, namespace)


@contextmanager
def open_archive(path: Path, passphrase: str | None = None) -> Iterator[Archive]:
    """The archive, open and checked: hashes, sizes, and each record by its type.

    Raises:
        Unreadable: it is not an archive, was made by a newer version, or is damaged.
        DataError: it cannot be read, or not decrypted.
        UsageError: it is encrypted, and there is no passphrase.
    """
    with ExitStack() as stack:
        try:
            content = stack.enter_context(_content(path, passphrase))
            archive = _checked(stack.enter_context(ZipFile(content)))
        except (BadZipFile, ZlibError, EOFError, KeyError, NotImplementedError) as error:
            raise Unreadable(f"{path.name} is not an archive of ours, or it is damaged.") from error
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
        yield archive


def _content(path: Path, passphrase: str | None) -> BinaryIO:
    """The zip: the file itself, or what was encrypted in it."""
    file = path.open("rb")
    if not is_encrypted(file.read(len(AGE))):
        return file
    with file:
        file.seek(0)
        return io.BytesIO(decrypt(file.read(), passphrase))


def _checked(content: ZipFile) -> Archive:
    archive = Archive(_manifest(content), content)
    _check_members(content, archive.manifest)
    _check_records(archive)
    return archive


def _manifest(archive: ZipFile) -> Manifest:
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
        raise Unreadable("The archive cannot be used: its manifest is too long.")
    try:
        content = orjson.loads(archive.read(MANIFEST))
        if isinstance(content, dict) and content.get("format", 0) > FORMAT:
            raise Unreadable(
                f"The archive was written by a newer version ({content.get('version', 'unknown')}): "
                "update PersonaAgent, and restore it then."
            )
        return Manifest.model_validate(content)
    except (ValidationError, orjson.JSONDecodeError, TypeError) as error:
        raise Unreadable("The archive cannot be used: its manifest is damaged.") from error


def _check_members(archive: ZipFile, manifest: Manifest) -> None:
    """Check that every member is there, no other, none too large, and each as it was written."""
    infos = {info.filename: info for info in archive.infolist()}
    if infos.keys() - {MANIFEST} != manifest.sha256.keys() or not (
        manifest.sha256.keys() <= members() and EPISODES in infos
    ):
        raise Unreadable("The archive cannot be used: it does not hold what its manifest says.")
    if sum(info.file_size for info in infos.values()) > MAX_BYTES:
        raise Unreadable(f"The archive cannot be used: it unpacks to over {MAX_BYTES >> 30} GiB.")
    for name, expected in manifest.sha256.items():
        digest = hashlib.sha256()
        with archive.open(name) as member:
            while block := member.read(BLOCK):
                digest.update(block)
        if digest.hexdigest() != expected:
            raise Unreadable(f"The archive is damaged: {name} is not as it was written.")


def _check_records(archive: Archive) -> None:
    for _ in archive.episodes(archive.manifest.user):
        pass
    for namespace in RECORDS:
        if records_member(namespace) in archive.manifest.sha256:
            for _ in archive.records(namespace):
                pass


def _record(line: bytes, namespace: Namespace) -> tuple[str, Any]:
    name = records_member(namespace)
    if len(line) > LONGEST_RECORD:
        raise Unreadable(f"The archive cannot be used: a line of {name} is too long.")
    try:
        record = orjson.loads(line)
        check_record(namespace, record["key"], record["value"])
        return record["key"], record["value"]
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise Unreadable(
            f"The archive cannot be used: {name} holds what cannot be read."
        ) from error
