"""An answer on the terminal, printed while the model writes it."""

from collections.abc import AsyncIterator
from contextlib import ExitStack

from personaagent.cli.answer_text import open_answer
from personaagent.cli.keyboard import typed_ahead
from personaagent.cli.output import spinner
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
    text = open_answer()
    shown = False
    with typed_ahead(), ExitStack() as status:
        status.enter_context(spinner("Thinking …"))
        try:
            async for event in events:
                match event:
                    case str():
                        status.close()
                        text.write(event)
                        shown = True
                    case NodeFinished(tools=[*_, tool]):
                        status.close()
                        text.end()
                        shown = False
                        status.enter_context(spinner(TOOL_MESSAGES.get(tool, "Working …")))
                    case Answer():
                        status.close()
                        if not shown:
                            text.write(event.reply)
                        return event
        finally:
            status.close()
            text.end()
    raise AssertionError("a turn ends with its answer")
