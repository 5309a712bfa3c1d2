"""Messages for chat templates that know only system, user and assistant, who take turns."""

import json
from collections.abc import Sequence

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    merge_message_runs,
)

from personaagent.prompts import fence, render


def plain(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The same conversation with tool calls and their results told in words."""
    return merge_message_runs([_told(message) for message in messages], chunk_separator="\n\n")


def used_this_turn(messages: Sequence[BaseMessage]) -> set[str]:
    """Names of the tools that were called since the user last spoke."""
    used: set[str] = set()
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, AIMessage):
            used.update(call["name"] for call in message.tool_calls)
    return used


def _told(message: BaseMessage) -> BaseMessage:
    match message:
        case AIMessage() if message.tool_calls:
            calls = (
                f"I use {call['name']} with {json.dumps(call['args'], ensure_ascii=False)}."
                for call in message.tool_calls
            )
            return AIMessage("\n".join(filter(None, [message.text, *calls])))
        case ToolMessage():
            result = fence("result", message.text, tool=message.name or "")
            return HumanMessage(render("tool_result", result=result))
        case _:
            return message
