"""Errors below ``/v1`` as clients of OpenAI's API read them."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from starlette.responses import PlainTextResponse

from personaagent.server.routes.openai_errors import ErrorsOfOpenAI

app = FastAPI()
app.add_middleware(ErrorsOfOpenAI)


@app.get("/v1/refused/{status}")
@app.get("/refused/{status}")
async def refuse(status: int) -> None:
    raise HTTPException(status, "A sentence.", {"Retry-After": "7"})


@app.get("/v1/fails")
async def fail() -> None:
    raise RuntimeError("within the server")


@app.get("/v1/plain")
async def plain() -> PlainTextResponse:
    return PlainTextResponse("Too long.", 413)


@app.get("/v1/answers")
async def answers() -> dict[str, str]:
    return {"detail": "no error"}


async def get(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        return await http.get(path)


@pytest.mark.parametrize(
    ("path", "status", "sentence", "kind"),
    [
        ("refused/401", 401, "A sentence.", "authentication_error"),
        ("refused/403", 403, "A sentence.", "permission_error"),
        ("refused/404", 404, "A sentence.", "invalid_request_error"),
        ("refused/429", 429, "A sentence.", "rate_limit_error"),
        ("refused/503", 503, "A sentence.", "server_error"),
        ("plain", 413, "Too long.", "invalid_request_error"),
        ("nothing", 404, "Not Found", "invalid_request_error"),
    ],
)
async def test_an_error_has_openais_shape(path: str, status: int, sentence: str, kind: str) -> None:
    told = await get(f"/v1/{path}")
    error: dict[str, Any] = told.json()["error"]
    assert (told.status_code, error["message"], error["type"]) == (status, sentence, kind)
    assert told.headers["content-type"] == "application/json"


async def test_other_headers_stay() -> None:
    assert (await get("/v1/refused/429")).headers["retry-after"] == "7"


async def test_a_failure_of_the_server_tells_its_kind_alone() -> None:
    told = await get("/v1/fails")
    assert (told.status_code, told.json()["error"]["type"]) == (500, "server_error")
    assert "RuntimeError" in told.text
    assert "within the server" not in told.text


async def test_what_is_no_error_and_other_paths_stay_as_they_are() -> None:
    assert (await get("/v1/answers")).json() == {"detail": "no error"}
    assert (await get("/refused/404")).json() == {"detail": "A sentence."}
