"""Replies in the shapes in which endpoints really send them, for a scripted endpoint."""

import json
from collections.abc import Iterable
from typing import Any

from tests.support.endpoint import Raw


def streamed(
    *deltas: dict[str, Any],
    finish: str | None = "stop",
    done: bool = True,
    usage: dict[str, int] | None = None,
) -> Raw:
    """A stream with one chunk for each of ``deltas``; ``done``: it ends with ``[DONE]``."""
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta} for delta in deltas]
    if finish is not None:
        choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    events = [{"id": "1", "model": "m", "choices": [choice]} for choice in choices]
    if usage:
        events.append({"id": "1", "model": "m", "choices": [], "usage": usage})
    return events_of([*map(json.dumps, events), *(["[DONE]"] if done else [])])


def events_of(data: Iterable[str]) -> Raw:
    """A stream with these events."""
    return Raw("".join(f"data: {each}\n\n" for each in data), "text/event-stream")


def whole(message: dict[str, Any], *, finish: str | None = "stop", **more: Any) -> Raw:
    """A reply in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return Raw(json.dumps({"id": "1", "model": "m", "choices": [choice], **more}))


def both(message: dict[str, Any], deltas: list[dict[str, Any]], **more: Any) -> dict[bool, Raw]:
    """The same reply, whole (``False``) and in a stream (``True``)."""
    return {False: whole(message, **more), True: streamed(*deltas, **more)}


def texts(*pieces: str) -> list[dict[str, str]]:
    """Deltas of text."""
    return [{"content": piece} for piece in pieces]
