"""A file that should be text: in UTF-8, or in UTF-16 as some shells of Windows write it."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE, iterdecode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from personaagent.core.errors import Unreadable

SPOOLED_BYTES = 64 << 20
_BLOCK = 1 << 20
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\xfd7zX": "xz",
    b"BZh": "bzip2",
}


@contextmanager
def text_in_utf8(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file, or a copy in UTF-8 if it is in UTF-16; at its start.

    Raises:
        Unreadable: it is no text.
    """
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        with SpooledTemporaryFile(SPOOLED_BYTES) as copy:
            _copy_in_utf8(file, cast(BinaryIO, copy))
            yield cast(BinaryIO, copy)
        return
    _refuse_what_is_no_text(head)
    yield file


def _copy_in_utf8(file: BinaryIO, copy: BinaryIO) -> None:
    blocks = iter(partial(file.read, _BLOCK), b"")
    try:
        for text in iterdecode(blocks, "utf-16"):
            copy.write(text.encode())
    except UnicodeError as error:
        raise Unreadable("The file is not valid UTF-16: save it as UTF-8.") from error
    copy.seek(0)


def _refuse_what_is_no_text(head: bytes) -> None:
    for mark, name in _PACKED.items():
        if head.startswith(mark):
            raise Unreadable(
                f"The file is packed ({name}): unpack it, and import the file with the conversations; "
                "a zip archive is read as it is."
            )
    if b"\0" in head:
        raise Unreadable("The file is no text: give JSON lines, or an export as it was downloaded.")
