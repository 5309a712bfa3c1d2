"""The scripted models of alignment over real HTTP, and a user's walks as a file to import."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from langchain_core.messages import convert_to_messages

from personaagent.core.records import Episode
from tests.support.alignment import Scripted
from tests.support.endpoint import Reply, Request, Responder
from tests.support.scripted_model import Prompt

ROLES = {"Critique": "critic", "Proposals": "editor"}


def over_http(scripted: Scripted) -> Responder:
    """The same models for a scripted endpoint."""

    def responder(body: dict[str, Any]) -> Reply:
        reply = scripted(Prompt(convert_to_messages(body["messages"]), [], body))
        assert isinstance(reply, str)
        return reply

    return responder


def role_of(body: dict[str, Any]) -> str:
    """Who is asked: actor, critic or editor."""
    form = body.get("response_format", {}).get("json_schema", {}).get("name")
    return ROLES.get(form, "actor")


def chats(requests: Iterable[Request]) -> list[str]:
    """The messages of each request to a chat model, as text."""
    paths = [each for each in requests if each.path.endswith("/chat/completions")]
    return [json.dumps(each.body["messages"]) for each in paths]


def write_episodes(file: Path, episodes: Iterable[Episode]) -> Path:
    """``file`` with the episodes, as ``memory import`` reads them."""
    lines = [each.model_dump_json(exclude={"user_id"}) for each in episodes]
    file.write_text("\n".join(lines))
    return file
