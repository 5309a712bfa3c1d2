"""Files of JSON lines that are only added to, each line whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from personaagent.core.errors import DataError
from personaagent.core.records import Record

R = TypeVar("R", bound=Record)
BLOCK = 65_536


class Lines:
    """One such file, open for adding to it; a last line that a kill cut off is dropped first.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("r+b" if path.exists() else "x+b", buffering=0)
            self._file.truncate(_whole(self._file.fileno()))
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise self._unwritable(error.strerror) from error

    def append(self, record: Record) -> None:
        """Add the record: one write, which a kill of this process cannot take back.

        Raises:
            DataError: it cannot be written.
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

    def _unwritable(self, why: str | None) -> DataError:
        return DataError(
            f"{self._path} cannot be written ({why}); what is in it is kept, and the same command "
            "goes on from there."
        )


def read_lines(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of the file, one at a time; none where there is no file yet.

    Raises:
        DataError: a line is no such record.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield kind.model_validate_json(line)
            except ValueError as error:
                raise DataError(
                    f"Line {number} of {path} is no {kind.__name__.lower()} of this version: "
                    "take another folder (--out)."
                ) from error


def _whole(descriptor: int) -> int:
    """How many bytes of the file are whole lines."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - BLOCK)
        if (found := os.pread(descriptor, end - start, start).rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0
