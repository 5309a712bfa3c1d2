"""What the user types in a chat: off a terminal, each line of standard input is a message."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from personaagent.cli.streams import decoded

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyPressEvent

KEYS_HELP = (
    "Enter sends. Esc and then Enter, or \\ at the end of a line, starts a new line. Tab completes a "
    "command."
)


def interactive() -> bool:
    """Whether a user sits at a terminal, not a pipe or a file."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def read_messages(earlier: Sequence[str], commands: Mapping[str, str]) -> AsyncIterator[str]:
    """Yield each message that the user types, until Ctrl-D or the end of standard input.

    Args:
        earlier: the messages that the arrow keys bring back, oldest first.
        commands: those that are completed behind a slash, with their help.
    """
    if not interactive():
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            yield decoded(line).rstrip("\r\n")
        return
    from prompt_toolkit.patch_stdout import patch_stdout

    session = _prompt_session(earlier, commands)
    while True:
        try:
            with patch_stdout(raw=True):  # notices of the background appear above the prompt
                text = await session.prompt_async("\n> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        yield text


def _prompt_session(earlier: Sequence[str], commands: Mapping[str, str]) -> "PromptSession[str]":
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings

    from personaagent.cli.chat_completion import SlashCompleter

    keys = KeyBindings()
    keys.add("enter")(_send)
    for enter in ("enter", "c-j"):  # keys typed before the prompt was ready arrive as c-j
        keys.add("escape", enter)(lambda event: event.current_buffer.insert_text("\n"))
    return PromptSession(
        multiline=True,
        key_bindings=keys,
        prompt_continuation="  ",
        history=InMemoryHistory(earlier),
        completer=SlashCompleter(commands),
        # Else eight lines under every prompt would be kept free for the menu.
        complete_while_typing=Condition(lambda: get_app().current_buffer.text.startswith("/")),
    )


def _send(event: "KeyPressEvent") -> None:
    buffer = event.current_buffer
    if buffer.document.text_before_cursor.endswith("\\"):
        buffer.delete_before_cursor()
        buffer.insert_text("\n")
    else:
        buffer.validate_and_handle()
