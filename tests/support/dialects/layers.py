"""Other makers' models behind a layer that speaks OpenAI's language: Anthropic, Gemini, OpenRouter."""

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


def _anthropic_whole(reply: Reply) -> Body:
    return completion(reply, message(reply, ids="toolu_01{}"), id="msg_01")


def _anthropic_events(reply: Reply) -> list[Body | str]:
    found: list[Body | str] = [
        chunk(reply, {"role": "assistant"} | delta, choice={"logprobs": None}, id="msg_01")
        for delta in deltas(reply, ids="toolu_01{}")
    ]
    found.append(chunk(reply, {}, finish=reply.finish, choice={"logprobs": None}, id="msg_01"))
    if reply.wants_usage:
        found.append(chunk(reply, None, usage=reply.usage, id="msg_01"))
    return found


def _anthropic_refuse(body: Body) -> Raw | None:
    if "temperature" in body:
        text = "`temperature` is deprecated for this model."
        return error(400, text, code="invalid_request_error")
    return None


_signed = {"extra_content": {"google": {"thought_signature": "c2lnbmF0dXJl"}}}


def _gemini_whole(reply: Reply) -> Body:
    said: Body = {"role": "assistant"}
    if isinstance(reply.said, str):
        said["content"] = reply.said
    else:
        said["tool_calls"] = calls(reply.said, ids="", **_signed)
    return completion(reply, said, finish="stop", id="mN1haa")


def _gemini_events(reply: Reply) -> list[Body | str]:
    """Each chunk has the role and the tokens so far; a call comes whole, without id and index."""
    if isinstance(reply.said, str):
        parts = [{"role": "assistant"} | delta for delta in deltas(reply)]
    else:
        parts = [{"role": "assistant", "tool_calls": calls(reply.said, ids="", **_signed)}]
    *before, last = parts
    found: list[Body | str] = [chunk(reply, part, usage=reply.usage) for part in before]
    found.append(chunk(reply, last, finish="stop", usage=reply.usage))
    for event in found:
        assert isinstance(event, dict)
        for choice in event["choices"]:
            if choice["finish_reason"] is None:
                del choice["finish_reason"]
    return found


def _gemini_error(code: int, text: str, status: str = "INVALID_ARGUMENT") -> Raw:
    fields = {"code": code, "message": text, "status": status}
    return Raw(json.dumps([{"error": fields}]), code=code)


def _gemini_refuse(body: Body) -> Raw | None:
    if body.get("logprobs"):
        return _gemini_error(400, "Logprobs is not enabled for models/gemini-2.5-flash")
    if any("extra_content" not in call for call in calls_made(body)):
        return _gemini_error(
            400, "Function call is missing a thought_signature in functionCall parts."
        )
    return None


def _openrouter_whole(reply: Reply) -> Body:
    said = message(reply, refusal=None, reasoning=reply.reasoning or None)
    choice = {"native_finish_reason": "stop", "logprobs": None}
    return completion(reply, said, choice=choice, id="gen-1", provider="Somebody")


def _openrouter_events(reply: Reply) -> list[Body | str]:
    more = {"id": "gen-1", "provider": "Somebody"}
    thought = {"role": "assistant", "content": "", "reasoning": reply.reasoning}
    details = [{"type": "reasoning.text", "text": reply.reasoning, "index": 0}]
    ending = chunk(
        reply, {"role": "assistant", "content": ""}, usage=reply.usage | {"cost": 0.00001}, **more
    )
    return [
        ": OPENROUTER PROCESSING",
        ": OPENROUTER PROCESSING",
        chunk(reply, thought | {"reasoning_details": details}, **more),
        *(
            chunk(reply, {"role": "assistant", "content": ""} | delta | {"reasoning": None}, **more)
            for delta in deltas(reply)
        ),
        chunk(
            reply,
            {"role": "assistant", "content": ""},
            finish=reply.finish,
            choice={"native_finish_reason": "end_turn", "logprobs": None},
            **more,
        ),
        ending,
    ]


def _openrouter_refuse(body: Body) -> Raw | None:
    if "tools" in body:
        text = (
            "No endpoints found that support tool use. To learn more about provider routing, visit"
        )
        return error(404, f"{text} the documentation.", code=404)
    if (body.get("response_format") or {}).get("type") == "json_schema":
        raw = {"error": {"message": "json_schema is not supported", "param": "response_format"}}
        return error(
            400,
            "Provider returned error",
            code=400,
            metadata={"raw": json.dumps(raw), "provider_name": "Somebody"},
        )
    return None


ANTHROPIC = Dialect(
    "Anthropic's compatible layer",
    "claude-opus-4-7",
    _anthropic_whole,
    _anthropic_events,
    (
        error(400, "Your credit balance is too low to access the Anthropic API.", code="billing"),
        "credit",
    ),
    refuse=_anthropic_refuse,
    in_prose=True,
    refused={
        "temperature": "left out",
        "response_format": "(ignored) JSON is taken out of its prose",
    },
)
GEMINI = Dialect(
    "Gemini's compatible layer",
    "gemini-2.5-flash",
    _gemini_whole,
    _gemini_events,
    (
        _gemini_error(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"),
        "overloaded",
    ),
    path="/v1beta/openai",
    refuse=_gemini_refuse,
    refused={"logprobs": "left out", "ids of tool calls": "(none) made here"},
)
OPENROUTER = Dialect(
    "OpenRouter",
    "somebody/small",
    _openrouter_whole,
    _openrouter_events,
    (
        error(402, "Insufficient credits. Add more using the settings.", code=402),
        "credit",
    ),
    path="/api/v1",
    refuse=_openrouter_refuse,
    reasoning="The user asks for a city. ",
    refused={"tools": "chosen in JSON", "json_schema": "json_object, then words"},
)
