"""Standard streams on which a write never fails: showing must not undo doing.

A character that the encoding lacks is written as its nearest plain form, else as ``?``. What is
written after the reader has gone, or onto a full disk, is dropped; ``lost`` says so afterwards.
"""

import codecs
import contextlib
import errno
import io
import os
import select
import sys
import unicodedata
from typing import IO, TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

READER_GONE = {errno.EPIPE, errno.EIO, errno.ECONNRESET, errno.ESHUTDOWN}
"""The errors of a closed pipe, terminal or socket."""
if os.name == "nt":
    READER_GONE.add(errno.EINVAL)  # how a closed pipe ends there
REPLACED = "personaagent.readable"
PLAIN = str.maketrans(
    {
        "…": "...",
        "„": '"',
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "→": "->",
        "←": "<-",
        "↑": "^",
        "↓": "v",
        "×": "x",
        "€": "EUR",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
    }
    | dict(zip("øØłŁđĐıħ", "oOlLdDih", strict=True))
    | dict(zip("▁▂▃▄▅▆▇█", "12345678", strict=True))
    | dict.fromkeys("–—‐‑−•·─━═╌╴╶╸╺", "-")
    | dict.fromkeys("‘’‚‹›", "'")
    | dict.fromkeys("│┃║▌", "|")
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff", "")
)
_replaced: set[str] = set()
_failures: dict[str, int] = {}


class SteadyWriter(io.RawIOBase):
    """Writes to the raw file of ``stream`` as long as that takes it; drops the rest, and remembers why."""

    def __init__(self, stream: io.TextIOWrapper, raw: io.RawIOBase, name: str) -> None:
        super().__init__()
        self._owner, self._raw, self._name = stream, raw, name  # its owner closes it in the end

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """That of the stream beneath."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Whether the stream beneath is a terminal."""
        return self._raw.isatty()

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write all of ``data``, or nothing more of it once the stream has failed."""
        view = memoryview(data).cast("B")
        written = 0
        while written < len(view) and self._name not in _failures:
            try:
                count = self._raw.write(view[written:])
            except OSError as error:
                _failures[self._name] = error.errno or errno.EIO
                break
            if count is None:  # another program has made the pipe non-blocking, and it is full
                select.select([], [self._raw], [])
            written += count or 0
        return len(view)


def steady_streams() -> None:
    """Make the standard streams of this process steady; where one is closed, open nothing there.

    Streams that are no files, such as those of a test, only get the readable replacements.
    """
    codecs.register_error(REPLACED, _readable)
    _replaced.clear()
    _failures.clear()
    _open_closed()
    sys.stdout = _steady(sys.stdout, "stdout")
    sys.stderr = _steady(sys.stderr, "stderr")


def reader_gone() -> bool:
    """Whether nobody reads standard output any more."""
    return _failures.get("stdout") in READER_GONE


def lost() -> str | None:
    """Why standard output could not be written, if its reader did not simply leave."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        return None  # a stream that is not ours
    reason = _failures.get("stdout")
    return None if reason is None or reason in READER_GONE else os.strerror(reason)


def replaced() -> bool:
    """Whether a character was shown as ``?`` because the encoding of a stream lacks it."""
    return bool(_replaced)


def shows_unicode(stream: TextIO) -> bool:
    """Whether the encoding of ``stream`` has every character."""
    return codecs.lookup(stream.encoding or "utf-8").name.startswith(("utf", "gb18030"))


def decoded(given: bytes) -> str:
    """Standard input as text: UTF-8, or what the terminal speaks; other bytes become surrogates."""
    with contextlib.suppress(UnicodeDecodeError):
        return given.decode("utf-8-sig")
    with contextlib.suppress(UnicodeDecodeError):
        return given.decode(sys.stdin.encoding or "utf-8")
    return given.decode(errors="surrogateescape")


def argument(given: str) -> str:
    """An argument of the command line as text, if the locale could not read it but UTF-8 can."""
    try:
        given.encode()
    except UnicodeEncodeError:
        return decoded(os.fsencode(given))
    return given


def _steady(stream: TextIO, name: str) -> TextIO:
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED, Python has no buffer
    if not (isinstance(raw, io.RawIOBase) and isinstance(stream, io.TextIOWrapper)):
        return stream
    if isinstance(raw, SteadyWriter):
        return stream
    steady = SteadyWriter(stream, raw, name)
    return io.TextIOWrapper(
        cast("IO[bytes]", steady if raw is buffer else io.BufferedWriter(steady)),
        encoding=stream.encoding,
        errors=REPLACED,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _open_closed() -> None:
    """Open /dev/null in place of each standard stream that is closed.

    Otherwise the first file that is opened, such as a database, would take its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _readable(error: UnicodeError) -> tuple[str, int]:
    """The handler of characters that an encoding lacks: they are replaced one by one."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _plain(error.object[error.start]), error.start + 1


def _plain(character: str) -> str:
    """``character`` in ASCII: its plain form, or without its accents, or ``?``."""
    unaccented = "".join(
        each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each)
    )
    for candidate in (character.translate(PLAIN), unaccented):
        if candidate.isascii():
            return candidate
    _replaced.add(character)
    return "?"
