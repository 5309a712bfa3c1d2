"""An answer on the terminal, printed while the model writes it; in a pipe, printed when it is whole."""

from collections.abc import AsyncIterator
from contextlib import ExitStack

from personaagent.cli.answer_text import open_answer
from personaagent.cli.keyboard import typed_ahead
from personaagent.cli.output import console, print_notice, printable, spinner
from personaagent.core.answer import Answer
from personaagent.local.turn_events import NodeFinished, Reasoning, TakenBack, TurnEvent

TOOL_MESSAGES = {
    "search_wikipedia": "Searching Wikipedia …",
    "recall_episodes": "Looking into memory …",
}
THINKING = "Thinking …"
BROKE_OFF = "[The answer broke off; it is asked for again.]"
WAS_REASONING = "[So far the model was thinking; its answer:]"


async def print_answer(events: AsyncIterator[TurnEvent]) -> Answer:
    """Write the answer to standard output; return it.

    On a terminal its pieces appear as they arrive, a spinner on standard error shows what the agent
    does until then, and a line marks pieces that turn out to be no part of the answer. Elsewhere
    nothing could be marked or taken back, so the answer is written at once, when it is certain.
    Reasoning, where it was asked for, goes to standard error.
    """
    shown = _Shown()
    with typed_ahead(), ExitStack() as status:
        status.enter_context(spinner(THINKING))
        try:
            async for event in events:
                if shown.is_silent(event):
                    continue
                status.close()
                if isinstance(event, Answer):
                    shown.finish(event)
                    return event
                if waiting_for := shown.show(event):
                    status.enter_context(spinner(waiting_for))
        finally:
            status.close()
            shown.end_line()
    raise AssertionError("a turn ends with its answer")


def is_live() -> bool:
    """Whether somebody sees the answer while it is written."""
    return console().is_terminal


class _Shown:
    """What of a turn stands on the terminal."""

    def __init__(self) -> None:
        self._live = is_live()
        self._text = open_answer()
        self._answering = self._reasoning = False

    def is_silent(self, event: TurnEvent) -> bool:
        """Whether nothing shows ``event``."""
        if isinstance(event, str | TakenBack):
            return not self._live
        return isinstance(event, NodeFinished) and not event.tools

    def show(self, event: TurnEvent) -> str | None:
        """Show ``event``; return what to say while the next is awaited."""
        match event:
            case str():
                self._write(event)
                return None
            case Reasoning():
                self._reason(event.text)
                return None
            case TakenBack():
                self.end_line()
                print_notice(BROKE_OFF if event.broke_off else WAS_REASONING)
                return THINKING
            case NodeFinished(tools=[*_, tool]):
                self.end_line()
                return TOOL_MESSAGES.get(tool, "Working …")
            case _:
                return None

    def finish(self, answer: Answer) -> None:
        """Show the answer where its pieces do not stand there yet."""
        if not self._answering:
            self._write(answer.reply)
        self.end_line()

    def end_line(self) -> None:
        """End the line that is open, if any."""
        if self._answering:
            self._text.end()
        if self._reasoning:
            console(stderr=True).print()
        self._answering = self._reasoning = False

    def _write(self, text: str) -> None:
        if self._reasoning:
            self.end_line()
        self._text.write(text)
        self._answering = True

    def _reason(self, text: str) -> None:
        if self._answering:
            self.end_line()
        console(stderr=True).print(printable(text), style="dim", end="", soft_wrap=True)
        self._reasoning = True
