"""What a module that reads the exports of one program must offer.

A module beside ``chatgpt.py`` and ``claude.py`` has one such object, and ``formats.py`` lists it.
Nothing else knows the program. Helpers: ``json_values`` (fields that may be missing or of another
type), ``moments`` (times in any form), ``message_tree`` (the path that was seen last).
"""

from collections.abc import Iterator
from typing import Protocol, TextIO

from personaagent.memory.exchange.json_values import Json
from personaagent.memory.exchange.messages import Conversation


class ChatFormat(Protocol):
    """Exports in JSON: a conversation is an element of a list, or the object that the file is."""

    @property
    def source(self) -> str:
        """The source of its episodes: ``chatgpt``."""
        ...

    @property
    def program(self) -> str:
        """The name that its users know: ``ChatGPT``."""
        ...

    def recognises(self, item: Json) -> bool:
        """Whether the object is one of this program, by its fields; it may be damaged."""
        ...

    def conversation(self, item: Json) -> Conversation:
        """What was said in it, as far as it can be read.

        A message that cannot be read becomes one with the speaker ``unknown``, or without text.

        Raises:
            ValueError: nothing of it can be read; the message says why, as in "it has no messages".
        """
        ...


class PageFormat(Protocol):
    """Exports as a page of HTML."""

    @property
    def source(self) -> str:
        """The source of its episodes."""
        ...

    @property
    def program(self) -> str:
        """The name that its users know."""
        ...

    def recognises(self, head: str) -> bool:
        """Whether a page that begins with these 64 Ki characters is one of this program."""
        ...

    def conversations(self, page: TextIO) -> Iterator[Conversation | str]:
        """Each conversation of the page, or why one cannot be read; one at a time, for pages may be
        long."""
        ...
