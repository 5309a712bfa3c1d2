"""An answer on the terminal, printed while the model writes it."""

import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack

from personaagent.cli.output import printable, spinner
from personaagent.core.answer import Answer
from personaagent.local.turn import NodeFinished, TurnEvent

TOOL_MESSAGES = {
    "search_wikipedia": "Searching Wikipedia …",
    "recall_episodes": "Looking into memory …",
}


async def print_answer(events: AsyncIterator[TurnEvent]) -> Answer:
    """Write the pieces of the answer to standard output as they arrive; return the answer.

    On a terminal, a spinner on standard error shows what the agent does until then.
    """
    line_open = False
    with ExitStack() as status:
        status.enter_context(spinner("Thinking …"))
        try:
            async for event in events:
                match event:
                    case str():
                        status.close()
                        _write(event)
                        line_open = True
                    case NodeFinished(tools=[*_, tool]):
                        status.close()
                        _end_line(line_open)
                        line_open = False
                        status.enter_context(spinner(TOOL_MESSAGES.get(tool, "Working …")))
                    case Answer():
                        status.close()
                        if not line_open:
                            _write(event.reply)
                        line_open = True
                        return event
        finally:
            _end_line(line_open)
    raise AssertionError("a turn ends with its answer")


def _end_line(line_open: bool) -> None:
    if line_open:
        _write("\n")


def _write(text: str) -> None:
    sys.stdout.write(printable(text))
    sys.stdout.flush()
