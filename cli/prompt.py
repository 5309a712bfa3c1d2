"""What the user types in a chat: on a terminal with history and several lines, else a line a turn."""

import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyPressEvent

MANY_LINES = "Enter sends; Esc then Enter, or \\ at the end of a line, begins another line."


def interactive() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def messages(earlier: Sequence[str]) -> AsyncIterator[str]:
    """Each message as it is typed, until Ctrl-D or the end of standard input.

    ``earlier`` are those that the arrow keys go back to, oldest first.
    """
    if not interactive():
        for line in sys.stdin.buffer:
            yield line.decode(errors="surrogateescape").rstrip("\r\n")
        return
    session = _session(earlier)
    while True:
        try:
            yield await session.prompt_async("\n> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _session(earlier: Sequence[str]) -> "PromptSession[str]":
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()
    keys.add("enter")(_send)
    for enter in ("enter", "c-j"):  # what was typed before the prompt stood comes as the latter
        keys.add("escape", enter)(lambda event: event.current_buffer.insert_text("\n"))
    return PromptSession(
        multiline=True,
        key_bindings=keys,
        prompt_continuation="  ",
        history=InMemoryHistory(earlier),
    )


def _send(event: "KeyPressEvent") -> None:
    buffer = event.current_buffer
    if buffer.document.text_before_cursor.endswith("\\"):
        buffer.delete_before_cursor()
        buffer.insert_text("\n")
    else:
        buffer.validate_and_handle()
