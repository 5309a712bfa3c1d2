"""Messages for chat templates that know only system, user and assistant, who take turns."""

from collections.abc import Sequence

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    merge_message_runs,
)

from personaagent.prompts.fence import fence
from personaagent.prompts.render import render


def flatten_tool_messages(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The same conversation without tool calls: a tool's result follows the user's question.

    The calls themselves are left out: a small model that sees them in words repeats them in place
    of an answer.
    """
    flat = [_flattened(message) for message in messages if not _only_calls(message)]
    return merge_message_runs(flat, chunk_separator="\n\n")


def used_this_turn(messages: Sequence[BaseMessage]) -> set[str]:
    """Names of the tools that were called since the user's last message."""
    used: set[str] = set()
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, AIMessage):
            used.update(call["name"] for call in message.tool_calls)
    return used


def _only_calls(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and bool(message.tool_calls) and not message.text


def _flattened(message: BaseMessage) -> BaseMessage:
    match message:
        case AIMessage() if message.tool_calls:
            return AIMessage(message.text)
        case ToolMessage():
            result = fence("result", message.text, tool=message.name or "")
            return HumanMessage(render("tool_result", result=result))
        case _:
            return message
