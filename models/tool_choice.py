"""One choice between tools, as grammar-forced JSON: its prompt, its grammar and its parser."""

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCallChunk,
)

from personaagent.core.text import shorten
from personaagent.models.json_text import objects_in
from personaagent.models.stable_prefix import with_mark
from personaagent.models.tool_call_parts import new_call_id
from personaagent.models.tool_choice_examples import EXAMPLES
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

ANSWER = "answer"

RECALLED = "recalled"
"""Key in the ``additional_kwargs`` of a system message: texts of memories in it, nearest first."""

TOLD = "told"
"""Key beside it: whether these memories tell what is asked. Then no tool that looks something up has
to be chosen."""

LOOK_UPS = frozenset({"search_wikipedia", "recall_episodes"})
"""The tools that look something up. Others may do more than answer."""

RECALLED_MEMORIES = 3
RECALLED_CHARS = 160
"""A choice sees so many of the memories in the system prompt, each cut to so many characters."""

LATEST_MESSAGES = 3
LATEST_CHARS = 600
"""A choice sees the last messages of the conversation, each cut to so many characters."""

MAX_LENGTH = 120
"""Characters of a string argument. Without a bound, a small model writes on to its token limit."""


def choice_prompt(
    messages: list[BaseMessage], tools: Sequence[dict[str, Any]]
) -> list[BaseMessage]:
    """The prompt of the choice, for a conversation without tool messages.

    The memories that stand nearest to the question come before it, so that nothing is looked up
    that they say. They follow the examples, so that an endpoint's prefix cache holds all before
    (``with_mark``); for the same reason ``tools`` are all, also those that the grammar no longer offers.
    """
    *before, last = [
        SystemMessage(render("choose_tool", actions="\n".join(map(_line, tools)))),
        *_examples({tool["name"] for tool in tools}),
    ]
    return [
        *before,
        with_mark(last, len(last.text)),
        *_with_memories(_latest(messages), _recalled(messages)),
    ]


def needs_no_choice(messages: Sequence[BaseMessage], offered: Sequence[dict[str, Any]]) -> bool:
    """Whether a memory in the prompt has the answer (``TOLD``), and the ``offered`` tools only look things
    up."""
    return all(tool["name"] in LOOK_UPS for tool in offered) and any(
        isinstance(message, SystemMessage) and message.additional_kwargs.get(TOLD)
        for message in messages
    )


def choice_format(offered: list[dict[str, Any]]) -> dict[str, Any]:
    """Name and schema of one choice: a tool with its required arguments, or to answer."""
    choices = [
        _object({"action": {"const": tool["name"]}} | _arguments(tool["parameters"]))
        for tool in offered
    ]
    choices.append(_object({"action": {"const": ANSWER}}))
    return {"name": "choice", "schema": {"anyOf": choices}}


def parse_choice(reply: str, offered: list[dict[str, Any]]) -> ToolCallChunk | None:
    """The tool call that ``reply`` chooses; None for an answer, and for a tool that was not offered."""
    names = {tool["name"] for tool in offered}
    chosen = next((found for found in objects_in(reply) if found.get("action") in names), None)
    if chosen is None:
        return None
    name = chosen.pop("action")
    inner = chosen.get("arguments")  # as models write it that no grammar holds
    return ToolCallChunk(
        type="tool_call_chunk",
        name=name,
        args=json.dumps(inner if isinstance(inner, dict) else chosen),
        id=new_call_id(),
        index=0,
    )


def _line(tool: dict[str, Any]) -> str:
    """How the prompt shows a tool: its name and what it is for."""
    return f"- {tool['name']}: {' '.join(tool.get('description', '').split())}"


def _examples(offered: set[str]) -> list[BaseMessage]:
    """Earlier choices, as turns of the conversation."""
    return [
        turn
        for example in EXAMPLES
        if example.action in offered or example.action == ANSWER
        for turn in (
            *_with_memories([HumanMessage(example.message)], example.recalled),
            AIMessage(json.dumps({"action": example.action} | example.arguments)),
        )
    ]


def _recalled(messages: list[BaseMessage]) -> list[str]:
    """The memories that a system message tells of, each on one line."""
    texts = [
        text
        for message in messages
        if isinstance(message, SystemMessage)
        for text in message.additional_kwargs.get(RECALLED, [])
    ]
    return [shorten(" ".join(text.split()), RECALLED_CHARS) for text in texts[:RECALLED_MEMORIES]]


def _with_memories(turns: list[BaseMessage], recalled: Sequence[str]) -> list[BaseMessage]:
    """``turns``, the last of them after what was recalled."""
    if not recalled or not turns:
        return turns
    *before, last = turns
    memories = fence("memories", "\n".join(f"- {text}" for text in recalled))
    return [*before, last.model_copy(update={"content": f"{memories}\n{last.text}"})]


def _latest(messages: list[BaseMessage]) -> list[BaseMessage]:
    turns = [message for message in messages if not isinstance(message, SystemMessage)]
    return [
        message.model_copy(update={"content": shorten(message.text, LATEST_CHARS)})
        for message in turns[-LATEST_MESSAGES:]
    ]


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """The required arguments; the rest keep their defaults."""
    return {
        name: _bounded(schema)
        for name, schema in parameters.get("properties", {}).items()
        if name in parameters.get("required", [])
    }


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") != "string":
        return schema
    return schema | {"maxLength": min(schema.get("maxLength", MAX_LENGTH), MAX_LENGTH)}
