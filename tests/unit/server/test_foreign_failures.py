"""What a client reads when a route of LangGraph's fails."""

from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from personaagent.server.foreign_failures import ForeignFailures

ADDRESS = 'connection to server at "10.0.0.5", port 5432 failed'


async def ask(app: Any, path: str) -> httpx.Response:
    served: ASGIApp = ForeignFailures(app)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(served), base_url="http://here"
    ) as http:
        return await http.get(path)


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"error": "internal_error", "message": ADDRESS}, 500),
        Response(ADDRESS, 500),
        StreamingResponse(iter([ADDRESS, ADDRESS * 1000]), 500),
    ],
    ids=lambda answer: type(answer).__name__,
)
async def test_of_a_failure_it_is_told_that_it_failed(
    answer: Response, caplog: pytest.LogCaptureFixture
) -> None:
    told = await ask(answer, "/threads/t/history")
    assert told.status_code == answer.status_code
    assert ADDRESS not in told.text
    assert told.json()["detail"].startswith("The server failed")
    assert "10.0.0.5" in caplog.text


@pytest.mark.parametrize(
    ("status", "path"),
    [(404, "/threads/t"), (200, "/runs/stream"), (503, "/threads"), (500, "/ready")],
)
async def test_all_else_is_told_as_it_is(status: int, path: str) -> None:
    told = await ask(StreamingResponse(iter(["one", "two"]), status), path)
    assert (told.status_code, told.text) == (status, "onetwo")
