"""Completes a command in a chat while it is typed."""

from collections.abc import Iterator, Mapping

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

TAKES_FILE = "/export "


class SlashCompleter(Completer):
    """Offers the commands that begin with what stands behind the slash, and files for ``/export``.

    Args:
        commands: each name without its slash, with its line of help.
    """

    def __init__(self, commands: Mapping[str, str]) -> None:
        self._commands = commands
        self._files = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """What fits, as long as the cursor is at the end."""
        typed = document.text_before_cursor
        if not typed.startswith("/") or document.text_after_cursor:
            return
        if typed.startswith(TAKES_FILE):
            path = Document(typed.removeprefix(TAKES_FILE))
            yield from self._files.get_completions(path, complete_event)
        for name, help in self._commands.items():
            if name.startswith(typed[1:]) and name != typed[1:]:
                yield Completion(
                    name, start_position=1 - len(typed), display=f"/{name}", display_meta=help
                )
