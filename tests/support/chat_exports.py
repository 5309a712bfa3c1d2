"""Small conversations in the formats of ChatGPT's and Claude's exports."""

import io
import json
from datetime import datetime
from typing import Any

from personaagent.memory.exchange.import_file import parse
from personaagent.memory.exchange.parse_results import LeftOut, ParsedEpisode, ParseProblem


def chatgpt_message(role: str, *parts: Any, at: float | None = None, **more: Any) -> dict[str, Any]:
    content = {"content_type": "text", "parts": list(parts)}
    return {"author": {"role": role}, "content": content, "create_time": at} | more


def chatgpt(
    conversation_id: str, *messages: dict[str, Any], aside: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A conversation with the path ``messages``; ``aside`` branches off after the first of them."""
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None}}
    parent = "root"
    for number, message in enumerate(messages):
        node = f"{conversation_id}-m{number}"
        mapping[node] = {"id": node, "message": {"id": node} | message, "parent": parent}
        parent = node
    if aside is not None:
        first = f"{conversation_id}-m0"
        mapping["aside"] = {"id": "aside", "message": {"id": "aside"} | aside, "parent": first}
    return {
        "title": "A title",
        "conversation_id": conversation_id,
        "create_time": 1_700_000_000.0,
        "mapping": mapping,
        "current_node": parent,
    }


def claude(conversation_id: str, *messages: tuple[str, str]) -> dict[str, Any]:
    """A conversation of (sender, text) messages, a minute apart."""
    return {
        "uuid": conversation_id,
        "name": "A name",
        "created_at": "2025-03-01T10:00:00.000000Z",
        "account": {"uuid": "account"},
        "chat_messages": [
            {
                "uuid": f"{conversation_id}-m{number}",
                "text": text,
                "content": [{"type": "text", "text": text}],
                "sender": sender,
                "created_at": f"2025-03-01T10:{number:02d}:00.000000Z",
                "attachments": [],
                "files": [],
            }
            for number, (sender, text) in enumerate(messages)
        ],
    }


def parsed(content: Any) -> tuple[dict[str, str], list[str]]:
    """What a file of this content (JSON, or bytes) holds: each query with its answer, and all that is
    left out of it."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    items = [*parse(io.BytesIO(data), "u")]
    assert not any(isinstance(each, ParseProblem) for each in items), items
    episodes = [each.episode for each in items if isinstance(each, ParsedEpisode)]
    left_out = [str(each) for each in items if isinstance(each, LeftOut)]
    return {each.query: each.response for each in episodes}, left_out


def times(content: Any) -> list[datetime]:
    """When each episode of the file was written."""
    items = parse(io.BytesIO(json.dumps(content).encode()), "u")
    return [each.episode.created_at for each in items if isinstance(each, ParsedEpisode)]
