"""Other makers' own endpoints: DeepSeek, Mistral."""

import json

from tests.support.dialects.dialect import (
    Body,
    Dialect,
    Reply,
    calls,
    calls_made,
    chunk,
    completion,
    deltas,
    error,
    message,
)
from tests.support.endpoint import Raw


def _deepseek_whole(reply: Reply) -> Body:
    said = message(reply, reasoning_content=reply.reasoning)
    said["content"] = said["content"] or ""
    usage = reply.usage | {"prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 5}
    return completion(
        reply, said, choice={"logprobs": None}, usage=usage, system_fingerprint="fp_1"
    )


def _deepseek_events(reply: Reply) -> list[Body | str]:
    """Keeps the connection alive by comments; the tokens come with the last chunk."""
    nothing = {"content": None, "reasoning_content": None}
    more = {"system_fingerprint": "fp_1", "choice": {"logprobs": None}}
    return [
        ": keep-alive",
        chunk(reply, {"role": "assistant", "content": None, "reasoning_content": ""}, **more),
        chunk(reply, nothing | {"reasoning_content": reply.reasoning}, **more),
        ": keep-alive",
        *(chunk(reply, nothing | delta, **more) for delta in deltas(reply)),
        chunk(
            reply,
            {"content": "", "reasoning_content": None},
            finish=reply.finish,
            usage=reply.usage,
            **more,
        ),
    ]


def _deepseek_refuse(body: Body) -> Raw | None:
    if (body.get("response_format") or {}).get("type") == "json_schema":
        return error(
            400, "This response_format type is unavailable now", code="invalid_request_error"
        )
    if body.get("logprobs"):
        return error(400, "deepseek-reasoner does not support the parameter `logprobs`")
    for number, each in enumerate(body["messages"]):
        if each.get("tool_calls") and "reasoning_content" not in each:
            text = "Missing `reasoning_content` field in the assistant message at message index"
            return error(400, f"{text} {number}.")
    return None


def _mistral_whole(reply: Reply) -> Body:
    said = {"tool_calls": None} | message(reply, ids="D681PevK{}", prefix=False)
    said["content"] = _mistral_content(reply) if isinstance(reply.said, str) else ""
    return completion(reply, said, id="0f1")


def _mistral_content(reply: Reply) -> list[Body]:
    """Models that reason write blocks."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": reply.reasoning}]}
    return [thinking, {"type": "text", "text": reply.said}]


def _mistral_events(reply: Reply) -> list[Body | str]:
    """A call comes whole, the tokens with the last chunk; ``p`` hides lengths."""
    if isinstance(reply.said, str):
        parts: list[Body] = [{"content": [block]} for block in _mistral_content(reply)[:1]]
        parts += deltas(reply)
        last: Body = {"content": ""}
    else:
        parts = []
        last = {"content": "", "tool_calls": calls(reply.said, ids="D681PevK{}", index=True)}
    return [
        chunk(reply, {"role": "assistant", "content": ""}, id="0f1"),
        *(chunk(reply, part, id="0f1", p="abcdef") for part in parts),
        chunk(reply, last, finish=reply.finish, usage=reply.usage, id="0f1", p="ab"),
    ]


def _mistral_refuse(body: Body) -> Raw | None:
    if any(len(call["id"]) != 9 or not call["id"].isalnum() for call in calls_made(body)):
        text = "Tool call id was x but must be a-z, A-Z, 0-9, with a length of 9."
        return Raw(json.dumps({"object": "error", "message": text, "code": "3280"}), code=400)
    known = {"model", "messages", "temperature", "stream", "tools", "max_tokens", "response_format"}
    extra = next((name for name in body if name not in known), None)
    if extra is None:
        return None
    detail = {
        "type": "extra_forbidden",
        "loc": ["body", extra],
        "msg": "Extra inputs are not permitted",
        "input": body[extra],
    }
    fields = {"object": "error", "message": {"detail": [detail]}, "type": "invalid_request_error"}
    return Raw(json.dumps(fields | {"param": None, "code": None}), code=422)


DEEPSEEK = Dialect(
    "DeepSeek",
    "deepseek-reasoner",
    _deepseek_whole,
    _deepseek_events,
    (error(402, "Insufficient Balance", type="unknown_error"), "credit"),
    path="",
    refuse=_deepseek_refuse,
    reasoning="The user asks for a city. ",
    refused={"json_schema": "json_object", "logprobs": "left out"},
)
MISTRAL = Dialect(
    "Mistral",
    "magistral-small-latest",
    _mistral_whole,
    _mistral_events,
    (
        Raw(
            json.dumps({"object": "error", "message": "Invalid model: x", "code": "1500"}), code=400
        ),
        "PERSONAAGENT_MODEL",
    ),
    refuse=_mistral_refuse,
    reasoning="The user asks for a city. ",
    refused={
        "stream_options": "left out",
        "max_completion_tokens": "max_tokens",
        "logprobs": "left out",
    },
)
