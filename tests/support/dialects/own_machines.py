"""Servers that people run themselves: vLLM, Ollama, llama.cpp, LM Studio."""

import json

from tests.support.dialects.dialect import (
    Body,
    Dialect,
    Reply,
    calls,
    chunk,
    completion,
    deltas,
    error,
    message,
)
from tests.support.endpoint import Raw


def _vllm_whole(reply: Reply) -> Body:
    more = {"refusal": None, "annotations": None, "audio": None, "function_call": None}
    said = {"tool_calls": []} | message(reply, reasoning_content=None, **more)
    choice = {"logprobs": None, "stop_reason": None, "token_ids": None}
    return completion(reply, said, choice=choice, prompt_logprobs=None, kv_transfer_params=None)


def _vllm_events(reply: Reply) -> list[Body | str]:
    first = {"role": "assistant", "content": ""}
    choice = {"logprobs": None, "token_ids": None}
    found: list[Body | str] = [
        chunk(reply, first, choice=choice, prompt_token_ids=None),
        *(chunk(reply, delta, choice=choice) for delta in deltas(reply, ids="chatcmpl-tool-{}")),
        chunk(reply, {"content": ""}, finish=reply.finish, choice=choice | {"stop_reason": None}),
    ]
    return found + ([chunk(reply, None, usage=reply.usage)] if reply.wants_usage else [])


def _vllm_error(message: str) -> Raw:
    fields = {"object": "error", "message": message, "type": "BadRequestError", "param": None}
    return Raw(json.dumps(fields | {"code": 400}), code=400)


def _vllm_refuse(body: Body) -> Raw | None:
    if "tools" in body:
        return _vllm_error(
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        )
    if body.get("top_logprobs", 0) > 5:
        return _vllm_error("Requested sample logprobs of 20, which is greater than max allowed: 5")
    return None


def _ollama_whole(reply: Reply) -> Body:
    said = message(reply, ids="call_ab{}")
    said |= {"content": said["content"] or "", "reasoning": reply.reasoning}
    return completion(reply, said, system_fingerprint="fp_ollama")


def _ollama_events(reply: Reply) -> list[Body | str]:
    """Reasoning beside the answer; a call comes whole."""
    more = {"system_fingerprint": "fp_ollama"}
    empty = {"role": "assistant", "content": ""}
    if isinstance(reply.said, str):
        parts = [empty | delta for delta in deltas(reply)]
    else:
        parts = [empty | {"tool_calls": calls(reply.said, ids="call_ab{}", index=True)}]
    found: list[Body | str] = [
        chunk(reply, empty | {"reasoning": reply.reasoning}, **more),
        *(chunk(reply, part, **more) for part in parts),
        chunk(reply, empty, finish=reply.finish, **more),
    ]
    return found + ([chunk(reply, None, usage=reply.usage, **more)] if reply.wants_usage else [])


def _ollama_refuse(body: Body) -> Raw | None:
    if "tools" in body:
        return error(
            400,
            f"registry.ollama.ai/library/{body['model']} does not support tools",
            type="api_error",
        )
    return None


def _llama_cpp_whole(reply: Reply) -> Body:
    said = message(reply, reasoning_content=reply.reasoning)
    timings = {"prompt_n": 12, "prompt_ms": 80.5, "predicted_n": 7, "predicted_per_second": 31.2}
    return completion(reply, said, system_fingerprint="b6900-1", timings=timings)


def _llama_cpp_events(reply: Reply) -> list[Body | str]:
    more = {"system_fingerprint": "b6900-1"}
    found: list[Body | str] = [
        chunk(reply, {"role": "assistant", "content": None}, **more),
        chunk(reply, {"reasoning_content": reply.reasoning}, **more),
        *(chunk(reply, delta, **more) for delta in deltas(reply)),
        chunk(reply, {}, finish=reply.finish, timings={"predicted_n": 7}, **more),
    ]
    return found + ([chunk(reply, None, usage=reply.usage, **more)] if reply.wants_usage else [])


def _llama_cpp_refuse(body: Body) -> Raw | None:
    if "tools" in body:
        return error(500, "tools param requires --jinja flag", type="server_error", code=500)
    return None


def _lm_studio_whole(reply: Reply) -> Body:
    said = message(reply, ids="36517448{}")
    if isinstance(reply.said, str):
        said["content"] = f"<think>{reply.reasoning}</think>{reply.said}"
    return completion(reply, said, choice={"logprobs": None}, stats={}, system_fingerprint="small")


def _lm_studio_events(reply: Reply) -> list[Body | str]:
    """Reasoning stands in the text, if the developer's switch for it is off."""
    thought = f"<think>{reply.reasoning}</think>"
    if isinstance(reply.said, str):
        parts = [{"role": "assistant", "content": piece} for piece in [thought[:4], thought[4:]]]
    else:
        parts = []
    more = {"system_fingerprint": "small", "choice": {"logprobs": None}}
    return [
        *(chunk(reply, part, **more) for part in parts),
        *(chunk(reply, delta, **more) for delta in deltas(reply, ids="36517448{}")),
        chunk(reply, {}, finish=reply.finish, **more),
        *([chunk(reply, None, usage=reply.usage)] if reply.wants_usage else []),
    ]


def _lm_studio_refuse(body: Body) -> Raw | None:
    if (body.get("response_format") or {}).get("type") == "json_object":
        return _lm_studio_error(400, "'response_format.type' must be 'json_schema' or 'text'")
    return None


def _lm_studio_error(code: int, text: str) -> Raw:
    return Raw(json.dumps({"error": text}), code=code)


_no_model = (
    "No models loaded. Please load a model in the developer page or use the `lms load` command."
)

VLLM = Dialect(
    "vLLM",
    "org/small",
    _vllm_whole,
    _vllm_events,
    (
        Raw(
            json.dumps(
                {
                    "object": "error",
                    "message": "This model's maximum context length is 4096 tokens. However, you "
                    "requested 5000 tokens in the messages.",
                    "type": "BadRequestError",
                    "param": None,
                    "code": 400,
                }
            ),
            code=400,
        ),
        "longer than",
    ),
    refuse=_vllm_refuse,
    refused={"tools (no parser set)": "chosen in JSON", "20 log-probabilities": "5"},
)
OLLAMA = Dialect(
    "Ollama",
    "gemma2:2b",
    _ollama_whole,
    _ollama_events,
    (
        error(404, 'model "gemma2:2b" not found, try pulling it first', type="api_error"),
        "ollama pull gemma2:2b",
    ),
    refuse=_ollama_refuse,
    reasoning="The user asks for a city. ",
    refused={"tools (of some models)": "chosen in JSON"},
)
LLAMA_CPP = Dialect(
    "llama.cpp",
    "small.gguf",
    _llama_cpp_whole,
    _llama_cpp_events,
    (error(503, "Loading model", type="unavailable_error", code=503), "loading"),
    refuse=_llama_cpp_refuse,
    reasoning="The user asks for a city. ",
    refused={"tools (without --jinja)": "chosen in JSON"},
)
LM_STUDIO = Dialect(
    "LM Studio",
    "small",
    _lm_studio_whole,
    _lm_studio_events,
    (_lm_studio_error(404, _no_model), "load small"),
    refuse=_lm_studio_refuse,
    reasoning="The user asks for a city. ",
    refused={"json_object": "json_schema, else words"},
)
