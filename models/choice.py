"""One choice between tools, as grammar-forced JSON: its prompt, its grammar, its reading."""

import json
from typing import Any
from uuid import uuid4

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCallChunk,
)

from personaagent.core.text import shorten
from personaagent.models.choice_examples import SHOWN
from personaagent.prompts.render import render

ANSWER = "answer"

LATEST_MESSAGES = 3
LATEST_CHARS = 600
"""What a choice sees of the conversation: its last messages, each so far."""

MAX_LENGTH = 120
"""Characters of a string argument; unbounded, a small model writes on to its token limit."""


def question(told: list[BaseMessage], offered: list[dict[str, Any]]) -> list[BaseMessage]:
    """The choice's own prompt, for a conversation told in plain messages."""
    return [
        SystemMessage(render("choose_tool", actions="\n".join(map(_line, offered)))),
        *_examples({tool["name"] for tool in offered}),
        *_latest(told),
    ]


def grammar(offered: list[dict[str, Any]]) -> dict[str, Any]:
    """``response_format`` of one choice: a tool with its required arguments, or to answer."""
    choices = [
        _object({"action": {"const": tool["name"]}} | _arguments(tool["parameters"]))
        for tool in offered
    ]
    choices.append(_object({"action": {"const": ANSWER}}))
    return {
        "type": "json_schema",
        "json_schema": {"name": "choice", "schema": {"anyOf": choices}},
    }


def read_choice(choice: str, offered: list[dict[str, Any]]) -> ToolCallChunk | None:
    """The call that ``choice`` makes; None for an answer, and for what was not offered."""
    try:
        arguments = json.loads(choice)
        name = arguments.pop("action")
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
    if name not in {tool["name"] for tool in offered}:
        return None
    return ToolCallChunk(
        type="tool_call_chunk",
        name=name,
        args=json.dumps(arguments),
        id=f"call_{uuid4().hex}",
        index=0,
    )


def _line(tool: dict[str, Any]) -> str:
    """How the question shows a tool: its name and what it is for."""
    return f"- {tool['name']}: {' '.join(tool.get('description', '').split())}"


def _examples(offered: set[str]) -> list[BaseMessage]:
    """Earlier choices, as turns of the conversation."""
    return [
        turn
        for message, action, arguments in SHOWN
        if action in offered or action == ANSWER
        for turn in (HumanMessage(message), AIMessage(json.dumps({"action": action} | arguments)))
    ]


def _latest(told: list[BaseMessage]) -> list[BaseMessage]:
    talk = [message for message in told if not isinstance(message, SystemMessage)]
    return [
        message.model_copy(update={"content": shorten(message.text, LATEST_CHARS)})
        for message in talk[-LATEST_MESSAGES:]
    ]


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """Those a call cannot do without; the rest keep their defaults."""
    return {
        name: _bounded(schema)
        for name, schema in parameters.get("properties", {}).items()
        if name in parameters.get("required", [])
    }


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") != "string":
        return schema
    return schema | {"maxLength": min(schema.get("maxLength", MAX_LENGTH), MAX_LENGTH)}
