"""OpenAI's own models, and the same on Azure."""

import json
from typing import Any

from tests.support.dialects.dialect import (
    Body,
    Dialect,
    Reply,
    chunk,
    completion,
    deltas,
    error,
    message,
    unsupported,
)
from tests.support.endpoint import Raw

DETAILS: Body = {
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
TAIL: Body = {"service_tier": "default", "system_fingerprint": "fp_1"}


def whole(reply: Reply) -> Body:
    said = message(reply, refusal=None, annotations=[])
    usage = reply.usage | DETAILS
    return completion(reply, said, choice={"logprobs": None}, usage=usage, **TAIL)


def events(reply: Reply) -> list[Body | str]:
    more: dict[str, Any] = {
        "choice": {"logprobs": None},
        "usage": None,
        "obfuscation": "x7",
        **TAIL,
    }
    found: list[Body | str] = [
        chunk(reply, {"role": "assistant", "content": "", "refusal": None}, **more),
        *(chunk(reply, delta, **more) for delta in deltas(reply)),
        chunk(reply, {}, finish=reply.finish, **more),
    ]
    if reply.wants_usage:
        found.append(chunk(reply, None, usage=reply.usage | DETAILS, obfuscation="", **TAIL))
    return found


def _only_default_temperature(body: Body) -> Raw | None:
    if body.get("temperature", 1) != 1:
        text = (
            "Unsupported value: 'temperature' does not support 0 with this model. "
            "Only the default (1) value is supported."
        )
        return error(400, text, param="temperature", code="unsupported_value")
    if body.get("logprobs"):
        return error(403, "You are not allowed to request logprobs from this model")
    if "max_tokens" in body:
        text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
        return error(400, f"{text} 'max_completion_tokens' instead.", param="max_tokens")
    return None


def _reasoning(body: Body) -> Raw | None:
    if any(each["role"] == "system" for each in body["messages"]):
        text = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
        return error(400, text, param="messages[0].role", code="unsupported_value")
    if body.get("stream"):
        text = "Your organization must be verified to stream this model."
        return error(400, text, param="stream", code="unsupported_value")
    return unsupported("temperature", "logprobs", "top_logprobs", "parallel_tool_calls", "stop")(
        body
    )


def _azure_events(reply: Reply) -> list[Body | str]:
    safe = {"hate": {"filtered": False, "severity": "safe"}}
    about_the_prompt: Body = {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "choices": [],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": safe}],
    }
    found = events(reply)
    for event in found:
        assert isinstance(event, dict)
        for choice in event["choices"]:
            choice["content_filter_results"] = safe if choice["delta"] else {}
    return [about_the_prompt, *found]


def _azure_refuse(body: Body) -> Raw | None:
    if "stream_options" in body:
        return error(400, "Unrecognized request argument supplied: stream_options")
    return None


_filtered = {
    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content "
    "management policy. Please modify your prompt and retry.",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
}
_quota = "You exceeded your current quota, please check your plan and billing details."

GPT_4_1 = Dialect(
    "OpenAI, GPT-4.1",
    "gpt-4.1-mini",
    whole,
    events,
    (error(429, _quota, type="insufficient_quota", code="insufficient_quota"), "no quota"),
)
GPT_5 = Dialect(
    "OpenAI, GPT-5",
    "gpt-5-mini",
    whole,
    events,
    (
        error(401, "Incorrect API key provided: a-secret-key.", code="invalid_api_key"),
        "OPENAI_API_KEY",
    ),
    refuse=_only_default_temperature,
    refused={"temperature": "left out", "logprobs": "left out"},
)
REASONING = Dialect(
    "OpenAI, reasoning (o1-mini, o3)",
    "reasoning-mini",
    whole,
    events,
    (
        error(404, "The model `reasoning-mini` does not exist or you do not have access to it."),
        "PERSONAAGENT_MODEL",
    ),
    refuse=_reasoning,
    refused={
        "temperature": "left out",
        "logprobs": "left out",
        "stream": "the answer comes whole",
        "system role": "its text begins the first message",
    },
)
AZURE = Dialect(
    "Azure OpenAI (v1)",
    "my-deployment",
    whole,
    _azure_events,
    (Raw(json.dumps({"error": _filtered}), code=400), "rules of content"),
    path="/openai/v1",
    refuse=_azure_refuse,
    refused={"stream_options": "left out; tokens of a stream are not counted"},
)
