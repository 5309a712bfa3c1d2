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
from personaagent.memory.exchange.text_file import text_in_utf8


@contextmanager
def open_import(path: Path) -> Iterator[BinaryIO]:
    """The file, open to be read more than once.

    Raises:
        DataError: it cannot be opened, or is not a regular file.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"{path} is a folder: give the file with the conversations in it.")
        if not stat.S_ISREG(mode):
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
        Unreadable: it is no text, or a zip archive that is damaged or has no conversations, or a web
            page without any.
        DataError: it cannot be read.
    """
    try:
        file.seek(0)
        if file.read(4).startswith(MARKS):
            yield from read_zip(file, user_id)
            return
        with text_in_utf8(file) as text:
            export = read_export(text, user_id)
            if export is None:
                _refuse_page(text)
                skip_bom(text)
                yield from read_lines(text, user_id)
            else:
                yield from export
    except OSError as error:
        raise _read_error(file.name, error) from error


def _refuse_page(file: BinaryIO) -> None:
    """Refuse a web page in one sentence, instead of one for each of its lines.

    Raises:
        Unreadable: it is one.
    """
    skip_bom(file)
    if file.read(1024).lstrip().startswith(b"<"):
        raise Unreadable(
            "The file is a web page without conversations that can be read: import the JSON of the "
            "export, or the whole zip archive."
        )


def _read_error(path: Path | str, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror}.")
