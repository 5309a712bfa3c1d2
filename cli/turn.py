"""One turn of the agent on the terminal: the answer as it is written."""

import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack

from personaagent.cli.output import printable, waiting
from personaagent.core.answer import Answer
from personaagent.local.agent import Doing

DOING = {"search_wikipedia": "Searching Wikipedia …", "recall_episodes": "Looking into memory …"}


async def print_turn(events: AsyncIterator[str | Doing | Answer]) -> Answer:
    """Write the pieces of the answer to standard output as they come; returns the answer.

    What is being done meanwhile is told on standard error, on a terminal only.
    """
    written = False
    with ExitStack() as told:
        told.enter_context(waiting("Thinking …"))
        try:
            async for event in events:
                match event:
                    case str():
                        told.close()
                        _write(event)
                        written = True
                    case Doing(tools=[*_, tool]):
                        told.close()
                        written = _end_line(written)
                        told.enter_context(waiting(DOING.get(tool, "Working …")))
                    case Answer():
                        told.close()
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
