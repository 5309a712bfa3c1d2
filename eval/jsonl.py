"""JSON-lines files that only grow: a line is complete, or it does not count."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from personaagent.core.errors import DataError
from personaagent.core.records import Record

R = TypeVar("R", bound=Record)
BLOCK = 65_536


class JsonLinesWriter:
    """Appends records to a file; first removes a last line that a kill cut off.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("r+b" if path.exists() else "x+b", buffering=0)
            self._file.truncate(_complete_bytes(self._file.fileno()))
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise self._unwritable(error.strerror) from error

    def append(self, record: Record) -> None:
        """Append the record in one write, which survives a kill of this process.

        Raises:
            DataError: the record cannot be written.
        """
        line = record.model_dump_json().encode() + b"\n"
        try:
            written = self._file.write(line)
        except OSError as error:
            raise self._unwritable(error.strerror) from error
        if written != len(line):
            raise self._unwritable("no space left")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _unwritable(self, reason: str | None) -> DataError:
        return DataError(
            f"{self._path} cannot be written ({reason}); its lines are kept, and the same command "
            "continues from there."
        )


def read_records(path: Path, record_type: type[R]) -> Iterator[R]:
    """Yield the records of the file; none if the file does not exist yet.

    Raises:
        DataError: a line is not a record of this type.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield record_type.model_validate_json(line)
            except ValueError as error:
                raise DataError(
                    f"Line {number} of {path} cannot be read by this version: choose another "
                    "folder (--out)."
                ) from error


def _complete_bytes(descriptor: int) -> int:
    """How many bytes of the file are complete lines."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - BLOCK)
        if (newline := os.pread(descriptor, end - start, start).rfind(b"\n")) >= 0:
            return start + newline + 1
        end = start
    return 0
