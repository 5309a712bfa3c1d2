"""What happens in a turn, as its caller sees it."""

from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from personaagent.core.answer import Answer
from personaagent.models.reply_reader import REASONING, TAKEN_BACK


@dataclass(frozen=True)
class NodeFinished:
    """A node of the graph has finished; ``tools`` are the tools that it asked for."""

    node: str
    tools: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TakenBack:
    """The pieces since the last node has finished are no part of the answer, which begins again.

    Either the model's answer broke off and was asked for again (``broke_off``), or the pieces turned
    out to be its reasoning.
    """

    broke_off: bool


@dataclass(frozen=True)
class Reasoning:
    """A piece of the model's reasoning; only where it was asked for."""

    text: str


TurnEvent = str | Reasoning | TakenBack | NodeFinished | Answer
"""A piece of the answer or of reasoning, pieces taken back, a node that has finished, or, last, the
whole answer."""


class TurnEvents:
    """Reads the events out of what the graph streams (modes ``messages``, ``updates``, ``values``)."""

    def __init__(self) -> None:
        self.reasoning = ""
        self._message: str | None = None
        self._is_shown = False

    def read(self, mode: str, chunk: Any) -> list[TurnEvent]:
        """The events in one thing that the graph has streamed."""
        match mode, chunk:
            case "updates", dict():
                self._is_shown = False
                return [_node_finished(node, update) for node, update in chunk.items()]
            case "messages", (AIMessage() as message, _):
                return self._message_events(message)
            case _:
                return []

    def _message_events(self, message: AIMessage) -> list[TurnEvent]:
        events: list[TurnEvent] = []
        if self._is_shown and message.id != self._message:
            events.append(TakenBack(broke_off=True))
            self._is_shown = False
        self._message = message.id
        if not isinstance(message, AIMessageChunk):
            return events
        if self._is_shown and TAKEN_BACK in message.additional_kwargs:
            events.append(TakenBack(broke_off=False))
        if reasoning := message.additional_kwargs.get(REASONING):
            self.reasoning += reasoning
            events.append(Reasoning(reasoning))
        if message.text:
            self._is_shown = True
            events.append(message.text)
        return events


def _node_finished(node: str, update: dict[str, Any] | None) -> NodeFinished:
    messages = (update or {}).get("messages", [])
    return NodeFinished(node, [c["name"] for m in messages for c in getattr(m, "tool_calls", [])])
