"""The result of one turn."""

from typing import Any

from pydantic import Field

from personaagent.core.decision import Decision
from personaagent.core.records import Record


class ToolUse(Record):
    """One tool call of a turn, as the result shows it."""

    name: str
    args: dict[str, Any]


class Answer(Record):
    """The result of one turn. ``episode_id`` is None for an incognito turn.

    ``decision`` says how a closed question was decided, and how sure: None for any other.
    ``reasoning`` is what the model wrote before it answered, where it was asked for.
    """

    reply: str
    user_id: str
    thread_id: str
    episode_id: str | None
    persona_version: int
    recalled: list[str]
    tool_calls: list[ToolUse]
    usage: dict[str, Any]
    seconds: float
    warnings: list[str]
    decision: Decision | None = None
    reasoning: str | None = Field(default=None, exclude_if=lambda reasoning: reasoning is None)
