"""Errors that come with HTTP 200 or amid a stream, over real HTTP: the right error, asked again or not."""

import json
from typing import Any

import pytest

from personaagent.core.errors import (
    ConfigurationError,
    ModelError,
    ModelUnavailable,
    PersonaAgentError,
)
from personaagent.models.chat import connect
from personaagent.models.invoke import invoke_model, is_transient
from tests.support.endpoint import Raw, scripted_endpoint
from tests.support.oslo_question import ASKS, SAID, answer, ask
from tests.support.replies import events_of

ERRORS = {
    "OpenRouter": {"error": {"code": 429, "message": "Slow down"}},
    "a text": {"error": "Slow down"},
    "vLLM": {"object": "error", "message": "Slow down", "type": "TooManyRequests", "code": 429},
    "Anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "Slow down"}},
    "Gemini": [{"error": {"code": 503, "message": "Slow down", "status": "UNAVAILABLE"}}],
    "Cloudflare": {"success": False, "errors": [{"code": 3040, "message": "Slow down"}]},
    "MiniMax": {"base_resp": {"status_code": 1002, "status_msg": "Slow down"}, "choices": None},
    "in a choice": {
        "choices": [
            {
                "index": 0,
                "finish_reason": "error",
                "message": {"content": ""},
                "error": {"code": 502, "message": "Slow down"},
            }
        ]
    },
    "a message alone": {"code": "Throttling", "message": "Slow down"},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
async def test_an_error_with_http_200_is_an_error(error: Any, stream: bool) -> None:
    with pytest.raises(ModelUnavailable, match="Slow down"):
        await answer(Raw(json.dumps(error)), stream=stream)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
async def test_an_error_amid_a_stream_is_asked_again(error: Any) -> None:
    part = json.dumps({"choices": [{"index": 0, "delta": {"content": "In "}}]})
    with scripted_endpoint(lambda body: events_of([part, json.dumps(error)])) as endpoint:
        model = connect("m", endpoint.base_url, "k", timeout=2, retries=1)
        model.streaming = True
        with pytest.raises(ModelUnavailable, match="Slow down") as caught:
            await invoke_model(model, ASKS, role="actor")
        await model.root_async_client.close()
    assert is_transient(caught.value)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 401, "message": "No such key"}, ConfigurationError),
        ({"type": "invalid_request_error", "message": "Bad field"}, ModelError),
        ({"code": "model_not_found", "message": "No such model"}, ConfigurationError),
        ({"code": "invalid_api_key", "message": "No such key"}, ConfigurationError),
    ],
)
async def test_an_error_with_http_200_that_stays_is_not_asked_again(
    error: dict[str, Any], kind: type[PersonaAgentError], stream: bool
) -> None:
    with (
        scripted_endpoint(lambda body: Raw(json.dumps({"error": error}))) as endpoint,
        pytest.raises(kind) as caught,
    ):
        await ask(endpoint, stream=stream)
    assert not is_transient(caught.value)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_error_with_http_200_is_retried_by_the_client(stream: bool) -> None:
    replies = iter([Raw('{"error": {"code": 503, "message": "busy"}}'), SAID])
    with scripted_endpoint(lambda body: next(replies)) as endpoint:
        model = connect("m", endpoint.base_url, "k", timeout=2, retries=1)
        model.streaming = stream
        message = await invoke_model(model, ASKS, role="actor")
        await model.root_async_client.close()
    assert message.text == SAID
    assert len(endpoint.requests) == 2
