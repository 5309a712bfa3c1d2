"""An endpoint's own reason, out of the many bodies in which endpoints send it."""

from typing import Any

import pytest

from personaagent.models.endpoint_reason import reason_of
from tests.unit.models.test_refusals import error, fastapi_body, openai_body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (openai_body("Not\nthis way."), "Not this way"),
        ({"error": "model is loading"}, "model is loading"),
        ([{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT"}}], "Bad"),
        (fastapi_body("seed"), "body.seed: Extra inputs"),
        ({"detail": "Not allowed"}, "Not allowed"),
        ({"object": "error", "message": "Too much"}, "Too much"),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            "Overloaded",
        ),
        ("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        ("upstream is gone", "upstream is gone"),
        (
            {"error": {"message": "Provider returned error", "metadata": {"raw": "Slow down"}}},
            "Slow down",
        ),
        (
            openai_body("Incorrect API key provided: sk-abcdef123456"),
            "Incorrect API key provided: (a key)",
        ),
        (openai_body("litellm.BadRequestError: OpenAIException - No such thing"), "No such thing"),
        (openai_body("x" * 300), "x" * 200 + "…"),
    ],
)
def test_the_reason_is_read_out_of_any_body(body: Any, reason: str) -> None:
    assert reason_of(error(400, body)) == reason
