"""An import file: how to open it, and parse what it holds."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from personaagent.core.errors import DataError, Unreadable
from personaagent.memory.exchange.export_zip import MARKS, read_zip
from personaagent.memory.exchange.foreign import read_export, skip_bom
from personaagent.memory.exchange.jsonlines import read_lines
from personaagent.memory.exchange.parse_results import Parsed

GZIP = b"\x1f\x8b"


@contextmanager
def open_import(path: Path) -> Iterator[BinaryIO]:
    """The file, open to be read more than once.

    Raises:
        DataError: it cannot be opened, or is not a regular file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{path} is not a regular file: write it to one and import that.")
        file = path.open("rb")
    except OSError as error:
        raise _read_error(path, error) from error
    with file:
        yield file


def fingerprint(file: BinaryIO) -> tuple[int, int]:
    """The size and the time of the last change, which differ when the file was written to."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def parse(file: BinaryIO, user_id: str) -> Iterator[Parsed]:
    """The episodes of the file from its start, its problems, and what is left out.

    Its content tells what it is: an archive, another program's export, or JSON lines of our own.

    Raises:
        Unreadable: it is a zip archive without conversations, or a damaged one; or an archive of
            another kind, or a web page without conversations.
        DataError: it cannot be read.
    """
    try:
        file.seek(0)
        if file.read(4).startswith(MARKS):
            yield from read_zip(file, user_id)
            return
        export = read_export(file, user_id)
        if export is None:
            _refuse_other_kinds(file)
            skip_bom(file)
            yield from read_lines(file, user_id)
        else:
            yield from export
    except OSError as error:
        raise _read_error(file.name, error) from error


def _refuse_other_kinds(file: BinaryIO) -> None:
    """Refuse what is no text of lines, in one sentence instead of one for each line.

    Raises:
        Unreadable: it is such a file.
    """
    skip_bom(file)
    head = file.read(1024)
    if head.startswith(GZIP):
        raise Unreadable(
            "The file is compressed with gzip, as the .tgz of a Google export: unpack it and import "
            "the files in it, or ask for .zip when you export."
        )
    if head.lstrip().startswith(b"<"):
        raise Unreadable(
            "The file is a web page without conversations that can be read: import the JSON of the "
            "export, or the whole zip archive."
        )


def _read_error(path: Path | str, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror}.")
