"""The state of a chat, which the chat and its commands share."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from personaagent.core.answer import Answer

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


@dataclass
class ChatSession:
    """One conversation of a user with the agent.

    ``remembered`` has the ids of the episodes of this chat, oldest first.
    ``known_version`` is the version of the persona that the user knows of; None before the first
    turn. ``ended`` is set when the user leaves. ``reasoning``: whether the model's is shown.
    """

    agent: "LocalAgent"
    user: str
    thread: str
    incognito: bool = False
    last_answer: Answer | None = None
    remembered: list[str] = field(default_factory=list)
    known_version: int | None = None
    ended: bool = False
    reasoning: bool = False
