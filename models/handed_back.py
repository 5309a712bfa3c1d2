"""What some endpoints want back with a tool call in the same turn, kept in this process alone.

Gemini demands the signature of the thought that led to the call (``extra_content``; through
OpenRouter in ``reasoning_details``); DeepSeek and Kimi may demand the reasoning itself.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from personaagent.models.reply_reader import ReplyReader

MOST = 500
"""Calls that are kept, the newest."""

REASONING_CONTENT = "reasoning_content"

Kept = dict[str, Any]
_kept: OrderedDict[tuple[str, ...], Kept] = OrderedDict()


def keep(model: tuple[str, str], messages: Sequence[BaseMessage], reader: ReplyReader) -> None:
    """Keep what came with the tool calls of the reply to ``messages``, once it has ended."""
    signed = [each for each in reader.details if each.get("type") == "reasoning.encrypted"]
    for call_id in reader.calls.ids:
        found = {
            "extra_content": reader.calls.extras.get(call_id),
            "reasoning_details": signed,
            REASONING_CONTENT: reader.reasoning,
        }
        if any(found.values()):
            _kept[_key(model, messages, call_id)] = found
    while len(_kept) > MOST:
        _kept.popitem(last=False)


def hand_back(
    model: tuple[str, str],
    messages: Sequence[BaseMessage],
    payload: dict[str, Any],
    *,
    reasoning: bool,
) -> dict[str, Any]:
    """``payload``, made of ``messages``, with what came with the tool calls of this turn.

    Args:
        reasoning: hand back the reasoning too.
    """
    start = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=0)
    sent = list(payload["messages"])
    for index, message in enumerate(messages[start:], start):
        if index < len(sent) and isinstance(message, AIMessage) and message.tool_calls:
            kept = [_kept.get(_key(model, messages, c["id"]), {}) for c in message.tool_calls]
            sent[index] = _with(sent[index], kept, reasoning)
    return payload | {"messages": sent}


def _with(message: dict[str, Any], kept: Sequence[Kept], reasoning: bool) -> dict[str, Any]:
    calls = [
        call | ({"extra_content": each["extra_content"]} if each.get("extra_content") else {})
        for call, each in zip(message.get("tool_calls", []), kept, strict=False)
    ]
    first = kept[0]
    more = {"tool_calls": calls} if calls else {}
    if first.get("reasoning_details"):
        more["reasoning_details"] = first["reasoning_details"]
    if reasoning:
        more[REASONING_CONTENT] = first.get(REASONING_CONTENT, "")
    return message | more


def _key(
    model: tuple[str, str], messages: Sequence[BaseMessage], call_id: str | None
) -> tuple[str, ...]:
    """A call of one turn: ids alone are used again, also for other users."""
    system = [m.text for m in messages if isinstance(m, SystemMessage)]
    asked = [m.text for m in messages if isinstance(m, HumanMessage)]
    turn = hashlib.sha256("\0".join([*system, *asked]).encode(errors="replace")).hexdigest()
    return (*model, turn, call_id or "")
