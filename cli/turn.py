"""One turn of the agent on the terminal: the answer as it is written."""

import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack

from personaagent.cli.output import printable, waiting
from personaagent.core.answer import Answer
from personaagent.local.turn import NodeFinished, TurnEvent

WAITING_FOR = {
    "search_wikipedia": "Searching Wikipedia …",
    "recall_episodes": "Looking into memory …",
}


async def print_turn(events: AsyncIterator[TurnEvent]) -> Answer:
    """Write the pieces of the answer to standard output as they come; returns the answer.

    On a terminal, a spinner on standard error shows what the agent does meanwhile.
    """
    written = False
    with ExitStack() as spinner:
        spinner.enter_context(waiting("Thinking …"))
        try:
            async for event in events:
                match event:
                    case str():
                        spinner.close()
                        _write(event)
                        written = True
                    case NodeFinished(tools=[*_, tool]):
                        spinner.close()
                        written = _end_line(written)
                        spinner.enter_context(waiting(WAITING_FOR.get(tool, "Working …")))
                    case Answer():
                        spinner.close()
                        if not written:
                            _write(event.reply)
                        written = True
                        return event
        finally:
            _end_line(written)
    raise AssertionError("a turn ends with its answer")


def _end_line(written: bool) -> bool:
    """End the line, if one was begun; returns that none is begun now."""
    if written:
        _write("\n")
    return False


def _write(text: str) -> None:
    sys.stdout.write(printable(text))
    sys.stdout.flush()
