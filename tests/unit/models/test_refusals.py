"""Which part of a request an endpoint refuses, in the words that endpoints really use."""

from typing import Any

import httpx2
import openai
import pytest

from personaagent.models.refusals import (
    LOGPROBS,
    RENAMED,
    STREAM,
    SYSTEM,
    TOOLS,
    TOOLS_NOW,
    WHOLE,
    refused_part,
    without,
)

SENT: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}],
    "temperature": 0,
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 400,
    "logprobs": True,
    "top_logprobs": 20,
    "seed": 1,
    "stop": ["\n"],
    "parallel_tool_calls": False,
    "tools": [{"type": "function", "function": {"name": "look_up"}}],
    "response_format": {"type": "json_schema"},
}


def error(code: int, body: Any) -> openai.APIStatusError:
    """What openai's client raises for such an answer."""
    request = httpx2.Request("POST", "http://models.example/v1/chat/completions")
    content = {"text": body} if isinstance(body, str) else {"json": body}
    response = httpx2.Response(code, request=request, **content)
    return openai.AsyncOpenAI(api_key="k")._make_status_error_from_response(response)


def openai_body(message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param}}


def fastapi_body(name: str) -> dict[str, Any]:
    detail = {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs", "input": 1}
    return {"detail": [detail]}


@pytest.mark.parametrize(
    ("code", "body", "part"),
    [
        # OpenAI, Azure
        (
            400,
            openai_body(
                "Unsupported value: 'temperature' does not support 0 with this model. "
                "Only the default (1) value is supported.",
                "temperature",
            ),
            "temperature",
        ),
        (
            400,
            openai_body(
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "max_tokens",
            ),
            RENAMED,
        ),
        (
            400,
            openai_body("Unrecognized request argument supplied: stream_options"),
            "stream_options",
        ),
        (
            400,
            openai_body("Your organization must be verified to stream this model.", STREAM),
            STREAM,
        ),
        (403, openai_body("You are not allowed to sample with logprobs.", LOGPROBS), LOGPROBS),
        (
            400,
            openai_body(
                "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                "messages[0].role",
            ),
            SYSTEM,
        ),
        (400, openai_body("Unsupported parameter: 'stop' is not supported.", "stop"), "stop"),
        (
            400,
            openai_body(
                "Invalid parameter: 'response_format' of type 'json_schema' is not supported"
            ),
            "response_format",
        ),
        # FastAPI servers and Mistral
        (422, fastapi_body("stream_options"), "stream_options"),
        (422, fastapi_body("max_completion_tokens"), RENAMED),
        (422, {"object": "error", "message": {"detail": fastapi_body("seed")["detail"]}}, "seed"),
        # Gemini: a list, and its own names
        (
            400,
            [{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}],
            "seed",
        ),
        (400, [{"error": {"message": "Function calling is not enabled for models/gemma"}}], TOOLS),
        (400, [{"error": {"message": "Developer instruction is not enabled for gemma"}}], SYSTEM),
        (400, [{"error": {"message": "JSON mode is not enabled for gemma"}}], "response_format"),
        (400, [{"error": {"message": "Invalid value at 'topLogprobs'"}}], "top_logprobs"),
        (
            400,
            [
                {
                    "error": {
                        "message": "Function call is missing a thought_signature in functionCall"
                    }
                }
            ],
            TOOLS,
        ),
        # what the conversation holds, of which the endpoint knows nothing
        (
            400,
            {"message": "Tool call id was call_1 but must be a-z, with a length of 9."},
            TOOLS_NOW,
        ),
        (
            400,
            openai_body("Messages with role 'tool' must be a response to 'tool_calls'"),
            TOOLS_NOW,
        ),
        # OpenRouter
        (404, openai_body("No endpoints found that support tool use. To learn more: ..."), TOOLS),
        (
            400,
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {
                        "raw": '{"error": {"message": "Unsupported", "param": "temperature"}}',
                        "provider_name": "OpenAI",
                    },
                }
            },
            "temperature",
        ),
        # vLLM
        (
            400,
            {
                "object": "error",
                "message": '"auto" tool choice requires --enable-auto-tool-choice and '
                "--tool-call-parser to be set",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            },
            TOOLS,
        ),
        (400, {"object": "error", "message": "System role not supported"}, SYSTEM),
        (
            400,
            {"message": "Conversation roles must alternate user/assistant/user/assistant/..."},
            SYSTEM,
        ),
        # Ollama, llama.cpp, LM Studio, TGI
        (400, openai_body("registry.ollama.ai/library/gemma:2b does not support tools"), TOOLS),
        (400, {"error": "gemma:2b does not support tools"}, TOOLS),
        (500, openai_body("tools param requires --jinja flag"), TOOLS),
        (500, openai_body("logprobs is not supported with tools + stream"), LOGPROBS),
        (501, openai_body("This server does not support streaming"), STREAM),
        (
            422,
            {"error": "Input validation error: `temperature` must be strictly positive"},
            "temperature",
        ),
        (422, {"error": "Input validation error: `top_logprobs` must be <= 5"}, "top_logprobs"),
        # DeepSeek, Groq, Anthropic, LiteLLM, plain text
        (400, openai_body("deepseek-reasoner does not support Function Calling"), TOOLS),
        (400, openai_body("This response_format type is unavailable now"), "response_format"),
        (400, openai_body("`logprobs` is not supported with this model"), LOGPROBS),
        (400, openai_body("`temperature` is deprecated for this model."), "temperature"),
        (
            400,
            openai_body("litellm.UnsupportedParamsError: m does not support parameters: ['seed']"),
            "seed",
        ),
        (400, "unknown field: parallel_tool_calls", "parallel_tool_calls"),
        (415, "Streaming is not supported", STREAM),
        (
            500,
            openai_body("Only user, assistant and tool roles are supported, got system."),
            SYSTEM,
        ),
        (
            422,
            {
                "detail": [
                    {
                        "loc": ["body", "messages", 0, "role"],
                        "msg": "permitted: 'user', 'assistant'",
                    }
                ]
            },
            SYSTEM,
        ),
        (400, {"error": "Model m does not support parameter stop."}, "stop"),
        (400, {"errors": [{"message": "additional property 'stream_options'"}]}, "stream_options"),
        (400, {"message": "extraneous key [temperature] is not permitted"}, "temperature"),
    ],
)
def test_a_refusal_names_its_part(code: int, body: Any, part: str) -> None:
    assert refused_part(error(code, body), SENT) == part


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (400, openai_body("The model `m` does not exist", "model")),
        (
            400,
            openai_body("Invalid value: 'messages[1].content' is no text", "messages[1].content"),
        ),
        (
            400,
            openai_body(
                "This model's maximum context length is 4096 tokens; max_completion_tokens"
            ),
        ),
        (400, openai_body("The response was filtered: content management policy")),
        (401, openai_body("Incorrect API key; 'temperature' is not supported", "temperature")),
        (429, openai_body("Rate limit: 'stream' is not supported", STREAM)),
        (500, openai_body("Internal error in the stream")),
        (503, openai_body("Service temporarily overloaded, please stop")),
        (400, ""),
    ],
)
def test_another_failure_names_none(code: int, body: Any) -> None:
    assert refused_part(error(code, body), SENT) is None


def test_a_model_that_only_streams_refuses_whole_answers() -> None:
    body = openai_body("This model only support stream mode, please enable the stream parameter.")
    assert refused_part(error(400, body), SENT | {"stream": False}) == WHOLE
    assert without({"messages": []}, [WHOLE])["stream"] is True


def test_what_was_not_sent_is_not_refused() -> None:
    sent = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "temperature": 0}
    assert refused_part(error(400, openai_body("m does not support tools")), sent) is None
    assert refused_part(error(400, openai_body("System role not supported")), sent) is None


def test_an_event_of_a_stream_refuses_as_well() -> None:
    request = httpx2.Request("POST", "http://models.example/v1")
    body = {"message": "temperature is not supported", "code": 400}
    event = openai.APIError("temperature is not supported", request, body=body)
    assert refused_part(event, SENT) == "temperature"
