"""What the user types in a chat: on a terminal with history and several lines, else a line a turn."""

import asyncio
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
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            yield line.decode(errors="surrogateescape").rstrip("\r\n")
        return
    from prompt_toolkit.patch_stdout import patch_stdout

    session = _session(earlier)
    while True:
        try:
            with patch_stdout(raw=True):  # what is told meanwhile stands above the prompt
                text = await session.prompt_async("\n> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        yield text


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
