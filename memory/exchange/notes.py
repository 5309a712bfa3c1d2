"""What a user told another assistant about themselves, read as statements for the profile.

These files have it: a list in plain text or Markdown, as pasted from the memory of ChatGPT or Claude;
a ChatGPT export, whose hidden messages hold custom instructions and memory; a Claude export, with its
memory and the instructions of projects. An export may be the zip archive, or a file of it.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from personaagent.core.errors import Unreadable
from personaagent.core.text import without_controls
from personaagent.memory.exchange.claude_notes import claude_notes
from personaagent.memory.exchange.custom_instructions import CustomInstructions, Note
from personaagent.memory.exchange.export_zip import MARKS, json_members, opened_zip
from personaagent.memory.exchange.foreign import BOM, skip_bom
from personaagent.memory.exchange.import_file import open_import
from personaagent.memory.exchange.json_pieces import Broken, read_values
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
        is_zip = head.startswith(MARKS)
        if is_zip or (
            head.startswith((b"[{", b"[\n", b"[ ", b"{", b"[]")) and _looks_like_json(head)
        ):
            found, notes = _notes_of_archive(file) if is_zip else _notes_of_json([file])
            lines = [line for note in notes for line in _lines(note.text, note.at, note.prefix)]
            source = source or found
        else:
            lines = list(_lines(_decoded(file.read(MAX_TEXT_BYTES + 1), path)))
    if not lines:
        raise Unreadable(f"{path.name} holds no statement: there is nothing to import.")
    return Notes(
        source=source or "notes",
        texts=[text for text, _ in lines],
        written={text: at for text, at in lines if at is not None},
    )


def _notes_of_archive(file: BinaryIO) -> tuple[str, list[Note]]:
    with opened_zip(file) as archive:
        return _notes_of_json(json_members(archive), strict=False)


def _notes_of_json(files: Iterable[BinaryIO], *, strict: bool = True) -> tuple[str, list[Note]]:
    """The source, and the notes of all files; one that is no JSON has none, unless ``strict``.

    Raises:
        Unreadable: ``strict``, and a file is not JSON.
    """
    instructions, others = CustomInstructions(), list[Note]()
    for file in files:
        for item in _items(file):
            if strict and isinstance(item, Broken):
                raise Unreadable("The file is not valid JSON, or cut off.")
            if isinstance(item, dict):
                instructions.read(item)
                others += [note for note in claude_notes(item) if note.text.strip()]
    return "claude" if others else "chatgpt", [*instructions.notes(), *others]


def _items(file: BinaryIO) -> Iterator[Any]:
    """The values of the file, one at a time: of a list, or the one that it is."""
    skip_bom(file)
    start = file.read(1024).lstrip()[:1]
    skip_bom(file)
    return read_values(file, in_list=start == b"[")


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
