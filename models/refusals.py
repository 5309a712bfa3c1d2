"""What an endpoint refuses of a request, by its own words, and the request without it.

Each endpoint takes another part of OpenAI's parameters: a reasoning model refuses ``temperature``, an
older gateway ``stream_options``, a small server ``tools``. Those that refuse one say which.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from personaagent.models.endpoint_reason import parameters_named, whole_reason_of

TOOLS = "tools"
TOOLS_NOW = "tools, this time"
"""Refused for what the conversation holds (calls of another endpoint, say), so not for good."""
STREAM = "stream"
WHOLE = "whole answers"
"""Refused by models that only stream."""
SYSTEM = "system messages"
LOGPROBS = "logprobs"
FEWER_LOGPROBS = "more than 5 logprobs"
FEWER = 5
RENAMED = "max_completion_tokens"
"""Its older name is ``max_tokens``, which many endpoints know alone."""

JSON_SCHEMA = "json_schema"
JSON_OBJECT = "json_object"
"""Forms of an answer (``response_format``)."""

BEGINNING = "beginning of reasoning"
"""What a model leaves out of its replies: its chat template has written it into the prompt."""

NEEDED = frozenset({"model", "messages", "response_format"})
"""What no request goes without; whoever asks for a form (``structured``) knows what to do instead."""

STATUSES = (400, 403, 404, 405, 415, 422, 500, 501, 503)
"""HTTP errors by which parameters are refused: 404 by OpenRouter, 500 and 501 by llama.cpp."""

REFUSES = re.compile(
    r"not (?:be )?(?:supported|allowed|permitted|enabled|available|implemented|valid|accepted)"
    r"|(?:does|do|can)(?:n't| ?not) (?:support|accept|allow)|unsupported|unrecognized|unrecognised"
    r"|unknown|unexpected|invalid|requires?|forbidden|extra (?:fields|inputs)|no endpoints|deprecated"
    r"|must be|unavailable|only .{1,60} (?:is|are) (?:supported|allowed)",
    re.IGNORECASE,
)
OVERFLOW = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|too many (?:input |prompt )?tokens"
    r"|(?:prompt|input|request)[^.]{0,20} (?:is |are )?(?:too (?:long|large)|exceeds?)[^.]{0,40}"
    r"(?:token|length|limit|$)",
    re.IGNORECASE,
)
"""The prompt was too long for the model."""

ORDINARY = frozenset({"stop", "user", "n", "store", STREAM, TOOLS})
"""Parameters whose names are words of any sentence."""

SAME_AS = {
    "max_tokens": RENAMED,
    "max_output_tokens": RENAMED,
    "tool_choice": TOOLS,
    "functions": TOOLS,
    "function_call": TOOLS,
}

ONLY_STREAMS = re.compile(
    r"only supports? (?:the )?stream|non-?stream\w*[^.]{0,40}not supported|must (?:be|use) stream"
    r"|stream\W[^.]{0,30}(?:must be|has to be|should be|needs to be) (?:set to )?true"
    r"|enable the stream|streaming is (?:required|mandatory)|requires stream",
    re.IGNORECASE,
)

OF_THIS_CONVERSATION = re.compile(
    r"tool_call_ids?\b|tool call id|must be (?:a response|followed|preceded)|preced|not followed",
    re.IGNORECASE,
)

OTHER_WORDS = {
    TOOLS: re.compile(
        r"\btools?\b|\btool[-_ ]|function[-_ ]call|functions? (?:is|are)|--jinja", re.IGNORECASE
    ),
    SYSTEM: re.compile(
        r"system[-_ ](?:role|message|prompt|instruction)|'system'|developer (?:instruction|role)"
        r"|roles must alternate|got .?system|roles?:? .?system|.user. (?:or|and) .assistant."
        r"|permitted: .user",
        re.IGNORECASE,
    ),
    "response_format": re.compile(
        r"response[_ ]?(?:format|schema|mime)|json[_ ]?(?:schema|mode|object)|structured[_ ]output"
        r"|guided[_ ]|grammar|output[_ ](?:format|config|schema)",
        re.IGNORECASE,
    ),
    "stream_options": re.compile(r"include_usage|stream options"),
    STREAM: re.compile(r"\bstream(?:ing|ed)?\b", re.IGNORECASE),
    LOGPROBS: re.compile(r"logprobs|log[- ]?prob", re.IGNORECASE),
}
"""How endpoints name what they refuse where they do not write the parameter's name."""


def refused_part(error: BaseException, sent: Mapping[str, Any]) -> str | None:
    """The part of the request ``sent`` that ``error`` refuses; None if it is about other things.

    A parameter's name, ``SYSTEM``, ``WHOLE`` or ``TOOLS_NOW``. What merely quotes the request may be
    taken for a refusal: only an answer to the request without that part proves it.
    """
    status = getattr(error, "status_code", None)
    if status is not None and status not in STATUSES:
        return None
    reason = whole_reason_of(error)
    if OVERFLOW.search(reason) or (status not in (400, 422) and not REFUSES.search(reason)):
        return None
    parts = set(sent) - {"model", "messages"}
    if _has_system(sent) and OTHER_WORDS[SYSTEM].search(reason):
        return SYSTEM
    if ONLY_STREAMS.search(reason) and not sent.get(STREAM):
        return WHOLE
    in_field = [_in(parts, name) for name in parameters_named(error)]
    named = in_field or [_in(parts, name) for name in _names(reason)]
    part = next(filter(None, named), None)
    return TOOLS_NOW if part == TOOLS and OF_THIS_CONVERSATION.search(reason) else part


def left_out(refused: str, sent: Mapping[str, Any]) -> str:
    """What to leave out of requests like ``sent``, where ``refused`` was refused: that, or less."""
    if refused in (LOGPROBS, "top_logprobs"):
        return FEWER_LOGPROBS if sent.get("top_logprobs", 0) > FEWER else LOGPROBS
    return refused


def without(payload: dict[str, Any], parts: Iterable[str]) -> dict[str, Any]:
    """The request ``payload`` without ``parts``; ``tools`` are for the caller to replace."""
    payload = dict(payload)
    for part in sorted(parts):  # max_completion_tokens becomes max_tokens before that is left out
        match part:
            case _ if part == RENAMED and RENAMED in payload:
                payload["max_tokens"] = payload.pop(RENAMED)
            case _ if part == FEWER_LOGPROBS and payload.get("top_logprobs"):
                payload["top_logprobs"] = min(payload["top_logprobs"], FEWER)
            case _ if part == LOGPROBS:
                payload.pop("top_logprobs", None)
                payload.pop(LOGPROBS, None)
            case _ if part == SYSTEM:
                payload["messages"] = _without_system(payload["messages"])
            case _ if part == WHOLE:
                payload[STREAM] = True
            case _ if part == STREAM:
                payload.pop("stream_options", None)
                payload.pop(STREAM, None)
            case _ if part not in NEEDED | {TOOLS, TOOLS_NOW}:
                payload.pop(part, None)
    return payload


def _has_system(sent: Mapping[str, Any]) -> bool:
    return any(message["role"] in ("system", "developer") for message in sent["messages"])


def _names(reason: str) -> list[str]:
    """All that may be the name of a parameter in ``reason``, the surest first."""
    quoted = [
        segment
        for name in re.findall(r"[`'\"]([\w.\[\]-]+)[`'\"]", reason)
        for segment in re.split(r"[.\[\]]+", name)
    ]
    words = re.findall(r"\w+", reason)
    others = [part for part, pattern in OTHER_WORDS.items() if pattern.search(reason)]
    return [*quoted, *(word for word in words if word not in ORDINARY), *others, *words]


def _in(parts: set[str], name: str) -> str | None:
    """The one of ``parts`` that ``name`` names, in snake or camel case, or by an older name."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return next((part for part in (plain, SAME_AS.get(plain, plain)) if part in parts), None)


def _without_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages for a model that knows no system role: its text begins the user's first one."""
    system = [m["content"] for m in messages if m["role"] in ("system", "developer")]
    others = [dict(m) for m in messages if m["role"] not in ("system", "developer")]
    first = next((m for m in others if m["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": "\n\n".join(map(str, system))}, *others]
    if isinstance(first["content"], str):
        first["content"] = "\n\n".join([*map(str, system), first["content"]])
    else:
        first["content"] = [*({"type": "text", "text": str(s)} for s in system), *first["content"]]
    return others
