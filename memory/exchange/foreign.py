"""A file that another program exported: JSON, or a page of HTML."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from personaagent.memory.exchange.chat_format import PageFormat
from personaagent.memory.exchange.chats import conversation_episodes, read_chats
from personaagent.memory.exchange.formats import PAGES
from personaagent.memory.exchange.json_layout import place_of_conversations
from personaagent.memory.exchange.parse_results import LeftOut, ParsedEpisode

BOM = b"\xef\xbb\xbf"
HEAD_BYTES = 1 << 16
Item = ParsedEpisode | LeftOut


def read_export(file: BinaryIO, user_id: str, within: str = "") -> Iterator[Item] | None:
    """The episodes of the file and what is left out of it; None if no other program exported it.

    ``within`` begins the name of each place.
    """
    skip_bom(file)
    place = place_of_conversations(file)
    if place is not None:
        return read_chats(place.values(file), user_id, within)
    page = _page_format(file)
    return None if page is None else _read_page(file, page, user_id, within)


def is_export(file: BinaryIO) -> bool:
    """Whether it holds at least one conversation of a program that we know."""
    skip_bom(file)
    place = place_of_conversations(file)
    return place.holds_conversations(file) if place is not None else bool(_page_format(file))


def skip_bom(file: BinaryIO) -> None:
    """Go to where the text of the file begins."""
    file.seek(0)
    has_bom = file.read(len(BOM)) == BOM
    file.seek(len(BOM) if has_bom else 0)


def _page_format(file: BinaryIO) -> PageFormat | None:
    start = file.tell()
    head = file.read(HEAD_BYTES).decode(errors="replace")
    file.seek(start)
    is_page = head.lstrip().startswith("<")
    return next((each for each in PAGES if is_page and each.recognises(head)), None)


def _read_page(file: BinaryIO, page: PageFormat, user_id: str, within: str) -> Iterator[Item]:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace")
    try:
        for number, each in enumerate(page.conversations(text), 1):
            where = f"{within}conversation {number}"
            if isinstance(each, str):
                yield LeftOut(where, each)
            else:
                yield from conversation_episodes(each, where, user_id)
    finally:
        text.detach()  # the file is the caller's to close
