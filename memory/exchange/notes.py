"""What a user told another assistant about themselves, read as statements for the profile.

Three kinds of files have it: a list in plain text or Markdown, as pasted from the memory of ChatGPT
or Claude; and the ``conversations.json`` of a ChatGPT export, whose hidden messages hold the custom
instructions (``user_editable_context``) and the memory (``model_editable_context``).
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from personaagent.core.errors import Unreadable
from personaagent.core.text import without_controls
from personaagent.memory.exchange.custom_instructions import read_custom_instructions
from personaagent.memory.exchange.foreign import BOM
from personaagent.memory.exchange.import_file import open_import
from personaagent.memory.statement_checks import STATEMENT_CHARS

MAX_TEXT_BYTES = 1_000_000
_MARK = re.compile(r"^(?:[-*+\u2022\u2013>]\s+|\d{1,3}[.)]\s+)+")
_DATE = re.compile(r"^\[(?P<day>\d{4}-\d{2}-\d{2})\][\s.:\u2013-]*")
_UNKNOWN_DATE = re.compile(r"^\[(?:unknown|no date|date unknown)\][\s.:\u2013-]*", re.IGNORECASE)
_NO_STATEMENT = re.compile(r"#{1,6}\s.*|\*\*[^*]+\*\*:?|[-*_=]{3,}|`{3}.*|~{3}.*|\W*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Notes:
    """Texts for statements, where they are from, and when each was written, if that is known."""

    source: str
    texts: list[str]
    written: dict[str, datetime]


def read_notes(path: Path, source: str | None = None) -> Notes:
    """The statements in the file, each line one; ``source`` None: what the file shows.

    Raises:
        Unreadable: the file has none, or is not text.
        DataError: the file cannot be read.
    """
    with open_import(path) as file:
        head = file.read(4096).removeprefix(BOM).lstrip()
        file.seek(0)
        if head.startswith((b"[{", b"[\n", b"[ ", b"{", b"[]")) and _looks_like_json(head):
            instructions = read_custom_instructions(file)
            lines = list(_lines(instructions.text, instructions.at))
            lines += _lines(instructions.wishes, instructions.at, "How the user wants answers: ")
            source = source or "chatgpt"
        else:
            lines = list(_lines(_decoded(file.read(MAX_TEXT_BYTES + 1), path)))
    if not lines:
        raise Unreadable(f"{path.name} holds no statement: there is nothing to import.")
    return Notes(
        source=source or "notes",
        texts=[text for text, _ in lines],
        written={text: at for text, at in lines if at is not None},
    )


def _looks_like_json(head: bytes) -> bool:
    return b'"' in head or head.strip() == b"[]"


def _decoded(content: bytes, path: Path) -> str:
    if len(content) > MAX_TEXT_BYTES:
        raise Unreadable(f"{path.name} is longer than {MAX_TEXT_BYTES:,} bytes: shorten it.")
    try:
        return content.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path.name} is not UTF-8 text: save it as that.") from error


def _lines(
    text: str, at: datetime | None = None, prefix: str = ""
) -> Iterator[tuple[str, datetime | None]]:
    """Each line of ``text`` that says something, without its list mark, and its date."""
    for raw in without_controls(text).splitlines():
        line, day = _dated(_MARK.sub("", raw.strip()))
        if not _NO_STATEMENT.fullmatch(line):
            for piece in _pieces(line.replace("**", ""), STATEMENT_CHARS - len(prefix)):
                yield prefix + piece, day or at


def _dated(line: str) -> tuple[str, datetime | None]:
    """The line without the date in brackets that it begins with, and the date."""
    line = _UNKNOWN_DATE.sub("", line)
    match = _DATE.match(line)
    if match is None:
        return line, None
    try:
        return line[match.end() :], datetime.fromisoformat(match["day"]).replace(tzinfo=UTC)
    except ValueError:
        return line, None


def _pieces(line: str, limit: int) -> Iterable[str]:
    """The line in pieces of at most ``limit`` characters, cut between sentences where possible."""
    line = " ".join(line.split())
    if len(line) <= limit:
        return [line]
    sentences = [part for each in _SENTENCE_END.split(line) for part in textwrap.wrap(each, limit)]
    pieces: list[str] = []
    for sentence in sentences:
        if pieces and len(pieces[-1]) + 1 + len(sentence) <= limit:
            pieces[-1] += f" {sentence}"
        else:
            pieces.append(sentence)
    return pieces
